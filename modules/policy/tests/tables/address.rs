// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Sockets: what their numbers mean, and which addresses a rule covers.

use std::net::{IpAddr, Ipv4Addr};

use policy::address::number::{
    AF_AZSPIO, AF_INET, AF_INET6, AF_UNIX, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP,
    SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM,
};
use policy::{AddressRule, SocketKind, SocketOption, Transport};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn numbers_are_those_of_linux() {
    assert_eq!((AF_UNIX, AF_INET, AF_INET6, AF_AZSPIO), (1, 2, 10, 43));
    assert_eq!((SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET), (1, 2, 5));
    assert_eq!((IPPROTO_TCP, IPPROTO_UDP), (6, 17));
    assert_eq!((IPPROTO_IP, IPPROTO_IPV6), (0, 41));
}

#[test]
fn sockets_are_local_or_tcp_or_udp_or_something_else() {
    let (tcp, udp) = (
        SocketKind::Ip(Transport::Tcp),
        SocketKind::Ip(Transport::Udp),
    );
    let table = [
        (AF_UNIX, SOCK_STREAM, 0, SocketKind::Unix),
        (AF_UNIX, SOCK_DGRAM, 0, SocketKind::Unix),
        (AF_UNIX, SOCK_SEQPACKET, 0, SocketKind::Unix),
        (AF_UNIX, SOCK_STREAM, 1, SocketKind::Unix),
        (AF_UNIX, SOCK_STREAM, 2, SocketKind::Other),
        (AF_UNIX, 3, 0, SocketKind::Other),
        (AF_INET, SOCK_STREAM, 0, tcp),
        (AF_INET, SOCK_STREAM, IPPROTO_TCP, tcp),
        (AF_INET6, SOCK_STREAM, 0, tcp),
        (AF_INET, SOCK_DGRAM, 0, udp),
        (AF_INET, SOCK_DGRAM, IPPROTO_UDP, udp),
        (AF_INET6, SOCK_DGRAM, IPPROTO_UDP, udp),
        // MPTCP, SCTP, UDP-Lite, ICMP, crossed protocols, raw.
        (AF_INET, SOCK_STREAM, 262, SocketKind::Other),
        (AF_INET, SOCK_SEQPACKET, 132, SocketKind::Other),
        (AF_INET, SOCK_DGRAM, 136, SocketKind::Other),
        (AF_INET, SOCK_DGRAM, 1, SocketKind::Other),
        (AF_INET, SOCK_DGRAM, IPPROTO_TCP, SocketKind::Other),
        (AF_INET, SOCK_STREAM, IPPROTO_UDP, SocketKind::Other),
        (AF_INET, 3, 0, SocketKind::Other),
        (AF_INET6, 3, 58, SocketKind::Other),
        // Unspecified, netlink, packet, vsock, XDP.
        (AF_AZSPIO, SOCK_DGRAM, 0, SocketKind::Intercore),
        (AF_AZSPIO, SOCK_DGRAM, 1, SocketKind::Other),
        (AF_AZSPIO, SOCK_STREAM, 0, SocketKind::Other),
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
fn options_in_the_headers_of_packets_are_known() {
    let table = [
        // IP_OPTIONS, IP_RETOPTS; IP_TOS, IP_TTL, IP_PKTINFO.
        (IPPROTO_IP, 4, true),
        (IPPROTO_IP, 7, true),
        (IPPROTO_IP, 1, false),
        (IPPROTO_IP, 2, false),
        (IPPROTO_IP, 8, false),
        // The IPv6 options of the older interface; IPV6_ADDRFORM, IPV6_2292PKTINFO.
        (IPPROTO_IPV6, 3, true),
        (IPPROTO_IPV6, 4, true),
        (IPPROTO_IPV6, 5, true),
        (IPPROTO_IPV6, 6, true),
        (IPPROTO_IPV6, 1, false),
        (IPPROTO_IPV6, 2, false),
        // IPV6_HOPOPTS, IPV6_RTHDRDSTOPTS, IPV6_RTHDR, IPV6_DSTOPTS; IPV6_RECVRTHDR, IPV6_RECVDSTOPTS, IPV6_TCLASS.
        (IPPROTO_IPV6, 54, true),
        (IPPROTO_IPV6, 55, true),
        (IPPROTO_IPV6, 57, true),
        (IPPROTO_IPV6, 59, true),
        (IPPROTO_IPV6, 56, false),
        (IPPROTO_IPV6, 58, false),
        (IPPROTO_IPV6, 67, false),
        // The same numbers of other protocols: SOL_SOCKET, TCP.
        (1, 4, false),
        (1, 57, false),
        (6, 7, false),
    ];
    for (level, name, expected) in table {
        let option = SocketOption { level, name };
        assert_eq!(option.is_in_headers(), expected, "{option:?}");
    }
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
