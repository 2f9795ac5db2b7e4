# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The security module on booted kernels: every hook refuses and permits, and without it every attack works."""

from __future__ import annotations

import os
import re
from pathlib import Path

import ktap
import lsm_program
from places import DEBUG_KERNEL, KASAN_KERNEL, KASAN_MACHINE, KERNEL, LOGS, TOP
from results import Result, Skip, Status, check
from session import Session
from unit import Suite

SUITE = Suite("lsm")

# Without the module, and with the kernel's own lock on code that is there opened: the attacks must work.
OFF = "lsm=landlock proc_mem.force_override=always"

# What a kernel prints that has found a fault in itself.
TROUBLE = re.compile(
    r"WARNING|BUG|KASAN|UBSAN|Oops|panic|possible circular locking|suspicious RCU|INFO: |inconsistent lock state|"
    r"scheduling while atomic|sleeping function called|unreferenced object|Unhandled fault|rust_kernel: panicked"
)


def results(text: str, name: str) -> list[Result]:
    """The results of the program on one machine, kept as a report of their own."""
    report = lsm_program.report(text)
    (LOGS / f"lsm-{name}.ktap").write_text(report + "\n")
    did_not_run = re.search(r"^# lsm-tests did not run: (.*)$", report, re.MULTILINE)
    check(not did_not_run, f"the program did not run: {did_not_run and did_not_run[1]}")
    return ktap.read(report, f"lsm/{name}")


def needs(kernel: Path, variant: str) -> None:
    """Skips the test when the kernel it wants has not been built."""
    if not kernel.exists():
        raise Skip(f"there is no {kernel}: build it with `make kernel VARIANT={variant}`")


def quiet(text: str, name: str) -> Result:
    """Whether the kernel found no fault in itself."""
    said = [line for line in text.splitlines() if not line.startswith(("ok ", "not ok ", "# ")) and "Kernel command line: " not in line]
    lines = [line for line in said if TROUBLE.search(line)]
    status = Status.FAILED if lines else Status.PASSED
    return Result(f"lsm/{name}/kernel_finds_no_fault_in_itself", status, note="\n".join(lines[:20]))


@SUITE.unit
def name_in_list(session: Session) -> None:
    """The kernel that ships has our module in its list, and boots with what the module refuses."""
    text = lsm_program.boot(session, "lsm-list", ["list"])
    found = re.search(r"^# modules: (\S+)$", text, re.MULTILINE)
    check(found, "the program did not tell the list")
    check(found and "nacre" in found[1].split(","), f"nacre is missing from {found and found[1]}")


@SUITE.unit
def on(session: Session) -> list[Result]:
    """With the module every hook refuses an attack and permits what is like it."""
    text = lsm_program.boot(session, "lsm-on", ["on"])
    return [*results(text, "on"), *hooks(text, "on", KERNEL)]


@SUITE.unit
def off(session: Session) -> list[Result]:
    """Without the module each of these attacks works, as the same process: none of them is a dead test."""
    return results(lsm_program.boot(session, "lsm-off", ["off"], append=OFF), "off")


@SUITE.unit
def development(session: Session) -> list[Result]:
    """In development apps are traced by those who may do all that they may, and nothing else changes."""
    return results(lsm_program.boot(session, "lsm-development", ["development"]), "development")


@SUITE.unit
def fuzz(session: Session) -> None:
    """Malformed identities, rules and writes for some seconds leave the module as it was."""
    text = lsm_program.boot(session, "lsm-fuzz", ["fuzz", "5", "1"])
    check("# lsm-tests finished: 0 failed" in text, f"fuzzing went wrong:\n{text[-1000:]}")


def hooks(text: str, name: str, kernel: Path) -> list[Result]:
    """Whether each hook that the module has in this kernel refuses something in the tests, and permits something."""
    if os.environ.get(lsm_program.ONLY):
        # A part of the table says nothing about all hooks.
        return []
    tested = {
        hook: (int(refused), int(permitted))
        for hook, refused, permitted in re.findall(r"^# hook (\S+): (\d+) refused, (\d+) permitted$", text, re.MULTILINE)
    }
    found = []
    for hook in hooks_of_the_module(kernel.with_name("kernel.config").read_text()):
        refused, permitted = tested.get(hook, (0, 0))
        status = Status.PASSED if refused and permitted else Status.FAILED
        found.append(Result(f"lsm/{name}/hook_{hook}_has_both", status, note=f"{refused} refused, {permitted} permitted"))
    return found


# Hooks that decide nothing: they keep the module's state where it belongs, and are seen through the others.
KEEPING = {"socket_post_create"}

# What a kernel must have for a hook to be asked at all.
REACHED_WITH = {"quotactl": "CONFIG_QUOTACTL", "userns_create": "CONFIG_USER_NS"}


def hooks_of_the_module(config: str) -> list[str]:
    """The names of the hooks that the module implements in a kernel of this configuration, as its source has them."""
    source = (TOP / "modules" / "lsm" / "lib.rs").read_text()
    body = source[source.index("impl lsm::Hooks for") :]
    names = [
        name
        for needed, name in re.findall(r"^(?:    #\[cfg\((CONFIG_\w+)\)\]\n)?    fn (\w+)\(", body, re.MULTILINE)
        if all(
            re.search(rf"^{symbol}=y$", config, re.MULTILINE) for symbol in (needed, REACHED_WITH.get(name)) if symbol
        )
    ]
    check(names, "no hook was found in modules/lsm/lib.rs")
    return sorted(set(names) - KEEPING)


def debug_boot(session: Session) -> str:
    """One boot of the kernel that watches itself, with its own tests first and the program's behind them."""
    needs(DEBUG_KERNEL, "debug")
    if not session.debug_console:
        session.debug_console = lsm_program.boot(
            session, "lsm-debug", ["on"], kernel=DEBUG_KERNEL, append="loglevel=7 printk.time=1", limit=900
        )
    return session.debug_console


# What must be among the kernel's own tests: a suite that is not built tests nothing.
KUNIT_SUITES = (
    "rust_kernel_lsm", "nacre_lsm", "rust_kernel_mailbox", "rust_kernel_io", "nacre_mt3620_mailbox", "rust_kernel_gpio",
    "rust_kernel_pinctrl", "nacre_mt3620_pinctrl", "rust_kernel_net_datagram", "nacre_mt3620_intercore",
)  # fmt: skip


def kunit_results(text: str, prefix: str) -> list[Result]:
    """The results of the kernel's own tests, and whether all suites that must be there were run."""
    found = ktap.read_nested(text, prefix)
    run = {result.name.split("/")[2] for result in found}
    for suite in KUNIT_SUITES:
        status = Status.PASSED if suite in run else Status.FAILED
        found.append(Result(f"{prefix}/{suite}/is_run", status))
    return found


@SUITE.unit
def kunit(session: Session) -> list[Result]:
    """The tests of the abstractions and of our modules within the kernel pass, and all of them run."""
    return kunit_results(debug_boot(session), "lsm/kunit")


@SUITE.unit
def debug(session: Session) -> list[Result]:
    """The same on a kernel that checks locks and memory and has in it what hardening leaves out: it finds nothing."""
    text = debug_boot(session)
    return [*results(text, "debug"), *hooks(text, "debug", DEBUG_KERNEL), quiet(text, "debug")]


@SUITE.unit
def debug_off(session: Session) -> list[Result]:
    """On that kernel, too, each of the attacks works without the module, on what hardening leaves out as well."""
    needs(DEBUG_KERNEL, "debug")
    text = lsm_program.boot(session, "lsm-debug-off", ["off"], kernel=DEBUG_KERNEL, append=f"{OFF} kunit.enable=0", limit=900)
    return results(text, "debug_off")


@SUITE.unit
def kasan(session: Session) -> list[Result]:
    """The same on a 64-bit kernel that checks each access to memory: it finds nothing."""
    needs(KASAN_KERNEL, "kasan")
    text = lsm_program.boot(
        session, "lsm-kasan", ["on"], kernel=KASAN_KERNEL, machine=KASAN_MACHINE, append="loglevel=5 kunit.enable=0", limit=1800
    )
    return [*results(text, "kasan"), quiet(text, "kasan")]


@SUITE.unit
def kunit_kasan(session: Session) -> list[Result]:
    """The same tests pass on a 64-bit kernel that checks each access to memory: it finds nothing."""
    needs(KASAN_KERNEL, "kasan")
    text = lsm_program.boot(
        session, "lsm-kunit-kasan", ["list"], kernel=KASAN_KERNEL, machine=KASAN_MACHINE, append="loglevel=7 printk.time=1", limit=1800
    )
    return [*kunit_results(text, "lsm/kunit_kasan"), quiet(text, "kunit_kasan")]
