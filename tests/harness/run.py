# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Runs the tests: run.py [PATTERN]. Results go to out/test as KTAP, JUnit and logs; the last line counts them."""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys
import time

import junit
import ktap
from places import LOGS, TEST
from results import Result, Status
from session import Session
from suites import SUITES
from unit import Unit


def show(unit: Unit, results: list[Result], duration: float) -> None:
    """One line for a unit, and the reasons of what failed."""
    failed = [result for result in results if result.status is Status.FAILED]
    verdict = Status.FAILED if failed else results[0].status if len(results) == 1 else Status.PASSED
    count = f" {len(results)} results," if len(results) > 1 else ""
    note = f": {results[0].note}" if verdict is Status.SKIPPED else ""
    print(f"{verdict.value:<8}{unit.name} ({count.lstrip()}{' ' if count else ''}{duration:.1f} s){note}", flush=True)
    for result in failed:
        if result.name != unit.name:
            print(f"    {result.name}")
        for line in result.note.splitlines():
            print(f"    | {line}", flush=True)


def finish(results: list[Result]) -> int:
    """Writes the reports and the last line; the exit code."""
    ktap.write(results, TEST / "results.ktap")
    junit.write(results, TEST / "junit.xml")
    count = {status: sum(result.status is status for result in results) for status in Status}
    print(f"Reports: {TEST / 'results.ktap'}, {TEST / 'junit.xml'}; logs: {LOGS}")
    line = f"{count[Status.PASSED]} passed, {count[Status.FAILED]} failed"
    if count[Status.SKIPPED]:
        line += f", {count[Status.SKIPPED]} skipped"
    print(line, flush=True)
    return 0 if count[Status.PASSED] and not count[Status.FAILED] else 1


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pattern", nargs="?", default="", help="run only the tests in whose name this is found (a regular expression)")
    parser.add_argument("--list", action="store_true", help="show the names and promises of the tests and run none")
    options = parser.parse_args()
    # An ending by SIGTERM takes the same way out as an interrupt: what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    units = [unit for suite in SUITES for unit in suite.units]
    try:
        chosen = [unit for unit in units if re.search(options.pattern, unit.name)]
    except re.error as error:
        print(f"error: the pattern '{options.pattern}' is no regular expression: {error}", file=sys.stderr)
        return 2
    if options.list:
        for unit in chosen:
            print(f"{unit.name:<45} {unit.promise}")
        return 0
    if not chosen:
        print(f"error: no test matches '{options.pattern}'; see `python3 tests/harness/run.py --list`", file=sys.stderr)

    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    results: list[Result] = []
    session = Session()
    try:
        for unit in chosen:
            start = time.monotonic()
            found = unit.run(session)
            show(unit, found, time.monotonic() - start)
            results += found
    except (KeyboardInterrupt, SystemExit):
        results.append(Result("run", Status.FAILED, note="it was interrupted"))
    finally:
        session.close()
    return finish(results)


if __name__ == "__main__":
    sys.exit(main())
