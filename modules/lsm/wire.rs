// SPDX-License-Identifier: GPL-2.0

//! What the manager writes to the files of the module, other than identities and rule sets.
//!
//! There are no kernel types in it, so that it is tested on the host as well.

use policy::{
    ComponentId,
    Origin, //
};

/// The version in the first field of a [`Mark`].
const VERSION: u32 = 1;

/// What is written to `verified`: whose the file system of an open file becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The open file.
    pub descriptor: u32,
    /// The new owner.
    pub origin: Origin,
}

impl Mark {
    /// The length of a mark.
    pub const SIZE: usize = 24;

    /// From bytes: version, descriptor, component or nil for the system. None for anything else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk()?;
        let (descriptor, rest) = rest.split_first_chunk()?;
        let component = component(rest)?;
        if u32::from_le_bytes(*version) != VERSION {
            return None;
        }
        // A negative descriptor is none that a process can have.
        let descriptor = i32::from_le_bytes(*descriptor).try_into().ok()?;
        let origin = match component {
            ComponentId::NIL => Origin::System,
            component => Origin::Component(component),
        };
        Some(Self { descriptor, origin })
    }
}

/// What is written to `remove`: exactly one component id, in the order of the text.
pub fn component(bytes: &[u8]) -> Option<ComponentId> {
    bytes.try_into().ok().map(ComponentId::from_bytes)
}

/// What is written to `development`: one digit, and possibly the end of the line.
pub fn switch(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"0" | b"0\n" => Some(false),
        b"1" | b"1\n" => Some(true),
        _ => None,
    }
}
