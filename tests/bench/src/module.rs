// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the security module costs when it refuses and records that.

use std::ffi::CStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::{Pid, execve, setpgid};
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
    report(
        "socket-allowed",
        each(200, || Ok(open(AddressFamily::Netlink)?))?,
    );
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

/// As the app: the first denial of its kind, and those that only count.
pub fn denied() -> Result<()> {
    // A denial of another kind, and the line about it, so that all code is in memory and nothing waits to be written.
    if setpgid(Pid::this(), Pid::this()) != Err(Errno::EPERM) {
        return Err("the module did not refuse a process group".into());
    }
    sleep(Duration::from_millis(200));
    let (first, error) = once(|| Ok(open(AddressFamily::Netlink).err()))?;
    if error != Some(Errno::EPERM) {
        return Err(format!("the module did not refuse: {error:?}").into());
    }
    report("deny-first", first);
    let again = each(200, || {
        open(AddressFamily::Netlink)
            .err()
            .map(drop)
            .ok_or_else(|| "the module did not refuse".into())
    })?;
    report("deny-again", again);
    Ok(())
}

/// Every app gets a local socket, and none a netlink socket.
fn open(family: AddressFamily) -> nix::Result<()> {
    socket(family, SockType::Datagram, SockFlag::empty(), None).map(drop)
}
