// SPDX-License-Identifier: GPL-2.0

//! The parts of the security module that have no kernel types, for tests on the host.
//!
//! The kernel does not read this file; its crate root is `lib.rs`.
#![no_std]
#![forbid(unsafe_code)]

pub mod denials;
pub mod table;
pub mod wire;
