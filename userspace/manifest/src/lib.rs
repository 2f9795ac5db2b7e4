// SPDX-License-Identifier: Apache-2.0 OR MIT

//! `app_manifest.json` and hardware definitions, parsed and validated.
//!
//! [`Manifest::parse`] reads the manifest of an installed image, as the device does: strict, with the
//! device's own error codes, and with the place of the mistake. [`Manifest::parse_with`] and [`pack`]
//! also resolve the `$NAME`s of a source manifest through a [`HardwareDefinition`]; they are for host
//! tools. What a manifest grants is a [`policy::Grant`], which borrows from the [`Manifest`].
//!
//! ```
//! let text = br#"{
//!     "SchemaVersion": 1,
//!     "Name": "blink",
//!     "ComponentId": "25025d2c-66da-4448-bae1-ac26fcdd3627",
//!     "EntryPoint": "/bin/app",
//!     "CmdArgs": [],
//!     "Capabilities": { "Gpio": [ 8, 99 ] }
//! }"#;
//! let error = manifest::Manifest::parse(text).unwrap_err();
//! assert_eq!(error.code(), policy::DeviceError::PERIPHERAL_UNDEFINED_GPIO_IN_MANIFEST);
//! assert_eq!(
//!     error.to_string(),
//!     "line 7, column 36, Capabilities.Gpio[1]: the chip has no pin 99 for apps: \
//!      use 0 to 23, 26 to 48, 56 to 75 or 80; device error 5.3 (5242883)"
//! );
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod capabilities;
mod document;
mod error;
mod hardware;
mod hardware_error;
mod host_name;
mod manifest;
mod pack;
mod warning;
mod words;

pub use document::{MAX_DEPTH, MAX_ENTRIES, MAX_SIZE};
pub use error::{Location, ManifestError, Problem};
pub use hardware::{
    HardwareDefinition, MAX_HARDWARE_ENTRIES, MAX_HARDWARE_FILE_SIZE, MAX_HARDWARE_FILES,
};
pub use hardware_error::{HardwareError, NameError};
pub use host_name::{MAX_HOST_LENGTH, MAX_LABEL_LENGTH};
pub use manifest::{MAX_ENTRY_POINT_LENGTH, MAX_LIST_LENGTH, Manifest, PORTS, SCHEMA_VERSION};
pub use pack::pack;
pub use policy::check_install;
pub use warning::{PACKAGE_NAME_LENGTH, Warning, warnings};
pub use words::grant_in_words;
