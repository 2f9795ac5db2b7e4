# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Results of tests, and what is raised to say how a test went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """How a test went."""

    PASSED = "ok"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """One test and how it went."""

    name: str
    status: Status
    seconds: float = 0.0
    note: str = ""


class Skip(Exception):
    """The test cannot run here; the text says why."""


def check(condition: object, text: str) -> None:
    """Fails the test with `text` unless `condition` holds."""
    if not condition:
        raise AssertionError(text)


def equal(actual: object, expected: object, what: str) -> None:
    """Fails the test unless both are equal."""
    check(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")
