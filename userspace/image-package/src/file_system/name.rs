// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Which names a file in a package may have, the same for reading and for writing.

use std::path::{Component, Path};

use crate::limits::MAXIMUM_NAME_LENGTH;

/// Whether a name can stand in a directory.
///
/// Beyond what the kernel needs (no NUL, no slash, not `.` or `..`) control characters are refused, so that a
/// listing cannot drive a terminal, and whatever is more than a plain name on the host that extracts it.
pub(crate) fn check_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let plain = matches!(components.next(), Some(Component::Normal(only)) if only == name);
    plain
        && components.next().is_none()
        && name.len() <= MAXIMUM_NAME_LENGTH
        && !name.contains('/')
        && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_allowed() {
        for name in [
            "a",
            "app_manifest.json",
            ".hidden",
            "...",
            "with space",
            "ü",
            &"n".repeat(252),
        ] {
            assert!(check_name(name), "{name}");
        }
    }

    #[test]
    fn other_names_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "/",
            "a/",
            "/a",
            "a\0",
            "a\nb",
            "\u{1b}[2J",
            "\u{9b}",
            &"n".repeat(253),
        ] {
            assert!(!check_name(name), "{name:?}");
        }
    }
}
