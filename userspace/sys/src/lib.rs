// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Typed system calls that [`nix`] and `libc` do not have, or have only as `unsafe` functions.
//!
//! This is the only crate of user space with `unsafe`. Each function does one system call (or one small,
//! inseparable group of them) and keeps no state. Failures are [`nix::errno::Errno`], as in [`nix`]; the
//! documentation of a function names the values that its callers meet.
//!
//! What `nix` already offers safely is not repeated here: `mount`, `umount2`, `pivot_root`, `setns`,
//! `unshare`, `openat2`, `statvfs`, `reboot`, `waitpid`, the identity calls, `setrlimit`, and the process
//! controls for `no_new_privs`, the dumpable flag and the parent-death signal.
#![allow(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::cast_possible_truncation
    )
)]

pub mod capability;
pub mod descriptor;
pub mod gpio;
pub mod interface;
pub mod loop_device;
pub mod lsm;
pub mod memory;
pub mod mount;
pub mod process;
pub mod real_time;
pub mod seccomp;
pub mod signal;
pub mod socket;

pub use nix::errno::Errno;

/// The result of a system call.
pub type Result<T> = core::result::Result<T, Errno>;

/// The bits of a number of C that the kernel reads as unsigned: a flag set, a signal, a descriptor.
const fn bits(value: i32) -> u32 {
    u32::from_ne_bytes(value.to_ne_bytes())
}

/// The bytes of a value of C for the kernel to fill in or read: all zero, as padding and reserved fields
/// must be.
///
/// # Safety
///
/// `T` must be a plain structure of the kernel's interface for which all bytes zero is a valid value.
const unsafe fn zeroed<T>() -> T {
    // SAFETY: the caller promises that all bytes zero is a value of the type.
    unsafe { core::mem::zeroed() }
}
