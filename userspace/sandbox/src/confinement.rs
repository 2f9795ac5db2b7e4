// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a confined process is to see and to be, whether an app or a service: the common form of their plans.

use std::ffi::CString;
use std::path::PathBuf;

use policy::Identity;
use sys::mount::Attributes;

use crate::filter::Profile;
use crate::limits::Limits;
use crate::step::Step;

/// Everything that the steps need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confinement {
    /// User and group.
    pub identity: u32,
    /// What the security module knows the process as. Only a service does without, on a kernel that lacks the
    /// module and so starts no app.
    pub label: Option<Identity>,
    /// What is mounted, in order.
    pub binds: Vec<Bind>,
    /// Whether there is a `/proc`.
    pub proc: bool,
    /// The working directory, in the new view.
    pub directory: PathBuf,
    /// What Landlock allows on files, by paths in the new view.
    pub rules: Vec<(PathBuf, Rights)>,
    /// What Landlock allows on TCP.
    pub tcp: Tcp,
    /// Which filter.
    pub profile: Profile,
    /// Which limits.
    pub limits: Limits,
    /// Largest size of a file that can be written, in bytes.
    pub file_size: u64,
    /// The program, in the new view.
    pub program: CString,
    /// Its arguments, the name of the program first.
    pub arguments: Vec<CString>,
}

/// A directory or file that is shown at a place in the new view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bind {
    /// Where it is now.
    pub source: PathBuf,
    /// Where it will be, from the new root.
    pub target: PathBuf,
    /// Whether it is a file.
    pub file: bool,
    /// What the mount forbids.
    pub attributes: Attributes,
    /// Which step it belongs to.
    pub step: Step,
}

/// What Landlock allows on a path and everything below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Read files, list directories, execute.
    Execute,
    /// Read and execute a file.
    ExecuteFile,
    /// Read files, list directories.
    Read,
    /// Read a file.
    ReadFile,
    /// Read and write device nodes, as far as their modes allow.
    Devices,
    /// Read, write and cut a file.
    ReadWrite,
}

/// What Landlock allows on TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tcp {
    /// The ports to bind.
    pub bind: Vec<u16>,
    /// Whether to connect, to any port: Landlock knows no hosts.
    pub connect: bool,
}

/// Nothing can be written, and nothing gains rights.
pub(crate) const SEALED: Attributes = Attributes::READ_ONLY.with(Attributes::NO_SET_ID);
/// Neither programs nor device nodes nor links count.
pub(crate) const DATA_ONLY: Attributes = Attributes::NO_SET_ID
    .with(Attributes::NO_DEVICES)
    .with(Attributes::NO_EXECUTE)
    .with(Attributes::NO_SYMLINKS);
