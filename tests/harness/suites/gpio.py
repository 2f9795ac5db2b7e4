# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Pins and GPIO lines of the MT3620, whose pins are reached from outside: the published tools, and who gets a pin."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import device_tree
from board import Board
from chip import Lines
from places import DEBUG_KERNEL, LOGS, MACHINE, OUT, TOP, TWINS_KERNEL, seconds
from process import build_environment, run
from results import check, equal
from session import Session
from suites.lsm import TROUBLE, needs
from unit import Suite

SUITE = Suite("gpio")
FOLDER = OUT / "gpiod"


def pins_of(board: Board) -> Lines:
    """The pins of a board that is on, from outside."""
    return Lines(board.directory / "pins", board.alive)


def drive(pins: Lines, pin: int, level: int) -> None:
    """Drives a pin from outside."""
    answer = pins.ask(f"drive {pin} {level}")
    check(answer == "ok", f"pin {pin} cannot be driven: {answer}")


def image(name: str, script: str) -> Path:
    """A root file system that runs a script of the program in tests/gpio."""
    ended = run([TOP / "tests" / "gpio" / "build.sh", FOLDER], 600, environment=build_environment(), log=LOGS / "gpio-build.log")
    check(ended.code == 0, f"the GPIO tools cannot be built; see {LOGS / 'gpio-build.log'}:\n{ended.output[-2000:]}")
    tree, file = FOLDER / f"root-{name}", FOLDER / f"{name}.squashfs"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(FOLDER / "root", tree)
    (tree / "script").write_text(script)
    ended = run(["mksquashfs", tree, file, "-noappend", "-all-root", "-comp", "lz4", "-no-xattrs", "-no-progress"], 60)
    check(ended.code == 0, f"mksquashfs failed:\n{ended.errors}")
    return file


def machine(name: str, tree: str, properties: str = "") -> Path:
    """The machine of the board with these properties and this device tree."""
    target, file = device_tree.compiled(f"gpio-{name}", tree), FOLDER / f"{name}.args"
    file.write_text(MACHINE.read_text().replace("pins=pins", f"pins=pins{properties}").replace("@DTB@", str(target)))
    return file


@dataclass(frozen=True)
class System:
    """A kernel, what it is told, and the driver that has the pins then."""

    kernel: Path
    append: str
    driver: str


# The one that watches itself, and the one in which a driver in C has the pins.
WATCHING = System(DEBUG_KERNEL, "loglevel=7 kunit.enable=0", "pinctrl_mt3620")
TWIN = System(TWINS_KERNEL, "loglevel=7 twins=first", "mt3620_pinctrl_twin")


def said(text: str, command: str) -> tuple[int, str]:
    """How a command of the script ended, and what was printed since the one before."""
    found = re.search(rf"((?:^(?!# exit ).*\n)*)^# exit (\d+): {re.escape(command)}$", text, re.MULTILINE)
    if not found:
        raise AssertionError(f"`{command}` did not end:\n{text[-2000:]}")
    return int(found[2]), found[1]


def expect(text: str, command: str, code: int, pattern: str) -> None:
    """Checks how a command ended and that what it printed has a pattern in it."""
    ended, printed = said(text, command)
    check(ended == code, f"`{command}` ended with {ended} instead of {code}:\n{printed}")
    check(re.search(pattern, printed, re.MULTILINE), f"`{command}` did not print `{pattern}`:\n{printed}")


def quiet(text: str) -> None:
    """Checks that the kernel found no fault in itself."""
    found = [line for line in text.splitlines() if TROUBLE.search(line)]
    check(not found, "the kernel found a fault in itself:\n" + "\n".join(found[:20]))


TOOLS = """\
/bin/gpiodetect
/bin/gpioinfo GPIO12 GPIO13
/bin/gpioget --numeric GPIO12 GPIO13
/bin/gpioget --numeric --bias=pull-up GPIO14
/bin/gpioget --numeric --bias=pull-down GPIO14
/bin/gpioset --toggle=0 GPIO8=1
/bin/gpiomon --num-events=1 --edges=falling --format=%E:%l GPIO12
/bin/gpioset --toggle=0 GPIO8=0
/bin/gpiomon --num-events=1 --edges=rising --format=%E:%l GPIO12
/bin/gpioset --daemonize GPIO9=1
/bin/gpioget --numeric GPIO9
/bin/gpioset --toggle=0 GPIO9=0
/bin/gpioget --numeric GPIO10
/bin/gpiomon --banner --num-events=4 --format=%E:%l GPIO23
/bin/gpiomon --num-events=1 GPIO30
/bin/gpioget --numeric GPIO30
/bin/gpioget --numeric GPIO24
"""


def try_tools(session: Session, name: str, system: System) -> None:
    """Runs the published tools."""
    rootfs = image(name, TOOLS)
    with session.board(f"gpio-{name}", append=system.append, rootfs=rootfs, kernel=system.kernel) as board:
        board.start()
        pins = pins_of(board)
        drive(pins, 12, 1)
        drive(pins, 13, 0)
        drive(pins, 23, 0)
        board.wait_for(r"^# exit \d+: /bin/gpioset --toggle=0 GPIO8=1$", 300)
        check(pins.ask("read 8") == "8 1", "GPIO8 was set to 1, and that is not seen outside")
        until(board, pins, 12, 0, r"^# exit \d+: /bin/gpiomon --num-events=1 --edges=falling")
        board.wait_for(r"^# exit \d+: /bin/gpioset --toggle=0 GPIO8=0$", 120)
        check(pins.ask("read 8") == "8 0", "GPIO8 was set to 0, and that is not seen outside")
        until(board, pins, 12, 1, r"^# exit \d+: /bin/gpiomon --num-events=1 --edges=rising")
        board.wait_for(r"^Monitoring line", 300)
        for level in (1, 0, 1, 0):
            drive(pins, 23, level)
            time.sleep(0.2)
        board.wait_for(r"^# done$", 300)
        board.wait_off()
        text = board.text()
    expect(text, "/bin/gpiodetect", 0, r"^gpiochip\d+ \[mt3620\] \(94 lines\)$")
    expect(text, "/bin/gpioinfo GPIO12 GPIO13", 0, r"12:?\s+\"?GPIO12\"?\s+input")
    expect(text, "/bin/gpioget --numeric GPIO12 GPIO13", 0, r"^1 0$")
    expect(text, "/bin/gpioget --numeric --bias=pull-up GPIO14", 0, r"^1$")
    expect(text, "/bin/gpioget --numeric --bias=pull-down GPIO14", 0, r"^0$")
    expect(text, "/bin/gpiomon --num-events=1 --edges=falling --format=%E:%l GPIO12", 0, r"^falling:GPIO12$")
    expect(text, "/bin/gpiomon --num-events=1 --edges=rising --format=%E:%l GPIO12", 0, r"^rising:GPIO12$")
    expect(text, "/bin/gpioset --daemonize GPIO9=1", 0, "")
    expect(text, "/bin/gpioget --numeric GPIO9", 1, r"[Bb]usy")
    expect(text, "/bin/gpioset --toggle=0 GPIO9=0", 1, r"[Bb]usy")
    expect(text, "/bin/gpioget --numeric GPIO10", 0, r"^0$")
    watched = "/bin/gpiomon --banner --num-events=4 --format=%E:%l GPIO23"
    expect(text, watched, 0, r"^rising:GPIO23\nfalling:GPIO23\nrising:GPIO23\nfalling:GPIO23$")
    # There is no interrupt at pin 30, which can be read all the same; pin 24 is reserved.
    expect(text, "/bin/gpiomon --num-events=1 GPIO30", 1, "GPIO30|No such device")
    expect(text, "/bin/gpioget --numeric GPIO30", 0, r"^0$")
    expect(text, "/bin/gpioget --numeric GPIO24", 1, "")
    quiet(text)


@SUITE.unit
def tools(session: Session) -> None:
    """The published tools list, read, set and watch lines; a line has one user, and some lines are for nobody."""
    needs(DEBUG_KERNEL, "debug")
    try_tools(session, "tools", WATCHING)


@SUITE.unit
def tools_on_the_twin(session: Session) -> None:
    """The same with the driver in C that the prices of ours are compared with: it does the same."""
    needs(TWINS_KERNEL, "twins")
    try_tools(session, "tools-twin", TWIN)


def until(board: Board, pins: Lines, pin: int, level: int, pattern: str, limit: float = 120) -> None:
    """Drives a pin to a level, and away and back again as long as nobody has seen it."""
    deadline = time.monotonic() + seconds(limit)
    while not re.search(pattern, board.text(), re.MULTILINE):
        check(board.alive() and time.monotonic() < deadline, f"nobody saw pin {pin} go to {level}")
        drive(pins, pin, 1 - level)
        time.sleep(0.2)
        drive(pins, pin, level)
        time.sleep(0.5)


USERS = """\
/bin/gpioget --numeric GPIO66
/bin/gpioget --numeric GPIO67
/bin/gpioget --numeric GPIO68
/bin/gpioget --numeric GPIO26
/bin/gpioget --numeric GPIO31
/bin/gpiodetect
/bin/gpiomon --banner --idle-timeout=10s GPIO12
"""


def try_users(session: Session, name: str, system: System) -> None:
    """Boots with devices that want pins, and with device trees that are wrong."""
    rootfs = image(name, USERS)
    file = machine(name, (TOP / "tests" / "gpio" / "users.dts").read_text())
    with session.board(f"gpio-{name}", append=system.append, rootfs=rootfs, kernel=system.kernel, machine=file) as board:
        board.start()
        pins = pins_of(board)
        board.wait_for(r"^Monitoring line", 300)
        check(pins.ask("mode 66") == "66 3", "the device that wants mode 3 of pin 66 does not have it")
        check(pins.ask("mode 68") == "68 0", "pin 68 has a mode that nobody wants")
        board.wait_for(r"^# done$", 300)
        text = board.text()
    equal(len(re.findall(r"^gpiochip\d+ \[mt3620\]", text, re.MULTILINE)), 1, "controllers that were started")
    expect(text, "/bin/gpioget --numeric GPIO66", 1, r"[Bb]usy")
    expect(text, "/bin/gpioget --numeric GPIO67", 1, r"[Bb]usy")
    for free in (68, 26, 31):
        expect(text, f"/bin/gpioget --numeric GPIO{free}", 0, r"^0$")
    soc = r"/soc/pinctrl@30010000"
    for line in (
        rf'{soc}/function-pins: there is no function "uart"',
        rf'{soc}/group-pins: there is no group of pins "GPIO94"',
        rf'{soc}/mode-pins: group "GPIO31" does not have function "pwm"',
        rf'{soc}/pin-pins: there is no pin "GPIO94"',
        rf"{soc}/empty-pins: no pins or groups that get a function or a setting",
        r'/malformed/pinctrl@3e000100: reg-names has no "pinmux"',
        r'/malformed/pinctrl@3e000200: "pinmux" has 0x10 bytes, fewer than 0x100',
        r"/malformed/pinctrl@3e000300: interrupts has no usable entry 4 of 24",
        r"/malformed/pinctrl@3e000400: mediatek,drive-strengths does not have four values",
    ):
        check(re.search(rf"{system.driver} \S+: {line}", text), f"{system.driver} did not say `{line}`")
    quiet(text)


@SUITE.unit
def users(session: Session) -> None:
    """A device that uses pins has them alone; what a device tree gets wrong is named in the log, and starts nothing."""
    needs(DEBUG_KERNEL, "debug")
    try_users(session, "users", WATCHING)


@SUITE.unit
def users_of_the_twin(session: Session) -> None:
    """The same with the driver in C: it refuses the same, in the same words."""
    needs(TWINS_KERNEL, "twins")
    try_users(session, "users-twin", TWIN)


# Pins 81 to 93 are for nobody usually; their registers are where nobody knows. The last command waits until it is told.
UNKNOWN = """\
/bin/gpioset --toggle=0 GPIO81=1
/bin/gpioget --numeric GPIO82
/bin/gpioget --numeric --bias=pull-up GPIO83
/bin/gpioget --numeric --bias=pull-down GPIO83
/bin/gpiomon --banner --idle-timeout=10s --num-events=1 --edges=rising --format=%E:%l GPIO12
/bin/gpioset --toggle=0 GPIO12=1
/bin/gpiomon --banner --idle-timeout=10s --num-events=1 --edges=rising --format=%E:%l GPIO11
"""
WATCHED = "/bin/gpiomon --banner --idle-timeout=10s --num-events=1 --edges=rising --format=%E:%l GPIO12"


def unknown(session: Session, name: str, properties: str, choices: str) -> tuple[str, dict[int, str]]:
    """A machine with these properties, whose device tree says this of them: its console, and levels seen outside."""
    needs(DEBUG_KERNEL, "debug")
    rootfs = image(name, UNKNOWN)
    tree = f'{device_tree.UNCHANGED}&pio {{ /delete-property/ gpio-reserved-ranges; {choices} }};\n'
    file = machine(name, tree, properties)
    levels = {}
    with session.board(
        f"gpio-{name}", append=WATCHING.append, rootfs=rootfs, kernel=WATCHING.kernel, machine=file
    ) as board:
        board.start()
        pins = pins_of(board)
        drive(pins, 82, 1)
        board.wait_for(r"^# exit \d+: /bin/gpioset --toggle=0 GPIO81=1$", 300)
        levels[81] = pins.ask("read 81")
        until(board, pins, 12, 1, rf"^# exit \d+: {re.escape(WATCHED)}$")
        # Nobody outside holds it any more.
        check(pins.ask("release 12") == "ok", "pin 12 is not released")
        board.wait_for(r"^# exit \d+: /bin/gpioset --toggle=0 GPIO12=1$", 300)
        levels[12] = pins.ask("read 12")
        board.wait_for(r"^# done$", 300)
        text = board.text()
    quiet(text)
    return text, levels


@SUITE.unit
def what_is_unknown(session: Session) -> None:
    """Lines are read, driven and watched whatever is not known of the chip, when the device tree says how it is."""
    for layout, eint, inputs in (
        ("mediatek", "off", "on"), ("mediatek", "on", "off"), ("linux", "off", "off"), ("linux", "on", "on"),
    ):  # fmt: skip
        name = f"{layout}-{eint}-{inputs}"
        properties = f",gpio-b-layout={layout},eint-needs-mode5={eint},gpio-ies-reset={inputs}"
        choices = ("mediatek,unmapped-uniform; " if layout == "linux" else "") + (
            "mediatek,eint-needs-mode;" if eint == "on" else ""
        )
        text, levels = unknown(session, name, properties, choices)
        equal(levels, {81: "81 1", 12: "12 1"}, f"{name}: levels outside")
        expect(text, "/bin/gpioget --numeric GPIO82", 0, r"^1$")
        expect(text, "/bin/gpioget --numeric --bias=pull-up GPIO83", 0, r"^1$")
        expect(text, "/bin/gpioget --numeric --bias=pull-down GPIO83", 0, r"^0$")
        expect(text, WATCHED, 0, r"^rising:GPIO12$")


@SUITE.unit
def what_is_said_wrong_is_noticed(session: Session) -> None:
    """Where the device tree says it wrong, lines are neither driven nor watched: the test above could fail."""
    text, levels = unknown(session, "said-wrong", ",eint-needs-mode5=on", "mediatek,unmapped-uniform;")
    equal(levels, {81: "81 0", 12: "12 1"}, "levels outside")
    code, printed = said(text, WATCHED)
    check(code == 0 and "rising" not in printed, f"the edge of pin 12 was seen:\n{printed}")


UNBIND = """\
/bin/gpioset --daemonize GPIO9=1
/bin/gpiomon --banner GPIO12 &
write /sys/bus/platform/drivers/pinctrl_mt3620/unbind 30010000.pinctrl
/bin/gpioget --numeric GPIO9
write /sys/bus/platform/drivers/pinctrl_mt3620/bind 30010000.pinctrl
/bin/gpioget --numeric GPIO9
/bin/gpiomon --banner --num-events=1 --edges=rising --format=%E:%l GPIO13
"""


@SUITE.unit
def unbind(session: Session) -> None:
    """The driver can be unbound while lines are held and watched, and serves as before when it is bound again."""
    needs(DEBUG_KERNEL, "debug")
    rootfs = image("unbind", UNBIND)
    with session.board("gpio-unbind", append="loglevel=7 kunit.enable=0", rootfs=rootfs, kernel=DEBUG_KERNEL) as board:
        board.start()
        pins = pins_of(board)
        until(board, pins, 13, 1, r"^# exit \d+: /bin/gpiomon --banner --num-events=1", 300)
        board.wait_for(r"^# done$", 300)
        text = board.text()
    driver = "write /sys/bus/platform/drivers/pinctrl_mt3620"
    expect(text, f"{driver}/unbind 30010000.pinctrl", 0, "")
    expect(text, f"{driver}/bind 30010000.pinctrl", 0, "")
    endings = re.findall(r"^# exit (\d+): /bin/gpioget --numeric GPIO9$", text, re.MULTILINE)
    check(endings == ["1", "0"], f"reading a line while the driver is gone and after it is back ended with {endings}")
    expect(text, "/bin/gpiomon --banner --num-events=1 --edges=rising --format=%E:%l GPIO13", 0, r"^rising:GPIO13$")
    quiet(text)
