// SPDX-License-Identifier: Apache-2.0 OR MIT

//! IP sockets: who may have one, listen with it, and send where. All servers are process 1's own, on this machine.

use libc::{
    AF_ALG, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_UNSPEC, AF_VSOCK, EACCES,
    EAFNOSUPPORT, EPERM, EPROTONOSUPPORT, IPPROTO_ICMP, IPPROTO_MPTCP, IPPROTO_TCP, MSG_FASTOPEN,
    SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM,
};

use crate::case::Role::{App, Manager, Pending};
use crate::case::{Case, attack, twin};
use crate::net::{
    ALLOWED, HERE, ONLY_TCP, OTHER, TCP_DECLARED, UDP_DECLARED, UNDECLARED, bind, connect, listen,
    send, send_to, set_bytes, set_option, socket, tcp, udp,
};
use crate::stage::{Feature, GIFT, NETWORK, ONLINE, OTHER_ONLINE, PLAIN, SERVER, Stage};
use crate::sys::{self, Attempt};
use crate::wire::{LOOPBACK_6, mapped, v4, v4_as, v6};

const CREATE: &str = "socket_create";
const BIND: &str = "socket_bind";
const LISTEN: &str = "socket_listen";
const CONNECT: &str = "socket_connect";
const SEND: &str = "socket_sendmsg";
const OPTION: &str = "socket_setsockopt";
const NO: &[i32] = &[EPERM];
const NO_PORT: &[i32] = &[EACCES];

/// The cases of this area.
pub const CASES: &[Case] = &[
    // Families.
    attack(
        CREATE,
        "network",
        "tcp_socket_without_a_grant",
        App(&PLAIN),
        |_| make(AF_INET, SOCK_STREAM, 0),
        NO,
    ),
    attack(
        CREATE,
        "network",
        "udp_socket_without_a_grant",
        App(&PLAIN),
        |_| make(AF_INET, SOCK_DGRAM, 0),
        NO,
    ),
    attack(
        CREATE,
        "network",
        "tcp_socket_of_version_6_without_a_grant",
        App(&PLAIN),
        |_| make(AF_INET6, SOCK_STREAM, 0),
        NO,
    ),
    attack(
        CREATE,
        "network",
        "udp_socket_of_version_6_without_a_grant",
        App(&PLAIN),
        |_| make(AF_INET6, SOCK_DGRAM, 0),
        NO,
    ),
    attack(
        CREATE,
        "network",
        "raw_socket",
        App(&ONLINE),
        |_| make(AF_INET, SOCK_RAW, IPPROTO_ICMP),
        NO,
    ),
    attack(
        CREATE,
        "network",
        "raw_socket_of_version_6",
        App(&ONLINE),
        |_| make(AF_INET6, SOCK_RAW, libc::IPPROTO_ICMPV6),
        NO,
    ),
    attack(
        CREATE,
        "network",
        "netlink_socket",
        App(&ONLINE),
        |_| make(AF_NETLINK, SOCK_RAW, 0),
        NO,
    ),
    attack(
        CREATE,
        "P60",
        "packet_socket",
        App(&ONLINE),
        |_| make(AF_PACKET, SOCK_RAW, 0x0300),
        NO,
    )
    .needs(Feature::Packet, &[EAFNOSUPPORT]),
    attack(
        CREATE,
        "P5",
        "packet_socket_with_a_ring",
        App(&ONLINE),
        |_| make(AF_PACKET, SOCK_DGRAM, 0x0300),
        NO,
    )
    .needs(Feature::Packet, &[EAFNOSUPPORT]),
    twin(
        CREATE,
        "P60",
        "manager_makes_a_packet_socket",
        Manager,
        |_| make(AF_PACKET, SOCK_RAW, 0x0300),
    )
    .needs(Feature::Packet, &[]),
    attack(
        CREATE,
        "network",
        "mptcp_socket",
        App(&ONLINE),
        |_| make(AF_INET, SOCK_STREAM, IPPROTO_MPTCP),
        NO,
    )
    .needs(Feature::Mptcp, &[EPROTONOSUPPORT]),
    attack(
        CREATE,
        "P40",
        "socket_of_another_family",
        App(&ONLINE),
        |_| make(AF_VSOCK, SOCK_STREAM, 0),
        NO,
    )
    .needs(Feature::Vsock, &[EAFNOSUPPORT]),
    attack(
        CREATE,
        "network",
        "crypto_socket",
        App(&ONLINE),
        |_| make(AF_ALG, SOCK_SEQPACKET, 0),
        NO,
    )
    .needs(Feature::Crypto, &[EAFNOSUPPORT]),
    attack(
        CREATE,
        "S50",
        "udp_socket_with_an_odd_protocol",
        App(&ONLINE),
        |_| odd_protocol(),
        NO,
    ),
    attack(
        CREATE,
        "network",
        "tcp_socket_before_the_exec",
        Pending(&ONLINE),
        |_| make(AF_INET, SOCK_STREAM, 0),
        NO,
    ),
    twin(
        CREATE,
        "network",
        "local_socket_before_the_exec",
        Pending(&ONLINE),
        |_| make(AF_UNIX, SOCK_STREAM, 0),
    ),
    twin(CREATE, "network", "tcp_socket", App(&ONLINE), |_| {
        make(AF_INET, SOCK_STREAM, 0)
    }),
    twin(
        CREATE,
        "network",
        "tcp_socket_by_its_protocol",
        App(&ONLINE),
        |_| make(AF_INET, SOCK_STREAM, IPPROTO_TCP),
    ),
    twin(CREATE, "network", "udp_socket", App(&ONLINE), |_| {
        make(AF_INET, SOCK_DGRAM, 0)
    }),
    twin(
        CREATE,
        "network",
        "tcp_socket_of_version_6",
        App(&ONLINE),
        |_| make(AF_INET6, SOCK_STREAM, 0),
    ),
    twin(
        CREATE,
        "network",
        "tcp_socket_to_serve_only",
        App(&SERVER),
        |_| make(AF_INET, SOCK_STREAM, 0),
    ),
    twin(
        CREATE,
        "network",
        "local_socket_without_a_grant",
        App(&PLAIN),
        |_| make(AF_UNIX, SOCK_STREAM, 0),
    ),
    twin(
        CREATE,
        "network",
        "manager_makes_a_netlink_socket",
        Manager,
        |_| make(AF_NETLINK, SOCK_RAW, 0),
    ),
    // Ports.
    attack(
        BIND,
        "network",
        "bind_an_undeclared_tcp_port",
        App(&ONLINE),
        |_| bind(&tcp()?, &v4([0; 4], UNDECLARED)),
        NO_PORT,
    ),
    attack(
        BIND,
        "network",
        "bind_an_undeclared_tcp_port_of_version_6",
        App(&ONLINE),
        |_| bind(&tcp6()?, &v6([0; 16], UNDECLARED)),
        NO_PORT,
    ),
    attack(
        BIND,
        "network",
        "bind_an_undeclared_tcp_port_by_an_unspecified_family",
        App(&ONLINE),
        |_| bind(&tcp()?, &v4_as(AF_UNSPEC, [0; 4], UNDECLARED)),
        NO_PORT,
    ),
    attack(
        BIND,
        "network",
        "bind_an_undeclared_udp_port",
        App(&ONLINE),
        |_| bind(&udp()?, &v4([0; 4], UNDECLARED)),
        NO_PORT,
    ),
    attack(
        BIND,
        "network",
        "bind_the_tcp_port_for_udp",
        App(&ONLINE),
        |_| bind(&udp()?, &v4([0; 4], TCP_DECLARED)),
        NO_PORT,
    ),
    attack(
        BIND,
        "network",
        "bind_the_udp_port_for_tcp",
        App(&ONLINE),
        |_| bind(&tcp()?, &v4([0; 4], UDP_DECLARED)),
        NO_PORT,
    ),
    attack(
        BIND,
        "P61",
        "bind_the_port_of_multicast_names",
        App(&ONLINE),
        |_| bind(&udp()?, &v4([0; 4], 5353)),
        NO_PORT,
    ),
    attack(
        BIND,
        "network",
        "bind_any_port_without_hosts_to_speak_to",
        App(&SERVER),
        |_| bind(&tcp()?, &v4([0; 4], 0)),
        NO_PORT,
    ),
    twin(
        BIND,
        "network",
        "bind_the_declared_tcp_port",
        App(&ONLINE),
        |_| bind(&reusable()?, &v4([0; 4], TCP_DECLARED)),
    ),
    twin(
        BIND,
        "network",
        "bind_the_declared_udp_port",
        App(&ONLINE),
        |_| bind(&udp()?, &v4([0; 4], UDP_DECLARED)),
    ),
    twin(
        BIND,
        "network",
        "bind_the_declared_udp_port_of_version_6",
        App(&ONLINE),
        |_| bind(&udp6()?, &v6([0; 16], UDP_DECLARED)),
    ),
    twin(
        BIND,
        "network",
        "bind_any_port_with_hosts_to_speak_to",
        App(&ONLINE),
        |_| bind(&udp()?, &v4([0; 4], 0)),
    ),
    twin(BIND, "network", "manager_binds_any_port", Manager, |_| {
        bind(&tcp()?, &v4([0; 4], UNDECLARED))
    }),
    attack(
        LISTEN,
        "network",
        "listen_without_a_bind",
        App(&ONLINE),
        |_| listen(&tcp()?),
        NO_PORT,
    ),
    attack(
        LISTEN,
        "network",
        "listen_on_any_port",
        App(&ONLINE),
        |_| listen_on(&tcp()?, 0),
        NO_PORT,
    ),
    attack(
        LISTEN,
        "network",
        "listen_on_a_socket_bound_by_the_manager",
        Manager,
        bound_as_gift,
        NO_PORT,
    ),
    twin(
        LISTEN,
        "network",
        "listen_on_the_declared_port",
        App(&ONLINE),
        |_| listen_on(&reusable()?, TCP_DECLARED),
    ),
    twin(
        LISTEN,
        "network",
        "manager_listens_without_a_bind",
        Manager,
        |_| listen(&tcp()?),
    ),
    // Hosts, with a connection.
    attack(
        CONNECT,
        "network",
        "connect_to_another_port",
        App(&ONLINE),
        |_| connect(&tcp()?, &v4(HERE, OTHER)),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_to_another_host",
        App(&ONLINE),
        |_| connect(&tcp()?, &v4([127, 0, 0, 2], ALLOWED)),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_to_another_range",
        App(&ONLINE),
        |_| connect(&tcp()?, &v4([127, 2, 0, 1], ALLOWED)),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_to_another_port_of_version_6",
        App(&ONLINE),
        |_| connect(&tcp6()?, &v6(LOOPBACK_6, OTHER)),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_to_another_port_by_a_mapped_address",
        App(&ONLINE),
        |_| connect(&tcp6()?, &mapped(HERE, OTHER)),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_udp_to_another_port",
        App(&ONLINE),
        |_| connect(&udp()?, &v4(HERE, OTHER)),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_udp_to_a_port_for_tcp",
        App(&ONLINE),
        |_| connect(&udp()?, &v4(HERE, ONLY_TCP)),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_udp_of_version_6_by_an_address_of_version_4",
        App(&ONLINE),
        |_| connect(&udp6()?, &v4(HERE, OTHER)),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_fast_to_another_port",
        App(&ONLINE),
        connect_fast,
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_again_after_a_disconnect",
        App(&ONLINE),
        |_| reconnect(OTHER),
        NO,
    ),
    attack(
        CONNECT,
        "network",
        "connect_as_a_server",
        App(&SERVER),
        |_| connect(&tcp()?, &v4(HERE, ALLOWED)),
        NO,
    ),
    attack(
        CONNECT,
        "S50",
        "connect_a_socket_of_the_manager",
        Manager,
        |stage| gift(stage, tcp()?, "send-tcp-on-gift"),
        NO,
    ),
    attack(
        CONNECT,
        "S80",
        "connect_where_the_other_app_of_the_user_may",
        App(&OTHER_ONLINE),
        |_| connect(&tcp()?, &v4(HERE, ALLOWED)),
        NO,
    ),
    twin(
        CONNECT,
        "S80",
        "connect_where_the_app_itself_may",
        App(&OTHER_ONLINE),
        |_| connect(&tcp()?, &v4(HERE, OTHER)),
    ),
    twin(
        CONNECT,
        "network",
        "connect_to_the_listed_port",
        App(&ONLINE),
        |_| connect(&tcp()?, &v4(HERE, ALLOWED)),
    ),
    twin(
        CONNECT,
        "network",
        "connect_to_the_listed_range",
        App(&ONLINE),
        |_| connect(&tcp()?, &v4([127, 1, 2, 3], OTHER)),
    ),
    twin(
        CONNECT,
        "network",
        "connect_to_the_listed_port_of_version_6",
        App(&ONLINE),
        |_| connect(&tcp6()?, &v6(LOOPBACK_6, ALLOWED)),
    ),
    twin(
        CONNECT,
        "network",
        "connect_to_the_listed_port_by_a_mapped_address",
        App(&ONLINE),
        |_| connect(&tcp6()?, &mapped(HERE, ALLOWED)),
    ),
    twin(
        CONNECT,
        "network",
        "connect_udp_to_the_listed_port",
        App(&ONLINE),
        |_| connect(&udp()?, &v4(HERE, ALLOWED)),
    ),
    twin(
        CONNECT,
        "network",
        "connect_to_a_port_for_tcp",
        App(&ONLINE),
        |_| connect(&tcp()?, &v4(HERE, ONLY_TCP)),
    ),
    twin(
        CONNECT,
        "network",
        "connect_again_to_the_listed_port",
        App(&ONLINE),
        |_| reconnect(ALLOWED),
    ),
    twin(CONNECT, "network", "disconnect", App(&ONLINE), |_| {
        disconnect()
    }),
    twin(
        CONNECT,
        "S50",
        "connect_a_socket_of_the_manager_to_the_listed_port",
        Manager,
        gift_to_online,
    ),
    twin(CONNECT, "network", "manager_connects", Manager, |_| {
        connect(&tcp()?, &v4(HERE, OTHER))
    }),
    // Hosts, without one.
    attack(
        SEND,
        "network",
        "send_to_another_port",
        App(&ONLINE),
        |_| send_to(&udp()?, &v4(HERE, OTHER), 0),
        NO,
    ),
    attack(
        SEND,
        "network",
        "send_to_another_host",
        App(&ONLINE),
        |_| send_to(&udp()?, &v4([127, 0, 0, 2], ALLOWED), 0),
        NO,
    ),
    attack(
        SEND,
        "network",
        "send_to_a_port_for_tcp",
        App(&ONLINE),
        |_| send_to(&udp()?, &v4(HERE, ONLY_TCP), 0),
        NO,
    ),
    attack(
        SEND,
        "network",
        "send_by_an_unspecified_family",
        App(&ONLINE),
        |_| send_to(&udp()?, &v4_as(AF_UNSPEC, HERE, OTHER), 0),
        NO,
    ),
    attack(
        SEND,
        "network",
        "send_to_another_port_of_version_6",
        App(&ONLINE),
        |_| send_to(&udp6()?, &v6(LOOPBACK_6, OTHER), 0),
        NO,
    ),
    attack(
        SEND,
        "network",
        "send_by_a_mapped_address",
        App(&ONLINE),
        |_| send_to(&udp6()?, &mapped(HERE, OTHER), 0),
        NO,
    ),
    attack(
        SEND,
        "network",
        "send_by_version_6_to_an_address_of_version_4",
        App(&ONLINE),
        |_| send_to(&udp6()?, &v4(HERE, OTHER), 0),
        NO,
    ),
    attack(
        SEND,
        "network",
        "send_elsewhere_on_a_connected_socket",
        App(&ONLINE),
        send_elsewhere,
        NO,
    ),
    attack(
        SEND,
        "network",
        "send_the_second_of_two_elsewhere",
        App(&ONLINE),
        send_second_elsewhere,
        NO,
    ),
    attack(
        SEND,
        "network",
        "open_fast_to_another_port",
        App(&ONLINE),
        |_| send_to(&tcp()?, &v4(HERE, OTHER), MSG_FASTOPEN),
        NO,
    ),
    attack(
        SEND,
        "network",
        "open_fast_by_a_mapped_address",
        App(&ONLINE),
        |_| send_to(&tcp6()?, &mapped(HERE, OTHER), MSG_FASTOPEN),
        NO,
    ),
    attack(
        SEND,
        "S50",
        "send_on_a_socket_of_the_manager",
        Manager,
        |stage| gift(stage, udp()?, "send-udp-on-gift"),
        NO,
    ),
    attack(
        SEND,
        "S80",
        "send_where_the_other_app_of_the_user_may",
        App(&OTHER_ONLINE),
        |_| send_to(&udp()?, &v4(HERE, ALLOWED), 0),
        NO,
    ),
    // Detours: the address is listed, and the packet goes elsewhere first.
    attack(
        OPTION,
        "F06",
        "route_by_way_of_another_host",
        App(&ONLINE),
        |_| route(),
        NO,
    ),
    attack(
        OPTION,
        "F06",
        "route_by_way_of_another_host_of_version_6",
        App(&ONLINE),
        |_| route6(),
        NO,
    ),
    attack(
        SEND,
        "F06",
        "route_one_message_by_way_of_another_host",
        App(&ONLINE),
        |_| route_message(),
        NO,
    ),
    attack(
        SEND,
        "F06",
        "route_one_message_behind_another_option",
        App(&ONLINE),
        |_| route_message_behind(),
        NO,
    ),
    twin(
        OPTION,
        "F06",
        "choose_the_time_to_live",
        App(&ONLINE),
        |_| live_long(),
    ),
    twin(
        SEND,
        "F06",
        "choose_the_time_to_live_of_one_message",
        App(&ONLINE),
        |_| live_long_once(),
    ),
    twin(
        SEND,
        "S80",
        "send_where_the_app_itself_may",
        App(&OTHER_ONLINE),
        |_| send_to(&udp()?, &v4(HERE, OTHER), 0),
    ),
    twin(
        SEND,
        "network",
        "send_to_the_listed_port",
        App(&ONLINE),
        |_| send_to(&udp()?, &v4(HERE, ALLOWED), 0),
    ),
    twin(
        SEND,
        "network",
        "send_to_the_listed_port_of_version_6",
        App(&ONLINE),
        |_| send_to(&udp6()?, &v6(LOOPBACK_6, ALLOWED), 0),
    ),
    twin(
        SEND,
        "network",
        "send_to_the_listed_port_by_a_mapped_address",
        App(&ONLINE),
        |_| send_to(&udp6()?, &mapped(HERE, ALLOWED), 0),
    ),
    twin(
        SEND,
        "network",
        "send_on_a_connected_socket",
        App(&ONLINE),
        send_connected,
    ),
    twin(
        SEND,
        "network",
        "open_fast_to_the_listed_port",
        App(&ONLINE),
        |_| send_to(&tcp()?, &v4(HERE, ALLOWED), MSG_FASTOPEN),
    ),
    twin(
        SEND,
        "network",
        "send_with_NetworkConfig",
        App(&NETWORK),
        |_| send_to(&udp()?, &v4(HERE, ALLOWED), 0),
    ),
    twin(SEND, "network", "manager_sends", Manager, |_| {
        send_to(&udp()?, &v4(HERE, OTHER), 0)
    }),
];

fn make(family: i32, kind: i32, protocol: i32) -> Attempt {
    socket(family, kind, protocol).map(drop)
}

/// UDP-Lite and its kind share a type with UDP; the kernel answers that it lacks the protocol, unless it is refused first.
fn odd_protocol() -> Attempt {
    match socket(AF_INET, SOCK_DGRAM, 200) {
        Err(EPROTONOSUPPORT) | Ok(_) => Ok(()),
        Err(number) => Err(number),
    }
}

fn tcp6() -> Attempt<std::os::fd::OwnedFd> {
    socket(AF_INET6, SOCK_STREAM, 0)
}

fn udp6() -> Attempt<std::os::fd::OwnedFd> {
    socket(AF_INET6, SOCK_DGRAM, 0)
}

/// A TCP socket for a port that was in use a moment ago.
fn reusable() -> Attempt<std::os::fd::OwnedFd> {
    let socket = tcp()?;
    set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    Ok(socket)
}

fn listen_on(socket: &std::os::fd::OwnedFd, port: u16) -> Attempt {
    bind(socket, &v4([0; 4], port))?;
    listen(socket)
}

/// Asks for a connection that begins with the first data, and sends some.
fn connect_fast(_: &Stage) -> Attempt {
    const TCP_FASTOPEN_CONNECT: i32 = 30;
    let socket = tcp()?;
    set_option(&socket, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)?;
    connect(&socket, &v4(HERE, OTHER))?;
    send(&socket)
}

fn disconnect() -> Attempt {
    let socket = tcp()?;
    connect(&socket, &v4(HERE, ALLOWED))?;
    connect(&socket, &v4_as(AF_UNSPEC, [0; 4], 0))
}

fn reconnect(port: u16) -> Attempt {
    let socket = tcp()?;
    connect(&socket, &v4(HERE, ALLOWED))?;
    connect(&socket, &v4_as(AF_UNSPEC, [0; 4], 0))?;
    connect(&socket, &v4(HERE, port))
}

/// Gives an app that asks for no network a socket of the manager.
fn gift(stage: &Stage, socket: std::os::fd::OwnedFd, act: &str) -> Attempt {
    sys::place(&socket, GIFT)?;
    stage.have(&PLAIN, act)
}

fn gift_to_online(stage: &Stage) -> Attempt {
    sys::place(&tcp()?, GIFT)?;
    stage.have(&ONLINE, "send-tcp-on-gift")
}

fn bound_as_gift(stage: &Stage) -> Attempt {
    let socket = reusable()?;
    bind(&socket, &v4([0; 4], UNDECLARED + 1))?;
    sys::place(&socket, GIFT)?;
    stage.have(&ONLINE, "listen-on-gift")
}

/// Connects the socket that this process was started with.
pub fn connect_on_gift(_: &Stage) -> Attempt {
    connect(&sys::inherited(GIFT)?, &v4(HERE, ALLOWED))
}

/// Sends on the socket that this process was started with.
pub fn send_on_gift(_: &Stage) -> Attempt {
    send_to(&sys::inherited(GIFT)?, &v4(HERE, ALLOWED), 0)
}

/// Listens on the socket that this process was started with.
pub fn listen_on_gift(_: &Stage) -> Attempt {
    listen(&sys::inherited(GIFT)?)
}

fn send_elsewhere(_: &Stage) -> Attempt {
    let socket = udp()?;
    connect(&socket, &v4(HERE, ALLOWED))?;
    send_to(&socket, &v4(HERE, OTHER), 0)
}

fn send_connected(_: &Stage) -> Attempt {
    let socket = udp()?;
    connect(&socket, &v4(HERE, ALLOWED))?;
    send(&socket)
}

/// In one call, to a port that is listed and to one that is not.
fn send_second_elsewhere(_: &Stage) -> Attempt {
    match sys::send_two(&udp()?, &v4(HERE, ALLOWED), &v4(HERE, OTHER))? {
        2 => Ok(()),
        // The call tells how many went out; the reason of the second comes with the next call.
        1 => Err(EPERM),
        _ => Err(crate::case::BROKEN),
    }
}

/// The option of a packet that names a host to go through: loose source route, length, place, address, end.
const THROUGH: [u8; 8] = [0x83, 7, 4, 127, 0, 0, 2, 0];

fn route() -> Attempt {
    let socket = udp()?;
    set_bytes(&socket, libc::IPPROTO_IP, libc::IP_OPTIONS, &THROUGH)?;
    send_to(&socket, &v4(HERE, ALLOWED), 0)
}

fn route6() -> Attempt {
    const IPV6_RTHDR: i32 = 57;
    // A segment routing header: next, length in eights, type, segments left, last segment, flags, tag; two segments.
    let mut header = vec![0, 4, 4, 1, 1, 0, 0, 0];
    header.extend(LOOPBACK_6);
    header.extend(LOOPBACK_6);
    let socket = udp6()?;
    set_bytes(&socket, libc::IPPROTO_IPV6, IPV6_RTHDR, &header)?;
    send_to(&socket, &v6(LOOPBACK_6, ALLOWED), 0)
}

const IP_RETOPTS: i32 = 7;

/// The value of an option that apps may choose.
const TIME_TO_LIVE: [u8; 4] = 3_i32.to_le_bytes();

/// Sends one message to a listed address, with these options of IPv4.
fn send_by(options: &[(i32, &[u8])]) -> Attempt {
    let options: Vec<_> = options
        .iter()
        .map(|&(name, value)| (libc::IPPROTO_IP, name, value))
        .collect();
    sys::send_with_control(&udp()?, &v4(HERE, ALLOWED), &options)
}

fn route_message() -> Attempt {
    send_by(&[(IP_RETOPTS, &THROUGH)])
}

fn route_message_behind() -> Attempt {
    send_by(&[(libc::IP_TTL, &TIME_TO_LIVE), (IP_RETOPTS, &THROUGH)])
}

fn live_long() -> Attempt {
    let socket = udp()?;
    set_bytes(&socket, libc::IPPROTO_IP, libc::IP_TTL, &TIME_TO_LIVE)?;
    send_to(&socket, &v4(HERE, ALLOWED), 0)
}

fn live_long_once() -> Attempt {
    send_by(&[(libc::IP_TTL, &TIME_TO_LIVE)])
}
