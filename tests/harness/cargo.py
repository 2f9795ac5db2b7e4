# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The results in what `cargo test` prints."""

from __future__ import annotations

import re

from places import TOP
from results import Result, Status

TARGET = re.compile(r"^\s*(?:Running (?:unittests )?(\S+) \(.*?/([^/)]+?)-[0-9a-f]+\)|Doc-tests (\S+))")
CASE = re.compile(r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:, (.*))?$")
DETAIL = re.compile(r"^---- (.+?) stdout ----$")


def read(text: str, prefix: str) -> list[Result]:
    """All results of a run, under the names of their crates."""
    crate = place = "?"
    results: list[Result] = []
    positions: dict[str, int] = {}
    detail: str | None = None
    for line in text.replace("\r", "").splitlines():
        if target := TARGET.match(line):
            source, binary, documented = target.groups()
            if documented:
                place = f"{documented}/doc"
            elif source.startswith("tests/"):
                # The tests of a crate that lie beside its sources come right after those within them.
                place = f"{crate}/{binary}"
            else:
                place = crate = binary
            positions, detail = {}, None
        elif case := CASE.match(line):
            name, verdict, reason = case.groups()
            status = {"ok": Status.PASSED, "FAILED": Status.FAILED, "ignored": Status.SKIPPED}[verdict]
            positions[name] = len(results)
            results.append(Result(f"{prefix}/{place}/{name.replace(f'{TOP}/', '').replace(' ', '_')}", status, note=reason or ""))
        elif (begin := DETAIL.match(line)) and begin[1] in positions:
            detail = begin[1]
        elif line == "failures:":
            detail = None
        elif detail is not None:
            position = positions[detail]
            result = results[position]
            results[position] = Result(result.name, result.status, note=f"{result.note}{line}\n")
    return results
