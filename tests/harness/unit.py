# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tests by name: a suite is a module, a unit is a function in it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from results import Result, Skip, Status
from session import Session

Action = Callable[[Session], "list[Result] | None"]


@dataclass(frozen=True)
class Unit:
    """One test, or one report with many results of its own."""

    name: str
    promise: str
    act: Action

    def run(self, session: Session) -> list[Result]:
        """Runs it; whatever goes wrong is a result."""
        start = time.monotonic()

        def result(status: Status, note: str = "") -> list[Result]:
            return [Result(self.name, status, time.monotonic() - start, note)]

        try:
            found = self.act(session)
        except Skip as reason:
            return result(Status.SKIPPED, str(reason))
        except AssertionError as error:
            return result(Status.FAILED, str(error) or traceback.format_exc())
        except Exception:  # pylint: disable=broad-exception-caught
            return result(Status.FAILED, traceback.format_exc())
        if found is None:
            return result(Status.PASSED)
        if not found:
            return result(Status.FAILED, "it brought no results")
        return found


class Suite:
    """The units of one module, in the order in which they are written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.units: list[Unit] = []

    def unit(self, act: Action) -> Action:
        """Makes a test of a function: its name is the name, the first line of its text is the promise."""
        promise = (act.__doc__ or "").strip().split("\n", 1)[0]
        self.units.append(Unit(f"{self.name}/{act.__name__}", promise, act))
        return act
