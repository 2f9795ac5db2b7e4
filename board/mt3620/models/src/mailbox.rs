// SPDX-License-Identifier: GPL-2.0-or-later
//! A mailbox between two cores: a FIFO of command and data each way, eight doorbells each way, and a semaphore.

use std::collections::VecDeque;

use crate::options::{MailboxLayout, Options};

/// Entries that a FIFO holds.
pub const DEPTH: usize = 15;

const VERSION: u32 = 0x00;
const GEN_CTRL: u32 = 0x04;
const SW_TX_INT_PORT: u32 = 0x14;
const SW_RX_INT_EN: u32 = 0x18;
const SW_RX_INT_STS: u32 = 0x1C;
const FIFO_CTRL: u32 = 0x20;
const NF_THRS: u32 = 0x30;
const NE_THRS: u32 = 0x34;
const INT_EN: u32 = 0x38;
const INT_STS: u32 = 0x3C;
const CMD_POST: u32 = 0x40;
const DATA_POST: u32 = 0x44;
const POST_CNT: u32 = 0x48;
const CMD_POP: u32 = 0x50;
const DATA_POP: u32 = 0x54;
const POP_CNT: u32 = 0x58;
const SEMAPHORE: u32 = 0x60;

/// Of two ends, the one that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The A7, or IO0 between the real-time cores.
    A,
    /// The real-time core, or IO1 between them.
    B,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Which two cores a mailbox joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The A7 is side A.
    WithA7,
    /// Both are real-time cores.
    BetweenM4,
}

/// The interrupt lines of an end, in the order of the real-time cores' vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The peer has taken an entry.
    Read,
    /// The peer's FIFO has room.
    NotFull,
    /// The peer has posted an entry.
    Written,
    /// There are entries.
    NotEmpty,
    /// Any of these.
    Fifo,
    /// The peer has rung a doorbell.
    Software,
}

impl Line {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::NotFull,
        Self::Written,
        Self::NotEmpty,
        Self::Fifo,
        Self::Software,
    ];
}

/// The bits of the four FIFO events.
#[derive(Clone, Copy, Debug)]
struct Bits {
    read: u32,
    not_full: u32,
    written: u32,
    not_empty: u32,
}

impl Bits {
    const fn of(layout: MailboxLayout) -> Self {
        match layout {
            MailboxLayout::Mediatek => Self {
                not_empty: 1,
                written: 2,
                not_full: 4,
                read: 8,
            },
            MailboxLayout::Codethink => Self {
                read: 1,
                not_full: 2,
                written: 4,
                not_empty: 8,
            },
            MailboxLayout::Linux => Self {
                read: 1,
                written: 2,
                not_empty: 4,
                not_full: 8,
            },
        }
    }
}

/// One end: what its core sees.
#[derive(Debug, Default)]
struct End {
    /// Entries for this end, command and data.
    entries: VecDeque<(u32, u32)>,
    latch: u32,
    doorbells: u32,
    doorbells_on: u32,
    interrupts_on: u32,
    peer_read: bool,
    peer_wrote: bool,
    room_threshold: u32,
    entry_threshold: u32,
    fifo_control: u32,
}

/// What an access did that the guest should not have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// A post to a full FIFO is lost.
    PostToFull,
    /// A pop from an empty FIFO gives zero.
    PopFromEmpty,
    /// There is no such register.
    NoRegister,
}

/// A mailbox with both ends.
#[derive(Debug)]
pub struct Mailbox {
    kind: Kind,
    bits: Bits,
    options: Options,
    a: End,
    b: End,
    owner: u32,
}

impl Mailbox {
    /// A mailbox after power-on.
    #[must_use]
    pub fn new(kind: Kind, options: &Options) -> Self {
        let mut mailbox = Self {
            kind,
            bits: Bits::of(options.mailbox_layout),
            options: options.clone(),
            a: End::default(),
            b: End::default(),
            owner: 0,
        };
        mailbox.reset();
        mailbox
    }

    /// Resets both ends, with all entries.
    pub fn reset(&mut self) {
        self.owner = 0;
        for side in [Side::A, Side::B] {
            self.end_mut(side).entries.clear();
            self.reset_end(side);
        }
    }

    /// Drops the entries of both directions: a core starts.
    pub fn flush(&mut self) {
        self.a.entries.clear();
        self.b.entries.clear();
    }

    /// Brings an end into the state after reset; its entries are the caller's business.
    pub fn reset_end(&mut self, side: Side) {
        let first = if side == Side::A && self.kind == Kind::WithA7 {
            self.options.mailbox_interrupts
        } else {
            0
        };
        let end = self.end_mut(side);
        *end = End {
            entries: std::mem::take(&mut end.entries),
            interrupts_on: first,
            ..End::default()
        };
    }

    fn end(&self, side: Side) -> &End {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// What the FIFO events look like now, enabled or not.
    fn status(&self, side: Side) -> u32 {
        let (end, peer, bits) = (self.end(side), self.end(side.peer()), self.bits);
        let room = DEPTH.saturating_sub(peer.entries.len());
        let events = [
            (end.peer_read, bits.read),
            (end.peer_wrote, bits.written),
            (count(room) > end.room_threshold, bits.not_full),
            (
                count(end.entries.len()) > end.entry_threshold,
                bits.not_empty,
            ),
        ];
        events
            .iter()
            .filter(|(on, _)| *on)
            .fold(0, |all, (_, bit)| all | bit)
    }

    /// The level of an interrupt line.
    #[must_use]
    pub fn level(&self, side: Side, line: Line) -> bool {
        let end = self.end(side);
        let wanted = match line {
            Line::Read => self.bits.read,
            Line::NotFull => self.bits.not_full,
            Line::Written => self.bits.written,
            Line::NotEmpty => self.bits.not_empty,
            Line::Fifo => 0xF,
            Line::Software => return end.doorbells & end.doorbells_on != 0,
        };
        self.status(side) & end.interrupts_on & wanted != 0
    }

    /// Reads a register. Some reads change the mailbox.
    ///
    /// # Errors
    ///
    /// What was wrong with the access; the register reads zero then.
    pub fn read(&mut self, side: Side, offset: u32) -> Result<u32, Misuse> {
        let end = self.end(side);
        Ok(match offset {
            VERSION => self.options.mailbox_version,
            SW_RX_INT_EN => end.doorbells_on,
            SW_RX_INT_STS => end.doorbells,
            FIFO_CTRL => end.fifo_control,
            NF_THRS => end.room_threshold,
            NE_THRS => end.entry_threshold,
            INT_EN => end.interrupts_on,
            INT_STS => self.status(side),
            POST_CNT => count(self.end(side.peer()).entries.len()),
            POP_CNT => count(end.entries.len()),
            DATA_POP => end.entries.front().map_or(0, |(_, data)| *data),
            CMD_POP => {
                let (command, _) = self
                    .end_mut(side)
                    .entries
                    .pop_front()
                    .ok_or(Misuse::PopFromEmpty)?;
                self.end_mut(side.peer()).peer_read = true;
                command
            }
            SEMAPHORE if self.kind == Kind::WithA7 => {
                if self.owner == 0 {
                    self.owner = if side == Side::A { 2 } else { 1 };
                }
                self.owner
            }
            GEN_CTRL | SW_TX_INT_PORT | CMD_POST | DATA_POST => 0,
            _ => return Err(Misuse::NoRegister),
        })
    }

    /// Writes a register.
    ///
    /// # Errors
    ///
    /// What was wrong with the access; it has no effect then.
    pub fn write(&mut self, side: Side, offset: u32, value: u32) -> Result<(), Misuse> {
        let (keeps_data, bits) = (self.options.mailbox_keeps_data, self.bits);
        let owner = self.owner;
        let end = self.end_mut(side);
        match offset {
            GEN_CTRL if value & 1 != 0 => self.reset(),
            GEN_CTRL if value & 2 != 0 => {
                if !self.options.mailbox_keeps_entries {
                    self.end_mut(side).entries.clear();
                }
                self.reset_end(side);
            }
            SW_TX_INT_PORT => self.end_mut(side.peer()).doorbells |= value & 0xFF,
            SW_RX_INT_EN => end.doorbells_on = value & 0xFF,
            SW_RX_INT_STS => end.doorbells &= !value,
            FIFO_CTRL => end.fifo_control = value & 0x3FF,
            NF_THRS => end.room_threshold = value & 0xF,
            NE_THRS => end.entry_threshold = value & 0xF,
            INT_EN => end.interrupts_on = value & 0xF,
            INT_STS => {
                end.peer_read &= value & bits.read == 0;
                end.peer_wrote &= value & bits.written == 0;
            }
            DATA_POST => end.latch = value,
            CMD_POST => {
                let data = end.latch;
                if !keeps_data {
                    end.latch = 0;
                }
                let peer = self.end_mut(side.peer());
                if peer.entries.len() >= DEPTH {
                    return Err(Misuse::PostToFull);
                }
                peer.entries.push_back((value, data));
                peer.peer_wrote = true;
            }
            SEMAPHORE if self.kind == Kind::WithA7 => {
                // Only who holds it gives it back.
                if value == 0 && owner == if side == Side::A { 2 } else { 1 } {
                    self.owner = 0;
                }
            }
            GEN_CTRL => {}
            VERSION | POST_CNT | POP_CNT | CMD_POP | DATA_POP => {}
            _ => return Err(Misuse::NoRegister),
        }
        Ok(())
    }
}

/// A number of entries, as a register shows it.
fn count(entries: usize) -> u32 {
    u32::try_from(entries).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of what is unknown.
    fn matrix() -> Vec<Options> {
        let mut all = Vec::new();
        for mailbox_layout in MailboxLayout::ALL {
            for mailbox_interrupts in [0, 0xF] {
                for mailbox_keeps_data in [true, false] {
                    for mailbox_keeps_entries in [true, false] {
                        all.push(Options {
                            mailbox_layout,
                            mailbox_interrupts,
                            mailbox_keeps_data,
                            mailbox_keeps_entries,
                            ..Options::default()
                        });
                    }
                }
            }
        }
        all
    }

    fn post(mailbox: &mut Mailbox, side: Side, command: u32, data: u32) -> Result<(), Misuse> {
        mailbox.write(side, DATA_POST, data)?;
        mailbox.write(side, CMD_POST, command)
    }

    fn pop(mailbox: &mut Mailbox, side: Side) -> (u32, u32) {
        let data = mailbox.read(side, DATA_POP).unwrap();
        (mailbox.read(side, CMD_POP).unwrap(), data)
    }

    #[test]
    fn entries_pass_in_order_both_ways_whatever_is_unknown() {
        for options in matrix() {
            let mut mailbox = Mailbox::new(Kind::WithA7, &options);
            for side in [Side::A, Side::B] {
                for number in 0..15 {
                    post(&mut mailbox, side, number, 100 + number).unwrap();
                    assert_eq!(mailbox.read(side, POST_CNT), Ok(number + 1));
                }
                assert_eq!(post(&mut mailbox, side, 15, 115), Err(Misuse::PostToFull));
                assert_eq!(mailbox.read(side.peer(), POP_CNT), Ok(15));
                for number in 0..15 {
                    assert_eq!(pop(&mut mailbox, side.peer()), (number, 100 + number));
                }
                assert_eq!(
                    mailbox.read(side.peer(), CMD_POP),
                    Err(Misuse::PopFromEmpty)
                );
                assert_eq!(mailbox.read(side, POST_CNT), Ok(0));
            }
        }
    }

    #[test]
    fn the_bits_are_those_of_the_layout() {
        // Peer read, not full, peer wrote, not empty.
        let expected = [
            (MailboxLayout::Mediatek, [8, 4, 2, 1]),
            (MailboxLayout::Codethink, [1, 2, 4, 8]),
            (MailboxLayout::Linux, [1, 8, 2, 4]),
        ];
        for (mailbox_layout, [read, not_full, written, not_empty]) in expected {
            let mut mailbox = Mailbox::new(
                Kind::WithA7,
                &Options {
                    mailbox_layout,
                    ..Options::default()
                },
            );
            assert_eq!(mailbox.read(Side::A, INT_STS), Ok(not_full));
            post(&mut mailbox, Side::A, 1, 2).unwrap();
            assert_eq!(
                mailbox.read(Side::B, INT_STS),
                Ok(written | not_empty | not_full)
            );
            pop(&mut mailbox, Side::B);
            assert_eq!(mailbox.read(Side::B, INT_STS), Ok(written | not_full));
            assert_eq!(mailbox.read(Side::A, INT_STS), Ok(read | not_full));
            mailbox.write(Side::A, INT_STS, read).unwrap();
            assert_eq!(mailbox.read(Side::A, INT_STS), Ok(not_full));
            mailbox.write(Side::B, INT_STS, 0xF).unwrap();
            assert_eq!(
                mailbox.read(Side::B, INT_STS),
                Ok(not_full),
                "a level stays, whatever is written"
            );
        }
    }

    #[test]
    fn a_line_needs_its_enable() {
        for options in matrix() {
            let mut mailbox = Mailbox::new(Kind::WithA7, &options);
            assert_eq!(
                mailbox.read(Side::A, INT_EN),
                Ok(options.mailbox_interrupts)
            );
            assert_eq!(mailbox.read(Side::B, INT_EN), Ok(0));
            post(&mut mailbox, Side::B, 1, 0).unwrap();
            let on = options.mailbox_interrupts != 0;
            assert_eq!(mailbox.level(Side::A, Line::Written), on);
            assert_eq!(mailbox.level(Side::A, Line::Fifo), on);
            mailbox.write(Side::A, INT_EN, 0xF).unwrap();
            assert!(mailbox.level(Side::A, Line::Written));
            mailbox.write(Side::A, INT_STS, 0xF).unwrap();
            assert!(!mailbox.level(Side::A, Line::Written));
            assert!(mailbox.level(Side::A, Line::NotEmpty));
            mailbox.write(Side::A, NE_THRS, 1).unwrap();
            assert!(!mailbox.level(Side::A, Line::NotEmpty));
            assert!(
                !mailbox.level(Side::B, Line::Read),
                "side B has not enabled anything"
            );
        }
        let between = Mailbox::new(Kind::BetweenM4, &Options::default());
        assert_eq!(
            between.end(Side::A).interrupts_on,
            0,
            "only the A7's ends are enabled by reset"
        );
    }

    #[test]
    fn doorbells_add_up_until_they_are_cleared() {
        let mut mailbox = Mailbox::new(Kind::WithA7, &Options::default());
        mailbox.write(Side::B, SW_TX_INT_PORT, 1).unwrap();
        mailbox.write(Side::B, SW_TX_INT_PORT, 0x182).unwrap();
        assert_eq!(
            mailbox.read(Side::A, SW_RX_INT_STS),
            Ok(0x83),
            "eight of them"
        );
        assert!(!mailbox.level(Side::A, Line::Software), "not enabled");
        mailbox.write(Side::A, SW_RX_INT_EN, 2).unwrap();
        assert!(mailbox.level(Side::A, Line::Software));
        mailbox.write(Side::A, SW_RX_INT_STS, 2).unwrap();
        assert!(!mailbox.level(Side::A, Line::Software));
        assert_eq!(mailbox.read(Side::A, SW_RX_INT_STS), Ok(0x81));
        assert_eq!(mailbox.read(Side::B, SW_RX_INT_STS), Ok(0));
    }

    #[test]
    fn the_latch_keeps_or_clears() {
        for options in matrix() {
            let mut mailbox = Mailbox::new(Kind::WithA7, &options);
            post(&mut mailbox, Side::A, 1, 7).unwrap();
            mailbox.write(Side::A, CMD_POST, 2).unwrap();
            assert_eq!(pop(&mut mailbox, Side::B), (1, 7));
            assert_eq!(
                pop(&mut mailbox, Side::B),
                (2, if options.mailbox_keeps_data { 7 } else { 0 })
            );
        }
    }

    #[test]
    fn an_end_that_resets_itself_keeps_or_drops_what_waits_for_it() {
        for options in matrix() {
            let mut mailbox = Mailbox::new(Kind::WithA7, &options);
            post(&mut mailbox, Side::A, 1, 7).unwrap();
            post(&mut mailbox, Side::B, 2, 8).unwrap();
            mailbox.write(Side::B, SW_RX_INT_EN, 0xFF).unwrap();
            mailbox.write(Side::B, GEN_CTRL, 2).unwrap();
            assert_eq!(
                mailbox.read(Side::B, POP_CNT),
                Ok(u32::from(options.mailbox_keeps_entries))
            );
            assert_eq!(mailbox.read(Side::B, SW_RX_INT_EN), Ok(0));
            assert_eq!(
                mailbox.read(Side::A, POP_CNT),
                Ok(1),
                "the other direction is not its own"
            );
            mailbox.write(Side::A, GEN_CTRL, 1).unwrap();
            assert_eq!(
                (
                    mailbox.read(Side::A, POP_CNT),
                    mailbox.read(Side::B, POP_CNT)
                ),
                (Ok(0), Ok(0))
            );
            assert_eq!(
                mailbox.read(Side::A, INT_EN),
                Ok(options.mailbox_interrupts)
            );
        }
    }

    #[test]
    fn the_semaphore_has_one_owner_who_alone_gives_it_back() {
        let mut mailbox = Mailbox::new(Kind::WithA7, &Options::default());
        assert_eq!(mailbox.read(Side::B, SEMAPHORE), Ok(1));
        assert_eq!(mailbox.read(Side::A, SEMAPHORE), Ok(1), "held by the other");
        mailbox.write(Side::A, SEMAPHORE, 0).unwrap();
        assert_eq!(mailbox.read(Side::A, SEMAPHORE), Ok(1));
        mailbox.write(Side::B, SEMAPHORE, 0).unwrap();
        assert_eq!(mailbox.read(Side::A, SEMAPHORE), Ok(2));
        let mut between = Mailbox::new(Kind::BetweenM4, &Options::default());
        assert_eq!(between.read(Side::A, SEMAPHORE), Err(Misuse::NoRegister));
    }

    #[test]
    fn what_is_no_register_is_reported() {
        let mut mailbox = Mailbox::new(Kind::WithA7, &Options::default());
        assert_eq!(mailbox.read(Side::A, 0x100), Err(Misuse::NoRegister));
        assert_eq!(mailbox.write(Side::A, 0x100, 1), Err(Misuse::NoRegister));
        assert_eq!(mailbox.read(Side::A, VERSION), Ok(0x3620_0000));
        assert_eq!(mailbox.write(Side::A, VERSION, 1), Ok(()));
        assert_eq!(mailbox.read(Side::A, VERSION), Ok(0x3620_0000));
    }
}
