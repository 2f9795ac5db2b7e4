# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The kernel's own tests, unmodified, on the board: the security module changes nothing but what is listed with its reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import own
from board import tail
from counted import Counted
from places import DEBUG_KERNEL, KERNEL, LOGS, TEST, TOP
from process import build_environment, run
from results import Result, Status, check
from session import Session
from unit import Suite

SUITE = Suite("kselftest")

HERE = TOP / "tests" / "kselftest"
IMAGE = TEST / "kselftest.squashfs"

FINISHED = re.compile(r"^# kselftest finished: (.*)$", re.MULTILINE)
MODULES = re.compile(r"^# modules: (\S+)$", re.MULTILINE)
BEGIN = re.compile(r"^# begin (\S+)$")
END = re.compile(r"^# end (\S+) (\S+)$")
LINE = re.compile(r"^(ok|not ok) (\d+)(?: -)?(?: (.*?))??(?:\s*# (SKIP|XFAIL)\b.*)?$")
# What one boot may take on a slow machine.
LIMIT = 3600

# The results of a run: the status of each test by its name.
Outcomes = dict[str, str]


def read(text: str) -> Outcomes:
    """All results on a console. Tests that end in another order, or come twice, are told apart by their number."""
    outcomes: Outcomes = {}
    program: str | None = None
    count = 0
    for line in text.replace("\r", "").splitlines():
        if begin := BEGIN.match(line):
            program, count = begin[1], 0
        elif program is None:
            continue
        elif (end := END.match(line)) and end[1] == program:
            # Where single results are told, the exit code only repeats them.
            told = count and end[2].startswith("exit=")
            outcomes[program] = "ended" if told else end[2]
            program = None
        elif found := LINE.match(line):
            verdict, number, name, directive = found.groups()
            count += 1
            key = f"{program}/{name or number}"
            if key in outcomes:
                key += f"#{number}"
            outcomes[key] = directive.lower() if directive else verdict
    return outcomes


@dataclass(frozen=True)
class Difference:
    """A test that goes otherwise with the module, and why that is right."""

    test: str
    off: str
    on: str
    reason: str


def listed(text: str, kernel: str) -> dict[str, Difference]:
    """The differences that are expected with a kernel ("debug" or "shipping")."""
    wanted = {"test", "off", "on", "reason"}
    differences: dict[str, Difference] = {}
    document = tomllib.loads(text)
    if unknown := set(document) - {"difference"}:
        raise ValueError(f"differences.toml: unknown {sorted(unknown)}")
    for entry in document.get("difference", []):
        keys = set(entry)
        if not wanted <= keys or keys - wanted - {"kernel"}:
            raise ValueError(f"differences.toml: an entry has {sorted(keys)}, and needs {sorted(wanted)}, and may have kernel")
        if not all(isinstance(value, str) and value.strip() for value in entry.values()):
            raise ValueError(f"differences.toml: {entry['test']}: every value is a text")
        if entry.get("kernel", kernel) not in ("debug", "shipping"):
            raise ValueError(f"differences.toml: {entry['test']}: kernel is \"debug\" or \"shipping\"")
        if entry["off"] == entry["on"]:
            raise ValueError(f"differences.toml: {entry['test']}: off and on are the same")
        if entry.get("kernel", kernel) != kernel:
            continue
        if entry["test"] in differences:
            raise ValueError(f"differences.toml: {entry['test']} is listed twice")
        differences[entry["test"]] = Difference(**{key: entry[key] for key in wanted})
    return differences


def program_of(test: str) -> str:
    """The program that a test belongs to."""
    return "/".join(test.split("/")[:2])


def compare(off: Mapping[str, str], on: Mapping[str, str], expected: Mapping[str, Difference]) -> list[Result]:
    """One result for each program: what differs is listed, and what is listed differs."""
    problems: dict[str, list[str]] = {program_of(test): [] for test in [*off, *on, *expected]}
    for test in dict.fromkeys([*off, *on, *expected]):
        before, after = off.get(test, "missing"), on.get(test, "missing")
        known = expected.get(test)
        if known and (before, after) == (known.off, known.on):
            continue
        if known:
            problem = f"{test}: listed as {known.off} without the module and {known.on} with it, but is {before} and {after}"
        elif before != after:
            problem = f"{test}: {before} without the module, {after} with it, and differences.toml does not say why"
        else:
            continue
        problems[program_of(test)].append(problem)
    return [
        Result(f"kselftest/{program}", Status.FAILED if found else Status.PASSED, note="\n".join(found))
        for program, found in problems.items()
    ]


def programs() -> list[str]:
    """What tests.list has to run."""
    lines = (line.split() for line in (HERE / "tests.list").read_text().splitlines())
    return [words[1] for words in lines if words and words[0] == "test"]


def boot(kernel: Path, name: str, append: str, image: Path) -> tuple[str, Outcomes]:
    """Runs all tests on a board, and returns the modules that it had and the results."""
    # Programs are process 1's: nothing from outside is needed, and time is counted, so that no limit within a test is a race.
    with Counted(
        LOGS / f"kselftest-{name}",
        kernel=kernel,
        append=f"init=/bin/init {append}",
        rootfs=image,
        more=["-m", "256"],
    ) as board:
        board.start()
        board.wait_off(LIMIT)
        text = board.text()
    modules, finished = MODULES.search(text), FINISHED.search(text)
    check(finished, f"the machine went off before the tests ended:\n{tail(text)}")
    check(modules and finished and not finished[1].startswith("failed"), f"the tests did not run: {finished and finished[1]}")
    outcomes = read(text)
    lacking = [program for program in programs() if program not in outcomes]
    check(not lacking, f"no result of {lacking}")
    (TEST / f"kselftest-{name}.results").write_text("".join(f"{status}\t{test}\n" for test, status in outcomes.items()))
    return modules[1] if modules else "", outcomes


@SUITE.unit
def own_tests(_: Session) -> list[Result]:
    """What runs the kernel's tests, and what reads and compares their results, is right."""
    return own.tests_of(HERE, "kselftest")


@SUITE.unit
def same_results_with_the_module(_: Session) -> list[Result]:
    """The kernel's tests for Landlock, seccomp, modules, memory and ptrace go as without our module, or as listed."""
    built = run([HERE / "build.sh"], 3600, environment=build_environment(), log=LOGS / "kselftest-build.log")
    check(built.code == 0, f"the kernel's tests cannot be built:\n{built.output[-2000:]}")
    # The kernel of the module's tests has much more that can be tested than the one that ships.
    kernel, kind = (DEBUG_KERNEL, "debug") if DEBUG_KERNEL.exists() else (KERNEL, "shipping")
    check(kernel.exists(), f"{kernel} is missing: build it with `make quick`")
    expected = listed((HERE / "differences.toml").read_text(), kind)
    modules, off = boot(kernel, "off", "lsm=landlock", IMAGE)
    check("nacre" not in modules.split(","), f"the module is on with lsm=landlock: {modules}")
    modules, on = boot(kernel, "on", "", IMAGE)
    check("nacre" in modules.split(","), f"the kernel starts without the module: {modules}")
    return compare(off, on, expected)
