// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Whether an entry point is a program that this device can run, told from its ELF header.
//!
//! This is a courtesy to developers, who learn at deployment what else `execve` would say at every
//! start; nothing relies on it for protection. Real apps are 32-bit little-endian ARM, EABI 5, with
//! the interpreter `/lib/ld-musl-armhf.so.1`; static programs have none.

use std::io;
use std::ops::Range;

/// The only interpreter on the device.
pub const INTERPRETER: &str = "/lib/ld-musl-armhf.so.1";

/// Bytes of an ELF32 header.
const HEADER_SIZE: usize = 52;
/// Bytes of an ELF32 program header.
const PROGRAM_HEADER_SIZE: usize = 32;
/// More program headers than any real program has.
const PROGRAM_HEADER_LIMIT: u16 = 64;
/// The longest interpreter path worth reading, its NUL included.
const INTERPRETER_LIMIT: u32 = 256;
/// `EM_ARM`.
const MACHINE_ARM: u16 = 40;
/// `PT_LOAD`.
const SEGMENT_LOAD: u32 = 1;
/// `PT_INTERP`.
const SEGMENT_INTERPRETER: u32 = 3;
/// The EABI version in the upper byte of the ELF flags.
const EABI_VERSION: u32 = 5;

/// Why a file is not a program for this device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// It is no ELF file, or one for another kind of machine.
    #[error("{0}")]
    NotForThisDevice(&'static str),
    /// It is no firmware that a real-time core can run.
    #[error("{0}")]
    NotForTheCore(String),
    /// It names an interpreter that the device does not have.
    #[error("it needs the interpreter {0}, and the device has {INTERPRETER}")]
    Interpreter(String),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// What the header of a file for the ARM processor says.
#[derive(Debug)]
pub struct Header {
    /// `e_type`.
    pub kind: u16,
    /// `e_entry`.
    pub entry: u32,
    /// How many segments there are.
    pub segments: u16,
    table: u32,
    flags: u32,
}

/// What a program header says.
#[derive(Debug)]
pub struct Segment {
    kind: u32,
    /// Where it begins in the file.
    pub start: u32,
    /// Where it is loaded.
    pub address: u32,
    /// Its bytes in the file.
    pub length: u32,
    /// Its bytes in memory.
    pub size: u32,
}

impl Segment {
    /// Whether it is loaded.
    pub fn is_loaded(&self) -> bool {
        self.kind == SEGMENT_LOAD
    }

    /// Where it lies in memory.
    pub fn addresses(&self) -> Range<u64> {
        let first = u64::from(self.address);
        first..first.saturating_add(u64::from(self.size))
    }

    /// Whether it has memory in common with another.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (own, theirs) = (self.addresses(), other.addresses());
        own.start < theirs.end && theirs.start < own.end
    }
}

/// What is wrong with a file that ends too early.
const CUT: ElfError = ElfError::NotForThisDevice("it is cut off within its ELF headers");

impl Header {
    /// Reads the header of a file of `size` bytes.
    ///
    /// # Errors
    /// When it is no 32-bit file for the ARM processor.
    pub fn read(
        size: u64,
        read_at: &mut impl FnMut(u64, &mut [u8]) -> io::Result<()>,
    ) -> Result<Self, ElfError> {
        use ElfError::NotForThisDevice;
        let mut header = [0; HEADER_SIZE];
        if size < header.len() as u64 {
            return Err(NotForThisDevice("it is no ELF program"));
        }
        read_at(0, &mut header)?;
        if !header.starts_with(b"\x7fELF") {
            return Err(NotForThisDevice("it is no ELF program"));
        }
        if !header.starts_with(b"\x7fELF\x01\x01\x01") {
            return Err(NotForThisDevice("it is no 32-bit little-endian program"));
        }
        let halves = (
            half(&header, 16),
            half(&header, 18),
            half(&header, 42),
            half(&header, 44),
        );
        let words = (word(&header, 24), word(&header, 28), word(&header, 36));
        let (Some(kind), Some(machine), Some(entry_size), Some(segments)) = halves else {
            return Err(CUT);
        };
        let (Some(entry), Some(table), Some(flags)) = words else {
            return Err(CUT);
        };
        if machine != MACHINE_ARM {
            return Err(NotForThisDevice("it is not for the ARM processor"));
        }
        if usize::from(entry_size) != PROGRAM_HEADER_SIZE || segments > PROGRAM_HEADER_LIMIT {
            return Err(NotForThisDevice("its program header table is malformed"));
        }
        Ok(Self {
            kind,
            entry,
            segments,
            table,
            flags,
        })
    }

    /// Reads one of the program headers.
    ///
    /// # Errors
    /// When it, or what it describes, lies beyond the end of the file.
    pub fn segment(
        &self,
        index: u16,
        size: u64,
        read_at: &mut impl FnMut(u64, &mut [u8]) -> io::Result<()>,
    ) -> Result<Segment, ElfError> {
        let mut header = [0; PROGRAM_HEADER_SIZE];
        let before = u64::from(index).saturating_mul(header.len() as u64);
        let offset = u64::from(self.table).saturating_add(before);
        if offset.saturating_add(header.len() as u64) > size {
            return Err(CUT);
        }
        read_at(offset, &mut header)?;
        let fields = [0, 4, 12, 16, 20].map(|offset| word(&header, offset));
        let [
            Some(kind),
            Some(start),
            Some(address),
            Some(length),
            Some(memory),
        ] = fields
        else {
            return Err(CUT);
        };
        // A segment without bytes in the file, such as .bss, may be placed anywhere.
        if length > 0 && u64::from(start).saturating_add(u64::from(length)) > size {
            return Err(ElfError::NotForThisDevice(
                "a segment of it lies beyond its end",
            ));
        }
        Ok(Segment {
            kind,
            start,
            address,
            length,
            size: memory,
        })
    }
}

/// Checks a program of `size` bytes. `read_at` fills a buffer from an offset within the file.
///
/// # Errors
/// What keeps the program from running here.
pub fn check(
    size: u64,
    mut read_at: impl FnMut(u64, &mut [u8]) -> io::Result<()>,
) -> Result<(), ElfError> {
    use ElfError::NotForThisDevice;
    let header = Header::read(size, &mut read_at)?;
    // ET_EXEC and ET_DYN; a position-independent program is an ET_DYN.
    if !matches!(header.kind, 2 | 3) {
        return Err(NotForThisDevice("it is an object file, not a program"));
    }
    if header.flags >> 24 != EABI_VERSION {
        return Err(NotForThisDevice("it is not for the ARM EABI version 5"));
    }
    let mut loads = false;
    for index in 0..header.segments {
        let segment = header.segment(index, size, &mut read_at)?;
        match segment.kind {
            SEGMENT_LOAD => loads = true,
            SEGMENT_INTERPRETER => {
                check_interpreter(u64::from(segment.start), segment.length, &mut read_at)?;
            }
            _ => {}
        }
    }
    if loads {
        Ok(())
    } else {
        Err(NotForThisDevice("it has nothing to load"))
    }
}

fn check_interpreter(
    start: u64,
    length: u32,
    read_at: &mut impl FnMut(u64, &mut [u8]) -> io::Result<()>,
) -> Result<(), ElfError> {
    let wanted = length.min(INTERPRETER_LIMIT);
    let mut path = vec![0; usize::try_from(wanted).unwrap_or_default()];
    read_at(start, &mut path)?;
    let end = path.iter().position(|byte| *byte == 0);
    let name = end.and_then(|end| path.get(..end)).unwrap_or(&path);
    if end.is_some() && name == INTERPRETER.as_bytes() {
        return Ok(());
    }
    let printable = name.escape_ascii().to_string();
    Err(ElfError::Interpreter(printable))
}

fn half(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u16::from_le_bytes(*field))
}

fn word(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u32::from_le_bytes(*field))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A program with one loadable segment and, when given, an interpreter.
    pub(crate) fn program(interpreter: Option<&str>) -> Vec<u8> {
        let mut file = vec![0; HEADER_SIZE];
        file[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
        file[16] = 3;
        file[18] = 40;
        file[28] = 52;
        file[39] = 5;
        file[42] = 32;
        file[44] = 1 + u8::from(interpreter.is_some());
        let mut load = [0; PROGRAM_HEADER_SIZE];
        load[0] = 1;
        load[16] = 52;
        file.extend_from_slice(&load);
        if let Some(path) = interpreter {
            let mut segment = [0; PROGRAM_HEADER_SIZE];
            segment[0] = 3;
            segment[4] = 52 + 64;
            segment[16] = u8::try_from(path.len() + 1).unwrap();
            file.extend_from_slice(&segment);
            file.extend_from_slice(path.as_bytes());
            file.push(0);
        }
        file
    }

    fn check_bytes(file: &[u8]) -> Result<(), ElfError> {
        check(file.len() as u64, |offset, buffer| {
            let start = usize::try_from(offset).unwrap();
            let bytes = file.get(start..).and_then(|rest| rest.get(..buffer.len()));
            buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    #[test]
    fn static_and_dynamic_programs_for_the_device_pass() {
        check_bytes(&program(None)).unwrap();
        check_bytes(&program(Some(INTERPRETER))).unwrap();
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        let change = |offset: usize, value: u8| {
            let mut file = program(Some(INTERPRETER));
            file[offset] = value;
            check_bytes(&file).unwrap_err().to_string()
        };
        assert!(change(0, b'#').contains("no ELF"));
        assert!(change(4, 2).contains("32-bit"));
        assert!(change(5, 2).contains("little-endian"));
        assert!(change(16, 1).contains("object file"));
        assert!(change(18, 62).contains("ARM processor"));
        assert!(change(39, 4).contains("EABI"));
        assert!(change(42, 56).contains("table"));
        assert!(change(44, 200).contains("table"));
        assert!(change(44, 9).contains("cut off") || change(44, 9).contains("beyond"));
        assert!(change(52, 6).contains("nothing to load"));
        assert!(change(52 + 17, 0xff).contains("beyond its end"));
        assert!(
            check_bytes(b"#!/bin/sh\n")
                .unwrap_err()
                .to_string()
                .contains("no ELF")
        );
        let foreign = check_bytes(&program(Some("/lib/ld-linux-armhf.so.3"))).unwrap_err();
        assert!(
            foreign.to_string().contains("/lib/ld-linux-armhf.so.3"),
            "{foreign}"
        );
    }

    proptest! {
        #[test]
        fn no_file_panics(mut file in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..8) {
            check_bytes(&file).ok();
            let good = program(Some(INTERPRETER));
            for (byte, from) in file.iter_mut().zip(good.iter().take(8 * cut)) {
                *byte = *from;
            }
            check_bytes(&file).ok();
        }
    }
}
