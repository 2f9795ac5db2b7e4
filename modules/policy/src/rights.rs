// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The rights of a process towards the secure world: the capability mask of Azure Sphere.

use core::fmt;

/// A set of rights, with the bits of the original system.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u32);

/// Defines the rights with their bits and names from one list.
macro_rules! rights {
    ($($(#[$documentation:meta])* $name:ident = $bit:literal,)*) => {
        impl Rights {
            $($(#[$documentation])* pub const $name: Self = Self(1 << $bit);)*

            /// Every right that has a meaning, with its name.
            pub const NAMED: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name),)*];
        }
    };
}

rights! {
    /// Stage, install and remove images.
    UPDATE_IMAGE = 0,
    /// List images.
    QUERY_IMAGE_INFO = 1,
    /// Read and change the manufacturing state.
    UPDATE_SECURITY_STATE = 2,
    /// Derive the key of the app's storage.
    SFS = 4,
    /// Prove the state of the device to a server.
    ATTESTATION_RUNTIME = 5,
    /// Write the code of the boot stage.
    POSTCODE = 6,
    /// Give peripherals to cores and apps, and control the real-time cores.
    PERIPHERAL_PIN_MAPPING = 7,
    /// Record an event.
    RECORD_TELEMETRY = 8,
    /// Read and clear the log and the recorded events.
    MANAGE_LOG_AND_TELEMETRY = 9,
    /// Switch the collection of core dumps on.
    ENABLE_COREDUMPS = 10,
}

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);

    /// Every right that has a meaning.
    pub const ALL: Self = {
        let mut all = Self::NONE;
        let mut rest = Self::NAMED;
        while let [(_, right), others @ ..] = rest {
            all = all.union(*right);
            rest = others;
        }
        all
    };

    /// The rights of a mask; none when a bit without meaning is set.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The mask.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The rights that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these rights are held.
    #[must_use]
    pub const fn contains(self, wanted: Self) -> bool {
        wanted.0 & !self.0 == 0
    }
}

impl fmt::Display for Rights {
    /// Eight hexadecimal digits, as in `attr/current`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08X}", self.0)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Self::NAMED
            .iter()
            .filter(|(_, right)| self.contains(*right));
        formatter
            .debug_set()
            .entries(held.map(|(name, _)| name))
            .finish()
    }
}
