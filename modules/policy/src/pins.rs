// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Pins of the MT3620: which exist for apps, which share a block, and sets of them.

use core::fmt;

/// One more than the highest pin number that a set can hold.
const CAPACITY: u8 = 96;

/// The pins that belong to one part of the chip, first and last included: only one core can use the
/// pins of a block at a time, because the block's registers are given to a core as a whole.
const BLOCKS: [(u8, u8); 15] = [
    (0, 3),   // PWM 0
    (4, 7),   // PWM 1
    (8, 11),  // PWM 2
    (12, 15), // plain
    (16, 19), // plain
    (20, 23), // plain
    (26, 30), // ISU 0
    (31, 35), // ISU 1
    (36, 40), // ISU 2
    (41, 48), // ADC 0
    (56, 60), // I2S 0
    (61, 65), // I2S 1
    (66, 70), // ISU 3
    (71, 75), // ISU 4
    (80, 80), // single
];

/// A set of pins, by number.
///
/// Three words of 32 bits, and not one of 128, since the kernel for 32-bit ARM has no 128-bit shifts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PinSet([u32; 3]);

impl PinSet {
    /// The set without members.
    pub const EMPTY: Self = Self([0; 3]);

    /// The pins that apps can use: 0 to 23, 26 to 48, 56 to 75 and 80.
    pub const USABLE: Self = {
        let mut set = Self::EMPTY;
        let mut blocks: &[(u8, u8)] = &BLOCKS;
        while let [(first, last), rest @ ..] = blocks {
            set = set.union(Self::range(*first, *last));
            blocks = rest;
        }
        set
    };

    /// The set of one pin; empty for a number that no pin of the chip has.
    #[must_use]
    pub const fn one(pin: u8) -> Self {
        let bit = 1 << (pin % 32);
        match pin / 32 {
            0 => Self([bit, 0, 0]),
            1 => Self([0, bit, 0]),
            2 => Self([0, 0, bit]),
            _ => Self::EMPTY,
        }
    }

    /// The pins from `first` to `last`, both included.
    #[must_use]
    pub const fn range(first: u8, last: u8) -> Self {
        let mut set = Self::EMPTY;
        let mut next = Some(first);
        while let Some(pin) = next {
            if pin > last {
                break;
            }
            set = set.union(Self::one(pin));
            next = pin.checked_add(1);
        }
        set
    }

    /// All pins of the blocks that the members lie in.
    #[must_use]
    pub fn blocks(self) -> Self {
        BLOCKS
            .iter()
            .map(|&(first, last)| Self::range(first, last))
            .filter(|block| block.overlaps(self))
            .fold(Self::EMPTY, Self::union)
    }

    /// The pins that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        let (Self([a, b, c]), Self([d, e, f])) = (self, other);
        Self([a | d, b | e, c | f])
    }

    /// The pins that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        let (Self([a, b, c]), Self([d, e, f])) = (self, other);
        Self([a & d, b & e, c & f])
    }

    /// Whether the sets have a pin in common.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        !self.intersection(other).is_empty()
    }

    /// Whether the pin is a member.
    #[must_use]
    pub const fn contains(self, pin: u8) -> bool {
        self.overlaps(Self::one(pin))
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        matches!(self, Self([0, 0, 0]))
    }

    /// The lowest pin.
    #[must_use]
    pub fn first(self) -> Option<u8> {
        self.iter().next()
    }

    /// The members, lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..CAPACITY).filter(move |&pin| self.contains(pin))
    }
}

impl fmt::Debug for PinSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}
