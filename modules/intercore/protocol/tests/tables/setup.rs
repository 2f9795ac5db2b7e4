// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! How a channel is set up.

use std::ops::Range;

use intercore::{
    BufferError, Buffers, Channel, Command, Descriptor, Entry, Progress, SendError, Setup,
    SetupError, Side,
};

use crate::{APP, Shared, WORDS, next};

/// The memory that all cores of the chip see.
const SHARED: Range<u32> = 0x8000_0000..0x8040_0000;

const ONE: u32 = 0x8020_0000;
const OTHER: u32 = 0x8020_1000;

fn buffers() -> Buffers {
    let descriptor = |address| Descriptor::new(address, 4096).unwrap();
    Buffers::new(descriptor(ONE), descriptor(OTHER), &SHARED).unwrap()
}

fn entry(command: u32, data: u32) -> Entry {
    Entry { data, command }
}

#[test]
fn s62_every_entry_carries_its_data() {
    let wanted = [
        (0xBA5E_0001, ONE | 12),
        (0xBA5E_0002, OTHER | 12),
        (0xBA5E_0003, 0),
    ];
    assert_eq!(
        buffers().entries(),
        wanted.map(|(command, data)| entry(command, data))
    );
    assert_eq!(Entry::STOP, entry(0xBA5E_0004, 0));
}

#[test]
fn a_descriptor_has_an_address_and_a_size_or_is_refused() {
    use BufferError::{Alignment, End, Size};
    for (address, size, wanted) in [
        (ONE, 4096, None),
        (ONE, 128, None),
        (ONE, 65536, None),
        (ONE, 64, Some(Size)),
        (ONE, 131_072, Some(Size)),
        (ONE, 4097, Some(Size)),
        (ONE, 0, Some(Size)),
        (ONE + 32, 4096, None),
        (ONE + 16, 4096, Some(Alignment)),
        (ONE + 1, 4096, Some(Alignment)),
        (0xFFFF_E000, 4096, None),
        (0xFFFF_F000, 4096, Some(End)),
        (0xFFFF_FFE0, 128, Some(End)),
    ] {
        let made = Descriptor::new(address, size);
        assert_eq!(made.err(), wanted, "{address:#x} {size}");
        if let Ok(made) = made {
            assert_eq!((made.address(), made.size()), (address, size));
            assert_eq!(Descriptor::from_bits(made.bits()), Ok(made));
        }
    }
    for bits in [ONE, ONE | 6, ONE | 17, ONE | 31] {
        assert_eq!(Descriptor::from_bits(bits), Err(Size), "{bits:#x}");
    }
}

#[test]
fn buffers_lie_in_shared_memory_beside_each_other() {
    let descriptor = |address, size| Descriptor::new(address, size).unwrap();
    let good = descriptor(ONE, 4096);
    for (other, wanted) in [
        (descriptor(OTHER, 4096), None),
        (descriptor(ONE - 4096, 4096), None),
        (descriptor(0x803F_F000, 4096), None),
        (descriptor(0x8000_0000, 4096), None),
        (good, Some(BufferError::Overlap)),
        (descriptor(ONE - 32, 128), Some(BufferError::Overlap)),
        (descriptor(ONE + 0xFE0, 128), Some(BufferError::Overlap)),
        (descriptor(0x803F_F020, 4096), Some(BufferError::Place)),
        (descriptor(0x7FFF_F000, 4096), Some(BufferError::Place)),
        (descriptor(0x0010_0000, 4096), Some(BufferError::Place)),
    ] {
        assert_eq!(
            Buffers::new(good, other, &SHARED).err(),
            wanted,
            "{other:?}"
        );
        assert_eq!(
            Buffers::new(other, good, &SHARED).err(),
            wanted,
            "{other:?}"
        );
    }
}

#[test]
fn a_setup_is_understood_in_any_order_and_with_noise() {
    let [one, other, start] = buffers().entries();
    let noise = entry(0x1234_5678, 9);
    for entries in [
        vec![one, other, start],
        vec![other, one, start],
        vec![noise, one, noise, other, noise, start],
        // It begins again before it ends.
        vec![entry(one.command, (OTHER + 4096) | 12), one, other, start],
        vec![one, entry(other.command, OTHER), one, other, start],
    ] {
        let mut setup = Setup::new();
        let (last, before) = entries.split_last().unwrap();
        for entry in before {
            assert_eq!(setup.take(*entry, &SHARED), Ok(Progress::Waiting));
        }
        assert_eq!(setup.take(*last, &SHARED), Ok(Progress::Ready(buffers())));
        // And once more, as after a restart of the other core.
        for entry in [one, other] {
            assert_eq!(setup.take(entry, &SHARED), Ok(Progress::Waiting));
        }
        assert_eq!(setup.take(start, &SHARED), Ok(Progress::Ready(buffers())));
        assert_eq!(setup.take(Entry::STOP, &SHARED), Ok(Progress::Stopped));
    }
}

#[test]
fn a_wrong_setup_is_refused_and_the_next_one_is_not() {
    let [one, other, start] = buffers().entries();
    let buffer = SetupError::Buffer;
    for (entries, wanted) in [
        (vec![start], SetupError::Missing),
        (vec![one, start], SetupError::Missing),
        (vec![other, start], SetupError::Missing),
        (
            vec![one, entry(other.command, one.data), start],
            buffer(BufferError::Overlap),
        ),
        (
            vec![one, entry(other.command, 0x0010_000C), start],
            buffer(BufferError::Place),
        ),
        (
            vec![one, entry(other.command, OTHER), start],
            buffer(BufferError::Size),
        ),
        (
            vec![one, entry(other.command, 0xFFFF_F00C), start],
            buffer(BufferError::End),
        ),
        (
            vec![entry(one.command, OTHER), other, start],
            buffer(BufferError::Size),
        ),
    ] {
        let mut setup = Setup::new();
        let (last, before) = entries.split_last().unwrap();
        for entry in before {
            assert_eq!(setup.take(*entry, &SHARED), Ok(Progress::Waiting));
        }
        assert_eq!(setup.take(*last, &SHARED), Err(wanted));
        assert_eq!(
            setup.take(start, &SHARED),
            Err(SetupError::Missing),
            "nothing was kept"
        );
        setup.take(one, &SHARED).unwrap();
        setup.take(other, &SHARED).unwrap();
        assert_eq!(setup.take(start, &SHARED), Ok(Progress::Ready(buffers())));
    }
}

#[test]
fn commands_have_the_numbers_of_the_original() {
    for number in 0xBA5E_0000..0xBA5E_0010u32 {
        let known = (0xBA5E_0001..=0xBA5E_0004).contains(&number);
        let command = Command::from_number(number);
        assert_eq!(command.map(Command::number), known.then_some(number));
    }
}

#[test]
fn s63_silence_is_neither_an_error_nor_an_answer() {
    // A core that never reads: sending ends when the ring is full, and nothing waits or fails.
    let shared = Shared::new(WORDS);
    let mut channel = Channel::new(
        Side::HighLevel,
        &shared.to_high_level[..],
        &shared.to_real_time[..],
    )
    .unwrap();
    while channel.send(APP, b"is anybody there?").is_ok() {
        assert_eq!(channel.reminder(), Ok(Some(Side::HighLevel.produced())));
    }
    assert_eq!(
        channel.send(APP, b"is anybody there?"),
        Err(SendError::Full)
    );
    assert_eq!(next(&mut channel), None);
    assert_eq!(channel.fault(), None);
    // The twin: one that reads late finds everything.
    let mut late = shared.real_time();
    assert_eq!(next(&mut late).unwrap(), b"is anybody there?");
    channel.send(APP, b"so you are").unwrap();
}
