// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Finds the metadata block and the signature, which are the only parts with a fixed place: at the end.

use std::io::{Read, Seek, SeekFrom};

use crate::error::PackageError;
use crate::limits::MAXIMUM_METADATA_SIZE;
use crate::metadata::{MAGIC, MINIMUM_SIZE, Metadata, MetadataError, SigningType};

/// The two ends of a package, and what is written there.
#[derive(Clone, Debug)]
pub(crate) struct Trailer {
    /// Bytes before the metadata block: the file system of an application.
    pub(crate) image_size: u64,
    /// Bytes before the signature: all that is signed.
    pub(crate) signed_size: u64,
    /// The metadata block as it is in the file.
    pub(crate) block: Vec<u8>,
    /// The metadata.
    pub(crate) metadata: Metadata,
    /// The numbers r and s, big-endian, each half of the bytes.
    pub(crate) signature: Vec<u8>,
}

/// Reads `count` bytes at an offset.
pub(crate) fn read_at<R: Read + Seek>(
    reader: &mut R,
    offset: u64,
    buffer: &mut [u8],
    what: &'static str,
) -> Result<(), PackageError> {
    reader
        .seek(SeekFrom::Start(offset))
        .and_then(|_| reader.read_exact(buffer))
        .map_err(|source| PackageError::Read { what, source })
}

impl Trailer {
    /// Reads the trailer of a file of at most `limit` bytes.
    ///
    /// The size of the signature is written nowhere: the place of the metadata's magic tells it, 64 bytes
    /// being tried before 96.
    pub(crate) fn read<R: Read + Seek>(reader: &mut R, limit: u64) -> Result<Self, PackageError> {
        let size = reader
            .seek(SeekFrom::End(0))
            .map_err(|source| PackageError::Read {
                what: "the size",
                source,
            })?;
        if size > limit {
            return Err(PackageError::TooLarge { size, limit });
        }
        for signing_type in [SigningType::EcdsaP256, SigningType::EcdsaP384] {
            let Some(signed_size) = size.checked_sub(signing_type.signature_length()) else {
                continue;
            };
            if let Some(image_size) = find_block(reader, signed_size)? {
                return Self::read_parts(reader, image_size, signed_size, signing_type);
            }
        }
        Err(PackageError::NotAPackage)
    }

    fn read_parts<R: Read + Seek>(
        reader: &mut R,
        image_size: u64,
        signed_size: u64,
        signing_type: SigningType,
    ) -> Result<Self, PackageError> {
        let length = signed_size.saturating_sub(image_size);
        let length = usize::try_from(length)
            .ok()
            .filter(|&length| length <= MAXIMUM_METADATA_SIZE)
            .ok_or(MetadataError::TooLong { length })?;
        if !image_size.is_multiple_of(4) {
            return Err(MetadataError::Misaligned { offset: image_size }.into());
        }
        let mut block = vec![0; length];
        read_at(reader, image_size, &mut block, "the metadata")?;
        let metadata = Metadata::parse(&block)?;
        if metadata.signing_type != signing_type {
            return Err(MetadataError::SignatureLength {
                signing_type: metadata.signing_type,
                length: signing_type.signature_length(),
            }
            .into());
        }
        let mut signature = vec![0; signing_type.signature_bytes()];
        read_at(reader, signed_size, &mut signature, "the signature")?;
        Ok(Self {
            image_size,
            signed_size,
            block,
            metadata,
            signature,
        })
    }
}

/// Where the block that ends at `end` begins, when its length word leads to a magic.
fn find_block<R: Read + Seek>(reader: &mut R, end: u64) -> Result<Option<u64>, PackageError> {
    let mut word = [0; 4];
    let Some(word_offset) = end.checked_sub(4) else {
        return Ok(None);
    };
    read_at(reader, word_offset, &mut word, "the metadata length")?;
    let length = u64::from(u32::from_le_bytes(word));
    let Some(start) = end.checked_sub(length).filter(|_| length >= MINIMUM_SIZE) else {
        return Ok(None);
    };
    read_at(reader, start, &mut word, "the metadata magic")?;
    Ok((u32::from_le_bytes(word) == MAGIC).then_some(start))
}
