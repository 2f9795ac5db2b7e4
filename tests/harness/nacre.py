# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The command line tool, called as a developer calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from places import NACRE
from process import Ended, run


class Nacre:
    """`nacre` towards one device, or none for work on files."""

    def __init__(self, address: str | None = None) -> None:
        self._environment = {"NACRE_DEVICE": address} if address else {}

    def call(self, *words: str | Path, limit: float = 120) -> Ended:
        """Runs the tool and returns how it ended."""
        if not NACRE.exists():
            raise AssertionError(f"{NACRE} is missing: build it with `make host`")
        return run([NACRE, *words], limit, environment=self._environment)

    def must(self, *words: str | Path, limit: float = 120) -> str:
        """Runs the tool, which must succeed, and returns what it wrote."""
        ended = self.call(*words, limit=limit)
        if ended.code != 0:
            line = " ".join(str(word) for word in words)
            raise AssertionError(f"`nacre {line}` ended with {ended.code}:\n{ended.output}{ended.errors}")
        return ended.output

    def read(self, *words: str | Path) -> Any:
        """Runs the tool with `--json` and returns what it wrote, read."""
        return json.loads(self.must("--json", *words))
