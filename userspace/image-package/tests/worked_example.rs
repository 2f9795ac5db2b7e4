// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The published example of the format, field by field: same offsets, sizes and ids, other file contents.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod common;

use common::{crc32, open, signer, trusted};
use image_package::{Abi, Builder, ImageType, SigningType, TemporaryFlags};

const MANIFEST: [u8; 309] = [b'{'; 309];
const SIZE: usize = 20_692;

fn executable() -> Vec<u8> {
    b"\x7FELF"
        .iter()
        .copied()
        .chain((4..11_660u32).map(|at| (at % 251) as u8))
        .collect()
}

fn example() -> Vec<u8> {
    let component = "0e3d632e-03b1-48e7-a9c2-3f5063ad0870".parse().unwrap();
    let mut builder = Builder::new(component, "APP_AZURE_LINUX_HELLO").unwrap();
    builder
        .image("2b1494a2-6023-4d75-9e5c-418ad429fc67".parse().unwrap())
        .build_time(1_571_057_101)
        .temporary(TemporaryFlags::UNDER_DEVELOPMENT)
        .depends(&[Abi::application_runtime(3)]);
    builder
        .file("/bin/app", &executable(), true)
        .unwrap()
        .manifest(&MANIFEST)
        .unwrap();
    builder.build(&signer()).unwrap()
}

/// Compares the bytes at an offset, written as in a hexadecimal dump.
#[track_caller]
fn check(bytes: &[u8], offset: usize, expected: &str) {
    let expected: Vec<u8> = expected
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    assert_eq!(
        bytes[offset..offset + expected.len()],
        expected,
        "at {offset:#x}"
    );
}

#[track_caller]
fn check_zeros(bytes: &[u8], from: usize, to: usize) {
    assert!(
        bytes[from..to].iter().all(|&byte| byte == 0),
        "{from:#x}..{to:#x}"
    );
}

#[test]
fn every_field_of_the_file_system_is_in_its_place() {
    let bytes = example();
    assert_eq!(bytes.len(), SIZE);
    check(
        &bytes,
        0x00,
        "45 3D CD 28  00 50 00 00  03 00 00 00  00 00 00 00",
    );
    assert_eq!(&bytes[0x10..0x20], b"Compressed ROMFS");
    let mut file_system = bytes[..0x5000].to_vec();
    file_system[0x20..0x24].fill(0);
    assert_eq!(bytes[0x20..0x24], crc32(&file_system).to_le_bytes());
    check_zeros(&bytes, 0x24, 0x2C);
    check(&bytes, 0x2C, "04 00 00 00");
    assert_eq!(&bytes[0x30..0x40], b"Compressed\0\0\0\0\0\0");
    check(&bytes, 0x40, "ED 41 00 00  30 00 00 00  C0 04 00 00");
    check(&bytes, 0x4C, "A4 83 00 00  35 01 00 00  05 00 01 00");
    assert_eq!(&bytes[0x58..0x6C], b"app_manifest.json\0\0\0");
    check(&bytes, 0x6C, "ED 41 00 00  10 00 00 00  C1 07 00 00");
    assert_eq!(&bytes[0x78..0x7C], b"bin\0");
    check(&bytes, 0x7C, "ED 83 00 00  8C 2D 00 00  01 00 02 00");
    assert_eq!(&bytes[0x88..0x8C], b"app\0");
    check_zeros(&bytes, 0x8C, 0x1000);
    assert_eq!(bytes[0x1000..0x1000 + 309], MANIFEST);
    check_zeros(&bytes, 0x1000 + 309, 0x2000);
    assert_eq!(bytes[0x2000..0x2000 + 11_660], executable());
    check_zeros(&bytes, 0x2000 + 11_660, 0x5000);
}

#[test]
fn every_field_of_the_metadata_is_in_its_place() {
    let bytes = example();
    check(&bytes, 0x5000, "34 58 34 4D  05 00 00 00");
    check(&bytes, 0x5008, "49 44 24 00  0A 00 00 00");
    check(
        &bytes,
        0x5010,
        "2E 63 3D 0E B1 03 E7 48 A9 C2 3F 50 63 AD 08 70",
    );
    check(
        &bytes,
        0x5020,
        "A2 94 14 2B 23 60 75 4D 9E 5C 41 8A D4 29 FC 67",
    );
    check(&bytes, 0x5030, "53 47 18 00");
    assert_eq!(bytes[0x5034..0x5048], signer().thumbprint().0);
    check(&bytes, 0x5048, "01 00 00 00");
    check(&bytes, 0x504C, "44 42 28 00  CD 6D A4 5D 00 00 00 00");
    assert_eq!(
        &bytes[0x5058..0x5078],
        b"APP_AZURE_LINUX_HELLO\0\0\0\0\0\0\0\0\0\0\0"
    );
    check(&bytes, 0x5078, "54 50 04 00  02 00 00 00");
    check(
        &bytes,
        0x5080,
        "4E 44 0C 00  01 00 00 00  03 00 00 00  03 00 00 00",
    );
    check(&bytes, 0x5090, "94 00 00 00");
    assert_eq!(bytes.len() - 0x5094, 64);
}

#[test]
fn the_example_is_read_back() {
    let mut package = open(example()).unwrap();
    let verified = package.verify(&trusted()).unwrap();
    assert_eq!(verified, package.verify_in_place(&trusted()).unwrap());
    assert_eq!(verified.file_system_size(), 0x5000);
    assert_eq!(
        verified.image().to_string(),
        "2b1494a2-6023-4d75-9e5c-418ad429fc67"
    );
    assert_eq!(verified.temporary(), TemporaryFlags::UNDER_DEVELOPMENT);
    assert_eq!(
        (package.file_system_size(), package.size()),
        (0x5000, SIZE as u64)
    );
    assert_eq!(package.signature().len(), 64);

    let metadata = package.metadata();
    assert_eq!(metadata.image_type, ImageType::APPLICATION);
    assert_eq!(
        metadata.component.to_string(),
        "0e3d632e-03b1-48e7-a9c2-3f5063ad0870"
    );
    assert_eq!(metadata.image, verified.image());
    assert_eq!(metadata.thumbprint, signer().thumbprint());
    assert_eq!(metadata.signing_type, SigningType::EcdsaP256);
    assert_eq!(metadata.build_time, 1_571_057_101);
    assert_eq!(metadata.name, "APP_AZURE_LINUX_HELLO");
    assert_eq!(metadata.depends, [Abi::application_runtime(3)]);

    let listing: Vec<_> = package
        .entries()
        .map(|entry| (entry.path(), entry.mode(), entry.size(), entry.offset()))
        .collect();
    let expected = [
        ("app_manifest.json".to_owned(), 0o101_644, 309, 4096),
        ("bin".to_owned(), 0o040_755, 16, 124),
        ("bin/app".to_owned(), 0o101_755, 11_660, 8192),
    ];
    assert_eq!(listing, expected);
    assert_eq!(
        package.read_file("app_manifest.json", 309).unwrap(),
        MANIFEST
    );
    assert_eq!(
        package.read_file("/bin/app", u32::MAX).unwrap(),
        executable()
    );
    let mut copied = Vec::new();
    package.copy_file("bin/app", &mut copied).unwrap();
    assert_eq!(copied, executable());
}

#[test]
fn only_the_signature_differs_between_two_builds() {
    let (first, second) = (example(), example());
    assert_eq!(first[..SIZE - 64], second[..SIZE - 64]);
}
