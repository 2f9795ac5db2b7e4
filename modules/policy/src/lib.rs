// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The decision core: who may do what, and which manifest key would allow it.
//!
//! An app's manifest becomes a [`Grant`]; every question about the app is a [`Request`] put to
//! [`Grant::decide`]; two apps are compared with [`check_install`] before the second is installed. The
//! crate is plain data and pure functions over it, so one source serves the kernel, the application
//! manager, the host tools and the tests.
//!
//! The kernel gets the part of a grant that it needs as a [`RuleSet`]: bytes that the manager writes and the
//! kernel reads where they lie. There, every question is an [`Access`] put to [`Subject::decide`], where the
//! subject has an [`Identity`] or none. What was refused comes back as a [`DenialRecord`].
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
//!
//! The same app, as the kernel sees it:
//!
//! ```
//! use policy::{Access, AppKind, Capability, Denial, Errno, Grant, Identity, Reason, RuleSet, Subject, Verdict};
//!
//! let grant = Grant::none("25025d2c-66da-4448-bae1-ac26fcdd3627".parse().unwrap(), AppKind::HighLevel);
//! let mut bytes = [0; RuleSet::MAX_SIZE];
//! let length = RuleSet::encode(&grant, &[], &mut bytes).unwrap();
//! let rules = RuleSet::parse(&bytes[..length]).unwrap();
//! let identity = Identity::of(&grant).unwrap();
//! let denial = Denial { errno: Errno::EPERM, reason: Reason::NotGranted, key: Some(Capability::SystemTime) };
//! assert_eq!(Subject::App(&identity, rules).decide(Access::SetClock), Verdict::Deny(denial));
//! assert_eq!(Subject::Manager.decide(Access::SetClock), Verdict::Allow);
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

pub mod access;
pub mod address;
mod bytes;
pub mod capability;
pub mod component;
pub mod conflict;
pub mod decision;
pub mod denial_record;
pub mod errno;
pub mod error;
pub mod grant;
pub mod host;
pub mod identity;
pub mod peripheral;
pub mod pins;
pub mod rights;
pub mod rules;
pub mod subject;
#[cfg(feature = "serde")]
mod text;

pub use access::{Access, Mapping};
pub use address::{AddressRule, Destination, SocketKind, SocketOption, Transport};
pub use capability::{AppKind, Capability, CapabilitySet, PowerControl, PowerControls};
pub use component::{ComponentId, ComponentIdError};
pub use conflict::{Conflict, Resource, check_install};
pub use decision::{Denial, Reason, Request, Verdict};
pub use denial_record::{DenialRecord, DenialRecordError, Hook, ObjectClass};
pub use errno::Errno;
pub use error::DeviceError;
pub use grant::Grant;
pub use host::HostList;
pub use identity::{Identity, IdentityError, Tenant};
pub use peripheral::{Peripheral, PeripheralKind, Peripherals};
pub use pins::PinSet;
pub use rights::Rights;
pub use rules::{EncodeError, RuleSet, RuleSetError};
pub use subject::{Origin, Owner, Subject, Tracee};
