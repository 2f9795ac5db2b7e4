// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The rule set of a component: the part of its grant that the kernel decides by, as plain bytes.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};

use crate::address::Target;
use crate::bytes::{Reader, Writer};
use crate::{
    AddressRule, AppKind, Capability, CapabilitySet, ComponentId, Errno, Grant, PowerControl,
    PowerControls, Transport,
};

/// The version in the first field.
const VERSION: u32 = 1;

/// The length of everything before the lists.
const HEADER_SIZE: usize = 40;

/// The length of a port and of a peer.
const PORT_SIZE: usize = 2;
const PEER_SIZE: usize = 16;

/// The most ports of one protocol.
pub const MAX_PORTS: usize = 64;

/// The most peers.
pub const MAX_PEERS: usize = 64;

/// The most address rules.
pub const MAX_ADDRESSES: usize = 128;

/// What the kernel knows of a component's grant, read from bytes without copying them.
///
/// The kernel keeps the bytes that [`RuleSet::parse`] accepted and makes the view again for each decision
/// with [`RuleSet::from_checked`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RuleSet<'a> {
    header: &'a [u8; HEADER_SIZE],
    tcp_ports: &'a [[u8; PORT_SIZE]],
    udp_ports: &'a [[u8; PORT_SIZE]],
    peers: &'a [[u8; PEER_SIZE]],
    addresses: &'a [[u8; AddressRule::SIZE]],
}

/// Why bytes are no rule set; the write returns `EINVAL` for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleSetError {
    /// Shorter or longer than the lengths in the header say, or than any rule set.
    Size,
    /// A version that this code does not know.
    Version,
    /// The nil component id, as the owner or as a peer.
    Nil,
    /// A capability without meaning.
    Capabilities,
    /// A kind of app that is no Linux process.
    Kind,
    /// A power control without meaning.
    Power,
    /// A reserved field that is not zero.
    Reserved,
    /// A list that is too long.
    TooMany,
    /// Ports that are zero, not sorted, or named twice.
    Ports,
    /// An address that is not as it must be.
    Address,
}

impl RuleSetError {
    /// What the write returns.
    #[must_use]
    pub const fn errno(self) -> Errno {
        Errno::EINVAL
    }

    /// The reason in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Size => "its length is not what its header says",
            Self::Version => "a version other than 1",
            Self::Nil => "the nil component id",
            Self::Capabilities => "an unknown capability",
            Self::Kind => "a kind of app that is no Linux process",
            Self::Power => "an unknown power control",
            Self::Reserved => "a reserved field that is not zero",
            Self::TooMany => "a list that is too long",
            Self::Ports => "ports that are zero, not sorted, or named twice",
            Self::Address => {
                "an address with an unknown family, protocol or prefix, or with bits after the prefix"
            }
        }
    }
}

impl fmt::Display for RuleSetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a rule set: {}", self.as_str())
    }
}

impl core::error::Error for RuleSetError {}

/// Why a grant has no rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The component id or a peer is nil.
    Nil,
    /// The app runs on a real-time core, out of the kernel's reach.
    RealTime,
    /// More entries than a rule set holds, under this key.
    TooMany(Capability),
    /// Port 0, under this key.
    ZeroPort(Capability),
    /// Addresses for an app whose `AllowedConnections` is empty.
    NoConnections,
    /// The buffer is too small; [`RuleSet::MAX_SIZE`] bytes always suffice.
    Buffer,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => formatter.write_str("the nil component id has no rule set"),
            Self::RealTime => formatter.write_str("an app on a real-time core has no rule set"),
            Self::TooMany(key) => write!(
                formatter,
                "Capabilities.{key} has more entries than the kernel keeps ({MAX_PORTS} ports of a protocol, \
                 {MAX_PEERS} apps, {MAX_ADDRESSES} addresses): remove some"
            ),
            Self::ZeroPort(key) => write!(
                formatter,
                "Capabilities.{key} has port 0, which nobody can listen on: remove it"
            ),
            Self::NoConnections => {
                formatter.write_str("addresses were given for an app without AllowedConnections")
            }
            Self::Buffer => write!(
                formatter,
                "the buffer is too small for the rule set: {} bytes always suffice",
                RuleSet::MAX_SIZE
            ),
        }
    }
}

impl core::error::Error for EncodeError {}

impl<'a> RuleSet<'a> {
    /// The most bytes that a rule set can have.
    pub const MAX_SIZE: usize = HEADER_SIZE
        + 2 * MAX_PORTS * PORT_SIZE
        + MAX_PEERS * PEER_SIZE
        + MAX_ADDRESSES * AddressRule::SIZE;

    /// The rule set that grants nothing, of no component.
    pub const EMPTY: Self = Self {
        header: &[0; HEADER_SIZE],
        tcp_ports: &[],
        udp_ports: &[],
        peers: &[],
        addresses: &[],
    };

    /// From bytes of unknown origin: every field and every entry is checked.
    ///
    /// # Errors
    ///
    /// The first thing that is not as it must be.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RuleSetError> {
        let (rules, counts) = Self::read(bytes).ok_or(RuleSetError::Size)?;
        rules.check_header(bytes.len())?;
        if counts
            .iter()
            .zip([MAX_PORTS, MAX_PORTS, MAX_PEERS, MAX_ADDRESSES])
            .any(|(&count, most)| usize::from(count) > most)
        {
            return Err(RuleSetError::TooMany);
        }
        for transport in [Transport::Tcp, Transport::Udp] {
            // Larger than the port before it, the first one larger than 0: sorted, unique, never 0.
            let mut before = 0;
            for port in rules.ports(transport) {
                if port <= before {
                    return Err(RuleSetError::Ports);
                }
                before = port;
            }
        }
        if rules.peers().any(|peer| peer == ComponentId::NIL) {
            return Err(RuleSetError::Nil);
        }
        if rules
            .addresses
            .iter()
            .any(|entry| AddressRule::parse(entry).is_none())
        {
            return Err(RuleSetError::Address);
        }
        Ok(rules)
    }

    /// From bytes that [`RuleSet::parse`] has accepted before. It checks nothing again, so it is cheap; of
    /// other bytes it makes some rule set, and one that grants nothing if they are too short.
    #[must_use]
    pub fn from_checked(bytes: &'a [u8]) -> Self {
        Self::read(bytes).map_or(Self::EMPTY, |(rules, _)| rules)
    }

    /// The header and the lists, and how long the lists are; none when the bytes end before the lists do.
    fn read(bytes: &'a [u8]) -> Option<(Self, [u16; 4])> {
        let (header, lists) = bytes.split_first_chunk()?;
        let counts = Self::field::<8>(header, 32);
        let [a, b, c, d, e, f, g, h] = counts;
        let counts = [[a, b], [c, d], [e, f], [g, h]].map(u16::from_le_bytes);
        let [tcp_ports, udp_ports, peers, addresses] = counts;
        let mut reader = Reader(lists);
        let rules = Self {
            header,
            tcp_ports: reader.entries(tcp_ports)?,
            udp_ports: reader.entries(udp_ports)?,
            peers: reader.entries(peers)?,
            addresses: reader.entries(addresses)?,
        };
        reader.0.is_empty().then_some((rules, counts))
    }

    /// Whether each field before the lists is as it must be.
    fn check_header(&self, size: usize) -> Result<(), RuleSetError> {
        let header = self.header;
        if u32::from_le_bytes(Self::field(header, 0)) != VERSION {
            return Err(RuleSetError::Version);
        }
        if usize::try_from(u32::from_le_bytes(Self::field(header, 4))) != Ok(size) {
            return Err(RuleSetError::Size);
        }
        if self.component() == ComponentId::NIL {
            return Err(RuleSetError::Nil);
        }
        if self.capabilities().is_none() {
            return Err(RuleSetError::Capabilities);
        }
        let [kind, power, reserved @ ..] = Self::field::<4>(header, 28);
        if kind_of(kind).is_none() {
            return Err(RuleSetError::Kind);
        }
        if PowerControls::from_bits(power).is_none() {
            return Err(RuleSetError::Power);
        }
        if reserved != [0, 0] {
            return Err(RuleSetError::Reserved);
        }
        Ok(())
    }

    /// The bytes of the header from a position on, which the compiler finds to be within it.
    fn field<const N: usize>(header: &[u8; HEADER_SIZE], start: usize) -> [u8; N] {
        let field = header.get(start..).and_then(<[u8]>::first_chunk);
        field.copied().unwrap_or([0; N])
    }

    /// The component.
    #[must_use]
    pub fn component(&self) -> ComponentId {
        ComponentId::from_bytes(Self::field(self.header, 8))
    }

    /// The named capabilities; none when one has no meaning.
    fn capabilities(&self) -> Option<CapabilitySet> {
        CapabilitySet::from_bits(u32::from_le_bytes(Self::field(self.header, 24)))
    }

    /// The kind of app.
    #[must_use]
    pub fn kind(&self) -> AppKind {
        let [kind] = Self::field(self.header, 28);
        kind_of(kind).unwrap_or(AppKind::HighLevel)
    }

    /// The power controls.
    fn power(&self) -> PowerControls {
        let [power] = Self::field(self.header, 29);
        PowerControls::from_bits(power).unwrap_or(PowerControls::EMPTY)
    }

    /// Whether the app may use a power control.
    #[must_use]
    pub fn controls_power(&self, control: PowerControl) -> bool {
        self.power().contains(control)
    }

    /// The declared ports, in ascending order.
    pub fn ports(self, transport: Transport) -> impl Iterator<Item = u16> + use<'a> {
        let ports = self.port_entries(transport);
        ports.iter().map(|port| u16::from_le_bytes(*port))
    }

    fn port_entries(self, transport: Transport) -> &'a [[u8; PORT_SIZE]] {
        match transport {
            Transport::Tcp => self.tcp_ports,
            Transport::Udp => self.udp_ports,
        }
    }

    /// Whether the port is declared.
    #[must_use]
    pub fn declares(&self, transport: Transport, wanted: u16) -> bool {
        let number = |port: &[u8; PORT_SIZE]| u16::from_le_bytes(*port);
        let ports = self.port_entries(transport);
        ports.binary_search_by_key(&wanted, number).is_ok()
    }

    /// The components to exchange messages with.
    pub fn peers(self) -> impl Iterator<Item = ComponentId> + use<'a> {
        self.peers.iter().map(|peer| ComponentId::from_bytes(*peer))
    }

    /// Whether the component is listed as a peer.
    #[must_use]
    pub fn lists(&self, component: ComponentId) -> bool {
        self.peers.contains(&component.to_bytes())
    }

    /// The addresses that the app may reach.
    pub fn addresses(self) -> impl Iterator<Item = AddressRule> + use<'a> {
        self.addresses.iter().filter_map(AddressRule::read)
    }

    /// Whether the app may reach the port of the address.
    #[must_use]
    pub fn reaches(&self, transport: Transport, address: IpAddr, port: u16) -> bool {
        let target = Target::new(transport, address, port);
        let mut addresses = self.addresses.iter();
        addresses.any(|entry| target.is_covered_by(entry))
    }

    /// Whether the capability grants anything.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        let named = self
            .capabilities()
            .is_some_and(|capabilities| capabilities.contains(capability));
        capability.is_for(self.kind())
            && match capability {
                Capability::AllowedApplicationConnections => !self.peers.is_empty(),
                Capability::AllowedConnections => named || !self.addresses.is_empty(),
                Capability::AllowedTcpServerPorts => !self.tcp_ports.is_empty(),
                Capability::AllowedUdpServerPorts => !self.udp_ports.is_empty(),
                Capability::PowerControls => !self.power().is_empty(),
                _ => named,
            }
    }

    /// Whether anything needs an IP socket.
    #[must_use]
    pub fn uses_network(&self) -> bool {
        Capability::NETWORK
            .iter()
            .any(|&capability| self.has(capability))
    }

    /// Writes the rule set of a grant and returns its length. The IPv4 addresses of the grant's hosts are in it;
    /// for host names, `resolved` has what they stand for.
    ///
    /// # Errors
    ///
    /// What the rule set cannot hold; the bytes of the buffer are undefined then.
    pub fn encode(
        grant: &Grant<'_>,
        resolved: &[AddressRule],
        buffer: &mut [u8],
    ) -> Result<usize, EncodeError> {
        use Capability::{
            AllowedApplicationConnections, AllowedConnections, AllowedTcpServerPorts,
            AllowedUdpServerPorts,
        };
        if grant.component == ComponentId::NIL || grant.peers.contains(&ComponentId::NIL) {
            return Err(EncodeError::Nil);
        }
        if grant.kind == AppKind::RealTime {
            return Err(EncodeError::RealTime);
        }
        if !resolved.is_empty() && !grant.has(AllowedConnections) {
            return Err(EncodeError::NoConnections);
        }
        for (ports, key) in [
            (grant.tcp_ports, AllowedTcpServerPorts),
            (grant.udp_ports, AllowedUdpServerPorts),
        ] {
            if ports.contains(&0) {
                return Err(EncodeError::ZeroPort(key));
            }
        }
        let addresses = || {
            let literals = grant.hosts.iter().filter_map(|host| host.parse().ok());
            let literals = literals.map(|address: Ipv4Addr| AddressRule::host(IpAddr::V4(address)));
            literals.chain(resolved.iter().copied())
        };
        let tcp_ports = count(ascending(grant.tcp_ports), MAX_PORTS, AllowedTcpServerPorts)?;
        let udp_ports = count(ascending(grant.udp_ports), MAX_PORTS, AllowedUdpServerPorts)?;
        let peers = count(
            ascending(grant.peers),
            MAX_PEERS,
            AllowedApplicationConnections,
        )?;
        let address_count = count(addresses(), MAX_ADDRESSES, AllowedConnections)?;
        let size = HEADER_SIZE
            + usize::from(tcp_ports + udp_ports) * PORT_SIZE
            + usize::from(peers) * PEER_SIZE
            + usize::from(address_count) * AddressRule::SIZE;
        let length = u32::try_from(size).map_err(|_| EncodeError::Buffer)?;

        let mut granted = CapabilitySet::EMPTY;
        for &capability in Capability::ALL {
            if grant.has(capability) {
                granted.insert(capability);
            }
        }
        let mut writer = Writer(buffer);
        let mut put = |bytes: &[u8]| writer.put(bytes).ok_or(EncodeError::Buffer);
        put(&VERSION.to_le_bytes())?;
        put(&length.to_le_bytes())?;
        put(&grant.component.to_bytes())?;
        put(&granted.bits().to_le_bytes())?;
        put(&[byte_of(grant.kind), grant.power.bits(), 0, 0])?;
        for count in [tcp_ports, udp_ports, peers, address_count] {
            put(&count.to_le_bytes())?;
        }
        for port in ascending(grant.tcp_ports).chain(ascending(grant.udp_ports)) {
            put(&port.to_le_bytes())?;
        }
        for peer in ascending(grant.peers) {
            put(&peer.to_bytes())?;
        }
        for address in addresses() {
            put(&address.encode())?;
        }
        Ok(size)
    }
}

impl fmt::Debug for RuleSet<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RuleSet({})", self.component())
    }
}

/// How many entries there are, if they are not too many.
fn count<T>(
    entries: impl Iterator<Item = T>,
    most: usize,
    key: Capability,
) -> Result<u16, EncodeError> {
    let count = entries.count();
    u16::try_from(count)
        .ok()
        .filter(|_| count <= most)
        .ok_or(EncodeError::TooMany(key))
}

/// The entries in ascending order, each once; without a list to sort, the next one is searched each time.
fn ascending<T: Copy + Ord>(entries: &[T]) -> impl Iterator<Item = T> + use<'_, T> {
    let entries = || entries.iter().copied();
    core::iter::successors(entries().min(), move |before| {
        entries().filter(|entry| entry > before).min()
    })
}

/// The kinds of apps that are Linux processes, with their number in a rule set.
const KINDS: [(u8, AppKind); 2] = [(0, AppKind::HighLevel), (2, AppKind::Debugger)];

/// The kind with this number.
fn kind_of(byte: u8) -> Option<AppKind> {
    let kind = KINDS.iter().find(|(number, _)| *number == byte);
    kind.map(|&(_, kind)| kind)
}

/// The number of a kind that is a Linux process.
fn byte_of(wanted: AppKind) -> u8 {
    let kind = KINDS.iter().find(|(_, kind)| *kind == wanted);
    kind.map_or(0, |&(number, _)| number)
}
