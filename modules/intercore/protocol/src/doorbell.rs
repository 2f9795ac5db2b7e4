// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What the cores tell each other by software interrupts.

/// A set of software interrupts: bit 0 says that something changed on the ring to the high-level core, bit 1
/// that something changed on the ring to the real-time core, whoever rings.
///
/// Bits of several rings coalesce and some get lost while a core starts, so a side that is rung, whatever the
/// bits, **first** clears them, **then** reads all that there is and sends all that waits. The reverse order
/// loses what is written between the two; `tests/model.rs` shows both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doorbells(u32);

impl Doorbells {
    /// None.
    pub const NONE: Self = Self(0);
    /// Something changed on the ring to the high-level core.
    pub const TO_HIGH_LEVEL: Self = Self(1);
    /// Something changed on the ring to the real-time core.
    pub const TO_REAL_TIME: Self = Self(2);
    /// All that the protocol uses.
    pub const ALL: Self = Self(3);

    /// The mask that the mailbox takes.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is nothing to ring.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Which end of the channel this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The Cortex-A7, which owns the buffers and sets the channel up.
    HighLevel,
    /// A Cortex-M4, which is told where they are.
    RealTime,
}

impl Side {
    /// What this side rings after it has sent.
    #[must_use]
    pub const fn produced(self) -> Doorbells {
        match self {
            Self::HighLevel => Doorbells::TO_REAL_TIME,
            Self::RealTime => Doorbells::TO_HIGH_LEVEL,
        }
    }

    /// What this side rings after it has received.
    #[must_use]
    pub const fn consumed(self) -> Doorbells {
        self.other().produced()
    }

    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::HighLevel => Self::RealTime,
            Self::RealTime => Self::HighLevel,
        }
    }
}
