// SPDX-License-Identifier: GPL-2.0-or-later
//! The 94 pads: which block has which, and the level of each.

/// Pins, numbered from 0.
pub const PINS: usize = 94;

/// The sixteen GPIO blocks.
pub const BLOCKS: usize = 16;

/// The block for pads without a group of their own, the one whose layout is disputed.
pub const BLOCK_B: usize = 6;

/// Pins that are external interrupts.
pub const EINTS: usize = 24;

/// Runs of pins: the first, how many, their block, and the bit of the first in it.
const RUNS: [(usize, usize, usize, u32); 18] = [
    (0, 4, 0, 0),
    (4, 4, 1, 0),
    (8, 4, 2, 0),
    (12, 4, 3, 0),
    (16, 4, 4, 0),
    (20, 4, 5, 0),
    (24, 2, BLOCK_B, 0),
    (26, 5, 7, 0),
    (31, 5, 8, 0),
    (36, 5, 9, 0),
    (41, 8, 10, 0),
    (49, 7, BLOCK_B, 2),
    (56, 5, 11, 0),
    (61, 5, 12, 0),
    (66, 5, 13, 0),
    (71, 5, 14, 0),
    (76, 5, 15, 0),
    (81, 13, BLOCK_B, 9),
];

/// The block of a pin and its bit there.
#[must_use]
pub fn place(pin: usize) -> Option<(usize, u32)> {
    RUNS.iter().find_map(|&(first, number, block, bit)| {
        let index = pin.checked_sub(first).filter(|index| *index < number)?;
        Some((block, bit + u32::try_from(index).ok()?))
    })
}

/// The bits of a block that are pins.
#[must_use]
pub fn pins_of(block: usize) -> u32 {
    (0..PINS)
        .filter_map(place)
        .filter(|(of, _)| *of == block)
        .fold(0, |mask, (_, bit)| mask | 1 << bit)
}

/// What the chip does with a pad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drive {
    /// The level that the chip puts out, if it does.
    pub output: Option<bool>,
    /// A pull-up is on.
    pub pull_up: bool,
    /// A pull-down is on.
    pub pull_down: bool,
}

/// The level of a pad, with what drives it from outside. An output of the chip wins, and a pad that nothing drives is low.
#[must_use]
pub fn level(drive: Drive, outside: Option<bool>) -> bool {
    drive
        .output
        .or(outside)
        .unwrap_or(drive.pull_up && !drive.pull_down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_has_a_place_of_its_own() {
        let mut places: Vec<_> = (0..PINS).map(|pin| place(pin).unwrap()).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), PINS);
        assert_eq!(place(PINS), None);
        // Some of the reference's own examples.
        assert_eq!(
            [place(8), place(49), place(81), place(93), place(80)].map(Option::unwrap),
            [(2, 0), (6, 2), (6, 9), (6, 21), (15, 4)]
        );
        assert_eq!(
            (pins_of(0), pins_of(10), pins_of(BLOCK_B), pins_of(13)),
            (0xF, 0xFF, 0x3F_FFFF, 0x1F)
        );
    }

    #[test]
    fn an_output_wins_over_outside_which_wins_over_a_pull() {
        let output = |value| Drive {
            output: Some(value),
            ..Drive::default()
        };
        let up = Drive {
            pull_up: true,
            ..Drive::default()
        };
        let down = Drive {
            pull_down: true,
            ..Drive::default()
        };
        assert!(level(output(true), Some(false)));
        assert!(!level(output(false), Some(true)));
        assert!(level(down, Some(true)));
        assert!(!level(up, Some(false)));
        assert!(level(up, None));
        assert!(!level(down, None));
        assert!(!level(Drive::default(), None));
    }
}
