// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the steps ask of the kernel, so that tests can record it and make it fail.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use caps::{CapSet, errors::CapsError};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath,
    PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope, make_bitflags,
};
use nix::fcntl::{OFlag, open};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{self, Gid, Pid, Uid};
use policy::Identity;
use sys::lsm::Attribute;
use sys::mount::Attributes;
use sys::seccomp::Instruction;
use sys::signal::Disposition;
use sys::{Errno, Result, descriptor, lsm, process, seccomp, signal};

use crate::confinement::{Rights, Tcp};

/// The Landlock version whose rights are all handled; the kernel must know it.
const LANDLOCK: ABI = ABI::V6;

/// The calls of the steps. Failures are those of the system calls.
pub(crate) trait Kernel {
    /// Sets all signals to their defaults but `SIGXFSZ`, which is ignored, and blocks all.
    fn reset_signals(&self) -> Result<()>;
    /// Lets signals arrive.
    fn unblock_signals(&self) -> Result<()>;
    /// Moves the process into new namespaces.
    fn unshare(&self, namespaces: CloneFlags) -> Result<()>;
    /// Moves the process into a network namespace.
    fn enter_network(&self, namespace: BorrowedFd<'_>) -> Result<()>;
    /// Ends the process with its parent.
    fn end_with_parent(&self) -> Result<()>;
    /// Starts a session without terminal, and with the usual mask for new files.
    fn start_session(&self) -> Result<()>;
    /// Sets one of the first three descriptors.
    fn set_stream(&self, stream: Stream, descriptor: BorrowedFd<'_>) -> Result<()>;
    /// Puts descriptors at 3 and up.
    fn arrange_descriptors(&self, descriptors: &[BorrowedFd<'_>]) -> Result<()>;
    /// Closes everything from 3 on but these.
    fn close_all_but(&self, keep: &mut [BorrowedFd<'_>]) -> Result<()>;
    /// Closes everything from a number on.
    fn close_from(&self, first: u32) -> Result<()>;
    /// Keeps mounts from spreading, in both directions.
    fn keep_mounts_private(&self) -> Result<()>;
    /// Mounts a new file system.
    fn mount_new(&self, kind: &str, target: &Path, flags: MsFlags, options: &str) -> Result<()>;
    /// Shows a directory or file at another place.
    fn bind(&self, source: &Path, target: &Path) -> Result<()>;
    /// Adds attributes to a mount.
    fn restrict(&self, target: &Path, attributes: Attributes) -> Result<()>;
    /// Makes a directory.
    fn make_directory(&self, path: &Path) -> Result<()>;
    /// Makes an empty file.
    fn make_file(&self, path: &Path) -> Result<()>;
    /// Changes the working directory.
    fn change_directory(&self, path: &Path) -> Result<()>;
    /// Makes the working directory the root, and lets go of the old one.
    fn pivot(&self) -> Result<()>;
    /// Sets a resource limit, soft and hard.
    fn set_limit(&self, resource: Resource, value: u64) -> Result<()>;
    /// Takes on a user and group, without other groups.
    fn take_identity(&self, identity: u32) -> Result<()>;
    /// Empties the bounding set.
    fn empty_bounding_set(&self) -> Result<()>;
    /// Drops all capabilities.
    fn drop_capabilities(&self) -> Result<()>;
    /// Hides the process from others of its user.
    fn forbid_inspection(&self) -> Result<()>;
    /// Forbids new privileges.
    fn forbid_privileges(&self) -> Result<()>;
    /// Forbids to gain executable memory.
    fn forbid_execute_gain(&self) -> Result<()>;
    /// Applies Landlock rules.
    fn landlock(&self, rules: &[(PathBuf, Rights)], tcp: &Tcp) -> Result<()>;
    /// Tells the security module what the process becomes with its next program.
    fn label(&self, identity: &Identity) -> Result<()>;
    /// Installs a filter.
    fn install_filter(&self, filter: &[Instruction]) -> Result<()>;
    /// Executes a program with an empty environment.
    fn execute(&self, program: &CStr, arguments: &[CString]) -> Result<Infallible>;
    /// Executes a program in a child to which signals arrive. Its environment names the socket for its requests, and
    /// is empty without one.
    fn spawn(
        &self,
        program: &CStr,
        arguments: &[CString],
        broker: Option<BorrowedFd<'_>>,
    ) -> Result<Pid>;
}

/// One of the first three descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard input.
    Input,
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Programs are told by their arguments alone.
const NO_ENVIRONMENT: &[&CStr] = &[];

/// The running kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linux;

impl Kernel for Linux {
    fn reset_signals(&self) -> Result<()> {
        SigSet::all().thread_set_mask()?;
        signal::reset_all()?;
        // A write beyond RLIMIT_FSIZE is to fail with EFBIG rather than end the process.
        signal::set(Signal::SIGXFSZ, Disposition::Ignore)
    }

    fn unblock_signals(&self) -> Result<()> {
        SigSet::empty().thread_set_mask()
    }

    fn unshare(&self, namespaces: CloneFlags) -> Result<()> {
        unshare(namespaces)
    }

    fn enter_network(&self, namespace: BorrowedFd<'_>) -> Result<()> {
        setns(namespace, CloneFlags::CLONE_NEWNET)
    }

    fn end_with_parent(&self) -> Result<()> {
        prctl::set_pdeathsig(Signal::SIGKILL)
    }

    fn start_session(&self) -> Result<()> {
        umask(Mode::from_bits_truncate(0o022));
        unistd::setsid().map(drop)
    }

    fn set_stream(&self, stream: Stream, descriptor: BorrowedFd<'_>) -> Result<()> {
        match stream {
            Stream::Input => unistd::dup2_stdin(descriptor),
            Stream::Output => unistd::dup2_stdout(descriptor),
            Stream::Error => unistd::dup2_stderr(descriptor),
        }
    }

    fn arrange_descriptors(&self, descriptors: &[BorrowedFd<'_>]) -> Result<()> {
        descriptor::arrange_from_three(descriptors)
    }

    fn close_all_but(&self, keep: &mut [BorrowedFd<'_>]) -> Result<()> {
        descriptor::close_all_but(keep)
    }

    fn close_from(&self, first: u32) -> Result<()> {
        descriptor::close_from(first)
    }

    fn keep_mounts_private(&self) -> Result<()> {
        let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&Path>, "/", None::<&Path>, flags, None::<&Path>)
    }

    fn mount_new(&self, kind: &str, target: &Path, flags: MsFlags, options: &str) -> Result<()> {
        mount(Some(kind), target, Some(kind), flags, Some(options))
    }

    fn bind(&self, source: &Path, target: &Path) -> Result<()> {
        mount(
            Some(source),
            target,
            None::<&Path>,
            MsFlags::MS_BIND,
            None::<&Path>,
        )
    }

    fn restrict(&self, target: &Path, attributes: Attributes) -> Result<()> {
        sys::mount::restrict(target, attributes)
    }

    fn make_directory(&self, path: &Path) -> Result<()> {
        unistd::mkdir(path, Mode::from_bits_truncate(0o755))
    }

    fn make_file(&self, path: &Path) -> Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        open(path, flags, Mode::from_bits_truncate(0o644)).map(drop)
    }

    fn change_directory(&self, path: &Path) -> Result<()> {
        unistd::chdir(path)
    }

    fn pivot(&self) -> Result<()> {
        // Both at the same place: the old root ends up on top of the new one, and needs no directory.
        unistd::pivot_root(".", ".")?;
        umount2(".", MntFlags::MNT_DETACH)
    }

    fn set_limit(&self, resource: Resource, value: u64) -> Result<()> {
        setrlimit(resource, value, value)
    }

    fn take_identity(&self, identity: u32) -> Result<()> {
        let (user, group) = (Uid::from_raw(identity), Gid::from_raw(identity));
        unistd::setgroups(&[])?;
        unistd::setresgid(group, group, group)?;
        unistd::setresuid(user, user, user)
    }

    fn empty_bounding_set(&self) -> Result<()> {
        caps::clear(None, CapSet::Bounding).map_err(last)?;
        // The library knows the capabilities of its time; the kernel may have more.
        if sys::capability::bounding_set_is_empty()? {
            Ok(())
        } else {
            Err(Errno::ENOTSUP)
        }
    }

    fn drop_capabilities(&self) -> Result<()> {
        for set in [CapSet::Ambient, CapSet::Permitted, CapSet::Inheritable] {
            caps::clear(None, set).map_err(last)?;
        }
        Ok(())
    }

    fn forbid_inspection(&self) -> Result<()> {
        prctl::set_dumpable(false)
    }

    fn forbid_privileges(&self) -> Result<()> {
        prctl::set_no_new_privs()
    }

    fn forbid_execute_gain(&self) -> Result<()> {
        process::refuse_execute_gain()
    }

    fn landlock(&self, rules: &[(PathBuf, Rights)], tcp: &Tcp) -> Result<()> {
        let mut ruleset = ruleset(!tcp.connect)?;
        for (path, rights) in rules {
            let directory = PathFd::new(path).map_err(landlock_errno)?;
            ruleset = ruleset
                .add_rule(PathBeneath::new(directory, access(*rights)))
                .map_err(landlock_errno)?;
        }
        for &port in &tcp.bind {
            ruleset = ruleset
                .add_rule(NetPort::new(port, AccessNet::BindTcp))
                .map_err(landlock_errno)?;
        }
        // Forbidding new privileges is a step of its own.
        ruleset
            .no_new_privs(false)
            .restrict_self()
            .map_err(landlock_errno)
            .map(drop)
    }

    fn label(&self, identity: &Identity) -> Result<()> {
        lsm::set_self_attribute(lsm::NACRE, Attribute::Exec, &identity.encode())
    }

    fn install_filter(&self, filter: &[Instruction]) -> Result<()> {
        seccomp::install(filter)
    }

    fn execute(&self, program: &CStr, arguments: &[CString]) -> Result<Infallible> {
        unistd::execve(program, arguments, NO_ENVIRONMENT)
    }

    fn spawn(
        &self,
        program: &CStr,
        arguments: &[CString],
        broker: Option<BorrowedFd<'_>>,
    ) -> Result<Pid> {
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_sigmask(&SigSet::empty())?;
        attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK)?;
        let mut actions = PosixSpawnFileActions::init()?;
        let mut environment = NO_ENVIRONMENT;
        if let Some(socket) = broker {
            // The copy stays open when the program is executed, also one to the same number.
            actions.add_dup2(socket.as_raw_fd(), broker::DESCRIPTOR)?;
            environment = &[broker::ENVIRONMENT];
        }
        posix_spawn(program, &actions, &attributes, arguments, environment)
    }
}

/// A Landlock rule set without rules that handles every right the kernel must know: nothing is allowed yet.
///
/// `handle_connect` is false for an app that may connect to any port, which cannot be said with rules.
pub(crate) fn ruleset(handle_connect: bool) -> Result<RulesetCreated> {
    let tcp = if handle_connect {
        AccessNet::from_all(LANDLOCK)
    } else {
        AccessNet::BindTcp.into()
    };
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LANDLOCK))
        .and_then(|ruleset| ruleset.handle_access(tcp))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(LANDLOCK)))
        .and_then(Ruleset::create)
        .map_err(landlock_errno)
}

/// The rights in terms of Landlock.
fn access(rights: Rights) -> BitFlags<AccessFs> {
    match rights {
        Rights::Execute => make_bitflags!(AccessFs::{Execute | ReadFile | ReadDir}),
        Rights::ExecuteFile => make_bitflags!(AccessFs::{Execute | ReadFile}),
        Rights::Read => make_bitflags!(AccessFs::{ReadFile | ReadDir}),
        Rights::ReadFile => AccessFs::ReadFile.into(),
        Rights::Devices => make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile}),
        Rights::ReadWrite => make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate}),
    }
}

/// The error number within an error of the landlock library; `EINVAL` when the kernel lacks what is required.
fn landlock_errno<E: std::error::Error + 'static>(error: E) -> Errno {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw);
        }
        source = error.source();
    }
    Errno::EINVAL
}

/// The error number of the call that a capability function made last; its own error is text.
fn last(_: CapsError) -> Errno {
    Errno::last()
}
