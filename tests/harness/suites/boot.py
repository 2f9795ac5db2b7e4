# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The device starts, says what it enforces, answers, and goes off in order."""

from __future__ import annotations

import re

from results import check, equal
from session import Session
from unit import Suite

SUITE = Suite("boot")

LAYER = re.compile(r"^nacre: layer (\S+): (enforced|missing)(?:: (.*))?$", re.MULTILINE)


@SUITE.unit
def every_layer_is_enforced(session: Session) -> None:
    """The console names the layers, each enforced, and the device API tells the same."""
    device = session.device()
    shown = {name: state for name, state, _ in LAYER.findall(device.board.text())}
    check(len(shown) >= 5, f"too few layers are named: {shown}")
    equal(set(shown.values()), {"enforced"}, "layers on the console")
    told = {layer["name"]: layer["enforced"] for layer in device.rest.get("/nacre/device")["layers"]}
    equal(told, dict.fromkeys(shown, True), "layers in /nacre/device")


@SUITE.unit
def status_counts_up(session: Session) -> None:
    """GET /status gives an uptime that grows."""
    device = session.device()
    first = device.rest.get("/status")["uptime"]
    device.until("a larger uptime", lambda: device.rest.get("/status")["uptime"] > first)


@SUITE.unit
def versions_are_told(session: Session) -> None:
    """The documented resources on versions and capabilities answer."""
    rest = session.device().rest
    check(rest.get("/osversion")["osversion"], "no osversion")
    versions = rest.get("/abi_versions")
    equal(sorted(versions), ["ApplicationRuntime", "OSRuntime", "SecureWorldRuntime"], "keys of /abi_versions")
    equal(rest.get("/device/capabilities")["device_capabilities"], [11], "capabilities")


@SUITE.unit
def log_is_never_empty(session: Session) -> None:
    """GET /log gives the manager's own log."""
    answer = session.device().rest.ask("GET", "/log")
    equal(answer.status, 200, "status")
    check(answer.body, "the log is empty")


@SUITE.unit
def power_button_switches_off_in_order(session: Session) -> None:
    """A press of the power button ends the apps and switches the machine off."""
    package = session.packages.probe("live", ["live"])
    with session.fresh("power") as device:
        device.deploy(package)
        device.wait_log(package.component, "^alive")
        mark = device.board.mark()
        device.board.press_power_button()
        device.board.wait_off()
        text = device.board.text(mark)
        check(re.search(rf"^nacre: app {package.component} \(.*\): stopped", text, re.M), f"the app was not stopped:\n{text}")
        check("\nnacre: power off\n" in f"\n{text}", f"no `nacre: power off`:\n{text}")
        check("panic" not in text.lower(), f"the kernel panicked:\n{text}")
