// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Who a process is: given once, by the manager, for the next exec, and never taken back.

use std::fs;
use std::io::Write;

use libc::{EACCES, EINVAL, ENOENT, EOPNOTSUPP, EPERM};

use super::task::wait_for_end;
use crate::case::Role::{App, Manager, Pending};
use crate::case::{Case, fact, holds, refusal, refused};
use crate::net;
use crate::stage::{Feature, LESSER, PLAIN, PROGRAM, RICH, SECURITY, STRANGER, Stage, read, write};
use crate::sys::{self, Arg, Attempt, call, number};
use crate::wire::{
    ATTR_CURRENT, ATTR_EXEC, ATTR_PREVIOUS, IDENTITY, Identity, JOB_CONTROL, LSM_ID, get_attribute,
    put, set_attribute, set_current, set_next,
};

const SET: &str = "setselfattr";
const GET: &str = "getselfattr";
const READ: &str = "getprocattr";
const WRITE: &str = "setprocattr";
const EXEC: &str = "bprm_creds_for_exec";
const BAD: &[i32] = &[EINVAL];
const NO: &[i32] = &[EPERM];
const NOT_THIS_WAY: &[i32] = &[EINVAL, EPERM, EACCES, EOPNOTSUPP];

/// The cases of this area.
pub const CASES: &[Case] = &[
    // Malformed identities.
    refusal(SET, "identity", "empty", Manager, |_| resized(0), BAD),
    refusal(
        SET,
        "identity",
        "one_byte_short",
        Manager,
        |_| resized(IDENTITY - 1),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "one_byte_long",
        Manager,
        |_| resized(IDENTITY + 1),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "twice_as_long",
        Manager,
        |_| resized(2 * IDENTITY),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "as_long_as_the_kernel_takes",
        Manager,
        |_| resized(4096 - 32),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "version_0",
        Manager,
        |_| changed(0, &[0]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "version_2",
        Manager,
        |_| changed(0, &[2]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "version_of_another_byte_order",
        Manager,
        |_| changed(0, &[0, 0, 0, 1]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "unknown_flag",
        Manager,
        |_| changed(4, &[2]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "highest_flag",
        Manager,
        |_| changed(7, &[0x80]),
        BAD,
    ),
    refusal(
        SET,
        "S58",
        "nil_component",
        Manager,
        |_| changed(8, &[0; 16]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "tenant_with_something_behind_its_end",
        Manager,
        |_| changed(26, b"x"),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "tenant_with_something_at_its_last_byte",
        Manager,
        |_| changed(87, b"x"),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "tenant_with_a_line_end",
        Manager,
        |_| changed(24, b"a\nCAPS: FFFFFFFF"),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "tenant_that_is_no_text",
        Manager,
        |_| changed(24, &[0xff, 0xfe]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "reserved_right",
        Manager,
        |_| changed(88, &[8]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "unknown_right",
        Manager,
        |_| changed(89, &[8]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "highest_right",
        Manager,
        |_| changed(91, &[0x80]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "all_rights",
        Manager,
        |_| changed(88, &[0xff; 4]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "reserved_word",
        Manager,
        |_| changed(92, &[1]),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "component_without_rules",
        Manager,
        |_| changed(8, &[0x77; 16]),
        &[ENOENT],
    ),
    refusal(
        SET,
        "identity",
        "as_the_attribute_before_the_last",
        Manager,
        |_| set_attribute(ATTR_PREVIOUS, LSM_ID, &PLAIN.identity.encode(), 0),
        &[EOPNOTSUPP],
    ),
    refusal(
        SET,
        "identity",
        "with_a_flag_of_the_call",
        Manager,
        |_| set_attribute(ATTR_EXEC, LSM_ID, &PLAIN.identity.encode(), 1),
        BAD,
    ),
    refusal(
        SET,
        "identity",
        "for_a_module_that_is_not_there",
        Manager,
        |_| set_attribute(ATTR_EXEC, 999, &PLAIN.identity.encode(), 0),
        &[EOPNOTSUPP, EINVAL],
    ),
    // The wrong process, or the wrong moment.
    refusal(
        SET,
        "identity",
        "of_the_manager_at_once",
        Manager,
        |_| set_current(&PLAIN.identity.encode()),
        NO,
    ),
    refusal(
        SET,
        "identity",
        "twice",
        Pending(&PLAIN),
        |_| set_next(&STRANGER.identity.encode()),
        NO,
    ),
    refusal(
        SET,
        "identity",
        "twice_the_same",
        Pending(&PLAIN),
        |_| set_next(&PLAIN.identity.encode()),
        NO,
    ),
    refusal(
        SET,
        "identity",
        "twice_malformed",
        Pending(&PLAIN),
        |_| set_next(&[0; IDENTITY]),
        &[EPERM, EINVAL],
    ),
    refusal(
        SET,
        "identity",
        "before_the_exec_at_once",
        Pending(&RICH),
        |_| set_current(&STRANGER.identity.encode()),
        NO,
    ),
    refusal(
        SET,
        "identity",
        "by_a_child_of_a_process_that_has_one",
        Pending(&PLAIN),
        |_| sys::in_child(|| set_next(&STRANGER.identity.encode())),
        NO,
    ),
    refusal(
        SET,
        "C03",
        "by_an_app",
        App(&PLAIN),
        |_| set_next(&STRANGER.identity.encode()),
        NO,
    ),
    refusal(
        SET,
        "C03",
        "of_its_own_by_an_app",
        App(&PLAIN),
        |_| set_next(&PLAIN.identity.encode()),
        NO,
    ),
    refusal(
        SET,
        "C03",
        "another_component_at_once",
        App(&PLAIN),
        |_| set_current(&STRANGER.identity.encode()),
        NO,
    ),
    refusal(
        SET,
        "C03",
        "more_rights",
        App(&PLAIN),
        |_| {
            set_current(
                &Identity {
                    rights: 1,
                    ..PLAIN.identity
                }
                .encode(),
            )
        },
        NO,
    ),
    refusal(
        SET,
        "C03",
        "other_rights_instead",
        App(&LESSER),
        |_| {
            set_current(
                &Identity {
                    rights: 2,
                    ..LESSER.identity
                }
                .encode(),
            )
        },
        NO,
    ),
    refusal(
        SET,
        "C03",
        "job_control",
        App(&PLAIN),
        |_| {
            set_current(
                &Identity {
                    flags: JOB_CONTROL,
                    ..PLAIN.identity
                }
                .encode(),
            )
        },
        NO,
    ),
    refusal(
        SET,
        "C03",
        "another_tenant",
        App(&RICH),
        |_| {
            set_current(
                &Identity {
                    tenant: "other",
                    ..RICH.identity
                }
                .encode(),
            )
        },
        NO,
    ),
    refusal(
        WRITE,
        "C03",
        "by_the_file_for_the_present_identity",
        App(&RICH),
        |_| write("/proc/self/attr/nacre/current", &RICH.identity.encode()),
        NOT_THIS_WAY,
    ),
    refusal(
        WRITE,
        "C03",
        "by_the_original_file",
        App(&PLAIN),
        |_| write("/proc/self/attr/exec", &STRANGER.identity.original()),
        NOT_THIS_WAY,
    ),
    refusal(
        WRITE,
        "C03",
        "of_another_process",
        Manager,
        |stage| {
            write(
                &format!("/proc/{}/attr/exec", stage.peer),
                &PLAIN.identity.original(),
            )
        },
        NOT_THIS_WAY,
    )
    .against(Manager, wait_for_end),
    // What is permitted.
    fact(SET, "identity", "of_each_app_is_taken", Manager, |stage| {
        stage.have(&STRANGER, "nothing")
    }),
    fact(
        SET,
        "identity",
        "with_everything_is_taken",
        Manager,
        |stage| stage.have(&RICH, "rich"),
    ),
    fact(
        SET,
        "identity",
        "malformed_ones_change_nothing",
        Manager,
        malformed_change_nothing,
    ),
    fact(
        SET,
        "S23",
        "rights_are_dropped_and_stay_so",
        App(&RICH),
        drop_rights,
    ),
    fact(GET, "identity", "of_the_manager_is_nil", Manager, |_| {
        shows(&NOBODY, 1)
    }),
    fact(
        GET,
        "identity",
        "that_comes_with_the_exec_can_be_read",
        Pending(&RICH),
        |_| holds(get_attribute(ATTR_EXEC)? == RICH.identity.encode()),
    ),
    fact(
        GET,
        "identity",
        "of_the_app_is_what_was_given",
        App(&RICH),
        is_rich,
    ),
    refusal(
        GET,
        "identity",
        "that_was_before_cannot_be_read",
        App(&RICH),
        |_| get_attribute(ATTR_PREVIOUS).map(drop),
        &[EOPNOTSUPP],
    ),
    // It stays.
    fact(EXEC, "identity", "begins_with_the_exec", Manager, |stage| {
        stage.have(&RICH, "rich")
    }),
    fact(
        EXEC,
        "identity",
        "begins_after_an_exec_that_failed",
        Manager,
        after_failed_exec,
    ),
    fact(
        EXEC,
        "identity",
        "begins_in_a_child_and_then_in_the_parent",
        Manager,
        child_then_parent,
    ),
    fact(EXEC, "identity", "stays_in_a_thread", Manager, |stage| {
        stage.have(&RICH, "rich-in-thread")
    }),
    fact(EXEC, "identity", "stays_after_a_fork", Manager, |stage| {
        stage.have(&RICH, "rich-after-fork")
    }),
    fact(EXEC, "identity", "stays_after_an_exec", Manager, |stage| {
        stage.have(&RICH, "rich-after-exec")
    }),
    fact(
        EXEC,
        "identity",
        "stays_when_the_user_changes_before_the_exec",
        Manager,
        user_changes_before_exec,
    ),
    fact(
        EXEC,
        "P25",
        "stays_through_a_set_user_id_program",
        Manager,
        |stage| stage.have_set_id(&RICH, "rich"),
    ),
    refusal(
        EXEC,
        "identity",
        "of_the_manager_does_not_come_back_when_the_exec_fails",
        Manager,
        no_way_back,
        NO,
    ),
    // Whose business it is.
    refusal(
        READ,
        "S21",
        "of_another_component_read_by_an_app",
        App(&PLAIN),
        |stage| read_of(stage.peer, "nacre/current"),
        &[EACCES],
    )
    .against(App(&RICH), wait_for_end),
    refusal(
        READ,
        "S21",
        "of_another_component_read_in_its_text_form",
        App(&PLAIN),
        |stage| read_of(stage.peer, "current"),
        &[EACCES],
    )
    .against(App(&RICH), wait_for_end),
    refusal(
        READ,
        "S21",
        "of_another_component_read_in_its_old_form",
        App(&PLAIN),
        |stage| read_of(stage.peer, "exec"),
        &[EACCES],
    )
    .against(App(&RICH), wait_for_end),
    refusal(
        READ,
        "S21",
        "of_the_manager_read_by_an_app",
        App(&PLAIN),
        |_| read_of(1, "nacre/current"),
        &[EACCES],
    ),
    refusal(
        READ,
        "S21",
        "of_a_kernel_thread_read_by_an_app",
        App(&PLAIN),
        |_| read_of(2, "current"),
        &[EACCES],
    ),
    refusal(
        READ,
        "S21",
        "of_another_component_read_before_the_exec",
        Pending(&PLAIN),
        |stage| read_of(stage.peer, "nacre/current"),
        &[EACCES],
    )
    .against(App(&RICH), wait_for_end),
    fact(READ, "S21", "of_itself_read_by_an_app", App(&RICH), is_rich),
    fact(
        READ,
        "S21",
        "of_an_app_read_by_the_manager",
        Manager,
        |stage| read_all(stage.peer, &RICH.identity, 0),
    )
    .against(App(&RICH), wait_for_end),
    fact(READ, "S20", "of_a_kernel_thread_is_nobody", Manager, |_| {
        read_all(2, &NOBODY, 0)
    }),
    fact(
        READ,
        "S20",
        "of_a_program_that_the_kernel_starts_is_nobody",
        Manager,
        kernel_helper,
    )
    .needs(Feature::Keys, &[]),
];

/// No identity: not that of an app, and not more than that either.
const NOBODY: Identity = Identity {
    component: [0; 16],
    flags: 0,
    tenant: "",
    rights: 0,
};

/// Offers an identity with another length.
fn resized(length: usize) -> Attempt {
    let mut bytes = PLAIN.identity.encode().to_vec();
    bytes.resize(length, 0);
    offered(&bytes)
}

/// Offers an identity with other bytes at a place.
fn changed(offset: usize, value: &[u8]) -> Attempt {
    let mut bytes = Identity {
        tenant: "t",
        ..PLAIN.identity
    }
    .encode();
    put(&mut bytes, offset, value);
    offered(&bytes)
}

/// What a malformed identity is answered; afterwards a good one must be taken as if nothing had been.
fn offered(bytes: &[u8]) -> Attempt {
    let answer = set_next(bytes);
    if answer.is_err() {
        set_next(&PLAIN.identity.encode()).map_err(|_| crate::case::BROKEN)?;
    }
    answer
}

fn malformed_change_nothing(stage: &Stage) -> Attempt {
    for length in 0..=2 * IDENTITY {
        if length != IDENTITY {
            let mut bytes = RICH.identity.encode().to_vec();
            bytes.resize(length, 0);
            refused(set_next(&bytes), BAD)?;
        }
    }
    shows(&NOBODY, 1)?;
    stage.have(&RICH, "rich")
}

/// The attributes of a process, one of the files.
fn read_of(process: libc::pid_t, file: &str) -> Attempt {
    read(&format!("/proc/{process}/attr/{file}")).map(drop)
}

/// Checks all forms of the identity of a process; `flags` are the ones that the old form has beside job control.
fn read_all(process: libc::pid_t, identity: &Identity, flags: u8) -> Attempt {
    let directory = format!("/proc/{process}/attr");
    let mut original = identity.original();
    if let Some(byte) = original.get_mut(80) {
        *byte |= flags;
    }
    let trimmed = |bytes: Vec<u8>| {
        String::from_utf8_lossy(&bytes)
            .trim_end_matches(['\0', '\n'])
            .to_owned()
    };
    let text = identity.text();
    holds(trimmed(read(&format!("{directory}/nacre/current"))?) == text.trim_end())?;
    holds(trimmed(read(&format!("{directory}/current"))?) == text.trim_end())?;
    holds(read(&format!("{directory}/exec"))? == original)
}

/// Checks all forms of the identity of this process.
fn shows(identity: &Identity, flags: u8) -> Attempt {
    holds(
        get_attribute(ATTR_CURRENT)? == identity.encode()
            || *identity.component.first().unwrap_or(&0) == 0,
    )?;
    read_all(sys::process_id(), identity, flags)
}

/// Whether this process is [`RICH`].
pub fn is_rich(_: &Stage) -> Attempt {
    shows(&RICH.identity, 0)
}

/// Whether this process is [`PLAIN`].
pub fn is_plain(_: &Stage) -> Attempt {
    shows(&PLAIN.identity, 0)
}

/// Whether another thread of this process is [`RICH`].
pub fn is_rich_in_thread(_: &Stage) -> Attempt {
    std::thread::spawn(|| {
        holds(get_attribute(ATTR_CURRENT)? == RICH.identity.encode())?;
        let text = read("/proc/thread-self/attr/nacre/current")?;
        holds(String::from_utf8_lossy(&text).starts_with(RICH.identity.text().trim_end()))
    })
    .join()
    .map_err(|_| libc::ESRCH)?
}

/// Whether a child of this process is [`RICH`].
pub fn is_rich_after_fork(stage: &Stage) -> Attempt {
    sys::in_child(|| is_rich(stage))
}

/// Whether what this process executes is [`RICH`].
pub fn is_rich_after_exec(stage: &Stage) -> Attempt {
    let mode = if stage.on { "on" } else { "off" };
    Err(sys::execute(
        PROGRAM,
        &["lsm-tests", "act", "rich", mode, "with=", "0"],
    ))
}

/// Gives up some rights, checks that they do not come back, and gives up the rest.
pub fn drop_rights(_: &Stage) -> Attempt {
    let with = |rights: u32| Identity {
        rights,
        ..RICH.identity
    };
    set_current(&with(0x5).encode())?;
    shows(&with(0x5), 0)?;
    for rights in [0x7f7, 0x7, 0x2] {
        refused(set_current(&with(rights).encode()), NO)?;
    }
    shows(&with(0x5), 0)?;
    set_current(&with(0).encode())?;
    shows(&with(0), 0)?;
    refused(set_current(&with(1).encode()), NO)
}

fn after_failed_exec(stage: &Stage) -> Attempt {
    sys::in_child(|| {
        stage.take_identity(&RICH)?;
        if sys::execute("/tmp/payload", &["x"]) != EACCES {
            return Err(crate::case::BROKEN);
        }
        is_rich_after_exec(stage)
    })
}

fn child_then_parent(stage: &Stage) -> Attempt {
    sys::in_child(|| {
        stage.take_identity(&RICH)?;
        sys::in_child(|| is_rich_after_exec(stage))?;
        // What the child became must not have changed what this process is: still about to be the same.
        refused(set_next(&STRANGER.identity.encode()), NO)?;
        is_rich_after_exec(stage)
    })
}

fn user_changes_before_exec(stage: &Stage) -> Attempt {
    sys::in_child(|| {
        stage.take_identity(&RICH)?;
        net::set_user(1000)?;
        is_rich_after_exec(stage)
    })
}

/// After a failed exec a process has neither become an app nor is it the manager again.
fn no_way_back(stage: &Stage) -> Attempt {
    sys::in_child(|| {
        stage.take_identity(&RICH)?;
        let _refused = sys::execute("/tmp/payload", &["x"]);
        refused(set_next(&STRANGER.identity.encode()), NO)?;
        crate::stage::install(&STRANGER)
    })
}

/// Where the program that the kernel starts leaves what it found.
const REPORT: &str = "/tmp/kernel-helper";

/// Asks for a key that nobody has, so that the kernel starts its program to make one, which is this program.
fn kernel_helper(_: &Stage) -> Attempt {
    let _absent = fs::remove_file(REPORT);
    let session = -3_i64;
    let _no_key = call(
        libc::SYS_request_key,
        [
            Arg::Text(c"user"),
            Arg::Text(c"nacre-nobody"),
            Arg::Text(c"please"),
            Arg::Int(session),
        ],
    );
    holds(read(REPORT)? == b"nobody")
}

/// What this program does when the kernel starts it: checks that it is nobody and that nobody may do nothing.
pub fn as_kernel_helper() -> Attempt {
    let found = (|| {
        shows(&NOBODY, 0)?;
        refused(set_next(&PLAIN.identity.encode()), NO)?;
        refused(crate::stage::install(&STRANGER), NO)?;
        refused(read(&format!("{SECURITY}/denials")), NO)
    })();
    let text = found.map_or_else(|number| format!("error {number}"), |()| "nobody".to_owned());
    fs::File::create(REPORT)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| number(&error))
}
