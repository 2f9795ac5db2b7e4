// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Pins 0 to 23, which both kinds of cores see, each at most one of them at a time.

use crate::interrupts::Line;
use crate::mmio::Block;

/// The first of six groups of four pins, and the distance between two.
const GROUPS: usize = 0x3801_0000;
const GROUP_SIZE: usize = 0x1_0000;

/// Registers of a group, and their aliases that set and clear bits.
const INPUT: usize = 0x04;
const OUTPUT_SET: usize = 0x14;
const OUTPUT_CLEAR: usize = 0x18;
const DIRECTION_SET: usize = 0x24;
const DIRECTION_CLEAR: usize = 0x28;
const INPUT_ENABLE_SET: usize = 0x64;

/// Of the interrupt conditioning: both edges, and the acknowledgement.
const CONFIGURATION: usize = 0x00;
const BOTH_EDGES: u32 = 1 << 7;
const SENSE: usize = 0x200;
const ACKNOWLEDGE: usize = 0x280;

/// All pins that have an interrupt line.
pub struct Pins {
    conditioning: Block,
    taken: u32,
}

/// Which way a pin works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It is read.
    Input,
    /// It drives, low at first.
    Output,
}

/// A pin.
pub struct Pin {
    registers: Block,
    number: u8,
}

impl Pins {
    pub(crate) fn new(conditioning: Block) -> Self {
        Self {
            conditioning,
            taken: 0,
        }
    }

    /// A pin, which the app's manifest must ask for; none when there is no such pin, or it was taken before.
    pub fn take(&mut self, number: u8, direction: Direction) -> Option<Pin> {
        let mask = 1u32
            .checked_shl(u32::from(number))
            .filter(|_| number < 24)?;
        if self.taken & mask != 0 {
            return None;
        }
        self.taken |= mask;
        let group = GROUPS + usize::from(number / 4) * GROUP_SIZE;
        // SAFETY: There are six groups of four pins. Of the registers that pins share, only aliases are used
        // that touch one pin, and each pin has one owner.
        let registers = unsafe { Block::new(group) };
        let mut pin = Pin { registers, number };
        match direction {
            Direction::Input => {
                pin.act(INPUT_ENABLE_SET);
                pin.act(DIRECTION_CLEAR);
            }
            Direction::Output => {
                pin.set(false);
                pin.act(DIRECTION_SET);
            }
        }
        Some(pin)
    }

    /// Lets both edges of a pin raise its line, which [`crate::Core::enable`] then lets end a sleep.
    pub fn watch(&mut self, pin: &Pin) -> Line {
        let line = Line::of_pin(pin.number);
        let (word, mask) = (
            usize::from(20 + pin.number) / 32 * 4,
            1 << ((20 + pin.number) % 32),
        );
        self.conditioning
            .write(CONFIGURATION + 4 * usize::from(pin.number), BOTH_EDGES);
        let sense = self.conditioning.read(SENSE + word);
        self.conditioning.write(SENSE + word, sense & !mask);
        self.conditioning.write(ACKNOWLEDGE + word, mask);
        line
    }

    /// Takes note of an edge, so that the next one is seen.
    pub fn acknowledge(&mut self, pin: &Pin) {
        let (word, mask) = (
            usize::from(20 + pin.number) / 32 * 4,
            1 << ((20 + pin.number) % 32),
        );
        self.conditioning.write(ACKNOWLEDGE + word, mask);
    }
}

impl Pin {
    fn act(&mut self, register: usize) {
        self.registers.write(register, 1 << (self.number % 4));
    }

    /// Drives it high or low.
    pub fn set(&mut self, high: bool) {
        self.act(if high { OUTPUT_SET } else { OUTPUT_CLEAR });
    }

    /// Whether it is high.
    #[must_use]
    pub fn is_high(&self) -> bool {
        self.registers.read(INPUT) & (1 << (self.number % 4)) != 0
    }
}
