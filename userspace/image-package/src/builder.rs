// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Creates packages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use policy::ComponentId;

use crate::certificate::KeyError;
use crate::file_system::{self, Entries, Node, check_name};
use crate::limits::{
    MAXIMUM_DEPTH, MAXIMUM_FILE_SIZE, MAXIMUM_INODES, MAXIMUM_NAME_LENGTH, MAXIMUM_PACKAGE_SIZE,
    MAXIMUM_PATH_LENGTH,
};
use crate::metadata::{Abi, ImageType, Metadata, SigningType, TemporaryFlags};
use crate::signer::Signer;

/// Where the manifest is in every package.
pub const MANIFEST_PATH: &str = "app_manifest.json";

/// Why a package cannot be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The name of the app is empty or has control characters.
    #[error(
        "the app's name {name:?} is empty or has control characters: change Name in app_manifest.json"
    )]
    AppName {
        /// The name.
        name: String,
    },
    /// The component id is all zeros.
    #[error("the component id is all zeros: set ComponentId in app_manifest.json")]
    NoComponentId,
    /// A path has an empty part, `.`, `..`, a control character or a part of more than 252 bytes, or is too long.
    #[error(
        "{path:?} cannot be a path in a package: each part is a plain name of 1 to {MAXIMUM_NAME_LENGTH} bytes, the whole has at most {MAXIMUM_PATH_LENGTH} bytes and {MAXIMUM_DEPTH} levels"
    )]
    Path {
        /// The path inside the package.
        path: String,
    },
    /// A path is there already, or a part of it is a file.
    #[error("{path} is already in the package, or a part of it is a file")]
    Duplicate {
        /// The path inside the package.
        path: String,
    },
    /// There is no manifest.
    #[error("the package has no {MANIFEST_PATH}")]
    NoManifest,
    /// There are more files and directories than a package can have.
    #[error("the package has more than {MAXIMUM_INODES} files and directories")]
    TooManyFiles,
    /// A file, or all of them together, are larger than a package can be.
    #[error(
        "the package is too large: at most {MAXIMUM_PACKAGE_SIZE} bytes, each file less than that"
    )]
    TooLarge,
    /// A symbolic link, device, FIFO or socket in a directory to pack.
    #[error("{} is no regular file and no directory: packages have nothing else", path.display())]
    FileType {
        /// The path on the host.
        path: PathBuf,
    },
    /// A file name on the host is no UTF-8.
    #[error("the name of {} is no UTF-8", path.display())]
    HostName {
        /// The path on the host.
        path: PathBuf,
    },
    /// A file on the host cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The path on the host.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The package could not be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Whether the bytes are an ELF file, which the published packer makes executable.
#[must_use]
pub fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7FELF")
}

/// A package in the making.
///
/// The same input makes the same bytes, whatever the order in which files are added, the time and the machine,
/// with the exception of the signature: ECDSA takes a random number. [`Builder::unsigned`] gives the part that
/// can be compared.
#[derive(Clone, Debug)]
pub struct Builder {
    component: ComponentId,
    image: Option<ComponentId>,
    name: String,
    build_time: u64,
    temporary: TemporaryFlags,
    depends: Vec<Abi>,
    root: Entries,
    inodes: usize,
    bytes: u64,
}

impl Builder {
    /// A package of an app, without files, built at time 0, under development, in need of nothing.
    ///
    /// The metadata keeps the first 31 bytes of the name.
    ///
    /// # Errors
    ///
    /// [`BuildError::AppName`] and [`BuildError::NoComponentId`].
    pub fn new(component: ComponentId, name: &str) -> Result<Self, BuildError> {
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(BuildError::AppName {
                name: name.to_owned(),
            });
        }
        if component == ComponentId::NIL {
            return Err(BuildError::NoComponentId);
        }
        Ok(Self {
            component,
            image: None,
            name: name.to_owned(),
            build_time: 0,
            temporary: TemporaryFlags::UNDER_DEVELOPMENT,
            depends: Vec::new(),
            root: Entries::new(),
            inodes: 1,
            bytes: 0,
        })
    }

    /// Sets the image id. Without it the id is made from a hash of the file system and the component id, so
    /// equal contents have equal ids.
    pub fn image(&mut self, image: ComponentId) -> &mut Self {
        self.image = Some(image);
        self
    }

    /// Sets the build time, Unix seconds UTC; builds that are to be repeatable take it from
    /// `SOURCE_DATE_EPOCH`.
    pub fn build_time(&mut self, seconds: u64) -> &mut Self {
        self.build_time = seconds;
        self
    }

    /// Sets the flags of a temporary image; [`TemporaryFlags::NONE`] leaves the section away.
    pub fn temporary(&mut self, flags: TemporaryFlags) -> &mut Self {
        self.temporary = flags;
        self
    }

    /// Sets what the image needs; for an app the application runtime of its API set.
    pub fn depends(&mut self, abis: &[Abi]) -> &mut Self {
        self.depends = abis.to_vec();
        self
    }

    /// Adds the manifest, as it was packed.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::file`].
    pub fn manifest(&mut self, bytes: &[u8]) -> Result<&mut Self, BuildError> {
        self.file(MANIFEST_PATH, bytes, false)
    }

    /// Adds a file, and the directories that it is in. A leading slash is ignored.
    ///
    /// # Errors
    ///
    /// [`BuildError::Path`], [`BuildError::Duplicate`], [`BuildError::TooManyFiles`] and
    /// [`BuildError::TooLarge`].
    pub fn file(
        &mut self,
        path: &str,
        bytes: &[u8],
        executable: bool,
    ) -> Result<&mut Self, BuildError> {
        let size = u32::try_from(bytes.len())
            .ok()
            .filter(|&size| size <= MAXIMUM_FILE_SIZE);
        let total = self
            .bytes
            .saturating_add(size.ok_or(BuildError::TooLarge)?.into());
        if total > MAXIMUM_PACKAGE_SIZE {
            return Err(BuildError::TooLarge);
        }
        self.insert(
            path,
            Node::File {
                bytes: bytes.to_vec(),
                executable,
            },
        )?;
        self.bytes = total;
        Ok(self)
    }

    /// Adds an empty directory, and those that it is in. A leading slash is ignored.
    ///
    /// # Errors
    ///
    /// [`BuildError::Path`], [`BuildError::Duplicate`] and [`BuildError::TooManyFiles`].
    pub fn directory(&mut self, path: &str) -> Result<&mut Self, BuildError> {
        self.insert(path, Node::Directory(Entries::new()))?;
        Ok(self)
    }

    /// Adds all that is in a directory of the host. ELF files and those for which `executable` says so, by
    /// their path inside the package, become executable; the host's modes, owners and times do not matter.
    ///
    /// # Errors
    ///
    /// [`BuildError::FileType`] for what is neither a file nor a directory (links are not followed),
    /// [`BuildError::HostName`], [`BuildError::Read`], and those of [`Builder::file`].
    pub fn host_directory(
        &mut self,
        directory: &Path,
        executable: &dyn Fn(&str) -> bool,
    ) -> Result<&mut Self, BuildError> {
        self.add_host_directory(directory, "", executable)?;
        Ok(self)
    }

    fn add_host_directory(
        &mut self,
        directory: &Path,
        prefix: &str,
        executable: &dyn Fn(&str) -> bool,
    ) -> Result<(), BuildError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| BuildError::Read { path, source }
        };
        for entry in fs::read_dir(directory).map_err(failed(directory))? {
            let entry = entry.map_err(failed(directory))?;
            let host_path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                return Err(BuildError::HostName { path: host_path });
            };
            let path = format!("{prefix}{name}");
            let file_type = entry.file_type().map_err(failed(&host_path))?;
            if file_type.is_dir() {
                self.directory(&path)?;
                self.add_host_directory(&host_path, &format!("{path}/"), executable)?;
            } else if file_type.is_file() {
                let size = entry.metadata().map_err(failed(&host_path))?.len();
                if size > u64::from(MAXIMUM_FILE_SIZE) {
                    return Err(BuildError::TooLarge);
                }
                let bytes = fs::read(&host_path).map_err(failed(&host_path))?;
                let is_executable = is_elf(&bytes) || executable(&path);
                self.file(&path, &bytes, is_executable)?;
            } else {
                return Err(BuildError::FileType { path: host_path });
            }
        }
        Ok(())
    }

    /// Inserts a file or an empty directory.
    fn insert(&mut self, path: &str, node: Node) -> Result<(), BuildError> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let refused = || BuildError::Path {
            path: path.to_owned(),
        };
        let duplicate = || BuildError::Duplicate {
            path: path.to_owned(),
        };
        let mut names: Vec<&str> = path.split('/').collect();
        let plain = names.iter().all(|name| check_name(name));
        if !plain || names.len() > MAXIMUM_DEPTH || path.len() > MAXIMUM_PATH_LENGTH {
            return Err(refused());
        }
        let last = names.pop().ok_or_else(refused)?;
        let mut entries = &mut self.root;
        let mut inodes = self.inodes;
        for name in names {
            let child = entries.entry(name.to_owned()).or_insert_with(|| {
                inodes = inodes.saturating_add(1);
                Node::Directory(Entries::new())
            });
            match child {
                Node::Directory(children) => entries = children,
                Node::File { .. } => return Err(duplicate()),
            }
        }
        if entries.contains_key(last) {
            return Err(duplicate());
        }
        entries.insert(last.to_owned(), node);
        self.inodes = inodes.saturating_add(1);
        if self.inodes > MAXIMUM_INODES {
            return Err(BuildError::TooManyFiles);
        }
        Ok(())
    }

    /// The signed package.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoManifest`], [`BuildError::TooLarge`] and [`BuildError::Key`].
    pub fn build(&self, signer: &Signer) -> Result<Vec<u8>, BuildError> {
        Ok(signer.append_signature(self.unsigned(signer)?)?)
    }

    /// The package without its signature: the file system and the metadata that names the signer. The same
    /// input makes the same bytes.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoManifest`] and [`BuildError::TooLarge`].
    pub fn unsigned(&self, signer: &Signer) -> Result<Vec<u8>, BuildError> {
        if !matches!(self.root.get(MANIFEST_PATH), Some(Node::File { .. })) {
            return Err(BuildError::NoManifest);
        }
        let mut bytes = file_system::write(&self.root).ok_or(BuildError::TooLarge)?;
        let metadata = Metadata {
            image_type: ImageType::APPLICATION,
            component: self.component,
            image: self
                .image
                .unwrap_or_else(|| derived_image_id(self.component, &bytes)),
            thumbprint: signer.thumbprint(),
            signing_type: SigningType::EcdsaP256,
            build_time: self.build_time,
            name: self.name.clone(),
            temporary: self.temporary,
            depends: self.depends.clone(),
            provides: Vec::new(),
            compression: None,
            security_version: None,
            required_offset: None,
            policy: None,
            others: Vec::new(),
        };
        bytes.extend(metadata.encode().ok_or(BuildError::TooLarge)?);
        let signature = SigningType::EcdsaP256.signature_length();
        match u64::try_from(bytes.len()) {
            Ok(length) if length.saturating_add(signature) <= MAXIMUM_PACKAGE_SIZE => Ok(bytes),
            _ => Err(BuildError::TooLarge),
        }
    }
}

/// An image id from the contents: a GUID of version 8 (RFC 9562) out of their SHA-256.
fn derived_image_id(component: ComponentId, file_system: &[u8]) -> ComponentId {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(&component.to_bytes());
    context.update(file_system);
    let digest = context.finish();
    let mut bytes = [0; 16];
    for (position, (to, &from)) in bytes.iter_mut().zip(digest.as_ref()).enumerate() {
        *to = match position {
            6 => from & 0x0F | 0x80,
            8 => from & 0x3F | 0x80,
            _ => from,
        };
    }
    ComponentId::from_bytes(bytes)
}
