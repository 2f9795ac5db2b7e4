// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is done with an input of the fuzz target `image_package`, and with its corpus in an ordinary test.

use std::collections::BTreeSet;
use std::io::Cursor;

use image_package::{
    ImagePackage, Metadata, PublicKey, Signer, TrustStore, certificate_from_pem, limits,
};

/// Reads an input as all that this crate reads, and panics if a promise of its interface is broken.
pub fn run(input: &[u8]) {
    read_package(input);
    if let Some(repaired) = with_right_checksum(input) {
        read_package(&repaired);
    }
    if let Ok(metadata) = Metadata::parse(input) {
        check_metadata(&metadata);
    }
    if let Ok(key) = PublicKey::from_certificate(input) {
        assert!(
            input
                .windows(key.point().len())
                .any(|window| window == key.point())
        );
    }
    if let Ok(text) = std::str::from_utf8(input) {
        if let Ok(der) = certificate_from_pem(text) {
            drop(PublicKey::from_certificate(&der));
        }
        drop(Signer::from_pem(text, CERTIFICATE));
        drop(Signer::from_pem(KEY, text));
    }
}

const KEY: &str = include_str!("../../image-package/keys/development-signing.key.pem");
const CERTIFICATE: &str = include_str!("../../image-package/keys/development-signing.crt.pem");

/// Opens a package and checks what a user relies on.
fn read_package(bytes: &[u8]) {
    let mut package = match ImagePackage::open(Cursor::new(bytes)) {
        Ok(package) => package,
        Err(error) => {
            assert_ne!(error.code().category(), 0);
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(package.size(), bytes.len() as u64);
    assert!(package.file_system_size() < package.size());
    check_metadata(package.metadata());

    let files: Vec<(String, bool, u32)> = package
        .entries()
        .map(|entry| {
            let end = u64::from(entry.offset()) + u64::from(entry.size());
            assert!(entry.size() == 0 || end <= package.file_system_size());
            assert_eq!(
                package.find(&entry.path()).map(|found| found.offset()),
                Some(entry.offset())
            );
            (entry.path(), entry.is_directory(), entry.size())
        })
        .collect();
    assert!(files.len() < limits::MAXIMUM_INODES);
    let paths: BTreeSet<&String> = files.iter().map(|(path, ..)| path).collect();
    assert_eq!(paths.len(), files.len(), "a path is there twice");
    for (path, is_directory, size) in &files {
        assert!(path.split('/').all(|name| !["", ".", ".."].contains(&name)));
        let read = package.read_file(path, limits::MAXIMUM_FILE_SIZE);
        match read {
            Ok(content) => assert_eq!(content.len() as u64, u64::from(*size)),
            Err(_) => assert!(is_directory),
        }
    }

    let signer = certificate_from_pem(CERTIFICATE).and_then(|certificate| {
        let mut trusted = TrustStore::new();
        trusted.add_certificate(&certificate).map(|_| trusted)
    });
    if let Ok(trusted) = signer {
        let streamed = package.verify(&trusted).is_ok();
        assert_eq!(streamed, package.verify_in_place(&trusted).is_ok());
    }
}

/// What was read can be written, and reads the same again, names aside.
fn check_metadata(metadata: &Metadata) {
    assert!(!metadata.name.chars().any(char::is_control));
    let Some(block) = metadata.encode() else {
        panic!("sections that were read cannot be written");
    };
    let mut again = match Metadata::parse(&block) {
        Ok(again) => again,
        Err(error) => panic!("metadata that was written cannot be read: {error}"),
    };
    again.name.clone_from(&metadata.name);
    assert_eq!(&again, metadata);
}

/// A copy whose checksum is right, so that the fuzzer need not find it.
fn with_right_checksum(input: &[u8]) -> Option<Vec<u8>> {
    let size = u32::from_le_bytes(input.get(4..8)?.try_into().ok()?);
    let mut copy = input.to_vec();
    let file_system = copy.get_mut(..usize::try_from(size).ok()?)?;
    file_system.get_mut(32..36)?.fill(0);
    let mut crc = u32::MAX;
    for byte in &*file_system {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    file_system
        .get_mut(32..36)?
        .copy_from_slice(&(!crc).to_le_bytes());
    Some(copy)
}
