// SPDX-License-Identifier: GPL-2.0

//! Tests the driver on a machine: a client of both channels of a block, and the partner behind it.
//!
//! The device has the partner's side of the block as its registers, which no chip lets us reach,
//! but which an emulated one may. Its results are in the kernel log, as KTAP.
#![deny(unsafe_code)]

use kernel::{
    c_str,
    device::{
        Bound,
        Core,
        Device, //
    },
    io::Io,
    mailbox::client::{
        Channel,
        Client, //
    },
    of,
    platform,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use mt3620_mailbox::Message;

/// The registers of the partner that are used here.
const SIZE: usize = 0x60;
const RING: usize = 0x14;
const DOORBELLS: usize = 0x1c;
const COMMAND_POST: usize = 0x40;
const DATA_POST: usize = 0x44;
const COMMAND_POP: usize = 0x50;
const DATA_POP: usize = 0x54;
const POP_COUNT: usize = 0x58;

/// How many entries a FIFO holds.
const DEPTH: u32 = 15;

/// How long something may take.
const LIMIT_MS: u32 = 5000;

/// Hears what the partner says.
struct Ear {
    count: Atomic<u32>,
    /// How many were not the next one of a sequence.
    wrong: Atomic<u32>,
    /// All commands, or-ed: for doorbells.
    seen: Atomic<u32>,
    done: Atomic<u32>,
}

impl Ear {
    fn new() -> Self {
        Self {
            count: Atomic::new(0),
            wrong: Atomic::new(0),
            seen: Atomic::new(0),
            done: Atomic::new(0),
        }
    }
}

impl Client for Ear {
    type Message = Message;

    fn received(&self, message: &Message) {
        let count = self.count.fetch_add(1, Relaxed);
        if *message != numbered(count) {
            self.wrong.fetch_add(1, Relaxed);
        }
        self.seen
            .store(self.seen.load(Relaxed) | message.command, Relaxed);
    }

    fn tx_done(&self, _message: &Message, result: Result) {
        if result.is_ok() {
            self.done.fetch_add(1, Relaxed);
        }
    }
}

/// Every third has zero as its data.
fn numbered(number: u32) -> Message {
    Message {
        data: if number % 3 == 0 { 0 } else { !number },
        command: number,
    }
}

/// Waits until something is so.
fn wait(condition: impl Fn() -> bool) -> Result {
    for _ in 0..LIMIT_MS {
        if condition() {
            return Ok(());
        }
        fsleep(Delta::from_millis(1));
    }
    Err(ETIMEDOUT)
}

fn expect(condition: bool) -> Result {
    if condition {
        Ok(())
    } else {
        Err(EIO)
    }
}

/// The client of a block, and its partner.
struct Stage<'a> {
    fifo: &'a Channel<Ear>,
    doorbells: &'a Channel<Ear>,
    partner: &'a Io<SIZE>,
}

impl Stage<'_> {
    fn take(&self) -> Message {
        let data = self.partner.read32(DATA_POP);
        Message {
            data,
            command: self.partner.read32(COMMAND_POP),
        }
    }

    fn waiting(&self) -> u32 {
        self.partner.read32(POP_COUNT)
    }

    fn entries_arrive_with_their_data(&self) -> Result {
        for number in 0..3 {
            self.fifo.send_timeout(numbered(number), LIMIT_MS)?;
        }
        expect(self.waiting() == 3)?;
        for number in 0..3 {
            expect(self.take() == numbered(number))?;
        }
        expect(self.waiting() == 0)
    }

    fn a_full_fifo_flows_when_the_partner_takes(&self) -> Result {
        for number in 0..DEPTH {
            self.fifo.send_timeout(numbered(number), LIMIT_MS)?;
        }
        // There is no room: these wait, and are in order when there is some.
        expect(self.fifo.send_timeout(numbered(DEPTH), 30) == Err(ETIME))?;
        self.fifo.send(numbered(DEPTH + 1))?;
        expect(self.waiting() == DEPTH)?;
        for number in 0..DEPTH + 2 {
            wait(|| self.waiting() != 0)?;
            expect(self.take() == numbered(number))?;
        }
        let done = 3 + DEPTH + 2;
        wait(|| self.fifo.client().done.load(Relaxed) == done)
    }

    fn what_the_partner_posts_is_received_in_order(&self) -> Result {
        let ear = self.fifo.client();
        for number in 0..1000 {
            // What is posted to a full FIFO is lost, so no more than it holds.
            wait(|| number - ear.count.load(Relaxed) < DEPTH)?;
            let message = numbered(number);
            self.partner.write32(message.data, DATA_POST);
            self.partner.write32(message.command, COMMAND_POST);
        }
        wait(|| ear.count.load(Relaxed) == 1000)?;
        expect(ear.wrong.load(Relaxed) == 0)
    }

    fn doorbells_ring_on_the_other_side(&self) -> Result {
        for bit in 0..8 {
            let command = 1 << bit;
            self.doorbells
                .send_timeout(Message { data: 0, command }, LIMIT_MS)?;
            expect(self.partner.read32(DOORBELLS) == command)?;
            self.partner.write32(command, DOORBELLS);
        }
        // There are no others, and who rings none has rung all the same.
        for command in [0, 0x100] {
            self.doorbells
                .send_timeout(Message { data: 0, command }, LIMIT_MS)?;
            expect(self.partner.read32(DOORBELLS) == 0)?;
        }
        Ok(())
    }

    fn doorbells_of_the_partner_are_heard(&self) -> Result {
        let ear = self.doorbells.client();
        for bit in 0..8 {
            self.partner.write32(1 << bit, RING);
            wait(|| ear.seen.load(Relaxed) == (2 << bit) - 1)?;
        }
        Ok(())
    }

    fn doorbells_that_are_rung_again_are_heard_again(&self) -> Result {
        let ear = self.doorbells.client();
        for _ in 0..100 {
            let before = ear.count.load(Relaxed);
            for _ in 0..10 {
                self.partner.write32(1, RING);
            }
            wait(|| ear.count.load(Relaxed) != before)?;
        }
        Ok(())
    }
}

struct SelfTest {
    _fifo: Pin<KBox<Channel<Ear>>>,
    _doorbells: Pin<KBox<Channel<Ear>>>,
}

kernel::of_device_table!(
    OF_TABLE,
    MODULE_OF_TABLE,
    <SelfTest as platform::Driver>::IdInfo,
    [(
        of::DeviceId::new(c_str!("nacre,mt3620-mailbox-selftest")),
        ()
    )]
);

fn channel(dev: &Device<Bound>, name: &CStr) -> Result<Pin<KBox<Channel<Ear>>>> {
    KBox::pin_init(
        Channel::request_by_name(dev, name, Ok(Ear::new())),
        GFP_KERNEL,
    )
}

impl platform::Driver for SelfTest {
    type IdInfo = ();
    const OF_ID_TABLE: Option<of::IdTable<Self::IdInfo>> = Some(&OF_TABLE);

    fn probe(pdev: &platform::Device<Core>, _info: Option<&()>) -> Result<Pin<KBox<Self>>> {
        let dev: &Device<Core> = pdev.as_ref();
        let request = pdev.io_request_by_index(0).ok_or(EINVAL)?;
        let io = KBox::pin_init(request.iomap_sized::<SIZE>(), GFP_KERNEL)?;
        let fifo = channel(dev, c_str!("fifo"))?;
        let doorbells = channel(dev, c_str!("doorbells"))?;
        let stage = Stage {
            fifo: &fifo,
            doorbells: &doorbells,
            partner: io.access(dev)?,
        };

        // They run in this order.
        let results = [
            (
                "entries_arrive_with_their_data",
                stage.entries_arrive_with_their_data(),
            ),
            (
                "a_full_fifo_flows_when_the_partner_takes",
                stage.a_full_fifo_flows_when_the_partner_takes(),
            ),
            (
                "what_the_partner_posts_is_received_in_order",
                stage.what_the_partner_posts_is_received_in_order(),
            ),
            (
                "doorbells_ring_on_the_other_side",
                stage.doorbells_ring_on_the_other_side(),
            ),
            (
                "doorbells_of_the_partner_are_heard",
                stage.doorbells_of_the_partner_are_heard(),
            ),
            (
                "doorbells_that_are_rung_again_are_heard_again",
                stage.doorbells_that_are_rung_again_are_heard_again(),
            ),
        ];
        for (index, (name, result)) in results.iter().enumerate() {
            let number = index + 1;
            match result {
                Ok(()) => pr_info!("ok {number} {name}\n"),
                Err(error) => pr_info!("not ok {number} {name} # {error:?}\n"),
            }
        }
        pr_info!("1..{}\n", results.len());
        Ok(KBox::new(
            Self {
                _fifo: fifo,
                _doorbells: doorbells,
            },
            GFP_KERNEL,
        )?
        .into())
    }
}

kernel::module_platform_driver! {
    type: SelfTest,
    name: "mt3620_mailbox_selftest",
    authors: ["Nacre"],
    description: "Self-test of the mailboxes of the MediaTek MT3620",
    license: "GPL v2",
}
