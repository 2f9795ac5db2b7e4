// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Azure Sphere image packages: read, verify, create and sign.
//!
//! A package is a file system (ASXipFS, an uncompressed cramfs that is executed in place), a metadata block
//! and an ECDSA signature over both, one after the other; a reader starts from the end. Everything read here
//! may be hostile: each length is checked before it is used, and memory is bounded by the constants of
//! [`limits`].
//!
//! ```
//! use image_package::{Abi, Builder, ImagePackage, Signer, TrustStore};
//! # const KEY: &str = include_str!("../keys/development-signing.key.pem");
//! # const CERTIFICATE: &str = include_str!("../keys/development-signing.crt.pem");
//!
//! let signer = Signer::from_pem(KEY, CERTIFICATE)?;
//! let mut builder = Builder::new("25025d2c-66da-4448-bae1-ac26fcdd3627".parse()?, "HelloWorld")?;
//! builder.depends(&[Abi::application_runtime(12)]);
//! builder.manifest(b"{}")?.file("bin/app", b"\x7FELF...", true)?;
//! let bytes = builder.build(&signer)?;
//!
//! let mut trusted = TrustStore::new();
//! trusted.add_certificate(signer.certificate())?;
//! let mut package = ImagePackage::open(std::io::Cursor::new(bytes))?;
//! let verified = package.verify(&trusted)?;
//! assert_eq!(verified.thumbprint(), signer.thumbprint());
//! assert_eq!(package.read_file("app_manifest.json", 64 * 1024)?, b"{}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::cast_possible_truncation,
        clippy::let_underscore_must_use
    )
)]

mod builder;
mod certificate;
mod crc32;
mod der;
mod error;
mod extract;
mod fields;
mod file_system;
pub mod limits;
mod metadata;
mod package;
mod pem;
mod signer;
mod trailer;
mod trust;

pub use builder::{BuildError, Builder, MANIFEST_PATH, is_elf};
pub use certificate::{KeyError, PublicKey, certificate_from_pem};
pub use error::PackageError;
pub use file_system::{Entry, FileSystemError};
pub use metadata::{
    Abi, AbiType, Compression, ImageType, Metadata, MetadataError, Section, SectionId, SigningType,
    TemporaryFlags, Thumbprint,
};
pub use package::{ImagePackage, Verified};
pub use signer::{ResignError, Signer};
pub use trust::TrustStore;
