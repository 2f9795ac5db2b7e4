# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The MT3620 without an OS: real-time apps on its real-time cores, the high-level core's part played from here."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from chip import GRANT, LOAD, RAM, START, STOP, Chip
from highlevel import BUFFER, Channel
from places import LOGS, seconds
from results import check, equal

Wanted = TypeVar("Wanted")

# What the high-level core is while its part is played from outside: asleep. WFI, and a branch back to it.
ASLEEP = bytes.fromhex("03f020e3fdffffea")
IMAGE = 0x83E00000
BUFFERS = 0x83F00000
MAILBOXES = 0x31010000


class Cores(Chip):
    """One chip, with an app on one or both of its real-time cores."""

    def __init__(self, name: str, *apps: Path) -> None:
        super().__init__(LOGS / f"chip-{name}", [f"rt{core}={app}" for core, app in enumerate(apps)])
        try:
            self.fill(RAM, ASLEEP)
        except BaseException:
            self.close()
            raise

    def until(self, what: str, look: Callable[[], Wanted | None], usual: float = 20) -> Wanted:
        """Looks until there is something."""
        deadline = time.monotonic() + seconds(usual)
        while True:
            found = look()
            if found:
                return found
            check(self.alive(), f"QEMU ended while waiting for {what}; see {self.directory}")
            check(time.monotonic() < deadline, f"no {what}; see {self.directory}")

    def printed(self, core: int, text: str, count: int = 1) -> None:
        """Waits until an app has printed something so often."""
        self.until(f"'{text}' of core {core}", lambda: self.log(core).count(text) >= count)

    def restart(self, core: int, app: Path) -> None:
        """Stops a core, loads an app and starts it."""
        image = app.read_bytes()
        self.fill(IMAGE, image)
        equal(self.command(core, STOP), 0, "result of stopping")
        equal(self.command(core, LOAD, IMAGE, len(image)), 0, "result of loading")
        equal(self.command(core, START), 0, "result of starting")

    def buffers(self, core: int) -> tuple[int, int]:
        """Grants a core its two buffers: the one that it writes, and the one that it reads."""
        inbound = BUFFERS + 0x8000 * core
        for kind, address in enumerate((inbound, inbound + BUFFER)):
            equal(self.command(core, GRANT, address, BUFFER, kind), 0, "result of granting")
        return inbound, inbound + BUFFER

    def connect(self, core: int) -> Channel:
        """Sets up a channel to a core, granted before."""
        channel = Channel(self, MAILBOXES + 0x10000 * core, *self.buffers(core))
        channel.setup()
        return channel
