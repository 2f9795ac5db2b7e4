# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What may be installed, what is refused and how, and that an installation is whole or not at all."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from http.client import HTTPException

from device import Device
from mutate import mutants
from nacre import Nacre
from packages import Package, sample, with_checksum
from places import TEST, TOP, seconds
from rest import Answer
from results import Result, Status, check, equal
from session import Session
from unit import Suite

SUITE = Suite("install")

NOT_TRUSTED = 7 << 20 | 15
# Categories of what can be wrong with an image package: the request, the update, its staging, the app in it, its metadata.
PACKAGE_CATEGORIES = (10, 16, 7, 14, 42)
MUTANTS = 200
POWER_CUTS = 8


def refused(device: Device, package: bytes) -> Answer:
    """Stages and installs what must be refused at one of the two; the answer that refused."""
    answer = device.rest.stage(package)
    if answer.status == 200:
        answer = device.rest.install()
    check(answer.status != 200, "the package was installed")
    check(answer.error() is not None, f"the refusal has no error number: {answer.body!r}")
    check(answer.detail().strip(), "the refusal has no words")
    return answer


@SUITE.unit
def tampered_package_is_refused_as_not_trusted(session: Session) -> None:
    """One changed byte of the content gives 7.15 and leaves the device as it was; the good package installs."""
    device = session.device()
    package = sample("hello-c")
    before = device.images()
    content = bytearray(package.content)
    # In the program, well behind the file system's own tables.
    content[len(content) // 2] ^= 0x01
    equal(refused(device, with_checksum(bytes(content))).error(), NOT_TRUSTED, "error")
    equal(device.images(), before, "images")
    with device.deployed(package):
        device.wait_log(package.component, "^Hello from C")


@SUITE.unit
def package_of_another_signer_is_refused(session: Session) -> None:
    """The same content signed with a key that the device does not know gives 7.15; with the known key it installs."""
    device = session.device()
    package = sample("hello-c")
    foreign = session.packages.signed_by_stranger(package)
    equal(refused(device, foreign.content).error(), NOT_TRUSTED, "error")
    ended = device.nacre.call("device", "sideload", "deploy", "--image-package", foreign.file)
    check(ended.code != 0 and ended.errors.startswith("error:"), f"the tool said {ended.errors!r}, code {ended.code}")
    with device.deployed(package):
        device.wait_log(package.component, "^Hello from C")


@SUITE.unit
def two_hundred_mutants_are_refused(session: Session) -> None:
    """200 damaged packages are refused with a number and words, the device serves on, and its app keeps running."""
    device = session.device()
    neighbour = session.packages.probe("live", ["live"])
    good = sample("hello-c")
    with device.deployed(neighbour):
        device.wait_log(neighbour.component, "^alive")
        before = device.images()
        for text, mutant in mutants(good.content, MUTANTS):
            answer = device.rest.stage(mutant)
            if answer.status == 200:
                answer = device.rest.install()
            check(answer.status != 200, f"installed although {text}")
            number = answer.error()
            check(number is not None, f"{text}: refused without a number: {answer.status} {answer.body!r}")
            check(number is not None and number >> 20 in PACKAGE_CATEGORIES, f"{text}: error {number}")
        equal(device.images(), before, "images")
        equal(device.app(neighbour.component)["starts"], 1, "starts of the app beside them")
        with device.deployed(good):
            device.wait_log(good.component, "^Hello from C")


@SUITE.unit
def install_with_nothing_staged_is_legal(session: Session) -> None:
    """It answers with success and changes nothing."""
    device = session.device()
    before = device.images()
    equal(device.rest.install().status, 200, "install")
    equal(device.images(), before, "images")


@SUITE.unit
def wrong_media_type_is_415(session: Session) -> None:
    """A package sent as anything but octets is refused with 415; sent as octets it is taken."""
    device = session.device()
    content = sample("hello-c").content
    equal(device.rest.ask("PUT", "/update/stage", content, "text/plain").status, 415, "as text")
    equal(device.rest.stage(content).status, 200, "as octets")
    device.rest.install("Manual")
    device.delete(sample("hello-c").component)


@SUITE.unit
def owner_of_a_resource_is_named(session: Session) -> None:
    """A second app that asks for a pin in use is refused with 5.4 and the owner's name; another pin is granted."""
    device = session.device()
    owner = session.packages.probe("owner", ["live"], {"Gpio": [8]})
    rival = session.packages.probe("rival", ["live"], {"Gpio": [8]})
    other = session.packages.probe("other", ["live"], {"Gpio": [9]})
    with device.deployed(owner):
        answer = refused(device, rival.content)
        equal(answer.error(), 5 << 20 | 4, "error")
        check("owner" in answer.detail() or owner.component in answer.detail(), f"no owner in: {answer.detail()}")
        check(rival.component not in device.images(), "the rival is on the device")
        with device.deployed(other):
            device.wait_log(other.component, "^alive")


@SUITE.unit
def port_belongs_to_one_app(session: Session) -> None:
    """A second app that asks for a server port in use is refused with 3.20."""
    device = session.device()
    owner = session.packages.probe("port-owner", ["live"], {"AllowedTcpServerPorts": [11000]})
    rival = session.packages.probe("port-rival", ["live"], {"AllowedTcpServerPorts": [11000]})
    with device.deployed(owner):
        equal(refused(device, rival.content).error(), 3 << 20 | 20, "error")


# What is wrong with a manifest, what it becomes, and the documented error.
MANIFEST_ERRORS: list[tuple[str, bytes, bytes, int]] = [
    ("not_json", b'{"SchemaVersion"', b'["SchemaVersion"', 2 << 20 | 1),
    ("schema_version", b'"SchemaVersion":1', b'"SchemaVersion":2', 2 << 20 | 17),
    ("no_schema_version", b'"SchemaVersion"', b'"SchemaVersiom"', 2 << 20 | 4),
    ("no_entry_point", b'"EntryPoint"', b'"EntryPoinT"', 2 << 20 | 3),
    ("entry_point_is_missing", b'"/bin/app"', b'"/bin/apq"', 2 << 20 | 22),
    ("no_capabilities", b'"Capabilities"', b'"CapabilitieZ"', 2 << 20 | 6),
    ("application_type", b'"Default"', b'"Defaulx"', 2 << 20 | 26),
    ("storage_too_large", b'"SizeKB":64', b'"SizeKB":65', 2 << 20 | 34),
    ("gpio_that_is_not_there", b'"Gpio":[12]', b'"Gpio":[99]', 5 << 20 | 3),
    ("port_out_of_range", b'[11000]', b'[   80]', 2 << 20 | 38),
]


@SUITE.unit
def manifest_errors_have_their_numbers(session: Session) -> list[Result]:
    """Each kind of wrong manifest, well signed, is refused with its documented number; the right one installs."""
    device = session.device()
    capabilities = {"MutableStorage": {"SizeKB": 64}, "Gpio": [12], "AllowedTcpServerPorts": [11000]}
    good = session.packages.probe("manifest", ["live"], capabilities)
    results = []
    for name, old, new, number in MANIFEST_ERRORS:
        start = time.monotonic()
        try:
            bad = session.packages.changed(good, name, old, new)
            equal(refused(device, bad.content).error(), number, name)
            check(good.component not in device.images(), "it is on the device")
            results.append(Result(f"install/manifest/{name}", Status.PASSED, time.monotonic() - start))
        except AssertionError as error:
            results.append(Result(f"install/manifest/{name}", Status.FAILED, time.monotonic() - start, str(error)))
    with device.deployed(good):
        device.wait_log(good.component, "^alive")
    results.append(Result("install/manifest/right_one_installs", Status.PASSED))
    return results


UPDATED = "dd28137a-dee5-4f95-8079-67f2e04a8d76"


def upload_and_install(device: Device, new: Package) -> None:
    """The whole update."""
    device.rest.stage(new.content)
    device.rest.install()


def install(device: Device, _: Package) -> None:
    """The last step of an update whose image is staged already."""
    device.rest.install()


@SUITE.unit
def power_cut_leaves_the_old_or_the_new_state(session: Session) -> list[Result]:
    """Power is cut at different moments of an update; afterwards either image is whole and runs."""
    old = session.packages.probe("update-old", ["live", "old"], component=UPDATED)
    new = session.packages.probe("update-new", ["live", "new"], component=UPDATED)
    chance = random.Random(1)
    # Cuts during the whole update and during its last step, each later than the one before by a random bit; then
    # one after the answer, which must have kept the promise that the answer was.
    moments: list[tuple[str, Callable[[Device, Package], None], float | None]] = []
    for number in range(POWER_CUTS):
        moments.append((f"upload_{number}", upload_and_install, number * chance.uniform(0.03, 0.12)))
        moments.append((f"install_{number}", install, number * chance.uniform(0.01, 0.04)))
    moments.append(("after_the_answer", upload_and_install, None))
    results = []
    with session.fresh("power-cut") as device:
        device.deploy(old)
        device.wait_log(UPDATED, r"^alive as user \d+ old$")
        (old_image,) = device.images()[UPDATED]
        for name, step, delay in moments:
            start = time.monotonic()
            try:
                state = cut_during(device, new, step, delay, old_image)
                device.wait_log(UPDATED, rf"^alive as user \d+ {state}$")
                check(delay is not None or state == "new", "the device answered that it installed, and did not")
                note, status = state if delay is None else f"{state} after {delay * 1000:.0f} ms", Status.PASSED
                if state == "new":
                    device.deploy(old)
            except AssertionError as error:
                note, status = str(error), Status.FAILED
            results.append(Result(f"install/power_cut/{name}", status, time.monotonic() - start, note))
    return results


def cut_during(
    device: Device, new: Package, step: Callable[[Device, Package], None], delay: float | None, old_image: str
) -> str:
    """Cuts the power `delay` seconds into a step of an update, or at its end; which state the device has afterwards."""
    if step is install:
        equal(device.rest.stage(new.content).status, 200, "stage")

    def update() -> None:
        try:
            step(device, new)
        except (OSError, HTTPException):
            # The connection ends with the power.
            pass

    updating = threading.Thread(target=update, daemon=True)
    updating.start()
    updating.join(delay)
    device.board.cut_power()
    updating.join(seconds(60))
    check(not updating.is_alive(), "the client still waits although the device is off")
    device.board.boot()
    images = device.images()
    equal(set(images), {UPDATED}, "components after the power cut")
    (image,) = images[UPDATED]
    return "old" if image == old_image else "new"


@SUITE.unit
def tool_finds_what_the_device_would_refuse(session: Session) -> None:
    """`nacre image-package verify` refuses a damaged package and takes the good one."""
    good = sample("hello-c")
    bad = TEST / "packages" / "damaged.imagepackage"
    content = bytearray(good.content)
    content[len(content) // 2] ^= 1
    bad.parent.mkdir(parents=True, exist_ok=True)
    bad.write_bytes(bytes(content))
    nacre = Nacre()
    nacre.must("image-package", "verify", "--image-package", good.file)
    ended = nacre.call("image-package", "verify", "--image-package", bad)
    check(ended.code != 0, "the damaged package was taken")
    check(ended.errors.startswith("error:"), f"the tool said {ended.errors!r}")
    nacre.must("manifest", "check", TOP / "samples" / "hello-c" / "app_manifest.json")
