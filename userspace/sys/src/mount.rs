// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Attributes of mounts.

use nix::NixPath;

use crate::{Errno, Result};

/// What a mount forbids, whatever its file system allows (`linux/mount.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes(u64);

impl Attributes {
    /// No write.
    pub const READ_ONLY: Self = Self(libc::MOUNT_ATTR_RDONLY);
    /// Set-user-id bits and file capabilities count for nothing.
    pub const NO_SET_ID: Self = Self(libc::MOUNT_ATTR_NOSUID);
    /// Device nodes cannot be opened.
    pub const NO_DEVICES: Self = Self(libc::MOUNT_ATTR_NODEV);
    /// No program can be executed and no file mapped as executable.
    pub const NO_EXECUTE: Self = Self(libc::MOUNT_ATTR_NOEXEC);
    /// Symbolic links cannot be followed.
    pub const NO_SYMLINKS: Self = Self(libc::MOUNT_ATTR_NOSYMFOLLOW);

    /// The set with those of `other` too.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all attributes of `other` are in the set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Adds attributes to the mount that `path` is the root of; those it has already stay.
///
/// # Errors
///
/// `EINVAL` when `path` is not the root of a mount, `EBUSY` for read-only while a file is open for writing,
/// `EPERM` without `CAP_SYS_ADMIN`, `ENOENT` without the path.
pub fn restrict<P: NixPath + ?Sized>(path: &P, attributes: Attributes) -> Result<()> {
    let change = libc::mount_attr {
        attr_set: attributes.0,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let result = path.with_nix_path(|path| {
        // SAFETY: the path ends in zero, and structure and size are those of the kernel; both live over the
        // call.
        unsafe {
            libc::syscall(
                libc::SYS_mount_setattr,
                libc::AT_FDCWD,
                path.as_ptr(),
                libc::AT_SYMLINK_NOFOLLOW,
                &raw const change,
                size_of::<libc::mount_attr>(),
            )
        }
    })?;
    Errno::result(result).map(drop)
}

/// [`nix::mount::MsFlags`] lacks this flag of `mount`: symbolic links cannot be followed. Add it with
/// `MsFlags::from_bits_retain`.
pub const MS_NOSYMFOLLOW: libc::c_ulong = libc::MS_NOSYMFOLLOW;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_there_is_reported() {
        assert_eq!(
            restrict("/nonexistent", Attributes::READ_ONLY),
            Err(Errno::ENOENT)
        );
    }

    #[test]
    fn attributes_add_up() {
        let both = Attributes::READ_ONLY.with(Attributes::NO_DEVICES);
        assert!(both.contains(Attributes::READ_ONLY));
        assert!(!both.contains(Attributes::NO_EXECUTE));
    }
}
