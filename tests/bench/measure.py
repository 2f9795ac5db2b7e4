# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Boots the machines that count, and turns what they print into prices: measure.py, called by scripts/bench.sh."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import jffs2
import prices
from counted import OUTSIDE, Counted
from demo import FIRST_OUTPUT
from packages import sample
from places import BOARD, EMULATOR, KERNEL, MACHINE, OUT, ROOTFS, TEST, TOP, TWINS_KERNEL
from prices import Measured, Unusable, abstraction_size, code_sizes, price, read_console, read_size, same
from process import run

HERE = TOP / "tests" / "bench"
BENCH = OUT / "bench"
ON_CHIP = BOARD == "mt3620"
ROWS = prices.CHIP_ROWS if ON_CHIP else prices.ROWS
COMMAND = "make bench BOARD=mt3620" if ON_CHIP else "make bench"
BASELINE = HERE / ("baseline-mt3620.json" if ON_CHIP else "baseline.json")
PAGE = TOP / "docs" / "prices.md"
PLAIN = OUT / "image" / "plain"

# The app that the program of the bench is, too.
APP = "/mnt/apps/25025d2c-66da-4448-bae1-ac26fcdd3627"
# The second flash bank: the device's own partition, and the root behind it.
DATA_SIZE, ROOT_SIZE = 8 << 20, 24 << 20
FROM_FLASH = "mtdparts=0.flash:64m(boot)ro,8m(data),24m(root)ro root=mtd:root ro rootfstype=jffs2"
# A disk keeps the machine waiting for this one, and the network is plugged into nothing.
WITHOUT_DISK = (*OUTSIDE, "if=none,id=root,", "virtio-blk-device,drive=root")
UNPLUGGED = ["-netdev", "hubport,id=service,hubid=0", "-device", "virtio-net-device,netdev=service"]
LIMIT = 1200
# A longer command line moves what lies behind it, and with that how often a fork takes a page or gives one back.
LAYOUTS = [" ".join(["loglevel=4"] * number) for number in range(1, 6)]
# On the MT3620 the flash that can be written is the only one, and the network comes by virtio.
CHIP_FROM_FLASH = "mtdparts=a0000000.flash:8m(data),24m(root)ro root=mtd:root ro rootfstype=jffs2"
FIRMWARE = OUT / "realtime" / "echo"

# The drivers that are compared, and their crates.
CRATES = {"mailbox": "mt3620_mailbox", "pinctrl": "pinctrl_mt3620"}


def program(name: str) -> bytes:
    """A program that scripts/bench.sh has built."""
    return (BENCH / name).read_bytes()


def bench_root() -> list[jffs2.Entry]:
    """The root of the machine that counts."""
    directories = ["/dev", "/proc", "/sys", "/run", "/tmp", "/lib", "/sbin", "/mnt", "/mnt/apps", APP, f"{APP}/bin"]
    return [
        *[jffs2.Entry(path, 0o755) for path in directories],
        jffs2.Entry("/sbin/init", 0o755, program("bench")),
        jffs2.Entry(f"{APP}/bin/app", 0o755, program("bench")),
        jffs2.Entry(f"{APP}/bin/tiny", 0o755, program("tiny")),
        jffs2.Entry(f"{APP}/bin/text", 0o644, b"text\n"),
    ]


def device_root() -> list[jffs2.Entry]:
    """The way to the real root, which lies there as one file."""
    directories = ["/dev", "/sys", "/run", "/mnt", "/sbin"]
    return [
        *[jffs2.Entry(path, 0o755) for path in directories],
        jffs2.Entry("/sbin/init", 0o755, program("bench")),
        jffs2.Entry("/image", 0o644, ROOTFS.read_bytes()),
    ]


def chip_root() -> list[jffs2.Entry]:
    """The root of the machine that counts messages."""
    return [
        *[jffs2.Entry(path, 0o755) for path in ("/dev", "/proc", "/sys", "/sbin")],
        jffs2.Entry("/sbin/init", 0o755, program("bench")),
        jffs2.Entry("/echo", 0o644, FIRMWARE.read_bytes()),
    ]


def machine(name: str, content: bytes, append: str, more: list[str]) -> Counted:
    """A machine that starts from flash, off."""
    start = CHIP_FROM_FLASH if ON_CHIP else FROM_FLASH
    board = Counted(BENCH / name, append=f"{start} {append}", more=more, unwanted=WITHOUT_DISK)
    with board.data.open("r+b") as stream:
        stream.write(content)
    return board


def count(name: str, content: bytes, append: str) -> prices.Counts:
    """One boot of the program that counts."""
    with machine(name, content, append, []) as board:
        board.start()
        board.wait_off(LIMIT)
        return read_console(board.text())


def count_twice(name: str, content: bytes, append: str, module: bool) -> prices.Counts:
    """Two boots that count the same."""
    first = count(f"{name}-1", content, append)
    same(first, count(f"{name}-2", content, append), f"module {name}")
    modules = re.search(r"^MODULES (\S+)$", (BENCH / f"{name}-1" / "console.log").read_text().replace("\r", ""), re.M)
    if modules is None or ("nacre" in modules[1].split(",")) != module:
        raise Unusable(f"the machine of `module {name}` has the modules {modules and modules[1]}")
    return first


def fork_exit(content: bytes, append: str) -> int:
    """Instructions of fork and exit in the middle one of boots that differ in where things lie in memory."""
    counted = sorted(count("layout", content, f"{append} {layout}".strip())["fork-exit"] for layout in LAYOUTS)
    return counted[len(counted) // 2]


def first_output() -> int:
    """Instructions of the real device until an app prints, from the start of init: the same in two boots."""
    package = sample("hello-rust")
    installed = jffs2.Entry(f"/packages/{package.component}.imagepackage", 0o600, package.content)
    content = jffs2.image([jffs2.Entry("/packages", 0o700), installed], DATA_SIZE) + jffs2.image(device_root(), ROOT_SIZE)
    found = []
    for number in (1, 2):
        with machine(f"device-{number}", content, "-- stage", UNPLUGGED) as board:
            board.start()
            printed = board.wait_for(FIRST_OUTPUT.replace(r"app=(\S+)", f"app=({package.component})"), LIMIT)
            stage = board.wait_for(r"^BENCH stage (\d+)$", LIMIT)
            found.append({"stage": int(stage[1]), "first-output": int(printed[2]) - int(stage[1])})
    same(found[0], found[1], "the device")
    return found[0]["first-output"]


def memory_kib() -> int:
    """The memory of the board in KiB, as its QEMU arguments have it."""
    words = MACHINE.read_text().splitlines()
    return int(words[words.index("-m") + 1]) * 1024


def sizes() -> prices.Counts:
    """Bytes of the kernel, and of what is ours in it."""
    whole = read_size((KERNEL.parent / "kernel.size").read_text())
    plain = read_size((PLAIN / "kernel.size").read_text())
    rest = abstraction_size((PLAIN / "kernel.symbols").read_text())
    return {"kernel": whole, "kernel-plain": plain, "abstraction-in-plain": rest, "module": whole - plain + rest}


def names(symbols: list[str]) -> list[str]:
    """Names for people."""
    ended = subprocess.run([os.environ["CXXFILT"]], input="\n".join(symbols), text=True, capture_output=True, timeout=60, check=True)
    # A crate has a number that depends on the compiler.
    return re.sub(r"\[[0-9a-f]+\]", "", ended.stdout).splitlines()


def count_twins(number: int, tree: Path) -> prices.Counts:
    """One boot of the kernel with two drivers for each device."""
    with Counted(
        BENCH / f"twins-{number}", kernel=TWINS_KERNEL, append="twins=price loglevel=7", unwanted=WITHOUT_DISK, tree=tree
    ) as board:
        board.start()
        board.wait_off(LIMIT)
        return read_console(board.text())


def count_messages() -> prices.Counts:
    """Two boots that count the same for messages."""
    content = jffs2.image([], DATA_SIZE) + jffs2.image(chip_root(), ROOT_SIZE)
    first = count("messages-1", content, "-- messages")
    same(first, count("messages-2", content, "-- messages"), "messages")
    return first


def measure_chip() -> Measured:
    """All counts on the MT3620."""
    BENCH.mkdir(parents=True, exist_ok=True)
    TEST.mkdir(parents=True, exist_ok=True)
    print("Counting what messages cost, twice ...", flush=True)
    messages = count_messages()
    print("Counting what drivers in Rust and in C cost, twice ...", flush=True)
    tree = BENCH / "twins.dtb"
    source = TOP / "tests" / "twins" / "twins.dts"
    ended = run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-i", MACHINE.parent, "-o", tree, source], 60)
    if ended.code != 0:
        raise Unusable(f"dtc: {ended.errors}")
    counts = count_twins(1, tree)
    same(counts, count_twins(2, tree), "the MT3620")
    # What the core does around it depends on what was bound before: that is compared as it is after a change of drivers.
    if counts["set-mux-rust"] != counts["set-mux-rust-again"]:
        raise Unusable("set_mux: the driver in Rust costs something else after that in C has had the device")
    sizes = code_sizes((TWINS_KERNEL.parent / "kernel.symbols").read_text(), names, CRATES)
    return Measured({}, {}, {**messages, **counts, **sizes})


def first_line(*command: str) -> str:
    """What a program says that it is."""
    ended = run(command, 60)
    if ended.code != 0:
        raise Unusable(f"{' '.join(command)}: {ended.errors}")
    return ended.output.splitlines()[0]


def tools() -> dict[str, str]:
    """The programs whose versions counts depend on."""
    return {
        "QEMU": first_line(str(EMULATOR) if ON_CHIP else "qemu-system-arm", "--version"),
        "rustc": first_line("rustc", "--version"),
        "clang": first_line(os.environ["CLANG"], "--version"),
    }


def write(file: Path, text: str) -> None:
    """Writes a file whole."""
    part = file.with_suffix(".new")
    part.write_text(text)
    part.rename(file)


def measure() -> Measured:
    """All counts."""
    BENCH.mkdir(parents=True, exist_ok=True)
    TEST.mkdir(parents=True, exist_ok=True)
    content = jffs2.image([], DATA_SIZE) + jffs2.image(bench_root(), ROOT_SIZE)
    print("Counting with the module, twice ...", flush=True)
    on = count_twice("on", content, "", True)
    print("Counting without it, twice ...", flush=True)
    off = count_twice("off", content, "lsm=landlock", False)
    print(f"Counting fork and exit in {len(LAYOUTS)} layouts of memory, with and without it ...", flush=True)
    on = {**on, "fork-exit": fork_exit(content, "")}
    off = {**off, "fork-exit": fork_exit(content, "lsm=landlock")}
    print("Counting to the first output of an app, twice ...", flush=True)
    more = {**sizes(), "memory-kib": memory_kib(), "first-output": first_output()}
    return Measured(on, off, more)


def conclude(now: dict[str, float], versions: dict[str, str], renew: bool) -> int:
    """Compares with the baseline, or makes it anew; the exit code."""
    if renew:
        write(BASELINE, json.dumps({"tools": versions, "prices": now}, indent=2) + "\n")
        print(f"{os.path.relpath(BASELINE)} is the new baseline: commit it on its own, and say why it moved")
        return 0
    if not BASELINE.exists():
        raise Unusable(f"there is no baseline: make one with `{COMMAND} BASELINE=1`")
    known, before = prices.load_baseline(BASELINE.read_text())
    if differing := prices.differing_tools(versions, known):
        print("error: these are not the tools of the baseline, so nothing can be compared:", *differing, sep="\n  ", file=sys.stderr)
        print(f"Make a new one with `{COMMAND} BASELINE=1`, and commit it on its own.", file=sys.stderr)
        return 2
    if problems := prices.judge(now, before, ROWS):
        print("error: dearer than the gate lets pass:", *problems, sep="\n  ", file=sys.stderr)
        print(f"Make it cheaper, or say in a commit of its own why it must cost more: `{COMMAND} BASELINE=1`.", file=sys.stderr)
        return 1
    print("No price grew beyond its gate.")
    return 0


def again() -> int:
    """Compares once more what was counted last."""
    counted = json.loads((BENCH / "bench.json").read_text())
    return conclude(counted["prices"], counted["tools"], False)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-page", action="store_true", help="count and compare, and leave docs/prices.md as it is")
    options = parser.parse_args()
    try:
        measured = measure_chip() if ON_CHIP else measure()
        now, versions = price(measured, ROWS), tools()
        config = ((TWINS_KERNEL if ON_CHIP else KERNEL).parent / "kernel.config").read_bytes()
        about = {"counted on": date.today().isoformat(), "configuration of the kernel": hashlib.sha256(config).hexdigest()[:16]}
        for name, value in {**measured.on, **measured.more}.items():
            print(f"BENCH {name} {value}")
        for row in ROWS:
            print(f"{row.key:<5}{prices.show(now[row.key], row.unit):>14} {row.unit:<13}{row.title}: {prices.holds(row, now[row.key]).strip('*')}")
        write(BENCH / "bench.json", json.dumps(prices.document(now, measured, about, versions), indent=2) + "\n")
        if not options.no_page:
            before = PAGE.read_text()
            write(PAGE, (prices.chip_page if ON_CHIP else prices.page)(now, about, versions, before))
        return conclude(now, versions, bool(os.environ.get("BASELINE")))
    except (Unusable, AssertionError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
