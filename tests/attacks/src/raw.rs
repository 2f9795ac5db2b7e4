// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The one place with `unsafe`: raw system calls, memory mappings, and children made by `fork`.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_long};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// What became of an attempt: `Ok` when the kernel did it, else the error number.
pub type Attempt<T = ()> = Result<T, i32>;

/// The error number of the last call into the C library.
pub fn errno() -> i32 {
    number(&io::Error::last_os_error())
}

/// The error number of an I/O error; 0 when it did not come from the kernel.
pub fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

/// Makes a system call with integers only. Pointers are given as null or as [`BAD_POINTER`]: a filter refuses
/// the call all the same, and the kernel, when reached, answers `EFAULT` or `EBADF` without an effect.
pub fn call(number: c_long, arguments: [usize; 6]) -> Attempt<usize> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the kernel checks its arguments; none of the calls made through here gives it memory of this process.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result == -1 {
        Err(errno())
    } else {
        Ok(result as usize)
    }
}

/// An address that is never mapped.
pub const BAD_POINTER: usize = 1;

/// A system call that takes one path and four integers after it.
pub fn call_with_path(
    number: c_long,
    first: usize,
    path: &CStr,
    rest: [usize; 3],
) -> Attempt<usize> {
    let [a, b, c] = rest;
    // SAFETY: `path` lives through the call and the kernel only reads it.
    let result = unsafe { libc::syscall(number, first, path.as_ptr(), a, b, c) };
    if result == -1 {
        Err(errno())
    } else {
        Ok(result as usize)
    }
}

/// A system call that takes one string and three integers after it.
pub fn call_with_path_first(number: c_long, path: &CStr, rest: [usize; 3]) -> Attempt<usize> {
    let [a, b, c] = rest;
    // SAFETY: `path` lives through the call and the kernel only reads it.
    let result = unsafe { libc::syscall(number, path.as_ptr(), a, b, c) };
    if result == -1 {
        Err(errno())
    } else {
        Ok(result as usize)
    }
}

/// `mount` of a file system without options.
pub fn mount(kind: &CStr, target: &CStr) -> Attempt {
    // SAFETY: both strings live through the call and the kernel only reads them.
    let result = unsafe {
        libc::mount(
            kind.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            0,
            std::ptr::null(),
        )
    };
    if result == 0 { Ok(()) } else { Err(errno()) }
}

/// A private memory mapping; it ends when dropped.
pub struct Mapping {
    address: *mut libc::c_void,
    length: usize,
}

impl Mapping {
    /// Fresh memory.
    pub fn anonymous(length: usize, protection: c_int) -> Attempt<Self> {
        Self::new(length, protection, libc::MAP_ANONYMOUS, -1)
    }

    /// The first `length` bytes of a file.
    pub fn file(file: &File, length: usize, protection: c_int) -> Attempt<Self> {
        Self::new(length, protection, 0, file.as_raw_fd())
    }

    fn new(length: usize, protection: c_int, flags: c_int, file: c_int) -> Attempt<Self> {
        let flags = flags | libc::MAP_PRIVATE;
        // SAFETY: the kernel chooses a free range, so nothing that exists is replaced.
        let address =
            unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, file, 0) };
        if address == libc::MAP_FAILED {
            Err(errno())
        } else {
            Ok(Self { address, length })
        }
    }

    /// Changes what may be done with the memory.
    pub fn protect(&self, protection: c_int) -> Attempt {
        // SAFETY: the range is this mapping's own and no reference into it exists.
        let result = unsafe { libc::mprotect(self.address, self.length, protection) };
        if result == 0 { Ok(()) } else { Err(errno()) }
    }

    /// Writes one byte into each page, so that the kernel has to give it. The mapping must be writable.
    pub fn touch(&self) {
        for offset in (0..self.length).step_by(4096) {
            // SAFETY: `offset` is inside the mapping, which only this value refers to.
            unsafe { self.address.cast::<u8>().add(offset).write_volatile(1) };
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is this mapping's own and no reference into it exists.
        unsafe { libc::munmap(self.address, self.length) };
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// Starts a child that does `act` and exits with what it returns.
///
/// # Errors
/// The error number of `fork`.
pub fn spawn(act: impl FnOnce() -> i32) -> Attempt<libc::pid_t> {
    // SAFETY: threads are made only in children that make no child of their own, so this process has one thread and
    // its child may do all that it may.
    match unsafe { libc::fork() } {
        -1 => Err(errno()),
        0 => {
            let code = act();
            // SAFETY: ends the child at once, without the exit handlers that it shares with its parent.
            unsafe { libc::_exit(code) }
        }
        child => Ok(child),
    }
}

/// Waits for a child.
///
/// # Errors
/// The error number of `waitpid`.
pub fn wait(child: libc::pid_t) -> Attempt<Ended> {
    let mut status = 0;
    // SAFETY: `status` is a valid place for the result.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } == -1 {
        if errno() != libc::EINTR {
            return Err(errno());
        }
    }
    if libc::WIFSIGNALED(status) {
        Ok(Ended::Signal(libc::WTERMSIG(status)))
    } else {
        Ok(Ended::Code(libc::WEXITSTATUS(status)))
    }
}

/// Does `act` in a child, so that whatever it changes ends with it. Error numbers are below 256 and fit an exit code.
///
/// # Errors
/// What `act` answers; 255 when a signal ended the child.
pub fn in_child(act: impl FnOnce() -> Attempt) -> Attempt {
    match wait(spawn(|| act().err().unwrap_or(0))?)? {
        Ended::Code(0) => Ok(()),
        Ended::Code(code) => Err(code),
        Ended::Signal(_) => Err(255),
    }
}

/// `kill`.
pub fn kill(process: libc::pid_t, signal: c_int) -> Attempt {
    // SAFETY: takes integers only.
    let result = unsafe { libc::kill(process, signal) };
    if result == 0 { Ok(()) } else { Err(errno()) }
}

/// Leaves `signal` without effect on this process.
pub fn ignore(signal: c_int) {
    // SAFETY: SIG_IGN is a valid disposition and runs no code of this process.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Gives `signal` its usual effect on this process.
pub fn restore(signal: c_int) {
    // SAFETY: SIG_DFL is a valid disposition and runs no code of this process.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// The soft and the hard limit of a resource.
pub fn limit(resource: c_int) -> Attempt<(libc::rlim_t, libc::rlim_t)> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid place for the result.
    let result = unsafe { libc::getrlimit(resource, &raw mut limit) };
    if result == 0 {
        Ok((limit.rlim_cur, limit.rlim_max))
    } else {
        Err(errno())
    }
}

/// Sets both limits of a resource.
pub fn set_limit(resource: c_int, soft: libc::rlim_t, hard: libc::rlim_t) -> Attempt {
    let limit = libc::rlimit {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: `limit` lives through the call and is only read.
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    if result == 0 { Ok(()) } else { Err(errno()) }
}

/// `sched_setscheduler` of this process to the first-in-first-out class, above all normal processes.
pub fn set_real_time_scheduling() -> Attempt {
    // The structure of the system call is one integer, the priority.
    let priority: c_int = 1;
    // SAFETY: `priority` lives through the call and is only read.
    let result = unsafe {
        libc::syscall(
            libc::SYS_sched_setscheduler,
            0,
            libc::SCHED_FIFO,
            &raw const priority,
        )
    };
    if result == 0 { Ok(()) } else { Err(errno()) }
}

/// Reads the kernel's log.
pub fn read_kernel_log() -> Attempt {
    const READ_ALL: c_int = 3;
    let mut text = [0_u8; 256];
    // SAFETY: the buffer is valid for its length.
    let result =
        unsafe { libc::syscall(libc::SYS_syslog, READ_ALL, text.as_mut_ptr(), text.len()) };
    if result >= 0 { Ok(()) } else { Err(errno()) }
}

/// An `ioctl` whose argument is one byte in memory. The request is passed with all its bits.
pub fn ioctl_byte(file: c_int, request: u32, byte: u8) -> Attempt {
    // SAFETY: the requests given read at most one byte, which lives through the call.
    let result = unsafe { libc::syscall(libc::SYS_ioctl, file, request, &raw const byte) };
    if result >= 0 { Ok(()) } else { Err(errno()) }
}

/// The component id in the identity that the kernel's security module gives this process.
pub fn kernel_component() -> Attempt<[u8; 16]> {
    const LSM_GET_SELF_ATTR: c_long = 459;
    const LSM_ATTR_CURRENT: usize = 100;
    const SINGLE: usize = 1;
    // The header says which module is asked; an identity of 96 bytes follows, its component from the eighth on.
    let mut context = [0_u8; 128];
    for (place, byte) in context.iter_mut().zip(114_u64.to_le_bytes()) {
        *place = byte;
    }
    let mut size = 128_u32;
    // SAFETY: the buffer is as long as `size` says, and both live through the call.
    let result = unsafe {
        libc::syscall(
            LSM_GET_SELF_ATTR,
            LSM_ATTR_CURRENT,
            context.as_mut_ptr(),
            &raw mut size,
            SINGLE,
        )
    };
    if result == -1 {
        return Err(errno());
    }
    let mut component = [0; 16];
    for (place, byte) in component.iter_mut().zip(context.iter().skip(32 + 8)) {
        *place = *byte;
    }
    Ok(component)
}

/// Sends a byte to a local socket, and says to be another process.
pub fn send_as(socket: &impl AsRawFd, process: libc::pid_t, user: libc::uid_t) -> Attempt {
    let mut byte = *b"x";
    let mut vector = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut control = [0_usize; 16];
    let credentials = libc::ucred {
        pid: process,
        uid: user,
        gid: user,
    };
    let length = size_of_val(&credentials) as u32;
    // SAFETY: a message header without anything is all zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: the buffer is aligned as a header is and longer than one with credentials, so there is a first header
    // with room for them; the message and all that it points to live through the call.
    let result = unsafe {
        message.msg_controllen = libc::CMSG_SPACE(length) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_CREDENTIALS;
        (*header).cmsg_len = libc::CMSG_LEN(length) as _;
        libc::CMSG_DATA(header)
            .cast::<libc::ucred>()
            .write_unaligned(credentials);
        libc::sendmsg(socket.as_raw_fd(), &raw const message, 0)
    };
    if result == -1 { Err(errno()) } else { Ok(()) }
}

/// The user id of this process.
pub fn user_id() -> libc::uid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getuid() }
}

/// The process id of this process.
pub fn process_id() -> libc::pid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getpid() }
}

/// Switches the machine off, as process 1 may.
pub fn power_off() {
    // SAFETY: takes integers only; nothing on this machine is to be kept.
    unsafe {
        libc::sync();
        libc::reboot(libc::RB_POWER_OFF);
    }
}
