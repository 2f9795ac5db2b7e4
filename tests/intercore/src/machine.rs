// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The machine: what is mounted, who the apps are, and the devices of the cores.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::socket::{self, POLLERR, POLLPRI};
use crate::sys::{self, Arg, Attempt, call, number, text};
use crate::wire::{self, Component, Identity, Rules, capability};

/// This program, in the verified root.
pub const PROGRAM: &str = "/bin/intercore-tests";

/// The longest that anything may take.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The real-time apps, one for each core.
pub const REAL_TIME: [Component; 2] = [[0x71; 16], [0x72; 16]];

/// An app that lists both real-time apps.
pub const APP: Component = [0x11; 16];
/// Another one.
pub const OTHER: Component = [0x12; 16];
/// An app that lists both, and that neither of them lists.
pub const ADMIRER: Component = [0x13; 16];
/// An app that lists another one than these.
pub const ELSEWHERE: Component = [0x14; 16];
/// An app that lists nobody.
pub const PLAIN: Component = [0x15; 16];

/// What the manifests of the apps list.
const PEERS: [(Component, &[Component]); 5] = [
    (APP, &REAL_TIME),
    (OTHER, &REAL_TIME),
    (ADMIRER, &REAL_TIME),
    (ELSEWHERE, &[[0x7f; 16]]),
    (PLAIN, &[]),
];

/// A component id as the manifest has it, and as an address and a request have it.
pub fn wire_form(component: &Component) -> Component {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *component;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

fn mount(kind: &str, target: &str) -> Attempt {
    let (kind, target) = (text(kind), text(target));
    let mounted = call(
        libc::SYS_mount,
        [
            Arg::Text(&kind),
            Arg::Text(&target),
            Arg::Text(&kind),
            Arg::Int(0),
            Arg::Null,
        ],
    );
    match mounted {
        // The kernel may have mounted it already.
        Ok(_) | Err(libc::EBUSY) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes to a file that exists, in one write.
pub fn write(path: &str, bytes: &[u8]) -> Attempt {
    let file = OpenOptions::new().write(true).open(path);
    let written = file.and_then(|mut file| file.write(bytes));
    match written {
        Ok(length) if length == bytes.len() => Ok(()),
        Ok(_) => Err(libc::EMSGSIZE),
        Err(error) => Err(number(&error)),
    }
}

/// Reads a file.
pub fn read(path: &str) -> Attempt<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(|error| number(&error))?;
    Ok(bytes)
}

/// Mounts what is needed, and installs the rules of the apps where the module is.
pub fn prepare(module: bool) -> Attempt {
    for (kind, target) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("securityfs", "/sys/kernel/security"),
    ] {
        mount(kind, target)?;
    }
    if module {
        for (component, peers) in PEERS {
            let rules = Rules {
                capabilities: if peers.is_empty() {
                    0
                } else {
                    capability::PEERS
                },
                peers,
                ..Rules::NONE
            };
            write(
                "/sys/kernel/security/nacre/rules",
                &rules.encode(&component),
            )?;
        }
    }
    Ok(())
}

/// Starts a process of an app that does an act of this program.
pub fn start(component: Component, act: &str, words: &[String]) -> Attempt<libc::pid_t> {
    sys::spawn(|| {
        let identity = Identity {
            component,
            flags: 0,
            tenant: "",
            rights: 0,
        };
        if let Err(error) = wire::set_next(&identity.encode()) {
            println!("# a child cannot become an app: error {error}");
            return 253;
        }
        let mut arguments = vec!["intercore-tests", "act", act];
        arguments.extend(words.iter().map(String::as_str));
        sys::execute(PROGRAM, &arguments)
    })
}

/// Has an app do an act, and says what became of it.
pub fn have(component: Component, act: &str, words: &[String]) -> Attempt {
    sys::outcome(sys::wait(start(component, act, words)?)?)
}

/// What a core does.
pub mod state {
    /// It was not started, or was stopped.
    pub const STOPPED: u32 = 0;
    /// It runs.
    pub const RUNNING: u32 = 1;
    /// It runs, but broke the protocol.
    pub const HALTED: u32 = 4;
    /// It reset itself, and was stopped.
    pub const RESET: u32 = 5;
}

const START: i64 = 0x4418_4e40;
const STOP: i64 = 0x4e41;
const STATUS: i64 = 0x8004_4e42;

/// A core that is open.
pub struct RtCore(File);

impl RtCore {
    /// Opens the device of a core.
    pub fn open(core: usize) -> Attempt<Self> {
        let path = format!("/dev/rtcore{core}");
        let opened = OpenOptions::new().write(true).open(path);
        opened.map(Self).map_err(|error| number(&error))
    }

    /// Appends to the image.
    pub fn write(&mut self, bytes: &[u8]) -> Attempt {
        for chunk in bytes.chunks(16_384) {
            match self.0.write(chunk) {
                Ok(length) if length == chunk.len() => {}
                Ok(_) => return Err(libc::EMSGSIZE),
                Err(error) => return Err(number(&error)),
            }
        }
        Ok(())
    }

    fn control(&self, command: i64, argument: Arg<'_>) -> Attempt {
        let file = Arg::Int(self.0.as_raw_fd().into());
        call(libc::SYS_ioctl, [file, Arg::Int(command), argument]).map(drop)
    }

    /// Starts what was written with this request.
    pub fn request(&self, request: &[u8; 1048]) -> Attempt {
        self.control(START, Arg::In(request))
    }

    /// Starts what was written, as an app with these partners.
    pub fn start(&self, component: &Component, partners: &[Component]) -> Attempt {
        self.request(&request(component, partners))
    }

    /// Stops the core.
    pub fn stop(&self) -> Attempt {
        self.control(STOP, Arg::Null)
    }

    /// What it does.
    pub fn status(&self) -> Attempt<u32> {
        let mut status = [0; 4];
        self.control(STATUS, Arg::Out(&mut status))?;
        Ok(u32::from_ne_bytes(status))
    }

    /// Starts the app from its file on a core that is stopped.
    pub fn run(&mut self, core: usize, app: &str) -> Attempt {
        self.stop()?;
        self.write(&firmware(app)?)?;
        self.start(&REAL_TIME[core], &[APP, OTHER])
    }

    /// What `poll` says of it.
    pub fn polled(&self, wait: Duration) -> Attempt<i16> {
        socket::poll(&self.0, POLLPRI, wait)
    }

    /// Whether it has come to a state that nobody has asked for since.
    pub fn has_news(&self, wait: Duration) -> Attempt<bool> {
        Ok(self.polled(wait)? & (POLLPRI | POLLERR) == POLLPRI | POLLERR)
    }

    /// Waits until it has.
    pub fn becomes(&self, wanted: u32) -> Attempt {
        if !self.has_news(LIMIT)? {
            return Err(libc::ETIMEDOUT);
        }
        match self.status()? {
            status if status == wanted && !self.has_news(Duration::ZERO)? => Ok(()),
            status => {
                println!("# state {status} instead of {wanted}, or news that stay");
                Err(libc::EPROTO)
            }
        }
    }
}

/// The argument of a start.
pub fn request(component: &Component, partners: &[Component]) -> [u8; 1048] {
    let mut bytes = [0; 1048];
    wire::put(&mut bytes, 0, &wire_form(component));
    wire::put(&mut bytes, 16, &(partners.len() as u32).to_ne_bytes());
    for (index, partner) in partners.iter().enumerate() {
        wire::put(&mut bytes, 24 + 16 * index, partner);
    }
    bytes
}

/// The ELF of a real-time app.
pub fn firmware(app: &str) -> Attempt<Vec<u8>> {
    read(&format!("/firmware/{app}"))
}

/// Both cores with an app on each.
pub fn both(one: &str, other: &str) -> Attempt<[RtCore; 2]> {
    let mut cores = [RtCore::open(0)?, RtCore::open(1)?];
    for (index, app) in [one, other].into_iter().enumerate() {
        cores[index].run(index, app)?;
    }
    Ok(cores)
}

/// Waits until something is so.
pub fn until(what: impl Fn() -> bool) -> Attempt {
    let deadline = Instant::now() + LIMIT;
    while !what() {
        if Instant::now() > deadline {
            return Err(libc::ETIMEDOUT);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
