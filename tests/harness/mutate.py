# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Damaged copies of a good file, the same ones in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator


def mutants(good: bytes, count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """`count` different files, none equal to `good`, each with what was done to it."""
    chance = random.Random(seed)
    seen = {good}
    while len(seen) <= count:
        text, mutant = _mutant(chance, good)
        if mutant not in seen:
            seen.add(mutant)
            yield text, mutant


def _mutant(chance: random.Random, good: bytes) -> tuple[str, bytes]:
    content = bytearray(good)
    # Half of the damage goes to the last part, where metadata and signature are: it is what parsers read first.
    at = chance.randrange(len(content)) if chance.random() < 0.5 else len(content) - 1 - chance.randrange(400)
    kind = chance.randrange(6)
    if kind == 0:
        bit = chance.randrange(8)
        content[at] ^= 1 << bit
        return f"bit {bit} of byte {at} flipped", bytes(content)
    if kind == 1:
        content[at : at + 4] = chance.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0"])
        return f"number at byte {at} replaced", bytes(content[: len(good)])
    if kind == 2:
        return f"cut to {at} bytes", bytes(content[:at])
    if kind == 3:
        length = chance.randrange(1, 64)
        del content[at : at + length]
        return f"{length} bytes taken out at {at}", bytes(content)
    if kind == 4:
        extra = chance.randbytes(chance.randrange(1, 64))
        content[at:at] = extra
        return f"{len(extra)} bytes put in at {at}", bytes(content)
    other = chance.randrange(len(content))
    length = chance.randrange(1, 256)
    content[at : at + length] = good[other : other + length]
    return f"{length} bytes of {other} copied to {at}", bytes(content)
