# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A board in QEMU: started, watched by what it prints, and stopped with everything that belongs to it."""

from __future__ import annotations

import re
import shutil
import socket
import struct
import subprocess
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import qmp
from places import DEVICE_TREE, EMULATOR, KERNEL, MACHINE, ROOTFS, TEST, seconds
from process import end_group

FLASH_SIZE = 64 * 1024 * 1024
READY = r"^nacre: ready: "
POLL = 0.02


# Two chips of 128 KiB blocks side by side, as QEMU's `virt` has them.
ERASE_BLOCK = 256 * 1024


def clean_marker() -> bytes:
    """What JFFS2 writes at the start of a block that it has erased: magic, type, length, and the CRC of these."""
    head = struct.pack("<HHI", 0x1985, 0x2003, 12)
    return head + struct.pack("<I", zlib.crc32(head, 0xFFFFFFFF) ^ 0xFFFFFFFF)


def blank_flash() -> Path:
    """A second flash bank as it leaves the factory, erased and marked so, or each boot would go on erasing. Made once."""
    file = TEST / "factory.flash"
    if not file.exists() or file.stat().st_size != FLASH_SIZE:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        block = clean_marker().ljust(ERASE_BLOCK, b"\xff")
        with part.open("wb") as stream:
            for _ in range(FLASH_SIZE // ERASE_BLOCK):
                stream.write(block)
        part.rename(file)
    return file


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Board:
    """One board with its own flash, blank unless an older one is to be kept. `close` ends it.

    Its machine is the board's own, or that of another file of QEMU arguments; so is its device tree, where the board brings one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        append: str = "",
        rootfs: Path = ROOTFS,
        kernel: Path = KERNEL,
        machine: Path = MACHINE,
        forward: str | None = None,
        more: Sequence[str] = (),
        keep: bool = False,
        tree: Path = DEVICE_TREE,
    ) -> None:
        self.directory = directory
        self.append = append
        self.rootfs = rootfs
        self.kernel = kernel
        self.machine = machine
        self.tree = tree
        self.more = list(more)
        self.address = forward or f"127.0.0.1:{free_port()}"
        self.data = directory / "data.flash"
        self.console = directory / "console.log"
        self._socket = directory / "qmp"
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        if not (keep and self.data.exists()):
            shutil.copyfile(blank_flash(), self.data)
        self.console.write_bytes(b"")

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def values(self) -> dict[str, object]:
        """What the words between @ in the file of the machine stand for."""
        return {
            "KERNEL": self.kernel,
            "ROOTFS": self.rootfs,
            "DATA": self.data,
            "FORWARD": self.address,
            "APPEND": self.append,
            "QMP": self._socket.name,
            "QEMU": EMULATOR,
            "DTB": self.tree,
        }

    def command(self) -> list[str]:
        """The QEMU command line, from the file of the machine."""
        lines = self.machine.read_text().splitlines()
        words = [line for line in lines if line and not line.startswith("#")]
        for name, value in self.values().items():
            words = [word.replace(f"@{name}@", str(value)) for word in words]
        return [word.strip() for word in words] + self.more

    def start(self) -> None:
        """Switches the board on; its console is added to `console`."""
        self.cut_power()
        self._socket.unlink(missing_ok=True)
        # The machine ends with this program, even if that is killed.
        bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with self.console.open("ab") as sink:
            # The control socket's path is short this way, however deep the clone lies.
            self._process = subprocess.Popen(
                [*bound, *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                start_new_session=True,
            )

    def boot(self, limit: float = 120) -> None:
        """Switches the board on and waits until it serves."""
        mark = self.mark()
        self.start()
        self.wait_for(READY, limit, since=mark)

    def text(self, since: int = 0) -> str:
        """What the console has shown, from the place `since`."""
        with self.console.open("rb") as stream:
            stream.seek(since)
            return stream.read().decode(errors="replace").replace("\r", "")

    def mark(self) -> int:
        """The present end of the console, for `since`."""
        return self.console.stat().st_size

    def alive(self) -> bool:
        """Whether the machine is on."""
        return self._process is not None and self._process.poll() is None

    def wait_for(self, pattern: str, limit: float = 60, *, since: int = 0) -> re.Match[str]:
        """Waits until the console shows a whole line in which `pattern` is found."""
        expression = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + seconds(limit)
        while True:
            alive = self.alive()
            text = self.text(since)
            if found := expression.search(text[: text.rfind("\n") + 1]):
                return found
            if not alive:
                raise AssertionError(f"the machine went off while waiting for `{pattern}`:\n{tail(text)}")
            if time.monotonic() > deadline:
                raise AssertionError(f"no `{pattern}` within {seconds(limit):.0f} s:\n{tail(text)}")
            time.sleep(POLL)

    def wait_off(self, limit: float = 60) -> None:
        """Waits until the machine has switched itself off."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds(limit))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the machine is not off after {seconds(limit):.0f} s:\n{tail(self.text())}") from None

    def press_power_button(self) -> None:
        """Presses the power button."""
        qmp.command(self._socket, "system_powerdown")

    def cut_power(self) -> None:
        """Takes the power away, this instant."""
        if self._process is not None:
            end_group(self._process)
            self._process = None

    def close(self) -> None:
        """Ends the board for good; its console stays."""
        self.cut_power()
        self.data.unlink(missing_ok=True)
        self._socket.unlink(missing_ok=True)


def tail(text: str, lines: int = 15) -> str:
    """The last lines of a console, for a message."""
    return "\n".join(f"  | {line}" for line in text.splitlines()[-lines:])
