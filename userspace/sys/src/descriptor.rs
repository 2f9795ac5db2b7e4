// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Closing, inheriting and bounding open descriptors.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::{Errno, Result};

/// Closes every descriptor of the process from 3 on, except those in `keep`.
///
/// For a process about to exec: whatever else in the process still owns a closed descriptor must not be used
/// or dropped any more, which is why the caller has to go on to exec or exit.
///
/// # Errors
///
/// `ENOSYS` when the kernel or a filter refuses the call; `EINVAL` for a negative descriptor.
pub fn close_all_but(keep: &mut [BorrowedFd<'_>]) -> Result<()> {
    keep.sort_unstable_by_key(AsRawFd::as_raw_fd);
    let mut first = 3u32;
    for descriptor in keep {
        let kept = u32::try_from(descriptor.as_raw_fd()).map_err(|_| Errno::EINVAL)?;
        if kept > first {
            close_range(first, kept - 1)?;
        }
        first = first.max(kept.saturating_add(1));
    }
    close_from(first)
}

/// Closes every descriptor of the process from a number on; [`close_all_but`] says when that is right.
///
/// # Errors
///
/// `ENOSYS` when the kernel or a filter refuses the call.
pub fn close_from(first: u32) -> Result<()> {
    close_range(first, u32::MAX)
}

/// Closes the descriptors from `first` to `last`, both included.
fn close_range(first: u32, last: u32) -> Result<()> {
    // SAFETY: the call takes numbers only; see `close_all_but` about owners of the descriptors.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0 as libc::c_uint) };
    Errno::result(result).map(drop)
}

/// Takes over a descriptor that the process was started with, such as a socket at a number agreed with the
/// starter, and marks it to be closed on exec. To be asked once per number.
///
/// # Errors
///
/// `EBADF` when it is not open.
pub fn take_inherited(number: RawFd) -> Result<OwnedFd> {
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    Errno::result(result)?;
    // SAFETY: it is open, and as the starter's gift nothing in this process owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Puts a copy of each descriptor at the numbers from 3 on, in order and left open on exec: the form in which
/// a started program expects its inherited descriptors. Whatever was open at these numbers is closed.
///
/// For a process about to exec, as [`close_all_but`] is. At most 8 descriptors.
///
/// # Errors
///
/// `E2BIG` for more than 8; `EMFILE` without free descriptors.
pub fn arrange_from_three(descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    /// More than any program of the system inherits.
    const MOST: usize = 8;
    if descriptors.len() > MOST {
        return Err(Errno::E2BIG);
    }
    // First out of the way of the target numbers, then into place.
    let mut moved: [Option<OwnedFd>; MOST] = [const { None }; MOST];
    for (slot, descriptor) in moved.iter_mut().zip(descriptors) {
        let above = 3 + RawFd::try_from(MOST).map_err(|_| Errno::E2BIG)?;
        // SAFETY: the descriptor is open for the time of the call.
        let result = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, above) };
        let copy = Errno::result(result)?;
        // SAFETY: the kernel has just returned the new descriptor, which nothing else owns.
        *slot = Some(unsafe { OwnedFd::from_raw_fd(copy) });
    }
    for (target, descriptor) in (3..).zip(moved.iter().flatten()) {
        // SAFETY: the source is open; the target numbers are given up by the caller.
        let result = unsafe { libc::dup2(descriptor.as_raw_fd(), target) };
        Errno::result(result)?;
    }
    Ok(())
}
