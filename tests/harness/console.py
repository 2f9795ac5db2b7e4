# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Boots the OS with its console here; its flash is kept from one time to the next."""

from __future__ import annotations

import os
import subprocess
import sys

from board import Board
from places import KERNEL, NACRE, OUT, ROOTFS


def main() -> int:
    """The command."""
    for image in (KERNEL, ROOTFS):
        if not image.exists():
            print(f"error: {image} is missing: build it with `make quick`", file=sys.stderr)
            return 1
    board = Board(OUT / "qemu", keep=True)
    command = board.command()
    # With the monitor on the same terminal, Ctrl-C goes to the console and Ctrl-A X leaves.
    command[command.index("stdio")] = "mon:stdio"
    print("Leave with Ctrl-A X. From another terminal:")
    print(f"  {os.path.relpath(NACRE)} device --device {board.address} status")
    print(f"The device's flash is kept in {os.path.relpath(board.data)}; remove the file to start anew.", flush=True)
    return subprocess.run(command, cwd=board.directory, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
