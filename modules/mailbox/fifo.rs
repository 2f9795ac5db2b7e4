// SPDX-License-Identifier: GPL-2.0

//! The pair of FIFOs of a block: entries of a command and a data word, in both directions.
//!
//! Nothing here depends on what the bits in the interrupt registers mean. Entries are taken as long
//! as the counter says that there are some, and posted when it says that there is room.

use kernel::{
    io::register::Registers,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

use crate::{
    registers::{
        CommandPop,
        CommandPost,
        DataPop,
        DataPost,
        FifoEnable,
        FifoStatus,
        PopCount,
        PostCount,
        FIFO_EVENTS, //
    },
    Message, //
};

/// What an interrupt of the FIFOs turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// So many entries were taken.
    Taken(u32),
    /// There was an event, but nothing to take.
    Event,
    /// There was no reason for it.
    Spurious,
    /// The counter has said that there are more entries than fit. The FIFOs do not interrupt any
    /// more.
    Broken(u32),
}

/// The side of a pair of FIFOs that receives.
#[derive(Clone, Copy)]
pub(crate) struct Receiver {
    /// How many entries fit into a FIFO.
    pub(crate) depth: u32,
}

impl Receiver {
    /// Has the FIFOs interrupt. Returns which events did before, to be restored in
    /// the end.
    ///
    /// It is not known which events are enabled by default. As long as there are some, somebody
    /// has made a choice that works, and it is left alone.
    pub(crate) fn open(self, block: impl Registers) -> FifoEnable {
        let found: FifoEnable = block.read();
        if found.0 & FIFO_EVENTS == 0 {
            block.write(FifoEnable(FIFO_EVENTS));
        }
        found
    }

    /// Returns whether there is an entry to take.
    pub(crate) fn has_entry(self, block: impl Registers) -> bool {
        block.read::<PopCount>().0 != 0
    }

    /// Handles an interrupt: takes what there is, but no more than fits into the FIFO.
    ///
    /// The status is cleared first, so that what is posted from then on interrupts again.
    pub(crate) fn interrupt(self, block: impl Registers, deliver: impl FnMut(&Message)) -> Outcome {
        let events = block.read::<FifoStatus>().0 & FIFO_EVENTS;
        block.write(FifoStatus(events));

        match self.drain(block, deliver) {
            Ok(0) => {}
            Ok(taken) => return Outcome::Taken(taken),
            Err(count) => {
                block.write(FifoEnable(0));
                return Outcome::Broken(count);
            }
        }

        // A bit that stays although there is nothing to take tells the state of the other FIFO, and
        // nobody waits for that. What comes in between these two reads is counted by the second.
        let lasting = block.read::<FifoStatus>().0 & FIFO_EVENTS;
        let enabled = block.read::<FifoEnable>().0;
        let silenced = lasting & enabled;
        if self.has_entry(block) {
            return Outcome::Event;
        }
        if silenced != 0 {
            block.write(FifoEnable(enabled & !silenced));
        }
        if silenced != 0 || events & !lasting != 0 {
            Outcome::Event
        } else {
            Outcome::Spurious
        }
    }

    /// Takes entries, and returns how many, or the counter when it cannot be right.
    fn drain(self, block: impl Registers, mut deliver: impl FnMut(&Message)) -> Result<u32, u32> {
        for taken in 0..self.depth {
            match block.read::<PopCount>().0 {
                0 => return Ok(taken),
                count if count > self.depth => return Err(count),
                _ => {}
            }
            // The order matters: to read the command takes the entry.
            let data = block.read::<DataPop>().0;
            let command = block.read::<CommandPop>().0;
            deliver(&Message { data, command });
        }
        Ok(self.depth)
    }
}

/// The side of a pair of FIFOs that sends.
///
/// A message is done when it is in the FIFO. One for which there is no room is kept until there is,
/// and no other one is taken meanwhile. The mailbox framework sees to it that one message is
/// handled at a time.
pub(crate) struct Sender {
    depth: u32,
    waits: Atomic<i32>,
    data: Atomic<u32>,
    command: Atomic<u32>,
}

impl Sender {
    pub(crate) fn new(depth: u32) -> Self {
        Self {
            depth,
            waits: Atomic::new(0),
            data: Atomic::new(0),
            command: Atomic::new(0),
        }
    }

    /// Returns the other side of the same FIFOs.
    pub(crate) fn receiver(&self) -> Receiver {
        Receiver { depth: self.depth }
    }

    /// Posts `message`, or keeps it.
    pub(crate) fn send(&self, block: impl Registers, message: Message) -> Result {
        if self.waits.load(Relaxed) != 0 {
            return Err(EBUSY);
        }
        if self.post(block, message).is_err() {
            self.data.store(message.data, Relaxed);
            self.command.store(message.command, Relaxed);
            self.waits.store(1, Release);
        }
        Ok(())
    }

    /// Posts the message that was kept. Returns whether there is none any more.
    pub(crate) fn flush(&self, block: impl Registers) -> bool {
        if self.waits.load(Acquire) == 0 {
            return true;
        }
        let message = Message {
            data: self.data.load(Relaxed),
            command: self.command.load(Relaxed),
        };
        if self.post(block, message).is_err() {
            return false;
        }
        self.waits.store(0, Release);
        true
    }

    /// Forgets the message that was kept.
    pub(crate) fn forget(&self) {
        self.waits.store(0, Release);
    }

    /// Posts an entry, if there is room.
    fn post(&self, block: impl Registers, message: Message) -> Result {
        if block.read::<PostCount>().0 >= self.depth {
            return Err(EBUSY);
        }
        // The order matters: to write the command posts the entry, with the data that was written
        // last. So that is always written, even if it is zero.
        block.write(DataPost(message.data));
        block.write(CommandPost(message.command));
        Ok(())
    }
}
