# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The emulated MT3620 with apps on its real-time cores, the high-level core's part in the protocol played from here."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from chip import GRANT, LOAD, RAM, START, STOP, Chip
from highlevel import BUFFER, Channel
from places import EMULATOR, LOGS, seconds
from results import Skip, check, equal

Wanted = TypeVar("Wanted")

# What the high-level core is meanwhile: asleep. WFI, and a branch back to it.
ASLEEP = bytes.fromhex("03f020e3fdffffea")
BUFFERS = 0x83F0_0000
MAILBOXES = 0x3101_0000
# A message comes back within microseconds, so waiting for it is shorter than elsewhere.
POLL = 0.001


class Cores(Chip):
    """A chip with an app on one or both of its real-time cores."""

    def __init__(self, name: str, *apps: Path) -> None:
        if not EMULATOR.exists():
            raise Skip(f"there is no {EMULATOR}: build it with `make emulator BOARD=mt3620`")
        super().__init__(LOGS / f"cores-{name}", [f"rt{core}={app}" for core, app in enumerate(apps)])

    def __enter__(self) -> Cores:
        self.fill(RAM, ASLEEP)
        return self

    def dump(self, address: int, size: int) -> bytes:
        """Bytes of the A7's memory."""
        return bytes.fromhex(self._ask(f"read {address:#x} {size:#x}")[0][2:])

    def until(self, what: str, look: Callable[[], Wanted | None], usual: float = 20) -> Wanted:
        """Looks until there is something."""
        deadline = time.monotonic() + seconds(usual)
        while True:
            found = look()
            if found:
                return found
            check(self.alive(), f"the machine went off while waiting for {what}; see {self.directory}")
            check(time.monotonic() < deadline, f"no {what}; see {self.directory}")
            time.sleep(POLL)

    def printed(self, core: int, text: str, count: int = 1) -> None:
        """Waits until an app has printed something so often."""
        self.until(f"'{text}' of core {core}", lambda: self.log(core).count(text) >= count)

    def restart(self, core: int, app: Path) -> None:
        """Stops a core, loads an app and starts it."""
        equal(self.command(core, STOP), 0, "result of stopping")
        # Above the high-level core's two instructions.
        image = app.read_bytes()
        self.fill(RAM + 0x10_0000, image)
        equal(self.command(core, LOAD, RAM + 0x10_0000, len(image)), 0, "result of loading")
        equal(self.command(core, START), 0, "result of starting")

    def connect(self, core: int) -> Channel:
        """Grants a core its two buffers, the one that it writes and the one that it reads, and sets up a channel."""
        inbound = BUFFERS + 0x8000 * core
        for kind, address in enumerate((inbound, inbound + BUFFER)):
            equal(self.command(core, GRANT, address, BUFFER, kind), 0, "result of granting")
        channel = Channel(self, MAILBOXES + 0x1_0000 * core, inbound, inbound + BUFFER)
        channel.setup()
        return channel
