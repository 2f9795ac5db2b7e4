// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What can be wrong with a hardware definition, in which file and entry.

use std::io;
use std::path::PathBuf;

use crate::hardware::{
    FILE_TYPE, FILE_VERSION, MAX_HARDWARE_ENTRIES, MAX_HARDWARE_FILE_SIZE, MAX_HARDWARE_FILES,
};

/// Why a hardware definition cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HardwareError {
    /// A file could not be read.
    #[error("{}: cannot read the hardware definition: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// An imported file is neither beside the file that imports it nor in a search directory.
    #[error("{}: the import {} is in none of: {}", file.display(), import.display(), list(searched))]
    ImportNotFound {
        /// The file that imports.
        file: PathBuf,
        /// The path in the import.
        import: PathBuf,
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// More bytes than [`MAX_HARDWARE_FILE_SIZE`].
    #[error("{}: larger than {MAX_HARDWARE_FILE_SIZE} bytes", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// More files than [`MAX_HARDWARE_FILES`].
    #[error("{}: more than {MAX_HARDWARE_FILES} files are imported", file.display())]
    TooManyFiles {
        /// The file that was one too many.
        file: PathBuf,
    },
    /// More entries than [`MAX_HARDWARE_ENTRIES`].
    #[error("{}: more than {MAX_HARDWARE_ENTRIES} entries", file.display())]
    TooManyEntries {
        /// The file with the entry that was one too many.
        file: PathBuf,
    },
    /// A file is not JSON, or lacks a field.
    #[error("{}: not a hardware definition: {source}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The error of the JSON reader, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// The metadata name another type or version of file.
    #[error(
        "{}: Metadata must be {{ \"Type\": \"{FILE_TYPE}\", \"Version\": {FILE_VERSION} }}",
        file.display()
    )]
    Metadata {
        /// The file.
        file: PathBuf,
    },
    /// An entry has a type that there is not.
    #[error("{}: {name} has the unknown type {kind}", file.display())]
    UnknownType {
        /// The file.
        file: PathBuf,
        /// The entry.
        name: String,
        /// The type.
        kind: String,
    },
    /// An entry has neither a mapping nor a value.
    #[error("{}: {name} has neither Mapping nor AppManifestValue", file.display())]
    NoValue {
        /// The file.
        file: PathBuf,
        /// The entry.
        name: String,
    },
    /// Two entries have the same name.
    #[error("{}: {name} is defined a second time, first in {}", file.display(), first.display())]
    DuplicateName {
        /// The file with the second entry.
        file: PathBuf,
        /// The name.
        name: String,
        /// The file with the first entry.
        first: PathBuf,
    },
}

/// Why a name does not lead to a peripheral.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No file defines the name.
    #[error("{}: neither it nor its imports define {name:?}", file.display())]
    Unknown {
        /// The definition that was asked.
        file: PathBuf,
        /// The name, without its `$`.
        name: String,
    },
    /// An entry maps to a name that no file defines.
    #[error("{}: {name} maps to {mapping}, which no file defines", file.display())]
    UnknownMapping {
        /// The file of the entry.
        file: PathBuf,
        /// The entry.
        name: String,
        /// What it maps to.
        mapping: String,
    },
    /// An entry maps to itself, directly or through others.
    #[error("{}: {name} maps to itself, directly or through others", file.display())]
    Circle {
        /// The file of the entry.
        file: PathBuf,
        /// The entry.
        name: String,
    },
    /// The entry is a number for C code.
    #[error("{}: {name} is an int constant for C code and no peripheral", file.display())]
    Constant {
        /// The file of the entry.
        file: PathBuf,
        /// The entry.
        name: String,
    },
    /// The entry is a peripheral of another kind.
    #[error("{}: {name} is of type {found}, not {wanted}", file.display())]
    WrongType {
        /// The file of the entry.
        file: PathBuf,
        /// The entry.
        name: String,
        /// The type of the entry.
        found: &'static str,
        /// The type of the list in the manifest.
        wanted: &'static str,
    },
    /// The entry's value is no peripheral of the chip.
    #[error("{}: {name} has the value {value}, which is no {wanted} of the chip", file.display())]
    WrongValue {
        /// The file of the entry.
        file: PathBuf,
        /// The entry.
        name: String,
        /// The value.
        value: String,
        /// The type of the list in the manifest.
        wanted: &'static str,
    },
}

/// Directories, separated by commas.
fn list(directories: &[PathBuf]) -> String {
    let names: Vec<_> = directories
        .iter()
        .map(|directory| directory.display().to_string())
        .collect();
    names.join(", ")
}
