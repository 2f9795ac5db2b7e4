// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The form of a block: a length, a component id, a reserved word, the payload.

use policy::ComponentId;

use crate::Fault;
use crate::area::SLOT;

/// The most bytes of a message.
pub const MAX_PAYLOAD: usize = LONGEST as usize;

/// The same, as the words of a block count.
const LONGEST: u32 = 1024;

/// The bytes that the length counts besides the payload: component id and reserved word.
pub(crate) const HEADER_SIZE: u32 = 20;

/// The largest length that the libraries of Azure Sphere's samples for real-time cores let through. The original
/// closes the channel for what exceeds its own limit; here such a message is lost, and those after it are not.
pub(crate) const MAX_LENGTH_OF_OTHERS: u32 = 1060;

/// The size of the length word.
const LENGTH_SIZE: u32 = 4;

/// The payload's size in a block of [`MAX_LENGTH_OF_OTHERS`] at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length(u32);

impl Length {
    /// Of a message to send; none when it is too long for any ring.
    pub(crate) fn of_payload(payload: &[u8]) -> Option<Self> {
        let bytes = u32::try_from(payload.len()).ok()?;
        (payload.len() <= MAX_PAYLOAD).then_some(Self(bytes))
    }

    /// Of the longest message.
    pub(crate) fn of_longest() -> Self {
        Self(LONGEST)
    }

    /// From the length word of a block, of which so many bytes are there, the word among them.
    pub(crate) fn from_word(length: u32, available: u32) -> Result<Self, Fault> {
        if length < HEADER_SIZE {
            Err(Fault::Short { length })
        } else if length > MAX_LENGTH_OF_OTHERS {
            Err(Fault::Oversize { length })
        } else if length + LENGTH_SIZE > available {
            Err(Fault::Truncated { length, available })
        } else {
            Ok(Self(length - HEADER_SIZE))
        }
    }

    /// The length word.
    pub(crate) fn to_word(self) -> u32 {
        self.0 + HEADER_SIZE
    }

    /// The bytes of the payload.
    pub(crate) fn payload(self) -> u32 {
        self.0
    }

    /// The bytes of the ring that the block takes.
    pub(crate) fn block(self) -> u32 {
        (LENGTH_SIZE + self.to_word()).next_multiple_of(SLOT)
    }
}

/// A component id as the words of a block.
pub(crate) fn words_of(component: ComponentId) -> [u32; 4] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = component.to_guid_bytes();
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_le_bytes)
}

/// The component id in the words of a block.
pub(crate) fn component_of(words: [u32; 4]) -> ComponentId {
    let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = words.map(u32::to_le_bytes);
    ComponentId::from_guid_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}
