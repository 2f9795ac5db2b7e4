// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What can be asked of the manager and changes something: start, stop, delete, install.
//!
//! What needs an app to end first is kept as pending, and goes on once the app is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use control::{AppControlMode, AppState, Refusal, RefusalKind, Reply, Trigger};
use policy::{ComponentId, DeviceError, Grant};

use crate::app::App;
use crate::lifecycle::STOP_GRACE;
use crate::machine::Machine;
use crate::manager::Manager;
use crate::store::{Disk, Package, Store, StoreError};

/// How long after SIGKILL an app may take to vanish before a request that waits for it is refused.
pub const KILL_GRACE: Duration = Duration::from_secs(3);

/// What goes on when the apps that a request waits for are gone.
#[derive(Debug)]
pub(super) enum Pending {
    Stop(ComponentId),
    Delete(ComponentId),
    Install {
        mode: AppControlMode,
        packages: Vec<Package>,
    },
}

impl Pending {
    fn waits_for(&self, component: ComponentId) -> bool {
        match self {
            Self::Stop(one) | Self::Delete(one) => *one == component,
            Self::Install { packages, .. } => contains(packages, component),
        }
    }
}

/// A request that waits for apps to end.
#[derive(Debug)]
pub(super) struct Waiting {
    pending: Pending,
    pub(super) until: Duration,
    /// Whether the one who asked still waits for the answer.
    wanted: bool,
}

impl<M: Machine, D: Disk> Manager<M, D> {
    /// Starts or stops an app.
    ///
    /// # Errors
    /// 14.12 for an unknown app, 14.6 when it must not be started, 1.15 when its program could not be
    /// executed, 3.10 for a start under the debugger.
    pub fn control(
        &mut self,
        component: ComponentId,
        trigger: Trigger,
    ) -> Result<Option<Reply>, Refusal> {
        let now = self.machine.now();
        let app = self
            .apps
            .get_mut(&component)
            .ok_or_else(|| not_present(component))?;
        match trigger {
            Trigger::Start => {
                app.life.start(now);
                let order = app.life.tick(now);
                self.obey(component, order);
                self.started_or_why(component).map(Some)
            }
            Trigger::Stop => {
                let order = app.life.stop(now);
                self.obey(component, order);
                self.wait_for(Pending::Stop(component));
                Ok(self.resume())
            }
            Trigger::StartDebug => Err(Refusal {
                error: DeviceError::LIFETIME_NO_DEBUGGER_AVAILABLE,
                kind: RefusalKind::Conflict,
                detail: "this OS has no debugger: start the app without it".to_owned(),
            }),
        }
    }

    /// The state of an app, installed or not, and its real-time core.
    pub fn state(&self, component: ComponentId) -> Reply {
        let app = self.apps.get(&component);
        Reply::AppState {
            state: app.map_or(AppState::NotPresent, App::state),
            core: app.and_then(|app| app.core),
        }
    }

    fn started_or_why(&self, component: ComponentId) -> Result<Reply, Refusal> {
        let app = self
            .apps
            .get(&component)
            .ok_or_else(|| not_present(component))?;
        match app.life.refusal() {
            Some(reason) => Err(Refusal {
                // One that is tried again has failed on the way to its program; others never set out.
                error: if app.life.is_active() {
                    DeviceError::APP_MANAGER_FAILED_TO_EXEC_PROCESS
                } else {
                    DeviceError::REST_APP_CANNOT_START_APP
                },
                kind: RefusalKind::Internal,
                detail: format!("{} cannot be started: {reason}", app.label()),
            }),
            None => Ok(self.state(component)),
        }
    }

    /// Stops and removes an app and its data; an unknown one is no error.
    pub fn delete(&mut self, component: ComponentId) -> Option<Reply> {
        let now = self.machine.now();
        let order = self
            .apps
            .get_mut(&component)
            .and_then(|app| app.life.stop(now));
        self.obey(component, order);
        self.wait_for(Pending::Delete(component));
        self.resume()
    }

    /// Installs all staged images: checks all, stops the apps that they replace, and goes on when those
    /// are gone. When one is refused nothing is installed, and only that one is not staged any more.
    ///
    /// # Errors
    /// What [`Store::load_staged`] and [`Store::check`] refuse.
    pub fn install(&mut self, mode: AppControlMode) -> Result<Option<Reply>, Refusal> {
        let packages = self.check_staged()?;
        let now = self.machine.now();
        for package in &packages {
            let component = package.facts.component;
            let order = self
                .apps
                .get_mut(&component)
                .and_then(|app| app.life.stop(now));
            self.obey(component, order);
        }
        self.wait_for(Pending::Install { mode, packages });
        Ok(self.resume())
    }

    fn check_staged(&mut self) -> Result<Vec<Package>, Refusal> {
        let store = available(&mut self.store)?;
        let staged: Vec<ComponentId> = store.staged().iter().map(|one| one.component).collect();
        let mut packages = Vec::new();
        for component in staged {
            match store.load_staged(component) {
                Ok(package) => packages.push(package),
                Err(error) => {
                    store.discard(component);
                    self.note(&format!("image of app {component}: refused: {error}"));
                    return Err(error.into());
                }
            }
        }
        if let Err((component, error)) = check_together(store, &self.apps, &packages) {
            store.discard(component);
            self.note(&format!("image of app {component}: refused: {error}"));
            return Err(error.into());
        }
        Ok(packages)
    }

    fn wait_for(&mut self, pending: Pending) {
        let until = self
            .machine
            .now()
            .saturating_add(STOP_GRACE)
            .saturating_add(KILL_GRACE);
        self.pending = Some(Waiting {
            pending,
            until,
            wanted: true,
        });
    }

    pub(super) fn resume(&mut self) -> Option<Reply> {
        let waiting = self.pending.take()?;
        let wanted = waiting.wanted;
        self.go_on(waiting).filter(|_| wanted)
    }

    fn go_on(&mut self, waiting: Waiting) -> Option<Reply> {
        let pending = &waiting.pending;
        let alive = self
            .apps
            .values()
            .find(|app| app.is_alive() && pending.waits_for(app.component))
            .map(App::label);
        if let Some(label) = alive {
            if self.machine.now() < waiting.until {
                self.pending = Some(waiting);
                return None;
            }
            return Some(Reply::Error(Refusal {
                error: DeviceError::APP_MANAGER_FAILED_TO_KILL_APPLICATION,
                kind: RefusalKind::Internal,
                detail: format!("{label} does not end: restart the device"),
            }));
        }
        Some(match waiting.pending {
            Pending::Stop(component) => {
                self.unmount(component);
                self.state(component)
            }
            Pending::Delete(component) => reply(self.remove(component)),
            Pending::Install { mode, packages } => reply(self.replace(mode, packages)),
        })
    }

    fn remove(&mut self, component: ComponentId) -> Result<(), Refusal> {
        self.unmount(component);
        let Some(app) = self.apps.get(&component) else {
            return Ok(());
        };
        let line = format!("{}: removed", app.label());
        available(&mut self.store)?.remove(component)?;
        self.apps.remove(&component);
        self.note(&line);
        if let Err(error) = self.machine.forget_rules(component) {
            self.note(&format!("app {component}: {error}"));
        }
        Ok(())
    }

    fn replace(&mut self, mode: AppControlMode, packages: Vec<Package>) -> Result<(), Refusal> {
        let now = self.machine.now();
        for package in packages {
            let component = package.facts.component;
            self.unmount(component);
            let store = available(&mut self.store)?;
            let installed = store.install(component);
            // After a failure the disk tells which package is in place, the old one or the new one.
            let package = match &installed {
                Ok(()) => Ok(package),
                Err(_) => store.load(component),
            };
            if let Ok(package) = package {
                let app = match self.apps.remove(&component) {
                    Some(mut app) => {
                        app.set_package(package);
                        app.life.forget_refusal();
                        app
                    }
                    None => App::with_package(package),
                };
                let line = format!("{}: installed", app.label());
                self.apps.insert(component, app);
                if installed.is_ok() {
                    self.note(&line);
                }
            }
            installed?;
            if mode == AppControlMode::Auto
                && let Some(app) = self.apps.get_mut(&component)
            {
                app.life.start(now);
                let order = app.life.tick(now);
                self.obey(component, order);
            }
        }
        Ok(())
    }

    /// The device API is gone: its transfer is forgotten, and its request goes on without an answer.
    pub fn forget_client(&mut self) {
        self.forget_transfer();
        if let Some(waiting) = &mut self.pending {
            waiting.wanted = false;
        }
    }

    /// Forgets the open transfer.
    pub fn forget_transfer(&mut self) {
        if let Ok(store) = &mut self.store {
            store.abort();
        }
    }
}

fn contains(packages: &[Package], component: ComponentId) -> bool {
    packages
        .iter()
        .any(|package| package.facts.component == component)
}

/// Checks packages that are installed at the same time, against each other and the apps that stay.
fn check_together<D: Disk>(
    store: &Store<D>,
    apps: &BTreeMap<ComponentId, App>,
    packages: &[Package],
) -> Result<(), (ComponentId, StoreError)> {
    let Some(first) = packages.first() else {
        return Ok(());
    };
    let (replaced, kept): (Vec<&App>, Vec<&App>) = apps
        .values()
        .partition(|app| contains(packages, app.component));
    let promises = kept.iter().map(|app| (app.component, app.storage_kb()));
    let unpromised = store.unpromised(promises);
    let freed: u64 = replaced.iter().map(|app| app.length).sum();
    let mut free = unpromised
        .map_err(|error| (first.facts.component, error))?
        .saturating_add(freed);
    let mut others: Vec<Grant<'_>> = kept.iter().filter_map(|app| app.grant()).collect();
    for package in packages {
        let promised = store
            .check(&package.facts, &others, free)
            .map_err(|error| (package.facts.component, error))?;
        free = free.saturating_sub(promised);
        others.push(package.facts.manifest.grant());
    }
    Ok(())
}

/// The store, or the refusal that says why there is none.
pub fn available<D>(store: &mut Result<Store<D>, String>) -> Result<&mut Store<D>, Refusal> {
    store.as_mut().map_err(|reason| Refusal {
        error: DeviceError::REST_APP_CANNOT_WRITE_IMAGE,
        kind: RefusalKind::Internal,
        detail: format!("the device has no writable storage: {reason}"),
    })
}

/// The refusal for an app that is not installed.
pub fn not_present(component: ComponentId) -> Refusal {
    StoreError::NotInstalled(component).into()
}

fn reply(result: Result<(), Refusal>) -> Reply {
    match result {
        Ok(()) => Reply::Done { restarting: false },
        Err(refusal) => Reply::Error(refusal),
    }
}
