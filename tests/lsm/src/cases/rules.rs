// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The files by which the manager tells the module what there is: only it, only whole, only well formed.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::time::Duration;

use libc::{
    E2BIG, EBADF, EBUSY, EEXIST, EINVAL, EMSGSIZE, ENOENT, ENOSPC, EPERM, ESPIPE, O_RDONLY,
    O_WRONLY,
};

use super::task::wait_for_end;
use crate::case::Role::{App, Manager, Pending};
use crate::case::{Case, fact, holds, refusal, refused};
use crate::net::{ALLOWED, HERE, ONLY_TCP, OTHER, send_to, udp};
use crate::stage::{
    APPS, CHANGING, GIFT, NEIGHBOUR, OWN, PLAIN, SECURITY, STRANGER, Stage, install, open, read,
    tell, write_once,
};
use crate::sys::{self, Attempt, number};
use crate::wire::{Address, Component, Rules, capability, put, v4, verified};

const FILE: &str = "securityfs";
const PARSE: &str = "rules";
const NO: &[i32] = &[EPERM];
const BAD: &[i32] = &[EINVAL];
/// The kernel's own limit may answer before the module's.
const TOO_LONG: &[i32] = &[EINVAL, E2BIG, EMSGSIZE];

/// The cases of this area.
pub const CASES: &[Case] = &[
    fact(FILE, "rules", "files_have_their_modes", Manager, modes),
    fact(
        FILE,
        "rules",
        "interface_version_can_be_read_by_an_app",
        App(&PLAIN),
        |_| holds(read(&path("abi"))? == b"1\n"),
    ),
    refusal(
        FILE,
        "rules",
        "interface_version_cannot_be_written",
        Manager,
        |_| {
            open(&path("abi"), O_WRONLY)
                .map(|_| ())
                .and_then(|()| tell("abi", b"2\n"))
        },
        &[EPERM, EINVAL, libc::EACCES],
    ),
    fact(FILE, "rules", "development_is_off", Manager, |_| {
        holds(read(&path("development"))? == b"0\n")
    }),
    // Who may use them.
    refusal(
        FILE,
        "rules",
        "rules_written_by_an_app",
        App(&PLAIN),
        |_| install(&CHANGING),
        NO,
    ),
    refusal(
        FILE,
        "rules",
        "removal_written_by_an_app",
        App(&PLAIN),
        |_| remove(&CHANGING.identity.component),
        NO,
    ),
    refusal(
        FILE,
        "rules",
        "verification_written_by_an_app",
        App(&PLAIN),
        |_| verify(OWN, &PLAIN.identity.component),
        NO,
    ),
    refusal(
        FILE,
        "rules",
        "development_written_by_an_app",
        App(&PLAIN),
        |_| tell("development", b"1"),
        NO,
    ),
    refusal(
        FILE,
        "rules",
        "development_read_by_an_app",
        App(&PLAIN),
        |_| read(&path("development")).map(drop),
        NO,
    ),
    refusal(
        FILE,
        "rules",
        "denials_read_by_an_app",
        App(&PLAIN),
        |_| read(&path("denials")).map(drop),
        NO,
    ),
    refusal(
        FILE,
        "rules",
        "rules_written_before_the_exec",
        Pending(&PLAIN),
        |_| install(&CHANGING),
        NO,
    ),
    refusal(
        FILE,
        "rules",
        "denials_read_before_the_exec",
        Pending(&PLAIN),
        |_| read(&path("denials")).map(drop),
        NO,
    ),
    fact(
        FILE,
        "rules",
        "rules_written_by_the_manager",
        Manager,
        |_| install(&CHANGING),
    ),
    fact(
        FILE,
        "rules",
        "denials_read_by_the_manager",
        Manager,
        |_| read(&path("denials")).map(drop),
    ),
    // An open file carries no right.
    refusal(
        FILE,
        "S50",
        "rules_written_before_the_exec_to_a_file_opened_earlier",
        Manager,
        write_after_identity,
        NO,
    ),
    refusal(
        FILE,
        "S50",
        "rules_written_by_an_app_to_a_file_of_the_manager",
        Manager,
        |stage| give(stage, "rules", O_WRONLY, "write-rules-on-gift"),
        NO,
    ),
    refusal(
        FILE,
        "S50",
        "verification_written_by_an_app_to_a_file_of_the_manager",
        Manager,
        |stage| give(stage, "verified", O_WRONLY, "write-verified-on-gift"),
        NO,
    ),
    refusal(
        FILE,
        "S50",
        "denials_read_by_an_app_from_a_file_of_the_manager",
        Manager,
        |stage| give(stage, "denials", O_RDONLY, "read-denials-on-gift"),
        NO,
    ),
    // How they are written.
    refusal(
        FILE,
        "rules",
        "written_at_an_offset",
        Manager,
        |_| write_at(1),
        &[EINVAL, ESPIPE],
    ),
    refusal(
        FILE,
        "rules",
        "written_far_away",
        Manager,
        |_| write_at(1 << 40),
        &[EINVAL, ESPIPE],
    ),
    refusal(
        FILE,
        "rules",
        "written_in_two_halves",
        Manager,
        |_| write_halves(),
        BAD,
    ),
    refusal(
        FILE,
        "rules",
        "written_twice_to_one_open_file",
        Manager,
        |_| write_twice(),
        BAD,
    ),
    fact(
        FILE,
        "rules",
        "written_empty_changes_nothing",
        Manager,
        written_empty,
    ),
    // How many there may be, and how they change.
    refusal(
        FILE,
        "rules",
        "one_component_too_many",
        Manager,
        fill,
        &[ENOSPC],
    ),
    fact(
        FILE,
        "rules",
        "full_table_still_takes_new_rules_of_a_component",
        Manager,
        replace_when_full,
    ),
    fact(FILE, "rules", "largest_rules_are_taken", Manager, |_| {
        largest()
    }),
    fact(
        FILE,
        "rules",
        "malformed_rules_leave_the_old_ones",
        Manager,
        malformed_leave_old,
    ),
    fact(
        FILE,
        "rules",
        "replaced_while_an_app_runs",
        Manager,
        replace_while_running,
    ),
    fact(
        FILE,
        "S58",
        "tightened_for_an_app_that_runs",
        Manager,
        tighten_while_running,
    ),
    refusal(
        FILE,
        "rules",
        "removed_while_an_app_runs",
        Manager,
        |_| remove(&STRANGER.identity.component),
        &[EBUSY],
    )
    .against(App(&STRANGER), wait_for_end),
    refusal(
        FILE,
        "rules",
        "removed_while_an_app_is_about_to_begin",
        Manager,
        |_| remove(&STRANGER.identity.component),
        &[EBUSY],
    )
    .against(Pending(&STRANGER), wait_for_end),
    refusal(
        FILE,
        "rules",
        "removed_without_being_there",
        Manager,
        |_| remove(&UNKNOWN),
        &[ENOENT],
    ),
    refusal(
        FILE,
        "rules",
        "removed_by_a_short_id",
        Manager,
        |_| tell("remove", &[1; 15]),
        BAD,
    ),
    refusal(
        FILE,
        "rules",
        "removed_by_a_long_id",
        Manager,
        |_| tell("remove", &[1; 17]),
        BAD,
    ),
    refusal(
        FILE,
        "rules",
        "removed_by_the_nil_id",
        Manager,
        |_| remove(&[0; 16]),
        &[EINVAL, ENOENT],
    ),
    fact(
        FILE,
        "rules",
        "removed_and_installed_again",
        Manager,
        |_| add(&UNKNOWN).and_then(|()| remove(&UNKNOWN)),
    ),
    // Verified file systems.
    refusal(
        FILE,
        "rules",
        "verification_of_a_writable_file_system",
        Manager,
        |_| verify("/tmp", &[0; 16]),
        &[EINVAL, libc::EROFS],
    ),
    refusal(
        FILE,
        "rules",
        "verification_of_a_file_system_of_somebody_else",
        Manager,
        |_| verify(OWN, &NEIGHBOUR.identity.component),
        &[EEXIST],
    ),
    refusal(
        FILE,
        "rules",
        "verification_of_a_component_s_file_system_for_the_system",
        Manager,
        |_| verify(OWN, &[0; 16]),
        &[EEXIST],
    ),
    refusal(
        FILE,
        "rules",
        "verification_of_no_file",
        Manager,
        |_| verify_bytes(|bytes| put(bytes, 4, &999_i32.to_le_bytes())),
        &[EBADF],
    ),
    refusal(
        FILE,
        "rules",
        "verification_of_a_negative_file",
        Manager,
        |_| verify_bytes(|bytes| put(bytes, 4, &[0xff; 4])),
        &[EINVAL, EBADF],
    ),
    refusal(
        FILE,
        "rules",
        "verification_of_a_pipe",
        Manager,
        |_| verify_pipe(),
        BAD,
    ),
    refusal(
        FILE,
        "rules",
        "verification_of_another_version",
        Manager,
        |_| verify_bytes(|bytes| put(bytes, 0, &[2])),
        BAD,
    ),
    refusal(
        FILE,
        "rules",
        "verification_too_short",
        Manager,
        |_| tell("verified", &[1; 23]),
        BAD,
    ),
    refusal(
        FILE,
        "rules",
        "verification_too_long",
        Manager,
        |_| tell("verified", &[1; 25]),
        BAD,
    ),
    fact(
        FILE,
        "rules",
        "verification_again_by_the_same_owner",
        Manager,
        |_| verify(OWN, &PLAIN.identity.component),
    ),
    // Development.
    refusal(
        FILE,
        "rules",
        "development_switched_on_too_late",
        Manager,
        set_development,
        NO,
    ),
    refusal(
        FILE,
        "rules",
        "development_of_an_unknown_kind",
        Manager,
        |_| tell("development", b"2"),
        &[EINVAL, EPERM],
    ),
    fact(FILE, "rules", "development_is_still_off", Manager, |_| {
        holds(read(&path("development"))? == b"0\n")
    }),
];

/// A rule set with one thing wrong. Each change is an act of its own, because an act has no state.
macro_rules! bad {
    ($name:literal, $change:expr) => {
        refusal(
            PARSE,
            "rules",
            $name,
            Manager,
            |_| {
                let change: fn(&mut Vec<u8>) = $change;
                let mut bytes = good();
                change(&mut bytes);
                tell("rules", &bytes)
            },
            BAD,
        )
    };
}

/// Rule sets that are wrong in one way each.
pub const MALFORMED: &[Case] = &[
    bad!("empty_but_for_a_byte", |bytes| bytes.truncate(1)),
    bad!("shorter_than_its_head", |bytes| bytes.truncate(39)),
    bad!("shorter_than_it_says", |bytes| bytes
        .truncate(bytes.len() - 1)),
    bad!("longer_than_it_says", |bytes| bytes.push(0)),
    bad!("longer_than_it_says_by_a_port", |bytes| bytes
        .extend([1, 0])),
    bad!("of_version_0", |bytes| put(bytes, 0, &[0])),
    bad!("of_version_2", |bytes| put(bytes, 0, &[2])),
    bad!("with_length_0", |bytes| put(bytes, 4, &[0; 4])),
    bad!("with_a_length_beyond_memory", |bytes| put(
        bytes, 4, &[0xff; 4]
    )),
    bad!("of_the_nil_component", |bytes| put(bytes, 8, &[0; 16])),
    bad!("with_an_unknown_capability", |bytes| put(
        bytes,
        24,
        &capability::UNKNOWN.to_le_bytes()
    )),
    bad!("with_the_highest_capability", |bytes| put(
        bytes,
        27,
        &[0x80]
    )),
    bad!("of_a_real_time_app", |bytes| put(bytes, 28, &[1])),
    bad!("of_an_unknown_kind", |bytes| put(bytes, 28, &[3])),
    bad!("with_an_unknown_power_control", |bytes| put(
        bytes,
        29,
        &[8]
    )),
    bad!("with_something_reserved", |bytes| put(bytes, 30, &[1])),
    bad!("with_more_tcp_ports_than_there_are", |bytes| put(
        bytes,
        32,
        &[9]
    )),
    bad!("with_fewer_tcp_ports_than_there_are", |bytes| put(
        bytes,
        32,
        &[0]
    )),
    bad!("with_counts_beyond_all_limits", |bytes| put(
        bytes, 32, &[0xff; 8]
    )),
    bad!("with_port_0", |bytes| put(bytes, 40, &[0, 0])),
    bad!("with_a_port_twice", |bytes| put(
        bytes,
        42,
        &TCP[0].to_le_bytes()
    )),
    bad!("with_ports_out_of_order", |bytes| put(
        bytes,
        42,
        &1_u16.to_le_bytes()
    )),
    bad!("with_udp_ports_out_of_order", |bytes| put(
        bytes,
        46,
        &1_u16.to_le_bytes()
    )),
    bad!("with_an_address_of_another_family", |bytes| put(
        bytes,
        ADDRESSES,
        &[5]
    )),
    bad!("with_a_prefix_too_long_for_version_4", |bytes| put(
        bytes,
        ADDRESSES + 1,
        &[33]
    )),
    bad!("with_a_prefix_too_long_for_version_6", |bytes| put(
        bytes,
        ADDRESSES + 25,
        &[129]
    )),
    bad!("with_an_address_without_protocols", |bytes| put(
        bytes,
        ADDRESSES + 2,
        &[0]
    )),
    bad!("with_an_address_with_unknown_protocols", |bytes| put(
        bytes,
        ADDRESSES + 2,
        &[4]
    )),
    bad!("with_something_reserved_in_an_address", |bytes| put(
        bytes,
        ADDRESSES + 3,
        &[1]
    )),
    bad!(
        "with_something_reserved_behind_the_port_of_an_address",
        |bytes| put(bytes, ADDRESSES + 6, &[1])
    ),
    bad!("with_bits_beyond_the_prefix", |bytes| put(
        bytes,
        ADDRESSES + 1,
        &[16]
    )),
    bad!("with_bits_beyond_the_prefix_of_version_6", |bytes| put(
        bytes,
        ADDRESSES + 25,
        &[64]
    )),
    bad!("with_bytes_behind_an_address_of_version_4", |bytes| put(
        bytes,
        ADDRESSES + 12,
        &[1]
    )),
    bad!("with_a_nil_peer", |bytes| put(bytes, PEERS, &[0; 16])),
    refusal(
        PARSE,
        "rules",
        "longer_than_the_longest",
        Manager,
        |_| tell("rules", &vec![1; 4609]),
        TOO_LONG,
    ),
    refusal(
        PARSE,
        "rules",
        "much_longer_than_the_longest",
        Manager,
        |_| tell("rules", &vec![1; 1 << 20]),
        TOO_LONG,
    ),
    refusal(
        PARSE,
        "rules",
        "with_65_tcp_ports",
        Manager,
        |_| write_counted(65, 0, 0, 0),
        BAD,
    ),
    refusal(
        PARSE,
        "rules",
        "with_65_udp_ports",
        Manager,
        |_| write_counted(0, 65, 0, 0),
        BAD,
    ),
    refusal(
        PARSE,
        "rules",
        "with_65_peers",
        Manager,
        |_| write_counted(0, 0, 65, 0),
        BAD,
    ),
    refusal(
        PARSE,
        "rules",
        "with_129_addresses",
        Manager,
        |_| write_counted(0, 0, 0, 129),
        BAD,
    ),
    fact(PARSE, "rules", "the_good_one_beside_them", Manager, |_| {
        tell("rules", &good())
    }),
    fact(PARSE, "rules", "of_a_debug_server", Manager, |_| {
        tell(
            "rules",
            &Rules {
                kind: 2,
                ..Rules::NONE
            }
            .encode(&UNKNOWN),
        )?;
        remove(&UNKNOWN)
    }),
];

/// A component that has no rules.
const UNKNOWN: Component = [0x66; 16];

const TCP: [u16; 2] = [11000, 11001];
const UDP: [u16; 2] = [12000, 12001];
/// Where the first peer and the first address lie in [`good`].
const PEERS: usize = 40 + 4 + 4;
const ADDRESSES: usize = PEERS + 16;

/// Rules with something of everything.
fn good() -> Vec<u8> {
    const RULES: Rules = Rules {
        capabilities: capability::PEERS
            | capability::CONNECTIONS
            | capability::TCP
            | capability::UDP,
        kind: 0,
        power: 0,
        tcp: &TCP,
        udp: &UDP,
        peers: &[[0xab; 16]],
        addresses: &[
            Address::v4([10, 1, 2, 3], 32, 3, 443),
            Address {
                family: 6,
                prefix: 128,
                protocols: 3,
                port: 443,
                address: [0xfd; 16],
            },
        ],
    };
    RULES.encode(&CHANGING.identity.component)
}

fn path(file: &str) -> String {
    format!("{SECURITY}/{file}")
}

fn modes(_: &Stage) -> Attempt {
    for (file, mode) in [
        ("rules", 0o200),
        ("remove", 0o200),
        ("verified", 0o200),
        ("development", 0o600),
        ("denials", 0o400),
        ("abi", 0o444),
    ] {
        let found = fs::metadata(path(file)).map_err(|error| number(&error))?;
        holds(found.permissions().mode() & 0o7777 == mode)?;
    }
    Ok(())
}

fn opened() -> Attempt<File> {
    open(&path("rules"), O_WRONLY).map(File::from)
}

fn write_after_identity(stage: &Stage) -> Attempt {
    let mut file = opened()?;
    stage.take_identity(&PLAIN)?;
    write_once(&mut file, &good())
}

/// Gives an app one of the files, opened by the manager.
fn give(stage: &Stage, file: &str, flags: i32, act: &str) -> Attempt {
    sys::place(&open(&path(file), flags)?, GIFT)?;
    stage.have(&PLAIN, act)
}

/// Writes rules to the file that this process was started with.
pub fn write_rules_on_gift(_: &Stage) -> Attempt {
    write_once(&mut File::from(sys::inherited(GIFT)?), &good())
}

/// Verifies a file system by the file that this process was started with.
pub fn write_verified_on_gift(_: &Stage) -> Attempt {
    let root = open("/mnt/ro", O_RDONLY)?;
    write_once(
        &mut File::from(sys::inherited(GIFT)?),
        &verified(&root, &PLAIN.identity.component),
    )
}

/// Switches development on.
pub fn set_development(_: &Stage) -> Attempt {
    tell("development", b"1")
}

fn write_at(offset: u64) -> Attempt {
    opened()?
        .write_at(&good(), offset)
        .map(drop)
        .map_err(|error| number(&error))
}

fn write_halves() -> Attempt {
    let good = good();
    let (first, second) = good.split_at(good.len() / 2);
    let mut file = opened()?;
    write_once(&mut file, first)?;
    write_once(&mut file, second)
}

fn write_twice() -> Attempt {
    let mut file = opened()?;
    write_once(&mut file, &good())?;
    // The second write would begin where the first has ended, which is no beginning.
    write_once(&mut file, &good())
}

fn written_empty(_: &Stage) -> Attempt {
    match write_once(&mut opened()?, &[]) {
        Ok(()) | Err(EINVAL) => Ok(()),
        Err(number) => Err(number),
    }
}

fn numbered(number: usize) -> Component {
    let mut component = [0x50; 16];
    put(&mut component, 14, &(number as u16).to_be_bytes());
    component
}

fn add(component: &Component) -> Attempt {
    tell("rules", &Rules::NONE.encode(component))
}

fn remove(component: &Component) -> Attempt {
    tell("remove", component)
}

/// Fills the table, does something, and empties it again.
fn when_full(act: impl FnOnce() -> Attempt) -> Attempt {
    let room = 64 - APPS.len();
    let mut added = 0;
    let filled = (0..room).try_for_each(|number| add(&numbered(number)).inspect(|()| added += 1));
    let result = filled.map_err(|_| crate::case::BROKEN).and_then(|()| act());
    for number in 0..added {
        remove(&numbered(number)).map_err(|_| crate::case::BROKEN)?;
    }
    result
}

fn fill(_: &Stage) -> Attempt {
    when_full(|| add(&numbered(900)))
}

fn replace_when_full(_: &Stage) -> Attempt {
    when_full(|| install(&CHANGING))
}

/// Rules with as many entries of each kind.
fn counted(tcp: usize, udp: usize, peers: usize, addresses: usize) -> Vec<u8> {
    let ports = |count: usize| {
        Vec::leak(
            (0..count)
                .map(|number| 2000 + number as u16)
                .collect::<Vec<u16>>(),
        )
    };
    let peers = Vec::leak((0..peers).map(numbered).collect::<Vec<Component>>());
    let addresses = Vec::leak(
        (0..addresses)
            .map(|number| Address::v4([10, 0, 0, number as u8], 32, 3, 1))
            .collect::<Vec<_>>(),
    );
    let capabilities =
        capability::PEERS | capability::CONNECTIONS | capability::TCP | capability::UDP;
    let rules = Rules {
        capabilities,
        tcp: ports(tcp),
        udp: ports(udp),
        peers,
        addresses,
        ..Rules::NONE
    };
    rules.encode(&UNKNOWN)
}

fn write_counted(tcp: usize, udp: usize, peers: usize, addresses: usize) -> Attempt {
    tell("rules", &counted(tcp, udp, peers, addresses))
}

fn largest() -> Attempt {
    write_counted(64, 64, 64, 128)?;
    remove(&UNKNOWN)
}

fn malformed_leave_old(stage: &Stage) -> Attempt {
    install(&CHANGING)?;
    let good = good();
    for length in 0..good.len() {
        let short = good.get(..length).unwrap_or_default();
        if !short.is_empty() {
            refused(tell("rules", short), BAD)?;
        }
    }
    stage.have(&CHANGING, "send-to-the-listed-port")
}

/// Sends to the listed port once.
pub fn send_listed(_: &Stage) -> Attempt {
    send_to(&udp()?, &v4(HERE, ALLOWED), 0)
}

/// Sends to the listed port for a while; the first refusal ends it.
pub fn keep_sending(_: &Stage) -> Attempt {
    let socket = udp()?;
    (0..3000).try_for_each(|_| send_to(&socket, &v4(HERE, ALLOWED), 0))
}

/// Sends to the listed port until that is refused.
pub fn send_until_refused(_: &Stage) -> Attempt {
    let socket = udp()?;
    send_to(&socket, &v4(HERE, ALLOWED), 0)?;
    loop {
        match send_to(&socket, &v4(HERE, ALLOWED), 0) {
            Ok(()) => std::thread::sleep(Duration::from_millis(1)),
            Err(EPERM) => return Ok(()),
            Err(number) => return Err(number),
        }
    }
}

const ONE: &[Address] = &[
    Address::v4(HERE, 32, 3, ALLOWED),
    Address::v4(HERE, 32, 3, OTHER),
];
const TWO: &[Address] = &[
    Address::v4(HERE, 32, 3, ONLY_TCP),
    Address::v4([127, 0, 0, 0], 8, 2, ALLOWED),
];

/// Both rules let the app do what it does: it must never see anything between them.
fn replace_while_running(stage: &Stage) -> Attempt {
    let app = stage.start(&CHANGING, "keep-sending")?;
    let component = CHANGING.identity.component;
    let rules = [ONE, TWO].map(|addresses| {
        Rules {
            capabilities: capability::CONNECTIONS,
            addresses,
            ..Rules::NONE
        }
        .encode(&component)
    });
    let mut result = Ok(());
    let ended = loop {
        for bytes in &rules {
            result = result.and(tell("rules", bytes));
        }
        if let Some(ended) = sys::wait_with(app, libc::WNOHANG)? {
            break ended;
        }
    };
    result.and(sys::outcome(ended)).and(install(&CHANGING))
}

fn tighten_while_running(stage: &Stage) -> Attempt {
    install(&CHANGING)?;
    let app = stage.start(&CHANGING, "send-until-refused")?;
    std::thread::sleep(Duration::from_millis(50));
    let still_runs = sys::wait_with(app, libc::WNOHANG)?.is_none();
    let rules = Rules {
        capabilities: capability::CONNECTIONS,
        addresses: &[],
        ..Rules::NONE
    };
    tell("rules", &rules.encode(&CHANGING.identity.component))?;
    let ended = if still_runs {
        sys::outcome(sys::wait(app)?)
    } else {
        Err(crate::case::BROKEN)
    };
    ended.and(install(&CHANGING))
}

fn verify(directory: &str, component: &Component) -> Attempt {
    let root: OwnedFd = open(directory, O_RDONLY)?;
    tell("verified", &verified(&root, component))
}

fn verify_bytes(change: impl FnOnce(&mut Vec<u8>)) -> Attempt {
    let root = open(OWN, O_RDONLY)?;
    let mut bytes = verified(&root, &PLAIN.identity.component);
    change(&mut bytes);
    tell("verified", &bytes)
}

fn verify_pipe() -> Attempt {
    let (reader, _writer) = sys::pipe()?;
    tell("verified", &verified(&reader, &PLAIN.identity.component))
}
