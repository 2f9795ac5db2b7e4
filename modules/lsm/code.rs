// SPDX-License-Identifier: GPL-2.0

//! What can be executed, by whomever: only what lies on a verified file system, and never what can be, or ever
//! was, written.
//!
//! A file system is verified when the first program of the system came from it, or when the manager says so.
//! It must be read-only then, and it cannot be made writable again.
//!
//! No security module sees a process write to its own `/proc/self/mem`; the kernel refuses to write where the
//! process could not (`CONFIG_PROC_MEM_NO_FORCE`), which this module therefore depends on.

use kernel::{
    fs::LocalFile,
    lsm::{
        self,
        Bprm,
        Caller,
        FileType,
        MapFlags,
        Protection,
        Superblock, //
    },
    mm::virt::VmaRef,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
};

use policy::{
    Access,
    ComponentId,
    Hook,
    Mapping,
    Origin, //
};

use crate::{
    error,
    Nacre, //
};

/// The state on file systems: whose code is on it. It is written once, with the lock of the manager held.
#[derive(Zeroable)]
pub(crate) struct Mark {
    state: Atomic<u32>,
    component: [Atomic<u32>; 4],
}

impl lsm::Blob for Mark {}

impl Mark {
    /// Nobody has verified the file system.
    const UNVERIFIED: u32 = 0;
    /// It belongs to the system.
    const SYSTEM: u32 = 1;
    /// It belongs to the component whose id is in the other field.
    const COMPONENT: u32 = 2;

    /// Whose code is on the file system.
    pub(crate) fn origin(&self) -> Origin {
        match self.state.load(Acquire) {
            Self::UNVERIFIED => Origin::Unverified,
            Self::SYSTEM => Origin::System,
            _ => Origin::Component(self.component()),
        }
    }

    fn component(&self) -> ComponentId {
        let mut bytes = [0; 16];
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(&self.component) {
            bytes.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
        }
        ComponentId::from_bytes(bytes)
    }

    /// Marks a file system that has no mark yet; the caller keeps others from doing the same.
    pub(crate) fn set(&self, origin: Origin) {
        let state = match origin {
            Origin::Unverified => return,
            Origin::System => Self::SYSTEM,
            Origin::Component(component) => {
                let component = component.to_bytes();
                let words = component.chunks_exact(4).filter_map(<[u8]>::first_chunk);
                for (word, bytes) in self.component.iter().zip(words) {
                    word.store(u32::from_ne_bytes(*bytes), Relaxed);
                }
                Self::COMPONENT
            }
        };
        self.state.store(state, Release);
    }
}

/// Marks a file system as verified. The caller holds the lock of the manager.
pub(crate) fn mark(cx: &Caller<Nacre>, superblock: &Superblock, wanted: Origin) -> Result {
    let mark = cx.blob(superblock);
    let before = mark.origin();
    let after = before
        .mark(wanted, superblock.is_read_only())
        .map_err(error)?;
    if before != after {
        mark.set(after);
    }
    Ok(())
}

/// Where the code of a file comes from: nowhere, unless it is a regular file that nobody can change.
fn origin(cx: &Caller<Nacre>, file: &LocalFile) -> Origin {
    let superblock = file.superblock();
    if file.inode().file_type() == FileType::Regular && superblock.is_read_only() {
        cx.blob(superblock).origin()
    } else {
        Origin::Unverified
    }
}

/// A program is about to be executed. The first one of the system makes its process the manager, and its file
/// system a verified one; a process that was given an identity becomes an app.
pub(crate) fn execute(cx: &Caller<Nacre>, bprm: &mut Bprm) -> Result {
    let is_first = cx.subject().is_none() && cx.task().is_global_init() && !bprm.is_check();
    if is_first && bprm.file().superblock().is_read_only() {
        cx.module()
            .mark(cx, bprm.file().superblock(), Origin::System)?;
        cx.blob_mut(bprm).become_manager();
    }
    let access = Access::Execute(origin(cx, bprm.file()));
    cx.subject().check(cx, Hook::BprmCredsForExec, access)?;
    // A failure from here on drops the new credentials, and the process stays who it is.
    cx.blob_mut(bprm).enter();
    Ok(())
}

/// Memory is about to be mapped. What counts is what the mapping will be, not what was asked for.
#[inline]
pub(crate) fn map(
    cx: &Caller<Nacre>,
    file: Option<&LocalFile>,
    effective: Protection,
    flags: MapFlags,
) -> Result {
    if !effective.executable() {
        return Ok(());
    }
    let mapping = Mapping {
        executable: true,
        writable: effective.writable(),
        shared: flags.is_shared(),
        was_executable: false,
        was_writable: false,
        origin: file.map(|file| origin(cx, file)),
    };
    cx.subject().check(cx, Hook::MmapFile, Access::Map(mapping))
}

/// The protection of a mapping is about to change. A private mapping of a file that has pages of its own was
/// written to at some time, whatever its protection is now.
#[inline]
pub(crate) fn protect(cx: &Caller<Nacre>, area: &VmaRef, effective: Protection) -> Result {
    let executable = effective.executable();
    let was_executable = area.is_executable();
    if !executable && !was_executable {
        return Ok(());
    }
    let mapping = Mapping {
        executable,
        writable: effective.writable(),
        shared: area.is_shared(),
        was_executable,
        was_writable: area.is_writable() || area.has_anonymous_pages(),
        origin: area.file().map(|file| origin(cx, file)),
    };
    cx.subject()
        .check(cx, Hook::FileMprotect, Access::Protect(mapping))
}

/// A file system is about to be remounted. The kernel does not say what will change, so a verified one stays as
/// it is.
pub(crate) fn remount(cx: &Caller<Nacre>, superblock: &Superblock) -> Result {
    let access = Access::MakeWritable(cx.blob(superblock).origin());
    cx.subject().check(cx, Hook::SbRemount, access)
}
