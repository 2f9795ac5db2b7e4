// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Decides what happens to the apps: loads, starts, stops, replaces and removes them.
//!
//! Nothing here waits. What needs an app to end first, such as its replacement, is kept as pending and
//! goes on in [`Manager::advance`] once the app is gone; its answer comes then.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use control::{ExitReason, LayerStatus, Reply};
use policy::ComponentId;

use crate::app::{App, exit_in_words};
use crate::board::Board;
use crate::journal::Journal;
use crate::lifecycle::Order;
use crate::machine::{Launch, Machine};
use crate::store::{Disk, Store};

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
                Ok(package) => {
                    let mut app = App::with_package(package);
                    app.life.start(self.machine.now());
                    self.apps.insert(component, app);
                }
                Err(error) => {
                    let length = store.package_length(component);
                    let app = App::with_refusal(component, length, &error);
                    self.note(&format!("{}: refused: {error}", app.label()));
                    self.apps.insert(component, app);
                }
            }
        }
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
        let mutable_file = match prepare(app, &mut self.machine, &mut self.store) {
            Ok(path) => path,
            Err(reason) => {
                let line = format!("{}: refused: {reason}", app.label());
                app.life.refused(reason);
                return self.note(&line);
            }
        };
        let Some(facts) = &app.facts else {
            return;
        };
        let launch = Launch {
            manifest: &facts.manifest,
            mutable_file: mutable_file.as_deref(),
        };
        let line = match self.machine.launch(launch) {
            Ok(started) => {
                app.process = Some(started.process);
                app.output = Some(started.output);
                app.life.started();
                format!("{}: started", app.label())
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
        let now = self.machine.now();
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
        let Some(app) = self.apps.get_mut(&component) else {
            return false;
        };
        app.process = None;
        app.output = None;
        let reported = app.life.ended(reason, now);
        if let ExitReason::SetupFailed { .. } = reported {
            app.life.set_refusal(exit_in_words(reported));
        }
        let line = format!("{}: {}", app.label(), exit_in_words(reported));
        self.note(&line);
        if !self
            .apps
            .get(&component)
            .is_some_and(|app| app.life.is_active())
        {
            self.unmount(component);
        }
        true
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
        self.apps.values().all(|app| app.process.is_none())
    }

    /// Unmounts all packages; no app runs.
    pub fn unmount_all(&mut self) {
        let components: Vec<ComponentId> = self.apps.keys().copied().collect();
        for component in components {
            self.unmount(component);
        }
    }
}

/// Mounts an app's package, unless it is mounted, tells the kernel whose it is and what the app may do, and makes
/// sure that its mutable file is there.
fn prepare<M: Machine, D: Disk>(
    app: &mut App,
    machine: &mut M,
    store: &mut Result<Store<D>, String>,
) -> Result<Option<PathBuf>, String> {
    let store = store.as_mut().map_err(|reason| reason.clone())?;
    if !app.mounted {
        let content = match app.content.take() {
            Some(content) => content,
            None => {
                let package = store
                    .load(app.component)
                    .map_err(|error| error.to_string())?;
                app.length = package.facts.length;
                app.facts = Some(package.facts);
                package.content
            }
        };
        machine
            .attach(app.component, &content)
            .map_err(|error| error.to_string())?;
        app.mounted = true;
        if let Err(error) = machine.vouch(app.component) {
            app.mounted = false;
            return Err(match machine.detach(app.component) {
                Ok(()) => error.to_string(),
                Err(left) => format!("{error}; and {left}"),
            });
        }
    }
    if let Some(grant) = app.grant() {
        machine
            .set_rules(&grant)
            .map_err(|error| error.to_string())?;
    }
    if app.storage_kb() == 0 {
        return Ok(None);
    }
    let path = store.mutable_file(app.component);
    path.map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
