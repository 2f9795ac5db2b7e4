# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Virtual environments for published programs, made once and kept until their requirements change."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from places import LOGS, OUT
from process import run


def make(name: str, requirements: Path) -> Path:
    """The Python of an environment that has exactly the requirements."""
    directory = OUT / "venv" / name
    python = directory / "bin" / "python3"
    stamp = directory / "requirements.txt"
    wanted = requirements.read_text()
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return python
    shutil.rmtree(directory, ignore_errors=True)
    log = LOGS / f"environment-{name}.log"
    install = [python, "-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--requirement", requirements]
    for command in ([sys.executable, "-m", "venv", directory], install):
        ended = run(command, 600, log=log)
        if ended.code != 0:
            raise AssertionError(f"no virtual environment for {name}; see {log}:\n{ended.output[-2000:]}")
    stamp.write_text(wanted)
    return python
