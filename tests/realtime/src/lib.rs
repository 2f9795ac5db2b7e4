// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the test apps share: numbers that both cores can make, and messages made of them.
#![no_std]

use core::fmt::Write as _;

use realtime::{ComponentId, Core, Intercore, MAX_PAYLOAD, SendError};

/// Numbers that look random: the same from the same seed, on both cores.
#[derive(Clone, Copy, Debug)]
pub struct Numbers(u32);

impl Numbers {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u32) -> Self {
        // Zero would stay zero.
        Self(if seed == 0 { 1 } else { seed })
    }

    /// The next one (xorshift).
    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// One below a limit.
    pub fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }
}

/// A sequence of messages: of 1 to 1024 bytes each, which tell their place in it.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    lengths: Numbers,
    length: usize,
    /// The messages before the current one.
    pub number: u32,
}

impl Stream {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        let mut stream = Self {
            lengths: Numbers::new(seed),
            length: 0,
            number: 0,
        };
        stream.measure();
        stream
    }

    fn measure(&mut self) {
        self.length = 1 + (self.lengths.next() as usize) % MAX_PAYLOAD;
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        let first = self.number.wrapping_add(self.length as u32);
        (first..)
            .step_by(7)
            .map(|byte| byte.to_le_bytes()[0])
            .take(self.length)
    }

    /// Writes the current message.
    pub fn fill<'a>(&self, buffer: &'a mut [u8; MAX_PAYLOAD]) -> &'a [u8] {
        for (target, byte) in buffer.iter_mut().zip(self.bytes()) {
            *target = byte;
        }
        buffer.get(..self.length).unwrap_or_default()
    }

    /// Whether this is the current message.
    #[must_use]
    pub fn is(&self, message: &[u8]) -> bool {
        self.bytes().eq(message.iter().copied())
    }

    /// On to the next one.
    pub fn advance(&mut self) {
        self.number += 1;
        self.measure();
    }
}

/// The next number of a request.
pub fn number(request: &mut &[u8]) -> Option<u32> {
    let (number, rest) = request.split_first_chunk()?;
    *request = rest;
    Some(u32::from_le_bytes(*number))
}

/// Sends an answer that fits; if the ring is full, after the high-level core has read.
pub fn answer(core: &mut Core, to: ComponentId, message: &[u8]) {
    loop {
        match core.intercore.send(to, message) {
            Err(SendError::Full) => {
                core.wait();
                serve(core);
            }
            sent => {
                if let Err(error) = sent {
                    _ = writeln!(core.log, "not sent: {error:?}");
                }
                return;
            }
        }
    }
}

/// Serves the connection, and logs what became of it. Whether it is a new one.
pub fn serve(core: &mut Core) -> bool {
    let event = Intercore::serve(&mut core.intercore);
    if let Some(event) = event {
        _ = writeln!(core.log, "{event:?}");
    }
    event == Some(realtime::Event::Connected)
}
