// SPDX-License-Identifier: GPL-2.0

//! What the module knows as a whole, and what the manager changes in it.

use kernel::{
    lsm::{
        Caller,
        Superblock, //
    },
    new_mutex, new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex,
        SpinLock, //
    },
    time::{
        delay::fsleep,
        BootTime,
        Delta,
        Instant, //
    },
};

use policy::{
    Access,
    ComponentId,
    Denial,
    Hook,
    Origin, //
};

use crate::{
    code,
    denials::{
        self,
        Denials,
        Novelty, //
    },
    log::Log,
    rules::{
        Component,
        Rules, //
    },
    table::Table,
    text::Text,
    Nacre, //
};

/// The state of the module.
///
/// `installed` is a mutex: only what the manager does takes it, and what sleeps anyway. All other locks of the
/// module are spin locks that hooks take: with other locks held, but never in an interrupt, never one in the other,
/// and for a few instructions.
#[pin_data]
pub(crate) struct Manager {
    /// When the module started, which is when the system did, but for a moment.
    started: Instant<BootTime>,
    #[pin]
    installed: Mutex<Installed>,
    /// Changed with the lock of `installed` held.
    development: Atomic<u32>,
    /// What was refused to processes that belong to no component.
    #[pin]
    denials: SpinLock<Denials>,
    log: Arc<Log>,
    /// What `denials` showed when somebody began to read it.
    #[pin]
    pub(crate) snapshot: Mutex<KVec<u8>>,
}

/// What the manager has installed.
struct Installed {
    components: Table<Arc<Component>>,
    /// A process has been given an identity.
    sealed: bool,
}

/// How long the kernel may need to forget a process whose end the manager has seen, and how often to look.
const GRACE: Delta = Delta::from_millis(20);
const GRACE_PERIODS: u32 = 50;

impl Manager {
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            started: Instant::now(),
            installed <- new_mutex!(Installed {
                components: Table::EMPTY,
                sealed: false,
            }),
            development: Atomic::new(0),
            denials <- new_spinlock!(Denials::NONE),
            log: Log::new()?,
            snapshot <- new_mutex!(KVec::new()),
        }? Error)
    }

    /// Nanoseconds since the start of the system.
    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos().unsigned_abs()
    }

    /// Records a denial, and has a line written to the kernel log if it is the first of its kind.
    pub(crate) fn record(
        &self,
        component: Option<&Arc<Component>>,
        hook: Hook,
        access: &Access<'_>,
        denial: &Denial,
    ) {
        let now = self.now();
        let id = component.map_or(ComponentId::NIL, |component| component.id());
        let denials = component.map_or(&self.denials, |component| &component.denials);
        let record = denials::record(id, hook, access, denial, now);
        let novelty = denials.lock().add(record);
        if novelty == Novelty::New {
            self.log.tell(record);
        }
    }

    /// Whether apps may be traced.
    pub(crate) fn is_development(&self) -> bool {
        self.development.load(Relaxed) != 0
    }

    /// Lets apps be traced, or not; fails once a process has been given an identity.
    pub(crate) fn set_development(&self, cx: &Caller<Nacre>, on: bool) -> Result {
        let installed = self.installed.lock();
        let access = Access::SetDevelopment {
            sealed: installed.sealed,
        };
        cx.subject().check(cx, Hook::Securityfs, access)?;
        self.development.store(on.into(), Relaxed);
        Ok(())
    }

    /// Makes something of a component that cannot be removed meanwhile. Afterwards the development mode stays
    /// as it is.
    pub(crate) fn seal<R>(
        &self,
        component: ComponentId,
        make: impl FnOnce(Arc<Component>) -> Result<R>,
    ) -> Result<R> {
        let mut installed = self.installed.lock();
        let component = installed.components.get(component).ok_or(ENOENT)?;
        let made = make(component.clone())?;
        installed.sealed = true;
        Ok(made)
    }

    /// Installs a rule set, for a new component or in the place of the one that it has.
    pub(crate) fn install(&self, bytes: KVec<u8>) -> Result {
        let rules = Arc::new(Rules::parse(bytes)?, GFP_KERNEL)?;
        let id = rules.view().component();
        let mut installed = self.installed.lock();
        if let Some(component) = installed.components.get(id) {
            component.replace(rules);
            return Ok(());
        }
        if !installed.components.has_room() {
            return Err(ENOSPC);
        }
        let component = Component::new(rules)?;
        installed
            .components
            .insert(id, component)
            .map_err(|_| ENOSPC)
    }

    /// Removes a component. Its last process may have ended a moment ago, so it waits a little for that.
    pub(crate) fn remove(&self, id: ComponentId) -> Result {
        for _ in 0..GRACE_PERIODS {
            match self.try_remove(id) {
                Err(error) if error == EBUSY => fsleep(GRACE),
                result => return result,
            }
        }
        self.try_remove(id)
    }

    fn try_remove(&self, id: ComponentId) -> Result {
        let mut installed = self.installed.lock();
        let component = installed.components.get(id).ok_or(ENOENT)?;
        if component.is_busy() {
            return Err(EBUSY);
        }
        installed.components.remove(id);
        Ok(())
    }

    /// Marks a file system as verified.
    pub(crate) fn mark(
        &self,
        cx: &Caller<Nacre>,
        superblock: &Superblock,
        origin: Origin,
    ) -> Result {
        let _lock = self.installed.lock();
        code::mark(cx, superblock, origin)
    }

    /// All denials, a line each.
    pub(crate) fn denials(&self) -> Result<KVec<u8>> {
        let mut text = Text::new();
        write_all(&mut text, &self.denials)?;
        let installed = self.installed.lock();
        for component in installed.components.values() {
            write_all(&mut text, &component.denials)?;
        }
        Ok(text.into_bytes())
    }
}

/// Writes records as lines. Memory is not available while they are locked, so they are copied.
fn write_all(text: &mut Text, denials: &SpinLock<Denials>) -> Result {
    let mut records = KVec::with_capacity(denials::MAX_RECORDS + 1, GFP_KERNEL)?;
    for record in denials.lock().iter() {
        // There is room for all of them.
        records.push_within_capacity(*record).map_err(|_| ENOMEM)?;
    }
    for record in &records {
        text.write(format_args!("{record}\n"))?;
    }
    Ok(())
}
