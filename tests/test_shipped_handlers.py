"""The handlers that come along: they load, they answer, and they never hide a file of the user's."""

from __future__ import annotations

import time
import unittest
from pathlib import Path

from tests.routing.support import event, folder, message, said, text
from weixin.routing import load, run
from weixin.wire.messages import EVENTS, MESSAGE_TYPES, Message
from weixin.wire.replies import Handover, Image, Success

HANDLERS = Path(__file__).resolve().parent.parent / "handlers"
MORNING = time.mktime((2026, 3, 5, 9, 30, 0, 0, 0, -1))
EVENING = time.mktime((2026, 3, 5, 19, 30, 0, 0, 0, -1))


class Shipped(unittest.TestCase):
    def setUp(self) -> None:
        self.routing = load.load(HANDLERS, Path("/nonexistent/replies.ini"))
        self.addCleanup(self.routing.rules.close)
        self.context = run.Context()

    def outcome(self, of: Message, now: float = MORNING) -> run.Outcome:
        outcome = run.answer(self.routing.rules, of, now, self.context)
        self.assertIsNone(outcome.error)
        return outcome

    def test_they_load(self) -> None:
        self.assertEqual(self.routing.errors, [])
        self.assertEqual(list(self.routing.loaded.modules), ["echo", "human", "menu", "picture", "welcome"])

    def test_the_echo_answers_the_way_the_classic_first_bot_does(self) -> None:
        self.assertEqual(said(self.outcome(text("吃了吗")).reply), "对啊,吃了吗,然后呢")

    def test_every_message_is_answered_and_no_event_is_echoed(self) -> None:
        for kind in (*MESSAGE_TYPES, "hologram"):
            with self.subTest(kind):
                reply = self.outcome(message(MsgType=kind, Content="x", MediaId="M")).reply
                self.assertNotIsInstance(reply, Success)
        for kind in {*EVENTS, "new_event"} - {"subscribe"}:
            with self.subTest(kind):
                pushed = "LOCATION" if kind == "location_event" else kind
                self.assertIsInstance(self.outcome(event(pushed)).reply, Success)

    def test_what_cannot_be_echoed_is_named(self) -> None:
        self.assertEqual(said(self.outcome(message(MsgType="location")).reply), "收到你的位置,然后呢")
        self.assertEqual(said(self.outcome(text("【收到不支持的消息类型，暂无法显示】")).reply), "收到你的消息,然后呢")
        self.assertEqual(said(self.outcome(message(MsgType="voice", Recognition="天气")).reply), "对啊,天气,然后呢")

    def test_who_follows_is_welcomed(self) -> None:
        self.assertTrue(said(self.outcome(event("subscribe")).reply).startswith("欢迎关注！"))
        self.assertIn("（来自 42）", said(self.outcome(event("subscribe", "qrscene_42")).reply))

    def test_the_menu_and_the_word_say_the_same(self) -> None:
        self.assertEqual(said(self.outcome(event("CLICK", "MENU_HELP")).reply), said(self.outcome(text("帮助")).reply))

    def test_a_picture_comes_back(self) -> None:
        reply = self.outcome(message(MsgType="image", MediaId="M")).reply
        assert isinstance(reply, Image)
        self.assertEqual(reply.media_id, "M")

    def test_people_by_day_and_a_word_by_night(self) -> None:
        self.assertIsInstance(self.outcome(text("人工"), MORNING).reply, Handover)
        self.assertIn("请留言", said(self.outcome(text("人工"), EVENING).reply))

    def test_the_echo_is_asked_after_whatever_a_user_adds(self) -> None:
        with folder({"zzz.py": "from wxserve import on\n@on.any\ndef mine(): return 'mine'\n"}) as path:
            for file in HANDLERS.glob("*.py"):
                (path / file.name).write_bytes(file.read_bytes())
            routing = load.load(path, Path("/nonexistent/replies.ini"))
            self.addCleanup(routing.rules.close)
            outcome = run.answer(routing.rules, text("吃了吗"), MORNING, self.context)
        self.assertEqual(said(outcome.reply), "mine")

    def test_they_teach(self) -> None:
        for file in HANDLERS.glob("*.py"):
            with self.subTest(file.name):
                lines = file.read_text(encoding="utf-8").splitlines()
                self.assertTrue(lines[0].startswith('"""'))
                self.assertLess(len(lines), 36)


if __name__ == "__main__":
    unittest.main()
