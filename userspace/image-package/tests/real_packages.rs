// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Published packages, which are not part of this repository: all in the directory that the environment
//! variable `NACRE_REAL_PACKAGES` names.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

use std::fs::{self, File};
use std::path::PathBuf;

use image_package::{AbiType, ImagePackage, Metadata, PublicKey, Thumbprint, TrustStore};

/// The public key of the certificate "Azure Sphere SDK Test", which signs all published development packages.
const X: [u8; 32] = hex(b"edf233c00d31141d8f3f56334340ccd8c169fb67e2ec564bf8a5ef586b1c3f7b");
const Y: [u8; 32] = hex(b"c188ca208701e6d7c7756a132638fe98c9a02007403de5c422e6a7e826a4bd24");
/// Its thumbprint.
const THUMBPRINT: [u8; 20] = hex(b"a8d5cc6958f48710140d7a26160fc1cfc31f5df0");

const fn digit(character: u8) -> u8 {
    match character {
        b'0'..=b'9' => character - b'0',
        b'a'..=b'f' => character - b'a' + 10,
        _ => panic!("not a hexadecimal digit"),
    }
}

const fn hex<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut index = 0;
    while index < N {
        bytes[index] = digit(text[2 * index]) << 4 | digit(text[2 * index + 1]);
        index += 1;
    }
    bytes
}

fn packages() -> Vec<PathBuf> {
    let Some(directory) = std::env::var_os("NACRE_REAL_PACKAGES") else {
        println!("skipped: NACRE_REAL_PACKAGES is not set");
        return Vec::new();
    };
    let mut packages: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|it| it == "imagepackage" || it == "image")
        })
        .collect();
    packages.sort();
    assert!(
        !packages.is_empty(),
        "NACRE_REAL_PACKAGES has no *.imagepackage and no *.image"
    );
    packages
}

#[test]
fn published_packages_are_read_verified_and_written_again() {
    let mut trusted = TrustStore::new();
    trusted.add_public_key(Thumbprint(THUMBPRINT), PublicKey::p256(&X, &Y));
    for path in packages() {
        let bytes = fs::read(&path).unwrap();
        let mut package = ImagePackage::open(File::open(&path).unwrap()).unwrap();
        let verified = package.verify(&trusted).unwrap();
        assert_eq!(verified.thumbprint(), Thumbprint(THUMBPRINT));
        let size = verified.file_system_size() as usize;

        let metadata = package.metadata().clone();
        assert_eq!(
            Metadata::parse(&bytes[size..bytes.len() - 64]).unwrap(),
            metadata
        );
        assert_eq!(
            metadata.encode().unwrap(),
            bytes[size..bytes.len() - 64],
            "{}",
            path.display()
        );
        assert_eq!(metadata.depends.len(), 1);
        assert_eq!(metadata.depends[0].kind, AbiType::APPLICATION_RUNTIME);
        assert!(metadata.temporary.under_development());

        let paths: Vec<String> = package.entries().map(|entry| entry.path()).collect();
        assert_eq!(paths, ["app_manifest.json", "bin", "bin/app"]);
        let manifest = package.read_file("app_manifest.json", 65_536).unwrap();
        assert!(manifest.starts_with(b"{"));
        let executable = package.read_file("bin/app", u32::MAX).unwrap();

        // The same files make the same file system, byte for byte.
        let mut builder = image_package::Builder::new(metadata.component, &metadata.name).unwrap();
        builder
            .manifest(&manifest)
            .unwrap()
            .file("bin/app", &executable, true)
            .unwrap();
        let key = include_str!("../keys/development-signing.key.pem");
        let certificate = include_str!("../keys/development-signing.crt.pem");
        let signer = image_package::Signer::from_pem(key, certificate).unwrap();
        builder
            .image(metadata.image)
            .build_time(metadata.build_time)
            .depends(&metadata.depends);
        let mut ours = builder.unsigned(&signer).unwrap();
        let place = size + 52;
        ours[place..place + 20].copy_from_slice(&THUMBPRINT);
        assert_eq!(ours, bytes[..bytes.len() - 64], "{}", path.display());

        let mut changed = bytes.clone();
        changed[5000] ^= 1;
        assert!(ImagePackage::open(std::io::Cursor::new(changed)).is_err());
        println!(
            "{}: {} ({})",
            path.display(),
            metadata.name,
            metadata.component
        );
    }
}
