#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Reads image packages with the published Python inspector and compares it with what is expected.

The inspector is azuresphere_imagemetadata 0.2.2 from the Python package index, so this runs in a
virtual environment that has it. What is expected is the JSON that `nacre image-package show --json`
prints, one file for each package:

    check_packages.py --certificate key.crt.pem a.imagepackage a.json b.imagepackage b.json

The certificate is the one that the packages must be signed with. Each difference is one line on
standard error. The exit status is 0 when there is none, 1 when there is one, and 2 when the
arguments or the environment are wrong.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

INSPECTOR = "azuresphere_imagemetadata"
INSPECTOR_VERSION = "0.2.2"

try:
    from azuresphere_imagemetadata.exceptions import ImageMetadataDeserializationError
    from azuresphere_imagemetadata.image import Image
    from azuresphere_imagemetadata.metadata_sections.signature import SigningType
    from azuresphere_imagemetadata.signing.signer import Signer, SigningMap
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization.pkcs12 import (
        PKCS12Certificate,
        PKCS12KeyAndCertificates,
    )
except ImportError as error:
    print(
        f"{error}: install {INSPECTOR}=={INSPECTOR_VERSION} into a virtual environment, run this there",
        file=sys.stderr,
    )
    sys.exit(2)

SIGNING_TYPES = {SigningType.ECDsa256: "ECDSA P-256", SigningType.ECDsa384: "ECDSA P-384"}
REMOVE_AT_BOOT = 1
UNDER_DEVELOPMENT = 2
SIGNATURE_LENGTH = 64


def inspect(image):
    """What the inspector reads, under the names of our own JSON."""
    metadata = image.metadata
    flags = metadata.tempinfo.flags.flags if metadata.tempinfo else 0
    depends = metadata.sections_by_name("ABI Depends")
    return {
        "imageType": metadata.identity.image_type,
        "componentId": metadata.identity.component_uid,
        "imageId": metadata.identity.image_uid,
        "thumbprint": metadata.signature.signing_cert_thumbprint.hex(),
        "signingType": SIGNING_TYPES.get(metadata.signature.signing_type.signing_type, "unknown"),
        "buildTime": metadata.debug.debug_time,
        "name": metadata.debug.image_name,
        # From the flags themselves: the inspector's own text leaves out the second flag when both are set.
        "removeAtBoot": bool(flags & REMOVE_AT_BOOT),
        "underDevelopment": bool(flags & UNDER_DEVELOPMENT),
        "depends": [
            {"kind": abi.get_type_name(), "version": abi.version}
            for section in depends
            for abi in section.versions
        ],
    }


def differences(data, expected, signer, thumbprint):
    """All differences of one package, as lines."""
    try:
        image = Image(data)
    except ImageMetadataDeserializationError as problem:
        yield f"the inspector does not read it: {problem}"
        return
    found = inspect(image)
    for key, value in found.items():
        if key not in expected:
            yield f"{key}: the inspector reads {value!r}, and nothing is expected"
        elif expected[key] != value:
            yield f"{key}: the inspector reads {value!r}, expected {expected[key]!r}"
    if expected.get("size", len(data)) != len(data):
        yield f"size: the file has {len(data)} bytes, expected {expected['size']}"

    metadata = image.metadata
    names = [section.name for section in metadata.sections]
    order = ["Identity", "Signature", "Debug", "Temporary Image", "ABI Depends"]
    if names != [name for name in order if name in names]:
        yield f"sections: {names}, expected those of published packages in their order, {order}"
    if metadata.signature_size != SIGNATURE_LENGTH:
        yield f"signature: {metadata.signature_size} bytes, expected {SIGNATURE_LENGTH}"
    if image.data + metadata.serialize() != data[:-SIGNATURE_LENGTH]:
        yield "the inspector writes other bytes than it has read"

    if found["thumbprint"] != thumbprint:
        yield f"thumbprint: {found['thumbprint']}, but the certificate has {thumbprint}"
    if not image.has_valid_signature([signer]):
        yield "signature: the inspector does not verify it with the certificate"
    if image.resolve_signer_and_type([signer])[0] is not signer:
        yield "signature: the inspector does not find its signer"
    if image.has_valid_signature():
        yield "signature: the inspector verifies it with a key of the original system"
    for position in (0, len(image.data) - 1, len(image.data) + 20, len(data) - 1):
        changed = bytearray(data)
        changed[position] ^= 1
        if Image(bytes(changed)).has_valid_signature([signer]):
            yield f"signature: the inspector verifies it also after byte {position} was changed"


def signer_of(path):
    """A signer of the inspector that verifies with a certificate, and the certificate's thumbprint."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    pair = PKCS12KeyAndCertificates(None, PKCS12Certificate(certificate, None), [])
    signer = Signer(SigningMap(ecdsa_256=pair))
    return signer, signer.thumbprint()


def main():
    """Checks all packages; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--certificate", type=Path, required=True, help="certificate of the signer, in PEM"
    )
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="PACKAGE JSON",
        help="a package and what is expected of it",
    )
    arguments = parser.parse_args()
    if len(arguments.files) % 2:
        parser.error("each package needs a JSON file behind it")
    if version(INSPECTOR) != INSPECTOR_VERSION:
        parser.error(f"{INSPECTOR} is {version(INSPECTOR)}, not {INSPECTOR_VERSION}")
    signer, thumbprint = signer_of(arguments.certificate)

    failed = False
    for package, description in zip(arguments.files[::2], arguments.files[1::2]):
        expected = json.loads(description.read_text("utf-8"))
        lines = list(differences(package.read_bytes(), expected, signer, thumbprint))
        for line in lines:
            print(f"{package}: {line}", file=sys.stderr)
        print(f"{package}: {'differs' if lines else 'ok'}")
        failed = failed or bool(lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
