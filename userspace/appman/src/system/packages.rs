// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Packages as read-only file systems under `/mnt/apps`.

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use policy::ComponentId;
use sys::loop_device::LoopDevice;

use crate::machine::MachineError;
use crate::store::Content;
use crate::system::mounts::app_mount;

/// The file system of packages; the kernel's cramfs is patched to take them.
const FILE_SYSTEM: &str = "cramfs";

/// What a package may be used for: executing what is in it, and nothing else.
const FLAGS: MsFlags = MsFlags::MS_RDONLY
    .union(MsFlags::MS_NOSUID)
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::from_bits_retain(sys::mount::MS_NOSYMFOLLOW));

/// Mounts a package from the descriptor that it was verified through.
///
/// # Errors
/// When a step fails; nothing stays mounted then.
pub fn attach(component: ComponentId, content: &Content) -> Result<(), MachineError> {
    let target = app_mount(component);
    let device = LoopDevice::attach(&content.file, 0, content.file_system_size)
        .map_err(|errno| failed("attach the package to a loop device", errno))?;
    match fs::create_dir(&target) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("make the mount point", errno_of(&error)));
        }
        _ => {}
    }
    // The loop device clears itself after its last user, so dropping it undoes it unless it is mounted.
    let path = device.path();
    mount(Some(path), &target, Some(FILE_SYSTEM), FLAGS, None::<&str>).map_err(|errno| {
        remove_mount_point(&target);
        failed("mount the package", errno)
    })
}

/// Unmounts a package.
///
/// # Errors
/// When it is still in use; it then vanishes with its last user.
pub fn detach(component: ComponentId) -> Result<(), MachineError> {
    let target = app_mount(component);
    let unmounted = umount2(&target, MntFlags::UMOUNT_NOFOLLOW).or_else(|errno| {
        umount2(&target, MntFlags::UMOUNT_NOFOLLOW | MntFlags::MNT_DETACH)?;
        Err(errno)
    });
    remove_mount_point(&target);
    unmounted.map_err(|errno| failed("unmount the package at once", errno))
}

fn remove_mount_point(target: &Path) {
    // An empty directory that stays does no harm, and the next mount takes it.
    fs::remove_dir(target).ok();
}

fn failed(what: &str, errno: Errno) -> MachineError {
    MachineError {
        message: format!("cannot {what}: {}", errno.desc()),
        errno: errno as i32,
        lasting: true,
    }
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}
