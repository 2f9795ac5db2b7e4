// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Two cores, in every order in which their accesses can happen and be seen.
//!
//! The rings are as small as they can be, so that they are full after one message and wrap around after two.
//! Each promise has a twin that breaks one rule and is found out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use intercore::{Channel, Doorbells, MAX_PAYLOAD, Next, SendError, SharedMemory, Side};
use loom::sync::Arc;
use loom::sync::atomic::AtomicU32;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::thread;
use policy::ComponentId;

/// The words of the smallest buffer.
const WORDS: usize = 32;

const APP: ComponentId = ComponentId::from_bytes([7; 16]);

/// A shared buffer, with its orderings or without.
#[derive(Clone)]
struct Memory {
    words: Arc<Vec<AtomicU32>>,
    ordered: bool,
}

impl Memory {
    fn new(ordered: bool) -> Self {
        let words = (0..WORDS).map(|_| AtomicU32::new(0)).collect();
        Self {
            words: Arc::new(words),
            ordered,
        }
    }
}

impl SharedMemory for Memory {
    fn words(&self) -> usize {
        WORDS
    }

    fn load(&self, word: usize) -> u32 {
        self.words[word].load(Relaxed)
    }

    fn load_acquire(&self, word: usize) -> u32 {
        self.words[word].load(if self.ordered { Acquire } else { Relaxed })
    }

    fn store(&self, word: usize, value: u32) {
        self.words[word].store(value, Relaxed);
    }

    fn store_release(&self, word: usize, value: u32) {
        self.words[word].store(value, if self.ordered { Release } else { Relaxed });
    }
}

/// The software interrupts of one side: ringing comes after what the ringing core did, clearing before what the
/// other one does, as the barriers around the mailbox see to.
#[derive(Clone)]
struct Bell(Arc<AtomicU32>);

impl Bell {
    fn new() -> Self {
        Self(Arc::new(AtomicU32::new(0)))
    }

    fn ring(&self, bells: Doorbells) {
        self.0.fetch_or(bells.bits(), Release);
    }

    fn rung(&self) -> bool {
        self.0.load(Acquire) != 0
    }

    fn clear(&self) {
        self.0.swap(0, Acquire);
    }
}

/// A real-time core and a high-level one.
fn cores(ordered: bool) -> (Channel<Memory>, Channel<Memory>) {
    let [one, other] = [0; 2].map(|_| Memory::new(ordered));
    let high_level = Channel::new(Side::HighLevel, one.clone(), other.clone()).unwrap();
    (
        Channel::new(Side::RealTime, other, one).unwrap(),
        high_level,
    )
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    // Without a bound the last promise takes a minute, and holds as well.
    builder.preemption_bound = Some(4);
    builder.max_branches = 100_000;
    builder.check(model);
}

/// The number in the next message; none when there is none.
fn next(channel: &mut Channel<Memory>) -> Option<u32> {
    let Next::Message(message) = channel.receive().unwrap()? else {
        panic!("dropped");
    };
    assert_eq!(message.component(), APP);
    let mut buffer = [0; MAX_PAYLOAD];
    let payload = message.read(&mut buffer);
    Some(u32::from_le_bytes((&*payload).try_into().unwrap()))
}

fn exchange(ordered: bool) {
    let (mut sender, mut receiver) = cores(ordered);
    let thread = thread::spawn(move || {
        for number in 1..=3u32 {
            while let Err(error) = sender.send(APP, &number.to_le_bytes()) {
                assert_eq!(error, SendError::Full);
                thread::yield_now();
            }
        }
    });
    for number in 1..=3 {
        let received = loop {
            if let Some(received) = next(&mut receiver) {
                break received;
            }
            thread::yield_now();
        };
        assert_eq!(received, number);
    }
    thread.join().unwrap();
}

#[test]
fn what_is_sent_arrives_whole_once_and_in_order() {
    check(|| exchange(true));
}

#[test]
#[should_panic(expected = "assertion")]
fn without_order_something_else_arrives() {
    check(|| exchange(false));
}

/// A receiver that is rung, and does its two steps in one order or the other.
fn doorbell(clears_first: bool) {
    let (mut sender, mut receiver) = cores(true);
    let bell = Bell::new();
    let ringer = bell.clone();
    let thread = thread::spawn(move || {
        for number in 0..2u32 {
            if let Ok(bells) = sender.send(APP, &number.to_le_bytes()) {
                ringer.ring(bells);
            }
        }
    });
    for _ in 0..2 {
        if bell.rung() {
            if clears_first {
                bell.clear();
            }
            while next(&mut receiver).is_some() {}
            if !clears_first {
                bell.clear();
            }
        }
    }
    thread.join().unwrap();
    assert!(
        bell.rung() || next(&mut receiver).is_none(),
        "a message lies there and nobody rings"
    );
}

#[test]
fn a_doorbell_that_is_cleared_first_is_not_lost() {
    check(|| doorbell(true));
}

#[test]
#[should_panic(expected = "nobody rings")]
fn a_doorbell_that_is_cleared_last_is_lost() {
    check(|| doorbell(false));
}

/// A sender whose ring is full waits for the doorbell of the reader.
fn room(clears_first: bool) {
    let (mut sender, mut receiver) = cores(true);
    let (to_receiver, to_sender) = (Bell::new(), Bell::new());
    let (ringer, rung) = (to_sender.clone(), to_receiver.clone());
    let thread = thread::spawn(move || {
        let mut read = 0;
        for _ in 0..3 {
            if rung.rung() {
                rung.clear();
                while next(&mut receiver).is_some() {
                    read += 1;
                }
                ringer.ring(receiver.consumed());
            }
        }
        read
    });
    let mut sent = 0u32;
    let mut send_all = || {
        while sent < 3 {
            let Ok(bells) = sender.send(APP, &sent.to_le_bytes()) else {
                break;
            };
            to_receiver.ring(bells);
            sent += 1;
        }
    };
    send_all();
    for _ in 0..2 {
        if to_sender.rung() {
            if clears_first {
                to_sender.clear();
            }
            send_all();
            if !clears_first {
                to_sender.clear();
            }
        }
    }
    let read = thread.join().unwrap();
    let somebody_is_rung = to_sender.rung() || to_receiver.rung();
    assert!(
        sent == 3 || somebody_is_rung,
        "{sent} sent, {read} read, and nobody rings"
    );
}

#[test]
fn a_sender_that_waits_for_room_is_rung() {
    check(|| room(true));
}

#[test]
#[should_panic(expected = "nobody rings")]
fn a_sender_that_clears_its_doorbell_last_waits_for_ever() {
    check(|| room(false));
}
