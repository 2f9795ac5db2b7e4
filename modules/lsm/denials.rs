// SPDX-License-Identifier: GPL-2.0

//! What was refused to one component: a few records, each for all denials of one kind.
//!
//! Nothing here allocates or sleeps, and there are no kernel types in it, so that it runs in every hook and is
//! tested on the host as well.

use policy::{
    Access,
    ComponentId,
    Denial,
    DenialRecord,
    Hook,
    ObjectClass, //
};

/// The most kinds of denials with a record of their own; one more counts all others.
pub const MAX_RECORDS: usize = 16;

/// Whether the log should tell of a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// There has not been a denial of this kind before.
    New,
    /// There has.
    Known,
}

/// The denials of one component.
pub struct Denials {
    records: [Option<DenialRecord>; MAX_RECORDS],
    others: Option<DenialRecord>,
}

impl Denials {
    /// Nothing was refused so far.
    pub const NONE: Self = Self {
        records: [None; MAX_RECORDS],
        others: None,
    };

    /// Counts a denial at a time in nanoseconds since the start of the system.
    pub fn add(&mut self, denial: DenialRecord) -> Novelty {
        for slot in &mut self.records {
            match slot {
                Some(known) if !is_same_kind(known, &denial) => continue,
                _ => return merge(slot, denial),
            }
        }
        let other = DenialRecord {
            hook: Hook::Any,
            class: ObjectClass::Any,
            key: None,
            ..denial
        };
        merge(&mut self.others, other)
    }

    /// All records, in the order of their first denial.
    pub fn iter(&self) -> impl Iterator<Item = &DenialRecord> {
        self.records.iter().chain([&self.others]).flatten()
    }
}

/// The record of one denial.
pub fn record(
    component: ComponentId,
    hook: Hook,
    access: &Access<'_>,
    denial: &Denial,
    now: u64,
) -> DenialRecord {
    DenialRecord {
        component,
        count: 1,
        last: now,
        hook,
        class: access.object_class(),
        errno: denial.errno,
        key: denial.key,
    }
}

/// Whether two records are of the same kind of denial of the same component.
fn is_same_kind(one: &DenialRecord, other: &DenialRecord) -> bool {
    (one.hook, one.class, one.errno, one.key) == (other.hook, other.class, other.errno, other.key)
}

/// Adds a denial to a record, or makes the record. The time of a record never goes back, whichever processor
/// came first.
fn merge(slot: &mut Option<DenialRecord>, denial: DenialRecord) -> Novelty {
    match slot {
        None => {
            *slot = Some(denial);
            Novelty::New
        }
        Some(known) => {
            *known = DenialRecord {
                count: known.count.saturating_add(denial.count),
                last: known.last.max(denial.last),
                ..denial
            };
            Novelty::Known
        }
    }
}

/// The most lines that the denials of all components write to the kernel log in [`Lines::PERIOD`].
pub const MAX_LINES: usize = 10;

/// What will be written to the kernel log: a few lines, however many components find however many ways to be
/// refused.
pub struct Lines {
    waiting: [Option<DenialRecord>; MAX_LINES],
    since: u64,
    admitted: usize,
}

impl Lines {
    /// In which [`MAX_LINES`] are admitted, in nanoseconds.
    pub const PERIOD: u64 = 5_000_000_000;

    /// There is nothing to write.
    pub const NONE: Self = Self {
        waiting: [None; MAX_LINES],
        since: 0,
        admitted: 0,
    };

    /// Takes a line at a time in nanoseconds since the start of the system; false when there are too many.
    pub fn push(&mut self, record: DenialRecord, now: u64) -> bool {
        if now.saturating_sub(self.since) >= Self::PERIOD {
            self.since = now;
            self.admitted = 0;
        }
        if self.admitted >= MAX_LINES {
            return false;
        }
        let Some(slot) = self.waiting.iter_mut().find(|slot| slot.is_none()) else {
            return false;
        };
        *slot = Some(record);
        self.admitted = self.admitted.saturating_add(1);
        true
    }

    /// The next line to write.
    pub fn pop(&mut self) -> Option<DenialRecord> {
        self.waiting.iter_mut().find_map(Option::take)
    }
}
