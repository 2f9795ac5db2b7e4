// SPDX-License-Identifier: GPL-2.0

//! Files that an app makes, and open files that it gets.

use kernel::{
    fs::LocalFile,
    lsm::{
        Caller,
        FileMode,
        FileType, //
    },
    prelude::*, //
};

use policy::{
    Access,
    Hook, //
};

use crate::Nacre;

/// A file or a folder is about to be made, or to get another mode.
pub(crate) fn set_mode(cx: &Caller<Nacre>, hook: Hook, mode: FileMode) -> Result {
    let caller = cx.subject();
    if let FileType::CharacterDevice | FileType::BlockDevice = mode.file_type() {
        caller.check_app(cx, hook, || Access::DeviceNode)?;
    }
    if mode.is_set_uid() || mode.is_set_gid() {
        caller.check_app(cx, hook, || Access::SetId)?;
    }
    Ok(())
}

/// An open file is asked for what is special about it. A block device that an app could open anyway may be the one
/// below a verified file system, and the loop driver would put other bytes there without another question.
#[inline]
pub(crate) fn control(cx: &Caller<Nacre>, file: &LocalFile) -> Result {
    let caller = cx.subject();
    if caller.component().is_none() || file.inode().file_type() != FileType::BlockDevice {
        return Ok(());
    }
    caller.check(cx, Hook::FileIoctl, Access::DeviceNode)
}

/// An open file arrives in a message. Whose it is depends on who opened it.
pub(crate) fn receive(cx: &Caller<Nacre>, file: &LocalFile) -> Result {
    let caller = cx.subject();
    if caller.component().is_none() {
        return Ok(());
    }
    let opener = cx.blob(file.cred());
    let rules = opener.component().map(|component| component.rules());
    let access = Access::ReceiveFile {
        owner: opener.owner(),
        rules: rules.as_ref().map(|rules| rules.view()),
    };
    caller.check(cx, Hook::FileReceive, access)
}
