// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is mounted at boot, and with what each mount forbids.

use std::path::PathBuf;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::board::DataVolume;

/// Where the writable file system is mounted.
pub const DATA: &str = "/data";
/// Below this, each app's package is mounted.
pub const APPS: &str = "/mnt/apps";
/// Where the control groups are mounted.
pub const CGROUPS: &str = "/sys/fs/cgroup";

/// Symbolic links cannot be followed.
const NO_SYMLINKS: MsFlags = MsFlags::from_bits_retain(sys::mount::MS_NOSYMFOLLOW);
/// Neither set-id programs nor devices nor programs.
const PLAIN: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOEXEC);

/// One mount.
#[derive(Debug, Clone, Copy)]
pub struct Mount {
    source: &'static str,
    target: &'static str,
    kind: &'static str,
    flags: MsFlags,
    options: &'static str,
    needed: bool,
}

impl Mount {
    /// Whether the manager can do nothing without it.
    pub fn is_needed(&self) -> bool {
        self.needed
    }
}

/// The mounts of every board, in order. The root is a read-only squashfs and stays as the kernel mounted
/// it. `/proc` is for the manager alone: apps and the device API get one of their own, or none.
pub const BOOT_MOUNTS: &[Mount] = &[
    Mount {
        source: "proc",
        target: "/proc",
        kind: "proc",
        // Not without symbolic links: /proc/self is one.
        flags: PLAIN,
        options: "",
        needed: true,
    },
    Mount {
        source: "sysfs",
        target: "/sys",
        kind: "sysfs",
        flags: PLAIN.union(MsFlags::MS_RDONLY),
        options: "",
        needed: false,
    },
    Mount {
        source: "devtmpfs",
        target: "/dev",
        kind: "devtmpfs",
        // Device nodes are what it is for.
        flags: MsFlags::MS_NOSUID
            .union(MsFlags::MS_NOEXEC)
            .union(NO_SYMLINKS),
        options: "mode=0755",
        needed: true,
    },
    Mount {
        source: "cgroup2",
        target: CGROUPS,
        kind: "cgroup2",
        flags: PLAIN.union(NO_SYMLINKS),
        options: "",
        needed: false,
    },
    Mount {
        source: "securityfs",
        target: "/sys/kernel/security",
        kind: "securityfs",
        // Written by the manager, which tells the security module the rules; apps have no view of it.
        flags: PLAIN.union(NO_SYMLINKS),
        options: "",
        needed: false,
    },
    Mount {
        source: "tmpfs",
        target: "/run",
        kind: "tmpfs",
        flags: PLAIN.union(NO_SYMLINKS),
        options: "mode=0755,size=64k,nr_inodes=64",
        needed: true,
    },
    Mount {
        source: "tmpfs",
        target: APPS,
        kind: "tmpfs",
        flags: PLAIN.union(NO_SYMLINKS),
        options: "mode=0755,size=16k,nr_inodes=64",
        needed: true,
    },
];

/// A mount that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot mount {source_name} ({kind}) at {target}: {errno}")]
pub struct MountError {
    source_name: String,
    kind: String,
    target: &'static str,
    #[source]
    errno: Errno,
}

/// Makes one of [`BOOT_MOUNTS`].
///
/// # Errors
/// [`MountError`].
pub fn make(entry: &Mount) -> Result<(), MountError> {
    attach(
        entry.source,
        entry.target,
        entry.kind,
        entry.flags,
        entry.options,
    )
}

/// Mounts the writable file system.
///
/// # Errors
/// [`MountError`].
pub fn make_data(volume: &DataVolume) -> Result<(), MountError> {
    let flags = PLAIN.union(NO_SYMLINKS).union(MsFlags::MS_NOATIME);
    attach(&volume.source, DATA, &volume.kind, flags, "")
}

fn attach(
    source: &str,
    target: &'static str,
    kind: &str,
    flags: MsFlags,
    options: &str,
) -> Result<(), MountError> {
    let made = mount(Some(source), target, Some(kind), flags, Some(options));
    // The kernel may have mounted it before; then only what it forbids is missing.
    let made = match made {
        Err(Errno::EBUSY) => mount(
            None::<&str>,
            target,
            None::<&str>,
            flags | MsFlags::MS_REMOUNT,
            None::<&str>,
        ),
        other => other,
    };
    made.map_err(|errno| MountError {
        source_name: source.to_owned(),
        kind: kind.to_owned(),
        target,
        errno,
    })
}

/// Unmounts the writable file system; what still holds it does so in vain.
///
/// # Errors
/// The error of the last attempt.
pub fn unmount_data() -> Result<(), Errno> {
    match umount2(DATA, MntFlags::UMOUNT_NOFOLLOW) {
        Err(Errno::EINVAL) => Ok(()),
        Err(Errno::EBUSY) => mount(
            None::<&str>,
            DATA,
            None::<&str>,
            PLAIN.union(MsFlags::MS_REMOUNT).union(MsFlags::MS_RDONLY),
            None::<&str>,
        ),
        other => other,
    }
}

/// The mount point of an app's package.
pub fn app_mount(component: policy::ComponentId) -> PathBuf {
    PathBuf::from(APPS).join(component.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mount_forbids_set_id_programs_and_everything_but_dev_forbids_devices() {
        for entry in BOOT_MOUNTS {
            assert!(entry.flags.contains(MsFlags::MS_NOSUID), "{entry:?}");
            assert!(entry.flags.contains(MsFlags::MS_NOEXEC), "{entry:?}");
            let devices = !entry.flags.contains(MsFlags::MS_NODEV);
            assert_eq!(devices, entry.target == "/dev", "{entry:?}");
        }
    }

    #[test]
    fn every_writable_mount_forbids_symbolic_links() {
        for entry in BOOT_MOUNTS {
            let written = !entry.flags.contains(MsFlags::MS_RDONLY) && entry.kind != "proc";
            let forbidden = entry.flags.bits() & sys::mount::MS_NOSYMFOLLOW != 0;
            assert!(!written || forbidden, "{entry:?}");
        }
    }

    #[test]
    fn a_failed_mount_names_source_and_target() {
        let volume = DataVolume {
            source: "mtd:none".to_owned(),
            kind: "nofs".to_owned(),
        };
        let message = make_data(&volume).unwrap_err().to_string();
        assert!(message.contains("mtd:none"), "{message}");
        assert!(message.contains("/data"), "{message}");
    }
}
