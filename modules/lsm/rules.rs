// SPDX-License-Identifier: GPL-2.0

//! The components that the manager has installed, and the rule set of each.

use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        SpinLock, //
    },
};

use policy::{
    ComponentId,
    RuleSet, //
};

use crate::{
    denials::Denials,
    error, //
};

/// A rule set as it was written. The bytes have been checked and do not change.
pub(crate) struct Rules(KVec<u8>);

impl Rules {
    /// Checks the bytes.
    pub(crate) fn parse(bytes: KVec<u8>) -> Result<Self> {
        match RuleSet::parse(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(malformed) => Err(error(malformed.errno())),
        }
    }

    /// The rule set.
    pub(crate) fn view(&self) -> RuleSet<'_> {
        RuleSet::from_checked(&self.0)
    }
}

/// A component: the rule set that counts for all its processes, and what was refused to them.
///
/// Both locks are held for a few instructions, never one in the other, and nothing is called while they are
/// held. They are taken in hooks that come with other locks held, but never in an interrupt: what the kernel
/// does for a component there (a connection that comes in, the end of a socket) only counts references.
#[pin_data]
pub(crate) struct Component {
    id: ComponentId,
    /// The number of identities in use.
    sessions: Atomic<i32>,
    #[pin]
    rules: SpinLock<Arc<Rules>>,
    #[pin]
    pub(crate) denials: SpinLock<Denials>,
}

impl Component {
    /// A component of which there is no process yet.
    pub(crate) fn new(rules: Arc<Rules>) -> Result<Arc<Self>> {
        let id = rules.view().component();
        Arc::pin_init(
            pin_init!(Self {
                id,
                sessions: Atomic::new(0),
                rules <- new_spinlock!(rules),
                denials <- new_spinlock!(Denials::NONE),
            }),
            GFP_KERNEL,
        )
    }

    /// The component's id.
    pub(crate) fn id(&self) -> ComponentId {
        self.id
    }

    /// The rule set of this moment; it stays as it is while the reference is held.
    pub(crate) fn rules(&self) -> Arc<Rules> {
        self.rules.lock().clone()
    }

    /// Replaces the rule set in one step. What is decided at the same time sees the old one or the new one.
    pub(crate) fn replace(&self, rules: Arc<Rules>) {
        let old = core::mem::replace(&mut *self.rules.lock(), rules);
        drop(old);
    }

    /// One more identity is in use.
    pub(crate) fn enter(&self) {
        self.sessions.fetch_add(1, Relaxed);
    }

    /// One identity less is in use.
    pub(crate) fn leave(&self) {
        self.sessions.fetch_add(-1, Relaxed);
    }

    /// Whether an identity is in use. The answer stays "no" only while nobody can enter.
    pub(crate) fn is_busy(&self) -> bool {
        self.sessions.load(Relaxed) != 0
    }
}
