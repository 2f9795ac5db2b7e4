// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The first 76 bytes of a file system: superblock and root inode.

use super::error::FileSystemError;
use super::inode::{INODE_SIZE, Inode};
use crate::fields::Fields;

/// The magic of cramfs.
pub(crate) const MAGIC: u32 = 0x28CD_3D45;
/// Bit 0: the checksum fields are valid (version 2); bit 1: directories are sorted.
pub(crate) const FLAGS: u32 = 3;
/// The text behind the fixed numbers.
pub(crate) const SIGNATURE: &[u8; 16] = b"Compressed ROMFS";
/// The name of the volume in published packages.
pub(crate) const NAME: &[u8; 16] = b"Compressed\0\0\0\0\0\0";
/// Where the checksum is stored.
pub(crate) const CRC_OFFSET: usize = 32;
/// Bytes of superblock and root inode.
pub(crate) const SUPERBLOCK_SIZE: u32 = 64 + INODE_SIZE;

/// The fields that have more than one permitted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Superblock {
    /// Bytes of the whole file system.
    pub(crate) size: u32,
    /// The checksum of all its bytes, those of this field taken as zero.
    pub(crate) crc: u32,
    /// Number of inodes, the root included.
    pub(crate) inodes: u32,
    /// The root directory.
    pub(crate) root: Inode,
}

impl Superblock {
    /// Reads and checks the fixed fields; edition, blocks and name have no meaning and are not looked at.
    ///
    /// Flags other than the two of applications would change how the kernel reads the rest, so they are
    /// refused, although the original kernel knows some of them.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, FileSystemError> {
        let mut fields = Fields::new(bytes);
        let error = |field| FileSystemError::Superblock { field };
        let cut_off = || error("length");
        if fields.u32().ok_or_else(cut_off)? != MAGIC {
            return Err(error("magic"));
        }
        let size = fields.u32().ok_or_else(cut_off)?;
        if fields.u32().ok_or_else(cut_off)? != FLAGS {
            return Err(error("flags field"));
        }
        if fields.u32().ok_or_else(cut_off)? != 0 {
            return Err(error("reserved field"));
        }
        if fields.array().ok_or_else(cut_off)? != *SIGNATURE {
            return Err(error("signature text"));
        }
        let crc = fields.u32().ok_or_else(cut_off)?;
        let _edition_and_blocks = fields.u64().ok_or_else(cut_off)?;
        let inodes = fields.u32().ok_or_else(cut_off)?;
        let _name: [u8; 16] = fields.array().ok_or_else(cut_off)?;
        let root = Inode::read(&mut fields).ok_or_else(cut_off)?;
        Ok(Self {
            size,
            crc,
            inodes,
            root,
        })
    }

    /// The stored form.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        for number in [MAGIC, self.size, FLAGS, 0] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(SIGNATURE);
        for number in [self.crc, 0, 0, self.inodes] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(NAME);
        self.root.write(bytes);
    }
}
