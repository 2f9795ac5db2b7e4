// SPDX-License-Identifier: GPL-2.0

//! The security module of Nacre: which app a process is, and what the kernel refuses to it.
//!
//! Each hook finds out who asks and what about, puts the question to the decision core ([`policy`]), records a
//! refusal and returns its error. There is a file for each kind of object:
//!
//! | file | about |
//! |---|---|
//! | `identity.rs` | who a process is, and the attributes that set and show it |
//! | `code.rs` | what can be executed |
//! | `trace.rs` | who looks into whom |
//! | `task.rs` | signals and process groups |
//! | `system.rs` | the clock, the log, mounts, capabilities and the like |
//! | `file.rs` | device nodes, set-id files, files in messages |
//! | `network.rs` | sockets |
//! | `manager.rs` | what the module knows as a whole |
//! | `rules.rs` | a component: its rule set and its denials |
//! | `securityfs.rs` | the files of the manager |
//! | `log.rs` | the line in the kernel log |
//! | `denials.rs`, `table.rs`, `wire.rs` | plain data; built and tested on the host as well |
//!
//! What runs without identity, and the manager, is refused only code that is not verified.
#![deny(unsafe_code)]

use kernel::{
    cred::Credential,
    error::Error,
    fs::LocalFile,
    lsm::{
        self,
        Attribute,
        AttributeWriter,
        Bprm,
        Caller,
        Capability,
        CapableOptions,
        Dentry,
        FileMode,
        Id,
        MapFlags,
        Message,
        Mount,
        MountRequest,
        NewSock,
        Path,
        Protection,
        PtraceMode,
        QuotaCommand,
        Signal,
        Sock,
        SocketAddress,
        SocketKind,
        SocketOption,
        Superblock,
        SyslogAction,
        UserNamespace, //
    },
    mm::virt::VmaRef,
    prelude::*,
    task::{
        Pid,
        Task, //
    },
};

use policy::{
    Access,
    Errno,
    Hook,
    Subject, //
};

mod code;
pub mod denials;
mod file;
mod identity;
mod log;
mod manager;
mod network;
mod rules;
mod securityfs;
mod system;
pub mod table;
mod task;
mod text;
mod trace;
pub mod wire;

#[cfg(CONFIG_KUNIT)]
mod kunit;

const __LOG_PREFIX: &[u8] = b"nacre\0";

/// The error that the kernel returns for one of the decision core.
fn error(errno: Errno) -> Error {
    Error::from_errno(-errno.number())
}

/// Calls the function with who the current task is, for a driver that is asked to do something. Returns `None` when
/// the module is not active, and so nobody has an identity.
pub fn current<R>(ask: impl FnOnce(Subject<'_>) -> R) -> Option<R> {
    lsm::with_subject::<Nacre, R>(|label| label.with(ask))
}

/// The module.
struct Nacre;

impl lsm::Module for Nacre {
    const ID: Id = Id::NACRE;

    type Cred = identity::Label;
    type Inode = ();
    type Socket = network::Maker;
    type Superblock = code::Mark;
    type Task = ();
    type State = manager::Manager;

    fn init() -> impl PinInit<Self::State, Error> {
        manager::Manager::new()
    }

    fn initcall() -> Result {
        securityfs::create()
    }
}

#[vtable]
impl lsm::Hooks for Nacre {
    fn bprm_creds_for_exec(cx: &Caller<Self>, bprm: &mut Bprm) -> Result {
        code::execute(cx, bprm)
    }

    fn mmap_file(
        cx: &Caller<Self>,
        file: Option<&LocalFile>,
        _requested: Protection,
        effective: Protection,
        flags: MapFlags,
    ) -> Result {
        code::map(cx, file, effective, flags)
    }

    fn file_mprotect(
        cx: &Caller<Self>,
        area: &VmaRef,
        _requested: Protection,
        effective: Protection,
    ) -> Result {
        code::protect(cx, area, effective)
    }

    fn ptrace_access_check(cx: &Caller<Self>, child: &Task, mode: PtraceMode) -> Result {
        trace::look(cx, child, mode)
    }

    fn ptrace_traceme(cx: &Caller<Self>, parent: &Task) -> Result {
        trace::offer(cx, parent)
    }

    fn task_kill(
        cx: &Caller<Self>,
        target: &Task,
        _signal: Signal,
        sender: Option<&Credential>,
    ) -> Result {
        task::kill(cx, target, sender)
    }

    fn task_setpgid(cx: &Caller<Self>, _task: &Task, _group: Pid) -> Result {
        task::set_group(cx)
    }

    fn capable(
        cx: &Caller<Self>,
        credentials: &Credential,
        _namespace: &UserNamespace,
        capability: Capability,
        options: CapableOptions,
    ) -> Result {
        system::capable(cx, credentials, capability, options)
    }

    fn settime(cx: &Caller<Self>) -> Result {
        system::administer(cx, Hook::Settime, Access::SetClock)
    }

    fn syslog(cx: &Caller<Self>, _action: SyslogAction) -> Result {
        system::administer(cx, Hook::Syslog, Access::KernelLog)
    }

    fn quotactl(cx: &Caller<Self>, _command: QuotaCommand, _sb: Option<&Superblock>) -> Result {
        system::administer(cx, Hook::Quotactl, Access::Quota)
    }

    fn sb_mount(cx: &Caller<Self>, _request: &MountRequest<'_>) -> Result {
        system::administer(cx, Hook::SbMount, Access::Mount)
    }

    fn sb_umount(cx: &Caller<Self>, _mount: &Mount) -> Result {
        system::administer(cx, Hook::SbUmount, Access::Mount)
    }

    fn sb_remount(cx: &Caller<Self>, superblock: &Superblock) -> Result {
        code::remount(cx, superblock)
    }

    fn sb_pivotroot(cx: &Caller<Self>, _old: &Path, _new: &Path) -> Result {
        system::administer(cx, Hook::SbPivotroot, Access::Mount)
    }

    fn move_mount(cx: &Caller<Self>, _from: &Path, _to: &Path) -> Result {
        system::administer(cx, Hook::MoveMount, Access::Mount)
    }

    fn userns_create(cx: &Caller<Self>, _credentials: &Credential) -> Result {
        system::administer(cx, Hook::UsernsCreate, Access::Namespace)
    }

    #[cfg(CONFIG_BPF_SYSCALL)]
    fn bpf(cx: &Caller<Self>, _command: lsm::BpfCommand) -> Result {
        system::administer(cx, Hook::Bpf, Access::Bpf)
    }

    #[cfg(CONFIG_PERF_EVENTS)]
    fn perf_event_open(cx: &Caller<Self>) -> Result {
        system::administer(cx, Hook::PerfEventOpen, Access::Perf)
    }

    #[cfg(CONFIG_KEYS)]
    fn key_alloc(cx: &Caller<Self>, _credentials: &Credential) -> Result {
        system::administer(cx, Hook::KeyAlloc, Access::Key)
    }

    #[cfg(CONFIG_KEYS)]
    fn key_permission(
        cx: &Caller<Self>,
        _credentials: &Credential,
        _need: lsm::KeyPermission,
    ) -> Result {
        system::administer(cx, Hook::KeyPermission, Access::Key)
    }

    #[cfg(CONFIG_SECURITY_PATH)]
    fn path_mknod(cx: &Caller<Self>, _folder: &Path, _name: &Dentry, mode: FileMode) -> Result {
        file::set_mode(cx, Hook::PathMknod, mode)
    }

    #[cfg(CONFIG_SECURITY_PATH)]
    fn path_mkdir(cx: &Caller<Self>, _folder: &Path, _name: &Dentry, mode: FileMode) -> Result {
        file::set_mode(cx, Hook::PathMkdir, mode)
    }

    #[cfg(CONFIG_SECURITY_PATH)]
    fn path_chmod(cx: &Caller<Self>, _path: &Path, mode: FileMode) -> Result {
        file::set_mode(cx, Hook::PathChmod, mode)
    }

    fn file_ioctl(cx: &Caller<Self>, file: &LocalFile, _command: u32) -> Result {
        file::control(cx, file)
    }

    fn file_send_sigiotask(
        cx: &Caller<Self>,
        target: &Task,
        file: &LocalFile,
        _signal: Signal,
    ) -> Result {
        task::notify(cx, target, file)
    }

    fn file_receive(cx: &Caller<Self>, file: &LocalFile) -> Result {
        file::receive(cx, file)
    }

    fn socket_create(cx: &Caller<Self>, socket: SocketKind, kernel: bool) -> Result {
        network::create(cx, socket, kernel)
    }

    fn socket_post_create(
        cx: &Caller<Self>,
        socket: &mut NewSock,
        _kind: SocketKind,
        kernel: bool,
    ) -> Result {
        network::created(cx, socket, kernel);
        Ok(())
    }

    fn socket_bind(cx: &Caller<Self>, socket: &Sock, address: &SocketAddress<'_>) -> Result {
        network::bind(cx, socket, address)
    }

    fn socket_connect(cx: &Caller<Self>, socket: &Sock, address: &SocketAddress<'_>) -> Result {
        network::connect(cx, socket, address)
    }

    fn socket_listen(cx: &Caller<Self>, socket: &Sock) -> Result {
        network::listen(cx, socket)
    }

    fn socket_setsockopt(cx: &Caller<Self>, socket: &Sock, option: SocketOption) -> Result {
        network::set_option(cx, socket, option)
    }

    fn socket_sendmsg(cx: &Caller<Self>, socket: &Sock, message: &Message<'_>) -> Result {
        network::send(cx, socket, message)
    }

    fn unix_stream_connect(
        cx: &Caller<Self>,
        _client: &Sock,
        server: &Sock,
        accepted: &mut NewSock,
    ) -> Result {
        network::connect_unix(cx, server, accepted)
    }

    fn unix_may_send(cx: &Caller<Self>, _sender: &Sock, receiver: &Sock) -> Result {
        network::send_unix(cx, receiver)
    }

    fn getselfattr(
        cx: &Caller<Self>,
        attribute: Attribute,
        value: &mut AttributeWriter<'_>,
    ) -> Result {
        identity::get(cx, attribute, value)
    }

    fn setselfattr(cx: &mut Caller<Self>, attribute: Attribute, value: &[u8]) -> Result {
        identity::set(cx, attribute, value)
    }

    fn getprocattr(cx: &Caller<Self>, task: &Task, name: &CStr) -> Result<KVec<u8>> {
        identity::show(cx, task, name)
    }
}

kernel::define_lsm!(Nacre, nacre);
