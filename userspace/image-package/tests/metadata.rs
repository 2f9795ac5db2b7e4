// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The metadata block: every section, every way in which it is refused, and the search for it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod common;

use common::{accept, open, put_u32, sample, signed, signer};
use image_package::{
    Abi, AbiType, Compression, ImageType, Metadata, MetadataError, PackageError, Section,
    SectionId, SigningType, TemporaryFlags,
};
use policy::DeviceError;

/// A block of sections, with the right frame.
fn block(sections: &[(&[u8; 2], &[u8])]) -> Vec<u8> {
    let mut bytes = b"4X4M".to_vec();
    bytes.extend((sections.len() as u32).to_le_bytes());
    for (id, data) in sections {
        bytes.extend(*id);
        bytes.extend((data.len() as u16).to_le_bytes());
        bytes.extend(*data);
    }
    bytes.extend((bytes.len() as u32 + 4).to_le_bytes());
    bytes
}

fn identity() -> Vec<u8> {
    let mut data = vec![10, 0, 0, 0];
    data.extend(1..=32);
    data
}

fn signature_section() -> Vec<u8> {
    let mut data = signer().thumbprint().0.to_vec();
    data.extend([1, 0, 0, 0]);
    data
}

/// Parses the two sections that every image has and one more.
fn with(id: &[u8; 2], data: &[u8]) -> Result<Metadata, MetadataError> {
    let (identity, signature) = (identity(), signature_section());
    Metadata::parse(&block(&[
        (b"ID", &identity),
        (b"SG", &signature),
        (id, data),
    ]))
}

fn minimal() -> Metadata {
    Metadata::parse(&block(&[
        (b"ID", &identity()),
        (b"SG", &signature_section()),
    ]))
    .unwrap()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn two_sections_are_enough() {
    let metadata = minimal();
    assert_eq!(metadata.image_type, ImageType::APPLICATION);
    assert_eq!(
        metadata.component.to_string(),
        "04030201-0605-0807-090a-0b0c0d0e0f10"
    );
    assert_eq!(
        metadata.image.to_string(),
        "14131211-1615-1817-191a-1b1c1d1e1f20"
    );
    assert_eq!(metadata.thumbprint, signer().thumbprint());
    assert_eq!(metadata.signing_type, SigningType::EcdsaP256);
    assert_eq!((metadata.build_time, metadata.name.as_str()), (0, ""));
    assert_eq!(metadata.temporary, TemporaryFlags::NONE);
    assert!(
        metadata.depends.is_empty() && metadata.provides.is_empty() && metadata.others.is_empty()
    );
    assert_eq!(
        (metadata.compression, metadata.security_version),
        (None, None)
    );
    assert_eq!((metadata.required_offset, metadata.policy), (None, None));
}

#[test]
fn a_missing_section_is_refused_if_every_image_needs_it() {
    let (identity, signature) = (identity(), signature_section());
    let missing = |id| {
        let error = MetadataError::Missing { id };
        assert_eq!(error.code(), DeviceError::IMAGE_METADATA_SECTION_NOT_FOUND);
        Err(error)
    };
    assert_eq!(
        Metadata::parse(&block(&[(b"SG", &signature)])),
        missing(SectionId::IDENTITY)
    );
    assert_eq!(
        Metadata::parse(&block(&[(b"ID", &identity)])),
        missing(SectionId::SIGNATURE)
    );
    assert_eq!(Metadata::parse(&block(&[])), missing(SectionId::IDENTITY));
}

#[test]
fn every_known_section_is_read() {
    let mut debug = 1_571_057_101u64.to_le_bytes().to_vec();
    debug.extend(*b"Name\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let metadata = with(b"DB", &debug).unwrap();
    assert_eq!(
        (metadata.build_time, metadata.name.as_str()),
        (1_571_057_101, "Name")
    );

    let temporary = with(b"TP", &words(&[3])).unwrap().temporary;
    assert!(temporary.remove_at_boot() && temporary.under_development());
    let temporary = with(b"TP", &words(&[0x8000_0002])).unwrap().temporary;
    assert!(!temporary.remove_at_boot() && temporary.under_development());
    assert_eq!(temporary.0, 0x8000_0002);

    let abis = words(&[2, 3, 3, 7, 1]);
    let expected = [
        Abi::application_runtime(3),
        Abi {
            version: 7,
            kind: AbiType::SECURE_WORLD_RUNTIME,
        },
    ];
    assert_eq!(with(b"ND", &abis).unwrap().depends, expected);
    assert_eq!(with(b"NP", &abis).unwrap().provides, expected);
    assert!(with(b"ND", &words(&[0])).unwrap().depends.is_empty());

    let compression = Some(Compression {
        uncompressed_size: 5,
        method: 1,
    });
    assert_eq!(
        with(b"CM", &words(&[5, 1])).unwrap().compression,
        compression
    );
    assert_eq!(with(b"RV", &words(&[6])).unwrap().security_version, Some(6));
    assert_eq!(with(b"RO", &words(&[7])).unwrap().required_offset, Some(7));
    assert_eq!(with(b"IP", &words(&[8])).unwrap().policy, Some(8));
}

#[test]
fn legacy_and_unknown_sections_are_kept() {
    for id in [b"LG", b"AD", b"AP", b"XY", b"\0\xFF"] {
        let expected = Section {
            id: SectionId(*id),
            data: vec![1, 2, 3],
        };
        assert_eq!(with(id, &[1, 2, 3]).unwrap().others, [expected]);
    }
    assert!(SectionId(*b"LG").is_known() && !SectionId(*b"XY").is_known());
    let (identity, signature) = (identity(), signature_section());
    let twice = block(&[
        (b"XY", &[1]),
        (b"ID", &identity),
        (b"XY", &[2]),
        (b"SG", &signature),
    ]);
    assert_eq!(Metadata::parse(&twice).unwrap().others.len(), 2);
}

#[test]
fn a_known_section_is_there_once() {
    let abis = words(&[1, 3, 3]);
    let cases: [(&[u8; 2], &[u8]); 13] = [
        (b"ID", &identity()),
        (b"SG", &signature_section()),
        (b"DB", &[0; 40]),
        (b"TP", &[0; 4]),
        (b"ND", &abis),
        (b"NP", &abis),
        (b"CM", &[0; 8]),
        (b"RV", &[0; 4]),
        (b"RO", &[0; 4]),
        (b"IP", &[0; 4]),
        (b"LG", &[0; 4]),
        (b"AD", &[0; 4]),
        (b"AP", &[0; 4]),
    ];
    for (id, data) in cases {
        let (identity, signature) = (identity(), signature_section());
        let mut sections: Vec<(&[u8; 2], &[u8])> = vec![(b"ID", &identity), (b"SG", &signature)];
        if !sections.iter().any(|(known, _)| *known == id) {
            sections.push((id, data));
        }
        Metadata::parse(&block(&sections)).unwrap();
        sections.push((id, data));
        let error = MetadataError::Duplicate { id: SectionId(*id) };
        assert_eq!(error.code(), DeviceError::IMAGE_METADATA_INVALID_METADATA);
        assert_eq!(Metadata::parse(&block(&sections)), Err(error));
    }
}

#[test]
fn the_length_of_a_section_is_that_of_its_content() {
    let cases: [(&[u8; 2], usize); 8] = [
        (b"DB", 40),
        (b"TP", 4),
        (b"CM", 8),
        (b"RV", 4),
        (b"RO", 4),
        (b"IP", 4),
        (b"ND", 4),
        (b"NP", 4),
    ];
    for (text, right) in cases {
        let id = SectionId(*text);
        with(text, &vec![0; right]).unwrap();
        for length in [1, right - 1] {
            let error = MetadataError::TooShort { id, length };
            assert_eq!(error.code(), DeviceError::IMAGE_METADATA_INVALID_METADATA);
            assert_eq!(with(text, &vec![0; length]), Err(error));
        }
        for length in [right + 1, right + 400] {
            let error = MetadataError::TooLarge { id, length };
            assert_eq!(error.code(), DeviceError::IMAGE_METADATA_SECTION_TOO_LARGE);
            assert_eq!(with(text, &vec![0; length]), Err(error));
        }
        let empty = MetadataError::Empty { id };
        assert_eq!(empty.code(), DeviceError::IMAGE_METADATA_EMPTY_SECTION);
        assert_eq!(with(text, &[]), Err(empty));
    }
    let (identity, signature) = (identity(), signature_section());
    for (first, second) in [
        (&identity[..35], &signature[..]),
        (&identity[..], &signature[..23]),
    ] {
        let parsed = Metadata::parse(&block(&[(b"ID", first), (b"SG", second)]));
        assert!(matches!(parsed, Err(MetadataError::TooShort { .. })));
    }
    assert_eq!(
        with(b"XY", &[]),
        Err(MetadataError::Empty {
            id: SectionId(*b"XY")
        })
    );
}

#[test]
fn the_count_of_interfaces_is_that_of_the_data() {
    let id = SectionId::NEEDS;
    with(b"ND", &words(&[1, 3, 3])).unwrap();
    for count in [2, 0x2000_0000, u32::MAX] {
        let expected = Err(MetadataError::TooShort { id, length: 12 });
        assert_eq!(with(b"ND", &words(&[count, 3, 3])), expected);
    }
    assert_eq!(
        with(b"ND", &words(&[0, 3, 3])),
        Err(MetadataError::TooLarge { id, length: 12 })
    );
}

#[test]
fn sections_end_with_the_block() {
    let good = block(&[
        (b"ID", &identity()),
        (b"SG", &signature_section()),
        (b"TP", &[0; 4]),
    ]);
    let parse = |offset: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[offset] = value;
        Metadata::parse(&bytes)
    };
    assert!(parse(4, 3).is_ok());
    // The length of the last section, 12 bytes before the end.
    let last = good.len() - 12 + 2;
    assert!(parse(last, 4).is_ok());
    for (offset, value, index) in [
        (last, 5, 2),
        (last + 1, 1, 2),
        (10, 120, 0),
        (4, 4, 3),
        (7, 0x80, 3),
    ] {
        let error = MetadataError::Overflow { index };
        assert_eq!(
            error.code(),
            DeviceError::IMAGE_METADATA_SECTION_OVERFLOWS_METADATA
        );
        assert_eq!(parse(offset, value), Err(error), "{offset}");
    }
    let error = MetadataError::TrailingBytes { length: 8 };
    assert_eq!(error.code(), DeviceError::IMAGE_METADATA_INVALID_METADATA);
    assert_eq!(parse(4, 2), Err(error));
    assert_eq!(
        parse(last, 2),
        Err(MetadataError::TooShort {
            id: SectionId::TEMPORARY,
            length: 2
        })
    );
}

#[test]
fn the_frame_of_the_block() {
    let good = block(&[(b"ID", &identity()), (b"SG", &signature_section())]);
    Metadata::parse(&good).unwrap();
    for edit in [0, 3, good.len() - 4, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[edit] ^= 1;
        assert_eq!(Metadata::parse(&bytes), Err(MetadataError::BadFrame));
    }
    for length in 0..good.len() {
        assert_eq!(
            Metadata::parse(&good[..length]),
            Err(MetadataError::BadFrame)
        );
    }
}

#[test]
fn fields_with_few_values() {
    let (identity, signature) = (identity(), signature_section());
    let parse = |identity: &[u8], signature: &[u8]| {
        Metadata::parse(&block(&[(b"ID", identity), (b"SG", signature)]))
    };
    let mut reserved = identity.clone();
    reserved[3] = 1;
    assert_eq!(
        parse(&reserved, &signature),
        Err(MetadataError::ReservedField { found: 256 })
    );
    for (value, expected) in [
        (1, Some(SigningType::EcdsaP256)),
        (2, Some(SigningType::EcdsaP384)),
        (0, None),
        (3, None),
    ] {
        let mut signature = signature.clone();
        signature[20] = value;
        match expected {
            Some(expected) => {
                assert_eq!(parse(&identity, &signature).unwrap().signing_type, expected)
            }
            None => {
                let found = u32::from(value);
                let error = MetadataError::UnknownSigningType { found };
                assert_eq!(parse(&identity, &signature), Err(error));
            }
        }
    }
}

#[test]
fn names_are_printable() {
    let name = |bytes: &[u8]| {
        let mut debug = vec![0; 40];
        debug[8..8 + bytes.len()].copy_from_slice(bytes);
        with(b"DB", &debug).unwrap().name
    };
    assert_eq!(name(b"APP_AZURE_LINUX_HELLO"), "APP_AZURE_LINUX_HELLO");
    assert_eq!(
        name(&[b'n'; 32]),
        "n".repeat(32),
        "one packer leaves no NUL"
    );
    assert_eq!(name(b"one\0two"), "one");
    assert_eq!(name("Zürich".as_bytes()), "Zürich");
    assert_eq!(name(b"a\x1B[2Jb\xFF\n"), "a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}");
}

#[test]
fn what_is_written_is_read_back() {
    let mut metadata = minimal();
    assert_eq!(
        Metadata::parse(&metadata.encode().unwrap()),
        Ok(metadata.clone())
    );
    metadata.image_type = ImageType(7);
    metadata.signing_type = SigningType::EcdsaP384;
    metadata.build_time = u64::MAX;
    metadata.name = "n".repeat(31);
    metadata.temporary = TemporaryFlags(3);
    metadata.depends = vec![Abi::application_runtime(12); 3];
    metadata.provides = vec![Abi {
        version: 1,
        kind: AbiType(99),
    }];
    metadata.compression = Some(Compression {
        uncompressed_size: 1,
        method: 1,
    });
    metadata.security_version = Some(2);
    metadata.required_offset = Some(3);
    metadata.policy = Some(4);
    metadata.others = vec![
        Section {
            id: SectionId(*b"XY"),
            data: vec![9]
        };
        2
    ];
    assert_eq!(
        Metadata::parse(&metadata.encode().unwrap()),
        Ok(metadata.clone())
    );
    metadata.others = vec![Section {
        id: SectionId(*b"XY"),
        data: vec![9; 65_535],
    }];
    assert!(metadata.encode().is_some());
    metadata.others = vec![Section {
        id: SectionId(*b"XY"),
        data: vec![9; 65_536],
    }];
    assert_eq!(metadata.encode(), None);
}

#[test]
fn a_name_is_cut_after_31_bytes_and_not_inside_a_character() {
    let kept = |name: &str| {
        let mut metadata = minimal();
        metadata.name = name.to_owned();
        Metadata::parse(&metadata.encode().unwrap()).unwrap().name
    };
    assert_eq!(kept(&"n".repeat(31)), "n".repeat(31));
    assert_eq!(kept(&"n".repeat(32)), "n".repeat(31));
    assert_eq!(kept(&"n".repeat(300)), "n".repeat(31));
    assert_eq!(kept(&"ü".repeat(15)), "ü".repeat(15));
    assert_eq!(kept(&"ü".repeat(16)), "ü".repeat(15));
    assert_eq!(
        kept(&("n".to_owned() + &"ü".repeat(15))),
        "n".to_owned() + &"ü".repeat(15)
    );
}

#[track_caller]
fn refused(bytes: Vec<u8>, code: DeviceError) -> PackageError {
    let error = open(bytes).err().unwrap();
    assert_eq!(error.code(), code, "{error}");
    error
}

#[test]
fn files_that_are_no_packages() {
    for length in [0, 1, 63, 64, 67, 68, 75, 76, 99, 100, 108, 5000] {
        for byte in [0, 12, 0xFF] {
            let error = refused(
                vec![byte; length],
                DeviceError::IMAGE_UPDATE_IMAGE_STAGING_FAILED,
            );
            assert!(
                matches!(error, PackageError::NotAPackage),
                "{length} times {byte}"
            );
        }
    }
}

#[test]
fn a_wrong_length_word_leads_to_no_metadata() {
    let (file_system, metadata) = sample();
    let whole = (file_system.len() + metadata.len()) as u32;
    let length = metadata.len() as u32;
    let with_length = |value: u32| {
        let mut metadata = metadata.clone();
        let place = metadata.len() - 4;
        put_u32(&mut metadata, place, value);
        signed(&file_system, &metadata)
    };
    accept(with_length(length)).unwrap();
    for value in [0, 4, 11, length - 4, length + 1, whole, whole + 1, u32::MAX] {
        refused(
            with_length(value),
            DeviceError::IMAGE_UPDATE_IMAGE_STAGING_FAILED,
        );
    }
}

#[test]
fn the_block_has_a_limit() {
    let (file_system, metadata) = sample();
    let parsed = Metadata::parse(&metadata).unwrap();
    let with_length = |length: usize| {
        let mut metadata = parsed.clone();
        metadata.others = vec![Section {
            id: SectionId(*b"XY"),
            data: vec![1; length - 148 - 4],
        }];
        let block = metadata.encode().unwrap();
        assert_eq!(block.len(), length);
        signed(&file_system, &block)
    };
    accept(with_length(4096)).unwrap();
    let error = refused(
        with_length(4100),
        DeviceError::IMAGE_METADATA_INVALID_METADATA,
    );
    let length = 4100;
    assert!(matches!(error, PackageError::Metadata(e) if e == MetadataError::TooLong { length }));
}

#[test]
fn the_block_begins_on_a_word() {
    let (mut file_system, metadata) = sample();
    file_system.extend([0, 0]);
    let offset = file_system.len() as u64;
    let error = refused(
        signed(&file_system, &metadata),
        DeviceError::IMAGE_METADATA_INVALID_METADATA,
    );
    assert!(
        matches!(error, PackageError::Metadata(e) if e == MetadataError::Misaligned { offset })
    );
    // On a word, but not behind the file system: another error.
    file_system.extend([0, 0]);
    refused(
        signed(&file_system, &metadata),
        DeviceError::REST_UPDATE_INVALID_IMAGE,
    );
}

/// The sample with changed metadata.
fn changed(change: impl FnOnce(&mut Metadata)) -> Vec<u8> {
    let (file_system, block) = sample();
    let mut metadata = Metadata::parse(&block).unwrap();
    change(&mut metadata);
    signed(&file_system, &metadata.encode().unwrap())
}

#[test]
fn only_applications_with_an_id_are_opened() {
    accept(changed(|_| ())).unwrap();
    for number in (0..10).chain(11..=28).chain([0xFFFF]) {
        let bytes = changed(|metadata| metadata.image_type = ImageType(number));
        refused(bytes, DeviceError::REST_UPDATE_UNSUPPORTED_IMAGE_TYPE);
    }
    let bytes = changed(|metadata| metadata.component = policy::ComponentId::NIL);
    refused(bytes, DeviceError::IMAGE_UPDATE_INVALID_COMPONENT_ID);
    let compression = Some(Compression {
        uncompressed_size: 1,
        method: 1,
    });
    let bytes = changed(|metadata| metadata.compression = compression);
    refused(bytes, DeviceError::REST_UPDATE_INVALID_IMAGE);
}

#[test]
fn other_sections_do_not_keep_an_application_from_opening() {
    let package = accept(changed(|metadata| {
        metadata.security_version = Some(1);
        metadata.policy = Some(2);
        metadata.others = vec![
            Section {
                id: SectionId(*b"ZZ"),
                data: vec![1]
            };
            4
        ];
    }));
    assert_eq!(package.unwrap().metadata().others.len(), 4);
}

#[test]
fn types_have_names() {
    assert_eq!(ImageType::APPLICATION.to_string(), "10 (application)");
    assert_eq!(ImageType(11).to_string(), "11 (unknown)");
    assert_eq!(
        AbiType::APPLICATION_RUNTIME.to_string(),
        "ApplicationRuntime"
    );
    assert_eq!(AbiType(4).to_string(), "unknown type 4");
    assert_eq!(SectionId::DEBUG.to_string(), "DB");
    assert_eq!(SectionId([0, 0x1B]).to_string(), "001b");
    assert_eq!(
        signer().thumbprint().to_string(),
        "779715112b0c9a9cc3a3e4365f2df763954252c9"
    );
}
