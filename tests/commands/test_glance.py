"""A plain command line is read without argparse, and read the same."""

from __future__ import annotations

import argparse
import contextlib
import io
import unittest
from unittest import mock

from weixin import commands
from weixin.commands.glance import glance


def by_argparse(argv: list[str]) -> dict[str, object] | int:
    """What a whole parser makes of *argv*, but for the settings that nobody gave; or the exit status."""
    seen: list[commands.Call] = []
    fake = argparse.Namespace(run=lambda call: seen.append(call) or 0, configure=commands.add_settings)
    silent = contextlib.redirect_stderr(io.StringIO())
    with mock.patch.object(commands, "glance", lambda argv: None), silent:
        with mock.patch.object(commands, "_module", lambda name: fake):
            try:
                status = commands.main(argv)
            except SystemExit as refused:
                return int(str(refused.code))
    if not seen:
        return status
    (call,) = seen
    assert call.flags == {}
    return {name: value for name, value in vars(call.options).items() if not name.startswith("set_")}


class Glance(unittest.TestCase):
    def test_it_reads_what_argparse_reads(self) -> None:
        for words in ("", "run", "-c a.ini", "run -c a.ini", "run --config a.ini", "--config a/b.ini"):
            with self.subTest(words):
                options = glance(words.split())
                self.assertIsNotNone(options)
                self.assertEqual(vars(options), by_argparse(words.split()))

    def test_the_rest_is_left_to_argparse(self) -> None:
        cases: tuple[tuple[str, ...], ...] = (
            ("check",), ("-c", "a.ini", "check"), ("-c",), ("-c", ""), ("-c", "-v"), ("run", "-c"), ("run", "run"),
            ("-c", "a.ini", "run"), ("-h",), ("run", "-h"), ("--listen", "x"), ("-c=a.ini",), ("-ca.ini",), ("",),
            ("--config=a.ini",), ("--conf", "a.ini"), ("-c", "a.ini", "-q"), ("run", "-c", "a.ini", "-c", "b.ini"),
        )  # fmt: skip
        for words in cases:
            with self.subTest(words):
                self.assertIsNone(glance(words))


if __name__ == "__main__":
    unittest.main()
