# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Where things lie, and how long to wait for them."""

from __future__ import annotations

import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
OUT = Path(os.environ.get("NACRE_OUT") or TOP / "out")
CACHE = Path(
    os.environ.get("NACRE_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nacre"
)
BOARD = os.environ.get("BOARD") or "qemu-virt"

TEST = OUT / "test"
LOGS = TEST / "logs"
KERNEL = OUT / "image" / "zImage"
MACHINE = TOP / "board" / BOARD / "qemu.args"
# Of boards that the QEMU of the distribution does not know: see scripts/qemu.sh and scripts/devicetree.sh.
EMULATOR = OUT / "emulator" / BOARD / "qemu-system-arm"
DEVICE_TREE = OUT / "image" / f"{BOARD}.dtb"
ROOTFS = OUT / "image" / "rootfs.squashfs"
# The kernels of the security module's tests: with lock and memory checks, and for another machine with the address sanitizer.
DEBUG_KERNEL = OUT / "image" / "debug" / "zImage"
KASAN_KERNEL = OUT / "image" / "kasan" / "Image"
KASAN_MACHINE = TOP / "board" / BOARD / "qemu-kasan.args"
# The kernel of the MT3620 with the drivers of tests/twins.
TWINS_KERNEL = OUT / "image" / "twins" / "zImage"
SDK = OUT / "sdk"
NACRE = Path(os.environ.get("NACRE") or OUT / "host" / "nacre")
SAMPLES = OUT / "samples"

DEVICE_TARGET = "armv7-unknown-linux-musleabihf"

# The distribution's Rust builds everything; a rustup shim in front of it would not.
SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


def seconds(usual: float) -> float:
    """A time limit: what is usually plenty, scaled for machines that are slower than usual."""
    return usual * float(os.environ.get("NACRE_TIMEOUT_SCALE", "1"))
