// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What an app tries in vain. The attacks of the published matrix have a suite of their own; these are the
//! refusals that the steps and filters of this crate promise.

use std::ffi::CStr;
use std::fs::{self, File};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::personality::{self, Persona};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::{
    Gid, Pid, Uid, chroot, execveat, pivot_root, setgroups, sethostname, setpgid, setresgid,
    setresuid, setsid,
};
use sys::lsm::{self, Attribute};
use sys::process::{Clone, SingleThreaded, clone3};

use crate::app::{check, number};

/// Tries everything.
pub fn run() {
    mounts();
    identity();
    processes();
    memory();
    files();
    sockets();
}

fn mounts() {
    let refused = Err(Errno::EPERM);
    let none = None::<&str>;
    check(
        "mount",
        mount(Some("tmpfs"), "/dev", Some("tmpfs"), MsFlags::empty(), none),
        refused,
    );
    check("unmount", umount2("/dev", MntFlags::MNT_DETACH), refused);
    check("pivot_root", pivot_root(".", "."), refused);
    check("chroot", chroot("."), refused);
    let attributes = sys::mount::Attributes::READ_ONLY;
    check(
        "mount_setattr",
        sys::mount::restrict("/dev", attributes),
        refused,
    );
    check("unshare", unshare(CloneFlags::CLONE_NEWNS), refused);
    check("unshare user", unshare(CloneFlags::CLONE_NEWUSER), refused);
    let own = File::open("/proc/self/ns/net");
    check(
        "own namespace",
        own.as_ref().map_err(std::io::Error::kind).is_ok(),
        true,
    );
    check("setns", setns(own.unwrap(), CloneFlags::empty()), refused);
}

fn identity() {
    let refused = Err(Errno::EPERM);
    let (user, group) = (Uid::from_raw(0), Gid::from_raw(0));
    check("setresuid", setresuid(user, user, user), refused);
    check("setresgid", setresgid(group, group, group), refused);
    check("setgroups", setgroups(&[group]), refused);
    check("dumpable", nix::sys::prctl::set_dumpable(true), refused);
    let allow = sys::seccomp::Instruction {
        code: 0x06,
        jt: 0,
        jf: 0,
        k: libc::SECCOMP_RET_ALLOW,
    };
    check("another filter", sys::seccomp::install(&[allow]), refused);
    for attribute in [Attribute::Current, Attribute::Exec] {
        let label = lsm::set_self_attribute(lsm::NACRE, attribute, b"x");
        check("another identity", label, refused);
    }
    check("host name", sethostname("x"), refused);
}

fn processes() {
    let refused = Err(Errno::EPERM);
    let single = SingleThreaded::confirm().unwrap();
    let how = Clone {
        flags: CloneFlags::empty(),
        cgroup: None,
    };
    check("clone3", clone3(&single, how).map(drop), Err(Errno::ENOSYS));
    check("trace", nix::sys::ptrace::traceme(), refused);
    check(
        "process handle",
        sys::process::handle(Pid::this()).map(drop),
        refused,
    );
    check(
        "first process",
        kill(Pid::from_raw(1), Signal::SIGTERM),
        refused,
    );
    check(
        "everyone",
        kill(Pid::from_raw(-1), Signal::SIGTERM),
        refused,
    );
    check("own process", kill(Pid::this(), None), Ok(()));
    check("session", setsid().map(drop), refused);
    check(
        "group",
        setpgid(Pid::from_raw(0), Pid::from_raw(0)),
        refused,
    );
    check("limit", setrlimit(Resource::RLIMIT_NOFILE, 65, 65), refused);
    check(
        "lower limit",
        setrlimit(Resource::RLIMIT_NOFILE, 63, 64),
        Ok(()),
    );
    let queried = personality::get().map(|persona| persona.contains(Persona::READ_IMPLIES_EXEC));
    check("personality", queried, Ok(false));
    check(
        "other personality",
        personality::set(Persona::READ_IMPLIES_EXEC).map(drop),
        refused,
    );
}

fn memory() {
    check("execute gain", sys::memory::can_gain_execute(), Ok(false));
    check(
        "forced write",
        sys::memory::can_force_writes(),
        Err(Errno::EROFS),
    );
    check(
        "memory file",
        memfd_create("x", MFdFlags::empty()).map(drop),
        Err(Errno::EPERM),
    );
    let directory = File::open(".").unwrap();
    let none: &[&CStr] = &[];
    let flags = nix::fcntl::AtFlags::empty();
    let executed = execveat(&directory, c"bin/app", &[c"app"], none, flags).map(drop);
    check("execute by descriptor", executed, Err(Errno::EPERM));
}

fn files() {
    check(
        "write package",
        number(File::create("bin/app")),
        Some(libc::EROFS),
    );
    check(
        "make in root",
        number(File::create("/file")),
        Some(libc::EROFS),
    );
    check("list root", number(fs::read_dir("/")), Some(libc::EACCES));
    check(
        "link",
        number(symlink("/etc", "/dev/link")),
        Some(libc::EROFS),
    );
    check(
        "hard link",
        number(fs::hard_link("bin/text", "bin/other")),
        Some(libc::EPERM),
    );
    let mode = fs::Permissions::from_mode(0o4755);
    check(
        "set id",
        number(fs::set_permissions("bin/app", mode)),
        Some(libc::EPERM),
    );
    check(
        "node",
        mknod("/dev/mem", SFlag::S_IFCHR, Mode::empty(), 0x101),
        Err(Errno::EPERM),
    );
    check(
        "setting",
        number(fs::write("/proc/sys/kernel/hostname", "x")),
        Some(libc::EROFS),
    );
    check(
        "kernel log",
        number(File::open("/dev/kmsg")),
        Some(libc::ENOENT),
    );
    for path in ["/run", "/data", "/etc", "/sbin", "/package"] {
        check(path, Path::new(path).exists(), false);
    }
}

fn sockets() {
    check(
        "listen",
        number(TcpListener::bind("0.0.0.0:80")),
        Some(libc::EPERM),
    );
    check(
        "datagrams",
        number(UdpSocket::bind("0.0.0.0:53")),
        Some(libc::EPERM),
    );
    for family in [
        AddressFamily::Netlink,
        AddressFamily::Packet,
        AddressFamily::Vsock,
    ] {
        let made = socket(family, SockType::Raw, SockFlag::empty(), None);
        check("family", made.map(drop), Err(Errno::EPERM));
    }
}
