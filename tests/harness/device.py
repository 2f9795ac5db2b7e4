# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A board with the two ways to speak to it, and what tests do with apps on it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from board import Board
from nacre import Nacre
from packages import Package
from places import seconds
from rest import Rest
from results import check, equal

ABSENT_APP = 14680076


class Device:
    """A device under test."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.rest = Rest(board.address)
        self.nacre = Nacre(board.address)

    def deploy(self, package: Package) -> None:
        """Deploys a package as a developer does."""
        self.nacre.must("device", "sideload", "deploy", "--image-package", package.file)

    def delete(self, component: str) -> None:
        """Removes an app with all that it stored."""
        equal(self.rest.ask("DELETE", f"/app/image/{component}").status, 200, f"delete {component}")

    @contextmanager
    def deployed(self, *packages: Package) -> Iterator[None]:
        """Has apps on the device for a while."""
        try:
            for package in packages:
                self.deploy(package)
            yield
        finally:
            # After a failure the device may be gone; the failure itself is what is to be seen.
            if self.board.alive():
                for package in packages:
                    self.delete(package.component)

    def app(self, component: str) -> dict[str, Any]:
        """All that the device knows of an app."""
        found = self.rest.get(f"/nacre/app/{component}")
        check(isinstance(found, dict), f"/nacre/app answered {found!r}")
        return dict(found)

    def state(self, component: str) -> str:
        """The state of an app."""
        return str(self.rest.get(f"/app/status/{component}")["state"])

    def log(self, component: str) -> str:
        """What an app printed."""
        answer = self.rest.ask("GET", f"/nacre/app/{component}/log")
        equal(answer.status, 200, f"log of {component}")
        return answer.body.decode(errors="replace")

    def images(self) -> dict[str, list[str]]:
        """The image ids on the device, by component."""
        listed = self.rest.get("/images")
        return {
            component["uid"].lower(): [image["uid"] for image in component["images"]]
            for component in listed["components"]
        }

    def until(self, what: str, condition: Callable[[], Any], limit: float = 60) -> Any:
        """Asks until the answer is true."""
        deadline = time.monotonic() + seconds(limit)
        while not (answer := condition()):
            check(time.monotonic() < deadline, f"{what}: not within {seconds(limit):.0f} s")
            time.sleep(0.1)
        return answer

    def wait_log(self, component: str, pattern: str, limit: float = 60) -> re.Match[str]:
        """Waits until an app has printed `pattern`."""
        expression = re.compile(pattern, re.MULTILINE)
        found = self.until(f"log of {component} with `{pattern}`", lambda: expression.search(self.log(component)), limit)
        assert isinstance(found, re.Match)
        return found

    def wait_exit(self, component: str, limit: float = 60) -> dict[str, Any]:
        """Waits until a process of an app has ended and returns how."""
        found = self.until(f"end of {component}", lambda: self.app(component).get("lastExit"), limit)
        return dict(found)

    def wait_starts(self, component: str, number: int) -> None:
        """Waits until an app has been started `number` times since it was installed or the device booted."""
        self.until(f"start {number} of {component}", lambda: self.app(component)["starts"] >= number, 90)

    def restart_by_request(self) -> None:
        """Restarts the device by its API and waits until it serves again."""
        mark = self.board.mark()
        answer = self.rest.ask("POST", "/restart", b"", "text/plain")
        equal(answer.status, 200, "POST /restart")
        self.board.wait_for(r"^nacre: ready: ", 120, since=mark)

    def power_cycle(self) -> None:
        """Cuts the power, gives it back, and waits until the device serves again."""
        self.board.cut_power()
        self.board.boot()
