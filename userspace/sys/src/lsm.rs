// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The attributes that security modules keep of a process, and which modules there are (`linux/lsm.h`).

use crate::{Errno, Result};

/// `LSM_ID_NACRE`: Nacre's module among the others.
pub const NACRE: u64 = 114;

/// Longest value of an attribute that is read or written here, in bytes.
pub const LONGEST: usize = 224;

/// More modules than a kernel has.
const MOST_MODULES: usize = 32;

// The numbers are the same on all architectures; the C library knows them on few.
const LSM_GET_SELF_ATTR: libc::c_long = 459;
const LSM_SET_SELF_ATTR: libc::c_long = 460;
const LSM_LIST_MODULES: libc::c_long = 461;

/// `LSM_FLAG_SINGLE`: the attribute of one module only.
const SINGLE: u32 = 1;

/// An attribute that a security module keeps of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Attribute {
    /// What the process is (`LSM_ATTR_CURRENT`).
    Current = 100,
    /// What it becomes when it executes a program (`LSM_ATTR_EXEC`).
    Exec = 101,
}

/// `struct lsm_ctx` of the kernel with room for a value.
#[repr(C)]
struct Context {
    id: u64,
    flags: u64,
    length: u64,
    value_length: u64,
    value: [u8; LONGEST],
}

/// Length of [`Context`] before the value.
const HEAD: usize = core::mem::offset_of!(Context, value);

impl Context {
    const fn of(module: u64) -> Self {
        Self {
            id: module,
            flags: 0,
            length: 0,
            value_length: 0,
            value: [0; LONGEST],
        }
    }
}

/// Reads an attribute of the calling process from one module.
///
/// # Errors
///
/// `EOPNOTSUPP` when there is no such module or it has no such attribute; `E2BIG` for a value longer than
/// [`LONGEST`]; `ENOSYS` from a kernel before 6.8.
pub fn self_attribute(module: u64, attribute: Attribute) -> Result<Vec<u8>> {
    let mut context = Context::of(module);
    let mut size = u32::try_from(size_of::<Context>()).map_err(|_| Errno::E2BIG)?;
    // SAFETY: the kernel writes no more than `size` bytes to the structure, and one number to the size; both
    // live over the call.
    let result = unsafe {
        libc::syscall(
            LSM_GET_SELF_ATTR,
            attribute as libc::c_uint,
            &raw mut context,
            &raw mut size,
            SINGLE,
        )
    };
    Errno::result(result)?;
    let length = usize::try_from(context.value_length).map_err(|_| Errno::E2BIG)?;
    let value = context.value.get(..length).ok_or(Errno::E2BIG)?;
    Ok(value.to_vec())
}

/// Writes an attribute of the calling process in one module.
///
/// # Errors
///
/// `EOPNOTSUPP` when there is no such module or the attribute is not written there; `E2BIG` for a value longer
/// than [`LONGEST`]; `ENOSYS` from a kernel before 6.8; and what the module refuses.
pub fn set_self_attribute(module: u64, attribute: Attribute, value: &[u8]) -> Result<()> {
    let mut context = Context::of(module);
    let room = context.value.get_mut(..value.len()).ok_or(Errno::E2BIG)?;
    room.copy_from_slice(value);
    let size = u32::try_from(HEAD + value.len()).map_err(|_| Errno::E2BIG)?;
    context.length = size.into();
    context.value_length = value.len() as u64;
    // SAFETY: the kernel reads `size` bytes of the structure, which is longer and lives over the call.
    let result = unsafe {
        libc::syscall(
            LSM_SET_SELF_ATTR,
            attribute as libc::c_uint,
            &raw const context,
            size,
            0 as libc::c_uint,
        )
    };
    Errno::result(result).map(drop)
}

/// The numbers of the modules of the running kernel, such as [`NACRE`], in the order in which it asks them.
///
/// # Errors
///
/// `ENOSYS` from a kernel before 6.8; `E2BIG` for more than 32 modules.
pub fn modules() -> Result<Vec<u64>> {
    let mut numbers = [0_u64; MOST_MODULES];
    let mut size = u32::try_from(size_of_val(&numbers)).map_err(|_| Errno::E2BIG)?;
    // SAFETY: the kernel writes no more than `size` bytes to the array, and one number to the size; both live
    // over the call.
    let result = unsafe {
        libc::syscall(
            LSM_LIST_MODULES,
            numbers.as_mut_ptr(),
            &raw mut size,
            0 as libc::c_uint,
        )
    };
    let count = usize::try_from(Errno::result(result)?).map_err(|_| Errno::E2BIG)?;
    let listed = numbers.get(..count).ok_or(Errno::E2BIG)?;
    Ok(listed.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that no module has.
    const NOBODY: u64 = u64::MAX;
    /// `LSM_ID_CAPABILITY`, which is in every kernel with modules.
    const CAPABILITY: u64 = 100;

    /// Whether the kernel of this machine has the calls; before 6.8 all of them must say that it has not.
    fn kernel_has_the_calls() -> bool {
        let release = nix::sys::utsname::uname().unwrap();
        let release = release.release().to_str().unwrap().to_owned();
        let mut numbers = release
            .split(|character: char| !character.is_ascii_digit())
            .map(|part| part.parse::<u32>().unwrap_or(0));
        (numbers.next(), numbers.next()) >= (Some(6), Some(8))
    }

    #[test]
    fn the_head_is_as_long_as_in_the_kernel() {
        assert_eq!(HEAD, 32);
        assert_eq!(size_of::<Context>(), HEAD + LONGEST);
    }

    #[test]
    fn the_module_of_every_kernel_is_listed() {
        match modules() {
            Ok(listed) => assert!(listed.contains(&CAPABILITY), "{listed:?}"),
            other => {
                assert_eq!(other, Err(Errno::ENOSYS));
                assert!(!kernel_has_the_calls());
            }
        }
    }

    #[test]
    fn a_module_that_is_not_there_keeps_no_attribute() {
        let missing = if kernel_has_the_calls() {
            Errno::EOPNOTSUPP
        } else {
            Errno::ENOSYS
        };
        for attribute in [Attribute::Current, Attribute::Exec] {
            assert_eq!(self_attribute(NOBODY, attribute), Err(missing));
            assert_eq!(set_self_attribute(NOBODY, attribute, b"app"), Err(missing));
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_refused_before_the_kernel_sees_it() {
        let long = [0; LONGEST + 1];
        assert_eq!(
            set_self_attribute(NOBODY, Attribute::Exec, &long),
            Err(Errno::E2BIG)
        );
    }
}
