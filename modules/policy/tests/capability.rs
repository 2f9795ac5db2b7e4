// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Capabilities and their sets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

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
    }
    assert_eq!(set.iter().count(), 3);
    assert_eq!(PowerControl::from_text("forcereboot"), None);
    assert_eq!(
        format!("{set:?}"),
        "{ForceReboot, ForcePowerDown, SetPowerProfile}"
    );
}

#[test]
fn application_types_are_exact() {
    for kind in [AppKind::HighLevel, AppKind::RealTime, AppKind::Debugger] {
        assert_eq!(AppKind::from_text(kind.as_str()), Some(kind));
    }
    assert_eq!(AppKind::from_text("default"), None);
    assert_eq!(AppKind::from_text(""), None);
}
