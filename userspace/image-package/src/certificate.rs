// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The public key of a certificate, and the private key beside it: the few fields that signing needs.
//!
//! Only the place of the public key is read. Who may sign is decided by which certificates a device has, so
//! neither names nor dates nor the certificate's own signature are checked: a device has no trusted time when
//! it verifies its apps at boot, and taking a certificate away is what revokes it.

use crate::der::{Der, tag};
use crate::metadata::SigningType;
use crate::pem;

/// 1.2.840.10045.2.1, an elliptic-curve key.
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// 1.2.840.10045.3.1.7, NIST P-256.
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// 1.3.132.0.34, NIST P-384.
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];

/// Bytes of a P-256 private key.
pub(crate) const PRIVATE_KEY_LENGTH: usize = 32;

/// Why a key or certificate cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are no X.509 certificate in DER.
    #[error("not a DER certificate (convert one with `openssl x509 -outform DER`)")]
    Certificate,
    /// The key is for another algorithm or curve, or its point is not stored uncompressed.
    #[error(
        "the certificate has no P-256 or P-384 key in uncompressed form, and no other keys can sign packages"
    )]
    UnsupportedKey,
    /// The text is no PEM of one block with the expected label.
    #[error("no single PEM block `{label}` with plain base64 lines")]
    Pem {
        /// The label after `BEGIN`.
        label: &'static str,
    },
    /// The private key is encrypted.
    #[error("the private key is encrypted: decrypt it with `openssl pkcs8`")]
    Encrypted,
    /// The private key is no P-256 key in PKCS#8 or SEC 1 form.
    #[error(
        "not a P-256 private key in PKCS#8 or SEC 1 form (make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`)"
    )]
    PrivateKey,
    /// The private key does not belong to the certificate, or is not valid.
    #[error("the private key and the certificate do not belong together")]
    Mismatch,
    /// The system has no random numbers, or signing failed.
    #[error("the signature could not be made (no random numbers from the system?)")]
    Signing,
}

/// A public key that can verify packages.
///
/// Whether the point is on the curve is found out when a signature is verified: a point that is not verifies
/// nothing.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// A point of P-256: 4, x, y.
    P256([u8; 65]),
    /// A point of P-384: 4, x, y.
    P384([u8; 97]),
}

impl PublicKey {
    /// The key of a P-256 point.
    #[must_use]
    pub fn p256(x: &[u8; 32], y: &[u8; 32]) -> Self {
        let mut point = [4; 65];
        for (to, from) in point.iter_mut().skip(1).zip(x.iter().chain(y)) {
            *to = *from;
        }
        Self::P256(point)
    }

    /// The key in an X.509 certificate.
    ///
    /// # Errors
    ///
    /// [`KeyError::Certificate`] if it is no certificate in strict DER, or has bytes behind its end;
    /// [`KeyError::UnsupportedKey`] for every key but an uncompressed P-256 or P-384 point.
    pub fn from_certificate(der: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, key) = certificate_key(der).ok_or(KeyError::Certificate)?;
        key_from_parts(algorithm, key).ok_or(KeyError::UnsupportedKey)
    }

    /// The algorithm of signatures by this key.
    #[must_use]
    pub const fn signing_type(&self) -> SigningType {
        match self {
            Self::P256(_) => SigningType::EcdsaP256,
            Self::P384(_) => SigningType::EcdsaP384,
        }
    }

    /// The uncompressed point.
    #[must_use]
    pub const fn point(&self) -> &[u8] {
        match self {
            Self::P256(point) => point,
            Self::P384(point) => point,
        }
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ", self.signing_type())?;
        self.point()
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// The algorithm identifier and the key of a certificate.
fn certificate_key(der: &[u8]) -> Option<(Der<'_>, &[u8])> {
    let mut file = Der::new(der);
    let mut certificate = file.constructed(tag::SEQUENCE)?;
    file.end()?;
    let mut signed = certificate.constructed(tag::SEQUENCE)?;
    let _signature_algorithm = certificate.value(tag::SEQUENCE)?;
    let _signature = certificate.bit_string()?;
    certificate.end()?;
    let _version = signed.value(tag::CONTEXT_0)?;
    let _serial_number = signed.value(tag::INTEGER)?;
    let _signature_algorithm = signed.value(tag::SEQUENCE)?;
    let _issuer = signed.value(tag::SEQUENCE)?;
    let _validity = signed.value(tag::SEQUENCE)?;
    let _subject = signed.value(tag::SEQUENCE)?;
    let mut public_key = signed.constructed(tag::SEQUENCE)?;
    let algorithm = public_key.constructed(tag::SEQUENCE)?;
    let key = public_key.bit_string()?;
    public_key.end()?;
    Some((algorithm, key))
}

/// The curve of an algorithm identifier.
fn curve(mut algorithm: Der<'_>) -> Option<&[u8]> {
    if algorithm.value(tag::OBJECT_IDENTIFIER)? != EC_PUBLIC_KEY {
        return None;
    }
    let curve = algorithm.value(tag::OBJECT_IDENTIFIER)?;
    algorithm.end()?;
    Some(curve)
}

fn key_from_parts(algorithm: Der<'_>, key: &[u8]) -> Option<PublicKey> {
    let (4, key_type) = (*key.first()?, curve(algorithm)?) else {
        return None;
    };
    match key_type {
        P256 => key.try_into().ok().map(PublicKey::P256),
        P384 => key.try_into().ok().map(PublicKey::P384),
        _ => None,
    }
}

/// The DER of a certificate in PEM.
///
/// # Errors
///
/// [`KeyError::Pem`] unless the text has exactly one certificate.
pub fn certificate_from_pem(text: &str) -> Result<Vec<u8>, KeyError> {
    const LABEL: &str = "CERTIFICATE";
    pem::decode(text, LABEL).ok_or(KeyError::Pem { label: LABEL })
}

/// The number of a P-256 private key in PEM, `PRIVATE KEY` (PKCS#8) or `EC PRIVATE KEY` (SEC 1).
pub(crate) fn private_key_from_pem(text: &str) -> Result<[u8; PRIVATE_KEY_LENGTH], KeyError> {
    const PKCS8: &str = "PRIVATE KEY";
    if text.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    if let Some(der) = pem::decode(text, PKCS8) {
        return pkcs8_key(&der).ok_or(KeyError::PrivateKey);
    }
    let der = pem::decode(text, "EC PRIVATE KEY").ok_or(KeyError::Pem { label: PKCS8 })?;
    sec1_key(&der, None).ok_or(KeyError::PrivateKey)
}

/// The key of a PKCS#8 structure.
fn pkcs8_key(der: &[u8]) -> Option<[u8; PRIVATE_KEY_LENGTH]> {
    let mut file = Der::new(der);
    let mut info = file.constructed(tag::SEQUENCE)?;
    file.end()?;
    if info.value(tag::INTEGER)? != [0] {
        return None;
    }
    let curve = curve(info.constructed(tag::SEQUENCE)?)?;
    sec1_key(info.value(tag::OCTET_STRING)?, Some(curve))
}

/// The key of a SEC 1 structure, whose curve is inside unless a PKCS#8 structure around it names it.
fn sec1_key(der: &[u8], outer_curve: Option<&[u8]>) -> Option<[u8; PRIVATE_KEY_LENGTH]> {
    let mut file = Der::new(der);
    let mut key = file.constructed(tag::SEQUENCE)?;
    file.end()?;
    if key.value(tag::INTEGER)? != [1] {
        return None;
    }
    let number = key.value(tag::OCTET_STRING)?.try_into().ok()?;
    let inner_curve = match key.constructed(tag::CONTEXT_0) {
        Some(mut parameters) => Some(parameters.value(tag::OBJECT_IDENTIFIER)?),
        None => None,
    };
    let is_p256 = |curve: Option<&[u8]>| curve.is_none_or(|curve| curve == P256);
    let named = inner_curve.or(outer_curve).is_some();
    (named && is_p256(inner_curve) && is_p256(outer_curve)).then_some(number)
}
