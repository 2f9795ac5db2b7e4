# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Runs a client where the device has its real address: in_namespace.py DIRECTORY COMMAND...

It must be started in an empty network namespace. The loopback interface gets the host's address on the device's network,
and with it all of that network; the board's forward listens at the device's address, and the client finds the device at
192.168.35.2:443 and comes from 192.168.35.1, as on a desk.
"""

from __future__ import annotations

import fcntl
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from board import Board
from places import seconds
from process import end_group
from rest import DEVICE_ADDRESS

HOST_ADDRESS = "192.168.35.1"

SET_FLAGS = 0x8914
SET_ADDRESS = 0x8916
UP = 1


def give_loopback(address: str) -> None:
    """Gives the loopback interface an address and starts it."""
    name = b"lo".ljust(16, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        place = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(control, SET_ADDRESS, name + place)
        fcntl.ioctl(control, SET_FLAGS, name + struct.pack("=H14x", UP))


def main() -> int:
    """The command."""
    directory, *command = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = [name for _, name in socket.if_nameindex()]
    if names != ["lo"]:
        print(f"error: not in an empty network namespace, here are {names}", file=sys.stderr)
        return 2
    give_loopback(HOST_ADDRESS)
    with Board(Path(directory), forward=f"{DEVICE_ADDRESS}:443") as board:
        board.boot()
        client = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return client.wait(seconds(600))
        finally:
            end_group(client)


if __name__ == "__main__":
    sys.exit(main())
