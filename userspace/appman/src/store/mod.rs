// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Installed and staged packages and the apps' data on the writable disk.
//!
//! Power may go at any moment. A package gets its final name only by one rename after its content is
//! safe, so that what is found at the next boot is the old package or the new one, never a part.
//! Everything else that an interruption leaves behind is removed by [`Store::open`].
//!
//! App packages carry no version, so there is no downgrade to refuse: what is installed last is
//! installed.

use std::fs;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use policy::{ComponentId, Grant, check_install};

pub mod disk;
pub mod error;
pub mod layout;
pub mod package;
#[cfg(test)]
mod tests;

pub use disk::{Disk, SystemDisk};
pub use error::StoreError;
pub use layout::Layout;
pub use package::{Content, Facts, Package, Verifier};

/// The largest image that is taken, in bytes: what the format can describe.
pub const IMAGE_LIMIT: u64 = image_package::limits::MAXIMUM_PACKAGE_SIZE;

/// Bytes that stay free beside images and promised storage, for the file system's own records.
pub const SPACE_MARGIN: u64 = 64 * 1024;

/// Bytes in one KiB, the unit of storage quotas.
const KIB: u64 = 1024;

/// A staged image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// Component id.
    pub component: ComponentId,
    /// Image id.
    pub image: ComponentId,
    /// Name from the image metadata.
    pub name: String,
    /// Size of the package in bytes.
    pub length: u64,
}

#[derive(Debug)]
struct Transfer {
    file: File,
    announced: u64,
    received: u64,
}

/// The store below one root directory.
#[derive(Debug)]
pub struct Store<D> {
    disk: D,
    layout: Layout,
    verifier: Verifier,
    transfer: Option<Transfer>,
    staged: Vec<Staged>,
}

impl<D: Disk> Store<D> {
    /// Opens the store after a boot: makes its directories and removes what an interruption left, that
    /// is all staged images, transfers, and the data of apps that are not installed. What cannot be
    /// removed is told in the second value and is no reason not to go on.
    ///
    /// # Errors
    /// [`StoreError::Disk`] when the directories cannot be made or read.
    pub fn open(
        disk: D,
        layout: Layout,
        verifier: Verifier,
    ) -> Result<(Self, Vec<StoreError>), StoreError> {
        let mut store = Self {
            disk,
            layout,
            verifier,
            transfer: None,
            staged: Vec::new(),
        };
        for path in [
            store.layout.packages(),
            store.layout.staged(),
            store.layout.config(),
        ] {
            failed(
                store.disk.make_directory(&path),
                "make the directory",
                &path,
            )?;
        }
        let notes = store.clean()?;
        Ok((store, notes))
    }

    fn clean(&mut self) -> Result<Vec<StoreError>, StoreError> {
        let mut notes = Vec::new();
        let staged = self.layout.staged();
        for name in names(&staged)? {
            let path = staged.join(&name);
            let removed = failed(self.disk.remove_file(&path), "remove", &path);
            notes.extend(removed.err());
        }
        let installed = self.installed()?;
        let config = self.layout.config();
        for name in names(&config)? {
            let Some(component) = layout::data_component(&name) else {
                continue;
            };
            if !installed.contains(&component) {
                let path = config.join(&name);
                let removed = failed(self.disk.remove_directory(&path), "remove", &path);
                notes.extend(removed.err());
            }
        }
        Ok(notes)
    }

    /// The components that have an installed package, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn installed(&self) -> Result<Vec<ComponentId>, StoreError> {
        let mut components: Vec<ComponentId> = names(&self.layout.packages())?
            .iter()
            .filter_map(|name| layout::package_component(name))
            .collect();
        components.sort_unstable();
        Ok(components)
    }

    /// The staged images, in the order of their arrival.
    pub fn staged(&self) -> &[Staged] {
        &self.staged
    }

    /// Opens and verifies an installed package.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`], and everything that [`Verifier::verify`] refuses.
    pub fn load(&self, component: ComponentId) -> Result<Package, StoreError> {
        let path = self.layout.package(component);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NotInstalled(component));
            }
            other => failed(other, "open", &path)?,
        };
        self.verify_named(component, file)
    }

    fn verify_named(&self, component: ComponentId, file: File) -> Result<Package, StoreError> {
        let package = self.verifier.verify(file)?;
        if package.facts.component == component {
            Ok(package)
        } else {
            Err(StoreError::Misplaced {
                file: component,
                image: package.facts.component,
            })
        }
    }

    /// Size in bytes of an installed package, verified or not.
    pub fn package_length(&self, component: ComponentId) -> u64 {
        fs::metadata(self.layout.package(component)).map_or(0, |facts| facts.len())
    }

    /// Bytes that are free and promised to nobody. `promises` are the storage quotas in KiB of the
    /// installed apps.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn unpromised(
        &self,
        promises: impl IntoIterator<Item = (ComponentId, u32)>,
    ) -> Result<u64, StoreError> {
        let root = self.layout.root();
        let free = failed(
            self.disk.free_space(root),
            "measure the free space of",
            root,
        )?;
        let promised: u64 = promises
            .into_iter()
            .map(|(component, quota)| {
                (u64::from(quota) * KIB).saturating_sub(self.mutable_length(component))
            })
            .sum();
        Ok(free.saturating_sub(promised).saturating_sub(SPACE_MARGIN))
    }

    /// Begins the transfer of an image of `length` bytes, for which `free` bytes of disk may be used.
    /// `memory` bounds its length too, because its signature is verified over all its bytes in memory.
    ///
    /// # Errors
    /// [`StoreError::TransferOpen`], [`StoreError::WrongLength`] for no bytes at all,
    /// [`StoreError::TooLong`], [`StoreError::NoSpace`], [`StoreError::Disk`].
    pub fn begin(&mut self, length: u64, free: u64, memory: u64) -> Result<(), StoreError> {
        if self.transfer.is_some() {
            return Err(StoreError::TransferOpen);
        }
        if length == 0 {
            return Err(StoreError::WrongLength {
                announced: 0,
                received: 0,
            });
        }
        let limit = IMAGE_LIMIT.min(memory);
        if length > limit {
            return Err(StoreError::TooLong { length, limit });
        }
        if length > free {
            return Err(StoreError::NoSpace {
                needed: length,
                free,
            });
        }
        let path = self.layout.part();
        let file = failed(self.disk.create(&path), "create", &path)?;
        self.transfer = Some(Transfer {
            file,
            announced: length,
            received: 0,
        });
        Ok(())
    }

    /// Takes the next bytes of the image. The transfer is over when this fails.
    ///
    /// # Errors
    /// [`StoreError::NoTransfer`], [`StoreError::WrongLength`] for more than announced,
    /// [`StoreError::Disk`].
    pub fn chunk(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let transfer = self.transfer.as_mut().ok_or(StoreError::NoTransfer)?;
        let received = transfer.received.saturating_add(bytes.len() as u64);
        let taken = if received > transfer.announced {
            Err(StoreError::WrongLength {
                announced: transfer.announced,
                received,
            })
        } else {
            transfer.received = received;
            let written = self.disk.append(&mut transfer.file, bytes);
            failed(written, "write", &self.layout.part())
        };
        if taken.is_err() {
            self.abort();
        }
        taken
    }

    /// Ends the transfer: verifies what came and keeps it as staged.
    ///
    /// # Errors
    /// [`StoreError::NoTransfer`], [`StoreError::WrongLength`] for less than announced, everything that
    /// [`Verifier::verify`] refuses, [`StoreError::Disk`]. What came is forgotten then; an image of
    /// the same component that was staged before stays.
    pub fn end(&mut self) -> Result<ComponentId, StoreError> {
        let transfer = self.transfer.take().ok_or(StoreError::NoTransfer)?;
        let staged = self.keep(transfer);
        if staged.is_err() {
            self.abort();
        }
        staged
    }

    fn keep(&mut self, transfer: Transfer) -> Result<ComponentId, StoreError> {
        if transfer.received != transfer.announced {
            return Err(StoreError::WrongLength {
                announced: transfer.announced,
                received: transfer.received,
            });
        }
        let part = self.layout.part();
        failed(self.disk.sync(&transfer.file), "write", &part)?;
        let package = self.verifier.verify(transfer.file)?;
        let component = package.facts.component;
        let path = self.layout.staged_package(component);
        failed(self.disk.rename(&part, &path), "rename", &part)?;
        self.staged.retain(|staged| staged.component != component);
        self.staged.push(Staged {
            component,
            image: package.facts.image,
            name: package.facts.name,
            length: package.facts.length,
        });
        Ok(component)
    }

    /// Forgets the open transfer, if there is one.
    pub fn abort(&mut self) {
        self.transfer = None;
        // What cannot be removed now is removed before the next transfer or at the next boot.
        self.disk.remove_file(&self.layout.part()).ok();
    }

    /// Opens and verifies a staged image.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub fn load_staged(&self, component: ComponentId) -> Result<Package, StoreError> {
        let path = self.layout.staged_package(component);
        let file = failed(File::open(&path), "open", &path)?;
        self.verify_named(component, file)
    }

    /// Whether a package can be installed beside `others`, the installed apps with the ones that are
    /// installed at the same time. `free` are the bytes promised to nobody once it is installed. Answers
    /// how many of them are promised to it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::NoStorage`].
    pub fn check(&self, facts: &Facts, others: &[Grant<'_>], free: u64) -> Result<u64, StoreError> {
        let grant = facts.manifest.grant();
        check_install(&grant, others).map_err(StoreError::Conflict)?;
        let used = self.mutable_length(facts.component);
        let wanted = (u64::from(grant.storage_kb) * KIB).saturating_sub(used);
        if wanted > free {
            return Err(StoreError::NoStorage {
                asked_kb: grant.storage_kb,
                free_kb: free.saturating_add(used) / KIB,
            });
        }
        Ok(wanted)
    }

    /// Puts a staged package in the place of the installed one. The app does not run. When this fails,
    /// [`Store::load`] tells what is installed now.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn install(&mut self, component: ComponentId) -> Result<(), StoreError> {
        let staged = self.layout.staged_package(component);
        let package = self.layout.package(component);
        failed(self.disk.rename(&staged, &package), "rename", &staged)?;
        self.staged.retain(|staged| staged.component != component);
        let directory = self.layout.packages();
        failed(self.disk.sync_directory(&directory), "write", &directory)
    }

    /// Forgets a staged image.
    pub fn discard(&mut self, component: ComponentId) {
        self.staged.retain(|staged| staged.component != component);
        // What cannot be removed now is removed at the next boot.
        self.disk
            .remove_file(&self.layout.staged_package(component))
            .ok();
    }

    /// Removes an app and its data. The app does not run. An unknown app is no error.
    ///
    /// # Errors
    /// [`StoreError::Disk`]. When only the data could not be removed, the next boot does it.
    pub fn remove(&mut self, component: ComponentId) -> Result<(), StoreError> {
        let package = self.layout.package(component);
        failed(self.disk.remove_file(&package), "remove", &package)?;
        let directory = self.layout.packages();
        failed(self.disk.sync_directory(&directory), "write", &directory)?;
        let data = self.layout.data(component);
        failed(self.disk.remove_directory(&data), "remove", &data)
    }

    /// Makes sure that an app's mutable file exists, and answers its path.
    ///
    /// It cannot be owned by the app's user: JFFS2 keeps 16 bits of an id, and the app's has more. So the
    /// file is open to all, within a directory that nobody but the manager can enter, and the app reaches
    /// it because the file alone is mounted into its view.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn mutable_file(&mut self, component: ComponentId) -> Result<PathBuf, StoreError> {
        let directory = self.layout.data(component);
        failed(
            self.disk.make_directory(&directory),
            "make the directory",
            &directory,
        )?;
        let path = self.layout.mutable(component);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.disk.create(&path),
            other => other,
        };
        let file = failed(file, "open", &path)?;
        // An interruption may have come between making the file and opening it to all.
        failed(self.disk.share(&file), "change the mode of", &path)?;
        failed(self.disk.sync(&file), "write", &path)?;
        failed(self.disk.sync_directory(&directory), "write", &directory)?;
        Ok(path)
    }

    /// Size in bytes of an app's mutable file; 0 without one.
    pub fn mutable_length(&self, component: ComponentId) -> u64 {
        fs::symlink_metadata(self.layout.mutable(component)).map_or(0, |facts| facts.len())
    }
}

fn failed<T>(result: io::Result<T>, what: &'static str, path: &Path) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Disk {
        what,
        path: path.to_path_buf(),
        source,
    })
}

/// The names in a directory; one that is not text belongs to nobody and is left alone.
fn names(directory: &Path) -> Result<Vec<String>, StoreError> {
    let read = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(directory)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    };
    failed(read(), "read the directory", directory)
}
