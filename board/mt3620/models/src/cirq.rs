// SPDX-License-Identifier: GPL-2.0-or-later
//! The conditioning of external interrupts: which level or edge of pins 0 to 23 interrupts a core. The A7 has one such block,
//! and so has each real-time core.
//!
//! Debouncing is stored and has no effect: the pins of an emulated chip do not bounce.

use crate::pads::EINTS;

const SENSE: u32 = 0x200;
const STATUS: u32 = 0x280;
const DISABLE: u32 = 0x600;
const WORDS: usize = 4;

const DUAL_EDGE: u32 = 1 << 7;
const HIGH: u32 = 1 << 8;
const CONFIG_MASK: u32 = 0x3FF;

/// Whose block it is: the bits of its arrays are the numbers of that core's interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The A7: an edge stays pending here until it is acknowledged.
    A7,
    /// A real-time core, whose own interrupt controller keeps edges.
    M4,
}

impl Kind {
    /// The interrupt of a pin.
    #[must_use]
    pub const fn interrupt(self, pin: u32) -> u32 {
        match self {
            Self::A7 if pin < 4 => 17 + pin,
            Self::A7 => 61 - 4 + pin,
            Self::M4 => 20 + pin,
        }
    }
}

/// One block.
#[derive(Debug)]
pub struct Cirq {
    kind: Kind,
    config: [u32; EINTS],
    sense: u128,
    disabled: u128,
    pending: u128,
    levels: u32,
    connected: u32,
}

/// There is no such register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRegister;

fn word(bits: u128, index: u32) -> u32 {
    u32::try_from(bits >> (32 * index) & 0xFFFF_FFFF).unwrap_or(0)
}

fn replaced(bits: u128, index: u32, value: u32) -> u128 {
    bits & !(0xFFFF_FFFF << (32 * index)) | u128::from(value) << (32 * index)
}

/// The index of a word of the array that begins at `array`.
fn index(array: u32, offset: u32) -> Option<u32> {
    let index = offset.checked_sub(array)? / 4;
    (usize::try_from(index).ok()? < WORDS).then_some(index)
}

impl Cirq {
    /// A block after power-on.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            config: [0; EINTS],
            sense: 0,
            disabled: 0,
            pending: 0,
            levels: 0,
            connected: 0,
        }
    }

    /// Brings it into the state after power-on; the pins stay as they are.
    pub fn reset(&mut self) {
        *self = Self {
            levels: self.levels,
            connected: self.connected,
            ..Self::new(self.kind)
        };
    }

    fn config_of(&self, pin: u32) -> u32 {
        usize::try_from(pin)
            .ok()
            .and_then(|pin| self.config.get(pin))
            .copied()
            .unwrap_or(0)
    }

    fn is_level(&self, pin: u32) -> bool {
        self.sense >> self.kind.interrupt(pin) & 1 != 0
    }

    /// Tells it the levels of the pins, and which of them are external interrupts at all. Gives the interrupts, as bits,
    /// that were only a pulse.
    pub fn set_pins(&mut self, levels: u32, connected: u32) -> u128 {
        let changed = (levels ^ self.levels) & connected & self.connected;
        (self.levels, self.connected) = (levels, connected);
        let mut edges = 0;
        for pin in (0..)
            .zip(self.config)
            .map(|(pin, _)| pin)
            .filter(|pin| changed >> pin & 1 != 0)
        {
            let rose = levels >> pin & 1 != 0;
            let config = self.config_of(pin);
            if !self.is_level(pin) && (config & DUAL_EDGE != 0 || rose == (config & HIGH != 0)) {
                edges |= 1_u128 << self.kind.interrupt(pin);
            }
        }
        match self.kind {
            Kind::A7 => {
                self.pending |= edges;
                0
            }
            Kind::M4 => edges & !self.disabled,
        }
    }

    /// Pending interrupts: edges that nobody has acknowledged, and levels.
    fn status(&self) -> u128 {
        let levels = (0..).zip(self.config).filter(|(pin, config)| {
            self.is_level(*pin)
                && self.connected >> pin & 1 != 0
                && (self.levels >> pin & 1 != 0) == (config & HIGH != 0)
        });
        levels.fold(self.pending, |all, (pin, _)| {
            all | 1 << self.kind.interrupt(pin)
        })
    }

    /// The interrupt lines, as bits.
    #[must_use]
    pub fn lines(&self) -> u128 {
        self.status() & !self.disabled
    }

    /// Reads a register.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn read(&self, offset: u32) -> Result<u32, NoRegister> {
        if let Some(config) = usize::try_from(offset / 4)
            .ok()
            .and_then(|pin| self.config.get(pin))
        {
            return Ok(*config);
        }
        [
            (SENSE, self.sense),
            (STATUS, self.status()),
            (DISABLE, self.disabled),
        ]
        .into_iter()
        .find_map(|(array, bits)| index(array, offset).map(|index| word(bits, index)))
        .ok_or(NoRegister)
    }

    /// Writes a register.
    ///
    /// # Errors
    ///
    /// There is none at this offset.
    pub fn write(&mut self, offset: u32, value: u32) -> Result<(), NoRegister> {
        if let Some(config) = usize::try_from(offset / 4)
            .ok()
            .and_then(|pin| self.config.get_mut(pin))
        {
            *config = value & CONFIG_MASK;
        } else if let Some(index) = index(SENSE, offset) {
            self.sense = replaced(self.sense, index, value);
        } else if let Some(index) = index(STATUS, offset) {
            self.pending &= !replaced(0, index, value);
        } else if let Some(index) = index(DISABLE, offset) {
            self.disabled = replaced(self.disabled, index, value);
        } else {
            return Err(NoRegister);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u32 = 0xFF_FFFF;

    #[test]
    fn interrupts_have_the_published_numbers() {
        assert_eq!(
            [0, 3, 4, 23].map(|pin| Kind::A7.interrupt(pin) + 32),
            [49, 52, 93, 112]
        );
        assert_eq!([0, 23].map(|pin| Kind::M4.interrupt(pin)), [20, 43]);
    }

    #[test]
    fn an_edge_stays_until_it_is_acknowledged() {
        for (config, rising, falling) in [
            (0, false, true),
            (HIGH, true, false),
            (DUAL_EDGE, true, true),
        ] {
            for pin in [0, 12] {
                let mut cirq = Cirq::new(Kind::A7);
                cirq.set_pins(0, ALL);
                cirq.write(4 * pin, config).unwrap();
                let interrupt = Kind::A7.interrupt(pin);
                for (levels, expected) in [(1 << pin, rising), (0, falling)] {
                    assert_eq!(cirq.set_pins(levels, ALL), 0);
                    assert_eq!(
                        cirq.lines() == 1 << interrupt,
                        expected,
                        "pin {pin}, {config:#x}, {levels:#x}"
                    );
                    let word = interrupt / 32 * 4;
                    assert_eq!(
                        cirq.read(STATUS + word).unwrap() >> (interrupt % 32) & 1,
                        u32::from(expected)
                    );
                    cirq.write(STATUS + word, 1 << (interrupt % 32)).unwrap();
                    assert_eq!(cirq.lines(), 0);
                }
            }
        }
    }

    #[test]
    fn a_level_follows_the_pin_and_is_not_acknowledged_away() {
        for (config, active) in [(0, 0), (HIGH, 1 << 5)] {
            let mut cirq = Cirq::new(Kind::A7);
            let interrupt = Kind::A7.interrupt(5);
            let (word, bit) = (interrupt / 32 * 4, 1 << (interrupt % 32));
            cirq.write(4 * 5, config).unwrap();
            cirq.write(SENSE + word, bit).unwrap();
            cirq.set_pins(active, ALL);
            assert_eq!(cirq.lines(), 1 << interrupt);
            cirq.write(STATUS + word, bit).unwrap();
            assert_eq!(cirq.lines(), 1 << interrupt);
            cirq.write(DISABLE + word, bit).unwrap();
            assert_eq!(cirq.lines(), 0);
            cirq.write(DISABLE + word, 0).unwrap();
            cirq.set_pins(active ^ 1 << 5, ALL);
            assert_eq!(cirq.lines(), 0);
        }
    }

    #[test]
    fn a_real_time_core_gets_a_pulse() {
        let mut cirq = Cirq::new(Kind::M4);
        cirq.set_pins(0, ALL);
        cirq.write(4 * 12, HIGH).unwrap();
        assert_eq!(cirq.set_pins(1 << 12, ALL), 1 << 32);
        assert_eq!(cirq.lines(), 0);
        assert_eq!(cirq.set_pins(0, ALL), 0);
        cirq.write(DISABLE + 4, 1).unwrap();
        assert_eq!(cirq.set_pins(1 << 12, ALL), 0);
    }

    #[test]
    fn a_pin_of_something_else_is_no_interrupt() {
        let mut cirq = Cirq::new(Kind::A7);
        cirq.write(0, DUAL_EDGE).unwrap();
        cirq.set_pins(0, 0);
        cirq.set_pins(1, 0);
        cirq.set_pins(1, 1);
        assert_eq!(cirq.lines(), 0, "to be connected is no edge");
        cirq.set_pins(0, 1);
        assert_ne!(cirq.lines(), 0);
        cirq.reset();
        assert_eq!(cirq.lines(), 0);
        assert_eq!(
            (cirq.read(0x100), cirq.write(0x104, 0)),
            (Err(NoRegister), Err(NoRegister))
        );
    }
}
