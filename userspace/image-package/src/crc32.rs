// SPDX-License-Identifier: Apache-2.0 OR MIT

//! CRC-32 with the polynomial of zip and cramfs, computed piece by piece.

/// The reversed polynomial.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// The remainder of each byte, computed at compile time.
const TABLE: [u32; 256] = table();

#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a constant: wrong indices stop the compiler, and the index is below 256"
)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut remainder = index as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 1;
            remainder >>= 1;
            if carry == 1 {
                remainder ^= POLYNOMIAL;
            }
            bit += 1;
        }
        table[index] = remainder;
        index += 1;
    }
    table
}

/// A checksum in the making.
#[derive(Clone, Debug)]
pub(crate) struct Crc32(u32);

impl Crc32 {
    /// The checksum of no bytes so far.
    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let [low, ..] = self.0.to_le_bytes();
            let remainder = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0);
            self.0 = remainder ^ (self.0 >> 8);
        }
    }

    /// The checksum of all bytes that were added.
    pub(crate) const fn finish(&self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crc32(bytes: &[u8]) -> u32 {
        let mut crc = Crc32::new();
        crc.update(bytes);
        crc.finish()
    }

    #[test]
    fn known_checksums() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(
            crc32(b"123456789"),
            0xCBF4_3926,
            "the check value of the algorithm"
        );
        assert_eq!(crc32(&[0; 32]), 0x190A_55AD);
    }

    #[test]
    fn pieces_make_the_same_checksum_as_the_whole() {
        let mut pieces = Crc32::new();
        pieces.update(b"1234");
        pieces.update(b"");
        pieces.update(b"56789");
        assert_eq!(pieces.finish(), crc32(b"123456789"));
    }
}
