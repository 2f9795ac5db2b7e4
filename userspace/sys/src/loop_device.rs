// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Loop devices: a part of a file as a read-only block device (`linux/loop.h`).

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use crate::{Errno, Result, bits, zeroed};

/// `LO_FLAGS_READ_ONLY`.
const READ_ONLY: u32 = 1;
/// `LO_FLAGS_AUTOCLEAR`: the device lets go of the file when its last user does.
const AUTOCLEAR: u32 = 4;
/// How often another free device is asked for when someone else was faster.
const ATTEMPTS: usize = 8;

/// `struct loop_info64`.
#[repr(C)]
struct Information {
    device: u64,
    inode: u64,
    real_device: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`.
#[repr(C)]
struct Configuration {
    descriptor: u32,
    block_size: u32,
    information: Information,
    reserved: [u64; 8],
}

// The kernel copies this many bytes, whatever we think.
const _: () = assert!(size_of::<Configuration>() == 304);

mod request {
    //! The requests of the kernel's interface.
    nix::ioctl_none_bad!(get_free, 0x4C82);
    nix::ioctl_none_bad!(clear, 0x4C01);
    nix::ioctl_write_ptr_bad!(configure, 0x4C0A, super::Configuration);
}

/// A loop device with a file behind it.
///
/// While the value lives the device does; once it is mounted the value can be dropped, and the device goes
/// with the mount.
#[derive(Debug)]
pub struct LoopDevice {
    node: OwnedFd,
    path: PathBuf,
}

impl LoopDevice {
    /// Shows `length` bytes of a file from `offset` on as a read-only block device that clears itself after
    /// its last user. `offset` is a multiple of 512; the device is as many whole blocks of 512 bytes long as
    /// fit into `length`.
    ///
    /// # Errors
    ///
    /// `ENOENT` without `/dev/loop-control` or the node of the free device; `EBUSY` when every free device
    /// was taken by someone else; `EINVAL` for a length of 0 or an offset that is no multiple of 512;
    /// `EACCES` without the right to the nodes.
    pub fn attach<F: AsFd>(file: F, offset: u64, length: u64) -> Result<Self> {
        // A limit of 0 would mean the whole file.
        if length == 0 || !offset.is_multiple_of(512) {
            return Err(Errno::EINVAL);
        }
        let control = open(
            "/dev/loop-control",
            OFlag::O_RDWR | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        for _ in 0..ATTEMPTS {
            // SAFETY: the request has no argument.
            let number = unsafe { request::get_free(control.as_raw_fd()) }?;
            let path = PathBuf::from(format!("/dev/loop{number}"));
            let node = open(&path, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
            // SAFETY: the structure consists of numbers.
            let mut configuration: Configuration = unsafe { zeroed() };
            configuration.descriptor = bits(file.as_fd().as_raw_fd());
            configuration.information.offset = offset;
            configuration.information.size_limit = length;
            configuration.information.flags = READ_ONLY | AUTOCLEAR;
            // SAFETY: the request number belongs to this structure, which lives over the call.
            match unsafe { request::configure(node.as_raw_fd(), &raw const configuration) } {
                Ok(_) => return Ok(Self { node, path }),
                Err(Errno::EBUSY) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Errno::EBUSY)
    }

    /// The device node, such as `/dev/loop0`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets go of the file now, or, when the device is in use, after its last user.
    ///
    /// # Errors
    ///
    /// `ENXIO` when it has been cleared already.
    pub fn detach(self) -> Result<()> {
        // SAFETY: the request has no argument.
        unsafe { request::clear(self.node.as_raw_fd()) }.map(drop)
    }
}
