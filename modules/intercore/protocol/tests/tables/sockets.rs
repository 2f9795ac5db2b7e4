// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Who may use a socket for what, and what becomes of it when a core stops.

use intercore::{
    Address, Cores, Endpoint, Fault, Partners, PartnersError, SendError, SocketError, StartError,
};
use policy::{AppKind, ComponentId, Grant, Identity, RuleSet, Subject};

const APP: ComponentId = ComponentId::from_bytes([1; 16]);
const OTHER: ComponentId = ComponentId::from_bytes([2; 16]);
const REAL_TIME: ComponentId = ComponentId::from_bytes([9; 16]);
const DATAGRAM: i32 = 2;

/// Who asks: an app with the peers of its manifest.
struct App {
    identity: Identity,
    rules: Vec<u8>,
}

impl App {
    fn new(component: ComponentId, peers: &[ComponentId]) -> Self {
        let grant = Grant {
            peers,
            ..Grant::none(component, AppKind::HighLevel)
        };
        let mut rules = vec![0; RuleSet::MAX_SIZE];
        let length = RuleSet::encode(&grant, &[], &mut rules).unwrap();
        rules.truncate(length);
        Self {
            identity: Identity::of(&grant).unwrap(),
            rules,
        }
    }

    fn subject(&self) -> Subject<'_> {
        Subject::App(&self.identity, RuleSet::parse(&self.rules).unwrap())
    }
}

fn ids(components: &[ComponentId]) -> Vec<u8> {
    components
        .iter()
        .flat_map(|component| component.to_bytes())
        .collect()
}

#[test]
fn s50_only_datagrams_of_protocol_0_and_only_for_apps() {
    let app = App::new(APP, &[]);
    for (kind, protocol, wanted) in [
        (DATAGRAM, 0, None),
        (DATAGRAM, 1, Some(SocketError::Protocol)),
        (DATAGRAM, -1, Some(SocketError::Protocol)),
        (1, 0, Some(SocketError::Kind)),
        (3, 0, Some(SocketError::Kind)),
        (0, 0, Some(SocketError::Kind)),
    ] {
        let made = Endpoint::create(app.subject(), kind, protocol);
        assert_eq!(made.err(), wanted, "{kind} {protocol}");
    }
}

#[test]
fn s50_a_socket_that_another_process_inherits_is_of_no_use_to_it() {
    let partners = ids(&[APP, OTHER]);
    let partners = Partners::parse(&partners).unwrap();
    let (app, other) = (App::new(APP, &[REAL_TIME]), App::new(OTHER, &[REAL_TIME]));
    let mut socket = Endpoint::create(app.subject(), DATAGRAM, 0).unwrap();
    // Before it is connected, and after.
    for caller in [
        other.subject(),
        Subject::None,
        Subject::Manager,
        Subject::Pending(&app.identity),
    ] {
        let wanted = match caller {
            Subject::App(..) => SocketError::NotTheOwner,
            _ => SocketError::NoIdentity,
        };
        let mut copy = socket;
        assert_eq!(
            copy.connect(caller, Address(REAL_TIME), partners),
            Err(wanted)
        );
        assert_eq!(copy.peer(), None);
        assert_eq!(socket.bind(caller, Address(APP)), Err(wanted));
        copy.connect(app.subject(), Address(REAL_TIME), partners)
            .unwrap();
        assert_eq!(copy.exchange(caller, partners), Err(wanted));
    }
    socket
        .connect(app.subject(), Address(REAL_TIME), partners)
        .unwrap();
    assert_eq!(socket.exchange(app.subject(), partners), Ok(REAL_TIME));
}

#[test]
fn both_sides_list_each_other_at_every_call() {
    let listed = App::new(APP, &[OTHER, REAL_TIME]);
    let unlisted = App::new(APP, &[OTHER]);
    let (both, nobody, another) = (ids(&[APP, OTHER]), ids(&[]), ids(&[OTHER]));
    for (app, partners, wanted) in [
        (&listed, &both, None),
        (&unlisted, &both, Some(SocketError::NotListed)),
        (&listed, &nobody, Some(SocketError::NotListedByPeer)),
        (&listed, &another, Some(SocketError::NotListedByPeer)),
    ] {
        let partners = Partners::parse(partners).unwrap();
        let mut socket = Endpoint::create(app.subject(), DATAGRAM, 0).unwrap();
        let connected = socket.connect(app.subject(), Address(REAL_TIME), partners);
        assert_eq!(connected.err(), wanted);
        assert_eq!(socket.peer(), wanted.is_none().then_some(REAL_TIME));
        // A socket that was connected when both did: what holds now counts.
        let mut socket = Endpoint::create(listed.subject(), DATAGRAM, 0).unwrap();
        let before = Partners::parse(&both).unwrap();
        socket
            .connect(listed.subject(), Address(REAL_TIME), before)
            .unwrap();
        assert_eq!(socket.exchange(app.subject(), partners).err(), wanted);
    }
}

#[test]
fn a_rule_set_of_another_component_grants_nothing() {
    let partners = ids(&[APP]);
    let partners = Partners::parse(&partners).unwrap();
    let (app, other) = (App::new(APP, &[REAL_TIME]), App::new(OTHER, &[REAL_TIME]));
    let mixed = Subject::App(&app.identity, RuleSet::parse(&other.rules).unwrap());
    let mut socket = Endpoint::create(mixed, DATAGRAM, 0).unwrap();
    let connected = socket.connect(mixed, Address(REAL_TIME), partners);
    assert_eq!(connected, Err(SocketError::NotListed));
    socket
        .connect(app.subject(), Address(REAL_TIME), partners)
        .unwrap();
}

#[test]
fn s58_no_identity_is_not_the_system() {
    let app = App::new(APP, &[REAL_TIME]);
    for caller in [
        Subject::None,
        Subject::Manager,
        Subject::Pending(&app.identity),
    ] {
        let made = Endpoint::create(caller, DATAGRAM, 0);
        assert_eq!(made, Err(SocketError::NoIdentity), "{caller:?}");
    }
    assert_eq!(
        Endpoint::create(app.subject(), DATAGRAM, 0)
            .unwrap()
            .owner(),
        APP
    );
    // The id that was the system's is nobody's: not as an address, a partner, or an app on a core.
    let nil = ComponentId::NIL;
    assert_eq!(
        Address::parse(&Address(nil).encode()),
        Err(SocketError::Address)
    );
    assert_eq!(Partners::parse(&ids(&[nil])), Err(PartnersError::Order));
    assert_eq!(Cores::new().start(0, nil, ()), Err(StartError::Nil));
}

#[test]
fn a_socket_is_connected_once_and_only_then_of_use() {
    let partners = ids(&[APP]);
    let partners = Partners::parse(&partners).unwrap();
    let app = App::new(APP, &[OTHER, REAL_TIME]);
    let mut socket = Endpoint::create(app.subject(), DATAGRAM, 0).unwrap();
    assert_eq!(
        socket.exchange(app.subject(), partners),
        Err(SocketError::NotConnected)
    );
    assert!(!socket.receives(REAL_TIME, APP));
    socket
        .connect(app.subject(), Address(REAL_TIME), partners)
        .unwrap();
    let again = socket.connect(app.subject(), Address(OTHER), partners);
    assert_eq!(again, Err(SocketError::Connected));
    for (from, to, wanted) in [
        (REAL_TIME, APP, true),
        (OTHER, APP, false),
        (REAL_TIME, OTHER, false),
    ] {
        assert_eq!(socket.receives(from, to), wanted);
    }
    socket.bind(app.subject(), Address(APP)).unwrap();
    assert_eq!(
        socket.bind(app.subject(), Address(OTHER)),
        Err(SocketError::Address)
    );
}

#[test]
fn an_address_has_the_form_of_the_original() {
    let id = "25025d2c-66da-4448-bae1-ac26fcdd3627".parse().unwrap();
    let bytes = Address(id).encode();
    let wanted = [
        43, 0, 0, 0, 0x2c, 0x5d, 0x02, 0x25, 0xda, 0x66, 0x48, 0x44, 0xba, 0xe1, 0xac, 0x26, 0xfc,
        0xdd, 0x36, 0x27,
    ];
    assert_eq!(bytes, wanted);
    assert_eq!(Address::parse(&bytes), Ok(Address(id)));
    for (index, byte) in [(0, 44), (1, 1), (2, 1), (3, 1)] {
        let mut wrong = bytes;
        wrong[index] = byte;
        assert_eq!(Address::parse(&wrong), Err(SocketError::Address));
    }
    for wrong in [
        &bytes[..0],
        &bytes[..3],
        &bytes[..19],
        &[&bytes[..], &[0]].concat(),
    ] {
        assert_eq!(Address::parse(wrong), Err(SocketError::Address));
    }
}

#[test]
fn s55_a_core_that_stops_is_gone_for_all_who_hold_a_ticket() {
    let mut cores = Cores::new();
    let one = cores.start(0, REAL_TIME, "one").unwrap();
    let other = cores.start(1, OTHER, "other").unwrap();
    assert_eq!(cores.find(REAL_TIME), Some(one));
    assert_eq!(cores.get(one), Some(&mut "one"));
    assert_eq!(cores.stop(0), Some((REAL_TIME, "one")));
    assert_eq!(cores.get(one), None);
    assert_eq!(cores.find(REAL_TIME), None);
    assert_eq!(cores.get(other), Some(&mut "other"), "the other core");
    assert_eq!(cores.stop(0), None);
    assert_eq!(cores.stop(7), None);
}

#[test]
fn s56_a_ticket_for_an_earlier_run_is_void() {
    let mut cores = Cores::new();
    let before = cores.start(0, REAL_TIME, 1).unwrap();
    // As while somebody sends: the ticket is held over the stop and the next start.
    cores.stop(0);
    let after = cores.start(0, REAL_TIME, 2).unwrap();
    assert_eq!(cores.get(before), None);
    assert_eq!(cores.get(after), Some(&mut 2));
    assert_ne!(before, after);
}

#[test]
fn a_core_runs_one_app_and_an_app_runs_once() {
    let mut cores = Cores::new();
    cores.start(0, APP, ()).unwrap();
    assert_eq!(cores.start(0, OTHER, ()), Err(StartError::Busy));
    assert_eq!(cores.start(1, APP, ()), Err(StartError::Running));
    assert_eq!(cores.start(2, OTHER, ()), Err(StartError::NoCore));
    cores.start(1, OTHER, ()).unwrap();
    assert_eq!(
        cores.start(0, REAL_TIME, ()),
        Err(StartError::Busy),
        "a third app"
    );
}

#[test]
fn s57_partners_are_a_set_with_an_end() {
    let many: Vec<_> = (1..=65)
        .map(|byte| ComponentId::from_bytes([byte; 16]))
        .collect();
    for (list, wanted) in [
        (ids(&[]), None),
        (ids(&many[..64]), None),
        (ids(&many), Some(PartnersError::TooMany)),
        (ids(&[APP, APP]), Some(PartnersError::Order)),
        (ids(&[OTHER, APP]), Some(PartnersError::Order)),
        (ids(&[APP])[..15].to_vec(), Some(PartnersError::Size)),
        ([ids(&[APP]), vec![0]].concat(), Some(PartnersError::Size)),
    ] {
        assert_eq!(Partners::parse(&list).err(), wanted, "{} bytes", list.len());
    }
    let list = ids(&[APP, OTHER]);
    let partners = Partners::parse(&list).unwrap();
    assert!(partners.lists(APP) && partners.lists(OTHER) && !partners.lists(REAL_TIME));
    assert!(partners.iter().eq([APP, OTHER]));
    // Connecting a thousand times makes no list longer.
    let app = App::new(APP, &[REAL_TIME]);
    for _ in 0..1000 {
        let mut socket = Endpoint::create(app.subject(), DATAGRAM, 0).unwrap();
        socket
            .connect(app.subject(), Address(REAL_TIME), partners)
            .unwrap();
    }
    assert_eq!(partners.iter().count(), 2);
}

#[test]
fn errors_have_the_numbers_that_apps_know() {
    use SocketError as E;
    for (error, number) in [
        (E::Full, libc::EAGAIN),
        (E::NoIdentity, libc::EACCES),
        (E::NotTheOwner, libc::EACCES),
        (E::NotListed, libc::EACCES),
        (E::NotListedByPeer, libc::EACCES),
        (E::Address, libc::EINVAL),
        (E::TooLong, libc::EMSGSIZE),
        (E::Kind, libc::EPROTOTYPE),
        (E::Protocol, libc::EPROTONOSUPPORT),
        (E::Unreachable, libc::ECONNRESET),
        (E::Connected, libc::EISCONN),
        (E::NotConnected, libc::ENOTCONN),
    ] {
        assert_eq!(error.errno(), number, "{error}");
    }
    let fault = Fault::Short { length: 0 };
    for (error, wanted) in [
        (SendError::Full, E::Full),
        (SendError::TooLong { most: 1024 }, E::TooLong),
        (SendError::Halted(fault), E::Unreachable),
    ] {
        assert_eq!(E::from(error), wanted);
    }
}
