// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is new in a log that the device keeps the end of.

/// The part of `now` that comes after `before`, both being the last bytes of one growing log.
///
/// The device forgets the oldest lines, so the longest end of `before` that `now` begins with is what both
/// have in common. When lines repeat without any difference, fewer may be taken for new than there are; none
/// is ever shown twice.
#[must_use]
pub fn new_part<'a>(before: &[u8], now: &'a [u8]) -> &'a [u8] {
    let common = longest_overlap(before, now);
    now.get(common..).unwrap_or_default()
}

/// The length of the longest end of `before` that is a beginning of `now`: Knuth, Morris and Pratt's search
/// for `now` in `before`, read at the end of `before`. Linear in both lengths.
fn longest_overlap(before: &[u8], now: &[u8]) -> usize {
    // borders[i]: the longest proper beginning of now[..=i] that is also an end of it.
    let mut borders: Vec<usize> = Vec::with_capacity(now.len());
    let at = |borders: &[usize], length: usize| {
        length
            .checked_sub(1)
            .and_then(|index| borders.get(index))
            .copied()
            .unwrap_or(0)
    };
    let extend = |borders: &[usize], mut length: usize, byte: u8| {
        while length > 0 && now.get(length) != Some(&byte) {
            length = at(borders, length);
        }
        if now.get(length) == Some(&byte) {
            length.saturating_add(1)
        } else {
            0
        }
    };
    let mut length = 0;
    for (index, byte) in now.iter().enumerate() {
        length = if index == 0 {
            0
        } else {
            extend(&borders, length, *byte)
        };
        borders.push(length);
    }
    let mut matched = 0;
    for byte in before {
        matched = extend(&borders, matched, *byte);
    }
    matched
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn growth_restart_and_forgetting_are_told_apart() {
        for (before, now, new) in [
            ("", "a\n", "a\n"),
            ("a\n", "a\n", ""),
            ("a\n", "a\nb\n", "b\n"),
            ("a\nb\nc\n", "b\nc\nd\n", "d\n"),
            ("a\nb\n", "x\ny\n", "x\ny\n"),
            ("a\nb\n", "", ""),
            ("aab", "aabaab", "aab"),
        ] {
            assert_eq!(new_part(before.as_bytes(), now.as_bytes()), new.as_bytes());
        }
    }

    #[test]
    fn long_logs_take_linear_time() {
        let before = vec![b'a'; 1_000_000];
        let mut now = before.clone();
        now.push(b'b');
        assert_eq!(new_part(&before, &now), b"b");
    }

    proptest! {
        #[test]
        fn it_is_the_longest_overlap(before in "[ab]{0,40}", now in "[ab]{0,40}") {
            let longest = (0..=before.len().min(now.len()))
                .rev()
                .find(|length| before.ends_with(&now[..*length]))
                .unwrap();
            prop_assert_eq!(new_part(before.as_bytes(), now.as_bytes()), &now.as_bytes()[longest..]);
        }

        #[test]
        fn numbered_lines_come_out_once_each(keep in 1_usize..30, steps in prop::collection::vec(0_usize..10, 1..20)) {
            let mut lines: Vec<String> = Vec::new();
            let (mut before, mut printed) = (String::new(), String::new());
            for step in steps {
                for _ in 0..step.min(keep) {
                    lines.push(format!("{}\n", lines.len()));
                }
                let now = lines[lines.len().saturating_sub(keep)..].concat();
                printed.push_str(std::str::from_utf8(new_part(before.as_bytes(), now.as_bytes())).unwrap());
                before = now;
            }
            prop_assert_eq!(printed, lines.concat());
        }
    }
}
