// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Area A: bringing in code that nobody signed.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;

use libc::{
    EACCES, EAFNOSUPPORT, EIO, ENOSYS, EPERM, EROFS, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE,
};

use crate::case::{Case, Place, absent, attack, refused, twin};
use crate::raw::{self, Attempt, BAD_POINTER, Mapping, call, number};

const PAGE: usize = 4096;

/// The cases of this area.
pub const CASES: &[Case] = &[
    attack("A01", "map_writable_and_executable", map_rwx, &[EACCES]),
    twin("A01", "map_writable", map_rw),
    attack("A02", "written_memory_made_executable", rw_to_rx, &[EACCES]),
    attack(
        "A03",
        "written_memory_made_executable_by_way_of_read_only",
        rw_r_rx,
        &[EACCES],
    ),
    twin("A03", "written_memory_made_read_only", rw_to_r),
    attack(
        "A04",
        "reserved_memory_made_executable",
        none_to_rx,
        &[EACCES],
    ),
    twin("A04", "reserved_memory_made_writable", none_to_rw),
    attack(
        "A05",
        "personality_read_implies_exec",
        personality,
        &[EPERM],
    ),
    attack("A06", "open_own_memory_for_writing", self_memory, &[EROFS]),
    refused(
        "A06",
        "write_own_code_through_own_memory",
        write_code,
        &[EROFS],
        &[EIO],
    ),
    twin("A06", "read_own_memory", read_memory),
    attack(
        "A07",
        "open_thread_memory_for_writing",
        thread_memory,
        &[EROFS],
    ),
    attack("A07", "open_task_memory_for_writing", task_memory, &[EROFS]),
    attack("A08", "ptrace_traceme", trace_me, &[EPERM]),
    attack("A08", "ptrace_attach_to_child", trace_child, &[EPERM]),
    absent("A09", "process_vm_writev", vm_write, &[ENOSYS], &[ENOSYS]),
    absent(
        "A10",
        "packet_socket",
        packet,
        &[EPERM, EAFNOSUPPORT],
        &[EAFNOSUPPORT],
    ),
    attack("A11", "memfd_create", memfd, &[EPERM]),
    twin("A11", "map_own_package_executable", map_package),
    absent("A16", "bpf", bpf, &[ENOSYS], &[ENOSYS]),
    absent("A16", "io_uring_setup", io_uring, &[ENOSYS], &[ENOSYS]),
    absent("A16", "userfaultfd", userfault, &[ENOSYS], &[ENOSYS]),
    absent("A16", "perf_event_open", perf, &[ENOSYS], &[ENOSYS]),
];

fn map_rwx(_: &Place) -> Attempt {
    Mapping::anonymous(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC).map(drop)
}

fn map_rw(_: &Place) -> Attempt {
    Mapping::anonymous(PAGE, PROT_READ | PROT_WRITE).map(|mapping| mapping.touch())
}

/// Fresh memory with something in it.
fn written() -> Attempt<Mapping> {
    let mapping = Mapping::anonymous(PAGE, PROT_READ | PROT_WRITE)?;
    mapping.touch();
    Ok(mapping)
}

fn rw_to_rx(_: &Place) -> Attempt {
    written()?.protect(PROT_READ | PROT_EXEC)
}

fn rw_r_rx(_: &Place) -> Attempt {
    let mapping = written()?;
    mapping.protect(PROT_READ)?;
    mapping.protect(PROT_READ | PROT_EXEC)
}

fn rw_to_r(_: &Place) -> Attempt {
    written()?.protect(PROT_READ)
}

fn none_to_rx(_: &Place) -> Attempt {
    Mapping::anonymous(PAGE, PROT_NONE)?.protect(PROT_READ | PROT_EXEC)
}

fn none_to_rw(_: &Place) -> Attempt {
    Mapping::anonymous(PAGE, PROT_NONE)?.protect(PROT_READ | PROT_WRITE)
}

fn personality(_: &Place) -> Attempt {
    const READ_IMPLIES_EXEC: usize = 0x0040_0000;
    call(libc::SYS_personality, [READ_IMPLIES_EXEC, 0, 0, 0, 0, 0]).map(drop)
}

/// Opens a file for reading and writing.
fn open_for_writing(path: &str) -> Attempt<File> {
    File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| number(&error))
}

fn self_memory(_: &Place) -> Attempt {
    open_for_writing("/proc/self/mem").map(drop)
}

fn thread_memory(_: &Place) -> Attempt {
    open_for_writing("/proc/thread-self/mem").map(drop)
}

fn task_memory(_: &Place) -> Attempt {
    open_for_writing(&format!("/proc/self/task/{}/mem", raw::process_id())).map(drop)
}

/// The address of code of this program.
fn code_address() -> u64 {
    // The lowest bit of a function's address says which instruction set it is in.
    (write_code as fn(&Place) -> Attempt as usize & !1) as u64
}

fn write_code(_: &Place) -> Attempt {
    let memory = open_for_writing("/proc/self/mem")?;
    let mut code = [0; 2];
    memory
        .read_exact_at(&mut code, code_address())
        .map_err(|error| number(&error))?;
    memory
        .write_all_at(&code, code_address())
        .map_err(|error| number(&error))
}

fn read_memory(_: &Place) -> Attempt {
    let memory = File::open("/proc/self/mem").map_err(|error| number(&error))?;
    memory
        .read_exact_at(&mut [0; 2], code_address())
        .map_err(|error| number(&error))
}

fn trace_me(_: &Place) -> Attempt {
    call(
        libc::SYS_ptrace,
        [libc::PTRACE_TRACEME as usize, 0, 0, 0, 0, 0],
    )
    .map(drop)
}

fn trace_child(_: &Place) -> Attempt {
    let child = raw::spawn(|| {
        std::thread::sleep(std::time::Duration::from_secs(60));
        0
    })?;
    let attach = libc::PTRACE_ATTACH as usize;
    let result = call(
        libc::SYS_ptrace,
        [attach, child.unsigned_abs() as usize, 0, 0, 0, 0],
    );
    raw::kill(child, libc::SIGKILL)?;
    raw::wait(child)?;
    result.map(drop)
}

fn vm_write(_: &Place) -> Attempt {
    call(
        libc::SYS_process_vm_writev,
        [1, BAD_POINTER, 1, BAD_POINTER, 1, 0],
    )
    .map(drop)
}

fn packet(_: &Place) -> Attempt {
    let kind = libc::SOCK_RAW as usize;
    call(
        libc::SYS_socket,
        [libc::AF_PACKET as usize, kind, 0, 0, 0, 0],
    )
    .map(drop)
}

fn memfd(_: &Place) -> Attempt {
    raw::call_with_path_first(libc::SYS_memfd_create, c"x", [0, 0, 0]).map(drop)
}

fn map_package(place: &Place) -> Attempt {
    let program = File::open(program(place)).map_err(|error| number(&error))?;
    Mapping::file(&program, PAGE, PROT_READ | PROT_EXEC).map(drop)
}

/// This program's own file.
pub fn program(place: &Place) -> std::path::PathBuf {
    place.package.join("bin/app")
}

fn bpf(_: &Place) -> Attempt {
    call(libc::SYS_bpf, [0, BAD_POINTER, 0, 0, 0, 0]).map(drop)
}

fn io_uring(_: &Place) -> Attempt {
    call(libc::SYS_io_uring_setup, [1, BAD_POINTER, 0, 0, 0, 0]).map(drop)
}

fn userfault(_: &Place) -> Attempt {
    call(libc::SYS_userfaultfd, [0; 6]).map(drop)
}

fn perf(_: &Place) -> Attempt {
    call(libc::SYS_perf_event_open, [BAD_POINTER, 0, 0, 0, 0, 0]).map(drop)
}

/// Reads a small file of `/proc`.
pub fn read_text(path: &str) -> Attempt<String> {
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|mut file| file.read_to_string(&mut text))
        .map_err(|error| number(&error))?;
    Ok(text)
}
