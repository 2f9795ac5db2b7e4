// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The limits of the format and of this reader; a package beyond one of them is refused.

/// Size of a page in bytes: file data and the file system as a whole are aligned to it.
pub const PAGE_SIZE: u32 = 4096;

/// Largest package in bytes, signature included.
///
/// File sizes have 24 bits in the format. The device's own limit is smaller and depends on the device: pass it
/// to [`crate::ImagePackage::open_with_limit`].
pub const MAXIMUM_PACKAGE_SIZE: u64 = 16 * 1024 * 1024;

/// Largest file or directory table in bytes: the format has 24 bits for it.
pub const MAXIMUM_FILE_SIZE: u32 = (1 << 24) - 1;

/// Largest metadata block in bytes, from its magic through its length word; real apps have 148.
///
/// The format has no such limit of its own: a section can have 65,535 bytes. The choice is this reader's, so
/// that a hostile package cannot make it allocate more.
pub const MAXIMUM_METADATA_SIZE: usize = 4096;

/// Longest file name in bytes: the format counts it in words of 4 bytes, with 6 bits.
pub const MAXIMUM_NAME_LENGTH: usize = 63 * 4;

/// Longest path inside a package in bytes, without a leading slash.
///
/// The choice is this reader's; with the mount point in front, paths stay far below the kernel's 4,096.
pub const MAXIMUM_PATH_LENGTH: usize = 1023;

/// Deepest entry below the root: `bin/app` has depth 2. The choice is this reader's.
pub const MAXIMUM_DEPTH: usize = 16;

/// Most files and directories in a package, the root included. The choice is this reader's.
pub const MAXIMUM_INODES: usize = 1024;

/// Most bytes of all directory tables together. The choice is this reader's; it bounds the memory for names.
pub const MAXIMUM_TABLE_BYTES: u32 = 64 * 1024;
