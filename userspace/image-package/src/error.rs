// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Why a package is refused, and which error number the device answers with.

use std::io;
use std::path::PathBuf;

use policy::DeviceError;

use crate::file_system::FileSystemError;
use crate::metadata::{ImageType, MetadataError, Thumbprint};

/// Why a package cannot be opened, verified or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The file cannot be read; code 14.5.
    #[error("cannot read {what} of the package: {source}")]
    Read {
        /// The part that was being read.
        what: &'static str,
        /// What the reader said.
        source: io::Error,
    },
    /// The package has more bytes than the limit; code 7.19.
    #[error(
        "the package has {size} bytes, more than the {limit} that are allowed: make its files smaller"
    )]
    TooLarge {
        /// Bytes of the file.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// There is no metadata block in front of a signature at the end of the file; code 7.18.
    #[error(
        "not an image package: no metadata block before the end of the file (is the file complete?)"
    )]
    NotAPackage,
    /// The metadata block is malformed; codes 42.1 to 42.5.
    #[error("the package's metadata: {0}")]
    Metadata(#[from] MetadataError),
    /// The image is no application; code 16.2.
    #[error(
        "image type {found} cannot be opened: only applications (10) have a file system for the device to mount"
    )]
    UnsupportedImageType {
        /// The image type of the package.
        found: ImageType,
    },
    /// The image is compressed, and the device executes in place; code 16.3.
    #[error("the image is compressed: applications must be stored as they are executed")]
    Compressed,
    /// The component id is all zeros; code 7.47.
    #[error(
        "the package has no component id (it is all zeros): set ComponentId in app_manifest.json"
    )]
    NoComponentId,
    /// The file system is malformed; code 7.21 for an offset outside of it, else 16.3.
    #[error("the package's file system: {0}")]
    FileSystem(#[from] FileSystemError),
    /// No trusted key has the thumbprint (and the signature algorithm) of the package; code 7.15.
    #[error(
        "the package is signed with an unknown key: no trusted certificate has the thumbprint {thumbprint}"
    )]
    NotTrusted {
        /// The thumbprint in the metadata.
        thumbprint: Thumbprint,
    },
    /// The signature does not match the bytes; code 7.15.
    #[error(
        "the signature of the package does not match: it was changed after it was signed with {thumbprint}"
    )]
    BadSignature {
        /// The thumbprint in the metadata.
        thumbprint: Thumbprint,
    },
    /// There is no memory for the package's bytes; code 10.8.
    #[error("no memory for {bytes} bytes of the package")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
    /// The path names nothing in the package; code 16.3.
    #[error("the package has no file {path}")]
    NoSuchFile {
        /// The path asked for.
        path: String,
    },
    /// The path names a directory; code 16.3.
    #[error("{path} is a directory in the package, not a file")]
    NotAFile {
        /// The path asked for.
        path: String,
    },
    /// The file is longer than the caller reads; code 16.3.
    #[error("{path} has {size} bytes, more than the {limit} that are allowed for it")]
    FileTooLarge {
        /// Path inside the package.
        path: String,
        /// Bytes of the file.
        size: u32,
        /// Bytes allowed.
        limit: u32,
    },
    /// A file or directory cannot be written while extracting; code 14.3.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file on the host.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl PackageError {
    /// The error number that the device answers with.
    #[must_use]
    pub fn code(&self) -> DeviceError {
        match self {
            Self::Read { .. } => DeviceError::REST_APP_CANNOT_OPEN_IMAGE,
            Self::TooLarge { .. } => DeviceError::IMAGE_UPDATE_IMAGE_EXCEEDS_COMPONENT_SIZE_LIMIT,
            Self::NotAPackage => DeviceError::IMAGE_UPDATE_IMAGE_STAGING_FAILED,
            Self::Metadata(error) => error.code(),
            Self::UnsupportedImageType { .. } => DeviceError::REST_UPDATE_UNSUPPORTED_IMAGE_TYPE,
            Self::NoComponentId => DeviceError::IMAGE_UPDATE_INVALID_COMPONENT_ID,
            Self::FileSystem(error) => error.code(),
            Self::NotTrusted { .. } | Self::BadSignature { .. } => {
                DeviceError::IMAGE_UPDATE_VERIFICATION_FAILED
            }
            Self::OutOfMemory { .. } => DeviceError::REST_OUT_OF_MEMORY,
            Self::Compressed
            | Self::NoSuchFile { .. }
            | Self::NotAFile { .. }
            | Self::FileTooLarge { .. } => DeviceError::REST_UPDATE_INVALID_IMAGE,
            Self::Write { .. } => DeviceError::REST_APP_CANNOT_WRITE_IMAGE,
        }
    }
}
