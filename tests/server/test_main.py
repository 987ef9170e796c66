"""The command around any application."""

from __future__ import annotations

import logging
import unittest

from tests.server.programs import ProgramCase, get, pid_of
from weixin.server.__main__ import _Formatter, load


class Load(unittest.TestCase):
    def test_names(self) -> None:
        import os.path

        self.assertIs(load("os.path:join"), os.path.join)
        self.assertIs(load("os:path.join"), os.path.join)
        from tests.server.apps import application

        self.assertIs(load("tests.server.apps"), application)

    def test_what_cannot_be_loaded(self) -> None:
        cases = (("no_such:a", ImportError), ("os:nothing", AttributeError), ("os:sep", TypeError))
        for name, error in cases:
            with self.subTest(name), self.assertRaises(error):
                load(name)


class Lines(unittest.TestCase):
    def test_a_path_that_a_stranger_chose_is_no_line_of_its_own(self) -> None:
        fields = {"path": "/a\n2026 ERROR forged", "status": 500}
        record = logging.makeLogRecord({"msg": "app-raised", "fields": fields})
        line = _Formatter().format(record)
        self.assertTrue(line.endswith(r" app-raised path='/a\n2026 ERROR forged' status=500"), line)


class Command(ProgramCase):
    def test_several_addresses_and_an_access_log(self) -> None:
        path = self.folder() + "/s"
        program = self.start("--listen", "unix:" + path, "--access-log")
        address = program.address()
        self.assertEqual(pid_of(get(address)), pid_of(get(path)))

    def test_lowered_limits_are_told(self) -> None:
        limit = "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (200, 200))"
        program = self.start(before=limit)
        program.address()
        self.assertTrue(program.has_said(r"lowered .*name=connections wanted=10000 allowed=16"), program.said)


if __name__ == "__main__":
    unittest.main()
