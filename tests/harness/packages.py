# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Image packages for tests: the samples, and the probe under as many manifests as there are behaviours."""

from __future__ import annotations

import json
import shutil
import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import device_program
from nacre import Nacre
from places import SAMPLES, TEST, TOP
from process import run

# The API set that tests are packed for: one that the device has.
API_SET = "16"

# The component whose data the probe looks for; see tests/attacks.
VICTIM = "bcccaa72-f08d-4f8a-a179-7306adf7e612"


@dataclass(frozen=True)
class Package:
    """An image package and whose it is."""

    component: str
    file: Path

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return self.file.read_bytes()


def sample(name: str) -> Package:
    """A package of samples/, built by `make samples`."""
    manifest = json.loads((TOP / "samples" / name / "app_manifest.json").read_text())
    file = SAMPLES / f"{name}.imagepackage"
    if not file.exists():
        raise AssertionError(f"{file} is missing: build it with `make samples`")
    return Package(manifest["ComponentId"].lower(), file)


def component_of(name: str) -> str:
    """The component id of a test app: derived from its name, so that it stays the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"nacre:test:{name}"))


def build_probe() -> Path:
    """Builds the probe for the device."""
    return device_program.app("probe", TOP / "tests" / "attacks")


def with_checksum(content: bytes) -> bytes:
    """A package whose file system was changed, its checksum made right again, as a careful forger would."""
    size = int.from_bytes(content[4:8], "little")
    checksum = zlib.crc32(content[:32] + bytes(4) + content[36:size])
    return content[:32] + checksum.to_bytes(4, "little") + content[36:]


class Packages:
    """Packs each wanted package once per run."""

    def __init__(self, directory: Path = TEST / "packages") -> None:
        self._directory = directory
        self._packed: dict[str, Package] = {}
        self._program: Path | None = None
        shutil.rmtree(directory, ignore_errors=True)

    def probe(
        self,
        name: str,
        arguments: Sequence[str],
        capabilities: Mapping[str, Any] | None = None,
        component: str | None = None,
    ) -> Package:
        """The probe with these CmdArgs and Capabilities."""
        return self.app(name, self._probe, arguments, capabilities, component)

    def _probe(self) -> Path:
        self._program = self._program or build_probe()
        return self._program

    def app(
        self,
        name: str,
        program: Callable[[], Path],
        arguments: Sequence[str] = (),
        capabilities: Mapping[str, Any] | None = None,
        component: str | None = None,
        kind: str = "Default",
    ) -> Package:
        """Any program with these CmdArgs and Capabilities, as an app of this kind."""
        if name not in self._packed:
            manifest = {
                "SchemaVersion": 1,
                "Name": name,
                "ComponentId": component or component_of(name),
                "EntryPoint": "/bin/app",
                "CmdArgs": list(arguments),
                "Capabilities": dict(capabilities or {}),
                "ApplicationType": kind,
            }
            self._packed[name] = self._pack(name, manifest, program())
        return self._packed[name]

    def _pack(self, name: str, manifest: Mapping[str, Any], program: Path) -> Package:
        source = self._directory / name
        (source / "bin").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(program, source / "bin" / "app")
        (source / "bin" / "app").chmod(0o755)
        (source / "app_manifest.json").write_text(json.dumps(manifest))
        file = self._directory / f"{name}.imagepackage"
        Nacre().must(
            "image-package", "pack", "--package-directory", source, "--destination", file, "--target-api-set", API_SET
        )
        return Package(str(manifest["ComponentId"]).lower(), file)

    def changed(self, good: Package, name: str, old: bytes, new: bytes) -> Package:
        """A package in which `old`, which occurs once, is replaced by `new` of the same length, signed anew."""
        content = good.content
        if content.count(old) != 1 or len(old) != len(new):
            raise AssertionError(f"{old!r} occurs {content.count(old)} times in {good.file}")
        file = self._directory / f"{good.file.stem}-{name}.imagepackage"
        file.write_bytes(with_checksum(content.replace(old, new)))
        Nacre().must("image-package", "sign", "--image-package", file, "--destination", file)
        return Package(good.component, file)

    def signed_by_stranger(self, good: Package) -> Package:
        """A good package, signed with a key that nobody trusts."""
        self._directory.mkdir(parents=True, exist_ok=True)
        key, certificate = self._directory / "stranger.key.pem", self._directory / "stranger.crt.pem"
        ended = run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=stranger", "-days", "30", "-keyout", key, "-out", certificate,
            ],
            60,
        )  # fmt: skip
        if ended.code != 0:
            raise AssertionError(f"openssl made no key: {ended.errors}")
        file = self._directory / f"{good.file.stem}-stranger.imagepackage"
        Nacre().must(
            "image-package", "sign", "--image-package", good.file, "--destination", file,
            "--signing-key", key, "--signing-cert", certificate,
        )  # fmt: skip
        return Package(good.component, file)
