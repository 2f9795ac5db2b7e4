// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Trying out what the kernel lets a process do to its own memory.

use core::num::NonZeroUsize;
use std::fs::File;
use std::os::unix::fs::FileExt;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use crate::{Errno, Result};

/// A page, or a part of one where pages are larger.
const PAGE: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Whether the process can make memory executable that was writable: what
/// [`crate::process::refuse_execute_gain`] forbids.
///
/// # Errors
///
/// `ENOMEM` without memory for the trial.
pub fn can_gain_execute() -> Result<bool> {
    let writable = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let page = unsafe { mmap_anonymous(None, PAGE, writable, MapFlags::MAP_PRIVATE) }?;
    let executable = ProtFlags::PROT_READ | ProtFlags::PROT_EXEC;
    // SAFETY: the page is ours alone, and nothing refers to it.
    let gained = unsafe { mprotect(page, PAGE.get(), executable) };
    // SAFETY: as above.
    unsafe { munmap(page, PAGE.get()) }?;
    match gained {
        Ok(()) => Ok(true),
        Err(Errno::EACCES | Errno::EPERM) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the process can write to its read-only memory through `/proc/self/mem`: the way around every rule
/// on memory that `PROC_MEM_NO_FORCE` (or `proc_mem.force_override=never`) closes.
///
/// # Errors
///
/// `ENOMEM` without memory for the trial; the error of opening the file, `EROFS` where `/proc` is read-only.
pub fn can_force_writes() -> Result<bool> {
    let file = File::options()
        .write(true)
        .open("/proc/self/mem")
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let page = unsafe { mmap_anonymous(None, PAGE, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE) }?;
    let written = file.write_at(&[1], page.addr().get() as u64);
    // SAFETY: the page is ours alone, and nothing refers to it.
    unsafe { munmap(page, PAGE.get()) }?;
    Ok(matches!(written, Ok(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unrestricted_process_can_gain_execute() {
        assert_eq!(can_gain_execute(), Ok(true));
    }

    #[test]
    fn forced_writes_can_be_tried() {
        // The answer is the host's: both are right.
        can_force_writes().unwrap();
    }
}
