// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Area B: files, mounts and devices outside one's own package.

use std::fs::{self, File};
use std::path::Path;

use libc::{EACCES, EBADF, EFAULT, EINVAL, ENOENT, ENOSYS, EPERM, EROFS, ETXTBSY};

use super::code::program;
use crate::case::{Case, Place, absent, attack, fact, refused, twin};
use crate::raw::{self, Attempt, BAD_POINTER, call, call_with_path, number};

/// The component whose data is looked for; another probe may or may not be installed under it.
pub const OTHER: &str = "bcccaa72-f08d-4f8a-a179-7306adf7e612";

/// The cases of this area.
pub const CASES: &[Case] = &[
    attack("B02", "make_device_node", make_node, &[EPERM]),
    attack("B05", "mount", mount, &[EPERM]),
    attack("B05", "mount_second_proc", mount_proc, &[EPERM]),
    attack("B05", "umount2", unmount, &[EPERM]),
    attack("B05", "fsopen", fsopen, &[EPERM]),
    attack("B05", "open_tree", open_tree, &[EPERM]),
    attack("B05", "move_mount", move_mount, &[EPERM]),
    attack("B05", "mount_setattr", mount_setattr, &[EPERM]),
    attack("B06", "chroot", chroot, &[EPERM]),
    attack("B06", "pivot_root", pivot_root, &[EPERM]),
    absent(
        "B07",
        "open_by_handle_at",
        open_by_handle,
        &[EPERM, ENOSYS],
        &[ENOSYS],
    ),
    attack("B08", "root_of_process_1", root_of_init, &[ENOENT, EACCES]),
    attack(
        "B08",
        "working_directory_of_process_1",
        directory_of_init,
        &[ENOENT, EACCES],
    ),
    attack(
        "B08",
        "descriptors_of_process_1",
        descriptors_of_init,
        &[ENOENT, EACCES],
    ),
    twin("B08", "own_descriptors", own_descriptors),
    fact("B09", "no_descriptor_above_2_is_left_open", no_descriptors),
    fact("B09", "working_directory_is_the_package", working_directory),
    refused(
        "B10",
        "open_own_program_for_writing",
        overwrite_self,
        &[ETXTBSY, EROFS],
        &[ETXTBSY, EROFS],
    ),
    attack(
        "B11",
        "open_own_manifest_for_writing",
        overwrite_manifest,
        &[EROFS],
    ),
    attack(
        "B11",
        "create_a_file_in_the_package",
        create_in_package,
        &[EROFS],
    ),
    twin("B11", "read_own_manifest", read_manifest),
    attack("B12", "data_of_another_app", data_of_another, &[ENOENT]),
    attack(
        "B12",
        "storage_of_another_app",
        storage_of_another,
        &[ENOENT],
    ),
    attack("B16", "disk", disk, &[ENOENT]),
    attack("B16", "flash", flash, &[ENOENT]),
    attack("B16", "flash_as_disk", flash_disk, &[ENOENT]),
    absent(
        "B16",
        "physical_memory",
        physical_memory,
        &[ENOENT],
        &[ENOENT],
    ),
    twin("B16", "null_device", null_device),
    attack(
        "B17",
        "write_a_kernel_setting",
        kernel_setting,
        &[EROFS, EACCES],
    ),
    refused(
        "B17",
        "write_a_setting_that_the_security_module_seals",
        sealed_setting,
        &[EROFS, EACCES],
        &[EACCES],
    ),
    absent(
        "B17",
        "write_core_pattern",
        core_pattern,
        &[EROFS, EACCES, ENOENT],
        &[ENOENT],
    ),
    attack("B18", "sysfs", sysfs, &[ENOENT]),
    attack("B18", "securityfs", securityfs, &[ENOENT]),
    absent("B18", "debugfs", debugfs, &[ENOENT], &[ENOENT]),
    absent("B18", "tracefs", tracefs, &[ENOENT], &[ENOENT]),
];

/// Whether a call with a bad pointer or descriptor got as far as the kernel's own checks.
fn reached(result: Attempt<usize>) -> Attempt {
    match result {
        Ok(_) | Err(EFAULT | EBADF | EINVAL) => Ok(()),
        Err(number) => Err(number),
    }
}

fn make_node(place: &Place) -> Attempt {
    // /dev/kmsg, where a file may be made at all.
    let directory = place.storage.as_deref().and_then(Path::parent);
    let path = directory.unwrap_or(&place.package).join("node");
    let path =
        std::ffi::CString::new(path.into_os_string().into_encoded_bytes()).map_err(|_| EINVAL)?;
    let kind = (libc::S_IFCHR | 0o666) as usize;
    let at = libc::AT_FDCWD as usize;
    call_with_path(libc::SYS_mknodat, at, &path, [kind, 1 << 8 | 11, 0]).map(drop)
}

/// Mounts and takes it away again, so that the next attack finds what it looks for.
fn mount_and_undo(kind: &std::ffi::CStr) -> Attempt {
    raw::mount(kind, c"/mnt")?;
    raw::call_with_path_first(libc::SYS_umount2, c"/mnt", [0; 3]).map(drop)
}

fn mount(_: &Place) -> Attempt {
    mount_and_undo(c"tmpfs")
}

fn mount_proc(_: &Place) -> Attempt {
    mount_and_undo(c"proc")
}

fn unmount(_: &Place) -> Attempt {
    reached(call(libc::SYS_umount2, [BAD_POINTER, 0, 0, 0, 0, 0]))
}

fn fsopen(_: &Place) -> Attempt {
    raw::call_with_path_first(libc::SYS_fsopen, c"tmpfs", [0, 0, 0]).map(drop)
}

fn open_tree(_: &Place) -> Attempt {
    const OPEN_TREE_CLONE: usize = 1;
    let at = libc::AT_FDCWD as usize;
    call_with_path(libc::SYS_open_tree, at, c"/", [OPEN_TREE_CLONE, 0, 0]).map(drop)
}

fn move_mount(_: &Place) -> Attempt {
    reached(call(
        libc::SYS_move_mount,
        [usize::MAX, BAD_POINTER, usize::MAX, BAD_POINTER, 0, 0],
    ))
}

fn mount_setattr(_: &Place) -> Attempt {
    reached(call(
        libc::SYS_mount_setattr,
        [usize::MAX, BAD_POINTER, 0, BAD_POINTER, 32, 0],
    ))
}

fn chroot(_: &Place) -> Attempt {
    raw::call_with_path_first(libc::SYS_chroot, c"/", [0, 0, 0]).map(drop)
}

fn pivot_root(_: &Place) -> Attempt {
    reached(call(
        libc::SYS_pivot_root,
        [BAD_POINTER, BAD_POINTER, 0, 0, 0, 0],
    ))
}

fn open_by_handle(_: &Place) -> Attempt {
    reached(call(
        libc::SYS_open_by_handle_at,
        [usize::MAX, BAD_POINTER, 0, 0, 0, 0],
    ))
}

/// Lists a directory.
fn list(path: impl AsRef<Path>) -> Attempt {
    fs::read_dir(path).map(drop).map_err(|error| number(&error))
}

fn root_of_init(_: &Place) -> Attempt {
    list("/proc/1/root/")
}

fn directory_of_init(_: &Place) -> Attempt {
    list("/proc/1/cwd/")
}

fn descriptors_of_init(_: &Place) -> Attempt {
    list("/proc/1/fd")
}

fn own_descriptors(_: &Place) -> Attempt {
    list("/proc/self/fd")
}

fn no_descriptors(_: &Place) -> Attempt {
    let get = libc::F_GETFD as usize;
    for descriptor in 3..1024 {
        match call(libc::SYS_fcntl64, [descriptor, get, 0, 0, 0, 0]) {
            Err(EBADF) => {}
            Err(number) => return Err(number),
            Ok(_) => return Err(libc::EMFILE),
        }
    }
    Ok(())
}

fn working_directory(place: &Place) -> Attempt {
    let parent = place.package.parent() == Some(Path::new("/mnt/apps"));
    let same = fs::read_link("/proc/self/cwd").is_ok_and(|target| target == place.package);
    if parent && same { Ok(()) } else { Err(ENOENT) }
}

/// Opens a file for writing.
fn open_for_writing(path: impl AsRef<Path>) -> Attempt {
    File::options()
        .write(true)
        .open(path)
        .map(drop)
        .map_err(|error| number(&error))
}

/// Opens a file for reading.
fn open(path: impl AsRef<Path>) -> Attempt {
    File::open(path).map(drop).map_err(|error| number(&error))
}

fn overwrite_self(place: &Place) -> Attempt {
    open_for_writing("/proc/self/exe").and_then(|()| open_for_writing(program(place)))
}

fn overwrite_manifest(place: &Place) -> Attempt {
    open_for_writing(place.package.join("app_manifest.json"))
}

fn create_in_package(place: &Place) -> Attempt {
    File::create_new(place.package.join("created"))
        .map(drop)
        .map_err(|error| number(&error))
}

fn read_manifest(place: &Place) -> Attempt {
    fs::read(place.package.join("app_manifest.json"))
        .map(drop)
        .map_err(|error| number(&error))
}

fn data_of_another(_: &Place) -> Attempt {
    open(format!("/data/config/{OTHER}/mutable"))
}

fn storage_of_another(_: &Place) -> Attempt {
    open(format!("/mnt/config/{OTHER}/mutable"))
}

fn disk(_: &Place) -> Attempt {
    open("/dev/vda")
}

fn flash(_: &Place) -> Attempt {
    open("/dev/mtd0")
}

fn flash_disk(_: &Place) -> Attempt {
    open("/dev/mtdblock0").or_else(|_| open("/dev/mtd0ro"))
}

fn physical_memory(_: &Place) -> Attempt {
    open("/dev/mem")
}

fn null_device(_: &Place) -> Attempt {
    open_for_writing("/dev/null")
}

fn kernel_setting(_: &Place) -> Attempt {
    open_for_writing("/proc/sys/kernel/randomize_va_space")
}

fn sealed_setting(_: &Place) -> Attempt {
    open_for_writing("/proc/sys/kernel/dmesg_restrict")
}

fn core_pattern(_: &Place) -> Attempt {
    open_for_writing("/proc/sys/kernel/core_pattern")
}

fn sysfs(_: &Place) -> Attempt {
    list("/sys/kernel")
}

fn securityfs(_: &Place) -> Attempt {
    list("/sys/kernel/security")
}

fn debugfs(_: &Place) -> Attempt {
    list("/sys/kernel/debug")
}

fn tracefs(_: &Place) -> Attempt {
    list("/sys/kernel/tracing")
}
