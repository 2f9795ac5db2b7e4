// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Breaks the protocol in a way that is asked for.
//!
//! A request is a letter and up to three numbers of 32 bits. After the attack the app does not keep to the protocol:
//! it is of use again after the next setup, or after a restart of the core.
//!
//! | letter | what it does |
//! |---|---|
//! | `e` | nothing bad: returns the request |
//! | `w` | shows the first number as its write position |
//! | `r` | shows the first number as its read position |
//! | `b` | a block of which the length word is the first number, and of which the second number of bytes is there |
//! | `o` | a block, and another one that begins within it |
//! | `f` | rings all doorbells, as often as the first number says |
//! | `s` | silence: nothing is read and nothing is served, for ever |
//! | `m` | many: blocks and positions from a seed, the first number; one after each setup or doorbell, as many as the second number says |
#![no_std]
#![no_main]

use core::fmt::Write as _;

use realtime::{Buffer, ComponentId, Core, Doorbells, Line, Memory, SharedMemory};
use realtime_tests::{Numbers, answer, number, serve};

realtime::main!(main);

/// Words of a buffer: the positions, and the first of the data.
const WRITE: usize = 0;
const READ: usize = 1;
const DATA: usize = 16;

/// An attack that goes on over many setups.
struct Many {
    numbers: Numbers,
    left: u32,
}

fn main(mut core: Core) -> ! {
    _ = writeln!(core.log, "hostile: started");
    let mut buffer = Buffer::new();
    let mut many: Option<Many> = None;
    loop {
        let rung = core.wait().contains(Line::DOORBELL);
        let connected = serve(&mut core);
        if let Some(attack) = &mut many {
            if !rung && !connected {
                continue;
            }
            attack.left -= 1;
            random(&mut core, &mut attack.numbers);
            if attack.left == 0 {
                _ = writeln!(core.log, "hostile: done");
                many = None;
            }
            continue;
        }
        while let Ok(Some((sender, request))) = core.intercore.receive(&mut buffer) {
            many = obey(&mut core, sender, request);
        }
    }
}

fn obey(core: &mut Core, sender: ComponentId, request: &[u8]) -> Option<Many> {
    let (&letter, mut numbers) = request.split_first()?;
    let first = number(&mut numbers).unwrap_or(0);
    let second = number(&mut numbers).unwrap_or(0);
    match letter {
        b'e' => answer(core, sender, request),
        b'w' => attack(core, |memory| memory.store_release(WRITE, first)),
        b'r' => attack(core, |memory| memory.store_release(READ, first)),
        b'b' => attack(core, |memory| block(memory, first, second)),
        b'o' => attack(core, |memory| {
            let at = memory.load(WRITE);
            put(memory, at, 60);
            put(memory, at + 16, 1044);
            memory.store_release(WRITE, (at + 32) % size(memory));
        }),
        b'f' => {
            let (mailbox, ..) = core.intercore.raw()?;
            for _ in 0..first {
                mailbox.ring(Doorbells::ALL);
            }
        }
        b's' => loop {
            core::hint::spin_loop();
        },
        b'm' if second > 0 => {
            let numbers = Numbers::new(first);
            let mut attack = Many {
                numbers,
                left: second,
            };
            random(core, &mut attack.numbers);
            return Some(attack);
        }
        _ => _ = writeln!(core.log, "hostile: what is {letter:#04x}?"),
    }
    None
}

/// Writes to the buffer that the high-level core reads, and rings.
fn attack(core: &mut Core, write: impl FnOnce(Memory)) {
    if let Some((mailbox, _, outbound)) = core.intercore.raw() {
        write(outbound);
        mailbox.ring(Doorbells::ALL);
    }
}

/// The bytes of the data.
fn size(memory: Memory) -> u32 {
    u32::try_from(memory.words().saturating_sub(DATA) * 4).unwrap_or(0)
}

/// Writes a word of the data.
fn put(memory: Memory, offset: u32, value: u32) {
    memory.store(DATA + (offset % size(memory)) as usize / 4, value);
}

/// A block with this length word, and a write position so many bytes further.
fn block(memory: Memory, length: u32, bytes: u32) {
    let at = memory.load(WRITE);
    put(memory, at, length);
    memory.store_release(WRITE, at.wrapping_add(bytes) % size(memory));
}

/// Anything, mostly close to what is right.
fn random(core: &mut Core, numbers: &mut Numbers) {
    attack(core, |memory| match numbers.below(8) {
        0 => memory.store_release(WRITE, numbers.next()),
        1 => memory.store_release(READ, numbers.below(2 * size(memory))),
        2 => memory.store_release(WRITE, numbers.below(size(memory) / 16) * 16),
        3 => block(memory, numbers.next(), 32),
        4 => block(memory, numbers.below(40), 32),
        5 => block(
            memory,
            1000 + numbers.below(100),
            1072 + 16 * numbers.below(3),
        ),
        6 => {
            let length = 20 + numbers.below(1025);
            block(memory, length, (length + 4).next_multiple_of(16));
        }
        _ => {
            for _ in 0..numbers.below(64) {
                put(memory, numbers.next(), numbers.next());
            }
            memory.store_release(WRITE, numbers.below(size(memory)));
        }
    });
}
