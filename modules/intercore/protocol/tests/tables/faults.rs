// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! What a core can write into the shared memory, and what becomes of the channel.

use std::cell::Cell;

use intercore::{Channel, Fault, Index, MAX_PAYLOAD, Next, SendError, SharedMemory, Side};

use crate::{APP, AREA, Shared, WORDS, next, payload};

/// A position, and the fault that it is; none for one that a correct core can have.
fn positions(index: Index) -> [(u32, Option<Fault>); 9] {
    let beyond = |value| (value, Some(Fault::OutOfRange { index, value }));
    let crooked = |value| (value, Some(Fault::Misaligned { index, value }));
    [
        (0, None),
        (32, None),
        crooked(1),
        crooked(40),
        crooked(AREA - 1),
        beyond(AREA),
        beyond(AREA + 16),
        beyond(u32::MAX),
        beyond(u32::MAX - 15),
    ]
}

#[test]
fn a_wrong_write_position_halts_the_channel() {
    for (value, fault) in positions(Index::Write) {
        let shared = Shared::new(WORDS);
        let mut channel = shared.high_level();
        shared.word(0, 20);
        shared.write_position(value);
        match fault {
            Some(fault) => assert_eq!(channel.receive().err(), Some(fault)),
            None => assert!(channel.receive().is_ok(), "{value}"),
        }
        assert_eq!(channel.fault(), fault);
    }
}

#[test]
fn a_wrong_read_position_halts_the_channel() {
    for (value, fault) in positions(Index::Read) {
        let shared = Shared::new(WORDS);
        let mut channel = shared.high_level();
        channel.send(APP, b"32 bytes").unwrap();
        shared.read_position(value);
        let sent = channel.send(APP, b"more");
        assert_eq!(sent.err(), fault.map(SendError::Halted), "{value}");
        assert_eq!(channel.fault(), fault);
    }
}

#[test]
fn a_read_position_past_what_was_written_halts_the_channel() {
    let shared = Shared::new(WORDS);
    let mut channel = shared.high_level();
    channel.send(APP, b"32 bytes").unwrap();
    shared.read_position(48);
    let fault = Fault::Backwards {
        index: Index::Read,
        value: 48,
    };
    assert_eq!(channel.send(APP, b""), Err(SendError::Halted(fault)));
}

#[test]
fn s51_a_frame_shorter_than_its_header_halts_the_channel() {
    for length in [0, 1, 4, 16, 19] {
        let shared = Shared::new(WORDS);
        let mut channel = shared.high_level();
        shared.word(0, length);
        shared.write_position(32);
        assert_eq!(channel.receive().err(), Some(Fault::Short { length }));
    }
    let shared = Shared::new(WORDS);
    let mut channel = shared.high_level();
    shared.word(0, 20);
    shared.write_position(32);
    assert_eq!(
        next(&mut channel).unwrap(),
        b"",
        "a header alone is a message"
    );
}

#[test]
fn s61_a_frame_that_is_not_all_there_halts_the_channel() {
    // The length, the bytes that are there, and whether that is enough.
    for (length, available, whole) in [
        (500, 112, false),
        (28, 16, false),
        (28, 32, true),
        (29, 32, false),
        (29, 48, true),
        (1044, 1040, false),
        (1044, 1056, true),
    ] {
        let shared = Shared::new(WORDS);
        let mut channel = shared.high_level();
        shared.word(0, length);
        shared.write_position(available);
        let fault = (!whole).then_some(Fault::Truncated { length, available });
        assert_eq!(channel.receive().err(), fault, "{length} of {available}");
        assert_eq!(channel.fault(), fault);
    }
}

#[test]
fn an_oversize_frame_is_dropped_when_libraries_send_it_and_a_fault_otherwise() {
    for length in 1044..=1062 {
        let shared = Shared::new(WORDS);
        let mut channel = shared.high_level();
        shared.word(0, length);
        // The block behind it: a message without payload.
        let block = (length + 4).next_multiple_of(16);
        shared.word(block, 20);
        shared.write_position(block + 32);
        let received = channel.receive();
        match length {
            ..=1044 => assert!(
                matches!(received, Ok(Some(Next::Message(message))) if message.size() == 1024)
            ),
            1045..=1060 => {
                let Ok(Some(Next::Dropped {
                    length: dropped, ..
                })) = received
                else {
                    panic!("{received:?}");
                };
                assert_eq!(dropped, length - 20);
                assert_eq!(next(&mut channel).unwrap(), b"", "the message behind it");
            }
            _ => assert_eq!(received.err(), Some(Fault::Oversize { length })),
        }
    }
    for length in [4016, 0x8000_0000, u32::MAX - 3, u32::MAX] {
        let shared = Shared::new(WORDS);
        let mut channel = shared.high_level();
        shared.word(0, length);
        shared.write_position(4000);
        assert_eq!(channel.receive().err(), Some(Fault::Oversize { length }));
    }
}

#[test]
fn a_frame_over_another_is_read_as_it_stands_or_halts_the_channel() {
    // The second block begins inside of the first: the channel reads the first one only.
    let shared = Shared::new(WORDS);
    let (mut channel, mut peer) = (shared.high_level(), shared.real_time());
    peer.send(APP, &payload(100)).unwrap();
    shared.word(32, 20);
    assert_eq!(next(&mut channel).unwrap().len(), 100);
    assert_eq!(next(&mut channel), None);
    // The first block claims the second one: what follows is no block.
    let shared = Shared::new(WORDS);
    let (mut channel, mut peer) = (shared.high_level(), shared.real_time());
    peer.send(APP, &payload(8)).unwrap();
    peer.send(APP, &payload(100)).unwrap();
    shared.word(0, 40);
    next(&mut channel).unwrap();
    assert!(matches!(
        channel.receive(),
        Err(Fault::Short { .. } | Fault::Oversize { .. })
    ));
}

#[test]
fn p40_sends_to_a_halted_channel_return_its_reason() {
    let shared = Shared::new(WORDS);
    let mut channel = shared.high_level();
    channel.send(APP, b"before").unwrap();
    shared.write_position(3);
    let fault = Fault::Misaligned {
        index: Index::Write,
        value: 3,
    };
    assert_eq!(channel.receive().err(), Some(fault));
    // Also when the other core shows something better afterwards.
    shared.write_position(0);
    let position = shared.to_real_time[0].load(std::sync::atomic::Ordering::Relaxed);
    for _ in 0..10_000 {
        assert_eq!(channel.send(APP, b"again"), Err(SendError::Halted(fault)));
        assert_eq!(channel.receive().err(), Some(fault));
        assert_eq!(channel.reminder(), Err(fault));
    }
    let after = shared.to_real_time[0].load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(after, position, "nothing was sent");
    // The twin: setting it up again is a new beginning.
    let (mut channel, mut peer) = (shared.high_level(), shared.real_time());
    channel.send(APP, b"again").unwrap();
    assert_eq!(next(&mut peer).unwrap(), b"again");
}

#[test]
fn s60_a_position_that_goes_backwards_halts_the_channel() {
    for (value, halts) in [(64, false), (96, false), (48, true), (32, true), (0, true)] {
        let shared = Shared::new(WORDS);
        let mut channel = shared.high_level();
        shared.word(0, 20);
        shared.word(32, 20);
        shared.word(64, 20);
        shared.write_position(64);
        // Seen, and left there.
        assert!(matches!(channel.receive(), Ok(Some(Next::Message(_)))));
        shared.write_position(value);
        let index = Index::Write;
        let fault = halts.then_some(Fault::Backwards { index, value });
        assert_eq!(channel.receive().err(), fault, "{value}");
    }
}

/// Memory that counts how often each word is read, and can change between two reads.
struct Shifting {
    words: Vec<Cell<u32>>,
    reads: Vec<Cell<u32>>,
    /// What a word becomes once it has been read.
    then: Cell<Option<(usize, u32)>>,
}

impl Shifting {
    fn new() -> Self {
        let zeroed = || vec![Cell::new(0); WORDS];
        Self {
            words: zeroed(),
            reads: zeroed(),
            then: Cell::new(None),
        }
    }
}

impl SharedMemory for Shifting {
    fn words(&self) -> usize {
        WORDS
    }

    fn load(&self, word: usize) -> u32 {
        self.reads[word].set(self.reads[word].get() + 1);
        let value = self.words[word].get();
        if let Some((changes, next)) = self.then.get()
            && changes == word
        {
            self.words[word].set(next);
        }
        value
    }

    fn load_acquire(&self, word: usize) -> u32 {
        self.load(word)
    }

    fn store(&self, word: usize, value: u32) {
        self.words[word].set(value);
    }

    fn store_release(&self, word: usize, value: u32) {
        self.store(word, value);
    }
}

#[test]
fn s60_positions_are_read_once_a_record() {
    // What is read first counts, whatever the word becomes: the write position, the length, the sender.
    for changed in [0, 16, 17, 20] {
        let (inbound, outbound) = (Shifting::new(), Shifting::new());
        let mut channel = Channel::new(Side::HighLevel, &inbound, &outbound).unwrap();
        for (word, value) in [(0, 48), (16, 40), (17, 0x0403_0201), (22, 0x4443_4241)] {
            inbound.words[word].set(value);
        }
        inbound.then.set(Some((changed, u32::MAX)));
        let Ok(Some(Next::Message(message))) = channel.receive() else {
            panic!("no message");
        };
        assert_eq!(message.size(), 20);
        assert_eq!(message.component().to_guid_bytes()[..4], [1, 2, 3, 4]);
        assert_eq!(message.read(&mut [0; MAX_PAYLOAD])[..4], *b"ABCD");
        for (word, reads) in inbound.reads.iter().enumerate() {
            let wanted =
                u32::from(word == 0 || (16..21).contains(&word) || (22..27).contains(&word));
            assert_eq!(reads.get(), wanted, "reads of word {word}");
        }
        // Of what this side owns nothing is read back.
        assert!(outbound.reads.iter().all(|reads| reads.get() == 0));
        assert_eq!(outbound.words[1].get(), 48);
    }
}

#[test]
fn own_positions_are_not_taken_from_shared_memory() {
    let shared = Shared::new(WORDS);
    let (mut channel, mut peer) = (shared.high_level(), shared.real_time());
    channel.send(APP, b"one").unwrap();
    peer.send(APP, b"one").unwrap();
    next(&mut channel).unwrap();
    // The other core scribbles over the header that is not its own.
    for word in &shared.to_real_time[..16] {
        word.store(0xFFFF_FFF3, std::sync::atomic::Ordering::Relaxed);
    }
    channel.send(APP, b"two").unwrap();
    assert_eq!(next(&mut peer).unwrap(), b"one");
    assert_eq!(next(&mut peer).unwrap(), b"two");
}

#[test]
fn words_of_all_faults_say_what_was_wrong() {
    let index = Index::Read;
    let value = 7;
    for (fault, words) in [
        (
            Fault::OutOfRange { index, value },
            "read position 7 lies beyond",
        ),
        (
            Fault::Misaligned { index, value },
            "read position 7 is no multiple of 16",
        ),
        (
            Fault::Backwards { index, value },
            "read position 7 went backwards",
        ),
        (Fault::Short { length: 3 }, "3 bytes, too short"),
        (Fault::Oversize { length: 4000 }, "4000 bytes, longer"),
        (
            Fault::Truncated {
                length: 500,
                available: 112,
            },
            "500 bytes, but only 112",
        ),
    ] {
        assert!(fault.to_string().contains(words), "{fault}");
        assert!(
            SendError::Halted(fault)
                .to_string()
                .ends_with(&fault.to_string())
        );
    }
}
