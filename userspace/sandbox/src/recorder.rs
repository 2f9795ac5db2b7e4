// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A kernel that writes down what it is asked, and fails where a test wants it to; and the tests of the order
//! of the steps.

use std::cell::RefCell;
use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use nix::sys::resource::Resource;
use nix::unistd::Pid;
use policy::Identity;
use sys::mount::Attributes;
use sys::seccomp::Instruction;
use sys::{Errno, Result};

use crate::confinement::{Rights, Tcp};
use crate::kernel::{Kernel, Stream};

/// Writes down calls.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// The calls so far.
    calls: RefCell<Vec<String>>,
    /// Which call fails, if any.
    failing: Option<usize>,
}

impl Recorder {
    /// Fails at one call, counted from 0.
    pub fn failing_at(call: usize) -> Self {
        Self {
            failing: Some(call),
            ..Self::default()
        }
    }

    /// The calls, in order.
    pub fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }

    fn record(&self, call: String) -> Result<()> {
        let mut calls = self.calls.borrow_mut();
        calls.push(call);
        if self.failing == Some(calls.len() - 1) {
            Err(Errno::EIO)
        } else {
            Ok(())
        }
    }
}

/// Attributes as the options of mount(8).
fn options(attributes: Attributes) -> String {
    let names = [
        (Attributes::READ_ONLY, "ro"),
        (Attributes::NO_SET_ID, "nosuid"),
        (Attributes::NO_DEVICES, "nodev"),
        (Attributes::NO_EXECUTE, "noexec"),
        (Attributes::NO_SYMLINKS, "nosymfollow"),
    ];
    let set = names
        .iter()
        .filter(|(attribute, _)| attributes.contains(*attribute));
    set.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}

impl Kernel for Recorder {
    fn reset_signals(&self) -> Result<()> {
        self.record("reset signals".into())
    }

    fn unblock_signals(&self) -> Result<()> {
        self.record("unblock signals".into())
    }

    fn unshare(&self, namespaces: CloneFlags) -> Result<()> {
        self.record(format!("unshare {namespaces:?}"))
    }

    fn enter_network(&self, _: BorrowedFd<'_>) -> Result<()> {
        self.record("enter network".into())
    }

    fn end_with_parent(&self) -> Result<()> {
        self.record("end with parent".into())
    }

    fn start_session(&self) -> Result<()> {
        self.record("session".into())
    }

    fn set_stream(&self, stream: Stream, _: BorrowedFd<'_>) -> Result<()> {
        self.record(format!("stream {stream:?}"))
    }

    fn arrange_descriptors(&self, descriptors: &[BorrowedFd<'_>]) -> Result<()> {
        self.record(format!("arrange {}", descriptors.len()))
    }

    fn close_all_but(&self, keep: &mut [BorrowedFd<'_>]) -> Result<()> {
        self.record(format!("close all but {}", keep.len()))
    }

    fn close_from(&self, first: u32) -> Result<()> {
        self.record(format!("close from {first}"))
    }

    fn keep_mounts_private(&self) -> Result<()> {
        self.record("private".into())
    }

    fn mount_new(&self, kind: &str, target: &Path, flags: MsFlags, options: &str) -> Result<()> {
        self.record(format!(
            "mount {kind} {} {flags:?} {options}",
            target.display()
        ))
    }

    fn bind(&self, source: &Path, target: &Path) -> Result<()> {
        self.record(format!("bind {} {}", source.display(), target.display()))
    }

    fn restrict(&self, target: &Path, attributes: Attributes) -> Result<()> {
        self.record(format!(
            "restrict {} {}",
            target.display(),
            options(attributes)
        ))
    }

    fn make_directory(&self, path: &Path) -> Result<()> {
        self.record(format!("directory {}", path.display()))
    }

    fn make_file(&self, path: &Path) -> Result<()> {
        self.record(format!("file {}", path.display()))
    }

    fn change_directory(&self, path: &Path) -> Result<()> {
        self.record(format!("chdir {}", path.display()))
    }

    fn pivot(&self) -> Result<()> {
        self.record("pivot".into())
    }

    fn set_limit(&self, resource: Resource, value: u64) -> Result<()> {
        self.record(format!("limit {resource:?} {value}"))
    }

    fn take_identity(&self, identity: u32) -> Result<()> {
        self.record(format!("identity {identity:#x}"))
    }

    fn empty_bounding_set(&self) -> Result<()> {
        self.record("bounding set".into())
    }

    fn drop_capabilities(&self) -> Result<()> {
        self.record("capabilities".into())
    }

    fn forbid_inspection(&self) -> Result<()> {
        self.record("not dumpable".into())
    }

    fn forbid_privileges(&self) -> Result<()> {
        self.record("no new privileges".into())
    }

    fn forbid_execute_gain(&self) -> Result<()> {
        self.record("no execute gain".into())
    }

    fn landlock(&self, rules: &[(PathBuf, Rights)], tcp: &Tcp) -> Result<()> {
        let rules = rules
            .iter()
            .map(|(path, rights)| format!("{} {rights:?}", path.display()));
        let rules = rules.collect::<Vec<_>>().join(", ");
        self.record(format!(
            "landlock {rules}; bind {:?} connect {}",
            tcp.bind, tcp.connect
        ))
    }

    fn label(&self, identity: &Identity) -> Result<()> {
        self.record(format!("label {}", identity.component()))
    }

    fn install_filter(&self, _: &[Instruction]) -> Result<()> {
        self.record("filter".into())
    }

    fn execute(&self, program: &CStr, arguments: &[CString]) -> Result<Infallible> {
        self.record(format!("execute {program:?} {arguments:?}"))?;
        // A real one does not return.
        Err(Errno::ENOEXEC)
    }

    fn spawn(
        &self,
        program: &CStr,
        arguments: &[CString],
        broker: Option<BorrowedFd<'_>>,
    ) -> Result<Pid> {
        let with = broker.map_or("", |_| " with a broker");
        self.record(format!("spawn {program:?} {arguments:?}{with}"))?;
        Ok(Pid::from_raw(2))
    }
}
