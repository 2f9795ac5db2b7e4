// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Writes `bytes` to `path`, replacing what is there: first to a new file beside it, which is then renamed.
///
/// # Errors
/// [`Failure::Write`]; what was at `path` is unchanged then, and nothing new lies beside it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace(path, bytes).map_err(Failure::write(path))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (temporary, mut file) = create_beside(path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to tell.
        fs::remove_file(&temporary).ok();
    }
    written
}

/// Makes a file of another name in the directory of `path`.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("the path does not end in a file name"))?;
    let mut number = std::process::id();
    loop {
        let mut other = OsString::from(".");
        other.push(name);
        other.push(format!(".{number}.tmp"));
        let temporary = path.with_file_name(other);
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number = number.wrapping_add(1);
            }
            created => return Ok((temporary, created?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_is_made_and_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.imagepackage");
        for content in [b"first".as_slice(), b"second"] {
            write(&path, content).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content);
            assert_eq!(names(directory.path()), ["a.imagepackage"]);
        }
    }

    #[test]
    fn what_cannot_be_written_leaves_everything_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("folder");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), b"kept").unwrap();
        for bad in [path.clone(), directory.path().join("none/file"), "/".into()] {
            assert!(write(&bad, b"new").is_err(), "{}", bad.display());
        }
        assert_eq!(names(directory.path()), ["folder"]);
        assert_eq!(fs::read(path.join("inside")).unwrap(), b"kept");
    }

    #[test]
    fn a_leftover_of_another_run_is_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let leftover = directory
            .path()
            .join(format!(".a.{}.tmp", std::process::id()));
        fs::write(&leftover, b"other").unwrap();
        write(&path, b"mine").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(fs::read(&leftover).unwrap(), b"other");
    }
}
