# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The program that tests the security module as process 1, on a root file system that holds nothing else."""

from __future__ import annotations

import os
import re
import shutil
import struct
from collections.abc import Iterable
from pathlib import Path

import device_program
from places import KERNEL, LOGS, MACHINE, TEST, TOP
from process import run
from results import check
from session import Session

FINISHED = r"^# lsm-tests (finished: \d+ failed|did not run: .*)$"

# What the program wants to know of the kernel's configuration; see Feature in tests/lsm/src/stage.rs.
FEATURES = [
    "BPF_SYSCALL", "CROSS_MEMORY_ATTACH", "KEYS", "MPTCP", "POSIX_MQUEUE", "PACKET", "PERF_EVENTS", "QUOTACTL", "SWAP",
    "USER_NS", "KCMP", "ARCH_HAS_PKEYS", "VSOCKETS", "CRYPTO_USER_API", "KASAN",
]  # fmt: skip

# Only part of a name, as on the command line of `make test-lsm T=name`.
ONLY = "NACRE_LSM_ONLY"


# What a program says of the stack it wants: readable and writable, executable too, or nothing.
DATA_STACK, CODE_STACK = 6, 7


def payload(stack: int | None = DATA_STACK) -> bytes:
    """A program as small as an ARM ELF gets: it exits with 42."""
    base, header, segment = 0x10000, 52, 32
    segments = 1 if stack is None else 2
    code = struct.pack("<III", 0xE3A0002A, 0xE3A07001, 0xEF000000)
    start = header + segments * segment
    size = start + len(code)
    identification = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    words = (2, 40, 1, base + start, header, 0, 0x05000000, header, segment, segments, 0, 0, 0)
    elf = identification + struct.pack("<HHIIIIIHHHHHH", *words)
    elf += struct.pack("<8I", 1, 0, base, base, size, size, 5, 4096)
    if stack is not None:
        elf += struct.pack("<8I", 0x6474E551, 0, 0, 0, 0, 0, stack, 16)
    return elf + code


def squash(tree: Path, image: Path, *more: str) -> None:
    """Makes a file system of a folder; everything in it belongs to root."""
    command = ["mksquashfs", tree, image, "-noappend", "-all-root", "-comp", "lz4", "-no-xattrs", "-no-progress", *more]
    ended = run(command, 120, log=LOGS / f"{image.stem}-squashfs.log")
    check(ended.code == 0, f"mksquashfs failed:\n{ended.output}")


def root() -> Path:
    """The root file system: the program, also as a set-user-id program and as the kernel's own helper, and two images
    as apps have them."""
    program = device_program.alone("lsm-tests", TOP / "tests" / "lsm")
    tree, image = TEST / "lsm", TEST / "lsm.squashfs"
    if image.exists() and image.stat().st_mtime > max(program.stat().st_mtime, Path(__file__).stat().st_mtime):
        return image
    shutil.rmtree(tree, ignore_errors=True)
    for directory in ("bin", "sbin", "dev", "proc", "sys", "tmp", "mnt", "images"):
        (tree / directory).mkdir(parents=True)
    for name, mode in (("bin/lsm-tests", 0o755), ("bin/set-id", 0o4755), ("sbin/request-key", 0o755)):
        shutil.copyfile(program, tree / name)
        (tree / name).chmod(mode)
    for name in ("own", "other"):
        files = TEST / f"lsm-{name}"
        shutil.rmtree(files, ignore_errors=True)
        (files / "bin").mkdir(parents=True)
        for program_name, stack in (("payload", DATA_STACK), ("stack", CODE_STACK), ("silent", None)):
            (files / "bin" / program_name).write_bytes(payload(stack))
            (files / "bin" / program_name).chmod(0o755)
        (files / "name").write_text(f"{name}\n")
        squash(files, tree / "images" / f"{name}.squashfs")
    squash(tree, image)
    return image


def features(kernel: Path) -> str:
    """What the kernel was built with, as the program wants it told."""
    config = kernel.with_name("kernel.config")
    check(config.exists(), f"{config} is missing: build the kernel with `make kernel`")
    text = config.read_text()
    return ",".join(name for name in FEATURES if re.search(rf"^CONFIG_{name}=y$", text, re.MULTILINE))


def boot(
    session: Session,
    name: str,
    arguments: Iterable[str],
    *,
    kernel: Path = KERNEL,
    machine: Path = MACHINE,
    append: str = "",
    limit: float = 180,
) -> str:
    """Boots the program with these arguments until it has finished; what the console showed."""
    words = [*arguments, f"with={features(kernel)}"]
    if only := os.environ.get(ONLY):
        words.append(f"only={only}")
    line = f"{append} init=/bin/lsm-tests -- {' '.join(words)}".strip()
    with session.board(name, append=line, rootfs=root(), kernel=kernel, machine=machine) as board:
        board.start()
        board.wait_for(FINISHED, limit)
        return board.text()


def report(text: str) -> str:
    """The lines of a console that are a report in KTAP, and nothing the kernel printed."""
    lines = [line for line in text.splitlines() if re.match(r"^(1\.\.|ok |not ok |# )", line)]
    return "\n".join(lines)
