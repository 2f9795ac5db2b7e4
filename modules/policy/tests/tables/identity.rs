// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! Identities: each field, each malformed one, the forms, and the one way down.

use policy::{
    AppKind, ComponentId, Errno, Grant, Identity, IdentityError, Rights, RuleSet, Subject, Tenant,
};

const TEXT: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";

fn component() -> ComponentId {
    TEXT.parse().unwrap()
}

fn identity() -> Identity {
    Identity::new(component())
        .unwrap()
        .with_tenant(Tenant::from_text("tenant 1").unwrap())
        .with_rights(Rights::SFS.union(Rights::ENABLE_COREDUMPS))
        .with_job_control(true)
}

/// The bytes of [`identity`], written out by hand.
fn bytes() -> [u8; 96] {
    let mut bytes = [0; 96];
    bytes[0] = 1;
    bytes[4] = 1;
    bytes[8..24].copy_from_slice(&[
        0x25, 0x02, 0x5d, 0x2c, 0x66, 0xda, 0x44, 0x48, 0xba, 0xe1, 0xac, 0x26, 0xfc, 0xdd, 0x36,
        0x27,
    ]);
    bytes[24..32].copy_from_slice(b"tenant 1");
    bytes[88..92].copy_from_slice(&[0x10, 0x04, 0, 0]);
    bytes
}

#[test]
fn fields_lie_where_the_kernel_expects_them() {
    assert_eq!(Identity::SIZE, 96);
    assert_eq!(identity().encode(), bytes());
    let parsed = Identity::parse(&bytes()).unwrap();
    assert_eq!(parsed, identity());
    assert_eq!(parsed.component(), component());
    assert_eq!(parsed.tenant().as_str(), "tenant 1");
    assert_eq!(parsed.rights().bits(), 0x410);
    assert!(parsed.job_control());

    let mut plain = bytes();
    plain[4] = 0;
    plain[24..32].fill(0);
    plain[88..92].fill(0);
    let parsed = Identity::parse(&plain).unwrap();
    assert_eq!(Some(parsed), Identity::new(component()));
    assert_eq!(parsed.tenant(), &Tenant::NONE);
    assert_eq!(parsed.rights(), Rights::NONE);
    assert!(!parsed.job_control());
}

#[test]
fn malformed_bytes_are_refused() {
    type Change = fn(&mut [u8; 96]);
    let table: [(Change, IdentityError); 14] = [
        (|bytes| bytes[0] = 0, IdentityError::Version),
        (|bytes| bytes[0] = 2, IdentityError::Version),
        (|bytes| bytes[3] = 1, IdentityError::Version),
        (|bytes| bytes[4] = 2, IdentityError::Flags),
        (|bytes| bytes[4] = 3, IdentityError::Flags),
        (|bytes| bytes[7] = 0x80, IdentityError::Flags),
        (|bytes| bytes[8..24].fill(0), IdentityError::Nil),
        (|bytes| bytes[24] = 0, IdentityError::Tenant),
        (|bytes| bytes[30] = 0x1f, IdentityError::Tenant),
        (|bytes| bytes[30] = 0x7f, IdentityError::Tenant),
        (|bytes| bytes[87] = b'x', IdentityError::Tenant),
        (|bytes| bytes[88] |= 1 << 3, IdentityError::Rights),
        (|bytes| bytes[89] |= 1 << 3, IdentityError::Rights),
        (|bytes| bytes[95] = 1, IdentityError::Reserved),
    ];
    for (row, (change, error)) in table.into_iter().enumerate() {
        let mut bytes = bytes();
        change(&mut bytes);
        assert_eq!(Identity::parse(&bytes), Err(error), "row {row}");
        assert_eq!(error.errno(), Errno::EINVAL);
    }
    for length in [0, 1, 88, 95] {
        assert_eq!(
            Identity::parse(&bytes()[..length]),
            Err(IdentityError::Size)
        );
    }
    let longer = [&bytes()[..], &[0]].concat();
    assert_eq!(Identity::parse(&longer), Err(IdentityError::Size));
}

#[test]
fn errors_say_what_is_wrong() {
    let table = [
        (IdentityError::Size, "not 96 bytes"),
        (IdentityError::Version, "a version other than 1"),
        (IdentityError::Flags, "an unknown flag"),
        (IdentityError::Nil, "the nil component id"),
        (
            IdentityError::Tenant,
            "a tenant that is not NUL-padded printable ASCII",
        ),
        (IdentityError::Rights, "an unknown right"),
        (IdentityError::Reserved, "a reserved field that is not zero"),
    ];
    for (error, words) in table {
        assert_eq!(error.to_string(), format!("not an identity: {words}"));
    }
}

#[test]
fn a_tenant_is_printable_text_of_at_most_64_characters() {
    let longest = "x".repeat(64);
    for text in [
        "",
        " ",
        "~",
        "b4b4eeaf-75bc-4a4c-9d2e-d3c8f2e5e0f3",
        &longest,
    ] {
        let tenant = Tenant::from_text(text).unwrap();
        assert_eq!(tenant.as_str(), text);
        assert_eq!(tenant.to_string(), text);
        assert_eq!(format!("{tenant:?}"), format!("{text:?}"));
        assert_eq!(Tenant::from_bytes(tenant.to_bytes()), Some(tenant));
    }
    for text in ["\n", "a\0", "a\0b", "\x7f", "ü", &"x".repeat(65)] {
        assert_eq!(Tenant::from_text(text), None, "{text:?}");
    }
    assert_eq!(Tenant::NONE.to_bytes(), [0; 64]);
}

#[test]
fn a_grant_gives_component_and_tenant() {
    let none = Grant::none(component(), AppKind::HighLevel);
    assert_eq!(Identity::of(&none).ok(), Identity::new(component()));
    let grant = Grant {
        tenant: Some("tenant"),
        ..none
    };
    let identity = Identity::of(&grant).unwrap();
    assert_eq!(identity.tenant().as_str(), "tenant");
    assert_eq!(identity.rights(), Rights::NONE);
    assert!(!identity.job_control());
    let long = "x".repeat(65);
    let grant = Grant {
        tenant: Some(&long),
        ..none
    };
    assert_eq!(Identity::of(&grant), Err(IdentityError::Tenant));
    let nil = Grant::none(ComponentId::NIL, AppKind::HighLevel);
    assert_eq!(Identity::of(&nil), Err(IdentityError::Nil));
    assert_eq!(Identity::new(ComponentId::NIL), None);
}

#[test]
fn rights_have_the_bits_of_the_original() {
    let bits: Vec<_> = Rights::NAMED
        .iter()
        .map(|&(name, right)| (name, right.bits()))
        .collect();
    let expected = [
        ("UPDATE_IMAGE", 0x1),
        ("QUERY_IMAGE_INFO", 0x2),
        ("UPDATE_SECURITY_STATE", 0x4),
        ("SFS", 0x10),
        ("ATTESTATION_RUNTIME", 0x20),
        ("POSTCODE", 0x40),
        ("PERIPHERAL_PIN_MAPPING", 0x80),
        ("RECORD_TELEMETRY", 0x100),
        ("MANAGE_LOG_AND_TELEMETRY", 0x200),
        ("ENABLE_COREDUMPS", 0x400),
    ];
    assert_eq!(bits, expected);
    assert_eq!(Rights::ALL.bits(), 0x7f7);
    assert_eq!(Rights::from_bits(0x7f7), Some(Rights::ALL));
    for unknown in [0x8, 0x800, 0x7ff, u32::MAX] {
        assert_eq!(Rights::from_bits(unknown), None);
    }
    let two = Rights::SFS.union(Rights::POSTCODE);
    assert_eq!(two.to_string(), "00000050");
    assert_eq!(format!("{two:?}"), r#"{"SFS", "POSTCODE"}"#);
    assert!(two.contains(Rights::SFS) && two.contains(two) && two.contains(Rights::NONE));
    assert!(!Rights::SFS.contains(two));
    assert_eq!(two.union(Rights::SFS), two);
}

#[test]
fn rights_can_only_be_given_up() {
    let own = identity();
    let fewer = own.with_rights(Rights::SFS);
    let none = own.with_rights(Rights::NONE);
    assert_eq!(own.reduce(&own), Some(own));
    assert_eq!(own.reduce(&fewer), Some(fewer));
    assert_eq!(own.reduce(&none), Some(none));
    assert_eq!(fewer.reduce(&own), None);
    assert_eq!(none.reduce(&fewer), None);

    let other = Identity::new(ComponentId::from_bytes([9; 16])).unwrap();
    let other = other
        .with_tenant(*own.tenant())
        .with_rights(Rights::SFS)
        .with_job_control(true);
    assert_eq!(own.reduce(&other), None);
    assert_eq!(own.reduce(&fewer.with_tenant(Tenant::NONE)), None);
    assert_eq!(own.reduce(&fewer.with_job_control(false)), None);
}

#[test]
fn the_text_has_three_lines() {
    let text = "CID: 25025D2C-66DA-4448-BAE1-AC26FCDD3627\nTID: tenant 1\nCAPS: 00000410\n";
    let identity = identity();
    assert_eq!(identity.to_string(), text);
    let app = Subject::App(&identity, RuleSet::EMPTY);
    assert_eq!(app.text().to_string(), text);
    let nobody = "CID: 00000000-0000-0000-0000-000000000000\nTID: \nCAPS: 00000000\n";
    for subject in [Subject::None, Subject::Manager, Subject::Pending(&identity)] {
        assert_eq!(subject.text().to_string(), nobody);
    }
    let longest = identity.with_tenant(Tenant::from_text(&"x".repeat(64)).unwrap());
    assert_eq!(longest.to_string().len(), Identity::MAX_TEXT_LENGTH);
}

#[test]
fn the_original_form_has_88_bytes() {
    let identity = identity();
    let app = Subject::App(&identity, RuleSet::EMPTY);
    let mut expected = [0; 88];
    expected[..16].copy_from_slice(&component().to_guid_bytes());
    expected[16..24].copy_from_slice(b"tenant 1");
    expected[80] = 0b10;
    expected[84..].copy_from_slice(&[0x10, 0x04, 0, 0]);
    assert_eq!(app.encode_original(), expected);
    assert_eq!(app.encode(), identity.encode());

    let without = identity.with_job_control(false);
    expected[80] = 0;
    let app = Subject::App(&without, RuleSet::EMPTY);
    assert_eq!(app.encode_original(), expected);

    // A reader of the original form counts on the NUL at the end of the tenant.
    let longest = without.with_tenant(Tenant::from_text(&"x".repeat(64)).unwrap());
    let bytes = Subject::App(&longest, RuleSet::EMPTY).encode_original();
    assert_eq!(bytes[16..79], [b'x'; 63]);
    assert_eq!(bytes[79], 0);
}

#[test]
fn without_identity_the_forms_name_nobody() {
    let identity = identity();
    let mut nobody = [0; 96];
    nobody[0] = 1;
    for subject in [Subject::None, Subject::Manager, Subject::Pending(&identity)] {
        assert_eq!(subject.encode(), nobody);
        let mut original = [0; 88];
        original[80] = u8::from(subject == Subject::Manager);
        assert_eq!(subject.encode_original(), original);
    }
}
