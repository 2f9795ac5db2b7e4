# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`make run` ends with 0 when the app runs, and with the reason when it does not."""

from __future__ import annotations

import sys

from packages import Package, sample
from places import TOP
from process import Ended, run
from results import check, equal
from session import Session
from unit import Suite

SUITE = Suite("demo")


def show(package: Package) -> Ended:
    """What `make run APP=package` does, without the measured boot."""
    return run([sys.executable, TOP / "tests" / "harness" / "demo.py", "--app", package.file], 300, environment={"MEASURE": "0"})


def fails_with(package: Package, reason: str) -> None:
    """The demonstration of the app ends with the reason and another code than 0."""
    ended = show(package)
    check(ended.code != 0, f"it ended with 0:\n{ended.output}")
    check(f"error: {reason}" in ended.errors, f"'{reason}' is not in: {ended.errors}")
    check("off" in ended.output.splitlines()[-1], f"the device was not switched off:\n{ended.output[-500:]}")


@SUITE.unit
def running_app_is_shown(_: Session) -> None:
    """It shows the layers, the grants, the output and the sizes, and ends with 0."""
    ended = show(sample("hello-rust"))
    equal(ended.code, 0, f"exit code ({ended.errors})")
    for text in ("enforced  landlock", "Its manifest grants:", "Hello from Rust on Nacre!", "kernel", "Pressing the power button"):
        check(text in ended.output, f"'{text}' is missing in:\n{ended.output}")


@SUITE.unit
def failing_app_gives_a_failure(session: Session) -> None:
    """An app that exits with 3 makes it end with another code than 0 and with the reason."""
    fails_with(session.packages.probe("exit-3", ["exit", "3"]), "exit-3 exited with code 3")


@SUITE.unit
def crashing_app_gives_a_failure(session: Session) -> None:
    """An app that a signal ends does so, too."""
    fails_with(session.packages.probe("crash", ["crash", "11"]), "crash was ended by signal 11")


@SUITE.unit
def refused_app_gives_a_failure(session: Session) -> None:
    """An app that the device does not trust does so, too."""
    fails_with(session.packages.signed_by_stranger(sample("hello-c")), "hello-c was not deployed: ")
