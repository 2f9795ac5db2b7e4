# SPDX-License-Identifier: Apache-2.0 OR MIT
"""KTAP: read from what a device printed, and written from the results of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from results import Result, Status

PLAN = re.compile(r"^1\.\.(\d+)$")
LINE = re.compile(r"^(not ok|ok) (\d+) (?:- )?(\S+)(?:\s+#\s*(.*))?$")


def read(text: str, prefix: str) -> list[Result]:
    """The results of one report. What the plan promises and the report lacks is a failure of its own."""
    planned = None
    remarks: list[str] = []
    results: list[Result] = []
    for line in text.replace("\r", "").splitlines():
        if plan := PLAN.match(line):
            planned = int(plan[1])
        elif line.startswith("# "):
            remarks.append(line[2:])
        elif found := LINE.match(line):
            verdict, number, name, note = found.groups()
            if int(number) != len(results) + 1:
                results.append(Result(f"{prefix}/report", Status.FAILED, note=f"result {number} is out of order"))
            status = Status.PASSED if verdict == "ok" else Status.FAILED
            if status is Status.PASSED and (note or "").upper().startswith("SKIP"):
                status = Status.SKIPPED
            # What a report has to say of a result stands before it.
            text = "\n".join([*([note] if note else []), *remarks]) if status is Status.FAILED else note or ""
            results.append(Result(f"{prefix}/{name}", status, note=text))
            remarks = []
    if planned is None:
        results.append(Result(f"{prefix}/plan", Status.FAILED, note="the report has no plan"))
    elif planned != len(results):
        note = f"{planned} results were planned, {len(results)} came"
        results.append(Result(f"{prefix}/plan", Status.FAILED, note=note))
    return results


def write(results: Iterable[Result], file: Path) -> None:
    """Writes a report."""
    lines = ["KTAP version 1"]
    collected = list(results)
    lines.append(f"1..{len(collected)}")
    for number, result in enumerate(collected, 1):
        verdict = "not ok" if result.status is Status.FAILED else "ok"
        note = " ".join(result.note.split())
        if result.status is Status.SKIPPED:
            note = f"SKIP {note}"
        lines.append(f"{verdict} {number} {result.name}" + (f" # {note}" if note else ""))
    file.write_text("\n".join(lines) + "\n")
