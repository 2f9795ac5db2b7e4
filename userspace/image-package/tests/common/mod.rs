// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the tests share: the development key, a sample package, and a packer that checks nothing.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::Cursor;

use image_package::{Abi, Builder, ImagePackage, PackageError, Signer, TrustStore};

pub const KEY: &str = include_str!("../../keys/development-signing.key.pem");
pub const CERTIFICATE: &str = include_str!("../../keys/development-signing.crt.pem");

/// Where the parts of the sample are: those of the worked example, with one page for each file.
pub const ROOT: usize = 64;
pub const MANIFEST_INODE: usize = 76;
pub const BIN_INODE: usize = 108;
pub const APP_INODE: usize = 124;
pub const SAMPLE_SIZE: usize = 3 * 4096;

pub fn signer() -> Signer {
    Signer::from_pem(KEY, CERTIFICATE).unwrap()
}

pub fn trusted() -> TrustStore {
    TrustStore::from_der_certificates([signer().certificate()]).unwrap()
}

/// A builder without files.
pub fn builder() -> Builder {
    let component = "0e3d632e-03b1-48e7-a9c2-3f5063ad0870".parse().unwrap();
    let mut builder = Builder::new(component, "Sample").unwrap();
    builder.image("2b1494a2-6023-4d75-9e5c-418ad429fc67".parse().unwrap());
    builder
        .build_time(1_571_057_101)
        .depends(&[Abi::application_runtime(3)]);
    builder
}

/// The file system and the metadata of a package with a manifest and an executable.
pub fn sample() -> (Vec<u8>, Vec<u8>) {
    let mut builder = builder();
    builder
        .manifest(&[b'm'; 309])
        .unwrap()
        .file("bin/app", &[b'a'; 1660], true)
        .unwrap();
    let mut file_system = builder.unsigned(&signer()).unwrap();
    let metadata = file_system.split_off(SAMPLE_SIZE);
    (file_system, metadata)
}

/// CRC-32 in its simplest form, bit by bit, as a second opinion.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

pub fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

pub fn put_u32(bytes: &mut [u8], offset: usize, value: u32) {
    put(bytes, offset, &value.to_le_bytes());
}

/// Stores the checksum that fits the bytes.
pub fn fix_crc(file_system: &mut [u8]) {
    if file_system.len() >= 36 {
        put_u32(file_system, 32, 0);
        let crc = crc32(file_system);
        put_u32(file_system, 32, crc);
    }
}

/// A signed package of any file system and metadata block.
pub fn signed(file_system: &[u8], metadata: &[u8]) -> Vec<u8> {
    signer()
        .append_signature([file_system, metadata].concat())
        .unwrap()
}

pub fn open(bytes: Vec<u8>) -> Result<ImagePackage<Cursor<Vec<u8>>>, PackageError> {
    ImagePackage::open(Cursor::new(bytes))
}

/// Opens and verifies.
pub fn accept(bytes: Vec<u8>) -> Result<ImagePackage<Cursor<Vec<u8>>>, PackageError> {
    let package = open(bytes)?;
    let verified = package.verify_in_place(&trusted())?;
    assert_eq!(verified.component(), package.metadata().component);
    Ok(package)
}

/// An entry for the packer that checks nothing.
pub enum Raw {
    Directory(Vec<(Vec<u8>, Raw)>),
    File(Vec<u8>),
    /// An inode with these numbers and no data of its own.
    Inode {
        mode: u16,
        size: u32,
        offset: u32,
    },
}

pub fn inode(mode: u16, size: u32, name_length: usize, offset: u32) -> Vec<u8> {
    let words = [
        u32::from(mode),
        size,
        (offset / 4) << 6 | (name_length / 4) as u32,
    ];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

struct RawWriter {
    tables: Vec<u8>,
    data: Vec<u8>,
    data_start: usize,
    inodes: u32,
}

fn table_size(entries: &[(Vec<u8>, Raw)]) -> usize {
    entries
        .iter()
        .map(|(name, _)| 12 + name.len().next_multiple_of(4))
        .sum()
}

impl RawWriter {
    /// Writes a table at the end of the tables, and those below it behind it.
    fn directory(&mut self, entries: &[(Vec<u8>, Raw)]) {
        let mut place = self.tables.len();
        self.tables.resize(place + table_size(entries), 0);
        for (name, node) in entries {
            self.inodes += 1;
            let (mode, size, offset) = match node {
                Raw::Directory(children) => {
                    let offset = self.tables.len();
                    self.directory(children);
                    (0o040_755, table_size(children), offset)
                }
                Raw::File(bytes) => {
                    let offset = self.data_start + self.data.len();
                    self.data.extend_from_slice(bytes);
                    self.data.resize(self.data.len().next_multiple_of(4096), 0);
                    (0o101_644, bytes.len(), offset)
                }
                Raw::Inode { mode, size, offset } => (*mode, *size as usize, *offset as usize),
            };
            let offset = if size == 0 { 0 } else { offset };
            let padded = name.len().next_multiple_of(4);
            put(
                &mut self.tables,
                place,
                &inode(mode, size as u32, padded, offset as u32),
            );
            put(&mut self.tables, place + 12, name);
            place += 12 + padded;
        }
    }
}

fn all_tables(entries: &[(Vec<u8>, Raw)]) -> usize {
    let below = entries.iter().map(|(_, node)| match node {
        Raw::Directory(children) => all_tables(children),
        _ => 0,
    });
    table_size(entries) + below.sum::<usize>()
}

/// A file system with a correct frame around whatever entries it is given.
pub fn raw_file_system(entries: &[(Vec<u8>, Raw)]) -> Vec<u8> {
    let data_start = (76 + all_tables(entries)).next_multiple_of(4096);
    let mut writer = RawWriter {
        tables: vec![0; 76],
        data: Vec::new(),
        data_start,
        inodes: 1,
    };
    writer.directory(entries);
    let RawWriter {
        tables: mut bytes,
        data,
        inodes,
        ..
    } = writer;
    bytes.resize(data_start, 0);
    bytes.extend(data);
    put_u32(&mut bytes, 0, 0x28CD_3D45);
    let size = bytes.len() as u32;
    put_u32(&mut bytes, 4, size);
    put_u32(&mut bytes, 8, 3);
    put(&mut bytes, 16, b"Compressed ROMFS");
    put_u32(&mut bytes, 44, inodes);
    put(&mut bytes, 48, b"Compressed");
    put(
        &mut bytes,
        64,
        &inode(0o040_755, table_size(entries) as u32, 0, 76),
    );
    fix_crc(&mut bytes);
    bytes
}

/// A signed package around a raw tree.
pub fn raw_package(entries: &[(Vec<u8>, Raw)]) -> Vec<u8> {
    signed(&raw_file_system(entries), &sample().1)
}

pub fn name(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}
