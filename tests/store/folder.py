"""A store in a folder that goes with the test, and its spare files with it."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest
from collections.abc import Callable
from typing import Any

from tests.waiting import until
from weixin.store.sqlite import SQLite

from .contract import Clock


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        whole = tempfile.mkdtemp(prefix="wxserve-test-")
        self.addCleanup(shutil.rmtree, whole, ignore_errors=True)
        self.addCleanup(setattr, tempfile, "tempdir", tempfile.tempdir)
        self.folder, tempfile.tempdir = os.path.join(whole, "store"), os.path.join(whole, "tmp")
        os.mkdir(self.folder)
        os.mkdir(tempfile.tempdir)
        self.path = os.path.join(self.folder, "store.db")
        self.clock = Clock()

    def open(self, **options: Any) -> SQLite:
        store = SQLite(self.path, clock=self.clock, **options)
        self.addCleanup(store.close)
        return store

    def until(self, holds: Callable[[], Any]) -> Any:
        """Wait for what another thread or process does in its own time; what *holds* then said."""
        return until(holds, 20.0)
