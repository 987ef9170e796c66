"""Tests that start other programs: Nginx, a booted systemd, other servers. ``TEST_LIVE=no`` leaves them out."""

from __future__ import annotations

import os
import unittest


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    if os.environ.get("TEST_LIVE") == "no":
        return unittest.TestSuite()
    here = os.path.dirname(os.path.abspath(__file__))
    tests.addTests(loader.discover(here, pattern or "test*.py", os.path.dirname(os.path.dirname(here))))
    return tests
