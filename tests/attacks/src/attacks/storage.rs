// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Areas A and B with a mutable file at hand: running what was written there, and leaving it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use libc::{EACCES, ENOENT, ENOEXEC, EPERM, EXDEV, PROT_EXEC, PROT_READ};

use super::code::program;
use crate::case::{Case, Place, absent, attack, twin};
use crate::payload::{self, EXIT_CODE};
use crate::raw::{Attempt, Mapping, number};

/// The cases of this area.
pub const CASES: &[Case] = &[
    twin("B12", "write_and_read_own_storage", write_and_read),
    attack(
        "A12",
        "run_a_program_from_storage",
        run_from_storage,
        &[EACCES],
    ),
    twin("A12", "run_a_program_from_the_package", run_from_package),
    attack(
        "A13",
        "map_storage_executable",
        map_storage,
        &[EPERM, EACCES],
    ),
    absent(
        "A14",
        "run_a_script_from_storage",
        run_script,
        &[EACCES],
        &[ENOEXEC],
    ),
    attack(
        "A15",
        "run_storage_through_the_loader",
        run_by_loader,
        &[EACCES],
    ),
    attack(
        "B13",
        "rename_out_of_storage",
        rename_out,
        &[EXDEV, EACCES, EPERM],
    ),
    attack(
        "B13",
        "link_out_of_storage",
        link_out,
        &[EXDEV, EACCES, EPERM],
    ),
    twin("B15", "storage_made_longer_reads_as_zeros", grow),
];

fn storage(place: &Place) -> Attempt<&Path> {
    place.storage.as_deref().ok_or(ENOENT)
}

/// Fills the mutable file anew, and makes it executable if that is possible.
fn fill(place: &Place, content: &[u8]) -> Attempt {
    use std::io::Write;
    let mut file = File::options()
        .write(true)
        .truncate(true)
        .open(storage(place)?)
        .map_err(|error| number(&error))?;
    file.write_all(content).map_err(|error| number(&error))?;
    // Refused or not, the attack goes on: it is the execution that has to fail.
    let _refused = file.set_permissions(fs::Permissions::from_mode(0o700));
    Ok(())
}

fn write_and_read(place: &Place) -> Attempt {
    fill(place, b"kept")?;
    match fs::read(storage(place)?) {
        Ok(content) if content == b"kept" => Ok(()),
        Ok(_) => Err(libc::EIO),
        Err(error) => Err(number(&error)),
    }
}

/// Runs a command: `Ok` when it ended as the payload ends.
fn run(command: &mut Command) -> Attempt {
    match command.status() {
        Ok(status) if status.code() == Some(EXIT_CODE) => Ok(()),
        Ok(_) => Err(EACCES),
        Err(error) => Err(number(&error)),
    }
}

fn run_from_storage(place: &Place) -> Attempt {
    fill(place, &payload::program())?;
    run(&mut Command::new(storage(place)?))
}

fn run_from_package(place: &Place) -> Attempt {
    run(Command::new(program(place)).args(["exit", &EXIT_CODE.to_string()]))
}

fn map_storage(place: &Place) -> Attempt {
    fill(place, &payload::program())?;
    let file = File::open(storage(place)?).map_err(|error| number(&error))?;
    Mapping::file(&file, 4096, PROT_READ | PROT_EXEC).map(drop)
}

fn run_script(place: &Place) -> Attempt {
    let script = format!("#!{} exit\n", program(place).display());
    fill(place, script.as_bytes())?;
    run(&mut Command::new(storage(place)?))
}

fn run_by_loader(place: &Place) -> Attempt {
    fill(place, &payload::program())?;
    run(Command::new("/lib/ld-musl-armhf.so.1").arg(storage(place)?))
}

fn rename_out(place: &Place) -> Attempt {
    let (inside, outside) = (storage(place)?, place.package.join("moved"));
    fs::rename(inside, &outside).map_err(|error| number(&error))?;
    // It worked: back, so that the next attack finds its file.
    fs::rename(outside, inside).map_err(|error| number(&error))
}

fn link_out(place: &Place) -> Attempt {
    fs::hard_link(storage(place)?, place.package.join("linked")).map_err(|error| number(&error))
}

fn grow(place: &Place) -> Attempt {
    fill(place, b"x")?;
    let file = File::options()
        .write(true)
        .open(storage(place)?)
        .map_err(|error| number(&error))?;
    file.set_len(4096).map_err(|error| number(&error))?;
    let content = fs::read(storage(place)?).map_err(|error| number(&error))?;
    if content.len() == 4096 && content.iter().skip(1).all(|&byte| byte == 0) {
        Ok(())
    } else {
        Err(libc::EIO)
    }
}
