// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Runs filters as the kernel does, for the tests.

use libc::{SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ALLOW};
use sys::seccomp::Instruction;

/// What a filter sees of a call: `struct seccomp_data`.
#[derive(Clone, Copy, Debug)]
pub struct Data {
    pub number: u32,
    pub architecture: u32,
    pub arguments: [u64; 6],
}

impl Data {
    fn word(&self, offset: u32) -> u32 {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.architecture.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        for argument in self.arguments {
            bytes.extend(argument.to_le_bytes());
        }
        let offset = offset as usize;
        assert_eq!(offset % 4, 0, "an unaligned load");
        u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
    }
}

/// The answer of one filter, and how many instructions it took. Panics where the kernel would have refused the
/// program.
pub fn trace(program: &[Instruction], data: &Data) -> (u32, usize) {
    let (mut accumulator, mut at, mut steps) = (0, 0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        (at, steps) = (at + 1, steps + 1);
        let mut branch = |holds: bool| at += usize::from(if holds { jt } else { jf });
        match code {
            0x20 => accumulator = data.word(k),
            0x05 => at += k as usize,
            0x15 => branch(accumulator == k),
            0x25 => branch(accumulator > k),
            0x35 => branch(accumulator >= k),
            0x45 => branch(accumulator & k != 0),
            0x54 => accumulator &= k,
            0x06 => return (k, steps),
            code => panic!("instruction {code:#x} is not allowed, or not known here"),
        }
    }
}

/// The answer of several filters, the last installed first: the strictest action wins, and among equal ones
/// the filter that was installed last.
pub fn run_all(programs: &[&[Instruction]], data: &Data) -> u32 {
    let rank = |answer: u32| i32::from_ne_bytes((answer & SECCOMP_RET_ACTION_FULL).to_ne_bytes());
    let mut strictest = SECCOMP_RET_ALLOW;
    for program in programs {
        let (answer, _) = trace(program, data);
        if rank(answer) < rank(strictest) {
            strictest = answer;
        }
    }
    strictest
}
