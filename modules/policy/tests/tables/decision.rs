// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Each request refused without its grant, with the reason and the key, and allowed with it.

use policy::{
    AppKind, Capability, CapabilitySet, ComponentId, Denial, Errno, Grant, HostList, Peripheral,
    PeripheralKind, Peripherals, PowerControl, PowerControls, Reason, Request, Verdict,
};

const APP: ComponentId = ComponentId::from_bytes([1; 16]);
const PEER: ComponentId = ComponentId::from_bytes([2; 16]);
const NOTHING: Grant<'static> = Grant::none(APP, AppKind::HighLevel);
const REAL_TIME: Grant<'static> = Grant::none(APP, AppKind::RealTime);

fn with(peripheral: Peripheral) -> Grant<'static> {
    let peripherals = Peripherals::of(&[peripheral]);
    Grant {
        peripherals,
        ..NOTHING
    }
}

fn toggle(capability: Capability) -> Grant<'static> {
    let capabilities = CapabilitySet::of(&[capability]);
    Grant {
        capabilities,
        ..NOTHING
    }
}

fn power(control: PowerControl) -> Grant<'static> {
    let power = PowerControls::EMPTY.with(control);
    Grant { power, ..NOTHING }
}

/// A request, a grant that allows it, a grant that comes close, and what the refusal says.
type Row = (
    Request<'static>,
    Grant<'static>,
    Grant<'static>,
    Errno,
    Capability,
);

fn table() -> Vec<Row> {
    use Capability as Key;
    let hosts = |lines| Grant {
        hosts: HostList::from_lines(lines),
        ..NOTHING
    };
    let tcp = |tcp_ports| Grant {
        tcp_ports,
        ..NOTHING
    };
    let udp = |udp_ports| Grant {
        udp_ports,
        ..NOTHING
    };
    let peers = |peers| Grant { peers, ..NOTHING };
    let storage = |storage_kb| Grant {
        storage_kb,
        ..NOTHING
    };
    let tenant = Grant {
        tenant: Some("tenant"),
        ..NOTHING
    };
    let mut rows: Vec<Row> = vec![
        (
            Request::Open(Peripheral::Gpio(8)),
            with(Peripheral::Gpio(8)),
            with(Peripheral::Gpio(9)),
            Errno::EACCES,
            Key::Gpio,
        ),
        (
            Request::Open(Peripheral::Uart(0)),
            with(Peripheral::Uart(0)),
            with(Peripheral::I2cMaster(0)),
            Errno::EACCES,
            Key::Uart,
        ),
        (
            Request::Open(Peripheral::I2cMaster(2)),
            with(Peripheral::I2cMaster(2)),
            with(Peripheral::SpiMaster(2)),
            Errno::EACCES,
            Key::I2cMaster,
        ),
        (
            Request::Open(Peripheral::SpiMaster(1)),
            with(Peripheral::SpiMaster(1)),
            with(Peripheral::SpiMaster(0)),
            Errno::EACCES,
            Key::SpiMaster,
        ),
        (
            Request::Open(Peripheral::Adc(0)),
            with(Peripheral::Adc(0)),
            with(Peripheral::Gpio(41)),
            Errno::EACCES,
            Key::Adc,
        ),
        (
            Request::Open(Peripheral::Pwm(2)),
            with(Peripheral::Pwm(2)),
            with(Peripheral::Pwm(1)),
            Errno::EACCES,
            Key::Pwm,
        ),
        (
            Request::IpSocket,
            hosts("example.com"),
            toggle(Key::NetworkConfig),
            Errno::EPERM,
            Key::AllowedConnections,
        ),
        (
            Request::IpSocket,
            tcp(&[8080]),
            NOTHING,
            Errno::EPERM,
            Key::AllowedConnections,
        ),
        (
            Request::IpSocket,
            udp(&[8080]),
            NOTHING,
            Errno::EPERM,
            Key::AllowedConnections,
        ),
        (
            Request::Connect("example.com"),
            hosts("a.example\nExample.COM\n"),
            hosts("www.example.com\nexample.co"),
            Errno::EPERM,
            Key::AllowedConnections,
        ),
        (
            Request::Connect("www.example.com."),
            hosts("www.example.com"),
            hosts("example.com"),
            Errno::EPERM,
            Key::AllowedConnections,
        ),
        (
            Request::Connect("192.168.0.1"),
            hosts("192.168.0.1"),
            hosts("192.168.0.10"),
            Errno::EPERM,
            Key::AllowedConnections,
        ),
        (
            Request::BindTcp(11000),
            tcp(&[1, 11000]),
            udp(&[11000]),
            Errno::EACCES,
            Key::AllowedTcpServerPorts,
        ),
        (
            Request::BindUdp(1824),
            udp(&[1824]),
            tcp(&[1824]),
            Errno::EACCES,
            Key::AllowedUdpServerPorts,
        ),
        (
            Request::Peer(PEER),
            peers(&[APP, PEER]),
            peers(&[APP]),
            Errno::EPERM,
            Key::AllowedApplicationConnections,
        ),
        (
            Request::SetTime,
            toggle(Key::SystemTime),
            toggle(Key::TimeSyncConfig),
            Errno::EPERM,
            Key::SystemTime,
        ),
        (
            Request::SaveTime,
            toggle(Key::SystemTime),
            NOTHING,
            Errno::EACCES,
            Key::SystemTime,
        ),
        (
            Request::MutableStorage,
            storage(8),
            storage(0),
            Errno::EACCES,
            Key::MutableStorage,
        ),
        (
            Request::StoredBytes(8192),
            storage(8),
            storage(0),
            Errno::EACCES,
            Key::MutableStorage,
        ),
        (
            Request::ReadProxy,
            toggle(Key::ReadNetworkProxyConfig),
            toggle(Key::WifiConfig),
            Errno::EACCES,
            Key::ReadNetworkProxyConfig,
        ),
        (
            Request::ReadProxy,
            toggle(Key::NetworkConfig),
            NOTHING,
            Errno::EACCES,
            Key::ReadNetworkProxyConfig,
        ),
        (
            Request::Use(Key::DeviceAuthentication),
            tenant,
            NOTHING,
            Errno::EACCES,
            Key::DeviceAuthentication,
        ),
        (
            Request::Use(Key::Gpio),
            with(Peripheral::Gpio(0)),
            with(Peripheral::Uart(0)),
            Errno::EACCES,
            Key::Gpio,
        ),
    ];
    for &control in PowerControl::ALL {
        let other = match control {
            PowerControl::ForceReboot => PowerControl::ForcePowerDown,
            _ => PowerControl::ForceReboot,
        };
        rows.push((
            Request::Power(control),
            power(control),
            power(other),
            Errno::EACCES,
            Key::PowerControls,
        ));
    }
    let toggles: Vec<_> = Key::ALL
        .iter()
        .copied()
        .filter(|key| key.is_toggle())
        .collect();
    for (index, &key) in toggles.iter().enumerate() {
        let other = toggles[(index + 1) % toggles.len()];
        rows.push((
            Request::Use(key),
            toggle(key),
            toggle(other),
            Errno::EACCES,
            key,
        ));
    }
    rows
}

#[test]
fn each_request_is_refused_without_its_grant_and_allowed_with_it() {
    for (request, granted, near, errno, key) in table() {
        let denied = Verdict::Deny(Denial {
            errno,
            reason: Reason::NotGranted,
            key: Some(key),
        });
        assert_eq!(NOTHING.decide(request), denied, "{request:?}");
        assert_eq!(near.decide(request), denied, "{request:?}");
        assert_eq!(granted.decide(request), Verdict::Allow, "{request:?}");
    }
}

#[test]
fn no_real_time_app_has_what_is_for_linux_apps() {
    for (request, granted, _, errno, key) in table() {
        let real_time = Grant {
            kind: AppKind::RealTime,
            ..granted
        };
        let expected = if key.is_for(AppKind::RealTime) {
            Verdict::Allow
        } else {
            Verdict::Deny(Denial {
                errno,
                reason: Reason::NotForThisKind,
                key: None,
            })
        };
        assert_eq!(real_time.decide(request), expected, "{request:?}");
        let debugger = Grant {
            kind: AppKind::Debugger,
            ..granted
        };
        assert_eq!(debugger.decide(request), Verdict::Allow, "{request:?}");
    }
}

#[test]
fn lines_and_i2s_are_for_real_time_apps() {
    for peripheral in [
        Peripheral::ExternalInterrupt(12),
        Peripheral::I2sSubordinate(1),
    ] {
        let request = Request::Open(peripheral);
        let real_time = Grant {
            kind: AppKind::RealTime,
            ..with(peripheral)
        };
        assert_eq!(real_time.decide(request), Verdict::Allow);
        let refused = |reason, key| {
            Verdict::Deny(Denial {
                errno: Errno::EACCES,
                reason,
                key,
            })
        };
        let key = peripheral.kind().capability();
        assert_eq!(
            REAL_TIME.decide(request),
            refused(Reason::NotGranted, Some(key))
        );
        assert_eq!(
            with(peripheral).decide(request),
            refused(Reason::NotForThisKind, None)
        );
    }
}

#[test]
fn no_manifest_can_grant_what_the_chip_does_not_have() {
    for (peripheral, errno) in [
        (Peripheral::Gpio(24), Errno::ENODEV),
        (Peripheral::Gpio(81), Errno::ENODEV),
        (Peripheral::Gpio(255), Errno::ENODEV),
        (Peripheral::Uart(5), Errno::ENODEV),
        (Peripheral::Pwm(3), Errno::ENODEV),
        (Peripheral::Adc(1), Errno::ENOENT),
    ] {
        let denied = Verdict::Deny(Denial {
            errno,
            reason: Reason::NoSuchPeripheral,
            key: None,
        });
        assert_eq!(with(peripheral).decide(Request::Open(peripheral)), denied);
    }
}

#[test]
fn storage_ends_at_the_quota() {
    let grant = Grant {
        storage_kb: 64,
        ..NOTHING
    };
    assert_eq!(
        grant.decide(Request::StoredBytes(64 * 1024)),
        Verdict::Allow
    );
    let denied = Verdict::Deny(Denial {
        errno: Errno::EDQUOT,
        reason: Reason::OverQuota,
        key: Some(Capability::MutableStorage),
    });
    assert_eq!(grant.decide(Request::StoredBytes(64 * 1024 + 1)), denied);
    assert_eq!(grant.decide(Request::StoredBytes(u64::MAX)), denied);
}

#[test]
fn partners_list_each_other() {
    let one = Grant {
        peers: &[PEER],
        ..NOTHING
    };
    let both = Grant {
        peers: &[APP],
        ..Grant::none(PEER, AppKind::RealTime)
    };
    let silent = Grant::none(PEER, AppKind::RealTime);
    assert_eq!(one.decide_peers(&both), Verdict::Allow);
    assert_eq!(both.decide_peers(&one), Verdict::Allow);
    let reason = |verdict| match verdict {
        Verdict::Deny(denial) => denial.reason,
        Verdict::Allow => panic!(),
    };
    assert_eq!(reason(one.decide_peers(&silent)), Reason::NotListedByPeer);
    assert_eq!(reason(silent.decide_peers(&one)), Reason::NotGranted);
}

#[test]
fn the_empty_host_and_empty_lines_are_no_entries() {
    let hosts = HostList::from_lines("\n\na\n\n");
    assert_eq!(hosts.iter().collect::<Vec<_>>(), ["a"]);
    for host in ["", ".", "\n", "a\n"] {
        assert!(!hosts.contains(host), "{host:?}");
    }
    assert!(HostList::from_lines("\n").is_empty());
    assert!(!hosts.is_empty());
}

#[test]
fn a_toggle_set_for_another_shape_of_capability_grants_nothing() {
    for kind in PeripheralKind::ALL {
        assert!(!toggle(kind.capability()).has(kind.capability()));
    }
    assert!(!toggle(Capability::MutableStorage).has(Capability::MutableStorage));
}

#[test]
fn a_denial_explains_itself() {
    let Err(denial) = NOTHING.decide(Request::Open(Peripheral::Gpio(8))).allowed() else {
        panic!()
    };
    let text = "not granted by the manifest (EACCES); the key is Capabilities.Gpio";
    assert_eq!(denial.to_string(), text);
    assert_eq!(denial.errno.number(), 13);
    let Err(denial) = NOTHING.decide(Request::Open(Peripheral::Adc(9))).allowed() else {
        panic!()
    };
    let text = "not a peripheral that apps can use on this chip (ENOENT)";
    assert_eq!(denial.to_string(), text);
    assert!(
        with(Peripheral::Gpio(8))
            .decide(Request::Open(Peripheral::Gpio(8)))
            .is_allowed()
    );
}
