// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Text that is no manifest at all, refused as 2.1 with its place.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{accepted, changed, refused, with};
use manifest::{MAX_DEPTH, MAX_ENTRIES, MAX_SIZE, Manifest, Problem};
use policy::DeviceError;

/// Line, column and path of the error of bytes that are refused as no JSON.
fn place(bytes: &[u8]) -> (u32, u32, String) {
    let error = Manifest::parse(bytes).unwrap_err();
    assert_eq!(error.code(), DeviceError::MANIFEST_INVALID_JSON, "{error}");
    let location = error.location();
    (location.line, location.column, location.path.clone())
}

#[test]
fn broken_text_is_refused_at_its_place() {
    for (bytes, line, column) in [
        (&b""[..], 1, 1),
        (b" ", 1, 1),
        (b"{", 1, 1),
        (b"{\"a\":1,}", 1, 8),
        (b"{\"a\":1} x", 1, 9),
        (b"{\n  \"a\": 1\n  \"b\": 2\n}", 3, 3),
        (b"{\r\n  \"a\": 0x1F\r\n}", 2, 9),
        (b"{\"a\": NaN}", 1, 7),
        (b"{\"a\": 01}", 1, 8),
        (b"{\"a\": +1}", 1, 7),
        (b"{'a': 1}", 1, 2),
        (b"{\"a\":1}\0", 1, 8),
        (b"\0", 1, 1),
        (b"{\"a\":\"\0\"}", 1, 6),
        (b"{\"a\":\"line\nbreak\"}", 1, 10),
        (b"\xef\xbb\xbf{}", 1, 1),
        (b"{\n \"a\":\"\xff\"}", 2, 7),
        (b"{\"\xc3\xa9\": \xff}", 1, 7),
        (b"{\xc3\xa9}", 1, 2),
        (b"\xff\xfe{\0}\0", 1, 1),
    ] {
        assert_eq!(
            place(bytes),
            (line, column, String::new()),
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn a_comment_is_called_one() {
    for text in ["{ // note\n}", "{ /* note */ }", "// note\n{}"] {
        assert!(
            matches!(refused(text).problem(), Problem::Comment),
            "{text}"
        );
    }
    let text = with("{}").replace("\"app\"", "\"// no comment\"");
    assert_eq!(accepted(&text).name(), "// no comment");
}

#[test]
fn a_byte_order_mark_is_called_one() {
    let error = refused(&format!("\u{feff}{}", with("{}")));
    assert!(matches!(error.problem(), Problem::ByteOrderMark));
    accepted(&with("{}"));
}

#[test]
fn values_of_another_shape_are_no_manifest() {
    for text in ["[]", "1", "null", "\"text\"", "true"] {
        assert_eq!(place(text.as_bytes()), (1, 1, String::new()), "{text}");
    }
}

#[test]
fn a_key_stands_once_in_its_object() {
    for (text, column, path) in [
        ("{\"Name\": \"a\", \"Name\": \"b\"}", 15, "Name"),
        ("{\"Name\": \"a\", \"N\\u0061me\": \"b\"}", 15, "Name"),
        (
            "{\"Capabilities\": {\"Gpio\": [1], \"Gpio\": [2]}}",
            32,
            "Capabilities.Gpio",
        ),
        (
            "{\"Unknown\": [0, {\"a\": 1, \"a\": 1}]}",
            26,
            "Unknown[1].a",
        ),
    ] {
        assert_eq!(
            place(text.as_bytes()),
            (1, column, path.to_owned()),
            "{text}"
        );
        assert!(matches!(refused(text).problem(), Problem::DuplicateKey));
    }
    accepted(&changed(
        "Unknown",
        Some("[{\"a\": 1}, {\"a\": 1, \"A\": 1}]"),
    ));
}

#[test]
fn numbers_and_texts_that_no_program_can_hold_are_refused() {
    for value in [
        "1e400",
        "-1e400",
        "[1e999999]",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u00g0\"",
    ] {
        let text = changed("Unknown", Some(value));
        let path = place(text.as_bytes()).2;
        assert!(
            path.starts_with("Unknown") || path.is_empty(),
            "{value}: {path}"
        );
    }
    for value in [
        "1e300",
        "-0.5e-400",
        "\"\\ud83d\\ude00\"",
        "123456789012345678901234567890",
    ] {
        accepted(&changed("Unknown", Some(value)));
    }
}

#[test]
fn depth_has_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    // The outermost object is one level.
    accepted(&changed("Unknown", Some(&nested(MAX_DEPTH - 1))));
    let error = refused(&changed("Unknown", Some(&nested(MAX_DEPTH))));
    assert!(matches!(error.problem(), Problem::TooDeep), "{error}");
    let (opened, balanced) = ("[".repeat(MAX_SIZE), nested(MAX_SIZE / 2));
    for bomb in [&opened, &balanced, &"{\"a\":".repeat(MAX_SIZE / 5)] {
        place(bomb.as_bytes());
    }
}

#[test]
fn lists_have_a_limit() {
    let list = |length: usize| format!("[{}0]", "0,".repeat(length - 1));
    accepted(&changed("Unknown", Some(&list(MAX_ENTRIES))));
    let error = refused(&changed("Unknown", Some(&list(MAX_ENTRIES + 1))));
    assert!(matches!(error.problem(), Problem::TooManyEntries));
    assert_eq!(error.location().path, "Unknown");
    let object = |length: usize| {
        let members: Vec<_> = (0..length).map(|index| format!("\"{index}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    accepted(&changed("Unknown", Some(&object(MAX_ENTRIES))));
    let error = refused(&changed("Unknown", Some(&object(MAX_ENTRIES + 1))));
    assert!(matches!(error.problem(), Problem::TooManyEntries));
}

#[test]
fn size_has_a_limit() {
    let mut text = with("{}");
    text.push_str(&" ".repeat(MAX_SIZE - text.len()));
    accepted(&text);
    text.push(' ');
    assert!(
        matches!(refused(&text).problem(), Problem::TooLarge { size } if *size == MAX_SIZE + 1)
    );
}

#[test]
fn places_count_characters_and_lines_of_any_end() {
    let text = "{\r\n  \"Name\": \"é\", \"SchemaVersion\": 2\r\n}";
    assert_eq!(
        refused(text).to_string(),
        "line 2, column 33, SchemaVersion: schema version 2 is not known: use 1; device error 2.17 (2097169)"
    );
}

/// What an app writes into its manifest must not look like a line of the device's log.
#[test]
fn messages_have_one_line_whatever_the_text() {
    let line = "\\nnacre: ready\\u001b[2J\\r";
    for text in [
        changed(line, Some("1e400")),
        with(&format!("{{\"{line}\": []}}")),
        with(&format!("{{\"Uart\": [\"{line}\"]}}")),
        with(&format!("{{\"Uart\": [\"${line}\"]}}")),
        with(&format!("{{\"Gpio\": [\"${line}\"]}}")),
        with(&format!("{{\"AllowedConnections\": [\"{line}\"]}}")),
        common::real_time(&format!("{{\"Gpio\": [\"${line}\"]}}")),
        changed("Name", Some(&format!("\"{line}\""))),
    ] {
        let message = refused(&text).to_string();
        assert!(!message.contains(char::is_control), "{message:?}");
    }
    let warnings = manifest::warnings(changed(line, Some("1")).as_bytes()).unwrap();
    assert!(!warnings[0].to_string().contains(char::is_control));
}
