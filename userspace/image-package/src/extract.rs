// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Extracts a package to a directory of the host.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use crate::error::PackageError;
use crate::package::ImagePackage;

impl<R: Read + Seek> ImagePackage<R> {
    /// Writes all files and directories below `directory`, which is made if it is not there, and returns their
    /// paths on the host.
    ///
    /// Nothing is replaced and nothing is written elsewhere: names are plain names, every file and every
    /// directory is made new, and one that is there already, a symbolic link too, is an error. Executable files
    /// get mode 0755 and others 0644, less the umask. What was written before an error stays.
    ///
    /// # Errors
    ///
    /// [`PackageError::Write`] and [`PackageError::Read`].
    pub fn extract(&mut self, directory: &Path) -> Result<Vec<PathBuf>, PackageError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| PackageError::Write { path, source }
        };
        fs::create_dir_all(directory).map_err(failed(directory))?;
        let entries: Vec<(String, bool, bool)> = self
            .entries()
            .map(|entry| (entry.path(), entry.is_directory(), entry.is_executable()))
            .collect();
        let mut written = Vec::with_capacity(entries.len());
        for (path, is_directory, is_executable) in entries {
            let target = directory.join(&path);
            if is_directory {
                fs::create_dir(&target).map_err(failed(&target))?;
            } else {
                let mut options = OpenOptions::new();
                options.write(true).create_new(true);
                set_mode(&mut options, is_executable);
                let mut file = options.open(&target).map_err(failed(&target))?;
                self.copy_file(&path, &mut file)
                    .map_err(|error| match error {
                        PackageError::Write { source, .. } => failed(&target)(source),
                        other => other,
                    })?;
            }
            written.push(target);
        }
        Ok(written)
    }
}

#[cfg(unix)]
fn set_mode(options: &mut OpenOptions, is_executable: bool) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(if is_executable { 0o755 } else { 0o644 });
}

#[cfg(not(unix))]
fn set_mode(_options: &mut OpenOptions, _is_executable: bool) {}
