// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A cursor over a byte slice that reads the little-endian fields of the format and never panics.

/// Reads fields one after the other; each read is `None` when the bytes are not there.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    remaining: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Starts at the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { remaining: bytes }
    }

    /// The bytes not read so far.
    pub(crate) fn remaining(&self) -> &'a [u8] {
        self.remaining
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.remaining.split_at_checked(count)?;
        self.remaining = rest;
        Some(taken)
    }

    /// The next `N` bytes as an array.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.remaining.split_first_chunk::<N>()?;
        self.remaining = rest;
        Some(*taken)
    }

    /// The next 16-bit number.
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// The next 32-bit number.
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next 64-bit number.
    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_little_endian_and_in_order() {
        let mut fields = Fields::new(&[2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(fields.u16(), Some(2));
        assert_eq!(fields.u32(), Some(3));
        assert_eq!(fields.u64(), Some(4));
        assert_eq!(fields.remaining(), [9]);
    }

    #[test]
    fn a_field_that_is_cut_off_is_none_and_reads_nothing() {
        let mut fields = Fields::new(&[1, 2, 3]);
        assert_eq!(fields.u32(), None);
        assert_eq!(fields.take(4), None);
        assert_eq!(fields.take(3), Some([1, 2, 3].as_slice()));
        assert_eq!(fields.u16(), None);
    }
}
