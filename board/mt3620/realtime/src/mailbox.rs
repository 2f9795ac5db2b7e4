// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The mailbox between a real-time core and the high-level core.

use intercore::{Doorbells, Entry};

use crate::interrupts::{Interrupts, Line};
use crate::mmio::{Block, barrier};

const RING: usize = 0x14;
const DOORBELL_ENABLE: usize = 0x18;
const DOORBELL_STATUS: usize = 0x1C;
const FIFO_ENABLE: usize = 0x38;
const FIFO_STATUS: usize = 0x3C;
const COMMAND: usize = 0x50;
const DATA: usize = 0x54;
const COUNT: usize = 0x58;

/// All events of the FIFO. Their order is in dispute, so all are enabled, and the counter says what there is.
const FIFO_EVENTS: u32 = 0xF;

/// This core's end of the mailbox.
pub struct Mailbox {
    registers: Block,
}

impl Mailbox {
    pub(crate) fn new(registers: Block) -> Self {
        Self { registers }
    }

    /// Lets the high-level core wake this one. What it posted before is still there.
    pub(crate) fn open(&mut self, interrupts: &mut Interrupts) {
        self.registers.write(FIFO_ENABLE, FIFO_EVENTS);
        self.registers.write(DOORBELL_ENABLE, Doorbells::ALL.bits());
        for line in [Line::POSTED, Line::NOT_EMPTY, Line::DOORBELL] {
            interrupts.enable(line);
        }
    }

    /// Takes the next entry; none when there is none.
    pub fn take(&mut self) -> Option<Entry> {
        let events = self.registers.read(FIFO_STATUS);
        self.registers.write(FIFO_STATUS, events);
        if self.registers.read(COUNT) == 0 {
            return None;
        }
        // The command takes the entry with it, so the data is read before.
        let data = self.registers.read(DATA);
        let command = self.registers.read(COMMAND);
        Some(Entry { data, command })
    }

    /// Clears the doorbells of the high-level core; what they are about is looked for after this.
    pub fn clear(&mut self) {
        let rung = self.registers.read(DOORBELL_STATUS);
        self.registers.write(DOORBELL_STATUS, rung);
        barrier();
    }

    /// Rings the high-level core, after all that was written to shared memory.
    pub fn ring(&mut self, bells: Doorbells) {
        barrier();
        self.registers.write(RING, bells.bits());
    }
}
