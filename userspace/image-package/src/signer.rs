// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Signs packages with a P-256 key.

use std::io::{Read, Seek};

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use crate::certificate::{KeyError, PublicKey, certificate_from_pem, private_key_from_pem};
use crate::error::PackageError;
use crate::metadata::{SigningType, Thumbprint, with_signer};
use crate::package::ImagePackage;

/// A private key and the certificate that devices know it by.
#[derive(Debug)]
pub struct Signer {
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
    thumbprint: Thumbprint,
}

/// Why a package could not be signed again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResignError {
    /// The package cannot be read.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The signature could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Signer {
    /// From a private key (`PRIVATE KEY` or `EC PRIVATE KEY`, not encrypted) and its certificate, both in PEM.
    ///
    /// # Errors
    ///
    /// Each [`KeyError`]: one of the two cannot be used, or they do not belong together.
    pub fn from_pem(private_key: &str, certificate: &str) -> Result<Self, KeyError> {
        let number = private_key_from_pem(private_key)?;
        let certificate = certificate_from_pem(certificate)?;
        let public_key = PublicKey::from_certificate(&certificate)?;
        let key = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &number,
            public_key.point(),
            &SystemRandom::new(),
        )
        .map_err(|_| KeyError::Mismatch)?;
        let thumbprint = Thumbprint::of_certificate(&certificate);
        Ok(Self {
            key,
            certificate,
            thumbprint,
        })
    }

    /// The certificate in DER: what goes into a [`crate::TrustStore`].
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The thumbprint of the certificate.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The whole package, signed by this key instead of by whoever signed it; every other byte stays.
    ///
    /// # Errors
    ///
    /// [`ResignError::Package`] if the package cannot be read, [`ResignError::Key`] if signing fails.
    pub fn resign<R: Read + Seek>(
        &self,
        package: &mut ImagePackage<R>,
    ) -> Result<Vec<u8>, ResignError> {
        let block = with_signer(package.block(), self.thumbprint, SigningType::EcdsaP256)
            .map_err(PackageError::from)?;
        Ok(self.append_signature(package.message_for(&block)?)?)
    }

    /// A message (file system and metadata of a package) with its signature behind it.
    ///
    /// ECDSA takes a random number, so two signatures of one message differ.
    ///
    /// # Errors
    ///
    /// [`KeyError::Signing`].
    pub fn append_signature(&self, mut message: Vec<u8>) -> Result<Vec<u8>, KeyError> {
        let signature = self
            .key
            .sign(&SystemRandom::new(), &message)
            .map_err(|_| KeyError::Signing)?;
        message.extend_from_slice(signature.as_ref());
        Ok(message)
    }
}
