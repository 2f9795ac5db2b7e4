# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Our own real-time apps on the real-time cores, against the protocol as it is written down a second time."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import foreign_firmware
from chip import RESET_ITSELF, RUNNING
from cores import Cores
from highlevel import MAXIMUM, Broken, Channel, Stream
from places import LOGS, OUT, TOP, seconds
from process import build_environment, run
from results import Result, Status, check, equal
from session import Session
from unit import Suite

SUITE = Suite("realtime")

ID = bytes(range(16))
APPS = {
    "tests/realtime": ("echo", "burst", "restart", "hostile"),
    **{f"samples/{name}": (name,) for name in ("intercore-rt", "blink", "button")},
}
RUNS, MESSAGES = 3, 1000
BLOCKS = 10_000


def app(name: str) -> Path:
    """The ELF of an app."""
    return OUT / "realtime" / name


@SUITE.unit
def apps_are_built_for_the_chip(_: Session) -> None:
    """Each app lies in TCM, begins with its vector table, and has its stack at the end of TCM."""
    LOGS.mkdir(parents=True, exist_ok=True)
    ended = run(
        [TOP / "scripts" / "realtime.sh", *(TOP / folder for folder in APPS)],
        1800,
        environment=build_environment(),
        log=LOGS / "realtime-build.log",
    )
    equal(ended.code, 0, f"status of scripts/realtime.sh\n{ended.output[-2000:]}")
    for name in (name for names in APPS.values() for name in names):
        image = app(name).read_bytes()
        equal(image[:7], b"\x7fELF\x01\x01\x01", "a little-endian ELF of 32 bits")
        kind, machine, _, entry, headers = struct.unpack_from("<HHIII", image, 16)
        equal((kind, machine, entry), (2, 40, 0x00100000), f"{name}: kind, machine and entry")
        loads = []
        for index in range(*struct.unpack_from("<H", image, 44)):
            what, offset, address, _, size, total, *_ = struct.unpack_from("<8I", image, headers + 32 * index)
            if what == 1 and total:
                check(0x00100000 <= address and address + total <= 0x00130000, f"{name}: {address:#x} is not in TCM")
                loads.append((address, offset, size))
        address, offset, size = min(loads)
        equal(address, entry, f"{name}: what is loaded first")
        stack, reset = struct.unpack_from("<II", image, offset)
        equal(stack, 0x00130000, f"{name}: the stack")
        check(reset & 1 and entry < reset < entry + size, f"{name}: reset to {reset:#x}, which is no Thumb code of it")


@SUITE.unit
def lengths_come_back_from_both_cores(_: Session) -> None:
    """What is sent to an echo on either core comes back, whatever its length, several times around the ring."""
    with Cores("echo", app("echo"), app("echo")) as chip:
        channels = [chip.connect(core) for core in (0, 1)]
        for length in (*range(64), *range(64, MAXIMUM, 17), *range(MAXIMUM - 8, MAXIMUM + 1)):
            payload = bytes((length + index) & 0xFF for index in range(length))
            for channel in channels:
                check(channel.send(ID, payload), "no room in an empty ring")
            for core, channel in enumerate(channels):
                equal(chip.until("echo", channel.receive), (ID, payload), f"the echo of core {core}")


class Exchange:
    """A burst each way with one core."""

    def __init__(self, channel: Channel, seed: int) -> None:
        self.channel = channel
        self.ours, self.theirs = Stream(seed + 1), Stream(seed)
        self.report: tuple[int, ...] | None = None
        check(channel.send(ID, struct.pack("<II", MESSAGES, seed)), "no room for the request")

    def go_on(self) -> None:
        """Sends what there is room for and takes what there is."""
        while self.ours.number < MESSAGES and self.channel.send(ID, self.ours.message()):
            self.ours.advance()
        while received := self.channel.receive():
            if self.theirs.number < MESSAGES:
                equal(received, (ID, self.theirs.message()), f"message {self.theirs.number}")
                self.theirs.advance()
            else:
                self.report = struct.unpack("<III", received[1])


@SUITE.unit
def bursts_lose_nothing(_: Session) -> None:
    """1000 messages each way of 1 to 1024 bytes, both cores at once, in order and unchanged, three times."""
    with Cores("burst", app("burst"), app("burst")) as chip:
        channels = [chip.connect(core) for core in (0, 1)]
        for number in range(RUNS):
            exchanges = [Exchange(channel, 1000 * number + core + 1) for core, channel in enumerate(channels)]

            def done() -> bool:
                for exchange in exchanges:
                    exchange.go_on()
                return all(exchange.report for exchange in exchanges)

            chip.until("end of the bursts", done, 120)
            for exchange in exchanges:
                equal(exchange.report, (MESSAGES, MESSAGES, 0), "sent, received and wrong of the app")


@SUITE.unit
def a_core_is_set_up_again_and_started_again(_: Session) -> None:
    """A new setup is a new connection; a core that panicked or hangs works after a restart, and the other one all the time."""
    ask = b"?"
    with Cores("restart", app("restart"), app("echo")) as chip:
        other = chip.connect(1)

        def counts(channel: Channel) -> tuple[int, int]:
            check(channel.send(ID, ask), "no room for the question")
            equal((other.send(ID, ask), chip.until("echo", other.receive)), (True, (ID, ask)), "the other core")
            setups, messages = struct.unpack("<II", chip.until("answer", channel.receive)[1])
            return setups, messages

        channel = chip.connect(0)
        equal(counts(channel), (1, 1), "setups and messages")
        equal(counts(channel), (1, 2), "setups and messages")
        channel.setup()
        equal(counts(channel), (2, 3), "setups and messages after a second setup")
        for end in (b"p", b"h"):
            check(channel.send(ID, end), "no room")
            chip.until("sleep of the core", lambda: not channel.send(ID, bytes(MAXIMUM)))
            check(not chip.status(0) & RESET_ITSELF, "the core reset itself")
            equal(channel.receive(), None, "an answer of a core that ended")
            chip.restart(0, app("restart"))
            channel = chip.connect(0)
            equal(counts(channel), (1, 1), "setups and messages after a restart")
        check("panicked at" in chip.log(0), "the app did not say that it panicked")
        started = chip.log(0).count("restart: started")
        check(channel.send(ID, b"r"), "no room")
        chip.printed(0, "restart: started", started + 1)
        equal(chip.status(0) & (RUNNING | RESET_ITSELF), RUNNING | RESET_ITSELF, "the status after a reset by itself")
        # Its buffers were taken from it.
        equal(counts(chip.connect(0)), (1, 1), "setups and messages after a reset by itself")
        chip.restart(0, app("restart"))
        equal((chip.status(0) & RESET_ITSELF, counts(chip.connect(0))), (0, (1, 1)), "after a restart")


@SUITE.unit
def a_wrong_setup_is_refused_and_a_right_one_is_not(_: Session) -> None:
    """An app says what is wrong with the buffers that it is told, keeps off them, and takes the next setup."""
    with Cores("setup", app("echo")) as chip:
        channel = chip.connect(0)
        inbound, outbound = channel.inbound, channel.outbound
        for number, (one, other, reason) in enumerate(
            (
                (inbound | 12, inbound | 12, "Overlap"),
                (inbound | 12, 0x0010000C, "Place"),
                (inbound | 12, outbound | 3, "Size"),
                (inbound | 12, 0xFFFFF00C, "End"),
                (None, outbound | 12, "Missing"),
            )
        ):
            for command, data in ((1, one), (2, other), (3, 0)):
                if data is not None:
                    channel.post(0xBA5E0000 + command, data)
            chip.printed(0, reason)
            channel.setup()
            check(channel.send(ID, b"still there?"), "no room")
            equal(chip.until("echo", channel.receive), (ID, b"still there?"), f"the echo after setup {number}")
        channel.post(0xBA5E0004, 0)
        chip.printed(0, "Disconnected")


@SUITE.unit
def hostile_apps_do_what_they_say(_: Session) -> None:
    """Each attack of the hostile app breaks the protocol in its way, and does not touch the other core's channel."""
    numbers = struct.Struct("<II")
    with Cores("hostile", app("hostile"), app("echo")) as chip:
        other, channel = chip.connect(1), chip.connect(0)

        def broken(request: bytes) -> str:
            channel.setup()
            check(channel.send(ID, request), "no room for the request")
            try:
                chip.until("attack", lambda: channel.rung() and (channel.receive() or not channel.send(ID, b"")))
            except Broken as error:
                return str(error)
            raise AssertionError(f"{request!r} kept to the protocol")

        check(channel.send(ID, b"eho"), "no room")
        equal(chip.until("echo", channel.receive), (ID, b"eho"), "the app, asked for nothing bad")
        for request, words in (
            (b"w" + numbers.pack(3, 0), "position 3"),
            (b"w" + numbers.pack(4032, 0), "position 4032"),
            (b"w" + numbers.pack(0xFFFFFFF0, 0), "position 4294967280"),
            (b"r" + numbers.pack(8, 0), "position 8"),
            (b"b" + numbers.pack(0, 32), "a block of 0 bytes"),
            (b"b" + numbers.pack(19, 32), "a block of 19 bytes"),
            (b"b" + numbers.pack(1061, 1088), "a block of 1061 bytes"),
            (b"b" + numbers.pack(500, 112), "a block of 500 bytes, 112 there"),
            (b"o", "a block of 60 bytes, 32 there"),
        ):
            said = broken(request)
            check(words in said, f"{request!r}: {said}")
            check(other.send(ID, request), "no room for the other core")
            equal(chip.until("echo", other.receive), (ID, request), "the other core")
        channel.setup()
        check(channel.send(ID, b"f" + numbers.pack(100_000, 0)), "no room")
        chip.until("doorbell", channel.rung)
        check(channel.send(ID, b"e"), "no room")
        equal(chip.until("answer after the flood", channel.receive), (ID, b"e"), "the app after its flood")
        check(channel.send(ID, b"s"), "no room")
        chip.until("silence", lambda: not channel.send(ID, b"anybody?"))
        equal(channel.receive(), None, "what a silent app says")
        chip.restart(0, app("hostile"))
        channel = chip.connect(0)
        check(channel.send(ID, b"e"), "no room")
        equal(chip.until("echo", channel.receive), (ID, b"e"), "the app after a restart")


@SUITE.unit
def ten_thousand_hostile_blocks_are_survived(_: Session) -> None:
    """Ten thousand hostile blocks and positions: each is found out or harmless, and the other core is unaffected."""
    with Cores("blocks", app("hostile"), app("echo")) as chip:
        other, channel = chip.connect(1), chip.connect(0)
        check(channel.send(ID, b"m" + struct.pack("<II", 1, BLOCKS)), "no room")
        found = {"broken": 0, "message": 0, "nothing": 0}

        def done() -> bool:
            if channel.rung():
                try:
                    received = channel.receive()
                    found["message" if received else "nothing"] += 1
                    channel.memory.write(channel.mailbox + 0x14, 1)
                except Broken:
                    found["broken"] += 1
                    channel.setup()
            return "hostile: done" in chip.log(0)

        chip.until("end of the blocks", done, 300)
        check(found["broken"] > BLOCKS / 4 and found["message"] > BLOCKS / 20, f"too little happened: {found}")
        for length in range(0, MAXIMUM, 31):
            check(other.send(ID, bytes(length)), "no room for the other core")
            equal(chip.until("echo", other.receive), (ID, bytes(length)), "the other core")


@SUITE.unit
def the_sample_answers_in_capitals(_: Session) -> None:
    """`samples/intercore-rt` greets its partner every second and answers what it is sent."""
    with Cores("sample", app("intercore-rt")) as chip:
        channel = chip.connect(0)
        partner, greeting = chip.until("greeting", channel.receive)
        check(greeting.startswith(b"hello "), f"it greets with {greeting!r}")
        manifest = (TOP / "samples" / "intercore-rt" / "app_manifest.json").read_text()
        first = partner[3::-1].hex() + "-" + partner[5:3:-1].hex()
        check(first in manifest, "it greets a partner that its manifest does not name")
        check(channel.send(ID, b"quiet, please"), "no room")
        chip.until("answer", lambda: channel.receive() == (ID, b"QUIET, PLEASE"))


@SUITE.unit
def the_led_blinks_and_follows_the_button(_: Session) -> None:
    """`samples/blink` toggles the LED; `samples/button` lights it while the button is pressed, seen at the pins."""
    with Cores("blink", app("blink")) as chip:
        for level in "010101":
            chip.until(f"level {level} of the LED", lambda wanted=level: chip.pin("read 8") == f"8 {wanted}")
    with Cores("button", app("button")) as chip:
        for presses in range(1, 6):
            equal(chip.pin("drive 12 1"), "ok", "releasing the button")
            chip.until("dark LED", lambda: chip.pin("read 8") == "8 1")
            equal(chip.pin("drive 12 0"), "ok", "pressing the button")
            chip.until("lit LED", lambda: chip.pin("read 8") == "8 0")
            chip.printed(0, f"pressed {presses}")


# What every known firmware takes: the smallest of their buffers has 32 bytes.
FIRMWARE_MESSAGES, FIRMWARE_PAYLOAD = 120, 32


class Firmware:
    """A firmware of somebody else on one core: it reads what it is sent, and may send what it likes."""

    def __init__(self, chip: Cores, core: int) -> None:
        self.channel = chip.connect(core)
        self.read = self.received = self.waits = 0
        self._rung = time.monotonic()

    def send(self, number: int) -> bool:
        """Sends a message if there is room."""
        sent = self.channel.send(ID, bytes(b"%05d" % number)[-1 - number % 5 :] + b"x" * (number % (FIRMWARE_PAYLOAD - 5)))
        self.read += sent
        self.waits += not sent
        return sent

    def go_on(self) -> bool:
        """Takes what was sent, rings again where a doorbell was missed, and tells whether everything was read."""
        while self.channel.receive():
            self.received += 1
        if self.channel.all_read():
            return True
        # Firmware loses doorbells while it starts, and some reads one message for each that it sees.
        if time.monotonic() - self._rung > 0.05:
            self._rung = time.monotonic()
            self.channel.memory.write(self.channel.mailbox + 0x14, 2)
        return False


def try_firmware(pair: tuple[Path, Path]) -> str:
    """Handshake, traffic around the ring, a full ring, and a restart, for a firmware with another one beside it."""
    with Cores(f"firmware-{pair[0].name}", *pair) as chip:

        def begin() -> list[Firmware]:
            # Some firmware hangs for ever when it is set up while it starts, and some faults when it is rung before it is ready.
            time.sleep(seconds(0.3))
            cores = [Firmware(chip, core) for core in (0, 1)]
            chip.until("reading of the setup", lambda: not any(core.channel.posted() for core in cores))
            time.sleep(seconds(0.3))
            return cores

        def all_read(cores: list[Firmware]) -> bool:
            return all([core.go_on() for core in cores])

        cores = begin()
        for number in range(FIRMWARE_MESSAGES):
            for core in cores:
                check(core.send(number), f"no room for message {number} in an empty ring")
            chip.until(f"reading of message {number}", lambda: all_read(cores), 30)

        def pour() -> bool:
            # As many to both: some firmware reads the next one only when the other core has read as many.
            for core in cores:
                while core.read < 2 * FIRMWARE_MESSAGES and core.send(FIRMWARE_MESSAGES):
                    pass
            return all_read(cores) and all(core.read == 2 * FIRMWARE_MESSAGES for core in cores)

        chip.until("reading of a full ring", pour, 120)
        for core, firmware in enumerate(pair):
            chip.restart(core, firmware)
        again = begin()
        for number in range(3):
            for core in again:
                check(core.send(number), "no room after a restart")
            chip.until("reading after a restart", lambda: all_read(again), 30)
        first = cores[0]
        return f"{first.read} read, {first.received} received, {first.waits} times full, read again after a restart"


@SUITE.unit
def firmware_of_others_works_unchanged(_: Session) -> list[Result]:
    """Each ELF in NACRE_RT_FIRMWARE reads all it is sent, around the ring and out of a full one, and works after a restart."""
    name = "realtime/firmware"
    files = foreign_firmware.files()
    results = []
    for index, file in enumerate(files):
        start = time.monotonic()
        try:
            status, note = Status.PASSED, try_firmware((file, files[index ^ 1] if index ^ 1 < len(files) else file))
        except (AssertionError, Broken) as error:
            status, note = Status.FAILED, str(error)
        print(f"        {file.name:<24} {status.value:<7} {note}", flush=True)
        results.append(Result(f"{name}/{file.name}", status, time.monotonic() - start, note))
    return results
