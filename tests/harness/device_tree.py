# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Device trees of the MT3620 board with what a test changes in them."""

from __future__ import annotations

from pathlib import Path

from places import TEST, TOP
from process import run
from results import equal

UNCHANGED = '/include/ "mt3620.dts"\n'


def compiled(name: str, text: str) -> Path:
    """A tree in the words of this text, which may include those of the board."""
    directory = TEST / "trees"
    directory.mkdir(parents=True, exist_ok=True)
    source, target = directory / f"{name}.dts", directory / f"{name}.dtb"
    source.write_text(text)
    ended = run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-i", TOP / "board" / "mt3620", "-o", target, source], 60)
    equal(ended.code, 0, f"dtc: {ended.errors}")
    return target
