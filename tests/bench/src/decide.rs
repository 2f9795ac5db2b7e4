// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What decisions and their preparation cost: the policy, a manifest, the filters of system calls.

use std::hint::black_box;
use std::net::IpAddr;

use manifest::Manifest;
use nix::sys::prctl::set_no_new_privs;
use policy::{
    Access, AppKind, ComponentId, Destination, Grant, HostList, Identity, Owner, RuleSet,
    SocketKind, Subject,
};
use sandbox::filter::{Filter, Profile};
use sys::process::{Forked, SingleThreaded, Wait, exit, fork, wait_any};

use crate::count::{each, once, report};
use crate::{HEAP, Result};

/// A manifest of 4 KiB with all kinds of capabilities.
const MANIFEST: &[u8; 4096] = include_bytes!("manifest.json");
/// As many entries of each kind as a manifest can have.
const ENTRIES: u8 = 64;
/// The first port.
const PORT: u16 = 11_000;
/// `AF_INET` and `SOCK_STREAM`.
const STREAM: (i32, i32, i32) = (2, 1, 0);

/// Decisions, a manifest, filters.
pub fn run(single: &SingleThreaded) -> Result<()> {
    decisions()?;
    manifest()?;
    for (name, filter) in [("common", Which::Common), ("seal", Which::Seal)] {
        report(
            &format!("filter-build-{name}"),
            each(20, || filter.build().map(drop))?,
        );
        install(single, name, &filter.build()?)?;
    }
    Ok(())
}

/// Decisions of a rule set with 64 entries of each kind, about the last of them: all have to be looked at.
fn decisions() -> Result<()> {
    let hosts: String = (0..ENTRIES).map(|n| format!("10.0.0.{n}\n")).collect();
    let ports: Vec<u16> = (0..u16::from(ENTRIES)).map(|n| PORT + n).collect();
    let peers: Vec<ComponentId> = (1..=ENTRIES)
        .map(|n| ComponentId::from_bytes([n; 16]))
        .collect();
    let component = ComponentId::from_bytes([0xAA; 16]);
    let grant = Grant {
        hosts: HostList::from_lines(&hosts),
        tcp_ports: &ports,
        udp_ports: &ports,
        peers: &peers,
        ..Grant::none(component, AppKind::HighLevel)
    };
    let mut rules = vec![0; RuleSet::MAX_SIZE];
    let length = RuleSet::encode(&grant, &[], &mut rules)?;
    let bytes = rules
        .get(..length)
        .ok_or("the rule set is longer than its buffer")?;
    let identity = Identity::of(&grant)?;
    let subject = Subject::App(&identity, RuleSet::parse(bytes)?);

    let (family, kind, protocol) = STREAM;
    let socket = SocketKind::of(family, kind, protocol);
    let last = ENTRIES - 1;
    let to = Destination::Ip(IpAddr::from([10, 0, 0, last]), 443);
    let peer = ComponentId::from_bytes([ENTRIES; 16]);
    let mut back = vec![0; RuleSet::MAX_SIZE];
    let mutual = Grant {
        peers: &[component],
        ..Grant::none(peer, AppKind::HighLevel)
    };
    let length = RuleSet::encode(&mutual, &[], &mut back)?;
    let back = RuleSet::parse(
        back.get(..length)
            .ok_or("the rule set is longer than its buffer")?,
    )?;
    let accesses = [
        ("connect", Access::Connect { socket, to }),
        (
            "bind",
            Access::Bind {
                socket,
                port: Some(PORT + u16::from(last)),
            },
        ),
        (
            "peer",
            Access::UnixPeer {
                owner: Owner::Component(peer),
                rules: Some(back),
            },
        ),
        ("capability", Access::SetClock),
        ("socket", Access::CreateSocket(socket)),
    ];
    for (name, access) in accesses {
        let allowed = subject.decide(access).is_allowed();
        // The clock was not granted; the rest was.
        if allowed == (name == "capability") {
            return Err(format!("the decision on {name} is wrong: allowed is {allowed}").into());
        }
        let count = each(1_000, || {
            black_box(&black_box(&subject).decide(black_box(access)));
            Ok(())
        })?;
        report(&format!("policy-{name}"), count);
    }
    // What the kernel does first for an access: it takes the stored rule set as checked.
    let view = each(1_000, || {
        black_box(RuleSet::from_checked(black_box(bytes)));
        Ok(())
    })?;
    report("policy-view", view);
    Ok(())
}

/// Parsing and validating 4 KiB, and what it needs of the heap.
fn manifest() -> Result<()> {
    let count = each(20, || {
        black_box(Manifest::parse(black_box(MANIFEST))?.grant());
        Ok(())
    })?;
    report("manifest", count);
    let (growth, manifest) = HEAP.growth(|| Manifest::parse(MANIFEST));
    drop(manifest?);
    report("manifest-heap", u64::try_from(growth)?);
    Ok(())
}

/// One of the two filters of an app.
enum Which {
    Common,
    Seal,
}

impl Which {
    fn build(&self) -> Result<Filter> {
        Ok(match self {
            Self::Common => Filter::common()?,
            Self::Seal => Filter::seal(Profile::App {
                network: false,
                clock: false,
            })?,
        })
    }
}

/// Installs a filter in a process that ends with it.
fn install(single: &SingleThreaded, name: &str, filter: &Filter) -> Result<()> {
    let Forked::Parent { .. } = fork(single)? else {
        let installed = set_no_new_privs()
            .map_err(Into::into)
            .and_then(|()| once(|| Ok(sys::seccomp::install(filter.instructions())?)));
        match installed {
            Ok((count, ())) => report(&format!("filter-install-{name}"), count),
            Err(error) => println!("FAILED filter {name}: {error}"),
        }
        exit(0)
    };
    wait_any(Wait::Block)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use policy::Capability;

    use super::*;

    #[test]
    fn decisions_are_as_expected() {
        decisions().unwrap();
    }

    #[test]
    fn the_manifest_is_accepted_and_asks_for_much() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let grant = manifest.grant();
        for capability in [
            Capability::AllowedConnections,
            Capability::AllowedApplicationConnections,
            Capability::AllowedTcpServerPorts,
            Capability::AllowedUdpServerPorts,
            Capability::Gpio,
            Capability::MutableStorage,
            Capability::PowerControls,
            Capability::SystemTime,
        ] {
            assert!(grant.has(capability), "{capability:?}");
        }
    }

    #[test]
    fn both_filters_can_be_built() {
        for filter in [Which::Common, Which::Seal] {
            assert!(!filter.build().unwrap().instructions().is_empty());
        }
    }
}
