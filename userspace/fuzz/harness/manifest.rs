// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is done with an input of the fuzz target `manifest`, and with its corpus in an ordinary test.

use std::path::Path;

use manifest::{HardwareDefinition, Manifest, grant_in_words};

/// A hardware definition without entries.
const NO_HARDWARE: &[u8] = br#"{
    "Metadata": { "Type": "Azure Sphere Hardware Definition", "Version": 1 },
    "Imports": [],
    "Peripherals": []
}"#;

/// Reads an input as a packed manifest, as a manifest with names, and as a hardware definition.
pub fn run(input: &[u8]) {
    let packed = Manifest::parse(input);
    match &packed {
        Ok(manifest) => check(manifest),
        Err(error) => {
            assert_ne!(error.code().category(), 0);
            assert!(!error.to_string().is_empty());
        }
    }
    let read_nothing = |path: &Path| -> std::io::Result<Vec<u8>> {
        if path == Path::new("empty.json") {
            Ok(NO_HARDWARE.to_vec())
        } else {
            Err(std::io::ErrorKind::NotFound.into())
        }
    };
    let hardware = HardwareDefinition::load_with(Path::new("empty.json"), &[], &read_nothing);
    let Ok(hardware) = hardware else {
        panic!("the empty hardware definition is not accepted");
    };
    if let Ok(manifest) = &packed {
        assert_eq!(
            Manifest::parse_with(input, &hardware).as_ref().ok(),
            Some(manifest)
        );
    } else {
        drop(Manifest::parse_with(input, &hardware));
    }
    drop(manifest::warnings(input));
    drop(HardwareDefinition::load_with(
        Path::new("input.json"),
        &[],
        &|path| {
            if path == Path::new("input.json") {
                Ok(input.to_vec())
            } else {
                read_nothing(path)
            }
        },
    ));
}

/// What a user of a manifest relies on.
fn check(manifest: &Manifest) {
    let grant = manifest.grant();
    assert_eq!(grant.component, manifest.component());
    assert!(
        grant_in_words(&grant)
            .iter()
            .all(|line| !line.chars().any(char::is_control))
    );
}
