// SPDX-License-Identifier: Apache-2.0 OR MIT

//! An application's image package, opened for reading.

use std::io::{Cursor, Read, Seek, Write};

use policy::ComponentId;

use crate::error::PackageError;
use crate::file_system::{Entry, Tree};
use crate::limits::MAXIMUM_PACKAGE_SIZE;
use crate::metadata::{ImageType, Metadata, TemporaryFlags, Thumbprint};
use crate::trailer::{Trailer, read_at};
use crate::trust::TrustStore;

/// Bytes copied at a time.
const BUFFER_SIZE: usize = 4096;

/// A package whose metadata and file system are well-formed; who made it is known after
/// [`ImagePackage::verify`] only.
///
/// The reader must not change while it is in use: an installer gives no one else write access to the file.
#[derive(Debug)]
pub struct ImagePackage<R> {
    reader: R,
    trailer: Trailer,
    tree: Tree,
}

/// The proof that a package was signed by a trusted key. There is no other way to one than
/// [`ImagePackage::verify`] or [`ImagePackage::verify_in_place`], so a function that takes it cannot be called
/// with a package that nobody verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    component: ComponentId,
    image: ComponentId,
    thumbprint: Thumbprint,
    temporary: TemporaryFlags,
    file_system_size: u64,
}

impl Verified {
    /// The component that was signed.
    #[must_use]
    pub fn component(&self) -> ComponentId {
        self.component
    }

    /// The image that was signed.
    #[must_use]
    pub fn image(&self) -> ComponentId {
        self.image
    }

    /// The certificate that verified it.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The flags that were signed.
    #[must_use]
    pub fn temporary(&self) -> TemporaryFlags {
        self.temporary
    }

    /// Bytes of the file system, from the start of the package: what to mount.
    #[must_use]
    pub fn file_system_size(&self) -> u64 {
        self.file_system_size
    }
}

impl<R: Read + Seek> ImagePackage<R> {
    /// Opens a package of at most [`MAXIMUM_PACKAGE_SIZE`] bytes.
    ///
    /// All of its structure is checked: the metadata, every table of the file system and its checksum. Memory
    /// holds the metadata (up to 4 KiB), one table at a time and the names (up to 64 KiB each), never a file.
    ///
    /// # Errors
    ///
    /// All of [`PackageError`] but those of signatures and of single files.
    pub fn open(reader: R) -> Result<Self, PackageError> {
        Self::open_with_limit(reader, MAXIMUM_PACKAGE_SIZE)
    }

    /// Opens a package of at most `limit` bytes; a limit above [`MAXIMUM_PACKAGE_SIZE`] counts as that.
    ///
    /// # Errors
    ///
    /// Those of [`ImagePackage::open`].
    pub fn open_with_limit(mut reader: R, limit: u64) -> Result<Self, PackageError> {
        let trailer = Trailer::read(&mut reader, limit.min(MAXIMUM_PACKAGE_SIZE))?;
        let metadata = &trailer.metadata;
        if metadata.image_type != ImageType::APPLICATION {
            return Err(PackageError::UnsupportedImageType {
                found: metadata.image_type,
            });
        }
        if metadata.compression.is_some() {
            return Err(PackageError::Compressed);
        }
        if metadata.component == ComponentId::NIL {
            return Err(PackageError::NoComponentId);
        }
        let tree = Tree::read(&mut reader, trailer.image_size)?;
        Ok(Self {
            reader,
            trailer,
            tree,
        })
    }

    /// The metadata.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.trailer.metadata
    }

    /// Bytes of the file system, from the start of the package.
    #[must_use]
    pub fn file_system_size(&self) -> u64 {
        u64::from(self.tree.size())
    }

    /// Bytes of the whole package.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.trailer
            .signed_size
            .saturating_add(self.trailer.signature.len() as u64)
    }

    /// The signature: r and s, big-endian, 32 or 48 bytes each.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.trailer.signature
    }

    /// All files and directories, a directory before what is in it.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.tree.entries()
    }

    /// The file or directory with a path, with or without a leading slash.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Entry<'_>> {
        self.tree.find(path)
    }

    /// The reader, for mounting what was verified.
    pub fn into_reader(self) -> R {
        self.reader
    }

    /// Verifies the signature.
    ///
    /// The bytes that are signed are read into memory once, and freed before this returns: `ring` verifies a
    /// whole message and, on purpose, no digest. The memory is that of the package, so the limit given to
    /// [`ImagePackage::open_with_limit`] bounds it, and a lack of memory is an error and no panic.
    ///
    /// # Errors
    ///
    /// [`PackageError::NotTrusted`] (before anything is read), [`PackageError::BadSignature`],
    /// [`PackageError::OutOfMemory`] and [`PackageError::Read`].
    pub fn verify(&mut self, trusted: &TrustStore) -> Result<Verified, PackageError> {
        self.check_signer(trusted)?;
        let signed = self.read_range(0, self.trailer.signed_size, "the signed bytes")?;
        self.verify_message(trusted, &signed)
    }

    /// The bytes of a file of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`PackageError::NoSuchFile`], [`PackageError::NotAFile`], [`PackageError::FileTooLarge`],
    /// [`PackageError::OutOfMemory`] and [`PackageError::Read`].
    pub fn read_file(&mut self, path: &str, limit: u32) -> Result<Vec<u8>, PackageError> {
        let (offset, size) = self.file_range(path)?;
        if size > limit {
            return Err(PackageError::FileTooLarge {
                path: path.to_owned(),
                size,
                limit,
            });
        }
        self.read_range(offset.into(), size.into(), "a file")
    }

    /// Writes a file to `output`, piece by piece.
    ///
    /// # Errors
    ///
    /// [`PackageError::NoSuchFile`], [`PackageError::NotAFile`], [`PackageError::Read`], and
    /// [`PackageError::Write`] with the path inside the package.
    pub fn copy_file<W: Write>(&mut self, path: &str, output: &mut W) -> Result<(), PackageError> {
        let (offset, size) = self.file_range(path)?;
        let mut buffer = [0; BUFFER_SIZE];
        let mut offset = u64::from(offset);
        let end = offset.saturating_add(size.into());
        while offset < end {
            let count = usize::try_from(end - offset)
                .unwrap_or(BUFFER_SIZE)
                .min(BUFFER_SIZE);
            let piece = buffer.get_mut(..count).unwrap_or_default();
            read_at(&mut self.reader, offset, piece, "a file")?;
            output
                .write_all(piece)
                .map_err(|source| PackageError::Write {
                    path: path.into(),
                    source,
                })?;
            offset = offset.saturating_add(count as u64);
        }
        Ok(())
    }

    /// The package with another signer in its metadata, up to where the signature begins.
    pub(crate) fn message_for(&mut self, block: &[u8]) -> Result<Vec<u8>, PackageError> {
        let mut message = self.read_range(0, self.trailer.image_size, "the file system")?;
        message.extend_from_slice(block);
        Ok(message)
    }

    /// The metadata block as it is in the file.
    pub(crate) fn block(&self) -> &[u8] {
        &self.trailer.block
    }

    /// Offset and size of a file; an empty file has none of the bytes of the package.
    fn file_range(&self, path: &str) -> Result<(u32, u32), PackageError> {
        match self.tree.find(path) {
            None => Err(PackageError::NoSuchFile {
                path: path.to_owned(),
            }),
            Some(entry) if entry.is_directory() => Err(PackageError::NotAFile {
                path: path.to_owned(),
            }),
            Some(entry) => Ok((entry.offset(), entry.size())),
        }
    }

    fn read_range(
        &mut self,
        offset: u64,
        size: u64,
        what: &'static str,
    ) -> Result<Vec<u8>, PackageError> {
        let out_of_memory = || PackageError::OutOfMemory { bytes: size };
        let length = usize::try_from(size).map_err(|_| out_of_memory())?;
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(length)
            .map_err(|_| out_of_memory())?;
        bytes.resize(length, 0);
        read_at(&mut self.reader, offset, &mut bytes, what)?;
        Ok(bytes)
    }
}

impl<T: AsRef<[u8]>> ImagePackage<Cursor<T>> {
    /// Verifies the signature of a package that is in memory or mapped, without a copy of it.
    ///
    /// # Errors
    ///
    /// [`PackageError::NotTrusted`] and [`PackageError::BadSignature`].
    pub fn verify_in_place(&self, trusted: &TrustStore) -> Result<Verified, PackageError> {
        self.check_signer(trusted)?;
        let signed = usize::try_from(self.trailer.signed_size)
            .ok()
            .and_then(|length| self.reader.get_ref().as_ref().get(..length));
        self.verify_message(trusted, signed.unwrap_or_default())
    }
}

impl<R> ImagePackage<R> {
    /// Refuses a package that no trusted key can have signed.
    fn check_signer(&self, trusted: &TrustStore) -> Result<(), PackageError> {
        let Metadata {
            thumbprint,
            signing_type,
            ..
        } = self.trailer.metadata;
        match trusted.candidates(thumbprint, signing_type).next() {
            Some(_) => Ok(()),
            None => Err(PackageError::NotTrusted { thumbprint }),
        }
    }

    /// The proof, if a trusted key verifies the signature over the message.
    fn verify_message(
        &self,
        trusted: &TrustStore,
        message: &[u8],
    ) -> Result<Verified, PackageError> {
        let Metadata {
            thumbprint,
            signing_type,
            component,
            image,
            temporary,
            ..
        } = self.trailer.metadata;
        let verified = trusted
            .candidates(thumbprint, signing_type)
            .any(|key| key.verifies(message, &self.trailer.signature));
        if !verified {
            return Err(PackageError::BadSignature { thumbprint });
        }
        let file_system_size = u64::from(self.tree.size());
        Ok(Verified {
            component,
            image,
            thumbprint,
            temporary,
            file_system_size,
        })
    }
}
