// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The keys that may sign packages, found by the thumbprint in a package.

use ring::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};

use crate::certificate::{KeyError, PublicKey};
use crate::metadata::{SigningType, Thumbprint};

/// Trusted public keys.
///
/// The thumbprint is a SHA-1 and only says which key to try, so that a certificate with the same thumbprint
/// gains nothing: it is not in the store.
#[derive(Clone, Debug, Default)]
pub struct TrustStore {
    keys: Vec<(Thumbprint, PublicKey)>,
}

impl TrustStore {
    /// A store that trusts nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that trusts these DER certificates.
    ///
    /// # Errors
    ///
    /// Those of [`PublicKey::from_certificate`], for the first certificate that cannot be used.
    pub fn from_der_certificates<I>(certificates: I) -> Result<Self, KeyError>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut store = Self::new();
        for certificate in certificates {
            store.add_certificate(certificate.as_ref())?;
        }
        Ok(store)
    }

    /// Trusts a DER certificate, and returns its thumbprint.
    ///
    /// # Errors
    ///
    /// Those of [`PublicKey::from_certificate`].
    pub fn add_certificate(&mut self, der: &[u8]) -> Result<Thumbprint, KeyError> {
        let thumbprint = Thumbprint::of_certificate(der);
        self.add_public_key(thumbprint, PublicKey::from_certificate(der)?);
        Ok(thumbprint)
    }

    /// Trusts a key for packages with this thumbprint.
    pub fn add_public_key(&mut self, thumbprint: Thumbprint, key: PublicKey) {
        self.keys.push((thumbprint, key));
    }

    /// The thumbprints of the keys.
    pub fn thumbprints(&self) -> impl Iterator<Item = Thumbprint> {
        self.keys.iter().map(|(thumbprint, _)| *thumbprint)
    }

    /// Whether the store trusts nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that can have signed a package.
    pub(crate) fn candidates(
        &self,
        thumbprint: Thumbprint,
        signing_type: SigningType,
    ) -> impl Iterator<Item = &PublicKey> {
        self.keys
            .iter()
            .filter(move |(name, key)| *name == thumbprint && key.signing_type() == signing_type)
            .map(|(_, key)| key)
    }
}

impl PublicKey {
    /// Whether the signature over the message is by this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = match self {
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_slice()),
            Self::P384(point) => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point.as_slice()),
        };
        key.verify(message, signature).is_ok()
    }
}
