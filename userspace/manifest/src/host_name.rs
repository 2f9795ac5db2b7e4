// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The entries of `AllowedConnections`: host names and IPv4 addresses.

use std::net::Ipv4Addr;

/// The longest host name in bytes, without the dot of the root (RFC 1035).
pub const MAX_HOST_LENGTH: usize = 253;

/// The longest part of a host name between two dots, in bytes (RFC 1035).
pub const MAX_LABEL_LENGTH: usize = 63;

/// Whether a character can be part of a label. The underscore is for service names such as
/// `_http._tcp.home`; the set that the original device accepts is not known.
fn is_label_character(character: u8) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, b'-' | b'_')
}

/// Whether the text is a host name or an IPv4 address: no scheme, no port, no path, no wildcard.
pub(crate) fn is_host(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let looks_like_address = name
        .bytes()
        .all(|character| character.is_ascii_digit() || character == b'.');
    if looks_like_address {
        return text.parse::<Ipv4Addr>().is_ok();
    }
    name.len() <= MAX_HOST_LENGTH
        && name.split('.').all(|label| {
            (1..=MAX_LABEL_LENGTH).contains(&label.len()) && label.bytes().all(is_label_character)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_hosts() {
        let longest = [
            &"a".repeat(63),
            &"b".repeat(63),
            &"c".repeat(63),
            &"d".repeat(61),
        ]
        .map(String::as_str)
        .join(".");
        for host in [
            "example.com",
            "example.com.",
            "localhost",
            "EXAMPLE.Com",
            "_http._tcp.home",
            "xn--bcher-kva.example",
            "192.168.0.107",
            "255.255.255.255",
            "4.example",
            &longest,
        ] {
            assert!(is_host(host), "{host}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        let too_long = [
            &"a".repeat(63),
            &"b".repeat(63),
            &"c".repeat(63),
            &"d".repeat(62),
        ]
        .map(String::as_str)
        .join(".");
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".example.com",
            "*.example.com",
            "https://example.com",
            "example.com:443",
            "example.com/path",
            "10.0.0.0/8",
            "<your host>",
            "CHANGE THIS",
            "a\nb",
            "a\0b",
            "bücher.example",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "1.2.3.4.",
            "::1",
            "a@b",
            &"a".repeat(64),
            &too_long,
        ] {
            assert!(!is_host(text), "{text:?}");
        }
    }
}
