// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Why a metadata block is refused: the device's error category 42.

use policy::DeviceError;

use super::types::{SectionId, SigningType};

/// Why a metadata block is malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The block is longer than [`crate::limits::MAXIMUM_METADATA_SIZE`]; code 42.1.
    #[error("the block has {length} bytes, more than the {limit} that are allowed", limit = crate::limits::MAXIMUM_METADATA_SIZE)]
    TooLong {
        /// Bytes of the block.
        length: u64,
    },
    /// The block does not begin on a 4-byte boundary; code 42.1.
    #[error("the block begins at {offset}, which is no multiple of 4")]
    Misaligned {
        /// Where the block begins in the file.
        offset: u64,
    },
    /// The magic or the length word is wrong; code 42.1.
    #[error("the block's magic or length word is wrong")]
    BadFrame,
    /// A section reaches beyond the block, or there are fewer sections than counted; code 42.2.
    #[error("section {index} reaches beyond the end of the block")]
    Overflow {
        /// Position of the section from 0.
        index: u32,
    },
    /// There are bytes after the last section; code 42.1.
    #[error("{length} bytes follow the last section")]
    TrailingBytes {
        /// How many.
        length: usize,
    },
    /// A section has no data; code 42.3.
    #[error("section {id} is empty")]
    Empty {
        /// The section.
        id: SectionId,
    },
    /// A section is longer than its content; code 42.4.
    #[error("section {id} has {length} bytes, more than its content")]
    TooLarge {
        /// The section.
        id: SectionId,
        /// Its bytes.
        length: usize,
    },
    /// A section is shorter than its content; code 42.1.
    #[error("section {id} has {length} bytes, fewer than its content")]
    TooShort {
        /// The section.
        id: SectionId,
        /// Its bytes.
        length: usize,
    },
    /// A section that can be there only once is there twice; code 42.1.
    #[error("section {id} is there twice")]
    Duplicate {
        /// The section.
        id: SectionId,
    },
    /// A section that every image needs is missing; code 42.5.
    #[error("section {id} is missing")]
    Missing {
        /// The section.
        id: SectionId,
    },
    /// The reserved half of the identity's first word is not 0; code 42.1.
    #[error("the reserved field of section ID is {found}, not 0")]
    ReservedField {
        /// What is there.
        found: u16,
    },
    /// The signature algorithm is unknown; code 42.1.
    #[error("signing type {found} is unknown: 1 (ECDSA P-256) and 2 (ECDSA P-384) are supported")]
    UnknownSigningType {
        /// What is there.
        found: u32,
    },
    /// The signature in the file has not the length that its algorithm needs; code 42.1.
    #[error("the signature has {length} bytes, which {signing_type} has not")]
    SignatureLength {
        /// The algorithm that the metadata names.
        signing_type: SigningType,
        /// Bytes after the metadata.
        length: u64,
    },
}

impl MetadataError {
    /// The device's error number, of category 42.
    #[must_use]
    pub const fn code(&self) -> DeviceError {
        match self {
            Self::Overflow { .. } => DeviceError::IMAGE_METADATA_SECTION_OVERFLOWS_METADATA,
            Self::Empty { .. } => DeviceError::IMAGE_METADATA_EMPTY_SECTION,
            Self::TooLarge { .. } => DeviceError::IMAGE_METADATA_SECTION_TOO_LARGE,
            Self::Missing { .. } => DeviceError::IMAGE_METADATA_SECTION_NOT_FOUND,
            Self::TooLong { .. }
            | Self::Misaligned { .. }
            | Self::BadFrame
            | Self::TrailingBytes { .. }
            | Self::TooShort { .. }
            | Self::Duplicate { .. }
            | Self::ReservedField { .. }
            | Self::UnknownSigningType { .. }
            | Self::SignatureLength { .. } => DeviceError::IMAGE_METADATA_INVALID_METADATA,
        }
    }
}
