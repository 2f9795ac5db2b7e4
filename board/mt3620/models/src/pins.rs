// SPDX-License-Identifier: GPL-2.0-or-later
//! Pins from outside: a line of text is a request, and a line answers it.
//!
//! | request | answer |
//! |---|---|
//! | `read 8` | `8 0` or `8 1`: the level of the pad |
//! | `mode 8` | `8 5`: what the pin multiplexer gives the pad to |
//! | `drive 12 1` | `ok`: something outside holds the pad at this level |
//! | `release 12` | `ok`: it lets go |
//! | `watch 8`, `watch` | `ok`, and from then on `8 1` whenever this pad, or any, changes |
//!
//! What is wrong is answered by `error: ` and the reason.

use crate::pads::PINS;

/// The longest request; what is longer is refused whole.
const LONGEST: usize = 64;

/// What a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The level of a pin.
    Read(usize),
    /// Its mode.
    Mode(usize),
    /// To hold a pin at a level, or to let go.
    Drive(usize, Option<bool>),
    /// To be told of the changes of a pin, or of all.
    Watch(Option<usize>),
}

fn pin(word: Option<&str>) -> Result<usize, String> {
    let word = word.ok_or("which pin?")?;
    word.parse()
        .ok()
        .filter(|pin| *pin < PINS)
        .ok_or_else(|| format!("no pin '{word}': they are 0 to {}", PINS - 1))
}

/// Understands a line.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse(line: &str) -> Result<Request, String> {
    let mut words = line.split_ascii_whitespace();
    let request = match words.next() {
        Some("read") => Request::Read(pin(words.next())?),
        Some("mode") => Request::Mode(pin(words.next())?),
        Some("release") => Request::Drive(pin(words.next())?, None),
        Some("drive") => {
            let pin = pin(words.next())?;
            match words.next() {
                Some("0") => Request::Drive(pin, Some(false)),
                Some("1") => Request::Drive(pin, Some(true)),
                _ => return Err("a level is 0 or 1".into()),
            }
        }
        Some("watch") => match words.next() {
            Some(word) => Request::Watch(Some(pin(Some(word))?)),
            None => Request::Watch(None),
        },
        Some(word) => {
            return Err(format!(
                "no request '{word}': read, mode, drive, release or watch"
            ));
        }
        None => return Err("an empty line".into()),
    };
    match words.next() {
        Some(word) => Err(format!("'{word}' is too much")),
        None => Ok(request),
    }
}

/// Makes lines of bytes as they come.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// Takes a byte, and gives the line that it ends.
    pub fn push(&mut self, byte: u8) -> Option<Result<String, String>> {
        if byte == b'\n' {
            let line = std::mem::take(&mut self.begun);
            if std::mem::take(&mut self.too_long) {
                return Some(Err(format!("a line of more than {LONGEST} bytes")));
            }
            return Some(String::from_utf8(line).map_err(|_| "not text".into()));
        }
        if self.begun.len() < LONGEST {
            self.begun.push(byte);
        } else {
            self.too_long = true;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_understood_and_others_refused() {
        assert_eq!(parse("read 8"), Ok(Request::Read(8)));
        assert_eq!(parse(" mode  93 \r"), Ok(Request::Mode(93)));
        assert_eq!(parse("drive 12 1"), Ok(Request::Drive(12, Some(true))));
        assert_eq!(parse("drive 12 0"), Ok(Request::Drive(12, Some(false))));
        assert_eq!(parse("release 12"), Ok(Request::Drive(12, None)));
        assert_eq!(parse("watch"), Ok(Request::Watch(None)));
        assert_eq!(parse("watch 0"), Ok(Request::Watch(Some(0))));
        for (line, reason) in [
            ("", "empty"),
            ("read", "which pin"),
            ("read 94", "0 to 93"),
            ("read -1", "no pin '-1'"),
            ("drive 1", "0 or 1"),
            ("drive 1 2", "0 or 1"),
            ("read 1 2", "'2' is too much"),
            ("blink 1", "no request 'blink'"),
        ] {
            assert!(parse(line).unwrap_err().contains(reason), "{line}");
        }
    }

    #[test]
    fn lines_are_bounded() {
        let mut lines = Lines::default();
        let all = |lines: &mut Lines, bytes: &[u8]| {
            bytes
                .iter()
                .filter_map(|byte| lines.push(*byte))
                .collect::<Vec<_>>()
        };
        assert_eq!(all(&mut lines, b"read 1\nrea"), [Ok("read 1".to_owned())]);
        assert_eq!(all(&mut lines, b"d 2\n"), [Ok("read 2".to_owned())]);
        assert!(all(&mut lines, &[b'x'; 1000]).is_empty());
        assert_eq!(lines.begun.len(), LONGEST);
        assert!(matches!(all(&mut lines, b"\n").as_slice(), [Err(_)]));
        assert!(matches!(all(&mut lines, b"\xFF\n").as_slice(), [Err(_)]));
        assert_eq!(all(&mut lines, b"watch\n"), [Ok("watch".to_owned())]);
    }
}
