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
        Flags,
        IrqReturn,
        ThreadedHandler,
        ThreadedIrqReturn,
        ThreadedRegistration, //
    },
    mailbox::controller::{
        Channel,
        Operations,
        Port, //
    },
    platform,
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

/// A block of registers in the mapping of all of them.
#[derive(Clone)]
pub(crate) struct Block {
    io: Arc<Devres<IoMem<0>>>,
    offset: usize,
}

impl Block {
    pub(crate) fn new(io: Arc<Devres<IoMem<0>>>, offset: usize) -> Self {
        Self { io, offset }
    }

    /// Returns the registers, which are there as long as the device is bound.
    pub(crate) fn registers<'a>(
        &'a self,
        dev: &'a Device<Bound>,
    ) -> Result<IoPart<'a, BLOCK_SIZE>> {
        self.io.access(dev)?.part(self.offset)
    }
}

/// What there is of a channel while a client has it.
pub(crate) struct Started {
    irq: Pin<KBox<ThreadedRegistration<Interrupt>>>,
    /// What [`Receiver::open`] has found.
    found: Option<FifoEnable>,
}

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
    pub(crate) block: Block,
    pub(crate) irq: u32,
    pub(crate) kind: Kind,
}

#[vtable]
impl Operations for Mailbox {
    type Message = Message;
    type Data = Line;
    type Started = Started;

    fn send_data(channel: &Channel<'_, Self>, message: &Message) -> Result {
        let line = channel.data();
        let block = line.block.registers(channel.device())?;
        match &line.kind {
            Kind::Fifo(sender) => sender.send(block, *message),
            Kind::Doorbells => {
                doorbell::ring(block, *message);
                Ok(())
            }
        }
    }

    fn last_tx_done(channel: &Channel<'_, Self>) -> bool {
        let line = channel.data();
        let Kind::Fifo(sender) = &line.kind else {
            return true;
        };
        let block = line.block.registers(channel.device());
        block.is_ok_and(|block| sender.flush(block))
    }

    fn peek_data(channel: &Channel<'_, Self>) -> bool {
        let line = channel.data();
        let block = line.block.registers(channel.device());
        block.is_ok_and(|block| match line.kind.receiver() {
            Some(receiver) => receiver.has_entry(block),
            None => doorbell::was_rung(block),
        })
    }

    fn startup(channel: &Channel<'_, Self>) -> Result<Started> {
        let line = channel.data();
        let dev = channel.device();
        let block = line.block.registers(dev)?;
        let receiver = line.kind.receiver();
        let handler = try_init!(Interrupt {
            block: line.block.clone(),
            port: channel.port(),
            receiver,
            throttle: Throttle::new(),
        });
        let irq = KBox::pin_init(
            <&platform::Device<Bound>>::try_from(dev)?.request_threaded_irq_by_index(
                Flags::ONESHOT,
                line.irq,
                c_str!("mt3620-mailbox"),
                handler,
            )?,
            GFP_KERNEL,
        )?;
        let found = match receiver {
            Some(receiver) => Some(receiver.open(block)),
            None => {
                doorbell::open(block);
                None
            }
        };
        Ok(Started { irq, found })
    }

    fn shutdown(channel: &Channel<'_, Self>, started: Started) {
        let line = channel.data();
        // This waits for a handler that runs, which may enable doorbells once more.
        drop(started.irq);
        if let Kind::Fifo(sender) = &line.kind {
            sender.forget();
        }
        if let Ok(block) = line.block.registers(channel.device()) {
            match started.found {
                Some(found) => block.write(found),
                None => doorbell::close(block),
            }
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

/// The interrupt of a channel.
struct Interrupt {
    block: Block,
    port: Port<Mailbox>,
    /// That of the FIFOs; doorbells have none.
    receiver: Option<Receiver>,
    throttle: Throttle,
}

impl ThreadedHandler for Interrupt {
    fn handle(&self, dev: &Device<Bound>) -> ThreadedIrqReturn {
        let block = self.block.registers(dev);
        if self.receiver.is_some() || block.is_ok_and(doorbell::mask) {
            ThreadedIrqReturn::WakeThread
        } else {
            ThreadedIrqReturn::None
        }
    }

    fn handle_threaded(&self, dev: &Device<Bound>) -> IrqReturn {
        let Ok(block) = self.block.registers(dev) else {
            return IrqReturn::None;
        };
        let deliver = |message: &Message| {
            self.port.received(message);
        };
        let handled = match self.receiver {
            Some(receiver) => match receiver.interrupt(block, deliver) {
                Outcome::Taken(_) | Outcome::Event => true,
                Outcome::Spurious => false,
                Outcome::Broken(count) => {
                    dev_err!(
                        dev,
                        "{count} entries in a FIFO of {}: it is not read any more\n",
                        receiver.depth
                    );
                    true
                }
            },
            None => doorbell::answer(block, deliver),
        };
        let again = match self.receiver {
            Some(receiver) => receiver.has_entry(block),
            None => doorbell::was_rung(block),
        };
        if self.throttle.pauses(again) {
            fsleep(PAUSE);
        }
        if self.receiver.is_none() {
            doorbell::open(block);
        }
        if handled {
            IrqReturn::Handled
        } else {
            IrqReturn::None
        }
    }
}
