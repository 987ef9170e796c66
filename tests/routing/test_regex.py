"""Expressions that would freeze the process, and those that would not."""

from __future__ import annotations

import os
import re
import unittest
from pathlib import Path
from unittest import mock

from weixin.routing import regex
from weixin.routing.rules import REGEX_SEEN

DANGEROUS = [r"(a+)+$", r"(a|aa)+$", r"(\d+)*x", r"^(\w+\s?)*$", r'([^"]*)*"', r"(.*a){20}", r"(查|查询|询)*\?$"]
HARMLESS = [
    "", "你好", r"^查(?P<no>\d{6,})$", r"^天气\s*(?P<city>\S+)$", r".*", r"\s+$", r"(\d{3,4}-)?\d{7,8}", r"1[3-9]\d{9}",
    r"[\w.+-]+@[\w-]+\.[\w.-]+", r"https?://\S+", r"(a|b|c)+", r"^(?:你好|hi|hello)[!！。]*$", r"(\w+)\s+(\w+)",
    r"(?P<q>['\"]).*?(?P=q)", r"^\s*(.+?)\s*[:：]\s*(.+?)\s*$", r"(?<=订单)\d+", r"a{100000}", r"(?i)order\s*(\d+)",
    r"(?:)*", r"(a)?(?(1)b|c)", r"[^\d\s][^a]", r"(?!x)\D\W\S",
]  # fmt: skip


class Dangerous(unittest.TestCase):
    def test_what_explodes_is_found_and_what_does_not_is_left_alone(self) -> None:
        bad = [re.compile(pattern) for pattern in DANGEROUS]
        good = [re.compile(pattern) for pattern in HARMLESS]
        found = regex.dangerous([*good[:5], *bad, *good[5:]])
        self.assertEqual([pattern.pattern for pattern, _ in found], DANGEROUS)
        for _, seconds in found:
            self.assertTrue(seconds is None or seconds > regex.LIMIT)

    @unittest.skipUnless(os.path.isdir("/proc/self"), "needs /proc")
    def test_the_process_that_does_it_has_none_of_our_secrets(self) -> None:
        with mock.patch.dict(os.environ, WXSERVE_TOKEN="GreedIsGood", LANG="C"):
            child = regex._start()
        self.addCleanup(regex._stop, child)
        regex._time(child, re.compile("a"))  # it has begun
        environ = Path(f"/proc/{child.pid}/environ").read_bytes().split(b"\0")
        self.assertIn(b"LANG=C", environ)
        self.assertEqual([entry for entry in environ if entry.startswith(b"WXSERVE_")], [])

    def test_nothing_to_look_at_starts_nothing(self) -> None:
        self.assertEqual(regex.dangerous([]), [])

    def test_flags_count(self) -> None:
        verbose = re.compile("( a + ) + $", re.VERBOSE | re.IGNORECASE)
        self.assertEqual(len(regex.dangerous([verbose])), 1)


class Nasty(unittest.TestCase):
    def test_strings_are_as_long_as_what_an_expression_is_shown(self) -> None:
        for pattern in (*DANGEROUS, *HARMLESS):
            with self.subTest(pattern):
                strings = regex.nasty(re.compile(pattern))
                self.assertLessEqual(len(strings), regex.MAX_STRINGS)
                self.assertTrue(all(len(each) <= REGEX_SEEN for each in strings))

    def test_they_repeat_what_the_expression_repeats(self) -> None:
        for pattern, pump in ((r"x(ab)+y", "x" + "ab" * 90), (r"(\d+)*x", "0" * 180), (r'([^"]*)*"', "a" * 180)):
            with self.subTest(pattern):
                self.assertTrue(any(each.startswith(pump) for each in regex.nasty(re.compile(pattern))))


if __name__ == "__main__":
    unittest.main()
