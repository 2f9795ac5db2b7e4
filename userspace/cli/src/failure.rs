// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Why a command failed: what, where, the next step, and the exit code.

use std::io;
use std::path::{Path, PathBuf};

use image_package::{BuildError, KeyError, PackageError, ResignError};
use manifest::{HardwareError, ManifestError};
use policy::DeviceError;
use serde_json::{Value, json};

/// Exit code: the device refused, a check failed, or a file could not be read or written.
pub const REFUSED: u8 = 1;

/// Exit code: the device cannot be reached. (2, for a wrong command line, is the parser's.)
pub const UNREACHABLE: u8 = 3;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written; what was there before is unchanged.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An image package is malformed, or not signed by a trusted key.
    #[error("{}: {source}", .path.display())]
    Package {
        /// The package.
        path: PathBuf,
        /// Why.
        source: PackageError,
    },
    /// An image package cannot be made.
    #[error("cannot pack {}: {source}", .path.display())]
    Build {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: BuildError,
    },
    /// The entry point of the manifest is not a file of the package.
    #[error("cannot pack {}: the manifest's EntryPoint {entry_point} is not {what}", .path.display())]
    EntryPoint {
        /// The directory.
        path: PathBuf,
        /// The entry point.
        entry_point: String,
        /// What it is not.
        what: &'static str,
        /// What the device would answer.
        code: DeviceError,
    },
    /// Key or certificate cannot be used.
    #[error("{}: {source}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// A manifest is refused.
    #[error("{}: {source}", .path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why and where.
        source: ManifestError,
    },
    /// A hardware definition cannot be used.
    #[error(transparent)]
    Hardware(#[from] HardwareError),
    /// A hardware definition is nowhere.
    #[error("there is no hardware definition {} here or in the given directories", .path.display())]
    NoHardware {
        /// Its name.
        path: PathBuf,
    },
    /// The device refused.
    #[error("cannot {action}: {}{}", explain(*.code), .detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Refused {
        /// What was asked of it.
        action: String,
        /// HTTP status.
        status: u16,
        /// Error number.
        code: DeviceError,
        /// The device's own line on it; Nacre devices send one.
        detail: Option<String>,
    },
    /// A text that is no refusal and no word of one.
    #[error(
        "{text:?} is no refusal of the kernel, and no hook, object, error or manifest key of one"
    )]
    Unexplained {
        /// The text.
        text: String,
    },
    /// The device's answer makes no sense.
    #[error("cannot {action}: the device answered {what}")]
    Answer {
        /// What was asked of it.
        action: String,
        /// What came.
        what: String,
    },
    /// The device cannot be reached.
    #[error("cannot reach the device at {address}: {source}")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// Why.
        source: Box<ureq::Error>,
    },
}

impl Failure {
    /// A file that cannot be read.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    /// A file that cannot be written.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }

    /// A package that is refused.
    pub fn package(path: &Path) -> impl FnOnce(PackageError) -> Self {
        let path = path.to_owned();
        move |source| Self::Package { path, source }
    }

    /// A package that cannot be made.
    pub fn build(path: &Path) -> impl FnOnce(BuildError) -> Self {
        let path = path.to_owned();
        move |source| Self::Build { path, source }
    }

    /// A key that cannot be used.
    pub fn key(path: &Path) -> impl FnOnce(KeyError) -> Self {
        let path = path.to_owned();
        move |source| Self::Key { path, source }
    }

    /// A package that cannot be signed again.
    pub fn resign(path: &Path) -> impl FnOnce(ResignError) -> Self {
        let path = path.to_owned();
        move |error| match error {
            ResignError::Key(source) => Self::Key { path, source },
            ResignError::Package(source) => Self::Package { path, source },
            other => Self::Write {
                path,
                source: io::Error::other(other),
            },
        }
    }

    /// A manifest that is refused.
    pub fn manifest(path: &Path) -> impl FnOnce(ManifestError) -> Self {
        let path = path.to_owned();
        move |source| Self::Manifest { path, source }
    }

    /// The exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable { .. } => UNREACHABLE,
            _ => REFUSED,
        }
    }

    /// The device error behind it: what the device answered, or would answer.
    #[must_use]
    pub fn code(&self) -> Option<DeviceError> {
        match self {
            Self::Package { source, .. } => Some(source.code()),
            Self::Manifest { source, .. } => Some(source.code()),
            Self::Refused { code, .. } | Self::EntryPoint { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The next step, where the message itself does not say it.
    #[must_use]
    pub fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::Refused { code, .. } => next_step_for(*code),
            Self::Package {
                source: PackageError::NotTrusted { .. },
                ..
            } => Some("name the signer's certificate with --trusted-cert"),
            Self::Package { .. } => Some("pack the app again with `nacre image-package pack`"),
            Self::EntryPoint { .. } => {
                Some("put the app's executable there, or correct EntryPoint in app_manifest.json")
            }
            Self::Unexplained { .. } => Some(
                "give a line of the kernel's log in quotes, a word of `nacre device app denials`, or --component-id ID",
            ),
            Self::NoHardware { .. } => Some("name its directory with --hardware-definitions"),
            Self::Answer { .. } => Some("check that --device is a Nacre or Azure Sphere device"),
            Self::Unreachable { source, .. } => Some(match **source {
                ureq::Error::Rustls(_) | ureq::Error::Tls(_) => {
                    "the device's certificate must be signed by the authority of --ca (NACRE_CA), for *.devices.sphere.azure.local"
                }
                ureq::Error::Io(ref error) if error.kind() == io::ErrorKind::InvalidData => {
                    "the device's certificate must be signed by the authority of --ca (NACRE_CA), for *.devices.sphere.azure.local"
                }
                _ => "check that the device runs and that --device (NACRE_DEVICE) is its address",
            }),
            _ => None,
        }
    }

    /// The error as JSON: `{"error": {"message", "code", "name", "status", "nextStep"}}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let code = self.code();
        let status = match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        };
        json!({"error": {
            "message": self.to_string(),
            "exitCode": self.exit_code(),
            "code": code.map(DeviceError::value),
            "name": code.and_then(DeviceError::name),
            "status": status,
            "nextStep": self.next_step(),
        }})
    }
}

/// A device error with its name: `7.15 (7340047) VerificationFailed`.
fn explain(code: DeviceError) -> String {
    match code.name() {
        Some(name) => format!("error {code} {name}"),
        None => format!("error {code}"),
    }
}

/// What to do about a device error.
const fn next_step_for(code: DeviceError) -> Option<&'static str> {
    Some(match code {
        DeviceError::APP_MANAGER_DEVICE_NOT_DEV_UNLOCKED
        | DeviceError::IMAGE_UPDATE_PERMISSION_DENIED => {
            "use a device with the app development capability (`nacre device status` shows it)"
        }
        DeviceError::IMAGE_UPDATE_VERIFICATION_FAILED
        | DeviceError::REST_APP_CANNOT_COMMIT_IMAGE => {
            "sign the package with a key that the device trusts: `nacre image-package sign`"
        }
        DeviceError::IMAGE_UPDATE_IMAGE_STAGING_FAILED | DeviceError::REST_UPDATE_INVALID_IMAGE => {
            "check the file with `nacre image-package verify`, or pack the app again"
        }
        DeviceError::REST_APP_NOT_ENOUGH_FREE_SPACE
        | DeviceError::IMAGE_UPDATE_FAILED_TO_FIND_FREE_SPACE => {
            "make room with `nacre device sideload delete`, or make the package smaller"
        }
        DeviceError::REST_APP_APP_NOT_PRESENT => {
            "see which apps are there with `nacre device app status`"
        }
        DeviceError::REST_INTERFACE_IS_BUSY | DeviceError::REST_APP_IS_BUSY => {
            "try again in a moment"
        }
        DeviceError::PERIPHERAL_REQUESTED_GPIO_ALREADY_IN_USE
        | DeviceError::PERIPHERAL_REQUESTED_PERIPHERAL_ALREADY_IN_USE
        | DeviceError::PERIPHERAL_GPIO_BLOCK_CONFLICT
        | DeviceError::APP_MANAGER_REQUESTED_PINS_ALREADY_USED
        | DeviceError::LIFETIME_DUPLICATE_TCP_UDP_PORT_DETECTED => {
            "delete the other app with `nacre device sideload delete`, or change the manifest"
        }
        DeviceError::LIFETIME_INCOMPATIBLE_APPLICATION_RUNTIME => {
            "pack the app with a --target-api-set that the device provides (`nacre device status` shows it)"
        }
        _ => return None,
    })
}
