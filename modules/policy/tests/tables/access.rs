// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What the kernel asks: each denial with its errno, reason and key, and its permitted twin.

use std::net::IpAddr;

use policy::access::{CAP_NET_ADMIN, CAP_SYS_BOOT, CAP_SYS_TIME, LINUX_CAPABILITIES};
use policy::{
    Access, AddressRule, AppKind, Capability, CapabilitySet, ComponentId, Denial, Destination,
    Errno, Grant, HostList, Identity, Mapping, ObjectClass, Origin, Owner, PowerControl,
    PowerControls, Reason, Rights, RuleSet, SocketKind, SocketOption, Subject, Tenant, Tracee,
    Transport, Verdict,
};

const APP: ComponentId = ComponentId::from_bytes([1; 16]);
const PEER: ComponentId = ComponentId::from_bytes([2; 16]);
const NOTHING: Grant<'static> = Grant::none(APP, AppKind::HighLevel);
const TCP: SocketKind = SocketKind::Ip(Transport::Tcp);
const UDP: SocketKind = SocketKind::Ip(Transport::Udp);

/// `IP_OPTIONS`.
const ROUTE: SocketOption = SocketOption { level: 0, name: 4 };

/// `IP_TTL`.
const TIME_TO_LIVE: SocketOption = SocketOption { level: 0, name: 2 };

/// Readable, private, anonymous memory that nobody has written.
const PLAIN: Mapping = Mapping {
    executable: false,
    writable: false,
    shared: false,
    was_executable: false,
    was_writable: false,
    origin: None,
};

/// Code of the system.
const CODE: Mapping = Mapping {
    executable: true,
    origin: Some(Origin::System),
    ..PLAIN
};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn to(address: &str, port: u16) -> Destination {
    Destination::Ip(ip(address), port)
}

fn identity(component: ComponentId) -> Identity {
    Identity::new(component).unwrap()
}

/// The answer to a process of the component that a grant is for.
fn ask(grant: &Grant<'_>, access: Access<'_>) -> Verdict {
    ask_with(grant, &[], access)
}

/// The same with addresses that host names stand for.
fn ask_with(grant: &Grant<'_>, resolved: &[AddressRule], access: Access<'_>) -> Verdict {
    let mut buffer = [0; RuleSet::MAX_SIZE];
    let length = RuleSet::encode(grant, resolved, &mut buffer).unwrap();
    let rules = RuleSet::parse(&buffer[..length]).unwrap();
    Subject::App(&identity(grant.component), rules).decide(access)
}

fn denied(errno: Errno, reason: Reason) -> Verdict {
    let key = None;
    Verdict::Deny(Denial { errno, reason, key })
}

fn missing(errno: Errno, key: Capability) -> Verdict {
    let (reason, key) = (Reason::NotGranted, Some(key));
    Verdict::Deny(Denial { errno, reason, key })
}

fn toggle(capability: Capability) -> Grant<'static> {
    let capabilities = CapabilitySet::of(&[capability]);
    Grant {
        capabilities,
        ..NOTHING
    }
}

fn hosts(lines: &str) -> Grant<'_> {
    let hosts = HostList::from_lines(lines);
    Grant { hosts, ..NOTHING }
}

fn power(control: PowerControl) -> Grant<'static> {
    let power = PowerControls::EMPTY.with(control);
    Grant { power, ..NOTHING }
}

/// Every kind of request, each as something that is most likely to be refused.
fn everything() -> Vec<Access<'static>> {
    let mut all = vec![
        Access::Execute(Origin::Unverified),
        Access::Map(Mapping {
            executable: true,
            writable: true,
            ..PLAIN
        }),
        Access::Protect(Mapping {
            executable: true,
            writable: true,
            ..PLAIN
        }),
        Access::MakeWritable(Origin::System),
        Access::Trace {
            target: Tracee::Manager,
            attach: true,
            development: false,
        },
        Access::Signal(Owner::Manager),
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
        Access::CreateSocket(TCP),
        Access::CreateSocket(UDP),
        Access::CreateSocket(SocketKind::Other),
        Access::Bind {
            socket: TCP,
            port: Some(8080),
        },
        Access::Bind {
            socket: SocketKind::Other,
            port: Some(8080),
        },
        Access::Bind {
            socket: SocketKind::Unix,
            port: None,
        },
        Access::Listen {
            socket: TCP,
            port: 8080,
        },
        Access::Listen {
            socket: UDP,
            port: 8080,
        },
        Access::Connect {
            socket: TCP,
            to: to("203.0.113.7", 443),
        },
        Access::Connect {
            socket: SocketKind::Other,
            to: Destination::Unspecified,
        },
        Access::SetOption(ROUTE),
        Access::UnixPeer {
            owner: Owner::Manager,
            rules: None,
        },
        Access::ReceiveFile {
            owner: Owner::None,
            rules: None,
        },
        Access::ReadIdentity { own: false },
        Access::SetIdentity,
        Access::Administer,
        Access::SetDevelopment { sealed: true },
    ];
    all.extend((0..64).map(Access::LinuxCapability));
    all
}

#[test]
fn an_app_that_was_granted_nothing_gets_nothing() {
    for access in everything() {
        assert!(ask(&NOTHING, access).allowed().is_err(), "{access:?}");
    }
}

/// What nobody may do, whoever it is.
fn is_for_nobody(access: Access<'_>) -> bool {
    matches!(
        access,
        Access::Execute(_)
            | Access::Map(_)
            | Access::Protect(_)
            | Access::MakeWritable(_)
            | Access::SetDevelopment { sealed: true }
    )
}

#[test]
fn the_manager_is_bound_by_the_rules_for_code_only() {
    for access in everything() {
        let allowed = Subject::Manager.decide(access).is_allowed();
        assert_eq!(allowed, !is_for_nobody(access), "{access:?}");
    }
    let development = Access::SetDevelopment { sealed: false };
    assert!(Subject::Manager.decide(development).is_allowed());
}

#[test]
fn a_process_without_identity_is_not_the_system() {
    for access in everything() {
        let expected = match access {
            Access::Trace { .. } => denied(Errno::EPERM, Reason::Stranger),
            Access::ReadIdentity { own: false } => denied(Errno::EACCES, Reason::ManagerOnly),
            Access::SetIdentity | Access::Administer => denied(Errno::EPERM, Reason::ManagerOnly),
            access if is_for_nobody(access) => {
                assert!(!Subject::None.decide(access).is_allowed(), "{access:?}");
                continue;
            }
            _ => Verdict::Allow,
        };
        assert_eq!(Subject::None.decide(access), expected, "{access:?}");
    }
    let development = Access::SetDevelopment { sealed: false };
    let expected = denied(Errno::EPERM, Reason::ManagerOnly);
    assert_eq!(Subject::None.decide(development), expected);
}

#[test]
fn a_process_that_makes_a_sandbox_gets_what_that_needs() {
    let identity = identity(APP);
    let pending = Subject::Pending(&identity);
    for access in everything() {
        let expected = match access {
            Access::SetProcessGroup
            | Access::LinuxCapability(_)
            | Access::Mount
            | Access::Namespace
            | Access::DeviceNode
            | Access::SetId
            | Access::Key
            | Access::ReceiveFile { .. } => Verdict::Allow,
            Access::Signal(_) | Access::UnixPeer { .. } | Access::Trace { .. } => {
                denied(Errno::EPERM, Reason::Stranger)
            }
            Access::ReadIdentity { own: false } => denied(Errno::EACCES, Reason::ManagerOnly),
            Access::SetIdentity | Access::Administer => denied(Errno::EPERM, Reason::ManagerOnly),
            access if is_for_nobody(access) => {
                assert!(!pending.decide(access).is_allowed(), "{access:?}");
                continue;
            }
            _ => denied(Errno::EPERM, Reason::NotForApps),
        };
        assert_eq!(pending.decide(access), expected, "{access:?}");
    }
    let own = Owner::Component(APP);
    let other = Owner::Component(PEER);
    for (access, allowed) in [
        (Access::CreateSocket(SocketKind::Unix), true),
        (Access::Signal(own), true),
        (Access::Signal(other), false),
        (Access::Signal(Owner::None), false),
        (
            Access::UnixPeer {
                owner: own,
                rules: None,
            },
            true,
        ),
        (
            Access::UnixPeer {
                owner: other,
                rules: None,
            },
            false,
        ),
        (Access::MakeWritable(Origin::Unverified), true),
        (Access::ReadIdentity { own: true }, true),
        (Access::DropRights(&identity), false),
        (Access::SetDevelopment { sealed: false }, false),
    ] {
        assert_eq!(pending.decide(access).is_allowed(), allowed, "{access:?}");
    }
}

#[test]
fn code_runs_from_the_system_and_from_the_own_image() {
    let (app, peer) = (identity(APP), identity(PEER));
    let unverified = denied(Errno::EACCES, Reason::UnverifiedCode);
    let another = denied(Errno::EACCES, Reason::CodeOfAnother);
    let subjects = [
        (Subject::None, another),
        (Subject::Manager, another),
        (Subject::Pending(&app), Verdict::Allow),
        (Subject::App(&app, RuleSet::EMPTY), Verdict::Allow),
        (Subject::Pending(&peer), another),
        (Subject::App(&peer, RuleSet::EMPTY), another),
    ];
    for (subject, of_app) in subjects {
        for (origin, expected) in [
            (Origin::System, Verdict::Allow),
            (Origin::Unverified, unverified),
            (Origin::Component(APP), of_app),
        ] {
            let origin_of = Some(origin);
            let code = Mapping {
                origin: origin_of,
                ..CODE
            };
            for access in [
                Access::Execute(origin),
                Access::Map(code),
                Access::Protect(code),
            ] {
                assert_eq!(subject.decide(access), expected, "{subject:?} {access:?}");
            }
        }
        let anonymous = Access::Map(Mapping {
            origin: None,
            ..CODE
        });
        assert_eq!(subject.decide(anonymous), unverified, "{subject:?}");
    }
}

#[test]
fn memory_is_writable_or_executable_and_never_both() {
    let writable = denied(Errno::EACCES, Reason::WritableCode);
    let app = identity(APP);
    let table = [
        (CODE, Verdict::Allow),
        (
            Mapping {
                writable: true,
                ..CODE
            },
            writable,
        ),
        (
            Mapping {
                was_writable: true,
                ..CODE
            },
            writable,
        ),
        (
            Mapping {
                shared: true,
                ..CODE
            },
            writable,
        ),
        (
            Mapping {
                was_executable: true,
                ..CODE
            },
            Verdict::Allow,
        ),
        (
            Mapping {
                was_executable: true,
                writable: true,
                ..CODE
            },
            writable,
        ),
        (
            Mapping {
                was_executable: true,
                writable: true,
                ..PLAIN
            },
            writable,
        ),
        (
            Mapping {
                was_executable: true,
                ..PLAIN
            },
            Verdict::Allow,
        ),
        (PLAIN, Verdict::Allow),
        (
            Mapping {
                writable: true,
                ..PLAIN
            },
            Verdict::Allow,
        ),
        (
            Mapping {
                writable: true,
                shared: true,
                was_writable: true,
                ..PLAIN
            },
            Verdict::Allow,
        ),
        (
            Mapping {
                origin: Some(Origin::Component(PEER)),
                ..PLAIN
            },
            Verdict::Allow,
        ),
        (
            Mapping {
                writable: true,
                origin: Some(Origin::System),
                ..PLAIN
            },
            Verdict::Allow,
        ),
    ];
    for (mapping, expected) in table {
        for subject in [
            Subject::None,
            Subject::Manager,
            Subject::Pending(&app),
            Subject::App(&app, RuleSet::EMPTY),
        ] {
            for access in [Access::Map(mapping), Access::Protect(mapping)] {
                assert_eq!(subject.decide(access), expected, "{subject:?} {access:?}");
            }
        }
    }
}

#[test]
fn verified_file_systems_stay_read_only() {
    let app = identity(APP);
    for subject in [
        Subject::None,
        Subject::Manager,
        Subject::App(&app, RuleSet::EMPTY),
    ] {
        for origin in [Origin::System, Origin::Component(APP)] {
            let found = subject.decide(Access::MakeWritable(origin));
            assert_eq!(found, denied(Errno::EPERM, Reason::StaysVerified));
        }
    }
    let other = Access::MakeWritable(Origin::Unverified);
    assert_eq!(Subject::None.decide(other), Verdict::Allow);
    assert_eq!(Subject::Manager.decide(other), Verdict::Allow);
    assert_eq!(
        ask(&NOTHING, other),
        denied(Errno::EPERM, Reason::NotForApps)
    );
}

#[test]
fn a_file_system_is_verified_once_and_read_only() {
    let (app, peer) = (Origin::Component(APP), Origin::Component(PEER));
    let table = [
        (Origin::Unverified, app, true, Ok(app)),
        (Origin::Unverified, Origin::System, true, Ok(Origin::System)),
        (app, app, true, Ok(app)),
        (Origin::System, Origin::System, true, Ok(Origin::System)),
        (Origin::Unverified, app, false, Err(Errno::EINVAL)),
        (app, app, false, Err(Errno::EINVAL)),
        (
            Origin::Unverified,
            Origin::Unverified,
            true,
            Err(Errno::EINVAL),
        ),
        (app, Origin::Unverified, true, Err(Errno::EINVAL)),
        (app, peer, true, Err(Errno::EEXIST)),
        (app, Origin::System, true, Err(Errno::EEXIST)),
        (Origin::System, app, true, Err(Errno::EEXIST)),
    ];
    for (now, wanted, read_only, expected) in table {
        assert_eq!(
            now.mark(wanted, read_only),
            expected,
            "{now:?} {wanted:?} {read_only}"
        );
    }
    assert_eq!(Origin::default(), Origin::Unverified);
}

#[test]
fn tracing_needs_rights_development_mode_and_the_own_component() {
    let app = identity(APP);
    let strong = app.with_rights(Rights::SFS);
    let peer = identity(PEER);
    let strong_peer = peer.with_rights(Rights::SFS);
    let debugger_bytes = |component| {
        let mut buffer = vec![0; RuleSet::MAX_SIZE];
        let grant = Grant::none(component, AppKind::Debugger);
        let length = RuleSet::encode(&grant, &[], &mut buffer).unwrap();
        buffer.truncate(length);
        buffer
    };
    let (own_bytes, other_bytes) = (debugger_bytes(APP), debugger_bytes(PEER));
    let debugger = Subject::App(&app, RuleSet::from_checked(&own_bytes));
    // The rules of a debugger are those of another component: a mistake must not make a debugger.
    let impostor = Subject::App(&app, RuleSet::from_checked(&other_bytes));
    let plain = Subject::App(&app, RuleSet::EMPTY);
    let able = Subject::App(&strong, RuleSet::EMPTY);
    let allow = Verdict::Allow;
    let stranger = denied(Errno::EPERM, Reason::Stranger);
    let fewer = denied(Errno::EPERM, Reason::FewerRights);
    let development = denied(Errno::EPERM, Reason::DevelopmentOnly);
    // Tracer, target, and the answers to: attach, read; the same in development mode.
    let table = [
        (Subject::Manager, Tracee::None, [allow; 4]),
        (Subject::Manager, Tracee::Manager, [allow; 4]),
        (Subject::Manager, Tracee::Pending(&app), [allow; 4]),
        (Subject::Manager, Tracee::App(&strong), [allow; 4]),
        (Subject::None, Tracee::None, [allow; 4]),
        (Subject::None, Tracee::Manager, [stranger; 4]),
        (Subject::None, Tracee::Pending(&app), [stranger; 4]),
        (Subject::None, Tracee::App(&app), [stranger; 4]),
        (Subject::Pending(&app), Tracee::None, [stranger; 4]),
        (Subject::Pending(&app), Tracee::Pending(&app), [stranger; 4]),
        (Subject::Pending(&app), Tracee::App(&app), [stranger; 4]),
        (plain, Tracee::None, [stranger; 4]),
        (plain, Tracee::Manager, [stranger; 4]),
        (plain, Tracee::Pending(&app), [stranger; 4]),
        (debugger, Tracee::Pending(&app), [stranger; 4]),
        (debugger, Tracee::Manager, [stranger; 4]),
        (plain, Tracee::App(&app), [development, allow, allow, allow]),
        (able, Tracee::App(&app), [development, allow, allow, allow]),
        (
            able,
            Tracee::App(&strong),
            [development, allow, allow, allow],
        ),
        (plain, Tracee::App(&strong), [fewer; 4]),
        (plain, Tracee::App(&peer), [stranger; 4]),
        (able, Tracee::App(&peer), [stranger; 4]),
        (impostor, Tracee::App(&peer), [stranger; 4]),
        (
            debugger,
            Tracee::App(&peer),
            [development, development, allow, allow],
        ),
        (debugger, Tracee::App(&strong_peer), [fewer; 4]),
    ];
    for (subject, target, answers) in table {
        let questions = [(true, false), (false, false), (true, true), (false, true)];
        for ((attach, development), expected) in questions.into_iter().zip(answers) {
            let access = Access::Trace {
                target,
                attach,
                development,
            };
            assert_eq!(subject.decide(access), expected, "{subject:?} {access:?}");
        }
    }
}

#[test]
fn signals_stay_within_the_component() {
    let app = identity(APP);
    let table = [
        (Owner::Component(APP), Verdict::Allow),
        (
            Owner::Component(PEER),
            denied(Errno::EPERM, Reason::Stranger),
        ),
        (Owner::Manager, denied(Errno::EPERM, Reason::Stranger)),
        (Owner::None, denied(Errno::EPERM, Reason::Stranger)),
    ];
    for (owner, expected) in table {
        let access = Access::Signal(owner);
        assert_eq!(ask(&NOTHING, access), expected, "{owner:?}");
        assert_eq!(Subject::Pending(&app).decide(access), expected, "{owner:?}");
        assert_eq!(Subject::Manager.decide(access), Verdict::Allow);
        assert_eq!(Subject::None.decide(access), Verdict::Allow);
    }
}

#[test]
fn process_groups_need_the_flag_of_the_identity() {
    let app = identity(APP);
    let with = app.with_job_control(true);
    let expected = denied(Errno::EPERM, Reason::NoJobControl);
    let found = Subject::App(&app, RuleSet::EMPTY).decide(Access::SetProcessGroup);
    assert_eq!(found, expected);
    let found = Subject::App(&with, RuleSet::EMPTY).decide(Access::SetProcessGroup);
    assert_eq!(found, Verdict::Allow);
}

#[test]
fn capabilities_of_linux_follow_the_manifest() {
    use Capability as Key;
    assert_eq!((CAP_NET_ADMIN, CAP_SYS_BOOT, CAP_SYS_TIME), (12, 22, 25));
    let table = [
        (CAP_SYS_TIME, toggle(Key::SystemTime), Key::SystemTime),
        (
            CAP_SYS_BOOT,
            power(PowerControl::ForceReboot),
            Key::PowerControls,
        ),
        (
            CAP_SYS_BOOT,
            power(PowerControl::ForcePowerDown),
            Key::PowerControls,
        ),
        (
            CAP_NET_ADMIN,
            toggle(Key::NetworkConfig),
            Key::NetworkConfig,
        ),
        (
            CAP_NET_ADMIN,
            toggle(Key::HardwareAddressConfig),
            Key::NetworkConfig,
        ),
        (CAP_NET_ADMIN, toggle(Key::DhcpService), Key::NetworkConfig),
    ];
    for (number, grant, key) in table {
        let access = Access::LinuxCapability(number);
        assert_eq!(ask(&grant, access), Verdict::Allow, "{number}");
        assert_eq!(
            ask(&NOTHING, access),
            missing(Errno::EPERM, key),
            "{number}"
        );
    }
    // A power profile restarts nothing.
    let profile = power(PowerControl::SetPowerProfile);
    let found = ask(&profile, Access::LinuxCapability(CAP_SYS_BOOT));
    assert_eq!(found, missing(Errno::EPERM, Key::PowerControls));
    // Every other capability of Linux is out of reach, whatever the manifest says.
    let all = Grant {
        capabilities: CapabilitySet::of(Capability::ALL),
        power: PowerControls::EMPTY
            .with(PowerControl::ForceReboot)
            .with(PowerControl::ForcePowerDown)
            .with(PowerControl::SetPowerProfile),
        ..NOTHING
    };
    for number in 0..=64 {
        let listed = [CAP_NET_ADMIN, CAP_SYS_BOOT, CAP_SYS_TIME].contains(&number);
        let expected = if listed {
            Verdict::Allow
        } else {
            denied(Errno::EPERM, Reason::NotForApps)
        };
        assert_eq!(
            ask(&all, Access::LinuxCapability(number)),
            expected,
            "{number}"
        );
    }
    assert_eq!(LINUX_CAPABILITIES.len(), 3);
}

#[test]
fn the_clock_needs_its_key() {
    let found = ask(&NOTHING, Access::SetClock);
    assert_eq!(found, missing(Errno::EPERM, Capability::SystemTime));
    let with = toggle(Capability::SystemTime);
    assert_eq!(ask(&with, Access::SetClock), Verdict::Allow);
    let other = toggle(Capability::TimeSyncConfig);
    assert!(!ask(&other, Access::SetClock).is_allowed());
}

#[test]
fn what_no_app_may_do_is_refused_without_a_key() {
    for access in [
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
        Access::CreateSocket(SocketKind::Other),
        Access::Bind {
            socket: SocketKind::Other,
            port: Some(1),
        },
        Access::Listen {
            socket: UDP,
            port: 8080,
        },
        Access::Listen {
            socket: SocketKind::Other,
            port: 8080,
        },
        Access::Connect {
            socket: SocketKind::Other,
            to: to("203.0.113.7", 1),
        },
        Access::Connect {
            socket: SocketKind::Unix,
            to: Destination::Unspecified,
        },
        Access::SetOption(ROUTE),
    ] {
        let all = Grant {
            capabilities: CapabilitySet::of(Capability::ALL),
            hosts: HostList::from_lines("203.0.113.7"),
            udp_ports: &[8080],
            ..NOTHING
        };
        let expected = denied(Errno::EPERM, Reason::NotForApps);
        assert_eq!(ask(&all, access), expected, "{access:?}");
    }
}

#[test]
fn sockets_need_a_key_for_the_network() {
    let unix = Access::CreateSocket(SocketKind::Unix);
    assert_eq!(ask(&NOTHING, unix), Verdict::Allow);
    for socket in [TCP, UDP] {
        let access = Access::CreateSocket(socket);
        let expected = missing(Errno::EPERM, Capability::AllowedConnections);
        assert_eq!(ask(&NOTHING, access), expected);
        assert_eq!(ask(&toggle(Capability::NetworkConfig), access), expected);
        for grant in [
            hosts("example.com"),
            Grant {
                tcp_ports: &[8080],
                ..NOTHING
            },
            Grant {
                udp_ports: &[8080],
                ..NOTHING
            },
        ] {
            assert_eq!(ask(&grant, access), Verdict::Allow);
        }
    }
}

#[test]
fn sockets_to_real_time_apps_need_one_that_is_listed() {
    let access = Access::CreateSocket(SocketKind::Intercore);
    let key = Capability::AllowedApplicationConnections;
    assert_eq!(ask(&NOTHING, access), missing(Errno::EPERM, key));
    let online = ask(&hosts("example.com"), access);
    assert_eq!(online, missing(Errno::EPERM, key));
    let grant = Grant {
        peers: &[PEER],
        ..NOTHING
    };
    assert_eq!(ask(&grant, access), Verdict::Allow);
}

#[test]
fn ports_must_be_declared() {
    let tcp = Grant {
        tcp_ports: &[8080],
        ..NOTHING
    };
    let udp = Grant {
        udp_ports: &[8080],
        ..NOTHING
    };
    let no_tcp = missing(Errno::EACCES, Capability::AllowedTcpServerPorts);
    let no_udp = missing(Errno::EACCES, Capability::AllowedUdpServerPorts);
    let bind = |socket, port| Access::Bind {
        socket,
        port: Some(port),
    };
    let table = [
        (tcp, bind(TCP, 8080), Verdict::Allow),
        (tcp, bind(TCP, 8081), no_tcp),
        (udp, bind(TCP, 8080), no_tcp),
        (udp, bind(UDP, 8080), Verdict::Allow),
        (udp, bind(UDP, 8081), no_udp),
        (tcp, bind(UDP, 8080), no_udp),
        (
            tcp,
            Access::Listen {
                socket: TCP,
                port: 8080,
            },
            Verdict::Allow,
        ),
        (
            tcp,
            Access::Listen {
                socket: TCP,
                port: 8081,
            },
            no_tcp,
        ),
        (
            tcp,
            Access::Listen {
                socket: TCP,
                port: 0,
            },
            no_tcp,
        ),
        (
            udp,
            Access::Listen {
                socket: TCP,
                port: 8080,
            },
            no_tcp,
        ),
    ];
    for (grant, access, expected) in table {
        assert_eq!(ask(&grant, access), expected, "{access:?}");
    }
    // A free port is for connecting from it.
    for socket in [TCP, UDP] {
        let expected = missing(Errno::EACCES, Capability::AllowedConnections);
        assert_eq!(ask(&tcp, bind(socket, 0)), expected);
        assert_eq!(ask(&hosts("example.com"), bind(socket, 0)), Verdict::Allow);
        let malformed = Access::Bind { socket, port: None };
        let expected = denied(Errno::EINVAL, Reason::Malformed);
        assert_eq!(ask(&tcp, malformed), expected);
    }
}

#[test]
fn addresses_must_be_listed() {
    let no = missing(Errno::EPERM, Capability::AllowedConnections);
    let grant = hosts("example.com\n203.0.113.7");
    let resolved = [AddressRule::host(ip("2001:db8::7"))
        .only(Transport::Udp)
        .with_port(53)];
    let table = [
        (TCP, to("203.0.113.7", 443), Verdict::Allow),
        (UDP, to("203.0.113.7", 1), Verdict::Allow),
        (TCP, to("203.0.113.8", 443), no),
        (TCP, to("127.0.0.1", 443), no),
        (TCP, to("0.0.0.0", 443), no),
        (TCP, to("::1", 443), no),
        (TCP, to("::ffff:203.0.113.7", 443), Verdict::Allow),
        (TCP, to("::ffff:203.0.113.8", 443), no),
        (UDP, to("2001:db8::7", 53), Verdict::Allow),
        (UDP, to("2001:db8::7", 54), no),
        (TCP, to("2001:db8::7", 53), no),
        (TCP, Destination::Unspecified, Verdict::Allow),
        (
            TCP,
            Destination::Malformed,
            denied(Errno::EINVAL, Reason::Malformed),
        ),
    ];
    for (socket, to, expected) in table {
        let access = Access::Connect { socket, to };
        assert_eq!(ask_with(&grant, &resolved, access), expected, "{access:?}");
    }
    // Ports to listen on are no permission to connect.
    let server = Grant {
        tcp_ports: &[8080],
        ..NOTHING
    };
    let access = Access::Connect {
        socket: TCP,
        to: to("203.0.113.7", 8080),
    };
    assert_eq!(ask(&server, access), no);
}

#[test]
fn options_are_free_but_for_those_in_the_headers_of_packets() {
    assert_eq!(
        ask(&NOTHING, Access::SetOption(TIME_TO_LIVE)),
        Verdict::Allow
    );
    let expected = denied(Errno::EPERM, Reason::NotForApps);
    assert_eq!(ask(&NOTHING, Access::SetOption(ROUTE)), expected);
    for subject in [Subject::None, Subject::Manager] {
        let verdict = subject.decide(Access::SetOption(ROUTE));
        assert_eq!(verdict, Verdict::Allow, "{subject:?}");
    }
}

#[test]
fn local_sockets_and_open_files_need_both_sides() {
    let bytes = |component, peers| {
        let mut buffer = vec![0; RuleSet::MAX_SIZE];
        let grant = Grant {
            peers,
            ..Grant::none(component, AppKind::HighLevel)
        };
        let length = RuleSet::encode(&grant, &[], &mut buffer).unwrap();
        buffer.truncate(length);
        buffer
    };
    const THIRD: ComponentId = ComponentId::from_bytes([3; 16]);
    let (lists_us, lists_nobody) = (bytes(PEER, &[APP]), bytes(PEER, &[THIRD]));
    let of_another = bytes(THIRD, &[APP]);
    let mutual = Some(RuleSet::from_checked(&lists_us));
    let one_sided = Some(RuleSet::from_checked(&lists_nobody));
    let wrong = Some(RuleSet::from_checked(&of_another));
    let open = Grant {
        peers: &[PEER],
        ..NOTHING
    };
    let key = Capability::AllowedApplicationConnections;
    let peer = Owner::Component(PEER);
    for (errno, file) in [(Errno::EPERM, false), (Errno::EACCES, true)] {
        let access = |owner, rules| match file {
            true => Access::ReceiveFile { owner, rules },
            false => Access::UnixPeer { owner, rules },
        };
        let not_listed = Verdict::Deny(Denial {
            errno,
            reason: Reason::NotListedByPeer,
            key: Some(key),
        });
        let stranger = denied(errno, Reason::Stranger);
        let manager = if file { Verdict::Allow } else { stranger };
        let table = [
            (NOTHING, access(Owner::Component(APP), None), Verdict::Allow),
            (open, access(peer, mutual), Verdict::Allow),
            (open, access(peer, one_sided), not_listed),
            (open, access(peer, wrong), not_listed),
            (open, access(peer, None), not_listed),
            (NOTHING, access(peer, mutual), missing(errno, key)),
            (NOTHING, access(peer, None), missing(errno, key)),
            (open, access(Owner::None, None), stranger),
            (open, access(Owner::None, mutual), stranger),
            (open, access(Owner::Manager, None), manager),
        ];
        for (grant, access, expected) in table {
            assert_eq!(ask(&grant, access), expected, "{access:?}");
        }
    }
}

#[test]
fn identities_are_read_by_the_manager_and_by_their_owner() {
    let app = identity(APP);
    for subject in [
        Subject::None,
        Subject::Pending(&app),
        Subject::App(&app, RuleSet::EMPTY),
    ] {
        assert_eq!(
            subject.decide(Access::ReadIdentity { own: true }),
            Verdict::Allow
        );
        let found = subject.decide(Access::ReadIdentity { own: false });
        assert_eq!(
            found,
            denied(Errno::EACCES, Reason::ManagerOnly),
            "{subject:?}"
        );
        for access in [
            Access::SetIdentity,
            Access::Administer,
            Access::SetDevelopment { sealed: false },
        ] {
            let found = subject.decide(access);
            assert_eq!(
                found,
                denied(Errno::EPERM, Reason::ManagerOnly),
                "{subject:?} {access:?}"
            );
        }
    }
    for own in [true, false] {
        let found = Subject::Manager.decide(Access::ReadIdentity { own });
        assert_eq!(found, Verdict::Allow);
    }
    let late = Access::SetDevelopment { sealed: true };
    assert_eq!(
        Subject::Manager.decide(late),
        denied(Errno::EPERM, Reason::TooLate)
    );
}

#[test]
fn an_app_can_only_drop_rights() {
    let strong = identity(APP).with_rights(Rights::SFS.union(Rights::POSTCODE));
    let weak = strong.with_rights(Rights::SFS);
    let tenant = weak.with_tenant(Tenant::from_text("t").unwrap());
    let never = denied(Errno::EPERM, Reason::RightsOnlyShrink);
    let table = [
        (Subject::App(&strong, RuleSet::EMPTY), weak, Verdict::Allow),
        (
            Subject::App(&strong, RuleSet::EMPTY),
            strong,
            Verdict::Allow,
        ),
        (Subject::App(&weak, RuleSet::EMPTY), strong, never),
        (Subject::App(&strong, RuleSet::EMPTY), tenant, never),
        (Subject::Pending(&strong), weak, never),
        (Subject::Manager, weak, never),
        (Subject::None, weak, never),
    ];
    for (subject, wanted, expected) in table {
        assert_eq!(
            subject.decide(Access::DropRights(&wanted)),
            expected,
            "{subject:?}"
        );
    }
}

#[test]
fn rules_of_another_component_are_no_rules() {
    let app = identity(APP);
    let grant = Grant {
        capabilities: CapabilitySet::of(&[Capability::SystemTime]),
        ..Grant::none(PEER, AppKind::HighLevel)
    };
    let mut buffer = [0; RuleSet::MAX_SIZE];
    let length = RuleSet::encode(&grant, &[], &mut buffer).unwrap();
    let rules = RuleSet::parse(&buffer[..length]).unwrap();
    let found = Subject::App(&app, rules).decide(Access::SetClock);
    assert_eq!(found, missing(Errno::EPERM, Capability::SystemTime));
    let found = Subject::App(&identity(PEER), rules).decide(Access::SetClock);
    assert_eq!(found, Verdict::Allow);
}

#[test]
fn subjects_say_whose_their_things_are() {
    let app = identity(APP);
    let table = [
        (Subject::None, Owner::None, Tracee::None, None),
        (Subject::Manager, Owner::Manager, Tracee::Manager, None),
        (
            Subject::Pending(&app),
            Owner::Component(APP),
            Tracee::Pending(&app),
            Some(&app),
        ),
        (
            Subject::App(&app, RuleSet::EMPTY),
            Owner::Component(APP),
            Tracee::App(&app),
            Some(&app),
        ),
    ];
    for (subject, owner, tracee, identity) in table {
        assert_eq!(subject.owner(), owner);
        assert_eq!(subject.tracee(), tracee);
        assert_eq!(subject.identity(), identity);
    }
    assert_eq!(Owner::default(), Owner::None);
}

#[test]
fn requests_have_an_object_class() {
    use ObjectClass as Class;
    let app = identity(APP);
    let own = Owner::Component(APP);
    let table = [
        (Access::Execute(Origin::System), Class::File),
        (Access::Map(CODE), Class::Memory),
        (Access::Protect(CODE), Class::Memory),
        (Access::MakeWritable(Origin::System), Class::Mount),
        (Access::Mount, Class::Mount),
        (
            Access::Trace {
                target: Tracee::None,
                attach: true,
                development: true,
            },
            Class::Process,
        ),
        (Access::Signal(own), Class::Process),
        (Access::SetProcessGroup, Class::ProcessGroup),
        (Access::LinuxCapability(0), Class::Capability),
        (Access::SetClock, Class::Clock),
        (Access::KernelLog, Class::KernelLog),
        (Access::Quota, Class::Quota),
        (Access::Namespace, Class::Namespace),
        (Access::Bpf, Class::Bpf),
        (Access::Perf, Class::Perf),
        (Access::Key, Class::Key),
        (Access::LoadCode, Class::KernelCode),
        (Access::DeviceNode, Class::DeviceNode),
        (Access::SetId, Class::SetId),
        (Access::CreateSocket(SocketKind::Unix), Class::Unix),
        (
            Access::CreateSocket(SocketKind::Intercore),
            Class::Intercore,
        ),
        (Access::CreateSocket(SocketKind::Other), Class::Socket),
        (
            Access::Bind {
                socket: TCP,
                port: None,
            },
            Class::Tcp,
        ),
        (
            Access::Listen {
                socket: TCP,
                port: 0,
            },
            Class::Tcp,
        ),
        (
            Access::Connect {
                socket: UDP,
                to: Destination::Unspecified,
            },
            Class::Udp,
        ),
        (
            Access::UnixPeer {
                owner: own,
                rules: None,
            },
            Class::Unix,
        ),
        (
            Access::ReceiveFile {
                owner: own,
                rules: None,
            },
            Class::Descriptor,
        ),
        (Access::ReadIdentity { own: true }, Class::Identity),
        (Access::SetIdentity, Class::Identity),
        (Access::DropRights(&app), Class::Identity),
        (Access::Administer, Class::Policy),
        (Access::SetDevelopment { sealed: false }, Class::Policy),
    ];
    for (access, class) in table {
        assert_eq!(access.object_class(), class, "{access:?}");
    }
}

#[test]
fn reasons_have_words_of_their_own() {
    let table = [
        (Reason::NotForApps, "not for apps"),
        (Reason::ManagerOnly, "for the application manager only"),
        (
            Reason::Stranger,
            "belongs to another component or to the system",
        ),
        (Reason::UnverifiedCode, "code that nobody has verified"),
        (Reason::CodeOfAnother, "code of another component"),
        (
            Reason::WritableCode,
            "code that is, was or would be writable",
        ),
        (
            Reason::StaysVerified,
            "a verified file system stays read-only",
        ),
        (Reason::FewerRights, "the other process has more rights"),
        (Reason::DevelopmentOnly, "in development mode only"),
        (
            Reason::NoJobControl,
            "the identity does not allow process groups",
        ),
        (Reason::RightsOnlyShrink, "an identity can only lose rights"),
        (Reason::TooLate, "a process has an identity already"),
        (Reason::Malformed, "not an address"),
    ];
    for (reason, words) in table {
        assert_eq!(reason.as_str(), words);
        let Verdict::Deny(denial) = denied(Errno::EPERM, reason) else {
            panic!()
        };
        assert_eq!(denial.to_string(), format!("{words} (EPERM)"));
    }
}
