// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is done with an input of the fuzz target `security_module`, and with its corpus in an ordinary test.

use policy::denial_record;
use policy::{
    Access, AppKind, ComponentId, Errno, Identity, RuleSet, SocketKind, Subject, Transport,
};

/// Reads an input as everything that crosses the border between the manager and the security module.
pub fn run(input: &[u8]) {
    identity(input);
    rules(input);
    if let Ok(text) = core::str::from_utf8(input) {
        denials(text);
    }
}

/// An identity is read to the last bit or not at all, and can only shrink.
fn identity(input: &[u8]) {
    match Identity::parse(input) {
        Ok(identity) => {
            assert_eq!(identity.encode(), input);
            assert_ne!(identity.component(), ComponentId::NIL);
            assert_eq!(identity.reduce(&identity), Some(identity));
            assert_eq!(identity.to_string().lines().count(), 3);
            assert!(identity.to_string().len() <= Identity::MAX_TEXT_LENGTH);
        }
        Err(error) => assert_eq!(error.errno(), Errno::EINVAL),
    }
}

/// A rule set is within its limits or refused, and decides about anything.
fn rules(input: &[u8]) {
    // What was not checked still makes no panic.
    decide(RuleSet::from_checked(input));
    match RuleSet::parse(input) {
        Ok(rules) => {
            assert!(input.len() <= RuleSet::MAX_SIZE);
            assert_eq!(RuleSet::from_checked(input), rules);
            assert_ne!(rules.component(), ComponentId::NIL);
            assert_ne!(rules.kind(), AppKind::RealTime);
            for transport in [Transport::Tcp, Transport::Udp] {
                let ports: Vec<u16> = rules.ports(transport).collect();
                assert!(ports.len() <= policy::rules::MAX_PORTS);
                assert!(ports.is_sorted_by(|one, next| one < next));
                assert!(!rules.declares(transport, 0));
            }
            assert!(rules.peers().count() <= policy::rules::MAX_PEERS);
            assert!(rules.addresses().count() <= policy::rules::MAX_ADDRESSES);
        }
        Err(error) => assert_eq!(error.errno(), Errno::EINVAL),
    }
}

/// What is refused is refused with a reason; what a rule set of another component grants is not granted.
fn decide(rules: RuleSet<'_>) {
    let Some(identity) = Identity::new(ComponentId::from_bytes([7; 16])) else {
        panic!("an id that is not nil names nobody");
    };
    let app = Subject::App(&identity, rules);
    for socket in [
        SocketKind::Ip(Transport::Tcp),
        SocketKind::Ip(Transport::Udp),
        SocketKind::Unix,
        SocketKind::Other,
    ] {
        for access in [
            Access::CreateSocket(socket),
            Access::Listen { socket, port: 80 },
            Access::Bind {
                socket,
                port: Some(80),
            },
        ] {
            let verdict = app.decide(access);
            let own = rules.component() == identity.component();
            let local = access == Access::CreateSocket(SocketKind::Unix);
            assert!(own || local || !verdict.is_allowed(), "{access:?}");
        }
    }
}

/// A record of a denial keeps its meaning when it is written again, and its words are fit to be shown.
fn denials(text: &str) {
    for record in denial_record::parse(text).flatten() {
        assert_eq!(record.to_string().parse(), Ok(record));
        let words = record.in_words().to_string();
        assert!(!words.chars().any(char::is_control), "{words}");
    }
}
