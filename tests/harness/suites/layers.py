# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A device that lacks a layer starts no app and says why; with the layer the same app starts."""

from __future__ import annotations

import re

from results import check, equal
from session import Session
from unit import Suite

SUITE = Suite("layers")


def refuses_without(session: Session, append: str, layer: str) -> None:
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
        board.boot()
        board.wait_for(rf"^nacre: layer {layer}\S*: missing", since=mark)
        board.wait_for(rf"^nacre: app {component} \(live\): refused: .*{layer}", since=mark)
        answer = device.rest.control(component, "start")
        check(answer.status != 200 or answer.json()["state"] != "running", f"it was started by request: {answer}")
        app = device.app(component)
        equal((app["state"], app["starts"]), ("stopped", 0), "state and starts without the layer")
        check(layer in str(app["refused"]), f"the refusal does not name the layer: {app['refused']}")
        check(not re.search(rf"{component} \(live\): started", board.text(mark)), "the app was started")

        board.append = ""
        device.power_cycle()
        device.wait_log(component, "^alive")


@SUITE.unit
def no_app_without_landlock(session: Session) -> None:
    """Without Landlock no app starts; with it the same app does."""
    refuses_without(session, "lsm=capability", "landlock")


@SUITE.unit
def no_app_without_memory_limit(session: Session) -> None:
    """Without the memory controller no app starts; with it the same app does."""
    refuses_without(session, "cgroup_disable=memory", "memory")
