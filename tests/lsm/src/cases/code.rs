// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Code that nobody signed: brought in from a file, from memory, or written over code that is there.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, PermissionsExt};

use libc::{
    EACCES, EIO, ENOSYS, EPERM, MS_RDONLY, MS_REMOUNT, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE,
};

use crate::case::Role::{App, Manager, Pending};
use crate::case::{Case, attack, twin};
use crate::stage::{
    Feature, NEIGHBOUR, OTHER_IMAGE, OWN, PAYLOAD, PLAIN, PROGRAM, SCRATCH, STRANGER, Stage, mount,
    open, read,
};
use crate::sys::{self, Arg, Attempt, Ended, Mapping, PAGE, call, number};

/// The exit code of the payload, which tells that its code ran.
pub const RAN: i32 = 42;

/// A read-only file system that nobody has verified.
const UNVERIFIED: &str = "/mnt/ro";
/// A verified file system that could be made writable.
pub const REMOUNTABLE: &str = "/mnt/remount";

const RW: i32 = PROT_READ | PROT_WRITE;
const RX: i32 = PROT_READ | PROT_EXEC;
const RWX: i32 = PROT_READ | PROT_WRITE | PROT_EXEC;

const BPRM: &str = "bprm_creds_for_exec";
const MMAP: &str = "mmap_file";
const MPROTECT: &str = "file_mprotect";
const REMOUNT: &str = "sb_remount";
const NO: &[i32] = &[EACCES];
/// The kernel notices it when the old program is gone already, so there is nobody to tell.
const ENDED: &[i32] = &[255, EACCES, libc::ENOEXEC];

/// The cases of this area.
pub const CASES: &[Case] = &[
    // Programs.
    attack(
        BPRM,
        "S1",
        "execute_a_copy_on_a_writable_file_system",
        App(&PLAIN),
        run_copy,
        NO,
    ),
    attack(
        BPRM,
        "S1",
        "manager_executes_a_copy_on_a_writable_file_system",
        Manager,
        run_copy,
        NO,
    ),
    attack(
        BPRM,
        "code",
        "execute_a_memory_file",
        App(&PLAIN),
        run_memory_file,
        NO,
    ),
    attack(
        BPRM,
        "code",
        "execute_by_way_of_a_descriptor",
        App(&PLAIN),
        run_descriptor,
        NO,
    ),
    attack(
        BPRM,
        "code",
        "execute_from_an_unverified_read_only_file_system",
        App(&PLAIN),
        run_unverified,
        NO,
    ),
    attack(
        BPRM,
        "code",
        "manager_executes_from_an_unverified_read_only_file_system",
        Manager,
        run_unverified,
        NO,
    ),
    attack(
        BPRM,
        "code",
        "execute_from_the_file_system_of_another_component",
        App(&PLAIN),
        run_other,
        NO,
    ),
    attack(
        BPRM,
        "code",
        "begin_as_an_app_in_the_file_system_of_another_component",
        Pending(&PLAIN),
        run_other,
        NO,
    ),
    attack(
        BPRM,
        "code",
        "manager_executes_from_the_file_system_of_a_component",
        Manager,
        run_own,
        NO,
    ),
    attack(
        BPRM,
        "P4",
        "execute_a_signed_program_that_wants_an_executable_stack",
        App(&PLAIN),
        |_| runs(|| sys::execute("/mnt/own/bin/stack", &["x"])),
        ENDED,
    ),
    attack(
        BPRM,
        "P4",
        "execute_a_signed_program_that_does_not_say_what_stack_it_wants",
        App(&PLAIN),
        |_| runs(|| sys::execute("/mnt/own/bin/silent", &["x"])),
        ENDED,
    ),
    attack(
        BPRM,
        "file",
        "execute_a_set_user_id_file_that_had_no_name",
        App(&PLAIN),
        run_unnamed,
        NO,
    ),
    twin(
        BPRM,
        "code",
        "execute_from_the_verified_root",
        App(&PLAIN),
        run_program,
    ),
    twin(
        BPRM,
        "code",
        "execute_from_the_file_system_of_the_component",
        App(&PLAIN),
        run_own,
    ),
    twin(
        BPRM,
        "code",
        "execute_as_the_owner_of_the_other_file_system",
        App(&NEIGHBOUR),
        run_other,
    ),
    twin(
        BPRM,
        "code",
        "begin_as_an_app_in_the_file_system_of_the_component",
        Pending(&PLAIN),
        run_own,
    ),
    twin(
        BPRM,
        "code",
        "manager_executes_from_the_verified_root",
        Manager,
        run_program,
    ),
    twin(
        BPRM,
        "code",
        "execute_from_a_file_system_verified_for_the_system",
        App(&STRANGER),
        run_remountable,
    ),
    // Mappings.
    attack(
        MMAP,
        "code",
        "map_writable_and_executable_memory",
        App(&PLAIN),
        map_rwx,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "manager_maps_writable_and_executable_memory",
        Manager,
        map_rwx,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_fresh_executable_memory",
        App(&PLAIN),
        map_rx,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_execute_only_memory",
        App(&PLAIN),
        map_x,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_shared_executable_memory",
        App(&PLAIN),
        map_shared_rx,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_shared_writable_and_executable_memory",
        App(&PLAIN),
        map_shared_rwx,
        NO,
    ),
    attack(
        MMAP,
        "S1",
        "map_a_file_of_a_writable_file_system_executable",
        App(&PLAIN),
        map_copy_rx,
        NO,
    ),
    attack(
        MMAP,
        "S1",
        "map_a_shared_file_of_a_writable_file_system_executable",
        App(&PLAIN),
        map_copy_shared_rx,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_a_memory_file_executable",
        App(&PLAIN),
        map_memory_file,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_a_shared_memory_file_executable",
        App(&PLAIN),
        map_shared_memory_file,
        NO,
    ),
    attack(
        MMAP,
        "P5",
        "map_a_device_executable",
        App(&PLAIN),
        map_device,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_a_signed_file_writable_and_executable",
        App(&PLAIN),
        map_program_rwx,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_a_signed_file_shared_and_executable",
        App(&PLAIN),
        map_program_shared_rx,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_an_unverified_read_only_file_executable",
        App(&PLAIN),
        map_unverified,
        NO,
    ),
    attack(
        MMAP,
        "code",
        "map_the_file_of_another_component_executable",
        App(&PLAIN),
        map_other,
        NO,
    ),
    attack(
        MMAP,
        "P4",
        "read_implies_exec_map_memory",
        App(&PLAIN),
        personality_map,
        NO,
    ),
    attack(
        MMAP,
        "P4",
        "read_implies_exec_map_data",
        App(&PLAIN),
        personality_map_file,
        NO,
    ),
    attack(
        MMAP,
        "P4",
        "read_implies_exec_map_memory_as_manager",
        Manager,
        personality_map,
        NO,
    ),
    twin(MMAP, "code", "map_writable_memory", App(&PLAIN), map_rw),
    twin(
        MMAP,
        "code",
        "map_shared_writable_memory",
        App(&PLAIN),
        map_shared_rw,
    ),
    twin(
        MMAP,
        "code",
        "map_the_program_executable",
        App(&PLAIN),
        map_program_rx,
    ),
    twin(
        MMAP,
        "code",
        "map_the_program_writable",
        App(&PLAIN),
        map_program_rw,
    ),
    twin(
        MMAP,
        "code",
        "map_data_of_a_writable_file_system",
        App(&PLAIN),
        map_copy_rw,
    ),
    twin(
        MMAP,
        "code",
        "map_the_file_of_the_component_executable",
        App(&PLAIN),
        map_own,
    ),
    twin(
        MMAP,
        "code",
        "map_the_other_file_executable_as_its_owner",
        App(&NEIGHBOUR),
        map_other,
    ),
    attack(
        "brk",
        "P4",
        "read_implies_exec_grow_the_heap",
        App(&PLAIN),
        personality_grow,
        &[EACCES, EPERM, libc::ENOMEM],
    ),
    twin("brk", "P4", "grow_the_heap", App(&PLAIN), |_| {
        grow_heap().map(drop)
    }),
    attack(
        BPRM,
        "P4",
        "read_implies_exec_kept_over_an_exec",
        App(&PLAIN),
        personality_exec,
        &[EACCES, EPERM, 255],
    ),
    twin(
        MMAP,
        "P4",
        "read_implies_exec_map_the_program",
        App(&PLAIN),
        personality_map_program,
    ),
    // Changes of mappings.
    attack(
        MPROTECT,
        "code",
        "written_memory_made_executable",
        App(&PLAIN),
        make_written_memory_executable,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "manager_makes_written_memory_executable",
        Manager,
        make_written_memory_executable,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "written_memory_made_executable_by_the_younger_call",
        App(&PLAIN),
        rw_rx_key,
        NO,
    )
    .needs(Feature::Pkeys, &[ENOSYS]),
    attack(
        MPROTECT,
        "S2",
        "written_memory_made_executable_by_way_of_read_only",
        App(&PLAIN),
        rw_r_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "reserved_memory_made_executable",
        App(&PLAIN),
        none_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "read_only_memory_made_executable",
        App(&PLAIN),
        r_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "writable_memory_made_executable_too",
        App(&PLAIN),
        rw_rwx,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "shared_memory_made_executable",
        App(&PLAIN),
        shared_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "written_copy_of_a_signed_file_made_executable",
        App(&PLAIN),
        program_rw_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "S2",
        "written_copy_of_a_signed_file_made_executable_by_way_of_read_only",
        App(&PLAIN),
        program_r_rw_r_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "S1",
        "data_of_a_writable_file_system_made_executable",
        App(&PLAIN),
        copy_r_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "S3",
        "code_made_writable",
        App(&PLAIN),
        text_rw,
        NO,
    ),
    attack(
        MPROTECT,
        "S3",
        "code_made_writable_and_executable",
        App(&PLAIN),
        text_rwx,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "stack_made_executable",
        App(&PLAIN),
        stack_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "stack_made_writable_and_executable",
        App(&PLAIN),
        stack_rwx,
        NO,
    ),
    attack(
        MPROTECT,
        "code",
        "heap_made_executable",
        App(&PLAIN),
        heap_rx,
        NO,
    ),
    attack(
        MPROTECT,
        "P4",
        "read_implies_exec_protect_memory",
        App(&PLAIN),
        personality_protect,
        NO,
    ),
    attack(
        MPROTECT,
        "S2",
        "read_implies_exec_protect_by_way_of_reserved",
        App(&PLAIN),
        personality_protect_twice,
        NO,
    ),
    twin(
        MPROTECT,
        "code",
        "written_memory_made_read_only",
        App(&PLAIN),
        rw_r,
    ),
    twin(
        MPROTECT,
        "code",
        "reserved_memory_made_writable",
        App(&PLAIN),
        none_rw,
    ),
    twin(
        MPROTECT,
        "code",
        "code_of_a_mapping_made_read_only",
        App(&PLAIN),
        program_rx_r,
    ),
    twin(
        MPROTECT,
        "code",
        "signed_data_made_executable",
        App(&PLAIN),
        program_r_rx,
    ),
    twin(
        MPROTECT,
        "code",
        "signed_data_made_writable_for_this_process",
        App(&PLAIN),
        program_r_rw,
    ),
    // Code that is there.
    attack(
        "proc_mem",
        "P1",
        "write_code_through_own_memory_file",
        App(&PLAIN),
        |_| write_code("/proc/self/mem"),
        &[EIO, EACCES, EPERM],
    ),
    attack(
        "proc_mem",
        "P2",
        "write_code_through_the_thread_alias",
        App(&PLAIN),
        |_| write_code("/proc/thread-self/mem"),
        &[EIO, EACCES, EPERM],
    ),
    attack(
        "proc_mem",
        "P2",
        "write_code_through_the_task_alias",
        App(&PLAIN),
        write_task_code,
        &[EIO, EACCES, EPERM],
    ),
    attack(
        "proc_mem",
        "P2",
        "write_code_through_a_second_proc_mount",
        App(&PLAIN),
        |_| write_code("/tmp/proc/self/mem"),
        &[EIO, EACCES, EPERM],
    ),
    attack(
        "proc_mem",
        "P2",
        "write_code_from_a_second_thread",
        App(&PLAIN),
        write_code_in_thread,
        &[EIO, EACCES, EPERM],
    ),
    attack(
        "proc_mem",
        "P1",
        "manager_writes_code_through_own_memory_file",
        Manager,
        |_| write_code("/proc/self/mem"),
        &[EIO, EACCES, EPERM],
    ),
    twin(
        "proc_mem",
        "P1",
        "read_own_memory_file",
        App(&PLAIN),
        read_code,
    ),
    twin(
        "proc_mem",
        "P1",
        "write_data_through_own_memory_file",
        App(&PLAIN),
        write_data,
    ),
    // Verified file systems.
    attack(
        REMOUNT,
        "S12",
        "manager_makes_a_verified_file_system_writable",
        Manager,
        remount,
        &[EPERM],
    ),
    attack(
        REMOUNT,
        "S12",
        "manager_makes_a_verified_file_system_writable_by_the_younger_call",
        Manager,
        reconfigure,
        &[EPERM],
    ),
    twin(
        REMOUNT,
        "code",
        "manager_makes_an_unverified_file_system_writable",
        Manager,
        remount_unverified,
    ),
    attack(
        "file_ioctl",
        "S12",
        "put_other_bytes_beneath_a_verified_file_system",
        App(&PLAIN),
        change_image,
        &[EPERM, EACCES],
    ),
    twin(
        "file_ioctl",
        "S12",
        "ask_a_terminal_for_its_settings",
        App(&PLAIN),
        ask_terminal,
    ),
];

/// Makes the file systems and files that the cases need, before anything is verified.
pub fn prepare() -> Attempt {
    let payload = read(&format!("{OWN}/{PAYLOAD}"))?;
    mount("proc", "/tmp/proc", "proc", 0)?;
    for target in [UNVERIFIED, REMOUNTABLE] {
        mount("tmpfs", target, "tmpfs", 0)?;
        write_program(&format!("{target}/payload"), &payload)?;
        mount("tmpfs", target, "tmpfs", MS_REMOUNT | MS_RDONLY)?;
    }
    write_program(&format!("{SCRATCH}/payload"), &payload)?;
    let image = read(OTHER_IMAGE)?;
    fs::write(format!("{SCRATCH}/other.squashfs"), image).map_err(|error| number(&error))
}

fn write_program(path: &str, bytes: &[u8]) -> Attempt {
    fs::write(path, bytes)
        .and_then(|()| fs::set_permissions(path, PermissionsExt::from_mode(0o755)))
        .map_err(|error| number(&error))
}

/// Whether a child that becomes a program runs it.
fn runs(execute: impl FnOnce() -> i32) -> Attempt {
    match sys::wait(sys::spawn(execute)?)? {
        Ended::Code(RAN) => Ok(()),
        ended => sys::outcome(ended).and(Err(crate::case::BROKEN)),
    }
}

/// Executes a copy of a program that anybody could have changed.
pub fn run_copy(_: &Stage) -> Attempt {
    runs(|| sys::execute("/tmp/payload", &["x"]))
}

fn run_unverified(_: &Stage) -> Attempt {
    runs(|| sys::execute("/mnt/ro/payload", &["x"]))
}

fn run_remountable(_: &Stage) -> Attempt {
    runs(|| sys::execute("/mnt/remount/payload", &["x"]))
}

fn run_own(_: &Stage) -> Attempt {
    runs(|| sys::execute("/mnt/own/bin/payload", &["x"]))
}

fn run_other(_: &Stage) -> Attempt {
    runs(|| sys::execute("/mnt/other/bin/payload", &["x"]))
}

fn run_program(_: &Stage) -> Attempt {
    // Without a known first word it tells how it is used and ends; that it says so is what counts.
    match sys::wait(sys::spawn(|| {
        sys::execute(PROGRAM, &["lsm-tests", "case", "none"])
    })?)? {
        Ended::Code(254) => Ok(()),
        ended => sys::outcome(ended),
    }
}

/// A file in memory that holds a program.
fn memory_file() -> Attempt<OwnedFd> {
    let file = sys::call_for_descriptor(libc::SYS_memfd_create, [Arg::Text(c"x"), Arg::Int(0)])?;
    let payload = read(&format!("{OWN}/{PAYLOAD}"))?;
    let mut file = File::from(file);
    file.write_all(&payload).map_err(|error| number(&error))?;
    Ok(file.into())
}

fn run_memory_file(_: &Stage) -> Attempt {
    let file = memory_file()?;
    runs(|| sys::execute_descriptor(&file))
}

fn run_descriptor(_: &Stage) -> Attempt {
    let file = open("/tmp/payload", libc::O_RDONLY)?;
    runs(|| sys::execute_descriptor(&file))
}

/// No hook sees how a file without a name is made, so it can be lent an identity: nobody can execute it.
fn run_unnamed(_: &Stage) -> Attempt {
    let file = super::file::create_unnamed()?;
    runs(|| sys::execute(&file, &["x"]))
}

fn map_rw(_: &Stage) -> Attempt {
    Mapping::anonymous(RW).map(|mapping| mapping.touch())
}

fn map_rx(_: &Stage) -> Attempt {
    Mapping::anonymous(RX).map(drop)
}

fn map_x(_: &Stage) -> Attempt {
    Mapping::anonymous(PROT_EXEC).map(drop)
}

/// Asks for memory that breaks the rule at its simplest.
pub fn map_rwx(_: &Stage) -> Attempt {
    Mapping::anonymous(RWX).map(drop)
}

fn map_shared_rw(_: &Stage) -> Attempt {
    Mapping::shared(RW).map(|mapping| mapping.touch())
}

fn map_shared_rx(_: &Stage) -> Attempt {
    Mapping::shared(RX).map(drop)
}

fn map_shared_rwx(_: &Stage) -> Attempt {
    Mapping::shared(RWX).map(drop)
}

fn map_path(path: &str, protection: i32) -> Attempt {
    Mapping::file(&open(path, libc::O_RDONLY)?, protection).map(drop)
}

fn map_copy_rx(_: &Stage) -> Attempt {
    map_path("/tmp/payload", RX)
}

fn map_copy_rw(_: &Stage) -> Attempt {
    map_path("/tmp/payload", RW)
}

fn map_copy_shared_rx(_: &Stage) -> Attempt {
    Mapping::shared_file(&open("/tmp/payload", libc::O_RDONLY)?, RX).map(drop)
}

fn map_memory_file(_: &Stage) -> Attempt {
    Mapping::file(&memory_file()?, RX).map(drop)
}

fn map_shared_memory_file(_: &Stage) -> Attempt {
    Mapping::shared_file(&memory_file()?, RX).map(drop)
}

/// Memory of a driver, which is neither a regular file nor without a file.
fn map_device(_: &Stage) -> Attempt {
    Mapping::file(&open("/dev/zero", libc::O_RDONLY)?, RX).map(drop)
}

fn map_program_rx(_: &Stage) -> Attempt {
    map_path(PROGRAM, RX)
}

fn map_program_rw(_: &Stage) -> Attempt {
    map_path(PROGRAM, RW)
}

fn map_program_rwx(_: &Stage) -> Attempt {
    map_path(PROGRAM, RWX)
}

fn map_program_shared_rx(_: &Stage) -> Attempt {
    Mapping::shared_file(&open(PROGRAM, libc::O_RDONLY)?, RX).map(drop)
}

fn map_unverified(_: &Stage) -> Attempt {
    map_path("/mnt/ro/payload", RX)
}

fn map_own(_: &Stage) -> Attempt {
    map_path("/mnt/own/bin/payload", RX)
}

fn map_other(_: &Stage) -> Attempt {
    map_path("/mnt/other/bin/payload", RX)
}

/// Fresh memory with something in it.
fn written() -> Attempt<Mapping> {
    let mapping = Mapping::anonymous(RW)?;
    mapping.touch();
    Ok(mapping)
}

/// Makes memory executable that has been written.
pub fn make_written_memory_executable(_: &Stage) -> Attempt {
    written()?.protect(RX)
}

fn rw_rx_key(_: &Stage) -> Attempt {
    written()?.protect_with_key(RX)
}

fn rw_rwx(_: &Stage) -> Attempt {
    written()?.protect(RWX)
}

fn rw_r_rx(_: &Stage) -> Attempt {
    let mapping = written()?;
    mapping.protect(PROT_READ)?;
    mapping.protect(RX)
}

fn rw_r(_: &Stage) -> Attempt {
    written()?.protect(PROT_READ)
}

fn r_rx(_: &Stage) -> Attempt {
    Mapping::anonymous(PROT_READ)?.protect(RX)
}

fn none_rx(_: &Stage) -> Attempt {
    Mapping::anonymous(PROT_NONE)?.protect(RX)
}

fn none_rw(_: &Stage) -> Attempt {
    let mapping = Mapping::anonymous(PROT_NONE)?;
    mapping.protect(RW)?;
    mapping.touch();
    Ok(())
}

fn shared_rx(_: &Stage) -> Attempt {
    let mapping = Mapping::shared(RW)?;
    mapping.touch();
    mapping.protect(RX)
}

fn program_mapping(protection: i32) -> Attempt<Mapping> {
    Mapping::file(&open(PROGRAM, libc::O_RDONLY)?, protection)
}

fn program_rw_rx(_: &Stage) -> Attempt {
    let mapping = program_mapping(RW)?;
    mapping.touch();
    mapping.protect(RX)
}

fn program_r_rw_r_rx(_: &Stage) -> Attempt {
    let mapping = program_mapping(PROT_READ)?;
    mapping.protect(RW)?;
    mapping.touch();
    mapping.protect(PROT_READ)?;
    mapping.protect(RX)
}

fn program_rx_r(_: &Stage) -> Attempt {
    program_mapping(RX)?.protect(PROT_READ)
}

fn program_r_rx(_: &Stage) -> Attempt {
    program_mapping(PROT_READ)?.protect(RX)
}

fn program_r_rw(_: &Stage) -> Attempt {
    let mapping = program_mapping(PROT_READ)?;
    mapping.protect(RW)?;
    mapping.touch();
    Ok(())
}

fn copy_r_rx(_: &Stage) -> Attempt {
    Mapping::file(&open("/tmp/payload", libc::O_RDONLY)?, PROT_READ)?.protect(RX)
}

/// The address of code of this program.
pub fn code_address() -> usize {
    // The lowest bit of a function's address says which instruction set it is in.
    text_rw as fn(&Stage) -> Attempt as usize & !1
}

fn text_rw(_: &Stage) -> Attempt {
    // A page of this very program in a mapping of its own, so that the code that runs stays as it is.
    program_mapping(RX)?.protect(RW)
}

fn text_rwx(_: &Stage) -> Attempt {
    sys::protect_page(code_address(), RWX)
}

fn stack_rx(_: &Stage) -> Attempt {
    // In a child that ends right after: nothing can be written to such a stack.
    let here = 0_u8;
    stack(&here, RX)
}

fn stack_rwx(_: &Stage) -> Attempt {
    let here = 0_u8;
    stack(&here, RWX)
}

/// Makes a page of the stack well below anything in use executable.
fn stack(here: &u8, protection: i32) -> Attempt {
    let deep = [0_u8; 8 * PAGE];
    // The array is on the stack whole, so its middle is a page that no call from here needs.
    let middle = std::hint::black_box(&deep).as_ptr() as usize + 2 * PAGE;
    let _above = std::hint::black_box(here);
    sys::protect_page(middle, protection)
}

fn heap_rx(_: &Stage) -> Attempt {
    // Large enough to have pages of its own, small enough for the heap proper.
    let block = vec![1_u8; 8 * PAGE];
    let result = sys::protect_page(block.as_ptr() as usize + 2 * PAGE, RX);
    // Nothing is freed any more: the allocator could write there.
    std::mem::forget(block);
    result
}

/// Makes each later mapping that can be read executable.
fn read_implies_exec() -> Attempt {
    const READ_IMPLIES_EXEC: i64 = 0x0040_0000;
    call(libc::SYS_personality, [Arg::Int(READ_IMPLIES_EXEC)]).map(drop)
}

/// Refused unless a mapping is executable, as the kernel shows it. Nothing is allocated: that could need a mapping.
fn executable(mapping: &Mapping) -> Attempt {
    executable_at(mapping.address())
}

/// As [`executable`], for an address.
fn executable_at(address: usize) -> Attempt {
    let maps = sys::call_for_descriptor(
        libc::SYS_openat,
        [
            Arg::Int(libc::AT_FDCWD.into()),
            Arg::Text(c"/proc/self/maps"),
            Arg::Int(libc::O_CLOEXEC.into()),
            Arg::Int(0),
        ],
    )?;
    let mut text = [0_u8; 2 * PAGE];
    let mut length = 0;
    while let Some(room) = text.get_mut(length..).filter(|room| !room.is_empty()) {
        let wanted = room.len() as i64;
        match call(
            libc::SYS_read,
            [
                Arg::Int(maps.as_raw_fd().into()),
                Arg::Out(room),
                Arg::Int(wanted),
            ],
        )? {
            0 => break,
            read => length += read,
        }
    }
    for line in text.split(|&byte| byte == b'\n') {
        let Some(line) = std::str::from_utf8(line).ok() else {
            continue;
        };
        let Some((range, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((start, end)) = range.split_once('-') else {
            continue;
        };
        let bound = |text| usize::from_str_radix(text, 16).unwrap_or(0);
        if (bound(start)..bound(end)).contains(&address) {
            return if rest.as_bytes().get(2) == Some(&b'x') {
                Ok(())
            } else {
                Err(EACCES)
            };
        }
    }
    Err(libc::ENOENT)
}

fn personality_map(_: &Stage) -> Attempt {
    read_implies_exec()?;
    executable(&Mapping::anonymous(PROT_READ)?)
}

fn personality_map_file(_: &Stage) -> Attempt {
    let file = open("/tmp/payload", libc::O_RDONLY)?;
    read_implies_exec()?;
    executable(&Mapping::file(&file, PROT_READ)?)
}

fn personality_map_program(_: &Stage) -> Attempt {
    let file = open(PROGRAM, libc::O_RDONLY)?;
    read_implies_exec()?;
    executable(&Mapping::file(&file, PROT_READ)?)
}

/// Moves the end of the heap by a page; where the new page is.
fn grow_heap() -> Attempt<usize> {
    let end = call(libc::SYS_brk, [Arg::Null])?;
    // Not in a page that the heap has in part.
    let start = (end + PAGE - 1) & !(PAGE - 1);
    let wanted = start + PAGE;
    // The kernel answers the end that there is, also when it has not moved it.
    if call(libc::SYS_brk, [Arg::Int(wanted as i64)])? == wanted {
        Ok(start)
    } else {
        Err(libc::ENOMEM)
    }
}

fn personality_grow(_: &Stage) -> Attempt {
    read_implies_exec()?;
    executable_at(grow_heap()?)
}

fn personality_exec(stage: &Stage) -> Attempt {
    let mode = if stage.on { "on" } else { "off" };
    sys::in_child(|| {
        read_implies_exec()?;
        Err(sys::execute(
            PROGRAM,
            &[
                "lsm-tests",
                "act",
                "find-code-of-no-file",
                mode,
                "with=",
                "0",
            ],
        ))
    })
}

/// Refused unless this process has memory that it could execute and that is of no file.
pub fn find_code_of_no_file(_: &Stage) -> Attempt {
    let maps = String::from_utf8(read("/proc/self/maps")?).map_err(|_| libc::EILSEQ)?;
    let found = maps.lines().any(|line| {
        let mut words = line.split_whitespace();
        let mode = words.nth(1).unwrap_or_default();
        let name = words.nth(3).unwrap_or_default();
        // What the kernel gives each process is code, too.
        let of_the_kernel = ["[vectors]", "[sigpage]", "[vdso]"].contains(&name);
        mode.contains('x') && (mode.contains('w') || !name.starts_with('/')) && !of_the_kernel
    });
    if found { Ok(()) } else { Err(EACCES) }
}

fn personality_protect(_: &Stage) -> Attempt {
    let mapping = written()?;
    read_implies_exec()?;
    mapping.protect(PROT_READ)?;
    executable(&mapping)
}

fn personality_protect_twice(_: &Stage) -> Attempt {
    let mapping = written()?;
    mapping.protect(PROT_NONE)?;
    read_implies_exec()?;
    mapping.protect(PROT_READ)?;
    executable(&mapping)
}

/// Opens a memory file for reading and writing.
fn memory(path: &str) -> Attempt<File> {
    File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| number(&error))
}

/// Writes the same bytes over code of this program, so that nothing changes when it works.
fn write_code(path: &str) -> Attempt {
    let address = code_address();
    memory(path)?
        .write_all_at(&sys::code_bytes(address), address as u64)
        .map_err(|error| number(&error))
}

fn write_task_code(_: &Stage) -> Attempt {
    write_code(&format!("/proc/self/task/{}/mem", sys::process_id()))
}

fn write_code_in_thread(_: &Stage) -> Attempt {
    std::thread::spawn(|| write_code("/proc/self/mem"))
        .join()
        .map_err(|_| libc::ESRCH)?
}

fn read_code(_: &Stage) -> Attempt {
    let address = code_address();
    let mut bytes = [0; 4];
    File::open("/proc/self/mem")
        .and_then(|memory| memory.read_exact_at(&mut bytes, address as u64))
        .map_err(|error| number(&error))?;
    crate::case::holds(bytes == sys::code_bytes(address))
}

fn write_data(_: &Stage) -> Attempt {
    let mapping = written()?;
    memory("/proc/self/mem")?
        .write_all_at(b"!", mapping.address() as u64)
        .map_err(|error| number(&error))?;
    crate::case::holds(mapping.peek() == b'!')
}

fn remount(_: &Stage) -> Attempt {
    mount("tmpfs", REMOUNTABLE, "tmpfs", MS_REMOUNT)?;
    fs::write(format!("{REMOUNTABLE}/new"), "x").map_err(|error| number(&error))?;
    mount("tmpfs", REMOUNTABLE, "tmpfs", MS_REMOUNT | MS_RDONLY)
}

fn reconfigure(_: &Stage) -> Attempt {
    const SYS_FSCONFIG: libc::c_long = 431;
    const SYS_FSPICK: libc::c_long = 433;
    const SET_FLAG: i64 = 0;
    const RECONFIGURE: i64 = 7;
    let target = sys::text(REMOUNTABLE);
    let context = sys::call_for_descriptor(
        SYS_FSPICK,
        [
            Arg::Int(libc::AT_FDCWD.into()),
            Arg::Text(&target),
            Arg::Int(0),
        ],
    )?;
    let file = i64::from(context.as_raw_fd());
    call(
        SYS_FSCONFIG,
        [
            Arg::Int(file),
            Arg::Int(SET_FLAG),
            Arg::Text(c"rw"),
            Arg::Null,
            Arg::Int(0),
        ],
    )?;
    call(
        SYS_FSCONFIG,
        [
            Arg::Int(file),
            Arg::Int(RECONFIGURE),
            Arg::Null,
            Arg::Null,
            Arg::Int(0),
        ],
    )?;
    // The mount itself is still read-only, so what tells is the line of its file system.
    let table = String::from_utf8(read("/proc/self/mountinfo")?).map_err(|_| libc::EILSEQ)?;
    let line = table
        .lines()
        .find(|line| line.contains(REMOUNTABLE))
        .ok_or(libc::ENOENT)?;
    crate::case::holds(line.contains(" - tmpfs tmpfs rw"))?;
    mount("tmpfs", REMOUNTABLE, "tmpfs", MS_REMOUNT | MS_RDONLY)
}

fn remount_unverified(_: &Stage) -> Attempt {
    mount("tmpfs", UNVERIFIED, "tmpfs", MS_REMOUNT)?;
    mount("tmpfs", UNVERIFIED, "tmpfs", MS_REMOUNT | MS_RDONLY)
}

/// Exchanges the image beneath the mounted file system of another component for a copy that could hold anything.
fn change_image(_: &Stage) -> Attempt {
    const LOOP_CHANGE_FD: i64 = 0x4c06;
    let device = fs::read_to_string("/tmp/other-device").map_err(|error| number(&error))?;
    let device = open(&device, libc::O_RDWR).or_else(|_| open(&device, libc::O_RDONLY))?;
    let image = open("/tmp/other.squashfs", libc::O_RDONLY)?;
    call(
        libc::SYS_ioctl,
        [
            Arg::Int(device.as_raw_fd().into()),
            Arg::Int(LOOP_CHANGE_FD),
            Arg::Int(image.as_raw_fd().into()),
        ],
    )
    .map(drop)
}

fn ask_terminal(_: &Stage) -> Attempt {
    let mut settings = [0_u8; 64];
    call(
        libc::SYS_ioctl,
        [
            Arg::Int(1),
            Arg::Int(libc::TCGETS as i64),
            Arg::Out(&mut settings),
        ],
    )
    .map(drop)
}
