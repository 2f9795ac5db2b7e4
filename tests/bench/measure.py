# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Boots the machines that count, and turns what they print into prices: measure.py, called by scripts/bench.sh."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from datetime import date
from pathlib import Path

import jffs2
import prices
from counted import OUTSIDE, Counted
from demo import FIRST_OUTPUT
from packages import sample
from places import KERNEL, MACHINE, OUT, ROOTFS, TEST, TOP
from prices import Measured, Unusable, abstraction_size, price, read_console, read_size, same
from process import run

HERE = TOP / "tests" / "bench"
BENCH = OUT / "bench"
BASELINE = HERE / "baseline.json"
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


def machine(name: str, content: bytes, append: str, more: list[str]) -> Counted:
    """A machine that starts from flash, off."""
    board = Counted(BENCH / name, append=f"{FROM_FLASH} {append}", more=more, unwanted=WITHOUT_DISK)
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


def first_line(*command: str) -> str:
    """What a program says that it is."""
    ended = run(command, 60)
    if ended.code != 0:
        raise Unusable(f"{' '.join(command)}: {ended.errors}")
    return ended.output.splitlines()[0]


def tools() -> dict[str, str]:
    """The programs whose versions counts depend on."""
    return {
        "QEMU": first_line("qemu-system-arm", "--version"),
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
        raise Unusable("there is no baseline: make one with `make bench BASELINE=1`")
    known, before = prices.load_baseline(BASELINE.read_text())
    if differing := prices.differing_tools(versions, known):
        print("error: these are not the tools of the baseline, so nothing can be compared:", *differing, sep="\n  ", file=sys.stderr)
        print("Make a new one with `make bench BASELINE=1`, and commit it on its own.", file=sys.stderr)
        return 2
    if problems := prices.judge(now, before):
        print("error: dearer than the gate lets pass:", *problems, sep="\n  ", file=sys.stderr)
        print("Make it cheaper, or say in a commit of its own why it must cost more: `make bench BASELINE=1`.", file=sys.stderr)
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
        measured = measure()
        now, versions = price(measured), tools()
        config = (KERNEL.parent / "kernel.config").read_bytes()
        about = {"counted on": date.today().isoformat(), "configuration of the kernel": hashlib.sha256(config).hexdigest()[:16]}
        for name, value in {**measured.on, **measured.more}.items():
            print(f"BENCH {name} {value}")
        for row in prices.ROWS:
            print(f"{row.key:<5}{prices.show(now[row.key], row.unit):>14} {row.unit:<13}{row.title}: {prices.holds(row, now[row.key]).strip('*')}")
        write(BENCH / "bench.json", json.dumps(prices.document(now, measured, about, versions), indent=2) + "\n")
        if not options.no_page:
            write(PAGE, prices.page(now, about, versions))
        return conclude(now, versions, bool(os.environ.get("BASELINE")))
    except (Unusable, AssertionError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
