// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The machine under test: what is mounted, which apps there are, and how a process becomes one.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use crate::case::{Case, Role};
use crate::net;
use crate::sys::{self, Arg, Attempt, call, number, text};
use crate::wire::{self, Address, Component, Identity, JOB_CONTROL, LSM_ID, Rules, capability};

/// This program, in the verified root.
pub const PROGRAM: &str = "/bin/lsm-tests";
/// The same program with the set-user-id bit, owned by root.
pub const SET_ID: &str = "/bin/set-id";
/// Where the file system of [`PLAIN`] is mounted.
pub const OWN: &str = "/mnt/own";
/// Where the file system of another component is mounted.
pub const OTHER: &str = "/mnt/other";
/// A program on both: the smallest there is, it exits with [`crate::cases::code::RAN`].
pub const PAYLOAD: &str = "bin/payload";
/// The image that is mounted at [`OTHER`].
pub const OTHER_IMAGE: &str = "/images/other.squashfs";
/// Where securityfs is.
pub const SECURITY: &str = "/sys/kernel/security/nacre";
/// A writable file system without any protection by mount flags.
pub const SCRATCH: &str = "/tmp";

/// The descriptor on which a helper says that it is ready.
const READY: RawFd = 102;
/// A descriptor that an app is started with on purpose; far from those that come by themselves.
pub const GIFT: RawFd = 100;
/// A second one.
pub const SECOND_GIFT: RawFd = 101;

/// What a test does.
pub type Act = fn(&Stage) -> Attempt;

/// An app that the tests become.
pub struct App {
    /// Its identity.
    pub identity: Identity,
    /// What it may.
    pub rules: Rules,
    /// Its user id; most are root, so that only the module can refuse them anything.
    pub user: u32,
}

/// A component id that is easy to tell from others in a log.
const fn id(byte: u8) -> Component {
    [byte; 16]
}

const fn app(byte: u8, rules: Rules) -> App {
    App {
        identity: Identity {
            component: id(byte),
            flags: 0,
            tenant: "",
            rights: 0,
        },
        rules,
        user: 0,
    }
}

/// An app that asks for nothing.
pub static PLAIN: App = app(0xa1, Rules::NONE);
/// Another app that asks for nothing.
pub static STRANGER: App = app(0xa2, Rules::NONE);
/// An app with everything in its identity that an identity can have.
pub static RICH: App = App {
    identity: Identity {
        // A different byte at each place, so that a wrong order shows.
        component: [
            0x25, 0x02, 0x5d, 0x2c, 0x66, 0xda, 0x44, 0x48, 0xba, 0xe1, 0xac, 0x26, 0xfc, 0xdd,
            0x36, 0x27,
        ],
        flags: JOB_CONTROL,
        tenant: "4f0b9f2e-tenant",
        rights: 0x0000_07f7,
    },
    rules: Rules::NONE,
    user: 0,
};
/// An app with the user id of another.
pub static USER: App = App {
    user: 1000,
    ..app(0xa4, Rules::NONE)
};
/// An app that may set the clock.
pub static CLOCK: App = app(
    0xa5,
    Rules {
        capabilities: capability::TIME,
        ..Rules::NONE
    },
);
/// An app that may restart the device.
pub static POWER: App = app(
    0xa6,
    Rules {
        capabilities: capability::POWER,
        power: 1,
        ..Rules::NONE
    },
);
/// An app that may configure the network.
pub static NETWORK: App = app(
    0xa7,
    Rules {
        capabilities: capability::NETWORK | capability::CONNECTIONS,
        addresses: HOSTS,
        ..Rules::NONE
    },
);
/// An app that speaks to hosts and offers services.
pub static ONLINE: App = app(
    0xa8,
    Rules {
        capabilities: capability::CONNECTIONS | capability::TCP | capability::UDP,
        tcp: &[net::TCP_DECLARED],
        udp: &[net::UDP_DECLARED],
        addresses: HOSTS,
        ..Rules::NONE
    },
);
/// An app with the user id of [`ONLINE`] and other hosts.
pub static OTHER_ONLINE: App = app(
    0xa9,
    Rules {
        capabilities: capability::CONNECTIONS,
        addresses: &[Address::v4([127, 0, 0, 1], 32, 3, net::OTHER)],
        ..Rules::NONE
    },
);
/// An app that offers a service and speaks to nobody by itself.
pub static SERVER: App = app(
    0xaa,
    Rules {
        capabilities: capability::TCP,
        tcp: &[net::TCP_DECLARED],
        ..Rules::NONE
    },
);
/// An app that lists [`PEER_TWO`], which lists it.
pub static PEER_ONE: App = app(
    0xab,
    Rules {
        capabilities: capability::PEERS,
        peers: &[id(0xac)],
        ..Rules::NONE
    },
);
/// An app that lists [`PEER_ONE`], which lists it.
pub static PEER_TWO: App = app(
    0xac,
    Rules {
        capabilities: capability::PEERS,
        peers: &[id(0xab)],
        ..Rules::NONE
    },
);
/// An app that lists [`PEER_ONE`], which does not list it.
pub static ADMIRER: App = app(
    0xad,
    Rules {
        capabilities: capability::PEERS,
        peers: &[id(0xab)],
        ..Rules::NONE
    },
);
/// The app whose file system is mounted at [`OTHER`].
pub static NEIGHBOUR: App = app(0xae, Rules::NONE);
/// A debug server.
pub static DEBUGGER: App = app(
    0xaf,
    Rules {
        kind: 2,
        ..Rules::NONE
    },
);
/// An app whose only work is to be refused things, so that its denials are known.
pub static REFUSED: App = app(0xb0, Rules::NONE);
/// As [`REFUSED`], for what must not mix with it.
pub static REFUSED_OFTEN: App = app(0xb1, Rules::NONE);
/// An app whose rules change while it runs.
pub static CHANGING: App = app(
    0xb2,
    Rules {
        capabilities: capability::CONNECTIONS,
        addresses: HOSTS,
        ..Rules::NONE
    },
);
/// An app with one right of the mask, for tracing.
pub static LESSER: App = App {
    identity: Identity {
        component: id(0xb3),
        flags: 0,
        tenant: "",
        rights: 0x1,
    },
    rules: Rules::NONE,
    user: 0,
};

const HOSTS: &[Address] = &[
    Address::v4([127, 0, 0, 1], 32, 3, net::ALLOWED),
    Address::v4([127, 0, 0, 1], 32, 1, net::ONLY_TCP),
    Address::v4([127, 1, 0, 0], 16, 3, 0),
    Address {
        family: 6,
        prefix: 128,
        protocols: 3,
        port: net::ALLOWED,
        address: wire::LOOPBACK_6,
    },
];

/// All apps whose rules are installed before the first test.
pub static APPS: &[&App] = &[
    &PLAIN,
    &STRANGER,
    &RICH,
    &USER,
    &CLOCK,
    &POWER,
    &NETWORK,
    &ONLINE,
    &OTHER_ONLINE,
    &SERVER,
    &PEER_ONE,
    &PEER_TWO,
    &ADMIRER,
    &NEIGHBOUR,
    &DEBUGGER,
    &REFUSED,
    &REFUSED_OFTEN,
    &CHANGING,
    &LESSER,
];

/// A part that a kernel may be built without.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `bpf`.
    Bpf,
    /// `process_vm_writev`.
    CrossMemory,
    /// Keyrings.
    Keys,
    /// MPTCP.
    Mptcp,
    /// POSIX message queues.
    MessageQueues,
    /// Packet sockets.
    Packet,
    /// Performance counters.
    Perf,
    /// Disk quotas.
    Quota,
    /// Swap.
    Swap,
    /// User namespaces.
    UserNamespaces,
    /// Protection keys for memory.
    Pkeys,
    /// Sockets to a hypervisor.
    Vsock,
    /// Sockets to the kernel's ciphers.
    Crypto,
    /// `kcmp`.
    Checkpoint,
    /// The address sanitizer, which keeps what was freed for a while.
    Sanitizer,
}

impl Feature {
    /// The names by which the command line gives them: those of the kernel's configuration.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("BPF_SYSCALL", Self::Bpf),
        ("CROSS_MEMORY_ATTACH", Self::CrossMemory),
        ("KEYS", Self::Keys),
        ("MPTCP", Self::Mptcp),
        ("POSIX_MQUEUE", Self::MessageQueues),
        ("PACKET", Self::Packet),
        ("PERF_EVENTS", Self::Perf),
        ("QUOTACTL", Self::Quota),
        ("SWAP", Self::Swap),
        ("USER_NS", Self::UserNamespaces),
        ("KCMP", Self::Checkpoint),
        ("ARCH_HAS_PKEYS", Self::Pkeys),
        ("VSOCKETS", Self::Vsock),
        ("CRYPTO_USER_API", Self::Crypto),
        ("KASAN", Self::Sanitizer),
    ];
}

/// The machine as a test sees it.
#[derive(Clone)]
pub struct Stage {
    /// Whether the module is there.
    pub on: bool,
    /// The helper of the case, if it has one.
    pub peer: libc::pid_t,
    /// What the kernel was built with.
    pub features: Vec<Feature>,
    /// The names of these, as they were given.
    pub given: String,
}

impl Stage {
    /// A machine with or without the module, whose kernel was built with `given`, names with commas between them.
    pub fn new(on: bool, given: &str) -> Self {
        let features = Feature::ALL
            .iter()
            .filter(|(name, _)| given.split(',').any(|word| word == *name))
            .map(|&(_, feature)| feature)
            .collect();
        Self {
            on,
            peer: 0,
            features,
            given: given.to_owned(),
        }
    }

    /// Whether the kernel was built with it.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// The words that make this program, executed, see the same machine.
    fn words(&self) -> [String; 3] {
        [
            if self.on { "on" } else { "off" }.to_owned(),
            format!("with={}", self.given),
            self.peer.to_string(),
        ]
    }

    /// The machine that such words describe.
    pub fn from_words(words: &[String]) -> Option<Self> {
        let [mode, given, peer] = words else {
            return None;
        };
        let stage = Self::new(mode == "on", given.strip_prefix("with=")?);
        Some(Self {
            peer: peer.parse().ok()?,
            ..stage
        })
    }

    /// Gives this process, a child of the manager, the identity of an app from its next exec on.
    pub fn take_identity(&self, app: &App) -> Attempt {
        if self.on {
            wire::set_next(&app.identity.encode())
        } else {
            Ok(())
        }
    }

    /// Becomes `app` and does what `verb` and `name` say.
    fn become_app(&self, app: &App, verb: &str, name: &str) -> i32 {
        let became = self.take_identity(app).and_then(|()| {
            if app.user == 0 {
                Ok(())
            } else {
                net::set_user(app.user)
            }
        });
        if let Err(number) = became {
            println!(
                "# a child cannot become {}: error {number}",
                wire::guid(&app.identity.component)
            );
            return NOT_STARTED;
        }
        let program = if verb == "set-id" { SET_ID } else { PROGRAM };
        let [mode, given, peer] = self.words();
        let failed = sys::execute(program, &["lsm-tests", verb, name, &mode, &given, &peer]);
        println!("# {} cannot be executed: error {failed}", PROGRAM);
        NOT_STARTED
    }

    /// Starts `app` with an act of [`crate::cases::ACTS`].
    pub fn start(&self, app: &App, act: &str) -> Attempt<libc::pid_t> {
        sys::spawn(|| self.become_app(app, "act", act))
    }

    /// Has `app` do an act of [`crate::cases::ACTS`]; what became of it.
    pub fn have(&self, app: &App, act: &str) -> Attempt {
        started(sys::wait(self.start(app, act)?)?)
    }

    /// As [`Stage::have`], by way of the set-user-id program.
    pub fn have_set_id(&self, app: &App, act: &str) -> Attempt {
        started(sys::wait(sys::spawn(|| {
            self.become_app(app, "set-id", act)
        })?)?)
    }

    /// Starts somebody in a role.
    fn spawn(&self, role: Role, act: Act, verb: &str, name: &str) -> Attempt<libc::pid_t> {
        let run = || {
            sys::limit_time(LIMIT);
            sys::code(act(self))
        };
        match role {
            Role::Manager => sys::spawn(run),
            Role::Pending(app) => sys::spawn(|| match self.take_identity(app) {
                Ok(()) => run(),
                Err(_) => NOT_STARTED,
            }),
            Role::App(app) => sys::spawn(|| self.become_app(app, verb, name)),
        }
    }

    /// Tries a case: starts the helper, waits until it is ready, makes the attempt, ends the helper.
    pub fn attempt(&self, case: &Case, name: &str) -> Attempt {
        let Some(helper) = case.helper else {
            return started(sys::wait(self.spawn(case.role, case.act, "case", name)?)?);
        };
        let (reader, writer) = sys::pipe()?;
        let child = sys::spawn(|| {
            // Its own group, so that its children end with it.
            let started = call(libc::SYS_setpgid, [Arg::Int(0), Arg::Int(0)])
                .and_then(|_| sys::place(&writer, READY))
                .and_then(|()| self.spawn_here(helper.role, helper.act, name));
            started.unwrap_or(NOT_STARTED)
        })?;
        drop(writer);
        let mut byte = [0];
        let ready = File::from(reader)
            .read_exact(&mut byte)
            .map_err(|error| number(&error));
        let result = match ready {
            Ok(()) => {
                let stage = Self {
                    peer: child,
                    ..self.clone()
                };
                stage
                    .spawn(case.role, case.act, "case", name)
                    .and_then(sys::wait)
                    .and_then(started)
            }
            Err(_) => Err(NOT_STARTED),
        };
        // The group ends, and with it what the helper started.
        let _gone = sys::kill(-child, libc::SIGKILL);
        sys::wait(child)?;
        result
    }

    /// Becomes a helper in this process.
    fn spawn_here(&self, role: Role, act: Act, name: &str) -> Attempt<i32> {
        Ok(match role {
            Role::Manager => sys::code(act(self)),
            Role::Pending(app) => {
                self.take_identity(app)?;
                sys::code(act(self))
            }
            Role::App(app) => self.become_app(app, "help", name),
        })
    }

    /// Says that the helper is ready, and waits until it is ended.
    pub fn ready(&self) -> Attempt {
        self.say_ready()?;
        loop {
            std::thread::sleep(Duration::from_secs(60));
        }
    }

    /// Says that the helper is ready.
    pub fn say_ready(&self) -> Attempt {
        let ready = sys::inherited(READY)?;
        File::from(ready)
            .write_all(b"x")
            .map_err(|error| number(&error))
    }
}

/// The exit code of a child that did not get as far as its attempt.
const NOT_STARTED: i32 = 253;

/// The longest that an attempt may take, in seconds, before it is ended.
pub const LIMIT: u32 = 30;

/// What became of a child that was to make an attempt.
fn started(ended: sys::Ended) -> Attempt {
    sys::outcome(ended)
}

/// `mount`.
pub fn mount(source: &str, target: &str, kind: &str, flags: libc::c_ulong) -> Attempt {
    let [source, target, kind] = [source, target, kind].map(text);
    call(
        libc::SYS_mount,
        [
            Arg::Text(&source),
            Arg::Text(&target),
            Arg::Text(&kind),
            Arg::Int(flags as i64),
            Arg::Null,
        ],
    )
    .map(drop)
}

/// Opens a file with flags.
pub fn open(path: &str, flags: i32) -> Attempt<OwnedFd> {
    let path = text(path);
    sys::call_for_descriptor(
        libc::SYS_openat,
        [
            Arg::Int(libc::AT_FDCWD.into()),
            Arg::Text(&path),
            Arg::Int((flags | libc::O_CLOEXEC).into()),
            Arg::Int(0o600),
        ],
    )
}

/// Reads a small file.
pub fn read(path: &str) -> Attempt<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(|error| number(&error))?;
    Ok(bytes)
}

/// Writes to a file that exists, in one write; all of it must be taken.
pub fn write(path: &str, bytes: &[u8]) -> Attempt {
    let mut file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(|error| number(&error))?;
    write_once(&mut file, bytes)
}

/// Writes once; all of it must be taken.
pub fn write_once(file: &mut File, bytes: &[u8]) -> Attempt {
    match file.write(bytes) {
        Ok(written) if written == bytes.len() => Ok(()),
        Ok(_) => Err(libc::EMSGSIZE),
        Err(error) => Err(number(&error)),
    }
}

/// Writes to one of the manager's files.
pub fn tell(file: &str, bytes: &[u8]) -> Attempt {
    write(&format!("{SECURITY}/{file}"), bytes)
}

/// Installs the rules of an app.
pub fn install(app: &App) -> Attempt {
    tell("rules", &app.rules.encode(&app.identity.component))
}

/// Attaches an image to a loop device and mounts it.
fn mount_image(image: &str, target: &str) -> Attempt<String> {
    const LOOP_CTL_GET_FREE: i64 = 0x4c82;
    const LOOP_SET_FD: i64 = 0x4c00;
    let control = open("/dev/loop-control", libc::O_RDWR)?;
    let index = call(
        libc::SYS_ioctl,
        [
            Arg::Int(control.as_raw_fd().into()),
            Arg::Int(LOOP_CTL_GET_FREE),
        ],
    )?;
    let device = format!("/dev/loop{index}");
    let deadline = Instant::now() + Duration::from_secs(5);
    let opened = loop {
        match open(&device, libc::O_RDONLY) {
            Err(libc::ENOENT) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5))
            }
            opened => break opened?,
        }
    };
    let image = open(image, libc::O_RDONLY)?;
    call(
        libc::SYS_ioctl,
        [
            Arg::Int(opened.as_raw_fd().into()),
            Arg::Int(LOOP_SET_FD),
            Arg::Int(image.as_raw_fd().into()),
        ],
    )?;
    mount(&device, target, "squashfs", libc::MS_RDONLY)?;
    Ok(device)
}

/// Mounts what the list of security modules needs.
pub fn prepare_list() -> Attempt {
    mount("sysfs", "/sys", "sysfs", 0)?;
    mount("securityfs", "/sys/kernel/security", "securityfs", 0)
}

/// Makes the machine: mounts, files, interface, servers, rules. What is returned must stay alive.
pub fn prepare(stage: &Stage, development: bool) -> Attempt<Vec<OwnedFd>> {
    for (kind, target) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("tmpfs", SCRATCH),
        ("tmpfs", "/mnt"),
    ] {
        mount(kind, target, kind, 0)?;
    }
    match mount("devtmpfs", "/dev", "devtmpfs", 0) {
        // The kernel may have mounted it already.
        Ok(()) | Err(libc::EBUSY) => {}
        Err(error) => return Err(error),
    }
    mount("securityfs", "/sys/kernel/security", "securityfs", 0)?;
    for directory in [OWN, OTHER, "/mnt/ro", "/mnt/remount", "/tmp/proc"] {
        fs::create_dir_all(directory).map_err(|error| number(&error))?;
    }
    mount_image("/images/own.squashfs", OWN)?;
    let device = mount_image(OTHER_IMAGE, OTHER)?;
    fs::write("/tmp/other-device", device).map_err(|error| number(&error))?;
    crate::cases::code::prepare()?;
    crate::cases::file::prepare()?;
    crate::cases::system::prepare()?;
    net::loopback_up()?;
    let servers = net::servers()?;
    if stage.on {
        for app in APPS {
            install(app)?;
        }
        let system = [0; 16];
        for (mount, owner) in [
            (OWN, &PLAIN.identity.component),
            (OTHER, &NEIGHBOUR.identity.component),
            (crate::cases::code::REMOUNTABLE, &system),
        ] {
            let root = open(mount, libc::O_RDONLY | libc::O_DIRECTORY)?;
            tell("verified", &wire::verified(&root, owner))?;
        }
        if development {
            tell("development", b"1")?;
        }
    }
    Ok(servers)
}

/// Whether the kernel has our module.
pub fn module_is_there() -> bool {
    read("/sys/kernel/security/lsm").is_ok_and(|list| {
        list.split(|&byte| byte == b',' || byte == b'\n')
            .any(|name| name == b"nacre")
    }) && wire::get_attribute(wire::ATTR_CURRENT).is_ok()
        && LSM_ID == 114
}
