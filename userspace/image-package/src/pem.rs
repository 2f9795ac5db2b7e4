// SPDX-License-Identifier: Apache-2.0 OR MIT

//! PEM blocks: base64 between two lines.

/// The bytes of the only block with this label; text outside of blocks is ignored, other blocks are too.
pub(crate) fn decode(text: &str, label: &str) -> Option<Vec<u8>> {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let mut lines = text.lines().map(str::trim_end);
    lines.find(|line| *line == begin)?;
    let mut decoder = Base64::default();
    loop {
        let line = lines.next()?;
        if line == end {
            break;
        }
        line.bytes()
            .try_for_each(|character| decoder.add(character))?;
    }
    if lines.any(|line| line == begin) {
        return None;
    }
    decoder.finish()
}

/// A decoder of base64 with padding (RFC 4648), one character at a time.
#[derive(Default)]
struct Base64 {
    bytes: Vec<u8>,
    /// Bits that wait for more, in the lower part.
    bits: u32,
    /// Characters of the current group of four.
    characters: u8,
    padding: u8,
}

impl Base64 {
    fn add(&mut self, character: u8) -> Option<()> {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if self.padding < 2 && self.characters >= 2 => {
                self.padding += 1;
                0
            }
            _ => return None,
        };
        if self.padding > 0 && character != b'=' {
            return None;
        }
        self.bits = self.bits << 6 | u32::from(value);
        self.characters += 1;
        if self.characters == 4 {
            let [_, group @ ..] = self.bits.to_be_bytes();
            let kept = 3usize.saturating_sub(usize::from(self.padding));
            let (kept, dropped) = group.split_at_checked(kept)?;
            if dropped.iter().any(|&byte| byte != 0) {
                return None;
            }
            self.bytes.extend_from_slice(kept);
            self.bits = 0;
            self.characters = 0;
            if self.padding > 0 {
                // Nothing but the end may follow: two paddings are as many as there can be.
                self.padding = 2;
            }
        }
        Some(())
    }

    fn finish(self) -> Option<Vec<u8>> {
        (self.characters == 0 && !self.bytes.is_empty()).then_some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(base64: &str) -> Option<Vec<u8>> {
        decode(
            &format!("-----BEGIN X-----\n{base64}\n-----END X-----\n"),
            "X",
        )
    }

    #[test]
    fn base64_of_every_length_is_decoded() {
        assert_eq!(block("Zg==").unwrap(), b"f");
        assert_eq!(block("Zm8=").unwrap(), b"fo");
        assert_eq!(block("Zm9v").unwrap(), b"foo");
        assert_eq!(block("Zm9v\nYmFy").unwrap(), b"foobar");
        assert_eq!(block("Zm9\nvYmFy").unwrap(), b"foobar");
        assert_eq!(block("+/+/").unwrap(), [0xFB, 0xFF, 0xBF]);
    }

    #[test]
    fn other_base64_is_refused() {
        for base64 in [
            "", "Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zg==Zg==", "Zg==Zm9v", "Zg=v", "Zh==",
            "Zm9=", "Zm 9v", "Zm-v", "Zm_v",
        ] {
            assert_eq!(block(base64), None, "{base64}");
        }
    }

    #[test]
    fn text_around_the_only_block_is_ignored() {
        let text = "Bag Attributes\r\n-----BEGIN Y-----\r\nAAAA\r\n-----END Y-----\r\n\
                    -----BEGIN X-----\r\nZm9v\r\n-----END X-----\r\n";
        assert_eq!(decode(text, "X").unwrap(), b"foo");
    }

    #[test]
    fn no_block_no_end_and_two_blocks_are_refused() {
        assert_eq!(decode("Zm9v", "X"), None);
        assert_eq!(decode("-----BEGIN X-----\nZm9v\n", "X"), None);
        assert_eq!(
            decode("-----BEGIN X-----\nZm9v\n-----END Y-----\n", "X"),
            None
        );
        let one = "-----BEGIN X-----\nZm9v\n-----END X-----\n";
        assert_eq!(decode(&one.repeat(2), "X"), None);
    }
}
