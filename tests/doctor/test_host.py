"""The unit's state as systemd tells it, and a disk that cannot be written."""

from __future__ import annotations

import os
import tempfile
import time
import unittest
from typing import Any
from unittest import mock

from weixin import texts
from weixin.doctor import host

from . import sites

RUNNING = {
    "service.LoadState": "loaded",
    "service.ActiveState": "active",
    "service.SubState": "running",
    "service.Result": "success",
    "service.NRestarts": "0",
    "service.MainPID": "812",
    "service.ActiveEnterTimestamp": "Mon 2026-03-02 08:00:00 CST",
    "service.ExecMainStatus": "0",
    "socket.ActiveState": "active",
}


class Unit(unittest.TestCase):
    def found(self, **changed: str) -> list[tuple[str, str]]:
        state = {**RUNNING, **{name.replace("_", "."): value for name, value in changed.items()}}
        told = ";".join(f"{name}={value}" for name, value in state.items())
        found = sites.problems(sites.visit(url="", environ={"UNIT_STATE": told}), "unit")
        for problem in found:
            for lang in texts.LANGUAGES:
                self.assertNotIn("{", "".join(texts.explain(problem.code, lang, problem.values)))
        return [(problem.code, problem.values["reason"]) for problem in found]

    def test_a_running_one(self) -> None:
        self.assertEqual(self.found(), [])

    def test_one_that_waits_for_its_first_request(self) -> None:
        self.assertEqual(self.found(service_ActiveState="inactive", service_SubState="dead"), [])

    def test_troubles(self) -> None:
        cases: list[tuple[dict[str, str], str]] = [
            ({"socket_ActiveState": "inactive"}, "unit-socket"),
            ({"service_ActiveState": "failed", "service_Result": "exit-code"}, "unit-failed"),
            ({"service_SubState": "auto-restart", "service_ExecMainStatus": "78"}, "unit-failed"),
            ({"service_ActiveState": "activating", "service_NRestarts": "2"}, "unit-restarts"),
            ({"service_NRestarts": "7", **self.up(3)}, "unit-restarts"),
        ]
        for changed, reason in cases:
            with self.subTest(reason):
                self.assertEqual(self.found(**changed), [("WX-OPS-01", reason)])

    def test_one_that_was_mended_and_has_run_ever_since(self) -> None:
        self.assertEqual(self.found(service_NRestarts="7", **self.up(15)), [])
        self.assertEqual(self.found(service_ActiveState="activating", service_SubState="start"), [], "its first start")

    def up(self, seconds: float) -> dict[str, str]:
        return {"service_ActiveEnterTimestampMonotonic": str(int((time.monotonic() - seconds) * 1e6))}

    def test_nothing_is_said_where_it_is_not_installed(self) -> None:
        self.assertEqual(self.found(service_LoadState="not-found"), [])


class Disk(unittest.TestCase):
    def found(self, folder: str) -> list[tuple[str, Any]]:
        found = sites.problems(sites.visit(url="", environ={"STATE_DIRECTORY": folder}), "disk")
        return [(problem.code, problem.values["reason"]) for problem in found]

    def test_room_enough(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(host, "FREE_BYTES", 1):
            self.assertEqual(self.found(folder), [])

    def test_a_full_one(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(host, "FREE_BYTES", 1 << 80):
            self.assertEqual(self.found(folder), [("WX-OPS-02", "disk-full")])

    def test_a_folder_that_is_not_there(self) -> None:
        self.assertEqual(self.found("/nonexistent/state"), [("WX-OPS-02", "disk-unreadable")])

    def test_a_read_only_one(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            usual = os.statvfs(folder)
            mounted = os.statvfs_result((*usual[:8], usual.f_flag | os.ST_RDONLY, usual.f_namemax))
            with mock.patch.object(os, "statvfs", return_value=mounted):
                self.assertEqual(self.found(folder), [("WX-OPS-02", "disk-read-only")])

    def test_the_disk_is_the_store_s(self) -> None:
        settings = sites.settings(store="sqlite:/nonexistent/state/wxserve.db")
        found = sites.problems(sites.visit(url="", environ={}, settings=settings), "disk")
        self.assertEqual([problem.values["folder"] for problem in found], ["/nonexistent/state"])
