#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Fails when a direct dependency of the workspace has no line in deny.toml, or when any dependency has another licence."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def acceptable(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression (alternatives in brackets, joined by AND) can be met with allowed licences only."""
    parts = expression.replace("/", " OR ").split(" AND ")
    return all(any(word.strip("() ") in allowed for word in part.split(" OR ")) for part in parts)


def main() -> int:
    deny = tomllib.loads((TOP / "deny.toml").read_text())
    reasons = {entry["crate"]: entry.get("reason", "") for entry in deny["bans"]["allow"]}
    licences = set(deny["licenses"]["allow"])
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--manifest-path", str(TOP / "Cargo.toml")]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)
    members = set(metadata["workspace_members"])
    own = {package["name"] for package in metadata["packages"] if package["id"] in members}
    problems = []
    direct = set()
    for package in metadata["packages"]:
        if package["id"] in members:
            direct |= {dependency["name"] for dependency in package["dependencies"]} - own
        elif not acceptable(package["license"] or "none", licences):
            problems.append(f"{package['name']} {package['version']}: its licence {package['license']} is not allowed in deny.toml")
    problems += [f"{name}: used, but has no reason in deny.toml" for name in sorted(direct) if not reasons.get(name)]
    problems += [f"{name}: has a line in deny.toml, but is not used" for name in sorted(set(reasons) - direct)]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    print(f"{len(direct)} direct dependencies, {len(metadata['packages']) - len(members)} packages in all")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
