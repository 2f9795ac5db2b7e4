# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What was counted becomes prices: rows with targets, a gate against a baseline, and the pages that show them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

BENCH = re.compile(r"^BENCH (\S+) (\d+)$")
SIZE = re.compile(r"^text=(\d+) data=(\d+) bss=(\d+)\b")
SYMBOL = re.compile(r"^[0-9a-f]+ ([0-9a-f]+) \S (.+)$")
# The abstraction for security modules in the kernel crate, by Rust's names for it.
ABSTRACTION = re.compile(r"6kernel(?:3lsm|10securityfs)")
END = "BENCH-END complete"

Counts = dict[str, int]


class Unusable(Exception):
    """What was counted or kept cannot be used; the text says what and why."""


@dataclass(frozen=True)
class Measured:
    """All that a run counted. `on` and `off` are the same kernel with the module and without it."""

    on: Mapping[str, int]
    off: Mapping[str, int]
    more: Mapping[str, int]


@dataclass(frozen=True)
class Row:
    """A price. `gate` is by how much it may grow: a share of the baseline, or an amount."""

    key: str
    title: str
    unit: str
    value: Callable[[Measured], float]
    target: float | None
    share: float = 0.0
    amount: float = 0.0
    note: str = ""

    def bound(self, baseline: float) -> float:
        """The largest value that passes the gate."""
        return baseline * (1 + self.share) + self.amount


def ratio(over: str, under: str) -> Callable[[Measured], float]:
    """Two counts of one boot, with the module."""
    return lambda m: m.on[over] / m.on[under]


def switch(name: str) -> Callable[[Measured], float]:
    """A count with the module over the same without it."""
    return lambda m: m.on[name] / m.off[name]


def decision(m: Measured) -> float:
    """The dearest decision, with the view on the stored rules that comes before it."""
    return max(count for name, count in m.on.items() if name.startswith("policy-") and name != "policy-view") + m.on["policy-view"]


ROWS = [
    Row("P01", "kernel: text, data and bss", "bytes", lambda m: m.more["kernel"], 2_617_124, share=0.005,
        note="the target is that of a kernel without IP and flash file system, which this one has"),
    Row("P02", "our code in the kernel: security module and abstraction", "bytes", lambda m: m.more["module"], 48 * 1024, amount=1024,
        note="the kernel minus the same kernel without the module, plus what the latter keeps of the abstraction"),
    Row("P03", "memory used at the first instruction of init", "KiB", lambda m: m.more["memory-kib"] - m.on["memory-free-kib"], 6000, amount=16,
        note="of all memory of the machine, kernel included"),
    Row("P06", "boot to init", "instructions", lambda m: m.on["boot"], 30_000_000, share=0.01, note="root in flash; from the start of the kernel's clock"),
    Row("P07", "boot to the first output of an app", "instructions", lambda m: m.on["boot"] + m.more["first-output"], 45_000_000, share=0.01,
        note="P06, and then the real init with an installed sample; its root is the squashfs that ships, in memory instead of on a disk, and the service interface is unplugged"),
    Row("P08", "launch with all layers / bare launch", "ratio", ratio("launch", "launch-bare"), 3.0, share=0.02),
    Row("P09", "launch with an inherited filter / bare launch", "ratio", ratio("launch", "launch-bare"), 2.9, share=0.02,
        note="the launcher always passes the common filter on, so this is P08 with another target"),
    Row("P10", "system call in the sandbox / outside (getppid)", "ratio", ratio("app-getppid", "getppid"), 1.75, share=0.005),
    Row("P11", "open and close, task of the system, module on / off", "ratio", switch("open-close"), 1.01, share=0.002),
    Row("P12", "open and close, app / task of the system", "ratio", ratio("app-open-close", "app-open-close-bare"), 1.35, share=0.01,
        note="the same file by the same name"),
    Row("P13", "mmap and munmap, task of the system, module on / off", "ratio", switch("mmap-munmap"), 1.02, share=0.002),
    Row("P14", "fork and exit, task of the system, module on / off", "ratio", switch("fork-exit"), 1.01, share=0.002),
    Row("P15", "first denial of its kind, with its record", "instructions", lambda m: m.on["deny-first"], 4000, share=0.02,
        note="a worker writes its line in the log 50 ms later, ten at most in 5 s: that is not counted here"),
    Row("P15b", "the same denial again, only counted", "instructions", lambda m: m.on["deny-again"], 4000, share=0.02),
    Row("P16", "one decision about the last of 64 entries", "instructions", decision, 250, share=0.01,
        note="the dearest of connect, bind, peer, capability and socket; compiled for user space, as small code"),
    Row("P17", "parse and validate a manifest of 4 KiB", "instructions", lambda m: m.on["manifest"], 1_500_000, share=0.01),
    Row("P17b", "heap for that", "bytes", lambda m: m.on["manifest-heap"], 16 * 1024, share=0.01),
    Row("P18", "build and install the common filter of system calls", "instructions",
        lambda m: m.on["filter-build-common"] + m.on["filter-install-common"], 300_000, share=0.01, note="once a boot: apps inherit it"),
    Row("P18b", "build and install the seal of an app", "instructions",
        lambda m: m.on["filter-build-seal"] + m.on["filter-install-seal"], None, share=0.01, note="once a launch, and part of P08"),
]  # fmt: skip


def read_console(text: str) -> Counts:
    """The counts on a console that has all of them."""
    counts: Counts = {}
    failures: list[str] = []
    complete = False
    for line in text.replace("\r", "").splitlines():
        if found := BENCH.match(line):
            if found[1] in counts:
                raise Unusable(f"the machine counted {found[1]} twice")
            counts[found[1]] = int(found[2])
        elif line.startswith("FAILED "):
            failures.append(line.removeprefix("FAILED "))
        complete = complete or line == END
    if failures:
        raise Unusable(f"the machine failed: {'; '.join(failures)}")
    if not complete:
        raise Unusable("the machine did not count to the end:\n" + "\n".join(text.splitlines()[-10:]))
    return counts


def same(first: Mapping[str, int], second: Mapping[str, int], what: str) -> None:
    """Two boots count the same, bit for bit, or nothing that they counted is worth a price."""
    unequal = [
        f"{name}: {first.get(name, 'nothing')} and {second.get(name, 'nothing')}"
        for name in dict.fromkeys([*first, *second])
        if first.get(name) != second.get(name)
    ]
    if unequal:
        raise Unusable(f"two boots ({what}) do not count the same:\n  " + "\n  ".join(unequal))


def read_size(text: str) -> int:
    """All bytes of a kernel, of what scripts/kernel.sh says of it."""
    if not (found := SIZE.match(text)):
        raise Unusable(f"no size of a kernel: {text[:80]!r}")
    return sum(int(part) for part in found.groups())


def abstraction_size(symbols: str) -> int:
    """What the abstraction takes in a kernel, of the symbols of that kernel."""
    lines = symbols.splitlines()
    found = [match for line in lines if (match := SYMBOL.match(line))]
    if not found:
        raise Unusable("the list of symbols of the kernel has none")
    return sum(int(match[1], 16) for match in found if ABSTRACTION.search(match[2]))


def price(measured: Measured) -> dict[str, float]:
    """All rows. Ratios have four digits, so that a gate of 0.2 % sees what it judges."""
    prices = {}
    for row in ROWS:
        try:
            prices[row.key] = round(row.value(measured), 4)
        except (KeyError, ZeroDivisionError, ValueError) as error:
            raise Unusable(f"{row.key} ({row.title}) was not counted: {error}") from None
    return prices


def load_baseline(text: str) -> tuple[dict[str, str], dict[str, float]]:
    """Tools and prices of a baseline."""
    try:
        document = json.loads(text)
        tools, prices = document["tools"], document["prices"]
        # bool is an int to Python, and no price.
        well = (
            isinstance(tools, dict)
            and isinstance(prices, dict)
            and all(isinstance(version, str) for version in tools.values())
            and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in prices.values())
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable(f"the baseline is none ({error}): make one with `make bench BASELINE=1`") from None
    if not well:
        raise Unusable("the baseline has something else than tools and prices: make one with `make bench BASELINE=1`")
    return tools, prices


def judge(prices: Mapping[str, float], baseline: Mapping[str, float]) -> list[str]:
    """What got dearer than the gate lets pass; none is good."""
    problems = []
    for row in ROWS:
        if row.key not in baseline:
            problems.append(f"{row.key}: the baseline has no such price")
            continue
        bound = row.bound(baseline[row.key])
        if prices[row.key] > bound:
            problems.append(
                f"{row.key} {row.title}: {show(prices[row.key], row.unit)} {row.unit}, "
                f"baseline {show(baseline[row.key], row.unit)}, the gate is at {show(bound, row.unit)}"
            )
    unknown = set(baseline) - {row.key for row in ROWS}
    problems += [f"{key}: the baseline has a price for it, and nobody counts it" for key in sorted(unknown)]
    return problems


def differing_tools(tools: Mapping[str, str], baseline: Mapping[str, str]) -> list[str]:
    """Which tools are not those of the baseline."""
    return [
        f"{name}: {tools.get(name, 'none')}, baseline {baseline.get(name, 'none')}"
        for name in dict.fromkeys([*tools, *baseline])
        if tools.get(name) != baseline.get(name)
    ]


def show(value: float, unit: str) -> str:
    """A price for people."""
    return f"{value:.4f}" if unit == "ratio" else f"{value:,.0f}"


def holds(row: Row, value: float) -> str:
    """Whether a target holds, in a word."""
    if row.target is None:
        return ""
    return "holds" if value <= row.target else "**missed**"


def page(prices: Mapping[str, float], about: Mapping[str, str], tools: Mapping[str, str]) -> str:
    """docs/prices.md."""
    lines = [
        "<!-- SPDX-License-Identifier: Apache-2.0 OR MIT -->",
        "<!-- Written by `make bench`: change tests/bench, not this page. -->",
        "# What security costs here",
        "",
        "Every number is counted, none is timed: QEMU executes one instruction in one nanosecond of the machine's own time, and two",
        "boots must count the same, bit for bit. What instructions do not show: caches, TLB, flash wait states. A ratio is of one boot,",
        "or of the same kernel with the module and with `lsm=landlock`.",
        "",
        *[f"* {name}: {value}" for name, value in {**about, **tools}.items()],
        "",
        "| | what | price | target | |",
        "|---|---|---:|---:|---|",
    ]
    for row in ROWS:
        target = "" if row.target is None else f"≤ {show(row.target, row.unit).rstrip('0').rstrip('.') if row.unit == 'ratio' else show(row.target, row.unit)}"
        unit = "" if row.unit == "ratio" else f" {row.unit}"
        lines.append(f"| {row.key} | {row.title} | {show(prices[row.key], row.unit)}{unit} | {target} | {holds(row, prices[row.key])} |")
    lines += ["", "Notes:", ""]
    lines += [f"* {row.key}: {row.note}." for row in ROWS if row.note]
    lines += [
        "",
        "`make bench` counts all this anew, writes this page and `out/bench/bench.json`, and fails when a price grew beyond its gate",
        "against `tests/bench/baseline.json`: " + ", ".join(f"{row.key} {gate(row)}" for row in ROWS) + ".",
        "With other versions of the tools it asks for a new baseline: `make bench BASELINE=1`, in a commit of its own.",
        "",
    ]
    return "\n".join(lines)


def gate(row: Row) -> str:
    """A gate for people."""
    return f"+{row.share * 100:g} %" if row.share else f"+{row.amount:,.0f} {row.unit}"


def document(
    prices: Mapping[str, float], measured: Measured, about: Mapping[str, str], tools: Mapping[str, str]
) -> dict[str, Any]:
    """bench.json."""
    return {
        "about": dict(about),
        "tools": dict(tools),
        "prices": dict(prices),
        "counts": {"module on": dict(measured.on), "module off": dict(measured.off), "more": dict(measured.more)},
    }
