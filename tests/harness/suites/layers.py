# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A device that lacks a layer starts no app and says why; with the layer the same app starts."""

from __future__ import annotations

import re

from results import check
from session import Session
from unit import Suite

SUITE = Suite("layers")


def refuses_without(session: Session, append: str, layer: str, part: str) -> None:
    """Installs an app on a good device, boots the same flash with a layer off, then with all on again."""
    package = session.packages.probe("live", ["live"])
    component = package.component
    with session.fresh(f"without-{layer}") as device:
        board = device.board
        device.deploy(package)
        device.wait_log(component, "^alive")

        board.cut_power()
        mark = board.mark()
        board.append = append
        # The device API needs the layers as apps do, so the console is what tells.
        board.start()
        board.wait_for(rf"^nacre: layer {layer}: missing: .*{part}", since=mark)
        board.wait_for(rf"^nacre: app {component} \(live\): refused: layer {layer} is missing: .*{part}", since=mark)
        board.wait_for(r"^nacre: device API: cannot ", since=mark)
        started = rf"^nacre: app {component} \(live\): started"
        check(not re.search(started, board.text(mark), re.M), "the app was started")
        board.press_power_button()
        board.wait_off()

        mark = board.mark()
        board.append = ""
        device.power_cycle()
        device.wait_log(component, "^alive")
        check(re.search(started, board.text(mark), re.M), "the console does not show the start")


@SUITE.unit
def no_app_without_landlock(session: Session) -> None:
    """Without Landlock no app starts; with it the same app does."""
    refuses_without(session, "lsm=nacre", "landlock", "")


@SUITE.unit
def no_app_without_the_module(session: Session) -> None:
    """Without our security module no app starts and the device says why; with it the same app starts."""
    package = session.packages.probe("live", ["live"])
    component = package.component
    started = rf"^nacre: app {component} \(live\): started"
    with session.fresh("without-lsm") as device:
        board = device.board
        device.deploy(package)
        device.wait_log(component, "^alive")

        board.cut_power()
        mark = board.mark()
        board.append = "lsm=landlock"
        board.boot()
        board.wait_for(r"^nacre: layer lsm: missing: .*nacre", since=mark)
        board.wait_for(rf"^nacre: app {component} \(live\): refused: layer lsm is missing: .*nacre", since=mark)
        # The device API confines itself by the other layers, so that it can tell.
        layers = {layer["name"]: layer for layer in device.rest.get("/nacre/device")["layers"]}
        check(not layers["lsm"]["enforced"], "the device says that the module is there")
        check("CONFIG_SECURITY_NACRE" in layers["lsm"]["detail"], f"the device says only {layers['lsm']['detail']!r}")
        check("layer lsm is missing" in device.app(component)["refused"], "the device does not say why the app is refused")
        check(not re.search(started, board.text(mark), re.M), "the app was started")

        mark = board.mark()
        board.append = ""
        device.power_cycle()
        device.wait_log(component, "^alive")
        check(re.search(started, board.text(mark), re.M), "the console does not show the start")


@SUITE.unit
def no_app_without_memory_limit(session: Session) -> None:
    """Without the memory controller no app starts; with it the same app does."""
    refuses_without(session, "cgroup_disable=memory", "cgroup", "memory")
