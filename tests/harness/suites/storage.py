# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is kept over restarts, updates and power loss, and what is not."""

from __future__ import annotations

from packages import VICTIM, Package
from results import check, equal
from session import Session
from unit import Suite

SUITE = Suite("storage")


def counter(session: Session, name: str = "count") -> Package:
    """An app that counts its starts in its mutable file."""
    return session.packages.probe(name, ["count"], {"MutableStorage": {"SizeKB": 4}}, VICTIM)


@SUITE.unit
def apps_and_storage_survive_restart_and_power_cut(session: Session) -> None:
    """An app starts by itself after a restart by request and after a power cut, with what it stored."""
    package = counter(session)
    with session.fresh("reboot") as device:
        device.deploy(package)
        device.wait_log(package.component, "^start 1 of this storage$")
        images = device.images()
        device.restart_by_request()
        device.wait_log(package.component, "^start 2 of this storage$")
        device.power_cycle()
        device.wait_log(package.component, "^start 3 of this storage$")
        equal(device.images(), images, "images after two restarts")
        check("nacre: restart" in device.board.text(), "the console did not show the restart")


@SUITE.unit
def storage_survives_update_and_ends_with_the_app(session: Session) -> None:
    """A new image of the same component finds the old file; an app deployed after removal finds none."""
    device = session.device()
    first, second = counter(session), counter(session, "count-again")
    with device.deployed(first):
        device.wait_log(first.component, "^start 1 of this storage$")
        device.deploy(second)
        device.wait_log(first.component, "^start 2 of this storage$")
    with device.deployed(first):
        device.wait_log(first.component, "^start 1 of this storage$")


@SUITE.unit
def staged_image_is_dropped_at_boot(session: Session) -> None:
    """What was staged and never installed is gone after a power cut, and leaves the installed apps alone."""
    installed = counter(session)
    staged = session.packages.probe("live", ["live"])
    with session.fresh("staged") as device:
        device.deploy(installed)
        equal(device.rest.stage(staged.content).status, 200, "stage")
        check(device.rest.get("/images")["has_staged_updates"], "nothing is staged")
        device.power_cycle()
        check(not device.rest.get("/images")["has_staged_updates"], "something is staged after the power cut")
        equal(set(device.images()), {installed.component}, "components")
