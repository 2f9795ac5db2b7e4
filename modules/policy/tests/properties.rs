// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What holds for every grant and every request.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::net::IpAddr;
use std::sync::LazyLock;

use policy::conflict::shared_pin;
use policy::{
    Access, AddressRule, AppKind, Capability, CapabilitySet, ComponentId, DenialRecord,
    Destination, DeviceError, Errno, Grant, Hook, HostList, Identity, Mapping, ObjectClass, Origin,
    Owner, Peripheral, PeripheralKind, Peripherals, PowerControl, PowerControls, Request, Rights,
    RuleSet, SocketKind, SocketOption, Subject, Tenant, Tracee, Transport, Verdict, check_install,
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

    /// The grant without what the kernel takes from nobody.
    fn for_the_kernel(mut self) -> Self {
        let nil = |component: &mut ComponentId| {
            if *component == ComponentId::NIL {
                *component = ComponentId::from_bytes([4; 16]);
            }
        };
        nil(&mut self.component);
        self.peers.iter_mut().for_each(nil);
        self.tcp_ports.retain(|&port| port != 0);
        self.udp_ports.retain(|&port| port != 0);
        if self.kind == AppKind::RealTime {
            self.kind = AppKind::HighLevel;
        }
        self
    }

    /// The rule set of the grant.
    fn rules(&self) -> Vec<u8> {
        let mut buffer = vec![0; RuleSet::MAX_SIZE];
        let length = RuleSet::encode(&self.grant(), &[], &mut buffer).unwrap();
        buffer.truncate(length);
        buffer
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

fn rights() -> impl Strategy<Value = Rights> {
    any::<u32>().prop_map(|bits| Rights::from_bits(bits & Rights::ALL.bits()).unwrap())
}

fn identity() -> impl Strategy<Value = Identity> {
    let tenant = "[ -~]{0,64}".prop_map(|text| Tenant::from_text(&text).unwrap());
    let fields = (1..5u8, tenant, rights(), any::<bool>());
    fields.prop_map(|(byte, tenant, rights, job_control)| {
        let component = ComponentId::from_bytes([byte; 16]);
        let identity = Identity::new(component).unwrap().with_tenant(tenant);
        identity.with_rights(rights).with_job_control(job_control)
    })
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        select(vec![
            "1.2.3.4",
            "1.2.3.5",
            "::ffff:1.2.3.4",
            "::1.2.3.4",
            "::"
        ])
        .prop_map(|text| text.parse().unwrap()),
        any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
        any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())),
    ]
}

fn socket() -> impl Strategy<Value = SocketKind> {
    select(vec![
        SocketKind::Unix,
        SocketKind::Ip(Transport::Tcp),
        SocketKind::Ip(Transport::Udp),
        SocketKind::Other,
    ])
}

fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![
        Just(Owner::None),
        Just(Owner::Manager),
        component().prop_map(Owner::Component),
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        Just(Origin::Unverified),
        Just(Origin::System),
        component().prop_map(Origin::Component),
    ]
}

fn mapping() -> impl Strategy<Value = Mapping> {
    let origin = proptest::option::of(origin());
    (any::<[bool; 5]>(), origin).prop_map(|(flags, origin)| Mapping {
        executable: flags[0],
        writable: flags[1],
        shared: flags[2],
        was_executable: flags[3],
        was_writable: flags[4],
        origin,
    })
}

fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![
        Just(Destination::Unspecified),
        Just(Destination::Malformed),
        (address(), port()).prop_map(|(address, port)| Destination::Ip(address, port)),
    ]
}

/// Stands for the other process until [`about`] puts it in.
static OTHER: LazyLock<Identity> =
    LazyLock::new(|| Identity::new(ComponentId::from_bytes([9; 16])).unwrap());

/// The request with the other process, and its rules, that it is about.
fn about<'a>(access: Access<'a>, other: &'a Identity, rules: Option<RuleSet<'a>>) -> Access<'a> {
    match access {
        Access::Trace {
            target,
            attach,
            development,
        } => Access::Trace {
            target: match target {
                Tracee::Pending(_) => Tracee::Pending(other),
                Tracee::App(_) => Tracee::App(other),
                target => target,
            },
            attach,
            development,
        },
        Access::UnixPeer { owner, .. } => Access::UnixPeer { owner, rules },
        Access::ReceiveFile { owner, .. } => Access::ReceiveFile { owner, rules },
        Access::DropRights(_) => Access::DropRights(other),
        access => access,
    }
}

/// Every kind of request.
fn access() -> impl Strategy<Value = Access<'static>> {
    let tracees = vec![
        Tracee::None,
        Tracee::Manager,
        Tracee::Pending(&OTHER),
        Tracee::App(&OTHER),
    ];
    let rules = None;
    prop_oneof![
        origin().prop_map(Access::Execute),
        origin().prop_map(Access::MakeWritable),
        mapping().prop_map(Access::Map),
        mapping().prop_map(Access::Protect),
        (select(tracees), any::<bool>(), any::<bool>()).prop_map(
            |(target, attach, development)| Access::Trace {
                target,
                attach,
                development
            }
        ),
        owner().prop_map(Access::Signal),
        (0..64u32).prop_map(Access::LinuxCapability),
        socket().prop_map(Access::CreateSocket),
        (socket(), proptest::option::of(port()))
            .prop_map(|(socket, port)| Access::Bind { socket, port }),
        (socket(), port()).prop_map(|(socket, port)| Access::Listen { socket, port }),
        (socket(), destination()).prop_map(|(socket, to)| Access::Connect { socket, to }),
        (0..70, 0..70).prop_map(|(level, name)| Access::SetOption(SocketOption { level, name })),
        owner().prop_map(move |owner| Access::UnixPeer { owner, rules }),
        owner().prop_map(move |owner| Access::ReceiveFile { owner, rules }),
        any::<bool>().prop_map(|own| Access::ReadIdentity { own }),
        any::<bool>().prop_map(|sealed| Access::SetDevelopment { sealed }),
        select(vec![
            Access::SetProcessGroup,
            Access::SetClock,
            Access::KernelLog,
            Access::Quota,
            Access::Mount,
            Access::Namespace,
            Access::Bpf,
            Access::Perf,
            Access::Key,
            Access::LoadCode,
            Access::DeviceNode,
            Access::SetId,
            Access::SetIdentity,
            Access::DropRights(&OTHER),
            Access::Administer,
        ]),
    ]
}

/// Bytes that are a rule set but for a few changes.
fn damaged_rules() -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let cut = proptest::option::of(any::<prop::sample::Index>());
    (owned(), changes, cut).prop_map(|(owned, changes, cut)| {
        let mut bytes = owned.for_the_kernel().rules();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}

fn record() -> impl Strategy<Value = DenialRecord> {
    let counts = (any::<u32>(), any::<u64>());
    let names = (
        select(Hook::ALL.to_vec()),
        select(ObjectClass::ALL.to_vec()),
        select(Errno::ALL.to_vec()),
        proptest::option::of(select(Capability::ALL.to_vec())),
    );
    let fields = (any::<[u8; 16]>(), counts, names);
    fields.prop_map(
        |(id, (count, last), (hook, class, errno, key))| DenialRecord {
            component: ComponentId::from_bytes(id),
            count,
            last,
            hook,
            class,
            errno,
            key,
        },
    )
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

    /// More in the grant or in the rights never turns a permission of the kernel into a denial.
    #[test]
    fn the_kernel_refuses_monotonically(
        (own, more_rights, job_control) in (identity(), rights(), any::<bool>()),
        (one, two) in (owned(), owned()),
        (other, peer) in (identity(), owned()),
        accesses in vec(access(), 24),
    ) {
        let peer = peer.for_the_kernel().rules();
        let peer = RuleSet::parse(&peer).unwrap();
        let component = own.component();
        let one = Owned { component, ..one }.for_the_kernel();
        let more = one.joined(&two).for_the_kernel();
        let (one, more) = (one.rules(), more.rules());
        let (one, more) = (RuleSet::parse(&one).unwrap(), RuleSet::parse(&more).unwrap());
        let stronger = own.with_rights(own.rights().union(more_rights));
        let stronger = stronger.with_job_control(own.job_control() || job_control);
        for access in accesses.iter().map(|&access| about(access, &other, Some(peer))) {
            if let Access::DropRights(_) = access {
                // It compares identities; see the property about them.
                continue;
            }
            if Subject::App(&own, one).decide(access).is_allowed() {
                let allowed = Subject::App(&stronger, more).decide(access).is_allowed();
                prop_assert!(allowed, "{:?}", access);
            }
        }
    }

    /// A component gets nothing that the manager would not get, but its own code and the drop of its rights.
    #[test]
    fn nobody_gets_more_than_the_manager(
        (own, other, owned) in (identity(), identity(), owned()),
        accesses in vec(access(), 24),
    ) {
        let bytes = Owned { component: own.component(), ..owned }.for_the_kernel().rules();
        let rules = RuleSet::parse(&bytes).unwrap();
        for access in accesses.iter().map(|&access| about(access, &other, Some(rules))) {
            let own_code = match access {
                Access::Execute(origin) => origin == Origin::Component(own.component()),
                Access::Map(mapping) | Access::Protect(mapping) => {
                    mapping.origin == Some(Origin::Component(own.component()))
                }
                Access::DropRights(_) => true,
                _ => false,
            };
            for subject in [Subject::None, Subject::Pending(&own), Subject::App(&own, rules)] {
                if subject.decide(access).is_allowed() && !own_code {
                    prop_assert!(Subject::Manager.decide(access).is_allowed(), "{:?}", access);
                }
            }
        }
    }

    /// What the kernel decides by a rule set is what the grant says.
    #[test]
    fn the_kernel_agrees_with_the_grant(owned in owned(), port in port(), peer in component()) {
        let owned = owned.for_the_kernel();
        let (grant, bytes) = (owned.grant(), owned.rules());
        let rules = RuleSet::parse(&bytes).unwrap();
        let identity = Identity::of(&grant).unwrap();
        let app = Subject::App(&identity, rules);
        let tcp = SocketKind::Ip(Transport::Tcp);
        let udp = SocketKind::Ip(Transport::Udp);
        let address = Destination::Ip("1.2.3.4".parse().unwrap(), port);
        let mut table = vec![
            (Access::CreateSocket(tcp), Request::IpSocket),
            (Access::CreateSocket(udp), Request::IpSocket),
            (Access::Connect { socket: tcp, to: address }, Request::Connect("1.2.3.4")),
            (Access::SetClock, Request::SetTime),
        ];
        if port != 0 {
            table.push((Access::Bind { socket: tcp, port: Some(port) }, Request::BindTcp(port)));
            table.push((Access::Bind { socket: udp, port: Some(port) }, Request::BindUdp(port)));
        }
        for (access, request) in table {
            prop_assert_eq!(app.decide(access), grant.decide(request), "{:?}", access);
        }
        prop_assert_eq!(rules.component(), grant.component);
        prop_assert_eq!(rules.kind(), grant.kind);
        prop_assert_eq!(rules.lists(peer), grant.peers.contains(&peer));
        prop_assert_eq!(rules.uses_network(), grant.uses_network());
        for &capability in Capability::ALL {
            prop_assert_eq!(rules.has(capability), grant.has(capability));
        }
        for &control in PowerControl::ALL {
            prop_assert_eq!(rules.controls_power(control), grant.power.contains(control));
        }
    }

    /// Two components exchange messages when both grants say so, whichever of them asks.
    #[test]
    fn peers_are_mutual(one in owned(), two in owned()) {
        let (one, two) = (one.for_the_kernel(), two.for_the_kernel());
        let (one_bytes, two_bytes) = (one.rules(), two.rules());
        let one_rules = RuleSet::parse(&one_bytes).unwrap();
        let two_rules = RuleSet::parse(&two_bytes).unwrap();
        let ask = |from: &Owned, own, to: &Owned, rules| {
            let identity = Identity::new(from.component).unwrap();
            let owner = Owner::Component(to.component);
            let rules = Some(rules);
            Subject::App(&identity, own).decide(Access::UnixPeer { owner, rules })
        };
        let forth = ask(&one, one_rules, &two, two_rules);
        let back = ask(&two, two_rules, &one, one_rules);
        prop_assert_eq!(forth.is_allowed(), back.is_allowed());
        if one.component != two.component {
            prop_assert_eq!(forth, one.grant().decide_peers(&two.grant()));
        }
    }

    /// Bytes from anywhere make a rule set or an error, and every request gets an answer.
    #[test]
    fn no_bytes_and_no_request_panic(
        (bytes, damaged) in (vec(any::<u8>(), 0..200), damaged_rules()),
        (own, other) in (identity(), identity()),
        accesses in vec(access(), 24),
    ) {
        for bytes in [&bytes, &damaged] {
            let rules = RuleSet::from_checked(bytes);
            match RuleSet::parse(bytes) {
                Ok(parsed) => prop_assert_eq!(parsed, rules),
                Err(error) => prop_assert!(error.to_string().starts_with("not a rule set: ")),
            }
            for access in accesses.iter().map(|&access| about(access, &other, Some(rules))) {
                for subject in [Subject::None, Subject::Manager, Subject::Pending(&own), Subject::App(&own, rules)] {
                    if let Verdict::Deny(denial) = subject.decide(access) {
                        prop_assert!(!denial.to_string().is_empty());
                    }
                }
                prop_assert!(access.object_class() != ObjectClass::Any);
            }
            for &capability in Capability::ALL {
                prop_assert!(!rules.has(capability) || capability.is_for(rules.kind()));
            }
        }
    }

    #[test]
    fn identities_round_trip(identity in identity()) {
        prop_assert_eq!(Identity::parse(&identity.encode()), Ok(identity));
        let app = Subject::App(&identity, RuleSet::EMPTY);
        prop_assert_eq!(app.encode(), identity.encode());
        prop_assert_eq!(app.text().to_string().lines().count(), 3);
    }

    #[test]
    fn any_bytes_are_an_identity_or_refused(
        identity in identity(),
        changes in vec((0..Identity::SIZE, any::<u8>()), 0..3),
    ) {
        let mut bytes = identity.encode();
        for (index, byte) in changes {
            bytes[index] = byte;
        }
        if let Ok(identity) = Identity::parse(&bytes) {
            prop_assert_eq!(identity.encode(), bytes);
        }
    }

    /// Through whatever sequence of changes, an identity keeps its name and never regains a right.
    #[test]
    fn identities_never_grow(first in identity(), wishes in vec((identity(), any::<bool>(), rights()), 0..8)) {
        let mut now = first;
        for (wish, similar, rights) in wishes {
            let wish = if similar { first.with_rights(rights) } else { wish };
            let subject = Subject::App(&now, RuleSet::EMPTY);
            let allowed = subject.decide(Access::DropRights(&wish)).is_allowed();
            prop_assert_eq!(now.reduce(&wish).is_some(), allowed);
            if let Some(next) = now.reduce(&wish) {
                prop_assert_eq!(next, wish);
                prop_assert!(now.rights().contains(next.rights()));
                now = next;
            }
            prop_assert_eq!(now.with_rights(first.rights()), first);
        }
    }

    /// A longer prefix covers no more, and a rule covers its own address.
    #[test]
    fn prefixes_only_narrow(address in address(), other in address(), prefix in 0..=128u8) {
        let address = address.to_canonical();
        let host = AddressRule::host(address);
        prop_assert!(host.covers(Transport::Tcp, address, 1));
        prop_assert_eq!(host.covers(Transport::Tcp, other, 1), other.to_canonical() == address);
        if let Some(network) = AddressRule::network(address, prefix) {
            prop_assert!(network.covers(Transport::Tcp, address, 1));
            if let Some(narrower) = AddressRule::network(address, prefix + 1) {
                prop_assert!(!narrower.covers(Transport::Udp, other, 1) || network.covers(Transport::Udp, other, 1));
            }
        }
    }

    #[test]
    fn records_round_trip(record in record()) {
        let line = record.to_string();
        prop_assert_eq!(line.split(' ').count(), 7);
        prop_assert_eq!(line.parse(), Ok(record));
        prop_assert!(!record.in_words().to_string().contains(&record.component.to_string()));
    }

    #[test]
    fn any_text_is_a_record_or_refused(text in ".*", record in record(), cut in any::<prop::sample::Index>()) {
        let line = record.to_string();
        let part = &line[..cut.index(line.len())];
        for text in [&*text, part] {
            if let Ok(record) = text.parse::<DenialRecord>() {
                prop_assert_eq!(record.to_string().parse(), Ok(record));
            }
        }
    }
}
