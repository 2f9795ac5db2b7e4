# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What was counted becomes prices: rows with targets, a gate against a baseline, and the pages that show them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BENCH = re.compile(r"^BENCH (\S+) (\d+)$")
SIZE = re.compile(r"^text=(\d+) data=(\d+) bss=(\d+)\b")
SYMBOL = re.compile(r"^[0-9a-f]+ ([0-9a-f]+) \S (.+)$")
# A driver in C of tests/twins, by the prefix of its functions.
TWIN = re.compile(r"^twin_([a-z]+)_")
# What is compiled for those who use a driver has its messages in it, and is not the driver's.
USER = re.compile(r"\bkernel::mailbox::client\b")
# The abstraction for security modules in the kernel crate, by Rust's names for it.
ABSTRACTION = re.compile(r"6kernel(?:3lsm|10securityfs)")
END = "BENCH-END complete"

Counts = dict[str, int]


class Unusable(Exception):
    """What was counted or kept cannot be used; the text says what and why."""


@dataclass(frozen=True)
class Measured:
    """All that a run counted. `on` and `off` are the same kernel with the module and without it; `more` is the rest, and all
    that is counted on the MT3620."""

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


def compared(over: str, under: str) -> Callable[[Measured], float]:
    """Two counts of one boot, or of one kernel."""
    return lambda m: m.more[over] / m.more[under]


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
    Row("P14", "fork and exit, task of the system, module on / off", "ratio", switch("fork-exit"), 1.01, share=0.002,
        note="the middle of five boots each, which differ in the length of the kernel's command line: where things lie in memory moves one boot by up to 3 %"),
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


def together(first: str, second: str) -> Callable[[Measured], float]:
    """The sum of two counts."""
    return lambda m: m.more[first] + m.more[second]


def exchange(m: Measured) -> float:
    """A message there and one back, over the same between two local sockets in that boot."""
    return together("message-send", "message-receive")(m) / together("local-send", "local-receive")(m)


# Counted on the MT3620. There is a driver in C for each of ours that is compared, in the same kernel.
CHIP_ROWS = [
    Row("P19", "an app sends 1 KiB to a real-time core", "instructions", lambda m: m.more["message-send"], 6000, share=0.01,
        note="send() by the app that its manifest allows to, from the call to its return: both manifests asked, the message copied into the ring that the cores share, the doorbell rung; the middle of 101"),
    Row("P19b", "an app receives 1 KiB from a real-time core", "instructions", lambda m: m.more["message-receive"], 6000, share=0.01,
        note="recv() of a message that is there, as P19"),
    Row("P19c", "before that, from the doorbell to the socket of the app", "instructions", lambda m: m.more["message-deliver"], None, share=0.02,
        note="what threads of interrupts and workers of the kernel ran during 101 messages each way, by their own clocks, a 101st of it: taken out of the ring, checked, queued; not what the real-time core ran"),
    Row("P20", "P19 and P19b / the same by a pair of local sockets", "ratio", exchange, 1.25, share=0.01,
        note="AF_UNIX, SOCK_SEQPACKET, 1 KiB, by the same app in the same boot"),
    Row("P21", "set_mux of the pin controller, in Rust / in C", "ratio", compared("set-mux-rust", "set-mux-c"), 1.05, share=0.01,
        note="from the call by the core to its return, one pin, read back; in Rust the accesses and the lock are inlined as in C, and what the core names is checked before"),
    Row("P21b", "a device changes the function of a pin, with that", "ratio", compared("select-state-rust-again", "select-state-c"), None, share=0.01,
        note="pinctrl_select_state: what a user of the pin waits for"),
    Row("P22", "code of the mailbox driver, in Rust / in C", "ratio", compared("mailbox-own", "mailbox-c"), 1.3, share=0.01,
        note="functions of the driver's own crate, and those of the abstractions with a closure of it in them; bytes in the kernel"),
    Row("P22b", "code of the pin controller driver, in Rust / in C", "ratio", compared("pinctrl-own", "pinctrl-c"), 1.3, share=0.01),
    Row("P22c", "P22 with all that is compiled for it of the abstractions", "ratio", compared("mailbox-all", "mailbox-c"), None, share=0.01,
        note="boxes, reference counts, registrations that end with the device, and what the core calls: in C that is shared, or not there"),
    Row("P22d", "P22b with all that is compiled for it of the abstractions", "ratio", compared("pinctrl-all", "pinctrl-c"), None, share=0.01),
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


def code_sizes(symbols: str, names: Callable[[list[str]], list[str]], crates: Mapping[str, str]) -> Counts:
    """Bytes of the code of drivers in a kernel, of its symbols: in C, of the crate that is the same driver in Rust, and of that
    with all that is compiled for it. `names` makes names for people of those of symbols."""
    places = {}
    for line in symbols.splitlines():
        address, *words = line.split()
        # What has the same code as something else lies in the same place.
        if len(words) == 3 and words[1] in "tT":
            places.setdefault(address, (int(words[0], 16), words[2]))
    sizes = dict.fromkeys([f"{driver}-{part}" for driver in crates for part in ("c", "own", "all")], 0)
    found = list(places.values())
    for (size, symbol), name in zip(found, names([symbol for _, symbol in found]), strict=True):
        if (twin := TWIN.match(symbol)) and twin[1] in crates:
            sizes[f"{twin[1]}-c"] += size
        for driver, crate in crates.items():
            if crate not in symbol or USER.search(name):
                continue
            sizes[f"{driver}-all"] += size
            if re.match(rf"[<&]*{crate}::", name) or re.search(rf"\b{crate}::.*\{{closure", name):
                sizes[f"{driver}-own"] += size
    if missing := [name for name, size in sizes.items() if not size]:
        raise Unusable(f"the kernel has no code of {', '.join(missing)}")
    return sizes


def price(measured: Measured, rows: Sequence[Row] = ROWS) -> dict[str, float]:
    """All rows. Ratios have four digits, so that a gate of 0.2 % sees what it judges."""
    prices = {}
    for row in rows:
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


def judge(prices: Mapping[str, float], baseline: Mapping[str, float], rows: Sequence[Row] = ROWS) -> list[str]:
    """What got dearer than the gate lets pass; none is good."""
    problems = []
    for row in rows:
        if row.key not in baseline:
            problems.append(f"{row.key}: the baseline has no such price")
            continue
        bound = row.bound(baseline[row.key])
        if prices[row.key] > bound:
            problems.append(
                f"{row.key} {row.title}: {show(prices[row.key], row.unit)} {row.unit}, "
                f"baseline {show(baseline[row.key], row.unit)}, the gate is at {show(bound, row.unit)}"
            )
    unknown = set(baseline) - {row.key for row in rows}
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


HEAD = [
    "<!-- SPDX-License-Identifier: Apache-2.0 OR MIT -->",
    "<!-- Written by `make bench`: change tests/bench, not this page. -->",
    "# What security costs here",
    "",
    "Every number is counted, none is timed: QEMU executes one instruction in one nanosecond of the machine's own time, and two",
    "boots must count the same, bit for bit. What instructions do not show: caches, TLB, flash wait states. A ratio is of one boot,",
    "or of the same kernel with the module and with `lsm=landlock`.",
    "",
]
CHIP_HEAD = [
    "## Drivers of the MT3620",
    "",
    "Messages are exchanged with the firmware `tests/realtime/src/bin/echo.rs`, which returns what it is sent, by the kernel that ships.",
    "",
    "`tests/twins` has a driver in plain C for two of ours, written for this comparison only, which does the same in the same words. That of",
    "the pins passes the same tests, that of the mailboxes is tried both ways on both kinds of channels. Both are in one kernel with ours,",
    "and in one boot a device goes from one driver to the other and back.",
    "",
]


def table(prices: Mapping[str, float], about: Mapping[str, str], tools: Mapping[str, str], rows: Sequence[Row], command: str, baseline: str) -> list[str]:
    """What was counted with what, the prices, and what they mean."""
    lines = [
        *[f"* {name}: {value}" for name, value in {**about, **tools}.items()],
        "",
        "| | what | price | target | |",
        "|---|---|---:|---:|---|",
    ]
    for row in rows:
        target = "" if row.target is None else f"≤ {show(row.target, row.unit).rstrip('0').rstrip('.') if row.unit == 'ratio' else show(row.target, row.unit)}"
        unit = "" if row.unit == "ratio" else f" {row.unit}"
        lines.append(f"| {row.key} | {row.title} | {show(prices[row.key], row.unit)}{unit} | {target} | {holds(row, prices[row.key])} |")
    lines += ["", "Notes:", ""]
    lines += [f"* {row.key}: {row.note}." for row in rows if row.note]
    lines += [
        "",
        f"`{command}` counts all this anew, writes this part of the page and `out/bench/bench.json`, and fails when a price grew beyond",
        f"its gate against `tests/bench/{baseline}`: " + ", ".join(f"{row.key} {gate(row)}" for row in rows) + ".",
        f"With other versions of the tools it asks for a new baseline: `{command} BASELINE=1`, in a commit of its own.",
        "",
    ]
    return lines


def page(prices: Mapping[str, float], about: Mapping[str, str], tools: Mapping[str, str], before: str = "") -> str:
    """docs/prices.md with these prices; the part on the MT3620 stays as it was."""
    chip = before.partition(CHIP_HEAD[0])
    lines = [*HEAD, *table(prices, about, tools, ROWS, "make bench", "baseline.json")]
    return "\n".join(lines) + ("\n" + "".join(chip[1:]) if chip[1] else "")


def chip_page(prices: Mapping[str, float], about: Mapping[str, str], tools: Mapping[str, str], before: str) -> str:
    """docs/prices.md with these prices of the MT3620; the rest stays as it was."""
    lines = [*CHIP_HEAD, *table(prices, about, tools, CHIP_ROWS, "make bench BOARD=mt3620", "baseline-mt3620.json")]
    return before.partition(CHIP_HEAD[0])[0].rstrip("\n") + "\n\n" + "\n".join(lines)


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
