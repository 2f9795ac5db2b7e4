// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Decides what happens to the apps: loads, starts, stops, replaces and removes them.
//!
//! Nothing here waits. What needs an app to end first, such as its replacement, is kept as pending and
//! goes on in [`Manager::advance`] once the app is gone; its answer comes then.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use control::{ExitReason, LayerStatus, Reply};
use nix::errno::Errno;
use policy::{ComponentId, Grant, check_install};
use sys::real_time::State;

use crate::app::{App, exit_in_words};
use crate::board::Board;
use crate::broker::Served;
use crate::journal::Journal;
use crate::lifecycle::Order;
use crate::machine::{Firmware, Launch, Machine, MachineError};
use crate::store::{Disk, Package, Store, StoreError};

mod requests;

pub use requests::{KILL_GRACE, available, not_present};

use requests::Waiting;

/// Reads of an app's output when it has ended: enough to empty a full pipe of 64 KiB.
const LAST_READS: usize = 17;

/// The manager of the apps.
pub struct Manager<M, D> {
    /// The machine below.
    pub machine: M,
    /// The log.
    pub journal: Journal,
    /// The board.
    pub board: Board,
    /// The layers; no app starts unless all are enforced.
    pub layers: Vec<LayerStatus>,
    /// The store, or why there is none.
    pub store: Result<Store<D>, String>,
    /// The installed apps.
    pub apps: BTreeMap<ComponentId, App>,
    pending: Option<Waiting>,
    ending: bool,
}

impl<M: Machine, D: Disk> Manager<M, D> {
    /// A manager that knows no app yet.
    pub fn new(
        machine: M,
        journal: Journal,
        board: Board,
        layers: Vec<LayerStatus>,
        store: Result<Store<D>, String>,
    ) -> Self {
        Self {
            machine,
            journal,
            board,
            layers,
            store,
            apps: BTreeMap::new(),
            pending: None,
            ending: false,
        }
    }

    /// Writes a line of the log.
    pub fn note(&mut self, line: &str) {
        self.journal.note(self.machine.now(), line);
    }

    /// Loads all installed apps and lets them start. One that cannot be verified stays, stopped, with the
    /// reason; one that is flagged to be removed at boot is removed.
    pub fn load_apps(&mut self) {
        let Ok(store) = &mut self.store else { return };
        let installed = match store.installed() {
            Ok(installed) => installed,
            Err(error) => return self.note(&error.to_string()),
        };
        for component in installed {
            let Ok(store) = &mut self.store else { return };
            match store.load(component) {
                Ok(package) if package.facts.remove_at_boot => {
                    let removed = store.remove(component);
                    self.note(&format!("app {component}: removed, it was temporary"));
                    if let Err(error) = removed {
                        self.note(&error.to_string());
                    }
                }
                Ok(package) => match check_beside(&package, &self.apps) {
                    Ok(()) => {
                        let mut app = App::with_package(package);
                        app.life.start(self.machine.now());
                        self.apps.insert(component, app);
                    }
                    Err(error) => self.keep_refused(component, package.facts.length, &error),
                },
                Err(error) => {
                    let length = store.package_length(component);
                    self.keep_refused(component, length, &error);
                }
            }
        }
    }

    fn keep_refused(&mut self, component: ComponentId, length: u64, error: &StoreError) {
        let app = App::with_refusal(component, length, error);
        self.note(&format!("{}: refused: {error}", app.label()));
        self.apps.insert(component, app);
    }

    /// Does what is due now, but starts one app at most, so that the output of one app and the requests of
    /// people do not wait until all others are started. Answers the reply of the request that was pending,
    /// once it is done.
    pub fn advance(&mut self) -> Option<Reply> {
        let now = self.machine.now();
        let components: Vec<ComponentId> = self.apps.keys().copied().collect();
        for component in components {
            let order = self
                .apps
                .get_mut(&component)
                .and_then(|app| app.life.tick(now));
            self.obey(component, order);
            if order == Some(Order::Start) {
                break;
            }
        }
        self.resume()
    }

    /// When [`Manager::advance`] has something to do next, if ever.
    pub fn deadline(&self) -> Option<Duration> {
        let pending = self.pending.as_ref().map(|waiting| waiting.until);
        self.apps
            .values()
            .filter_map(|app| app.life.deadline())
            .chain(pending)
            .min()
    }

    /// Whether a request waits; the next one is taken when it is answered.
    pub fn is_busy(&self) -> bool {
        self.pending.is_some()
    }

    fn obey(&mut self, component: ComponentId, order: Option<Order>) {
        match order {
            Some(Order::Start) => self.launch(component),
            // A core does not need to be asked.
            Some(Order::Terminate) if self.has_core(component) => {
                self.machine.stop_core(component);
                self.ended(component, ExitReason::Stopped { forced: false });
            }
            Some(Order::Terminate) => self.machine.terminate(component),
            Some(Order::Kill) => self.machine.kill(component),
            None => {}
        }
    }

    fn launch(&mut self, component: ComponentId) {
        let missing = self.layers.iter().find(|layer| !layer.enforced);
        let Some(app) = self.apps.get_mut(&component) else {
            return;
        };
        if let Some(layer) = missing {
            let reason = format!("layer {} is missing: {}", layer.name, layer.detail);
            let line = format!("{}: refused: {reason}", app.label());
            app.life.refused(reason);
            return self.note(&line);
        }
        let started = if app.is_real_time() {
            start_core(app, &mut self.machine, &mut self.store)
        } else {
            start_process(app, &mut self.machine, &mut self.store)
        };
        let line = match started {
            Ok(()) => {
                app.life.started();
                match app.core {
                    Some(core) => format!("{}: started on real-time core {core}", app.label()),
                    None => format!("{}: started", app.label()),
                }
            }
            Err(error) => {
                let line = format!("{}: refused: {error}", app.label());
                if error.lasting {
                    app.life.refused(error.message);
                } else {
                    let now = self.machine.now();
                    app.life.failed(error.message, error.errno, now);
                }
                line
            }
        };
        self.note(&line);
    }

    /// Takes notice that a process ended. Answers whether it was an app's.
    pub fn process_ended(&mut self, process: i32, status: i32) -> bool {
        let Some(component) = self
            .apps
            .values()
            .find(|app| app.process == Some(process))
            .map(|app| app.component)
        else {
            return false;
        };
        for _ in 0..LAST_READS {
            self.output_ready(component);
        }
        let reason = self.machine.collect(component, status);
        self.ended(component, reason);
        true
    }

    fn has_core(&self, component: ComponentId) -> bool {
        self.apps
            .get(&component)
            .is_some_and(|app| app.core.is_some())
    }

    /// Takes notice that something happened to the core of an app.
    pub fn core_ready(&mut self, component: ComponentId) {
        let reason = match self.machine.core_state(component) {
            Ok(State::Running) => return,
            Ok(State::Halted) => {
                let line = format!(
                    "app {component}: broke the protocol, so its messages are not taken any more: restart it"
                );
                return self.note(&line);
            }
            Ok(State::LockedUp) => ExitReason::LockedUp,
            Ok(State::Watchdog) => ExitReason::Watchdog,
            Ok(State::Reset) => ExitReason::Reset,
            // Nobody asked it to, so its driver is gone.
            Ok(State::Stopped) => ExitReason::SetupFailed {
                errno: Errno::ENODEV as i32,
            },
            Err(errno) => ExitReason::SetupFailed {
                errno: errno as i32,
            },
        };
        self.machine.stop_core(component);
        self.ended(component, reason);
    }

    /// Answers what an app asks for.
    pub fn broker_ready(&mut self, component: ComponentId) {
        let Some(app) = self.apps.get_mut(&component) else {
            return;
        };
        let (Some(facts), Some(broker)) = (&app.facts, &mut app.broker) else {
            return;
        };
        let grant = facts.manifest.grant();
        let line = match broker.serve(&grant, |request| self.machine.open_pin(request)) {
            Served::Answered => return,
            Served::Refused { denial, line } => {
                if let Some(denial) = denial {
                    app.denials.count(denial, self.machine.now());
                }
                let Some(line) = line else {
                    return;
                };
                line
            }
            Served::Closed => {
                app.broker = None;
                return;
            }
            Served::Broken(reason) => {
                app.broker = None;
                format!("gets no more pins: {reason}")
            }
        };
        let line = format!("{}: {line}", app.label());
        self.note(&line);
    }

    /// An app has ended, for this reason.
    fn ended(&mut self, component: ComponentId, reason: ExitReason) {
        let now = self.machine.now();
        let Some(app) = self.apps.get_mut(&component) else {
            return;
        };
        app.process = None;
        app.core = None;
        app.broker = None;
        app.output = None;
        let reported = app.life.ended(reason, now);
        if let ExitReason::SetupFailed { .. } = reported {
            app.life.set_refusal(exit_in_words(reported));
        }
        let line = format!("{}: {}", app.label(), exit_in_words(reported));
        let active = app.life.is_active();
        self.note(&line);
        if !active {
            self.unmount(component);
        }
    }

    /// Reads what an app printed.
    pub fn output_ready(&mut self, component: ComponentId) {
        let now = self.machine.now();
        let Some(app) = self.apps.get_mut(&component) else {
            return;
        };
        if app.read_output(now) {
            let memory = self.machine.device_memory();
            let line = format!(
                "first output: app={component} monotonic_ns={} mem_total_kib={} mem_available_kib={}",
                now.as_nanos(),
                memory.total_kib,
                memory.available_kib
            );
            self.note(&line);
        }
    }

    fn unmount(&mut self, component: ComponentId) {
        let Some(app) = self.apps.get_mut(&component) else {
            return;
        };
        // The next start looks at the package again.
        app.content = None;
        if !app.mounted {
            return;
        }
        app.mounted = false;
        if let Err(error) = self.machine.detach(component) {
            let line = format!("app {component}: {error}");
            self.note(&line);
        }
    }

    /// Begins to stop all apps for good.
    pub fn begin_to_end(&mut self) {
        if self.ending {
            return;
        }
        self.ending = true;
        let now = self.machine.now();
        let components: Vec<ComponentId> = self.apps.keys().copied().collect();
        for component in components {
            let order = self
                .apps
                .get_mut(&component)
                .and_then(|app| app.life.stop(now));
            self.obey(component, order);
        }
    }

    /// Whether all apps are being stopped for good.
    pub fn is_ending(&self) -> bool {
        self.ending
    }

    /// Whether all apps are gone.
    pub fn has_ended(&self) -> bool {
        !self.apps.values().any(App::is_alive)
    }

    /// Unmounts all packages; no app runs.
    pub fn unmount_all(&mut self) {
        let components: Vec<ComponentId> = self.apps.keys().copied().collect();
        for component in components {
            self.unmount(component);
        }
    }
}

/// Whether a package goes with the apps that are there. It did when it was installed; but power may have gone between
/// two installations of which the second would have made room for it.
fn check_beside(package: &Package, apps: &BTreeMap<ComponentId, App>) -> Result<(), StoreError> {
    let others: Vec<Grant<'_>> = apps.values().filter_map(App::grant).collect();
    check_install(&package.facts.manifest.grant(), &others).map_err(StoreError::Conflict)
}

/// Has the app's package verified, unless it is.
fn load<D: Disk>(app: &mut App, store: &Store<D>) -> Result<(), MachineError> {
    if app.content.is_none() {
        let package = store
            .load(app.component)
            .map_err(|error| lasting(error.to_string()))?;
        app.set_package(package);
    }
    Ok(())
}

/// Starts an app on a real-time core.
fn start_core<M: Machine, D: Disk>(
    app: &mut App,
    machine: &mut M,
    store: &mut Result<Store<D>, String>,
) -> Result<(), MachineError> {
    let store = store.as_mut().map_err(|reason| lasting(reason.clone()))?;
    load(app, store)?;
    let (Some(facts), Some(content)) = (&app.facts, &app.content) else {
        return Err(lasting("its package is gone".to_owned()));
    };
    let core = machine.start_core(&Firmware {
        component: app.component,
        content,
        partners: facts.manifest.grant().peers,
    })?;
    app.core = Some(core);
    Ok(())
}

/// Starts the process of an app.
fn start_process<M: Machine, D: Disk>(
    app: &mut App,
    machine: &mut M,
    store: &mut Result<Store<D>, String>,
) -> Result<(), MachineError> {
    let mutable_file = prepare(app, machine, store).map_err(|error| MachineError {
        lasting: true,
        ..error
    })?;
    let Some(facts) = &app.facts else {
        return Err(lasting("its package is gone".to_owned()));
    };
    let started = machine.launch(Launch {
        manifest: &facts.manifest,
        mutable_file: mutable_file.as_deref(),
    })?;
    app.process = Some(started.process);
    app.output = Some(started.output);
    app.broker = started.broker;
    Ok(())
}

/// Mounts an app's package, unless it is mounted, tells the kernel whose it is and what the app may do, and makes
/// sure that its mutable file is there.
fn prepare<M: Machine, D: Disk>(
    app: &mut App,
    machine: &mut M,
    store: &mut Result<Store<D>, String>,
) -> Result<Option<PathBuf>, MachineError> {
    let store = store.as_mut().map_err(|reason| lasting(reason.clone()))?;
    if !app.mounted {
        load(app, store)?;
        if let Some(content) = app.content.take() {
            machine.attach(app.component, &content)?;
            app.mounted = true;
        }
        if let Err(error) = machine.vouch(app.component) {
            app.mounted = false;
            return Err(match machine.detach(app.component) {
                Ok(()) => error,
                Err(left) => lasting(format!("{error}; and {left}")),
            });
        }
    }
    if let Some(grant) = app.grant() {
        machine.set_rules(&grant)?;
    }
    if app.storage_kb() == 0 {
        return Ok(None);
    }
    let path = store.mutable_file(app.component);
    path.map(Some).map_err(|error| lasting(error.to_string()))
}

/// A failure that a later try would meet again.
fn lasting(message: String) -> MachineError {
    MachineError {
        message,
        errno: 0,
        lasting: true,
    }
}

#[cfg(test)]
mod tests;
