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
    new_mutex,
    platform,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
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

/// The one of [`IRQS_PER_BLOCK`] for doorbells.
pub(crate) const DOORBELL_IRQ: u32 = 2;

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
struct Started {
    /// What [`Receiver::open`] has found.
    found: Option<FifoEnable>,
    _irq: Pin<KBox<ThreadedRegistration<Interrupt>>>,
}

/// What of a block a channel is.
pub(crate) enum Kind {
    Fifo(Sender, Receiver),
    Doorbells,
}

impl Kind {
    /// FIFOs that hold so many entries.
    pub(crate) fn fifo(depth: u32) -> Self {
        Self::Fifo(Sender::new(depth), Receiver { depth })
    }
}

/// A channel.
#[pin_data]
pub(crate) struct Line {
    block: Block,
    irq: u32,
    kind: Kind,
    #[pin]
    started: Mutex<Option<Started>>,
}

impl Line {
    /// A channel of a block, with its interrupt.
    pub(crate) fn new(block: Block, irq: u32, kind: Kind) -> impl PinInit<Self> {
        pin_init!(Self {
            block,
            irq,
            kind,
            started <- new_mutex!(None),
        })
    }
}

#[vtable]
impl Operations for Mailbox {
    type Message = Message;
    type Data = Line;

    fn send_data(channel: &Channel<'_, Self>, message: &Message) -> Result {
        let line = channel.data();
        let block = line.block.registers(channel.device())?;
        match &line.kind {
            Kind::Fifo(sender, _) => sender.send(&block, *message),
            Kind::Doorbells => {
                doorbell::ring(&block, *message);
                Ok(())
            }
        }
    }

    fn last_tx_done(channel: &Channel<'_, Self>) -> bool {
        let line = channel.data();
        match (&line.kind, line.block.registers(channel.device())) {
            (Kind::Fifo(sender, _), Ok(block)) => sender.flush(&block),
            (Kind::Doorbells, _) => true,
            (_, Err(_)) => false,
        }
    }

    fn peek_data(channel: &Channel<'_, Self>) -> bool {
        let line = channel.data();
        match (&line.kind, line.block.registers(channel.device())) {
            (Kind::Fifo(_, receiver), Ok(block)) => receiver.has_entry(&block),
            (Kind::Doorbells, Ok(block)) => doorbell::was_rung(&block),
            (_, Err(_)) => false,
        }
    }

    fn startup(channel: &Channel<'_, Self>) -> Result {
        let line = channel.data();
        let dev = channel.device();
        let pdev = <&platform::Device<Bound>>::try_from(dev)?;
        let handler = Interrupt {
            block: line.block.clone(),
            port: channel.port(),
            receiver: match &line.kind {
                Kind::Fifo(_, receiver) => Some(*receiver),
                Kind::Doorbells => None,
            },
            throttle: Throttle::new(),
        };
        let irq = KBox::pin_init(
            pdev.request_threaded_irq_by_index(
                Flags::ONESHOT,
                line.irq,
                c_str!("mt3620-mailbox"),
                Ok(handler),
            )?,
            GFP_KERNEL,
        )?;

        let block = line.block.registers(dev)?;
        let found = match &line.kind {
            Kind::Fifo(_, receiver) => Some(receiver.open(&block)),
            Kind::Doorbells => {
                doorbell::open(&block);
                None
            }
        };
        *line.started.lock() = Some(Started { found, _irq: irq });
        Ok(())
    }

    fn shutdown(channel: &Channel<'_, Self>) {
        let line = channel.data();
        let started = line.started.lock().take();
        let found = started.as_ref().and_then(|started| started.found);
        // This waits for a handler that runs, which may enable doorbells once more.
        drop(started);
        if let Kind::Fifo(sender, _) = &line.kind {
            sender.forget();
        }
        if let Ok(block) = line.block.registers(channel.device()) {
            match (&line.kind, found) {
                (Kind::Fifo(_, receiver), Some(found)) => receiver.close(&block, found),
                (Kind::Fifo(..), None) => {}
                (Kind::Doorbells, _) => doorbell::close(&block),
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
        match (self.receiver, self.block.registers(dev)) {
            (Some(_), Ok(_)) => ThreadedIrqReturn::WakeThread,
            (None, Ok(block)) if doorbell::mask(&block) => ThreadedIrqReturn::WakeThread,
            _ => ThreadedIrqReturn::None,
        }
    }

    fn handle_threaded(&self, dev: &Device<Bound>) -> IrqReturn {
        let Ok(block) = self.block.registers(dev) else {
            return IrqReturn::None;
        };
        let deliver = |message| {
            self.port.received(&message);
        };
        let handled = match self.receiver {
            Some(receiver) => match receiver.interrupt(&block, deliver) {
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
            None => doorbell::answer(&block, deliver),
        };
        let again = match self.receiver {
            Some(receiver) => receiver.has_entry(&block),
            None => doorbell::was_rung(&block),
        };
        if self.throttle.pauses(again) {
            fsleep(PAUSE);
        }
        if self.receiver.is_none() {
            doorbell::open(&block);
        }
        if handled {
            IrqReturn::Handled
        } else {
            IrqReturn::None
        }
    }
}
