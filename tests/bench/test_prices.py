# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Prices, their gate, and the file system that they are counted on."""

import io
import json
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import jffs2
import measure
import prices
from board import ERASE_BLOCK
from prices import CHIP_ROWS, ROWS, Measured, Unusable, judge, load_baseline, price, read_console

CONSOLE = "BENCH boot 15854608\nMODULES capability\r\nBENCH getppid 116\nBENCH-END complete\n"
TOOLS = {"QEMU": "7", "rustc": "1", "clang": "19"}


def measured() -> Measured:
    """Counts of everything that a row asks for: each 1000, but for what must be larger than another."""
    names = [
        "boot", "memory-free-kib", "getppid", "open-close", "mmap-munmap", "fork-exit", "launch", "launch-bare", "app-getppid",
        "app-open-close", "app-open-close-bare", "deny-first", "deny-again", "policy-connect", "policy-bind", "policy-view",
        "manifest", "manifest-heap", "filter-build-common", "filter-install-common", "filter-build-seal", "filter-install-seal",
    ]  # fmt: skip
    counts = dict.fromkeys(names, 1000)
    more = {"kernel": 3_000_000, "module": 40_000, "memory-kib": 65536, "first-output": 40_000_000}
    return Measured({**counts, "open-close": 1005}, counts, more)


def measured_on_the_chip() -> Measured:
    """The same of the MT3620."""
    names = [
        "set-mux-rust", "set-mux-c", "select-state-rust-again", "select-state-c", "mailbox-own", "mailbox-all", "mailbox-c", "pinctrl-own",
        "pinctrl-all", "pinctrl-c", "message-send", "message-receive", "message-deliver", "local-send", "local-receive",
    ]  # fmt: skip
    return Measured({}, {}, {**dict.fromkeys(names, 1000), "set-mux-rust": 1040, "mailbox-own": 1400, "message-send": 1600})


class Reading(unittest.TestCase):
    """What a machine prints."""

    def test_counts(self) -> None:
        self.assertEqual(read_console(CONSOLE), {"boot": 15854608, "getppid": 116})

    def test_malformed_consoles_are_refused(self) -> None:
        wrong = {
            "cut off": CONSOLE.replace("BENCH-END complete\n", ""),
            "failed at the end": CONSOLE.replace("complete", "failed"),
            "failed within": "FAILED launch: no\n" + CONSOLE,
            "twice": "BENCH boot 1\n" + CONSOLE,
            "empty": "",
        }
        for what, text in wrong.items():
            with self.subTest(what), self.assertRaises(Unusable):
                read_console(text)

    def test_what_is_no_count_is_none(self) -> None:
        self.assertEqual(read_console("BENCH x -1\nBENCH y 1.5\nBENCH z\nBENCH a b 3\nBENCH-END complete\n"), {})

    def test_boots_that_differ_are_refused(self) -> None:
        prices.same({"a": 1}, {"a": 1}, "equal")
        for other in ({"a": 2}, {}, {"a": 1, "b": 1}):
            with self.subTest(other), self.assertRaises(Unusable):
                prices.same({"a": 1}, other, "unequal")

    def test_sizes(self) -> None:
        self.assertEqual(prices.read_size("text=10 data=20 bss=3 zimage=99\n"), 33)
        for text in ("", "text=10 data=20\n", "text=x data=1 bss=1"):
            with self.subTest(text), self.assertRaises(Unusable):
                prices.read_size(text)

    def test_symbols_of_the_abstraction_are_added_up(self) -> None:
        symbols = (
            "c0008000 00000010 t _RNvNtNtCs1_6kernel3lsm6object3new\n"
            "c0008010 00000100 T _RNvNtCs1_6kernel10securityfs3new\n"
            "c0008110 00001000 T _RNvNtCs1_6kernel4cred3new\n"
        )
        self.assertEqual(prices.abstraction_size(symbols), 0x110)
        self.assertEqual(prices.abstraction_size("c0008000 00000010 t start\n"), 0)
        with self.assertRaises(Unusable):
            prices.abstraction_size("no symbols\n")

    def test_code_is_told_apart_by_whose_it_is(self) -> None:
        symbols = (
            "c0000000 00000010 T _RNvNtC6driver3new\n"
            "c0000010 00000020 t _RNvXs_NtC6driver5probe\n"
            "c0000030 00000040 T _RINvC6kernel4wrapNtC6driver5ThingE\n"
            "c0000070 00000080 T _RINvC6kernel4callNCNvC6driver3use0E\n"
            "c0000070 00000080 T the_same_code_as_6driver\n"
            "c00000f0 00000100 T _RNvC6kernel5other\n"
            "c00001f0 00000200 B _RNvC6driver5DATA\n"
            "c00003f0 00000400 t twin_thing_probe\n"
            "c00007f0 00000800 t twin_another_probe\n"
            "c0000ff0 B a_symbol_without_a_size\n"
            "c0000ff0 00001000 t _RNCNvNtNtC6kernel7mailbox6client3newC6driver\n"
        )
        people = {
            "_RNvNtC6driver3new": "driver::new",
            "_RNvXs_NtC6driver5probe": "<driver::Thing as kernel::Driver>::probe",
            "_RINvC6kernel4wrapNtC6driver5ThingE": "kernel::wrap::<driver::Thing>",
            "_RINvC6kernel4callNCNvC6driver3use0E": "kernel::call::<driver::use::{closure#0}>",
            "_RNCNvNtNtC6kernel7mailbox6client3newC6driver": "<kernel::mailbox::client::Slot<driver::Message>>::new::{closure#0}",
        }

        def sizes(text: str) -> prices.Counts:
            return prices.code_sizes(text, lambda found: [people.get(name, name) for name in found], {"thing": "driver"})

        self.assertEqual(sizes(symbols), {"thing-c": 0x400, "thing-own": 0x10 + 0x20 + 0x80, "thing-all": 0xF0})
        for gone in ("twin_thing_probe", "6driver"):
            with self.subTest(gone), self.assertRaises(Unusable):
                sizes("\n".join(line for line in symbols.splitlines() if gone not in line))


class Pricing(unittest.TestCase):
    """From counts to rows."""

    def test_all_rows(self) -> None:
        now = price(measured())
        self.assertEqual(list(now), [row.key for row in ROWS])
        self.assertEqual(now["P11"], 1.005)
        self.assertEqual(now["P03"], 64536)
        self.assertEqual(now["P16"], 2000)
        self.assertEqual(now["P18"], 2000)

    def test_each_missing_count_is_refused(self) -> None:
        whole = measured()
        for name in whole.on:
            if name == "policy-bind":
                continue
            with self.subTest(name), self.assertRaises(Unusable):
                without = {key: value for key, value in whole.on.items() if key != name}
                if name == "policy-connect":
                    del without["policy-bind"]
                price(Measured(without, whole.off, whole.more))
        for name in whole.more:
            with self.subTest(name), self.assertRaises(Unusable):
                price(Measured(whole.on, whole.off, {key: value for key, value in whole.more.items() if key != name}))

    def test_nothing_counted_below_is_refused(self) -> None:
        whole = measured()
        with self.assertRaises(Unusable):
            price(Measured(whole.on, {**whole.off, "open-close": 0}, whole.more))

    def test_page_says_what_holds(self) -> None:
        page = prices.page(price(measured()), {"counted on": "a day"}, TOOLS)
        lines = {line.split(" | ")[0].lstrip("| "): line for line in page.splitlines() if line.startswith("| P")}
        self.assertIn("holds", lines["P11"])
        self.assertIn("**missed**", lines["P01"])
        self.assertIn("3,000,000 bytes", lines["P01"])
        self.assertIn("* counted on: a day", page)
        self.assertEqual(len(lines), len(ROWS))

    def test_page_has_a_part_for_each_board(self) -> None:
        chip = price(measured_on_the_chip(), CHIP_ROWS)
        alone = prices.page(price(measured()), {"counted on": "a day"}, TOOLS)
        both = prices.chip_page(chip, {"counted on": "another day"}, TOOLS, alone)
        lines = {line.split(" | ")[0].lstrip("| "): line for line in both.splitlines() if line.startswith("| P")}
        self.assertEqual(list(lines), [row.key for row in (*ROWS, *CHIP_ROWS)])
        self.assertIn("| 1.0400 | ≤ 1.05 | holds |", lines["P21"])
        self.assertIn("| 1.4000 | ≤ 1.3 | **missed** |", lines["P22"])
        self.assertIn("| 1,600 instructions | ≤ 6,000 | holds |", lines["P19"])
        self.assertIn("| 1.3000 | ≤ 1.25 | **missed** |", lines["P20"])
        # Each board writes its own part.
        self.assertEqual(prices.page(price(measured()), {"counted on": "a day"}, TOOLS, both), both)
        self.assertEqual(prices.chip_page(chip, {"counted on": "another day"}, TOOLS, both), both)

    def test_each_missing_count_of_the_chip_is_refused(self) -> None:
        whole = measured_on_the_chip()
        for name in whole.more:
            with self.subTest(name), self.assertRaises(Unusable):
                price(Measured({}, {}, {key: value for key, value in whole.more.items() if key != name}), CHIP_ROWS)


class Gate(unittest.TestCase):
    """What is too dear."""

    def test_equal_passes(self) -> None:
        now = price(measured())
        self.assertEqual(judge(now, now), [])

    def test_each_row_has_a_gate_that_closes(self) -> None:
        for rows, now in ((ROWS, price(measured())), (CHIP_ROWS, price(measured_on_the_chip(), CHIP_ROWS))):
            for row in rows:
                with self.subTest(row.key):
                    bound = row.bound(now[row.key])
                    self.assertGreater(bound, now[row.key])
                    self.assertEqual(judge({**now, row.key: bound}, now, rows), [])
                    problems = judge({**now, row.key: bound * 1.001}, now, rows)
                    self.assertEqual(len(problems), 1)
                    self.assertTrue(problems[0].startswith(row.key))

    def test_cheaper_passes(self) -> None:
        now = price(measured())
        self.assertEqual(judge({key: value / 2 for key, value in now.items()}, now), [])

    def test_missing_and_unknown_rows_are_told(self) -> None:
        now = price(measured())
        self.assertEqual(len(judge(now, {key: value for key, value in now.items() if key != "P11"})), 1)
        self.assertEqual(len(judge(now, {**now, "P99": 1})), 1)

    def test_malformed_baselines_are_refused(self) -> None:
        for text in ("", "[]", "{}", '{"tools": {}}', '{"tools": [], "prices": {}}', '{"tools": {}, "prices": {"P01": "1"}}',
                     '{"tools": {"QEMU": 7}, "prices": {}}', '{"tools": {}, "prices": {"P01": true}}'):  # fmt: skip
            with self.subTest(text), self.assertRaises(Unusable):
                load_baseline(text)


class Concluding(unittest.TestCase):
    """The exit code."""

    def conclude(self, baseline: str | None, *, renew: bool = False, tools: dict[str, str] | None = None) -> tuple[int, str, str]:
        before = measure.BASELINE
        with tempfile.TemporaryDirectory() as directory:
            measure.BASELINE = Path(directory) / "baseline.json"
            try:
                if baseline is not None:
                    measure.BASELINE.write_text(baseline)
                output, errors = io.StringIO(), io.StringIO()
                with redirect_stdout(output), redirect_stderr(errors):
                    code = measure.conclude(price(measured()), tools or TOOLS, renew)
                kept = measure.BASELINE.read_text() if measure.BASELINE.exists() else ""
                return code, errors.getvalue(), kept
            finally:
                measure.BASELINE = before

    def baseline(self, **changed: float) -> str:
        return json.dumps({"tools": TOOLS, "prices": {**price(measured()), **changed}})

    def test_equal_baseline(self) -> None:
        self.assertEqual(self.conclude(self.baseline())[0], 0)

    def test_doctored_baseline_fails(self) -> None:
        code, errors, _ = self.conclude(self.baseline(P15=900))
        self.assertEqual(code, 1)
        self.assertIn("P15", errors)

    def test_other_tools_ask_for_a_new_baseline(self) -> None:
        code, errors, _ = self.conclude(self.baseline(), tools={**TOOLS, "QEMU": "8"})
        self.assertEqual(code, 2)
        self.assertIn("make bench BASELINE=1", errors)
        self.assertIn("QEMU: 8, baseline 7", errors)

    def test_no_baseline(self) -> None:
        with self.assertRaises(Unusable):
            self.conclude(None)

    def test_renewed_baseline_is_accepted_at_once(self) -> None:
        code, _, kept = self.conclude("rubbish", renew=True)
        self.assertEqual(code, 0)
        self.assertEqual(self.conclude(kept)[0], 0)


class FileSystem(unittest.TestCase):
    """The flash."""

    def nodes(self, image: bytes) -> list[tuple[int, bytes]]:
        """All nodes, found as the kernel finds them."""
        found = []
        for block in range(0, len(image), ERASE_BLOCK):
            place = block
            while place < block + ERASE_BLOCK and image[place : place + 2] == b"\x85\x19":
                kind = int.from_bytes(image[place + 2 : place + 4], "little")
                length = int.from_bytes(image[place + 4 : place + 8], "little")
                node = image[place : place + length]
                self.assertEqual(jffs2.crc(node[:8]), int.from_bytes(node[8:12], "little"))
                self.assertLessEqual(place + length, block + ERASE_BLOCK)
                found.append((kind, node))
                place += (length + 3) & ~3
        return found

    def test_content_comes_back(self) -> None:
        content = bytes(range(256)) * 2000
        image = jffs2.image([jffs2.Entry("/d", 0o700, None, 1, 2), jffs2.Entry("/d/f", 0o755, content)], 4 * ERASE_BLOCK)
        self.assertEqual(len(image), 4 * ERASE_BLOCK)
        read = bytearray(len(content))
        for kind, node in self.nodes(image):
            if kind == jffs2.INODE:
                self.assertEqual(jffs2.crc(node[:60]), int.from_bytes(node[64:68], "little"))
                self.assertEqual(jffs2.crc(node[68:]), int.from_bytes(node[60:64], "little"))
                offset = int.from_bytes(node[44:48], "little")
                read[offset : offset + len(node) - 68] = node[68:]
        self.assertEqual(read, content)
        names = [node[40:] for kind, node in self.nodes(image) if kind == jffs2.DIRENT]
        self.assertEqual(names, [b"d", b"f"])

    def test_what_cannot_be_is_refused(self) -> None:
        file = jffs2.Entry("/f", 0o644, b"")
        wrong = {
            "no parent": [jffs2.Entry("/a/b", 0o644, b"")],
            "file as parent": [file, jffs2.Entry("/f/g", 0o644, b"")],
            "twice": [jffs2.Entry("/d", 0o755), jffs2.Entry("/d", 0o755)],
            "twice, a file": [file, file],
            "long name": [jffs2.Entry("/" + "x" * 256, 0o644, b"")],
            "too large": [jffs2.Entry("/f", 0o644, b"x" * 2 * ERASE_BLOCK)],
        }
        for what, entries in wrong.items():
            with self.subTest(what), self.assertRaises(ValueError):
                jffs2.image(entries, 2 * ERASE_BLOCK)
        with self.assertRaises(ValueError):
            jffs2.image([], ERASE_BLOCK + 1)


if __name__ == "__main__":
    unittest.main()
