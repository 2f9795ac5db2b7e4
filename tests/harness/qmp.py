# SPDX-License-Identifier: Apache-2.0 OR MIT
"""QEMU's control socket: what a hand would do to the machine."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from places import seconds


def command(path: Path, name: str) -> Any:
    """Gives one command and returns its answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds(20))
        connection.connect(str(path))
        with connection.makefile("rw", encoding="utf-8", newline="\n") as stream:
            json.loads(stream.readline())
            answer: dict[str, Any] = {}
            for word in ("qmp_capabilities", name):
                stream.write(json.dumps({"execute": word}) + "\n")
                stream.flush()
                answer = json.loads(stream.readline())
                # Events may come between a command and its answer.
                while "event" in answer:
                    answer = json.loads(stream.readline())
                if "error" in answer:
                    raise AssertionError(f"QEMU refused {word}: {answer['error']}")
            return answer.get("return")
