// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A socket to an app on a real-time core: the one place with `unsafe`.

#![allow(unsafe_code)]

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// The family of these sockets.
const FAMILY: u16 = 43;

/// The most bytes of a message.
pub const LONGEST: usize = 1024;

/// The address of a component.
#[repr(C)]
struct Address {
    family: u16,
    port: u16,
    /// The id with its first three fields little endian.
    component: [u8; 16],
}

/// A socket that is connected to a real-time app. Messages stay whole, and in order.
pub struct Intercore(OwnedFd);

fn check(result: libc::ssize_t) -> Result<usize> {
    usize::try_from(result).map_err(|_| Error::last_os_error())
}

impl Intercore {
    /// Connects to the app with this component id, given in the order of its text.
    pub fn connect(component: [u8; 16]) -> Result<Self> {
        // SAFETY: it takes numbers only.
        let made = unsafe { libc::socket(FAMILY.into(), libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        check(made as libc::ssize_t)?;
        // SAFETY: the call has just made it, so nobody else owns it.
        let socket = unsafe { OwnedFd::from_raw_fd(made) };
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = component;
        let address = Address {
            family: FAMILY,
            port: 0,
            component: [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p],
        };
        // SAFETY: the address lives through the call, and has the size that is given.
        let connected = unsafe {
            libc::connect(
                socket.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<Address>() as libc::socklen_t,
            )
        };
        check(connected as libc::ssize_t)?;
        Ok(Self(socket))
    }

    /// Sends a message, when there is room for it.
    pub fn send(&self, message: &[u8]) -> Result<()> {
        // SAFETY: the bytes live through the call.
        let sent = unsafe {
            libc::send(
                self.0.as_raw_fd(),
                message.as_ptr().cast(),
                message.len(),
                0,
            )
        };
        check(sent).map(drop)
    }

    /// Receives a message, if one comes within the time.
    pub fn receive<'a>(
        &self,
        buffer: &'a mut [u8; LONGEST],
        time: Duration,
    ) -> Result<Option<&'a [u8]>> {
        let mut wanted = libc::pollfd {
            fd: self.0.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let time = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: there is one entry, which lives through the call.
        let found = unsafe { libc::poll(&raw mut wanted, 1, time) };
        if check(found as libc::ssize_t)? == 0 {
            return Ok(None);
        }
        // SAFETY: the buffer lives through the call, and has the size that is given.
        let received = unsafe {
            libc::recv(
                self.0.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                0,
            )
        };
        Ok(buffer.get(..check(received)?))
    }
}
