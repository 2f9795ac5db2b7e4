// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What a package must be before it is staged, installed or started.
//!
//! Everything is read through one open descriptor, which stays with the [`Package`]: the bytes that were
//! verified are the bytes that are mounted, whatever happens to the name of the file meanwhile.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use control::AbiVersions;
use image_package::{AbiType, Entry, ImagePackage, PackageError, TrustStore};
use manifest::Manifest;
use policy::{AppKind, ComponentId, DeviceError};
use sandbox::DEVICE_API;

use crate::store::StoreError;
use crate::{elf, firmware};

/// The highest application runtime (API set) that this OS provides. Real images carry 3, 5 and 12; later
/// sets were published, and an app packed for a set above this one is refused with 3.22.
pub const HIGHEST_APPLICATION_RUNTIME: u32 = 20;
/// The OS runtime that this OS provides; apps do not ask for one, so its number only has to be stable.
pub const OS_RUNTIME: u32 = 1;
/// The secure-world runtime that this OS provides; as [`OS_RUNTIME`].
pub const SECURE_WORLD_RUNTIME: u32 = 1;

/// Where the manifest lies in an image.
const MANIFEST_PATH: &str = "app_manifest.json";

/// The versions that this OS provides.
pub const PROVIDED: AbiVersions = AbiVersions {
    secure_world_runtime: SECURE_WORLD_RUNTIME,
    os_runtime: OS_RUNTIME,
    application_runtime: HIGHEST_APPLICATION_RUNTIME,
};

/// A verified package.
#[derive(Debug)]
pub struct Package {
    /// What is known of it.
    pub facts: Facts,
    /// Its bytes.
    pub content: Content,
}

/// What is known of a verified package.
#[derive(Debug)]
pub struct Facts {
    /// Component id.
    pub component: ComponentId,
    /// Image id.
    pub image: ComponentId,
    /// Name from the image metadata.
    pub name: String,
    /// Size of the package in bytes.
    pub length: u64,
    /// Whether it is to be removed at the next boot.
    pub remove_at_boot: bool,
    /// Its manifest.
    pub manifest: Manifest,
}

/// The bytes of a verified package, through the descriptor that they were verified through.
#[derive(Debug)]
pub struct Content {
    /// The package.
    pub file: File,
    /// Size in bytes of the file system at its start.
    pub file_system_size: u64,
    /// The bytes of its entry point.
    pub program: Range<u64>,
}

/// Decides what this device accepts.
#[derive(Debug)]
pub struct Verifier {
    trust: TrustStore,
    development: bool,
    real_time: bool,
}

impl Verifier {
    /// Accepts what is signed with one of the trusted keys. Images that carry the flag "under
    /// development" are accepted with `development` only.
    pub fn new(trust: TrustStore, development: bool) -> Self {
        Self {
            trust,
            development,
            real_time: false,
        }
    }

    /// Accepts apps for real-time cores if the board has any.
    #[must_use]
    pub fn with_real_time_cores(self, real_time: bool) -> Self {
        Self { real_time, ..self }
    }

    /// Reads and checks a whole package.
    ///
    /// # Errors
    /// What is wrong with it. The signature is checked before anything in the package is believed.
    pub fn verify(&self, file: File) -> Result<Package, StoreError> {
        let mut image = ImagePackage::open(&file).map_err(StoreError::Package)?;
        let verified = image.verify(&self.trust).map_err(StoreError::Package)?;
        if verified.temporary().under_development() && !self.development {
            return Err(StoreError::Locked);
        }
        for need in &image.metadata().depends {
            check_runtime(need.kind, need.version)?;
        }
        let limit = u32::try_from(manifest::MAX_SIZE).unwrap_or(u32::MAX);
        let text = match image.read_file(MANIFEST_PATH, limit) {
            Err(PackageError::NoSuchFile { .. } | PackageError::NotAFile { .. }) => {
                return Err(StoreError::NoManifest);
            }
            other => other.map_err(StoreError::Package)?,
        };
        let manifest = Manifest::parse(&text).map_err(StoreError::Manifest)?;
        if manifest.component() != verified.component() {
            return Err(StoreError::Identity {
                metadata: verified.component(),
                manifest: manifest.component(),
            });
        }
        if manifest.component() == DEVICE_API {
            return Err(StoreError::Reserved(manifest.component()));
        }
        if let Some(version) = manifest.runtime_version() {
            check_runtime(AbiType::APPLICATION_RUNTIME, version)?;
        }
        let kind = manifest.application_type();
        self.check_kind(kind)?;
        let path = manifest.entry_point();
        let program = check_entry_point(&file, kind, image.find(path), path)?;
        let name = image.metadata().name.clone();
        let length = image.size();
        Ok(Package {
            facts: Facts {
                component: verified.component(),
                image: verified.image(),
                name,
                length,
                remove_at_boot: verified.temporary().remove_at_boot(),
                manifest,
            },
            content: Content {
                file,
                file_system_size: verified.file_system_size(),
                program,
            },
        })
    }

    fn check_kind(&self, kind: AppKind) -> Result<(), StoreError> {
        match kind {
            AppKind::HighLevel => Ok(()),
            AppKind::RealTime if self.real_time => Ok(()),
            AppKind::RealTime => Err(StoreError::AppKind(
                "RealTimeCapable",
                "real-time core",
                DeviceError::APP_MANAGER_NO_CORE_AVAILABLE,
            )),
            AppKind::Debugger => Err(StoreError::AppKind(
                "Debugger",
                "place for a debugger",
                DeviceError::LIFETIME_DEBUGGING_NOT_SUPPORTED,
            )),
        }
    }
}

fn check_runtime(kind: AbiType, wanted: u32) -> Result<(), StoreError> {
    let (what, provided) = match kind {
        AbiType::NONE => return Ok(()),
        AbiType::SECURE_WORLD_RUNTIME => ("secure-world runtime", PROVIDED.secure_world_runtime),
        AbiType::OS_RUNTIME => ("OS runtime", PROVIDED.os_runtime),
        AbiType::APPLICATION_RUNTIME => ("application runtime", PROVIDED.application_runtime),
        other => return Err(StoreError::UnknownRuntime(other.0)),
    };
    if wanted > provided {
        return Err(StoreError::Runtime {
            what,
            wanted,
            provided,
        });
    }
    Ok(())
}

fn check_entry_point(
    file: &File,
    kind: AppKind,
    entry: Option<Entry<'_>>,
    path: &str,
) -> Result<Range<u64>, StoreError> {
    let path = || path.to_owned();
    let Some(entry) = entry else {
        return Err(StoreError::NoEntryPoint(path()));
    };
    if entry.is_directory() {
        return Err(StoreError::EntryPointNotFile(path()));
    }
    if !entry.is_executable() {
        return Err(StoreError::EntryPointMode(path()));
    }
    let (start, size) = (u64::from(entry.offset()), u64::from(entry.size()));
    let read_at =
        |offset: u64, buffer: &mut [u8]| file.read_exact_at(buffer, start.saturating_add(offset));
    let checked = match kind {
        AppKind::RealTime => firmware::check(size, read_at),
        _ => elf::check(size, read_at),
    };
    checked.map_err(|source| StoreError::EntryPointProgram {
        path: path(),
        source,
    })?;
    Ok(start..start.saturating_add(size))
}
