// SPDX-License-Identifier: GPL-2.0

//! What processes do to each other without looking in: signals and process groups.

use kernel::{
    cred::Credential,
    fs::LocalFile,
    lsm::Caller,
    prelude::*,
    task::Task, //
};

use policy::{
    Access,
    Hook, //
};

use crate::{
    error,
    Nacre, //
};

/// A signal is about to be sent, also the one that only asks. With a sender, the kernel sends it later and for
/// somebody else, possibly from an interrupt, where no record is made.
///
/// This comes with locks held: it does not sleep.
pub(crate) fn kill(cx: &Caller<Nacre>, target: &Task, sender: Option<&Credential>) -> Result {
    let sender_label = sender.map_or(cx.subject(), |sender| cx.blob(sender));
    if sender_label.component().is_none() {
        return Ok(());
    }
    let access = Access::Signal(cx.blob(&*target.real_cred()).owner());
    match sender {
        None => sender_label.check(cx, Hook::TaskKill, access),
        Some(_) => sender_label
            .decide_by_identity(access)
            .map_err(|denial| error(denial.errno)),
    }
}

/// A signal is about to be sent because something happened to an open file. Who asked for it is not known, only who
/// opened the file, and that may be the manager who gave it to an app: so both sides must be of one component, if
/// one is of any.
///
/// This may come in an interrupt: it takes no lock, and leaves no record.
pub(crate) fn notify(cx: &Caller<Nacre>, target: &Task, file: &LocalFile) -> Result {
    let opener = cx.blob(file.cred());
    let credentials = target.real_cred();
    let target = cx.blob(&*credentials);
    opener
        .decide_by_identity(Access::Signal(target.owner()))
        .and_then(|()| target.decide_by_identity(Access::Signal(opener.owner())))
        .map_err(|denial| error(denial.errno))
}

/// The process group of a process is about to change.
///
/// This comes with locks held: it does not sleep.
pub(crate) fn set_group(cx: &Caller<Nacre>) -> Result {
    cx.subject()
        .check_app(cx, Hook::TaskSetpgid, || Access::SetProcessGroup)
}
