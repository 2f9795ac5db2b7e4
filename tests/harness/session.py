# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the tests of one run share: one device, booted when first wanted, and the packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from board import Board
from device import Device
from packages import Packages
from places import KERNEL, LOGS, MACHINE, ROOTFS


class Session:
    """Lives as long as the run; `close` stops what it started."""

    def __init__(self) -> None:
        self.packages = Packages()
        # The console of the kernel that watches itself, once it has been booted: two tests read it.
        self.debug_console = ""
        self._shared: Device | None = None
        self._boards = 0

    def board(
        self, name: str, *, append: str = "", rootfs: Path = ROOTFS, kernel: Path = KERNEL, machine: Path = MACHINE
    ) -> Board:
        """A board of its own for a test, off; its console goes to the logs."""
        for image in (kernel, rootfs):
            if not image.exists():
                raise AssertionError(f"{image} is missing: build it with `make quick`")
        self._boards += 1
        directory = LOGS / f"board-{self._boards:02}-{name}"
        return Board(directory, append=append, rootfs=rootfs, kernel=kernel, machine=machine)

    @contextmanager
    def fresh(self, name: str, *, append: str = "") -> Iterator[Device]:
        """A device of its own for a test, booted with empty flash."""
        with self.board(name, append=append) as board:
            board.boot()
            yield Device(board)

    def device(self) -> Device:
        """The device that most tests share. One that no longer serves is replaced, so that a test that broke it
        is the only one that fails."""
        if self._shared is not None and not self._shared.rest.serves():
            self.close()
        if self._shared is None:
            board = self.board("shared")
            try:
                board.boot()
            except BaseException:
                board.close()
                raise
            self._shared = Device(board)
        return self._shared

    def close(self) -> None:
        """Stops the shared device."""
        if self._shared is not None:
            self._shared.board.close()
            self._shared = None
