// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Numbers and texts in the messages between manager, launcher and the first process of an app. All of them
//! run the same program, so there are no versions.

/// A message that our own writer did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed message; manager and launcher must be of one version")]
pub(crate) struct WireError;

/// Writes a message.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Bytes of a length that the reader knows.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A number: eight bytes, least significant first.
    pub fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// A text without null characters, ended by one.
    pub fn text(&mut self, text: &[u8]) {
        self.bytes(text);
        self.bytes(&[0]);
    }

    /// The message.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a message.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub const fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// Whether all has been read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of a known length.
    pub fn bytes<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], WireError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(WireError)?;
        self.0 = rest;
        Ok(*bytes)
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, WireError> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// A number of a narrower type.
    pub fn narrow<N: TryFrom<u64>>(&mut self) -> Result<N, WireError> {
        N::try_from(self.number()?).map_err(|_| WireError)
    }

    /// A number that is 0 or 1.
    pub fn flag(&mut self) -> Result<bool, WireError> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError),
        }
    }

    /// A text.
    pub fn text(&mut self) -> Result<&'a [u8], WireError> {
        let end = self.0.iter().position(|&byte| byte == 0).ok_or(WireError)?;
        let (text, rest) = self.0.split_at_checked(end).ok_or(WireError)?;
        self.0 = rest.get(1..).unwrap_or_default();
        Ok(text)
    }
}
