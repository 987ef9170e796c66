"""Heads of answers: what an app may say, and what becomes of it."""

from __future__ import annotations

import re
import unittest
from pathlib import Path
from unittest import mock

from weixin import server
from weixin.server.answer import (
    CLOSE,
    KEEP,
    REMEMBERED_HEADS,
    AnswerError,
    AnswerHead,
    AnswerHeads,
    DateLine,
    error_answer,
    http_date,
)


class Checks(unittest.TestCase):
    BAD_STATUS = (
        "", "200", "20 OK", "2000 OK", " 200 OK", "OK", "100 Continue", "200 O\rK", "200 \nK", "٢٠٠ OK",
    )  # fmt: skip
    BAD_FIELDS = (
        ("", "a"), ("A B", "a"), ("A:", "a"), ("A\r\nB", "a"), ("Ä", "a"),
        ("A", "b\r\nC: d"), ("A", "b\n"), ("A", "b\r"), ("A", "b\x00"), ("A", "\x7f"),
        ("Connection", "close"), ("Transfer-Encoding", "chunked"), ("keep-alive", "1"), ("Upgrade", "x"),
        ("Content-Length", "-1"), ("Content-Length", "1 "), ("Content-Length", "²"), ("Content-Length", ""),
    )  # fmt: skip

    def test_status(self) -> None:
        for status in self.BAD_STATUS:
            with self.subTest(status=status), self.assertRaises(AnswerError):
                AnswerHead(status, [])
        with self.assertRaises(AnswerError):
            AnswerHead(200, [])  # type: ignore[arg-type]
        self.assertEqual(AnswerHead("404 Not Found", []).status, 404)
        self.assertEqual(AnswerHead("299 ", []).status, 299)

    def test_fields(self) -> None:
        for field in self.BAD_FIELDS:
            with self.subTest(field=field), self.assertRaises(AnswerError):
                AnswerHead("200 OK", [field])

    def test_things_that_are_not_pairs_of_strings(self) -> None:
        heads = AnswerHeads()
        for field in (("A", b"b"), ("A", 1), (b"A", "b"), ["A", "b"]):
            with self.subTest(field=field), self.assertRaises(AnswerError):
                heads.make("200 OK", [field])  # type: ignore[list-item]

    def test_one_content_length(self) -> None:
        with self.assertRaises(AnswerError):
            AnswerHead("200 OK", [("Content-Length", "1"), ("content-length", "1")])

    def test_what_is_not_latin1(self) -> None:
        with self.assertRaises(AnswerError):
            AnswerHead("200 OK", [("A", "你")]).encode("", 0, CLOSE)


class Encoding(unittest.TestCase):
    DATE = "Date: today\r\n"

    def test_order_and_ends(self) -> None:
        head = AnswerHead("200 OK", [("A", "b"), ("Content-Length", "9"), ("C", "d")])
        self.assertEqual(
            head.encode(self.DATE, 5, KEEP),
            b"HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\nDate: today\r\nContent-Length: 5\r\n\r\n",
        )

    def test_what_is_remembered_is_what_was_asked_for(self) -> None:
        head = AnswerHead("200 OK", [])
        asked = [(self.DATE, 5, KEEP), ("Date: tomorrow\r\n", 5, KEEP), (self.DATE, 6, KEEP), (self.DATE, 5, CLOSE)]
        for first in asked:
            for second in asked:
                head.encode(*first)
                with self.subTest(first=first, second=second):
                    self.assertEqual(head.encode(*second), AnswerHead("200 OK", []).encode(*second))

    def test_the_apps_date_wins(self) -> None:
        head = AnswerHead("200 OK", [("date", "x")])
        self.assertNotIn(b"today", head.encode(self.DATE, None, CLOSE))

    def test_204_has_no_length(self) -> None:
        self.assertNotIn(b"Content-Length", AnswerHead("204 No", []).encode(self.DATE, 0, KEEP))

    def test_an_error_of_ours(self) -> None:
        answer = error_answer(503, self.DATE)
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n"))
        self.assertIn(b"\r\nRetry-After: 1\r\n", answer)
        end = b"Content-Length: 20\r\nConnection: close\r\n\r\nService Unavailable\n"
        self.assertTrue(answer.endswith(end))
        self.assertTrue(error_answer(400, self.DATE, bare=True).endswith(b"\r\n\r\n"))


    def test_whatever_the_server_refuses_with_has_a_name(self) -> None:
        form = r"(?:HTTPError|refuse|_note_refusal|error_answer)\((?:\w+, )?([1-5][0-9]{2})\b"
        sources = "".join(path.read_text(encoding="utf-8") for path in Path(server.__file__).parent.glob("*.py"))
        statuses = {int(status) for status in re.findall(form, sources)}
        self.assertLessEqual({400, 408, 413, 431, 500, 503}, statuses)
        for status in statuses:
            with self.subTest(status):
                self.assertRegex(error_answer(status, self.DATE), rb"^HTTP/1\.1 %d [A-Z]" % status)


class Memory(unittest.TestCase):
    def test_of_heads_is_bounded_and_exact(self) -> None:
        heads = AnswerHeads()
        self.assertIs(heads.make("200 OK", [("A", "b")]), heads.make("200 OK", [("A", "b")]))
        self.assertIsNot(heads.make("200 OK", [("A", "b")]), heads.make("200 OK", [("A", "c")]))
        for number in range(REMEMBERED_HEADS * 3):
            heads.make("200 OK", [("A", str(number))])
            self.assertLessEqual(len(heads._seen), REMEMBERED_HEADS)


class Date(unittest.TestCase):
    def test_is_an_imf_fixdate(self) -> None:
        self.assertEqual(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT")

    def test_changes_with_the_second_whichever_way_the_clock_goes(self) -> None:
        line = DateLine()
        self.assertEqual(line.at(784111777.9), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
        self.assertEqual(line.at(784111778.0), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n")
        self.assertEqual(line.at(784111777.0), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")

    def test_is_right_for_a_thread_that_asks_while_another_makes_it(self) -> None:
        line = DateLine()
        line.at(784111777)
        others: list[str] = []

        def interrupted(when: float) -> str:
            if not others:
                others.append("")
                others[0] = line.at(when)
            return http_date(when)

        with mock.patch("weixin.server.answer.http_date", interrupted):
            self.assertEqual(line.at(784115377), "Date: Sun, 06 Nov 1994 09:49:37 GMT\r\n")
        self.assertEqual(others, ["Date: Sun, 06 Nov 1994 09:49:37 GMT\r\n"])


if __name__ == "__main__":
    unittest.main()
