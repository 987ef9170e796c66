"""What is written of requests, and what is folded."""

from __future__ import annotations

import os
import tempfile
import threading
import unittest
from collections.abc import Callable
from typing import Any

from tests.server.running import PATIENCE, ServerCase, hello, statuses, wait_for
from weixin.server.accesslog import ENTRIES_MAX, AccessLog, Entry, line_writer


def entry(path: str = "/a", status: int = 200, method: str = "GET") -> Entry:
    return Entry(0.0, "1.2.3.4", method, path, status, 5, 0.0012)


class Folding(unittest.TestCase):
    def setUp(self) -> None:
        self.written: list[Entry] = []
        self.log = AccessLog(self.written.extend)

    def test_answers_are_written_in_one_batch_and_scanners_in_one_line(self) -> None:
        env = ("/.env", 404)
        for path, status in (("/a", 200), env, ("/b", 500), env, ("/wp", 404), ("", 400), ("/c", 403)):
            self.log.note(tuple(entry(path, status, "GET" if path else "")))
        self.log.flush()
        self.assertEqual([item.path for item in self.written], ["/a", "/b", "/c"])
        with self.assertLogs("wxserve.server", "INFO") as logs:
            self.log.flush(last=True)
        fields: dict[str, Any] = logs.records[0].fields  # type: ignore[attr-defined]
        self.assertEqual(logs.records[0].getMessage(), "scanners")
        self.assertEqual((fields["count"], fields["top"]), (4, "GET /.env"))
        self.assertRegex(fields["window"], r"^\d+s$")

    def test_the_folded_line_waits_for_its_minute(self) -> None:
        self.log.note(tuple(entry(status=404)))
        with self.assertNoLogs():
            self.log.flush()

    def assertNoLogs(self) -> Any:  # type: ignore[override]  # new in 3.10
        return _Silence(self)

    def test_it_cannot_grow_without_end(self) -> None:
        for _ in range(ENTRIES_MAX + 10):
            self.log.note(tuple(entry()))
        self.log.flush()
        self.assertEqual(len(self.written), ENTRIES_MAX)


class _Silence:
    """Fails when anything is logged."""

    def __init__(self, case: unittest.TestCase) -> None:
        self._case = case

    def __enter__(self) -> None:
        self._context = self._case.assertLogs("wxserve.server")
        self._logs = self._context.__enter__()

    def __exit__(self, *error: object) -> None:
        self._case.assertEqual(self._logs.records, [])
        try:
            self._context.__exit__(None, None, None)
        except AssertionError:
            pass  # it wanted a line, and there is none


class Lines(unittest.TestCase):
    def test_a_strangers_path_cannot_forge_a_line(self) -> None:
        with tempfile.TemporaryFile("w+") as stream:
            line_writer(stream)([entry("/a\n2020 forged"), entry("/b" * 100)])
            stream.seek(0)
            lines = stream.read().splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn("ip=1.2.3.4 method=GET path='/a\\n2020 forged' status=200 bytes=5 ms=1.2", lines[0])
        self.assertLess(len(lines[1]), 250)

    def test_a_reader_that_stands_still_costs_lines_and_not_the_writer(self) -> None:
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        with open(writing, "w", encoding="utf-8") as stream:
            write = line_writer(stream)
            many = [entry("/\xe9" * 100)._replace(method="A" * 8000)] * 1000
            thread = threading.Thread(target=write, args=(many,))
            thread.start()
            thread.join(PATIENCE)
            waits = thread.is_alive()
            while thread.is_alive():
                os.read(reading, 1 << 20)
            self.assertFalse(waits)
            os.read(reading, 1 << 20)
            write([entry("/again")])
            self.assertIn(b"/again", os.read(reading, 1 << 20))


class Served(ServerCase):
    def test_requests_leave_their_line_without_the_query(self) -> None:
        batches: list[Entry] = []

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            if environ["PATH_INFO"] == "/gone":
                environ["wxserve.drop"]()
            return hello(environ, start_response)

        running = self.start(app, access=batches.extend)
        head = b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        self.assertEqual(statuses(self.talk(running, b"GET /a?secret=1" + head)), [200])
        self.talk(running, b"GET /gone" + head)
        wait_for(lambda: len(batches) == 2)
        self.assertEqual([(item.client, item.method, item.path, item.status) for item in batches],
                         [("127.0.0.1", "GET", "/a", 200), ("127.0.0.1", "GET", "/gone", 0)])  # fmt: skip
        self.assertEqual(batches[0].length, len("GET /a "))


if __name__ == "__main__":
    unittest.main()
