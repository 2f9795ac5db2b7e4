// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The decision core: who may do what, and which manifest key would allow it.
//!
//! An app's manifest becomes a [`Grant`]; every question about the app is a [`Request`] put to
//! [`Grant::decide`]; two apps are compared with [`check_install`] before the second is installed. The
//! crate is plain data and pure functions over it, so one source serves the kernel, the application
//! manager, the host tools and the tests.
//!
//! ```
//! use policy::{AppKind, Capability, ComponentId, Errno, Grant, Peripheral, Peripherals, Request, Verdict};
//!
//! let app: ComponentId = "25025d2c-66da-4448-bae1-ac26fcdd3627".parse().unwrap();
//! let grant = Grant {
//!     peripherals: Peripherals::of(&[Peripheral::Gpio(8)]),
//!     ..Grant::none(app, AppKind::HighLevel)
//! };
//! assert_eq!(grant.decide(Request::Open(Peripheral::Gpio(8))), Verdict::Allow);
//! let Verdict::Deny(denial) = grant.decide(Request::Open(Peripheral::Gpio(9))) else { panic!() };
//! assert_eq!((denial.errno, denial.key), (Errno::EACCES, Some(Capability::Gpio)));
//! ```
#![no_std]
#![forbid(unsafe_code)]
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

pub mod capability;
pub mod component;
pub mod conflict;
pub mod decision;
pub mod error;
pub mod grant;
pub mod host;
pub mod peripheral;
pub mod pins;
#[cfg(feature = "serde")]
mod text;

pub use capability::{AppKind, Capability, CapabilitySet, PowerControl, PowerControls};
pub use component::{ComponentId, ComponentIdError};
pub use conflict::{Conflict, Resource, check_install};
pub use decision::{Denial, Errno, Reason, Request, Verdict};
pub use error::DeviceError;
pub use grant::Grant;
pub use host::HostList;
pub use peripheral::{Peripheral, PeripheralKind, Peripherals};
pub use pins::PinSet;
