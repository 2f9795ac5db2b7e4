// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The messages that tests/realtime makes of a seed.

/// A sequence of messages of 1 to 1024 bytes.
pub struct Stream {
    state: u32,
    length: u32,
    /// The messages before the current one.
    pub number: u32,
}

impl Stream {
    /// From a seed.
    pub fn new(seed: u32) -> Self {
        let mut stream = Self {
            state: seed.max(1),
            length: 0,
            number: 0,
        };
        stream.measure();
        stream
    }

    fn measure(&mut self) {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.length = 1 + self.state % 1024;
    }

    /// The current message.
    pub fn message(&self) -> Vec<u8> {
        let first = self.number.wrapping_add(self.length);
        let byte = |index: u32| first.wrapping_add(7 * index) as u8;
        (0..self.length).map(byte).collect()
    }

    /// On to the next one.
    pub fn advance(&mut self) {
        self.number += 1;
        self.measure();
    }
}
