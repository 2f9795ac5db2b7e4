// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Sockets of family 43, by their system calls.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use crate::machine::{LIMIT, REAL_TIME, wire_form};
use crate::sys::{self, Arg, Attempt, call};
use crate::wire::Component;

/// The family.
pub const FAMILY: i32 = 43;

/// There is something to read.
pub const POLLIN: i16 = 1;
/// There is something of priority.
pub const POLLPRI: i16 = 2;
/// Something can be written.
pub const POLLOUT: i16 = 4;
/// Something went wrong.
pub const POLLERR: i16 = 8;
/// The other side is gone.
pub const POLLHUP: i16 = 16;

/// A socket.
pub struct Socket(OwnedFd);

/// The address of a component.
pub fn address(component: &Component) -> Vec<u8> {
    let mut bytes = (FAMILY as u16).to_ne_bytes().to_vec();
    bytes.extend([0, 0]);
    bytes.extend(wire_form(component));
    bytes
}

/// `poll` of one file.
pub fn poll(file: &impl AsRawFd, events: i16, wait: Duration) -> Attempt<i16> {
    let mut entry = file.as_raw_fd().to_ne_bytes().to_vec();
    entry.extend(events.to_ne_bytes());
    entry.extend([0, 0]);
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    call(
        libc::SYS_poll,
        [Arg::Out(&mut entry), Arg::Int(1), Arg::Int(wait)],
    )?;
    Ok(entry
        .last_chunk()
        .map_or(0, |found| i16::from_ne_bytes(*found)))
}

impl Socket {
    /// `socket`.
    pub fn make(kind: i32, protocol: i32) -> Attempt<Self> {
        let arguments = [FAMILY, kind, protocol].map(|number| Arg::Int(number.into()));
        sys::call_for_descriptor(libc::SYS_socket, arguments).map(Self)
    }

    /// A datagram socket.
    pub fn new() -> Attempt<Self> {
        Self::make(libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)
    }

    /// A socket that is connected to the app on a core.
    pub fn to(core: usize) -> Attempt<Self> {
        let socket = Self::new()?;
        socket.connect(&address(&REAL_TIME[core]))?;
        socket.limit(LIMIT)?;
        Ok(socket)
    }

    fn file(&self) -> Arg<'static> {
        Arg::Int(self.0.as_raw_fd().into())
    }

    fn named(&self, call_number: libc::c_long, address: &[u8]) -> Attempt {
        let length = Arg::Int(address.len() as i64);
        call(call_number, [self.file(), Arg::In(address), length]).map(drop)
    }

    /// `connect`.
    pub fn connect(&self, address: &[u8]) -> Attempt {
        self.named(libc::SYS_connect, address)
    }

    /// `bind`.
    pub fn bind(&self, address: &[u8]) -> Attempt {
        self.named(libc::SYS_bind, address)
    }

    /// `getsockname` or `getpeername`.
    pub fn name(&self, peer: bool) -> Attempt<Vec<u8>> {
        let (mut name, mut length) = (vec![0; 128], 128_u32.to_ne_bytes());
        let which = if peer {
            libc::SYS_getpeername
        } else {
            libc::SYS_getsockname
        };
        call(
            which,
            [self.file(), Arg::Out(&mut name), Arg::Out(&mut length)],
        )?;
        name.truncate(u32::from_ne_bytes(length) as usize);
        Ok(name)
    }

    /// `setsockopt` at the level of sockets.
    pub fn set(&self, option: i32, value: &[u8]) -> Attempt {
        let arguments = [
            self.file(),
            Arg::Int(libc::SOL_SOCKET.into()),
            Arg::Int(option.into()),
            Arg::In(value),
            Arg::Int(value.len() as i64),
        ];
        call(libc::SYS_setsockopt, arguments).map(drop)
    }

    /// Limits how long sending and receiving wait.
    pub fn limit(&self, time: Duration) -> Attempt {
        let mut value = (time.as_secs() as i64).to_ne_bytes().to_vec();
        value.extend(i64::from(time.subsec_micros()).to_ne_bytes());
        // Those of 64 bits.
        self.set(66, &value)?;
        self.set(67, &value)
    }

    /// `sendto` with flags, and an address or none.
    pub fn send_to(&self, message: &[u8], flags: i32, address: Option<&[u8]>) -> Attempt<usize> {
        let arguments = [
            self.file(),
            Arg::In(message),
            Arg::Int(message.len() as i64),
            Arg::Int(flags.into()),
            address.map_or(Arg::Null, Arg::In),
            Arg::Int(address.map_or(0, <[u8]>::len) as i64),
        ];
        call(libc::SYS_sendto, arguments)
    }

    /// Sends all of a message.
    pub fn send(&self, message: &[u8]) -> Attempt {
        match self.send_to(message, 0, None)? {
            sent if sent == message.len() => Ok(()),
            _ => Err(libc::EMSGSIZE),
        }
    }

    /// `recvfrom` with flags: what the call returns, the bytes, and the address.
    pub fn receive_with(&self, room: usize, flags: i32) -> Attempt<(usize, Vec<u8>, Vec<u8>)> {
        let (mut bytes, mut name, mut length) =
            (vec![0; room], vec![0; 128], 128_u32.to_ne_bytes());
        let arguments = [
            self.file(),
            Arg::Out(&mut bytes),
            Arg::Int(room as i64),
            Arg::Int(flags.into()),
            Arg::Out(&mut name),
            Arg::Out(&mut length),
        ];
        let result = call(libc::SYS_recvfrom, arguments)?;
        bytes.truncate(result);
        name.truncate(u32::from_ne_bytes(length) as usize);
        Ok((result, bytes, name))
    }

    /// Receives a message.
    pub fn receive(&self) -> Attempt<Vec<u8>> {
        self.receive_with(2048, 0).map(|(_, bytes, _)| bytes)
    }

    /// What can be done with it, now or after a while.
    pub fn poll(&self, events: i16, wait: Duration) -> Attempt<i16> {
        poll(&self.0, events, wait)
    }
}
