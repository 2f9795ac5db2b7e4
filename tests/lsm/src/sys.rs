// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The one place with `unsafe`: system calls, memory mappings, messages with descriptors, and children.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int, c_long, c_void};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// What became of an attempt: `Ok` when the kernel did it, else the error number.
pub type Attempt<T = ()> = Result<T, i32>;

/// The size of a page.
pub const PAGE: usize = 4096;

/// The error number of the last call into the C library.
pub fn errno() -> i32 {
    number(&io::Error::last_os_error())
}

/// The error number of an I/O error; 0 when it did not come from the kernel.
pub fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

/// An argument of a system call.
pub enum Arg<'a> {
    /// An integer or a descriptor.
    Int(i64),
    /// Bytes that the kernel reads.
    In(&'a [u8]),
    /// Bytes that the kernel writes; the call says how many in another argument, never more than there are.
    Out(&'a mut [u8]),
    /// A string.
    Text(&'a CStr),
    /// No pointer.
    Null,
}

/// Makes a system call.
pub fn call<const N: usize>(number: c_long, arguments: [Arg<'_>; N]) -> Attempt<usize> {
    let mut words = [0_usize; 6];
    for (word, argument) in words.iter_mut().zip(arguments) {
        *word = match argument {
            Arg::Int(value) => value as usize,
            Arg::In(bytes) => bytes.as_ptr() as usize,
            Arg::Out(bytes) => bytes.as_mut_ptr() as usize,
            Arg::Text(text) => text.as_ptr() as usize,
            Arg::Null => 0,
        };
    }
    let [a, b, c, d, e, f] = words;
    // SAFETY: all buffers live through the call, and callers give lengths that are within them.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result == -1 {
        Err(errno())
    } else {
        Ok(result as usize)
    }
}

fn check(result: c_int) -> Attempt<c_int> {
    if result == -1 {
        Err(errno())
    } else {
        Ok(result)
    }
}

/// A system call that answers a descriptor.
pub fn call_for_descriptor<const N: usize>(
    number: c_long,
    arguments: [Arg<'_>; N],
) -> Attempt<OwnedFd> {
    let descriptor = call(number, arguments)? as RawFd;
    // SAFETY: the call has just made it, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A string for the kernel; a zero byte within it ends it.
pub fn text(value: &str) -> CString {
    CString::new(value.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

/// A memory mapping; it ends when dropped.
pub struct Mapping {
    address: *mut c_void,
    length: usize,
}

impl Mapping {
    /// Fresh private memory.
    pub fn anonymous(protection: c_int) -> Attempt<Self> {
        Self::new(
            PAGE,
            protection,
            libc::MAP_ANONYMOUS | libc::MAP_PRIVATE,
            -1,
        )
    }

    /// Fresh memory that children share.
    pub fn shared(protection: c_int) -> Attempt<Self> {
        Self::new(PAGE, protection, libc::MAP_ANONYMOUS | libc::MAP_SHARED, -1)
    }

    /// The first page of a file, copied on write.
    pub fn file(file: &impl AsRawFd, protection: c_int) -> Attempt<Self> {
        Self::new(PAGE, protection, libc::MAP_PRIVATE, file.as_raw_fd())
    }

    /// The first page of a file itself.
    pub fn shared_file(file: &impl AsRawFd, protection: c_int) -> Attempt<Self> {
        Self::new(PAGE, protection, libc::MAP_SHARED, file.as_raw_fd())
    }

    /// Any mapping where the kernel likes.
    pub fn new(length: usize, protection: c_int, flags: c_int, file: c_int) -> Attempt<Self> {
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
        check(unsafe { libc::mprotect(self.address, self.length, protection) }).map(drop)
    }

    /// Changes what may be done with the memory, by the younger call with a protection key, of which there is none.
    pub fn protect_with_key(&self, protection: c_int) -> Attempt {
        call(
            libc::SYS_pkey_mprotect,
            [
                Arg::Int(self.address() as i64),
                Arg::Int(self.length as i64),
                Arg::Int(protection.into()),
                Arg::Int(-1),
            ],
        )
        .map(drop)
    }

    /// Writes a byte, so that the kernel has to give a page of its own. The mapping must be writable.
    pub fn touch(&self) {
        // SAFETY: the first byte is inside the mapping, which only this value refers to.
        unsafe { self.address.cast::<u8>().write_volatile(0x5a) };
    }

    /// Reads the first byte. The mapping must be readable.
    pub fn peek(&self) -> u8 {
        // SAFETY: the first byte is inside the mapping.
        unsafe { self.address.cast::<u8>().read_volatile() }
    }

    /// Where it lies.
    pub fn address(&self) -> usize {
        self.address as usize
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is this mapping's own and no reference into it exists.
        unsafe { libc::munmap(self.address, self.length) };
    }
}

/// Changes the protection of the page in which an address of this process lies.
pub fn protect_page(address: usize, protection: c_int) -> Attempt {
    let start = address & !(PAGE - 1);
    call(
        libc::SYS_mprotect,
        [
            Arg::Int(start as i64),
            Arg::Int(PAGE as i64),
            Arg::Int(protection.into()),
        ],
    )
    .map(drop)
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
    // SAFETY: threads are made only in processes that make no child afterwards, so this one has one thread and its
    // child may do all that it may.
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
    wait_with(child, 0).and_then(|ended| ended.ok_or(libc::ECHILD))
}

/// Whether a child has ended, and how.
///
/// # Errors
/// The error number of `waitpid`.
pub fn wait_with(child: libc::pid_t, flags: c_int) -> Attempt<Option<Ended>> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a valid place for the result.
        match unsafe { libc::waitpid(child, &raw mut status, flags) } {
            -1 if errno() == libc::EINTR => {}
            -1 => return Err(errno()),
            0 => return Ok(None),
            _ if libc::WIFSIGNALED(status) => {
                return Ok(Some(Ended::Signal(libc::WTERMSIG(status))));
            }
            _ => return Ok(Some(Ended::Code(libc::WEXITSTATUS(status)))),
        }
    }
}

/// Waits until a traced child has stopped.
///
/// # Errors
/// The error number of `waitpid`; `ESRCH` when it ended instead.
pub fn wait_stopped(child: libc::pid_t) -> Attempt {
    let mut status = 0;
    // SAFETY: `status` is a valid place for the result.
    check(unsafe { libc::waitpid(child, &raw mut status, libc::WUNTRACED | libc::__WALL) })?;
    if libc::WIFSTOPPED(status) {
        Ok(())
    } else {
        Err(libc::ESRCH)
    }
}

/// Does `act` in a child, so that whatever it changes ends with it.
///
/// # Errors
/// What `act` answers; 255 when a signal ended the child.
pub fn in_child(act: impl FnOnce() -> Attempt) -> Attempt {
    outcome(wait(spawn(|| code(act()))?)?)
}

/// An attempt as an exit code. Error numbers are below 250.
pub fn code(attempt: Attempt) -> i32 {
    match attempt {
        Ok(()) => 0,
        // An error without a number must not look like success.
        Err(0) => 254,
        Err(number) => number,
    }
}

/// The attempt that an ended child was.
///
/// # Errors
/// Its error number; 255 when a signal ended it.
pub fn outcome(ended: Ended) -> Attempt {
    match ended {
        Ended::Code(0) => Ok(()),
        Ended::Code(code) => Err(code),
        Ended::Signal(_) => Err(255),
    }
}

/// Becomes another program; returns only when that fails.
pub fn execute(program: &str, arguments: &[&str]) -> i32 {
    let program = text(program);
    let words: Vec<CString> = arguments.iter().map(|word| text(word)).collect();
    let mut pointers: Vec<*const std::ffi::c_char> =
        words.iter().map(|word| word.as_ptr()).collect();
    pointers.push(std::ptr::null());
    let environment = [std::ptr::null()];
    // SAFETY: all strings and both arrays, which end with a null, live through the call.
    unsafe { libc::execve(program.as_ptr(), pointers.as_ptr(), environment.as_ptr()) };
    errno()
}

/// Becomes the program that an open file holds; returns only when that fails.
pub fn execute_descriptor(file: &impl AsRawFd) -> i32 {
    let arguments = [c"x".as_ptr(), std::ptr::null()];
    let environment: [*const std::ffi::c_char; 1] = [std::ptr::null()];
    // SAFETY: the strings and both arrays, which end with a null, live through the call.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file.as_raw_fd(),
            c"".as_ptr(),
            arguments.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    errno()
}

/// `kill`.
pub fn kill(process: libc::pid_t, signal: c_int) -> Attempt {
    // SAFETY: takes integers only.
    check(unsafe { libc::kill(process, signal) }).map(drop)
}

/// Ends this process after so many seconds, whatever it waits for.
pub fn limit_time(seconds: u32) {
    // SAFETY: takes integers only; the signal has its usual effect, an end.
    unsafe { libc::alarm(seconds) };
}

/// Lets the kernel print only messages below this level.
pub fn limit_kernel_messages(level: i64) {
    const CONSOLE_LEVEL: i64 = 8;
    let _unprivileged = call(
        libc::SYS_syslog,
        [Arg::Int(CONSOLE_LEVEL), Arg::Null, Arg::Int(level)],
    );
}

/// The process id of this process.
pub fn process_id() -> libc::pid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getpid() }
}

/// A pipe: the end to read, the end to write.
pub fn pipe() -> Attempt<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    let [reader, writer] = ends;
    // SAFETY: the call has just made both, so nobody else owns them.
    Ok(unsafe { (OwnedFd::from_raw_fd(reader), OwnedFd::from_raw_fd(writer)) })
}

/// A pair of local sockets.
pub fn socket_pair(kind: c_int) -> Attempt<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    check(unsafe {
        libc::socketpair(
            libc::AF_UNIX,
            kind | libc::SOCK_CLOEXEC,
            0,
            ends.as_mut_ptr(),
        )
    })?;
    let [one, other] = ends;
    // SAFETY: the call has just made both, so nobody else owns them.
    Ok(unsafe { (OwnedFd::from_raw_fd(one), OwnedFd::from_raw_fd(other)) })
}

/// Gives an open file a number of its own that survives an exec.
pub fn place(file: &impl AsRawFd, number: RawFd) -> Attempt {
    // SAFETY: takes integers only; the numbers used are ones that nothing in this program owns.
    check(unsafe { libc::dup2(file.as_raw_fd(), number) }).map(drop)
}

/// A descriptor that this process was started with.
pub fn inherited(number: RawFd) -> Attempt<OwnedFd> {
    // SAFETY: the callers are started with it, and take it once.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    call(
        libc::SYS_fcntl64,
        [Arg::Int(number.into()), Arg::Int(libc::F_GETFD.into())],
    )?;
    Ok(descriptor)
}

/// Sends a byte with an open file.
pub fn send_descriptor(socket: &impl AsRawFd, file: &impl AsRawFd) -> Attempt {
    let mut byte = *b"x";
    let mut vector = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut control = [0_usize; 8];
    // SAFETY: a message header without anything is all zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: computes a size only; the buffer, aligned as a header is, has more than that, so there is a first header
    // with room for one descriptor.
    unsafe {
        message.msg_controllen = libc::CMSG_SPACE(size_of::<RawFd>() as u32) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
        libc::CMSG_DATA(header)
            .cast::<RawFd>()
            .write_unaligned(file.as_raw_fd());
    }
    // SAFETY: the header and all that it points to live through the call.
    let length = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, 0) };
    check(length as c_int).map(drop)
}

/// Receives a byte and, if the kernel lets it through, the open file that came with it.
pub fn receive_descriptor(socket: &impl AsRawFd) -> Attempt<Option<OwnedFd>> {
    let mut byte = [0_u8];
    let mut vector = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut control = [0_usize; 8];
    // SAFETY: a message header without anything is all zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the header and all that it points to live through the call, with the lengths that it says.
    let length =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    check(length as c_int)?;
    // SAFETY: the kernel has filled the header in; a first control message is whole, and SCM_RIGHTS has a descriptor
    // that is this process's own from now on.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        if header.is_null()
            || (*header).cmsg_type != libc::SCM_RIGHTS
            || ((*header).cmsg_len as usize) < libc::CMSG_LEN(size_of::<RawFd>() as u32) as usize
        {
            return Ok(None);
        }
        let descriptor = libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned();
        Ok(Some(OwnedFd::from_raw_fd(descriptor)))
    }
}

/// Sends a byte to an address, with options for this message: level, name and value of each.
pub fn send_with_control(
    socket: &impl AsRawFd,
    address: &[u8],
    options: &[(c_int, c_int, &[u8])],
) -> Attempt {
    let mut byte = *b"x";
    let mut vector = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut control = [0_usize; 16];
    // SAFETY: a message header without anything is all zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    // The kernel only reads the address of a message that is sent.
    message.msg_name = address.as_ptr().cast_mut().cast();
    message.msg_namelen = address.len() as _;
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: computes sizes only.
    let space = |value: &[u8]| unsafe { libc::CMSG_SPACE(value.len() as u32) } as usize;
    let length: usize = options.iter().map(|(_, _, value)| space(value)).sum();
    assert!(length <= size_of_val(&control));
    message.msg_controllen = length as _;
    // SAFETY: the buffer is aligned as a header is, and has room for all headers and values, so each of them exists.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        for &(level, name, value) in options {
            (*header).cmsg_level = level;
            (*header).cmsg_type = name;
            (*header).cmsg_len = libc::CMSG_LEN(value.len() as u32) as _;
            value
                .as_ptr()
                .copy_to_nonoverlapping(libc::CMSG_DATA(header), value.len());
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    // SAFETY: the header and all that it points to live through the call.
    let length = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, 0) };
    check(length as c_int).map(drop)
}

/// Sends two datagrams to two addresses in one call; how many were sent.
pub fn send_two(socket: &impl AsRawFd, first: &[u8], second: &[u8]) -> Attempt<usize> {
    let mut byte = *b"x";
    let mut vector = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    // SAFETY: a message header without anything is all zero.
    let mut messages: [libc::mmsghdr; 2] = unsafe { std::mem::zeroed() };
    for (message, address) in messages.iter_mut().zip([first, second]) {
        message.msg_hdr.msg_iov = &raw mut vector;
        message.msg_hdr.msg_iovlen = 1;
        // The kernel only reads the address of a message that is sent.
        message.msg_hdr.msg_name = address.as_ptr().cast_mut().cast();
        message.msg_hdr.msg_namelen = address.len() as _;
    }
    // SAFETY: both headers and all that they point to live through the call.
    check(unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), 2, 0) })
        .map(|sent| sent as usize)
}

/// Writes into this process through `process_vm_writev`; the same bytes that are there.
pub fn write_process(process: libc::pid_t, address: usize, bytes: &[u8]) -> Attempt {
    let local = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let remote = libc::iovec {
        iov_base: address as *mut c_void,
        iov_len: bytes.len(),
    };
    // SAFETY: the local vector is only read and lives through the call; the remote one is the other process's.
    let result =
        unsafe { libc::process_vm_writev(process, &raw const local, 1, &raw const remote, 1, 0) };
    if result == -1 { Err(errno()) } else { Ok(()) }
}

/// The bytes at an address of this program's code.
pub fn code_bytes(address: usize) -> [u8; 4] {
    // SAFETY: callers give the address of a function, which is readable and longer than four bytes.
    unsafe { (address as *const [u8; 4]).read_unaligned() }
}

/// Switches the machine off, as process 1 may.
pub fn power_off() {
    // SAFETY: takes integers only; nothing on this machine is to be kept.
    unsafe {
        libc::sync();
        libc::reboot(libc::RB_POWER_OFF);
    }
}
