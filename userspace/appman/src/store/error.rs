// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Why the store refuses an image or fails, and the device error that says so.

use std::io;
use std::path::PathBuf;

use control::{Refusal, RefusalKind};
use image_package::PackageError;
use manifest::ManifestError;
use policy::{ComponentId, Conflict, DeviceError};

use crate::elf::ElfError;

/// Why the store refuses or fails. Nothing was changed when it does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A transfer is open already.
    #[error("another image is being transferred: wait for its end or abort it")]
    TransferOpen,
    /// No transfer is open.
    #[error("no image is being transferred: begin with its length")]
    NoTransfer,
    /// The announced length is over the limit.
    #[error("an image of {length} bytes is over the limit of {limit} bytes")]
    TooLong {
        /// Announced length in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// What came is not as long as announced.
    #[error("{announced} bytes were announced and {received} or more came: send the image again")]
    WrongLength {
        /// Announced length in bytes.
        announced: u64,
        /// What came, in bytes.
        received: u64,
    },
    /// The disk is too full for the image.
    #[error(
        "{needed} bytes are needed and {free} are free beside what is promised to installed apps: delete an app"
    )]
    NoSpace {
        /// Bytes that the image needs.
        needed: u64,
        /// Bytes that it may take.
        free: u64,
    },
    /// The disk is too full for the mutable storage that the manifest asks for.
    #[error(
        "MutableStorage asks for {asked_kb} KiB and {free_kb} KiB are left: delete an app or ask for less"
    )]
    NoStorage {
        /// What the manifest asks for, in KiB.
        asked_kb: u32,
        /// What is left, in KiB.
        free_kb: u64,
    },
    /// It is no valid image package, or none that this device trusts.
    #[error("{0}")]
    Package(#[source] PackageError),
    /// The signed metadata and the manifest name two components.
    #[error(
        "the image's metadata names component {metadata} and its manifest {manifest}: pack it again"
    )]
    Identity {
        /// Component id of the metadata.
        metadata: ComponentId,
        /// Component id of the manifest.
        manifest: ComponentId,
    },
    /// An installed package holds another component than its file name says.
    #[error(
        "the file of component {file} holds component {image}: delete the app and deploy it again"
    )]
    Misplaced {
        /// Component id of the file name.
        file: ComponentId,
        /// Component id of the image.
        image: ComponentId,
    },
    /// There is no manifest in the image.
    #[error("the image has no app_manifest.json in its root: pack it again")]
    NoManifest,
    /// The manifest is not valid.
    #[error("app_manifest.json: {0}")]
    Manifest(#[source] ManifestError),
    /// The image is flagged "under development" and the device is locked.
    #[error("the image is under development and the device has no app-development capability (11)")]
    Locked,
    /// The image needs a newer runtime.
    #[error(
        "the image needs {what} {wanted} and the device has {provided}: pack it for that API set"
    )]
    Runtime {
        /// Which runtime.
        what: &'static str,
        /// The version that the image needs.
        wanted: u32,
        /// The version that the device provides.
        provided: u32,
    },
    /// The image needs something of an unknown kind.
    #[error("the image needs an interface of the unknown kind {0}")]
    UnknownRuntime(u32),
    /// The app is of a kind that this device cannot run.
    #[error("the device cannot run an app of the type {0}: it has no {1}")]
    AppKind(&'static str, &'static str, DeviceError),
    /// The entry point is not in the image.
    #[error("EntryPoint {0} does not exist in the image")]
    NoEntryPoint(String),
    /// The entry point is a directory.
    #[error("EntryPoint {0} is not a file")]
    EntryPointNotFile(String),
    /// The entry point has no execute permission.
    #[error("EntryPoint {0} is not executable: pack it as an executable")]
    EntryPointMode(String),
    /// The entry point is not a program for this device.
    #[error("EntryPoint {path} cannot run here: {source}")]
    EntryPointProgram {
        /// The entry point.
        path: String,
        /// Why it cannot run.
        source: ElfError,
    },
    /// Another app has what this one needs alone.
    #[error("{0}: delete that app, or change one of the two manifests")]
    Conflict(#[source] Conflict),
    /// The image is of a component that is the system's own.
    #[error("component {0} is a part of the system: give the app a ComponentId of its own")]
    Reserved(ComponentId),
    /// The app is not installed.
    #[error("app {0} is not installed")]
    NotInstalled(ComponentId),
    /// The disk failed.
    #[error("cannot {what} {}: {source}", path.display())]
    Disk {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

impl StoreError {
    /// The documented device error.
    pub fn code(&self) -> DeviceError {
        match self {
            Self::TransferOpen => DeviceError::IMAGE_UPDATE_UPDATE_ALREADY_IN_PROGRESS,
            Self::NoTransfer => DeviceError::IMAGE_UPDATE_BAD_HANDLE,
            Self::TooLong { .. } => DeviceError::IMAGE_UPDATE_IMAGE_EXCEEDS_COMPONENT_SIZE_LIMIT,
            Self::WrongLength { .. } => DeviceError::IMAGE_UPDATE_IMAGE_STAGING_FAILED,
            Self::NoSpace { .. } => DeviceError::REST_APP_NOT_ENOUGH_FREE_SPACE,
            Self::NoStorage { .. } => DeviceError::PERMISSIONS_REQUESTED_SPACE_NOT_AVAILABLE,
            Self::Package(error) => error.code(),
            Self::Identity { .. } | Self::Misplaced { .. } | Self::Reserved(_) => {
                DeviceError::IMAGE_UPDATE_IMAGE_IDENTITY_INCONSISTENCY
            }
            Self::NoManifest => DeviceError::MANIFEST_NO_APP_MANIFEST,
            Self::Manifest(error) => error.code(),
            Self::Locked => DeviceError::APP_MANAGER_DEVICE_NOT_DEV_UNLOCKED,
            Self::Runtime { .. } => DeviceError::LIFETIME_INCOMPATIBLE_APPLICATION_RUNTIME,
            Self::UnknownRuntime(_) => DeviceError::IMAGE_UPDATE_INVALID_ABI_TYPE_FOUND,
            Self::AppKind(_, _, code) => *code,
            Self::NoEntryPoint(_) => DeviceError::MANIFEST_SPECIFIED_ENTRY_POINT_DOES_NOT_EXIST,
            Self::EntryPointNotFile(_) => DeviceError::MANIFEST_SPECIFIED_ENTRY_POINT_IS_NOT_A_FILE,
            Self::EntryPointMode(_) | Self::EntryPointProgram { .. } => {
                DeviceError::APP_MANAGER_FAILED_TO_EXEC_PROCESS
            }
            Self::Conflict(conflict) => conflict.code,
            Self::NotInstalled(_) => DeviceError::REST_APP_APP_NOT_PRESENT,
            Self::Disk { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                DeviceError::REST_APP_NOT_ENOUGH_FREE_SPACE
            }
            Self::Disk { .. } => DeviceError::IMAGE_UPDATE_WRITE_FAILED,
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::NoTransfer | Self::WrongLength { .. } => RefusalKind::BadRequest,
            Self::Locked => RefusalKind::Forbidden,
            Self::TransferOpen | Self::Conflict(_) | Self::NotInstalled(_) => RefusalKind::Conflict,
            _ => RefusalKind::Internal,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self {
            error: error.code(),
            kind: error.kind(),
            detail: error.to_string(),
        }
    }
}
