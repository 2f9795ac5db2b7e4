// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Forking, cloning, signals and descriptors, in a process with one thread.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::sched::CloneFlags;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getpid, pipe};
use sys::Errno;
use sys::process::{
    Clone, Cloned, Ended, Forked, SingleThreaded, Wait, clone3, execute_gain_refused, exit, fork,
    handle, refuse_execute_gain, signal, wait_any,
};
use sys::signal::Disposition;

/// A test: its name, and what must not panic.
type Test = (&'static str, fn(&SingleThreaded));

fn main() {
    let single = SingleThreaded::confirm().unwrap();
    let tests: &[Test] = &[
        ("a_child_ends_with_its_code", child_ends_with_its_code),
        ("a_signalled_child_is_told_apart", signalled_child),
        ("waiting_without_children_fails", no_children),
        ("threads_are_noticed", threads_are_noticed),
        ("shared_memory_is_refused", shared_memory_is_refused),
        ("a_clone_is_process_1_of_its_namespace", clone_in_namespaces),
        (
            "descriptors_are_closed_but_for_some",
            descriptors_are_closed,
        ),
        ("descriptors_are_arranged", descriptors_are_arranged),
        ("inherited_descriptors_are_taken_once_open", inherited),
        ("signals_are_reset_and_ignored", signals),
        ("memory_gains_no_execute_any_more", execute_gain),
        ("a_filter_answers", filter),
        ("a_part_of_a_file_becomes_a_device", loop_device),
    ];
    for (name, test) in tests {
        test(&single);
        println!("ok {name}");
    }
}

/// How a child ended that does this.
fn in_child(single: &SingleThreaded, body: impl FnOnce() -> u8) -> Ended {
    match fork(single).unwrap() {
        Forked::Child => exit(body()),
        Forked::Parent { child } => ended(child),
    }
}

fn ended(child: Pid) -> Ended {
    let (reaped, status) = wait_any(Wait::Block).unwrap().unwrap();
    assert_eq!(reaped, child);
    Ended::from_status(status).unwrap()
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn child_ends_with_its_code(single: &SingleThreaded) {
    for code in [0, 1, 200, 255] {
        assert_eq!(in_child(single, || code), Ended::Exited(code));
    }
}

fn signalled_child(single: &SingleThreaded) {
    let Forked::Parent { child } = fork(single).unwrap() else {
        std::thread::sleep(Duration::from_secs(60));
        exit(0)
    };
    assert_eq!(wait_any(Wait::Poll), Ok(None));
    let process = handle(child).unwrap();
    signal(&process, Signal::SIGTERM).unwrap();
    assert_eq!(ended(child), Ended::Signalled(libc::SIGTERM));
    assert_eq!(signal(&process, Signal::SIGTERM), Err(Errno::ESRCH));
}

fn no_children(_: &SingleThreaded) {
    assert_eq!(wait_any(Wait::Poll), Err(Errno::ECHILD));
    assert_eq!(handle(Pid::from_raw(0)).unwrap_err(), Errno::EINVAL);
}

fn threads_are_noticed(_: &SingleThreaded) {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || stopped.recv());
    assert_eq!(SingleThreaded::confirm().unwrap_err(), Errno::EBUSY);
    drop(stop);
    thread.join().unwrap().unwrap_err();
    // The kernel lets go of a thread a little after it has been joined.
    let start = Instant::now();
    while SingleThreaded::confirm().is_err() {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::yield_now();
    }
}

fn shared_memory_is_refused(single: &SingleThreaded) {
    for flag in [
        CloneFlags::CLONE_VM,
        CloneFlags::CLONE_VM | CloneFlags::CLONE_THREAD | CloneFlags::CLONE_SIGHAND,
    ] {
        let how = Clone {
            flags: flag,
            cgroup: None,
        };
        assert_eq!(clone3(single, how).unwrap_err(), Errno::EINVAL);
    }
}

fn clone_in_namespaces(single: &SingleThreaded) {
    if !is_root() {
        println!("# skipped without root");
        return;
    }
    let how = Clone {
        flags: CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS,
        cgroup: None,
    };
    match clone3(single, how).unwrap() {
        Cloned::Child => exit(u8::from(getpid() != Pid::from_raw(1))),
        Cloned::Parent { child, handle } => {
            assert_eq!(ended(child), Ended::Exited(0));
            assert_eq!(signal(&handle, Signal::SIGKILL), Err(Errno::ESRCH));
        }
    }
}

fn descriptors_are_closed(single: &SingleThreaded) {
    let (one, two, three) = (
        File::open("/dev/null").unwrap(),
        File::open("/dev/null").unwrap(),
        File::open("/dev/null").unwrap(),
    );
    let open = |number| nix::fcntl::fcntl(number, nix::fcntl::FcntlArg::F_GETFD).is_ok();
    let result = in_child(single, || {
        // The order of the numbers does not matter.
        sys::descriptor::close_all_but(&mut [three.as_fd(), one.as_fd()]).unwrap();
        u8::from(!(open(one.as_fd()) && !open(two.as_fd()) && open(three.as_fd())))
    });
    assert_eq!(result, Ended::Exited(0));
}

fn descriptors_are_arranged(single: &SingleThreaded) {
    let (reader, writer) = pipe().unwrap();
    let result = in_child(single, || {
        // The numbers that they come from may be those that they go to.
        sys::descriptor::arrange_from_three(&[writer.as_fd(), reader.as_fd()]).unwrap();
        sys::descriptor::close_from(5).unwrap();
        let mut writer = File::from(sys::descriptor::take_inherited(3).unwrap());
        let mut reader = File::from(sys::descriptor::take_inherited(4).unwrap());
        writer.write_all(b"hello").unwrap();
        let mut text = [0; 5];
        reader.read_exact(&mut text).unwrap();
        u8::from(&text != b"hello")
    });
    assert_eq!(result, Ended::Exited(0));
    let many = [reader.as_fd(); 9];
    assert_eq!(
        sys::descriptor::arrange_from_three(&many),
        Err(Errno::E2BIG)
    );
}

fn inherited(_: &SingleThreaded) {
    assert_eq!(
        sys::descriptor::take_inherited(1000).unwrap_err(),
        Errno::EBADF
    );
    let file = std::mem::ManuallyDrop::new(File::open("/dev/null").unwrap());
    let taken = sys::descriptor::take_inherited(file.as_raw_fd()).unwrap();
    assert_eq!(taken.as_raw_fd(), file.as_raw_fd());
}

fn signals(single: &SingleThreaded) {
    let status = in_child(single, || {
        sys::signal::set(Signal::SIGTERM, Disposition::Ignore).unwrap();
        nix::sys::signal::raise(Signal::SIGTERM).unwrap();
        7
    });
    assert_eq!(status, Ended::Exited(7));
    let status = in_child(single, || {
        SigSet::empty().thread_set_mask().unwrap();
        sys::signal::set(Signal::SIGTERM, Disposition::Ignore).unwrap();
        sys::signal::reset_all().unwrap();
        nix::sys::signal::raise(Signal::SIGTERM).unwrap();
        7
    });
    assert_eq!(status, Ended::Signalled(libc::SIGTERM));
    assert_eq!(
        sys::signal::set(Signal::SIGKILL, Disposition::Ignore),
        Err(Errno::EINVAL)
    );
}

fn execute_gain(single: &SingleThreaded) {
    assert_eq!(execute_gain_refused(), Ok(false));
    let result = in_child(single, || {
        refuse_execute_gain().unwrap();
        let held =
            execute_gain_refused() == Ok(true) && sys::memory::can_gain_execute() == Ok(false);
        u8::from(!held)
    });
    assert_eq!(result, Ended::Exited(0));
}

fn filter(single: &SingleThreaded) {
    let statement = |code, k| sys::seccomp::Instruction {
        code,
        jt: 0,
        jf: 0,
        k,
    };
    // Load the number; if it is that of `uname`, EPERM, else allow.
    let mut program = [
        statement(0x20, 0),
        statement(0x15, u32::try_from(libc::SYS_uname).unwrap()),
        statement(0x06, libc::SECCOMP_RET_ERRNO | 1),
        statement(0x06, libc::SECCOMP_RET_ALLOW),
    ];
    program[1].jf = 1;
    let result = in_child(single, || {
        nix::sys::prctl::set_no_new_privs().unwrap();
        sys::seccomp::install(&program).unwrap();
        u8::from(nix::sys::utsname::uname() != Err(Errno::EPERM))
    });
    assert_eq!(result, Ended::Exited(0));
    let malformed = [statement(0xFFFF, 0)];
    let result = in_child(single, || {
        nix::sys::prctl::set_no_new_privs().unwrap();
        u8::from(sys::seccomp::install(&malformed) != Err(Errno::EINVAL))
    });
    assert_eq!(result, Ended::Exited(0));
}

fn loop_device(_: &SingleThreaded) {
    if !is_root() || !std::path::Path::new("/dev/loop-control").exists() {
        println!("# skipped without root or loop devices");
        return;
    }
    let path = std::env::temp_dir().join(format!("nacre-loop-{}", std::process::id()));
    let mut content = vec![0xAA; 512];
    content.extend([0x55; 1024]);
    content.extend([0xAA; 512]);
    std::fs::write(&path, &content).unwrap();
    let file = File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    for (offset, length) in [(0, 0), (1, 512)] {
        let refused = sys::loop_device::LoopDevice::attach(&file, offset, length);
        assert_eq!(refused.unwrap_err(), Errno::EINVAL);
    }
    let device = match sys::loop_device::LoopDevice::attach(&file, 512, 1024) {
        Ok(device) => device,
        Err(error @ (Errno::EPERM | Errno::EACCES | Errno::ENOENT)) => {
            println!("# skipped, this machine forbids loop devices: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(std::fs::read(device.path()).unwrap(), [0x55; 1024]);
    let written = File::options().write(true).open(device.path());
    assert!(
        written
            .and_then(|mut node| node.write_all(&[0; 512]).and_then(|()| node.sync_all()))
            .is_err()
    );
    device.detach().unwrap();
}
