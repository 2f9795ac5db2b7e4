// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The certificates whose signatures the device trusts: `/etc/nacre/trusted-keys/*.der`.

use std::fs;
use std::path::{Path, PathBuf};

use image_package::TrustStore;

/// Where the certificates lie on the device.
pub const TRUSTED_KEYS: &str = "/etc/nacre/trusted-keys";

/// Reads all certificates of a directory. One that cannot be used is left out and told in the second
/// value: an image that it signed is then refused as not trusted.
pub fn load(directory: &Path) -> (TrustStore, Vec<String>) {
    let mut store = TrustStore::new();
    let mut notes = Vec::new();
    let mut paths: Vec<PathBuf> = match fs::read_dir(directory) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => {
            notes.push(format!("cannot read {}: {error}", directory.display()));
            Vec::new()
        }
    };
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "der"));
    paths.sort_unstable();
    for path in paths {
        let added = fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|der| {
                store
                    .add_certificate(&der)
                    .map_err(|error| error.to_string())
            });
        if let Err(error) = added {
            notes.push(format!("cannot trust {}: {error}", path.display()));
        }
    }
    if store.is_empty() {
        notes.push(format!(
            "no image can be installed: {} holds no certificate",
            directory.display()
        ));
    }
    (store, notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::signer;

    #[test]
    fn certificates_are_loaded_and_bad_ones_told() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.der"), b"no certificate").unwrap();
        fs::write(root.path().join("b.der"), signer().certificate()).unwrap();
        fs::write(root.path().join("README"), b"text").unwrap();
        let (store, notes) = load(root.path());
        assert_eq!(store.thumbprints().count(), 1);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("a.der"), "{notes:?}");
    }

    #[test]
    fn a_device_without_certificates_says_so() {
        let (store, notes) = load(Path::new("/nonexistent"));
        assert!(store.is_empty());
        assert_eq!(notes.len(), 2);
    }
}
