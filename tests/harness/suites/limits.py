# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What an app takes too much of is taken from it, and its neighbour lives."""

from __future__ import annotations

import re

from device import Device
from results import check, equal
from session import Session
from unit import Suite

SUITE = Suite("limits")

# What the manager keeps of an app's output.
LOG_SIZE = 8 * 1024


def last_beat(device: Device, component: str) -> int:
    """The last beat that an app running `live` printed."""
    beats = re.findall(r"^beat (\d+)$", device.log(component), re.M)
    return int(beats[-1]) if beats else 0


def neighbour_lives(device: Device, component: str) -> None:
    """The neighbour still beats, and was never started anew."""
    before = last_beat(device, component)
    device.until("a later beat of the neighbour", lambda: last_beat(device, component) > before)
    equal(device.app(component)["starts"], 1, "starts of the neighbour")


@SUITE.unit
def over_limit_memory_is_killed_and_neighbour_lives(session: Session) -> None:
    """An app over its memory limit is killed for it; the app beside it and the device go on."""
    device = session.device()
    neighbour = session.packages.probe("live", ["live"])
    bomb = session.packages.probe("memory", ["memory"])
    mark = device.board.mark()
    with device.deployed(neighbour):
        device.wait_log(neighbour.component, "^alive")
        with device.deployed(bomb):
            equal(device.wait_exit(bomb.component), {"kind": "outOfMemory"}, "end")
            device.board.wait_for(rf"^nacre: app {bomb.component} \(memory\): out of memory", since=mark)
            neighbour_lives(device, neighbour.component)


@SUITE.unit
def fork_bomb_ends_at_the_limit_and_neighbour_lives(session: Session) -> None:
    """An app that forks without end is refused at its limit; the app beside it and the device go on."""
    device = session.device()
    neighbour = session.packages.probe("live", ["live"])
    bomb = session.packages.probe("forks", ["forks"])
    with device.deployed(neighbour):
        device.wait_log(neighbour.component, "^alive")
        with device.deployed(bomb):
            ended = device.until(
                "an end of the forking",
                lambda: re.search(r"^fork refused with (\d+) after (\d+)$", device.log(bomb.component), re.M)
                or device.app(bomb.component).get("lastExit"),
            )
            # Memory may end before process numbers do: both are limits of the app alone.
            check(
                isinstance(ended, re.Match) and ended[1] == "11" or ended == {"kind": "outOfMemory"},
                f"the fork bomb ended otherwise: {ended}",
            )
            neighbour_lives(device, neighbour.component)


@SUITE.unit
def flooded_log_stays_bounded(session: Session) -> None:
    """Half a megabyte of output leaves the newest part only, and the device serving."""
    device = session.device()
    package = session.packages.probe("flood", ["flood", "5000"])
    with device.deployed(package):
        device.wait_log(package.component, "^flooded$", 120)
        log = device.log(package.component)
        check(len(log.encode()) <= LOG_SIZE + 256, f"the log has {len(log.encode())} bytes")
        check("00004999 " in log, "the newest lines are missing")
        check("00000000 " not in log, "the oldest line is still there")
        check(device.rest.serves(), "the device does not serve")


@SUITE.unit
def quota_holds(session: Session) -> None:
    """An app cannot write more than its MutableStorage, can write as much as that, and the device tells both."""
    device = session.device()
    inside = session.packages.probe("inside", ["fill", "8"], {"MutableStorage": {"SizeKB": 8}})
    beyond = session.packages.probe("beyond", ["fill", "64"], {"MutableStorage": {"SizeKB": 8}})
    with device.deployed(inside, beyond):
        device.wait_log(inside.component, "^wrote 8 KiB$")
        refused = device.wait_log(beyond.component, r"^write refused with (\d+) after (\d+) KiB$")
        check(int(refused[2]) <= 8, f"{refused[2]} KiB were written")
        for package in (inside, beyond):
            quota = device.rest.get(f"/app/quota/{package.component}")
            equal(quota["LimitKB"], 8, "LimitKB")
            check(0 < quota["UsageKB"] <= 8, f"UsageKB is {quota['UsageKB']}")


@SUITE.unit
def no_storage_without_asking(session: Session) -> None:
    """An app without MutableStorage has no file to write, and its quota is 0."""
    device = session.device()
    package = session.packages.probe("without-storage", ["fill", "1"])
    with device.deployed(package):
        device.wait_log(package.component, "^no storage$")
        equal(device.rest.get(f"/app/quota/{package.component}"), {"UsageKB": 0, "LimitKB": 0}, "quota")
