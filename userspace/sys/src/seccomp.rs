// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Installing system call filters.

use crate::{Errno, Result};

/// One instruction of a filter.
pub use libc::sock_filter as Instruction;

/// Longest filter that the kernel accepts, in instructions (`BPF_MAXINSNS`).
pub const LONGEST: usize = 4096;

/// Installs a filter on the only thread of the process; it and its children cannot take it off again.
///
/// # Errors
///
/// `EACCES` without `no_new_privs` (or `CAP_SYS_ADMIN`); `EINVAL` for a filter that is empty, longer than
/// [`LONGEST`] or malformed; `ENOMEM` when all filters together have become too long.
pub fn install(filter: &[Instruction]) -> Result<()> {
    if filter.is_empty() || filter.len() > LONGEST {
        return Err(Errno::EINVAL);
    }
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| Errno::EINVAL)?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies the instructions, of which there are as many as told, and changes nothing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0 as libc::c_uint,
            &raw const program,
        )
    };
    Errno::result(result).map(drop)
}

/// Whether the kernel knows an action, one of `libc::SECCOMP_RET_*`.
///
/// # Errors
///
/// `ENOSYS` when the kernel has no filters.
pub fn knows_action(action: u32) -> Result<bool> {
    // SAFETY: the kernel reads one number from the pointer.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_ACTION_AVAIL,
            0 as libc::c_uint,
            &raw const action,
        )
    };
    match Errno::result(result) {
        Ok(_) => Ok(true),
        Err(Errno::EOPNOTSUPP) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_actions_differ() {
        assert_eq!(knows_action(libc::SECCOMP_RET_ERRNO), Ok(true));
        assert_eq!(knows_action(0x1234_0000), Ok(false));
    }

    #[test]
    fn filters_of_wrong_length_are_refused() {
        assert_eq!(install(&[]), Err(Errno::EINVAL));
        let instruction = Instruction {
            code: 0x06,
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_ALLOW,
        };
        assert_eq!(install(&[instruction; LONGEST + 1]), Err(Errno::EINVAL));
    }
}
