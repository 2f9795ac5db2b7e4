// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A strict walk over DER: tag, definite and shortest length, value. Nothing is interpreted here.

/// The tags that keys and certificates need.
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const SEQUENCE: u8 = 0x30;
    /// The version of a certificate.
    pub(crate) const CONTEXT_0: u8 = 0xA0;
}

/// The elements of a constructed value, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Der<'a> {
    remaining: &'a [u8],
}

impl<'a> Der<'a> {
    /// Starts at the first element.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { remaining: bytes }
    }

    /// The value of the next element, if it has this tag.
    pub(crate) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.remaining.split_first()?;
        let (length, rest) = read_length(rest)?;
        let (value, rest) = rest.split_at_checked(length)?;
        if found != tag {
            return None;
        }
        self.remaining = rest;
        Some(value)
    }

    /// The elements inside the next element, if it has this tag.
    pub(crate) fn constructed(&mut self, tag: u8) -> Option<Der<'a>> {
        self.value(tag).map(Der::new)
    }

    /// The bytes of the next element, a bit string without unused bits.
    pub(crate) fn bit_string(&mut self) -> Option<&'a [u8]> {
        match self.value(tag::BIT_STRING)?.split_first()? {
            (0, bytes) => Some(bytes),
            _ => None,
        }
    }

    /// `Some` at the end, `None` when there are more elements.
    pub(crate) fn end(&self) -> Option<()> {
        self.remaining.is_empty().then_some(())
    }
}

/// A length, and what follows it; indefinite, longer than needed or above 2^16 - 1 is `None`.
fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [length @ ..=0x7F, ref rest @ ..] => Some((usize::from(length), rest)),
        [0x81, length @ 0x80..=0xFF, ref rest @ ..] => Some((usize::from(length), rest)),
        [0x82, high @ 1..=0xFF, low, ref rest @ ..] => {
            Some((usize::from(u16::from_be_bytes([high, low])), rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_lengths_are_read() {
        for (bytes, length) in [
            (&[0u8][..], 0),
            (&[0x7F], 127),
            (&[0x81, 0x80], 128),
            (&[0x81, 0xFF], 255),
            (&[0x82, 0x01, 0x00], 256),
            (&[0x82, 0xFF, 0xFF], 65535),
        ] {
            assert_eq!(read_length(bytes), Some((length, &[][..])), "{bytes:?}");
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0x81],
            &[0x81, 0x7F],
            &[0x82, 0xFF],
            &[0x82, 0x00, 0xFF],
            &[0x83, 1, 0, 0],
            &[0xFF],
        ] {
            assert_eq!(read_length(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn elements_are_walked_in_order() {
        let bytes = [0x30, 6, 0x02, 1, 5, 0x03, 1, 0];
        let mut outer = Der::new(&bytes);
        let mut inner = outer.constructed(tag::SEQUENCE).unwrap();
        assert_eq!(outer.end(), Some(()));
        assert_eq!(
            inner.value(tag::OCTET_STRING),
            None,
            "another tag is not skipped"
        );
        assert_eq!(inner.end(), None);
        assert_eq!(inner.value(tag::INTEGER), Some(&[5][..]));
        assert_eq!(inner.bit_string(), Some(&[][..]));
        assert_eq!(inner.end(), Some(()));
    }

    #[test]
    fn an_element_that_is_cut_off_is_refused() {
        assert_eq!(Der::new(&[0x02, 2, 5]).value(tag::INTEGER), None);
        assert_eq!(Der::new(&[0x02]).value(tag::INTEGER), None);
        assert_eq!(
            Der::new(&[0x03, 2, 1, 0x80]).bit_string(),
            None,
            "unused bits"
        );
        assert_eq!(
            Der::new(&[0x03, 0]).bit_string(),
            None,
            "no count of unused bits"
        );
    }
}
