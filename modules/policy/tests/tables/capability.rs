// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Capabilities and their sets.

use std::collections::BTreeSet;

use policy::{AppKind, Capability, CapabilitySet, PeripheralKind, PowerControl, PowerControls};

#[test]
fn each_capability_has_one_key() {
    assert_eq!(Capability::ALL.len(), 29);
    let keys: BTreeSet<_> = Capability::ALL
        .iter()
        .map(|capability| capability.key())
        .collect();
    assert_eq!(keys.len(), 29);
    for &capability in Capability::ALL {
        assert_eq!(Capability::from_key(capability.key()), Some(capability));
        assert_eq!(Capability::from_key(&capability.key().to_lowercase()), None);
        assert_eq!(capability.to_string(), capability.key());
    }
    assert!(Capability::ALL.is_sorted_by_key(|capability| capability.key()));
    assert_eq!(Capability::from_key(""), None);
}

#[test]
fn fourteen_capabilities_are_toggles_and_eight_are_peripherals() {
    let toggles = Capability::ALL
        .iter()
        .filter(|capability| capability.is_toggle());
    assert_eq!(toggles.count(), 14);
    let peripherals = Capability::ALL
        .iter()
        .filter(|&&capability| PeripheralKind::of(capability).is_some());
    assert_eq!(peripherals.count(), 8);
    let both = |capability: &&Capability| {
        capability.is_toggle() && PeripheralKind::of(**capability).is_some()
    };
    assert_eq!(Capability::ALL.iter().find(both), None);
}

#[test]
fn real_time_apps_have_peripherals_and_partners_only() {
    let of = |kind| {
        let capabilities = Capability::ALL
            .iter()
            .filter(move |capability| capability.is_for(kind));
        capabilities
            .map(|capability| capability.key())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(AppKind::RealTime),
        [
            "Adc",
            "AllowedApplicationConnections",
            "ExternalInterrupt",
            "Gpio",
            "I2cMaster",
            "I2sSubordinate",
            "Pwm",
            "SpiMaster",
            "Uart"
        ]
    );
    assert_eq!(of(AppKind::HighLevel).len(), 27);
    assert_eq!(of(AppKind::HighLevel), of(AppKind::Debugger));
    assert!(!of(AppKind::HighLevel).contains(&"ExternalInterrupt"));
    assert!(!of(AppKind::HighLevel).contains(&"I2sSubordinate"));
}

#[test]
fn a_set_has_what_was_put_in_and_nothing_else() {
    assert!(CapabilitySet::EMPTY.is_empty());
    for &member in Capability::ALL {
        let mut set = CapabilitySet::EMPTY;
        set.insert(member);
        for &other in Capability::ALL {
            assert_eq!(set.contains(other), member == other);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [member]);
        assert!(!set.is_empty());
        assert_eq!(set.with(member), set);
    }
    let set = CapabilitySet::of(&[Capability::WifiConfig, Capability::CertStore]);
    assert_eq!(format!("{set:?}"), "{CertStore, WifiConfig}");
}

#[test]
fn power_controls_are_counted_once() {
    let mut set = PowerControls::EMPTY;
    assert!(set.is_empty());
    for &control in PowerControl::ALL {
        assert_eq!(PowerControl::from_text(control.as_str()), Some(control));
        assert!(set.insert(control));
        assert!(!set.insert(control));
        assert!(!set.is_empty());
        assert_eq!(set.with(control), set);
    }
    assert_eq!(set.iter().count(), 3);
    assert_eq!(PowerControl::from_text("forcereboot"), None);
    assert_eq!(
        format!("{set:?}"),
        "{ForceReboot, ForcePowerDown, SetPowerProfile}"
    );
}

#[test]
fn masks_have_a_bit_for_each_member() {
    for (position, &member) in Capability::ALL.iter().enumerate() {
        let set = CapabilitySet::EMPTY.with(member);
        assert_eq!(set.bits(), 1 << position);
        assert_eq!(CapabilitySet::from_bits(1 << position), Some(set));
    }
    let all = CapabilitySet::of(Capability::ALL);
    assert_eq!(all.bits(), 0x1fff_ffff);
    assert_eq!(CapabilitySet::from_bits(0x1fff_ffff), Some(all));
    for unknown in [1 << 29, 1 << 31, u32::MAX] {
        assert_eq!(CapabilitySet::from_bits(unknown), None);
    }
    for (position, &control) in PowerControl::ALL.iter().enumerate() {
        let set = PowerControls::EMPTY.with(control);
        assert_eq!(set.bits(), 1 << position);
        assert_eq!(PowerControls::from_bits(1 << position), Some(set));
    }
    assert_eq!(
        PowerControls::from_bits(7).map(|set| set.iter().count()),
        Some(3)
    );
    for unknown in [8, 0x80, u8::MAX] {
        assert_eq!(PowerControls::from_bits(unknown), None);
    }
}

#[test]
fn advice_fits_the_shape_of_the_value() {
    let table = [
        (
            Capability::AllowedConnections,
            "add the host to \"AllowedConnections\"",
        ),
        (
            Capability::AllowedTcpServerPorts,
            "add the port to \"AllowedTcpServerPorts\"",
        ),
        (
            Capability::AllowedUdpServerPorts,
            "add the port to \"AllowedUdpServerPorts\"",
        ),
        (
            Capability::AllowedApplicationConnections,
            "have both apps list the component id of the other in \"AllowedApplicationConnections\"",
        ),
        (
            Capability::PowerControls,
            "add what it shall do to \"PowerControls\"",
        ),
        (Capability::SystemTime, "set \"SystemTime\" to true"),
        (Capability::Gpio, "ask for it with \"Gpio\""),
        (
            Capability::MutableStorage,
            "ask for it with \"MutableStorage\"",
        ),
    ];
    for (key, words) in table {
        assert_eq!(key.advice().to_string(), words);
    }
}

#[test]
fn application_types_are_exact() {
    for kind in [AppKind::HighLevel, AppKind::RealTime, AppKind::Debugger] {
        assert_eq!(AppKind::from_text(kind.as_str()), Some(kind));
    }
    assert_eq!(AppKind::from_text("default"), None);
    assert_eq!(AppKind::from_text(""), None);
}
