# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Firmware of others for the real-time cores, which the project has none of: NACRE_RT_FIRMWARE names a folder with it."""

from __future__ import annotations

import os
from pathlib import Path

from results import Skip, check


def files() -> list[Path]:
    """The ELF files there, by name; those that talk to each other lie next to each other: A and B."""
    folder = os.environ.get("NACRE_RT_FIRMWARE")
    if not folder:
        raise Skip("NACRE_RT_FIRMWARE is unset: name a folder with firmware for the real-time cores")
    found = sorted(path for path in Path(folder).iterdir() if path.is_file() and path.read_bytes()[:4] == b"\x7fELF")
    check(found, f"NACRE_RT_FIRMWARE={folder} has no ELF")
    return found
