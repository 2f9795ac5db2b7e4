// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Reading and writing little-endian fields one after the other.

/// What is left to read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes; none when fewer are left.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    /// The next entries of a list; none when fewer are left.
    pub(crate) fn entries<const SIZE: usize>(&mut self, count: u16) -> Option<&'a [[u8; SIZE]]> {
        let (entries, rest) = self.0.split_at_checked(usize::from(count) * SIZE)?;
        self.0 = rest;
        Some(entries.as_chunks().0)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

/// What is left to write to.
pub(crate) struct Writer<'a>(pub(crate) &'a mut [u8]);

impl Writer<'_> {
    /// Writes bytes; none when there is no room for them.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let (target, rest) = core::mem::take(&mut self.0).split_at_mut_checked(bytes.len())?;
        for (target, byte) in target.iter_mut().zip(bytes) {
            *target = *byte;
        }
        self.0 = rest;
        Some(())
    }
}

/// The fields one after the other, and zeros after them.
pub(crate) fn joined<const N: usize>(fields: [&[u8]; 5]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut writer = Writer(&mut bytes);
    for field in fields {
        writer.put(field);
    }
    bytes
}
