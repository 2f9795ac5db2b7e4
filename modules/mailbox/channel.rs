// SPDX-License-Identifier: GPL-2.0

//! How a channel is started, used and stopped.

use kernel::{
    c_str,
    device::{
        Bound,
        Device, //
    },
    devres::Devres,
    io::{
        mem::IoMem,
        register::Registers,
        IoPart, //
    },
    irq::{
        IrqReturn,
        ThreadedIrqReturn, //
    },
    mailbox::controller::{
        Channel,
        Operations, //
    },
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use crate::{
    doorbell,
    fifo::{
        Outcome,
        Receiver,
        Sender, //
    },
    registers::{
        FifoEnable,
        BLOCK_SIZE, //
    },
    Mailbox,
    Message, //
};

/// The interrupts of a block: entry posted by the partner, entry taken by it, doorbell rung.
pub(crate) const IRQS_PER_BLOCK: u32 = 3;

/// Those of [`IRQS_PER_BLOCK`] that are used.
const POSTED_IRQ: u32 = 0;
const DOORBELL_IRQ: u32 = 2;

/// What of a block a channel is.
pub(crate) enum Kind {
    Fifo(Sender),
    Doorbells,
}

impl Kind {
    /// The side of FIFOs that receives.
    fn receiver(&self) -> Option<Receiver> {
        match self {
            Self::Fifo(sender) => Some(sender.receiver()),
            Self::Doorbells => None,
        }
    }

    /// Its interrupt among those of the block.
    pub(crate) fn irq(&self) -> u32 {
        match self {
            Self::Fifo(..) => POSTED_IRQ,
            Self::Doorbells => DOORBELL_IRQ,
        }
    }
}

/// A channel.
pub(crate) struct Line {
    /// Where its block starts in the mapping of all of them.
    offset: usize,
    pub(crate) kind: Kind,
    throttle: Throttle,
}

impl Line {
    pub(crate) fn new(offset: usize, kind: Kind) -> Self {
        Self {
            offset,
            kind,
            throttle: Throttle::new(),
        }
    }
}

/// Returns the registers of a channel's block, which are there as long as the device is bound.
pub(crate) fn registers<'a>(
    io: &'a Devres<IoMem>,
    dev: &'a Device<Bound>,
    line: &Line,
) -> Result<IoPart<'a, BLOCK_SIZE>> {
    io.access(dev)?.part(line.offset)
}

/// As [`registers`], for a channel that is there.
fn block(channel: &Channel<Mailbox>) -> Result<IoPart<'_, BLOCK_SIZE>> {
    registers(channel.controller(), channel.device(), channel.data())
}

#[vtable]
impl Operations for Mailbox {
    type Message = Message;
    /// The registers of all blocks.
    type Controller = Arc<Devres<IoMem>>;
    type Data = Line;
    /// What [`Receiver::open`] has found.
    type Started = Option<FifoEnable>;
    const IRQ_NAME: &'static CStr = c_str!("mt3620-mailbox");

    fn send_data(channel: &Channel<Self>, message: &Message) -> Result {
        let block = block(channel)?;
        match &channel.data().kind {
            Kind::Fifo(sender) => sender.send(block, *message),
            Kind::Doorbells => {
                doorbell::ring(block, *message);
                Ok(())
            }
        }
    }

    fn last_tx_done(channel: &Channel<Self>) -> bool {
        let Kind::Fifo(sender) = &channel.data().kind else {
            return true;
        };
        block(channel).is_ok_and(|block| sender.flush(block))
    }

    fn peek_data(channel: &Channel<Self>) -> bool {
        block(channel).is_ok_and(|block| match channel.data().kind.receiver() {
            Some(receiver) => receiver.has_entry(block),
            None => doorbell::was_rung(block),
        })
    }

    fn startup(channel: &Channel<Self>) -> Result<Option<FifoEnable>> {
        let block = block(channel)?;
        Ok(match channel.data().kind.receiver() {
            Some(receiver) => Some(receiver.open(block)),
            None => {
                doorbell::open(block);
                None
            }
        })
    }

    fn shutdown(channel: &Channel<Self>, found: Option<FifoEnable>) {
        if let Kind::Fifo(sender) = &channel.data().kind {
            sender.forget();
        }
        if let Ok(block) = block(channel) {
            match found {
                Some(found) => block.write(found),
                // The last handler may have opened them once more.
                None => doorbell::close(block),
            }
        }
    }

    fn handle(channel: &Channel<Self>) -> ThreadedIrqReturn {
        if matches!(channel.data().kind, Kind::Fifo(..)) || block(channel).is_ok_and(doorbell::mask)
        {
            ThreadedIrqReturn::WakeThread
        } else {
            ThreadedIrqReturn::None
        }
    }

    fn handle_threaded(channel: &Channel<Self>) -> IrqReturn {
        let line = channel.data();
        let Ok(block) = block(channel) else {
            return IrqReturn::None;
        };
        let deliver = |message: &Message| {
            channel.received(message);
        };
        let receiver = line.kind.receiver();
        let handled = match receiver {
            Some(receiver) => match receiver.interrupt(block, deliver) {
                Outcome::Taken(_) | Outcome::Event => true,
                Outcome::Spurious => false,
                Outcome::Broken(count) => {
                    dev_err!(
                        channel.device(),
                        "{count} entries in a FIFO of {}: it is not read any more\n",
                        receiver.depth
                    );
                    true
                }
            },
            None => doorbell::answer(block, deliver),
        };
        if line.throttle.pauses(Self::peek_data(channel)) {
            fsleep(PAUSE);
        }
        if receiver.is_none() {
            doorbell::open(block);
        }
        if handled {
            IrqReturn::Handled
        } else {
            IrqReturn::None
        }
    }
}

/// How many interrupts of a channel may follow upon each other without a pause.
pub(crate) const BURST: i32 = 16;

/// The pause before the next one.
const PAUSE: Delta = Delta::from_millis(1);

/// Keeps a partner that does not stop from taking all of the processor, which handles interrupts
/// before everything else.
pub(crate) struct Throttle {
    /// How many interrupts there were in a row after which there was a reason for the next one.
    row: Atomic<i32>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            row: Atomic::new(0),
        }
    }

    /// Returns whether to pause now, when there is a reason for another interrupt `again`.
    pub(crate) fn pauses(&self, again: bool) -> bool {
        let row = if again {
            self.row.load(Relaxed).saturating_add(1)
        } else {
            0
        };
        self.row.store(row, Relaxed);
        row > BURST
    }
}
