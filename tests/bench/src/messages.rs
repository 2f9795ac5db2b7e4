// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a message to a real-time core and one from there cost, beside the same between two sockets of this core.

use std::ffi::CStr;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, send, setsockopt, socketpair, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::{Pid, execve};
use policy::{AppKind, ComponentId, Grant, Identity};
use sys::lsm::{Attribute, NACRE, set_self_attribute};
use sys::process::{Forked, SingleThreaded, Wait, exit, fork, wait_any};
use sys::real_time::Core;

use crate::Result;
use crate::count::{each, now, report};
use crate::module::install_rules;
use crate::raw::real_time_socket;

/// The app here, and the one on the real-time core.
const APP: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";
const REAL_TIME: &str = "005180bc-402f-4cb3-a662-72937dbcde47";
/// This program, and the firmware that returns what it is sent.
const PROGRAM: &CStr = c"/sbin/init";
const ECHO: &str = "/echo";
/// A core.
const CORE: &str = "/dev/rtcore0";
/// How often each is counted; an odd number has a middle.
const ROUNDS: usize = 101;
/// The longest message.
const LENGTH: usize = 1024;
/// The threads of the kernel that bring a message from a core to its socket, by how their names begin.
const THREADS: [&str; 2] = ["irq/", "kworker/"];

/// Starts the echo, and becomes the app that talks to it.
pub fn run() -> Result<()> {
    for (kind, target) in [
        ("devtmpfs", "/dev"),
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("securityfs", "/sys/kernel/security"),
    ] {
        let none = None::<&str>;
        match mount(Some(kind), target, Some(kind), MsFlags::empty(), none) {
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(error) => return Err(format!("cannot mount {kind} on {target}: {error}").into()),
        }
    }
    let (app, real_time): (ComponentId, ComponentId) = (APP.parse()?, REAL_TIME.parse()?);
    let core = Core::open(CORE)?;
    core.write(&fs::read(ECHO)?)?;
    core.start(real_time.to_guid_bytes(), &[app.to_bytes()])?;

    let peers = [real_time];
    let grant = Grant {
        peers: &peers,
        ..Grant::none(app, AppKind::HighLevel)
    };
    install_rules(&grant)?;
    let identity = Identity::of(&grant)?.encode();
    let single = SingleThreaded::confirm()?;
    let before = time_of_threads()?;
    let Forked::Parent { .. } = fork(&single)? else {
        if let Err(error) = set_self_attribute(NACRE, Attribute::Exec, &identity) {
            println!("FAILED identity: {error}");
            exit(1)
        }
        // Only a failure returns.
        let error = execve(PROGRAM, &[PROGRAM, c"exchange"], &[] as &[&CStr]).err();
        println!("FAILED exec: {error:?}");
        exit(1)
    };
    wait_any(Wait::Block)?;
    let spent = time_of_threads()? - before;
    report("message-deliver", spent / u64::try_from(ROUNDS)?);
    Ok(())
}

/// As the app: exchanges messages with a local socket, then with the core.
pub fn exchange() -> Result<()> {
    let none = None;
    let (near, far) = socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        none,
        SockFlag::empty(),
    )?;
    count("local", &near, &far)?;
    let core = real_time_socket(REAL_TIME.parse::<ComponentId>()?.to_guid_bytes())?;
    setsockopt(&core, sockopt::ReceiveTimeout, &TimeVal::seconds(10))?;
    count("message", &core, &core)
}

/// Sends by one socket and receives by the other what comes of it.
fn count(name: &str, near: &OwnedFd, far: &OwnedFd) -> Result<()> {
    let clock = each(100, || now().map(drop))?;
    let message: Vec<u8> = (0..LENGTH).map(|index| index.to_le_bytes()[0]).collect();
    let mut buffer = vec![0; LENGTH];
    let (near, far, none) = (near.as_raw_fd(), far.as_raw_fd(), MsgFlags::empty());
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = now()?;
        let length = send(near, &message, none)?;
        sent.push((now()? - start).saturating_sub(clock));
        if length != LENGTH {
            return Err(format!("{name}: {length} bytes were sent").into());
        }
        // What is counted is to receive what is there, and not to wait for it.
        recv(far, &mut buffer, MsgFlags::MSG_PEEK)?;
        buffer.fill(0);
        let start = now()?;
        let length = recv(far, &mut buffer, none)?;
        received.push((now()? - start).saturating_sub(clock));
        if buffer.get(..length) != Some(message.as_slice()) {
            return Err(format!("{name}: something else came back").into());
        }
    }
    report(&format!("{name}-send"), middle(&mut sent)?);
    report(&format!("{name}-receive"), middle(&mut received)?);
    Ok(())
}

/// The count in the middle: a timer or the other core may come in between now and then.
fn middle(counts: &mut [u64]) -> Result<u64> {
    counts.sort_unstable();
    let middle = counts.get(counts.len() / 2).copied();
    middle.ok_or_else(|| "nothing was counted".into())
}

/// The instructions of these threads of the kernel since they were started.
fn time_of_threads() -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Ok(number) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        // One that has ended meanwhile has no name and no clock.
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if !THREADS.iter().any(|thread| name.starts_with(thread)) {
            continue;
        }
        if let Ok(clock) = clock_getcpuclockid(Pid::from_raw(number)) {
            let time = clock_gettime(clock)?;
            sum += u64::try_from(time.tv_sec())? * 1_000_000_000 + u64::try_from(time.tv_nsec())?;
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::middle;

    #[test]
    fn the_middle_is_no_extreme() {
        assert_eq!(middle(&mut [900, 7, 8]).unwrap(), 8);
        assert_eq!(middle(&mut [5]).unwrap(), 5);
        assert!(middle(&mut []).is_err());
    }
}
