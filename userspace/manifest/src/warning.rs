// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What is allowed in a manifest but is likely a mistake; for host tools.

use std::fmt;

use policy::{Capability, ComponentId};

use crate::document::{Document, Element};
use crate::error::{Location, ManifestError};
use crate::manifest::FIELDS;

/// How many characters of the name an image package keeps.
pub const PACKAGE_NAME_LENGTH: usize = 31;

/// Something in a manifest that is likely a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The place.
    pub location: Location,
    /// What is likely wrong, in one line.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.location, self.message)
    }
}

/// What is likely a mistake in a manifest, in the order of the text. The manifest need not be valid,
/// only JSON.
///
/// # Errors
///
/// The text is not JSON.
pub fn warnings(bytes: &[u8]) -> Result<Vec<Warning>, ManifestError> {
    let document = Document::new(bytes)?;
    let root = document.root();
    let mut list = List(Vec::new());
    for member in root.object().unwrap_or_default() {
        let value = root.member(&member);
        match member.key.as_str() {
            "Name" => list.check_name(&value),
            "ComponentId" => list.check_component(&value),
            "Capabilities" => list.check_capabilities(&value),
            key if FIELDS.contains(&key) => {}
            _ => {
                let location = root.key_location(&member);
                list.add(location, "not a field of manifests: the device ignores it");
            }
        }
    }
    list.check_own_id(&root);
    Ok(list.0)
}

struct List(Vec<Warning>);

impl List {
    fn add(&mut self, location: Location, message: impl Into<String>) {
        let message = message.into();
        self.0.push(Warning { location, message });
    }

    fn check_name(&mut self, value: &Element<'_, '_>) {
        match value.string().map(|name| name.chars().count()) {
            Some(0) => self.add(value.location(), "the name is empty"),
            Some(length) if length > PACKAGE_NAME_LENGTH => {
                let message = format!(
                    "the name has {length} characters: image packages keep the first {PACKAGE_NAME_LENGTH}"
                );
                self.add(value.location(), message);
            }
            _ => {}
        }
    }

    fn check_component(&mut self, value: &Element<'_, '_>) {
        if component(value) == Some(ComponentId::NIL) {
            self.add(value.location(), "the zero id names no app: make one");
        }
    }

    fn check_capabilities(&mut self, capabilities: &Element<'_, '_>) {
        for member in capabilities.object().unwrap_or_default() {
            let value = capabilities.member(&member);
            match Capability::from_key(&member.key) {
                Some(
                    Capability::AllowedConnections | Capability::AllowedApplicationConnections,
                ) => self.check_repeats(&value),
                Some(Capability::DeviceAuthentication)
                    if component(&value) == Some(ComponentId::NIL) =>
                {
                    let message = "the zero id names no tenant: write yours before you deploy";
                    self.add(value.location(), message);
                }
                Some(Capability::MutableStorage) => {
                    for other in value.object().unwrap_or_default() {
                        if other.key != "SizeKB" {
                            let location = value.key_location(&other);
                            self.add(
                                location,
                                "not a field of MutableStorage: the device ignores it",
                            );
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Hosts and ids that stand twice in a list; letters of either case are the same.
    fn check_repeats(&mut self, value: &Element<'_, '_>) {
        let mut seen: Vec<String> = Vec::new();
        for (index, raw) in value.list().unwrap_or_default().into_iter().enumerate() {
            let entry = value.entry(index, raw);
            let Some(text) = entry.string() else {
                continue;
            };
            if seen.iter().any(|other| other.eq_ignore_ascii_case(&text)) {
                self.add(entry.location(), "the entry stands twice in the list");
            }
            seen.push(text);
        }
    }

    /// An app that lists itself among its partners.
    fn check_own_id(&mut self, root: &Element<'_, '_>) {
        let members = root.object().unwrap_or_default();
        let value = |key: &str| members.iter().find(|member| member.key == key);
        let (Some(own), Some(capabilities)) = (value("ComponentId"), value("Capabilities")) else {
            return;
        };
        let own = component(&root.member(own));
        let capabilities = root.member(capabilities);
        let inner = capabilities.object().unwrap_or_default();
        let key = Capability::AllowedApplicationConnections.key();
        let Some(peers) = inner.iter().find(|member| member.key == key) else {
            return;
        };
        let peers = capabilities.member(peers);
        for (index, raw) in peers.list().unwrap_or_default().into_iter().enumerate() {
            let entry = peers.entry(index, raw);
            if own.is_some() && component(&entry) == own {
                self.add(entry.location(), "the app lists itself");
            }
        }
    }
}

/// The id that a value holds.
fn component(value: &Element<'_, '_>) -> Option<ComponentId> {
    value.string()?.parse().ok()
}
