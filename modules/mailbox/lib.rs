// SPDX-License-Identifier: GPL-2.0

//! The mailboxes of the MediaTek MT3620: between the Cortex-A7 and the other cores of the chip.
//!
//! There is one block of registers for each partner. Each has two ways to reach it, and each of
//! these is a channel: `2 * n` are the FIFOs of block `n`, `2 * n + 1` its doorbells.
//!
//! | file | about |
//! |---|---|
//! | `registers.rs` | the registers of a block |
//! | `fifo.rs` | entries of a command and a data word |
//! | `doorbell.rs` | bits that interrupt |
//! | `channel.rs` | how a channel is started, used and stopped |
//!
//! What is not known of the chip is not relied on: which bit of the FIFOs' interrupt registers
//! means what, which of them are set at first, and whether the data word of an entry stays for the
//! next one. The second interrupt of a block, for entries that the partner has taken, is not
//! used: a message is done when it is in the FIFO, and whether there is room tells a counter.
//!
//! Clients are called from threads that handle the interrupts.
#![deny(unsafe_code)]

use kernel::{
    c_str,
    device::{
        property::FwNode,
        Bound,
        Core,
        Device, //
    },
    io::register::Registers,
    mailbox::controller::{
        Registration,
        TxDone, //
    },
    of,
    platform,
    prelude::*,
    time::Msecs, //
};

mod channel;
mod doorbell;
mod fifo;
#[cfg(CONFIG_KUNIT = "y")]
mod kunit;
mod registers;

use crate::{
    channel::{
        registers,
        Kind,
        Line,
        IRQS_PER_BLOCK, //
    },
    fifo::Sender,
    registers::{
        Version,
        BLOCK_STRIDE, //
    },
};

/// What the channels carry.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The data word; doorbells have none.
    pub data: u32,
    /// The command, or a bit for each doorbell.
    pub command: u32,
}

/// The most blocks that one device has.
const MAX_BLOCKS: u8 = 8;

/// The most entries that a FIFO holds; its counter has four bits.
const MAX_DEPTH: u8 = 15;

/// How often it is looked whether there is room in a FIFO that is full.
const POLL_PERIOD: Msecs = 10;

struct Mailbox {
    _registration: Registration<Self>,
}

kernel::of_device_table!(
    OF_TABLE,
    MODULE_OF_TABLE,
    <Mailbox as platform::Driver>::IdInfo,
    [(of::DeviceId::new(c_str!("mediatek,mt3620-mailbox")), ())]
);

impl platform::Driver for Mailbox {
    type IdInfo = ();
    const OF_ID_TABLE: Option<of::IdTable<Self::IdInfo>> = Some(&OF_TABLE);

    fn probe(pdev: &platform::Device<Core>, _info: Option<&()>) -> Result<Pin<KBox<Self>>> {
        let dev: &Device<Bound> = pdev.as_ref();
        let node = dev.fwnode().ok_or(ENODEV)?;
        let blocks = number(dev, node, c_str!("mailbox-channel-count"), MAX_BLOCKS)?;
        let depth = number(dev, node, c_str!("mailbox-max-fifo-count"), MAX_DEPTH)?;

        let request = pdev.io_request_by_index(0).ok_or_else(|| {
            dev_err!(dev, "{node}: reg is missing\n");
            EINVAL
        })?;
        let io = request.iomap_shared()?;

        let poll = TxDone::Poll {
            period: POLL_PERIOD,
        };
        let count = 2 * u16::from(blocks);
        let registration = Registration::<Self>::new(dev, poll, count, io, |io, channel| {
            let index = channel / 2;
            let kind = if channel % 2 == 0 {
                Kind::Fifo(Sender::new(depth.into()))
            } else {
                Kind::Doorbells
            };
            let line = Line::new(usize::from(index) * BLOCK_STRIDE, kind);
            let version: Version = registers(io, dev, &line)
                .inspect_err(|_| dev_err!(dev, "{node}: reg ends before block {index}\n"))?
                .read();
            if version != Version::MT3620 {
                dev_err!(
                    dev,
                    "{node}: block {index} has version {:#010x}, only {:#010x} is known\n",
                    version.0,
                    Version::MT3620.0
                );
                return Err(ENODEV);
            }
            let irq = u32::from(index) * IRQS_PER_BLOCK + line.kind.irq();
            let request = pdev.optional_irq_by_index(irq).inspect_err(|error| {
                dev_err!(dev, "{node}: interrupt {irq} is missing: {error:?}\n")
            })?;
            Ok((line, Some(request)))
        })?;
        let mailbox = Self {
            _registration: registration,
        };
        Ok(KBox::new(mailbox, GFP_KERNEL)?.into())
    }
}

/// Reads a property that is a number from 1 to `max`.
fn number(dev: &Device, node: &FwNode, name: &CStr, max: u8) -> Result<u8> {
    let value: u32 = node.property_read(name).required_by(dev)?;
    match u8::try_from(value) {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => {
            dev_err!(dev, "{node}: {name} is {value}, but must be 1 to {max}\n");
            Err(EINVAL)
        }
    }
}

kernel::module_platform_driver! {
    type: Mailbox,
    name: "mt3620_mailbox",
    authors: ["Nacre"],
    description: "Mailboxes of the MediaTek MT3620",
    license: "GPL v2",
}
