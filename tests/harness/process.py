# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Programs run to their end, each with a time limit, in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from places import SYSTEM_PATH, seconds


@dataclass(frozen=True)
class Ended:
    """How a program ended and what it wrote."""

    code: int
    output: str
    errors: str


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a program that this one started, with all that it started itself."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run(
    command: Sequence[object],
    limit: float,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    log: Path | None = None,
) -> Ended:
    """Runs a command. With `log`, both streams go to that file and are read back from it as `output`."""
    words = [str(word) for word in command]
    variables = {**os.environ, **(environment or {})}
    sink = log.open("wb") if log else None
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=sink or subprocess.PIPE,
            stderr=subprocess.STDOUT if sink else subprocess.PIPE,
            env=variables,
            cwd=directory,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=seconds(limit))
        except subprocess.TimeoutExpired:
            end_group(process)
            raise AssertionError(f"`{' '.join(words)}` did not end within {seconds(limit):.0f} s") from None
        except BaseException:
            end_group(process)
            raise
    finally:
        if sink:
            sink.close()
    text = log.read_bytes() if log else output
    return Ended(process.returncode, text.decode(errors="replace"), (errors or b"").decode(errors="replace"))


def build_environment() -> dict[str, str]:
    """The variables of a build: the distribution's tools first, no compiler wrapper."""
    return {
        "PATH": f"{SYSTEM_PATH}:{os.environ.get('PATH', '')}",
        "RUSTC_WRAPPER": "",
        "CARGO_TERM_COLOR": "never",
    }
