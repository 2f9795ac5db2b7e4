// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Making, signalling and ending processes.

use core::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::sys::stat::stat;
use nix::unistd::{ForkResult, Pid};

use crate::{Errno, Result, bits};

/// Number of links of `/proc/self/task` in a process with one thread: two as a directory, one per thread.
const LINKS_WITH_ONE_THREAD: u64 = 3;

/// Evidence that the process has one thread, so that a copy of it is whole: no lock is held by a thread that
/// the copy lacks.
///
/// It cannot be sent to another thread, and a program that holds it must not start one.
#[derive(Debug)]
pub struct SingleThreaded(PhantomData<*const ()>);

impl SingleThreaded {
    /// Asks the kernel for the number of threads; `/proc` must be mounted.
    ///
    /// # Errors
    ///
    /// `EBUSY` when there is more than one thread; the error of `stat` on `/proc/self/task`.
    pub fn confirm() -> Result<Self> {
        let links = stat("/proc/self/task")?.st_nlink;
        #[allow(
            clippy::useless_conversion,
            reason = "the width depends on the machine"
        )]
        if u64::from(links) == LINKS_WITH_ONE_THREAD {
            Ok(Self(PhantomData))
        } else {
            Err(Errno::EBUSY)
        }
    }
}

/// Which of the two processes a fork has returned to.
#[derive(Debug)]
#[must_use]
pub enum Forked {
    /// The process that asked.
    Parent {
        /// The new process.
        child: Pid,
    },
    /// The new process. It must end in `execve` or [`exit`], never by returning from `main`.
    Child,
}

/// Copies the process.
///
/// # Errors
///
/// `EAGAIN` at a limit on processes, `ENOMEM` without memory.
pub fn fork(_: &SingleThreaded) -> Result<Forked> {
    // SAFETY: the process has one thread, so the child may do whatever the parent may.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Forked::Parent { child }),
        ForkResult::Child => Ok(Forked::Child),
    }
}

/// How [`clone3`] makes a process.
#[derive(Clone, Copy, Debug)]
pub struct Clone<'a> {
    /// New namespaces and `CLONE_PARENT`; nothing that shares memory.
    pub flags: CloneFlags,
    /// Directory of the control group that the process is born in.
    pub cgroup: Option<BorrowedFd<'a>>,
}

/// Which of the two processes [`clone3`] has returned to.
#[derive(Debug)]
#[must_use]
pub enum Cloned {
    /// The process that asked.
    Parent {
        /// The new process.
        child: Pid,
        /// A handle of the new process, closed on exec.
        handle: OwnedFd,
    },
    /// The new process. It must end in `execve` or [`exit`], never by returning from `main`.
    ///
    /// The C library still believes to be the parent's thread: `raise` and `abort` may reach the wrong
    /// process.
    Child,
}

/// `struct clone_args` of the kernel, up to the field `cgroup` (88 bytes, version 2).
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// `CLONE_PIDFD`: return a handle of the new process.
const CLONE_PIDFD: u64 = 0x1000;
/// `CLONE_INTO_CGROUP`: the new process is born in the given control group.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
/// What would make parent and child share memory, a stack or a signal table.
const SHARING: CloneFlags = CloneFlags::CLONE_VM
    .union(CloneFlags::CLONE_THREAD)
    .union(CloneFlags::CLONE_SIGHAND);

/// Copies the process into new namespaces and a control group.
///
/// With `CLONE_PARENT` the new process is a sibling, and ends with the signal with which the caller will end;
/// otherwise it is a child that ends with `SIGCHLD`.
///
/// # Errors
///
/// `EINVAL` for flags that share memory, and for `CLONE_PARENT` asked by the first process of a process-id
/// namespace; `EPERM` without `CAP_SYS_ADMIN`; `EBUSY` or `EOPNOTSUPP` when the control group cannot hold
/// processes; `EAGAIN` at its limit; `ENOSYS` when the kernel or a filter refuses the call.
pub fn clone3(_: &SingleThreaded, how: Clone<'_>) -> Result<Cloned> {
    if how.flags.intersects(SHARING) {
        return Err(Errno::EINVAL);
    }
    let mut handle: libc::c_int = -1;
    let mut arguments = CloneArguments {
        flags: u64::from(bits(how.flags.bits())) | CLONE_PIDFD,
        pidfd: (&raw mut handle).expose_provenance() as u64,
        ..CloneArguments::default()
    };
    if !how.flags.contains(CloneFlags::CLONE_PARENT) {
        arguments.exit_signal = u64::from(bits(libc::SIGCHLD));
    }
    if let Some(cgroup) = how.cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::from(bits(cgroup.as_raw_fd()));
    }
    // SAFETY: the structure and its size are those of the kernel; `handle` outlives the call; as no memory is
    // shared, the child goes on with a copy of this stack; the process has one thread, so the copy is whole.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw const arguments,
            size_of::<CloneArguments>(),
        )
    };
    match Errno::result(result)? {
        0 => Ok(Cloned::Child),
        child => Ok(Cloned::Parent {
            child: Pid::from_raw(i32::try_from(child).map_err(|_| Errno::EOVERFLOW)?),
            // SAFETY: the kernel has just stored a new descriptor there, which nothing else owns.
            handle: unsafe { OwnedFd::from_raw_fd(handle) },
        }),
    }
}

/// Ends the process at once, without destructors or handlers: the end of every child that does not exec.
pub fn exit(code: u8) -> ! {
    // SAFETY: the call ends the process and touches no memory.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Sends a signal to the process of a handle, which cannot have become another process meanwhile.
///
/// # Errors
///
/// `ESRCH` when the process has been waited for; `EPERM` without the right.
pub fn signal<F: AsFd>(handle: F, signal: Signal) -> Result<()> {
    // SAFETY: the descriptor is open for the time of the call, and no signal information is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            handle.as_fd().as_raw_fd(),
            signal as libc::c_int,
            core::ptr::null::<libc::siginfo_t>(),
            0 as libc::c_uint,
        )
    };
    Errno::result(result).map(drop)
}

/// A handle of a process that exists, closed on exec; readable once the process has ended.
///
/// # Errors
///
/// `ESRCH` without such a process, `EINVAL` for a process id below 1, `EMFILE` without a free descriptor.
pub fn handle(process: Pid) -> Result<OwnedFd> {
    // SAFETY: the call takes two numbers.
    let result =
        unsafe { libc::syscall(libc::SYS_pidfd_open, process.as_raw(), 0 as libc::c_uint) };
    let descriptor = i32::try_from(Errno::result(result)?).map_err(|_| Errno::EOVERFLOW)?;
    // SAFETY: the kernel has just returned the new descriptor, which nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// How a process ended: the status word of `wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Exited(u8),
    /// A signal ended it.
    Signalled(i32),
}

impl Ended {
    /// Reads a status word; `None` when it tells of a process that was stopped or continued.
    #[must_use]
    pub fn from_status(status: i32) -> Option<Self> {
        if libc::WIFEXITED(status) {
            u8::try_from(libc::WEXITSTATUS(status))
                .ok()
                .map(Self::Exited)
        } else if libc::WIFSIGNALED(status) {
            Some(Self::Signalled(libc::WTERMSIG(status)))
        } else {
            None
        }
    }
}

/// Whether [`wait_any`] waits for a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until one has ended.
    Block,
    /// No: only one that has ended already counts.
    Poll,
}

/// Reaps any child that has ended: its process id and its raw status word. `None` when there is none to reap.
///
/// Unlike `nix::sys::wait::waitpid` it also accepts real-time signals.
///
/// # Errors
///
/// `ECHILD` without children, `EINTR` when a signal was handled while waiting.
pub fn wait_any(wait: Wait) -> Result<Option<(Pid, i32)>> {
    let options = match wait {
        Wait::Block => 0,
        Wait::Poll => libc::WNOHANG,
    };
    let mut status = 0;
    // SAFETY: the pointer is to a number that lives over the call.
    let result = unsafe { libc::waitpid(-1, &raw mut status, options) };
    match Errno::result(result)? {
        0 => Ok(None),
        child => Ok(Some((Pid::from_raw(child), status))),
    }
}

/// Forbids the process, and what it forks and executes, to gain executable memory: no mapping is writable and
/// executable, and none becomes executable later (`PR_SET_MDWE`). There is no way back.
///
/// # Errors
///
/// `EINVAL` when the kernel has no such control.
pub fn refuse_execute_gain() -> Result<()> {
    // SAFETY: the call takes numbers only.
    let result = unsafe {
        libc::prctl(
            libc::PR_SET_MDWE,
            libc::c_ulong::from(libc::PR_MDWE_REFUSE_EXEC_GAIN),
            0 as libc::c_ulong,
            0 as libc::c_ulong,
            0 as libc::c_ulong,
        )
    };
    Errno::result(result).map(drop)
}

/// Whether [`refuse_execute_gain`] holds for the process.
///
/// # Errors
///
/// `EINVAL` when the kernel has no such control.
pub fn execute_gain_refused() -> Result<bool> {
    // SAFETY: the call takes numbers only.
    let result = unsafe {
        libc::prctl(
            libc::PR_GET_MDWE,
            0 as libc::c_ulong,
            0 as libc::c_ulong,
            0 as libc::c_ulong,
            0 as libc::c_ulong,
        )
    };
    Ok(bits(Errno::result(result)?) & libc::PR_MDWE_REFUSE_EXEC_GAIN != 0)
}
