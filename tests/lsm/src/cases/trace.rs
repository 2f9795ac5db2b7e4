// SPDX-License-Identifier: Apache-2.0 OR MIT

//! One process looks into another, or writes there.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use libc::{EACCES, EIO, ENOSYS, EPERM};

use super::code::code_address;
use super::task::{self, wait_for_end};
use crate::case::Role::{App, Manager, Pending};
use crate::case::{Case, attack, fact, twin};
use crate::stage::{DEBUGGER, Feature, LESSER, PLAIN, RICH, SECURITY, STRANGER, Stage, open, read};
use crate::sys::{self, Arg, Attempt, call, number};

const ACCESS: &str = "ptrace_access_check";
const TRACEME: &str = "ptrace_traceme";
/// The kernel has one error number for system calls and another for files.
const NO: &[i32] = &[EPERM];
const NO_FILE: &[i32] = &[EACCES, EPERM];

/// The cases of this area.
pub const CASES: &[Case] = &[
    attack(
        ACCESS,
        "P3",
        "attach_to_own_child",
        App(&PLAIN),
        attach_child,
        NO,
    ),
    attack(
        ACCESS,
        "P3",
        "seize_own_child",
        App(&PLAIN),
        seize_child,
        NO,
    ),
    attack(
        ACCESS,
        "P20",
        "attach_to_another_component",
        App(&PLAIN),
        attach_peer,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "attach_to_a_component_with_more_rights",
        App(&LESSER),
        attach_peer,
        NO,
    )
    .against(App(&RICH), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "attach_to_a_component_with_fewer_rights",
        App(&RICH),
        attach_peer,
        NO,
    )
    .against(App(&LESSER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "attach_to_the_manager",
        App(&RICH),
        attach_peer,
        NO,
    )
    .against(Manager, wait_for_end),
    attack(
        ACCESS,
        "P20",
        "attach_to_the_manager_before_the_exec",
        Pending(&RICH),
        attach_peer,
        NO,
    )
    .against(Manager, wait_for_end),
    attack(
        ACCESS,
        "P20",
        "attach_to_an_app_that_is_about_to_begin",
        App(&PLAIN),
        attach_peer,
        NO,
    )
    .against(Pending(&RICH), wait_for_end),
    attack(
        ACCESS,
        "P3",
        "poke_code_of_own_child",
        App(&PLAIN),
        poke_attached,
        NO,
    ),
    attack(
        ACCESS,
        "P1",
        "write_code_through_the_memory_file_of_own_child",
        App(&PLAIN),
        write_child,
        &[EACCES, EPERM, EIO],
    ),
    attack(
        ACCESS,
        "P2",
        "open_the_memory_file_of_another_component",
        App(&PLAIN),
        open_memory,
        NO_FILE,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "open_the_memory_file_of_the_manager",
        App(&PLAIN),
        open_memory,
        NO_FILE,
    )
    .against(Manager, wait_for_end),
    attack(
        ACCESS,
        "P20",
        "read_the_memory_map_of_another_component",
        App(&PLAIN),
        read_maps,
        NO_FILE,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "read_the_root_of_another_component",
        App(&PLAIN),
        read_root,
        NO_FILE,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "open_a_file_of_another_component",
        App(&PLAIN),
        open_file,
        NO_FILE,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "read_the_environment_of_the_manager",
        App(&PLAIN),
        read_environment,
        NO_FILE,
    )
    .against(Manager, wait_for_end),
    attack(
        ACCESS,
        "P20",
        "take_a_descriptor_of_another_component",
        App(&PLAIN),
        take_descriptor,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "take_a_descriptor_of_the_manager",
        App(&PLAIN),
        take_descriptor,
        NO,
    )
    .against(Manager, wait_for_end),
    attack(
        ACCESS,
        "P20",
        "read_the_lock_list_of_another_component",
        App(&PLAIN),
        robust_list,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P3",
        "write_into_own_child",
        App(&PLAIN),
        write_vm,
        NO,
    )
    .needs(Feature::CrossMemory, &[ENOSYS]),
    attack(
        ACCESS,
        "P20",
        "compare_with_another_component",
        App(&PLAIN),
        compare,
        NO,
    )
    .against(App(&STRANGER), wait_for_end)
    .needs(Feature::Checkpoint, &[ENOSYS]),
    twin(
        ACCESS,
        "P3",
        "manager_attaches_to_own_child",
        Manager,
        attach_child,
    ),
    twin(
        ACCESS,
        "P3",
        "manager_pokes_code_of_own_child",
        Manager,
        poke_attached,
    ),
    twin(
        ACCESS,
        "P20",
        "manager_reads_the_memory_map_of_an_app",
        Manager,
        read_maps,
    )
    .against(App(&STRANGER), wait_for_end),
    twin(
        ACCESS,
        "P20",
        "manager_takes_a_descriptor_of_own_child",
        Manager,
        take_descriptor,
    )
    .against(Manager, wait_for_end),
    twin(
        ACCESS,
        "P20",
        "read_own_memory_map",
        App(&PLAIN),
        read_own_maps,
    ),
    twin(
        ACCESS,
        "P20",
        "read_the_memory_map_of_the_same_component",
        App(&PLAIN),
        read_maps,
    )
    .against(App(&PLAIN), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "read_the_memory_map_of_another_component_as_a_debug_server",
        App(&DEBUGGER),
        read_maps,
        NO_FILE,
    )
    .against(App(&STRANGER), wait_for_end),
    fact(
        ACCESS,
        "S45",
        "refusals_without_end_cost_no_memory",
        App(&PLAIN),
        refused_without_end,
    ),
    attack(
        TRACEME,
        "P3",
        "ask_the_parent_to_trace",
        App(&PLAIN),
        trace_me,
        NO,
    ),
    attack(
        TRACEME,
        "P3",
        "poke_code_of_a_child_that_asked_for_it",
        App(&PLAIN),
        poke_willing,
        NO,
    ),
    twin(
        TRACEME,
        "P3",
        "manager_is_traced_by_its_parent",
        Manager,
        trace_me,
    ),
    twin(
        TRACEME,
        "P3",
        "manager_pokes_code_of_a_child_that_asked_for_it",
        Manager,
        poke_willing,
    ),
];

/// What changes when the manager has switched development on.
pub const DEVELOPMENT: &[Case] = &[
    fact(
        "securityfs",
        "rules",
        "development_reads_as_on",
        Manager,
        |_| crate::case::holds(read(&format!("{SECURITY}/development"))? == b"1\n"),
    ),
    twin(
        ACCESS,
        "P3",
        "developer_attaches_to_own_child",
        App(&PLAIN),
        attach_child,
    ),
    twin(
        ACCESS,
        "P3",
        "developer_pokes_code_of_own_child",
        App(&PLAIN),
        poke_attached,
    ),
    twin(
        TRACEME,
        "P3",
        "developer_asks_the_parent_to_trace",
        App(&PLAIN),
        trace_me,
    ),
    twin(
        ACCESS,
        "P20",
        "debug_server_attaches_to_another_component",
        App(&DEBUGGER),
        attach_peer,
    )
    .against(App(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "debug_server_attaches_to_a_component_with_more_rights",
        App(&DEBUGGER),
        attach_peer,
        NO,
    )
    .against(App(&LESSER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "developer_attaches_to_another_component_with_fewer_rights",
        App(&RICH),
        attach_peer,
        NO,
    )
    .against(App(&LESSER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "debug_server_attaches_to_the_manager",
        App(&DEBUGGER),
        attach_peer,
        NO,
    )
    .against(Manager, wait_for_end),
    attack(
        ACCESS,
        "P20",
        "debug_server_attaches_to_an_app_that_is_about_to_begin",
        App(&DEBUGGER),
        attach_peer,
        NO,
    )
    .against(Pending(&STRANGER), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "developer_attaches_to_a_component_with_more_rights",
        App(&LESSER),
        attach_peer,
        NO,
    )
    .against(App(&RICH), wait_for_end),
    attack(
        ACCESS,
        "P20",
        "developer_attaches_to_the_manager",
        App(&RICH),
        attach_peer,
        NO,
    )
    .against(Manager, wait_for_end),
    attack(
        ACCESS,
        "P20",
        "developer_attaches_to_the_manager_before_the_exec",
        Pending(&RICH),
        attach_peer,
        NO,
    )
    .against(Manager, wait_for_end),
    attack(
        ACCESS,
        "P20",
        "developer_reads_the_memory_map_of_a_component_with_more_rights",
        App(&LESSER),
        read_maps,
        NO_FILE,
    )
    .against(App(&RICH), wait_for_end),
    // The rest stays as it is.
    attack(
        "mmap_file",
        "code",
        "developer_maps_writable_and_executable_memory",
        App(&PLAIN),
        super::code::map_rwx,
        &[EACCES],
    ),
    attack(
        "task_kill",
        "S24",
        "developer_signals_another_component",
        App(&PLAIN),
        task::kill_peer,
        NO,
    )
    .against(App(&STRANGER), wait_for_end),
];

fn ptrace(
    request: libc::c_uint,
    process: libc::pid_t,
    address: usize,
    data: usize,
) -> Attempt<usize> {
    let [address, data] = [address, data].map(|word| Arg::Int(word as i64));
    call(
        libc::SYS_ptrace,
        [
            Arg::Int(request.into()),
            Arg::Int(process.into()),
            address,
            data,
        ],
    )
}

/// Does something to a child that only waits.
fn with_child<T>(act: impl FnOnce(libc::pid_t) -> Attempt<T>) -> Attempt<T> {
    let child = sys::spawn(|| {
        std::thread::sleep(std::time::Duration::from_secs(60));
        0
    })?;
    let result = act(child);
    sys::kill(child, libc::SIGKILL)?;
    sys::wait(child)?;
    result
}

/// Attaches to a child.
pub fn attach_child(_: &Stage) -> Attempt {
    with_child(|child| ptrace(libc::PTRACE_ATTACH as _, child, 0, 0)).map(drop)
}

fn seize_child(_: &Stage) -> Attempt {
    with_child(|child| ptrace(libc::PTRACE_SEIZE as _, child, 0, 0)).map(drop)
}

fn attach_peer(stage: &Stage) -> Attempt {
    ptrace(libc::PTRACE_ATTACH as _, stage.peer, 0, 0)?;
    sys::wait_stopped(stage.peer).or(Ok(()))
}

/// Writes the same word over code of a stopped child.
fn poke(child: libc::pid_t) -> Attempt {
    let address = code_address() & !3;
    let word = u32::from_le_bytes(sys::code_bytes(address)) as usize;
    ptrace(libc::PTRACE_POKETEXT as _, child, address, word).map(drop)
}

fn poke_attached(_: &Stage) -> Attempt {
    with_child(|child| {
        ptrace(libc::PTRACE_ATTACH as _, child, 0, 0)?;
        sys::wait_stopped(child)?;
        poke(child)
    })
}

/// Has a child ask to be traced.
pub fn trace_me(_: &Stage) -> Attempt {
    sys::in_child(|| ptrace(libc::PTRACE_TRACEME as _, 0, 0, 0).map(drop))
}

fn poke_willing(_: &Stage) -> Attempt {
    let child = sys::spawn(|| match ptrace(libc::PTRACE_TRACEME as _, 0, 0, 0) {
        Ok(_) => {
            let _stopped = sys::kill(sys::process_id(), libc::SIGSTOP);
            0
        }
        Err(number) => number,
    })?;
    if sys::wait_stopped(child).is_err() {
        // It ended, because it was refused.
        return Err(EPERM);
    }
    let result = poke(child);
    sys::kill(child, libc::SIGKILL)?;
    sys::wait(child)?;
    result
}

fn write_child(_: &Stage) -> Attempt {
    with_child(|child| {
        let address = code_address();
        File::options()
            .read(true)
            .write(true)
            .open(format!("/proc/{child}/mem"))
            .and_then(|memory| memory.write_all_at(&sys::code_bytes(address), address as u64))
            .map_err(|error| number(&error))
    })
}

fn open_memory(stage: &Stage) -> Attempt {
    open(&format!("/proc/{}/mem", stage.peer), libc::O_RDWR).map(drop)
}

fn read_maps(stage: &Stage) -> Attempt {
    read(&format!("/proc/{}/maps", stage.peer)).map(drop)
}

fn read_own_maps(_: &Stage) -> Attempt {
    read("/proc/self/maps").map(drop)
}

fn read_root(stage: &Stage) -> Attempt {
    std::fs::read_link(format!("/proc/{}/root", stage.peer))
        .map(drop)
        .map_err(|error| number(&error))
}

fn open_file(stage: &Stage) -> Attempt {
    open(&format!("/proc/{}/fd/1", stage.peer), libc::O_WRONLY).map(drop)
}

fn read_environment(stage: &Stage) -> Attempt {
    read(&format!("/proc/{}/environ", stage.peer)).map(drop)
}

fn take_descriptor(stage: &Stage) -> Attempt {
    let process = sys::call_for_descriptor(
        libc::SYS_pidfd_open,
        [Arg::Int(stage.peer.into()), Arg::Int(0)],
    )?;
    sys::call_for_descriptor(
        libc::SYS_pidfd_getfd,
        [
            Arg::Int(process.as_raw_fd().into()),
            Arg::Int(1),
            Arg::Int(0),
        ],
    )
    .map(drop)
}

fn robust_list(stage: &Stage) -> Attempt {
    let (mut head, mut length) = ([0_u8; 8], [0_u8; 8]);
    call(
        libc::SYS_get_robust_list,
        [
            Arg::Int(stage.peer.into()),
            Arg::Out(&mut head),
            Arg::Out(&mut length),
        ],
    )
    .map(drop)
}

fn write_vm(_: &Stage) -> Attempt {
    let data = [0x5a_u8; 4];
    with_child(|child| sys::write_process(child, data.as_ptr() as usize, &data))
}

fn compare(stage: &Stage) -> Attempt {
    const KCMP_VM: i64 = 1;
    call(
        libc::SYS_kcmp,
        [
            Arg::Int(sys::process_id().into()),
            Arg::Int(stage.peer.into()),
            Arg::Int(KCMP_VM),
            Arg::Int(0),
            Arg::Int(0),
        ],
    )
    .map(drop)
}

/// What the kernel holds for itself, in KiB.
fn kernel_memory() -> Attempt<u64> {
    let text = String::from_utf8(read("/proc/meminfo")?).map_err(|_| libc::EILSEQ)?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("SUnreclaim:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .ok_or(libc::ENOENT)
}

/// A reference that is kept at each refusal would cost a megabyte or more.
fn refused_without_end(stage: &Stage) -> Attempt {
    // The sanitizer keeps a thirty-second part of the memory from being used again: 32 MiB of the machine's 1024.
    let bound = if stage.has(Feature::Sanitizer) {
        40 * 1024
    } else {
        400
    };
    let attempts = |count: u32| {
        (0..count).try_for_each(|_| {
            crate::case::refused(ptrace(libc::PTRACE_SEIZE as _, 1, 0, 0), NO)?;
            crate::case::refused(read("/proc/1/attr/current"), &[EACCES])
        })
    };
    attempts(100)?;
    let before = kernel_memory()?;
    attempts(5000)?;
    crate::case::holds(kernel_memory()? < before + bound)
}
