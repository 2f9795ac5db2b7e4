// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The smallest program that tells that it ran: an ARM ELF of one segment that exits with [`EXIT_CODE`].
//!
//! It is position independent and carries the least dynamic section that the musl loader takes, so that it runs
//! both by itself and when handed to the loader.

/// The exit code that tells that the code ran.
pub const EXIT_CODE: i32 = 42;

const HEADER: u32 = 52;
const PROGRAM_HEADER: u32 = 32;
const CODE: u32 = HEADER + 2 * PROGRAM_HEADER;
const HASH: u32 = CODE + 12;
const SYMBOLS: u32 = HASH + 16;
const STRINGS: u32 = SYMBOLS + 16;
const DYNAMIC: u32 = STRINGS + 4;
const DYNAMIC_LENGTH: u32 = 4 * 8;
const LENGTH: u32 = DYNAMIC + DYNAMIC_LENGTH;

/// The bytes of the program.
pub fn program() -> Vec<u8> {
    const SHARED_OBJECT: u32 = 3;
    const ARM: u32 = 40;
    const EABI5: u32 = 0x0500_0000;
    let words = [
        // Identification: 32 bits, little endian.
        u32::from_le_bytes(*b"\x7fELF"),
        0x0001_0101,
        0,
        0,
        SHARED_OBJECT | ARM << 16,
        1,
        CODE,
        HEADER,
        0,
        EABI5,
        HEADER | PROGRAM_HEADER << 16,
        2,
        0,
        // PT_LOAD of the whole file, readable and executable; PT_DYNAMIC.
        1,
        0,
        0,
        0,
        LENGTH,
        LENGTH,
        5,
        4096,
        2,
        DYNAMIC,
        DYNAMIC,
        DYNAMIC,
        DYNAMIC_LENGTH,
        DYNAMIC_LENGTH,
        4,
        4,
        // mov r0, #EXIT_CODE; mov r7, #exit; svc 0
        0xe3a0_0000 | EXIT_CODE as u32,
        0xe3a0_7001,
        0xef00_0000,
        // A hash table of one empty bucket, one null symbol, an empty string table.
        1,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        // DT_HASH, DT_SYMTAB, DT_STRTAB, DT_NULL
        4,
        HASH,
        6,
        SYMBOLS,
        5,
        STRINGS,
        0,
        0,
    ];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
