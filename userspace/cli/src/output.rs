// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a command has to say, for people and for programs.

use std::io::{self, IsTerminal};

use serde_json::Value;

/// The result of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// For programs.
    pub json: Value,
    /// For people: lines, each with its line end.
    pub text: String,
}

impl Report {
    /// A result in both forms.
    #[must_use]
    pub fn new(json: Value, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { json, text }
    }

    /// Prints it on standard output.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn print(&self, as_json: bool) -> io::Result<()> {
        if as_json {
            print(format!("{:#}\n", self.json).as_bytes())
        } else {
            print(printable(self.text.as_bytes(), io::stdout().is_terminal()).as_bytes())
        }
    }
}

/// Writes to standard output at once.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(bytes: &[u8]) -> io::Result<()> {
    use io::Write;
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}

/// Text of unknown origin made fit to be shown: on a terminal control characters would move the cursor or
/// worse, so there all but line ends and tabs are shown as escapes. What is not UTF-8 is replaced.
#[must_use]
pub fn printable(bytes: &[u8], on_terminal: bool) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !on_terminal {
        return text.into_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Adds `label: value`, aligned with the others of a list.
pub fn field(text: &mut String, label: &str, value: impl std::fmt::Display) {
    let label = format!("{label}:");
    line(text, format_args!("{label:<20}{value}"));
}

/// Adds one line.
pub fn line(text: &mut String, value: impl std::fmt::Display) {
    text.push_str(&format!(
        "{value}
"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_get_no_control_characters() {
        let hostile = b"a\tb\x1b[2J\r\x07\n\xc2\x9b1m";
        assert_eq!(
            printable(hostile, true),
            "a\tb\\u{1b}[2J\\r\\u{7}\n\\u{9b}1m"
        );
        assert_eq!(printable(hostile, false).as_bytes(), hostile);
        assert_eq!(printable(b"\xff", true), "\u{fffd}");
    }
}
