// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The Linux error numbers that an answer can carry.

use core::fmt;

/// Defines the error numbers with their names from one list.
macro_rules! errnos {
    ($($(#[$documentation:meta])* $name:ident = $number:literal,)*) => {
        /// A Linux error number, the same on every architecture that the system runs on.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Errno {
            $($(#[$documentation])* $name = $number,)*
        }

        impl Errno {
            /// All of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in the headers of the C library.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

errnos! {
    /// The system refuses, whoever asks in the app.
    EPERM = 1,
    /// There is no such controller, or no rule set for the component.
    ENOENT = 2,
    /// The app lacks the right.
    EACCES = 13,
    /// The component still has processes.
    EBUSY = 16,
    /// The mount already belongs to another component.
    EEXIST = 17,
    /// The device has no such pin or unit.
    ENODEV = 19,
    /// Malformed bytes.
    EINVAL = 22,
    /// The table is full.
    ENOSPC = 28,
    /// The module has no such attribute.
    EOPNOTSUPP = 95,
    /// The quota is used up.
    EDQUOT = 122,
}

impl Errno {
    /// The number.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The error number with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|errno| errno.name() == name)
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
