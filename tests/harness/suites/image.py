# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The flash image, and the image by Buildroot. What needs Buildroot is skipped unless BUILDROOT names one."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from board import Board
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
# In the file of a machine that runs from its flash: how large its bank is, and which device has the parts from where.
BANK = re.compile(r"@FLASH:(\d+)M@")
TABLE = re.compile(r"@MTDPARTS:([^:@]+):([^@]+)@")
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
        check(image.exists(), f"{image} is missing: build it with `make quick`")
        shutil.copyfile(image, WORK / image.name)
    must("image-flash.sh", "make", WORK)
    return WORK / "flash.img"


class FlashBoard(Board):
    """A board that has nothing but its flash: the root and the data lie in it, and the kernel comes out of it."""

    def __init__(self, directory: Path, image: Path) -> None:
        machine = TOP / "board" / BOARD / "flash.args"
        super().__init__(directory, machine=machine)
        self._bank = found(BANK, machine)
        self._table = found(TABLE, machine)
        self.data.write_bytes(image.read_bytes().ljust(int(self._bank[1]) * MIB, b"\xff"))
        self.kernel = directory / "kernel"
        must("image-flash.sh", "kernel", self.data, "a", self.kernel)

    def values(self) -> dict[str, object]:
        """As those of other machines, and where the flash and its parts are."""
        table = must("image-flash.sh", "mtdparts", *self._table.groups()).strip()
        return {
            **super().values(),
            self._bank[0].strip("@"): self.data,
            self._table[0].strip("@"): table,
            "ROOT": list(parts()).index("root-a"),
        }


def found(pattern: re.Pattern[str], machine: Path) -> re.Match[str]:
    """What the file of a machine says in this form."""
    words = "\n".join(line for line in machine.read_text().splitlines() if not line.startswith("#"))
    match = pattern.search(words)
    check(match is not None, f"{machine} has no {pattern.pattern}")
    assert match is not None
    return match


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
    overlays = sorted((TOP / "board").glob("*/dts/*/*.dtso"))
    check(overlays, "no board has an overlay")
    for overlay in overlays:
        text = overlay.read_text()
        named = re.findall(r'label = "([^"]+)";\s+reg = <(0x[0-9a-f]+) (0x[0-9a-f]+)>', text)
        equal({name: (int(offset, 16), int(size, 16)) for name, offset, size in named}, parts(overlay.parents[2].name), str(overlay))
        places = [int(place, 16) for place in re.findall(r"partition@([0-9a-f]+) ", text)]
        equal(places, [int(offset, 16) for _, offset, _ in named], "names of the nodes")


def changed_root(entry: bytes, change: bytes) -> Path:
    """The root under test with an entry of its definition, in the words of mksquashfs, replaced."""
    whole, changed = WORK / "root.definition", WORK / "changed.squashfs"
    WORK.mkdir(parents=True, exist_ok=True)
    changed.unlink(missing_ok=True)
    ended = run(["unsquashfs", "-pf", whole, ROOTFS], 120)
    check(ended.code == 0, f"unsquashfs: {ended.errors}")
    content, count = re.subn(rb"(?m)^" + entry, change, whole.read_bytes())
    equal(count, 1, f"entries that are like {entry!r}")
    whole.write_bytes(content)
    ended = run(["mksquashfs", "-", changed, "-pf", whole, "-quiet", "-no-progress"], 120)
    check(ended.code == 0, f"mksquashfs: {ended.errors}")
    return changed


@SUITE.unit
def root_is_as_listed(_: Session) -> None:
    """The root has the paths, modes, owners and classes of size of the golden list; one that gives rights away is refused."""
    must("image-listing.sh", "check", ROOTFS)
    # Name, kind, time, mode, user and group.
    program, folder = rb"(usr/bin/device-api R \d+) 755 0 0 ", rb"(usr/bin D \d+) 755 0 0\n"
    must("image-listing.sh", "check", changed_root(program, rb"\1 755 0 0 "))
    for entry, change, reason in (
        (program, rb"\1 4755 0 0 ", "/usr/bin/device-api is a set-id file"),
        (program, rb"\1 755 100 0 ", "/usr/bin/device-api is a program that does not belong to root"),
        (folder, rb"\1 757 0 0\n", "/usr/bin can be written by others than its owner"),
        (folder, rb"\1 755 0 0\nusr/bin/sh f 0755 0 0 echo\n", "/usr/bin/sh is an interpreter"),
        (folder, rb"\1 755 0 0\nusr/bin/more f 0755 0 0 echo\n", "the root differs from rootfs.list"),
    ):
        ended = script("image-listing.sh", "check", changed_root(entry, change))
        check(ended.code != 0 and f"error: {reason}" in ended.errors, f"{change!r} was not refused as '{reason}': {ended.errors}")


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
    check(all(line.startswith("error: ") for line in lines), f"there is more than errors: {ended.errors}")
    equal(sum(reason in line for line in lines), 1, f"sentences with '{reason}' in: {ended.errors}")


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
    refused(doctor(BUILDROOT=suitable, IMAGE_MODE="offline"), "IMAGE_MODE=offline is unknown")
    refused(doctor(BUILDROOT=suitable, DEFCONFIG="nacre_none_defconfig"), "there is no buildroot-external/configs/nacre_none_defconfig")
    refused(doctor(BUILDROOT=suitable, IMAGE_OUT=str(WORK / "a b")), "the path has a space or a colon")


@SUITE.unit
def missing_tool_is_named(_: Session) -> None:
    """What is not installed is named with the package that brings it; where it is installed nobody says so."""
    environment = {"BUILDROOT": str(buildroot_of("2026.08")), "IMAGE_MODE": "", "IMAGE_OUT": str(WORK / "out")}
    doctor = f"exec {shlex.quote(str(TOP / 'scripts' / 'image.sh'))} doctor"
    hide = 'mount --bind /dev/null "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml"'
    within = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if run([*within, hide], 60).code != 0:
        raise Skip("this machine gives no mount namespace in which something can be hidden")
    reason = "the Rust library sources are not installed"
    refused(run([*within, f"{hide} && {doctor}"], 60, environment=environment), reason)
    ended = run([*within, doctor], 60, environment=environment)
    check(reason not in ended.errors, f"with the sources: {ended.errors}")


@SUITE.unit
def sources_are_checked(_: Session) -> None:
    """Sources that are not named, missing or other than pinned: one sentence each, with what to do."""

    def sources(directory: str) -> Ended:
        return script("image.sh", "sources", environment={"SOURCES": directory, "FETCH": ""})

    refused(sources(""), "SOURCES is not set")
    refused(sources(str(WORK / "none")), "is no folder")
    directory = WORK / "sources"
    archive = next(line.partition("=")[2] for line in (TOP / "scripts" / "pins.sh").read_text().splitlines() if line.startswith("LINUX_VERSION="))
    kernel = directory / "linux" / f"linux-{archive}.tar.xz"
    kernel.parent.mkdir(parents=True, exist_ok=True)
    kernel.write_bytes(b"not a kernel")
    ended = sources(str(directory))
    refused(ended, f"{kernel} has sha256 ")
    refused(ended, "error: musl ")
    refused(ended, "the crates of user space and of Rust's library are not in")


@SUITE.unit
def crates_that_lack_are_noticed(_: Session) -> None:
    """Sources with all crates but one are refused before anything is built; with that one they are not."""
    whole = os.environ.get("SOURCES")
    if not whole:
        raise Skip("SOURCES is not set: it names the sources of an air-gapped build")
    lacking = WORK / "lacking"
    shutil.rmtree(lacking, ignore_errors=True)
    registry = Path("br-cargo-home") / "registry"
    (cache,) = (Path(whole) / registry / "cache").iterdir()
    (lacking / registry / "cache" / cache.name).mkdir(parents=True)
    for folder in (Path("linux"), Path("musl"), registry / "index"):
        (lacking / folder).symlink_to(Path(whole) / folder)
    last = max(crate for crate in cache.iterdir() if crate.name.startswith("serde"))
    for crate in cache.iterdir():
        if crate != last:
            (lacking / registry / "cache" / cache.name / crate.name).symlink_to(crate)
    environment = {"SOURCES": str(lacking), "FETCH": ""}
    refused(script("image.sh", "sources", environment=environment), f"`{last.stem.rpartition('-')[0]} v")
    (lacking / registry / "cache" / cache.name / last.name).symlink_to(last)
    ended = script("image.sh", "sources", environment=environment)
    check(ended.code == 0, f"with all crates: {ended.errors}")


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
    """The SBOM names kernel, libraries, our programs and their crates; licences and sources of all of them are collected."""
    buildroot()
    ended = script("image.sh", "sbom", limit=300)
    check(ended.code == 0, f"no SBOM: {ended.errors}")
    file = TOP / ended.output.strip().rpartition(" ")[2]
    bill = json.loads(file.read_text())
    equal(bill["bomFormat"], "CycloneDX", "format")
    components = {component["name"]: component for component in bill["components"]}
    for name in ("linux", "nacre", "musl", "libgcc", "rust-std", "rustls", "ring", "serde_json", "hashbrown"):
        check(name in components, f"{name} is not in the SBOM")
        check(components[name].get("version"), f"{name} has no version")
        check(components[name].get("licenses"), f"{name} has no licence")
    check(components["linux"].get("hashes"), "the kernel has no hash")

    ended = script("image.sh", "legal", limit=900)
    check(ended.code == 0, f"no licences: {ended.errors}")
    info = TOP / ended.output.strip().rpartition(" ")[2]
    crates = [component for component in bill["components"] if component.get("purl", "").startswith("pkg:cargo/")]
    check(crates, "there is no crate in the SBOM")
    for crate in crates:
        name = f"{crate['name']}-{crate['version']}"
        check((info / "sources" / "crates" / f"{name}.crate").exists(), f"the source of {name} is missing")
        check(any((info / "licenses" / "crates" / name).iterdir()), f"the licence of {name} is missing")
    ended = run(["sha256sum", "--check", "--quiet", "legal-info.sha256"], 300, directory=info)
    check(ended.code == 0, f"legal-info.sha256 does not hold: {ended.output}{ended.errors}")
