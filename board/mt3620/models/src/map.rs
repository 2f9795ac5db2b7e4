// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the blocks lie. Placeholders and aids are named so: the chip's own place is not public, or it has no such block.

use crate::host::Core;

/// Whose addresses are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// The A7's.
    A7,
    /// Those of one real-time core.
    M4(Core),
}

/// A block of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// The pin multiplexer.
    Pinmux,
    /// A GPIO block, by its number.
    Gpio(usize),
    /// The A7's end of a mailbox: 0 with the HSP, 1 and 2 with the real-time cores.
    Mailbox(usize),
    /// An aid: the HSP's end of mailbox 0, since there is no HSP.
    MailboxHsp,
    /// A real-time core's end of its mailbox with the A7.
    MailboxM4(Core),
    /// A real-time core's end of the mailbox between them.
    MailboxBetween(Core),
    /// The A7's conditioning of external interrupts.
    CirqA7,
    /// That of a real-time core.
    CirqM4(Core),
    /// The A7's watchdog.
    WatchdogA7,
    /// That of a real-time core.
    WatchdogM4(Core),
    /// A real-time core's timers.
    Gpt(Core),
    /// An aid: start, stop and permissions of the real-time cores, on the chip the business of secure calls.
    CoreControl,
}

/// A block and where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// What it is called.
    pub name: &'static str,
    /// Whose address it is.
    pub space: Space,
    /// The address.
    pub base: u32,
    /// Its size.
    pub size: u32,
    /// The block.
    pub block: Block,
}

const fn a7(name: &'static str, base: u32, size: u32, block: Block) -> Region {
    Region {
        name,
        space: Space::A7,
        base,
        size,
        block,
    }
}

const fn m4(core: Core, name: &'static str, base: u32, size: u32, block: Block) -> Region {
    Region {
        name,
        space: Space::M4(core),
        base,
        size,
        block,
    }
}

use Core::{Io0, Io1};

/// All of them.
pub const REGIONS: [Region; 34] = [
    a7("pinmux", 0x3001_0000, 0x1000, Block::Pinmux),
    a7("gpio-b", 0x3002_0000, 0x1000, Block::Gpio(6)),
    a7("gpio-adc", 0x3800_0000, 0x100, Block::Gpio(10)),
    a7("gpio-group0", 0x3801_0000, 0x100, Block::Gpio(0)),
    a7("gpio-group1", 0x3802_0000, 0x100, Block::Gpio(1)),
    a7("gpio-group2", 0x3803_0000, 0x100, Block::Gpio(2)),
    a7("gpio-group3", 0x3804_0000, 0x100, Block::Gpio(3)),
    a7("gpio-group4", 0x3805_0000, 0x100, Block::Gpio(4)),
    a7("gpio-group5", 0x3806_0000, 0x100, Block::Gpio(5)),
    a7("gpio-isu0", 0x3807_0000, 0x100, Block::Gpio(7)),
    a7("gpio-isu1", 0x3808_0000, 0x100, Block::Gpio(8)),
    a7("gpio-isu2", 0x3809_0000, 0x100, Block::Gpio(9)),
    a7("gpio-isu3", 0x380A_0000, 0x100, Block::Gpio(13)),
    a7("gpio-isu4", 0x380B_0000, 0x100, Block::Gpio(14)),
    a7("gpio-isu5", 0x380C_0000, 0x100, Block::Gpio(15)),
    a7("gpio-i2s0", 0x380D_0100, 0x100, Block::Gpio(11)),
    a7("gpio-i2s1", 0x380E_0100, 0x100, Block::Gpio(12)),
    a7("mailbox-hsp", 0x3100_0000, 0x1_0000, Block::Mailbox(0)),
    a7("mailbox-io0", 0x3101_0000, 0x1_0000, Block::Mailbox(1)),
    a7("mailbox-io1", 0x3102_0000, 0x1_0000, Block::Mailbox(2)),
    a7("mailbox-hsp-end", 0x3F02_0000, 0x1000, Block::MailboxHsp),
    a7("cirq", 0x3106_0000, 0x1000, Block::CirqA7),
    a7("watchdog", 0x3005_0000, 0x1000, Block::WatchdogA7),
    a7("core-control", 0x3F00_0000, 0x1000, Block::CoreControl),
    m4(Io0, "io0-cirq", 0x2100_0000, 0x1000, Block::CirqM4(Io0)),
    m4(
        Io0,
        "io0-watchdog",
        0x2102_0000,
        0x1000,
        Block::WatchdogM4(Io0),
    ),
    m4(Io0, "io0-gpt", 0x2103_0000, 0x1000, Block::Gpt(Io0)),
    m4(
        Io0,
        "io0-mailbox-a7",
        0x2105_0000,
        0x1_0000,
        Block::MailboxM4(Io0),
    ),
    m4(
        Io0,
        "io0-mailbox-m4",
        0x2106_0000,
        0x1_0000,
        Block::MailboxBetween(Io0),
    ),
    m4(Io1, "io1-cirq", 0x2100_0000, 0x1000, Block::CirqM4(Io1)),
    m4(
        Io1,
        "io1-watchdog",
        0x2102_0000,
        0x1000,
        Block::WatchdogM4(Io1),
    ),
    m4(Io1, "io1-gpt", 0x2103_0000, 0x1000, Block::Gpt(Io1)),
    m4(
        Io1,
        "io1-mailbox-a7",
        0x2105_0000,
        0x1_0000,
        Block::MailboxM4(Io1),
    ),
    m4(
        Io1,
        "io1-mailbox-m4",
        0x2106_0000,
        0x1_0000,
        Block::MailboxBetween(Io1),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_blocks_share_an_address() {
        for (index, one) in REGIONS.iter().enumerate() {
            for other in REGIONS
                .iter()
                .skip(index + 1)
                .filter(|other| other.space == one.space)
            {
                assert!(
                    one.base + one.size <= other.base || other.base + other.size <= one.base,
                    "{} and {}",
                    one.name,
                    other.name
                );
                assert_ne!(one.name, other.name);
            }
        }
    }
}
