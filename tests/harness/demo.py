# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What `make run` shows: the OS boots, an app is deployed, tells what it may do, prints, and the machine goes off."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from board import Board
from device import Device
from nacre import Nacre
from packages import Package
from places import BOARD, KERNEL, OUT, ROOTFS, SAMPLES, seconds

# One executed instruction is one nanosecond of the machine's own time. An idle machine skips to its next timer, and how
# often it waits for the host's disk differs, so the shortest of some boots comes nearest to the count.
COUNTED = ["-icount", "shift=0,sleep=off", "-seed", "1"]
MEASURED_BOOTS = 3
FIRST_OUTPUT = (
    r"^nacre: first output: app=(\S+) monotonic_ns=(\d+) mem_total_kib=(\d+) mem_available_kib=(\d+)$"
)

# How long a silent app is watched, and how long one that printed, for an end that may follow.
SILENT, SETTLED = 20.0, 2.0


class Failure(Exception):
    """The app failed; the text says how."""


@dataclass(frozen=True)
class App:
    """The package to show."""

    package: Package
    name: str


def step(text: str) -> None:
    """A line that begins a part."""
    print(f"\n{text}", flush=True)


def point(text: str) -> None:
    """A line of a part."""
    print(f"  {text}", flush=True)


def kib(file: Path) -> str:
    """The size of a file."""
    return f"{file.stat().st_size / 1024:.0f} KiB"


def choose(path: Path) -> App:
    """Reads whose package it is, as the tool tells it."""
    if not path.is_file():
        raise Failure(f"there is no image package {path}: give one with APP=FILE, or build the samples with `make samples`")
    shown = Nacre().read("image-package", "show", "--image-package", path)
    return App(Package(str(shown["componentId"]).lower(), path.resolve()), str(shown["name"]))


def show_layers(device: Device) -> None:
    """The layers, each of which must be enforced."""
    layers = device.rest.get("/nacre/device")["layers"]
    step("Layers between an app and the system:")
    width = max(len(layer["name"]) for layer in layers)
    for layer in layers:
        point(f"{'enforced' if layer['enforced'] else 'MISSING':<9} {layer['name']:<{width}}  {layer['detail']}")
    missing = [layer["name"] for layer in layers if not layer["enforced"]]
    if missing:
        raise Failure(f"the device lacks {', '.join(missing)}, so no app starts")


def end_in_words(app: dict[str, Any]) -> str | None:
    """How the app failed, if it did."""
    if app.get("refused"):
        return f"was refused: {app['refused']}"
    last = app.get("lastExit") or {}
    match last.get("kind"):
        case "exited" if last["code"] != 0:
            return f"exited with code {last['code']}"
        case "signaled":
            return f"was ended by signal {last['signal']}"
        case "outOfMemory":
            return "went over its memory limit"
        case "setupFailed":
            return f"could not be executed: error {last['errno']}"
    return None


def watch(device: Device, component: str) -> dict[str, Any]:
    """Waits for output or an end, and a little longer for an end after output."""
    limit = time.monotonic() + seconds(SILENT)
    settled = False
    while True:
        app = device.app(component)
        if app.get("lastExit") or app.get("refused"):
            return app
        if time.monotonic() > limit:
            return app
        if not settled and device.log(component):
            settled = True
            limit = time.monotonic() + seconds(SETTLED)
        time.sleep(0.1)


def show_app(device: Device, chosen: App) -> None:
    """Deploys the app and shows what it may do and what it printed."""
    component = chosen.package.component
    step(f"Deploying {chosen.name} ({component}, {kib(chosen.package.file)})")
    ended = device.nacre.call("device", "sideload", "deploy", "--image-package", chosen.package.file)
    if ended.code != 0:
        raise Failure(f"{chosen.name} was not deployed: {ended.errors.strip().removeprefix('error: ')}")
    app = watch(device, component)
    step("Its manifest grants:")
    for line in app["grants"] or ["nothing: it can compute, read its own package, and print"]:
        point(line)
    step("It printed:")
    for line in device.log(component).splitlines() or ["(nothing)"]:
        point(line)
    failure = end_in_words(app)
    if failure:
        raise Failure(f"{chosen.name} {failure}")
    used = app.get("memoryPeakBytes")
    memory = f", with at most {used / 1024:.0f} KiB of memory so far" if used else ""
    step(f"It is {app['state']} as user {app['uid']}{memory}.")


def show_sizes(chosen: App) -> None:
    """Sizes of what was booted."""
    step("Sizes:")
    point(f"{kib(KERNEL):>10}  kernel")
    point(f"{kib(ROOTFS):>10}  root file system, of which, unpacked,")
    for program in sorted((OUT / "device").glob("*")):
        point(f"{kib(program):>10}    {program.name}")
    point(f"{kib(chosen.package.file):>10}  {chosen.name}")


def show_price(board: Board, component: str) -> None:
    """Boots the same flash again, counting instructions: the app starts by itself."""
    step("Measuring a boot to the app's first output, in instructions (MEASURE=0 leaves this out) ...")
    board.more = COUNTED
    boots = []
    for _ in range(MEASURED_BOOTS):
        mark = board.mark()
        board.start()
        found = board.wait_for(FIRST_OUTPUT.replace(r"app=(\S+)", f"app=({component})"), 300, since=mark)
        boots.append([int(figure) for figure in found.groups()[1:]])
        board.cut_power()
    instructions, total, available = min(boots)
    point(f"{instructions:,} instructions at most, from the start of the kernel (unpacked) to the first output")
    point(f"{total - available:,} KiB of memory used then, of {total:,} KiB that the kernel gives out")
    point(f"(the shortest of {MEASURED_BOOTS} boots: while the disk of the host is awaited, the machine's clock runs, too)")


def show(path: Path, measure: bool) -> None:
    """All of it."""
    chosen = choose(path)
    with Board(OUT / "run") as board:
        step(f"Booting {BOARD} (console: {os.path.relpath(board.console)})")
        start = time.monotonic()
        board.boot()
        device = Device(board)
        told = device.rest.get("/nacre/device")
        point(f"Nacre {told['osVersion']} on Linux {told['kernel']}, ready after {time.monotonic() - start:.1f} s")
        try:
            show_layers(device)
            show_app(device, chosen)
            show_sizes(chosen)
        finally:
            if board.alive():
                step("Pressing the power button ...")
                board.press_power_button()
                board.wait_off()
                point("off")
        if measure:
            show_price(board, chosen.package.component)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--app", type=Path, default=SAMPLES / "hello-rust.imagepackage", help="image package to deploy")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        show(options.app, os.environ.get("MEASURE", "1") != "0")
    except (Failure, AssertionError, OSError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
