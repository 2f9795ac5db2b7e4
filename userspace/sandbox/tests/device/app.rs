// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The roles of an app and of a service.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, exit};
use std::sync::mpsc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::EventFd;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::{getgid, getgroups, getpid, getppid, getuid};
use policy::Identity;
use sys::lsm::{self, Attribute};

use crate::attacks;
use crate::machine::{APP, component};

/// Says whether something is as it should be.
pub fn check<T: PartialEq + Debug>(name: &str, found: T, expected: T) {
    if found == expected {
        println!("ok {name}");
    } else {
        println!("not ok {name}: {found:?} instead of {expected:?}");
    }
}

/// The error number of a result.
pub fn number<T>(result: std::io::Result<T>) -> Option<i32> {
    result.err().and_then(|error| error.raw_os_error())
}

/// Plays the role that the arguments name.
pub fn run(role: &[&str]) {
    match role {
        ["inspect", uid, storage] => inspect(uid.parse().unwrap(), storage.parse().unwrap()),
        ["store"] => store(),
        ["attack"] => attacks::run(),
        ["need"] => need(),
        ["network", side] => network(side),
        ["clock"] => clock(),
        ["exit", code] => exit(code.parse().unwrap()),
        ["abort"] => std::process::abort(),
        ["wait"] => wait(),
        ["orphan", what] => orphan(what),
        ["memory"] => memory(),
        ["fork"] => forks(),
        _ => panic!("no role {role:?}"),
    }
}

/// The value of a line of `/proc/self/status`.
fn status(name: &str) -> String {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim_start_matches(':').trim().to_owned()
}

fn inspect(uid: u32, storage: u64) {
    check("user", getuid().as_raw(), uid);
    check("group", getgid().as_raw(), uid);
    check("groups", getgroups().unwrap(), Vec::new());
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        check(set, status(set).as_str(), "0000000000000000");
    }
    check("no new privileges", status("NoNewPrivs").as_str(), "1");
    check("filtered", status("Seccomp").as_str(), "2");
    check("filters", status("Seccomp_filters").as_str(), "2");
    check(
        "no blocked signals",
        status("SigBlk").as_str(),
        "0000000000000000",
    );
    // Rust's own start ignores SIGPIPE.
    check(
        "only SIGXFSZ ignored",
        status("SigIgn").as_str(),
        "0000000001001000",
    );
    check(
        "no execute gain",
        sys::process::execute_gain_refused(),
        Ok(true),
    );
    let identity = lsm::self_attribute(lsm::NACRE, Attribute::Current);
    let identity = identity.map(|bytes| Identity::parse(&bytes).map(|known| known.component()));
    check("identity", identity, Ok(Ok(component())));
    check("process id", getpid().as_raw(), 2);
    check("parent", getppid().as_raw(), 1);

    let open: BTreeSet<_> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    // The fourth is the directory that is being read.
    check(
        "descriptors",
        open,
        ["0", "1", "2", "3"].map(str::to_owned).into(),
    );
    let package = Path::new("/mnt/apps").join(APP);
    check(
        "working directory",
        std::env::current_dir().unwrap(),
        package.clone(),
    );
    let program = std::env::args_os().next().unwrap();
    check("name", Path::new(&program), &package.join("bin/app"));
    check("environment", std::env::vars_os().count(), 0);

    let limit = |resource| getrlimit(resource).unwrap();
    check("open files", limit(Resource::RLIMIT_NOFILE), (64, 64));
    check(
        "file size",
        limit(Resource::RLIMIT_FSIZE),
        (storage * 1024, storage * 1024),
    );
    check("locked memory", limit(Resource::RLIMIT_MEMLOCK), (0, 0));
    check("core", limit(Resource::RLIMIT_CORE), (0, 0));
    mounts(storage > 0);

    check("no sysfs", Path::new("/sys").exists(), false);
    check(
        "no init",
        number(fs::read_dir("/proc/1")),
        Some(libc::ENOENT),
    );
    let devices: BTreeSet<_> = fs::read_dir("/dev")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = ["full", "null", "random", "urandom", "zero"];
    check("devices", devices, expected.map(str::to_owned).into());
    let interfaces = fs::read_to_string("/proc/net/dev").unwrap();
    check("interfaces", interfaces.lines().count(), 3);
    check("loopback only", interfaces.contains(" lo:"), true);
}

/// Checks every mount for what it forbids.
fn mounts(storage: bool) {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let found: BTreeSet<_> = text
        .lines()
        .map(|line| {
            let mut fields = line.split(' ').skip(4);
            let (target, options) = (fields.next().unwrap(), fields.next().unwrap());
            let options = options
                .split(',')
                .filter(|option| !option.ends_with("atime"));
            format!("{target} {}", options.collect::<Vec<_>>().join(","))
        })
        .collect();
    let mut expected = BTreeSet::from([
        "/ ro,nosuid,nodev,noexec,nosymfollow".to_owned(),
        "/lib ro,nosuid,nodev".to_owned(),
        "/dev ro,nosuid,noexec,nosymfollow".to_owned(),
        "/proc ro,nosuid,nodev,noexec".to_owned(),
        format!("/mnt/apps/{APP} ro,nosuid,nodev,nosymfollow"),
    ]);
    if storage {
        expected.insert(format!(
            "/mnt/config/{APP}/mutable rw,nosuid,nodev,noexec,nosymfollow"
        ));
    }
    check("mounts", found, expected);
}

fn store() {
    let path = format!("/mnt/config/{APP}/mutable");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    check("read", text.as_str(), "kept");
    file.set_len(0).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&[1; 8192]).unwrap();
    check("full", number(file.write(&[1])), Some(libc::EFBIG));
    check(
        "grown too far",
        number(file.set_len(8193)),
        Some(libc::EFBIG),
    );
    file.set_len(100).unwrap();
    file.sync_all().unwrap();
    check("cut", fs::metadata(&path).unwrap().len(), 100);
    check(
        "execute",
        number(Command::new(&path).spawn()),
        Some(libc::EACCES),
    );
    check("remove", number(fs::remove_file(&path)), Some(libc::EROFS));
    let beside = Path::new(&path).with_file_name("other");
    check(
        "create beside",
        number(File::create(beside)),
        Some(libc::EROFS),
    );
}

fn need() {
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (0..4)
        .map(|index| {
            let sender = sender.clone();
            std::thread::spawn(move || sender.send(index))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    drop(sender);
    check("threads", receiver.iter().sum(), 6);
    check(
        "time-out",
        receiver.recv_timeout(Duration::from_millis(1)).is_err(),
        true,
    );
    std::thread::sleep(Duration::from_millis(1));

    let event = EventFd::new().unwrap();
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    epoll
        .add(&event, EpollEvent::new(EpollFlags::EPOLLIN, 1))
        .unwrap();
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::empty()).unwrap();
    epoll
        .add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, 2))
        .unwrap();
    let mut events = [EpollEvent::empty(); 2];
    let soon = Expiration::OneShot(TimeSpec::milliseconds(1));
    timer.set(soon, TimerSetTimeFlags::empty()).unwrap();
    check("timer", epoll.wait(&mut events, EpollTimeout::NONE), Ok(1));
    check("timer event", events[0].data(), 2);
    timer.wait().unwrap();
    event.write(1).unwrap();
    check("event", epoll.wait(&mut events, EpollTimeout::NONE), Ok(1));

    let mut mask = SigSet::empty();
    mask.add(Signal::SIGUSR1);
    mask.thread_block().unwrap();
    let descriptor = SignalFd::new(&mask).unwrap();
    nix::sys::signal::raise(Signal::SIGUSR1).unwrap();
    let information = descriptor.read_signal().unwrap().unwrap();
    check("signal", information.ssi_signo, 10);

    let own = std::env::current_exe().unwrap();
    let child = Command::new(own)
        .args(["app", "exit", "9"])
        .status()
        .unwrap();
    check("child", child.code(), Some(9));
    let (mut one, mut other) = UnixStream::pair().unwrap();
    one.write_all(b"x").unwrap();
    check("socket pair", other.read(&mut [0; 4]).unwrap(), 1);
    File::create("/dev/null").unwrap().write_all(b"x").unwrap();
    check(
        "full device",
        number(File::create("/dev/full").unwrap().write(b"x")),
        Some(libc::ENOSPC),
    );
    let mut random = [0; 16];
    File::open("/dev/urandom")
        .unwrap()
        .read_exact(&mut random)
        .unwrap();
    check("random", random != [0; 16], true);
    check(
        "own package",
        fs::read("bin/text").unwrap().is_empty(),
        false,
    );
    check(
        "own processor time",
        fs::read_to_string("/proc/self/stat").is_ok(),
        true,
    );
    check(
        "standard input",
        std::io::stdin().read(&mut [0]).unwrap(),
        0,
    );
    nix::sys::prctl::set_name(c"renamed").unwrap();
}

fn network(side: &str) {
    let bind = |port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port));
    let connect = number(TcpStream::connect((Ipv4Addr::new(192, 168, 35, 1), 80)));
    if side == "server" {
        check("granted port", number(bind(4444)), None);
        check("connect", connect, Some(libc::EACCES));
    } else {
        check("port", number(bind(4444)), Some(libc::EACCES));
        check("connect", connect, Some(libc::ENETUNREACH));
    }
    check("other port", number(bind(4445)), Some(libc::EACCES));
    let datagrams = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let sent = datagrams.send_to(b"x", (Ipv4Addr::new(192, 168, 35, 1), 53));
    check("datagram", number(sent), Some(libc::ENETUNREACH));
}

fn clock() {
    let set = nix::time::clock_settime(nix::time::ClockId::CLOCK_REALTIME, TimeSpec::seconds(1));
    check("clock", set, Err(Errno::EPERM));
    println!("ok");
}

fn ready() {
    println!("ready");
    std::io::stdout().flush().unwrap();
}

fn wait() {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGTERM);
    mask.thread_block().unwrap();
    ready();
    mask.wait().unwrap();
    exit(7)
}

fn orphan(what: &str) {
    let own = std::env::current_exe().unwrap();
    let mut child = Command::new(own);
    child
        .args(["app", "wait"])
        .stdout(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    child
        .stdout
        .take()
        .unwrap()
        .read_exact(&mut [0; 6])
        .unwrap();
    ready();
    if what == "leave" {
        exit(3);
    }
    child.wait().unwrap();
}

fn memory() {
    let mut pages: Vec<Vec<u8>> = Vec::new();
    for size in 1.. {
        pages.push(vec![1; 65536]);
        std::hint::black_box(&pages[size - 1]);
    }
}

fn forks() {
    let mut threads = Vec::new();
    let refused = loop {
        let thread = std::thread::Builder::new().stack_size(16384);
        match thread.spawn(|| std::thread::park_timeout(Duration::from_secs(60))) {
            Ok(thread) => threads.push(thread),
            Err(error) => break error,
        }
        assert!(threads.len() < 100);
    };
    check("limit", refused.kind(), ErrorKind::WouldBlock);
    // The first process and this thread count too.
    check("tasks", threads.len(), 30);
    exit(0)
}

/// Is a service: descriptors 3 and 4 are a question and where to answer it.
pub fn serve() {
    let mut question = File::from(sys::descriptor::take_inherited(3).unwrap());
    let mut answer = File::from(sys::descriptor::take_inherited(4).unwrap());
    let mut failed = false;
    let mut check = |name: &str, good: bool| {
        failed |= !good;
        writeln!(answer, "{} {name}", if good { "ok" } else { "not ok" }).unwrap();
    };
    let mut text = String::new();
    question.read_to_string(&mut text).unwrap();
    check("question", text == "question");
    check(
        "nothing else open",
        sys::descriptor::take_inherited(5).is_err(),
    );
    check(
        "user",
        getuid().as_raw() == sandbox::DEVICE_API_UID
            && getgid().as_raw() == sandbox::DEVICE_API_UID,
    );
    check("groups", getgroups().is_ok_and(|groups| groups.is_empty()));
    check("given file", fs::read("/package/bin/text").is_ok());
    check(
        "no other file",
        number(fs::read("/package/bin/tiny")) == Some(libc::ENOENT),
    );
    check("no proc", !Path::new("/proc").exists());
    check("random", File::open("/dev/urandom").is_ok());
    check(
        "null is not written",
        number(File::create("/dev/null")) == Some(libc::EACCES),
    );
    check(
        "read-only",
        number(File::create("/file")) == Some(libc::EROFS),
    );
    check(
        "sockets",
        number(UdpSocket::bind("127.0.0.1:0")) == Some(libc::EPERM),
    );
    check(
        "local sockets",
        number(std::os::unix::net::UnixDatagram::unbound()) == Some(libc::EPERM),
    );
    check(
        "capabilities",
        nix::unistd::setuid(nix::unistd::Uid::from_raw(0)) == Err(Errno::EPERM),
    );
    check("execute gain", sys::memory::can_gain_execute() == Ok(false));
    exit(i32::from(failed));
}
