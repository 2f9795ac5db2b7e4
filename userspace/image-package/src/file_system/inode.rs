// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The 12 bytes of an inode, which for all but the root are followed by its name.

use crate::fields::Fields;

/// Bytes of an inode without its name.
pub(crate) const INODE_SIZE: u32 = 12;

/// The bits of a mode that tell the file type.
const FILE_TYPE_MASK: u16 = 0o170_000;
/// The file type of directories.
const DIRECTORY: u16 = 0o040_000;
/// The file type of regular files.
const REGULAR: u16 = 0o100_000;
/// Set-user-id and set-group-id.
const SET_ID_BITS: u16 = 0o006_000;
/// On a regular file: stored as it is, to be executed in place.
const STICKY: u16 = 0o001_000;
/// Executable by anyone.
const EXECUTABLE_BITS: u16 = 0o000_111;

/// The mode of directories in published packages.
pub(crate) const DIRECTORY_MODE: u16 = 0o040_755;
/// The mode of files that are not executable.
pub(crate) const DATA_MODE: u16 = 0o101_644;
/// The mode of executable files.
pub(crate) const EXECUTABLE_MODE: u16 = 0o101_755;

/// A POSIX mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u16);

impl Mode {
    pub(crate) const fn is_directory(self) -> bool {
        self.0 & FILE_TYPE_MASK == DIRECTORY
    }

    pub(crate) const fn is_regular(self) -> bool {
        self.0 & FILE_TYPE_MASK == REGULAR
    }

    pub(crate) const fn is_executable(self) -> bool {
        self.0 & EXECUTABLE_BITS != 0
    }

    pub(crate) const fn has_set_id(self) -> bool {
        self.0 & SET_ID_BITS != 0
    }

    pub(crate) const fn is_sticky(self) -> bool {
        self.0 & STICKY != 0
    }
}

/// An inode as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inode {
    pub(crate) mode: Mode,
    pub(crate) user: u16,
    /// Bytes of the file or of the directory table; 24 bits.
    pub(crate) size: u32,
    pub(crate) group: u8,
    /// Bytes of the name with its padding: a multiple of 4, at most 252.
    pub(crate) name_length: u8,
    /// Where the data begins: a multiple of 4, below 2^28.
    pub(crate) offset: u32,
}

impl Inode {
    /// The next inode.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let mode = Mode(fields.u16()?);
        let user = fields.u16()?;
        let [size_low, size_middle, size_high, group] = fields.array()?;
        let word = fields.u32()?;
        let [low, ..] = word.to_le_bytes();
        Some(Self {
            mode,
            user,
            size: u32::from_le_bytes([size_low, size_middle, size_high, 0]),
            group,
            name_length: (low & 0x3F) << 2,
            offset: (word >> 6) << 2,
        })
    }

    /// The stored form; bits that do not fit into their field are dropped.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.mode.0.to_le_bytes());
        bytes.extend_from_slice(&self.user.to_le_bytes());
        let [size_low, size_middle, size_high, _] = self.size.to_le_bytes();
        bytes.extend_from_slice(&[size_low, size_middle, size_high, self.group]);
        let word = (self.offset >> 2) << 6 | u32::from(self.name_length >> 2);
        bytes.extend_from_slice(&word.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inode of `app` in the worked example of the format description.
    const APP: [u8; 12] = [0xED, 0x83, 0, 0, 0x8C, 0x2D, 0, 0, 1, 0, 2, 0];

    #[test]
    fn the_published_example_is_read_and_written() {
        let inode = Inode::read(&mut Fields::new(&APP)).unwrap();
        let expected = Inode {
            mode: Mode(EXECUTABLE_MODE),
            user: 0,
            size: 11660,
            group: 0,
            name_length: 4,
            offset: 8192,
        };
        assert_eq!(inode, expected);
        let mut written = Vec::new();
        inode.write(&mut written);
        assert_eq!(written, APP);
    }

    #[test]
    fn all_fields_reach_their_largest_values() {
        let inode = Inode::read(&mut Fields::new(&[0xFF; 12])).unwrap();
        assert_eq!(
            (inode.mode.0, inode.user, inode.group),
            (0xFFFF, 0xFFFF, 0xFF)
        );
        assert_eq!(
            (inode.size, inode.name_length, inode.offset),
            (0xFF_FFFF, 252, 0x0FFF_FFFC)
        );
        let mut written = Vec::new();
        inode.write(&mut written);
        assert_eq!(written, [0xFF; 12]);
    }

    #[test]
    fn an_inode_that_is_cut_off_is_none() {
        assert_eq!(Inode::read(&mut Fields::new(&APP[..11])), None);
    }
}
