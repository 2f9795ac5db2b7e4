// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A bounded run of bytes that forgets its oldest ones: what apps print, and the manager's own log.

use std::collections::VecDeque;

/// Keeps the last bytes pushed, at most as many as its capacity.
#[derive(Debug)]
pub struct Ring {
    bytes: VecDeque<u8>,
    capacity: usize,
    cut: bool,
}

impl Ring {
    /// An empty ring for `capacity` bytes. Memory is taken only as it fills.
    pub fn new(capacity: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            capacity,
            cut: false,
        }
    }

    /// Appends bytes; the oldest make room.
    pub fn push(&mut self, bytes: &[u8]) {
        let tail = bytes.len().saturating_sub(self.capacity);
        let kept = bytes.get(tail..).unwrap_or_default();
        let wanted = self.bytes.len().saturating_add(kept.len());
        let excess = wanted.saturating_sub(self.capacity);
        if excess > 0 || tail > 0 {
            self.cut = true;
        }
        self.bytes.drain(..excess.min(self.bytes.len()));
        self.bytes.extend(kept);
    }

    /// All bytes held, oldest first. Once something was forgotten, the rest of the line that was cut
    /// is left out, unless no whole line is there.
    pub fn contents(&mut self) -> &[u8] {
        let cut = self.cut;
        let bytes: &[u8] = self.bytes.make_contiguous();
        if !cut {
            return bytes;
        }
        let whole = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .and_then(|end| bytes.get(end.saturating_add(1)..));
        match whole {
            Some(lines) if !lines.is_empty() => lines,
            _ => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_everything_that_fits() {
        let mut ring = Ring::new(8);
        ring.push(b"ab\n");
        ring.push(b"cd\n");
        assert_eq!(ring.contents(), b"ab\ncd\n");
    }

    #[test]
    fn forgets_the_oldest_line_first() {
        let mut ring = Ring::new(8);
        ring.push(b"first\n");
        ring.push(b"second\n");
        assert_eq!(ring.contents(), b"second\n");
    }

    #[test]
    fn one_long_line_is_kept_from_its_end() {
        let mut ring = Ring::new(4);
        ring.push(b"0123456789");
        assert_eq!(ring.contents(), b"6789");
        ring.push(b"\n");
        assert_eq!(ring.contents(), b"789\n");
    }

    proptest! {
        #[test]
        fn never_holds_more_than_its_capacity(
            capacity in 0_usize..64,
            pushes in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..8),
        ) {
            let mut ring = Ring::new(capacity);
            let mut all = Vec::new();
            for push in &pushes {
                ring.push(push);
                all.extend_from_slice(push);
            }
            let held = ring.contents();
            prop_assert!(held.len() <= capacity);
            prop_assert!(all.ends_with(held));
        }
    }
}
