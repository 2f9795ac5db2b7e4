// SPDX-License-Identifier: GPL-2.0-or-later
//! What the chip needs of its surroundings.

/// A real-time core: 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// IO0.
    Io0,
    /// IO1.
    Io1,
}

impl Core {
    /// Both, in their order.
    pub const ALL: [Self; 2] = [Self::Io0, Self::Io1];

    /// The core of this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Io0),
            1 => Some(Self::Io1),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Io0 => 0,
            Self::Io1 => 1,
        }
    }
}

/// A pair with one member for each real-time core.
#[derive(Clone, Debug, Default)]
pub struct PerCore<T>([T; 2]);

impl<T> PerCore<T> {
    /// Makes both.
    pub fn new(mut make: impl FnMut(Core) -> T) -> Self {
        Self([make(Core::Io0), make(Core::Io1)])
    }

    /// That of `core`.
    pub fn of(&self, core: Core) -> &T {
        let [first, second] = &self.0;
        match core {
            Core::Io0 => first,
            Core::Io1 => second,
        }
    }

    /// That of `core`, to be changed.
    pub fn of_mut(&mut self, core: Core) -> &mut T {
        let [first, second] = &mut self.0;
        match core {
            Core::Io0 => first,
            Core::Io1 => second,
        }
    }
}

/// Whose interrupt inputs are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The shared peripheral interrupts of the A7's interrupt controller.
    A7,
    /// The interrupts of a real-time core.
    M4(Core),
}

/// What the guest did that a developer may want to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The guest did what the hardware does not allow.
    GuestError,
    /// The guest used what is not modelled.
    Unimplemented,
}

/// The surroundings of a [`crate::chip::Chip`].
pub trait Host {
    /// The time of the machine, in nanoseconds.
    fn now(&self) -> u64;
    /// Wants [`crate::chip::Chip::tick`] to be called at this time, or not at all.
    fn set_timer(&mut self, at: Option<u64>);
    /// Sets an interrupt input.
    fn set_irq(&mut self, target: Target, number: u32, level: bool);
    /// Reads physical memory of the A7; the chip asks for RAM and flash only.
    fn read_memory(&mut self, address: u32, into: &mut [u8]) -> bool;
    /// Writes the memories of a stopped core, even those that it cannot write itself.
    fn write_core(&mut self, core: Core, address: u32, bytes: &[u8]) -> bool;
    /// Starts a core at a vector table, from reset. Answered by [`crate::chip::Chip::core_started`].
    fn start_core(&mut self, core: Core, vectors: u32);
    /// Stops a core. Answered by [`crate::chip::Chip::core_stopped`].
    fn stop_core(&mut self, core: Core);
    /// Lets a core reach a part of the A7's RAM, or takes that back.
    fn grant(&mut self, core: Core, slot: u32, range: Option<(u32, u32)>);
    /// Resets the whole machine.
    fn reset_machine(&mut self);
    /// Sends a line to whoever watches the pins.
    fn tell_pins(&mut self, line: &str);
    /// Reports what the guest did.
    fn complain(&mut self, kind: Complaint, text: &str);
}
