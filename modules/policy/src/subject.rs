// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Who asks, whose things are, and where code comes from.

use core::fmt;

use crate::identity::Form;
use crate::{ComponentId, Errno, Identity, RuleSet};

/// Who asks the kernel for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A process without identity: kernel threads, their helpers, and everything before init. It is not a part
    /// of the system: what needs an identity is refused.
    None,
    /// The application manager, and what it starts without another identity.
    Manager,
    /// A process that the manager has given an identity, before its next exec: it still makes the sandbox.
    Pending(&'a Identity),
    /// A process of a component.
    App(&'a Identity, RuleSet<'a>),
}

/// Whose a process, a socket or an open file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Owner {
    /// Made by a process without identity.
    #[default]
    None,
    /// Made by the application manager.
    Manager,
    /// Made by a process of the component, or by one that will be.
    Component(ComponentId),
}

/// A process that shall be traced or looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracee<'a> {
    /// A process without identity.
    None,
    /// The application manager.
    Manager,
    /// A process that still makes a sandbox.
    Pending(&'a Identity),
    /// A process of a component.
    App(&'a Identity),
}

/// What the file system is that a file lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Origin {
    /// Nobody has verified it, or it can be written.
    #[default]
    Unverified,
    /// The verified root of the system.
    System,
    /// The verified image of a component.
    Component(ComponentId),
}

impl Origin {
    /// What a file system becomes when the manager marks it as verified.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it can be written, or when the mark itself is [`Origin::Unverified`]; `EEXIST` when it is
    /// marked for somebody else.
    pub fn mark(self, wanted: Self, read_only: bool) -> Result<Self, Errno> {
        if !read_only || wanted == Self::Unverified {
            return Err(Errno::EINVAL);
        }
        if self != Self::Unverified && self != wanted {
            return Err(Errno::EEXIST);
        }
        Ok(wanted)
    }
}

impl<'a> Subject<'a> {
    /// Whose the things are that the subject makes.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        match self {
            Self::None => Owner::None,
            Self::Manager => Owner::Manager,
            Self::Pending(identity) | Self::App(identity, _) => {
                Owner::Component(identity.component())
            }
        }
    }

    /// The subject as somebody to trace.
    #[must_use]
    pub const fn tracee(&self) -> Tracee<'a> {
        match *self {
            Self::None => Tracee::None,
            Self::Manager => Tracee::Manager,
            Self::Pending(identity) => Tracee::Pending(identity),
            Self::App(identity, _) => Tracee::App(identity),
        }
    }

    /// The identity that the subject has, or will have.
    #[must_use]
    pub const fn identity(&self) -> Option<&'a Identity> {
        match *self {
            Self::None | Self::Manager => None,
            Self::Pending(identity) | Self::App(identity, _) => Some(identity),
        }
    }

    /// What the forms of the identity show. An identity that is pending does not count yet.
    const fn form(&self) -> Form {
        match self {
            Self::None | Self::Pending(_) => Form::without_component(false),
            Self::Manager => Form::without_component(true),
            Self::App(identity, _) => Form::of(identity),
        }
    }

    /// The value of `LSM_ATTR_CURRENT`; the component id is nil for a subject that is no app.
    #[must_use]
    pub fn encode(&self) -> [u8; Identity::SIZE] {
        self.form().encode()
    }

    /// What the original system shows in `attr/exec`.
    #[must_use]
    pub fn encode_original(&self) -> [u8; Identity::ORIGINAL_SIZE] {
        self.form().original()
    }

    /// What `attr/current` shows: three lines of at most [`Identity::MAX_TEXT_LENGTH`] characters.
    pub fn text(&self) -> impl fmt::Display + use<> {
        self.form()
    }
}
