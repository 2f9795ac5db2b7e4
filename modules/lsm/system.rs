// SPDX-License-Identifier: GPL-2.0

//! What concerns the system as a whole, and what no app or few apps may do.

use kernel::{
    cred::Credential,
    lsm::{
        Caller,
        Capability,
        CapableOptions, //
    },
    prelude::*, //
};

use policy::{
    Access,
    Hook, //
};

use crate::{
    error,
    Nacre, //
};

/// Credentials are asked for a capability of Linux. Those of an app have none but what its manifest gives,
/// whatever they say themselves. Only a question that would be audited leaves a record.
///
/// This comes with locks held: it does not sleep.
#[inline]
pub(crate) fn capable(
    cx: &Caller<Nacre>,
    credentials: &Credential,
    capability: Capability,
    options: CapableOptions,
) -> Result {
    let label = cx.blob(credentials);
    if label.component().is_none() {
        return Ok(());
    }
    let access = Access::LinuxCapability(capability.get().unsigned_abs());
    match options.audits() {
        true => label.check(cx, Hook::Capable, access),
        false => label.decide(access).map_err(|denial| error(denial.errno)),
    }
}

/// Something is about to happen that is refused to apps, or needs a key of the manifest.
#[inline]
pub(crate) fn administer(cx: &Caller<Nacre>, hook: Hook, access: Access<'_>) -> Result {
    cx.subject().check_app(cx, hook, || access)
}
