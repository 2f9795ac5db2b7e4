// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The way to the real init on its real root file system, from a disk that is memory: what a virtual disk would bring comes
//! when this machine has time, and then no two boots count the same.

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, execve, pivot_root};
use sys::loop_device::LoopDevice;

use crate::Result;
use crate::count::{now, report};

/// The root file system of the device, as it ships.
const IMAGE: &str = "/image";
/// Where it is mounted, and, in itself, where the old root goes until it is let go.
const ROOT: &str = "/mnt";
/// Where the image lies in memory.
const DISK: &str = "/run/disk";
/// Where the manager tells which file systems are verified; not there without the module.
const VERIFIED: &str = "/sys/kernel/security/nacre/verified";

/// Becomes the real init; returns only a failure.
pub fn run() -> Result<Infallible> {
    let none = None::<&str>;
    for (kind, target) in [
        ("devtmpfs", "/dev"),
        ("sysfs", "/sys"),
        ("securityfs", "/sys/kernel/security"),
        ("tmpfs", "/run"),
    ] {
        mount(Some(kind), target, Some(kind), MsFlags::empty(), none)?;
    }
    let length = fs::copy(IMAGE, DISK)?;
    let device = LoopDevice::attach(File::open(DISK)?, 0, length)?;
    mount(
        Some(device.path()),
        ROOT,
        Some("squashfs"),
        MsFlags::MS_RDONLY,
        none,
    )?;
    drop(device);
    if Path::new(VERIFIED).exists() {
        let root = File::open(ROOT)?;
        let mut message = Vec::from(1_u32.to_le_bytes());
        message.extend(root.as_raw_fd().to_le_bytes());
        // No component: the file system is the system's.
        message.extend([0; 16]);
        OpenOptions::new()
            .write(true)
            .open(VERIFIED)?
            .write_all(&message)?;
    }
    chdir(ROOT)?;
    pivot_root(".", "mnt")?;
    chdir("/")?;
    umount2("/mnt", MntFlags::MNT_DETACH)?;
    report("stage", now()?);
    Err(
        execve(c"/sbin/init", &[c"/sbin/init"], &[c"HOME=/", c"TERM=linux"])
            .map_or_else(Into::into, |never| match never {}),
    )
}
