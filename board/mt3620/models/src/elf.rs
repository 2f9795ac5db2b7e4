// SPDX-License-Identifier: GPL-2.0-or-later
//! Firmware of a real-time core: an ELF file, checked whole before any of it is copied.

use std::fmt;
use std::ops::Range;

/// Memory of a real-time core that firmware may be loaded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What it is called.
    pub name: &'static str,
    /// Where it begins.
    pub base: u32,
    /// How many bytes it has.
    pub size: u32,
    /// Whether the core can write it.
    pub writable: bool,
}

impl Memory {
    fn contains(&self, address: u32, size: u32) -> bool {
        address >= self.base
            && u64::from(address) + u64::from(size) <= u64::from(self.base) + u64::from(self.size)
    }
}

/// Tightly coupled memory.
pub const TCM: Memory = Memory {
    name: "TCM",
    base: 0x0010_0000,
    size: 192 * 1024,
    writable: true,
};
/// The core's own RAM behind it.
pub const SYSRAM: Memory = Memory {
    name: "SYSRAM",
    base: 0x2200_0000,
    size: 64 * 1024,
    writable: true,
};
/// The window through which the core executes from flash.
pub const FLASH: Memory = Memory {
    name: "the flash window",
    base: 0x1000_0000,
    size: 1024 * 1024,
    writable: false,
};

/// All three.
pub const MEMORIES: [Memory; 3] = [TCM, SYSRAM, FLASH];

/// The largest file that is looked at.
pub const LARGEST: usize = 16 * 1024 * 1024;

const HEADER: usize = 52;
const PROGRAM_HEADER: usize = 32;
const MACHINE_ARM: u16 = 40;
const EXECUTABLE: u16 = 2;
const LOAD: u32 = 1;
/// More are not plausible, and each is compared with each.
const MOST_SEGMENTS: u16 = 16;
/// The vector table register has no lower bits.
const VECTOR_ALIGNMENT: u32 = 128;

/// Why a file is no firmware, and of which kind the reason is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is no ELF file for the core.
    Format(String),
    /// It does not fit into the core's memories.
    Memory(String),
    /// The core could not start with its vector table.
    Vectors(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(reason) | Self::Memory(reason) | Self::Vectors(reason) => {
                formatter.write_str(reason)
            }
        }
    }
}

fn format<T>(reason: impl Into<String>) -> Result<T, Error> {
    Err(Error::Format(reason.into()))
}

fn memory<T>(reason: String) -> Result<T, Error> {
    Err(Error::Memory(reason))
}

fn vectors<T>(reason: String) -> Result<T, Error> {
    Err(Error::Vectors(reason))
}

/// A part of the file and where it goes; the rest of its memory is zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it goes.
    pub address: u32,
    /// Its bytes in the file.
    pub bytes: Range<usize>,
    /// How much memory it takes.
    pub size: u32,
}

impl Segment {
    fn end(&self) -> u64 {
        u64::from(self.address) + u64::from(self.size)
    }

    fn holds(&self, address: u32, size: u32) -> bool {
        address >= self.address && u64::from(address) + u64::from(size) <= self.end()
    }
}

/// What is to be done with a file that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is copied.
    pub segments: Vec<Segment>,
    /// The vector table.
    pub vectors: u32,
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        bytes.get(offset..offset.checked_add(2)?)?.try_into().ok()?,
    ))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(offset..offset.checked_add(4)?)?.try_into().ok()?,
    ))
}

fn segment(file: &[u8], header: &[u8]) -> Result<Option<Segment>, Error> {
    let field = |offset| {
        u32_at(header, offset).ok_or_else(|| Error::Format("a program header is cut off".into()))
    };
    let (kind, start, address, in_file, size) =
        (field(0)?, field(4)?, field(12)?, field(16)?, field(20)?);
    if kind != LOAD || size == 0 {
        return Ok(None);
    }
    if in_file > size {
        return format(format!(
            "the segment at {address:#010x} has more bytes in the file ({in_file}) than in memory ({size})"
        ));
    }
    let range = usize::try_from(start)
        .ok()
        .zip(usize::try_from(u64::from(start) + u64::from(in_file)).ok())
        .map(|(start, end)| start..end);
    let Some(bytes) = range.filter(|range| file.get(range.clone()).is_some()) else {
        return format(format!(
            "the segment at {address:#010x} lies behind the end of the file"
        ));
    };
    let Some(place) = MEMORIES.iter().find(|place| place.contains(address, 1)) else {
        return memory(format!(
            "the segment at {address:#010x} is in no memory of the core (TCM, SYSRAM, the flash window)"
        ));
    };
    if !place.contains(address, size) {
        return memory(format!(
            "the segment at {address:#010x} of {size} bytes is too large for {} ({} bytes)",
            place.name, place.size
        ));
    }
    if !place.writable && in_file != size {
        return memory(format!(
            "the segment at {address:#010x} wants zeros in {}",
            place.name
        ));
    }
    Ok(Some(Segment {
        address,
        bytes,
        size,
    }))
}

fn check_vectors(file: &[u8], segments: &[Segment], table: u32) -> Result<(), Error> {
    if table % VECTOR_ALIGNMENT != 0 {
        return vectors(format!(
            "the vector table at {table:#010x} (the entry point) is not aligned to {VECTOR_ALIGNMENT} bytes"
        ));
    }
    let words = segments
        .iter()
        .find(|segment| segment.holds(table, 8))
        .and_then(|segment| {
            let start = segment
                .bytes
                .start
                .checked_add(usize::try_from(table - segment.address).ok()?)?;
            let bytes = file.get(segment.bytes.clone()).filter(|_| {
                start
                    .checked_add(8)
                    .is_some_and(|end| end <= segment.bytes.end)
            })?;
            let at = start - segment.bytes.start;
            u32_at(bytes, at).zip(u32_at(bytes, at + 4))
        });
    let Some((stack, start)) = words else {
        return vectors(format!(
            "the vector table at {table:#010x} (the entry point) is not in the file"
        ));
    };
    // A stack grows down, so that it may begin at the end of a memory.
    let stacked = MEMORIES.iter().any(|place| {
        place.writable && stack % 4 == 0 && stack > place.base && stack - place.base <= place.size
    });
    if !stacked {
        return vectors(format!(
            "the first stack pointer, {stack:#010x}, is in neither TCM nor SYSRAM"
        ));
    }
    if start & 1 == 0 || !segments.iter().any(|segment| segment.holds(start & !1, 2)) {
        return vectors(format!(
            "the reset vector, {start:#010x}, is no Thumb code in the file"
        ));
    }
    Ok(())
}

/// Checks a file and says what is to be done with it.
///
/// # Errors
///
/// Why it is no firmware for a real-time core.
pub fn plan(file: &[u8]) -> Result<Plan, Error> {
    if file.len() > LARGEST {
        return memory(format!(
            "the file has {} bytes; more than {LARGEST} are not looked at",
            file.len()
        ));
    }
    if file.get(..4) != Some(b"\x7fELF".as_slice()) {
        return format("not an ELF file");
    }
    if file.len() < HEADER {
        return format("the ELF header is cut off");
    }
    if file.get(4..7) != Some([1, 1, 1].as_slice()) {
        return format("not a 32-bit little-endian ELF file");
    }
    let (kind, machine) = (u16_at(file, 16), u16_at(file, 18));
    if machine != Some(MACHINE_ARM) {
        return format(format!(
            "not for ARM (its machine is {})",
            machine.unwrap_or(0)
        ));
    }
    if kind != Some(EXECUTABLE) {
        return format("not an executable with fixed addresses");
    }
    let (Some(entry), Some(first), Some(each), Some(number)) = (
        u32_at(file, 24),
        u32_at(file, 28),
        u16_at(file, 42),
        u16_at(file, 44),
    ) else {
        return format("the ELF header is cut off");
    };
    if usize::from(each) != PROGRAM_HEADER {
        return format(format!(
            "its program headers have {each} bytes instead of {PROGRAM_HEADER}"
        ));
    }
    if number > MOST_SEGMENTS {
        return format(format!(
            "it has {number} program headers; at most {MOST_SEGMENTS} are plausible"
        ));
    }
    let table = usize::try_from(first).ok().and_then(|first| {
        let end = first.checked_add(PROGRAM_HEADER.checked_mul(usize::from(number))?)?;
        file.get(first..end)
    });
    let Some(table) = table else {
        return format("its program headers lie behind the end of the file");
    };
    let mut segments: Vec<Segment> = Vec::new();
    for header in table.chunks_exact(PROGRAM_HEADER) {
        let Some(found) = segment(file, header)? else {
            continue;
        };
        if let Some(other) = segments.iter().find(|other| {
            u64::from(other.address) < found.end() && u64::from(found.address) < other.end()
        }) {
            return memory(format!(
                "the segments at {:#010x} and {:#010x} overlap",
                other.address, found.address
            ));
        }
        segments.push(found);
    }
    if segments.is_empty() {
        return format("it has nothing to load");
    }
    check_vectors(file, &segments, entry)?;
    Ok(Plan {
        segments,
        vectors: entry,
    })
}

/// Files for tests.
#[cfg(test)]
pub mod sample {
    use super::{EXECUTABLE, HEADER, LOAD, MACHINE_ARM, PROGRAM_HEADER};

    /// A segment to be written: its address, its bytes, how much memory it takes.
    pub type Wanted<'a> = (u32, &'a [u8], u32);

    /// An ELF file.
    pub fn file(entry: u32, segments: &[Wanted<'_>]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x01\x01\x01".to_vec();
        bytes.resize(16, 0);
        bytes.extend(EXECUTABLE.to_le_bytes());
        bytes.extend(MACHINE_ARM.to_le_bytes());
        for word in [1, entry, 52, 0, 0x0500_0000] {
            bytes.extend(u32::to_le_bytes(word));
        }
        for half in [52, 32, u16::try_from(segments.len()).unwrap(), 0, 0, 0] {
            bytes.extend(u16::to_le_bytes(half));
        }
        assert_eq!(bytes.len(), HEADER);
        let mut start = HEADER + PROGRAM_HEADER * segments.len();
        for (address, content, size) in segments {
            let length = u32::try_from(content.len()).unwrap();
            for word in [
                LOAD,
                u32::try_from(start).unwrap(),
                *address,
                *address,
                length,
                *size,
                5,
                4,
            ] {
                bytes.extend(u32::to_le_bytes(word));
            }
            start += content.len();
        }
        for (_, content, _) in segments {
            bytes.extend_from_slice(content);
        }
        bytes
    }

    /// A vector table and a loop for the reset vector.
    pub fn code(stack: u32, at: u32) -> Vec<u8> {
        [
            stack.to_le_bytes(),
            (at + 9).to_le_bytes(),
            [0xFE, 0xE7, 0xFE, 0xE7],
        ]
        .concat()
    }

    /// Firmware as it should be.
    pub fn good() -> Vec<u8> {
        file(
            0x0010_0000,
            &[(0x0010_0000, &code(0x0013_0000, 0x0010_0000), 12)],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{code, file, good};
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        plan(bytes).unwrap_err().to_string()
    }

    #[test]
    fn good_firmware_is_planned() {
        let planned = plan(&good()).unwrap();
        assert_eq!(planned.vectors, 0x0010_0000);
        assert_eq!(
            planned.segments,
            [Segment {
                address: 0x0010_0000,
                bytes: 84..96,
                size: 12
            }]
        );
        let xip = code(0x2201_0000, 0x1000_0000);
        let planned = plan(&file(
            0x1000_0000,
            &[
                (0x1000_0000, &xip, 12),
                (0x0010_0000, &[1, 2], 196_608),
                (0x2200_0000, &[], 65_536),
            ],
        ))
        .unwrap();
        assert_eq!(planned.segments.len(), 3);
    }

    #[test]
    fn what_is_no_elf_for_the_core_is_refused() {
        assert_eq!(refused(b""), "not an ELF file");
        assert_eq!(refused(b"#!/bin/sh\n"), "not an ELF file");
        assert_eq!(refused(b"\x7fELF\x01\x01\x01"), "the ELF header is cut off");
        for (offset, value, reason) in [
            (4, 2, "32-bit little-endian"),
            (5, 2, "32-bit little-endian"),
            (18, 3, "not for ARM (its machine is 3)"),
            (16, 3, "fixed addresses"),
            (42, 56, "have 56 bytes"),
            (44, 17, "17 program headers"),
            (44, 9, "behind the end"),
            (44, 0, "nothing to load"),
            (31, 0x80, "behind the end"),
        ] {
            let mut bytes = good();
            bytes[offset] = value;
            assert!(
                matches!(plan(&bytes), Err(Error::Format(_))),
                "{offset} = {value}"
            );
            assert!(refused(&bytes).contains(reason), "{}", refused(&bytes));
        }
    }

    #[test]
    fn every_file_that_is_cut_is_refused() {
        let bytes = good();
        for length in 0..bytes.len() {
            assert!(plan(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn no_flipped_bit_makes_a_panic_or_a_plan_outside_of_memory() {
        let bytes = good();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(planned) = plan(&changed) {
                for segment in planned.segments {
                    assert!(
                        MEMORIES
                            .iter()
                            .any(|place| place.contains(segment.address, segment.size))
                    );
                    assert!(segment.bytes.end <= changed.len());
                    assert!(segment.bytes.len() <= usize::try_from(segment.size).unwrap());
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let base = code(0x0013_0000, 0x0010_0000);
        let with = |other: sample::Wanted<'_>| {
            refused(&file(0x0010_0000, &[(0x0010_0000, &base, 12), other]))
        };
        assert!(with((0x0011_0000, &[], 0x0002_0001)).contains("too large for TCM (196608 bytes)"));
        assert!(with((0x2200_0000, &[], 0x0001_0001)).contains("too large for SYSRAM"));
        assert!(with((0x2200_0000, &[], u32::MAX)).contains("too large for SYSRAM"));
        assert!(with((0x8000_0000, &[1], 1)).contains("in no memory of the core"));
        assert!(with((0x1000_0000, &[1], 2)).contains("wants zeros in the flash window"));
        assert!(with((0x0010_0008, &[1], 1)).contains("overlap"));
        assert!(
            with((0x2200_0000, &[1, 2], 1))
                .contains("more bytes in the file (2) than in memory (1)")
        );
        assert!(
            plan(&file(
                0x0010_0000,
                &[(0x0010_0000, &base, 12), (0x0010_000C, &[1], 1)]
            ))
            .is_ok()
        );
        assert!(refused(&vec![0; LARGEST + 1]).contains("not looked at"));
    }

    #[test]
    fn a_core_that_could_not_start_is_refused() {
        let at = |entry, stack, code_at| {
            refused(&file(entry, &[(0x0010_0000, &code(stack, code_at), 12)]))
        };
        assert!(at(0x0010_0004, 0x0013_0000, 0x0010_0000).contains("not aligned to 128 bytes"));
        assert!(at(0x0011_0000, 0x0013_0000, 0x0010_0000).contains("is not in the file"));
        assert!(at(0x0010_0000, 0x0013_0004, 0x0010_0000).contains("first stack pointer"));
        assert!(at(0x0010_0000, 0x1000_1000, 0x0010_0000).contains("first stack pointer"));
        assert!(at(0x0010_0000, 0x0013_0000, 0x0012_0000).contains("reset vector"));
        assert!(at(0x0010_0000, 0x0013_0000, 0x0010_0001).contains("reset vector"));
    }
}
