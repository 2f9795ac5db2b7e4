// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Hardware definitions: what the `$NAME`s of a source manifest stand for on a board.
//!
//! A definition is a file that imports others, from the application down to the chip. An entry either
//! has the value that stands in the packed manifest, or maps to another entry.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use policy::{Peripheral, PeripheralKind};
use serde::Deserialize;

use crate::hardware_error::{HardwareError, NameError};

/// The largest hardware definition in bytes; the largest published file has 20 KiB.
pub const MAX_HARDWARE_FILE_SIZE: usize = 1024 * 1024;

/// How many files one definition can consist of.
pub const MAX_HARDWARE_FILES: usize = 64;

/// How many entries all files of a definition can have; the largest published one has 230.
pub const MAX_HARDWARE_ENTRIES: usize = 4096;

/// What `Metadata.Type` must say.
pub(crate) const FILE_TYPE: &str = "Azure Sphere Hardware Definition";

/// What `Metadata.Version` must say.
pub(crate) const FILE_VERSION: u32 = 1;

/// A hardware definition with all that it imports.
#[derive(Debug)]
pub struct HardwareDefinition {
    /// All files, in the order in which they were opened; the first is the one that was asked for.
    files: Vec<PathBuf>,
    /// The entries of all files, those of an imported file before those of the file that imports it.
    entries: Vec<Entry>,
    /// The position of each name in `entries`.
    names: BTreeMap<String, usize>,
    warnings: Vec<String>,
}

/// One entry of `Peripherals`.
#[derive(Debug)]
struct Entry {
    /// The position of the file in `files`.
    file: usize,
    name: String,
    /// None for an `int` constant.
    kind: Option<PeripheralKind>,
    target: Target,
}

/// What an entry stands for.
#[derive(Debug)]
enum Target {
    /// Another entry, by name.
    Mapping(String),
    /// The value in the packed manifest.
    Value(Value),
    /// A value for C code only.
    HeaderOnly,
}

/// `AppManifestValue`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(i64),
    Text(String),
}

/// A file as it is written. Keys that are not here are for people and for the C header.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FileText {
    metadata: MetadataText,
    #[serde(default)]
    imports: Vec<ImportText>,
    peripherals: Vec<EntryText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetadataText {
    r#type: String,
    version: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportText {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntryText {
    name: String,
    r#type: String,
    mapping: Option<String>,
    app_manifest_value: Option<Value>,
}

/// Reads a file; the error `NotFound` makes the search for an import go on.
type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

impl HardwareDefinition {
    /// Reads a definition and what it imports from the file system.
    ///
    /// An import is looked for relative to the file that imports it, then in each of the directories.
    ///
    /// # Errors
    ///
    /// The first file or entry that cannot be used.
    pub fn load(file: &Path, directories: &[PathBuf]) -> Result<Self, HardwareError> {
        Self::load_with(file, directories, &|path| std::fs::read(path))
    }

    /// Like [`HardwareDefinition::load`], with another way to read files.
    ///
    /// # Errors
    ///
    /// The first file or entry that cannot be used.
    pub fn load_with(
        file: &Path,
        directories: &[PathBuf],
        read: ReadFile<'_>,
    ) -> Result<Self, HardwareError> {
        let mut definition = Self {
            files: Vec::new(),
            entries: Vec::new(),
            names: BTreeMap::new(),
            warnings: Vec::new(),
        };
        let file = normal(file);
        let bytes = read(&file).map_err(|source| HardwareError::Read {
            file: file.clone(),
            source,
        })?;
        let imports = definition.add_file(file, &bytes, directories, read)?;
        definition.warn(&imports);
        Ok(definition)
    }

    /// The files that the definition consists of, the one that was asked for first.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// What is doubtful in the file that was asked for, one line each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The peripheral of a kind that a name (without its `$`) stands for.
    ///
    /// # Errors
    ///
    /// Which entry of which file breaks the chain.
    pub fn resolve(&self, name: &str, kind: PeripheralKind) -> Result<Peripheral, NameError> {
        let entry = self.entry(name).ok_or_else(|| NameError::Unknown {
            file: self.path(0),
            name: name.to_owned(),
        })?;
        let end = self.follow(entry)?;
        let wanted = kind.capability().key();
        let (file, name) = (self.path(end.file), end.name.clone());
        let Target::Value(value) = &end.target else {
            return Err(NameError::Constant { file, name });
        };
        // The types of the first and of the last entry both count: neither may be mistaken.
        for found in [entry.kind, end.kind] {
            let Some(found) = found else {
                return Err(NameError::Constant { file, name });
            };
            if found != kind {
                let found = found.capability().key();
                let (file, name) = (self.path(entry.file), entry.name.clone());
                return Err(NameError::WrongType {
                    file,
                    name,
                    found,
                    wanted,
                });
            }
        }
        let (peripheral, value) = match value {
            Value::Number(number) => (
                u8::try_from(*number).ok().map(Peripheral::Gpio),
                number.to_string(),
            ),
            Value::Text(text) => (Peripheral::from_text(kind, text), format!("\"{text}\"")),
        };
        peripheral
            .filter(|peripheral| peripheral.kind() == kind && peripheral.exists())
            .ok_or(NameError::WrongValue {
                file,
                name,
                value,
                wanted,
            })
    }

    /// Adds the entries of a file, after those of the files that it imports. Returns the positions of
    /// the files that it imports itself.
    fn add_file(
        &mut self,
        path: PathBuf,
        bytes: &[u8],
        directories: &[PathBuf],
        read: ReadFile<'_>,
    ) -> Result<Vec<usize>, HardwareError> {
        if bytes.len() > MAX_HARDWARE_FILE_SIZE {
            return Err(HardwareError::TooLarge { file: path });
        }
        if self.files.len() == MAX_HARDWARE_FILES {
            return Err(HardwareError::TooManyFiles { file: path });
        }
        let text: FileText =
            serde_json::from_slice(bytes).map_err(|source| HardwareError::Syntax {
                file: path.clone(),
                source,
            })?;
        if text.metadata.r#type != FILE_TYPE || text.metadata.version != FILE_VERSION {
            return Err(HardwareError::Metadata { file: path });
        }
        let file = self.files.len();
        self.files.push(path.clone());
        let imports = text
            .imports
            .into_iter()
            .map(|import| self.import(&path, &import.path, directories, read))
            .collect::<Result<_, _>>()?;
        for entry in text.peripherals {
            self.add_entry(file, entry)?;
        }
        Ok(imports)
    }

    /// Adds an imported file unless it is there already, which also ends a circle of imports.
    fn import(
        &mut self,
        importer: &Path,
        import: &Path,
        directories: &[PathBuf],
        read: ReadFile<'_>,
    ) -> Result<usize, HardwareError> {
        let beside = importer.parent().unwrap_or(Path::new("")).to_path_buf();
        let searched: Vec<PathBuf> = std::iter::once(&beside)
            .chain(directories)
            .cloned()
            .collect();
        for directory in &searched {
            let path = normal(&directory.join(import));
            if let Some(known) = self.files.iter().position(|file| *file == path) {
                return Ok(known);
            }
            match read(&path) {
                Ok(bytes) => {
                    let position = self.files.len();
                    self.add_file(path, &bytes, directories, read)?;
                    return Ok(position);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(HardwareError::Read { file: path, source }),
            }
        }
        Err(HardwareError::ImportNotFound {
            file: importer.to_path_buf(),
            import: import.to_path_buf(),
            searched,
        })
    }

    /// Adds one entry; names are unique over all files.
    fn add_entry(&mut self, file: usize, text: EntryText) -> Result<(), HardwareError> {
        let EntryText {
            name,
            r#type: kind,
            mapping,
            app_manifest_value: value,
        } = text;
        let path = || self.path(file);
        let kind = match kind.as_str() {
            "int" => None,
            key => Some(
                PeripheralKind::ALL
                    .into_iter()
                    .find(|kind| kind.capability().key() == key)
                    .ok_or_else(|| HardwareError::UnknownType {
                        file: path(),
                        name: name.clone(),
                        kind: kind.clone(),
                    })?,
            ),
        };
        let target = match (value, mapping, kind) {
            (Some(value), _, _) => Target::Value(value),
            (None, Some(mapping), _) => Target::Mapping(mapping),
            (None, None, None) => Target::HeaderOnly,
            (None, None, Some(_)) => return Err(HardwareError::NoValue { file: path(), name }),
        };
        if let Some(first) = self.entry(&name) {
            return Err(HardwareError::DuplicateName {
                file: path(),
                name,
                first: self.path(first.file),
            });
        }
        if self.entries.len() == MAX_HARDWARE_ENTRIES {
            return Err(HardwareError::TooManyEntries { file: path() });
        }
        self.names.insert(name.clone(), self.entries.len());
        self.entries.push(Entry {
            file,
            name,
            kind,
            target,
        });
        Ok(())
    }

    /// The entry at the end of a chain of mappings.
    fn follow<'s>(&'s self, start: &'s Entry) -> Result<&'s Entry, NameError> {
        let mut entry = start;
        // A chain without a circle passes each entry at most once.
        for _ in 0..=self.entries.len() {
            let Target::Mapping(mapping) = &entry.target else {
                return Ok(entry);
            };
            entry = self
                .entry(mapping)
                .ok_or_else(|| NameError::UnknownMapping {
                    file: self.path(entry.file),
                    name: entry.name.clone(),
                    mapping: mapping.clone(),
                })?;
        }
        Err(NameError::Circle {
            file: self.path(start.file),
            name: start.name.clone(),
        })
    }

    /// Notes what is doubtful in the first file, given the files that it imports itself.
    fn warn(&mut self, imports: &[usize]) {
        let mut warnings = Vec::new();
        let mut earlier: Vec<(&str, &str, Option<Peripheral>)> = Vec::new();
        let file = self.path(0);
        let file = file.display();
        for entry in self.entries.iter().filter(|entry| entry.file == 0) {
            let Target::Mapping(mapping) = &entry.target else {
                continue;
            };
            let name = &entry.name;
            if let Err(error) = self.follow(entry) {
                warnings.push(error.to_string());
                continue;
            }
            let mapped = self.entry(mapping).map_or(0, |entry| entry.file);
            if mapped != 0 && !imports.contains(&mapped) {
                let far = self.path(mapped);
                let far = far.display();
                warnings.push(format!(
                    "{file}: {name} maps to {mapping} of {far}, which it does not import itself"
                ));
            }
            let peripheral = entry.kind.and_then(|kind| self.resolve(name, kind).ok());
            for &(other, other_mapping, other_peripheral) in &earlier {
                if other_mapping == mapping {
                    warnings.push(format!("{file}: {name} and {other} both map to {mapping}"));
                } else if let Some(pin) = disputed_pin(peripheral, other_peripheral) {
                    warnings.push(format!(
                        "{file}: {name} and {other} are of different types in the block of pin {pin}"
                    ));
                }
            }
            earlier.push((name, mapping, peripheral));
        }
        self.warnings = warnings;
    }

    /// The entry with a name.
    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(*self.names.get(name)?)
    }

    /// The path of a file by its position.
    fn path(&self, file: usize) -> PathBuf {
        self.files.get(file).cloned().unwrap_or_default()
    }
}

/// The first pin of the block in which two peripherals of different types lie.
fn disputed_pin(one: Option<Peripheral>, other: Option<Peripheral>) -> Option<u8> {
    let (one, other) = (one?, other?);
    let shared = one.pins().blocks().intersection(other.pins().blocks());
    shared.first().filter(|_| one.kind() != other.kind())
}

/// The path without `.` and without `..` behind a name, so that one file has one path.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(normal.components().next_back(), Some(Component::Normal(_))) =>
            {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}
