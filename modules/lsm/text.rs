// SPDX-License-Identifier: GPL-2.0

//! Text that grows, and lines that do not.

use core::fmt;

use kernel::prelude::*;

/// Text for user space. It is made where sleeping is allowed.
pub(crate) struct Text(KVec<u8>);

impl Text {
    pub(crate) const fn new() -> Self {
        Self(KVec::new())
    }

    /// Adds bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result {
        Ok(self.0.extend_from_slice(bytes, GFP_KERNEL)?)
    }

    /// Adds what the value shows.
    pub(crate) fn write(&mut self, value: impl fmt::Display) -> Result {
        // Only memory can be missing.
        fmt::write(self, format_args!("{value}")).map_err(|_| ENOMEM)
    }

    pub(crate) fn into_bytes(self) -> KVec<u8> {
        self.0
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
