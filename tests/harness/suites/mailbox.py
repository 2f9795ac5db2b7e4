# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The mailbox driver on the emulated MT3620: in every variant of the chip, with trees that are wrong, and taken away in use."""

from __future__ import annotations

import re
from pathlib import Path

import device_tree
import ktap
from chip import tool
from lsm_program import squash
from places import DEBUG_KERNEL, EMULATOR, LOGS, TEST, TOP, seconds
from process import run
from results import Result, Status, check, equal
from session import Session
from suites.lsm import TROUBLE, kunit_results, needs
from unit import Suite

SUITE = Suite("mailbox")

# A client of both channels to the security core, and that core's side of them, which only an emulated chip lets us reach.
CLIENT = """
/include/ "mt3620.dts"
/ {
	client: selftest@3f020000 {
		compatible = "nacre,mt3620-mailbox-selftest";
		reg = <0x3f020000 0x1000>;
		mboxes = <&mailbox 0>, <&mailbox 1>;
		mbox-names = "fifo", "doorbells";
	};
};
"""
LOG_LINE = re.compile(r"^\[ *\d+\.\d+\] ")
OURS = "mt3620_mailbox_selftest: "


def tree(name: str, change: str = "") -> Path:
    """The device tree of the board with a client, and with what a test changes in it."""
    return device_tree.compiled(f"mailbox-{name}", f"{CLIENT}{change}\n")


def console(name: str, dtb: Path, properties: str = "", root: Path | None = None, kunit: bool = False) -> str:
    """What the kernel says on a machine. Without a root, and when init ends, the machine ends."""
    needs(DEBUG_KERNEL, "debug")
    check(EMULATOR.exists(), f"{EMULATOR} is missing: build it with `make emulator BOARD=mt3620`")
    append = "console=ttyS0 loglevel=7 printk.time=1 panic=-1" + ("" if kunit else " kunit.enable=0")
    drive: list[str | Path] = []
    if root:
        append += " root=/dev/vda ro rootfstype=squashfs init=/init"
        drive = ["-drive", f"if=none,id=root,format=raw,readonly=on,file={root}", "-device", "virtio-blk-device,drive=root"]
    command = [
        EMULATOR, "-M", "mt3620" + properties, "-m", "64", "-nodefaults", "-nographic", "-serial", "stdio", "-no-reboot",
        "-kernel", DEBUG_KERNEL, "-dtb", dtb, "-append", append, *drive,
    ]  # fmt: skip
    ended = run(command, int(seconds(600 if kunit else 180)), log=LOGS / f"mailbox-{name}.log")
    check("Kernel panic" in ended.output, f"the machine did not come to its end; see mailbox-{name}.log")
    return ended.output.replace("\r", "")


def boot(name: str, dtb: Path, properties: str = "", root: Path | None = None) -> list[str]:
    """What the kernel says on such a machine, line by line and without its times."""
    return [LOG_LINE.sub("", line) for line in console(name, dtb, properties, root).splitlines()]


def trouble(lines: list[str]) -> list[str]:
    """What the kernel has found in itself, but for the end that these machines come to."""
    end = next(index for index, line in enumerate(lines) if "Kernel panic" in line)
    return [line for line in lines[:end] if TROUBLE.search(line) and "Kernel command line: " not in line]


def faultless(name: str, lines: list[str]) -> Result:
    """Whether it has found nothing."""
    bad = trouble(lines)
    status = Status.FAILED if bad else Status.PASSED
    return Result(f"mailbox/{name}/kernel_finds_no_fault_in_itself", status, note="\n".join(bad[:20]))


@SUITE.unit
def selftest(_: Session) -> list[Result]:
    """Entries and doorbells go both ways, in order and none lost, whatever is not known of the chip."""
    dtb = tree("selftest")
    found = []
    for layout in ("mediatek", "codethink", "linux"):
        for enabled, latch in ((15, "keep"), (0, "clear")):
            name = f"{layout}-{enabled}-{latch}"
            lines = boot(name, dtb, f",mbox-layout={layout},mbox-int-en-reset={enabled},mbox-data-latch={latch}")
            report = "\n".join(line.removeprefix(OURS) for line in lines if line.startswith(OURS))
            check("1..6" in report, f"{name}: the client has not come to its end: {report}")
            found += ktap.read(report, f"mailbox/{name}")
            found.append(faultless(name, lines))
    return found


@SUITE.unit
def kunit(_: Session) -> list[Result]:
    """The kernel's own tests, among them those of all drivers of the chip, pass on its processor, and all of them run."""
    text = console("kunit", tree("kunit"), kunit=True)
    check("not syncing: VFS" in text, f"the kernel did not come to its root file system; see mailbox-kunit.log:\n{text[-2000:]}")
    return [*kunit_results(text, "mailbox/kunit"), faultless("kunit", text.splitlines())]


@SUITE.unit
def wrong_trees_are_refused(_: Session) -> None:
    """What the device tree or the chip says wrong is refused with the name of the node, and nothing is started."""
    node = "/soc/mailbox@31000000"
    for name, change, properties, said in (
        ("version", "", ",mbox-version=0x36200001", f"{node}: block 0 has version 0x36200001, only 0x36200000 is known"),
        ("depth", "&mailbox { mailbox-max-fifo-count = <16>; };", "", f"{node}: mailbox-max-fifo-count is 16, but must be 1 to 15"),
        ("none", "&mailbox { mailbox-channel-count = <0>; };", "", f"{node}: mailbox-channel-count is 0, but must be 1 to 8"),
        ("count", "&mailbox { mailbox-channel-count = <4>; };", "", f"{node}: reg ends before block 3"),
        ("missing", "&mailbox { /delete-property/ mailbox-channel-count; };", "", f"{node}: property 'mailbox-channel-count' is missing"),
        ("fifo", "&mailbox { /delete-property/ mailbox-max-fifo-count; };", "", f"{node}: property 'mailbox-max-fifo-count' is missing"),
        ("reg", "&mailbox { /delete-property/ reg; };", "", f"{node}: reg is missing"),
        ("interrupt", "&mailbox { interrupts = <0 0 4>, <0 1 4>; };", "", f"{node}: interrupt 2 is missing"),
        ("channel", "&client { mboxes = <&mailbox 6>, <&mailbox 1>; };", "", f"{node}: somebody wants channel 6 of 6"),
        ("cells", "&mailbox { #mbox-cells = <2>; }; &client { mboxes = <&mailbox 0 0>, <&mailbox 1 0>; };", "",
         f"{node}: somebody wants a channel by 2 numbers instead of one"),
    ):  # fmt: skip
        lines = boot(f"wrong-{name}", tree(name, change), properties)
        check(any(said in line for line in lines), f"{name}: the kernel did not say: {said}")
        check(not any(line.startswith(OURS) for line in lines), f"{name}: the client was started")
        equal(trouble(lines), [], name)


@SUITE.unit
def a_driver_is_taken_away_in_use(_: Session) -> None:
    """The driver is unbound and bound again under its client, which then does all that it did before."""
    directory = TEST / "mailbox" / "root"
    for name in ("sys", "dev"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    command = [
        tool("clang"), "--target=armv7-linux-gnueabi", "-march=armv7-a", "-marm", "-ffreestanding", "-nostdlib", "-static", "-Os",
        "-Wall", "-Wextra", "-Werror", f"--ld-path={tool('ld.lld')}", "-o", directory / "init", TOP / "tests" / "mailbox" / "init.c",
    ]  # fmt: skip
    ended = run(command, 120)
    equal(ended.code, 0, f"init.c cannot be built: {ended.errors}")
    root = directory.with_suffix(".squashfs")
    squash(directory, root)
    lines = boot("unbind", tree("selftest"), root=root)
    check(any("exitcode=0x00002a00" in line for line in lines), "init did not come to its end")
    ours = [line.removeprefix(OURS) for line in lines if line.startswith(OURS)]
    # How often its client is bound in between depends on how fast the machine is.
    runs = ours.count("1..6")
    check(runs >= 2, f"the client was bound {runs} times")
    equal(sum(line.startswith("ok ") for line in ours), 6 * runs, "tests that passed")
    equal([line for line in ours if line.startswith("not ok ")], [], "tests that failed")
    equal(trouble(lines), [], "kernel")
