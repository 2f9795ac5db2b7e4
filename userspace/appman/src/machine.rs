// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the manager needs of the machine below it.
//!
//! The manager decides, the machine does; tests put a made-up machine in its place.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use broker::Request;
use control::{Denial, ExitReason};
use manifest::Manifest;
use nix::errno::Errno;
use policy::{ComponentId, Grant};
use sys::real_time::State;

use crate::broker::Broker;
use crate::store::Content;

/// Everything that a process of an app is made from.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// What the app may do, and what to execute.
    pub manifest: &'a Manifest,
    /// The app's mutable file, with the capability `MutableStorage`.
    pub mutable_file: Option<&'a Path>,
}

/// A process of an app that was started.
#[derive(Debug)]
pub struct Started {
    /// The process that the manager waits for.
    pub process: i32,
    /// The reading end of the app's standard output and error; reading does not wait.
    pub output: File,
    /// Where it asks for pins, if its manifest grants any.
    pub broker: Option<Broker>,
}

/// Everything that an app on a real-time core is made from.
#[derive(Debug, Clone, Copy)]
pub struct Firmware<'a> {
    /// The app.
    pub component: ComponentId,
    /// Its verified package.
    pub content: &'a Content,
    /// The apps that it exchanges messages with.
    pub partners: &'a [ComponentId],
}

/// Why the machine could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MachineError {
    /// One line: what failed, and why.
    pub message: String,
    /// The error number; 0 when there is none.
    pub errno: i32,
    /// Whether a later try would fail in the same way.
    pub lasting: bool,
}

/// Memory of one app in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppMemory {
    /// What is charged to it now.
    pub current: u64,
    /// The most that was charged to it.
    pub peak: u64,
}

/// Memory of all apps in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupMemory {
    /// What is charged to apps, kernel buffers included.
    pub current: u64,
    /// User pages of it.
    pub user: u64,
    /// The most that was charged since boot.
    pub peak: u64,
}

/// Memory of the device in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceMemory {
    /// `MemTotal`.
    pub total_kib: u64,
    /// `MemAvailable`.
    pub available_kib: u64,
}

/// The machine.
pub trait Machine {
    /// Time since boot.
    fn now(&self) -> Duration;

    /// Mounts a verified package, from the descriptor that it was verified through, for its
    /// component.
    ///
    /// # Errors
    /// When a step fails; nothing stays mounted then.
    fn attach(&mut self, component: ComponentId, content: &Content) -> Result<(), MachineError>;

    /// Undoes [`Machine::attach`]; no process of the app is left.
    ///
    /// # Errors
    /// When the package cannot be unmounted.
    fn detach(&mut self, component: ComponentId) -> Result<(), MachineError>;

    /// Tells the kernel that an attached package was verified: its component may execute what is in it, and
    /// nobody else.
    ///
    /// # Errors
    /// When the kernel refuses; the app must not be launched then.
    fn vouch(&mut self, component: ComponentId) -> Result<(), MachineError>;

    /// Tells the kernel what a component may do, in the place of what it knew before.
    ///
    /// # Errors
    /// When the kernel refuses; what it knew before still holds, and the component must not be launched.
    fn set_rules(&mut self, grant: &Grant<'_>) -> Result<(), MachineError>;

    /// Has the kernel forget what a component may do; no process of it is left. A component that the kernel
    /// does not know is no error.
    ///
    /// # Errors
    /// When the kernel refuses; what it knew stays until the device restarts or the component comes back.
    fn forget_rules(&mut self, component: ComponentId) -> Result<(), MachineError>;

    /// Lets apps be traced by those that may do as much; only before the first app or service starts.
    ///
    /// # Errors
    /// When the kernel refuses; no app can be traced then.
    fn allow_tracing(&mut self) -> Result<(), MachineError>;

    /// What the kernel refused a component; nothing for one that it does not know.
    ///
    /// # Errors
    /// When the kernel does not tell, or not in the form that is known here.
    fn denials(&self, component: ComponentId) -> Result<Vec<Denial>, MachineError>;

    /// Starts a process of an app whose package is attached and vouched for, and whose rules are set.
    ///
    /// # Errors
    /// When no process could be made; what goes wrong later is told when it ends.
    fn launch(&mut self, launch: Launch<'_>) -> Result<Started, MachineError>;

    /// Asks an app to end.
    fn terminate(&mut self, component: ComponentId);

    /// Ends an app and everything that it started.
    fn kill(&mut self, component: ComponentId);

    /// Why an app's process ended, whose raw wait status is given; what belonged to the process is let go.
    fn collect(&mut self, component: ComponentId, status: i32) -> ExitReason;

    /// Starts an app on a real-time core that nobody has. Answers the number of the core.
    ///
    /// # Errors
    /// When there is no such core, or it does not run the app.
    fn start_core(&mut self, firmware: &Firmware<'_>) -> Result<u8, MachineError>;

    /// Stops the core of an app, which is free then.
    fn stop_core(&mut self, component: ComponentId);

    /// What the core of an app does.
    ///
    /// # Errors
    /// When it is not known any more.
    fn core_state(&self, component: ComponentId) -> Result<State, Errno>;

    /// What tells, by a priority event, that the core of an app stopped by itself or broke the protocol.
    fn core_event(&self, component: ComponentId) -> Option<BorrowedFd<'_>>;

    /// Gives out a pin that the manifest of an app grants.
    ///
    /// # Errors
    /// `EBUSY` when it is in use, `ENODEV` when the board has no such pin.
    fn open_pin(&mut self, request: Request) -> Result<OwnedFd, Errno>;

    /// Memory of an app, if it has a process.
    fn app_memory(&self, component: ComponentId) -> Option<AppMemory>;

    /// Process ids of an app.
    fn app_processes(&self, component: ComponentId) -> Vec<i32>;

    /// Memory of all apps.
    fn group_memory(&self) -> GroupMemory;

    /// Memory of the device.
    fn device_memory(&self) -> DeviceMemory;

    /// Release and version of the kernel.
    fn kernel(&self) -> String;
}
