"""What a section says: every kind of reply, and the placeholders."""

from __future__ import annotations

import re
import time
import unittest

from weixin.routing import answers
from weixin.routing.call import Asking, Call, Context
from weixin.routing.errors import Misuse
from weixin.wire.messages import Message
from weixin.wire.replies import AIHandover, Handover, Image, Music, News, Reply, Text, Video, Voice

from .support import NOON, message, text

NEWS = {"news.title": "t", "news.text": "x", "news.pic": "https://p", "news.url": "https://u"}

GOOD: list[tuple[dict[str, str], Reply]] = [
    ({"text": "你好"}, Text("你好")),
    ({"image": "M"}, Image("M")),
    ({"voice": "M"}, Voice("M")),
    ({"video": "M"}, Video("M")),
    ({"video": "M", "video.title": "t", "video.text": "x"}, Video("M", "t", "x")),
    ({"music.thumb": "M", "music.url": "https://u"}, Music("M", url="https://u")),
    (NEWS, News("t", "x", pic="https://p", url="https://u")),
    ({"handover": "yes"}, Handover()),
    ({"handover": "是"}, Handover()),
    ({"handover": "kf2001@shop"}, Handover("kf2001@shop")),
    ({"ai": "yes"}, AIHandover()),
]
BAD: list[tuple[dict[str, str], str, str]] = [
    ({}, "empty", ""),
    ({"hours": "9-18", "else": "x"}, "empty", ""),
    ({"txet": "x"}, "unknown-key", "txet"),
    ({"text": "x", "image": "M"}, "several", ""),
    ({"text": "x", "call": "a.b"}, "several", ""),
    ({"text": ""}, "missing", "text"),
    ({"text": "a ||"}, "missing", "text"),
    ({"text": "\x01"}, "missing", "text"),
    ({"image": ""}, "missing", "image"),
    ({"video.title": "t"}, "missing", "video"),
    ({"music.url": "https://u"}, "missing", "music.thumb"),
    ({key: value for key, value in NEWS.items() if key != "news.pic"}, "missing", "news.pic"),
    ({**NEWS, "news.title": ""}, "missing", "news.title"),
    ({"handover": "no"}, "bad-value", "handover"),
    ({"ai": "no"}, "bad-value", "ai"),
]


def ask(values: dict[str, str], of: Message, match: re.Match[str] | None = None) -> object:
    return answers.answer(answers.group_of(values), values)(Call(of, NOON, Context(), Asking(), match))


def same(one: object, other: Reply) -> bool:
    return isinstance(one, Reply) and one.render(text("x"), 1) == other.render(text("x"), 1)


class Kinds(unittest.TestCase):
    def test_each_becomes_its_reply(self) -> None:
        for values, expected in GOOD:
            with self.subTest(values):
                self.assertTrue(same(ask(values, text("hi")), expected))

    def test_what_is_wrong_names_the_key(self) -> None:
        for values, reason, key in BAD:
            with self.subTest(values), self.assertRaises(Misuse) as caught:
                ask(values, text("hi"))
            self.assertEqual((caught.exception.reason, caught.exception.values.get("key", "")), (reason, key))

    def test_an_unknown_key_gets_a_suggestion(self) -> None:
        with self.assertRaises(Misuse) as caught:
            answers.group_of({"news.titel": "x"})
        self.assertEqual(caught.exception.values["hint"], " → news.title?")


class Choices(unittest.TestCase):
    def test_every_text_that_may_be_said_can_be_asked_for(self) -> None:
        choice = answers.text("{text}吗 || 在", "text")
        assert isinstance(choice, answers.OneOf)
        call = Call(text("你好"), NOON, Context(), Asking(), None)
        self.assertEqual(choice.each(call), ("你好吗", "在"))
        self.assertEqual({choice(call) for _ in range(100)}, {"你好吗", "在"})
        self.assertNotIsInstance(answers.text("{text}吗", "text"), answers.OneOf)


class Placeholders(unittest.TestCase):
    def test_what_they_mean(self) -> None:
        named = re.search(r"(?P<no>\d+)(x)?(y)?", "a12x")
        rest = re.search("(?P<word>订单)(?P<rest>.*)", "订单 A{text}")
        local = time.localtime(NOON)
        cases: list[tuple[str, re.Match[str] | None, str]] = [
            ("说{text}！", None, "说 你{date}好！".replace(" ", "")),
            ("{no}/{1}/{2}/{3}/{0}", named, "12/12/x//12x"),
            ("{4} {nope} {} {a b} {text", named, "{4} {nope} {} {a b} {text"),
            ("[{rest}]", rest, "[ A{text}]"),
            ("[{rest}]", None, "[]"),
            ("{date} {time}", None, time.strftime("%Y-%m-%d %H:%M", local)),
            ("{1}", None, "{1}"),
        ]
        for template, match, expected in cases:
            with self.subTest(template):
                self.assertEqual(ask({"text": template}, text(" 你{date}好 "), match), expected)

    def test_the_text_of_a_voice_is_what_was_recognised(self) -> None:
        self.assertEqual(ask({"text": "{text}？"}, message(MsgType="voice", Recognition="天气")), "天气？")

    def test_in_an_address_they_are_quoted(self) -> None:
        values = {**NEWS, "news.title": "{text}", "news.url": "https://u/?q={text}"}
        expected = News("a&b 天", "x", pic="https://p", url="https://u/?q=a%26b%20%E5%A4%A9")
        self.assertTrue(same(ask(values, text("a&b 天")), expected))

    def test_one_of_several_texts_at_random(self) -> None:
        answer = answers.text("a || {text}\n||\nc｜｜d", "text")
        call = Call(text("b"), NOON, Context(), Asking())
        self.assertEqual({answer(call) for _ in range(200)}, {"a", "b", "c", "d"})

    def test_a_plain_answer_is_made_once(self) -> None:
        answer = answers.text("a", "text")
        call = Call(text("b"), NOON, Context(), Asking())
        self.assertIs(answer(call), answer(call))


if __name__ == "__main__":
    unittest.main()
