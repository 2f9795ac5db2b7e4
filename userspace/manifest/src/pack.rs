// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The manifest of a project as it stands in the image: minified, names replaced, API set appended.

use policy::{Capability, Peripheral, PeripheralKind};

use crate::capabilities::{Names, NoNames, read_peripheral};
use crate::document::{Document, Element, Member};
use crate::error::ManifestError;
use crate::hardware::HardwareDefinition;
use crate::manifest::{BETA_APIS, Manifest, RUNTIME_VERSION};

/// Packs the manifest of a project: checks it, writes it on one line with the keys in their order,
/// replaces each `$NAME` by its value, and appends the API set and, if there is one, the beta API set.
/// An API set that is in the manifest already is replaced.
///
/// # Errors
///
/// The first mistake, as for [`Manifest::parse_with`].
pub fn pack(
    bytes: &[u8],
    hardware: Option<&HardwareDefinition>,
    api_set: u32,
    beta_apis: Option<&str>,
) -> Result<Vec<u8>, ManifestError> {
    let names: &dyn Names = match hardware {
        Some(hardware) => hardware,
        None => &NoNames,
    };
    let document = Document::new(bytes)?;
    let manifest = Manifest::read(&document, names)?;
    let mut packer = Packer {
        manifest: &manifest,
        names,
        text: String::with_capacity(bytes.len()),
    };
    packer.root(&document.root(), api_set, beta_apis)?;
    Ok(packer.text.into_bytes())
}

/// The text that has been written so far.
struct Packer<'a> {
    manifest: &'a Manifest,
    names: &'a dyn Names,
    text: String,
}

impl Packer<'_> {
    /// Writes the outermost object.
    fn root(
        &mut self,
        root: &Element<'_, '_>,
        api_set: u32,
        beta_apis: Option<&str>,
    ) -> Result<(), ManifestError> {
        self.text.push('{');
        for member in root.object().unwrap_or_default() {
            if member.key == RUNTIME_VERSION || member.key == BETA_APIS {
                continue;
            }
            self.key(&member);
            let value = root.member(&member);
            if member.key == "Capabilities" {
                self.capabilities(&value)?;
            } else {
                self.minified(&value);
            }
            self.text.push(',');
        }
        self.text
            .push_str(&format!("\"{RUNTIME_VERSION}\":{api_set}"));
        if let Some(name) = beta_apis {
            let name = serde_json::Value::from(name);
            self.text.push_str(&format!(",\"{BETA_APIS}\":{name}"));
        }
        self.text.push('}');
        Ok(())
    }

    /// Writes the capabilities, with the values of names.
    fn capabilities(&mut self, capabilities: &Element<'_, '_>) -> Result<(), ManifestError> {
        self.text.push('{');
        for (index, member) in capabilities.object().unwrap_or_default().iter().enumerate() {
            self.separate(index);
            self.key(member);
            let value = capabilities.member(member);
            let kind = Capability::from_key(&member.key).and_then(PeripheralKind::of);
            match kind {
                Some(kind) => self.peripherals(&value, kind)?,
                None => self.minified(&value),
            }
        }
        self.text.push('}');
        Ok(())
    }

    /// Writes a list of peripherals by their values.
    fn peripherals(
        &mut self,
        value: &Element<'_, '_>,
        kind: PeripheralKind,
    ) -> Result<(), ManifestError> {
        self.text.push('[');
        for (index, raw) in value.list().unwrap_or_default().into_iter().enumerate() {
            self.separate(index);
            let entry = value.entry(index, raw);
            let app = self.manifest.application_type();
            match read_peripheral(&entry, kind, app, self.names)? {
                Peripheral::Gpio(pin) => self.text.push_str(&pin.to_string()),
                other => {
                    let (prefix, number) = (kind.prefix(), other.number());
                    self.text.push_str(&format!("\"{prefix}{number}\""));
                }
            }
        }
        self.text.push(']');
        Ok(())
    }

    /// Writes a value as it is, without the space between its parts.
    fn minified(&mut self, value: &Element<'_, '_>) {
        if let Some(members) = value.object() {
            self.text.push('{');
            for (index, member) in members.iter().enumerate() {
                self.separate(index);
                self.key(member);
                self.minified(&value.member(member));
            }
            self.text.push('}');
        } else if let Some(entries) = value.list() {
            self.text.push('[');
            for (index, raw) in entries.into_iter().enumerate() {
                self.separate(index);
                self.minified(&value.entry(index, raw));
            }
            self.text.push(']');
        } else {
            self.text.push_str(value.source());
        }
    }

    /// Writes a key as it is.
    fn key(&mut self, member: &Member<'_>) {
        self.text.push_str(member.key_source());
        self.text.push(':');
    }

    /// Writes the comma before every entry but the first.
    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
        }
    }
}
