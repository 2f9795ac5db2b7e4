// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a test is. One table of these drives the machine with the module and the one without.

use crate::stage::{Act, App, Feature};
use crate::sys::Attempt;

/// Who makes the attempt.
#[derive(Clone, Copy)]
pub enum Role {
    /// A child of the application manager that nobody has given an identity.
    Manager,
    /// A child of the application manager that has written its next identity and not yet executed anything.
    Pending(&'static App),
    /// An app: root, with all Linux capabilities.
    App(&'static App),
}

/// What must come of it on the two machines.
#[derive(Clone, Copy)]
pub enum Kind {
    /// With the module it fails with one of these; without it succeeds.
    Attack(&'static [i32]),
    /// The kernel refuses it to everyone with one of these, because it was built with the module, which made it so.
    Everyone(&'static [i32]),
    /// The kernel that ships is built without it and answers so, module or not; on other kernels it means nothing.
    Absent,
    /// It succeeds on both, or the refusal beside it would prove nothing.
    Twin,
    /// The module refuses it with one of these; without the module there is nobody to ask.
    Refusal(&'static [i32]),
    /// It holds with the module; without it there is nothing that could hold.
    Fact,
}

/// What a kernel may lack, and what it answers then, module or not.
#[derive(Clone, Copy)]
pub struct Need {
    /// What.
    pub feature: Feature,
    /// The error numbers of a kernel that was built without it. None: then the case is left out.
    pub absent: &'static [i32],
}

/// Another process that the attempt is aimed at.
#[derive(Clone, Copy)]
pub struct Helper {
    /// Who it is.
    pub role: Role,
    /// What it does; it says that it is ready with [`crate::stage::Stage::ready`] and is killed at the end.
    pub act: Act,
}

/// One test.
#[derive(Clone, Copy)]
pub struct Case {
    /// The hook of the kernel that answers.
    pub hook: &'static str,
    /// The row of the list of known weaknesses, or the area.
    pub area: &'static str,
    /// What is tried, in words with underscores.
    pub name: &'static str,
    /// Who tries.
    pub role: Role,
    /// Tries it.
    pub act: Act,
    /// What must come of it.
    pub kind: Kind,
    /// What the kernel must have.
    pub need: Option<Need>,
    /// Whom it is aimed at.
    pub helper: Option<Helper>,
}

impl Case {
    const fn new(
        hook: &'static str,
        area: &'static str,
        name: &'static str,
        role: Role,
        act: Act,
        kind: Kind,
    ) -> Self {
        Self {
            hook,
            area,
            name,
            role,
            act,
            kind,
            need: None,
            helper: None,
        }
    }

    /// The case, on a kernel that may lack `feature` and answers so.
    pub const fn needs(mut self, feature: Feature, absent: &'static [i32]) -> Self {
        self.need = Some(Need { feature, absent });
        self
    }

    /// The case, aimed at another process.
    pub const fn against(mut self, role: Role, act: Act) -> Self {
        self.helper = Some(Helper { role, act });
        self
    }
}

/// An attempt that the module refuses with one of `refusal`, and that works without the module.
pub const fn attack(
    hook: &'static str,
    area: &'static str,
    name: &'static str,
    role: Role,
    act: Act,
    refusal: &'static [i32],
) -> Case {
    Case::new(hook, area, name, role, act, Kind::Attack(refusal))
}

/// An attempt that the kernel of the module refuses to everyone, also when the module is left out at boot.
pub const fn to_everyone(
    hook: &'static str,
    area: &'static str,
    name: &'static str,
    role: Role,
    act: Act,
    refusal: &'static [i32],
) -> Case {
    Case::new(hook, area, name, role, act, Kind::Everyone(refusal))
}

/// An attempt at something that no hook could refuse, and that the kernel that ships was therefore built without.
pub const fn absent(
    hook: &'static str,
    area: &'static str,
    name: &'static str,
    role: Role,
    act: Act,
    feature: Feature,
    answer: &'static [i32],
) -> Case {
    Case::new(hook, area, name, role, act, Kind::Absent).needs(feature, answer)
}

/// Something like the attacks on this hook that is permitted.
pub const fn twin(
    hook: &'static str,
    area: &'static str,
    name: &'static str,
    role: Role,
    act: Act,
) -> Case {
    Case::new(hook, area, name, role, act, Kind::Twin)
}

/// Something that the module promises and that has no meaning without it.
pub const fn fact(
    hook: &'static str,
    area: &'static str,
    name: &'static str,
    role: Role,
    act: Act,
) -> Case {
    Case::new(hook, area, name, role, act, Kind::Fact)
}

/// Something that the module refuses and that has no meaning without it.
pub const fn refusal(
    hook: &'static str,
    area: &'static str,
    name: &'static str,
    role: Role,
    act: Act,
    refusal: &'static [i32],
) -> Case {
    Case::new(hook, area, name, role, act, Kind::Refusal(refusal))
}

/// Fails unless `condition` holds. The error number stands for a broken promise: nothing else in here answers it.
pub fn holds(condition: bool) -> Attempt {
    if condition { Ok(()) } else { Err(BROKEN) }
}

/// The error number that says that something was done and had another result than promised.
pub const BROKEN: i32 = libc::EPROTO;

/// Fails unless an attempt was refused with one of `refusal`; the other number is told.
pub fn refused<T>(attempt: Attempt<T>, refusal: &[i32]) -> Attempt {
    match attempt {
        Ok(_) => Err(BROKEN),
        Err(number) if refusal.contains(&number) => Ok(()),
        Err(number) => Err(number),
    }
}
