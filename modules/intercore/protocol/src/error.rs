// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Why a channel halts, a message is not sent, and a setup is refused.

use core::fmt;

/// One of the two positions that the other core writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// How far it has written the ring that this side reads.
    Write,
    /// How far it has read the ring that this side writes.
    Read,
}

/// What the other core did that no correct one does. The channel stays halted until it is set up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A position beyond the data area.
    OutOfRange {
        /// Which one.
        index: Index,
        /// What it was.
        value: u32,
    },
    /// A position that is no multiple of 16.
    Misaligned {
        /// Which one.
        index: Index,
        /// What it was.
        value: u32,
    },
    /// A position that went backwards, or past where it can be.
    Backwards {
        /// Which one.
        index: Index,
        /// What it was.
        value: u32,
    },
    /// A block too short for its own header.
    Short {
        /// Its length.
        length: u32,
    },
    /// A block longer than any sender makes one.
    Oversize {
        /// Its length.
        length: u32,
    },
    /// A block of which a part is not there.
    Truncated {
        /// Its length.
        length: u32,
        /// The bytes that are there, those of the length among them.
        available: u32,
    },
}

impl fmt::Display for Index {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Write => "write position",
            Self::Read => "read position",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { index, value } => {
                write!(formatter, "the peer's {index} {value} lies beyond the ring")
            }
            Self::Misaligned { index, value } => {
                write!(formatter, "the peer's {index} {value} is no multiple of 16")
            }
            Self::Backwards { index, value } => {
                write!(formatter, "the peer's {index} {value} went backwards")
            }
            Self::Short { length } => {
                write!(
                    formatter,
                    "the peer sent a block of {length} bytes, too short for its header"
                )
            }
            Self::Oversize { length } => {
                write!(
                    formatter,
                    "the peer sent a block of {length} bytes, longer than any message"
                )
            }
            Self::Truncated { length, available } => write!(
                formatter,
                "the peer sent a block of {length} bytes, but only {available} are there"
            ),
        }
    }
}

impl core::error::Error for Fault {}

/// Why a message was not sent. Nothing of it is in the ring then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// It is longer than the channel's messages can be.
    TooLong {
        /// The most bytes of a message.
        most: usize,
    },
    /// The other core has to read first; its doorbell says when it did.
    Full,
    /// The channel is halted.
    Halted(Fault),
}

impl From<Fault> for SendError {
    fn from(fault: Fault) -> Self {
        Self::Halted(fault)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { most } => write!(formatter, "a message has at most {most} bytes"),
            Self::Full => formatter.write_str("the ring is full"),
            Self::Halted(fault) => write!(formatter, "the channel is halted: {fault}"),
        }
    }
}

impl core::error::Error for SendError {}

/// Why memory cannot be a shared buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BufferError {
    /// Its size is no power of two from 128 to 65536.
    Size,
    /// Its address is no multiple of 32, whose bits hold the size.
    Alignment,
    /// It goes beyond the address space.
    End,
    /// It lies outside the memory that the cores share.
    Place,
    /// It overlaps the other buffer.
    Overlap,
}

impl fmt::Display for BufferError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Size => "the size of a shared buffer is a power of two from 128 to 65536",
            Self::Alignment => "the address of a shared buffer is a multiple of 32",
            Self::End => "the shared buffer goes beyond the address space",
            Self::Place => "the shared buffer lies outside the memory that the cores share",
            Self::Overlap => "the two shared buffers overlap",
        })
    }
}

impl core::error::Error for BufferError {}
