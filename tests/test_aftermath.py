"""What is done when an answer has left: lines as `log.render` would write them, soon where little comes and at once
where much does, and never lost.
"""

from __future__ import annotations

import io
import itertools
import logging
import os
import tempfile
import threading
import unittest
from collections.abc import Iterator

from tests.delivery.platform import message
from weixin import log
from weixin.aftermath import MUCH, Aftermath, Told, count
from weixin.delivery import Given
from weixin.metrics import Board, Meter
from weixin.store.base import Answer
from weixin.wire.messages import Message

NOON = 1772668800.25
EVIL = 'a"b =\x1b[2J\u202e'


def deliveries() -> Iterator[Told]:
    """Every kind of delivery, with what strangers may put into it."""
    answers = (
        None,
        Answer(b"x", True, rule="handlers/a.py:3", result="replied", reply="text", ms=3.0),
        Answer(b"x", True, rule=f"replies.ini[{EVIL}]:9", result="error", reply="success", ms=7100.0),
    )
    texts = ("", "你好", "two words", EVIL, "长" * 70)
    bodies = ((b"", True, "silent"), (b"success", False, "success"), (b"<xml/>", False, "duplicate"))
    for answer, text, (body, silent, result), attempt in itertools.product(answers, texts, bodies, (1, 3)):
        yield Told(message(text), Given(body, silent, "8f5a01", attempt, result, 0.01234, answer), NOON)
    yield Told(message(EVIL, user='a"b = x'), Given(b"", False, "8f5a01", 1, EVIL, 4.5), NOON)


class Lines(unittest.TestCase):
    def test_a_delivery_is_told_as_any_line_of_its_fields_would_be(self) -> None:
        styles = [
            log.Style(content=content, openid=openid, journal=journal, color=color)
            for content in ("none", "short", "full")
            for openid in ("mask", "hash", "full")
            for journal, color in ((False, False), (True, False), (False, True))
        ]
        for told, style in itertools.product(deliveries(), styles):
            line = log.Line(NOON, logging.INFO, "delivery", told.fields())
            self.assertEqual(told.text(NOON, style), log.render(line, style))


class Settling(unittest.TestCase):
    def setUp(self) -> None:
        self.stream = io.StringIO()
        self.told = next(deliveries())

    def aftermath(self, level: int = logging.INFO, *, threaded: bool = True) -> Aftermath:
        self.journal = log.Journal(self.stream, level, log.Style(journal=True), threaded=threaded)
        return Aftermath(self.journal, None)

    def test_much_is_done_at_once_and_little_with_the_next_line(self) -> None:
        aftermath = self.aftermath()
        done = [aftermath.add(self.told.message, self.told.given, simulated=False) for _ in range(MUCH)]
        self.assertEqual((done.count(True), done[-1]), (1, True))
        aftermath.add(self.told.message, self.told.given, simulated=False)
        self.journal.line(logging.WARNING, "warned", {})
        lines = self.stream.getvalue().splitlines()
        self.assertEqual(len(lines), MUCH + 2)
        self.assertIn("warned", lines[-1])

    def test_little_is_done_soon_by_the_thread_that_writes(self) -> None:
        written = self.stream.write
        seen = threading.Event()

        def write(text: str) -> int:
            seen.set()
            return written(text)

        self.stream.write = write  # type: ignore[method-assign]
        self.aftermath().add(self.told.message, self.told.given, simulated=False)
        self.assertTrue(seen.wait(5))

    def test_without_threads_every_line_is_written_at_once(self) -> None:
        self.aftermath(threaded=False).add(self.told.message, self.told.given, simulated=False)
        self.assertEqual(self.stream.getvalue().count("delivery"), 1)

    def test_a_quiet_log_has_no_line_of_it(self) -> None:
        aftermath = self.aftermath(logging.WARNING)
        for _ in range(MUCH):
            aftermath.add(self.told.message, self.told.given, simulated=False)
        self.assertEqual(self.stream.getvalue(), "")

    def test_what_is_owed_is_written_at_the_end(self) -> None:
        self.aftermath().add(self.told.message, self.told.given, simulated=False)
        self.journal.end()
        self.assertEqual(self.stream.getvalue().count("delivery"), 1)

    def test_one_that_fails_takes_no_other_with_it(self) -> None:
        aftermath = self.aftermath()
        aftermath.add(self.told.message, None, simulated=False)  # type: ignore[arg-type]
        with self.assertRaises(AttributeError):
            aftermath.settle()
        aftermath.add(self.told.message, self.told.given, simulated=False)
        self.journal.end()
        self.assertEqual(self.stream.getvalue().count("delivery"), 1)


    def test_a_forked_child_tells_nothing_of_its_parents(self) -> None:
        with tempfile.TemporaryFile("w+") as stream:
            journal = log.Journal(stream, logging.INFO, log.Style(journal=True))
            aftermath = Aftermath(journal, None)
            journal.begin = lambda: None  # type: ignore[method-assign]
            with aftermath._settling:
                aftermath.add(self.told.message, self.told.given, simulated=False)
                child = os.fork()
                if child == 0:
                    aftermath.add(self.told.message, self.told.given, simulated=False)
                    journal.line(logging.WARNING, "child", {})
                    os._exit(0)
                os.waitpid(child, 0)
            journal.flush()
            stream.seek(0)
            self.assertEqual([line.split()[1] for line in stream], ["delivery", "child", "delivery"])

    def test_the_end_waits_for_who_is_at_it(self) -> None:
        aftermath = self.aftermath()
        tell, telling, go = self.journal.tell, threading.Event(), threading.Event()

        def slow(event: str, told: log.Tale, at: float) -> None:
            telling.set()
            go.wait(10)
            tell(event, told, at)

        self.journal.tell = slow  # type: ignore[method-assign]
        aftermath.add(self.told.message, self.told.given, simulated=False)  # the log's thread is at it
        self.assertTrue(telling.wait(10))
        threading.Timer(0.1, go.set).start()
        aftermath.close()
        self.journal.flush()
        self.assertEqual(self.stream.getvalue().count("delivery"), 1)


class Counted(unittest.TestCase):
    """What deliveries count as."""

    def setUp(self) -> None:
        self.board = Board()
        self.addCleanup(self.board.close)
        self.meter = Meter(self.board)
        self.addCleanup(self.meter.close)

    def total(self, *over: tuple[Message, Given]) -> dict[str, object]:
        count(self.meter, [Told(message, given, NOON) for message, given in over])
        self.meter.flush()
        return self.board.total()

    def test_only_what_no_rule_was_for_is_unmatched(self) -> None:
        nobody = Answer(b"success", True, result="success", reply="success")
        failed = Answer(b"success", True, result="error", reply="success")
        given = (("success", nobody), ("busy", None), ("error", failed), ("success", None))
        total = self.total(
            *((message(), Given(b"success", False, "8f5a01", 1, result, 0.1, answer)) for result, answer in given)
        )
        self.assertEqual(total["wxserve_unmatched_messages_total"], 1)

    def test_who_follows_is_one_user_however_often_the_event_is_delivered(self) -> None:
        event = message(MsgType="event", Event="subscribe")
        answer = Answer(b"<xml/>", True, rule="handlers/a.py:3", result="replied", reply="text")
        total = self.total(
            (event, Given(b"", True, "8f5a01", 1, "silent", 5.0)),
            (event, Given(b"", True, "8f5a01", 2, "silent", 5.0)),
            (event, Given(b"<xml/>", False, "8f5a01", 3, "replied", 1.0, answer)),
            (event, Given(b"<xml/>", False, "8f5a01", 3, "duplicate", 0.1)),
        )
        self.assertEqual(total["wxserve_users_subscribed_total"], 1)


if __name__ == "__main__":
    unittest.main()
