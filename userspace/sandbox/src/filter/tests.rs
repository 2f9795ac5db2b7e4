// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The filters against the table, call by call, with the kernel's rules for several filters.

use libc::{ENOSYS, EPERM, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::interpreter::{Data, run_all, trace};
use super::*;

const REFUSED: u32 = SECCOMP_RET_ERRNO | EPERM.unsigned_abs();
const ABSENT: u32 = SECCOMP_RET_ERRNO | ENOSYS.unsigned_abs();

const PROFILES: [Profile; 6] = [
    Profile::Launcher,
    Profile::App {
        network: false,
        clock: false,
    },
    Profile::App {
        network: false,
        clock: true,
    },
    Profile::App {
        network: true,
        clock: false,
    },
    Profile::App {
        network: true,
        clock: true,
    },
    Profile::Service,
];
const OFFLINE: Profile = PROFILES[1];
const NETWORKED: Profile = PROFILES[3];

/// The filters of each profile, the last installed first.
static FILTERS: LazyLock<Vec<Vec<Filter>>> = LazyLock::new(|| {
    let filters = |profile| match profile {
        Profile::Launcher => vec![Filter::common().unwrap()],
        Profile::App { .. } => vec![Filter::seal(profile).unwrap(), Filter::common().unwrap()],
        Profile::Service => vec![Filter::whole(profile).unwrap()],
    };
    PROFILES.into_iter().map(filters).collect()
});

fn answer_of(profile: Profile, data: &Data) -> u32 {
    let index = PROFILES.iter().position(|&other| other == profile).unwrap();
    let programs: Vec<_> = FILTERS[index].iter().map(Filter::instructions).collect();
    run_all(&programs, data)
}

fn call(name: &str, arguments: &[u64]) -> Data {
    let number = calls()
        .iter()
        .find(|call| call.name() == name)
        .expect(name)
        .number;
    let mut all = [0; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    Data {
        number,
        architecture: AUDIT_ARCH_ARM,
        arguments: all,
    }
}

fn answer(profile: Profile, name: &str, arguments: &[u64]) -> u32 {
    answer_of(profile, &call(name, arguments))
}

/// Whether rules hold, by their definition.
fn holds(rules: Rules, arguments: &[u64; 6]) -> bool {
    rules.iter().any(|alternative| {
        alternative.iter().all(|condition| {
            let argument = arguments[usize::from(condition.argument)] as u32;
            match condition.test {
                Test::Equal(value) => argument == value,
                Test::NotEqual(value) => argument != value,
                Test::AtMost(value) => argument <= value,
                Test::Masked { mask, value } => argument & mask == value,
            }
        })
    })
}

/// What the table says about a call.
fn expected(profile: Profile, data: &Data) -> u32 {
    if data.architecture != AUDIT_ARCH_ARM {
        return SECCOMP_RET_KILL_PROCESS;
    }
    let Some(call) = calls().iter().find(|call| call.number == data.number) else {
        return ABSENT;
    };
    match call.outcome(profile) {
        Outcome::Allow => SECCOMP_RET_ALLOW,
        Outcome::Refuse => REFUSED,
        Outcome::Absent => ABSENT,
        Outcome::Check(rules) if holds(rules, &data.arguments) => SECCOMP_RET_ALLOW,
        Outcome::Check(_) => REFUSED,
    }
}

/// Every value that a rule of the table compares with, and its neighbours.
fn interesting() -> Vec<u64> {
    let mut values = vec![0, 1, 2, 10, 19, 20, u64::from(u32::MAX)];
    for call in calls() {
        for profile in PROFILES {
            let Outcome::Check(rules) = call.outcome(profile) else {
                continue;
            };
            for condition in rules.iter().copied().flatten() {
                let value = match condition.test {
                    Test::Equal(value) | Test::NotEqual(value) | Test::AtMost(value) => value,
                    Test::Masked { mask, value } => value | (mask & mask.wrapping_neg()),
                };
                values.extend([value, value.wrapping_add(1), value.wrapping_sub(1)].map(u64::from));
            }
        }
    }
    values.sort_unstable();
    values.dedup();
    values
}

#[test]
fn every_number_gets_what_the_table_says() {
    let private = 0x0F_0000..0x0F_0020;
    let high = [1024, 0xFFFF, 0x90_0003, 0x7FFF_FFFF, 0x8000_0000, u32::MAX];
    for profile in PROFILES {
        for number in (0..1024).chain(private.clone()).chain(high) {
            for arguments in [[0; 6], [u64::MAX; 6]] {
                let data = Data {
                    number,
                    architecture: AUDIT_ARCH_ARM,
                    arguments,
                };
                assert_eq!(
                    answer_of(profile, &data),
                    expected(profile, &data),
                    "{profile:?} {data:?}"
                );
            }
        }
    }
}

#[test]
fn what_the_table_allows_and_denies_is_disjoint_and_complete() {
    for profile in PROFILES {
        assert_eq!(
            allowed(profile).count() + denied(profile).count(),
            calls().len()
        );
        for call in denied(profile) {
            let data = Data {
                number: call.number,
                architecture: AUDIT_ARCH_ARM,
                arguments: [0; 6],
            };
            assert_ne!(
                answer_of(profile, &data),
                SECCOMP_RET_ALLOW,
                "{profile:?} {}",
                call.name()
            );
        }
    }
    let numbers: BTreeMap<_, _> = calls()
        .iter()
        .map(|call| (call.number, call.name()))
        .collect();
    assert_eq!(numbers.len(), calls().len());
    assert!(calls().iter().all(|call| !call.reason.is_empty()));
}

#[test]
fn another_architecture_is_killed_and_arm_is_not() {
    // x86-64, AArch64, 32-bit ARM big-endian, none.
    for architecture in [0xC000_003E, 0xC000_00B7, 40, 0] {
        for profile in PROFILES {
            let data = Data {
                architecture,
                ..call("read", &[])
            };
            assert_eq!(
                answer_of(profile, &data),
                SECCOMP_RET_KILL_PROCESS,
                "{architecture:#x}"
            );
        }
    }
    assert_eq!(answer(OFFLINE, "read", &[]), SECCOMP_RET_ALLOW);
}

#[test]
fn set_up_is_the_launchers_and_nobody_elses() {
    for name in [
        "mount",
        "umount2",
        "pivot_root",
        "mount_setattr",
        "setresuid32",
        "setresgid32",
        "setgroups32",
        "capset",
        "seccomp",
        "landlock_restrict_self",
        "lsm_set_self_attr",
        "setsid",
    ] {
        assert_eq!(
            answer(Profile::Launcher, name, &[]),
            SECCOMP_RET_ALLOW,
            "{name}"
        );
        for profile in &PROFILES[1..] {
            assert_eq!(answer(*profile, name, &[]), REFUSED, "{name} {profile:?}");
        }
    }
    assert_eq!(answer(Profile::Launcher, "clone3", &[]), SECCOMP_RET_ALLOW);
    assert_eq!(answer(OFFLINE, "clone3", &[]), ABSENT);
}

#[test]
fn everyone_reads_an_identity_and_only_the_launcher_sets_one() {
    for profile in PROFILES {
        assert_eq!(
            answer(profile, "lsm_get_self_attr", &[100]),
            SECCOMP_RET_ALLOW
        );
        // LSM_ATTR_CURRENT, LSM_ATTR_EXEC: the seal leaves neither.
        for attribute in [100, 101] {
            let expected = match profile {
                Profile::Launcher => SECCOMP_RET_ALLOW,
                _ => REFUSED,
            };
            assert_eq!(answer(profile, "lsm_set_self_attr", &[attribute]), expected);
        }
    }
}

#[test]
fn clone_starts_threads_and_forks_but_no_namespaces() {
    const THREAD: u64 = 0x007D_0F00;
    const FORK: u64 = 17;
    for profile in PROFILES {
        assert_eq!(answer(profile, "clone", &[THREAD]), SECCOMP_RET_ALLOW);
        assert_eq!(answer(profile, "clone", &[FORK]), SECCOMP_RET_ALLOW);
        for flag in [
            libc::CLONE_NEWNS,
            libc::CLONE_NEWCGROUP,
            libc::CLONE_NEWUTS,
            libc::CLONE_NEWIPC,
            libc::CLONE_NEWUSER,
            libc::CLONE_NEWPID,
            libc::CLONE_NEWNET,
        ] {
            let flag = u64::from(flag.unsigned_abs());
            assert_eq!(
                answer(profile, "clone", &[FORK | flag]),
                REFUSED,
                "{flag:#x}"
            );
        }
    }
}

#[test]
fn process_1_cannot_be_signalled_and_others_can() {
    for name in [
        "kill",
        "tkill",
        "tgkill",
        "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
    ] {
        assert_eq!(answer(OFFLINE, name, &[1]), REFUSED, "{name}");
        assert_eq!(
            answer(OFFLINE, name, &[u64::from(u32::MAX)]),
            REFUSED,
            "{name}"
        );
        for target in [0, 2, 1000] {
            assert_eq!(
                answer(OFFLINE, name, &[target]),
                SECCOMP_RET_ALLOW,
                "{name}"
            );
        }
    }
}

#[test]
fn socket_families_follow_the_network() {
    const CLOSE_ON_EXEC: u64 = 0x8_0000;
    for (family, kind, protocol) in [(2, 1, 0), (2, 1, 6), (2, 2, 17), (10, 1, 0), (10, 2, 0)] {
        let arguments = [family, kind | CLOSE_ON_EXEC, protocol];
        assert_eq!(
            answer(NETWORKED, "socket", &arguments),
            SECCOMP_RET_ALLOW,
            "{arguments:?}"
        );
        assert_eq!(
            answer(OFFLINE, "socket", &arguments),
            REFUSED,
            "{arguments:?}"
        );
        assert_eq!(
            answer(Profile::Service, "socket", &arguments),
            REFUSED,
            "{arguments:?}"
        );
    }
    for (family, kind, protocol) in [
        (2, 3, 0),
        (2, 3, 1),
        (2, 2, 1),
        (2, 1, 262),
        (2, 5, 132),
        (2, 2, 136),
        (16, 3, 0),
        (17, 3, 0),
        (38, 5, 0),
        (40, 1, 0),
        (43, 1, 0),
        (43, 3, 0),
        (43, 2, 1),
        (0, 1, 0),
        (3, 2, 0),
    ] {
        for profile in [OFFLINE, NETWORKED] {
            let arguments = [family, kind, protocol];
            assert_eq!(
                answer(profile, "socket", &arguments),
                REFUSED,
                "{arguments:?}"
            );
        }
    }
    // Whose manifest names a real-time app is known to the security module.
    let intercore = [43, 2 | CLOSE_ON_EXEC, 0];
    assert_eq!(answer(Profile::Service, "socket", &intercore), REFUSED);
    for profile in [OFFLINE, NETWORKED] {
        assert_eq!(answer(profile, "socket", &intercore), SECCOMP_RET_ALLOW);
        assert_eq!(answer(profile, "socket", &[1, 1, 0]), SECCOMP_RET_ALLOW);
        assert_eq!(answer(profile, "socketpair", &[1, 1, 0]), SECCOMP_RET_ALLOW);
        assert_eq!(answer(profile, "socketpair", &[2, 1, 0]), REFUSED);
    }
}

#[test]
fn messages_to_real_time_cores_are_datagrams_and_the_security_module_decides_whose() {
    for profile in [OFFLINE, NETWORKED] {
        for kind in [2, 2 | 0o2_000_000] {
            assert_eq!(answer(profile, "socket", &[43, kind, 0]), SECCOMP_RET_ALLOW);
        }
        for other in [[43, 1, 0], [43, 2, 1], [42, 2, 0], [44, 2, 0]] {
            assert_eq!(answer(profile, "socket", &other), REFUSED, "{other:?}");
        }
        assert_eq!(answer(profile, "socketpair", &[43, 2, 0]), REFUSED);
    }
}

#[test]
fn a_pin_is_read_and_set_and_not_turned_around() {
    for profile in PROFILES {
        // Get and set values, and set the configuration.
        for request in [0xC010_B40E, 0xC010_B40F] {
            assert_eq!(answer(profile, "ioctl", &[0, request]), SECCOMP_RET_ALLOW);
        }
        for high in [0, 1 << 32, u64::from(u32::MAX) << 32] {
            let configure = 0xC110_B40D | high;
            assert_eq!(answer(profile, "ioctl", &[0, configure]), REFUSED);
        }
    }
}

#[test]
fn terminals_cannot_be_typed_into_even_with_high_bits() {
    for profile in PROFILES {
        for request in [0x5412u64, 0x541C] {
            for high in [0, 1 << 32, u64::from(u32::MAX) << 32] {
                assert_eq!(answer(profile, "ioctl", &[0, request | high]), REFUSED);
            }
        }
        // TCGETS, FIONREAD, TIOCGWINSZ.
        for request in [0x5401, 0x541B, 0x5413] {
            assert_eq!(answer(profile, "ioctl", &[0, request]), SECCOMP_RET_ALLOW);
        }
    }
}

#[test]
fn controls_limits_priorities_and_personality_are_bounded() {
    let set = |name, arguments: &[u64]| answer(OFFLINE, name, arguments);
    // PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_MM, PR_SET_PTRACER.
    for control in [22, 24, 35, 0x5961_6D61] {
        for profile in PROFILES {
            assert_eq!(answer(profile, "prctl", &[control]), REFUSED);
        }
    }
    // PR_SET_DUMPABLE, PR_CAP_AMBIENT.
    for control in [4, 47] {
        assert_eq!(set("prctl", &[control]), REFUSED);
        assert_eq!(
            answer(Profile::Launcher, "prctl", &[control]),
            SECCOMP_RET_ALLOW
        );
    }
    assert_eq!(set("prctl", &[15]), SECCOMP_RET_ALLOW);
    assert_eq!(set("prlimit64", &[0, 7]), SECCOMP_RET_ALLOW);
    assert_eq!(set("prlimit64", &[1, 7]), REFUSED);
    assert_eq!(set("setpriority", &[0, 0, 5]), SECCOMP_RET_ALLOW);
    assert_eq!(set("setpriority", &[0, 0, u64::from(u32::MAX)]), REFUSED);
    assert_eq!(
        set("personality", &[u64::from(u32::MAX)]),
        SECCOMP_RET_ALLOW
    );
    assert_eq!(set("personality", &[0x0040_0000]), REFUSED);
}

#[test]
fn only_the_grant_of_the_clock_lets_it_be_set() {
    for name in ["settimeofday", "clock_settime", "clock_settime64"] {
        for network in [false, true] {
            let app = |clock| Profile::App { network, clock };
            assert_eq!(answer(app(true), name, &[]), SECCOMP_RET_ALLOW);
            assert_eq!(answer(app(false), name, &[]), REFUSED);
        }
    }
}

#[test]
fn connections_open_through_connect_and_options_are_harmless() {
    const FAST_OPEN: u64 = 0x2000_0000;
    assert_eq!(
        answer(NETWORKED, "sendto", &[3, 0, 0, 0x4000]),
        SECCOMP_RET_ALLOW
    );
    assert_eq!(answer(NETWORKED, "sendto", &[3, 0, 0, FAST_OPEN]), REFUSED);
    assert_eq!(answer(NETWORKED, "sendmsg", &[3, 0, FAST_OPEN]), REFUSED);
    assert_eq!(
        answer(NETWORKED, "sendmmsg", &[3, 0, 0, FAST_OPEN]),
        REFUSED
    );
    assert_eq!(answer(NETWORKED, "setsockopt", &[3, 1, 25]), REFUSED);
    assert_eq!(
        answer(NETWORKED, "setsockopt", &[3, 1, 2]),
        SECCOMP_RET_ALLOW
    );
    assert_eq!(
        answer(NETWORKED, "setsockopt", &[3, 6, 25]),
        SECCOMP_RET_ALLOW
    );
}

#[test]
fn a_service_names_no_sockets_but_serves_those_it_has() {
    for name in ["bind", "connect", "listen"] {
        assert_eq!(answer(Profile::Service, name, &[]), REFUSED);
        assert_eq!(answer(NETWORKED, name, &[]), SECCOMP_RET_ALLOW);
    }
    for name in ["accept4", "recvmsg", "sendmsg", "ppoll"] {
        assert_eq!(answer(Profile::Service, name, &[]), SECCOMP_RET_ALLOW);
    }
}

#[test]
fn calls_without_arguments_are_decided_in_a_few_steps() {
    for filters in FILTERS.iter() {
        for filter in filters {
            for call in calls() {
                let data = Data {
                    number: call.number,
                    architecture: AUDIT_ARCH_ARM,
                    arguments: [0; 6],
                };
                if PROFILES
                    .iter()
                    .all(|&profile| !matches!(call.outcome(profile), Outcome::Check(_)))
                {
                    let (_, steps) = trace(filter.instructions(), &data);
                    assert!(steps <= 16, "{}: {steps}", call.name());
                }
            }
        }
    }
}

#[test]
fn a_seal_is_short() {
    // It is installed for every app, and the kernel's work grows with its length.
    for network in [false, true] {
        for clock in [false, true] {
            let seal = Filter::seal(Profile::App { network, clock }).unwrap();
            let length = seal.instructions().len();
            assert!(length <= 120, "{length}");
        }
    }
}

#[test]
fn a_table_with_a_number_twice_makes_no_filter() {
    let twice = vec![(3, Outcome::Allow), (3, Outcome::Refuse)];
    let error = assemble::program(Checked, twice, Outcome::Absent).unwrap_err();
    assert!(matches!(error, FilterError::Twice { number: 3 }));
    assert!(assemble::program(Checked, vec![(3, Outcome::Allow)], Outcome::Absent).is_ok());
}

#[test]
fn far_jumps_arrive() {
    // Each second number has another answer, so nothing merges and the halves are longer than a jump.
    let outcome = |number| {
        if number % 2 == 0 {
            Outcome::Allow
        } else {
            Outcome::Refuse
        }
    };
    let table: Vec<_> = (0..900).map(|number| (number, outcome(number))).collect();
    let program = assemble::program(CheckedBefore, table, Outcome::Absent).unwrap();
    for number in 0..1000 {
        let data = Data {
            number,
            architecture: AUDIT_ARCH_ARM,
            arguments: [0; 6],
        };
        let expected = match number {
            900.. => ABSENT,
            even if even % 2 == 0 => SECCOMP_RET_ALLOW,
            _ => REFUSED,
        };
        assert_eq!(trace(&program, &data).0, expected, "{number}");
    }
}

proptest! {
    #[test]
    fn arguments_get_what_the_table_says(
        profile in prop::sample::select(PROFILES.to_vec()),
        index in 0..calls().len(),
        low in prop::collection::vec(prop_oneof![prop::sample::select(interesting()), any::<u32>().prop_map(u64::from)], 6),
        high in prop::collection::vec(prop_oneof![Just(0u64), any::<u32>().prop_map(|high| u64::from(high) << 32)], 6),
    ) {
        let arguments = std::array::from_fn(|index| low[index] | high[index]);
        let data = Data { number: calls()[index].number, architecture: AUDIT_ARCH_ARM, arguments };
        prop_assert_eq!(answer_of(profile, &data), expected(profile, &data));
    }

    #[test]
    fn any_number_gets_what_the_table_says(
        profile in prop::sample::select(PROFILES.to_vec()),
        number in any::<u32>(),
        architecture in prop_oneof![Just(AUDIT_ARCH_ARM), any::<u32>()],
        arguments in any::<[u64; 6]>(),
    ) {
        let data = Data { number, architecture, arguments };
        prop_assert_eq!(answer_of(profile, &data), expected(profile, &data));
    }
}
