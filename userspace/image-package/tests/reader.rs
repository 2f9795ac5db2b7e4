// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Readers that give little at a time, fail, or lie, and how much is asked of them.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod common;

use std::io::{Cursor, Error, Read, Result, Seek, SeekFrom, Write};

use common::{builder, sample, signed, signer, trusted};
use image_package::{ImagePackage, PackageError};
use policy::DeviceError;

/// A reader whose calls are counted and limited.
struct Limited {
    inner: Cursor<Vec<u8>>,
    /// Most bytes that one call gives.
    piece: usize,
    /// Calls that succeed before all others fail.
    calls: usize,
    /// Bytes that the end is moved by.
    lie: i64,
    /// Most bytes that were asked for at once.
    largest: usize,
}

impl Limited {
    fn new(bytes: Vec<u8>) -> Self {
        let inner = Cursor::new(bytes);
        Self {
            inner,
            piece: usize::MAX,
            calls: usize::MAX,
            lie: 0,
            largest: 0,
        }
    }

    fn count(&mut self) -> Result<()> {
        self.calls = self
            .calls
            .checked_sub(1)
            .ok_or_else(|| Error::other("the flash is broken"))?;
        Ok(())
    }
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.count()?;
        self.largest = self.largest.max(buffer.len());
        let count = buffer.len().min(self.piece);
        self.inner.read(&mut buffer[..count])
    }
}

impl Seek for Limited {
    fn seek(&mut self, position: SeekFrom) -> Result<u64> {
        self.count()?;
        match position {
            SeekFrom::End(0) => self.inner.seek(SeekFrom::End(self.lie)),
            other => self.inner.seek(other),
        }
    }
}

fn sample_package() -> Vec<u8> {
    let (file_system, metadata) = sample();
    signed(&file_system, &metadata)
}

#[test]
fn a_reader_may_give_little_at_a_time() {
    let reader = Limited {
        piece: 7,
        ..Limited::new(sample_package())
    };
    let mut package = ImagePackage::open(reader).unwrap();
    package.verify(&trusted()).unwrap();
    assert_eq!(
        package.read_file("app_manifest.json", 309).unwrap(),
        [b'm'; 309]
    );
}

#[test]
fn a_reader_may_fail_at_any_time() {
    let mut calls = 0;
    loop {
        let reader = Limited {
            calls,
            ..Limited::new(sample_package())
        };
        let mut package = ImagePackage::open(reader);
        let result = match &mut package {
            Ok(package) => package.verify(&trusted()).map(drop),
            Err(_) => package.map(drop),
        };
        match result {
            Ok(()) => break,
            Err(error) => {
                assert!(
                    matches!(error, PackageError::Read { .. }),
                    "after {calls} calls: {error}"
                );
                assert_eq!(error.code(), DeviceError::REST_APP_CANNOT_OPEN_IMAGE);
            }
        }
        calls += 1;
    }
    assert!(calls > 10, "{calls} calls");
}

#[test]
fn a_reader_may_be_shorter_than_it_says() {
    let bytes = sample_package();
    for lie in [1, 64, 4096] {
        let reader = Limited {
            lie,
            ..Limited::new(bytes.clone())
        };
        assert!(ImagePackage::open(reader).is_err(), "{lie}");
    }
}

#[test]
fn a_file_may_be_cut_off_while_it_is_open() {
    let bytes = sample_package();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let mut package = ImagePackage::open(file.try_clone().unwrap()).unwrap();
    package.verify(&trusted()).unwrap();
    file.set_len(bytes.len() as u64 - 65).unwrap();
    let error = package.verify(&trusted()).unwrap_err();
    assert!(matches!(error, PackageError::Read { .. }), "{error}");
}

#[test]
fn opening_and_copying_hold_one_page_of_a_file() {
    let mut builder = builder();
    builder
        .manifest(b"{}")
        .unwrap()
        .file("bin/app", &vec![7; 1_000_000], true)
        .unwrap();
    let reader = Limited::new(builder.build(&signer()).unwrap());
    let mut package = ImagePackage::open(reader).unwrap();
    let mut copy = Vec::new();
    package.copy_file("bin/app", &mut copy).unwrap();
    assert_eq!(copy, vec![7; 1_000_000]);
    assert_eq!(package.into_reader().largest, 4096);
}
