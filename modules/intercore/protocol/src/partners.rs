// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The apps that a real-time app exchanges messages with.

use core::fmt;

use policy::ComponentId;

/// The bytes of an id.
const ID: usize = 16;

/// The apps that the manifest of a real-time app lists, as plain bytes: the manager writes them when it starts the app,
/// and the kernel keeps them where they lie. Each is there once, and there is an end to them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Partners<'a>(&'a [u8]);

/// Why bytes are no list of partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartnersError {
    /// It does not end with an id.
    Size,
    /// It has more than [`Partners::MAX`] ids.
    TooMany,
    /// Its ids do not ascend: one is there twice, or the nil id is there.
    Order,
}

impl fmt::Display for PartnersError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Size => "a list of partners has 16 bytes for each",
            Self::TooMany => "a list of partners has at most 64",
            Self::Order => "a list of partners ascends, and the nil id is nobody",
        })
    }
}

impl core::error::Error for PartnersError {}

impl<'a> Partners<'a> {
    /// The most ids: as many as a manifest can list.
    pub const MAX: usize = policy::rules::MAX_PEERS;

    /// Nobody.
    pub const NONE: Self = Self(&[]);

    /// From bytes of unknown origin: ids in the order of their text, ascending.
    ///
    /// # Errors
    ///
    /// What is not as it must be.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PartnersError> {
        if !bytes.len().is_multiple_of(ID) {
            return Err(PartnersError::Size);
        }
        if bytes.len() > ID * Self::MAX {
            return Err(PartnersError::TooMany);
        }
        // The first one is larger than the nil id.
        let mut before = ComponentId::NIL;
        for id in Self(bytes).iter() {
            if id <= before {
                return Err(PartnersError::Order);
            }
            before = id;
        }
        Ok(Self(bytes))
    }

    /// The ids.
    pub fn iter(self) -> impl Iterator<Item = ComponentId> + use<'a> {
        self.0
            .chunks_exact(ID)
            .filter_map(<[u8]>::first_chunk)
            .map(|id| ComponentId::from_bytes(*id))
    }

    /// Whether the component is one of them.
    #[must_use]
    pub fn lists(self, component: ComponentId) -> bool {
        self.iter().any(|id| id == component)
    }
}

impl fmt::Debug for Partners<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}
