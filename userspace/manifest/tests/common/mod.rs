// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Manifests for tests: a valid one with one part exchanged.
#![allow(dead_code)]

use manifest::{Manifest, ManifestError};

/// The component id of [`manifest`].
pub const COMPONENT: &str = "25025d2c-66da-4448-bae1-ac26fcdd3627";

/// A manifest with these fields, each a key and its JSON.
pub fn fields(fields: &[(&str, &str)]) -> String {
    let fields: Vec<_> = fields
        .iter()
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

/// A valid manifest in which one field has another value, or is absent.
pub fn changed(key: &str, value: Option<&str>) -> String {
    let component = format!("\"{COMPONENT}\"");
    let mut all = vec![
        ("SchemaVersion", "1"),
        ("Name", "\"app\""),
        ("ComponentId", component.as_str()),
        ("EntryPoint", "\"/bin/app\""),
        ("CmdArgs", "[]"),
        ("Capabilities", "{}"),
    ];
    all.retain(|(known, _)| *known != key);
    all.extend(value.map(|value| (key, value)));
    fields(&all)
}

/// A valid manifest of a high-level app with these capabilities.
pub fn with(capabilities: &str) -> String {
    changed("Capabilities", Some(capabilities))
}

/// A valid manifest of a real-time app with these capabilities.
pub fn real_time(capabilities: &str) -> String {
    let text = with(capabilities);
    let inner = text.trim_start_matches('{');
    format!("{{ \"ApplicationType\": \"RealTimeCapable\", {inner}")
}

/// The error of a text that must be refused.
pub fn refused(text: &str) -> ManifestError {
    match Manifest::parse(text.as_bytes()) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error,
    }
}

/// The manifest of a text that must be accepted.
pub fn accepted(text: &str) -> Manifest {
    match Manifest::parse(text.as_bytes()) {
        Ok(manifest) => manifest,
        Err(error) => panic!("{error}: {text}"),
    }
}

/// Category, id and path of the error of a text that must be refused.
pub fn verdict(text: &str) -> (u32, u32, String) {
    let error = refused(text);
    let code = error.code();
    (code.category(), code.id(), error.location().path.clone())
}
