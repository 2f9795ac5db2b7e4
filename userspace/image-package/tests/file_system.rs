// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Every way in which a file system is refused, each with a twin that is allowed.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod common;

use common::{
    APP_INODE, BIN_INODE, MANIFEST_INODE, ROOT, Raw, SAMPLE_SIZE, accept, fix_crc, inode, name,
    put, put_u32, raw_package, sample, signed,
};
use image_package::{FileSystemError, PackageError};
use policy::DeviceError;

/// Edits the sample's file system, corrects its checksum, signs it and opens it.
fn edited(edit: impl FnOnce(&mut Vec<u8>)) -> Result<(), PackageError> {
    let (mut file_system, metadata) = sample();
    edit(&mut file_system);
    fix_crc(&mut file_system);
    accept(signed(&file_system, &metadata)).map(drop)
}

#[track_caller]
fn refused(edit: impl FnOnce(&mut Vec<u8>)) -> FileSystemError {
    file_system_error(edited(edit))
}

#[track_caller]
fn allowed(edit: impl FnOnce(&mut Vec<u8>)) {
    edited(edit).unwrap();
}

#[track_caller]
fn file_system_error(result: Result<(), PackageError>) -> FileSystemError {
    match result {
        Err(PackageError::FileSystem(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn raw_refused(entries: &[(Vec<u8>, Raw)]) -> FileSystemError {
    file_system_error(accept(raw_package(entries)).map(drop))
}

#[track_caller]
fn raw_allowed(entries: &[(Vec<u8>, Raw)]) {
    accept(raw_package(entries)).unwrap();
}

fn file() -> Raw {
    Raw::File(vec![1])
}

#[test]
fn fixed_fields_of_the_superblock() {
    allowed(|_| ());
    for (offset, field) in [
        (0, "magic"),
        (8, "flags field"),
        (12, "reserved field"),
        (16, "signature text"),
    ] {
        assert_eq!(
            refused(|bytes| bytes[offset] ^= 0x40),
            FileSystemError::Superblock { field }
        );
    }
    for flag in [0x100, 0x200, 0x400, 0x800, 0x8000_0000] {
        let error = refused(|bytes| put_u32(bytes, 8, 3 | flag));
        assert_eq!(
            error,
            FileSystemError::Superblock {
                field: "flags field"
            }
        );
    }
}

#[test]
fn fields_without_a_meaning_do_not_matter() {
    allowed(|bytes| put(bytes, 36, &[0xFF; 8]));
    allowed(|bytes| put(bytes, 48, b"any volume name!"));
}

#[test]
fn size_of_the_file_system() {
    allowed(|bytes| put_u32(bytes, 4, SAMPLE_SIZE as u32));
    for size in [
        0,
        4096,
        SAMPLE_SIZE as u32 - 1,
        SAMPLE_SIZE as u32 + 4096,
        u32::MAX,
    ] {
        let actual = SAMPLE_SIZE as u64;
        assert_eq!(
            refused(|bytes| put_u32(bytes, 4, size)),
            FileSystemError::Size { size, actual }
        );
    }
    // Another packer adds a page behind a file that fills its pages.
    allowed(|bytes| {
        bytes.resize(SAMPLE_SIZE + 4096, 0);
        put_u32(bytes, 4, SAMPLE_SIZE as u32 + 4096);
    });
    let size = SAMPLE_SIZE as u32 + 4;
    let error = refused(|bytes| {
        bytes.resize(size as usize, 0);
        put_u32(bytes, 4, size);
    });
    assert_eq!(
        error,
        FileSystemError::Size {
            size,
            actual: size.into()
        }
    );
}

#[test]
fn a_file_system_without_room_for_a_superblock() {
    for length in [0, 4, 72] {
        assert_eq!(
            refused(|bytes| bytes.truncate(length)),
            FileSystemError::Superblock { field: "length" }
        );
    }
    raw_allowed(&[]);
}

#[test]
fn checksum() {
    let (mut file_system, metadata) = sample();
    accept(signed(&file_system, &metadata)).unwrap();
    file_system[32] ^= 1;
    let error = file_system_error(accept(signed(&file_system, &metadata)).map(drop));
    assert!(
        matches!(error, FileSystemError::Checksum { stored, computed } if stored == computed ^ 1)
    );
    file_system[32] ^= 1;
    for position in [36, 2000, 4096, SAMPLE_SIZE - 1] {
        file_system[position] ^= 1;
        let error = file_system_error(accept(signed(&file_system, &metadata)).map(drop));
        assert!(
            matches!(error, FileSystemError::Checksum { .. }),
            "{position}"
        );
        file_system[position] ^= 1;
    }
}

#[test]
fn number_of_inodes() {
    allowed(|bytes| put_u32(bytes, 44, 4));
    for stored in [0, 3, 5, u32::MAX] {
        let error = refused(|bytes| put_u32(bytes, 44, stored));
        assert_eq!(error, FileSystemError::InodeCount { stored, found: 4 });
    }
}

#[test]
fn root_inode() {
    let with_mode = |mode: u16| move |bytes: &mut Vec<u8>| put(bytes, ROOT, &mode.to_le_bytes());
    allowed(with_mode(0o040_700));
    for mode in [
        0o101_755, 0o120_777, 0o020_666, 0o044_755, 0o042_755, 0o041_755,
    ] {
        assert_eq!(
            refused(with_mode(mode)),
            FileSystemError::Root { field: "mode" }
        );
    }
    for (offset, field) in [(2, "owner"), (7, "owner"), (8, "name length")] {
        assert_eq!(
            refused(|bytes| bytes[ROOT + offset] ^= 1),
            FileSystemError::Root { field }
        );
    }
    for offset in [0, 64, 80, 512 + 76] {
        let error = refused(|bytes| put(bytes, ROOT, &inode(0o040_755, 48, 0, offset)));
        assert_eq!(error, FileSystemError::Root { field: "offset" });
    }
}

/// The second file of a package, with these numbers.
fn beside_a_file(mode: u16, size: u32, offset: u32) -> Vec<(Vec<u8>, Raw)> {
    vec![
        (name("a"), file()),
        (name("b"), Raw::Inode { mode, size, offset }),
    ]
}

#[test]
fn only_directories_and_regular_files() {
    raw_allowed(&beside_a_file(0o101_644, 0, 0));
    raw_allowed(&beside_a_file(0o040_755, 0, 0));
    // A FIFO, a character device, a block device, a symbolic link, a socket, and types that do not exist.
    for mode in [
        0o010_644, 0o020_666, 0o060_660, 0o120_777, 0o140_755, 0o000_644, 0o030_644, 0o170_644,
    ] {
        for sticky in [0, 0o1000] {
            let mode = mode | sticky;
            let error = raw_refused(&beside_a_file(mode, 0x501, 0));
            assert_eq!(
                error,
                FileSystemError::FileType {
                    path: "b".into(),
                    mode
                }
            );
            assert_eq!(error.code(), DeviceError::REST_UPDATE_INVALID_IMAGE);
        }
    }
}

#[test]
fn mode_bits() {
    for mode in [0o101_000, 0o101_777, 0o101_755, 0o040_000, 0o040_777] {
        raw_allowed(&beside_a_file(mode, 0, 0));
    }
    for mode in [
        0o105_755, 0o103_755, 0o107_755, 0o044_755, 0o042_755, 0o041_755,
    ] {
        let error = raw_refused(&beside_a_file(mode, 0, 0));
        assert_eq!(
            error,
            FileSystemError::ModeBits {
                path: "b".into(),
                mode
            }
        );
    }
    for mode in [0o100_644, 0o100_755] {
        let error = raw_refused(&beside_a_file(mode, 0, 0));
        assert_eq!(
            error,
            FileSystemError::NotInPlace {
                path: "b".into(),
                mode
            }
        );
    }
}

#[test]
fn owners() {
    for (place, path) in [
        (MANIFEST_INODE, "app_manifest.json"),
        (BIN_INODE, "bin"),
        (APP_INODE, "bin/app"),
    ] {
        let path = path.to_owned();
        let error = refused(|bytes| put(bytes, place + 2, &[0xE8, 3]));
        assert_eq!(
            error,
            FileSystemError::Owner {
                path: path.clone(),
                user: 1000,
                group: 0
            }
        );
        let error = refused(|bytes| bytes[place + 7] = 100);
        assert_eq!(
            error,
            FileSystemError::Owner {
                path,
                user: 0,
                group: 100
            }
        );
    }
}

#[test]
fn tables_that_are_cut_off() {
    let with_size = |size: u8| move |bytes: &mut Vec<u8>| bytes[BIN_INODE + 4] = size;
    allowed(with_size(16));
    for size in [1, 3, 4, 11, 12, 15] {
        assert_eq!(
            refused(with_size(size)),
            FileSystemError::Table { path: "bin".into() }
        );
    }
    // Zeros behind the table are an entry without a name.
    for size in [28, 32] {
        assert_eq!(
            refused(with_size(size)),
            FileSystemError::Name { path: "bin".into() }
        );
    }
    let error = refused(|bytes| bytes[ROOT + 4] -= 4);
    assert_eq!(error, FileSystemError::Table { path: "/".into() });
}

#[test]
fn names() {
    for good in ["a", "four", ".profile", "..a", "a b", "ü"] {
        raw_allowed(&[(name(good), file())]);
    }
    raw_allowed(&[(vec![b'n'; 252], file())]);
    let long_padding = name("bin\0\0\0\0\0");
    let bad: [&[u8]; 12] = [
        b"",
        b".",
        b"..",
        b"a/b",
        b"/",
        b"../a",
        b"a\0b",
        b"\0a",
        b"a\nb",
        b"\x7F",
        b"\xFF",
        &long_padding,
    ];
    for bad in bad {
        let error = raw_refused(&[(bad.to_vec(), file())]);
        assert_eq!(error, FileSystemError::Name { path: "/".into() }, "{bad:?}");
    }
}

#[test]
fn names_rise() {
    raw_allowed(&[
        (name("B"), file()),
        (name("a"), file()),
        (name("aa"), file()),
        (name("b"), file()),
    ]);
    for (first, second) in [("b", "a"), ("aa", "a"), ("a", "a"), ("a", "B"), ("ü", "z")] {
        let error = raw_refused(&[(name(first), file()), (name(second), file())]);
        assert_eq!(
            error,
            FileSystemError::Order {
                path: second.into()
            }
        );
    }
    // The order is that of one directory, not of the whole package.
    let below = Raw::Directory(vec![(name("a"), file())]);
    raw_allowed(&[(name("b"), below), (name("c"), file())]);
}

/// Directories inside each other, the innermost with a file.
fn nested(levels: usize, part: &str) -> Vec<(Vec<u8>, Raw)> {
    let inner = vec![(name("f"), file())];
    (1..levels).fold(inner, |inner, _| vec![(name(part), Raw::Directory(inner))])
}

#[test]
fn depth() {
    raw_allowed(&nested(16, "d"));
    let error = raw_refused(&nested(17, "d"));
    assert_eq!(
        error,
        FileSystemError::TooDeep {
            path: "d/".repeat(16) + "f"
        }
    );
}

#[test]
fn length_of_a_path() {
    // Four directories with names of 252 bytes and their slashes, and a file name of the rest.
    let inside = |length| {
        let last = vec![(vec![b'f'; length], file())];
        (0..4).fold(last, |inner, _| {
            vec![(vec![b'd'; 252], Raw::Directory(inner))]
        })
    };
    raw_allowed(&inside(1023 - 4 * 253));
    let error = raw_refused(&inside(1024 - 4 * 253));
    assert!(
        matches!(error, FileSystemError::PathTooLong { .. }),
        "{error}"
    );
}

/// Empty files whose names have four characters.
fn empty_files(count: usize) -> Vec<(Vec<u8>, Raw)> {
    (0..count)
        .map(|index| (name(&format!("{index:04}")), Raw::File(Vec::new())))
        .collect()
}

#[test]
fn number_of_files() {
    raw_allowed(&empty_files(1023));
    assert_eq!(
        raw_refused(&empty_files(1024)),
        FileSystemError::TooManyInodes
    );
}

#[test]
fn bytes_of_the_tables() {
    let files = |count: usize, length: usize| -> Vec<(Vec<u8>, Raw)> {
        (0..count)
            .map(|index| (name(&format!("{index:0length$}")), Raw::File(Vec::new())))
            .collect()
    };
    raw_allowed(&files(256, 244));
    let two = vec![
        (name("a"), Raw::Directory(files(128, 244))),
        (name("b"), Raw::Directory(files(127, 244))),
    ];
    raw_allowed(&two);
    assert_eq!(
        raw_refused(&files(257, 244)),
        FileSystemError::TablesTooLarge
    );
    let two = vec![
        (name("a"), Raw::Directory(files(128, 244))),
        (name("b"), Raw::Directory(files(128, 244))),
    ];
    assert_eq!(raw_refused(&two), FileSystemError::TablesTooLarge);
}

#[test]
fn file_data_begins_on_a_page() {
    let at =
        |offset| move |bytes: &mut Vec<u8>| put(bytes, APP_INODE, &inode(0o101_755, 4, 4, offset));
    allowed(at(8192));
    for offset in [4, 8196, 8192 + 4092] {
        assert_eq!(
            refused(at(offset)),
            FileSystemError::Alignment {
                path: "bin/app".into(),
                offset
            }
        );
    }
}

#[test]
fn data_lies_inside_the_file_system() {
    let file_at = |offset, size| {
        move |bytes: &mut Vec<u8>| put(bytes, APP_INODE, &inode(0o101_755, size, 4, offset))
    };
    allowed(file_at(8192, 4096));
    for (offset, size) in [
        (8192, 4097),
        (8192, 0xFF_FFFF),
        (12288, 1),
        (0x0FFF_F000, 1),
    ] {
        let path = "bin/app".to_owned();
        let error = refused(file_at(offset, size));
        assert_eq!(error, FileSystemError::OutOfBounds { path, offset, size });
        assert_eq!(
            error.code(),
            DeviceError::IMAGE_UPDATE_XIP_ADDRESS_FOR_IMAGE_OUT_OF_BOUNDS
        );
    }
    // A directory whose table is the last bytes of the last page, which no file uses.
    let table_at = |offset: u32| {
        move |bytes: &mut Vec<u8>| {
            let table = bytes[APP_INODE..APP_INODE + 16].to_vec();
            bytes.resize(SAMPLE_SIZE + 4096, 0);
            put_u32(bytes, 4, SAMPLE_SIZE as u32 + 4096);
            put(bytes, BIN_INODE, &inode(0o040_755, 16, 4, offset));
            if let Some(place) = bytes.get_mut(offset as usize..offset as usize + 16) {
                place.copy_from_slice(&table);
            }
        }
    };
    allowed(table_at(SAMPLE_SIZE as u32 + 4096 - 16));
    for offset in [
        SAMPLE_SIZE as u32 + 4096 - 12,
        SAMPLE_SIZE as u32 + 4096,
        0x0FFF_FFFC,
    ] {
        let path = "bin".to_owned();
        assert_eq!(
            refused(table_at(offset)),
            FileSystemError::OutOfBounds {
                path,
                offset,
                size: 16
            }
        );
    }
}

#[test]
fn data_without_a_size_has_no_place() {
    for mode in [0o101_644, 0o040_755] {
        for offset in [0, 4, 4096, 0x0FFF_FFFC] {
            raw_allowed(&beside_a_file(mode, 0, offset));
        }
    }
}

#[test]
fn data_overlaps_nothing() {
    let file_at = |offset, size| {
        move |bytes: &mut Vec<u8>| put(bytes, APP_INODE, &inode(0o101_755, size, 4, offset))
    };
    // On the superblock and the tables, on the manifest, and from the manifest's page into the next.
    for (offset, size) in [(0, 1), (4096, 1), (4096, 4097)] {
        let path = "bin/app".to_owned();
        let error = refused(file_at(offset, size));
        assert_eq!(error, FileSystemError::Overlap { path, offset, size });
    }
    let table_at = |offset, size| {
        move |bytes: &mut Vec<u8>| put(bytes, BIN_INODE, &inode(0o040_755, size, 4, offset))
    };
    allowed(table_at(124, 16));
    // On the root inode, on the root's table (a loop), on its own entry, in the page of a file.
    for (offset, size) in [(64, 12), (76, 48), (108, 16), (4096 + 312, 16)] {
        let path = "bin".to_owned();
        let error = refused(table_at(offset, size));
        assert_eq!(error, FileSystemError::Overlap { path, offset, size });
    }
}

#[test]
fn two_directories_do_not_share_a_table() {
    let shared = |offset| {
        vec![
            (name("a"), Raw::Directory(vec![(name("x"), file())])),
            (
                name("b"),
                Raw::Inode {
                    mode: 0o040_755,
                    size: 16,
                    offset,
                },
            ),
        ]
    };
    // The root's table has two entries of 16 bytes, behind it is that of `a`.
    let path = "b".to_owned();
    assert_eq!(
        raw_refused(&shared(108)),
        FileSystemError::Overlap {
            path,
            offset: 108,
            size: 16
        }
    );
    // The twin has its own table, of zeros: an entry without a name and no overlap.
    assert_eq!(
        raw_refused(&shared(124)),
        FileSystemError::Name { path: "b".into() }
    );
    raw_allowed(&[
        (name("a"), Raw::Directory(vec![(name("x"), file())])),
        (name("b"), Raw::Directory(vec![(name("x"), file())])),
    ]);
}
