// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Area F: the network, without a grant and with one.

use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;

use libc::{
    EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENETUNREACH, EPERM, EPROTONOSUPPORT, EPROTOTYPE,
    ESOCKTNOSUPPORT, c_int,
};

use super::code::read_text;
use crate::case::{Case, Place, absent, attack, fact, twin};
use crate::raw::{Attempt, call, number};

/// The cases of an app that asks for no network.
pub const CASES: &[Case] = &[
    attack("F04", "tcp_socket", tcp_socket, &[EPERM]),
    attack("F04", "udp_socket", udp_socket, &[EPERM]),
    attack("F04", "tcp_socket_of_version_6", tcp6_socket, &[EPERM]),
    twin("F04", "local_socket", local_socket),
    fact("F04", "only_the_loopback_interface_exists", only_loopback),
    fact("F05", "every_other_family_is_refused", families),
    attack("F05", "raw_socket", raw_socket, &[EPERM, EAFNOSUPPORT]),
    attack(
        "F05",
        "netlink_socket",
        netlink_socket,
        &[EPERM, EAFNOSUPPORT],
    ),
    absent(
        "F05",
        "vsock_socket",
        vsock_socket,
        &[EPERM, EAFNOSUPPORT],
        &[EAFNOSUPPORT],
    ),
    absent(
        "F05",
        "crypto_socket",
        crypto_socket,
        &[EPERM, EAFNOSUPPORT],
        &[EAFNOSUPPORT],
    ),
];

/// The TCP port that the manifest of the granted probe declares, and one that it does not.
pub const DECLARED_PORT: u16 = 11000;
const UNDECLARED_PORT: u16 = 11001;

/// The cases of an app with AllowedConnections and AllowedTcpServerPorts; this release gives it no interface.
pub const GRANTED: &[Case] = &[
    twin("F04", "tcp_socket_with_a_grant", tcp_socket),
    twin("F03", "listen_on_the_declared_port", listen_declared),
    attack(
        "F03",
        "listen_on_an_undeclared_port",
        listen_undeclared,
        &[EACCES],
    ),
    fact("F04", "only_the_loopback_interface_exists", only_loopback),
    fact("F01", "the_service_network_is_out_of_reach", unreachable),
    attack("F05", "raw_socket_with_a_grant", raw_socket, &[EPERM]),
    attack(
        "F05",
        "netlink_socket_with_a_grant",
        netlink_socket,
        &[EPERM, EAFNOSUPPORT],
    ),
];

fn socket(family: c_int, kind: c_int) -> Attempt {
    let [family, kind] = [family, kind].map(|value| value.unsigned_abs() as usize);
    call(libc::SYS_socket, [family, kind, 0, 0, 0, 0]).map(drop)
}

fn tcp_socket(_: &Place) -> Attempt {
    socket(libc::AF_INET, libc::SOCK_STREAM)
}

fn udp_socket(_: &Place) -> Attempt {
    socket(libc::AF_INET, libc::SOCK_DGRAM)
}

fn tcp6_socket(_: &Place) -> Attempt {
    socket(libc::AF_INET6, libc::SOCK_STREAM)
}

fn raw_socket(_: &Place) -> Attempt {
    let [family, kind, icmp] = [libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP]
        .map(|value| value.unsigned_abs() as usize);
    call(libc::SYS_socket, [family, kind, icmp, 0, 0, 0]).map(drop)
}

fn netlink_socket(_: &Place) -> Attempt {
    socket(libc::AF_NETLINK, libc::SOCK_RAW)
}

fn vsock_socket(_: &Place) -> Attempt {
    socket(libc::AF_VSOCK, libc::SOCK_STREAM)
}

fn crypto_socket(_: &Place) -> Attempt {
    socket(libc::AF_ALG, libc::SOCK_SEQPACKET)
}

fn local_socket(_: &Place) -> Attempt {
    UnixDatagram::pair()
        .and_then(|(one, other)| {
            one.send(b"x")?;
            other.recv(&mut [0; 1])
        })
        .map(drop)
        .map_err(|error| number(&error))
}

fn only_loopback(_: &Place) -> Attempt {
    let text = read_text("/proc/self/net/dev")?;
    let mut interfaces = text
        .lines()
        .filter_map(|line| Some(line.split_once(':')?.0.trim()));
    if interfaces.next() == Some("lo") && interfaces.next().is_none() {
        Ok(())
    } else {
        Err(libc::EEXIST)
    }
}

fn families(_: &Place) -> Attempt {
    for family in 0..64 {
        if family == libc::AF_UNIX {
            continue;
        }
        for kind in 1..=10 {
            match socket(family, kind) {
                Err(
                    EPERM | EAFNOSUPPORT | EINVAL | ESOCKTNOSUPPORT | EPROTONOSUPPORT | EPROTOTYPE,
                ) => {}
                Err(number) => return Err(number),
                Ok(()) => return Err(libc::EISCONN),
            }
        }
    }
    Ok(())
}

fn listen_declared(_: &Place) -> Attempt {
    listen(DECLARED_PORT)
}

fn listen_undeclared(_: &Place) -> Attempt {
    listen(UNDECLARED_PORT)
}

fn listen(port: u16) -> Attempt {
    TcpListener::bind(("0.0.0.0", port))
        .map(drop)
        .map_err(|error| number(&error))
}

fn unreachable(_: &Place) -> Attempt {
    let tcp = TcpStream::connect("192.168.35.2:443").map(drop);
    let udp =
        UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"x", "192.168.35.1:53"));
    for result in [tcp, udp.map(drop)] {
        let error = match result {
            Ok(()) => return Err(libc::EISCONN),
            Err(error) => error,
        };
        if !is_refusal(&error) {
            return Err(number(&error));
        }
    }
    Ok(())
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(number(error), ENETUNREACH | EACCES | EPERM | EADDRNOTAVAIL)
}
