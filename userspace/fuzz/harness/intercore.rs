// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is done with an input of the fuzz target `intercore`, and with its corpus in an ordinary test.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use intercore::{
    Channel, Descriptor, Doorbells, Entry, Fault, MAX_PAYLOAD, Next, Progress, SendError, Setup,
    Side,
};
use policy::ComponentId;

/// The words of a buffer.
const WORDS: usize = 1024;

/// The memory that the cores share.
const SHARED: core::ops::Range<u32> = 0x8000_0000..0x8040_0000;

/// Reads an input as what a real-time core does to the kernel, and as what it could be told itself.
pub fn run(input: &[u8]) {
    for side in [Side::HighLevel, Side::RealTime] {
        ring(side, input);
    }
    setup(input);
}

/// Splits off a byte, a pair and a number, as much as is there.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}

/// Each step of the input is one access of the other core or one call of this side.
fn ring(side: Side, input: &[u8]) {
    let zeroed = || (0..WORDS).map(|_| AtomicU32::new(0)).collect::<Vec<_>>();
    let (inbound, outbound) = (zeroed(), zeroed());
    let mut channel = match Channel::new(side, &inbound[..], &outbound[..]) {
        Ok(channel) => channel,
        Err(error) => panic!("{error}"),
    };
    let mut halted = None;
    let mut reader = Reader(input);
    while let Some([step, low, high]) = reader.array() {
        let number = u16::from_le_bytes([low, high]);
        match step % 6 {
            // A position, a word of the ring, or several.
            0 => put(&inbound, usize::from(step & 8 != 0), u32::from(number)),
            1 => {
                let value = reader.array().map_or(0, u32::from_le_bytes);
                put(&inbound, usize::from(number) % WORDS, value);
            }
            2 => {
                for index in 0..usize::from(step >> 3) {
                    let value = reader.array().map_or(0, u32::from_le_bytes);
                    put(
                        &inbound,
                        16 + (usize::from(number) / 4 + index) % (WORDS - 16),
                        value,
                    );
                }
            }
            3 => {
                let sent = channel.send(ComponentId::NIL, &vec![step; usize::from(number) % 1100]);
                match sent {
                    Ok(bells) => assert_eq!(bells, side.produced()),
                    Err(SendError::TooLong { most }) => assert_eq!(most, MAX_PAYLOAD),
                    Err(SendError::Halted(fault)) => halt(&mut halted, fault),
                    Err(_) => {}
                }
            }
            4 => match channel.reminder() {
                Ok(bells) => assert!(bells.is_none_or(|bells| bells == side.produced())),
                Err(fault) => halt(&mut halted, fault),
            },
            _ => {
                for _ in 0..channel.turn() {
                    match channel.receive() {
                        Ok(None) => break,
                        Ok(Some(Next::Dropped { length, .. })) => {
                            assert!((1025..=1040).contains(&length));
                        }
                        Ok(Some(Next::Message(message))) if step & 8 == 0 => {
                            let size = message.size();
                            let mut buffer = [0; MAX_PAYLOAD];
                            assert_eq!(message.read(&mut buffer).len(), size);
                        }
                        Ok(Some(Next::Message(message))) => message.discard(),
                        Err(fault) => {
                            halt(&mut halted, fault);
                            break;
                        }
                    }
                }
                assert!(!channel.consumed().union(Doorbells::NONE).is_empty());
            }
        }
        assert_eq!(channel.fault(), halted);
        for position in outbound.iter().take(2) {
            let position = position.load(Relaxed);
            assert!(position < 4032 && position % 16 == 0);
        }
    }
}

fn put(memory: &[AtomicU32], word: usize, value: u32) {
    if let Some(word) = memory.get(word) {
        word.store(value, Relaxed);
    }
}

/// The first fault stays.
fn halt(halted: &mut Option<Fault>, fault: Fault) {
    assert_eq!(*halted.get_or_insert(fault), fault);
    assert!(!fault.to_string().is_empty());
}

/// What comes out of a setup can be used, and makes the same entries again.
fn setup(input: &[u8]) {
    let mut setup = Setup::new();
    let mut reader = Reader(input);
    while let Some(data) = reader.array().map(u32::from_le_bytes) {
        let Some(command) = reader.array().map(u32::from_le_bytes) else {
            break;
        };
        match setup.take(Entry { data, command }, &SHARED) {
            Ok(Progress::Ready(buffers)) => {
                let [one, other] = [buffers.to_high_level(), buffers.to_real_time()];
                for buffer in [one, other] {
                    assert!(SHARED.contains(&buffer.address()));
                    assert!(buffer.size() <= SHARED.end - buffer.address());
                    assert_eq!(Descriptor::new(buffer.address(), buffer.size()), Ok(buffer));
                }
                let apart = one.address().abs_diff(other.address());
                assert!(
                    apart
                        >= if one.address() < other.address() {
                            one
                        } else {
                            other
                        }
                        .size()
                );
                let last = buffers.entries().map(|entry| setup.take(entry, &SHARED));
                assert_eq!(last.last(), Some(&Ok(Progress::Ready(buffers))));
            }
            Ok(_) => {}
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
