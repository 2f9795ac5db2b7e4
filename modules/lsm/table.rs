// SPDX-License-Identifier: GPL-2.0

//! What is known of each component, for a bounded number of them.
//!
//! There are no kernel types in it, so that it is tested on the host as well.

use policy::ComponentId;

/// The most components that have a rule set at the same time.
pub const MAX_COMPONENTS: usize = 64;

/// A value for each of at most [`MAX_COMPONENTS`] components.
pub struct Table<T> {
    entries: [Option<(ComponentId, T)>; MAX_COMPONENTS],
}

impl<T> Table<T> {
    /// No component is known.
    pub const EMPTY: Self = Self {
        entries: [const { None }; MAX_COMPONENTS],
    };

    /// The value of a component.
    pub fn get(&self, component: ComponentId) -> Option<&T> {
        let entry = self.entries().find(|(id, _)| *id == component);
        entry.map(|(_, value)| value)
    }

    /// Whether one more component has room.
    pub fn has_room(&self) -> bool {
        self.entries.iter().any(Option::is_none)
    }

    /// Adds a component that is not there yet; gives the value back when there is no room.
    pub fn insert(&mut self, component: ComponentId, value: T) -> Result<(), T> {
        match self.entries.iter_mut().find(|entry| entry.is_none()) {
            Some(entry) => {
                *entry = Some((component, value));
                Ok(())
            }
            None => Err(value),
        }
    }

    /// Takes a component out.
    pub fn remove(&mut self, component: ComponentId) -> Option<T> {
        let is_it = |entry: &&mut Option<(ComponentId, T)>| matches!(entry, Some((id, _)) if *id == component);
        let entry = self.entries.iter_mut().find(is_it)?;
        entry.take().map(|(_, value)| value)
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.entries().map(|(_, value)| value)
    }

    fn entries(&self) -> impl Iterator<Item = &(ComponentId, T)> {
        self.entries.iter().flatten()
    }
}
