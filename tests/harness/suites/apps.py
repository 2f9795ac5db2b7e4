# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Apps are deployed, run, stopped, started, watched and removed."""

from __future__ import annotations

import re
import uuid

from device import ABSENT_APP
from packages import Package, sample
from results import check, equal
from session import Session
from unit import Suite

SUITE = Suite("apps")


def expected_uid(component: str) -> int:
    """The user id that is documented for a component: FNV-1a over its bytes, folded to 28 bits, in the range of apps."""
    value = 0x811C9DC5
    for byte in uuid.UUID(component).bytes:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return 0x10000000 | ((value ^ (value >> 28)) & 0x0FFFFFFF)


def runs_and_is_removed(session: Session, package: Package, greeting: str) -> None:
    """Deploys a sample, checks all that it shows, removes it."""
    device = session.device()
    component = package.component
    with device.deployed(package):
        device.wait_log(component, f"^{greeting}$")
        line = device.wait_log(component, r"^I am component (\S+), user (\d+)\.$")
        equal(line[1], component, "component that the app sees")
        app = device.app(component)
        equal(int(line[2]), expected_uid(component), "user id that the app sees")
        equal(app["uid"], expected_uid(component), "user id that the device tells")
        equal(app["state"], "running", "state")
        equal(app["starts"], 1, "starts")
        equal(app["grants"], [], "grants of an app that asks for nothing")
        check(component in device.images(), "the image is not listed")
    equal(device.state(component), "notPresent", "state after removal")
    check(component not in device.images(), "the image is still listed")


@SUITE.unit
def rust_sample_runs(session: Session) -> None:
    """samples/hello-rust is deployed, greets, and has the user id of its component."""
    runs_and_is_removed(session, sample("hello-rust"), "Hello from Rust on Nacre!")


@SUITE.unit
def c_sample_runs(session: Session) -> None:
    """samples/hello-c, linked to the device's C library, is deployed and greets."""
    runs_and_is_removed(session, sample("hello-c"), "Hello from C on Nacre!")


@SUITE.unit
def grants_are_told_in_words(session: Session) -> None:
    """What a manifest asks for is told in words, with the key that asked."""
    device = session.device()
    package = session.packages.probe(
        "grants", ["live"], {"MutableStorage": {"SizeKB": 8}, "AllowedConnections": ["example.com"]}
    )
    with device.deployed(package):
        words = "\n".join(device.app(package.component)["grants"])
        for expected in ("example.com", "AllowedConnections", "MutableStorage"):
            check(expected in words, f"'{expected}' is not in the grants:\n{words}")


@SUITE.unit
def stopped_stays_stopped_until_started(session: Session) -> None:
    """Stop ends the app by SIGTERM, start runs it again."""
    device = session.device()
    package = session.packages.probe("live", ["live"])
    component = package.component
    with device.deployed(package):
        device.wait_log(component, "^alive")
        equal(device.rest.control(component, "stop").json(), {"state": "stopped"}, "answer to stop")
        equal(device.wait_exit(component), {"kind": "stopped", "forced": False}, "end")
        equal(device.state(component), "stopped", "state after stop")
        equal(device.rest.control(component, "start").json(), {"state": "running"}, "answer to start")
        device.wait_starts(component, 2)


@SUITE.unit
def command_line_tool_does_all(session: Session) -> None:
    """The command line tool starts, stops, shows and removes an app, with words and with JSON."""
    device = session.device()
    package = session.packages.probe("live", ["live"])
    component = package.component
    nacre = device.nacre
    with device.deployed(package):
        device.wait_log(component, "^alive")
        check("alive as user" in nacre.must("device", "app", "logs", "--component-id", component), "logs lack the output")
        nacre.must("device", "app", "stop", "--component-id", component)
        check("stopped" in nacre.must("device", "app", "status", "--component-id", component), "status is not stopped")
        nacre.must("device", "app", "start", "--component-id", component)
        check("running" in nacre.must("device", "app", "status", "--component-id", component), "status is not running")
        check("running" in str(nacre.read("device", "app", "status", "--component-id", component)), "no state in the JSON")
        check(nacre.read("device", "status"), "device status has no JSON")
        nacre.must("device", "sideload", "delete", "--component-id", component)
        equal(device.state(component), "notPresent", "state after delete")


@SUITE.unit
def unknown_app_is_named_so(session: Session) -> None:
    """What is asked of an app that is not there has the documented answer."""
    device = session.device()
    unknown = "00000000-0000-4000-8000-000000000001"
    equal(device.state(unknown), "notPresent", "state")
    for answer in (device.rest.control(unknown, "start"), device.rest.control(unknown, "stop")):
        equal((answer.status, answer.error()), (409, ABSENT_APP), "control")
    equal(device.rest.ask("GET", f"/app/quota/{unknown}").error(), ABSENT_APP, "quota")
    equal(device.rest.ask("DELETE", f"/app/image/{unknown}").status, 200, "delete")
    ended = device.nacre.call("device", "app", "start", "--component-id", unknown)
    check(ended.code != 0, "the tool ended with 0")
    check(ended.errors.startswith("error:"), f"the tool did not say error: {ended.errors!r}")


@SUITE.unit
def same_package_again_is_no_error(session: Session) -> None:
    """Deploying the same package twice leaves the app running."""
    device = session.device()
    package = session.packages.probe("live", ["live"])
    with device.deployed(package):
        device.deploy(package)
        device.wait_log(package.component, "^alive")
        equal(device.state(package.component), "running", "state")


@SUITE.unit
def manual_install_does_not_start(session: Session) -> None:
    """With appControlMode Manual the app is there and stopped; with Auto it runs."""
    device = session.device()
    package = session.packages.probe("live", ["live"])
    try:
        equal(device.rest.stage(package.content).status, 200, "stage")
        equal(device.rest.install("Manual").status, 200, "install")
        equal(device.state(package.component), "stopped", "state")
        equal(device.rest.control(package.component, "start").status, 200, "start")
        device.wait_log(package.component, "^alive")
    finally:
        device.delete(package.component)


@SUITE.unit
def crashed_app_is_started_again_after_growing_waits(session: Session) -> None:
    """An app that a signal ends is started again after a wait that doubles; how it ended is kept."""
    device = session.device()
    package = session.packages.probe("crash", ["crash", "11"])
    component = package.component
    mark = device.board.mark()
    with device.deployed(package):
        device.wait_starts(component, 4)
        equal(device.app(component)["lastExit"], {"kind": "signaled", "signal": 11}, "end")
        equal(device.state(component), "running", "state while it waits for a restart")
        device.rest.control(component, "stop")
    # An app that ends before anyone has looked must not be taken for one that exited.
    ends = re.findall(rf"^nacre: app {component} \(crash\): ((?:ended|exited|refused).*)$", device.board.text(mark), re.M)
    check(len(ends) >= 3, f"{len(ends)} ends on the console")
    equal(set(ends), {"ended by signal 11"}, "ends on the console")
    # By the device's own clock, and only that it does not come too early.
    told = device.rest.ask("GET", "/log").body.decode()
    life = re.findall(rf"^\[ *([\d.]+)\] app {component} \(crash\): (started|ended)", told, re.M)
    moments = [float(moment) for moment, _ in life]
    equal([what for _, what in life[:7]], ["started", "ended"] * 3 + ["started"], "its life in the log")
    for number, wait in enumerate((1, 2, 4)):
        passed = moments[2 * number + 2] - moments[2 * number + 1]
        check(passed > wait - 0.01, f"start {number + 2} came {passed:.3f} s after an end, not {wait} s")


@SUITE.unit
def exit_code_is_kept(session: Session) -> None:
    """The exit code of an app is kept and told, 0 as well as another, however soon it exits and however often."""
    device = session.device()
    for code in (0, 7):
        package = session.packages.probe(f"exit-{code}", ["exit", str(code)])
        component = package.component
        mark = device.board.mark()
        with device.deployed(package):
            for number in range(1, 16):
                # A start by request does not wait for the next restart.
                device.rest.control(component, "start")
                device.wait_starts(component, number)
            equal(device.wait_exit(component), {"kind": "exited", "code": code}, "end")
        ends = re.findall(rf"^nacre: app {component} \(exit-{code}\): ((?:ended|exited|refused).*)$", device.board.text(mark), re.M)
        check(len(ends) >= 14, f"{len(ends)} ends on the console")
        equal(set(ends), {f"exited with code {code}"}, "ends on the console")


@SUITE.unit
def deaf_app_is_killed(session: Session) -> None:
    """An app that ignores SIGTERM gets SIGKILL two seconds later, and the device says that it took that."""
    device = session.device()
    package = session.packages.probe("deaf", ["ignore-stop"])
    with device.deployed(package):
        device.wait_log(package.component, "^ignoring SIGTERM$")
        device.rest.control(package.component, "stop")
        equal(device.wait_exit(package.component), {"kind": "stopped", "forced": True}, "end")
        equal(device.state(package.component), "stopped", "state")


@SUITE.unit
def program_for_another_machine_is_refused(session: Session) -> None:
    """A well signed package whose program is no ARM program never starts, and the device says so."""
    device = session.device()
    good = session.packages.probe("live", ["live"])
    # The machine of an ELF header: 40 is ARM, 62 is x86-64; the 20 bytes before it occur once in the package.
    header = good.content[good.content.index(b"\x7fELF") :][:20]
    package = session.packages.changed(good, "x86", header, header[:18] + b"\x3e\0")
    mark = device.board.mark()
    ended = device.nacre.call("device", "sideload", "deploy", "--image-package", package.file)
    try:
        if ended.code == 0:
            device.board.wait_for(rf"^nacre: app {package.component} \(live\): refused: ", since=mark)
        else:
            check(ended.errors.startswith("error:"), f"the tool did not say error: {ended.errors!r}")
        log = device.rest.ask("GET", f"/nacre/app/{package.component}/log").body
        check(b"alive" not in log, f"it ran: {log!r}")
    finally:
        device.delete(package.component)
