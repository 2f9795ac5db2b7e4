// SPDX-License-Identifier: GPL-2.0-or-later
//! A GPIO block: one bit a pin in most registers, most with an alias that sets bits and one that clears them.

use crate::options::LayoutB;
use crate::pads::{self, Drive};

/// What kind of block: where its input register lies, and what else it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Groups 0 to 5: a control register, and software control of the pulls in bit 31.
    Group,
    /// The pads of the converter.
    Adc,
    /// The pads of a serial unit, with its control register.
    Isu,
    /// The pads of an audio unit.
    I2s,
    /// The pads without a group.
    B(LayoutB),
}

impl Kind {
    const fn input(self) -> u32 {
        match self {
            Self::Group | Self::Adc => 0x04,
            Self::Isu => 0x0C,
            Self::I2s | Self::B(_) => 0x00,
        }
    }

    const fn has_control(self) -> bool {
        matches!(self, Self::Group | Self::Isu)
    }
}

// Registers, by the sixteen bytes that they have in the common layout.
const OUTPUT: usize = 1;
const DIRECTION: usize = 2;
const PULL_UP: usize = 3;
const PULL_DOWN: usize = 4;
const INPUT_ENABLE: usize = 6;
const SLOTS: usize = 12;

/// Registers with more than one bit a pin: they have no aliases.
const WIDE: [usize; 3] = [7, 8, 9];

const SOFTWARE_PULLS: u32 = 1 << 31;

/// One block.
#[derive(Debug)]
pub struct Gpio {
    kind: Kind,
    pins: u32,
    inputs_on: bool,
    control: u32,
    slots: [u32; SLOTS],
}

/// There is no such register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRegister;

impl Gpio {
    /// The block of this number, after power-on.
    #[must_use]
    pub fn new(block: usize, kind: Kind, inputs_on: bool) -> Self {
        let mut gpio = Self {
            kind,
            pins: pads::pins_of(block),
            inputs_on,
            control: 0,
            slots: [0; SLOTS],
        };
        gpio.reset();
        gpio
    }

    /// Brings it into the state after power-on.
    pub fn reset(&mut self) {
        self.control = 0;
        self.slots = [0; SLOTS];
        if let Some(enabled) = self.slots.get_mut(INPUT_ENABLE).filter(|_| self.inputs_on) {
            *enabled = self.pins;
        }
    }

    fn slot(&self, slot: usize) -> u32 {
        self.slots.get(slot).copied().unwrap_or(0)
    }

    /// What it does with the pad of a bit, in the mode in which the pad is its own.
    #[must_use]
    pub fn drive(&self, bit: u32) -> Drive {
        let is = |slot| self.slot(slot) >> bit & 1 != 0;
        Drive {
            output: is(DIRECTION).then(|| is(OUTPUT)),
            pull_up: is(PULL_UP),
            pull_down: is(PULL_DOWN),
        }
    }

    /// Which register an offset is: its slot, and 0 for itself, 4 for the alias that sets, 8 for the one that clears.
    fn decode(&self, offset: u32) -> Option<(usize, u32)> {
        let row = usize::try_from(offset >> 4).ok()?;
        let slot = match self.kind {
            Kind::B(LayoutB::Mediatek) if row == 1 => Some(1),
            Kind::B(LayoutB::Mediatek) => {
                (row % 2 == 1 && (3..=13).contains(&row)).then(|| row.div_ceil(2))
            }
            _ => (1..SLOTS).contains(&row).then_some(row),
        }?;
        let part = offset & 0xF;
        (part == 0 || !WIDE.contains(&slot) && (part == 4 || part == 8)).then_some((slot, part))
    }

    /// Reads a register, with the levels of the pads in the bits of this block.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn read(&self, offset: u32, levels: u32) -> Result<u32, NoRegister> {
        if offset == self.kind.input() {
            return Ok(levels & self.slot(INPUT_ENABLE) & self.pins);
        }
        if offset == 0 && self.kind.has_control() {
            return Ok(self.control);
        }
        let (slot, part) = self.decode(offset).ok_or(NoRegister)?;
        Ok(if part == 0 { self.slot(slot) } else { 0 })
    }

    /// Writes a register.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn write(&mut self, offset: u32, value: u32) -> Result<(), NoRegister> {
        if offset == self.kind.input() {
            return Ok(());
        }
        if offset == 0 && self.kind.has_control() {
            self.control = value;
            return Ok(());
        }
        let (slot, part) = self.decode(offset).ok_or(NoRegister)?;
        let mask = match slot {
            _ if WIDE.contains(&slot) => u32::MAX,
            PULL_UP | PULL_DOWN if self.kind == Kind::Group => self.pins | SOFTWARE_PULLS,
            _ => self.pins,
        };
        let register = self.slots.get_mut(slot).ok_or(NoRegister)?;
        *register = match part {
            0 => value,
            4 => *register | value,
            _ => *register & !value,
        } & mask;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pads::BLOCK_B;

    #[test]
    fn set_and_clear_change_only_their_bits() {
        for row in [1, 2, 3, 4, 5, 6, 10, 11] {
            let mut gpio = Gpio::new(0, Kind::Group, false);
            let base = row << 4;
            gpio.write(base, 0b0101).unwrap();
            gpio.write(base + 4, 0b0010).unwrap();
            assert_eq!(gpio.read(base, 0), Ok(0b0111), "{base:#x}");
            gpio.write(base + 8, 0b0101).unwrap();
            assert_eq!(gpio.read(base, 0), Ok(0b0010), "{base:#x}");
            assert_eq!(
                (gpio.read(base + 4, 0), gpio.read(base + 8, 0)),
                (Ok(0), Ok(0)),
                "aliases read zero"
            );
            gpio.write(base + 4, 0x0FFF_FFF0).unwrap();
            assert_eq!(gpio.read(base, 0), Ok(0b0010), "no bits without a pin");
        }
    }

    #[test]
    fn bit_31_of_the_pulls_exists_in_groups_only() {
        for (block, kind, expected) in [(0, Kind::Group, SOFTWARE_PULLS), (7, Kind::Isu, 0)] {
            let mut gpio = Gpio::new(block, kind, false);
            gpio.write(0x34, SOFTWARE_PULLS).unwrap();
            assert_eq!(gpio.read(0x30, 0), Ok(expected));
        }
    }

    #[test]
    fn the_input_lies_where_the_kind_has_it_and_needs_its_enable() {
        for (block, kind, offset) in [
            (0, Kind::Group, 0x04),
            (10, Kind::Adc, 0x04),
            (7, Kind::Isu, 0x0C),
            (11, Kind::I2s, 0x00),
            (BLOCK_B, Kind::B(LayoutB::Linux), 0x00),
        ] {
            let gpio = Gpio::new(block, kind, true);
            assert_eq!(
                gpio.read(offset, 0xFFFF_FFF5),
                Ok(0xFFFF_FFF5 & pads::pins_of(block))
            );
            let mut gpio = Gpio::new(block, kind, false);
            assert_eq!(gpio.read(offset, 0xF), Ok(0));
            let enable = if block == BLOCK_B { 0x64 } else { 0x60 };
            gpio.write(enable, 0b100).unwrap();
            assert_eq!(gpio.read(offset, 0xF), Ok(0b100));
        }
    }

    #[test]
    fn the_disputed_block_has_one_of_two_layouts() {
        for (layout, there, elsewhere) in [
            (LayoutB::Mediatek, 0x30, 0x20),
            (LayoutB::Linux, 0x20, 0x30),
        ] {
            let mut gpio = Gpio::new(BLOCK_B, Kind::B(layout), true);
            gpio.write(0x14, 0b1).unwrap();
            gpio.write(elsewhere + 4, 0b1).unwrap_or(());
            assert_eq!(gpio.drive(0).output, None);
            gpio.write(there + 4, 0b1).unwrap();
            assert_eq!(gpio.drive(0).output, Some(true));
        }
        let gpio = Gpio::new(BLOCK_B, Kind::B(LayoutB::Mediatek), true);
        assert_eq!(gpio.read(0x20, 0), Err(NoRegister));
        assert_eq!(gpio.read(0xB0, 0), Ok(pads::pins_of(BLOCK_B)));
    }

    #[test]
    fn outputs_and_pulls_reach_the_pad() {
        let mut gpio = Gpio::new(2, Kind::Group, true);
        assert_eq!(gpio.drive(0), Drive::default());
        gpio.write(0x34, 0b10).unwrap();
        gpio.write(0x44, 0b100).unwrap();
        gpio.write(0x24, 0b1).unwrap();
        assert_eq!(gpio.drive(0).output, Some(false));
        assert!(gpio.drive(1).pull_up && gpio.drive(2).pull_down);
        gpio.reset();
        assert_eq!(gpio.drive(0), Drive::default());
    }

    #[test]
    fn wide_registers_have_no_aliases() {
        let mut gpio = Gpio::new(0, Kind::Group, true);
        gpio.write(0x70, 0xE4).unwrap();
        assert_eq!(gpio.read(0x70, 0), Ok(0xE4));
        assert_eq!(gpio.write(0x74, 1), Err(NoRegister));
        assert_eq!(gpio.write(0x100, 1), Err(NoRegister));
    }
}
