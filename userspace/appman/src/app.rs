// SPDX-License-Identifier: Apache-2.0 OR MIT

//! One installed app: what is known of its package, its process and what it printed.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use control::{AppState, ExitReason};
use policy::{AppKind, Capability, ComponentId, Denial, Grant, Hook, ObjectClass};

use crate::broker::Broker;
use crate::lifecycle::Lifecycle;
use crate::ring::Ring;
use crate::store::{Content, Facts, Package, StoreError};

/// Bytes of an app's output that are kept; the oldest go first.
pub const APP_LOG_SIZE: usize = 8 * 1024;

/// Bytes that are read from an app at a time, so that one that prints without end does not hold up the
/// others.
const READ_SIZE: usize = 4096;

/// One installed app.
#[derive(Debug)]
pub struct App {
    /// Component id.
    pub component: ComponentId,
    /// Size of the package in bytes.
    pub length: u64,
    /// What is known of its package; `None` when that could not be verified.
    pub facts: Option<Facts>,
    /// Its package while it is verified and not yet mounted; of an app for a real-time core, also afterwards.
    pub content: Option<Content>,
    /// Whether its package is mounted.
    pub mounted: bool,
    /// The states of its process.
    pub life: Lifecycle,
    /// Its process, when it has one.
    pub process: Option<i32>,
    /// Its real-time core, when it has one.
    pub core: Option<u8>,
    /// Where it asks for pins, until it is done with that.
    pub broker: Option<Broker>,
    /// What was refused it there.
    pub denials: Denied,
    /// The reading end of its output, until it ends.
    pub output: Option<File>,
    /// What it printed.
    pub log: Ring,
    /// When it first printed something.
    pub first_output: Option<Duration>,
}

impl App {
    /// An app that was never started.
    fn new(component: ComponentId, length: u64) -> Self {
        Self {
            component,
            length,
            facts: None,
            content: None,
            mounted: false,
            life: Lifecycle::new(),
            process: None,
            core: None,
            broker: None,
            denials: Denied::default(),
            output: None,
            log: Ring::new(APP_LOG_SIZE),
            first_output: None,
        }
    }

    /// An app with a verified package.
    pub fn with_package(package: Package) -> Self {
        let mut app = Self::new(package.facts.component, package.facts.length);
        app.set_package(package);
        app
    }

    /// An app whose package was refused: it can be replaced and deleted, and tells why it does not run.
    pub fn with_refusal(component: ComponentId, length: u64, refusal: &StoreError) -> Self {
        let mut app = Self::new(component, length);
        app.life.refused(refusal.to_string());
        app
    }

    /// Takes a verified package in the place of the former one, which is not mounted any more.
    pub fn set_package(&mut self, package: Package) {
        self.length = package.facts.length;
        self.facts = Some(package.facts);
        self.content = Some(package.content);
    }

    /// What it may do; `None` when its package could not be verified.
    pub fn grant(&self) -> Option<Grant<'_>> {
        self.facts.as_ref().map(|facts| facts.manifest.grant())
    }

    /// Whether it runs on a real-time core.
    pub fn is_real_time(&self) -> bool {
        self.grant()
            .is_some_and(|grant| grant.kind == AppKind::RealTime)
    }

    /// Whether anything of it runs.
    pub fn is_alive(&self) -> bool {
        self.process.is_some() || self.core.is_some()
    }

    /// Its storage quota in KiB.
    pub fn storage_kb(&self) -> u32 {
        self.grant().map_or(0, |grant| grant.storage_kb)
    }

    /// Name from the manifest; empty when the package could not be verified.
    pub fn name(&self) -> &str {
        self.facts
            .as_ref()
            .map_or("", |facts| facts.manifest.name())
    }

    /// Image id; nil when the package could not be verified.
    pub fn image(&self) -> ComponentId {
        self.facts
            .as_ref()
            .map_or(ComponentId::NIL, |facts| facts.image)
    }

    /// The state that the REST interface names.
    pub fn state(&self) -> AppState {
        if self.life.is_active() {
            AppState::Running
        } else {
            AppState::Stopped
        }
    }

    /// The app in log lines: id and name.
    pub fn label(&self) -> String {
        format!("app {} ({})", self.component, self.name())
    }

    /// Reads a bounded part of what the app printed. Answers whether this was its first output.
    pub fn read_output(&mut self, now: Duration) -> bool {
        let Some(output) = &mut self.output else {
            return false;
        };
        let mut buffer = [0; READ_SIZE];
        let read = match output.read(&mut buffer) {
            Ok(0) => {
                self.output = None;
                return false;
            }
            Ok(length) => buffer.get(..length).unwrap_or_default(),
            Err(error) if is_passing(&error) => return false,
            Err(_) => {
                self.output = None;
                return false;
            }
        };
        self.log.push(read);
        let first = self.first_output.is_none();
        if first {
            self.first_output = Some(now);
        }
        first
    }
}

/// What the manager itself refused an app, counted by kind as the kernel counts.
#[derive(Debug, Default)]
pub struct Denied(Vec<Kind>);

/// Denials of one kind. What is refused has one hook and one object, so there are as many as keys and errors.
#[derive(Debug)]
struct Kind {
    denial: Denial,
    count: u32,
    last: Duration,
}

impl Denied {
    /// Another one.
    pub fn count(&mut self, denial: Denial, now: Duration) {
        let same = |kind: &&mut Kind| kind.denial == denial;
        if let Some(kind) = self.0.iter_mut().find(same) {
            kind.count = kind.count.saturating_add(1);
            kind.last = now;
        } else {
            self.0.push(Kind {
                denial,
                count: 1,
                last: now,
            });
        }
    }

    /// All of them, as the control protocol tells what the kernel refused.
    pub fn told(&self) -> impl Iterator<Item = control::Denial> {
        self.0.iter().map(|kind| control::Denial {
            count: kind.count,
            last_ns: u64::try_from(kind.last.as_nanos()).unwrap_or(u64::MAX),
            hook: Hook::Broker.as_str().to_owned(),
            object: ObjectClass::Gpio.as_str().to_owned(),
            errno: kind.denial.errno.name().to_owned(),
            key: kind.denial.key.map(Capability::key).map(str::to_owned),
        })
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// The end of an app in words, for the log.
pub fn exit_in_words(reason: ExitReason) -> String {
    match reason {
        ExitReason::Exited { code } => format!("exited with code {code}"),
        ExitReason::Signaled { signal } => format!("ended by signal {signal}"),
        ExitReason::OutOfMemory => "out of memory".to_owned(),
        ExitReason::LockedUp => "its real-time core locked up".to_owned(),
        ExitReason::Watchdog => "ended by the watchdog of its real-time core".to_owned(),
        ExitReason::Reset => "its real-time core reset itself".to_owned(),
        ExitReason::Stopped { forced: false } => "stopped".to_owned(),
        ExitReason::Stopped { forced: true } => {
            "stopped by force, it did not end in time".to_owned()
        }
        ExitReason::SetupFailed { errno } => format!(
            "refused: it could not be started: {}",
            nix::errno::Errno::from_raw(errno).desc()
        ),
        _ => "ended".to_owned(),
    }
}
