// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The application manager: PID 1 of the device.
//!
//! It mounts what there is to mount, verifies and stages packages, starts every app in its sandbox,
//! watches, restarts and stops it, and answers the device API over the control socket. It is one thread
//! around one poll loop; what takes time is a state and not a wait.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::cast_possible_truncation
    )
)]

pub mod app;
pub mod backoff;
pub mod board;
pub mod boot;
pub mod broker;
pub mod cores;
pub mod elf;
pub mod firmware;
pub mod journal;
pub mod lifecycle;
pub mod machine;
pub mod manager;
pub mod ring;
pub mod server;
pub mod service;
pub mod store;
pub mod supervisor;
pub mod system;
#[cfg(test)]
mod testing;
pub mod trust;
