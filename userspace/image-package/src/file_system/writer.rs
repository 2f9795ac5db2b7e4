// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Lays out a file system: all directory tables first, then each file on its own pages.
//!
//! Tables and files are placed in the order of a walk: the entries of a directory by name, and what is in a
//! subdirectory where the walk meets it. This is cramfs's order; published packages have only two files, for
//! which every sorted order is the same.

use std::collections::BTreeMap;

use super::inode::{DATA_MODE, DIRECTORY_MODE, EXECUTABLE_MODE, INODE_SIZE, Inode, Mode};
use super::superblock::{CRC_OFFSET, SUPERBLOCK_SIZE, Superblock};
use crate::crc32::Crc32;
use crate::limits::{MAXIMUM_FILE_SIZE, PAGE_SIZE};

/// The entries of a directory; a string compares byte by byte, as the format wants it.
pub(crate) type Entries = BTreeMap<String, Node>;

/// A directory or file to write; whoever makes the tree has checked names, depth and count.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Directory(Entries),
    File { bytes: Vec<u8>, executable: bool },
}

/// Bytes of a name with its padding.
fn padded_length(name: &str) -> Option<u8> {
    u8::try_from(name.len().checked_next_multiple_of(4)?).ok()
}

/// Bytes of the table of a directory.
fn table_size(entries: &Entries) -> Option<u32> {
    entries.keys().try_fold(0u32, |size, name| {
        size.checked_add(INODE_SIZE)?
            .checked_add(padded_length(name)?.into())
    })
}

/// Bytes of the table of a directory and of all below it.
fn all_tables_size(entries: &Entries) -> Option<u32> {
    entries
        .values()
        .try_fold(table_size(entries)?, |size, node| match node {
            Node::Directory(entries) => size.checked_add(all_tables_size(entries)?),
            Node::File { .. } => Some(size),
        })
}

/// A file system in the making.
struct Layout<'a> {
    /// Superblock and tables; each table is copied to its place when it is complete.
    head: Vec<u8>,
    /// The contents of files that are not empty, in the order of their places.
    files: Vec<&'a [u8]>,
    /// Where the next file begins.
    next_data: u32,
    inodes: u32,
}

impl<'a> Layout<'a> {
    /// Writes the table of a directory at an offset, those below it behind it, and places all files.
    fn write_directory(&mut self, entries: &'a Entries, offset: u32) -> Option<()> {
        let size = table_size(entries)?;
        let mut next_table = offset.checked_add(size)?;
        let mut table = Vec::new();
        for (name, node) in entries {
            let name_length = padded_length(name)?;
            let (mode, size, offset) = match node {
                Node::Directory(children) => {
                    let offset = next_table;
                    next_table = offset.checked_add(all_tables_size(children)?)?;
                    self.write_directory(children, offset)?;
                    (DIRECTORY_MODE, table_size(children)?, offset)
                }
                Node::File { bytes, executable } => {
                    let mode = if *executable {
                        EXECUTABLE_MODE
                    } else {
                        DATA_MODE
                    };
                    let (offset, size) = self.place_file(bytes)?;
                    (mode, size, offset)
                }
            };
            // An empty directory or file has no data, and its offset is 0.
            let offset = if size == 0 { 0 } else { offset };
            Inode {
                mode: Mode(mode),
                user: 0,
                size,
                group: 0,
                name_length,
                offset,
            }
            .write(&mut table);
            table.extend_from_slice(name.as_bytes());
            let padding = usize::from(name_length).checked_sub(name.len())?;
            table.extend(std::iter::repeat_n(0, padding));
            self.inodes = self.inodes.checked_add(1)?;
        }
        let offset = usize::try_from(offset).ok()?;
        self.head
            .get_mut(offset..)?
            .get_mut(..table.len())?
            .copy_from_slice(&table);
        Some(())
    }

    /// Takes the next pages for a file; returns offset and size.
    fn place_file(&mut self, bytes: &'a [u8]) -> Option<(u32, u32)> {
        let size = u32::try_from(bytes.len())
            .ok()
            .filter(|&size| size <= MAXIMUM_FILE_SIZE)?;
        let offset = self.next_data;
        self.next_data = offset
            .checked_add(size)?
            .checked_next_multiple_of(PAGE_SIZE)?;
        if size > 0 {
            self.files.push(bytes);
        }
        Some((offset, size))
    }
}

/// The whole file system; `None` if a number does not fit into its field.
pub(crate) fn write(root: &Entries) -> Option<Vec<u8>> {
    let page = usize::try_from(PAGE_SIZE).ok()?;
    let tables_end = SUPERBLOCK_SIZE.checked_add(all_tables_size(root)?)?;
    let data_start = tables_end.checked_next_multiple_of(PAGE_SIZE)?;
    let mut layout = Layout {
        head: vec![0; usize::try_from(data_start).ok()?],
        files: Vec::new(),
        next_data: data_start,
        inodes: 1,
    };
    layout.write_directory(root, SUPERBLOCK_SIZE)?;

    let root_inode = Inode {
        mode: Mode(DIRECTORY_MODE),
        user: 0,
        size: table_size(root)?,
        group: 0,
        name_length: 0,
        offset: SUPERBLOCK_SIZE,
    };
    let superblock = Superblock {
        size: layout.next_data,
        crc: 0,
        inodes: layout.inodes,
        root: root_inode,
    };
    let mut first = Vec::new();
    superblock.write(&mut first);
    let mut bytes = layout.head;
    bytes.get_mut(..first.len())?.copy_from_slice(&first);
    for file in layout.files {
        bytes.extend_from_slice(file);
        bytes.resize(bytes.len().checked_next_multiple_of(page)?, 0);
    }

    let mut crc = Crc32::new();
    crc.update(&bytes);
    let place = bytes.get_mut(CRC_OFFSET..)?.get_mut(..4)?;
    place.copy_from_slice(&crc.finish().to_le_bytes());
    Some(bytes)
}
