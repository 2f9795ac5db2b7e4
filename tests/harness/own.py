# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The tests of a part of tests/ itself: of its Python beside the sources, and of its program on this machine."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cargo
from places import LOGS, OUT, TOP
from process import build_environment, run
from results import Result, Status

CASE = re.compile(r"^(\w+) \((\S+?)\) \.\.\. (ok|FAIL|ERROR|skipped .*)$")


def tests_of(directory: Path, name: str) -> list[Result]:
    """All of them, each a result."""
    environment = {"PYTHONPATH": str(TOP / "tests" / "harness")}
    ended = run([sys.executable, "-m", "unittest", "discover", "-v", "-s", directory], 120, environment=environment)
    results = [
        Result(f"{name}/python/{case[2]}", Status.PASSED if case[3] == "ok" else Status.FAILED, note=ended.errors if case[3] != "ok" else "")
        for line in ended.errors.splitlines()
        if (case := CASE.match(line))
    ]
    if ended.code != 0 and all(result.status is Status.PASSED for result in results) or not results:
        results.append(Result(f"{name}/python", Status.FAILED, note=ended.errors))
    log = LOGS / f"{name}-cargo-test.log"
    command = [
        "cargo", "test", "--locked", "--no-fail-fast", "--manifest-path", directory / "Cargo.toml",
        "--target-dir", OUT / "cargo" / "host",
    ]  # fmt: skip
    ended = run(command, 1200, environment=build_environment(), log=log)
    found = cargo.read(ended.output, f"{name}/cargo")
    if ended.code != 0 and all(result.status is not Status.FAILED for result in found) or not found:
        found.append(Result(f"{name}/cargo/build", Status.FAILED, note=ended.output[-2000:]))
    return results + found
