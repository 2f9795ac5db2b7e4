// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The 16-byte identity of an app, its text and wire forms, and the user id derived from it.

use core::fmt;
use core::str::FromStr;

/// Length of the text form: 32 hexadecimal digits and four hyphens.
const TEXT_LENGTH: usize = 36;

/// Positions of the hyphens in the text form.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// First user id of apps; see [`ComponentId::uid`].
pub const FIRST_UID: u32 = 0x1000_0000;

/// Number of user ids of apps; they end before `FIRST_UID + UID_COUNT`.
pub const UID_COUNT: u32 = 0x1000_0000;

/// The identity of an app (or of any other component) on the device: a GUID.
///
/// The bytes are kept in the order of the text form, so comparing ids compares their text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ComponentId([u8; 16]);

/// Why a text is not a component id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentIdError {
    /// The text is not 36 characters long.
    Length,
    /// The character at this position is not the hexadecimal digit or the hyphen that belongs there.
    Character {
        /// Position from 0, in bytes.
        position: usize,
    },
}

impl ComponentId {
    /// The id with all bits zero, which names no app.
    pub const NIL: Self = Self([0; 16]);

    /// From the bytes in text order: the first byte is the first two digits of the text.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes in text order.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// From the mixed-endian form of image metadata and of the inter-core protocol: the first three
    /// groups are little-endian numbers (u32, u16, u16), the last two are bytes as written.
    #[must_use]
    pub const fn from_guid_bytes(bytes: [u8; 16]) -> Self {
        Self(swap_first_three_groups(bytes))
    }

    /// The mixed-endian form; see [`ComponentId::from_guid_bytes`].
    #[must_use]
    pub const fn to_guid_bytes(self) -> [u8; 16] {
        swap_first_three_groups(self.0)
    }

    /// The user id (and group id) of the app's processes, from [`FIRST_UID`] up to, but not including,
    /// `FIRST_UID + UID_COUNT`: never 0 and never the id of another part of the system.
    ///
    /// It is the 32-bit FNV-1a hash of the bytes in text order, with the upper four bits folded onto the
    /// lower 28. Needing no table, it is the same on each boot, and files keep their owner. Two ids can
    /// share a user id (one pair in 2^28), so [`crate::check_install`] refuses the second of them.
    #[must_use]
    pub fn uid(self) -> u32 {
        const OFFSET_BASIS: u32 = 0x811C_9DC5;
        const PRIME: u32 = 0x0100_0193;
        let hash = self.0.iter().fold(OFFSET_BASIS, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(PRIME)
        });
        FIRST_UID + ((hash ^ (hash >> 28)) & (UID_COUNT - 1))
    }
}

/// Reverses the first three groups; being its own inverse, it converts both ways.
const fn swap_first_three_groups(bytes: [u8; 16]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

/// The value of a hexadecimal digit of either case.
fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

impl FromStr for ComponentId {
    type Err = ComponentIdError;

    /// Reads 8-4-4-4-12 hexadecimal digits of either case; nothing else, also no braces and no spaces.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != TEXT_LENGTH {
            return Err(ComponentIdError::Length);
        }
        let mut bytes = [0u8; 16];
        let mut digits = 0;
        for (position, &character) in text.as_bytes().iter().enumerate() {
            let wrong = ComponentIdError::Character { position };
            if HYPHENS.contains(&position) {
                if character != b'-' {
                    return Err(wrong);
                }
                continue;
            }
            let value = digit(character).ok_or(wrong)?;
            if let Some(byte) = bytes.get_mut(digits / 2) {
                *byte = *byte * 16 + value;
            }
            digits += 1;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for ComponentId {
    /// Lower case, 8-4-4-4-12.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(self, formatter)
    }
}

/// Writes the groups of digits in one case, with hyphens between them.
macro_rules! text_form {
    ($case:ident, $byte:literal) => {
        impl fmt::$case for ComponentId {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                for (index, byte) in self.0.iter().enumerate() {
                    if matches!(index, 4 | 6 | 8 | 10) {
                        formatter.write_str("-")?;
                    }
                    write!(formatter, $byte, byte)?;
                }
                Ok(())
            }
        }
    };
}

text_form!(LowerHex, "{:02x}");
text_form!(UpperHex, "{:02X}");

impl fmt::Debug for ComponentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for ComponentIdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => formatter.write_str(
                "not a component id: 36 characters are needed, as in 25025d2c-66da-4448-bae1-ac26fcdd3627",
            ),
            Self::Character { position } => write!(
                formatter,
                "not a component id: wrong character at position {position} (8-4-4-4-12 hexadecimal digits are needed)"
            ),
        }
    }
}

impl core::error::Error for ComponentIdError {}
