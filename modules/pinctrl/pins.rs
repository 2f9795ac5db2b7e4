// SPDX-License-Identifier: GPL-2.0

//! The pins of the chip: their names, what they can do, and where their bits are.

use kernel::{
    c_str,
    pinctrl::{
        Function,
        Group,
        Name,
        PinDesc, //
    },
    prelude::*, //
};

use crate::registers::{
    Block,
    Eint,
    Mode, //
};

/// How many pins there are.
pub(crate) const COUNT: u16 = 94;

/// Makes the tables that have an entry for each pin.
macro_rules! pins {
    ($($number:literal)*) => {
        pub(crate) const PINS: &[PinDesc] =
            &[$(PinDesc::new($number, c_str!(concat!("GPIO", $number)))),*];

        /// Each pin is multiplexed on its own, so each is a group.
        pub(crate) const GROUPS: &[Group] =
            &[$(Group::new(c_str!(concat!("GPIO", $number)), &[$number])),*];

        pub(crate) const NAMES: &[Name] = &[$(Name::new(c_str!(concat!("GPIO", $number)))),*];
    };
}

pins! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34
    35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66
    67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93
}

const WITH_PWM: &[Name] = NAMES.split_at(12).0;
const WITH_EINT: &[Name] = NAMES.split_at(Eint::COUNT as usize).0;

/// What pins can do. The modes of pins 24 to 93 are not public, so they have their numbers, and a
/// device tree says which of them it means.
pub(crate) const FUNCTIONS: &[Function<Mode>] = &[
    Function::new(c_str!("gpio"), NAMES, Mode::GPIO),
    Function::new(c_str!("pwm"), WITH_PWM, Mode::PWM),
    Function::new(c_str!("eint"), WITH_EINT, Mode::EINT),
    Function::new(c_str!("counter"), WITH_EINT, Mode::COUNTER),
    Function::new(c_str!("mode1"), NAMES, Mode(1)),
    Function::new(c_str!("mode2"), NAMES, Mode(2)),
    Function::new(c_str!("mode3"), NAMES, Mode(3)),
    Function::new(c_str!("mode4"), NAMES, Mode(4)),
    Function::new(c_str!("mode5"), NAMES, Mode(5)),
    Function::new(c_str!("mode6"), NAMES, Mode(6)),
    Function::new(c_str!("mode7"), NAMES, Mode(7)),
];

/// Where a pin has its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pad {
    pub(crate) block: Block,
    pub(crate) bit: u32,
}

/// Pins with neighbouring bits: the first, the one behind the last, their block, and the first bit.
const SPANS: [(u32, u32, Block, u32); 18] = [
    (0, 4, Block::Group0, 0),
    (4, 8, Block::Group1, 0),
    (8, 12, Block::Group2, 0),
    (12, 16, Block::Group3, 0),
    (16, 20, Block::Group4, 0),
    (20, 24, Block::Group5, 0),
    (24, 26, Block::Unmapped, 0),
    (26, 31, Block::Isu0, 0),
    (31, 36, Block::Isu1, 0),
    (36, 41, Block::Isu2, 0),
    (41, 49, Block::Adc, 0),
    (49, 56, Block::Unmapped, 2),
    (56, 61, Block::I2s0, 0),
    (61, 66, Block::I2s1, 0),
    (66, 71, Block::Isu3, 0),
    (71, 76, Block::Isu4, 0),
    (76, 81, Block::Isu5, 0),
    (81, 94, Block::Unmapped, 9),
];

impl Pad {
    /// That of a pin; `EINVAL` if the chip has no such pin.
    pub(crate) fn of(pin: u32) -> Result<Self> {
        let (first, _, block, bit) = SPANS
            .into_iter()
            .find(|(first, end, ..)| (*first..*end).contains(&pin))
            .ok_or(EINVAL)?;
        Ok(Self {
            block,
            bit: bit + (pin - first),
        })
    }

    /// Its bit in the registers that have one for each pin of the block.
    pub(crate) const fn mask(self) -> u32 {
        1 << self.bit
    }
}
