// SPDX-License-Identifier: GPL-2.0-or-later
//! The register blocks of the MediaTek MT3620, as far as public sources describe them.
//!
//! [`chip::Chip`] is the whole chip but for what QEMU has itself: processors, their interrupt controllers, memories and the
//! 16550 parts. It knows nothing of QEMU: it reaches its surroundings through [`host::Host`], which unit tests implement,
//! too. [`ffi`] is the C side of it, and the only module with `unsafe`.
//!
//! What the public sources leave open, or answer differently, is an option: see [`options::Options`].

#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used))]

pub mod chip;
pub mod cirq;
pub mod cores;
pub mod elf;
pub mod ffi;
pub mod gpio;
pub mod gpt;
pub mod host;
pub mod mailbox;
pub mod map;
pub mod options;
pub mod pads;
pub mod pins;
pub mod watchdog;
