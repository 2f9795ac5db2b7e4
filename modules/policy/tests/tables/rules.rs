// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Rule sets: each field, each malformed one, and what an encoded grant allows.

use std::net::IpAddr;

use policy::rules::{MAX_ADDRESSES, MAX_PEERS, MAX_PORTS};
use policy::{
    AddressRule, AppKind, Capability, CapabilitySet, ComponentId, EncodeError, Errno, Grant,
    HostList, Peripheral, Peripherals, PowerControl, PowerControls, RuleSet, RuleSetError,
    Transport,
};

const APP: ComponentId = ComponentId::from_bytes([0xa1; 16]);
const PEER: ComponentId = ComponentId::from_bytes([0xb2; 16]);
const OTHER: ComponentId = ComponentId::from_bytes([0xc3; 16]);
const NOTHING: Grant<'static> = Grant::none(APP, AppKind::HighLevel);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn encoded(grant: &Grant<'_>, resolved: &[AddressRule]) -> Vec<u8> {
    let mut buffer = [0xee; RuleSet::MAX_SIZE];
    let length = RuleSet::encode(grant, resolved, &mut buffer).unwrap();
    buffer[..length].to_vec()
}

/// A grant with something of everything.
fn full() -> Grant<'static> {
    Grant {
        capabilities: CapabilitySet::of(&[Capability::SystemTime, Capability::WifiConfig]),
        hosts: HostList::from_lines("example.com\n203.0.113.7"),
        tcp_ports: &[8080, 1024, 8080],
        udp_ports: &[5000],
        peers: &[PEER, APP, PEER],
        peripherals: Peripherals::of(&[Peripheral::Gpio(8)]),
        power: PowerControls::EMPTY.with(PowerControl::ForceReboot),
        storage_kb: 8,
        tenant: Some("tenant"),
        ..NOTHING
    }
}

/// The bytes of [`full`] with one resolved address, written out by hand.
fn full_bytes() -> Vec<u8> {
    let named = [
        Capability::AllowedApplicationConnections,
        Capability::AllowedConnections,
        Capability::AllowedTcpServerPorts,
        Capability::AllowedUdpServerPorts,
        Capability::DeviceAuthentication,
        Capability::Gpio,
        Capability::MutableStorage,
        Capability::PowerControls,
        Capability::SystemTime,
        Capability::WifiConfig,
    ];
    let bits = named.iter().fold(0u32, |bits, &capability| {
        bits | 1
            << Capability::ALL
                .iter()
                .position(|&other| other == capability)
                .unwrap()
    });
    let mut bytes = vec![1, 0, 0, 0, 126, 0, 0, 0];
    bytes.extend([0xa1; 16]);
    bytes.extend(bits.to_le_bytes());
    bytes.extend([0, 1, 0, 0]);
    bytes.extend([2, 0, 1, 0, 2, 0, 2, 0]);
    bytes.extend([0x00, 0x04, 0x90, 0x1f]);
    bytes.extend([0x88, 0x13]);
    bytes.extend([0xa1; 16]);
    bytes.extend([0xb2; 16]);
    bytes.extend([4, 32, 3, 0, 0, 0, 0, 0, 203, 0, 113, 7]);
    bytes.extend([0; 12]);
    bytes.extend([6, 32, 1, 0, 0xbb, 0x01, 0, 0, 0x20, 0x01, 0x0d, 0xb8]);
    bytes.extend([0; 12]);
    bytes
}

fn resolved() -> AddressRule {
    AddressRule::network(ip("2001:db8::"), 32)
        .unwrap()
        .only(Transport::Tcp)
        .with_port(443)
}

#[test]
fn a_grant_becomes_the_bytes_that_the_kernel_expects() {
    assert_eq!(encoded(&full(), &[resolved()]), full_bytes());
    assert_eq!((MAX_PORTS, MAX_PEERS, MAX_ADDRESSES), (64, 64, 128));
    assert_eq!(RuleSet::MAX_SIZE, 4392);
}

#[test]
fn the_view_shows_what_was_granted() {
    let bytes = full_bytes();
    let rules = RuleSet::parse(&bytes).unwrap();
    assert_eq!(RuleSet::from_checked(&bytes), rules);
    assert_eq!(rules.component(), APP);
    assert_eq!(rules.kind(), AppKind::HighLevel);
    assert_eq!(format!("{rules:?}"), format!("RuleSet({APP})"));
    assert!(rules.controls_power(PowerControl::ForceReboot));
    assert!(!rules.controls_power(PowerControl::ForcePowerDown));
    assert_eq!(
        rules.ports(Transport::Tcp).collect::<Vec<_>>(),
        [1024, 8080]
    );
    assert_eq!(rules.ports(Transport::Udp).collect::<Vec<_>>(), [5000]);
    assert!(rules.declares(Transport::Tcp, 8080) && rules.declares(Transport::Tcp, 1024));
    assert!(!rules.declares(Transport::Udp, 8080) && !rules.declares(Transport::Tcp, 5000));
    assert!(!rules.declares(Transport::Tcp, 0));
    assert_eq!(rules.peers().collect::<Vec<_>>(), [APP, PEER]);
    assert!(rules.lists(PEER) && !rules.lists(OTHER));
    let host = AddressRule::host(ip("203.0.113.7"));
    assert_eq!(rules.addresses().collect::<Vec<_>>(), [host, resolved()]);
    assert!(rules.reaches(Transport::Udp, ip("203.0.113.7"), 1));
    assert!(rules.reaches(Transport::Tcp, ip("2001:db8::9"), 443));
    assert!(!rules.reaches(Transport::Tcp, ip("203.0.113.8"), 1));
    assert!(rules.uses_network());
    for &capability in Capability::ALL {
        assert_eq!(
            rules.has(capability),
            full().has(capability),
            "{capability}"
        );
    }
}

#[test]
fn nothing_granted_is_nothing_there() {
    let bytes = encoded(&NOTHING, &[]);
    assert_eq!(bytes.len(), 40);
    let rules = RuleSet::parse(&bytes).unwrap();
    for rules in [rules, RuleSet::EMPTY] {
        assert!(!rules.uses_network());
        for &capability in Capability::ALL {
            assert!(!rules.has(capability));
        }
        for &control in PowerControl::ALL {
            assert!(!rules.controls_power(control));
        }
        assert_eq!(rules.ports(Transport::Tcp).count(), 0);
        assert_eq!(rules.peers().count(), 0);
        assert_eq!(rules.addresses().count(), 0);
    }
    assert_eq!(RuleSet::EMPTY.component(), ComponentId::NIL);
}

#[test]
fn each_capability_arrives_alone() {
    let toggle = |capability| Grant {
        capabilities: CapabilitySet::of(&[capability]),
        ..NOTHING
    };
    let toggles = Capability::ALL.iter().copied();
    let toggles = toggles.filter(|capability| capability.is_toggle());
    let lists = [
        (
            Capability::AllowedApplicationConnections,
            Grant {
                peers: &[PEER],
                ..NOTHING
            },
            false,
        ),
        (
            Capability::AllowedConnections,
            Grant {
                hosts: HostList::from_lines("example.com"),
                ..NOTHING
            },
            true,
        ),
        (
            Capability::AllowedTcpServerPorts,
            Grant {
                tcp_ports: &[1024],
                ..NOTHING
            },
            true,
        ),
        (
            Capability::AllowedUdpServerPorts,
            Grant {
                udp_ports: &[1024],
                ..NOTHING
            },
            true,
        ),
        (
            Capability::DeviceAuthentication,
            Grant {
                tenant: Some("t"),
                ..NOTHING
            },
            false,
        ),
        (
            Capability::MutableStorage,
            Grant {
                storage_kb: 1,
                ..NOTHING
            },
            false,
        ),
        (
            Capability::PowerControls,
            Grant {
                power: PowerControls::EMPTY.with(PowerControl::SetPowerProfile),
                ..NOTHING
            },
            false,
        ),
    ];
    let table = toggles.map(|capability| (capability, toggle(capability), false));
    for (capability, grant, network) in table.chain(lists) {
        let bytes = encoded(&grant, &[]);
        let rules = RuleSet::parse(&bytes).unwrap();
        for &other in Capability::ALL {
            assert_eq!(
                rules.has(other),
                other == capability,
                "{capability}: {other}"
            );
        }
        assert_eq!(rules.uses_network(), network, "{capability}");
    }
}

#[test]
fn lists_count_and_not_the_bits_for_them() {
    let change = |change: fn(&mut Vec<u8>)| {
        let mut bytes = encoded(&NOTHING, &[]);
        change(&mut bytes);
        bytes
    };
    // All capabilities named, no list filled.
    let all = change(|bytes| bytes[24..28].copy_from_slice(&0x1fff_ffffu32.to_le_bytes()));
    let rules = RuleSet::parse(&all).unwrap();
    for (capability, expected) in [
        (Capability::AllowedApplicationConnections, false),
        (Capability::AllowedConnections, true),
        (Capability::AllowedTcpServerPorts, false),
        (Capability::AllowedUdpServerPorts, false),
        (Capability::PowerControls, false),
        (Capability::SystemTime, true),
        // Nothing for a Linux process.
        (Capability::ExternalInterrupt, false),
        (Capability::I2sSubordinate, false),
    ] {
        assert_eq!(rules.has(capability), expected, "{capability}");
    }
    // No capability named, but an address there.
    let address = change(|bytes| {
        bytes[4] = 64;
        bytes[38] = 1;
        bytes.extend([4, 32, 3, 0, 0, 0, 0, 0, 203, 0, 113, 7]);
        bytes.extend([0; 12]);
    });
    let rules = RuleSet::parse(&address).unwrap();
    assert!(rules.has(Capability::AllowedConnections) && rules.uses_network());
}

#[test]
fn malformed_bytes_are_refused() {
    type Change = fn(&mut Vec<u8>);
    const TCP: usize = 40;
    const UDP: usize = 44;
    const PEERS: usize = 46;
    const V4: usize = 78;
    const V6: usize = 102;
    let table: &[(Change, RuleSetError)] = &[
        (|bytes| bytes[0] = 0, RuleSetError::Version),
        (|bytes| bytes[0] = 2, RuleSetError::Version),
        (|bytes| bytes[1] = 1, RuleSetError::Version),
        (|bytes| bytes[4] -= 1, RuleSetError::Size),
        (|bytes| bytes[7] = 1, RuleSetError::Size),
        (|bytes| bytes.push(0), RuleSetError::Size),
        (
            |bytes| {
                bytes.push(0);
                bytes[4] += 1
            },
            RuleSetError::Size,
        ),
        (|bytes| bytes.truncate(125), RuleSetError::Size),
        (|bytes| bytes.truncate(40), RuleSetError::Size),
        (|bytes| bytes.truncate(39), RuleSetError::Size),
        (|bytes| bytes.clear(), RuleSetError::Size),
        (|bytes| bytes[32] = 3, RuleSetError::Size),
        (|bytes| bytes[38] = 3, RuleSetError::Size),
        (|bytes| bytes[39] = 0xff, RuleSetError::Size),
        (|bytes| bytes[8..24].fill(0), RuleSetError::Nil),
        (|bytes| bytes[27] |= 0x20, RuleSetError::Capabilities),
        (|bytes| bytes[27] |= 0x80, RuleSetError::Capabilities),
        (|bytes| bytes[28] = 1, RuleSetError::Kind),
        (|bytes| bytes[28] = 3, RuleSetError::Kind),
        (|bytes| bytes[29] = 8, RuleSetError::Power),
        (|bytes| bytes[29] = 0xff, RuleSetError::Power),
        (|bytes| bytes[30] = 1, RuleSetError::Reserved),
        (|bytes| bytes[31] = 1, RuleSetError::Reserved),
        (|bytes| bytes[TCP..TCP + 2].fill(0), RuleSetError::Ports),
        (
            |bytes| bytes[TCP..TCP + 4].copy_from_slice(&[1, 4, 1, 4]),
            RuleSetError::Ports,
        ),
        (
            |bytes| bytes[TCP..TCP + 4].copy_from_slice(&[2, 4, 1, 4]),
            RuleSetError::Ports,
        ),
        (|bytes| bytes[UDP..UDP + 2].fill(0), RuleSetError::Ports),
        (|bytes| bytes[PEERS..PEERS + 16].fill(0), RuleSetError::Nil),
        (|bytes| bytes[V4] = 5, RuleSetError::Address),
        (|bytes| bytes[V4] = 0, RuleSetError::Address),
        (|bytes| bytes[V4 + 1] = 33, RuleSetError::Address),
        (|bytes| bytes[V4 + 1] = 31, RuleSetError::Address),
        (|bytes| bytes[V4 + 2] = 0, RuleSetError::Address),
        (|bytes| bytes[V4 + 2] = 4, RuleSetError::Address),
        (|bytes| bytes[V4 + 3] = 1, RuleSetError::Address),
        (|bytes| bytes[V4 + 6] = 1, RuleSetError::Address),
        (|bytes| bytes[V4 + 7] = 1, RuleSetError::Address),
        (|bytes| bytes[V4 + 12] = 1, RuleSetError::Address),
        (|bytes| bytes[V4 + 23] = 1, RuleSetError::Address),
        (|bytes| bytes[V6] = 7, RuleSetError::Address),
        (|bytes| bytes[V6 + 1] = 129, RuleSetError::Address),
        (|bytes| bytes[V6 + 1] = 28, RuleSetError::Address),
        (|bytes| bytes[V6 + 3] = 1, RuleSetError::Address),
        (|bytes| bytes[V6 + 12] = 1, RuleSetError::Address),
    ];
    assert!(RuleSet::parse(&full_bytes()).is_ok());
    for (row, (change, error)) in table.iter().enumerate() {
        let mut bytes = full_bytes();
        change(&mut bytes);
        assert_eq!(RuleSet::parse(&bytes), Err(*error), "row {row}");
        assert_eq!(error.errno(), Errno::EINVAL);
    }
    let mut debugger = full_bytes();
    debugger[28] = 2;
    assert_eq!(
        RuleSet::parse(&debugger).map(|rules| rules.kind()),
        Ok(AppKind::Debugger)
    );
}

#[test]
fn bytes_that_nobody_checked_grant_nothing_beyond_their_end() {
    let whole = full_bytes();
    for length in 0..whole.len() {
        assert_eq!(RuleSet::from_checked(&whole[..length]), RuleSet::EMPTY);
    }
    let mut bytes = whole;
    bytes[24..30].fill(0xff);
    let rules = RuleSet::from_checked(&bytes);
    assert_eq!(rules.kind(), AppKind::HighLevel);
    assert!(!rules.has(Capability::SystemTime));
    assert!(!rules.controls_power(PowerControl::ForceReboot));
}

/// A rule set with so many entries in each list.
fn sized(tcp: u16, udp: u16, peers: u16, addresses: u16) -> Vec<u8> {
    let size = 40 + 2 * (tcp + udp) + 16 * peers + 24 * addresses;
    let mut bytes = vec![1, 0, 0, 0];
    bytes.extend(u32::from(size).to_le_bytes());
    bytes.extend([0xa1; 16]);
    bytes.extend([0; 8]);
    for count in [tcp, udp, peers, addresses] {
        bytes.extend(count.to_le_bytes());
    }
    for ports in [tcp, udp] {
        (1..=ports).for_each(|port| bytes.extend(port.to_le_bytes()));
    }
    (0..peers).for_each(|_| bytes.extend([0xb2; 16]));
    for _ in 0..addresses {
        bytes.extend([4, 32, 3, 0, 0, 0, 0, 0, 203, 0, 113, 7]);
        bytes.extend([0; 12]);
    }
    bytes
}

#[test]
fn lists_have_a_limit() {
    let most = sized(64, 64, 64, 128);
    assert_eq!(most.len(), RuleSet::MAX_SIZE);
    assert!(RuleSet::parse(&most).is_ok());
    for bytes in [
        sized(65, 0, 0, 0),
        sized(0, 65, 0, 0),
        sized(0, 0, 65, 0),
        sized(0, 0, 0, 129),
    ] {
        assert_eq!(RuleSet::parse(&bytes), Err(RuleSetError::TooMany));
    }
}

#[test]
fn grants_that_the_kernel_cannot_hold_are_refused() {
    use Capability as Key;
    let ports: Vec<u16> = (1024..1024 + 65).collect();
    let repeated: Vec<u16> = (1024..1024 + 64).chain(1024..1024 + 64).collect();
    let peers: Vec<_> = (1..=65)
        .map(|byte| ComponentId::from_bytes([byte; 16]))
        .collect();
    let host = AddressRule::host(ip("203.0.113.7"));
    let (most, too_many) = (vec![host; 128], vec![host; 129]);
    let hosts = HostList::from_lines("example.com");
    let connected = Grant { hosts, ..NOTHING };
    let literal = Grant {
        hosts: HostList::from_lines("192.0.2.1"),
        ..NOTHING
    };
    let nil = Grant::none(ComponentId::NIL, AppKind::HighLevel);
    let real_time = Grant::none(APP, AppKind::RealTime);
    let table: &[(Grant<'_>, &[AddressRule], Result<usize, EncodeError>)] = &[
        (nil, &[], Err(EncodeError::Nil)),
        (
            Grant {
                peers: &[PEER, ComponentId::NIL],
                ..NOTHING
            },
            &[],
            Err(EncodeError::Nil),
        ),
        (real_time, &[], Err(EncodeError::RealTime)),
        (
            Grant {
                tcp_ports: &[1, 0],
                ..NOTHING
            },
            &[],
            Err(EncodeError::ZeroPort(Key::AllowedTcpServerPorts)),
        ),
        (
            Grant {
                udp_ports: &[0],
                ..NOTHING
            },
            &[],
            Err(EncodeError::ZeroPort(Key::AllowedUdpServerPorts)),
        ),
        (
            Grant {
                tcp_ports: &ports,
                ..NOTHING
            },
            &[],
            Err(EncodeError::TooMany(Key::AllowedTcpServerPorts)),
        ),
        (
            Grant {
                udp_ports: &ports,
                ..NOTHING
            },
            &[],
            Err(EncodeError::TooMany(Key::AllowedUdpServerPorts)),
        ),
        (
            Grant {
                tcp_ports: &ports[1..],
                ..NOTHING
            },
            &[],
            Ok(168),
        ),
        (
            Grant {
                tcp_ports: &repeated,
                ..NOTHING
            },
            &[],
            Ok(168),
        ),
        (
            Grant {
                peers: &peers,
                ..NOTHING
            },
            &[],
            Err(EncodeError::TooMany(Key::AllowedApplicationConnections)),
        ),
        (
            Grant {
                peers: &peers[1..],
                ..NOTHING
            },
            &[],
            Ok(1064),
        ),
        (
            connected,
            &too_many,
            Err(EncodeError::TooMany(Key::AllowedConnections)),
        ),
        (connected, &most, Ok(3112)),
        (
            literal,
            &most,
            Err(EncodeError::TooMany(Key::AllowedConnections)),
        ),
        (literal, &most[1..], Ok(3112)),
        (NOTHING, &most[..1], Err(EncodeError::NoConnections)),
    ];
    for (row, (grant, resolved, expected)) in table.iter().enumerate() {
        let mut buffer = [0; RuleSet::MAX_SIZE];
        let found = RuleSet::encode(grant, resolved, &mut buffer);
        assert_eq!(found, *expected, "row {row}");
        if let Ok(length) = found {
            assert!(RuleSet::parse(&buffer[..length]).is_ok(), "row {row}");
        }
    }
    let length = full_bytes().len();
    let mut buffer = [0; RuleSet::MAX_SIZE];
    for size in 0..length {
        let found = RuleSet::encode(&full(), &[resolved()], &mut buffer[..size]);
        assert_eq!(found, Err(EncodeError::Buffer), "{size}");
    }
    let found = RuleSet::encode(&full(), &[resolved()], &mut buffer[..length]);
    assert_eq!(found, Ok(length));
}

#[test]
fn a_debugger_stays_one() {
    let bytes = encoded(&Grant::none(APP, AppKind::Debugger), &[]);
    assert_eq!(bytes[28], 2);
    assert_eq!(RuleSet::parse(&bytes).unwrap().kind(), AppKind::Debugger);
}

#[test]
fn hosts_with_names_have_no_addresses() {
    let hosts = HostList::from_lines("example.com\n192.0.2.1\nlocalhost\n4.example\n198.51.100.1");
    let grant = Grant { hosts, ..NOTHING };
    let bytes = encoded(&grant, &[]);
    let rules = RuleSet::parse(&bytes).unwrap();
    let addresses: Vec<_> = rules.addresses().collect();
    let expected = ["192.0.2.1", "198.51.100.1"].map(|address| AddressRule::host(ip(address)));
    assert_eq!(addresses, expected);
    assert!(rules.has(Capability::AllowedConnections));
}

#[test]
fn errors_say_what_is_wrong_and_what_to_do() {
    let table = [
        (RuleSetError::Size, "its length is not what its header says"),
        (RuleSetError::Version, "a version other than 1"),
        (RuleSetError::Nil, "the nil component id"),
        (RuleSetError::Capabilities, "an unknown capability"),
        (RuleSetError::Kind, "a kind of app that is no Linux process"),
        (RuleSetError::Power, "an unknown power control"),
        (RuleSetError::Reserved, "a reserved field that is not zero"),
        (RuleSetError::TooMany, "a list that is too long"),
        (
            RuleSetError::Ports,
            "ports that are zero, not sorted, or named twice",
        ),
        (
            RuleSetError::Address,
            "an address with an unknown family, protocol or prefix, or with bits after the prefix",
        ),
    ];
    for (error, words) in table {
        assert_eq!(error.to_string(), format!("not a rule set: {words}"));
    }
    let table = [
        (EncodeError::Nil, "the nil component id has no rule set"),
        (
            EncodeError::RealTime,
            "an app on a real-time core has no rule set",
        ),
        (
            EncodeError::TooMany(Capability::AllowedTcpServerPorts),
            "Capabilities.AllowedTcpServerPorts has more entries than the kernel keeps \
             (64 ports of a protocol, 64 apps, 128 addresses): remove some",
        ),
        (
            EncodeError::ZeroPort(Capability::AllowedUdpServerPorts),
            "Capabilities.AllowedUdpServerPorts has port 0, which nobody can listen on: remove it",
        ),
        (
            EncodeError::NoConnections,
            "addresses were given for an app without AllowedConnections",
        ),
        (
            EncodeError::Buffer,
            "the buffer is too small for the rule set: 4392 bytes always suffice",
        ),
    ];
    for (error, words) in table {
        assert_eq!(error.to_string(), words);
    }
}
