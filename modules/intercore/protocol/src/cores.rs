// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Which real-time app runs on which core.

use core::fmt;

use policy::ComponentId;

/// The real-time cores of the chip.
pub const CORES: usize = 2;

/// Each core with what belongs to the app that runs on it.
///
/// Whoever uses a core holds a [`Ticket`] and no reference. Stopping takes the app off the list first, which voids all
/// tickets at once; nobody finds a core that is half stopped.
#[derive(Debug)]
pub struct Cores<T> {
    slots: [Slot<T>; CORES],
}

#[derive(Debug)]
struct Slot<T> {
    /// Counts the starts, so that a ticket for an earlier one is void.
    starts: u32,
    app: Option<(ComponentId, T)>,
}

/// One run of an app on a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    core: usize,
    starts: u32,
}

/// Why an app cannot be started on a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// There is no such core.
    NoCore,
    /// Another app runs on it.
    Busy,
    /// The app runs already, on this core or on the other one.
    Running,
    /// The nil id is no app.
    Nil,
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoCore => "there is no such real-time core",
            Self::Busy => "another app runs on the core",
            Self::Running => "the app runs already",
            Self::Nil => "the nil component id is no app",
        })
    }
}

impl core::error::Error for StartError {}

impl<T> Default for Cores<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Cores<T> {
    /// Nothing runs.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [const {
                Slot {
                    starts: 0,
                    app: None,
                }
            }; CORES],
        }
    }

    /// An app runs on a core from now on.
    ///
    /// # Errors
    ///
    /// Why it cannot; nothing has changed then.
    pub fn start(
        &mut self,
        core: usize,
        component: ComponentId,
        with: T,
    ) -> Result<Ticket, StartError> {
        if component == ComponentId::NIL {
            return Err(StartError::Nil);
        }
        if self.find(component).is_some() {
            return Err(StartError::Running);
        }
        let slot = self.slots.get_mut(core).ok_or(StartError::NoCore)?;
        if slot.app.is_some() {
            return Err(StartError::Busy);
        }
        slot.starts = slot.starts.wrapping_add(1);
        slot.app = Some((component, with));
        let starts = slot.starts;
        Ok(Ticket { core, starts })
    }

    /// The app of a core runs no longer. What belonged to it comes back, and can be taken down at leisure.
    pub fn stop(&mut self, core: usize) -> Option<(ComponentId, T)> {
        self.slots.get_mut(core)?.app.take()
    }

    /// The run of an app.
    #[must_use]
    pub fn find(&self, component: ComponentId) -> Option<Ticket> {
        self.slots.iter().enumerate().find_map(|(core, slot)| {
            let (running, _) = slot.app.as_ref()?;
            (*running == component).then_some(Ticket {
                core,
                starts: slot.starts,
            })
        })
    }

    /// The run of the app on a core.
    #[must_use]
    pub fn running(&self, core: usize) -> Option<Ticket> {
        let slot = self.slots.get(core)?;
        let starts = slot.starts;
        slot.app.as_ref().map(|_| Ticket { core, starts })
    }

    /// What belongs to a run; none when it is over.
    pub fn get(&mut self, ticket: Ticket) -> Option<&mut T> {
        let slot = self.slots.get_mut(ticket.core)?;
        let (_, with) = slot.app.as_mut()?;
        (slot.starts == ticket.starts).then_some(with)
    }
}
