// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Area D: other processes, ways to talk to them, and the resources shared with them.

use std::fs::File;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use libc::{EACCES, EAGAIN, EBADF, EINVAL, EMFILE, ENOENT, ENOSYS, ENOTTY, EPERM, ESRCH};

use crate::case::{Case, Place, absent, attack, fact, refused, twin};
use crate::raw::{self, Attempt, BAD_POINTER, call, number};

/// The abstract name on which [`crate::behaviour`] listens for other apps.
pub const LISTENER: &[u8] = b"nacre-probe-listener";

/// The most descriptors that are tried.
const BOUND: usize = 5000;

/// The cases of this area.
pub const CASES: &[Case] = &[
    attack("D01", "signal_process_1", signal_init, &[ESRCH, EPERM]),
    attack("D01", "signal_everyone", signal_everyone, &[ESRCH, EPERM]),
    attack("D01", "pidfd_send_signal", pidfd_signal, &[EPERM]),
    twin("D01", "signal_own_child", signal_child),
    attack("D02", "pidfd_open", pidfd_open, &[EPERM]),
    attack("D02", "pidfd_getfd", pidfd_getfd, &[EPERM]),
    twin("D03", "own_abstract_socket", own_socket),
    attack("D06", "send_credentials_of_another", forge, &[EPERM]),
    twin("D06", "send_own_credentials", tell_truth),
    attack("D07", "push_terminal_input", push_input, &[EPERM, ENOTTY]),
    attack(
        "D07",
        "push_terminal_input_with_high_bits",
        push_input_high,
        &[EPERM, ENOTTY],
    ),
    absent(
        "D07",
        "console_selection",
        console_selection,
        &[EPERM, ENOTTY],
        &[ENOTTY],
    ),
    fact("D08", "tasks_end_at_a_limit", task_limit),
    refused(
        "D10",
        "descriptors_without_end",
        descriptors,
        &[EMFILE],
        &[EMFILE],
    ),
    absent("D10", "mq_open", mq_open, &[ENOSYS], &[ENOSYS]),
    absent("D10", "shmget", shmget, &[ENOSYS], &[ENOSYS]),
    absent("D10", "semget", semget, &[ENOSYS], &[ENOSYS]),
    absent("D10", "msgget", msgget, &[ENOSYS], &[ENOSYS]),
    attack("D12", "raise_a_limit", raise_limit, &[EPERM]),
    attack("D12", "real_time_scheduling", real_time, &[EPERM]),
    attack(
        "D12",
        "raise_own_priority",
        raise_priority,
        &[EPERM, EACCES],
    ),
    attack("D12", "real_time_disk_priority", disk_priority, &[EPERM]),
    attack("D13", "read_the_kernel_log", kernel_log, &[EPERM]),
    attack("D13", "open_the_kernel_log", kernel_log_device, &[ENOENT]),
];

/// The attack of an app on the listener of another, which runs beside it.
pub const NEIGHBOUR: &[Case] = &[
    attack(
        "D03",
        "abstract_socket_of_another_app",
        other_socket,
        &[EPERM],
    ),
    twin("D03", "own_abstract_socket", own_socket),
];

fn signal_init(_: &Place) -> Attempt {
    // Signal 0 only asks whether it may be sent, so that nobody is hurt without a sandbox.
    raw::kill(1, 0)
}

fn signal_everyone(_: &Place) -> Attempt {
    // Without a sandbox there is somebody: a child that only waits.
    let child = if raw::user_id() == 0 {
        Some(raw::spawn(rest)?)
    } else {
        None
    };
    let result = raw::kill(-1, 0);
    if let Some(child) = child {
        raw::kill(child, libc::SIGKILL)?;
        raw::wait(child)?;
    }
    result
}

fn rest() -> i32 {
    thread::sleep(Duration::from_secs(60));
    0
}

fn signal_child(_: &Place) -> Attempt {
    let child = raw::spawn(rest)?;
    raw::kill(child, libc::SIGKILL)?;
    match raw::wait(child)? {
        raw::Ended::Signal(libc::SIGKILL) => Ok(()),
        _ => Err(ESRCH),
    }
}

/// Whether a call with a bad descriptor got as far as the kernel's own checks.
fn reached(result: Attempt<usize>) -> Attempt {
    match result {
        Ok(_) | Err(EBADF | EINVAL | libc::EFAULT) => Ok(()),
        Err(number) => Err(number),
    }
}

fn pidfd_signal(_: &Place) -> Attempt {
    reached(call(
        libc::SYS_pidfd_send_signal,
        [usize::MAX, 0, 0, 0, 0, 0],
    ))
}

fn pidfd_open(_: &Place) -> Attempt {
    call(libc::SYS_pidfd_open, [1, 0, 0, 0, 0, 0]).map(drop)
}

fn pidfd_getfd(_: &Place) -> Attempt {
    reached(call(libc::SYS_pidfd_getfd, [usize::MAX, 0, 0, 0, 0, 0]))
}

fn abstract_name(name: &[u8]) -> Attempt<SocketAddr> {
    SocketAddr::from_abstract_name(name).map_err(|_| EINVAL)
}

fn other_socket(_: &Place) -> Attempt {
    UnixStream::connect_addr(&abstract_name(LISTENER)?)
        .map(drop)
        .map_err(|error| number(&error))
}

fn own_socket(_: &Place) -> Attempt {
    let name = abstract_name(format!("nacre-probe-{}", raw::process_id()).as_bytes())?;
    let exchange = || -> std::io::Result<bool> {
        let listener = UnixListener::bind_addr(&name)?;
        let mut client = UnixStream::connect_addr(&name)?;
        client.write_all(b"x")?;
        let mut byte = [0];
        listener.accept()?.0.read_exact(&mut byte)?;
        Ok(byte == *b"x")
    };
    match exchange() {
        Ok(true) => Ok(()),
        Ok(false) => Err(libc::EIO),
        Err(error) => Err(number(&error)),
    }
}

fn send_as(process: libc::pid_t, user: libc::uid_t) -> Attempt {
    let (one, _other) = UnixStream::pair().map_err(|error| number(&error))?;
    raw::send_as(&one, process, user)
}

fn forge(_: &Place) -> Attempt {
    // Without a sandbox this is root, which may be anybody.
    send_as(1, 1)
}

fn tell_truth(_: &Place) -> Attempt {
    send_as(raw::process_id(), raw::user_id())
}

const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;

/// Tries a request on all standard descriptors: without a sandbox each is the console.
fn terminal(request: u32) -> Attempt {
    for descriptor in [0, 1] {
        match raw::ioctl_byte(descriptor, request, b'\n') {
            Err(ENOTTY) => {}
            result => return result,
        }
    }
    raw::ioctl_byte(2, request, b'\n')
}

fn push_input(_: &Place) -> Attempt {
    terminal(TIOCSTI)
}

fn push_input_high(_: &Place) -> Attempt {
    // A filter that compares more bits than the kernel looks at is passed by setting one of those: on a 32-bit
    // processor there are none, so this must be refused as an unknown request wherever it gets to.
    match terminal(TIOCSTI | 1 << 31) {
        Err(ENOTTY) if raw::user_id() == 0 => Ok(()),
        result => result,
    }
}

fn console_selection(_: &Place) -> Attempt {
    terminal(TIOCLINUX)
}

fn task_limit(_: &Place) -> Attempt {
    // Threads count as processes do and take less memory, which has a limit of its own.
    for _ in 0..200 {
        let thread = thread::Builder::new()
            .stack_size(16 * 1024)
            .spawn(thread::park);
        match thread {
            Ok(_) => {}
            Err(error) if number(&error) == EAGAIN => return Ok(()),
            Err(error) => return Err(number(&error)),
        }
    }
    Err(libc::E2BIG)
}

fn descriptors(_: &Place) -> Attempt {
    let mut open = Vec::new();
    while open.len() < BOUND {
        open.push(File::open("/dev/null").map_err(|error| number(&error))?);
    }
    Ok(())
}

fn mq_open(_: &Place) -> Attempt {
    call(libc::SYS_mq_open, [BAD_POINTER, 0, 0, 0, 0, 0]).map(drop)
}

fn shmget(_: &Place) -> Attempt {
    call(libc::SYS_shmget, [0, 4096, 0o1600, 0, 0, 0]).map(drop)
}

fn semget(_: &Place) -> Attempt {
    call(libc::SYS_semget, [0, 1, 0o1600, 0, 0, 0]).map(drop)
}

fn msgget(_: &Place) -> Attempt {
    call(libc::SYS_msgget, [0, 0o1600, 0, 0, 0, 0]).map(drop)
}

fn raise_limit(_: &Place) -> Attempt {
    let resource = libc::RLIMIT_NOFILE;
    let (soft, hard) = raw::limit(resource)?;
    raw::set_limit(resource, soft, hard + 1)
}

fn real_time(_: &Place) -> Attempt {
    raw::set_real_time_scheduling()
}

fn raise_priority(_: &Place) -> Attempt {
    let highest = -20_i32 as usize;
    call(
        libc::SYS_setpriority,
        [libc::PRIO_PROCESS as usize, 0, highest, 0, 0, 0],
    )
    .map(drop)
}

fn disk_priority(_: &Place) -> Attempt {
    const WHO_PROCESS: usize = 1;
    const REAL_TIME: usize = 1 << 13;
    call(libc::SYS_ioprio_set, [WHO_PROCESS, 0, REAL_TIME, 0, 0, 0]).map(drop)
}

fn kernel_log(_: &Place) -> Attempt {
    raw::read_kernel_log()
}

fn kernel_log_device(_: &Place) -> Attempt {
    File::open("/dev/kmsg")
        .map(drop)
        .map_err(|error| number(&error))
}
