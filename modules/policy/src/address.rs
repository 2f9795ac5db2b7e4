// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Sockets and addresses as the kernel hands them over, and the addresses that an app may reach.

use core::net::IpAddr;

use crate::bytes::{Reader, joined};

/// The numbers of the socket interface on Linux that decisions are about.
pub mod number {
    /// Local sockets.
    pub const AF_UNIX: i32 = 1;
    /// IPv4.
    pub const AF_INET: i32 = 2;
    /// IPv6.
    pub const AF_INET6: i32 = 10;
    /// Apps on the real-time cores, as in the original.
    pub const AF_AZSPIO: i32 = 43;
    /// A stream.
    pub const SOCK_STREAM: i32 = 1;
    /// Datagrams.
    pub const SOCK_DGRAM: i32 = 2;
    /// Datagrams in order.
    pub const SOCK_SEQPACKET: i32 = 5;
    /// IPv4, as the level of an option.
    pub const IPPROTO_IP: i32 = 0;
    /// TCP.
    pub const IPPROTO_TCP: i32 = 6;
    /// UDP.
    pub const IPPROTO_UDP: i32 = 17;
    /// IPv6, as the level of an option.
    pub const IPPROTO_IPV6: i32 = 41;
    /// Options in the header of IPv4.
    pub const IP_OPTIONS: i32 = 4;
    /// The same for one message.
    pub const IP_RETOPTS: i32 = 7;
    /// Options for each host on the way, by the older interface.
    pub const IPV6_2292HOPOPTS: i32 = 3;
    /// Options for the destination, by the older interface.
    pub const IPV6_2292DSTOPTS: i32 = 4;
    /// A route, by the older interface.
    pub const IPV6_2292RTHDR: i32 = 5;
    /// All of these at once, by the older interface.
    pub const IPV6_2292PKTOPTIONS: i32 = 6;
    /// Options for each host on the way.
    pub const IPV6_HOPOPTS: i32 = 54;
    /// Options for each host of a route.
    pub const IPV6_RTHDRDSTOPTS: i32 = 55;
    /// A route.
    pub const IPV6_RTHDR: i32 = 57;
    /// Options for the destination.
    pub const IPV6_DSTOPTS: i32 = 59;
}

use number::{
    AF_AZSPIO, AF_INET, AF_INET6, AF_UNIX, IP_OPTIONS, IP_RETOPTS, IPPROTO_IP, IPPROTO_IPV6,
    IPPROTO_TCP, IPPROTO_UDP, IPV6_2292DSTOPTS, IPV6_2292HOPOPTS, IPV6_2292PKTOPTIONS,
    IPV6_2292RTHDR, IPV6_DSTOPTS, IPV6_HOPOPTS, IPV6_RTHDR, IPV6_RTHDRDSTOPTS, SOCK_DGRAM,
    SOCK_SEQPACKET, SOCK_STREAM,
};

/// A protocol that apps use on IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Transport {
    /// TCP.
    Tcp = 1,
    /// UDP.
    Udp = 2,
}

/// The numbers of the families in a rule set.
const FAMILY_V4: u8 = 4;
const FAMILY_V6: u8 = 6;

/// The bits of all protocols.
const EVERY_TRANSPORT: u8 = 0b11;

impl Transport {
    /// The bit in [`AddressRule::transports`].
    const fn bit(self) -> u8 {
        self as u8
    }
}

/// What kind of socket, as an app can have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// A local socket.
    Unix,
    /// A TCP or UDP socket.
    Ip(Transport),
    /// A socket to the apps on the real-time cores.
    Intercore,
    /// Anything else: raw, packet, netlink, MPTCP and so on.
    Other,
}

impl SocketKind {
    /// From the arguments of `socket(2)`, or from those fields of a socket.
    #[must_use]
    pub const fn of(family: i32, kind: i32, protocol: i32) -> Self {
        match (family, kind, protocol) {
            (AF_UNIX, SOCK_STREAM | SOCK_DGRAM | SOCK_SEQPACKET, 0 | AF_UNIX) => Self::Unix,
            (AF_INET | AF_INET6, SOCK_STREAM, 0 | IPPROTO_TCP) => Self::Ip(Transport::Tcp),
            (AF_INET | AF_INET6, SOCK_DGRAM, 0 | IPPROTO_UDP) => Self::Ip(Transport::Udp),
            (AF_AZSPIO, SOCK_DGRAM, 0) => Self::Intercore,
            _ => Self::Other,
        }
    }
}

/// Where a packet shall go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An address and a port; an IPv6 address that stands for an IPv4 address has become that.
    Ip(IpAddr, u16),
    /// No address: the end of an association, or the address that the socket is connected to.
    Unspecified,
    /// Not an address that an IP socket takes.
    Malformed,
}

/// An option of a socket, or of one message: level and name, as in `setsockopt(2)` and `cmsg(3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketOption {
    /// The protocol that has it.
    pub level: i32,
    /// Its number there.
    pub name: i32,
}

impl SocketOption {
    /// Whether it writes options into the headers of packets, which can lead them by way of other hosts than the
    /// one that they are addressed to.
    #[must_use]
    pub const fn is_in_headers(self) -> bool {
        match self.level {
            IPPROTO_IP => matches!(self.name, IP_OPTIONS | IP_RETOPTS),
            IPPROTO_IPV6 => matches!(
                self.name,
                IPV6_2292HOPOPTS
                    | IPV6_2292DSTOPTS
                    | IPV6_2292RTHDR
                    | IPV6_2292PKTOPTIONS
                    | IPV6_HOPOPTS
                    | IPV6_RTHDRDSTOPTS
                    | IPV6_RTHDR
                    | IPV6_DSTOPTS
            ),
            _ => false,
        }
    }
}

/// Addresses that an app may reach: those that share their first bits with an address, by protocol and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRule {
    address: IpAddr,
    prefix: u8,
    transports: u8,
    port: u16,
}

impl AddressRule {
    /// The length in a rule set.
    pub(crate) const SIZE: usize = 24;

    /// All ports of one address, by TCP and UDP. An IPv6 address that stands for an IPv4 address becomes that.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            prefix: width(address),
            transports: EVERY_TRANSPORT,
            port: 0,
        }
    }

    /// All addresses that share this many bits with the given one; none when the prefix is longer than the
    /// address, or bits after the prefix are set, or IPv6 addresses that stand for IPv4 addresses are named.
    #[must_use]
    pub fn network(address: IpAddr, prefix: u8) -> Option<Self> {
        let starts = [0, 32, 64, 96];
        let mut words = words(address).into_iter().zip(starts);
        let plain = words.all(|(word, start)| word & !mask(prefix, start) == 0);
        let fits = plain && prefix <= width(address) && address.to_canonical() == address;
        fits.then_some(Self {
            prefix,
            ..Self::host(address)
        })
    }

    /// The rule for one protocol only.
    #[must_use]
    pub const fn only(self, transport: Transport) -> Self {
        Self {
            transports: transport.bit(),
            ..self
        }
    }

    /// The rule for one port only; for all ports when it is 0.
    #[must_use]
    pub const fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Whether the rule allows to reach the port of the address.
    #[must_use]
    pub fn covers(&self, transport: Transport, address: IpAddr, port: u16) -> bool {
        Target::new(transport, address, port).is_covered_by(&self.encode())
    }

    /// From the bytes in a rule set, if they are as they must be.
    pub(crate) fn parse(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let rule = Self::read(bytes)?;
        let valid = Self::network(rule.address, rule.prefix).is_some()
            && matches!(rule.transports, 1..=EVERY_TRANSPORT)
            && rule.encode() == *bytes;
        valid.then_some(rule)
    }

    /// From bytes in a rule set that were found to be as they must be.
    pub(crate) fn read(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [family, prefix, transports, _] = reader.array()?;
        let (port, _) = (reader.u16()?, reader.u16()?);
        let address = match family {
            FAMILY_V4 => IpAddr::V4(reader.array::<4>()?.into()),
            FAMILY_V6 => IpAddr::V6(reader.array::<16>()?.into()),
            _ => return None,
        };
        Some(Self {
            address,
            prefix,
            transports,
            port,
        })
    }

    /// The bytes in a rule set.
    pub(crate) fn encode(&self) -> [u8; Self::SIZE] {
        let address: &[u8] = match &self.address {
            IpAddr::V4(address) => &address.octets(),
            IpAddr::V6(address) => &address.octets(),
        };
        joined([
            &[family(self.address), self.prefix, self.transports, 0],
            &self.port.to_le_bytes(),
            &[0, 0],
            address,
            &[],
        ])
    }
}

/// The number of bits of the address.
const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The number of the family in a rule set.
const fn family(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => FAMILY_V4,
        IpAddr::V6(_) => FAMILY_V6,
    }
}

/// The bits of the address in words; an IPv4 address is the first one.
///
/// Words and not one number, since the kernel for 32-bit ARM has no 128-bit shifts.
fn words(address: IpAddr) -> [u32; 4] {
    match address {
        IpAddr::V4(address) => [address.to_bits(), 0, 0, 0],
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address.octets();
            [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_be_bytes)
        }
    }
}

/// The bits of a word that are among the first ones of the address, with so many bits before the word.
fn mask(prefix: u8, start: u8) -> u32 {
    let bits = prefix.saturating_sub(start);
    !u32::MAX.checked_shr(bits.into()).unwrap_or(0)
}

/// What an app wants to reach, in the form that is compared with the entries of a rule set one by one.
pub(crate) struct Target {
    family: u8,
    transport: u8,
    port: u16,
    words: [u32; 4],
}

impl Target {
    pub(crate) fn new(transport: Transport, address: IpAddr, port: u16) -> Self {
        let address = address.to_canonical();
        Self {
            family: family(address),
            transport: transport.bit(),
            port,
            words: words(address),
        }
    }

    /// Whether an entry of a rule set covers it.
    pub(crate) fn is_covered_by(&self, entry: &[u8; AddressRule::SIZE]) -> bool {
        let [family, prefix, transports, _, low, high, _, _, address @ ..] = entry;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address;
        let port = u16::from_le_bytes([*low, *high]);
        let [first, second, third, fourth] = self.words;
        let agrees =
            |bytes, word, start| (u32::from_be_bytes(bytes) ^ word) & mask(*prefix, start) == 0;
        // The first word tells almost all addresses apart, and ends the comparison.
        *family == self.family
            && transports & self.transport != 0
            && (port == 0 || port == self.port)
            && agrees([*a, *b, *c, *d], first, 0)
            && agrees([*e, *f, *g, *h], second, 32)
            && agrees([*i, *j, *k, *l], third, 64)
            && agrees([*m, *n, *o, *p], fourth, 96)
    }
}
