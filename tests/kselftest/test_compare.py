# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Reading and comparing the results of the kernel's tests."""

import unittest

from counted import without
from results import Status
from suites.kselftest import Difference, compare, listed, read

CONSOLE = """\
booting
ok 1 before the first program
# begin a/one
TAP version 13
1..5
#            OK  global.works
ok 1 global.works
not ok 2 global.fails
ok 3 global.skips # SKIP no such thing
ok 4 # SKIP nameless
ok 5 a name - with words # XFAIL known
ok 6 global.works

# end a/one exit=1
ok 9 between two programs
# begin a/two
PASS
# end a/one exit=0

# end a/two signal=6
# begin b/cut-off
ok 1 first
"""

ENTRY = '[[difference]]\ntest = "a/one/t"\noff = "ok"\non = "not ok"\nreason = "Because."\n'


class Reading(unittest.TestCase):
    """What a console shows."""

    def test_all_kinds_of_lines(self) -> None:
        self.assertEqual(
            read(CONSOLE),
            {
                "a/one/global.works": "ok",
                "a/one/global.fails": "not ok",
                "a/one/global.skips": "skip",
                "a/one/4": "skip",
                "a/one/a name - with words": "xfail",
                "a/one/global.works#6": "ok",
                "a/one": "ended",
                "a/two": "signal=6",
                "b/cut-off/first": "ok",
            },
        )

    def test_carriage_returns_do_not_count(self) -> None:
        self.assertEqual(read(CONSOLE.replace("\n", "\r\n")), read(CONSOLE))

    def test_nothing_is_nothing(self) -> None:
        self.assertEqual(read(""), {})


class Comparing(unittest.TestCase):
    """What is accepted, and what is not."""

    known = {"a/one/t": Difference("a/one/t", "ok", "not ok", "Because.")}

    def verdicts(self, off: dict[str, str], on: dict[str, str], known: dict[str, Difference]) -> dict[str, bool]:
        return {result.name: result.status is Status.PASSED for result in compare(off, on, known)}

    def test_equal_is_accepted(self) -> None:
        self.assertEqual(self.verdicts({"a/one/t": "ok"}, {"a/one/t": "ok"}, {}), {"kselftest/a/one": True})

    def test_unlisted_difference_fails(self) -> None:
        self.assertEqual(self.verdicts({"a/one/t": "ok"}, {"a/one/t": "not ok"}, {}), {"kselftest/a/one": False})

    def test_missing_test_fails(self) -> None:
        self.assertEqual(self.verdicts({"a/one/t": "ok"}, {}, {}), {"kselftest/a/one": False})

    def test_new_test_fails(self) -> None:
        self.assertEqual(self.verdicts({}, {"a/one/t": "ok"}, {}), {"kselftest/a/one": False})

    def test_listed_difference_is_accepted(self) -> None:
        self.assertEqual(self.verdicts({"a/one/t": "ok"}, {"a/one/t": "not ok"}, self.known), {"kselftest/a/one": True})

    def test_listed_difference_that_does_not_occur_fails(self) -> None:
        self.assertEqual(self.verdicts({"a/one/t": "ok"}, {"a/one/t": "ok"}, self.known), {"kselftest/a/one": False})

    def test_listed_test_that_is_gone_fails(self) -> None:
        self.assertEqual(self.verdicts({}, {}, self.known), {"kselftest/a/one": False})

    def test_other_difference_than_listed_fails(self) -> None:
        self.assertEqual(self.verdicts({"a/one/t": "ok"}, {"a/one/t": "skip"}, self.known), {"kselftest/a/one": False})

    def test_one_program_does_not_stain_another(self) -> None:
        verdicts = self.verdicts({"a/one/t": "ok", "a/two": "exit=0"}, {"a/one/t": "skip", "a/two": "exit=0"}, {})
        self.assertEqual(verdicts, {"kselftest/a/one": False, "kselftest/a/two": True})


class Listing(unittest.TestCase):
    """differences.toml."""

    def test_entry(self) -> None:
        self.assertEqual(listed(ENTRY, "debug"), {"a/one/t": Difference("a/one/t", "ok", "not ok", "Because.")})

    def test_entry_of_another_kernel(self) -> None:
        self.assertEqual(listed(ENTRY + 'kernel = "shipping"\n', "debug"), {})
        self.assertEqual(len(listed(ENTRY + 'kernel = "debug"\n', "debug")), 1)

    def test_what_is_wrong_is_refused(self) -> None:
        wrong = {
            "no reason": ENTRY.replace('reason = "Because."\n', ""),
            "empty reason": ENTRY.replace("Because.", " "),
            "unknown key": ENTRY + 'why = "x"\n',
            "unknown table": '[[differences]]\ntest = "x"\n',
            "unknown kernel": ENTRY + 'kernel = "kasan"\n',
            "no difference": ENTRY.replace('"not ok"', '"ok"'),
            "twice": ENTRY + ENTRY,
            "number": ENTRY.replace('"ok"', "1"),
        }
        for what, text in wrong.items():
            with self.subTest(what), self.assertRaises(ValueError):
                listed(text, "debug")


class Machine(unittest.TestCase):
    """The command line of a board that counts."""

    def test_what_comes_from_outside_is_left_out(self) -> None:
        words = ["qemu", "-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n", "-m", "64", "-device", "disk,user,"]
        self.assertEqual(without(words, ("user,", "virtio-net-device,")), ["qemu", "-m", "64", "-device", "disk,user,"])


if __name__ == "__main__":
    unittest.main()
