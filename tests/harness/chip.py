# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The emulated MT3620 without an OS: its registers as the A7 reaches them, its pins from outside, its real-time cores."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from places import EMULATOR, OUT, TOP, seconds
from process import end_group, run

POLL = 0.02
CORE_SOURCE = TOP / "tests" / "mt3620" / "core.c"
CORE_LAYOUT = TOP / "tests" / "mt3620" / "core.ld"

RAM = 0x8000_0000
CONTROL = 0x3F00_0000
# The commands of core control.
LOAD, START, STOP, RESET, GRANT, REVOKE = range(1, 7)
LOADED, RUNNING, BUSY, LOCKED_UP, WATCHDOG, RESET_ITSELF = (1 << bit for bit in range(6))


def until(what: str, ready: Callable[[], bool], limit: float = 60) -> None:
    """Waits for something that is about to become true."""
    deadline = time.monotonic() + seconds(limit)
    while not ready():
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {seconds(limit):.0f} s")
        time.sleep(POLL)


def tool(name: str) -> str:
    """The newest LLVM tool of this name, as scripts/tools.sh finds it."""
    for suffix in ("-22", "-21", "-20", "-19", ""):
        if path := shutil.which(name + suffix):
            return path
    raise AssertionError(f"{name} is missing: `make setup`")


def core_program(name: str) -> Path:
    """One of the programs of tests/mt3620/core.c, built for a real-time core."""
    directory = OUT / "test" / "mt3620"
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{name}.elf"
    command = [
        tool("clang"), "--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-mfloat-abi=soft", "-ffreestanding", "-nostdlib",
        "-Os", "-Wall", "-Wextra", "-Werror", f"-DMAIN={name}", f"--ld-path={tool('ld.lld')}", f"-Wl,-T,{CORE_LAYOUT}",
        "-o", target, CORE_SOURCE,
    ]  # fmt: skip
    ended = run(command, 120)
    if ended.code != 0:
        raise AssertionError(f"{CORE_SOURCE} cannot be built:\n{ended.errors}")
    return target


class Lines:
    """A socket of the machine that speaks in lines."""

    def __init__(self, path: Path, alive: Callable[[], bool]) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(seconds(30))

        def connected() -> bool:
            try:
                self._socket.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                if not alive():
                    raise AssertionError(f"the machine went off before {path.name} was there") from None
                return False
            return True

        until(f"socket {path.name}", connected)
        # Only read: a text stream that is also written forgets what it has read ahead.
        self._stream = self._socket.makefile("r", encoding="ascii", newline="\n")

    def say(self, line: str) -> None:
        """Says a line."""
        self._socket.sendall(f"{line}\n".encode("ascii"))

    def hear(self) -> str:
        """The next line."""
        return self._stream.readline().strip()

    def ask(self, line: str) -> str:
        """Says a line and hears the next."""
        self.say(line)
        return self.hear()

    def close(self) -> None:
        """Hangs up."""
        self._stream.close()
        self._socket.close()


class Chip:
    """A machine with nothing to run on its A7. `properties` are those of the machine, `more` is more of QEMU's command line."""

    def __init__(self, directory: Path, properties: Sequence[str] = (), more: Sequence[str] = ()) -> None:
        self.directory = directory
        self.errors = directory / "qemu.log"
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("qtest", "pins", "rt0.log", "rt1.log"):
            (directory / name).unlink(missing_ok=True)
        if not EMULATOR.exists():
            raise AssertionError(f"{EMULATOR} is missing: build it with `make emulator BOARD=mt3620`")
        bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        command = [
            *bound, str(EMULATOR), "-M", ",".join(["mt3620", "pins=pins", *properties]), "-nodefaults", "-nographic",
            "-serial", "null", "-serial", "file:rt0.log", "-serial", "file:rt1.log", "-d", "guest_errors,unimp",
            "-chardev", "socket,id=pins,path=pins,server=on,wait=off", "-qtest", "unix:qtest,server=on,wait=off",
            "-qtest-log", "none", "-accel", "tcg", *more,
        ]  # fmt: skip
        with self.errors.open("wb") as sink:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=directory, start_new_session=True
            )
        self._qtest: Lines | None = None
        self._pins: Lines | None = None
        # Shared interrupts of the A7 whose line is high.
        self._high: set[int] = set()

    def __enter__(self) -> Chip:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lines in (self._qtest, self._pins):
            if lines is not None:
                lines.close()
        end_group(self._process)

    def alive(self) -> bool:
        """Whether the machine is on."""
        return self._process.poll() is None

    def refusal(self) -> str:
        """What a machine says that does not start; it must not."""
        try:
            code = self._process.wait(seconds(30))
        except subprocess.TimeoutExpired:
            raise AssertionError("the machine started") from None
        text = self.errors.read_text()
        if code != 1:
            raise AssertionError(f"the machine ended with {code}:\n{text}")
        return text

    def _ask(self, line: str) -> list[str]:
        if self._qtest is None:
            self._qtest = Lines(self.directory / "qtest", self.alive)
            # Lines end here instead of at an A7 that has nothing to run.
            self._ask("irq_intercept_in /machine/a7-mp")
        self._qtest.say(line)
        # What the lines do is told before the answer.
        while (words := self._qtest.hear().split())[:1] == ["IRQ"]:
            (self._high.add if words[1] == "raise" else self._high.discard)(int(words[2]))
        if words[:1] != ["OK"]:
            raise AssertionError(f"qtest: `{line}` brought {words}")
        return words[1:]

    def read(self, address: int) -> int:
        """A word of the A7's memory."""
        return int(self._ask(f"readl {address:#x}")[0], 16)

    def write(self, address: int, value: int) -> None:
        """Writes a word of the A7's memory."""
        self._ask(f"writel {address:#x} {value:#x}")

    def interrupts(self, interrupt: int) -> bool:
        """Whether a shared interrupt of the A7 is high."""
        self.read(RAM)
        return interrupt in self._high

    def fill(self, address: int, content: bytes) -> None:
        """Writes bytes into the A7's memory."""
        for start in range(0, len(content), 4096):
            part = content[start : start + 4096]
            self._ask(f"write {address + start:#x} {len(part):#x} 0x{part.hex()}")

    def pin(self, request: str) -> str:
        """What the world outside of the pins says, and hears."""
        return self.pins.ask(request)

    @property
    def pins(self) -> Lines:
        """The world outside of the pins."""
        if self._pins is None:
            self._pins = Lines(self.directory / "pins", self.alive)
        return self._pins

    def log(self, core: int) -> str:
        """What a real-time core has written."""
        file = self.directory / f"rt{core}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def wait_log(self, core: int, text: str) -> None:
        """Waits until a real-time core has written something."""
        try:
            until(f"`{text}` of core {core}", lambda: text in self.log(core) or not self.alive())
        except AssertionError as error:
            raise AssertionError(f"{error}: it wrote\n{self.log(core)}") from None
        if text not in self.log(core):
            raise AssertionError(f"the machine went off:\n{self.errors.read_text()}")

    def command(self, core: int, command: int, address: int = 0, size: int = 0, kind: int = 0) -> int:
        """A command of core control; its result."""
        base = CONTROL + 0x100 * core
        for offset, value in ((0x10, address), (0x14, size), (0x18, kind), (0x20, command)):
            self.write(base + offset, value)
        result = self.read(base + 0x08)
        until("end of the command", lambda: not self.status(core) & BUSY)
        return result

    def status(self, core: int) -> int:
        """The status of a core."""
        return self.read(CONTROL + 0x100 * core + 0x04)

    def load(self, core: int, program: Path | bytes) -> int:
        """Puts a file into RAM and loads it into a core; the result."""
        content = program if isinstance(program, bytes) else program.read_bytes()
        self.fill(RAM, content)
        return self.command(core, LOAD, RAM, len(content))
