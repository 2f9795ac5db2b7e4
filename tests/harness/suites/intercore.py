# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The real-time cores by way of the kernel: apps with an identity speak to apps on the cores, good and hostile."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import device_program
import device_tree
import foreign_firmware
import ktap
from lsm_program import squash
from places import DEBUG_KERNEL, EMULATOR, LOGS, OUT, TEST, TOP, seconds
from process import build_environment, run
from results import Result, Status, check, equal
from session import Session
from suites.lsm import TROUBLE, needs
from suites.mailbox import trouble
from unit import Suite

SUITE = Suite("intercore")

# How often the bursts are run, and how many blocks a hostile app writes; acceptance wants 20 and 10000.
RUNS, BLOCKS = "NACRE_INTERCORE_RUNS", "NACRE_INTERCORE_BLOCKS"
APPS = ("echo", "burst", "restart", "hostile")
LOG_LINE = re.compile(r"^\[ *\d+\.\d+\] ")


def root(foreign: Sequence[Path]) -> Path:
    """The root file system: the program, and the apps for the cores, ours and those of others."""
    ended = run([TOP / "scripts" / "realtime.sh", TOP / "tests" / "realtime"], 1800, environment=build_environment())
    equal(ended.code, 0, f"status of scripts/realtime.sh\n{ended.output[-2000:]}")
    tree, image = TEST / "intercore", TEST / "intercore.squashfs"
    shutil.rmtree(tree, ignore_errors=True)
    for directory in ("bin", "dev", "proc", "sys", "firmware/foreign"):
        (tree / directory).mkdir(parents=True)
    shutil.copyfile(device_program.alone("intercore-tests", TOP / "tests" / "intercore"), tree / "bin" / "intercore-tests")
    (tree / "bin" / "intercore-tests").chmod(0o755)
    for app in APPS:
        shutil.copyfile(OUT / "realtime" / app, tree / "firmware" / app)
    for file in foreign:
        shutil.copyfile(file, tree / "firmware" / "foreign" / file.name)
    squash(tree, image)
    return image


def tree(name: str, change: str) -> Path:
    """The device tree of the board with what a test changes in it."""
    return device_tree.compiled(f"intercore-{name}", f"{device_tree.UNCHANGED}{change}\n")


def boot(
    name: str, dtb: Path, mode: str = "", *, append: str = "", limit: float = 300, foreign: Sequence[Path] = ()
) -> list[str]:
    """What a machine says until the program has switched it off, or until it has no root."""
    needs(DEBUG_KERNEL, "debug")
    check(EMULATOR.exists(), f"{EMULATOR} is missing: build it with `make emulator BOARD=mt3620`")
    line = f"console=ttyS0 loglevel=7 printk.time=1 panic=-1 kunit.enable=0 {append}"
    drive: list[str | Path] = []
    if mode:
        line += f" root=/dev/vda ro rootfstype=squashfs init=/bin/intercore-tests -- {mode}"
        drive = ["-drive", f"if=none,id=root,format=raw,readonly=on,file={root(foreign)}", "-device", "virtio-blk-device,drive=root"]
    command = [
        EMULATOR, "-M", "mt3620", "-m", "64", "-nodefaults", "-nographic", "-serial", "stdio", "-no-reboot",
        "-kernel", DEBUG_KERNEL, "-dtb", dtb, "-append", line, *drive,
    ]  # fmt: skip
    ended = run(command, int(seconds(limit)), log=LOGS / f"intercore-{name}.log")
    return [LOG_LINE.sub("", text) for text in ended.output.replace("\r", "").splitlines()]


def results(name: str, lines: list[str]) -> list[Result]:
    """The results of the program, and whether the kernel has found no fault in itself."""
    report = "\n".join(line for line in lines if re.match(r"^(1\.\.|ok |not ok |# )", line))
    check("# intercore-tests finished" in report, f"the program has not come to its end; see intercore-{name}.log")
    found = ktap.read(report, f"intercore/{name}")
    bad = [line for line in lines if TROUBLE.search(line) and not line.startswith(("ok ", "not ok ", "# ", "Kernel command line"))]
    status = Status.FAILED if bad else Status.PASSED
    return [*found, Result(f"intercore/{name}/kernel_finds_no_fault_in_itself", status, note="\n".join(bad[:20]))]


@SUITE.unit
def on(_: Session) -> list[Result]:
    """Everything that apps may do with a core and may not, and what a hostile core may do to them."""
    runs, blocks = os.environ.get(RUNS, "1"), os.environ.get(BLOCKS, "100")
    limit = 600 + 60 * int(runs) + int(blocks) / 4
    return results("on", boot("on", tree("plain", ""), f"on runs={runs} blocks={blocks}", limit=limit))


@SUITE.unit
def off(_: Session) -> list[Result]:
    """Without the security module nobody is an app, and no socket is made."""
    return results("off", boot("off", tree("plain", ""), "off", append="lsm=landlock"))


@SUITE.unit
def unbind(_: Session) -> list[Result]:
    """The driver is unbound under open devices and sockets, and bound again."""
    return results("unbind", boot("unbind", tree("plain", ""), "unbind"))


@SUITE.unit
def firmware(_: Session) -> list[Result]:
    """Each ELF in NACRE_RT_FIRMWARE reads what an app sends it by way of the kernel, and again after a restart."""
    files, runs = foreign_firmware.files(), int(os.environ.get(RUNS, "1"))
    limit = 300 + 120 * runs * len(files)
    return results("firmware", boot("firmware", tree("plain", ""), f"firmware runs={runs}", limit=limit, foreign=files))


@SUITE.unit
def wrong_trees_are_refused(_: Session) -> None:
    """What the device tree says wrong is refused with the name of the node, and nothing is started."""
    node = "/aid-bus/core-control@3f000000"
    for name, change, said in (
        ("reg", "&core_control { reg = <0x3f000000 0x100>; };", "reg ends before the block of the last core"),
        ("mailbox", '&core_control { mbox-names = "io0-fifo", "io0-doorbell", "io1-fifo", "other"; };', 'mailbox "io1-doorbell" cannot be used'),
        ("mailboxes", "&core_control { /delete-property/ mboxes; };", 'mailbox "io0-fifo" cannot be used'),
        ("region", '&core_control { memory-region-names = "image", "other"; };', 'memory-region "buffers" cannot be used'),
        ("regions", "&core_control { /delete-property/ memory-region; };", 'memory-region "image" cannot be used'),
        ("small", "&intercore_buffers { reg = <0x83f00000 0x3000>; };", 'memory-region "buffers" has 6144 bytes for each core instead of 8192'),
        ("interrupt", '&core_control { interrupt-names = "io0", "other"; };', 'interrupt "io1" is missing'),
    ):  # fmt: skip
        lines = boot(f"wrong-{name}", tree(name, change))
        check(any(f"{node}: {said}" in line for line in lines), f"{name}: the kernel did not say: {node}: {said}")
        equal(trouble(lines), [], name)
