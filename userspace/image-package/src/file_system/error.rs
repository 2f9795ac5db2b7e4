// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Why a file system is refused.

use policy::DeviceError;

use crate::limits;

/// Why a file system is malformed. Offsets and sizes are bytes, offsets from the start of the file system.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileSystemError {
    /// There is no superblock, or a fixed field of it is wrong.
    #[error("the superblock's {field} is wrong")]
    Superblock {
        /// The field.
        field: &'static str,
    },
    /// The size in the superblock is not that of the part before the metadata, or no multiple of a page.
    #[error(
        "its size is {size} in the superblock, but {actual} bytes precede the metadata (a multiple of 4096 is needed)"
    )]
    Size {
        /// Size in the superblock.
        size: u32,
        /// Bytes before the metadata.
        actual: u64,
    },
    /// The checksum is wrong.
    #[error("its CRC-32 is {computed:08x}, but the superblock says {stored:08x}")]
    Checksum {
        /// In the superblock.
        stored: u32,
        /// Of the bytes.
        computed: u32,
    },
    /// The superblock counts another number of inodes.
    #[error("it has {found} files and directories, but the superblock says {stored}")]
    InodeCount {
        /// In the superblock.
        stored: u32,
        /// Found.
        found: usize,
    },
    /// The root is no directory, has a name or is not behind the superblock.
    #[error("the root inode's {field} is wrong")]
    Root {
        /// The field.
        field: &'static str,
    },
    /// An inode is no directory and no regular file: device nodes, FIFOs, sockets and symbolic links are refused.
    #[error("{path} has mode {mode:06o}: only directories and regular files are allowed")]
    FileType {
        /// Where.
        path: String,
        /// The mode.
        mode: u16,
    },
    /// A set-user-id or set-group-id bit, or a sticky bit on a directory.
    #[error(
        "{path} has mode {mode:06o}: set-id bits, and the sticky bit of directories, are not allowed"
    )]
    ModeBits {
        /// Where.
        path: String,
        /// The mode.
        mode: u16,
    },
    /// A regular file without the sticky bit, which marks files that are executed in place.
    #[error(
        "{path} has mode {mode:06o}: without the sticky bit the kernel takes the file for compressed"
    )]
    NotInPlace {
        /// Where.
        path: String,
        /// The mode.
        mode: u16,
    },
    /// An owner other than user 0 and group 0.
    #[error("{path} belongs to user {user} and group {group}, not to 0 and 0")]
    Owner {
        /// Where.
        path: String,
        /// The user id.
        user: u16,
        /// The group id.
        group: u8,
    },
    /// A directory table is cut off inside an entry, or no multiple of 4 bytes.
    #[error("the table of directory {path} is cut off")]
    Table {
        /// The directory.
        path: String,
    },
    /// A name is empty, `.` or `..`, no UTF-8, not padded with NUL, or has a NUL, a slash or a control character.
    #[error("directory {path} has an entry with a name that is not allowed")]
    Name {
        /// The directory.
        path: String,
    },
    /// Two names of a directory are equal or in the wrong order.
    #[error("{path} is out of order: the names of a directory must rise byte by byte")]
    Order {
        /// The second of the two.
        path: String,
    },
    /// A path is longer than [`limits::MAXIMUM_PATH_LENGTH`].
    #[error("a path in {path} is longer than {limit} bytes", limit = limits::MAXIMUM_PATH_LENGTH)]
    PathTooLong {
        /// The directory.
        path: String,
    },
    /// Directories are nested deeper than [`limits::MAXIMUM_DEPTH`].
    #[error("{path} is nested deeper than {limit} levels", limit = limits::MAXIMUM_DEPTH)]
    TooDeep {
        /// Where.
        path: String,
    },
    /// There are more inodes than [`limits::MAXIMUM_INODES`].
    #[error("there are more than {limit} files and directories", limit = limits::MAXIMUM_INODES)]
    TooManyInodes,
    /// Directory tables are longer than [`limits::MAXIMUM_TABLE_BYTES`] together.
    #[error("the directory tables have more than {limit} bytes", limit = limits::MAXIMUM_TABLE_BYTES)]
    TablesTooLarge,
    /// File data does not begin on a page.
    #[error("{path} begins at {offset}, which is no multiple of 4096")]
    Alignment {
        /// Where.
        path: String,
        /// Where its data begins.
        offset: u32,
    },
    /// Data is outside of the file system; code 7.21.
    #[error("{path} ({size} bytes at {offset}) is outside of the file system")]
    OutOfBounds {
        /// Where.
        path: String,
        /// Where its data begins.
        offset: u32,
        /// Bytes of its data.
        size: u32,
    },
    /// Data shares bytes with the superblock, another table or another file: also a directory inside itself.
    #[error("{path} ({size} bytes at {offset}) overlaps with other data")]
    Overlap {
        /// Where.
        path: String,
        /// Where its data begins.
        offset: u32,
        /// Bytes of its data.
        size: u32,
    },
}

impl FileSystemError {
    /// The device's error number.
    #[must_use]
    pub const fn code(&self) -> DeviceError {
        match self {
            Self::OutOfBounds { .. } => {
                DeviceError::IMAGE_UPDATE_XIP_ADDRESS_FOR_IMAGE_OUT_OF_BOUNDS
            }
            _ => DeviceError::REST_UPDATE_INVALID_IMAGE,
        }
    }
}
