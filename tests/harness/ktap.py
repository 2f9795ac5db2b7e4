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


STAMP = re.compile(r"^\[ *\d+\.\d+\] ")
NESTED = re.compile(r"^( *)(not ok|ok) \d+ (?:- )?(\S+)(?:\s+#\s*(.*))?$")


def read_nested(console: str, prefix: str) -> list[Result]:
    """The results of the kernel's own tests in what a console showed: a suite has its cases, further in, before itself."""
    results: list[Result] = []
    cases: list[Result] = []
    remarks: list[str] = []
    for line in console.replace("\r", "").splitlines():
        if not (stamp := STAMP.match(line)):
            continue
        text = line[stamp.end() :]
        if not (found := NESTED.match(text)):
            if text.lstrip().startswith("# "):
                remarks.append(text.strip())
            continue
        indent, verdict, name, note = found.groups()
        status = Status.PASSED if verdict == "ok" else Status.FAILED
        if status is Status.PASSED and (note or "").upper().startswith("SKIP"):
            status = Status.SKIPPED
        detail = "\n".join(remarks[-20:]) if status is Status.FAILED else note or ""
        remarks = []
        if indent:
            cases.append(Result(name, status, note=detail))
        else:
            results += [Result(f"{prefix}/{name}/{case.name}", case.status, note=case.note) for case in cases]
            if not cases:
                results.append(Result(f"{prefix}/{name}", status, note=detail))
            cases = []
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
