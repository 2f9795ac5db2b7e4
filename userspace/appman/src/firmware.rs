// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Whether an entry point is firmware that a real-time core of the MT3620 can run, told from its ELF headers and its
//! vector table.
//!
//! As [`crate::elf`] for programs: developers learn at deployment what the core would say at every start, and nothing
//! relies on it for protection. The entry point of the file is its vector table.

use std::io;
use std::ops::Range;

use crate::elf::{ElfError, Header, Segment};

/// The largest firmware that the kernel takes, in bytes: the region of RAM that it is loaded from.
pub const FIRMWARE_LIMIT: u64 = 1024 * 1024;

/// `ET_EXEC`: with fixed addresses.
const EXECUTABLE: u16 = 2;
/// More segments than any firmware has; each is compared with each.
const SEGMENT_LIMIT: usize = 16;
/// The vector table register of the core has no lower bits.
const VECTOR_ALIGNMENT: u32 = 128;

/// A memory of a real-time core.
struct Memory {
    name: &'static str,
    addresses: Range<u64>,
    writable: bool,
}

/// What firmware can lie in.
const MEMORIES: [Memory; 3] = [
    Memory {
        name: "TCM",
        addresses: 0x0010_0000..0x0013_0000,
        writable: true,
    },
    Memory {
        name: "SYSRAM",
        addresses: 0x2200_0000..0x2201_0000,
        writable: true,
    },
    Memory {
        name: "the flash window",
        addresses: 0x1000_0000..0x1010_0000,
        writable: false,
    },
];

fn refused<T>(reason: String) -> Result<T, ElfError> {
    Err(ElfError::NotForTheCore(reason))
}

/// Checks firmware of `size` bytes. `read_at` fills a buffer from an offset within the file.
///
/// # Errors
/// What keeps a core from running it.
pub fn check(
    size: u64,
    mut read_at: impl FnMut(u64, &mut [u8]) -> io::Result<()>,
) -> Result<(), ElfError> {
    if size > FIRMWARE_LIMIT {
        return refused(format!(
            "it has {size} bytes, and a core takes {FIRMWARE_LIMIT} at most"
        ));
    }
    let header = Header::read(size, &mut read_at)?;
    if header.kind != EXECUTABLE {
        return refused("it is no program with fixed addresses".to_owned());
    }
    let mut loaded: Vec<Segment> = Vec::new();
    for index in 0..header.segments {
        let segment = header.segment(index, size, &mut read_at)?;
        if !segment.is_loaded() || segment.size == 0 {
            continue;
        }
        check_segment(&segment)?;
        if let Some(other) = loaded.iter().find(|other| other.overlaps(&segment)) {
            return refused(format!(
                "its segments at {:#010x} and {:#010x} overlap",
                other.address, segment.address
            ));
        }
        if loaded.len() == SEGMENT_LIMIT {
            return refused(format!("it has more than {SEGMENT_LIMIT} segments"));
        }
        loaded.push(segment);
    }
    check_vectors(&loaded, header.entry, &mut read_at)
}

/// A segment lies in one memory as a whole.
fn check_segment(segment: &Segment) -> Result<(), ElfError> {
    let Segment {
        address,
        size,
        length,
        ..
    } = *segment;
    if length > size {
        return refused(format!(
            "its segment at {address:#010x} has {length} bytes in the file and {size} in memory"
        ));
    }
    let place = MEMORIES
        .iter()
        .find(|place| place.addresses.contains(&u64::from(address)));
    let Some(place) = place else {
        return refused(format!(
            "its segment at {address:#010x} is in no memory of the core"
        ));
    };
    if segment.addresses().end > place.addresses.end {
        return refused(format!(
            "its segment at {address:#010x} of {size} bytes does not fit into {} ({} bytes)",
            place.name,
            place.addresses.end.saturating_sub(place.addresses.start)
        ));
    }
    if !place.writable && length != size {
        return refused(format!(
            "its segment at {address:#010x} needs zeros in {}",
            place.name
        ));
    }
    Ok(())
}

/// The table lies in the file, its stack in memory that can be written, and its code in the file.
fn check_vectors(
    segments: &[Segment],
    table: u32,
    read_at: &mut impl FnMut(u64, &mut [u8]) -> io::Result<()>,
) -> Result<(), ElfError> {
    if !table.is_multiple_of(VECTOR_ALIGNMENT) {
        return refused(format!(
            "its entry point {table:#010x}, the vector table, is no multiple of {VECTOR_ALIGNMENT}"
        ));
    }
    let place = segments.iter().find_map(|segment| {
        let within = table.checked_sub(segment.address)?;
        let fits = within.checked_add(8)? <= segment.length;
        fits.then_some(u64::from(segment.start).saturating_add(u64::from(within)))
    });
    let Some(place) = place else {
        return refused(format!(
            "its entry point {table:#010x}, the vector table, is not in the file"
        ));
    };
    let (mut stack, mut reset) = ([0; 4], [0; 4]);
    read_at(place, &mut stack)?;
    read_at(place.saturating_add(4), &mut reset)?;
    let (stack, reset) = (u32::from_le_bytes(stack), u32::from_le_bytes(reset));
    // A stack grows down, so it may begin right behind a memory.
    let top = u64::from(stack);
    let stacked = MEMORIES.iter().any(|memory| {
        memory.writable && top > memory.addresses.start && top <= memory.addresses.end
    });
    if !stacked || !stack.is_multiple_of(4) {
        return refused(format!(
            "its stack at {stack:#010x} is in neither TCM nor SYSRAM"
        ));
    }
    // The lowest bit says Thumb, which is all that the core knows.
    let code = u64::from(reset & !1);
    let loaded = segments
        .iter()
        .any(|segment| segment.addresses().contains(&code));
    if reset & 1 == 0 || !loaded {
        return refused(format!(
            "its reset vector {reset:#010x} is no Thumb code in it"
        ));
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Address, bytes, and size in memory.
    type Part<'a> = (u32, &'a [u8], u32);

    fn file(entry: u32, parts: &[Part<'_>]) -> Vec<u8> {
        let mut file = b"\x7fELF\x01\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([2, 0, 40, 0, 1, 0, 0, 0]);
        for word in [entry, 52, 0, 0x0500_0000] {
            file.extend(word.to_le_bytes());
        }
        file.extend([52, 0, 32, 0, u8::try_from(parts.len()).unwrap(), 0]);
        file.resize(52, 0);
        let mut start = 52 + 32 * u32::try_from(parts.len()).unwrap();
        for (address, bytes, size) in parts {
            let length = u32::try_from(bytes.len()).unwrap();
            for word in [1, start, *address, *address, length, *size, 5, 4] {
                file.extend(word.to_le_bytes());
            }
            start += length;
        }
        for (_, bytes, _) in parts {
            file.extend_from_slice(bytes);
        }
        file
    }

    fn vectors(stack: u32, reset: u32) -> Vec<u8> {
        let mut bytes = [stack.to_le_bytes(), reset.to_le_bytes()].concat();
        bytes.extend([0xfe, 0xe7, 0xfe, 0xe7]);
        bytes
    }

    /// Firmware that a core takes.
    pub(crate) fn firmware() -> Vec<u8> {
        let code = vectors(0x0013_0000, 0x0010_0009);
        file(0x0010_0000, &[(0x0010_0000, &code, 12)])
    }

    fn check_bytes(file: &[u8]) -> Result<(), ElfError> {
        check(file.len() as u64, |offset, buffer| {
            let start = usize::try_from(offset).unwrap();
            let bytes = file.get(start..).and_then(|rest| rest.get(..buffer.len()));
            buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn reason(file: &[u8]) -> String {
        check_bytes(file).unwrap_err().to_string()
    }

    #[test]
    fn firmware_in_each_memory_passes() {
        check_bytes(&firmware()).unwrap();
        let flash = vectors(0x2201_0000, 0x1000_0009);
        let parts: [Part<'_>; 3] = [
            (0x1000_0000, &flash, 12),
            (0x0010_0000, b"data", 192 * 1024),
            (0x2200_0000, b"", 64 * 1024),
        ];
        check_bytes(&file(0x1000_0000, &parts)).unwrap();
    }

    #[test]
    fn what_is_no_firmware_is_refused_with_the_reason() {
        let change = |offset: usize, value: u8| {
            let mut file = firmware();
            file[offset] = value;
            reason(&file)
        };
        assert!(change(0, b'#').contains("no ELF"));
        assert!(change(4, 2).contains("32-bit"));
        assert!(change(16, 3).contains("fixed addresses"));
        assert!(change(18, 62).contains("ARM"));
        assert!(change(24, 4).contains("no multiple of 128"));
        assert!(change(24, 0x80).contains("not in the file"));
        assert!(change(44, 0).contains("not in the file"));
        assert!(change(44, 200).contains("table"));
        assert!(reason(b"\x7fELF").contains("no ELF"));
        assert!(reason(&crate::elf::tests::program(None)).contains("fixed addresses"));
        let mut large = firmware();
        large.resize(1024 * 1024, 0);
        check_bytes(&large).unwrap();
        large.push(0);
        assert!(reason(&large).contains("1048577 bytes"));
    }

    #[test]
    fn what_does_not_lie_in_the_memories_is_refused() {
        let code = vectors(0x0013_0000, 0x0010_0009);
        let with = |part: Part<'_>| reason(&file(0x0010_0000, &[(0x0010_0000, &code, 12), part]));
        assert!(with((0x0011_0000, b"", 0x0002_0001)).contains("does not fit into TCM"));
        assert!(with((0x2200_0000, b"", 0x0001_0001)).contains("does not fit into SYSRAM"));
        assert!(with((0x2100_0000, b"x", 1)).contains("in no memory"));
        assert!(with((0x1000_0000, b"x", 2)).contains("needs zeros in the flash window"));
        assert!(with((0x2200_0000, b"xx", 1)).contains("2 bytes in the file and 1 in memory"));
        assert!(with((0x0010_0008, b"", 8)).contains("overlap"));
        let fine: [Part<'_>; 2] = [(0x0010_0000, &code, 12), (0x0010_000c, b"", 0x0002_fff4)];
        check_bytes(&file(0x0010_0000, &fine)).unwrap();
    }

    #[test]
    fn a_vector_table_that_leads_nowhere_is_refused() {
        let with = |stack, reset| {
            let code = vectors(stack, reset);
            check_bytes(&file(0x0010_0000, &[(0x0010_0000, &code, 12)]))
        };
        with(0x0010_0004, 0x0010_0009).unwrap();
        with(0x2200_1000, 0x0010_0009).unwrap();
        for (stack, reset, said) in [
            (0x0010_0000, 0x0010_0009, "its stack"),
            (0x0013_0004, 0x0010_0009, "its stack"),
            (0x0012_0002, 0x0010_0009, "its stack"),
            (0x1000_1000, 0x0010_0009, "its stack"),
            (0x0013_0000, 0x0010_0008, "no Thumb code"),
            (0x0013_0000, 0x0010_000d, "no Thumb code"),
        ] {
            let refused = with(stack, reset).unwrap_err().to_string();
            assert!(refused.contains(said), "{stack:#x} {reset:#x}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn no_change_makes_a_panic(changes in proptest::collection::vec((0_usize..100, any::<u8>()), 0..6)) {
            let mut file = firmware();
            for (place, value) in changes {
                if let Some(byte) = file.get_mut(place) {
                    *byte = value;
                }
            }
            check_bytes(&file).ok();
        }
    }
}
