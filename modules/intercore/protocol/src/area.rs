// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The data area of a shared buffer, and positions in it.

use crate::{Fault, Index};

/// The words of the header: write position, read position, 14 reserved ones.
pub(crate) const HEADER_WORDS: usize = 16;

/// The bytes of the header.
pub(crate) const HEADER_SIZE: u32 = 64;

/// Blocks begin at multiples of this, and so many bytes stay free, so that full is not empty.
pub(crate) const SLOT: u32 = 16;

/// The fewest bytes of a whole buffer: its area has four slots.
pub(crate) const MIN_BUFFER: u32 = 128;

/// The most bytes of a whole buffer. The original's have 4096; nothing in the protocol needs more than this.
pub(crate) const MAX_BUFFER: u32 = 1 << 16;

/// The data area of a buffer: its size in bytes is a multiple of [`SLOT`].
#[derive(Clone, Copy)]
pub(crate) struct Area {
    size: u32,
}

/// An offset into the data area: below its size, and a multiple of [`SLOT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position(u32);

impl Position {
    pub(crate) const START: Self = Self(0);

    /// The word that stands for it in a header.
    pub(crate) fn to_word(self) -> u32 {
        self.0
    }
}

impl Area {
    /// The area of a buffer of so many words; none for one that cannot be a buffer.
    pub(crate) fn of(words: usize) -> Option<Self> {
        let buffer = u32::try_from(words).ok()?.checked_mul(4)?;
        let fits = (MIN_BUFFER..=MAX_BUFFER).contains(&buffer) && buffer % SLOT == 0;
        fits.then(|| Self {
            size: buffer - HEADER_SIZE,
        })
    }

    /// A position that the other core wrote.
    pub(crate) fn check(self, index: Index, value: u32) -> Result<Position, Fault> {
        if value >= self.size {
            Err(Fault::OutOfRange { index, value })
        } else if !value.is_multiple_of(SLOT) {
            Err(Fault::Misaligned { index, value })
        } else {
            Ok(Position(value))
        }
    }

    /// The bytes from one position forward to another.
    pub(crate) fn distance(self, from: Position, to: Position) -> u32 {
        if to.0 >= from.0 {
            to.0 - from.0
        } else {
            self.size - from.0 + to.0
        }
    }

    /// The bytes that can be written; always a multiple of [`SLOT`].
    pub(crate) fn free(self, read: Position, write: Position) -> u32 {
        self.capacity() - self.distance(read, write)
    }

    /// The bytes that an empty area takes.
    pub(crate) fn capacity(self) -> u32 {
        self.size - SLOT
    }

    /// The position so many bytes further, which are a multiple of [`SLOT`] and at most the capacity.
    pub(crate) fn advance(self, position: Position, bytes: u32) -> Position {
        let sum = position.0 + bytes;
        Position(if sum >= self.size {
            sum - self.size
        } else {
            sum
        })
    }

    /// Where the words from a position on are.
    pub(crate) fn cursor(self, position: Position) -> Cursor {
        let index = |bytes: u32| HEADER_WORDS + (bytes / 4) as usize;
        Cursor {
            word: index(position.0),
            end: index(self.size),
        }
    }
}

/// A place in the area, which goes on at its start when it comes to its end.
pub(crate) struct Cursor {
    word: usize,
    end: usize,
}

impl Cursor {
    /// This word, and on to the next one.
    pub(crate) fn next(&mut self) -> usize {
        let word = self.word;
        self.word += 1;
        if self.word == self.end {
            self.word = HEADER_WORDS;
        }
        word
    }

    /// The two runs of words that so many bytes take from here on: the first word of each, and how many bytes the first
    /// one has. So copying is two plain loops, in which no word asks whether it is the last one.
    pub(crate) fn runs(&self, bytes: usize) -> (usize, usize, usize) {
        let before = bytes.min((self.end - self.word) * 4);
        (before, self.word, HEADER_WORDS)
    }
}
