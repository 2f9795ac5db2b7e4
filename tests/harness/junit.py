# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Results as JUnit XML, which continuous integration servers read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from results import Result, Status

# XML 1.0 cannot carry these at all, not even escaped.
UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(results: Iterable[Result], file: Path) -> None:
    """Writes one test suite per first part of the names."""
    suites: dict[str, list[Result]] = {}
    for result in results:
        suites.setdefault(result.name.split("/", 1)[0], []).append(result)
    root = ElementTree.Element("testsuites")
    for name, members in suites.items():
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(members)),
            failures=str(sum(member.status is Status.FAILED for member in members)),
            skipped=str(sum(member.status is Status.SKIPPED for member in members)),
            time=f"{sum(member.seconds for member in members):.3f}",
        )
        for member in members:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=name,
                name=member.name.removeprefix(f"{name}/"),
                time=f"{member.seconds:.3f}",
            )
            note = UNPRINTABLE.sub("\ufffd", member.note)
            if member.status is Status.FAILED:
                ElementTree.SubElement(case, "failure", message=note.split("\n", 1)[0]).text = note
            elif member.status is Status.SKIPPED:
                ElementTree.SubElement(case, "skipped", message=note)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
