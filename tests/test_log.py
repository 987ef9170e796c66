"""Log lines: their form, what is masked, what is folded, and that nothing waits for ever."""

from __future__ import annotations

import io
import json
import logging
import os
import tempfile
import threading
import unittest
from unittest import mock

from weixin import log

LINE = log.Line(0.25, logging.INFO, "delivery", {"d": "8f5", "user": "oGxAbCdEf3k", "text": "讲个故事", "by": ""}, "")


class Form(unittest.TestCase):
    def test_a_line_is_words_then_keys_in_a_fixed_order(self) -> None:
        text = log.render(LINE, log.Style())
        self.assertRegex(text, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.250[+-]\d\d:\d\d INFO  delivery ")
        self.assertTrue(text.endswith(" d=8f5 user=oGx…3k text=讲个故事"), text)

    def test_values_are_quoted_where_a_reader_would_stumble(self) -> None:
        cases = {
            "plain": "plain",
            "two words": '"two words"',
            'a"b': '"a\\"b"',
            "a=b": '"a=b"',
            "a\\b": "a\\b",
            "a \\b": '"a \\\\b"',
            "line\nline": '"line\\nline"',
            "\u202egnp.exe": '"\\u202egnp.exe"',
            "\x1b[31mred": '"\\u001b[31mred"',
        }
        for value, shown in cases.items():
            with self.subTest(value):
                line = log.Line(0, logging.INFO, "x", {"v": value})
                self.assertTrue(log.render(line, log.Style(journal=True)).endswith(f"v={shown}"))

    def test_content_and_openid_show_what_the_style_allows(self) -> None:
        long = log.Line(0, logging.INFO, "x", {"user": "oGxAbCdEf3k", "text": "一" * 30})
        cases = [
            (log.Style(content="none", openid="full", journal=True), "<6>INFO  x user=oGxAbCdEf3k"),
            (log.Style(content="short", openid="mask", journal=True), f"<6>INFO  x user=oGx…3k text={'一' * 20}…"),
            (log.Style(content="full", openid="hash", journal=True), None),
        ]
        for style, expected in cases:
            with self.subTest(style):
                text = log.render(long, style)
                if expected:
                    self.assertEqual(text, expected)
                else:
                    self.assertNotIn("oGx", text)
                    self.assertIn("一" * 30, text)

    def test_a_level_has_its_colour_where_a_person_reads_along(self) -> None:
        for level, shown in ((logging.INFO, "\x1b[32mINFO \x1b[0m x"), (logging.ERROR, "\x1b[31mERROR\x1b[0m x")):
            self.assertTrue(log.render(log.Line(0, level, "x", {}), log.Style(color=True)).endswith(shown))
            self.assertNotIn("\x1b", log.render(log.Line(0, level, "x", {}), log.Style(format="json", color=True)))

    def test_json_has_the_same_keys(self) -> None:
        record = json.loads(log.render(LINE._replace(code="WX-X"), log.Style(format="json")))
        self.assertEqual(list(record), ["time", "level", "event", "code", "d", "user", "text"])

    def test_json_tells_the_time_of_a_line_from_the_place_it_names(self) -> None:
        line = log.Line(0.25, logging.ERROR, "handler", {"at": "handlers/a.py:9"}, "WX-HND-05")
        record = json.loads(log.render(line, log.Style(format="json")))
        self.assertRegex(record["time"], r"^\d{4}-\d\d-\d\dT")
        self.assertEqual(record["at"], "handlers/a.py:9")

    def test_nothing_a_stranger_wrote_steers_a_terminal_or_turns_the_line(self) -> None:
        evil = "a\x1b[2Jb\x9b31mc\u202egnp.exe\u2028d\x85e\x7f\ud800"
        line = log.Line(0, logging.ERROR, evil, {"error": evil, "text": evil}, "", f"Traceback\n  \tx\nError: {evil}\n")
        for style in (log.Style(content="full"), log.Style("json", "full"), log.Style(content="full", journal=True)):
            with self.subTest(style):
                text = log.render(line, style)
                self.assertEqual([c for c in text if not c.isprintable() and c not in "\n\t"], [])
                self.assertEqual(text.count("\n"), 0 if style.format == "json" else 3)
        self.assertEqual(json.loads(log.render(line, log.Style("json", "full")))["error"], evil)

    def test_an_exception_that_names_its_user_does_not_give_him_away(self) -> None:
        user = "oGxAbCdEf3kLmNoPqRsTuVwXyZ01"
        fields = {"error": f"KeyError: '{user}'", "user": user}
        line = log.Line(0, logging.ERROR, "handler", fields, "WX-HND-05", f"Traceback\nKeyError: '{user}'\n")
        for how, times in (("mask", 0), ("hash", 0), ("full", 3)):
            for style in (log.Style(openid=how), log.Style("json", openid=how), log.Style(journal=True, openid=how)):
                with self.subTest(style):
                    self.assertEqual(log.render(line, style).count(user), times)
                    self.assertEqual(log.render(line, style).count(log.mask(user, how)), 3)

    def test_under_the_journal_every_line_of_a_traceback_has_its_priority(self) -> None:
        line = log.Line(0, logging.ERROR, "handler", {"d": "1"}, "WX-HND-05", "Traceback\n  File\n")
        shown = log.render(line, log.Style(journal=True)).split("\n")
        self.assertEqual(shown, ["<3>ERROR handler code=WX-HND-05 d=1", "<3>    Traceback", "<3>      File"])

    def test_nothing_in_a_traceback_passes_for_a_line(self) -> None:
        line = log.Line(0, logging.ERROR, "handler", {}, "", "x\n2026-01-01T00:00:00.000+00:00 INFO  delivery d=1")
        self.assertTrue(all(part.startswith("    ") for part in log.render(line, log.Style()).split("\n")[1:]))


class Writing(unittest.TestCase):
    def journal(self, stream: io.StringIO, **style: str) -> log.Journal:
        return log.Journal(stream, logging.INFO, log.Style(journal=True, **style))

    def test_a_warning_is_written_at_once_and_with_all_before_it(self) -> None:
        stream = io.StringIO()
        journal = self.journal(stream)
        journal.line(logging.DEBUG, "unseen", {})
        journal.line(logging.INFO, "first", {})
        journal.line(logging.WARNING, "second", {})
        self.assertEqual(stream.getvalue().split(), ["<6>INFO", "first", "<4>WARN", "second"])

    def test_the_same_refusal_is_written_once_and_then_counted(self) -> None:
        stream = io.StringIO()
        journal = self.journal(stream)
        for number in range(500):
            journal.fold(logging.WARNING, "refused", {"ip": f"192.0.2.{number % 250}"}, "WX-SIG-02", "mismatch")
        self.assertEqual(stream.getvalue().count("\n"), 1)
        journal._unfold(float("inf"))
        journal.flush()
        self.assertIn("code=WX-SIG-02 ip=192.0.2.0 count=499 window=60s", stream.getvalue())

    def test_what_was_counted_is_written_at_the_end(self) -> None:
        stream = io.StringIO()
        journal = self.journal(stream)
        for _ in range(3):
            journal.fold(logging.WARNING, "refused", {}, "WX-SIG-02", "mismatch")
        journal.end()
        self.assertIn("code=WX-SIG-02 count=2", stream.getvalue().splitlines()[-1])

    def test_a_stranger_cannot_make_it_remember_without_end(self) -> None:
        stream = io.StringIO()
        journal = self.journal(stream)
        for number in range(10 * log.MAX_FOLDS):
            journal.fold(logging.WARNING, "refused", {}, "WX-XML-01", f"reason {number}")
        self.assertLessEqual(stream.getvalue().count("\n"), log.MAX_FOLDS + 1)

    def test_a_stream_that_cannot_say_it_gets_a_question_mark(self) -> None:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        journal = log.Journal(stream, logging.INFO, log.Style(journal=True, content="full"))
        journal.line(logging.WARNING, "x", {"text": "你好"})
        self.assertEqual(stream.buffer.getvalue(), b"<4>WARN  x text=??\n")  # type: ignore[attr-defined]

    def test_a_closed_stream_is_nobodys_trouble(self) -> None:
        stream = io.StringIO()
        stream.close()
        self.journal(stream).line(logging.WARNING, "x", {})

    def test_a_forked_child_writes_its_own_lines_and_not_its_parents(self) -> None:
        with tempfile.TemporaryFile("w+") as stream:
            journal = log.Journal(stream, logging.INFO, log.Style(journal=True))
            with journal._writing:  # the parent is in the middle of writing when it forks
                journal.line(logging.INFO, "parent", {})
                child = os.fork()
                if child == 0:
                    journal.line(logging.WARNING, "child", {})
                    os._exit(0)
                os.waitpid(child, 0)
            journal.flush()
            stream.seek(0)
            self.assertEqual(sorted(stream.read().split()), ["<4>WARN", "<6>INFO", "child", "parent"])

    def test_a_turn_that_fails_is_not_the_writers_last(self) -> None:
        stream = io.StringIO()
        journal = self.journal(stream)
        unfold, unfolded, wrote = journal._unfold, threading.Event(), threading.Event()
        write = stream.write

        def fail(now: float) -> None:
            journal._unfold = unfold  # type: ignore[method-assign]
            unfolded.set()
            raise OSError

        def written(text: str) -> int:
            if "later" in text:
                wrote.set()
            return write(text)

        journal._unfold, stream.write = fail, written  # type: ignore[method-assign]
        journal.line(logging.INFO, "first", {})
        self.assertTrue(unfolded.wait(30))
        journal.line(logging.INFO, "later", {})
        self.assertTrue(wrote.wait(30))
        self.assertIn("code=WX-INT-01 name=log", stream.getvalue())

    def test_a_writer_that_cannot_start_is_not_fatal_and_starts_later(self) -> None:
        stream, wrote = io.StringIO(), threading.Event()
        write = stream.write

        def written(text: str) -> int:
            wrote.set()
            return write(text)

        stream.write = written  # type: ignore[method-assign]
        journal = self.journal(stream)
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
            journal.line(logging.INFO, "first", {})
        journal.line(logging.INFO, "second", {})
        self.assertTrue(wrote.wait(30))
        self.assertIn("first", stream.getvalue())

    def test_who_logs_with_arguments_that_do_not_fit_does_not_fail_for_it(self) -> None:
        stream = io.StringIO()
        journal = log.start("info", log.Style(journal=True), stream)
        self.addCleanup(logging.getLogger("wxserve").handlers.clear)
        logging.getLogger("wxserve.handlers").info("%d degrees", "many")
        journal.flush()
        first, *rest = stream.getvalue().splitlines()
        self.assertRegex(first, r"^<6>INFO  test_log\.py:\d+ '%d degrees'$")
        self.assertIn("TypeError", rest[-1])

    def test_records_of_logging_arrive_with_code_fields_and_traceback(self) -> None:
        stream = io.StringIO()
        journal = log.start("info", log.Style(journal=True), stream)
        self.addCleanup(logging.getLogger("wxserve").handlers.clear)
        try:
            raise ValueError("boom")
        except ValueError:
            extra = {"code": "WX-HND-05", "fields": {"user": "oGxAbCdEf3k"}}
            logging.getLogger("wxserve.routing").error("handler", exc_info=True, extra=extra)
        journal.flush()
        self.assertTrue(stream.getvalue().startswith("<3>ERROR handler code=WX-HND-05 user=oGx…3k\n<3>    Traceback"))
        self.assertIn("ValueError: boom", stream.getvalue())

    def test_what_a_handler_logs_of_its_users_words_is_one_line(self) -> None:
        stream = io.StringIO()
        journal = log.start("info", log.Style(journal=True), stream)
        self.addCleanup(logging.getLogger("wxserve").handlers.clear)
        handlers = logging.getLogger("wxserve.handlers")
        handlers.info("said %s", "你好\nINFO  delivery d=8f5 user=oForged")
        handlers.info("said %s", "你好\r\u2028\x1b[2JINFO  delivery d=8f6", extra={"fields": {"d": "1"}})
        journal.flush()
        lines = ["<6>INFO  said 你好", "<6>    INFO  delivery d=8f5 user=oForged"]
        lines += ["<6>INFO  said 你好\\r\\u2028\\x1b[2JINFO  delivery d=8f6 d=1"]
        self.assertEqual(stream.getvalue().splitlines(), lines)


if __name__ == "__main__":
    unittest.main()
