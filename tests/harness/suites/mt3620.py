# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The emulated MT3620: its registers, its pins from outside, its real-time cores, and what it refuses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from itertools import count

import cargo
import device_tree
from chip import (
    CONTROL, GRANT, LOAD, LOADED, LOCKED_UP, RAM, RESET, RESET_ITSELF, REVOKE, RUNNING, START, STOP, WATCHDOG, Chip, Lines, core_program, until,
)  # fmt: skip
from places import DEVICE_TREE, LOGS, OUT, TOP
from process import build_environment, run
from results import Result, Status, check, equal
from session import Session
from unit import Suite

SUITE = Suite("mt3620")

BOARD = TOP / "board" / "mt3620"
MAILBOX_HSP, MAILBOX_IO0, HSP_END = 0x3100_0000, 0x3101_0000, 0x3F02_0000
GROUP2, GROUP3 = 0x3803_0000, 0x3804_0000
CIRQ = 0x3106_0000
SHARED = 0x83F0_0000
# Schemas of the kernel, to which those of pins refer.
OF_KERNEL = re.compile(r"Unresolvable reference: (pinmux|pincfg)-node\.yaml")
LAYOUTS = ("mediatek", "codethink", "linux")

_chips = count(1)


def chip(name: str, *properties: str, more: Sequence[str] = ()) -> Chip:
    """A chip of its own for a test; what it says goes to the logs."""
    return Chip(LOGS / f"chip-{next(_chips):02}-{name}", properties, more)


@SUITE.unit
def models(_: Session) -> list[Result]:
    """All unit tests of the register models pass, the matrix of what is unknown among them."""
    command = [
        "cargo", "test", "--locked", "--no-fail-fast", "--manifest-path", BOARD / "models" / "Cargo.toml",
        "--target-dir", OUT / "cargo" / "models",
    ]  # fmt: skip
    ended = run(command, 1200, environment=build_environment(), log=LOGS / "mt3620-models.log")
    results = cargo.read(ended.output, "mt3620/models")
    if not results or ended.code != 0 and all(result.status is not Status.FAILED for result in results):
        results.append(Result("mt3620/models/build", Status.FAILED, note=ended.output[-2000:]))
    return results


@SUITE.unit
def every_compatible_has_a_binding(_: Session) -> None:
    """What the device tree uses of this chip is described in bindings/, and the tree says what it was written to say."""
    text = "".join((BOARD / name).read_text() for name in ("mt3620.dts", "mt3620.dtsi"))
    used = set(re.findall(r'"((?:mediatek|nacre),[a-z0-9-]+)"', text)) - {"nacre,mt3620-qemu", "mediatek,mt3620"}
    described = {file.stem for file in (BOARD / "bindings").rglob("*.yaml")}
    equal(described, used, "bindings")
    back = run(["dtc", "-I", "dtb", "-O", "dts", DEVICE_TREE], 30)
    equal(back.code, 0, f"dtc: {back.errors}")
    for name in used:
        check(f'compatible = "{name}"' in back.output, f"{name} is not in {DEVICE_TREE}")


@SUITE.unit
def bindings_hold(_: Session) -> list[Result]:
    """The bindings are schemas, and the device tree obeys them."""
    if not (shutil.which("dt-doc-validate") and shutil.which("dt-validate")):
        return [Result("mt3620/bindings_hold", Status.SKIPPED, note="dt-validate is not installed")]
    for file in sorted((BOARD / "bindings").rglob("*.yaml")):
        ended = run(["dt-doc-validate", file], 120)
        wrong = [line for line in (ended.output + ended.errors).splitlines() if line.strip() and not OF_KERNEL.search(line)]
        check(not wrong, f"{file.name}: {wrong}")
    # What else is in the tree is described in the kernel's bindings.
    ended = run(["dt-validate", "-l", "mt3620", "-s", BOARD / "bindings", DEVICE_TREE], 120)
    check(ended.code == 0 and DEVICE_TREE.name not in ended.output + ended.errors, f"{ended.output}{ended.errors}")
    return [Result("mt3620/bindings_hold", Status.PASSED)]


@SUITE.unit
def a_pin_driven_from_outside_is_seen_in_its_register(_: Session) -> None:
    """A button pressed outside changes the input register and interrupts the A7; one that is not an interrupt does not."""
    with chip("button") as on:
        equal(on.read(GROUP3 + 0x04), 0, "input before")
        on.write(CIRQ + 4 * 12, 1 << 8)
        equal(on.pin("drive 12 1"), "ok", "drive")
        equal(on.read(GROUP3 + 0x04), 1, "input after")
        equal(on.pin("read 12"), "12 1", "level")
        check(on.interrupts(69), "the rising edge of pin 12 does not interrupt")
        check(not on.interrupts(70), "pin 13 interrupts, which did not move")
        on.pin("drive 12 0")
        equal(on.read(GROUP3 + 0x04), 0, "input at the end")


@SUITE.unit
def an_output_is_seen_outside(_: Session) -> None:
    """An LED that the A7 switches is seen by who watches it, and only while the pin is an output in mode 0."""
    with chip("led") as on:
        equal(on.pin("watch 8"), "ok", "watch")
        on.write(GROUP2 + 0x14, 1)
        equal(on.pin("read 8"), "8 0", "level of a pin that is no output")
        on.write(GROUP2 + 0x24, 1)
        equal(on.pins.hear(), "8 1", "what is heard of the output")
        on.write(GROUP2 + 0x18, 1)
        equal(on.pins.hear(), "8 0", "what is heard of the cleared output")
        on.write(GROUP2 + 0x14, 1)
        equal(on.pins.hear(), "8 1", "what is heard of the set output")
        on.write(0x3001_0024, 0x1)
        equal(on.pins.hear(), "8 0", "what is heard when another unit has the pad")
        equal(on.pin("mode 8"), "8 1", "mode")
        for request in ("drive 94 1", "drive 8 2", "read", "blink 8"):
            check(on.pin(request).startswith("error: "), f"`{request}` is not refused")
        equal(on.pin("mode 8"), "8 1", "mode after requests that were refused")


@SUITE.unit
def a_mailbox_passes_entries_in_every_layout(_: Session) -> None:
    """Entries and doorbells reach the other end and interrupt the A7, whatever the bits of the status mean."""
    posted = {"mediatek": 1 << 1, "codethink": 1 << 2, "linux": 1 << 1}
    for layout in LAYOUTS:
        with chip(f"mailbox-{layout}", f"mbox-layout={layout}") as on:
            equal(on.read(MAILBOX_HSP), 0x3620_0000, "version")
            on.write(MAILBOX_HSP + 0x44, 7)
            on.write(MAILBOX_HSP + 0x40, 9)
            equal(on.read(MAILBOX_HSP + 0x48), 1, "entries posted")
            equal((on.read(HSP_END + 0x54), on.read(HSP_END + 0x50)), (7, 9), "entry")
            check(on.interrupts(1) and not on.interrupts(0), "the A7 does not hear that its entry was read")
            on.write(HSP_END + 0x40, 1)
            check(on.interrupts(0), "the A7 does not hear of an entry")
            check(on.read(MAILBOX_HSP + 0x3C) & posted[layout], f"the status of {layout} has another bit")
            check(not on.interrupts(2), "a doorbell rings that nobody has rung")
            on.write(MAILBOX_HSP + 0x18, 0xFF)
            on.write(HSP_END + 0x14, 2)
            check(on.interrupts(2), "the A7 does not hear a doorbell")
            equal(on.read(MAILBOX_HSP + 0x1C), 2, "doorbells")


@SUITE.unit
def what_is_unknown_is_a_property(_: Session) -> None:
    """Each property changes what it says, and a value that it does not have is refused by its name."""
    with chip("unknown", "mbox-int-en-reset=3", "mbox-version=0x36200001", "mbox-data-latch=clear", "gpio-ies-reset=off") as on:
        equal(on.read(MAILBOX_HSP + 0x38), 3, "INT_EN")
        equal(on.read(MAILBOX_HSP), 0x3620_0001, "version")
        on.write(MAILBOX_HSP + 0x44, 7)
        on.write(MAILBOX_HSP + 0x40, 1)
        on.write(MAILBOX_HSP + 0x40, 2)
        on.read(HSP_END + 0x50)
        equal(on.read(HSP_END + 0x54), 0, "DATA that was posted before")
        on.pin("drive 12 1")
        equal(on.read(GROUP3 + 0x04), 0, "an input that is not enabled")
    for layout, there, elsewhere in (("mediatek", 0x30, 0x20), ("linux", 0x20, 0x30)):
        with chip(f"layout-b-{layout}", f"gpio-b-layout={layout}") as on:
            on.pin("drive 24 0")
            on.write(0x3002_0014, 1)
            on.write(0x3002_0000 + elsewhere + 4, 1)
            equal(on.pin("read 24"), "24 0", "pin 24")
            on.write(0x3002_0000 + there + 4, 1)
            equal(on.pin("read 24"), "24 1", "pin 24")
    for wrong in ("mbox-layout=none", "mbox-int-en-reset=16", "eint-needs-mode5=perhaps"):
        with chip("refused", wrong) as on:
            check(wrong in on.refusal(), f"the refusal of {wrong} does not name it")


@SUITE.unit
def firmware_that_is_none_is_refused(_: Session) -> None:
    """A file that is no ELF file for the core, or too large for TCM, is refused with its name and the reason; one that is, runs."""
    good = core_program("hello")
    text = LOGS / "no-firmware.elf"
    text.write_text("not firmware\n")
    # The memory of its one segment grows by 192 KiB, its machine becomes another.
    content = bytearray(good.read_bytes())
    header = int.from_bytes(content[28:32], "little")
    check(content[header : header + 4] == b"\1\0\0\0", "the first program header of the test's firmware loads nothing")
    large, foreign = LOGS / "too-large.elf", LOGS / "foreign.elf"
    size = int.from_bytes(content[header + 20 : header + 24], "little") + 192 * 1024
    large.write_bytes(content[: header + 20] + size.to_bytes(4, "little") + content[header + 24 :])
    foreign.write_bytes(content[:18] + b"\x03\0" + content[20:])
    for file, reason in ((text, "not an ELF file"), (large, "too large for TCM"), (foreign, "not for ARM"), (LOGS / "absent.elf", "absent.elf")):
        with chip("refused", f"rt1={file}") as on:
            said = on.refusal()
            check("rt1: " in said and file.name in said and reason in said, f"{file.name} is refused by\n{said}")
    with chip("firmware", f"rt1={good}") as on:
        on.wait_log(1, "hello\n")
        equal(on.status(0), 0, "status of the other core")


@SUITE.unit
def firmware_is_refused_by_core_control_too(_: Session) -> None:
    """What is no firmware has a code of its own, leaves nothing loaded and does not start; what is, is loaded and starts."""
    good = core_program("hello").read_bytes()
    with chip("control-refusals") as on:
        equal(on.command(0, START), 3, "start of nothing")
        equal(on.load(0, b"not firmware"), 5, "text")
        equal(on.load(0, good[: len(good) // 2]), 5, "half a file")
        equal(on.command(0, LOAD, RAM - 4096, 4096), 4, "what is not in RAM")
        equal(on.command(0, 99), 1, "a command that there is not")
        equal(on.status(0), 0, "status")
        equal(on.load(0, good), 0, "firmware")
        equal(on.status(0), LOADED, "status when loaded")
        equal(on.command(0, START), 0, "start")
        on.wait_log(0, "hello\n")
        equal(on.status(0), LOADED | RUNNING, "status when running")
        equal(on.load(0, good), 2, "load while it runs")


@SUITE.unit
def cores_run_with_three_priority_bits(_: Session) -> None:
    """Both cores run their own firmware from power-on, each with its own log, and interrupts have three bits of priority."""
    hello, ready = core_program("hello"), core_program("echo")
    with chip("hello", f"rt0={hello}", f"rt1={ready}") as on:
        on.wait_log(0, "hello\n000000e0\n")
        on.wait_log(1, "ready\n")
        equal(on.log(1), "ready\n", "log of core 1")


@SUITE.unit
def a_core_mirrors_a_button_on_an_led(_: Session) -> None:
    """A press outside interrupts a real-time core, which switches an LED that is seen outside."""
    with chip("mirror", f"rt0={core_program('mirror')}") as on:
        on.wait_log(0, "ready\n")
        on.pin("watch 8")
        for level in ("1", "0", "1"):
            on.pins.say(f"drive 12 {level}")
            heard = {on.pins.hear(), on.pins.hear()}
            equal(heard, {"ok", f"8 {level}"}, "what is heard")
        # The LED is switched first.
        on.wait_log(0, "ready\nhigh\nlow\nhigh\n")


@SUITE.unit
def timers_interrupt_their_core(_: Session) -> None:
    """A repeating timer interrupts the core that set it."""
    with chip("timer", f"rt1={core_program('timer')}") as on:
        on.wait_log(1, "ten\n")


@SUITE.unit
def cores_exchange_entries(_: Session) -> None:
    """A core answers the A7, and the other core, each through its own mailbox; in real time, and counting instructions."""
    # Processors side by side find races, and one after the other, instruction by instruction, each run is the same.
    for name, more in (("echo", ()), ("echo-counted", ("-icount", "shift=3,sleep=off"))):
        with chip(name, f"rt0={core_program('echo')}", f"rt1={core_program('ask')}", more=more) as on:
            on.wait_log(0, "ready\n")
            for number in range(50):
                on.write(MAILBOX_IO0 + 0x44, number)
                on.write(MAILBOX_IO0 + 0x40, 2 * number)
                until("answer", lambda on=on: on.read(MAILBOX_IO0 + 0x58) == 1)
                equal((on.read(MAILBOX_IO0 + 0x54), on.read(MAILBOX_IO0 + 0x50)), (number, 2 * number + 1), "answer")
            on.wait_log(1, "00001234\n00000041\n")


@SUITE.unit
def a_core_reaches_only_granted_buffers(_: Session) -> None:
    """RAM of the A7 is a fault for a real-time core but for a granted buffer, and is one again when that is taken back."""
    reach = core_program("reach")
    with chip("grants") as on:
        equal(on.load(0, reach), 0, "load")
        on.write(SHARED, 0x12345678)
        for kind, address, size in ((0, SHARED + 4, 4096), (0, SHARED, 100), (2, SHARED, 4096), (0, 0x9000_0000, 4096)):
            equal(on.command(0, GRANT, address, size, kind), 8, f"grant of {size} bytes at {address:#x} as {kind}")
        equal(on.command(0, GRANT, SHARED, 4096, 0), 0, "grant")
        equal(on.command(1, GRANT, SHARED, 4096, 0), 8, "the same for the other core")
        equal(on.command(0, START), 0, "start")
        on.wait_log(0, "ready\n")
        on.write(MAILBOX_IO0 + 0x40, SHARED)
        on.wait_log(0, "ready\n12345678\n")
        until("write", lambda: on.read(SHARED) == 0xEDCBA987)
        # The page behind is not granted.
        on.write(MAILBOX_IO0 + 0x40, SHARED + 4096)
        on.wait_log(0, "fault\n")
        equal(on.read(SHARED + 4096), 0, "the page behind")

        equal(on.command(0, RESET), 0, "reset")
        equal(on.command(0, GRANT, SHARED, 4096, 0), 0, "grant after a reset took it back")
        equal(on.command(0, REVOKE, kind=0), 0, "revoke")
        until("two starts", lambda: on.log(0).count("ready\n") == 2)
        on.write(MAILBOX_IO0 + 0x40, SHARED)
        until("two faults", lambda: on.log(0).count("fault\n") == 2)
        # Nothing else of the A7 is there either: its interrupt controller, core control, the flash.
        for address in (0x30F0_1000, CONTROL, 0x9000_0000, 0x3106_0000):
            faults = on.log(0).count("fault\n")
            equal(on.command(0, RESET), 0, "reset")
            starts = faults + 1
            until("start", lambda starts=starts: on.log(0).count("ready\n") == starts)
            on.write(MAILBOX_IO0 + 0x40, address)
            until(f"fault at {address:#x}", lambda faults=faults: on.log(0).count("fault\n") == faults + 1)


@SUITE.unit
def cores_stop_start_and_forget(_: Session) -> None:
    """A core stops, starts again, and what is loaded next finds nothing of what ran before."""
    remains, restart = core_program("remains"), core_program("restart")
    with chip("stop", f"rt1={core_program('echo')}") as on:
        equal(on.load(0, remains), 0, "load")
        equal(on.command(0, START), 0, "start")
        on.wait_log(0, "00000000\n005ec2e7\n")
        equal(on.command(0, START), 2, "start while it runs")
        equal(on.command(0, STOP), 0, "stop")
        equal(on.status(0), LOADED, "status when stopped")
        equal(on.command(0, START), 0, "start again")
        on.wait_log(0, "005ec2e7\n005ec2e7\n")
        equal(on.command(0, STOP), 0, "stop")
        mark = len(on.log(0))
        equal(on.load(0, remains), 0, "load again")
        equal(on.command(0, START), 0, "start")
        until("log", lambda: on.log(0)[mark:] == "00000000\n005ec2e7\n")
        equal(on.command(0, STOP), 0, "stop")
        mark = len(on.log(0))
        equal(on.load(0, restart), 0, "load of what resets itself")
        equal(on.command(0, START), 0, "start")
        until("two starts", lambda: on.log(0)[mark:] == "00000000\n00000001\n")
        equal(on.status(0), LOADED | RUNNING | RESET_ITSELF, "status of a core that reset itself")
        equal(on.status(1), LOADED | RUNNING, "status of the other core")


@SUITE.unit
def a_core_that_fails_takes_nobody_with_it(_: Session) -> None:
    """A core that locks up or starves its watchdog stops, tells the A7 and can start again; the other core goes on."""
    lockup, starve = core_program("lockup"), core_program("starve")
    with chip("failures", f"rt1={core_program('echo')}") as on:
        on.wait_log(1, "ready\n")
        on.write(CONTROL + 0x1C, 1)
        for program, flag in ((lockup, LOCKED_UP), (starve, WATCHDOG), (lockup, LOCKED_UP)):
            equal(on.load(0, program), 0, "load")
            check(not on.interrupts(11), "the A7 is interrupted too early")
            equal(on.command(0, START), 0, "start")
            until("stop", lambda flag=flag: on.status(0) == LOADED | flag)
            check(on.interrupts(11), "the A7 does not hear of it")
            on.write(CONTROL + 0x0C, 1)
            check(not on.interrupts(11), "the A7 hears of it for ever")
            on.write(MAILBOX_IO0 + 0x1_0040, 1)
            until("answer of the other core", lambda: on.read(MAILBOX_IO0 + 0x1_0058) > 0)
            equal(on.read(MAILBOX_IO0 + 0x1_0050), 2, "answer of the other core")
        equal(on.load(0, core_program("hello")), 0, "load after failures")
        equal(on.command(0, START), 0, "start after failures")
        on.wait_log(0, "hello\n")


@SUITE.unit
def a_reset_starts_anew(_: Session) -> None:
    """A reset of the machine, by the A7's watchdog, stops what was loaded later and starts what runs from power-on."""
    with chip("reset", f"rt0={core_program('hello')}") as on:
        on.wait_log(0, "hello\n")
        equal(on.load(1, core_program("echo")), 0, "load")
        equal(on.command(1, START), 0, "start")
        on.wait_log(1, "ready\n")
        on.write(GROUP2 + 0x24, 1)
        on.write(0x3005_0044, 0x1208)
        equal(on.read(GROUP2 + 0x20), 1, "an output after a wrong key")
        on.write(0x3005_0044, 0x1209)
        until("reset", lambda: on.read(GROUP2 + 0x20) == 0)
        until("second start", lambda: on.log(0).count("hello\n") == 2)
        equal(on.status(1), 0, "status of the core that was loaded later")


@SUITE.unit
def linux_and_the_cores_share_the_machine(session: Session) -> None:
    """Both real-time cores run beside the booted OS, and a pin can be driven."""
    with session.board("mt3620-cores") as board:
        board.more = ["-machine", f"rt0={core_program('mirror')},rt1={core_program('hello')}"]
        # The driver of the cores stops those that it has not started.
        without = f'{device_tree.UNCHANGED}&core_control {{ status = "disabled"; }};\n'
        board.tree = device_tree.compiled("without-core-control", without)
        board.boot()

        def log(core: int) -> str:
            return (board.directory / f"rt{core}.log").read_text()

        until("log of core 1", lambda: "hello\n" in log(1))
        until("log of core 0", lambda: "ready\n" in log(0))
        pins = Lines(board.directory / "pins", board.alive)
        equal(pins.ask("drive 12 1"), "ok", "drive")
        until("press", lambda: "high\n" in log(0))
        equal(pins.ask("read 8"), "8 1", "LED")
        pins.close()
