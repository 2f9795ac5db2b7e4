// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Sockets of any kind, by descriptor and bytes, so that a test can ask for what no library would.

use std::os::fd::{AsRawFd, OwnedFd};

use libc::c_int;

use crate::sys::{Arg, Attempt, call, call_for_descriptor};
use crate::wire;

/// The port that the allow-lists name.
pub const ALLOWED: u16 = 9001;
/// A port that only the other app's allow-list names.
pub const OTHER: u16 = 9002;
/// A port that the allow-list names for TCP only.
pub const ONLY_TCP: u16 = 9003;
/// The TCP port that manifests declare.
pub const TCP_DECLARED: u16 = 11000;
/// The UDP port that manifests declare.
pub const UDP_DECLARED: u16 = 12000;
/// A port that nobody declares.
pub const UNDECLARED: u16 = 13000;

/// This machine.
pub const HERE: [u8; 4] = [127, 0, 0, 1];

/// Makes a socket.
pub fn socket(family: c_int, kind: c_int, protocol: c_int) -> Attempt<OwnedFd> {
    call_for_descriptor(
        libc::SYS_socket,
        [
            Arg::Int(family.into()),
            Arg::Int((kind | libc::SOCK_CLOEXEC).into()),
            Arg::Int(protocol.into()),
        ],
    )
}

/// A TCP socket.
pub fn tcp() -> Attempt<OwnedFd> {
    socket(libc::AF_INET, libc::SOCK_STREAM, 0)
}

/// A UDP socket.
pub fn udp() -> Attempt<OwnedFd> {
    socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
}

fn with_address(number: libc::c_long, socket: &impl AsRawFd, address: &[u8]) -> Attempt {
    let [file, length] = [i64::from(socket.as_raw_fd()), address.len() as i64].map(Arg::Int);
    call(number, [file, Arg::In(address), length]).map(drop)
}

/// `bind`.
pub fn bind(socket: &impl AsRawFd, address: &[u8]) -> Attempt {
    with_address(libc::SYS_bind, socket, address)
}

/// `connect`.
pub fn connect(socket: &impl AsRawFd, address: &[u8]) -> Attempt {
    with_address(libc::SYS_connect, socket, address)
}

/// `listen`.
pub fn listen(socket: &impl AsRawFd) -> Attempt {
    call(
        libc::SYS_listen,
        [Arg::Int(socket.as_raw_fd().into()), Arg::Int(1024)],
    )
    .map(drop)
}

/// `sendto`.
pub fn send_to(socket: &impl AsRawFd, address: &[u8], flags: c_int) -> Attempt {
    call(
        libc::SYS_sendto,
        [
            Arg::Int(socket.as_raw_fd().into()),
            Arg::In(b"x"),
            Arg::Int(1),
            Arg::Int((flags | libc::MSG_NOSIGNAL).into()),
            Arg::In(address),
            Arg::Int(address.len() as i64),
        ],
    )
    .map(drop)
}

/// `send` on a connected socket.
pub fn send(socket: &impl AsRawFd) -> Attempt {
    call(
        libc::SYS_sendto,
        [
            Arg::Int(socket.as_raw_fd().into()),
            Arg::In(b"x"),
            Arg::Int(1),
            Arg::Int(libc::MSG_NOSIGNAL.into()),
            Arg::Null,
            Arg::Int(0),
        ],
    )
    .map(drop)
}

/// Sets an option whose value is an integer.
pub fn set_option(socket: &impl AsRawFd, level: c_int, option: c_int, value: i32) -> Attempt {
    set_bytes(socket, level, option, &value.to_le_bytes())
}

/// Sets an option.
pub fn set_bytes(socket: &impl AsRawFd, level: c_int, option: c_int, value: &[u8]) -> Attempt {
    call(
        libc::SYS_setsockopt,
        [
            Arg::Int(socket.as_raw_fd().into()),
            Arg::Int(level.into()),
            Arg::Int(option.into()),
            Arg::In(value),
            Arg::Int(value.len() as i64),
        ],
    )
    .map(drop)
}

/// `setresuid` of all three.
pub fn set_user(user: u32) -> Attempt {
    call(
        libc::SYS_setresuid32,
        [
            Arg::Int(user.into()),
            Arg::Int(user.into()),
            Arg::Int(user.into()),
        ],
    )
    .map(drop)
}

/// Switches the loopback interface on, with the request that needs network administration.
pub fn loopback_up() -> Attempt {
    let socket = udp()?;
    loopback_up_with(&socket)
}

/// As [`loopback_up`], with a socket that is there.
pub fn loopback_up_with(socket: &impl AsRawFd) -> Attempt {
    const UP_AND_RUNNING: u16 = 0x41;
    let mut request = [0_u8; 32];
    wire::put(&mut request, 0, b"lo");
    wire::put(&mut request, 16, &UP_AND_RUNNING.to_le_bytes());
    call(
        libc::SYS_ioctl,
        [
            Arg::Int(socket.as_raw_fd().into()),
            Arg::Int(libc::SIOCSIFFLAGS as i64),
            Arg::In(&request),
        ],
    )
    .map(drop)
}

/// Servers of process 1 on all ports that tests connect and send to, for both versions of IP.
pub fn servers() -> Attempt<Vec<OwnedFd>> {
    let mut servers = Vec::new();
    for port in [ALLOWED, OTHER, ONLY_TCP] {
        for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM] {
            let server = socket(libc::AF_INET6, kind, 0)?;
            set_option(&server, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
            bind(&server, &wire::v6([0; 16], port))?;
            if kind == libc::SOCK_STREAM {
                // Lets a client send with its first packet.
                set_option(&server, libc::IPPROTO_TCP, libc::TCP_FASTOPEN, 16)?;
                listen(&server)?;
            }
            servers.push(server);
        }
    }
    Ok(servers)
}
