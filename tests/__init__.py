"""Every test. ``make test`` discovers them here, and runs the modules side by side."""

from __future__ import annotations

import os
import signal
import unittest

from tests.side_by_side import SideBySide

# What takes longest begins first.
FIRST = ("tests.live", "tests.delivery.test_once", "tests.test_fuzz")


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    # A shell's job in the background ignores Ctrl-C, and so would every program that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    here = os.path.dirname(os.path.abspath(__file__))
    return SideBySide(loader.discover(here, pattern or "test*.py", os.path.dirname(here)), FIRST)
