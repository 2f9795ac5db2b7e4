#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The software bill of materials of an image, CycloneDX: Buildroot's own, and what it cannot see: the crates and the libraries.

Buildroot's generator wants to download a list of licence names; it gets those that occur here, and needs no network.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "GPL-2.0", "GPL-2.0-only", "GPL-2.0+",
            "GPL-2.0-or-later", "GPL-3.0+", "ISC", "LGPL-2.1", "LGPL-2.1+", "MIT", "MPL-2.0", "Unicode-3.0", "Unlicense", "Zlib"]  # fmt: skip

# The unwinder in our programs.
LIBGCC = "GPL-3.0-or-later WITH GCC-exception-3.1"


def make(arguments: argparse.Namespace, goal: str) -> str:
    """What a goal of Buildroot prints."""
    command = ["make", "-s", "--no-print-directory", "-C", arguments.buildroot, f"O={arguments.output}", f"BR2_EXTERNAL={arguments.external}", goal]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def of_buildroot(arguments: argparse.Namespace) -> dict[str, Any]:
    """What Buildroot's generator makes of its packages."""
    shown = make(arguments, "show-info")
    # Warnings of other tools may stand before it.
    shown = shown[shown.index("{") :]
    with tempfile.TemporaryDirectory() as directory:
        schema = Path(directory) / "cyclonedx" / "spdx-1.6.schema.json"
        schema.parent.mkdir()
        schema.write_text(json.dumps({"enum": LICENCES}))
        generator = Path(arguments.buildroot) / "utils" / "generate-cyclonedx"
        ended = subprocess.run(
            [sys.executable, generator], input=shown, check=True, capture_output=True, text=True,
            env={**os.environ, "BR2_DL_DIR": directory}, cwd=arguments.buildroot,
        )  # fmt: skip
    return dict(json.loads(ended.stdout))


def licence(expression: str) -> list[dict[str, Any]]:
    """The licence of a crate; older ones write a slash for OR."""
    text = re.sub(r"\s*/\s*", " OR ", expression)
    if " " in text:
        return [{"expression": text}]
    return [{"license": {"id" if text in LICENCES else "name": text}}]


def sums(locks: list[str]) -> dict[tuple[str, str], str]:
    """The sha256 of each crate by name and version."""
    found = {}
    for lock in locks:
        for package in tomllib.loads(Path(lock).read_text())["package"]:
            if "checksum" in package:
                found[package["name"], package["version"]] = package["checksum"]
    return found


def crates(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Each crate that the compiler read, by what it noted of its sources."""
    components = []
    known = sums(arguments.lock)
    notes = [file.read_text() for file in Path(arguments.built).glob("*/target/**/release/deps/*.d")]
    for directory in sorted({found for note in notes for found in re.findall(r"\S*/registry/src/[^/\s]+/[^/\s]+", note)}):
        package = tomllib.loads((Path(directory) / "Cargo.toml").read_text())["package"]
        name, version = package["name"], package["version"]
        component: dict[str, Any] = {
            "bom-ref": f"cargo-{name}-{version}",
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:cargo/{name}@{version}",
            "licenses": licence(package.get("license", "unknown")),
        }
        if (name, version) in known:
            component["hashes"] = [{"alg": "SHA-256", "content": known[name, version]}]
        components.append(component)
    return components


def corrected(bill: dict[str, Any], arguments: argparse.Namespace) -> None:
    """What Buildroot says of the tools that are the machine's own, and of a kernel from an archive by another name, is not so."""
    own = set()
    if arguments.machine_tools:
        own = {name.lower().replace("_", "-") for name in re.findall(r"NACRE_SYSTEM_TOOL,(\w+),", Path(arguments.machine_tools).read_text())}
    for component in bill["components"]:
        if component["name"] in own:
            for key in ("cpe", "hashes", "externalReferences", "pedigree"):
                component.pop(key, None)
            component["version"] = "of the build machine"
        if component["name"].startswith("toolchain-external-"):
            component["version"] = arguments.gcc
            component["licenses"] = licence(LIBGCC)
        if component["name"] == "linux":
            component["version"] = arguments.linux
            component["hashes"] = [{"alg": "SHA-256", "content": arguments.linux_hash}]
            component["cpe"] = f"cpe:2.3:o:linux:linux_kernel:{arguments.linux}:*:*:*:*:*:*:*"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildroot", required=True)
    parser.add_argument("--output", required=True, help="where Buildroot works")
    parser.add_argument("--external", required=True)
    parser.add_argument("--built", required=True, help="where Buildroot built its packages")
    parser.add_argument("--lock", action="append", default=[], help="a Cargo.lock, for the hashes")
    parser.add_argument("--machine-tools", help="the makefile that lists the tools of the machine, for an air-gapped build")
    parser.add_argument("--linux", required=True, help="version of the kernel")
    parser.add_argument("--linux-hash", required=True, help="sha256 of its archive")
    parser.add_argument("--gcc", required=True, help="version of the compiler, whose libgcc is in the programs")
    parser.add_argument("--musl", required=True, help="version of musl, whose library is in the image")
    parser.add_argument("--rust", required=True, help="version of Rust, whose library is in the programs")
    arguments = parser.parse_args()
    try:
        bill = of_buildroot(arguments)
    except subprocess.CalledProcessError as error:
        print(f"error: Buildroot's generator failed: {error.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return 1
    corrected(bill, arguments)
    more = crates(arguments)
    if not more:
        print(f"error: nothing was built in {arguments.built}: the SBOM is made after `make image`", file=sys.stderr)
        return 1
    for name, version, text in (
        ("libgcc", arguments.gcc, LIBGCC),
        ("musl", arguments.musl, "MIT"),
        ("rust-std", arguments.rust, "MIT OR Apache-2.0"),
    ):
        more.append({"bom-ref": name, "type": "library", "name": name, "version": version, "licenses": licence(text)})
    taken = {component["bom-ref"] for component in bill["components"]}
    more = [component for component in more if component["bom-ref"] not in taken]
    bill["components"] += more
    for dependency in bill["dependencies"]:
        if dependency["ref"] == "nacre":
            dependency["dependsOn"] = sorted({*dependency.get("dependsOn", []), *(component["bom-ref"] for component in more)})
    json.dump(bill, sys.stdout, indent=2, sort_keys=True)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
