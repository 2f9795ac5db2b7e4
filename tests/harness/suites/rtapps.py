# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Apps on the real-time cores, and pins of high-level apps, as a developer deploys them and as an attacker would use them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import device_program
from chip import Lines, core_program, until
from device import Device
from packages import Package, sample
from places import LOGS, OUT, TOP
from process import build_environment, run
from results import Skip, check, equal
from session import Session
from unit import Suite

SUITE = Suite("rtapps")

NO_CORE, NOT_EXECUTED = (1 << 20) + 31, (1 << 20) + 15
PIN_IN_USE, BLOCK_IN_USE = (5 << 20) + 4, (5 << 20) + 15
LED, BUTTON = 8, 12

# What an app meets whose socket was closed; the first error says whether it had sent more.
GONE = "EPIPE|ECONNRESET"


def pins_app() -> Path:
    """The program that asks for pins."""
    return device_program.app("pins", TOP / "tests" / "pins")


def asking(session: Session, name: str, steps: Sequence[str], pins: Sequence[int]) -> Package:
    """An app that takes these steps and is granted these pins."""
    return session.packages.app(name, pins_app, steps, {"Gpio": list(pins)} if pins else {})


def answers(device: Device, package: Package) -> dict[str, str]:
    """What each step of such an app brought."""
    device.wait_log(package.component, "^done$")
    lines = device.log(package.component).splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


@contextmanager
def pins_of(device: Device) -> Iterator[Lines]:
    """The pins of a device, from outside."""
    lines = Lines(device.board.directory / "pins", device.board.alive)
    try:
        yield lines
    finally:
        lines.close()


def refused(device: Device, package: Package, code: int, *words: str) -> None:
    """The device does not install a package, with this error, and says why; nothing of it stays."""
    equal(device.rest.stage(package.content).status, 200, "stage")
    answer = device.rest.install()
    check(answer.status >= 400, f"it was installed: {answer}")
    equal(answer.error(), code, f"error ({answer.body!r})")
    for word in words:
        check(word in answer.detail(), f"'{word}' is not in: {answer.detail()}")
    equal(device.state(package.component), "notPresent", "state after the refusal")
    check(not device.rest.get("/images")["has_staged_updates"], "the refused image is still staged")


@SUITE.unit
def a_high_level_app_drives_pins(session: Session) -> None:
    """`samples/button-hl` lights the LED while the button is pressed, seen at the pins; its end gives them back."""
    device = session.device()
    package = sample("button-hl")
    with pins_of(device) as pins, device.deployed(package):
        equal(pins.ask(f"drive {BUTTON} 1"), "ok", "releasing the button")
        device.wait_log(package.component, "^button-hl: started$")
        equal(device.app(package.component).get("realTimeCore"), None, "core of a high-level app")
        for presses in range(1, 4):
            until("dark LED", lambda: pins.ask(f"read {LED}") == f"{LED} 1")
            equal(pins.ask(f"drive {BUTTON} 0"), "ok", "pressing the button")
            until("lit LED", lambda: pins.ask(f"read {LED}") == f"{LED} 0")
            device.wait_log(package.component, f"^button-hl: pressed {presses}$")
            equal(pins.ask(f"drive {BUTTON} 1"), "ok", "releasing the button")
        device.rest.control(package.component, "stop")
        device.rest.control(package.component, "start")
        device.wait_starts(package.component, 2)
        until("dark LED", lambda: pins.ask(f"read {LED}") == f"{LED} 1")
        equal(device.app(package.component).get("refused"), None, "refusal of the second start")
        pins.ask(f"release {BUTTON}")


@SUITE.unit
def an_app_gets_its_pins_and_no_others(session: Session) -> None:
    """Each answer of the broker has the error that applibs documents; a line can be used and not be turned around."""
    device = session.device()
    steps = {
        "devices": "full null random urandom zero",
        "input 0": "ok",
        "input 0 again": "EBUSY",
        "turn 0": "EPERM",
        "set 0 1": "EPERM",
        "close 0": "ok",
        "output 0 1": "ok",
        "read 0": "1",
        "set 0 0": "ok",
        "read 0 again": "0",
        "turn 0 again": "EPERM",
        "input 1": "EACCES",
        "output 12 1": "EACCES",
        "input 24": "ENODEV",
        "input 4000000000": "ENODEV",
        "drive 2 1": "ok",
        "drive 3 7": "EINVAL",
        "drive 3 2": "ok",
    }
    package = asking(session, "pins", list(steps), [0, 2, 3])
    with pins_of(device) as pins, device.deployed(package):
        found = answers(device, package)
        for step, expected in steps.items():
            equal(found.get(step), expected, f"`{step}`")
        equal(pins.ask("read 0"), "0 0", "the pin outside")
        log = device.rest.ask("GET", "/log").body.decode()
        check(re.search(r"\(pins\): pin 1 is refused: .*Capabilities\.Gpio", log), f"the log does not say why:\n{log[-1500:]}")
        denials = device.rest.get(f"/nacre/app/{package.component}/denials")["denials"]
        kinds = [(each["hook"], each["object"], each["errno"], each["key"], each["count"]) for each in denials]
        expected = [("broker", "gpio", "EACCES", "Gpio", 2), ("broker", "gpio", "ENODEV", None, 2)]
        equal(kinds, expected, "denials by the broker")
        told = device.nacre.must("device", "app", "denials", "--component-id", package.component)
        check("use a pin: 2 times with EACCES" in told and '"Gpio"' in told, told)
    twin = asking(session, "twin", ["input 1", "output 12 1"], [1, 12])
    with device.deployed(twin):
        equal(answers(device, twin), {"input 1": "ok", "output 12 1": "ok"}, "an app whose manifest lists them")
        equal(device.rest.get(f"/nacre/app/{twin.component}/denials")["denials"], [], "its denials")


@SUITE.unit
def an_app_without_pins_has_nobody_to_ask(session: Session) -> None:
    """An app whose manifest grants no pin has no socket, and no chip in its /dev."""
    device = session.device()
    package = asking(session, "no-pins", ["devices", "input 0"], [])
    with device.deployed(package):
        found = answers(device, package)
        equal(found, {"devices": "full null random urandom zero", "input 0": "ENOTCONN"}, "answers")


@SUITE.unit
def an_app_that_breaks_the_protocol_loses_its_socket_only(session: Session) -> None:
    """Garbage, and requests without end whose answers are not read, end the requests of that app and of no other."""
    device = session.device()
    good = sample("button-hl")
    with device.deployed(good):
        device.wait_log(good.component, "^button-hl: started$")
        for name, steps in (
            ("garbage", {"input 0": "ok", "garbage": GONE, "read 0": "0|1", "input 2": GONE}),
            ("flood", {"input 2": "ok", "flood": GONE, "read 2": "0|1", "input 3": GONE}),
        ):
            package = asking(session, name, list(steps), [0, 2, 3])
            mark = device.board.mark()
            with device.deployed(package):
                found = answers(device, package)
                for step, expected in steps.items():
                    check(re.fullmatch(expected, found.get(step, "")), f"{name}: `{step}`: {found.get(step)}")
                device.board.wait_for(rf"^nacre: app {package.component} \({name}\): gets no more pins: ", since=mark)
                equal(device.state(package.component), "running", "state")
        after = asking(session, "after", ["input 0", "input 2"], [0, 2])
        with device.deployed(after):
            equal(answers(device, after), {"input 0": "ok", "input 2": "ok"}, "an app that comes later")
        equal(device.app(good.component)["starts"], 1, "starts of the app beside them")


@SUITE.unit
def a_pin_has_one_owner(session: Session) -> None:
    """An app that wants a pin of another is not installed, nor one on a core that wants a pin of its block."""
    device = session.device()
    owner = asking(session, "owner", ["input 8"], [8])
    with device.deployed(owner):
        refused(device, asking(session, "rival", [], [8]), PIN_IN_USE, "Gpio 8", owner.component)
        refused(device, sample("blink"), PIN_IN_USE, "Gpio 8", owner.component)
        firmware = OUT / "realtime" / "blink"
        beside = session.packages.app("beside", lambda: firmware, (), {"Gpio": [9]}, kind="RealTimeCapable")
        refused(device, beside, BLOCK_IN_USE, "Gpio 9", owner.component)
        neighbour = asking(session, "neighbour", ["input 9"], [9])
        with device.deployed(neighbour):
            equal(answers(device, neighbour), {"input 9": "ok"}, "the twin on the same core")


@SUITE.unit
def what_is_no_firmware_is_refused(session: Session) -> None:
    """A program for Linux as an app for a core is refused when it is deployed, with the reason."""
    device = session.device()
    package = session.packages.app("no-firmware", pins_app, kind="RealTimeCapable")
    answer = device.rest.stage(package.content)
    equal((answer.status, answer.error()), (500, NOT_EXECUTED), "answer")
    check("is in no memory of the core" in answer.detail(), answer.detail())


@SUITE.unit
def the_tool_packs_and_tells(session: Session) -> None:
    """`nacre` packs apps for cores, and tells what they are granted."""
    device = session.device()
    for name, grant in (("blink", "Gpio"), ("intercore-rt", "AllowedApplicationConnections")):
        shown = device.nacre.read("image-package", "show", "--image-package", sample(name).file)
        equal(shown["manifestError"], None, f"error in the manifest of {name}")
        check(grant in "\n".join(shown["grants"]), f"{grant} is not in {shown['grants']}")
        file = TOP / "samples" / name / "app_manifest.json"
        check("valid" in device.nacre.must("manifest", "check", file), f"{file} is not valid")


def firmware(name: str) -> Path:
    """The ELF file of an app for a real-time core."""
    LOGS.mkdir(parents=True, exist_ok=True)
    ended = run([TOP / "scripts" / "realtime.sh", TOP / "tests" / "realtime"], 1800, environment=build_environment(), log=LOGS / "rtapps-build.log")
    equal(ended.code, 0, f"status of scripts/realtime.sh\n{ended.output[-2000:]}")
    return OUT / "realtime" / name


def core_app(session: Session, name: str, program: str, capabilities: Mapping[str, Any] | None = None) -> Package:
    """An app for a real-time core."""
    return session.packages.app(name, lambda: firmware(program), (), capabilities, kind="RealTimeCapable")


def log_of_core(device: Device, core: int) -> str:
    """What a real-time core has written since the board was switched on."""
    file = device.board.directory / f"rt{core}.log"
    return file.read_text(errors="replace") if file.exists() else ""


def needs_cores(device: Device) -> None:
    """Skips the test when the kernel has no driver for the cores."""
    package = sample("intercore-rt")
    try:
        device.deploy(package)
        reason = str(device.app(package.component).get("refused") or "")
    finally:
        device.delete(package.component)
    if "cannot open /dev/rtcore" in reason:
        raise Skip(reason)


@SUITE.unit
def apps_run_on_the_cores(session: Session) -> None:
    """Two apps run on the two cores, a third is refused, stop and start and delete do what they say."""
    device = session.device()
    needs_cores(device)
    first, second = sample("intercore-rt"), core_app(session, "echo", "echo")
    third = core_app(session, "third", "restart")
    with device.deployed(first, second):
        for core, (package, greeting) in enumerate(((first, "intercore-rt: started"), (second, "echo"))):
            equal(device.rest.get(f"/app/status/{package.component}"), {"state": "running", "realTimeCore": core}, "status")
            until(f"'{greeting}' of core {core}", lambda core=core, text=greeting: text in log_of_core(device, core))
        refused(device, third, NO_CORE, "a real-time core")
        equal(device.state(first.component), "running", "state of the first after the refusal of the third")
        component = first.component
        before = log_of_core(device, 0).count("intercore-rt: started")
        equal(device.rest.control(component, "stop").json(), {"state": "stopped"}, "answer to stop")
        equal(device.app(component)["lastExit"], {"kind": "stopped", "forced": False}, "end")
        equal(device.rest.control(component, "start").json(), {"state": "running", "realTimeCore": 0}, "answer to start")
        until("second greeting", lambda: log_of_core(device, 0).count("intercore-rt: started") == before + 1)
        told = device.nacre.must("device", "app", "status", "--component-id", component)
        check("running on real-time core 0" in told, told)
        device.delete(component)
        with device.deployed(third):
            equal(device.rest.get(f"/app/status/{third.component}"), {"state": "running", "realTimeCore": 0}, "status of the third")


@SUITE.unit
def an_app_on_a_core_starts_with_the_device(session: Session) -> None:
    """What was installed on a core runs there after the power was cut."""
    device = session.device()
    needs_cores(device)
    package = sample("blink")
    with device.deployed(package):
        device.power_cycle()
        device.wait_starts(package.component, 1)
        equal(device.rest.get(f"/app/status/{package.component}"), {"state": "running", "realTimeCore": 0}, "status")
        with pins_of(device) as pins:
            for level in "0101":
                until(f"level {level} of the LED", lambda wanted=level: pins.ask(f"read {LED}") == f"{LED} {wanted}")


@SUITE.unit
def a_core_that_fails_is_started_again(session: Session) -> None:
    """A core that locks up, is stopped by its watchdog or resets itself is started again after waits that grow; the reason is kept."""
    device = session.device()
    needs_cores(device)
    for name, greeting, end in (("lockup", "locking up", "lockedUp"), ("starve", "starving", "watchdog"), ("restart", "00000000", "reset")):
        package = session.packages.app(name, lambda name=name: core_program(name), kind="RealTimeCapable")
        component = package.component
        before, mark = log_of_core(device, 0).count(greeting), device.board.mark()
        with device.deployed(package):
            device.wait_starts(component, 3)
            equal(device.app(component)["lastExit"], {"kind": end}, f"end of {name}")
            equal(device.state(component), "running", "state while it waits for a restart")
            until(f"third start of {name}", lambda text=greeting, count=before + 3: log_of_core(device, 0).count(text) >= count)
            device.rest.control(component, "stop")
            equal(device.state(component), "stopped", "state after stop")
        lines = re.findall(rf"^nacre: app {component} \({name}\): (.*)$", device.board.text(mark), re.M)
        ends = {line for line in lines if "core 0" not in line and line not in ("installed", "removed", "stopped")}
        equal(len(ends), 1, f"kinds of ends on the console: {lines}")
        told = device.rest.ask("GET", "/log").body.decode()
        moments = [float(moment) for moment in re.findall(rf"^\[ *([\d.]+)\] app {component} \({name}\): started", told, re.M)]
        for wait, first, second in zip((1, 2), moments, moments[1:]):
            check(second - first > wait - 0.01, f"{second - first:.3f} s between two starts, not {wait} s")


@SUITE.unit
def two_apps_exchange_messages(session: Session) -> None:
    """`samples/intercore-hl` and `samples/intercore-rt` speak to each other, also after the core was started again; a stranger does not."""
    device = session.device()
    needs_cores(device)
    core, app = sample("intercore-rt"), sample("intercore-hl")
    with device.deployed(core, app):
        device.wait_log(app.component, r"^intercore-hl: heard 'hello \d'$")
        device.wait_log(app.component, r"^intercore-hl: heard 'LINE \d+'$")
        device.rest.control(core.component, "stop")
        device.wait_log(app.component, r"^intercore-hl: .*(reset|ECONNRESET)")
        heard = device.log(app.component).count("intercore-hl: connected")
        device.rest.control(core.component, "start")
        device.until("second connection", lambda: device.log(app.component).count("intercore-hl: connected") > heard)
        equal(device.app(app.component)["starts"], 1, "starts of the high-level app")
        equal(device.rest.get(f"/nacre/app/{app.component}/denials")["denials"], [], "denials")
