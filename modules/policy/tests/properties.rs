// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What holds for every grant and every request.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use policy::conflict::shared_pin;
use policy::{
    AppKind, Capability, CapabilitySet, ComponentId, DeviceError, Grant, HostList, Peripheral,
    PeripheralKind, Peripherals, PowerControl, PowerControls, Request, Verdict, check_install,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A grant that owns its lists.
#[derive(Clone, Debug)]
struct Owned {
    component: ComponentId,
    kind: AppKind,
    capabilities: Vec<Capability>,
    hosts: String,
    tcp_ports: Vec<u16>,
    udp_ports: Vec<u16>,
    peers: Vec<ComponentId>,
    peripherals: Vec<Peripheral>,
    power: Vec<PowerControl>,
    storage_kb: u32,
    tenant: Option<String>,
}

impl Owned {
    fn grant(&self) -> Grant<'_> {
        Grant {
            component: self.component,
            kind: self.kind,
            capabilities: CapabilitySet::of(&self.capabilities),
            hosts: HostList::from_lines(&self.hosts),
            tcp_ports: &self.tcp_ports,
            udp_ports: &self.udp_ports,
            peers: &self.peers,
            peripherals: Peripherals::of(&self.peripherals),
            power: self
                .power
                .iter()
                .fold(PowerControls::EMPTY, |set, &control| set.with(control)),
            storage_kb: self.storage_kb,
            tenant: self.tenant.as_deref(),
        }
    }

    /// Everything of this grant and of another.
    fn joined(&self, other: &Self) -> Self {
        let both = |one: &Vec<_>, two: &Vec<_>| [one.clone(), two.clone()].concat();
        Self {
            component: self.component,
            kind: self.kind,
            capabilities: [self.capabilities.clone(), other.capabilities.clone()].concat(),
            hosts: format!("{}\n{}", self.hosts, other.hosts),
            tcp_ports: both(&self.tcp_ports, &other.tcp_ports),
            udp_ports: both(&self.udp_ports, &other.udp_ports),
            peers: [self.peers.clone(), other.peers.clone()].concat(),
            peripherals: [self.peripherals.clone(), other.peripherals.clone()].concat(),
            power: [self.power.clone(), other.power.clone()].concat(),
            storage_kb: self.storage_kb.max(other.storage_kb),
            tenant: self.tenant.clone().or_else(|| other.tenant.clone()),
        }
    }
}

fn component() -> impl Strategy<Value = ComponentId> {
    (0..4u8).prop_map(|byte| ComponentId::from_bytes([byte; 16]))
}

fn host() -> impl Strategy<Value = String> {
    select(vec!["", "a", "A", "a.", "b.example", "1.2.3.4"]).prop_map(str::to_owned)
}

fn port() -> impl Strategy<Value = u16> {
    select(vec![0, 80, 1024, 8080, u16::MAX])
}

fn peripheral() -> impl Strategy<Value = Peripheral> {
    (
        select(PeripheralKind::ALL.to_vec()),
        any::<u8>(),
        any::<bool>(),
    )
        .prop_map(|(kind, number, small)| kind.with_number(if small { number % 8 } else { number }))
}

fn owned() -> impl Strategy<Value = Owned> {
    let kind = select(vec![
        AppKind::HighLevel,
        AppKind::RealTime,
        AppKind::Debugger,
    ]);
    let identity = (component(), kind);
    let lists = (
        vec(select(Capability::ALL.to_vec()), 0..6),
        vec(host(), 0..3),
        vec(port(), 0..3),
        vec(port(), 0..3),
        vec(component(), 0..3),
        vec(peripheral(), 0..6),
        vec(select(PowerControl::ALL.to_vec()), 0..3),
    );
    let values = (
        any::<u32>(),
        proptest::option::of(Just("tenant".to_owned())),
    );
    (identity, lists, values).prop_map(|(identity, lists, values)| Owned {
        component: identity.0,
        kind: identity.1,
        capabilities: lists.0,
        hosts: lists.1.join("\n"),
        tcp_ports: lists.2,
        udp_ports: lists.3,
        peers: lists.4,
        peripherals: lists.5,
        power: lists.6,
        storage_kb: values.0,
        tenant: values.1,
    })
}

fn request() -> impl Strategy<Value = Request<'static>> {
    prop_oneof![
        peripheral().prop_map(Request::Open),
        select(vec!["", ".", "a", "a.", "b.example", "1.2.3.4", "\n"]).prop_map(Request::Connect),
        port().prop_map(Request::BindTcp),
        port().prop_map(Request::BindUdp),
        component().prop_map(Request::Peer),
        select(PowerControl::ALL.to_vec()).prop_map(Request::Power),
        any::<u64>().prop_map(Request::StoredBytes),
        select(Capability::ALL.to_vec()).prop_map(Request::Use),
        select(vec![
            Request::IpSocket,
            Request::SetTime,
            Request::SaveTime,
            Request::MutableStorage,
            Request::ReadProxy,
        ]),
    ]
}

proptest! {
    /// More in the grant never takes anything away.
    #[test]
    fn refusal_is_monotone(one in owned(), two in owned(), request in request()) {
        let more = one.joined(&two);
        if one.grant().decide(request).is_allowed() {
            prop_assert!(more.grant().decide(request).is_allowed());
        }
        if more.grant().decide(request).allowed().is_err() {
            prop_assert!(one.grant().decide(request).allowed().is_err());
        }
    }

    /// The key in a refusal is one that this kind of app may have and that does not yet grant it.
    #[test]
    fn the_key_of_a_refusal_is_of_use(owned in owned(), request in request()) {
        if let Verdict::Deny(denial) = owned.grant().decide(request) {
            prop_assert!(denial.key.is_none_or(|key| key.is_for(owned.kind)));
            prop_assert!(!denial.to_string().is_empty());
        }
    }

    /// An empty grant allows nothing at all.
    #[test]
    fn nothing_is_granted_by_default(component in component(), request in request()) {
        for kind in [AppKind::HighLevel, AppKind::RealTime, AppKind::Debugger] {
            prop_assert!(!Grant::none(component, kind).decide(request).is_allowed());
        }
    }

    /// Two apps are in each other's way or not, whichever comes first.
    #[test]
    fn conflicts_are_mutual(one in owned(), two in owned()) {
        let forth = check_install(&one.grant(), &[two.grant()]);
        let back = check_install(&two.grant(), &[one.grant()]);
        prop_assert_eq!(forth.is_ok(), back.is_ok());
        if let Err(conflict) = forth {
            prop_assert_eq!(conflict.owner, two.component);
        }
    }

    /// Apps that may be installed together have no pin in common.
    #[test]
    fn installed_apps_share_no_pin(one in owned(), two in owned()) {
        let (one, two) = (one.grant(), two.grant());
        if one.component != two.component && check_install(&one, &[two]).is_ok() {
            prop_assert!(!one.peripherals.pins().overlaps(two.peripherals.pins()));
        }
    }

    /// Peripherals that were added one by one without a shared pin occupy each pin once.
    #[test]
    fn pins_are_occupied_once(wanted in vec(peripheral(), 0..12)) {
        let mut set = Peripherals::EMPTY;
        for peripheral in wanted {
            if shared_pin(&set, peripheral).is_none() {
                set.insert(peripheral);
            }
        }
        let pins: usize = set.iter().map(|peripheral| peripheral.pins().iter().count()).sum();
        prop_assert_eq!(pins, set.pins().iter().count());
    }

    #[test]
    fn component_ids_round_trip(bytes in any::<[u8; 16]>()) {
        let id = ComponentId::from_bytes(bytes);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        prop_assert_eq!(ComponentId::from_guid_bytes(id.to_guid_bytes()), id);
        prop_assert!((0x1000_0000..0x2000_0000).contains(&id.uid()));
    }

    #[test]
    fn any_text_is_an_id_or_refused(text in ".*") {
        if let Ok(id) = text.parse::<ComponentId>() {
            prop_assert_eq!(id.to_string(), text.to_lowercase());
        }
    }

    #[test]
    fn device_errors_round_trip(value: u32) {
        let error = DeviceError::from_value(value);
        prop_assert_eq!(DeviceError::new(error.category(), error.id()), error);
        prop_assert_eq!(error.to_string(), format!("{}.{} ({value})", value >> 20, value & 0xF_FFFF));
    }
}
