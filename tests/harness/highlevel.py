# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The high-level core's side of the inter-core protocol, written a second time, so that the first is not its own judge."""

from __future__ import annotations

import struct
from typing import Protocol

BUFFER = 4096
HEADER = 64
AREA = BUFFER - HEADER
MAXIMUM = 1024
LARGEST = 1056

RING = 0x14
DOORBELLS = 0x1C
POST_COMMAND = 0x40
POST_DATA = 0x44
POSTED = 0x48


class Memory(Protocol):
    """What the high-level core sees."""

    def read(self, address: int) -> int:
        """A register."""

    def write(self, address: int, value: int) -> None:
        """A register."""

    def dump(self, address: int, size: int) -> bytes:
        """Memory."""

    def fill(self, address: int, content: bytes) -> None:
        """Memory."""


class Broken(Exception):
    """The real-time core broke the protocol."""


class Channel:
    """A channel to one real-time core, by its mailbox and two buffers."""

    def __init__(self, memory: Memory, mailbox: int, inbound: int, outbound: int) -> None:
        self.memory, self.mailbox = memory, mailbox
        self.inbound, self.outbound = inbound, outbound
        self.written = self.taken = 0

    def setup(self) -> None:
        """Clears the buffers and tells the core where they are; it may read that much later."""
        self.memory.fill(self.inbound, bytes(BUFFER))
        self.memory.fill(self.outbound, bytes(BUFFER))
        self.written = self.taken = 0
        self.memory.write(self.mailbox + DOORBELLS, self.memory.read(self.mailbox + DOORBELLS))
        for command, data in ((1, self.inbound | 12), (2, self.outbound | 12), (3, 0)):
            self.post(0xBA5E0000 + command, data)

    def post(self, command: int, data: int) -> None:
        """One entry."""
        assert self.posted() < 15, "the mailbox is full"
        self.memory.write(self.mailbox + POST_DATA, data)
        self.memory.write(self.mailbox + POST_COMMAND, command)

    def posted(self) -> int:
        """How many entries the core has not read."""
        return self.memory.read(self.mailbox + POSTED)

    def rung(self) -> bool:
        """Whether the core rang; its doorbells are cleared."""
        status = self.memory.read(self.mailbox + DOORBELLS)
        if status:
            self.memory.write(self.mailbox + DOORBELLS, status)
        return status != 0

    def _peer(self, word: int) -> int:
        (position,) = struct.unpack("<I", self.memory.dump(self.inbound + 4 * word, 4))
        if position >= AREA or position % 16:
            raise Broken(f"position {position}")
        return position

    def all_read(self) -> bool:
        """Whether the core has read all that it was sent."""
        return self._peer(1) == self.written

    def send(self, sender: bytes, payload: bytes) -> bool:
        """Sends a message, if there is room."""
        assert len(payload) <= MAXIMUM
        block = struct.pack("<I", 20 + len(payload)) + sender + bytes(4) + payload
        size = -(-len(block) // 16) * 16
        if size > AREA - 16 - (self.written - self._peer(1)) % AREA:
            return False
        first = block[: AREA - self.written]
        self.memory.fill(self.outbound + HEADER + self.written, first)
        self.memory.fill(self.outbound + HEADER, block[len(first) :])
        self.written = (self.written + size) % AREA
        self.memory.fill(self.outbound, struct.pack("<I", self.written))
        self.memory.write(self.mailbox + RING, 2)
        return True

    def receive(self) -> tuple[bytes, bytes] | None:
        """The next message, with its addressee."""
        available = (self._peer(0) - self.taken) % AREA
        if not available:
            return None
        # No more than the largest block, and what of it lies behind the end from the start.
        wanted = min(available, LARGEST)
        before = min(wanted, AREA - self.taken)
        data = self.memory.dump(self.inbound + HEADER + self.taken, before)
        if wanted > before:
            data += self.memory.dump(self.inbound + HEADER, wanted - before)
        (length,) = struct.unpack_from("<I", data)
        if not 20 <= length <= 20 + MAXIMUM or length + 4 > available:
            raise Broken(f"a block of {length} bytes, {available} there")
        self.taken = (self.taken + -(-(4 + length) // 16) * 16) % AREA
        self.memory.fill(self.outbound + 4, struct.pack("<I", self.taken))
        self.memory.write(self.mailbox + RING, 1)
        return data[4:20], data[24 : 4 + length]


CIRCLE = bytes(7 * index & 0xFF for index in range(256)) * 5


class Stream:
    """The messages that `tests/realtime` makes of a seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed or 1
        self.number = 0
        self._measure()

    def _measure(self) -> None:
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        self._length = 1 + state % MAXIMUM

    def message(self) -> bytes:
        """The current one."""
        # Each byte is 7 more than the one before it: all begin somewhere in the same circle.
        start = (self.number + self._length) * pow(7, -1, 256) % 256
        return CIRCLE[start : start + self._length]

    def advance(self) -> None:
        """On to the next one."""
        self.number += 1
        self._measure()
