// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The few operations by which the store changes the disk, one by one.
//!
//! They are behind a trait so that tests can cut the power between any two of them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::sys::statvfs::statvfs;

/// Mode of the store's directories: nobody but the manager looks into them.
const DIRECTORY_MODE: u32 = 0o700;
/// Mode of package files.
const PACKAGE_MODE: u32 = 0o400;
/// Mode of a shared file.
const SHARED_MODE: u32 = 0o666;

/// The operations that change the disk.
pub trait Disk {
    /// Makes a directory; one that exists is fine.
    ///
    /// # Errors
    /// As `mkdir`.
    fn make_directory(&mut self, path: &Path) -> io::Result<()>;

    /// Creates an empty file for reading and writing; a file of that name goes first.
    ///
    /// # Errors
    /// As `open`.
    fn create(&mut self, path: &Path) -> io::Result<File>;

    /// Appends bytes.
    ///
    /// # Errors
    /// As `write`.
    fn append(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()>;

    /// Makes the content of a file safe against power loss.
    ///
    /// # Errors
    /// As `fsync`.
    fn sync(&mut self, file: &File) -> io::Result<()>;

    /// Makes the names in a directory safe against power loss.
    ///
    /// # Errors
    /// As `fsync`.
    fn sync_directory(&mut self, path: &Path) -> io::Result<()>;

    /// Renames within the disk, in one step, over what has the new name.
    ///
    /// # Errors
    /// As `rename`.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; one that is gone is fine.
    ///
    /// # Errors
    /// As `unlink`.
    fn remove_file(&mut self, path: &Path) -> io::Result<()>;

    /// Removes a directory and what is in it; one that is gone is fine.
    ///
    /// # Errors
    /// As `unlink` and `rmdir`.
    fn remove_directory(&mut self, path: &Path) -> io::Result<()>;

    /// Lets everyone who can reach a file read and write it.
    ///
    /// # Errors
    /// As `fchmod`.
    fn share(&mut self, file: &File) -> io::Result<()>;

    /// Bytes that can still be written.
    ///
    /// # Errors
    /// As `statvfs`.
    fn free_space(&self, path: &Path) -> io::Result<u64>;
}

/// The disk of the device.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn make_directory(&mut self, path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other,
        }
    }

    fn create(&mut self, path: &Path) -> io::Result<File> {
        self.remove_file(path)?;
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(PACKAGE_MODE)
            .open(path)
    }

    fn append(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        gone_is_fine(fs::remove_file(path))
    }

    fn remove_directory(&mut self, path: &Path) -> io::Result<()> {
        gone_is_fine(fs::remove_dir_all(path))
    }

    fn share(&mut self, file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(SHARED_MODE))
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        let figures = statvfs(path)?;
        #[allow(
            clippy::useless_conversion,
            reason = "the widths depend on the machine"
        )]
        let (blocks, size) = (
            u64::from(figures.blocks_available()),
            u64::from(figures.fragment_size()),
        );
        Ok(blocks.saturating_mul(size))
    }
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
