// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Which system calls a confined process may make, as filters for the kernel.
//!
//! There are two filters on an app. The launcher installs the *common* one once, and every app inherits it; it
//! still lets through what sets up a sandbox. Right before an app starts, the small *seal* takes that away
//! too. A service has one filter, which is both. The kernel takes the stricter answer of two filters, so a call
//! is allowed when both allow it.
//!
//! [`calls`] lists every call with the reason; tests go through the list rather than name calls of their own.

mod assemble;
mod calls;

use assemble::Architecture::{Checked, CheckedBefore};
pub use assemble::{AUDIT_ARCH_ARM, FilterError};
use sys::seccomp::Instruction;

/// Whom a filter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The launcher, and an app until it is sealed.
    Launcher,
    /// An app.
    App {
        /// Whether it may make IP sockets.
        network: bool,
        /// Whether it may set the clock: `SystemTime`.
        clock: bool,
    },
    /// A service that is given the sockets it needs.
    Service,
}

/// A test on an argument of a call. Only the lower 32 bits count: an argument of ARM has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which argument, from 0 to 5.
    pub argument: u8,
    /// What must hold for it.
    pub test: Test,
}

/// What must hold for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// It has this value.
    Equal(u32),
    /// It has another value.
    NotEqual(u32),
    /// It is not larger, as an unsigned number.
    AtMost(u32),
    /// Its bits under the mask have this value.
    Masked {
        /// The bits that count.
        mask: u32,
        /// Their value.
        value: u32,
    },
}

/// Alternatives, of which one must hold; in an alternative all conditions must hold.
pub type Rules = &'static [&'static [Condition]];

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Everyone.
    Allow,
    /// Everyone, with these arguments.
    Check(Rules),
    /// Apps, but no service: it gets its sockets ready for use.
    Endpoint,
    /// Apps, for the families that their manifest opens.
    Socket,
    /// Everyone, but with these arguments where there is a network.
    Send(Rules),
    /// Apps with `SystemTime`.
    Clock,
    /// The launcher; afterwards the call fails with `EPERM`.
    SetUp,
    /// Everyone, for the controls that are harmless; the launcher for two more.
    Control,
    /// The launcher; afterwards the call fails with `ENOSYS`.
    SetUpThenAbsent,
    /// No one: `EPERM`.
    Refuse,
    /// No one: `ENOSYS`, as where the kernel lacks the call.
    Absent,
}

/// What a filter answers to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call is made.
    Allow,
    /// The call is made when the rules hold, and fails with `EPERM` otherwise.
    Check(Rules),
    /// The call fails with `EPERM`: a decision.
    Refuse,
    /// The call fails with `ENOSYS`: programs try another one.
    Absent,
}

/// A system call that the filters name.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its symbol in the C library.
    symbol: &'static str,
    /// Its number in the ARM EABI.
    pub number: u32,
    /// Who may make it.
    access: Access,
    /// What it is good for, or why it is refused.
    pub reason: &'static str,
}

impl Call {
    /// The name, such as `openat`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.symbol.strip_prefix("SYS_").unwrap_or(self.symbol)
    }

    /// What a process under this profile gets for the call.
    #[must_use]
    pub const fn outcome(&self, profile: Profile) -> Outcome {
        use Profile::{App, Launcher, Service};
        match (self.access, profile) {
            (Access::Check(rules), _) => Outcome::Check(rules),
            (Access::Control, Launcher) => Outcome::Check(calls::CONTROLS),
            (Access::Control, App { .. } | Service) => Outcome::Check(calls::HARMLESS_CONTROLS),
            (Access::Endpoint | Access::Socket | Access::Clock, Service)
            | (Access::Clock, App { clock: false, .. })
            | (Access::SetUp, App { .. } | Service)
            | (Access::Refuse, _) => Outcome::Refuse,
            (Access::SetUpThenAbsent, App { .. } | Service) | (Access::Absent, _) => {
                Outcome::Absent
            }
            (Access::Socket, App { network: false, .. }) => Outcome::Check(calls::LOCAL_SOCKET),
            (Access::Socket, Launcher | App { .. }) => Outcome::Check(calls::IP_SOCKET),
            (Access::Send(rules), App { network: true, .. }) => Outcome::Check(rules),
            (
                Access::Allow
                | Access::Endpoint
                | Access::Send(_)
                | Access::Clock
                | Access::SetUp
                | Access::SetUpThenAbsent,
                _,
            ) => Outcome::Allow,
        }
    }

    /// What the seal of a profile answers, where the common filter has not said enough. As short as it can be:
    /// installing a filter costs by its length.
    fn seal(&self, profile: Profile) -> Option<(u32, Outcome)> {
        let outcome = self.outcome(profile);
        let added = match self.access {
            Access::Control => Outcome::Check(calls::NO_SET_UP_CONTROLS),
            _ => outcome,
        };
        (outcome != self.outcome(Profile::Launcher)).then_some((self.number, added))
    }
}

/// Every call that the filters name, grouped by reason.
#[must_use]
pub const fn calls() -> &'static [Call] {
    calls::CALLS
}

/// The calls that a process under this profile may make, with some arguments at least.
pub fn allowed(profile: Profile) -> impl Iterator<Item = &'static Call> {
    calls()
        .iter()
        .filter(move |call| matches!(call.outcome(profile), Outcome::Allow | Outcome::Check(_)))
}

/// The named calls that a process under this profile may not make, whatever the arguments.
pub fn denied(profile: Profile) -> impl Iterator<Item = &'static Call> {
    calls()
        .iter()
        .filter(move |call| matches!(call.outcome(profile), Outcome::Refuse | Outcome::Absent))
}

/// A filter, ready to be installed.
#[derive(Clone, Debug)]
pub struct Filter(Vec<Instruction>);

impl Filter {
    /// The filter that the launcher installs, for itself and all apps.
    ///
    /// # Errors
    ///
    /// [`FilterError`] when the table makes no filter that the kernel can take.
    pub fn common() -> Result<Self, FilterError> {
        let outcomes = calls()
            .iter()
            .map(|call| (call.number, call.outcome(Profile::Launcher)));
        assemble::program(Checked, outcomes.collect(), Outcome::Absent).map(Self)
    }

    /// The filter that turns what the common one lets through into what this profile may do.
    ///
    /// # Errors
    ///
    /// As of [`Filter::common`].
    pub fn seal(profile: Profile) -> Result<Self, FilterError> {
        let outcomes = calls().iter().filter_map(|call| call.seal(profile));
        assemble::program(CheckedBefore, outcomes.collect(), Outcome::Allow).map(Self)
    }

    /// The one filter of a process that inherits none.
    ///
    /// # Errors
    ///
    /// As of [`Filter::common`].
    pub fn whole(profile: Profile) -> Result<Self, FilterError> {
        let outcomes = calls()
            .iter()
            .map(|call| (call.number, call.outcome(profile)));
        assemble::program(Checked, outcomes.collect(), Outcome::Absent).map(Self)
    }

    /// The instructions.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }
}

#[cfg(test)]
mod interpreter;
#[cfg(test)]
mod tests;
