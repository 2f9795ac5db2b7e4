// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The hosts of `AllowedConnections`, kept as one text.

/// A list of host names and IPv4 addresses, borrowed as one text with a line feed between entries.
///
/// One text instead of a slice of texts, so that a list costs its owner one allocation and can be
/// handed to the kernel as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct HostList<'a>(&'a str);

impl<'a> HostList<'a> {
    /// The list without entries.
    pub const EMPTY: Self = Self("");

    /// The list of the lines of a text; empty lines are no entries.
    #[must_use]
    pub const fn from_lines(lines: &'a str) -> Self {
        Self(lines)
    }

    /// The entries, in the order of the manifest.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        self.0.split('\n').filter(|host| !host.is_empty())
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether the host is an entry: names are compared without case and without the dot of the root,
    /// addresses as text. A name does not stand for the names below it.
    #[must_use]
    pub fn contains(self, host: &str) -> bool {
        let wanted = without_root(host);
        !wanted.is_empty()
            && self
                .iter()
                .any(|entry| without_root(entry).eq_ignore_ascii_case(wanted))
    }
}

/// The name without the dot of the root zone at its end.
fn without_root(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}
