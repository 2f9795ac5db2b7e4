// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The device REST API: the sideload part of the Azure Sphere device API over TLS, in front of the
//! application manager.
//!
//! It runs confined, on a listening socket and a control socket that it was given. A connection goes
//! through [`tls`] to a [`session`], which reads requests with [`http`], finds the [`resource`] and has it
//! answered by the [`service`], which asks the [`manager`]. Nothing here decides what an app may do.

#![cfg_attr(
    test,
    allow(
        clippy::cast_possible_truncation,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

#[cfg(feature = "fake")]
pub mod fake;
pub mod http;
pub mod manager;
pub mod options;
pub mod problem;
pub mod resource;
pub mod server;
pub mod service;
pub mod session;
pub mod tls;
pub mod wire;

#[cfg(test)]
mod tests;
