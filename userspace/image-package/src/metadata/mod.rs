// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The metadata block: identity, signer, build, what the image needs and provides.

mod encode;
mod error;
mod parse;
mod types;

use policy::ComponentId;

pub(crate) use encode::with_signer;
pub use error::MetadataError;
pub use types::{
    Abi, AbiType, Compression, ImageType, Section, SectionId, SigningType, TemporaryFlags,
    Thumbprint,
};

/// First word of the block, the bytes "4X4M".
pub(crate) const MAGIC: u32 = 0x4D34_5834;

/// Bytes of a block without sections: magic, count, length word.
pub(crate) const MINIMUM_SIZE: u64 = 12;

/// Bytes of the name field of the DB section.
pub(crate) const NAME_FIELD_LENGTH: usize = 32;

/// The metadata of an image. Sections that an image may lack read as their empty value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// What the image is.
    pub image_type: ImageType,
    /// The component that the image is a version of.
    pub component: ComponentId,
    /// The image itself: each build has another id.
    pub image: ComponentId,
    /// The certificate of the signer.
    pub thumbprint: Thumbprint,
    /// The signature algorithm.
    pub signing_type: SigningType,
    /// When the image was built, Unix seconds UTC; 0 without a DB section.
    pub build_time: u64,
    /// The name, at most 32 bytes in the file; empty without a DB section.
    ///
    /// Bytes that are not UTF-8 and control characters are U+FFFD here, so it can be printed anywhere.
    pub name: String,
    /// Flags of a temporary image.
    pub temporary: TemporaryFlags,
    /// What the image needs.
    pub depends: Vec<Abi>,
    /// What the image provides.
    pub provides: Vec<Abi>,
    /// How the image is compressed; applications are not.
    pub compression: Option<Compression>,
    /// The security version for revocation.
    pub security_version: Option<u32>,
    /// The required flash offset in bytes.
    pub required_offset: Option<u32>,
    /// The image policy: bit 0 may be invalidated, bit 1 may be sideloaded from the normal world.
    pub policy: Option<u32>,
    /// Legacy and unknown sections in file order.
    pub others: Vec<Section>,
}
