# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A hostile app tries each area of the attack matrix from inside; the same attacks work without a sandbox."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from typing import Any

import ktap
from packages import VICTIM, build_probe
from places import LOGS, SDK, TEST
from process import run
from results import Result, check
from session import Session
from unit import Suite

SUITE = Suite("attacks")

FINISHED = r"^# probe finished: \d+ failed$"


def area(session: Session, name: str, capabilities: Mapping[str, Any] | None = None) -> list[Result]:
    """The report of the probe on one area, with its victim installed beside it."""
    device = session.device()
    victim = session.packages.probe("count", ["count"], {"MutableStorage": {"SizeKB": 4}}, VICTIM)
    probe = session.packages.probe(f"attack-{name}", ["attack", name], capabilities)
    with device.deployed(victim):
        device.wait_log(victim.component, "^start ")
        with device.deployed(probe):
            device.wait_log(probe.component, FINISHED, 120)
            log = device.log(probe.component)
    (LOGS / f"attack-{name}.ktap").write_text(log)
    return ktap.read(log, f"attacks/{name}")


@SUITE.unit
def code(session: Session) -> list[Result]:
    """A: no code runs that is in no signed package."""
    return area(session, "code")


@SUITE.unit
def files(session: Session) -> list[Result]:
    """B: nothing of the system, of other apps, or of the devices is in reach."""
    return area(session, "files")


@SUITE.unit
def own_storage(session: Session) -> list[Result]:
    """A and B with a mutable file: it holds data, and what it holds never runs."""
    return area(session, "storage", {"MutableStorage": {"SizeKB": 16}})


@SUITE.unit
def identity(session: Session) -> list[Result]:
    """C: an app stays who it is, and inside."""
    return area(session, "identity")


@SUITE.unit
def processes(session: Session) -> list[Result]:
    """D: no other process can be touched, and no limit raised."""
    return area(session, "processes")


@SUITE.unit
def network(session: Session) -> list[Result]:
    """F: an app that asks for no network has none."""
    return area(session, "network")


@SUITE.unit
def granted_network(session: Session) -> list[Result]:
    """F: an app that asks for some has what it asked for, and nothing else."""
    capabilities = {"AllowedConnections": ["192.168.35.1"], "AllowedTcpServerPorts": [11000]}
    return area(session, "granted-network", capabilities)


@SUITE.unit
def neighbour(session: Session) -> list[Result]:
    """D03: the abstract socket of an app that listens cannot be reached by another app."""
    device = session.device()
    listener = session.packages.probe("listener", ["listen"])
    with device.deployed(listener):
        device.wait_log(listener.component, "^listening$")
        results = area(session, "neighbour")
        check("visited" not in device.log(listener.component), "the listener was visited")
    return results


@SUITE.unit
def unprotected(session: Session) -> list[Result]:
    """Without a sandbox, on the same kernel, the attacks work or are compiled out: none of them is a dead test."""
    tree = TEST / "unprotected"
    shutil.rmtree(tree, ignore_errors=True)
    for directory in ("bin", "dev", "proc", "sys", "data", "mnt", "lib"):
        (tree / directory).mkdir(parents=True)
    shutil.copyfile(build_probe(), tree / "bin" / "app")
    (tree / "bin" / "app").chmod(0o755)
    shutil.copyfile(SDK / "sysroot" / "usr" / "lib" / "libc.so", tree / "lib" / "ld-musl-armhf.so.1")
    (tree / "lib" / "ld-musl-armhf.so.1").chmod(0o755)
    image = TEST / "unprotected.squashfs"
    command = ["mksquashfs", tree, image, "-noappend", "-all-root", "-comp", "lz4", "-no-xattrs", "-no-progress"]
    ended = run(command, 120, log=LOGS / "unprotected-squashfs.log")
    check(ended.code == 0, f"mksquashfs failed:\n{ended.output}")
    # The kernel has no initial RAM disk, so the probe is process 1 of a root file system that holds nothing else.
    # Without our module either, which would confine even this process.
    with session.board("unprotected", append="lsm=landlock init=/bin/app -- unprotected", rootfs=image) as board:
        board.start()
        board.wait_for(FINISHED, 180)
        text = board.text()
    lines = [line for line in text.splitlines() if re.match(r"^(1\.\.|ok |not ok )", line)]
    return ktap.read("\n".join(lines), "attacks/unprotected")
