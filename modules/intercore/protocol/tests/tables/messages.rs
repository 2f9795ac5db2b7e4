// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Messages that arrive, and those that are not sent.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use intercore::{BufferError, Channel, Doorbells, MAX_PAYLOAD, Next, SendError, Side};

use crate::{APP, AREA, Shared, WORDS, next, payload};

#[test]
fn every_length_arrives_both_ways_and_one_more_byte_is_refused() {
    let shared = Shared::new(WORDS);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    for length in 0..=MAX_PAYLOAD {
        let sent = payload(length);
        assert_eq!(high_level.send(APP, &sent), Ok(Doorbells::TO_REAL_TIME));
        assert_eq!(next(&mut real_time).unwrap(), sent);
        assert_eq!(real_time.send(APP, &sent), Ok(Doorbells::TO_HIGH_LEVEL));
        assert_eq!(next(&mut high_level).unwrap(), sent);
    }
    let most = MAX_PAYLOAD;
    for channel in [&mut high_level, &mut real_time] {
        let sent = channel.send(APP, &payload(MAX_PAYLOAD + 1));
        assert_eq!(sent, Err(SendError::TooLong { most }));
        assert_eq!(next(channel), None);
    }
}

#[test]
fn a_block_has_the_form_that_firmware_reads() {
    let shared = Shared::new(WORDS);
    let mut high_level = shared.high_level();
    let id = "25025d2c-66da-4448-bae1-ac26fcdd3627".parse().unwrap();
    high_level.send(id, b"Hello").unwrap();
    let bytes: Vec<u8> = shared
        .to_real_time
        .iter()
        .flat_map(|word| word.load(Relaxed).to_le_bytes())
        .collect();
    let mut wanted = vec![0; 64];
    wanted[0] = 32;
    wanted.extend([25, 0, 0, 0]);
    wanted.extend([0x2c, 0x5d, 0x02, 0x25, 0xda, 0x66, 0x48, 0x44]);
    wanted.extend([0xba, 0xe1, 0xac, 0x26, 0xfc, 0xdd, 0x36, 0x27]);
    wanted.extend([0; 4]);
    wanted.extend(*b"Hello\0\0\0");
    assert_eq!(bytes[..wanted.len()], wanted);
    assert!(bytes[wanted.len()..].iter().all(|&byte| byte == 0));
    assert!(
        shared
            .to_high_level
            .iter()
            .all(|word| word.load(Relaxed) == 0)
    );

    let mut real_time = shared.real_time();
    assert_eq!(next(&mut real_time).unwrap(), b"Hello");
    // The reader shows its position in the header that it owns.
    assert_eq!(shared.to_high_level[1].load(Relaxed), 32);
    assert_eq!(shared.to_real_time[1].load(Relaxed), 0);
}

#[test]
fn s52_no_stale_word_gets_out() {
    let shared = Shared::new(WORDS);
    let mut high_level = shared.high_level();
    for word in &shared.to_real_time[16..] {
        word.store(0xDEAD_BEEF, Relaxed);
    }
    high_level.send(APP, &[1, 2, 3, 4, 5]).unwrap();
    let block: Vec<u32> = shared.to_real_time[16..24]
        .iter()
        .map(|word| word.load(Relaxed))
        .collect();
    assert_eq!(block[5], 0, "the reserved word");
    assert_eq!(
        block[6..],
        [0x0403_0201, 5],
        "the payload, filled up with zeros"
    );
    // The twin: what the length does not count is as it was.
    assert_eq!(shared.to_real_time[24].load(Relaxed), 0xDEAD_BEEF);
}

#[test]
fn three_of_the_largest_fit_and_a_fourth_waits_for_room() {
    let shared = Shared::new(WORDS);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    let largest = payload(MAX_PAYLOAD);
    for _ in 0..3 {
        high_level.send(APP, &largest).unwrap();
    }
    assert_eq!(high_level.send(APP, &largest), Err(SendError::Full));
    assert_eq!(next(&mut real_time).unwrap(), largest);
    high_level.send(APP, &largest).unwrap();
    for _ in 0..3 {
        assert_eq!(next(&mut real_time).unwrap(), largest);
    }
    assert_eq!(next(&mut real_time), None);
}

#[test]
fn one_slot_stays_free_at_every_offset() {
    // 4016 bytes are 251 slots. Blocks of two slots shift the start of the next round by one.
    let shared = Shared::new(WORDS);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    for round in 0..AREA / 16 {
        let mut sent = 0u32;
        while high_level.send(APP, &(round + sent).to_le_bytes()).is_ok() {
            sent += 1;
        }
        assert_eq!(sent, 125);
        assert_eq!(sent, high_level.turn());
        // The 251st slot: a block of one slot does not exist, one of three does not fit.
        assert_eq!(high_level.send(APP, &[0; 9]), Err(SendError::Full));
        for number in 0..sent {
            assert_eq!(
                next(&mut real_time).unwrap(),
                (round + number).to_le_bytes()
            );
        }
        assert_eq!(next(&mut real_time), None);
        high_level.send(APP, &payload(17)).unwrap();
        next(&mut real_time).unwrap();
    }
}

#[test]
fn a_message_that_is_not_taken_is_found_again() {
    let shared = Shared::new(WORDS);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    real_time.send(APP, b"one").unwrap();
    real_time.send(APP, b"two").unwrap();
    for _ in 0..3 {
        let Ok(Some(Next::Message(message))) = high_level.receive() else {
            panic!("no message");
        };
        assert_eq!((message.component(), message.size()), (APP, 3));
        drop(message);
        assert_eq!(shared.to_real_time[1].load(Relaxed), 0, "nothing was taken");
    }
    let Ok(Some(Next::Message(message))) = high_level.receive() else {
        panic!("no message");
    };
    message.discard();
    assert_eq!(shared.to_real_time[1].load(Relaxed), 32);
    assert_eq!(next(&mut high_level).unwrap(), b"two");
}

#[test]
fn s53_a_message_left_in_one_ring_stops_no_other_channel() {
    let (slow, other) = (Shared::new(WORDS), Shared::new(WORDS));
    let (mut slow_receiver, mut slow_sender) = (slow.high_level(), slow.real_time());
    let (mut receiver, mut sender) = (other.high_level(), other.real_time());
    while slow_sender.send(APP, &payload(1000)).is_ok() {}
    for number in 0..1000u32 {
        assert!(
            matches!(slow_receiver.receive(), Ok(Some(Next::Message(_)))),
            "left where it is"
        );
        assert_eq!(slow_sender.send(APP, &payload(1000)), Err(SendError::Full));
        sender.send(APP, &number.to_le_bytes()).unwrap();
        assert_eq!(next(&mut receiver).unwrap(), number.to_le_bytes());
    }
    // The twin: once the slow one reads, its core can send.
    next(&mut slow_receiver).unwrap();
    slow_sender.send(APP, &payload(1000)).unwrap();
}

#[test]
fn a_core_that_does_not_read_is_reminded() {
    let shared = Shared::new(WORDS);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    assert_eq!(high_level.reminder(), Ok(None), "there is nothing to read");
    high_level.send(APP, b"first").unwrap();
    assert_eq!(high_level.reminder(), Ok(Some(Doorbells::TO_REAL_TIME)));
    next(&mut real_time).unwrap();
    assert_eq!(high_level.reminder(), Ok(None), "it was read");
    high_level.send(APP, b"second").unwrap();
    assert_eq!(high_level.reminder(), Ok(Some(Doorbells::TO_REAL_TIME)));
}

#[test]
fn there_is_room_as_long_as_the_longest_message_fits() {
    let shared = Shared::new(WORDS);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    for _ in 0..3 {
        assert_eq!(high_level.has_room(), Ok(true));
        high_level.send(APP, &payload(1024)).unwrap();
    }
    assert_eq!(high_level.has_room(), Ok(false));
    high_level.send(APP, b"a short one still fits").unwrap();
    next(&mut real_time).unwrap();
    assert_eq!(high_level.has_room(), Ok(true));
}

#[test]
fn a_message_is_cut_to_the_buffer_and_taken() {
    let shared = Shared::new(WORDS);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    high_level.send(APP, b"0123456789").unwrap();
    let Ok(Some(Next::Message(message))) = real_time.receive() else {
        panic!()
    };
    assert_eq!(message.size(), 10);
    assert_eq!(message.read(&mut [0; 6]), b"012345");
    assert!(matches!(real_time.receive(), Ok(None)));
}

#[test]
fn each_ring_has_its_doorbell_whoever_rings() {
    for (side, produced, consumed) in [(Side::HighLevel, 2, 1), (Side::RealTime, 1, 2)] {
        assert_eq!(side.produced().bits(), produced);
        assert_eq!(side.consumed().bits(), consumed);
        assert_eq!(side.produced().union(side.consumed()), Doorbells::ALL);
    }
    assert!(Doorbells::NONE.is_empty() && !Doorbells::ALL.is_empty());
}

#[test]
fn a_buffer_is_within_its_limits_or_refused() {
    let memory: Vec<AtomicU32> = (0..32768).map(|_| AtomicU32::new(0)).collect();
    for (words, fits) in [
        (0, false),
        (16, false),
        (28, false),
        (32, true),
        (33, false),
        (1024, true),
        (16384, true),
        (16388, false),
        (32768, false),
    ] {
        let buffer = &memory[..words];
        let good = &memory[..1024];
        for made in [
            Channel::new(Side::RealTime, buffer, good),
            Channel::new(Side::RealTime, good, buffer),
        ] {
            assert_eq!(
                made.err(),
                (!fits).then_some(BufferError::Size),
                "{words} words"
            );
        }
    }
}

#[test]
fn a_small_ring_takes_what_fits_it_when_empty() {
    let shared = Shared::new(32);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    assert_eq!(high_level.max_payload(), 24);
    assert_eq!(
        high_level.send(APP, &[0; 25]),
        Err(SendError::TooLong { most: 24 })
    );
    high_level.send(APP, &payload(24)).unwrap();
    assert_eq!(high_level.send(APP, b""), Err(SendError::Full));
    assert_eq!(next(&mut real_time).unwrap(), payload(24));
}

#[test]
fn s59_a_message_without_room_leaves_nothing_to_repeat() {
    let shared = Shared::new(WORDS);
    let (mut high_level, mut real_time) = (shared.high_level(), shared.real_time());
    while high_level.send(APP, &payload(500)).is_ok() {}
    let before: Vec<u32> = shared
        .to_real_time
        .iter()
        .map(|word| word.load(Relaxed))
        .collect();
    for _ in 0..1000 {
        assert_eq!(high_level.send(APP, &payload(500)), Err(SendError::Full));
    }
    let after: Vec<u32> = shared
        .to_real_time
        .iter()
        .map(|word| word.load(Relaxed))
        .collect();
    assert_eq!(before, after);
    // The twin: what rings the sender is the other core's reading, and then there is room.
    next(&mut real_time).unwrap();
    assert_eq!(real_time.consumed(), Doorbells::TO_REAL_TIME);
    high_level.send(APP, &payload(500)).unwrap();
}
