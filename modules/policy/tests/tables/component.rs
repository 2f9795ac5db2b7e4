// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Component ids: text, wire form, order and user id.

use std::collections::BTreeSet;

use policy::component::{FIRST_UID, UID_COUNT};
use policy::{ComponentId, ComponentIdError};

const TEXT: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";

fn id(text: &str) -> ComponentId {
    text.parse().unwrap()
}

#[test]
fn text_of_either_case_is_read_and_lower_case_is_written() {
    assert_eq!(id(&TEXT.to_uppercase()), id(TEXT));
    assert_eq!(id(&TEXT.to_uppercase()).to_string(), TEXT);
    assert_eq!(format!("{:?}", id(TEXT)), TEXT);
}

#[test]
fn other_text_is_refused_with_the_position() {
    let character = |position| Err(ComponentIdError::Character { position });
    let length = Err(ComponentIdError::Length);
    for (text, expected) in [
        ("", length),
        ("25025d2c66da4448bae1ac26fcdd3627", length),
        ("{25025d2c-66da-4448-bae1-ac26fcdd3627}", length),
        ("25025d2c-66da-4448-bae1-ac26fcdd362", length),
        ("25025d2c-66da-4448-bae1-ac26fcdd36270", length),
        (" 25025d2c-66da-4448-bae1-ac26fcdd362", character(0)),
        ("25025d2c_66da-4448-bae1-ac26fcdd3627", character(8)),
        ("25025d2c-66da-4448-bae1-ac26fcdd362g", character(35)),
        ("25025d2c-66d-a4448-bae1-ac26fcdd3627", character(12)),
        ("+5025d2c-66da-4448-bae1-ac26fcdd3627", character(0)),
        ("25025d2c-66da-4448-bae1-ac26fcdd36é", character(34)),
    ] {
        assert_eq!(text.parse::<ComponentId>(), expected, "{text}");
    }
}

#[test]
fn bytes_are_in_text_order_and_guid_bytes_are_mixed_endian() {
    let bytes = id(TEXT).to_bytes();
    assert_eq!(bytes[..4], [0x25, 0x02, 0x5d, 0x2c]);
    assert_eq!(ComponentId::from_bytes(bytes), id(TEXT));
    let guid = [
        0x2c, 0x5d, 0x02, 0x25, 0xda, 0x66, 0x48, 0x44, 0xba, 0xe1, 0xac, 0x26, 0xfc, 0xdd, 0x36,
        0x27,
    ];
    assert_eq!(id(TEXT).to_guid_bytes(), guid);
    assert_eq!(ComponentId::from_guid_bytes(guid), id(TEXT));
}

#[test]
fn order_is_the_order_of_the_text() {
    let low = id("00000000-ffff-ffff-ffff-ffffffffffff");
    let high = id("01000000-0000-0000-0000-000000000000");
    assert!(low < high);
    assert!(ComponentId::NIL < low);
}

/// Worked out apart from the code; files on devices belong to these ids, so they never change.
#[test]
fn user_ids_are_stable() {
    for (text, uid) in [
        (TEXT, 0x1a37_bf76),
        ("00000000-0000-0000-0000-000000000000", 0x1969_1903),
        ("ffffffff-ffff-ffff-ffff-ffffffffffff", 0x1607_79f6),
    ] {
        assert_eq!(id(text).uid(), uid, "{text}");
    }
}

#[test]
fn user_ids_of_similar_ids_differ_and_stay_in_their_range() {
    let mut seen = BTreeSet::new();
    for byte in 0..16 {
        for bit in 0..8 {
            let mut bytes = id(TEXT).to_bytes();
            bytes[byte] ^= 1 << bit;
            let uid = ComponentId::from_bytes(bytes).uid();
            assert!((FIRST_UID..FIRST_UID + UID_COUNT).contains(&uid));
            assert!(seen.insert(uid));
        }
    }
}

#[test]
fn errors_say_what_is_needed() {
    assert_eq!(
        ComponentIdError::Length.to_string(),
        "not a component id: 36 characters are needed, as in 25025d2c-66da-4448-bae1-ac26fcdd3627"
    );
    assert_eq!(
        ComponentIdError::Character { position: 8 }.to_string(),
        "not a component id: wrong character at position 8 (8-4-4-4-12 hexadecimal digits are needed)"
    );
}

#[test]
fn both_cases_can_be_written() {
    let upper = TEXT.to_uppercase();
    assert_eq!(
        format!("{:x} {:X}", id(TEXT), id(TEXT)),
        format!("{TEXT} {upper}")
    );
}
