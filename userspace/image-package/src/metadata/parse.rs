// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Reads a metadata block: first the frame of each section, then its content.

use policy::ComponentId;

use super::error::MetadataError;
use super::types::{
    Abi, AbiType, Compression, ImageType, Section, SectionId, SigningType, TemporaryFlags,
    Thumbprint,
};
use super::{MAGIC, Metadata, NAME_FIELD_LENGTH};
use crate::fields::Fields;

/// The sections of a block in file order, checked for length only.
pub(crate) struct Sections<'a> {
    fields: Fields<'a>,
    count: u32,
    index: u32,
}

impl<'a> Sections<'a> {
    /// Checks magic and length word of a block.
    pub(crate) fn new(block: &'a [u8]) -> Result<Self, MetadataError> {
        let (body, length) = block
            .split_last_chunk::<4>()
            .ok_or(MetadataError::BadFrame)?;
        if usize::try_from(u32::from_le_bytes(*length)) != Ok(block.len()) {
            return Err(MetadataError::BadFrame);
        }
        let mut fields = Fields::new(body);
        match (fields.u32(), fields.u32()) {
            (Some(MAGIC), Some(count)) => Ok(Self {
                fields,
                count,
                index: 0,
            }),
            _ => Err(MetadataError::BadFrame),
        }
    }

    /// The next section.
    pub(crate) fn next(&mut self) -> Result<Option<(SectionId, &'a [u8])>, MetadataError> {
        if self.index == self.count {
            let length = self.fields.remaining().len();
            return if length == 0 {
                Ok(None)
            } else {
                Err(MetadataError::TrailingBytes { length })
            };
        }
        let overflow = MetadataError::Overflow { index: self.index };
        let (Some(id), Some(length)) = (self.fields.array().map(SectionId), self.fields.u16())
        else {
            return Err(overflow);
        };
        let data = self.fields.take(usize::from(length)).ok_or(overflow)?;
        if data.is_empty() {
            return Err(MetadataError::Empty { id });
        }
        self.index += 1;
        Ok(Some((id, data)))
    }
}

/// The fields of one section of a known length.
struct SectionFields<'a> {
    id: SectionId,
    length: usize,
    fields: Fields<'a>,
}

impl<'a> SectionFields<'a> {
    fn new(id: SectionId, data: &'a [u8]) -> Self {
        Self {
            id,
            length: data.len(),
            fields: Fields::new(data),
        }
    }

    fn too_short(&self) -> MetadataError {
        MetadataError::TooShort {
            id: self.id,
            length: self.length,
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MetadataError> {
        self.fields.array().ok_or_else(|| self.too_short())
    }

    fn u16(&mut self) -> Result<u16, MetadataError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, MetadataError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, MetadataError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A count, and so many pairs of version and type.
    fn abis(&mut self) -> Result<Vec<Abi>, MetadataError> {
        let count = self.u32()?;
        let mut abis = Vec::new();
        for _ in 0..count {
            abis.push(Abi {
                version: self.u32()?,
                kind: AbiType(self.u32()?),
            });
        }
        Ok(abis)
    }

    fn end(self) -> Result<(), MetadataError> {
        if self.fields.remaining().is_empty() {
            Ok(())
        } else {
            Err(MetadataError::TooLarge {
                id: self.id,
                length: self.length,
            })
        }
    }
}

/// The sections read so far; one that is set a second time is a duplicate.
#[derive(Default)]
struct Parts {
    identity: Option<(ImageType, ComponentId, ComponentId)>,
    signature: Option<(Thumbprint, SigningType)>,
    debug: Option<(u64, String)>,
    temporary: Option<TemporaryFlags>,
    depends: Option<Vec<Abi>>,
    provides: Option<Vec<Abi>>,
    compression: Option<Compression>,
    security_version: Option<u32>,
    required_offset: Option<u32>,
    policy: Option<u32>,
    others: Vec<Section>,
}

/// Sets a section that is there only once.
fn set<T>(slot: &mut Option<T>, id: SectionId, value: T) -> Result<(), MetadataError> {
    if slot.is_some() {
        return Err(MetadataError::Duplicate { id });
    }
    *slot = Some(value);
    Ok(())
}

impl Parts {
    fn add(&mut self, id: SectionId, data: &[u8]) -> Result<(), MetadataError> {
        let mut fields = SectionFields::new(id, data);
        match id {
            SectionId::IDENTITY => {
                let image_type = ImageType(fields.u16()?);
                let reserved = fields.u16()?;
                if reserved != 0 {
                    return Err(MetadataError::ReservedField { found: reserved });
                }
                let component = ComponentId::from_guid_bytes(fields.array()?);
                let image = ComponentId::from_guid_bytes(fields.array()?);
                set(&mut self.identity, id, (image_type, component, image))?;
            }
            SectionId::SIGNATURE => {
                let thumbprint = Thumbprint(fields.array()?);
                let value = fields.u32()?;
                let signing_type = SigningType::from_value(value)
                    .ok_or(MetadataError::UnknownSigningType { found: value })?;
                set(&mut self.signature, id, (thumbprint, signing_type))?;
            }
            SectionId::DEBUG => {
                let build_time = fields.u64()?;
                let name: [u8; NAME_FIELD_LENGTH] = fields.array()?;
                set(&mut self.debug, id, (build_time, printable_name(&name)))?;
            }
            SectionId::TEMPORARY => {
                set(&mut self.temporary, id, TemporaryFlags(fields.u32()?))?;
            }
            SectionId::NEEDS => set(&mut self.depends, id, fields.abis()?)?,
            SectionId::PROVIDES => set(&mut self.provides, id, fields.abis()?)?,
            SectionId::COMPRESSION => {
                let compression = Compression {
                    uncompressed_size: fields.u32()?,
                    method: fields.u32()?,
                };
                set(&mut self.compression, id, compression)?;
            }
            SectionId::REVOCATION => set(&mut self.security_version, id, fields.u32()?)?,
            SectionId::REQUIRED_OFFSET => set(&mut self.required_offset, id, fields.u32()?)?,
            SectionId::POLICY => set(&mut self.policy, id, fields.u32()?)?,
            _ => {
                if id.is_known() && self.others.iter().any(|other| other.id == id) {
                    return Err(MetadataError::Duplicate { id });
                }
                self.others.push(Section {
                    id,
                    data: data.to_vec(),
                });
                return Ok(());
            }
        }
        fields.end()
    }
}

/// The text before the first NUL, with a replacement for what cannot be printed.
fn printable_name(field: &[u8]) -> String {
    let name = field.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name)
        .chars()
        .map(|character| {
            if character.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            }
        })
        .collect()
}

impl Metadata {
    /// Reads a whole block, from its magic through its length word.
    ///
    /// # Errors
    ///
    /// Each way in which a block can be malformed; nothing is read beyond its end.
    pub fn parse(block: &[u8]) -> Result<Self, MetadataError> {
        let mut sections = Sections::new(block)?;
        let mut parts = Parts::default();
        while let Some((id, data)) = sections.next()? {
            parts.add(id, data)?;
        }
        let (image_type, component, image) = parts.identity.ok_or(MetadataError::Missing {
            id: SectionId::IDENTITY,
        })?;
        let (thumbprint, signing_type) = parts.signature.ok_or(MetadataError::Missing {
            id: SectionId::SIGNATURE,
        })?;
        let (build_time, name) = parts.debug.unwrap_or_default();
        Ok(Self {
            image_type,
            component,
            image,
            thumbprint,
            signing_type,
            build_time,
            name,
            temporary: parts.temporary.unwrap_or_default(),
            depends: parts.depends.unwrap_or_default(),
            provides: parts.provides.unwrap_or_default(),
            compression: parts.compression,
            security_version: parts.security_version,
            required_offset: parts.required_offset,
            policy: parts.policy,
            others: parts.others,
        })
    }
}
