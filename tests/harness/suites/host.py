# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tests that need no device: the crates' own tests, with the fuzz corpus, and the form of the sources."""

from __future__ import annotations

import os
import re

import cargo
from places import LOGS, OUT, TOP
from process import build_environment, run
from results import Result, Status, check
from session import Session
from unit import Suite

SUITE = Suite("host")

FORM = re.compile(r"^(ok|FAILED|skipped)\s+(\S+)(?: \((.*)\))?$")


def data_environment() -> dict[str, str]:
    """Where real manifests and hardware definitions lie, when they do: the tests that read them say so if not."""
    beside = TOP.parent / "shared" / "data"
    if "NACRE_SHARED_DATA" in os.environ or not beside.is_dir():
        return {}
    return {"NACRE_SHARED_DATA": str(beside)}


@SUITE.unit
def cargo_test(_: Session) -> list[Result]:
    """All unit and property tests of user space pass, the fuzz corpus among their inputs."""
    log = LOGS / "cargo-test.log"
    print(f"        building and running the tests of user space (log: {log})", flush=True)
    command = [
        "cargo", "test", "--workspace", "--locked", "--no-fail-fast", "--profile", "host",
        "--manifest-path", TOP / "Cargo.toml", "--target-dir", OUT / "cargo" / "host",
    ]  # fmt: skip
    ended = run(command, 3600, environment={**build_environment(), **data_environment()}, log=log)
    results = cargo.read(ended.output, "host/cargo")
    if ended.code != 0 and not any(result.status is Status.FAILED for result in results):
        note = "\n".join(ended.output.splitlines()[-20:])
        results.append(Result("host/cargo/build", Status.FAILED, note=note))
    return results


@SUITE.unit
def form(_: Session) -> list[Result]:
    """Sources have their form: licence lines, rustfmt, clippy without a warning, shell, dependencies."""
    log = LOGS / "check.log"
    ended = run([TOP / "scripts" / "check.sh"], 1800, environment=build_environment(), log=log)
    status = {"ok": Status.PASSED, "FAILED": Status.FAILED, "skipped": Status.SKIPPED}
    results: list[Result] = []
    for line in ended.output.splitlines():
        if found := FORM.match(line):
            results.append(Result(f"host/form/{found[2]}", status[found[1]], note=found[3] or ""))
        elif line.startswith("  | ") and results:
            last = results[-1]
            results[-1] = Result(last.name, last.status, note=f"{last.note}{line[4:]}\n")
    check(results, f"scripts/check.sh brought no results:\n{ended.output[-2000:]}")
    return results
