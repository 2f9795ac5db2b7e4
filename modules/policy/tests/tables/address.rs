// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Addresses: what the bytes of a `sockaddr` mean, and which addresses a rule covers.

use std::net::{IpAddr, Ipv4Addr};

use policy::address::number::{
    AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_SEQPACKET,
    SOCK_STREAM,
};
use policy::address::port_of_bind;
use policy::{AddressRule, Destination, SocketKind, Transport};

const UNIX: i32 = AF_UNIX as i32;
const INET: i32 = AF_INET as i32;
const INET6: i32 = AF_INET6 as i32;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A `sockaddr_in` or `sockaddr_in6` with this family, whatever the address.
fn sockaddr(family: u16, address: &str, port: u16) -> Vec<u8> {
    let mut bytes = family.to_ne_bytes().to_vec();
    bytes.extend(port.to_be_bytes());
    match ip(address) {
        IpAddr::V4(address) => {
            bytes.extend(address.octets());
            bytes.extend([0; 8]);
        }
        IpAddr::V6(address) => {
            bytes.extend([0xff; 4]);
            bytes.extend(address.octets());
            bytes.extend([0xff; 4]);
        }
    }
    bytes
}

#[test]
fn numbers_are_those_of_linux() {
    assert_eq!((AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6), (0, 1, 2, 10));
    assert_eq!((SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET), (1, 2, 5));
    assert_eq!((IPPROTO_TCP, IPPROTO_UDP), (6, 17));
}

#[test]
fn sockets_are_local_or_tcp_or_udp_or_something_else() {
    let (tcp, udp) = (
        SocketKind::Ip(Transport::Tcp),
        SocketKind::Ip(Transport::Udp),
    );
    let table = [
        (UNIX, SOCK_STREAM, 0, SocketKind::Unix),
        (UNIX, SOCK_DGRAM, 0, SocketKind::Unix),
        (UNIX, SOCK_SEQPACKET, 0, SocketKind::Unix),
        (UNIX, SOCK_STREAM, 1, SocketKind::Unix),
        (UNIX, SOCK_STREAM, 2, SocketKind::Other),
        (UNIX, 3, 0, SocketKind::Other),
        (INET, SOCK_STREAM, 0, tcp),
        (INET, SOCK_STREAM, IPPROTO_TCP, tcp),
        (INET6, SOCK_STREAM, 0, tcp),
        (INET, SOCK_DGRAM, 0, udp),
        (INET, SOCK_DGRAM, IPPROTO_UDP, udp),
        (INET6, SOCK_DGRAM, IPPROTO_UDP, udp),
        // MPTCP, SCTP, UDP-Lite, ICMP, crossed protocols, raw.
        (INET, SOCK_STREAM, 262, SocketKind::Other),
        (INET, SOCK_SEQPACKET, 132, SocketKind::Other),
        (INET, SOCK_DGRAM, 136, SocketKind::Other),
        (INET, SOCK_DGRAM, 1, SocketKind::Other),
        (INET, SOCK_DGRAM, IPPROTO_TCP, SocketKind::Other),
        (INET, SOCK_STREAM, IPPROTO_UDP, SocketKind::Other),
        (INET, 3, 0, SocketKind::Other),
        (INET6, 3, 58, SocketKind::Other),
        // Unspecified, netlink, packet, vsock, XDP.
        (0, SOCK_STREAM, 0, SocketKind::Other),
        (16, SOCK_DGRAM, 0, SocketKind::Other),
        (17, SOCK_DGRAM, 0, SocketKind::Other),
        (40, SOCK_STREAM, 0, SocketKind::Other),
        (44, 3, 0, SocketKind::Other),
    ];
    for (family, kind, protocol, expected) in table {
        let found = SocketKind::of(family, kind, protocol);
        assert_eq!(found, expected, "({family}, {kind}, {protocol})");
    }
}

#[test]
fn destinations_are_read_as_the_kernel_reads_them() {
    let v4 = Destination::Ip(ip("203.0.113.7"), 443);
    let v6 = Destination::Ip(ip("2001:db8::7"), 443);
    let table = [
        (sockaddr(AF_INET, "203.0.113.7", 443), v4, v4),
        (sockaddr(AF_INET6, "2001:db8::7", 443), v6, v6),
        // An IPv6 address that stands for an IPv4 address.
        (sockaddr(AF_INET6, "::ffff:203.0.113.7", 443), v4, v4),
        // sendto(2) on an IPv4 socket does not look at the family zero.
        (
            sockaddr(AF_UNSPEC, "203.0.113.7", 443),
            Destination::Unspecified,
            v4,
        ),
        (vec![0, 0], Destination::Unspecified, Destination::Malformed),
        (vec![], Destination::Malformed, Destination::Malformed),
        (vec![0], Destination::Malformed, Destination::Malformed),
        (
            sockaddr(AF_UNIX, "203.0.113.7", 443),
            Destination::Malformed,
            Destination::Malformed,
        ),
    ];
    for (bytes, connect, send) in table {
        assert_eq!(Destination::of_connect(&bytes), connect, "{bytes:?}");
        assert_eq!(Destination::of_send(&bytes, INET), send, "{bytes:?}");
        assert_eq!(Destination::of_send(&bytes, INET6), connect, "{bytes:?}");
    }
    // As short as the kernel takes them, and one byte shorter.
    let v4_bytes = sockaddr(AF_INET, "203.0.113.7", 443);
    assert_eq!(Destination::of_connect(&v4_bytes[..16]), v4);
    assert_eq!(
        Destination::of_connect(&v4_bytes[..15]),
        Destination::Malformed
    );
    let v6_bytes = sockaddr(AF_INET6, "2001:db8::7", 443);
    assert_eq!(Destination::of_connect(&v6_bytes[..24]), v6);
    assert_eq!(
        Destination::of_connect(&v6_bytes[..23]),
        Destination::Malformed
    );
}

#[test]
fn bind_names_a_port() {
    assert_eq!(
        port_of_bind(&sockaddr(AF_INET, "0.0.0.0", 8080)),
        Some(8080)
    );
    assert_eq!(port_of_bind(&sockaddr(AF_INET6, "::", 8080)), Some(8080));
    assert_eq!(
        port_of_bind(&sockaddr(AF_UNSPEC, "0.0.0.0", 8080)),
        Some(8080)
    );
    assert_eq!(port_of_bind(&sockaddr(AF_INET, "0.0.0.0", 0)), Some(0));
    assert_eq!(port_of_bind(&sockaddr(AF_UNIX, "0.0.0.0", 8080)), None);
    assert_eq!(port_of_bind(&[0, 0]), None);
    assert_eq!(port_of_bind(&[]), None);
}

#[test]
fn a_host_is_covered_with_all_its_ports() {
    for (address, other) in [
        ("203.0.113.7", "203.0.113.6"),
        ("203.0.113.7", "203.0.113.135"),
        ("203.0.113.7", "::cb00:7107"),
        ("2001:db8::7", "2001:db8::6"),
        ("2001:db8::7", "2001:db9::7"),
        ("::cb00:7107", "203.0.113.7"),
    ] {
        let rule = AddressRule::host(ip(address));
        for transport in [Transport::Tcp, Transport::Udp] {
            for port in [0, 1, 443, u16::MAX] {
                assert!(rule.covers(transport, ip(address), port));
                assert!(!rule.covers(transport, ip(other), port), "{other}");
            }
        }
    }
}

#[test]
fn an_address_in_the_clothes_of_the_other_family_is_the_same() {
    let rule = AddressRule::host(ip("::ffff:203.0.113.7"));
    assert_eq!(rule, AddressRule::host(ip("203.0.113.7")));
    assert!(rule.covers(Transport::Tcp, ip("::ffff:203.0.113.7"), 1));
    // All of IPv6 is not IPv4.
    let everything = AddressRule::network(ip("::"), 0).unwrap();
    assert!(everything.covers(Transport::Tcp, ip("2001:db8::7"), 1));
    assert!(!everything.covers(Transport::Tcp, ip("::ffff:203.0.113.7"), 1));
    assert!(!everything.covers(Transport::Tcp, ip("203.0.113.7"), 1));
    let everything = AddressRule::network(ip("0.0.0.0"), 0).unwrap();
    assert!(everything.covers(Transport::Tcp, ip("203.0.113.7"), 1));
    assert!(everything.covers(Transport::Tcp, ip("::ffff:203.0.113.7"), 1));
    assert!(!everything.covers(Transport::Tcp, ip("2001:db8::7"), 1));
}

#[test]
fn protocol_and_port_narrow_a_rule() {
    let (address, host) = (ip("203.0.113.7"), AddressRule::host(ip("203.0.113.7")));
    let tcp = host.only(Transport::Tcp);
    assert!(tcp.covers(Transport::Tcp, address, 443));
    assert!(!tcp.covers(Transport::Udp, address, 443));
    let udp = host.only(Transport::Udp);
    assert!(udp.covers(Transport::Udp, address, 443));
    assert!(!udp.covers(Transport::Tcp, address, 443));
    let port = host.with_port(443);
    assert!(port.covers(Transport::Tcp, address, 443));
    assert!(port.covers(Transport::Udp, address, 443));
    assert!(!port.covers(Transport::Tcp, address, 442));
    assert!(!port.covers(Transport::Tcp, address, 0));
}

#[test]
fn a_network_is_covered_up_to_its_ends() {
    let table = [
        ("192.0.2.0", 24, "192.0.2.255", "192.0.3.0"),
        ("192.0.2.128", 25, "192.0.2.255", "192.0.2.127"),
        ("192.0.2.6", 31, "192.0.2.7", "192.0.2.8"),
        ("128.0.0.0", 1, "255.255.255.255", "127.255.255.255"),
        ("10.0.0.0", 8, "10.255.255.255", "11.0.0.0"),
        ("2001:db8::", 33, "2001:db8:7fff::1", "2001:db8:8000::"),
        ("2001:db8::", 127, "2001:db8::1", "2001:db8::2"),
        ("fe80::", 10, "febf::1", "fec0::"),
    ];
    for (first, prefix, last, after) in table {
        let rule = AddressRule::network(ip(first), prefix).unwrap();
        assert!(rule.covers(Transport::Tcp, ip(first), 1), "{first}");
        assert!(rule.covers(Transport::Tcp, ip(last), 1), "{last}");
        assert!(!rule.covers(Transport::Tcp, ip(after), 1), "{after}");
    }
    let full = AddressRule::network(ip("192.0.2.1"), 32);
    assert_eq!(full, Some(AddressRule::host(ip("192.0.2.1"))));
    let full = AddressRule::network(ip("2001:db8::1"), 128);
    assert_eq!(full, Some(AddressRule::host(ip("2001:db8::1"))));
}

#[test]
fn impossible_networks_are_refused() {
    for (address, prefix) in [
        ("192.0.2.0", 33),
        ("192.0.2.0", 128),
        ("192.0.2.1", 31),
        ("192.0.2.0", 22),
        ("2001:db8::", 129),
        ("2001:db8::", 255),
        ("2001:db8::1", 127),
        ("::ffff:192.0.2.1", 128),
        ("::ffff:0.0.0.0", 96),
    ] {
        assert_eq!(
            AddressRule::network(ip(address), prefix),
            None,
            "{address}/{prefix}"
        );
    }
    assert!(AddressRule::network(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0).is_some());
}
