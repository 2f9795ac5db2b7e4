# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A board whose clock counts instructions: one is one nanosecond, and waiting takes no time. What it shows does not depend on
how busy this machine is, as far as nothing outside of it has to answer: it has neither network nor entropy from outside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from board import Board
from places import DEVICE_TREE, KERNEL, ROOTFS

COUNTED = ["-icount", "shift=0,sleep=off", "-seed", "1"]

# Options of the board that bring something from outside in.
OUTSIDE = ("user,", "virtio-net-device,", "rng-random,", "virtio-rng-device,")


def without(words: list[str], unwanted: Sequence[str]) -> list[str]:
    """The command line without the options whose value begins so."""
    kept: list[str] = []
    for word in words:
        if word.startswith(tuple(unwanted)) and kept and kept[-1].startswith("-"):
            kept.pop()
        else:
            kept.append(word)
    return kept


class Counted(Board):
    """A board that counts, without the world outside."""

    def __init__(
        self,
        directory: Path,
        *,
        kernel: Path = KERNEL,
        append: str = "",
        rootfs: Path = ROOTFS,
        more: Sequence[str] = (),
        unwanted: Sequence[str] = OUTSIDE,
        tree: Path = DEVICE_TREE,
    ) -> None:
        super().__init__(directory, kernel=kernel, append=append, rootfs=rootfs, tree=tree)
        self.added = [*COUNTED, *more]
        self.unwanted = unwanted

    def command(self) -> list[str]:
        """The command line of the board, but for what it lacks and for what is added."""
        return without(super().command(), self.unwanted) + self.added
