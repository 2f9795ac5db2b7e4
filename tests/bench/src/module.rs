// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the security module costs when it refuses, record and line of the log included.

use std::ffi::CStr;
use std::fs::OpenOptions;
use std::io::Write;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::execve;
use policy::{Grant, Identity, RuleSet};
use sys::lsm::{Attribute, NACRE, set_self_attribute};
use sys::process::{Forked, SingleThreaded, Wait, exit, fork, wait_any};

use crate::Result;
use crate::count::{each, once, report};

/// Where the manager writes rule sets.
const RULES: &str = "/sys/kernel/security/nacre/rules";
/// This program.
const PROGRAM: &CStr = c"/sbin/init";

/// Installs the rules of an app.
pub fn install_rules(grant: &Grant<'_>) -> Result<()> {
    let mut buffer = vec![0; RuleSet::MAX_SIZE];
    let length = RuleSet::encode(grant, &[], &mut buffer)?;
    let rules = buffer
        .get(..length)
        .ok_or("the rule set is longer than its buffer")?;
    let written = OpenOptions::new().write(true).open(RULES)?.write(rules)?;
    if written == length {
        Ok(())
    } else {
        Err("the rule set was taken in part".into())
    }
}

/// Becomes an app, and counts there.
pub fn run(single: &SingleThreaded, grant: &Grant<'_>) -> Result<()> {
    report("socket-allowed", each(200, || Ok(open_netlink()?))?);
    install_rules(grant)?;
    let identity = Identity::of(grant)?.encode();
    let Forked::Parent { .. } = fork(single)? else {
        if let Err(error) = set_self_attribute(NACRE, Attribute::Exec, &identity) {
            println!("FAILED identity: {error}");
            exit(1)
        }
        // Only a failure returns.
        let error = execve(PROGRAM, &[PROGRAM, c"denied"], &[] as &[&CStr]).err();
        println!("FAILED exec: {error:?}");
        exit(1)
    };
    wait_any(Wait::Block)?;
    Ok(())
}

/// As the app: the first denial of its kind, which the log shows, and those that only count.
pub fn denied() -> Result<()> {
    let (first, error) = once(|| Ok(open_netlink().err()))?;
    if error != Some(Errno::EPERM) {
        return Err(format!("the module did not refuse: {error:?}").into());
    }
    report("deny-first", first);
    let again = each(200, || {
        open_netlink()
            .err()
            .map(drop)
            .ok_or_else(|| "the module did not refuse".into())
    })?;
    report("deny-again", again);
    Ok(())
}

/// A socket that no app gets.
fn open_netlink() -> nix::Result<()> {
    socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::empty(),
        None,
    )
    .map(drop)
}
