// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The memory that messages take until they are read.

use crate::SocketError;

/// The most bytes that wait for a socket, as in the original.
const LIMIT: u32 = 16_384;

/// What a message takes besides its payload, so that empty ones have an end, too.
const OVERHEAD: u32 = 64;

/// What waits for one socket, in bytes.
#[derive(Debug, Default)]
pub struct Account {
    used: u32,
}

/// The part of an account that one message takes. It belongs to the message and goes back with it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "what is charged is returned"]
pub struct Charge(u32);

impl Account {
    /// Nothing waits.
    #[must_use]
    pub const fn new() -> Self {
        Self { used: 0 }
    }

    /// Takes what a message needs.
    ///
    /// # Errors
    ///
    /// [`SocketError::NoBuffers`] when there is not enough left; nothing is taken then.
    pub fn charge(&mut self, payload: usize) -> Result<Charge, SocketError> {
        let payload = u32::try_from(payload).map_err(|_| SocketError::NoBuffers)?;
        let cost = payload.checked_add(OVERHEAD);
        let after = cost.and_then(|cost| self.used.checked_add(cost));
        match (cost, after) {
            (Some(cost), Some(after)) if after <= LIMIT => {
                self.used = after;
                Ok(Charge(cost))
            }
            _ => Err(SocketError::NoBuffers),
        }
    }

    /// Gives back what a message took.
    pub fn release(&mut self, charge: Charge) {
        self.used = self.used.saturating_sub(charge.0);
    }

    /// The bytes in use.
    #[must_use]
    pub const fn used(&self) -> u32 {
        self.used
    }
}
