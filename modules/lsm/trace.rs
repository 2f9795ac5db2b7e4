// SPDX-License-Identifier: GPL-2.0

//! Who may look into whom: one decision for ptrace, for `/proc/<pid>/` and for everything else that the kernel
//! measures by them.

use kernel::{
    lsm::{
        Caller,
        PtraceMode, //
    },
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

/// The caller is about to trace a process, or to look into it.
///
/// This comes with locks held: it does not sleep.
pub(crate) fn look(cx: &Caller<Nacre>, child: &Task, mode: PtraceMode) -> Result {
    let credentials = child.real_cred();
    let access = Access::Trace {
        target: cx.blob(&*credentials).tracee(),
        attach: mode.is_attach(),
        development: cx.module().is_development(),
    };
    match mode.audits() {
        true => cx.subject().check(cx, Hook::PtraceAccessCheck, access),
        false => cx
            .subject()
            .decide(access)
            .map_err(|denial| error(denial.errno)),
    }
}

/// The caller offers itself to its parent. An app must be allowed to trace its like for that, and the parent
/// to trace the app: to offer itself to the manager would be a way to stop the manager.
///
/// This comes with locks held: it does not sleep.
pub(crate) fn offer(cx: &Caller<Nacre>, parent: &Task) -> Result {
    let caller = cx.subject();
    let access = Access::Trace {
        target: caller.tracee(),
        attach: true,
        development: cx.module().is_development(),
    };
    caller.check_app(cx, Hook::PtraceTraceme, || access)?;
    let parent = parent.real_cred();
    cx.blob(&*parent).decide(access).map_err(|denial| {
        let module = cx.module();
        module.record(caller.component(), Hook::PtraceTraceme, &access, &denial);
        error(denial.errno)
    })
}
