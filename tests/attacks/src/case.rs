// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a test of the sandbox is: an attack with the errors that refuse it, a permitted twin, or a fact.

use std::path::PathBuf;

use crate::raw::Attempt;

/// Where the probe runs and what it was given.
pub struct Place {
    /// The root of its package.
    pub package: PathBuf,
    /// Its mutable file, when it has one.
    pub storage: Option<PathBuf>,
}

/// What becomes of an attack on the same kernel without a sandbox.
pub enum Bare {
    /// It works, so what refuses it on a device is the sandbox.
    Succeeds,
    /// The kernel was built without it and answers so: that is the layer.
    CompiledOut(&'static [i32]),
    /// Any process is refused by the kernel itself.
    Refused(&'static [i32]),
}

/// The three kinds of test.
pub enum Kind {
    /// Must fail in the sandbox with one of these error numbers.
    Attack(&'static [i32], Bare),
    /// Must work, in the sandbox and without: else a refusal beside it proves nothing.
    Twin,
    /// Must hold in the sandbox; without one there is nothing to hold.
    Fact,
}

/// One test.
pub struct Case {
    /// The row of the attack matrix.
    pub row: &'static str,
    /// What is tried, in words with underscores.
    pub name: &'static str,
    /// Tries it.
    pub act: fn(&Place) -> Attempt,
    /// What must come of it.
    pub kind: Kind,
}

/// An attack that works where nothing refuses it.
pub const fn attack(
    row: &'static str,
    name: &'static str,
    act: fn(&Place) -> Attempt,
    refusal: &'static [i32],
) -> Case {
    Case {
        row,
        name,
        act,
        kind: Kind::Attack(refusal, Bare::Succeeds),
    }
}

/// An attack on something that this kernel does not have.
pub const fn absent(
    row: &'static str,
    name: &'static str,
    act: fn(&Place) -> Attempt,
    refusal: &'static [i32],
    bare: &'static [i32],
) -> Case {
    Case {
        row,
        name,
        act,
        kind: Kind::Attack(refusal, Bare::CompiledOut(bare)),
    }
}

/// An attack that the kernel refuses to everyone.
pub const fn refused(
    row: &'static str,
    name: &'static str,
    act: fn(&Place) -> Attempt,
    refusal: &'static [i32],
    bare: &'static [i32],
) -> Case {
    Case {
        row,
        name,
        act,
        kind: Kind::Attack(refusal, Bare::Refused(bare)),
    }
}

/// Something like the attacks of this row that is permitted.
pub const fn twin(row: &'static str, name: &'static str, act: fn(&Place) -> Attempt) -> Case {
    Case {
        row,
        name,
        act,
        kind: Kind::Twin,
    }
}

/// Something that holds in the sandbox.
pub const fn fact(row: &'static str, name: &'static str, act: fn(&Place) -> Attempt) -> Case {
    Case {
        row,
        name,
        act,
        kind: Kind::Fact,
    }
}
