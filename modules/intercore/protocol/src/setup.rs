// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The entries of the mailbox by which the high-level core tells a real-time core where the buffers are.

use core::ops::Range;

use crate::BufferError;
use crate::area::{MAX_BUFFER, MIN_BUFFER};

/// The bits of a descriptor that hold the size.
const SIZE_MASK: u32 = 0x1F;

/// Where a shared buffer is, and how large, as one word: its address with the logarithm of its size in the
/// low five bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor(u32);

impl Descriptor {
    /// Of a buffer.
    ///
    /// # Errors
    ///
    /// What keeps the memory from being one.
    pub fn new(address: u32, size: u32) -> Result<Self, BufferError> {
        if !size.is_power_of_two() {
            Err(BufferError::Size)
        } else if address & SIZE_MASK != 0 {
            Err(BufferError::Alignment)
        } else {
            Self::from_bits(address | size.trailing_zeros())
        }
    }

    /// From the word of an entry.
    ///
    /// # Errors
    ///
    /// What keeps it from being a descriptor.
    pub fn from_bits(bits: u32) -> Result<Self, BufferError> {
        let descriptor = Self(bits);
        if !(MIN_BUFFER..=MAX_BUFFER).contains(&descriptor.size()) {
            Err(BufferError::Size)
        } else if descriptor
            .address()
            .checked_add(descriptor.size())
            .is_none()
        {
            Err(BufferError::End)
        } else {
            Ok(descriptor)
        }
    }

    /// The word of an entry.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The physical address, the same for both cores.
    #[must_use]
    pub const fn address(self) -> u32 {
        self.0 & !SIZE_MASK
    }

    /// The bytes of the whole buffer.
    #[must_use]
    pub const fn size(self) -> u32 {
        1 << (self.0 & SIZE_MASK)
    }

    /// The addresses of its bytes.
    fn range(self) -> Range<u32> {
        // It does not overflow: `from_bits` has seen to that.
        self.address()..self.address().saturating_add(self.size())
    }
}

/// What an entry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Command {
    /// The buffer that the high-level core reads.
    ToHighLevel = 0xBA5E_0001,
    /// The buffer that the high-level core writes.
    ToRealTime = 0xBA5E_0002,
    /// The setup is complete.
    Start = 0xBA5E_0003,
    /// No more messages.
    Stop = 0xBA5E_0004,
}

impl Command {
    /// The command with this number; none when it is unknown.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0xBA5E_0001 => Some(Self::ToHighLevel),
            0xBA5E_0002 => Some(Self::ToRealTime),
            0xBA5E_0003 => Some(Self::Start),
            0xBA5E_0004 => Some(Self::Stop),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// One entry of the mailbox. Both words are always written: the mailbox would send the last entry's data again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The first word to write, and to read.
    pub data: u32,
    /// The second one, which takes the entry with it.
    pub command: u32,
}

impl Entry {
    /// The end of communication; it must not wait in the mailbox when a core is started.
    pub const STOP: Self = Self::of(Command::Stop, 0);

    const fn of(command: Command, data: u32) -> Self {
        Self {
            data,
            command: command.number(),
        }
    }
}

/// The two buffers of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    to_high_level: Descriptor,
    to_real_time: Descriptor,
}

impl Buffers {
    /// The buffer that the high-level core reads, and the one that it writes, within the shared memory.
    ///
    /// # Errors
    ///
    /// A buffer lies elsewhere, or they overlap.
    pub fn new(
        to_high_level: Descriptor,
        to_real_time: Descriptor,
        shared: &Range<u32>,
    ) -> Result<Self, BufferError> {
        let (one, other) = (to_high_level.range(), to_real_time.range());
        if [&one, &other]
            .iter()
            .any(|range| range.start < shared.start || range.end > shared.end)
        {
            Err(BufferError::Place)
        } else if one.start < other.end && other.start < one.end {
            Err(BufferError::Overlap)
        } else {
            Ok(Self {
                to_high_level,
                to_real_time,
            })
        }
    }

    /// The buffer that the high-level core reads.
    #[must_use]
    pub const fn to_high_level(self) -> Descriptor {
        self.to_high_level
    }

    /// The buffer that the high-level core writes.
    #[must_use]
    pub const fn to_real_time(self) -> Descriptor {
        self.to_real_time
    }

    /// What the high-level core posts: these three, nothing before and nothing between, since some firmware reads
    /// exactly three. There is no answer, and silence means nothing: the core may read them much later.
    #[must_use]
    pub const fn entries(self) -> [Entry; 3] {
        [
            Entry::of(Command::ToHighLevel, self.to_high_level.bits()),
            Entry::of(Command::ToRealTime, self.to_real_time.bits()),
            Entry::of(Command::Start, 0),
        ]
    }
}

/// Why a real-time core does not accept a setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupError {
    /// It is complete, but a buffer was not named.
    Missing,
    /// A buffer cannot be one.
    Buffer(BufferError),
}

impl From<BufferError> for SetupError {
    fn from(error: BufferError) -> Self {
        Self::Buffer(error)
    }
}

impl core::fmt::Display for SetupError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Missing => formatter.write_str("the setup names only one buffer or none"),
            Self::Buffer(error) => error.fmt(formatter),
        }
    }
}

impl core::error::Error for SetupError {}

/// What an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More is to come; also after an entry that means nothing here.
    Waiting,
    /// The channel is set up, for the first time or anew.
    Ready(Buffers),
    /// The channel is closed.
    Stopped,
}

/// The real-time core's side of the setup. It serves any number of setups, one after the other.
#[derive(Debug, Default)]
pub struct Setup {
    to_high_level: Option<Result<Descriptor, BufferError>>,
    to_real_time: Option<Result<Descriptor, BufferError>>,
}

impl Setup {
    /// Waiting for the first entry.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            to_high_level: None,
            to_real_time: None,
        }
    }

    /// Takes an entry. The two buffers come in any order, and of two that are named alike the later one counts:
    /// the high-level core may have begun again. So it is judged when it is complete, and there is one answer to
    /// each setup, whenever its entries are read.
    ///
    /// # Errors
    ///
    /// What is wrong with the setup, which then begins again.
    pub fn take(&mut self, entry: Entry, shared: &Range<u32>) -> Result<Progress, SetupError> {
        let taken = self.step(entry, shared);
        if !matches!(taken, Ok(Progress::Waiting)) {
            *self = Self::new();
        }
        taken
    }

    fn step(&mut self, entry: Entry, shared: &Range<u32>) -> Result<Progress, SetupError> {
        match Command::from_number(entry.command) {
            Some(Command::ToHighLevel) => {
                self.to_high_level = Some(Descriptor::from_bits(entry.data));
            }
            Some(Command::ToRealTime) => {
                self.to_real_time = Some(Descriptor::from_bits(entry.data));
            }
            Some(Command::Start) => {
                let (Some(one), Some(other)) = (self.to_high_level, self.to_real_time) else {
                    return Err(SetupError::Missing);
                };
                return Ok(Progress::Ready(Buffers::new(one?, other?, shared)?));
            }
            Some(Command::Stop) => return Ok(Progress::Stopped),
            None => {}
        }
        Ok(Progress::Waiting)
    }
}
