// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Tables: what is refused, and its permitted twin. One program, since linking costs more than running.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation
)]

mod faults;
mod messages;
mod setup;

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use intercore::{Channel, MAX_PAYLOAD, Next, SharedMemory, Side};
use policy::ComponentId;

/// The words of a buffer as the kernel makes it.
const WORDS: usize = 1024;

/// The bytes of its data area.
const AREA: u32 = 4032;

const APP: ComponentId = ComponentId::from_bytes([0xA5; 16]);

/// The memory that both cores see.
struct Shared {
    to_high_level: Vec<AtomicU32>,
    to_real_time: Vec<AtomicU32>,
}

impl Shared {
    fn new(words: usize) -> Self {
        let zeroed = || (0..words).map(|_| AtomicU32::new(0)).collect();
        Self {
            to_high_level: zeroed(),
            to_real_time: zeroed(),
        }
    }

    fn high_level(&self) -> Channel<&[AtomicU32]> {
        Channel::new(
            Side::HighLevel,
            &self.to_high_level[..],
            &self.to_real_time[..],
        )
        .unwrap()
    }

    fn real_time(&self) -> Channel<&[AtomicU32]> {
        Channel::new(
            Side::RealTime,
            &self.to_real_time[..],
            &self.to_high_level[..],
        )
        .unwrap()
    }

    /// Writes as a real-time core that does as it likes: its write position, and a word of the ring.
    fn write_position(&self, value: u32) {
        self.to_high_level[0].store(value, Relaxed);
    }

    fn read_position(&self, value: u32) {
        self.to_high_level[1].store(value, Relaxed);
    }

    fn word(&self, offset: u32, value: u32) {
        self.to_high_level[16 + offset as usize / 4].store(value, Relaxed);
    }
}

/// The payload of the next message; none when there is none.
fn next<M: SharedMemory>(channel: &mut Channel<M>) -> Option<Vec<u8>> {
    match channel.receive().unwrap()? {
        Next::Message(message) => Some(message.read(&mut [0; MAX_PAYLOAD]).to_vec()),
        Next::Dropped { .. } => panic!("dropped"),
    }
}

/// A payload that tells its place and its length.
fn payload(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + length) as u8)
        .collect()
}
