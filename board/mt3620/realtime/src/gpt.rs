// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The general purpose timers: one that wakes the app, one that counts.

use crate::interrupts::{Interrupts, Line};
use crate::mmio::Block;

const STATUS: usize = 0x00;
const INTERRUPT_ENABLE: usize = 0x04;
const TIMER_0_CONTROL: usize = 0x10;
const TIMER_0_COUNT: usize = 0x14;
const TIMER_2_CONTROL: usize = 0x30;
const TIMER_2_COUNT: usize = 0x34;

/// Of timer 0.
const ENABLE: u32 = 1 << 0;
const REPEAT: u32 = 1 << 1;
const FAST: u32 = 1 << 2;
/// Of timer 2.
const CLOCK_FAST: u32 = 1 << 1;

/// Ticks of the fast rate in a second.
const HERTZ: u64 = 32_768;

/// A timer that ends [`crate::Core::wait`].
pub struct Timer {
    registers: Block,
}

impl Timer {
    pub(crate) fn new(mut registers: Block, interrupts: &mut Interrupts) -> Self {
        registers.write(TIMER_0_CONTROL, 0);
        registers.write(STATUS, 1);
        registers.write(INTERRUPT_ENABLE, 1);
        interrupts.enable(Line::TIMER);
        Self { registers }
    }

    /// Begins anew: expires every so many milliseconds.
    pub fn every(&mut self, milliseconds: u32) {
        self.begin(milliseconds, REPEAT);
    }

    /// Begins anew: expires once, after so many milliseconds.
    pub fn once(&mut self, milliseconds: u32) {
        self.begin(milliseconds, 0);
    }

    fn begin(&mut self, milliseconds: u32, repeat: u32) {
        let ticks = u64::from(milliseconds) * HERTZ / 1000;
        self.registers.write(TIMER_0_CONTROL, 0);
        self.registers.write(STATUS, 1);
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX).max(1);
        self.registers.write(TIMER_0_COUNT, ticks);
        self.registers
            .write(TIMER_0_CONTROL, ENABLE | FAST | repeat);
    }

    /// Whether it expired since it was last asked.
    pub fn expired(&mut self) -> bool {
        let expired = self.registers.read(STATUS) & 1 != 0;
        if expired {
            self.registers.write(STATUS, 1);
        }
        expired
    }
}

/// A clock of 32768 ticks a second, which goes around after 36 hours.
pub struct Clock {
    registers: Block,
}

impl Clock {
    /// The ticks in a second.
    pub const HERTZ: u32 = 32_768;

    pub(crate) fn new(mut registers: Block) -> Self {
        registers.write(TIMER_2_CONTROL, ENABLE | CLOCK_FAST);
        Self { registers }
    }

    /// The ticks since the start.
    #[must_use]
    pub fn ticks(&self) -> u32 {
        self.registers.read(TIMER_2_COUNT)
    }
}
