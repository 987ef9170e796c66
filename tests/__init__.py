"""Every test. ``make test`` discovers them here, and runs the modules side by side."""

from __future__ import annotations

import os
import signal
import unittest
from collections.abc import Iterator

from tests.side_by_side import SideBySide

# What takes longest begins first.
FIRST = ("tests.live.test_service", "tests.live", "tests.delivery.test_once", "tests.test_fuzz")
# A module is a suite of classes, which are suites of tests.
MODULE = 2


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    # A shell's job in the background ignores Ctrl-C, and so would every program that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    here = os.path.dirname(os.path.abspath(__file__))
    return SideBySide(modules(loader.discover(here, pattern or "test*.py", os.path.dirname(here))), FIRST)


def modules(suite: unittest.TestSuite) -> Iterator[unittest.TestSuite]:
    """The suites of modules in *suite*, out of those of packages too."""
    for each in suite:
        assert isinstance(each, unittest.TestSuite)
        if depth(each) > MODULE:
            yield from modules(each)
        else:
            yield each


def depth(suite: unittest.TestSuite) -> int:
    return 1 + max((depth(each) for each in suite if isinstance(each, unittest.TestSuite)), default=0)
