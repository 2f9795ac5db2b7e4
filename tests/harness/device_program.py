# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Programs of the tests, built for the device; with nothing to do this takes a moment."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from places import DEVICE_TARGET, LOGS, OUT, SDK
from process import build_environment, run
from results import check

CARGO = Path(os.environ.get("CARGO_TARGET_DIR", OUT / "cargo"))
SHARED = Path(os.environ.get("CARGO_TARGET_DIR", OUT / "cargo" / "device"))
FLAGS = "CARGO_TARGET_ARMV7_UNKNOWN_LINUX_MUSLEABIHF_RUSTFLAGS"


def app(name: str, directory: Path) -> Path:
    """An app, which finds the C library of its device; it shares what is compiled with the device's own programs."""
    return _build(name, directory, SHARED, "")


def alone(name: str, directory: Path) -> Path:
    """A program that needs no library beside it, for a root file system that holds nothing else."""
    return _build(name, directory, CARGO / name, f'export {FLAGS}="${FLAGS} -Ctarget-feature=+crt-static" && ')


def _build(name: str, directory: Path, target: Path, settings: str) -> Path:
    command = [
        "cargo", "build", "--locked", "--release", "--manifest-path", directory / "Cargo.toml",
        "--target-dir", target, "--target", DEVICE_TARGET,
        "-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size",
    ]  # fmt: skip
    line = f". {shlex.quote(str(SDK / 'env.sh'))} && {settings}exec {shlex.join(str(word) for word in command)}"
    log = LOGS / f"{name}.log"
    ended = run(["sh", "-c", line], 1200, environment=build_environment(), log=log)
    check(ended.code == 0, f"{name} cannot be built; see {log}:\n{ended.output[-2000:]}")
    return target / DEVICE_TARGET / "release" / name
