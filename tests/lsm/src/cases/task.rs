// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Signals and process groups.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use libc::EPERM;

use crate::case::Role::{App, Manager, Pending};
use crate::case::{Case, attack, twin};
use crate::stage::{PLAIN, RICH, STRANGER, Stage, USER, read};
use crate::sys::{self, Arg, Attempt, call};

const KILL: &str = "task_kill";
const SIGIO: &str = "file_send_sigiotask";
const SETPGID: &str = "task_setpgid";
const NO: &[i32] = &[EPERM];

/// The cases of this area. All apps have the same user id, 0.
pub const CASES: &[Case] = &[
    attack(
        KILL,
        "S24",
        "kill_another_component",
        App(&PLAIN),
        kill_peer,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        KILL,
        "S24",
        "ask_whether_another_component_may_be_killed",
        App(&PLAIN),
        ask_peer,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        KILL,
        "S24",
        "kill_a_thread_of_another_component",
        App(&PLAIN),
        kill_thread,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        KILL,
        "S24",
        "kill_another_component_by_descriptor",
        App(&PLAIN),
        kill_descriptor,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        KILL,
        "S24",
        "kill_the_group_of_another_component",
        App(&PLAIN),
        kill_group,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        KILL,
        "S24",
        "queue_a_signal_to_another_component",
        App(&PLAIN),
        queue_signal,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        KILL,
        "S24",
        "continue_another_component_of_the_session",
        App(&PLAIN),
        continue_peer,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        KILL,
        "S24",
        "kill_a_child_of_the_manager",
        App(&PLAIN),
        kill_peer,
        NO,
    )
    .against(Manager, wait_for_end),
    attack(
        KILL,
        "S24",
        "ask_whether_the_manager_may_be_killed",
        App(&PLAIN),
        |_| sys::kill(1, 0),
        NO,
    ),
    attack(
        KILL,
        "S24",
        "ask_whether_a_kernel_thread_may_be_killed",
        App(&PLAIN),
        |_| sys::kill(2, 0),
        NO,
    ),
    attack(
        KILL,
        "S24",
        "kill_an_app_that_is_about_to_begin",
        App(&PLAIN),
        kill_peer,
        NO,
    )
    .against(Pending(&STRANGER), wait_for_end),
    attack(
        KILL,
        "S24",
        "kill_another_component_before_the_exec",
        Pending(&PLAIN),
        kill_peer,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    twin(
        KILL,
        "S24",
        "kill_the_same_component",
        App(&PLAIN),
        kill_peer,
    )
    .against(App(&PLAIN), wait_for_end),
    twin(
        KILL,
        "S24",
        "kill_the_same_component_with_its_user",
        App(&USER),
        kill_peer,
    )
    .against(App(&USER), wait_for_end),
    twin(
        KILL,
        "S24",
        "kill_the_same_component_before_its_exec",
        App(&PLAIN),
        kill_peer,
    )
    .against(Pending(&PLAIN), wait_for_end),
    twin(
        KILL,
        "S24",
        "kill_the_same_component_before_the_exec",
        Pending(&PLAIN),
        kill_peer,
    )
    .against(App(&PLAIN), wait_for_end),
    twin(KILL, "S24", "kill_own_child", App(&PLAIN), kill_child),
    twin(KILL, "S24", "manager_kills_an_app", Manager, kill_peer)
        .against(App(&STRANGER), wait_for_end),
    attack(
        SIGIO,
        "S24",
        "kill_another_component_by_a_file_owner",
        App(&PLAIN),
        kill_by_owner,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        SIGIO,
        "S24",
        "kill_a_child_of_the_manager_by_a_file_owner",
        App(&PLAIN),
        kill_by_owner,
        NO,
    )
    .against(Manager, wait_for_end),
    twin(
        SIGIO,
        "S24",
        "kill_the_same_component_by_a_file_owner",
        App(&PLAIN),
        kill_by_owner,
    )
    .against(App(&PLAIN), wait_for_end),
    attack(
        SETPGID,
        "task",
        "make_a_group_without_job_control",
        App(&PLAIN),
        make_group,
        NO,
    ),
    attack(
        SETPGID,
        "task",
        "put_a_child_in_a_group_without_job_control",
        App(&PLAIN),
        put_child_in_group,
        NO,
    ),
    twin(
        SETPGID,
        "task",
        "make_a_group_with_job_control",
        App(&RICH),
        make_group,
    ),
    twin(
        SETPGID,
        "task",
        "put_a_child_in_a_group_with_job_control",
        App(&RICH),
        put_child_in_group,
    ),
    twin(
        SETPGID,
        "task",
        "manager_makes_a_group",
        Manager,
        make_group,
    ),
];

/// A helper that only waits.
pub fn wait_for_end(stage: &Stage) -> Attempt {
    stage.ready()
}

/// Ends the helper.
pub fn kill_peer(stage: &Stage) -> Attempt {
    sys::kill(stage.peer, libc::SIGTERM)
}

fn ask_peer(stage: &Stage) -> Attempt {
    sys::kill(stage.peer, 0)
}

fn continue_peer(stage: &Stage) -> Attempt {
    sys::kill(stage.peer, libc::SIGCONT)
}

fn kill_group(stage: &Stage) -> Attempt {
    sys::kill(-stage.peer, libc::SIGTERM)
}

fn kill_thread(stage: &Stage) -> Attempt {
    let peer = i64::from(stage.peer);
    call(
        libc::SYS_tgkill,
        [
            Arg::Int(peer),
            Arg::Int(peer),
            Arg::Int(libc::SIGTERM.into()),
        ],
    )
    .map(drop)
}

fn kill_descriptor(stage: &Stage) -> Attempt {
    let process = sys::call_for_descriptor(
        libc::SYS_pidfd_open,
        [Arg::Int(stage.peer.into()), Arg::Int(0)],
    )?;
    call(
        libc::SYS_pidfd_send_signal,
        [
            Arg::Int(process.as_raw_fd().into()),
            Arg::Int(libc::SIGTERM.into()),
            Arg::Null,
            Arg::Int(0),
        ],
    )
    .map(drop)
}

fn queue_signal(stage: &Stage) -> Attempt {
    // A siginfo that says that a process queued it: signal, error, code.
    let mut information = [0_u8; 128];
    crate::wire::put(&mut information, 0, &libc::SIGTERM.to_le_bytes());
    crate::wire::put(&mut information, 8, &(-1_i32).to_le_bytes());
    call(
        libc::SYS_rt_sigqueueinfo,
        [
            Arg::Int(stage.peer.into()),
            Arg::Int(libc::SIGTERM.into()),
            Arg::In(&information),
        ],
    )
    .map(drop)
}

fn kill_child(_: &Stage) -> Attempt {
    let child = sys::spawn(|| {
        std::thread::sleep(Duration::from_secs(60));
        0
    })?;
    sys::kill(child, libc::SIGKILL)?;
    crate::case::holds(sys::wait(child)? == sys::Ended::Signal(libc::SIGKILL))
}

/// Whether a process has ended, for one that need not be a child.
fn ended(process: libc::pid_t) -> bool {
    match read(&format!("/proc/{process}/stat")) {
        Ok(line) => String::from_utf8_lossy(&line)
            .rsplit(')')
            .next()
            .is_none_or(|rest| rest.trim_start().starts_with(['Z', 'X'])),
        Err(_) => true,
    }
}

/// Makes the helper the owner of a socket whose news come as the signal that ends a process.
fn kill_by_owner(stage: &Stage) -> Attempt {
    const F_SETSIG: i64 = 10;
    let (one, other) = sys::socket_pair(libc::SOCK_STREAM)?;
    let control = |command: i64, value: i64| {
        call(
            libc::SYS_fcntl64,
            [
                Arg::Int(one.as_raw_fd().into()),
                Arg::Int(command),
                Arg::Int(value),
            ],
        )
    };
    control(libc::F_SETOWN.into(), stage.peer.into())?;
    control(F_SETSIG, libc::SIGKILL.into())?;
    control(libc::F_SETFL.into(), libc::O_ASYNC.into())?;
    crate::net::send(&other)?;
    // Nobody is told whether a signal of this kind was sent; it is at once, or not at all.
    let deadline = Instant::now() + Duration::from_millis(200);
    while Instant::now() < deadline {
        if ended(stage.peer) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(EPERM)
}

/// Makes a process group.
pub fn make_group(_: &Stage) -> Attempt {
    sys::in_child(|| call(libc::SYS_setpgid, [Arg::Int(0), Arg::Int(0)]).map(drop))
}

fn put_child_in_group(_: &Stage) -> Attempt {
    let child = sys::spawn(|| {
        std::thread::sleep(Duration::from_secs(60));
        0
    })?;
    let result = call(
        libc::SYS_setpgid,
        [Arg::Int(child.into()), Arg::Int(child.into())],
    );
    sys::kill(child, libc::SIGKILL)?;
    sys::wait(child)?;
    result.map(drop)
}
