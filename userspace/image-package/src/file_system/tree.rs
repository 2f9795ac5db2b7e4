// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Reads and checks a whole file system, so that the kernel can mount the same bytes afterwards.
//!
//! The kernel trusts offsets and sizes of a mounted image. Here every one is checked: each table and each
//! file lies inside the file system and shares no byte (files: no page) with another, which also excludes
//! loops; names are plain and rise; there are only directories and regular files of user 0 and group 0.

use std::io::{Read, Seek};
use std::ops::Range;

use super::check_name;
use super::error::FileSystemError;
use super::inode::Inode;
use super::superblock::{CRC_OFFSET, SUPERBLOCK_SIZE, Superblock};
use crate::crc32::Crc32;
use crate::error::PackageError;
use crate::fields::Fields;
use crate::limits::{
    MAXIMUM_DEPTH, MAXIMUM_INODES, MAXIMUM_PATH_LENGTH, MAXIMUM_TABLE_BYTES, PAGE_SIZE,
};
use crate::trailer::read_at;

/// Bytes read at a time for the checksum.
const BUFFER_SIZE: usize = 4096;

/// One file or directory.
#[derive(Clone, Debug)]
struct Node {
    name: Box<str>,
    /// Position of the directory that it is in; the root is in itself.
    parent: usize,
    /// Directories above it: 0 for the root.
    depth: usize,
    /// Bytes of its path.
    path_length: usize,
    inode: Inode,
    /// Positions of the entries of a directory, in the order of their names.
    children: Range<usize>,
}

/// All files and directories, those of one directory side by side, the root first.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// Bytes of the file system.
    size: u32,
}

/// A file or directory of a package, other than the root.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    tree: &'a Tree,
    node: &'a Node,
}

impl Entry<'_> {
    /// The path from the root, without a leading slash: `bin/app`.
    #[must_use]
    pub fn path(&self) -> String {
        self.tree.path(self.node)
    }

    /// The last part of the path.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.node.name
    }

    /// The POSIX mode as stored, with file type and sticky bit: `0o101755`.
    #[must_use]
    pub fn mode(&self) -> u16 {
        self.node.inode.mode.0
    }

    /// Whether it is a directory; else it is a regular file.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.node.inode.mode.is_directory()
    }

    /// Whether it is a file that can be executed.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        !self.is_directory() && self.node.inode.mode.is_executable()
    }

    /// Bytes of the file, or of the directory's table.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.node.inode.size
    }

    /// Where the data begins in the package, in bytes; without a meaning when the size is 0.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.node.inode.offset
    }
}

/// The parts of a file system that are in use, in the order of their offsets and without an overlap.
#[derive(Debug)]
struct Claims {
    end: u32,
    ranges: Vec<Range<u32>>,
}

/// Why a part cannot be claimed.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    OutOfBounds,
    Overlap,
}

impl Claims {
    /// Claims `size` bytes at `offset`, and the rest of the last unit of `unit` bytes, a power of two.
    fn claim(&mut self, offset: u32, size: u32, unit: u32) -> Result<(), Refusal> {
        let end = offset
            .checked_add(size)
            .and_then(|end| end.checked_next_multiple_of(unit))
            .filter(|&end| end <= self.end)
            .ok_or(Refusal::OutOfBounds)?;
        let position = self.ranges.partition_point(|range| range.start < offset);
        let (before, after) = self.ranges.split_at(position);
        if before.last().is_some_and(|range| range.end > offset)
            || after.first().is_some_and(|range| range.start < end)
        {
            return Err(Refusal::Overlap);
        }
        self.ranges.insert(position, offset..end);
        Ok(())
    }
}

impl Tree {
    /// Reads the file system in the first `available` bytes; file contents are read for the checksum only.
    pub(crate) fn read<R: Read + Seek>(
        reader: &mut R,
        available: u64,
    ) -> Result<Self, PackageError> {
        let mut bytes = [0; SUPERBLOCK_SIZE as usize];
        if available < u64::from(SUPERBLOCK_SIZE) {
            return Err(FileSystemError::Superblock { field: "length" }.into());
        }
        read_at(reader, 0, &mut bytes, "the superblock")?;
        let superblock = Superblock::read(&bytes)?;
        let size = superblock.size;
        if u64::from(size) != available || size % PAGE_SIZE != 0 {
            return Err(FileSystemError::Size {
                size,
                actual: available,
            }
            .into());
        }
        check_root(&superblock.root)?;
        let mut tree = Self {
            nodes: Vec::new(),
            size,
        };
        tree.nodes.push(Node {
            name: Box::default(),
            parent: 0,
            depth: 0,
            path_length: 0,
            inode: superblock.root,
            children: 0..0,
        });
        tree.read_directories(reader)?;
        if usize::try_from(superblock.inodes) != Ok(tree.nodes.len()) {
            let (stored, found) = (superblock.inodes, tree.nodes.len());
            return Err(FileSystemError::InodeCount { stored, found }.into());
        }
        let computed = checksum(reader, size)?;
        if computed != superblock.crc {
            return Err(FileSystemError::Checksum {
                stored: superblock.crc,
                computed,
            }
            .into());
        }
        Ok(tree)
    }

    /// Bytes of the file system.
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// All entries but the root, a directory before what is in it.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.nodes
            .iter()
            .skip(1)
            .map(|node| Entry { tree: self, node })
    }

    /// The entry with a path; a leading slash is ignored.
    pub(crate) fn find(&self, path: &str) -> Option<Entry<'_>> {
        let mut node = self.nodes.first()?;
        for name in path.strip_prefix('/').unwrap_or(path).split('/') {
            let children = self.nodes.get(node.children.clone())?;
            let position = children
                .binary_search_by(|child| (*child.name).cmp(name))
                .ok()?;
            node = children.get(position)?;
        }
        Some(Entry { tree: self, node })
    }

    /// The path of a node; `/` for the root.
    fn path(&self, node: &Node) -> String {
        let mut names = Vec::with_capacity(node.depth);
        let mut current = Some(node);
        while let Some(node) = current.filter(|node| node.depth > 0) {
            names.push(&*node.name);
            current = self.nodes.get(node.parent);
        }
        if names.is_empty() {
            return "/".to_owned();
        }
        names.reverse();
        names.join("/")
    }

    /// Reads the tables of all directories, level by level.
    fn read_directories<R: Read + Seek>(&mut self, reader: &mut R) -> Result<(), PackageError> {
        let mut claims = Claims {
            end: self.size,
            ranges: Vec::new(),
        };
        if claims.claim(0, SUPERBLOCK_SIZE, 1).is_err() {
            return Err(FileSystemError::Superblock { field: "size" }.into());
        }
        let mut table_bytes: u32 = 0;
        let mut position = 0;
        while let Some(node) = self.nodes.get(position) {
            self.claim(&mut claims, node)?;
            let Inode {
                mode, size, offset, ..
            } = node.inode;
            if mode.is_directory() && size > 0 {
                table_bytes = table_bytes.saturating_add(size);
                if table_bytes > MAXIMUM_TABLE_BYTES {
                    return Err(FileSystemError::TablesTooLarge.into());
                }
                let length = usize::try_from(size).map_err(|_| FileSystemError::TablesTooLarge)?;
                let mut table = vec![0; length];
                read_at(reader, u64::from(offset), &mut table, "a directory")?;
                self.read_table(position, &table)?;
            }
            position += 1;
        }
        Ok(())
    }

    /// Claims the table of a directory or the pages of a file; empty ones have no data.
    fn claim(&self, claims: &mut Claims, node: &Node) -> Result<(), FileSystemError> {
        let Inode {
            mode, offset, size, ..
        } = node.inode;
        if size == 0 {
            return Ok(());
        }
        let unit = if mode.is_directory() { 1 } else { PAGE_SIZE };
        if offset % unit != 0 {
            return Err(FileSystemError::Alignment {
                path: self.path(node),
                offset,
            });
        }
        claims.claim(offset, size, unit).map_err(|refusal| {
            let path = self.path(node);
            match refusal {
                Refusal::OutOfBounds => FileSystemError::OutOfBounds { path, offset, size },
                Refusal::Overlap => FileSystemError::Overlap { path, offset, size },
            }
        })
    }

    /// Adds the entries of the directory at a position.
    fn read_table(&mut self, parent: usize, table: &[u8]) -> Result<(), FileSystemError> {
        let first = self.nodes.len();
        let (depth, path_length) = match self.nodes.get(parent) {
            Some(directory) => (directory.depth, directory.path_length),
            None => (0, 0),
        };
        let mut fields = Fields::new(table);
        while !fields.remaining().is_empty() {
            let path = || {
                self.nodes
                    .get(parent)
                    .map(|node| self.path(node))
                    .unwrap_or_default()
            };
            let cut_off = || FileSystemError::Table { path: path() };
            let inode = Inode::read(&mut fields).ok_or_else(cut_off)?;
            let name = fields
                .take(usize::from(inode.name_length))
                .ok_or_else(cut_off)?;
            let name = unpad(name).ok_or_else(|| FileSystemError::Name { path: path() })?;
            let separator = usize::from(depth > 0);
            let path_length = path_length + separator + name.len();
            if path_length > MAXIMUM_PATH_LENGTH {
                return Err(FileSystemError::PathTooLong { path: path() });
            }
            let node = Node {
                name: name.into(),
                parent,
                depth: depth + 1,
                path_length,
                inode,
                children: 0..0,
            };
            if self.nodes.len() >= MAXIMUM_INODES {
                return Err(FileSystemError::TooManyInodes);
            }
            if node.depth > MAXIMUM_DEPTH {
                return Err(FileSystemError::TooDeep {
                    path: self.path(&node),
                });
            }
            let previous = self.nodes.get(first..).and_then(<[Node]>::last);
            if previous.is_some_and(|previous| previous.name >= node.name) {
                return Err(FileSystemError::Order {
                    path: self.path(&node),
                });
            }
            self.check_inode(&node)?;
            self.nodes.push(node);
        }
        let children = first..self.nodes.len();
        if let Some(directory) = self.nodes.get_mut(parent) {
            directory.children = children;
        }
        Ok(())
    }

    /// Checks what does not depend on other inodes.
    fn check_inode(&self, node: &Node) -> Result<(), FileSystemError> {
        let Inode {
            mode, user, group, ..
        } = node.inode;
        let path = || self.path(node);
        if !mode.is_directory() && !mode.is_regular() {
            return Err(FileSystemError::FileType {
                path: path(),
                mode: mode.0,
            });
        }
        if mode.has_set_id() || (mode.is_directory() && mode.is_sticky()) {
            return Err(FileSystemError::ModeBits {
                path: path(),
                mode: mode.0,
            });
        }
        if mode.is_regular() && !mode.is_sticky() {
            return Err(FileSystemError::NotInPlace {
                path: path(),
                mode: mode.0,
            });
        }
        if user != 0 || group != 0 {
            return Err(FileSystemError::Owner {
                path: path(),
                user,
                group,
            });
        }
        Ok(())
    }
}

/// Checks the root inode: like any directory, without a name, and in its only place.
fn check_root(root: &Inode) -> Result<(), FileSystemError> {
    let Inode {
        mode,
        user,
        group,
        name_length,
        offset,
        ..
    } = *root;
    let wrong = |field| Err(FileSystemError::Root { field });
    if !mode.is_directory() || mode.has_set_id() || mode.is_sticky() {
        return wrong("mode");
    }
    if user != 0 || group != 0 {
        return wrong("owner");
    }
    if name_length != 0 {
        return wrong("name length");
    }
    if offset != SUPERBLOCK_SIZE {
        return wrong("offset");
    }
    Ok(())
}

/// The name in a padded field, if it is an allowed one and padded by less than a word.
///
/// The kernel finds a file only if its padding is the shortest possible.
fn unpad(field: &[u8]) -> Option<&str> {
    let length = field
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(field.len());
    let (name, padding) = field.split_at_checked(length)?;
    let name = std::str::from_utf8(name).ok()?;
    let padded_well = padding.len() < 4 && padding.iter().all(|&byte| byte == 0);
    (padded_well && check_name(name)).then_some(name)
}

/// The CRC-32 of the first `size` bytes, with those of the checksum itself taken as zero.
fn checksum<R: Read + Seek>(reader: &mut R, size: u32) -> Result<u32, PackageError> {
    let mut crc = Crc32::new();
    let mut buffer = [0; BUFFER_SIZE];
    let mut offset: u64 = 0;
    while offset < u64::from(size) {
        // The size is a multiple of the buffer's, so the last read is a whole one too.
        read_at(reader, offset, &mut buffer, "the file system")?;
        if offset == 0 {
            buffer
                .iter_mut()
                .skip(CRC_OFFSET)
                .take(4)
                .for_each(|byte| *byte = 0);
        }
        crc.update(&buffer);
        offset = offset.saturating_add(BUFFER_SIZE as u64);
    }
    Ok(crc.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_side_by_side_are_allowed_in_any_order() {
        let mut claims = Claims {
            end: 12288,
            ranges: Vec::new(),
        };
        assert_eq!(claims.claim(8192, 1, 4096), Ok(()));
        assert_eq!(claims.claim(0, 76, 1), Ok(()));
        assert_eq!(claims.claim(4096, 4096, 4096), Ok(()));
        assert_eq!(claims.claim(76, 4020, 1), Ok(()));
    }

    #[test]
    fn claims_that_overlap_or_reach_out_are_refused() {
        let mut claims = Claims {
            end: 12288,
            ranges: Vec::new(),
        };
        assert_eq!(claims.claim(100, 50, 1), Ok(()));
        for (offset, size) in [(100, 50), (90, 11), (149, 10), (110, 10), (50, 200)] {
            assert_eq!(
                claims.claim(offset, size, 1),
                Err(Refusal::Overlap),
                "{offset}+{size}"
            );
        }
        assert_eq!(claims.claim(8192, 4097, 4096), Err(Refusal::OutOfBounds));
        assert_eq!(claims.claim(12288, 1, 1), Err(Refusal::OutOfBounds));
        assert_eq!(
            claims.claim(u32::MAX, u32::MAX, 4096),
            Err(Refusal::OutOfBounds)
        );
        assert_eq!(claims.claim(8192, 4096, 4096), Ok(()));
    }

    #[test]
    fn names_are_padded_to_the_next_word_only() {
        assert_eq!(unpad(b"bin\0"), Some("bin"));
        assert_eq!(unpad(b"four"), Some("four"));
        for field in [
            &b"bin\0\0\0\0\0"[..],
            b"",
            b"\0\0\0\0",
            b"a\0b\0",
            b"\xFF\0\0\0",
            b"..\0\0",
            b"a/b\0",
        ] {
            assert_eq!(unpad(field), None, "{field:?}");
        }
    }
}
