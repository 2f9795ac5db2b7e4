# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The flash image, and the image by Buildroot. What needs Buildroot is skipped unless BUILDROOT names one."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from board import FLASH_SIZE, Board
from device import Device
from packages import sample
from places import BOARD, KERNEL, LOGS, ROOTFS, TEST, TOP
from process import Ended, run
from results import Result, Skip, Status, check, equal
from session import Session
from unit import Suite

SUITE = Suite("image")

MIB = 1024 * 1024
ERASE_BLOCK = 256 * 1024
WORK = TEST / "image"
CHECK = re.compile(r"^(ok|FAILED|skipped)\s+(\S+)(?: \((.*)\))?$")
RUNTIME = re.compile(r"^(\w+) \(.*\).*?\.\.\. (ok|FAIL|ERROR)$", re.MULTILINE)


def script(name: str, *words: object, limit: float = 120, environment: Mapping[str, str] | None = None) -> Ended:
    """Runs one of scripts/image*.sh."""
    return run([TOP / "scripts" / name, *words], limit, environment=environment)


def must(name: str, *words: object) -> str:
    """Runs one of them, which must succeed, and returns what it wrote."""
    ended = script(name, *words)
    check(ended.code == 0, f"{name} {' '.join(map(str, words))} ended with {ended.code}: {ended.errors}")
    return ended.output


def parts(board: str = BOARD) -> dict[str, tuple[int, int]]:
    """Offset and size of each part of a board's flash, in the order of the layout."""
    ended = script("image-flash.sh", "parts", environment={"BOARD": board})
    check(ended.code == 0, f"no parts for {board}: {ended.errors}")
    lines = [line.split() for line in ended.output.splitlines()]
    return {name: (int(offset), int(size)) for name, offset, size in lines}


def flash_image() -> Path:
    """A flash image of the kernel and the root under test."""
    if not shutil.which("genimage"):
        raise Skip("genimage is not installed")
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    for image in (KERNEL, ROOTFS):
        check(image.exists(), f"{image} is missing: build it with `make image`")
        shutil.copyfile(image, WORK / image.name)
    must("image-flash.sh", "make", WORK)
    return WORK / "flash.img"


class FlashBoard(Board):
    """A board that has nothing but its flash: the root and the data lie in it, and the kernel comes out of it."""

    def __init__(self, directory: Path, image: Path) -> None:
        super().__init__(directory)
        content = image.read_bytes()
        self.data.write_bytes(content.ljust(FLASH_SIZE, b"\xff"))
        self.kernel = directory / "kernel"
        must("image-flash.sh", "kernel", self.data, "a", self.kernel)

    def command(self) -> list[str]:
        """The QEMU command line, from the board's file for flash."""
        values = {
            "KERNEL": self.kernel,
            "FLASH": self.data,
            "ROOT": list(parts()).index("root-a"),
            "MTDPARTS": must("image-flash.sh", "mtdparts", "0.flash").strip(),
            "FORWARD": self.address,
            "APPEND": self.append,
            "QMP": self._socket.name,
        }
        lines = (TOP / "board" / BOARD / "flash.args").read_text().splitlines()
        words = [line for line in lines if line and not line.startswith("#")]
        for name, value in values.items():
            words = [word.replace(f"@{name}@", str(value)) for word in words]
        return [word.strip() for word in words] + self.more


@SUITE.unit
def layout_fills_the_flash(_: Session) -> None:
    """The parts follow each other in whole erase blocks from 0 to 16 MiB, and both slots are alike."""
    end = 0
    for name, (offset, size) in parts().items():
        equal(offset, end, f"offset of {name}")
        equal((offset % ERASE_BLOCK, size % ERASE_BLOCK), (0, 0), f"{name} in erase blocks")
        check(size > 0, f"{name} is empty")
        end = offset + size
    equal(end, 16 * MIB, "end of the flash")
    slots = [[size for name, (_, size) in parts().items() if name.endswith(slot)] for slot in ("-a", "-b")]
    equal(slots[0], slots[1], "sizes of the slots")
    equal(len(slots[0]), 3, "parts of a slot")


@SUITE.unit
def overlays_have_the_parts_of_the_layout(_: Session) -> None:
    """Where a board names its flash parts in a device tree, too, they are those of its layout."""
    overlays = sorted((TOP / "board").glob("*/*.dtso"))
    check(overlays, "no board has an overlay")
    for overlay in overlays:
        text = overlay.read_text()
        named = re.findall(r'label = "([^"]+)";\s+reg = <(0x[0-9a-f]+) (0x[0-9a-f]+)>', text)
        equal({name: (int(offset, 16), int(size, 16)) for name, offset, size in named}, parts(overlay.parent.name), str(overlay))
        places = [int(place, 16) for place in re.findall(r"partition@([0-9a-f]+) ", text)]
        equal(places, [int(offset, 16) for _, offset, _ in named], "names of the nodes")


@SUITE.unit
def root_is_as_listed(_: Session) -> None:
    """The root has the paths, modes, owners and classes of size of the golden list, and nothing that gives rights away."""
    text = (TOP / "buildroot-external" / "golden" / f"{BOARD}.list").read_text()
    golden = [line for line in text.splitlines() if not line.startswith("#")]
    if not shutil.which("unsquashfs"):
        raise Skip("unsquashfs is not installed")
    listing = must("image-listing.sh", ROOTFS).splitlines()
    equal(sorted(set(listing) - set(golden)), [], "not in buildroot-external/golden")
    equal(sorted(set(golden) - set(listing)), [], "only in buildroot-external/golden")
    for line in listing:
        path, _, mode, *_ = line.split()
        check("s" not in mode.lower(), f"{path} is a set-id file: {mode}")
        check(mode[4] != "w" and mode[7] != "w", f"{path} can be written by others than its owner: {mode}")


@SUITE.unit
def flash_image_boots_and_keeps_apps(_: Session) -> None:
    """From the flash image alone a device starts, takes an app, and still has it after the power was cut."""
    package = sample("hello-rust")
    with FlashBoard(LOGS / "board-flash", flash_image()) as board:
        board.boot()
        device = Device(board)
        device.deploy(package)
        device.wait_log(package.component, "Hello from Rust on Nacre!")
        device.power_cycle()
        device.wait_log(package.component, "Hello from Rust on Nacre!")
        board.press_power_button()
        board.wait_off()
        check("panic" not in board.text().lower(), "the kernel panicked")


@SUITE.unit
def manifest_tells_what_was_flashed(_: Session) -> None:
    """The kernel comes out of its slot as it went in; one that was damaged, or an empty slot, is refused."""
    image = flash_image()
    kernel = WORK / "kernel"
    must("image-flash.sh", "kernel", image, "a", kernel)
    check(kernel.read_bytes() == KERNEL.read_bytes(), "the kernel in the slot is another one")
    content = bytearray(image.read_bytes())
    content[parts()["kernel-a"][0] + 4096] ^= 1
    damaged = WORK / "damaged.img"
    damaged.write_bytes(content)
    refused(script("image-flash.sh", "kernel", damaged, "a", kernel), "is damaged")
    refused(script("image-flash.sh", "kernel", image, "b", kernel), "is empty")


@SUITE.unit
def what_does_not_fit_is_refused(_: Session) -> None:
    """A kernel that fills its part makes an image; one byte more does not."""
    flash_image()
    room = parts()["kernel-a"][1]
    with (WORK / "zImage").open("r+b") as kernel:
        kernel.truncate(room)
    must("image-flash.sh", "make", WORK)
    with (WORK / "zImage").open("r+b") as kernel:
        kernel.truncate(room + 1)
    refused(script("image-flash.sh", "make", WORK), f"has only {room}")


def refused(ended: Ended, reason: str) -> None:
    """It ended with an error of one sentence, and that names the reason."""
    check(ended.code != 0, f"it ended with 0: {ended.output}")
    lines = ended.errors.splitlines()
    equal(len(lines), 1, f"lines of the error ({ended.errors})")
    check(lines[0].startswith("error: ") and reason in lines[0], f"'{reason}' is not in: {lines[0]}")


def buildroot_of(version: str) -> Path:
    """A folder that says it is this release of Buildroot."""
    directory = WORK / f"buildroot-{version}"
    (directory / "package").mkdir(parents=True, exist_ok=True)
    (directory / "package" / "pkg-generic.mk").touch()
    (directory / "Makefile").write_text(f"export BR2_VERSION := {version}\n")
    return directory


@SUITE.unit
def unsuitable_surroundings_are_named(_: Session) -> None:
    """Buildroot unset, wrong or of another release, unknown words and wrong sources: one sentence each."""

    def doctor(**environment: str) -> Ended:
        return script("image.sh", "doctor", environment={"BUILDROOT": "", "IMAGE_MODE": "", **environment})

    refused(doctor(), "BUILDROOT is not set")
    refused(doctor(BUILDROOT=str(TOP)), "is no Buildroot tree")
    refused(doctor(BUILDROOT=str(buildroot_of("2024.02.1"))), "is release '2024.02.1', and this tree is made for 2026.08")
    suitable = str(buildroot_of("2026.08.1"))
    for setting, reason in (
        ({"IMAGE_MODE": "offline"}, "IMAGE_MODE=offline is unknown"),
        ({"DEFCONFIG": "nacre_none_defconfig"}, "there is no buildroot-external/configs/nacre_none_defconfig"),
    ):
        ended = doctor(BUILDROOT=suitable, **setting)
        check(ended.code != 0 and reason in ended.errors, f"'{reason}' is not in: {ended.errors}")
    refused(script("image.sh", "sources", environment={"SOURCES": ""}), "SOURCES is not set")
    sources = WORK / "sources"
    (sources / "linux").mkdir(parents=True, exist_ok=True)
    (sources / "linux" / "linux-6.18.15.tar.xz").write_bytes(b"not a kernel")
    ended = script("image.sh", "sources", environment={"SOURCES": str(sources), "FETCH": ""})
    refused(ended, "missing or wrong")
    check(re.search(r"^WRONG .*linux-6\.18\.15\.tar\.xz has sha256 ", ended.output, re.MULTILINE), ended.output)


def buildroot() -> None:
    """Skips unless there is a Buildroot."""
    if not os.environ.get("BUILDROOT"):
        raise Skip("BUILDROOT is not set: it names a Buildroot 2026.08 for the image tests")


@SUITE.unit
def external_tree_is_in_form(_: Session) -> list[Result]:
    """check-package has no warning, defconfigs survive a round trip, and both ways give the same root."""
    buildroot()
    ended = run([TOP / "scripts" / "image.sh", "check"], 600, log=LOGS / "image-check.log")
    status = {"ok": Status.PASSED, "FAILED": Status.FAILED, "skipped": Status.SKIPPED}
    results = []
    for line in ended.output.splitlines():
        if found := CHECK.match(line):
            results.append(Result(f"image/form/{found[2]}", status[found[1]], note=found[3] or ""))
    check(results, f"scripts/image.sh check brought no results:\n{ended.output[-2000:]}")
    return results


@SUITE.unit
def buildroot_image_runs(_: Session) -> list[Result]:
    """Buildroot's image boots in Buildroot's own test harness, from disk and from flash, and runs an app."""
    buildroot()
    built = run([TOP / "scripts" / "image.sh", "build"], 3600, log=LOGS / "image-build.log")
    check(built.code == 0, f"the image was not built; see {LOGS / 'image-build.log'}:\n{built.output[-2000:]}")
    ended = run([TOP / "scripts" / "image.sh", "runtime"], 900, log=LOGS / "image-runtime.log")
    results = [
        Result(f"image/runtime/{name}", Status.PASSED if verdict == "ok" else Status.FAILED, note="" if verdict == "ok" else ended.output[-3000:])
        for name, verdict in RUNTIME.findall(ended.output)
    ]
    check(results, f"no runtime test ran:\n{ended.output[-2000:]}")
    return results


@SUITE.unit
def bill_of_materials_is_whole(_: Session) -> None:
    """The SBOM names the kernel, the C library's source, our programs and the crates in them, with versions and licences."""
    buildroot()
    ended = script("image.sh", "sbom", limit=300)
    check(ended.code == 0, f"no SBOM: {ended.errors}")
    file = TOP / ended.output.strip().rpartition(" ")[2]
    bill = json.loads(file.read_text())
    equal(bill["bomFormat"], "CycloneDX", "format")
    components = {component["name"]: component for component in bill["components"]}
    for name in ("linux", "nacre", "musl", "rustls", "ring", "serde_json", "hashbrown"):
        check(name in components, f"{name} is not in the SBOM")
        check(components[name].get("version"), f"{name} has no version")
        check(components[name].get("licenses"), f"{name} has no licence")
