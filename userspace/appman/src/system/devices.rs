// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The device nodes that every app sees, on a mount of their own.

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, makedev, mknod};

/// The directory of the nodes; apps get a read-only view of it as their `/dev`.
pub const DEVICES: &str = "/run/devices";

/// Major number of the memory devices.
const MEMORY_DEVICES: u64 = 1;

/// Name, minor number and mode. The random devices are not written: that would stir the kernel's pool.
const NODES: [(&str, u64, u32); 5] = [
    ("null", 3, 0o666),
    ("zero", 5, 0o666),
    ("full", 7, 0o666),
    ("random", 8, 0o444),
    ("urandom", 9, 0o444),
];

/// Makes the directory, mounts it and makes the nodes.
///
/// # Errors
/// The first failure.
pub fn make() -> Result<(), Errno> {
    let flags = MsFlags::MS_NOSUID
        | MsFlags::MS_NOEXEC
        | MsFlags::from_bits_retain(sys::mount::MS_NOSYMFOLLOW);
    match nix::unistd::mkdir(DEVICES, Mode::from_bits_truncate(0o755)) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(error) => return Err(error),
    }
    mount(
        Some("tmpfs"),
        DEVICES,
        Some("tmpfs"),
        flags,
        Some("mode=0755,size=4k,nr_inodes=8"),
    )?;
    for (name, minor, mode) in NODES {
        let path = format!("{DEVICES}/{name}");
        let mode = Mode::from_bits_truncate(mode);
        let device = makedev(MEMORY_DEVICES, minor);
        mknod(path.as_str(), SFlag::S_IFCHR, mode, device)?;
        // The mask of new files must not decide what apps may do.
        fchmodat(
            nix::fcntl::AT_FDCWD,
            path.as_str(),
            mode,
            FchmodatFlags::FollowSymlink,
        )?;
    }
    mount(
        None::<&str>,
        DEVICES,
        None::<&str>,
        flags | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY,
        None::<&str>,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_are_those_that_the_sandbox_expects() {
        for (name, minor, mode) in NODES {
            let known = sandbox::DEVICES.iter().find(|(other, _)| *other == name);
            assert!(minor > 2, "{name} would be a view of memory");
            assert_eq!(known.map(|(_, written)| *written), Some(mode & 0o222 != 0));
        }
        assert_eq!(NODES.len(), sandbox::DEVICES.len());
    }
}
