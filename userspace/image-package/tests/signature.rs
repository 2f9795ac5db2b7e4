// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Who signed a package: both algorithms, unknown keys, changed bytes, keys and certificates.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod common;

use common::{
    CERTIFICATE, KEY, SAMPLE_SIZE, accept, builder, open, sample, signed, signer, trusted,
};
use image_package::{
    KeyError, Metadata, MetadataError, PackageError, PublicKey, Signer, SigningType, Thumbprint,
    TrustStore, certificate_from_pem,
};
use policy::DeviceError;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};

/// A P-384 key and its certificate, made with openssl for this test.
const P384_KEY: &str = include_str!("data/p384.key.pem");
const P384_CERTIFICATE: &str = include_str!("data/p384.crt.pem");
/// Another P-256 key, in SEC 1 form.
const OTHER_KEY: &str = include_str!("data/p256-sec1.key.pem");
const OTHER_CERTIFICATE: &str = include_str!("data/p256-sec1.crt.pem");
const RSA_CERTIFICATE: &str = include_str!("data/rsa.crt.pem");

fn sample_package() -> Vec<u8> {
    let (file_system, metadata) = sample();
    signed(&file_system, &metadata)
}

/// The base64 between the lines of a PEM block, decoded by a second decoder.
fn pem_bytes(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body = text.split("-----").nth(2).unwrap();
    let digits = body
        .bytes()
        .filter_map(|digit| alphabet.iter().position(|&other| other == digit));
    let bits: Vec<bool> = digits
        .flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1 == 1))
        .collect();
    bits.chunks_exact(8)
        .map(|byte| {
            byte.iter()
                .fold(0, |value, &bit| value << 1 | u8::from(bit))
        })
        .collect()
}

/// The sample with a certificate and an algorithm in its metadata.
fn message(thumbprint: Thumbprint, signing_type: SigningType) -> Vec<u8> {
    let (mut bytes, block) = sample();
    let mut metadata = Metadata::parse(&block).unwrap();
    metadata.thumbprint = thumbprint;
    metadata.signing_type = signing_type;
    bytes.extend(metadata.encode().unwrap());
    bytes
}

fn p384_package() -> Vec<u8> {
    let certificate = certificate_from_pem(P384_CERTIFICATE).unwrap();
    let mut bytes = message(
        Thumbprint::of_certificate(&certificate),
        SigningType::EcdsaP384,
    );
    let random = SystemRandom::new();
    let key = pem_bytes(P384_KEY);
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &key, &random).unwrap();
    let signature = key.sign(&random, &bytes).unwrap();
    bytes.extend(signature.as_ref());
    bytes
}

fn p384_trusted() -> TrustStore {
    TrustStore::from_der_certificates([certificate_from_pem(P384_CERTIFICATE).unwrap()]).unwrap()
}

#[track_caller]
fn not_trusted(result: Result<image_package::Verified, PackageError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, PackageError::NotTrusted { .. }), "{error}");
    assert_eq!(error.code(), DeviceError::IMAGE_UPDATE_VERIFICATION_FAILED);
}

#[track_caller]
fn bad_signature(result: Result<image_package::Verified, PackageError>) {
    let error = result.unwrap_err();
    assert!(
        matches!(error, PackageError::BadSignature { .. }),
        "{error}"
    );
    assert_eq!(error.code(), DeviceError::IMAGE_UPDATE_VERIFICATION_FAILED);
}

#[test]
fn a_trusted_signature_is_accepted_and_no_other() {
    let mut package = open(sample_package()).unwrap();
    package.verify(&trusted()).unwrap();
    not_trusted(package.verify(&TrustStore::new()));
    not_trusted(package.verify_in_place(&p384_trusted()));
    // A key of another certificate under the thumbprint of this one.
    let mut confused = TrustStore::new();
    let other = certificate_from_pem(OTHER_CERTIFICATE).unwrap();
    confused.add_public_key(
        signer().thumbprint(),
        PublicKey::from_certificate(&other).unwrap(),
    );
    bad_signature(package.verify(&confused));
    bad_signature(package.verify_in_place(&confused));
    // The right key beside it.
    let right = PublicKey::from_certificate(signer().certificate()).unwrap();
    confused.add_public_key(signer().thumbprint(), right);
    package.verify(&confused).unwrap();
    assert_eq!(confused.thumbprints().count(), 2);
}

#[test]
fn p384_signatures_are_accepted() {
    let bytes = p384_package();
    assert_eq!(bytes.len(), SAMPLE_SIZE + 148 + 96);
    let mut package = open(bytes.clone()).unwrap();
    assert_eq!(package.metadata().signing_type, SigningType::EcdsaP384);
    assert_eq!(
        (package.signature().len(), package.size()),
        (96, bytes.len() as u64)
    );
    let verified = package.verify(&p384_trusted()).unwrap();
    assert_eq!(verified, package.verify_in_place(&p384_trusted()).unwrap());
    not_trusted(package.verify(&trusted()));
    for position in [0, 5000, SAMPLE_SIZE + 20, bytes.len() - 96, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        let result = open(changed).and_then(|package| package.verify_in_place(&p384_trusted()));
        assert!(result.is_err(), "{position}");
    }
}

#[test]
fn a_key_verifies_only_its_own_algorithm() {
    let mut confused = TrustStore::new();
    let p256 = PublicKey::from_certificate(signer().certificate()).unwrap();
    let thumbprint = Thumbprint::of_certificate(&certificate_from_pem(P384_CERTIFICATE).unwrap());
    confused.add_public_key(thumbprint, p256);
    not_trusted(open(p384_package()).unwrap().verify(&confused));
}

#[test]
fn the_length_of_the_signature_is_that_of_its_algorithm() {
    let thumbprint = signer().thumbprint();
    for (signing_type, length, other) in [
        (SigningType::EcdsaP256, 64, 96),
        (SigningType::EcdsaP384, 96, 64),
    ] {
        let mut good = message(thumbprint, signing_type);
        good.resize(good.len() + length, 1);
        open(good).unwrap();
        let mut bad = message(thumbprint, signing_type);
        bad.resize(bad.len() + other, 1);
        let length = other as u64;
        match open(bad) {
            Err(PackageError::Metadata(error)) => {
                assert_eq!(
                    error,
                    MetadataError::SignatureLength {
                        signing_type,
                        length
                    }
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn signatures_outside_of_the_curve_are_refused() {
    let (file_system, metadata) = sample();
    let message = [file_system, metadata].concat();
    let good = signer().append_signature(message.clone()).unwrap();
    let (r, s) = good[message.len()..].split_at(32);
    let zero = [0; 32];
    let all = [0xFF; 32];
    for signature in [
        [r, &zero],
        [&zero, s],
        [&zero, &zero],
        [r, &all],
        [&all, s],
        [s, r],
    ] {
        let bytes = [&message[..], &signature.concat()].concat();
        bad_signature(open(bytes).unwrap().verify(&trusted()));
    }
    accept([&message[..], r, s].concat()).unwrap();
}

#[test]
fn a_point_outside_of_the_curve_verifies_nothing() {
    let PublicKey::P256(point) = PublicKey::from_certificate(signer().certificate()).unwrap()
    else {
        panic!("the development key is on P-256");
    };
    let (x, y) = (
        point[1..33].try_into().unwrap(),
        point[33..].try_into().unwrap(),
    );
    let mut store = TrustStore::new();
    assert_eq!(PublicKey::p256(&x, &y), PublicKey::P256(point));
    store.add_public_key(signer().thumbprint(), PublicKey::p256(&x, &x));
    bad_signature(open(sample_package()).unwrap().verify(&store));
    store.add_public_key(signer().thumbprint(), PublicKey::p256(&x, &y));
    open(sample_package()).unwrap().verify(&store).unwrap();
}

#[test]
fn a_package_is_signed_again_by_another_key() {
    let other = Signer::from_pem(OTHER_KEY, OTHER_CERTIFICATE).unwrap();
    let before = sample_package();
    let mut package = open(before.clone()).unwrap();
    let after = other.resign(&mut package).unwrap();
    let other_trusted = TrustStore::from_der_certificates([other.certificate()]).unwrap();
    let resigned = open(after.clone()).unwrap();
    let verified = resigned.verify_in_place(&other_trusted).unwrap();
    assert_eq!(verified.thumbprint(), other.thumbprint());
    not_trusted(resigned.verify_in_place(&trusted()));
    let place = SAMPLE_SIZE + 52;
    assert_eq!(after[..place], before[..place]);
    assert_eq!(
        after[place + 20..before.len() - 64],
        before[place + 20..before.len() - 64]
    );
    // A P-384 signature becomes a P-256 one.
    let mut package = open(p384_package()).unwrap();
    accept(signer().resign(&mut package).unwrap()).unwrap();
}

#[test]
fn keys_are_read_in_both_forms_and_only_with_their_certificate() {
    Signer::from_pem(KEY, CERTIFICATE).unwrap();
    Signer::from_pem(OTHER_KEY, OTHER_CERTIFICATE).unwrap();
    let error = |key: &str, certificate: &str| Signer::from_pem(key, certificate).unwrap_err();
    assert_eq!(error(KEY, OTHER_CERTIFICATE), KeyError::Mismatch);
    assert_eq!(error(KEY, P384_CERTIFICATE), KeyError::Mismatch);
    assert_eq!(error(P384_KEY, P384_CERTIFICATE), KeyError::PrivateKey);
    assert_eq!(error(KEY, RSA_CERTIFICATE), KeyError::UnsupportedKey);
    assert_eq!(
        error(KEY, KEY),
        KeyError::Pem {
            label: "CERTIFICATE"
        }
    );
    assert_eq!(
        error(CERTIFICATE, CERTIFICATE),
        KeyError::Pem {
            label: "PRIVATE KEY"
        }
    );
    let encrypted = KEY.replace("PRIVATE", "ENCRYPTED PRIVATE");
    assert_eq!(error(&encrypted, CERTIFICATE), KeyError::Encrypted);
    let cut_off = KEY.replace("MIGHAgEAMBMG", "");
    assert_eq!(error(&cut_off, CERTIFICATE), KeyError::PrivateKey);
}

#[test]
fn certificates_are_read_strictly() {
    let der = certificate_from_pem(CERTIFICATE).unwrap();
    assert_eq!(der, pem_bytes(CERTIFICATE.split_once("OR MIT").unwrap().1));
    let key = PublicKey::from_certificate(&der).unwrap();
    assert_eq!(key.signing_type(), SigningType::EcdsaP256);
    let p384 =
        PublicKey::from_certificate(&certificate_from_pem(P384_CERTIFICATE).unwrap()).unwrap();
    assert_eq!(
        (p384.signing_type(), p384.point().len()),
        (SigningType::EcdsaP384, 97)
    );

    for length in 0..der.len() {
        assert_eq!(
            PublicKey::from_certificate(&der[..length]),
            Err(KeyError::Certificate)
        );
    }
    let longer = [&der[..], &[0]].concat();
    assert_eq!(
        PublicKey::from_certificate(&longer),
        Err(KeyError::Certificate)
    );
    let rsa = certificate_from_pem(RSA_CERTIFICATE).unwrap();
    assert_eq!(
        PublicKey::from_certificate(&rsa),
        Err(KeyError::UnsupportedKey)
    );
    assert_eq!(
        TrustStore::from_der_certificates([rsa]).unwrap_err(),
        KeyError::UnsupportedKey
    );

    let point = der
        .windows(65)
        .position(|window| window == key.point())
        .unwrap();
    let with = |position: usize, value: u8| {
        let mut der = der.clone();
        der[position] = value;
        PublicKey::from_certificate(&der)
    };
    assert_eq!(with(point, 4).as_ref(), Ok(&key));
    assert_eq!(
        with(point, 2),
        Err(KeyError::UnsupportedKey),
        "a compressed point"
    );
    assert_eq!(
        with(point - 1, 1),
        Err(KeyError::Certificate),
        "unused bits"
    );
    assert_eq!(
        with(point - 4, 8),
        Err(KeyError::UnsupportedKey),
        "another curve"
    );
    assert_eq!(with(0, 0x31), Err(KeyError::Certificate), "no sequence");
}

#[test]
fn a_builder_needs_no_more_than_a_manifest() {
    let mut builder = builder();
    assert!(builder.build(&signer()).is_err());
    builder.manifest(b"{}").unwrap();
    accept(builder.build(&signer()).unwrap()).unwrap();
}
