# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Fuzzes the security module's interfaces on the kernel with the address sanitizer; see scripts/fuzz-lsm.sh."""

from __future__ import annotations

import sys

import lsm_program
from places import KASAN_KERNEL, KASAN_MACHINE, LOGS
from session import Session
from suites.lsm import TROUBLE


def main() -> int:
    """The command."""
    seconds, seed = int(sys.argv[1]), int(sys.argv[2])
    LOGS.mkdir(parents=True, exist_ok=True)
    session = Session()
    try:
        text = lsm_program.boot(
            session, "lsm-fuzz", ["fuzz", str(seconds), str(seed)],
            kernel=KASAN_KERNEL, machine=KASAN_MACHINE, append="loglevel=5 kunit.enable=0", limit=seconds + 600,
        )  # fmt: skip
    finally:
        session.close()
    told = [line for line in text.splitlines() if line.startswith("# ")]
    found = [line for line in text.splitlines() if TROUBLE.search(line)]
    print("\n".join([*told[-3:], *found[:40]]))
    good = not found and "# lsm-tests finished: 0 failed" in text
    print(f"{'No finding' if good else 'FINDINGS'}; the console is in {LOGS}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
