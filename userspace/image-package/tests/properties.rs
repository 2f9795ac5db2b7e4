// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Properties of all packages: what is built is read back, and what is changed is refused.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{SAMPLE_SIZE, accept, builder, fix_crc, open, sample, signed, signer, trusted};
use image_package::{Abi, AbiType, Builder, Metadata, PublicKey, TemporaryFlags};
use proptest::prelude::*;

/// Up to twelve files with paths of up to four parts, some of them on the edges of pages.
fn files() -> impl Strategy<Value = BTreeMap<String, (Vec<u8>, bool)>> {
    let part = prop_oneof!["[a-d]", "[a-zA-Z0-9_. -]{1,12}", "[ü-ÿ]{1,4}"];
    let path = prop::collection::vec(part, 1..=4).prop_map(|parts| parts.join("/"));
    let size = prop_oneof![0..20usize, 4090..4100usize, 8191..8194usize];
    let bytes = (size, any::<u8>()).prop_map(|(size, seed)| {
        (0..size)
            .map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed))
            .collect::<Vec<u8>>()
    });
    prop::collection::btree_map(path, (bytes, any::<bool>()), 0..12)
}

/// The files that a builder accepts, added to it: some paths are not allowed or in each other's way.
fn add(
    builder: &mut Builder,
    files: BTreeMap<String, (Vec<u8>, bool)>,
) -> BTreeMap<String, (Vec<u8>, bool)> {
    builder.manifest(b"{}").unwrap();
    let mut added = BTreeMap::from([("app_manifest.json".to_owned(), (b"{}".to_vec(), false))]);
    for (path, (bytes, executable)) in files {
        if builder.file(&path, &bytes, executable).is_ok() {
            added.insert(path, (bytes, executable));
        }
    }
    added
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_read_back(
        files in files(),
        name in "[ -~]{1,40}",
        build_time in any::<u64>(),
        flags in 0u32..4,
        abis in prop::collection::vec((any::<u32>(), 0u32..5), 0..5),
    ) {
        let component = policy::ComponentId::from_bytes([7; 16]);
        let mut builder = Builder::new(component, &name).unwrap();
        let depends: Vec<Abi> =
            abis.iter().map(|&(version, kind)| Abi { version, kind: AbiType(kind) }).collect();
        builder.build_time(build_time).temporary(TemporaryFlags(flags)).depends(&depends);
        let added = add(&mut builder, files);
        let mut package = accept(builder.build(&signer()).unwrap()).unwrap();

        let metadata = package.metadata();
        prop_assert_eq!(metadata.component, component);
        prop_assert_eq!(&metadata.name, &name[..name.len().min(31)]);
        prop_assert_eq!(metadata.build_time, build_time);
        prop_assert_eq!(metadata.temporary, TemporaryFlags(flags));
        prop_assert_eq!(&metadata.depends, &depends);

        let found: BTreeMap<String, bool> = package
            .entries()
            .filter(|entry| !entry.is_directory())
            .map(|entry| (entry.path(), entry.is_executable()))
            .collect();
        let expected: BTreeMap<String, bool> =
            added.iter().map(|(path, (_, executable))| (path.clone(), *executable)).collect();
        prop_assert_eq!(found, expected);
        let directory = tempfile::tempdir().unwrap();
        package.extract(directory.path()).unwrap();
        for (path, (bytes, _)) in &added {
            prop_assert_eq!(&package.read_file(path, u32::MAX).unwrap(), bytes);
            prop_assert_eq!(&fs::read(directory.path().join(path)).unwrap(), bytes);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn packages_with_several_changes_are_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 1..8),
    ) {
        let (file_system, metadata) = sample();
        let original = signed(&file_system, &metadata);
        let mut bytes = original.clone();
        for (place, difference) in changes {
            let place = place.index(bytes.len());
            bytes[place] ^= difference;
        }
        prop_assume!(bytes != original);
        prop_assert!(accept(bytes).is_err());
    }

    #[test]
    fn signed_nonsense_in_the_tables_is_refused_or_read_safely(
        changes in prop::collection::vec((64..140usize, any::<u8>()), 1..6),
    ) {
        // A trusted signer does not make a malformed file system safe.
        let (mut file_system, metadata) = sample();
        for (place, value) in changes {
            file_system[place] = value;
        }
        fix_crc(&mut file_system);
        if let Ok(mut package) = open(signed(&file_system, &metadata)) {
            let _: image_package::Verified = package.verify(&trusted()).unwrap();
            let paths: Vec<String> = package
                .entries()
                .filter(|entry| !entry.is_directory())
                .map(|entry| {
                    assert!(u64::from(entry.offset()) + u64::from(entry.size()) <= SAMPLE_SIZE as u64 || entry.size() == 0);
                    entry.path()
                })
                .collect();
            for path in paths {
                package.read_file(&path, u32::MAX).unwrap();
            }
        }
    }

    #[test]
    fn signed_nonsense_in_the_metadata_is_refused_or_read_safely(
        changes in prop::collection::vec((8..144usize, any::<u8>()), 1..6),
    ) {
        let (file_system, mut metadata) = sample();
        for (place, value) in changes {
            metadata[place] = value;
        }
        if let Ok(package) = open(signed(&file_system, &metadata)) {
            prop_assert_eq!(&Metadata::parse(&metadata).unwrap(), package.metadata());
        }
    }

    #[test]
    fn any_block_is_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut block = b"4X4M".to_vec();
        block.extend(bytes);
        block.extend((block.len() as u32 + 4).to_le_bytes());
        if let Ok(metadata) = Metadata::parse(&block) {
            prop_assert!(metadata.encode().is_some());
        }
    }

    #[test]
    fn a_changed_certificate_gives_another_key_or_the_same(place in any::<prop::sample::Index>(), value in any::<u8>()) {
        let signer = signer();
        let mut der = signer.certificate().to_vec();
        let place = place.index(der.len());
        der[place] = value;
        if let Ok(key) = PublicKey::from_certificate(&der) {
            let same = key == PublicKey::from_certificate(signer.certificate()).unwrap();
            let inside_the_point = der.windows(key.point().len()).position(|window| window == key.point());
            prop_assert!(same || inside_the_point.is_some());
        }
    }
}

#[test]
fn a_package_with_one_changed_byte_is_refused() {
    let (file_system, metadata) = sample();
    let mut bytes = signed(&file_system, &metadata);
    accept(bytes.clone()).unwrap();
    for position in 0..bytes.len() {
        // Data pages have only the checksum and the signature to protect them: some of their bytes will do.
        if (200..SAMPLE_SIZE).contains(&position) && position % 13 != 0 {
            continue;
        }
        for difference in [1, 0x80, 0xFF] {
            bytes[position] ^= difference;
            assert!(
                accept(bytes.clone()).is_err(),
                "byte {position} changed by {difference:#x}"
            );
            bytes[position] ^= difference;
        }
    }
    accept(bytes).unwrap();
}

#[test]
fn a_package_that_is_cut_off_is_refused() {
    let (file_system, metadata) = sample();
    let bytes = signed(&file_system, &metadata);
    for length in 0..bytes.len() {
        assert!(open(bytes[..length].to_vec()).is_err(), "{length} bytes");
    }
    for start in 1..200 {
        assert!(accept(bytes[start..].to_vec()).is_err(), "from {start}");
    }
}

#[test]
fn a_package_with_more_behind_it_is_refused() {
    let (file_system, metadata) = sample();
    let bytes = signed(&file_system, &metadata);
    for count in 1..=256 {
        for value in [0, 0xFF] {
            let mut bytes = bytes.clone();
            bytes.resize(bytes.len() + count, value);
            // 32 bytes more could be a P-384 signature, but the metadata says P-256.
            assert!(open(bytes).is_err(), "{count} more");
        }
    }
}

#[test]
fn a_package_inside_another_is_not_seen() {
    let (file_system, metadata) = sample();
    let inner = signed(&file_system, &metadata);
    let mut builder = builder();
    builder
        .manifest(b"{}")
        .unwrap()
        .file("inner.imagepackage", &inner, false)
        .unwrap();
    let mut outer = accept(builder.build(&signer()).unwrap()).unwrap();
    assert_eq!(outer.entries().count(), 2);
    assert_eq!(
        outer.read_file("inner.imagepackage", u32::MAX).unwrap(),
        inner
    );
}
