// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Files that give more than their bytes: device nodes, and programs that lend their owner's identity.

use std::fs;
use std::os::fd::AsRawFd;

use libc::{EACCES, EPERM, S_IFBLK, S_IFCHR, S_IFIFO, S_IFREG, S_ISGID, S_ISUID};

use crate::case::Role::{App, Manager};
use crate::case::{Case, attack, twin};
use crate::stage::{PLAIN, SCRATCH, Stage, USER};
use crate::sys::{self, Arg, Attempt, call, number, text};

const MKNOD: &str = "path_mknod";
const MKDIR: &str = "path_mkdir";
const CHMOD: &str = "path_chmod";
const NO: &[i32] = &[EPERM];

/// The cases of this area.
pub const CASES: &[Case] = &[
    attack(
        MKNOD,
        "P10",
        "make_a_character_device",
        App(&PLAIN),
        make_character_device,
        NO,
    ),
    attack(
        MKNOD,
        "P10",
        "make_a_block_device",
        App(&PLAIN),
        |_| make(S_IFBLK | 0o666, 0x0700),
        NO,
    ),
    attack(
        MKNOD,
        "P11",
        "make_a_flash_device",
        App(&PLAIN),
        |_| make(S_IFCHR | 0o666, 90 << 8),
        NO,
    ),
    attack(
        MKNOD,
        "file",
        "make_a_set_user_id_file",
        App(&PLAIN),
        |_| make(S_IFREG | S_ISUID | 0o755, 0),
        NO,
    ),
    attack(
        MKNOD,
        "file",
        "make_a_set_group_id_file",
        App(&PLAIN),
        |_| make(S_IFREG | S_ISGID | 0o755, 0),
        NO,
    ),
    attack(
        MKNOD,
        "file",
        "create_a_set_user_id_file",
        App(&PLAIN),
        |_| create(0o4755),
        NO,
    ),
    twin(MKNOD, "P10", "make_a_pipe", App(&PLAIN), |_| {
        make(S_IFIFO | 0o600, 0)
    }),
    twin(MKNOD, "file", "make_a_file", App(&PLAIN), |_| {
        make(S_IFREG | 0o644, 0)
    }),
    twin(MKNOD, "file", "create_a_file", App(&PLAIN), |_| {
        create(0o755)
    }),
    twin(
        MKNOD,
        "P10",
        "manager_makes_a_character_device",
        Manager,
        |_| make(S_IFCHR | 0o666, 0x0103),
    ),
    attack(
        MKDIR,
        "file",
        "make_a_set_group_id_directory",
        App(&PLAIN),
        make_set_group_id_directory,
        NO,
    ),
    twin(MKDIR, "file", "make_a_directory", App(&PLAIN), |_| {
        make_directory(0o755)
    }),
    twin(
        MKDIR,
        "file",
        "manager_makes_a_set_group_id_directory",
        Manager,
        |_| make_directory(0o2755),
    ),
    attack(
        CHMOD,
        "file",
        "set_the_user_id_bit",
        App(&PLAIN),
        set_user_id_bit,
        NO,
    ),
    attack(
        CHMOD,
        "file",
        "set_the_group_id_bit",
        App(&PLAIN),
        |_| change(0o2755),
        NO,
    ),
    attack(
        CHMOD,
        "file",
        "set_the_user_id_bit_by_descriptor",
        App(&PLAIN),
        change_descriptor,
        NO,
    ),
    attack(
        CHMOD,
        "file",
        "set_the_user_id_bit_by_the_younger_call",
        App(&PLAIN),
        change_younger,
        NO,
    ),
    twin(CHMOD, "file", "make_a_file_executable", App(&PLAIN), |_| {
        change(0o755)
    }),
    twin(
        CHMOD,
        "file",
        "manager_sets_the_user_id_bit",
        Manager,
        |_| change(0o4755),
    ),
    attack(
        "capable",
        "P23",
        "link_a_file_of_somebody_else",
        App(&PLAIN),
        link_foreign,
        NO,
    ),
    twin("capable", "P23", "link_an_own_file", App(&PLAIN), link_own),
    attack(
        "capable",
        "P25",
        "gain_root_by_a_set_user_id_program",
        Manager,
        |stage| stage.have_set_id(&USER, "chroot"),
        NO,
    ),
    attack(
        "capable",
        "file",
        "read_a_file_of_somebody_else",
        App(&PLAIN),
        read_foreign,
        &[EACCES],
    ),
    attack(
        "capable",
        "file",
        "give_a_file_away",
        App(&PLAIN),
        give_away,
        NO,
    ),
    twin("capable", "file", "keep_a_file", App(&PLAIN), |_| {
        create(0o600)
    }),
];

/// A path that is this process's own.
fn path() -> String {
    format!("{SCRATCH}/file-{}", sys::process_id())
}

fn here() -> Arg<'static> {
    Arg::Int(libc::AT_FDCWD.into())
}

fn make(mode: u32, device: u32) -> Attempt {
    let path = text(&path());
    call(
        libc::SYS_mknodat,
        [
            here(),
            Arg::Text(&path),
            Arg::Int(mode.into()),
            Arg::Int(device.into()),
        ],
    )
    .map(drop)
}

fn make_directory(mode: u32) -> Attempt {
    let path = text(&path());
    call(
        libc::SYS_mkdirat,
        [here(), Arg::Text(&path), Arg::Int(mode.into())],
    )
    .map(drop)
}

fn create(mode: u32) -> Attempt {
    let path = text(&path());
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY | libc::O_CLOEXEC;
    sys::call_for_descriptor(
        libc::SYS_openat,
        [
            here(),
            Arg::Text(&path),
            Arg::Int(flags.into()),
            Arg::Int(mode.into()),
        ],
    )
    .map(drop)
}

/// A set-user-id program that gets its name only when it is whole.
pub fn create_unnamed() -> Attempt<String> {
    let flags = libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC;
    let directory = text(SCRATCH);
    let file = sys::call_for_descriptor(
        libc::SYS_openat,
        [
            here(),
            Arg::Text(&directory),
            Arg::Int(flags.into()),
            Arg::Int(0o4755),
        ],
    )?;
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::write(&source, crate::stage::read("/mnt/own/bin/payload")?)
        .map_err(|error| number(&error))?;
    let (source, name) = (text(&source), text(&path()));
    call(
        libc::SYS_linkat,
        [
            here(),
            Arg::Text(&source),
            here(),
            Arg::Text(&name),
            Arg::Int(libc::AT_SYMLINK_FOLLOW.into()),
        ],
    )?;
    Ok(path())
}

fn change(mode: u32) -> Attempt {
    create(0o600)?;
    let path = text(&path());
    call(
        libc::SYS_fchmodat,
        [here(), Arg::Text(&path), Arg::Int(mode.into())],
    )
    .map(drop)
}

fn change_descriptor(_: &Stage) -> Attempt {
    let file = fs::File::create(path()).map_err(|error| number(&error))?;
    call(
        libc::SYS_fchmod,
        [Arg::Int(file.as_raw_fd().into()), Arg::Int(0o4755)],
    )
    .map(drop)
}

fn change_younger(_: &Stage) -> Attempt {
    const SYS_FCHMODAT2: libc::c_long = 452;
    create(0o600)?;
    let path = text(&path());
    call(
        SYS_FCHMODAT2,
        [here(), Arg::Text(&path), Arg::Int(0o4755), Arg::Int(0)],
    )
    .map(drop)
}

/// A file that belongs to nobody here; made by the manager.
const FOREIGN: &str = "/tmp/foreign";

/// Makes what the cases of this area need.
pub fn prepare() -> Attempt {
    fs::write(FOREIGN, "x")
        .and_then(|()| {
            fs::set_permissions(FOREIGN, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        })
        .and_then(|()| std::os::unix::fs::chown(FOREIGN, Some(4321), Some(4321)))
        .map_err(|error| number(&error))
}

fn link_foreign(_: &Stage) -> Attempt {
    fs::hard_link(FOREIGN, path()).map_err(|error| number(&error))
}

fn link_own(_: &Stage) -> Attempt {
    create(0o600)?;
    fs::hard_link(path(), format!("{}-link", path())).map_err(|error| number(&error))
}

fn read_foreign(_: &Stage) -> Attempt {
    fs::read(FOREIGN).map(drop).map_err(|error| number(&error))
}

fn give_away(_: &Stage) -> Attempt {
    create(0o600)?;
    std::os::unix::fs::chown(path(), Some(4321), None).map_err(|error| number(&error))
}

/// Makes a device node.
pub fn make_character_device(_: &Stage) -> Attempt {
    make(S_IFCHR | 0o666, 0x0103)
}

/// Makes a program lend its owner's identity.
pub fn set_user_id_bit(_: &Stage) -> Attempt {
    change(0o4755)
}

/// Makes a directory that passes its group on.
pub fn make_set_group_id_directory(_: &Stage) -> Attempt {
    make_directory(0o2755)
}
