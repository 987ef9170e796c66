"""What a section's header is for, in both languages."""

from __future__ import annotations

import re
import unittest

from weixin.routing.errors import Misuse
from weixin.routing.headers import AT_WORDS, parse
from weixin.routing.rules import EVENT, MESSAGE, UNKNOWN, Level
from weixin.wire.messages import EVENTS, MESSAGE_TYPES

EXACT, PREFIX, CONTAINED, REGEX, TYPE, FAMILY, ANY, DEFAULT = Level

GOOD: list[tuple[str, list[tuple[Level, str, str | None]]]] = [
    ("你好", [(EXACT, "text", "你好")]),
    ("Hi!", [(EXACT, "text", "hi!")]),
    ("你好 | hi ｜ Hello", [(EXACT, "text", "你好"), (EXACT, "text", "hi"), (EXACT, "text", "hello")]),
    ("[微笑]", [(EXACT, "text", "[微笑]")]),
    ("a:b", [(EXACT, "text", "a:b")]),
    ("包含: 发票", [(CONTAINED, "text", "发票")]),
    ("包含：发票|报销", [(CONTAINED, "text", "发票"), (CONTAINED, "text", "报销")]),
    ("contains: invoice", [(CONTAINED, "text", "invoice")]),
    ("你好|包含: 发票|开头: 单", [(EXACT, "text", "你好"), (CONTAINED, "text", "发票"), (PREFIX, "text", "单")]),
    ("开头: 订单", [(PREFIX, "text", "订单")]),
    ("Prefix:Order", [(PREFIX, "text", "order")]),
    (r"re: ^查(?P<no>\d{6,})$", [(REGEX, "text", r"^查(?P<no>\d{6,})$")]),
    ("re：^(a|b)$", [(REGEX, "text", "^(a|b)$")]),
    ("re: [a-z]] @ [x]", [(REGEX, "text", "[a-z]] @ [x]")]),
    ("@关注", [(TYPE, "subscribe", None)]),
    ("＠图片 | @语音", [(TYPE, "image", None), (TYPE, "voice", None)]),
    ("@菜单 MENU_Help", [(EXACT, "click", "MENU_Help")]),
    ("@menu MENU_Help | 帮助", [(EXACT, "click", "MENU_Help"), (EXACT, "text", "帮助")]),
    ("@菜单", [(TYPE, "click", None)]),
    ("@扫码 42", [(EXACT, "scan", "42")]),
    ("@view https://a.example/?b=c", [(EXACT, "view", "https://a.example/?b=c")]),
    ("@location-event", [(TYPE, "location_event", None)]),
    ("@事件 POI_check_notify", [(TYPE, "poi_check_notify", None)]),
    ("@event LOCATION", [(TYPE, "location_event", None)]),
    ("@event", [(FAMILY, EVENT, None)]),
    ("@未知", [(FAMILY, UNKNOWN, None)]),
    ("@any", [(ANY, MESSAGE, None)]),
    ("@默认", [(DEFAULT, MESSAGE, None)]),
    ("@Default", [(DEFAULT, MESSAGE, None)]),
]
BAD = [
    ("", "empty-word"), ("你好 |", "empty-word"), ("包含:", "empty-word"), ("re: ", "empty-word"),
    ("re: (", "regex"), ("re: a{99999999999}", "regex"), ("你好 | re: ^a", "regex-alone"),
    ("微笑] 你好 [微笑", "junk"), ("微笑][微笑", "junk"),
    ("@关主", "unknown-at"), ("@", "unknown-at"),
    ("@图片 x", "no-words"), ("@默认 x", "no-words"), ("@text 天气", "no-words"),
    ("x" * 300, "long-word"),
]  # fmt: skip


class Headers(unittest.TestCase):
    def test_what_they_are_for(self) -> None:
        for name, expected in GOOD:
            with self.subTest(name):
                found = [
                    (level, kind, pattern.pattern if isinstance(pattern, re.Pattern) else pattern)
                    for level, kind, pattern in parse(name)
                ]
                self.assertEqual(found, expected)

    def test_what_is_refused(self) -> None:
        for name, reason in BAD:
            with self.subTest(name[:20]), self.assertRaises(Misuse) as caught:
                parse(name)
            self.assertEqual(caught.exception.reason, reason)

    def test_every_type_and_event_can_be_said(self) -> None:
        for name in MESSAGE_TYPES + EVENTS:
            with self.subTest(name):
                self.assertEqual([target.kind for target in parse(f"@{name}")], [name])

    def test_every_type_has_a_chinese_word(self) -> None:
        chinese = {kind for word, kind in AT_WORDS.items() if not word.isascii()}
        self.assertLessEqual({"text", "image", "voice", "video", "shortvideo", "location", "link", "file"}, chinese)
        self.assertLessEqual({"subscribe", "unsubscribe", "scan", "click", "view", "location_event"}, chinese)

    def test_a_misspelt_word_gets_a_suggestion(self) -> None:
        with self.assertRaises(Misuse) as caught:
            parse("@subscrbe")
        self.assertEqual(caught.exception.values["hint"], " → subscribe?")

    def test_expressions_do_not_mind_case(self) -> None:
        (target,) = parse("re: ^order")
        assert isinstance(target.pattern, re.Pattern)
        self.assertTrue(target.pattern.search("ORDER 5"))


if __name__ == "__main__":
    unittest.main()
