// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a task of the system pays, with the security module and without it.

use std::fs::{self, File};

use nix::unistd::getppid;
use sys::process::{Forked, SingleThreaded, Wait, exit, fork, wait_any};

use crate::Result;
use crate::count::{each, report};
use crate::raw::map_and_unmap;

/// A file in memory, one folder deep.
const FILE: &str = "/tmp/file";

/// System calls, files, memory and processes.
pub fn run(single: &SingleThreaded) -> Result<()> {
    report("getppid", each(20_000, get_parent)?);
    fs::write(FILE, "")?;
    report("open-close", each(2_000, || open_and_close(FILE))?);
    report("mmap-munmap", each(2_000, || Ok(map_and_unmap()?))?);
    report("fork-exit", each(200, || fork_and_exit(single))?);
    Ok(())
}

/// The cheapest system call that does something.
pub fn get_parent() -> Result<()> {
    std::hint::black_box(getppid());
    Ok(())
}

/// Opens a file for reading and closes it.
pub fn open_and_close(path: &str) -> Result<()> {
    drop(File::open(path)?);
    Ok(())
}

fn fork_and_exit(single: &SingleThreaded) -> Result<()> {
    let Forked::Parent { .. } = fork(single)? else {
        exit(0)
    };
    wait_any(Wait::Block)?;
    Ok(())
}
