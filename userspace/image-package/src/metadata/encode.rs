// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Writes a metadata block, in the order of the sections in all published apps: ID, SG, DB, TP, ND.

use super::error::MetadataError;
use super::parse::Sections;
use super::types::{Abi, SectionId, SigningType, Thumbprint};
use super::{MAGIC, Metadata, NAME_FIELD_LENGTH};

/// A block in the making.
struct Block {
    bytes: Vec<u8>,
    count: u32,
}

impl Block {
    /// Adds a section; data that is too long for its length field cannot be stored.
    fn section(&mut self, id: SectionId, data: &[u8]) -> Option<()> {
        let length = u16::try_from(data.len()).ok()?;
        self.bytes.extend_from_slice(&id.0);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(data);
        self.count = self.count.checked_add(1)?;
        Some(())
    }

    /// Adds a section of 32-bit words, if there is one.
    fn words(&mut self, id: SectionId, words: Option<&[u32]>) -> Option<()> {
        match words {
            Some(words) => {
                let data: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                self.section(id, &data)
            }
            None => Some(()),
        }
    }

    /// Adds a list of interfaces, unless it is empty.
    fn abis(&mut self, id: SectionId, abis: &[Abi]) -> Option<()> {
        if abis.is_empty() {
            return Some(());
        }
        let count = u32::try_from(abis.len()).ok()?;
        let pairs = abis.iter().flat_map(|abi| [abi.version, abi.kind.0]);
        let words: Vec<u32> = std::iter::once(count).chain(pairs).collect();
        self.words(id, Some(&words))
    }
}

/// The first bytes of a name that fit into its field with a terminating NUL: 31, and no half character.
fn name_field(name: &str) -> [u8; NAME_FIELD_LENGTH] {
    let mut field = [0; NAME_FIELD_LENGTH];
    let end = (0..NAME_FIELD_LENGTH)
        .rev()
        .find(|&end| name.is_char_boundary(end));
    let kept = if name.len() < NAME_FIELD_LENGTH {
        name
    } else {
        name.get(..end.unwrap_or(0)).unwrap_or("")
    };
    for (to, from) in field.iter_mut().zip(kept.bytes()) {
        *to = from;
    }
    field
}

impl Metadata {
    /// The block, from its magic through its length word; `None` if a section is too long for the format.
    ///
    /// A name is cut after 31 bytes.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut block = Block {
            bytes: Vec::with_capacity(148),
            count: 0,
        };
        block.bytes.extend_from_slice(&MAGIC.to_le_bytes());
        block.bytes.extend_from_slice(&[0; 4]);

        let mut identity = Vec::with_capacity(36);
        identity.extend_from_slice(&u32::from(self.image_type.0).to_le_bytes());
        identity.extend_from_slice(&self.component.to_guid_bytes());
        identity.extend_from_slice(&self.image.to_guid_bytes());
        block.section(SectionId::IDENTITY, &identity)?;
        block.section(
            SectionId::SIGNATURE,
            &signature_data(self.thumbprint, self.signing_type),
        )?;
        let mut debug = Vec::with_capacity(40);
        debug.extend_from_slice(&self.build_time.to_le_bytes());
        debug.extend_from_slice(&name_field(&self.name));
        block.section(SectionId::DEBUG, &debug)?;
        let flags = [self.temporary.0];
        block.words(
            SectionId::TEMPORARY,
            (self.temporary.0 != 0).then_some(&flags),
        )?;
        block.abis(SectionId::NEEDS, &self.depends)?;
        block.abis(SectionId::PROVIDES, &self.provides)?;
        let compression = self.compression.map(|it| [it.uncompressed_size, it.method]);
        block.words(
            SectionId::COMPRESSION,
            compression.as_ref().map(<[u32; 2]>::as_slice),
        )?;
        let single = [
            (SectionId::REVOCATION, self.security_version),
            (SectionId::REQUIRED_OFFSET, self.required_offset),
            (SectionId::POLICY, self.policy),
        ];
        for (id, value) in single {
            block.words(id, value.as_ref().map(std::slice::from_ref))?;
        }
        for other in &self.others {
            block.section(other.id, &other.data)?;
        }

        let Block { mut bytes, count } = block;
        for (to, from) in bytes.iter_mut().skip(4).zip(count.to_le_bytes()) {
            *to = from;
        }
        let length = u32::try_from(bytes.len().checked_add(4)?).ok()?;
        bytes.extend_from_slice(&length.to_le_bytes());
        Some(bytes)
    }
}

/// The data of the SG section.
fn signature_data(thumbprint: Thumbprint, signing_type: SigningType) -> Vec<u8> {
    let mut data = thumbprint.0.to_vec();
    data.extend_from_slice(&signing_type.value().to_le_bytes());
    data
}

/// A copy of a block with another signer, and with every other byte as it was.
pub(crate) fn with_signer(
    block: &[u8],
    thumbprint: Thumbprint,
    signing_type: SigningType,
) -> Result<Vec<u8>, MetadataError> {
    let mut sections = Sections::new(block)?;
    let mut copy = Vec::with_capacity(block.len());
    copy.extend_from_slice(block.get(..8).unwrap_or_default());
    while let Some((id, data)) = sections.next()? {
        let signature = signature_data(thumbprint, signing_type);
        let data = if id == SectionId::SIGNATURE {
            &signature
        } else {
            data
        };
        copy.extend_from_slice(&id.0);
        copy.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_le_bytes());
        copy.extend_from_slice(data);
    }
    copy.extend_from_slice(block.last_chunk::<4>().unwrap_or(&[0; 4]));
    Ok(copy)
}
