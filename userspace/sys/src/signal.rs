// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What signals do to the process.

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::{Errno, Result};

/// What a signal does, where no handler is wanted. Both survive exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// What the kernel does by default.
    Default,
    /// Nothing.
    Ignore,
}

/// Sets what a signal does.
///
/// # Errors
///
/// `EINVAL` for `SIGKILL` and `SIGSTOP`.
pub fn set(signal: Signal, disposition: Disposition) -> Result<()> {
    let handler = match disposition {
        Disposition::Default => SigHandler::SigDfl,
        Disposition::Ignore => SigHandler::SigIgn,
    };
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler runs, neither the new one nor, from now on, the old one.
    unsafe { sigaction(signal, &action) }.map(drop)
}

/// Sets every signal that can be set, real-time signals included, to its default: handlers are gone, and what
/// the starter ignored counts again.
///
/// # Errors
///
/// None on a kernel that knows the signals up to 64.
pub fn reset_all() -> Result<()> {
    for number in 1..=64 {
        if number == libc::SIGKILL || number == libc::SIGSTOP {
            continue;
        }
        // SAFETY: a null handler is the default; no pointer is kept.
        let previous = unsafe { libc::signal(number, libc::SIG_DFL) };
        // The C library keeps the first real-time signals for itself, and nobody can have ignored them.
        if previous == libc::SIG_ERR && number < 32 {
            return Err(Errno::last());
        }
    }
    Ok(())
}
