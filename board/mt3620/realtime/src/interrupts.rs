// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The interrupt controller, as what ends a sleep, and the reset beside it.

use crate::mmio::{Block, barrier};

/// Offsets in the system control space.
const ENABLE: usize = 0x100;
const CLEAR_PENDING: usize = 0x280;
const PENDING: usize = 0x200;
const RESET: usize = 0xD0C;

/// The key without which a reset is not taken, and the request for one.
const RESET_REQUEST: u32 = 0x05FA_0004;

/// The registers of a kind, with 32 lines each.
const WORDS: usize = 4;

/// An interrupt line of a real-time core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line(u8);

impl Line {
    /// Timers 0 and 1.
    pub const TIMER: Self = Self(1);
    /// The high-level core has posted an entry.
    pub(crate) const POSTED: Self = Self(8);
    /// There are entries of the high-level core.
    pub(crate) const NOT_EMPTY: Self = Self(9);
    /// The high-level core's doorbells.
    pub const DOORBELL: Self = Self(11);

    /// The line of a pin that interrupts can come from, 0 to 23.
    pub(crate) const fn of_pin(pin: u8) -> Self {
        Self(20 + pin)
    }

    const fn word(self) -> usize {
        (self.0 / 32) as usize
    }

    const fn mask(self) -> u32 {
        1 << (self.0 % 32)
    }
}

/// The lines that ended a sleep.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pending([u32; WORDS]);

impl Pending {
    /// Whether the line is among them.
    #[must_use]
    pub fn contains(self, line: Line) -> bool {
        self.0
            .get(line.word())
            .is_some_and(|word| word & line.mask() != 0)
    }
}

/// The interrupt controller.
pub(crate) struct Interrupts {
    registers: Block,
    enabled: [u32; WORDS],
}

impl Interrupts {
    pub(crate) fn new(registers: Block) -> Self {
        Self {
            registers,
            enabled: [0; WORDS],
        }
    }

    /// Lets the line end a sleep.
    pub(crate) fn enable(&mut self, line: Line) {
        if let Some(word) = self.enabled.get_mut(line.word()) {
            *word |= line.mask();
            self.registers.write(ENABLE + 4 * line.word(), line.mask());
        }
    }

    /// Resets the core.
    pub(crate) fn reset(&mut self) -> ! {
        barrier();
        self.registers.write(RESET, RESET_REQUEST);
        loop {
            barrier();
        }
    }

    /// Sleeps until an enabled line is pending. They are no longer pending afterwards, so whoever serves a
    /// device clears it there **after** this, and then looks what there is to do.
    pub(crate) fn wait(&mut self) -> Pending {
        // SAFETY: Sleeping changes nothing. A masked interrupt ends it, also one that came before.
        unsafe { core::arch::asm!("dsb", "wfi", options(nostack, preserves_flags)) }
        let mut pending = Pending::default();
        for ((index, word), enabled) in pending.0.iter_mut().enumerate().zip(self.enabled) {
            *word = self.registers.read(PENDING + 4 * index) & enabled;
            self.registers.write(CLEAR_PENDING + 4 * index, *word);
        }
        pending
    }
}
