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
mod sockets;

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

#[test]
fn every_weakness_of_the_list_names_tests_that_exist() {
    let sources = [
        ("kernel", include_str!("../../../kunit.rs")),
        (
            "machine",
            include_str!("../../../../../tests/intercore/src/main.rs"),
        ),
        ("tables::faults", include_str!("faults.rs")),
        ("tables::messages", include_str!("messages.rs")),
        ("tables::setup", include_str!("setup.rs")),
        ("tables::sockets", include_str!("sockets.rs")),
    ];
    let documentation = include_str!("../../src/lib.rs");
    let rows = (50..=63).map(|number| format!("S{number}"));
    for row in rows.chain(["P40".to_owned()]) {
        let line = documentation
            .lines()
            .find(|line| line.starts_with(&format!("//! | {row} |")));
        let mut names = line
            .unwrap_or_else(|| panic!("{row} is not in the table"))
            .split('`')
            .skip(1)
            .step_by(2)
            .peekable();
        assert!(names.peek().is_some(), "{row} names no test");
        for name in names {
            let (module, test) = name.rsplit_once("::").unwrap();
            let (_, source) = sources.iter().find(|(known, _)| *known == module).unwrap();
            assert!(test.contains(&row.to_lowercase()), "{name}");
            let wanted = match module {
                "machine" => format!("(\"{test}\", "),
                "kernel" => format!("    #[test]\n    fn {test}()"),
                _ => format!("#[test]\nfn {test}()"),
            };
            assert!(source.contains(&wanted), "{name}");
        }
    }
}
