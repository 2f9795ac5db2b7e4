// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Tables: what is refused, and its permitted twin. One program, since linking costs more than running.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation
)]

mod access;
mod address;
mod capability;
mod component;
mod conflict;
mod decision;
mod denial_record;
mod error;
mod identity;
mod peripheral;
mod rules;
#[cfg(feature = "serde")]
mod text;
