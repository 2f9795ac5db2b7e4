// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/security/nacre/`: the files of the manager.
//!
//! Who opened a file and who uses it must both be the manager, so that neither an open file nor a confused
//! process carries the right on. A write is taken as a whole or not at all.

use kernel::{
    c_str,
    fs::LocalFile,
    lsm::Caller,
    prelude::*,
    securityfs::{
        Call,
        Directory,
        Operations, //
    },
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    },
};

use policy::{
    Access,
    Hook,
    RuleSet, //
};

use crate::{
    wire,
    Nacre, //
};

/// Makes the files.
pub(crate) fn create() -> Result {
    let directory = Directory::create(c_str!("nacre"))?;
    directory.file::<Abi>()?;
    directory.file::<Denials>()?;
    directory.file::<Development>()?;
    directory.file::<Remove>()?;
    directory.file::<Rules>()?;
    directory.file::<Verified>()?;
    directory.keep();
    Ok(())
}

/// The caller, if it is the manager, and the manager opened the file.
fn manager<'a>(call: &'a Call<'_>) -> Result<&'a Caller<Nacre>> {
    let cx = call.caller::<Nacre>().ok_or(ENODEV)?;
    cx.subject()
        .check(cx, Hook::Securityfs, Access::Administer)?;
    cx.blob(call.opener())
        .check(cx, Hook::Securityfs, Access::Administer)?;
    Ok(cx)
}

/// What the manager writes, in one piece.
fn written(call: &Call<'_>, input: UserSliceReader) -> Result<KVec<u8>> {
    if call.offset() != 0 {
        return Err(EINVAL);
    }
    let mut bytes = KVec::new();
    input.read_all(&mut bytes, GFP_KERNEL)?;
    Ok(bytes)
}

/// The version of the files and of what they take.
struct Abi;

#[vtable]
impl Operations for Abi {
    const NAME: &'static CStr = c_str!("abi");
    const MODE: u16 = 0o444;

    fn read(call: &mut Call<'_>, output: &mut UserSliceWriter) -> Result<usize> {
        call.read_from(b"1\n", output)
    }
}

/// A rule set for a component.
struct Rules;

#[vtable]
impl Operations for Rules {
    const NAME: &'static CStr = c_str!("rules");
    const MODE: u16 = 0o200;
    const MAX_WRITE: usize = RuleSet::MAX_SIZE;

    fn write(call: &mut Call<'_>, input: UserSliceReader) -> Result {
        let cx = manager(call)?;
        cx.module().install(written(call, input)?)
    }
}

/// The id of a component that is gone.
struct Remove;

#[vtable]
impl Operations for Remove {
    const NAME: &'static CStr = c_str!("remove");
    const MODE: u16 = 0o200;

    fn write(call: &mut Call<'_>, input: UserSliceReader) -> Result {
        let cx = manager(call)?;
        let component = wire::component(&written(call, input)?).ok_or(EINVAL)?;
        cx.module().remove(component)
    }
}

/// A file system that the manager has verified.
struct Verified;

#[vtable]
impl Operations for Verified {
    const NAME: &'static CStr = c_str!("verified");
    const MODE: u16 = 0o200;

    fn write(call: &mut Call<'_>, input: UserSliceReader) -> Result {
        let cx = manager(call)?;
        let mark = wire::Mark::parse(&written(call, input)?).ok_or(EINVAL)?;
        let file = LocalFile::fget(mark.descriptor)?;
        cx.module().mark(cx, file.superblock(), mark.origin)
    }
}

/// Whether apps may be traced.
struct Development;

#[vtable]
impl Operations for Development {
    const NAME: &'static CStr = c_str!("development");
    const MODE: u16 = 0o600;

    fn read(call: &mut Call<'_>, output: &mut UserSliceWriter) -> Result<usize> {
        let on = manager(call)?.module().is_development();
        call.read_from(if on { b"1\n" } else { b"0\n" }, output)
    }

    fn write(call: &mut Call<'_>, input: UserSliceReader) -> Result {
        let cx = manager(call)?;
        let on = wire::switch(&written(call, input)?).ok_or(EINVAL)?;
        cx.module().set_development(cx, on)
    }
}

/// What was refused, a line for each kind of denial.
struct Denials;

#[vtable]
impl Operations for Denials {
    const NAME: &'static CStr = c_str!("denials");
    const MODE: u16 = 0o400;

    /// Whoever reads in parts gets the parts of one state: the one at the time of the first part.
    fn read(call: &mut Call<'_>, output: &mut UserSliceWriter) -> Result<usize> {
        let module = manager(call)?.module();
        let mut snapshot = module.snapshot.lock();
        if call.offset() == 0 {
            *snapshot = module.denials()?;
        }
        call.read_from(&snapshot, output)
    }
}
