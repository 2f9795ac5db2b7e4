// SPDX-License-Identifier: Apache-2.0 OR MIT

//! JSON text with places: syntax, depth and repeated keys are checked before any value is read.
//!
//! No tree is built. A value is a slice of the text, and an object is listed one level at a time, so a
//! manifest costs the device little more than its text.

use std::fmt;

use policy::DeviceError;
use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Location, ManifestError, Problem};

/// The largest manifest in bytes. The real limit is not known; the largest published manifest has 2 KiB.
pub const MAX_SIZE: usize = 64 * 1024;

/// How deep values can be nested; manifests need three levels.
pub const MAX_DEPTH: usize = 16;

/// How many entries a list or an object can have.
pub const MAX_ENTRIES: usize = 1024;

/// The code for everything that is wrong with the text itself.
const INVALID: DeviceError = DeviceError::MANIFEST_INVALID_JSON;

/// The text of a manifest that is known to be JSON.
#[derive(Clone, Copy)]
pub(crate) struct Document<'a> {
    text: &'a str,
    root: &'a RawValue,
}

impl<'a> Document<'a> {
    /// Checks size, encoding, syntax, depth, numbers and repeated keys.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, ManifestError> {
        let start = |problem| ManifestError::new(INVALID, locate("", 0, String::new()), problem);
        if bytes.len() > MAX_SIZE {
            return Err(start(Problem::TooLarge { size: bytes.len() }));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = String::from_utf8_lossy(valid);
            let location = locate(&before, before.len(), String::new());
            ManifestError::new(INVALID, location, Problem::NotUtf8)
        })?;
        if text.starts_with('\u{feff}') {
            return Err(start(Problem::ByteOrderMark));
        }
        let root =
            serde_json::from_str::<&RawValue>(text).map_err(|error| syntax_error(text, error))?;
        let document = Self { text, root };
        document.root().check(MAX_DEPTH)?;
        Ok(document)
    }

    /// The outermost value.
    pub(crate) fn root(&self) -> Element<'a, 'static> {
        Element {
            text: self.text,
            raw: self.root,
            path: Path::Root,
        }
    }
}

/// The way to a value, held on the stack while the value is looked at.
#[derive(Clone, Copy)]
enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    /// Keys are escaped: a log must not be given lines by the key of an app.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => write!(formatter, "{}", key.escape_debug()),
            Self::Key(parent, key) => write!(formatter, "{parent}.{}", key.escape_debug()),
            Self::Index(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

/// One value, as a slice of the text.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a, 'p> {
    text: &'a str,
    raw: &'a RawValue,
    path: Path<'p>,
}

/// A key and its value.
pub(crate) struct Member<'a> {
    pub(crate) key: String,
    raw_key: &'a RawValue,
    raw: &'a RawValue,
}

impl<'a> Member<'a> {
    /// The key as it is written, with its quotation marks.
    pub(crate) fn key_source(&self) -> &'a str {
        self.raw_key.get()
    }
}

impl<'a> Element<'a, '_> {
    /// The value as it is written.
    pub(crate) fn source(&self) -> &'a str {
        self.raw.get()
    }

    /// The members in the order of the text; none when the value is no object.
    pub(crate) fn object(&self) -> Option<Vec<Member<'a>>> {
        self.members().ok()
    }

    /// The entries; none when the value is no list.
    pub(crate) fn list(&self) -> Option<Vec<&'a RawValue>> {
        self.entries().ok()
    }

    /// The text of a string.
    pub(crate) fn string(&self) -> Option<String> {
        serde_json::from_str(self.source()).ok()
    }

    /// The number when it is an integer, written without fraction and exponent.
    pub(crate) fn integer(&self) -> Option<i64> {
        serde_json::from_str(self.source()).ok()
    }

    /// The truth value.
    pub(crate) fn boolean(&self) -> Option<bool> {
        serde_json::from_str(self.source()).ok()
    }

    /// The value of a member of this object.
    pub(crate) fn member<'s>(&'s self, member: &'s Member<'a>) -> Element<'a, 's> {
        Element {
            text: self.text,
            raw: member.raw,
            path: Path::Key(&self.path, &member.key),
        }
    }

    /// An entry of this list.
    pub(crate) fn entry<'s>(&'s self, index: usize, raw: &'a RawValue) -> Element<'a, 's> {
        Element {
            text: self.text,
            raw,
            path: Path::Index(&self.path, index),
        }
    }

    /// The error for a mistake in this value.
    pub(crate) fn error(&self, code: DeviceError, problem: Problem) -> ManifestError {
        ManifestError::new(code, self.location(), problem)
    }

    /// The error for a mistake in a key of this object.
    pub(crate) fn key_error(
        &self,
        member: &Member<'a>,
        code: DeviceError,
        problem: Problem,
    ) -> ManifestError {
        ManifestError::new(code, self.key_location(member), problem)
    }

    /// The error for a key that this object lacks.
    pub(crate) fn missing(
        &self,
        key: &str,
        code: DeviceError,
        needed: &'static str,
    ) -> ManifestError {
        let path = Path::Key(&self.path, key).to_string();
        let location = locate(self.text, offset_in(self.text, self.source()), path);
        ManifestError::new(code, location, Problem::Missing { needed })
    }

    /// Where the value begins.
    pub(crate) fn location(&self) -> Location {
        let offset = offset_in(self.text, self.source());
        locate(self.text, offset, self.path.to_string())
    }

    /// Where the key of a member begins.
    pub(crate) fn key_location(&self, member: &Member<'a>) -> Location {
        let path = Path::Key(&self.path, &member.key).to_string();
        locate(self.text, offset_in(self.text, member.raw_key.get()), path)
    }

    /// Refuses what a syntax check lets pass: depth, repeated keys, numbers and characters that no
    /// program can hold.
    fn check(&self, depth: usize) -> Result<(), ManifestError> {
        let invalid = |error: serde_json::Error| self.error(INVALID, without_place(error));
        let Some(inner) = depth.checked_sub(1) else {
            return Err(self.error(INVALID, Problem::TooDeep));
        };
        let limit = |length| match length {
            0..=MAX_ENTRIES => Ok(()),
            _ => Err(self.error(INVALID, Problem::TooManyEntries)),
        };
        match self.source().as_bytes().first() {
            Some(b'{') => {
                let members = self.members().map_err(invalid)?;
                limit(members.len())?;
                for (index, member) in members.iter().enumerate() {
                    let mut earlier = members.iter().take(index);
                    if earlier.any(|other| other.key == member.key) {
                        return Err(self.key_error(member, INVALID, Problem::DuplicateKey));
                    }
                    self.member(member).check(inner)?;
                }
            }
            Some(b'[') => {
                let entries = self.entries().map_err(invalid)?;
                limit(entries.len())?;
                for (index, raw) in entries.into_iter().enumerate() {
                    self.entry(index, raw).check(inner)?;
                }
            }
            Some(b'"') => {
                serde_json::from_str::<String>(self.source()).map_err(invalid)?;
            }
            Some(b'-' | b'0'..=b'9') => {
                serde_json::from_str::<f64>(self.source()).map_err(invalid)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The members, with keys decoded.
    fn members(&self) -> Result<Vec<Member<'a>>, serde_json::Error> {
        serde_json::Deserializer::from_str(self.source()).deserialize_map(Members)
    }

    /// The entries.
    fn entries(&self) -> Result<Vec<&'a RawValue>, serde_json::Error> {
        serde_json::Deserializer::from_str(self.source()).deserialize_seq(Entries)
    }
}

/// Reads one level of an object, in order; keeps one member more than the limit.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((raw_key, raw)) = map.next_entry::<&RawValue, &RawValue>()? {
            if members.len() > MAX_ENTRIES {
                continue;
            }
            members.push(Member {
                key: serde_json::from_str(raw_key.get()).map_err(A::Error::custom)?,
                raw_key,
                raw,
            });
        }
        Ok(members)
    }
}

/// Reads one level of a list; keeps one entry more than the limit.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(raw) = sequence.next_element::<&RawValue>()? {
            if entries.len() <= MAX_ENTRIES {
                entries.push(raw);
            }
        }
        Ok(entries)
    }
}

/// The distance in bytes from the start of a text to a slice of it.
fn offset_in(text: &str, slice: &str) -> usize {
    slice.as_ptr().addr().wrapping_sub(text.as_ptr().addr())
}

/// The place of a byte of the text.
fn locate(text: &str, offset: usize, path: String) -> Location {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    Location {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
        path,
    }
}

/// The error of the JSON reader, with its place in our words.
fn syntax_error(text: &str, error: serde_json::Error) -> ManifestError {
    let line_start = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let mut offset = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let rest = text.get(offset..).unwrap_or_default();
    let problem = if rest.starts_with("//") || rest.starts_with("/*") {
        Problem::Comment
    } else {
        without_place(error)
    };
    ManifestError::new(INVALID, locate(text, offset, String::new()), problem)
}

/// The error of the JSON reader without the place, which it counts from the start of a slice.
fn without_place(error: serde_json::Error) -> Problem {
    let mut message = error.to_string();
    if let Some(place) = message.rfind(" at line ") {
        message.truncate(place);
    }
    Problem::Syntax {
        message,
        source: error,
    }
}
