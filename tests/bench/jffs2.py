# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Writes JFFS2 file systems: flash is memory in QEMU, so that a root there is read in the same instructions each time, while
a virtual disk makes the machine wait for this one."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from board import ERASE_BLOCK, clean_marker

MAGIC = 0x1985
DIRENT, INODE = 0xE001, 0xE002
PAGE = 4096
ROOT = 1


@dataclass(frozen=True)
class Entry:
    """A file (with content) or a directory (without)."""

    path: str
    mode: int
    content: bytes | None = None
    user: int = 0
    group: int = 0


def crc(data: bytes) -> int:
    """The CRC of JFFS2: that of zlib without the inversions."""
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


def header(kind: int, length: int) -> bytes:
    """What every node begins with."""
    head = struct.pack("<HHI", MAGIC, kind, length)
    return head + struct.pack("<I", crc(head))


def dirent(parent: int, version: int, inode: int, name: bytes, kind: int) -> bytes:
    """A name in a directory."""
    head = header(DIRENT, 40 + len(name)) + struct.pack("<IIIIBBxx", parent, version, inode, 0, len(name), kind)
    return head + struct.pack("<II", crc(head), crc(name)) + name


def inode_node(inode: int, version: int, entry: Entry, offset: int, data: bytes) -> bytes:
    """A part of a file, uncompressed, or the attributes of a directory."""
    kind = stat.S_IFDIR if entry.content is None else stat.S_IFREG
    size = len(entry.content or b"")
    head = header(INODE, 68 + len(data)) + struct.pack(
        "<IIIHHIIIIIIIBBH",
        inode, version, kind | entry.mode, entry.user, entry.group, size, 0, 0, 0, offset, len(data), len(data), 0, 0, 0,
    )  # fmt: skip
    return head + struct.pack("<II", crc(data), crc(head)) + data


def nodes(entries: Iterable[Entry]) -> list[bytes]:
    """The nodes of a tree; directories come before what is in them."""
    made: list[bytes] = []
    directories = {"": ROOT}
    paths = {""}
    versions: dict[int, int] = {}
    for entry in [Entry("/", 0o755), *entries]:
        path = entry.path.rstrip("/")
        inode = ROOT
        if path:
            parent, _, name = path.rpartition("/")
            if parent not in directories:
                raise ValueError(f"{entry.path}: {parent} is not there, or is a file")
            if path in paths or not name or len(name.encode()) > 255:
                raise ValueError(f"{entry.path}: a path that cannot be, or is there already")
            paths.add(path)
            inode = len(paths)
            above = directories[parent]
            versions[above] = version = versions.get(above, 0) + 1
            # DT_DIR and DT_REG.
            made.append(dirent(above, version, inode, name.encode(), 4 if entry.content is None else 8))
            if entry.content is None:
                directories[path] = inode
        content = entry.content or b""
        for version, offset in enumerate(range(0, max(len(content), 1), PAGE), 1):
            made.append(inode_node(inode, version, entry, offset, content[offset : offset + PAGE]))
    return made


def image(entries: Iterable[Entry], size: int) -> bytes:
    """A file system of `size` bytes: each erase block begins with its mark, and no node lies in two of them."""
    if size % ERASE_BLOCK:
        raise ValueError(f"{size} is no multiple of an erase block of {ERASE_BLOCK}")
    blocks = [bytearray(clean_marker())]
    for node in nodes(entries):
        node += b"\xff" * (-len(node) % 4)
        if len(blocks[-1]) + len(node) > ERASE_BLOCK:
            blocks.append(bytearray(clean_marker()))
        blocks[-1] += node
    count = size // ERASE_BLOCK
    if len(blocks) > count:
        raise ValueError(f"the files need {len(blocks)} erase blocks, and there are {count}")
    blocks += [bytearray(clean_marker()) for _ in range(count - len(blocks))]
    return b"".join(bytes(block).ljust(ERASE_BLOCK, b"\xff") for block in blocks)
