// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What holds for every traffic, and for everything that can stand in the shared memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation
)]

use std::collections::VecDeque;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use intercore::{
    Channel, Descriptor, Entry, Fault, MAX_PAYLOAD, Next, Progress, SendError, Setup, Side,
};
use policy::ComponentId;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn memory(words: usize) -> Vec<AtomicU32> {
    (0..words).map(|_| AtomicU32::new(0)).collect()
}

/// What one core does with the channel.
#[derive(Clone, Debug)]
enum Step {
    Send {
        high_level: bool,
        component: u8,
        length: usize,
    },
    Receive {
        high_level: bool,
        discard: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![0..40usize, 0..=MAX_PAYLOAD, Just(MAX_PAYLOAD)];
    prop_oneof![
        (any::<bool>(), any::<u8>(), length).prop_map(|(high_level, component, length)| {
            Step::Send {
                high_level,
                component,
                length,
            }
        }),
        (any::<bool>(), any::<bool>()).prop_map(|(high_level, discard)| Step::Receive {
            high_level,
            discard
        }),
    ]
}

/// A word as a hostile core would choose it: near what the code compares with, or anything.
fn word() -> impl Strategy<Value = u32> {
    prop_oneof![
        select(vec![
            0u32,
            1,
            15,
            16,
            19,
            20,
            21,
            32,
            48,
            1044,
            1045,
            1060,
            1061,
            4016,
            4031,
            4032,
            u32::MAX
        ]),
        (0..252u32).prop_map(|slot| slot * 16),
        any::<u32>(),
    ]
}

/// What a hostile core does, and what this side does meanwhile.
#[derive(Clone, Debug)]
enum Hostile {
    Write { word: usize, value: u32 },
    Send(usize),
    Receive(bool),
}

fn hostile() -> impl Strategy<Value = Hostile> {
    let place = prop_oneof![0..2usize, 0..1024usize];
    prop_oneof![
        3 => (place, word()).prop_map(|(word, value)| Hostile::Write { word, value }),
        1 => (0..=MAX_PAYLOAD).prop_map(Hostile::Send),
        3 => any::<bool>().prop_map(Hostile::Receive),
    ]
}

proptest! {
    #[test]
    fn every_message_arrives_once_in_order_and_unchanged(
        words in select(vec![32usize, 64, 128, 1024, 4096]),
        steps in vec(step(), 0..400),
    ) {
        let (one, other) = (memory(words), memory(words));
        let mut channels = [
            Channel::new(Side::HighLevel, &one[..], &other[..]).unwrap(),
            Channel::new(Side::RealTime, &other[..], &one[..]).unwrap(),
        ];
        // What is on its way from the side with this number.
        let mut sent = [const { VecDeque::new() }; 2];
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Send { high_level, component, length } => {
                    let side = usize::from(!high_level);
                    let component = ComponentId::from_bytes([component; 16]);
                    let payload: Vec<u8> = (0..length).map(|byte| (byte + number) as u8).collect();
                    match channels[side].send(component, &payload) {
                        Ok(bells) => {
                            prop_assert_eq!(bells.bits(), if high_level { 2 } else { 1 });
                            sent[side].push_back((component, payload));
                        }
                        Err(SendError::Full) => prop_assert!(!sent[side].is_empty()),
                        Err(SendError::TooLong { most }) => prop_assert!(length > most),
                        Err(error) => panic!("{error}"),
                    }
                }
                Step::Receive { high_level, discard } => {
                    let side = usize::from(!high_level);
                    let wanted = sent[1 - side].pop_front();
                    match channels[side].receive().unwrap() {
                        None => prop_assert_eq!(wanted, None),
                        Some(Next::Dropped { .. }) => panic!("dropped"),
                        Some(Next::Message(message)) => {
                            let (component, payload) = wanted.unwrap();
                            prop_assert_eq!(message.component(), component);
                            prop_assert_eq!(message.size(), payload.len());
                            if discard {
                                message.discard();
                            } else {
                                let mut buffer = [0; MAX_PAYLOAD];
prop_assert_eq!(message.read(&mut buffer), &payload[..]);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_in_shared_memory_breaks_a_promise(steps in vec(hostile(), 0..200)) {
        let (inbound, outbound) = (memory(1024), memory(1024));
        let mut channel = Channel::new(Side::HighLevel, &inbound[..], &outbound[..]).unwrap();
        let mut shown = vec![0u32; 1024];
        let mut halted: Option<Fault> = None;
        for step in steps {
            match step {
                Hostile::Write { word, value } => {
                    inbound[word].store(value, Relaxed);
                    shown[word] = value;
                }
                Hostile::Send(length) => match channel.send(ComponentId::NIL, &vec![0x5A; length]) {
                    Ok(_) => prop_assert_eq!(halted, None),
                    Err(SendError::Halted(fault)) => {
                        prop_assert!(halted.is_none() || halted == Some(fault));
                        halted = Some(fault);
                    }
                    Err(_) => prop_assert_eq!(halted, None),
                },
                Hostile::Receive(discard) => match channel.receive() {
                    Ok(next) => {
                        prop_assert_eq!(halted, None);
                        if let Some(Next::Message(message)) = next {
                            prop_assert!(message.size() <= MAX_PAYLOAD);
                            if discard {
                                message.discard();
                            } else {
                                let size = message.size();
                                let mut buffer = [0; MAX_PAYLOAD];
prop_assert_eq!(message.read(&mut buffer).len(), size);
                            }
                        }
                    }
                    Err(fault) => {
                        prop_assert!(halted.is_none() || halted == Some(fault));
                        halted = Some(fault);
                    }
                },
            }
            prop_assert_eq!(channel.fault(), halted);
            for own in outbound.iter().take(2) {
                let own = own.load(Relaxed);
                prop_assert!(own < 4032 && own % 16 == 0, "own position {}", own);
            }
        }
        // What belongs to the other core is only read.
        prop_assert!(inbound.iter().map(|word| word.load(Relaxed)).eq(shown));
        prop_assert!(outbound[2..16].iter().all(|word| word.load(Relaxed) == 0));
    }

    #[test]
    fn no_entry_makes_a_setup_outside_of_shared_memory(entries in vec((0..6u32, any::<u32>(), 0..20u32), 0..40)) {
        let shared = 0x8000_0000..0x8040_0000;
        let mut setup = Setup::new();
        for (command, address, size) in entries {
            let data = 0x8000_0000 | (address & 0x7F_FFE0) | size;
            let entry = Entry { data, command: 0xBA5E_0000 + command };
            if let Ok(Progress::Ready(buffers)) = setup.take(entry, &shared) {
                let range = |buffer: Descriptor| buffer.address()..buffer.address() + buffer.size();
                let (one, other) = (range(buffers.to_high_level()), range(buffers.to_real_time()));
                for buffer in [&one, &other] {
                    prop_assert!(shared.start <= buffer.start && buffer.end <= shared.end);
                }
                prop_assert!(one.end <= other.start || other.end <= one.start);
                let again: Vec<_> = buffers.entries().map(|entry| setup.take(entry, &shared)).to_vec();
                prop_assert_eq!(again.last(), Some(&Ok(Progress::Ready(buffers))));
            }
        }
    }
}
