"""A rehearsal: slow on request, heard by nobody else, loaded anew; and how its deliveries are told."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import unittest
from pathlib import Path

from tests.routing.support import handlers_here
from weixin import config
from weixin.commands import seen
from weixin.commands.rehearsal import Rehearsal, in_mode
from weixin.commands.terminal import Terminal
from weixin.simulator import Answer
from weixin.wire.envelope import decode_key


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(logging.getLogger("wxserve").handlers.clear)
        self.folder = Path(folder.name)
        (self.folder / "wxserve.ini").write_text("[wechat]\ntoken = GreedIsGood\n")
        self.replies("[你好]\ntext = 一\n")
        self.settings = config.load(str(self.folder / "wxserve.ini"), {}, {})

    def replies(self, text: str) -> None:
        (self.folder / "replies.ini").write_text(text, encoding="utf-8")

    def rehearsal(self, cut: float = 5.0) -> Rehearsal:
        rehearsal = Rehearsal(self.settings, cut=cut)
        self.addCleanup(rehearsal.close)
        return rehearsal


class Deliveries(Case):
    def test_it_says_who_answered(self) -> None:
        rehearsal = self.rehearsal()
        exchange = rehearsal.deliver(rehearsal.platform.push("text", "你好"))
        assert exchange.outcome is not None
        self.assertEqual((exchange.delivery.seen.text, exchange.runs), ("一", 1))
        self.assertEqual(exchange.outcome.fields["by"], "replies.ini:1")

    def test_a_run_can_be_slow_and_the_next_is_not(self) -> None:
        told: list[tuple[int, str]] = []

        class Watcher:
            def attempt(self, number: int, answer: Answer, runs: int) -> None:
                told.append((number, answer.failure))

        rehearsal = self.rehearsal(cut=0.2)
        slow = rehearsal.deliver(rehearsal.platform.push("text", "你好"), slow=0.3, watcher=Watcher())
        self.assertEqual(told[0], (1, "timeout"))
        self.assertEqual(len(told), len(slow.delivery.attempts))
        quick = rehearsal.deliver(rehearsal.platform.push("text", "你好"), watcher=Watcher())
        self.assertEqual((quick.delivery.seen.text, told[-1]), ("一", (1, "")))

    def test_it_is_loaded_anew_or_stays_as_it_was(self) -> None:
        rehearsal = self.rehearsal()
        for text, expected in (("[你好]\ntext = 二\n", "二"), ("oops", "二"), ("[你好]\ntext = 三\n", "三")):
            self.replies(text)
            with contextlib.suppress(config.ConfigError):
                rehearsal.reload()
            self.assertEqual(rehearsal.deliver(rehearsal.platform.push("text", "你好")).delivery.seen.text, expected)

    def test_what_was_loaded_before_is_let_go(self) -> None:
        (self.folder / "handlers").mkdir()
        handler = self.folder / "handlers" / "hello.py"
        handler.write_text("from wxserve import on\n@on.text('a')\ndef a(): return '1'\n")
        before = handlers_here()
        rehearsal = self.rehearsal()
        here = handlers_here()
        for text, expected in (("[b]\ntext = 2\n", "1"), ("oops", "1"), ("[b]\ntext = 3\n", "1")):
            self.replies(text)
            with contextlib.suppress(config.ConfigError):
                rehearsal.reload()
            self.assertEqual(len(handlers_here()), len(here))
            self.assertEqual(rehearsal.deliver(rehearsal.platform.push("text", "a")).delivery.seen.text, expected)
        rehearsal.close()
        self.assertEqual(handlers_here(), before)


class Modes(Case):
    def test_what_another_mode_needs_is_made_up_and_what_there_is_is_kept(self) -> None:
        self.assertIs(in_mode(self.settings, None), self.settings)
        self.assertIs(in_mode(self.settings, "plain"), self.settings)
        safe = in_mode(self.settings, "safe")
        self.assertRegex(safe.appid, r"\Awx[0-9a-f]{16}\Z")
        self.assertEqual(len(decode_key(safe.aes_key)), 32)
        self.assertEqual(in_mode(safe, "compat").aes_key, safe.aes_key)


class Telling(unittest.TestCase):
    def told(self, number: int, answer: Answer, runs: int) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            seen.attempted(number, answer, runs, Terminal("en"))
        return out.getvalue()

    def test_each_delivery_of_a_slow_answer(self) -> None:
        late, good = Answer(0, (), b"", 5.0, "timeout"), Answer(200, (), b"", 2.1)
        self.assertEqual(self.told(1, late, 1), "  attempt 1   5.0 s  connection closed by WeChat\n")
        joined = "  attempt 2   2.1 s  answered                       joined the running handler\n"
        self.assertEqual(self.told(2, good, 1), joined)
        self.assertIn("the handler ran again", self.told(2, late, 2))
        self.assertEqual(self.told(1, good, 1), "")
        self.assertIn("an exception", self.told(1, Answer(0, (), b"", 0.1, "crashed"), 1))


if __name__ == "__main__":
    unittest.main()
