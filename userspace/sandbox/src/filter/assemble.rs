// SPDX-License-Identifier: Apache-2.0 OR MIT

//! From outcomes to instructions.
//!
//! The kernel runs a filter once per call number when it is installed, so the numbers are told apart by binary
//! search. What the arguments must be is compiled by `seccompiler`; it knows no 32-bit ARM and compares numbers
//! one after the other, so its programs are made independent of the machine and hung into the search as leaves.

use std::collections::BTreeMap;

use libc::{
    ENOSYS, EPERM, SECCOMP_RET_ALLOW, SECCOMP_RET_DATA, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS,
};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};
use sys::seccomp::{Instruction, LONGEST};

use super::{Outcome, Rules, Test};

/// The architecture of a call from a 32-bit little-endian ARM program (`AUDIT_ARCH_ARM`).
pub const AUDIT_ARCH_ARM: u32 = 40 | 0x4000_0000;

/// The architecture that `seccompiler` compiles for. Any little-endian one serves: only the check of the
/// architecture depends on it.
const COMPILED: TargetArch = TargetArch::x86_64;
/// The value that such a program compares the architecture with (`AUDIT_ARCH_X86_64`).
const AUDIT_ARCH_COMPILED: u32 = 62 | 0x8000_0000 | 0x4000_0000;

/// `BPF_LD | BPF_W | BPF_ABS`: load a word of `struct seccomp_data`.
const LOAD: u16 = 0x20;
/// `BPF_JMP | BPF_JA`: jump.
const JUMP: u16 = 0x05;
/// `BPF_JMP | BPF_JEQ | BPF_K`: jump by equality.
const JUMP_EQUAL: u16 = 0x15;
/// `BPF_JMP | BPF_JGE | BPF_K`: jump by order.
const JUMP_NOT_LESS: u16 = 0x35;
/// `BPF_RET | BPF_K`: answer.
const RETURN: u16 = 0x06;
/// Offset of the number of the call in `struct seccomp_data`.
const NUMBER: u32 = 0;
/// Offset of the architecture of the caller.
const ARCHITECTURE: u32 = 4;

/// The check of the architecture at the start of a program: load, compare, kill.
const fn architecture_check(architecture: u32) -> [Instruction; 3] {
    [
        statement(LOAD, ARCHITECTURE),
        jump(JUMP_EQUAL, architecture, 1, 0),
        statement(RETURN, SECCOMP_RET_KILL_PROCESS),
    ]
}

/// Why a table makes no filter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A rule cannot be compiled.
    #[error(
        "the rules of system call {number} do not compile: {source}; correct its entry in the table"
    )]
    Rule {
        /// Number of the call.
        number: u32,
        /// What the compiler says.
        source: BackendError,
    },
    /// `seccompiler` makes programs of a form that we do not know.
    #[error(
        "seccompiler's program does not start with the known check of the architecture; adapt `without_architecture`"
    )]
    Shape,
    /// Two entries have the same number.
    #[error("system call {number} is in the table twice; remove one entry")]
    Twice {
        /// The number.
        number: u32,
    },
    /// The kernel would not take it.
    #[error(
        "the filter has {length} instructions, more than the kernel's {LONGEST}; shorten the table"
    )]
    TooLong {
        /// Its length.
        length: usize,
    },
}

/// Whether a program looks at the architecture of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Architecture {
    /// A call of another architecture than ARM ends the process.
    Checked,
    /// Another filter does that.
    CheckedBefore,
}

/// The program that answers each call with its outcome, and every other call with `otherwise`.
pub(super) fn program(
    architecture: Architecture,
    mut outcomes: Vec<(u32, Outcome)>,
    otherwise: Outcome,
) -> Result<Vec<Instruction>, FilterError> {
    outcomes.sort_unstable_by_key(|&(number, _)| number);
    let mut leaves: Vec<Leaf> = Vec::with_capacity(outcomes.len() * 2);
    let mut next = 0;
    for (number, outcome) in outcomes {
        if number < next {
            return Err(FilterError::Twice { number });
        }
        if number > next {
            Leaf::append(&mut leaves, next, &otherwise)?;
        }
        Leaf::append(&mut leaves, number, &outcome)?;
        next = number + 1;
    }
    Leaf::append(&mut leaves, next, &otherwise)?;

    let mut program = match architecture {
        Architecture::Checked => Vec::from(architecture_check(AUDIT_ARCH_ARM)),
        Architecture::CheckedBefore => Vec::new(),
    };
    program.push(statement(LOAD, NUMBER));
    program.extend(search(&leaves));
    if program.len() > LONGEST {
        return Err(FilterError::TooLong {
            length: program.len(),
        });
    }
    Ok(program)
}

/// What is done for the numbers from `first` to that of the next leaf.
struct Leaf {
    first: u32,
    outcome: Outcome,
    code: Vec<Instruction>,
}

impl Leaf {
    /// Adds a leaf, unless the one before answers the same.
    fn append(leaves: &mut Vec<Self>, first: u32, outcome: &Outcome) -> Result<(), FilterError> {
        if leaves.last().is_some_and(|last| last.outcome == *outcome) {
            return Ok(());
        }
        let code = match outcome {
            Outcome::Allow => vec![statement(RETURN, SECCOMP_RET_ALLOW)],
            Outcome::Refuse => vec![statement(RETURN, error(EPERM))],
            Outcome::Absent => vec![statement(RETURN, error(ENOSYS))],
            Outcome::Check(rules) => checked(first, rules)?,
        };
        leaves.push(Self {
            first,
            outcome: *outcome,
            code,
        });
        Ok(())
    }
}

/// Finds the leaf of the loaded number by halving.
fn search(leaves: &[Leaf]) -> Vec<Instruction> {
    let (low, high) = leaves.split_at(leaves.len() / 2);
    let [first, ..] = high else {
        return Vec::new();
    };
    if low.is_empty() {
        return first.code.clone();
    }
    let (pivot, low, high) = (first.first, search(low), search(high));
    let mut code = Vec::with_capacity(low.len() + high.len() + 2);
    if let Ok(distance) = u8::try_from(low.len()) {
        code.push(jump(JUMP_NOT_LESS, pivot, distance, 0));
    } else {
        // A conditional jump reaches 255 instructions only.
        code.push(jump(JUMP_NOT_LESS, pivot, 0, 1));
        code.push(statement(
            JUMP,
            u32::try_from(low.len()).unwrap_or(u32::MAX),
        ));
    }
    code.extend(low);
    code.extend(high);
    code
}

/// The code for one call whose arguments are checked, compiled by `seccompiler`.
fn checked(number: u32, rules: Rules) -> Result<Vec<Instruction>, FilterError> {
    let program = rules
        .iter()
        .map(|alternative| {
            let conditions = alternative.iter().map(|condition| {
                let (operator, value) = match condition.test {
                    Test::Equal(value) => (SeccompCmpOp::Eq, value),
                    Test::NotEqual(value) => (SeccompCmpOp::Ne, value),
                    Test::AtMost(value) => (SeccompCmpOp::Le, value),
                    Test::Masked { mask, value } => (SeccompCmpOp::MaskedEq(mask.into()), value),
                };
                let width = SeccompCmpArgLen::Dword;
                SeccompCondition::new(condition.argument, width, operator, value.into())
            });
            SeccompRule::new(conditions.collect::<Result<_, _>>()?)
        })
        .collect::<Result<Vec<_>, _>>()
        .and_then(|rules| {
            SeccompFilter::new(
                BTreeMap::from([(number.into(), rules)]),
                SeccompAction::Errno(EPERM.unsigned_abs()),
                SeccompAction::Allow,
                COMPILED,
            )
        })
        .and_then(BpfProgram::try_from)
        .map_err(|source| FilterError::Rule { number, source })?;
    without_architecture(&program)
}

/// The machine-independent rest of a program of `seccompiler`: it begins with a check of the architecture,
/// and nothing else in it depends on the machine. The search begins with the check for ARM instead.
fn without_architecture(
    program: &[seccompiler::sock_filter],
) -> Result<Vec<Instruction>, FilterError> {
    let compiled = architecture_check(AUDIT_ARCH_COMPILED)
        .map(|Instruction { code, jt, jf, k }| seccompiler::sock_filter { code, jt, jf, k });
    let rest = program.strip_prefix(&compiled).ok_or(FilterError::Shape)?;
    let converted = rest.iter().map(|instruction| Instruction {
        code: instruction.code,
        jt: instruction.jt,
        jf: instruction.jf,
        k: instruction.k,
    });
    Ok(converted.collect())
}

/// An instruction without jumps.
const fn statement(code: u16, k: u32) -> Instruction {
    jump(code, k, 0, 0)
}

/// An instruction that jumps over `jt` instructions when its test holds, and over `jf` otherwise.
const fn jump(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

/// The answer that makes a call fail with an error number.
const fn error(number: i32) -> u32 {
    SECCOMP_RET_ERRNO | (number.unsigned_abs() & SECCOMP_RET_DATA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Condition;

    const RULES: Rules = &[&[Condition {
        argument: 1,
        test: Test::Equal(7),
    }]];

    fn compiled() -> BpfProgram {
        let condition =
            SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 7).unwrap();
        let rules = BTreeMap::from([(54, vec![SeccompRule::new(vec![condition]).unwrap()])]);
        let (refuse, allow) = (SeccompAction::Errno(1), SeccompAction::Allow);
        let filter = SeccompFilter::new(rules, refuse, allow, COMPILED).unwrap();
        filter.try_into().unwrap()
    }

    #[test]
    fn the_other_architecture_is_nowhere_in_a_program() {
        let program = program(
            Architecture::Checked,
            vec![(54, Outcome::Check(RULES))],
            Outcome::Absent,
        );
        let program = program.unwrap();
        let checks = |architecture| {
            let instructions = program.iter();
            instructions
                .filter(move |instruction| instruction.k == architecture)
                .count()
        };
        assert_eq!(checks(AUDIT_ARCH_ARM), 1);
        assert_eq!(checks(AUDIT_ARCH_COMPILED), 0);
        let loads = program
            .iter()
            .filter(|instruction| instruction.code == LOAD && instruction.k == ARCHITECTURE);
        assert_eq!(loads.count(), 1);
    }

    #[test]
    fn a_program_of_unknown_form_is_refused() {
        let good = compiled();
        assert_eq!(without_architecture(&good).unwrap().len(), good.len() - 3);
        for index in 0..3 {
            let mut changed = good.clone();
            changed[index].k += 1;
            assert!(matches!(
                without_architecture(&changed),
                Err(FilterError::Shape)
            ));
        }
        assert!(matches!(
            without_architecture(&good[..2]),
            Err(FilterError::Shape)
        ));
    }
}
