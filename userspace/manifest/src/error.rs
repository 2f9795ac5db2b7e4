// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What can be wrong with a manifest, where, and which number the device answers.

use std::fmt;

use policy::{AppKind, Capability, DeviceError, Peripheral};

use crate::document::{MAX_DEPTH, MAX_ENTRIES, MAX_SIZE};
use crate::hardware_error::NameError;
use crate::manifest::{MAX_ENTRY_POINT_LENGTH, MAX_LIST_LENGTH, PORTS, SCHEMA_VERSION};

/// A place in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
    /// The key path, such as `Capabilities.Gpio[2]`; empty for the manifest as a whole.
    pub path: String,
}

impl fmt::Display for Location {
    /// `line 7, column 38, Capabilities.Gpio[1]`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)?;
        if self.path.is_empty() {
            return Ok(());
        }
        write!(formatter, ", {}", self.path)
    }
}

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
#[error("{location}: {problem}; device error {code}")]
pub struct ManifestError {
    code: DeviceError,
    location: Location,
    /// Boxed, so that a result is small where nothing is wrong.
    #[source]
    problem: Box<Problem>,
}

impl ManifestError {
    pub(crate) fn new(code: DeviceError, location: Location, problem: Problem) -> Self {
        Self {
            code,
            location,
            problem: Box::new(problem),
        }
    }

    /// The number that the device answers.
    #[must_use]
    pub fn code(&self) -> DeviceError {
        self.code
    }

    /// The place of the mistake; for a missing key, the object that lacks it.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The mistake.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// A mistake in a manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// More bytes than [`MAX_SIZE`].
    #[error("the manifest has {size} bytes, the limit is {MAX_SIZE}")]
    TooLarge {
        /// Size in bytes.
        size: usize,
    },
    /// Bytes that are no UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A byte order mark at the beginning.
    #[error("the text begins with a byte order mark: save it as UTF-8 without one")]
    ByteOrderMark,
    /// Text that is no JSON.
    #[error("not JSON: {message}")]
    Syntax {
        /// What the JSON reader says.
        message: String,
        /// Its error.
        #[source]
        source: serde_json::Error,
    },
    /// A comment.
    #[error("JSON has no comments: remove it")]
    Comment,
    /// Values nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A list or object longer than [`MAX_ENTRIES`].
    #[error("more than {MAX_ENTRIES} entries")]
    TooManyEntries,
    /// A key that stands twice in one object.
    #[error("the key stands twice in its object: keep one")]
    DuplicateKey,
    /// A key that must be there.
    #[error("missing: {needed} is needed")]
    Missing {
        /// What is needed.
        needed: &'static str,
    },
    /// A value of the wrong type or form.
    #[error("wrong value: {needed} is needed")]
    Wrong {
        /// What is needed.
        needed: &'static str,
    },
    /// A schema that this device does not know.
    #[error("schema version {found} is not known: use {SCHEMA_VERSION}")]
    SchemaVersion {
        /// The version in the manifest.
        found: i64,
    },
    /// A field that only the maker of the system may use.
    #[error("policy fields are not for the manifests of customers: remove it")]
    PolicyField,
    /// An entry point longer than [`MAX_ENTRY_POINT_LENGTH`].
    #[error("the entry point is longer than {MAX_ENTRY_POINT_LENGTH} bytes")]
    EntryPointTooLong,
    /// A key of `Capabilities` that is no capability.
    #[error("not a capability{}", meant.map(|meant| format!(": write {meant}")).unwrap_or_default())]
    UnknownCapability {
        /// The capability whose key differs in the case of letters only.
        meant: Option<Capability>,
    },
    /// A capability that is not for this kind of app.
    #[error("not a capability for ApplicationType {}: remove it", kind.as_str())]
    NotForKind {
        /// The kind of the app.
        kind: AppKind,
    },
    /// A list longer than [`MAX_LIST_LENGTH`].
    #[error("the list has more than {MAX_LIST_LENGTH} entries")]
    ListTooLong,
    /// An entry that stands twice in its list.
    #[error("the entry stands twice in the list: keep one")]
    DuplicateEntry,
    /// A list that must not be empty.
    #[error("the list is empty: name an entry or remove the key")]
    EmptyList,
    /// A port outside of [`PORTS`].
    #[error("port {port} is not for apps: use {} to {}", PORTS.start(), PORTS.end())]
    PortOutOfRange {
        /// The port in the manifest.
        port: i64,
    },
    /// More storage than an app can have.
    #[error(
        "{kilobytes} KB are more than the {} KB that an app can have",
        policy::grant::MAX_STORAGE_KB
    )]
    StorageTooLarge {
        /// The size in the manifest, in KiB.
        kilobytes: u64,
    },
    /// A tenant or catalogue id longer than the kernel keeps.
    #[error("the id is longer than {} bytes", policy::grant::MAX_TENANT_LENGTH)]
    TenantTooLong,
    /// A pin that the chip does not have or that is not for apps.
    #[error("the chip has no pin {number} for apps: use 0 to 23, 26 to 48, 56 to 75 or 80")]
    NoSuchPin {
        /// The number in the manifest.
        number: i64,
    },
    /// A peripheral that the chip does not have.
    #[error("the chip has no {capability} {text:?}: use {choice}")]
    NoSuchPeripheral {
        /// The list.
        capability: Capability,
        /// The entry.
        text: String,
        /// The entries that there are.
        choice: String,
    },
    /// Two peripherals that need one pin.
    #[error("{added} needs pin {pin}, which {other} also needs: keep one of them")]
    SharedPin {
        /// The peripheral that comes second.
        added: Peripheral,
        /// The peripheral that has the pin.
        other: Peripheral,
        /// The pin.
        pin: u8,
    },
    /// A `$NAME` where no hardware definition is at hand, as on the device.
    #[error("the name {name:?} is not resolved: pack the app with a hardware definition")]
    UnresolvedName {
        /// The name with its `$`.
        name: String,
    },
    /// A `$NAME` in the manifest of a real-time app.
    #[error("real-time apps cannot use names: write the value that {name:?} stands for")]
    NameInRealTimeApp {
        /// The name with its `$`.
        name: String,
    },
    /// A `$NAME` that does not lead to a peripheral.
    #[error("{0}")]
    Name(#[from] NameError),
}
