// SPDX-License-Identifier: GPL-2.0

//! The driver on blocks of registers that are not there, in every variant that the chip may be.

use kernel::{
    io::register::{
        Readable,
        Register,
        Registers,
        Writable, //
    },
    prelude::*, //
};

#[kunit_tests(nacre_mt3620_mailbox)]
mod tests {
    use super::*;
    use core::cell::{
        Cell,
        RefCell, //
    };

    use crate::{
        channel::{
            Throttle,
            BURST, //
        },
        doorbell,
        fifo::{
            Outcome,
            Receiver,
            Sender, //
        },
        registers::{
            CommandPop,
            CommandPost,
            DataPop,
            DataPost,
            DoorbellEnable,
            DoorbellRing,
            DoorbellStatus,
            FifoEnable,
            FifoStatus,
            PopCount,
            PostCount,
            Version,
            DOORBELLS,
            FIFO_EVENTS, //
        },
        Message, //
    };

    /// How many entries a FIFO holds.
    const DEPTH: usize = 15;

    const RECEIVER: Receiver = Receiver {
        depth: DEPTH as u32,
    };

    /// Which bit means what: the events of an entry posted and an entry taken by the partner, and
    /// the states of something to take and room to post.
    #[derive(Clone, Copy, Debug)]
    struct Layout {
        posted: u32,
        taken: u32,
        not_empty: u32,
        not_full: u32,
    }

    /// The three layouts that were published.
    const LAYOUTS: [Layout; 3] = [
        Layout {
            not_empty: 1,
            posted: 2,
            not_full: 4,
            taken: 8,
        },
        Layout {
            taken: 1,
            not_full: 2,
            posted: 4,
            not_empty: 8,
        },
        Layout {
            taken: 1,
            posted: 2,
            not_empty: 4,
            not_full: 8,
        },
    ];

    /// Which events reach the interrupt for entries.
    #[derive(Clone, Copy, Debug)]
    enum Wiring {
        /// Only the one that an entry was posted.
        Posted,
        /// All of them.
        Combined,
    }

    #[derive(Clone, Copy, Debug)]
    struct Variant {
        layout: Layout,
        wiring: Wiring,
        /// What `INT_EN` is at first.
        enabled: u32,
        /// Whether the data word of an entry stays for the next one.
        keeps_data: bool,
    }

    fn variants() -> impl Iterator<Item = Variant> {
        LAYOUTS.into_iter().flat_map(|layout| {
            [Wiring::Posted, Wiring::Combined]
                .into_iter()
                .flat_map(move |wiring| {
                    // None, all, and those that must be there for anything to work.
                    [0, FIFO_EVENTS, layout.posted, layout.posted | layout.taken]
                        .into_iter()
                        .flat_map(move |enabled| {
                            [true, false].into_iter().map(move |keeps_data| Variant {
                                layout,
                                wiring,
                                enabled,
                                keeps_data,
                            })
                        })
                })
        })
    }

    /// One direction.
    #[derive(Default)]
    struct Queue {
        entries: [Message; DEPTH],
        count: usize,
    }

    impl Queue {
        fn push(&mut self, message: Message) -> bool {
            let Some(place) = self.entries.get_mut(self.count) else {
                return false;
            };
            *place = message;
            self.count += 1;
            true
        }

        fn pop(&mut self) -> Option<Message> {
            let first = self.entries[..self.count].first().copied()?;
            self.entries.rotate_left(1);
            self.count -= 1;
            Some(first)
        }
    }

    /// A block, and its partner.
    struct FakeBlock {
        variant: Variant,
        outgoing: RefCell<Queue>,
        incoming: RefCell<Queue>,
        data: Cell<u32>,
        events: Cell<u32>,
        enabled: Cell<u32>,
        /// What the counters say instead of the truth.
        bogus: Cell<Option<u32>>,
        doorbells: Cell<u32>,
        doorbells_enabled: Cell<u32>,
        partner_doorbells: Cell<u32>,
    }

    impl FakeBlock {
        fn new(variant: Variant) -> Self {
            Self {
                variant,
                outgoing: RefCell::default(),
                incoming: RefCell::default(),
                data: Cell::new(0),
                events: Cell::new(0),
                enabled: Cell::new(variant.enabled),
                bogus: Cell::new(None),
                doorbells: Cell::new(0),
                doorbells_enabled: Cell::new(0),
                partner_doorbells: Cell::new(0),
            }
        }

        fn any() -> Self {
            Self::new(Variant {
                layout: LAYOUTS[0],
                wiring: Wiring::Posted,
                enabled: FIFO_EVENTS,
                keeps_data: true,
            })
        }

        fn status(&self) -> u32 {
            let layout = self.variant.layout;
            let mut status = self.events.get();
            if self.incoming.borrow().count != 0 {
                status |= layout.not_empty;
            }
            if self.outgoing.borrow().count < DEPTH {
                status |= layout.not_full;
            }
            status
        }

        /// Whether the interrupt for entries is there.
        fn line(&self) -> bool {
            let wired = match self.variant.wiring {
                Wiring::Posted => self.variant.layout.posted,
                Wiring::Combined => FIFO_EVENTS,
            };
            self.status() & self.enabled.get() & wired != 0
        }

        fn event(&self, bit: u32) {
            self.events.set(self.events.get() | bit);
        }

        /// The partner posts an entry.
        fn partner_posts(&self, message: Message) -> bool {
            self.event(self.variant.layout.posted);
            self.incoming.borrow_mut().push(message)
        }

        /// The partner takes an entry.
        fn partner_takes(&self) -> Option<Message> {
            self.event(self.variant.layout.taken);
            self.outgoing.borrow_mut().pop()
        }

        fn read_at(&self, offset: usize) -> u32 {
            let count =
                |queue: &RefCell<Queue>| self.bogus.get().unwrap_or(queue.borrow().count as u32);
            match offset {
                Version::OFFSET => Version::MT3620.0,
                DoorbellEnable::OFFSET => self.doorbells_enabled.get(),
                DoorbellStatus::OFFSET => self.doorbells.get(),
                FifoEnable::OFFSET => self.enabled.get(),
                FifoStatus::OFFSET => self.status(),
                PostCount::OFFSET => count(&self.outgoing),
                PopCount::OFFSET => count(&self.incoming),
                DataPop::OFFSET => self.incoming.borrow().entries[0].data,
                CommandPop::OFFSET => self.incoming.borrow_mut().pop().unwrap_or_default().command,
                _ => 0,
            }
        }

        fn write_at(&self, offset: usize, value: u32) {
            match offset {
                DoorbellRing::OFFSET => self
                    .partner_doorbells
                    .set(self.partner_doorbells.get() | value),
                DoorbellEnable::OFFSET => self.doorbells_enabled.set(value),
                DoorbellStatus::OFFSET => self.doorbells.set(self.doorbells.get() & !value),
                FifoEnable::OFFSET => self.enabled.set(value),
                FifoStatus::OFFSET => self.events.set(self.events.get() & !value),
                DataPost::OFFSET => self.data.set(value),
                CommandPost::OFFSET => {
                    let data = self.data.get();
                    if !self.variant.keeps_data {
                        self.data.set(0);
                    }
                    self.outgoing.borrow_mut().push(Message {
                        data,
                        command: value,
                    });
                }
                _ => {}
            }
        }
    }

    impl Registers for &FakeBlock {
        fn read<R: Readable>(self) -> R {
            R::from_bits(self.read_at(R::OFFSET))
        }

        fn write<R: Writable>(self, register: R) {
            self.write_at(R::OFFSET, register.bits());
        }
    }

    fn message(number: u32) -> Message {
        Message {
            data: number.wrapping_mul(3),
            command: number,
        }
    }

    /// Handles interrupts as long as there are any, and returns how many.
    fn handle(block: &FakeBlock, mut deliver: impl FnMut(&Message)) -> u32 {
        for handled in 0..100 {
            if !block.line() {
                return handled;
            }
            assert_ne!(RECEIVER.interrupt(block, &mut deliver), Outcome::Spurious);
        }
        // A storm.
        u32::MAX
    }

    #[test]
    fn every_entry_is_received_once_in_every_variant() {
        for variant in variants() {
            let block = FakeBlock::new(variant);
            let found = RECEIVER.open(&block);
            let (mut posted, mut received) = (0, 0);
            for burst in [1, 2, 14, 15, 1, 1, 15] {
                for _ in 0..burst {
                    posted += 1;
                    assert!(block.partner_posts(message(posted)));
                }
                // As many as there are kinds of events, and one for those that are silenced.
                let interrupts = handle(&block, |entry| {
                    received += 1;
                    assert_eq!(*entry, message(received));
                });
                assert!((1..=5).contains(&interrupts));
                assert_eq!(received, posted);
                // Nothing keeps interrupting, and the partner can still be heard.
                assert!(!block.line());
            }
            (&block).write(found);
            assert_eq!(block.enabled.get(), variant.enabled);
        }
    }

    #[test]
    fn entries_that_come_while_others_are_taken_are_received() {
        for variant in variants() {
            let block = FakeBlock::new(variant);
            RECEIVER.open(&block);
            let mut received = 0;
            assert!(block.partner_posts(message(1)));
            let interrupts = handle(&block, |entry| {
                received += 1;
                assert_eq!(*entry, message(received));
                if received < 40 {
                    assert!(block.partner_posts(message(received + 1)));
                }
            });
            assert_eq!(received, 40);
            assert!(interrupts <= 10);
        }
    }

    #[test]
    fn what_was_posted_before_the_channel_was_opened_is_received() {
        for variant in variants() {
            let block = FakeBlock::new(variant);
            assert!(block.partner_posts(message(1)));
            RECEIVER.open(&block);
            assert!(RECEIVER.has_entry(&block));
            let mut received = 0;
            handle(&block, |_| received += 1);
            assert_eq!(received, 1);
            assert!(!RECEIVER.has_entry(&block));
        }
    }

    #[test]
    fn a_choice_that_somebody_made_is_kept() {
        let block = FakeBlock::any();
        block.enabled.set(2);
        assert_eq!(RECEIVER.open(&block), FifoEnable(2));
        assert_eq!(block.enabled.get(), 2);
        block.enabled.set(0);
        assert_eq!(RECEIVER.open(&block), FifoEnable(0));
        assert_eq!(block.enabled.get(), FIFO_EVENTS);
    }

    #[test]
    fn an_interrupt_without_reason_is_not_ours() {
        for variant in variants() {
            let block = FakeBlock::new(variant);
            RECEIVER.open(&block);
            // After the first one nothing is left that could be one.
            handle(&block, |_| {});
            RECEIVER.interrupt(&block, |_| {});
            for _ in 0..3 {
                let outcome = RECEIVER.interrupt(&block, |_| {});
                assert_eq!(outcome, Outcome::Spurious);
            }
        }
    }

    #[test]
    fn a_line_that_cannot_be_silenced_is_not_ours_in_the_end() {
        // The state that there is room lasts, whatever is enabled.
        for layout in LAYOUTS {
            let block = FakeBlock::new(Variant {
                layout,
                wiring: Wiring::Combined,
                enabled: FIFO_EVENTS,
                keeps_data: true,
            });
            assert_eq!(RECEIVER.interrupt(&block, |_| {}), Outcome::Event);
            assert_eq!(RECEIVER.interrupt(&block, |_| {}), Outcome::Spurious);
            // The partner is heard all the same.
            assert!(block.partner_posts(message(1)));
            assert_eq!(RECEIVER.interrupt(&block, |_| {}), Outcome::Taken(1));
        }
    }

    #[test]
    fn a_counter_that_cannot_be_right_is_not_followed() {
        for count in [DEPTH as u32 + 1, 0x8000_0000, u32::MAX] {
            let block = FakeBlock::any();
            RECEIVER.open(&block);
            block.partner_posts(message(1));
            block.bogus.set(Some(count));
            let outcome = RECEIVER.interrupt(&block, |_| assert!(false));
            assert_eq!(outcome, Outcome::Broken(count));
            assert!(!block.line());
            // And nothing is posted there.
            let sender = Sender::new(DEPTH as u32);
            assert_eq!(sender.send(&block, message(2)), Ok(()));
            assert!(!sender.flush(&block));
            assert_eq!(block.outgoing.borrow().count, 0);
        }
        // One that never goes down is followed for one FIFO.
        let block = FakeBlock::any();
        block.bogus.set(Some(1));
        let outcome = RECEIVER.interrupt(&block, |_| {});
        assert_eq!(outcome, Outcome::Taken(DEPTH as u32));
    }

    #[test]
    fn data_goes_with_its_command_in_every_variant() {
        for variant in variants() {
            let block = FakeBlock::new(variant);
            let sender = Sender::new(DEPTH as u32);
            // Zero is data, too.
            let sent = [(7, 1), (0, 2), (0, 3), (u32::MAX, 0), (0, 0)];
            for (data, command) in sent {
                assert_eq!(sender.send(&block, Message { data, command }), Ok(()));
                assert!(sender.flush(&block));
            }
            for (data, command) in sent {
                assert_eq!(block.partner_takes(), Some(Message { data, command }));
            }
            assert_eq!(block.partner_takes(), None);
        }
    }

    #[test]
    fn a_full_fifo_keeps_one_message_until_there_is_room() {
        for variant in variants() {
            let block = FakeBlock::new(variant);
            let sender = Sender::new(DEPTH as u32);
            for number in 1..=DEPTH as u32 {
                assert_eq!(sender.send(&block, message(number)), Ok(()));
                assert!(sender.flush(&block));
            }
            assert_eq!(sender.send(&block, message(16)), Ok(()));
            assert!(!sender.flush(&block));
            assert_eq!(sender.send(&block, message(17)), Err(EBUSY));

            assert_eq!(block.partner_takes(), Some(message(1)));
            assert!(sender.flush(&block));
            assert_eq!(sender.send(&block, message(17)), Ok(()));
            for number in 2..=16 {
                assert_eq!(block.partner_takes(), Some(message(number)));
            }
            assert!(sender.flush(&block));
            assert_eq!(block.partner_takes(), Some(message(17)));
            assert_eq!(block.partner_takes(), None);
        }
    }

    #[test]
    fn a_message_that_was_kept_is_forgotten_with_its_channel() {
        let block = FakeBlock::any();
        let sender = Sender::new(DEPTH as u32);
        for number in 0..=DEPTH as u32 {
            assert_eq!(sender.send(&block, message(number)), Ok(()));
        }
        assert!(!sender.flush(&block));
        sender.forget();
        block.partner_takes();
        assert!(sender.flush(&block));
        assert_eq!(block.outgoing.borrow().count, DEPTH - 1);
    }

    #[test]
    fn doorbells_are_rung_by_their_bits() {
        let block = FakeBlock::any();
        for (command, rung) in [
            (1, 1),
            (2, 2),
            (0x80, 0x80),
            (0xff, 0xff),
            (0, 0),
            (0x101, 1),
        ] {
            block.partner_doorbells.set(0);
            doorbell::ring(&block, Message { data: 0, command });
            assert_eq!(block.partner_doorbells.get(), rung);
        }
    }

    #[test]
    fn doorbells_are_answered_once() {
        let block = FakeBlock::any();
        doorbell::open(&block);
        assert_eq!(block.doorbells_enabled.get(), DOORBELLS);

        // Two that were rung before the answer come as one.
        block.doorbells.set(0x3);
        assert!(doorbell::was_rung(&block));
        assert!(doorbell::mask(&block));
        assert_eq!(block.doorbells_enabled.get(), 0);
        let mut heard = Message::default();
        assert!(doorbell::answer(&block, |message| heard = *message));
        assert_eq!((heard.data, heard.command), (0, 0x3));
        assert_eq!(
            (block.doorbells.get(), block.doorbells_enabled.get()),
            (0, 0)
        );
        doorbell::open(&block);

        // One that is rung while the client looks is not lost.
        block.doorbells.set(0x1);
        assert!(doorbell::answer(&block, |_| block.doorbells.set(0x2)));
        assert!(doorbell::mask(&block));
        assert!(doorbell::answer(&block, |message| heard = *message));
        assert_eq!(heard.command, 0x2);

        doorbell::close(&block);
        assert_eq!(block.doorbells_enabled.get(), 0);
    }

    #[test]
    fn a_partner_that_does_not_stop_has_to_wait() {
        let throttle = Throttle::new();
        for _ in 0..3 {
            for _ in 0..BURST {
                assert!(!throttle.pauses(true));
            }
            assert!(throttle.pauses(true));
            assert!(throttle.pauses(true));
            // One that stops does not, nor does one that starts again.
            assert!(!throttle.pauses(false));
        }
    }

    #[test]
    fn a_doorbell_interrupt_without_reason_is_not_ours() {
        let block = FakeBlock::any();
        doorbell::open(&block);
        for _ in 0..3 {
            assert!(!doorbell::mask(&block));
            assert_eq!(block.doorbells_enabled.get(), DOORBELLS);
        }
        assert!(!doorbell::answer(&block, |_| assert!(false)));
        // Bits beyond the eight are none.
        block.doorbells.set(0xffff_ff00);
        assert!(!doorbell::mask(&block));
        assert!(!doorbell::answer(&block, |_| assert!(false)));
    }
}
