// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Both rings of a channel, as one side sees them.

use policy::ComponentId;

use crate::area::{Area, Position};
use crate::frame::{self, Length, MAX_PAYLOAD};
use crate::{BufferError, Doorbells, Fault, Index, SendError, SharedMemory, Side};

/// The word of a header with the write position of the core that owns it, in the ring that lies behind it.
const WRITE: usize = 0;

/// The word of a header with the read position of the core that owns it, in the ring behind the other header.
const READ: usize = 1;

/// The words of a block before its payload: length, component id, reserved word.
const HEADER_WORDS_OF_BLOCK: usize = 6;

/// One side of a channel.
///
/// Its own positions are kept here and only shown to the other core. What the other core says is read once,
/// checked, and then used; it can lie at any time and is found out or harms itself. The first [`Fault`] halts the
/// channel: nothing is sent or received until it is set up again.
///
/// Whoever rings a [`Doorbells`] for it must let no access to the shared memory pass the access to the mailbox
/// (`wmb()`, `DSB`).
#[derive(Debug)]
pub struct Channel<M> {
    side: Side,
    inbound: Half<M>,
    outbound: Half<M>,
    fault: Option<Fault>,
}

/// A buffer and the positions in its ring.
#[derive(Debug)]
struct Half<M> {
    memory: M,
    area: Area,
    /// The position that this side moves.
    own: Position,
    /// The last one that the other side showed.
    peer: Position,
}

impl core::fmt::Debug for Area {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "Area({})", self.capacity())
    }
}

impl<M: SharedMemory> Half<M> {
    fn new(memory: M) -> Result<Self, BufferError> {
        Ok(Self {
            area: Area::of(memory.words()).ok_or(BufferError::Size)?,
            memory,
            own: Position::START,
            peer: Position::START,
        })
    }

    fn clear(&self) {
        for word in 0..self.memory.words() {
            self.memory.store(word, 0);
        }
    }
}

/// What is next in the ring.
#[derive(Debug)]
pub enum Next<'a, M: SharedMemory> {
    /// A message, which stays where it is unless it is taken.
    Message(Message<'a, M>),
    /// A message of more than [`MAX_PAYLOAD`] bytes, which was dropped; those after it are as good as any.
    Dropped {
        /// The addressee.
        component: ComponentId,
        /// The bytes of its payload.
        length: u32,
    },
}

/// A message in the ring. Dropping it leaves it there, to be found again.
#[derive(Debug)]
#[must_use = "the message stays in the ring unless it is read or discarded"]
pub struct Message<'a, M: SharedMemory> {
    channel: &'a mut Channel<M>,
    component: ComponentId,
    length: Length,
}

impl<M: SharedMemory> Channel<M> {
    /// Begins a channel with the buffer that this side reads and the one that it writes. The high-level core
    /// clears both, and only then tells the other one where they are.
    ///
    /// # Errors
    ///
    /// A buffer has a size that none can have.
    pub fn new(side: Side, inbound: M, outbound: M) -> Result<Self, BufferError> {
        let (inbound, outbound) = (Half::new(inbound)?, Half::new(outbound)?);
        if side == Side::HighLevel {
            inbound.clear();
            outbound.clear();
        }
        Ok(Self {
            side,
            inbound,
            outbound,
            fault: None,
        })
    }

    /// Why the channel is halted, if it is.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The most bytes of a message: [`MAX_PAYLOAD`], or what a small ring takes when it is empty.
    #[must_use]
    pub fn max_payload(&self) -> usize {
        // A length word and the header of the block precede the payload.
        MAX_PAYLOAD.min(self.outbound.area.capacity() as usize - 24)
    }

    /// How many blocks the ring to this side can hold. One who is rung reads at most so many before anything
    /// else has its turn: the other core could write for ever.
    #[must_use]
    pub fn turn(&self) -> u32 {
        self.inbound.area.capacity() / 32
    }

    /// Sends a message: from the component to the real-time core, or from it to the component. What comes back
    /// is to be rung.
    ///
    /// # Errors
    ///
    /// The message is too long, the ring is full, or the channel is halted, as it is from now on if the other
    /// core's read position is wrong.
    pub fn send(&mut self, component: ComponentId, payload: &[u8]) -> Result<Doorbells, SendError> {
        self.check()?;
        let most = self.max_payload();
        let length = Length::of_payload(payload).filter(|_| payload.len() <= most);
        let length = length.ok_or(SendError::TooLong { most })?;
        let read = self.observe(Index::Read)?;
        let Half {
            memory, area, own, ..
        } = &mut self.outbound;
        if length.block() > area.free(read, *own) {
            return Err(SendError::Full);
        }
        let [a, b, c, d] = frame::words_of(component);
        // The reserved word is written, as is what fills up the last word: no memory of this side gets out.
        let header = [length.to_word(), a, b, c, d, 0];
        let mut cursor = area.cursor(*own);
        for value in header {
            memory.store(cursor.next(), value);
        }
        let (middle, first, second) = cursor.runs(payload.len());
        let (before, after) = payload.split_at_checked(middle).unwrap_or_default();
        write(memory, first, before);
        write(memory, second, after);
        *own = area.advance(*own, length.block());
        memory.store_release(WRITE, own.to_word());
        Ok(self.side.produced())
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    ///
    /// The channel is halted, as it is from now on if the other core's write position or block is wrong.
    pub fn receive(&mut self) -> Result<Option<Next<'_, M>>, Fault> {
        self.check()?;
        let write = self.observe(Index::Write)?;
        let Half {
            memory, area, own, ..
        } = &self.inbound;
        let available = area.distance(*own, write);
        if available == 0 {
            return Ok(None);
        }
        let mut cursor = area.cursor(*own);
        let mut next = || memory.load(cursor.next());
        let length = next();
        let component = frame::component_of([next(), next(), next(), next()]);
        let length = match Length::from_word(length, available) {
            Ok(length) => length,
            Err(fault) => return Err(self.halt(fault)),
        };
        let message = Message {
            channel: self,
            component,
            length,
        };
        if message.fits() {
            return Ok(Some(Next::Message(message)));
        }
        message.discard();
        Ok(Some(Next::Dropped {
            component,
            length: length.payload(),
        }))
    }

    /// What this side rings after it has taken messages out of the ring.
    #[must_use]
    pub const fn consumed(&self) -> Doorbells {
        self.side.consumed()
    }

    /// Whether there is room for a message of any length.
    ///
    /// # Errors
    ///
    /// The channel is halted.
    pub fn has_room(&mut self) -> Result<bool, Fault> {
        self.check()?;
        let read = self.observe(Index::Read)?;
        let Half { area, own, .. } = &self.outbound;
        Ok(Length::of_longest().block().min(area.capacity()) <= area.free(read, *own))
    }

    /// What to ring once more, some time after a message was sent: real firmware loses doorbells, above all while it
    /// starts. None when the other core has nothing to read.
    ///
    /// # Errors
    ///
    /// The channel is halted.
    pub fn reminder(&mut self) -> Result<Option<Doorbells>, Fault> {
        self.check()?;
        let read = self.observe(Index::Read)?;
        let waiting = read != self.outbound.own;
        Ok(waiting.then(|| self.side.produced()))
    }

    /// The fault of a halted channel.
    fn check(&self) -> Result<(), Fault> {
        self.fault.map_or(Ok(()), Err)
    }

    /// Halts the channel.
    fn halt(&mut self, fault: Fault) -> Fault {
        self.fault = Some(fault);
        fault
    }

    /// Reads a position of the other core, once, and checks it.
    fn observe(&mut self, index: Index) -> Result<Position, Fault> {
        let (half, word) = match index {
            Index::Write => (&self.inbound, WRITE),
            Index::Read => (&self.outbound, READ),
        };
        // Both stand in the header that the other core owns.
        let value = self.inbound.memory.load_acquire(word);
        let checked = half.area.check(index, value).and_then(|position| {
            let Half {
                area, own, peer, ..
            } = half;
            let forward = match index {
                // The other core writes on from where it was, and at most up to what this side has not read.
                Index::Write => area.distance(*own, position) >= area.distance(*own, *peer),
                // It reads on from where it was, and at most up to what this side has written.
                Index::Read => area.distance(position, *own) <= area.distance(*peer, *own),
            };
            if forward {
                Ok(position)
            } else {
                Err(Fault::Backwards { index, value })
            }
        });
        match checked {
            Ok(position) => {
                let half = match index {
                    Index::Write => &mut self.inbound,
                    Index::Read => &mut self.outbound,
                };
                half.peer = position;
                Ok(position)
            }
            Err(fault) => Err(self.halt(fault)),
        }
    }
}

impl<'a, M: SharedMemory> Message<'a, M> {
    /// The sender, on the real-time core; the addressee, on the high-level one.
    #[must_use]
    pub const fn component(&self) -> ComponentId {
        self.component
    }

    /// The bytes of its payload.
    #[must_use]
    pub fn size(&self) -> usize {
        self.length.payload() as usize
    }

    fn fits(&self) -> bool {
        self.size() <= MAX_PAYLOAD
    }

    /// Copies the payload, or as much of it as there is room for, and takes the message out of the ring.
    pub fn read(self, buffer: &mut [u8]) -> &mut [u8] {
        let Half {
            memory, area, own, ..
        } = &self.channel.inbound;
        let size = self.size().min(buffer.len());
        let payload = buffer.get_mut(..size).unwrap_or_default();
        let mut cursor = area.cursor(*own);
        for _ in 0..HEADER_WORDS_OF_BLOCK {
            cursor.next();
        }
        let (middle, first, second) = cursor.runs(payload.len());
        let (before, after) = payload.split_at_mut_checked(middle).unwrap_or_default();
        read(memory, first, before);
        read(memory, second, after);
        self.discard();
        payload
    }

    /// Takes the message out of the ring without reading it.
    pub fn discard(self) {
        let Channel {
            inbound, outbound, ..
        } = self.channel;
        inbound.own = inbound.area.advance(inbound.own, self.length.block());
        // The positions of this side stand in the header that it owns.
        outbound.memory.store_release(READ, inbound.own.to_word());
    }
}

/// Writes bytes to words from this one on, and zeros to what is left of the last word.
fn write<M: SharedMemory>(memory: &M, first: usize, bytes: &[u8]) {
    let (words, rest) = bytes.split_at_checked(bytes.len() & !3).unwrap_or_default();
    memory.write(first, words);
    if !rest.is_empty() {
        let mut last = [0; 4];
        for (target, byte) in last.iter_mut().zip(rest) {
            *target = *byte;
        }
        memory.store(first + words.len() / 4, u32::from_le_bytes(last));
    }
}

/// Reads bytes from words from this one on.
fn read<M: SharedMemory>(memory: &M, first: usize, bytes: &mut [u8]) {
    let whole = bytes.len() & !3;
    let (words, rest) = bytes.split_at_mut_checked(whole).unwrap_or_default();
    memory.read(first, words);
    if !rest.is_empty() {
        let last = memory.load(first + whole / 4).to_le_bytes();
        for (target, byte) in rest.iter_mut().zip(last) {
            *target = byte;
        }
    }
}
