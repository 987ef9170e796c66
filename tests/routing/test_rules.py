"""The order in which rules are asked, and which messages each is for."""

from __future__ import annotations

import itertools
import random
import re
import unittest

from weixin.routing import hours
from weixin.routing.errors import Misuse
from weixin.routing.rules import EVENT, MESSAGE, REGEX_SEEN, UNKNOWN, Level, Rule, Rules, keyword
from weixin.wire.messages import EVENTS, MESSAGE_TYPES, Message

from .support import NOON, event, message, rule, text

EXACT, PREFIX, CONTAINED, REGEX, TYPE, FAMILY, ANY, DEFAULT = Level


def names(rules: Rules, of: Message, now: float = NOON) -> list[str]:
    return [hit.rule.name for hit in rules.candidates(of, now)]


class Order(unittest.TestCase):
    def test_priority_then_level_then_the_order_given(self) -> None:
        """Every rule below is for the same message; whatever order they come in, it is asked in this one."""
        levels: list[tuple[Level, str, str | re.Pattern[str] | None]] = [
            (EXACT, "text", "天气"), (PREFIX, "text", "天"), (CONTAINED, "text", "气"),
            (REGEX, "text", re.compile("^天")), (TYPE, "text", None), (ANY, MESSAGE, None),
        ]  # fmt: skip
        expected = [
            rule(f"{priority} {level.name}", level, kind, *([pattern] if pattern else []), priority=priority)
            for priority in (10, 0, -100)
            for level, kind, pattern in levels
        ]
        expected.append(rule("default", DEFAULT, MESSAGE, priority=1000))
        generator = random.Random(1)
        for _ in range(20):
            shuffled = generator.sample(expected, len(expected))
            self.assertEqual(names(Rules(shuffled), text("天气")), [each.name for each in expected])
            self.assertEqual([each.name for each in Rules(shuffled)], [each.name for each in expected])

    def test_equals_stay_in_the_order_given(self) -> None:
        for level, kind, pattern in ((EXACT, "text", "a"), (PREFIX, "text", "a"), (CONTAINED, "text", "a"),
                                     (REGEX, "text", re.compile("a")), (TYPE, "text", None), (ANY, MESSAGE, None),
                                     (DEFAULT, MESSAGE, None)):  # fmt: skip
            patterns = [pattern] if pattern else []
            given = [rule(name, level, kind, *patterns) for name in "zyx"]
            with self.subTest(level):
                self.assertEqual(names(Rules(given), text("a")), ["z", "y", "x"])

    def test_nobody_is_asked_twice(self) -> None:
        first = rule("one", EXACT, "text", "天气", "天气。")
        again = first._replace(level=CONTAINED, patterns=("天", "气"))
        self.assertEqual(names(Rules([again, first, rule("two", ANY, MESSAGE)]), text("天气")), ["one", "two"])

    def test_closed_rules_are_passed_over_and_explained(self) -> None:
        day = hours.parse("0:00-24:00")
        given = [
            rule("closed", EXACT, "text", "a")._replace(hours=day.outside()),
            rule("open", EXACT, "text", "a")._replace(hours=day),
        ]
        self.assertEqual(names(Rules(given), text("a")), ["open"])
        explained = Rules(given).explain(text("a"), NOON)
        self.assertEqual([(each.hit.rule.name, each.open) for each in explained], [("closed", False), ("open", True)])

    def test_the_explanation_says_which_word(self) -> None:
        given = [
            rule("contained", CONTAINED, "text", "x", "票"),
            rule("regex", REGEX, "text", re.compile("发(.)")),
            rule("type", TYPE, "text"),
        ]
        hits = [each.hit for each in Rules(given).explain(text("发票"), NOON)]
        self.assertEqual([hit.word for hit in hits], ["票", "发(.)", ""])
        assert hits[1].match is not None
        self.assertEqual(hits[1].match[1], "票")


class Kinds(unittest.TestCase):
    def test_every_kind_reaches_its_own_rule_alone(self) -> None:
        rules = Rules([rule(kind, TYPE, kind) for kind in MESSAGE_TYPES + EVENTS])
        for kind in MESSAGE_TYPES:
            with self.subTest(kind):
                self.assertEqual(names(rules, message(MsgType=kind, Content="x")), [kind])
        for kind in EVENTS:
            with self.subTest(kind):
                pushed = "LOCATION" if kind == "location_event" else kind.upper()
                self.assertEqual(names(rules, event(pushed)), [kind])

    def test_families(self) -> None:
        rules = Rules([
            rule("default", DEFAULT, MESSAGE), rule("any", ANY, MESSAGE), rule("unknown", FAMILY, UNKNOWN),
            rule("event", FAMILY, EVENT), rule("text", TYPE, "text"), rule("odd", TYPE, "odd_event"),
        ])  # fmt: skip
        cases = [
            (text("hi"), ["text", "any", "default"]),
            (text("【收到不支持的消息类型，暂无法显示】"), ["unknown", "any", "default"]),
            (message(MsgType="image"), ["any", "default"]),
            (message(MsgType="hologram"), ["unknown", "any", "default"]),
            (event("LOCATION"), ["event"]),
            (event("VIEW", "https://example.com"), ["event"]),
            (event("subscribe"), ["event"]),
            (event("odd_event"), ["odd", "unknown", "event"]),
            (event("another"), ["unknown", "event"]),
        ]
        for pushed, expected in cases:
            with self.subTest(repr(pushed)):
                self.assertEqual(names(rules, pushed), expected)

    def test_keys_and_scenes(self) -> None:
        rules = Rules([
            rule("help", EXACT, "click", "MENU_HELP"), rule("menu", PREFIX, "click", "MENU_"),
            rule("click", TYPE, "click"), rule("view", EXACT, "view", "https://a.example/x"),
            rule("scene 42", EXACT, "scan", "42"), rule("scene 4", PREFIX, "scan", "4"), rule("scan", TYPE, "scan"),
            rule("scene any", REGEX, "scan", re.compile("")), rule("subscribe", TYPE, "subscribe"),
            rule("new 42", EXACT, "subscribe", "42"),
        ])  # fmt: skip
        cases = [
            (event("CLICK", "MENU_HELP"), ["help", "menu", "click"]),
            (event("CLICK", "MENU_OTHER"), ["menu", "click"]),
            (event("CLICK", "menu_help"), ["click"]),
            (event("VIEW", "https://a.example/x"), ["view"]),
            (event("SCAN", "42"), ["scene 42", "scene 4", "scene any", "scan"]),
            (event("subscribe", "qrscene_42"), ["scene 42", "new 42", "scene 4", "scene any", "subscribe"]),
            (event("subscribe", "qrscene_5"), ["scene any", "subscribe"]),
            (event("subscribe"), ["subscribe"]),
            (event("unsubscribe"), []),
        ]
        for pushed, expected in cases:
            with self.subTest(repr(pushed), key=pushed.key):
                self.assertEqual(names(rules, pushed), expected)


class Words(unittest.TestCase):
    def test_the_marks_at_the_end_are_an_option(self) -> None:
        given = [rule("exact", EXACT, "text", "天气？"), rule("contained", CONTAINED, "text", "?")]
        for final_marks, said, expected in ((True, "天气", ["exact"]), (True, "天气!", ["exact"]),
                                            (True, "天气?", ["exact", "contained"]), (False, "天气", []),
                                            (False, "天气？", ["exact", "contained"]),
                                            (False, "天气！", [])):  # fmt: skip
            rules = Rules([each._replace(patterns=(keyword(str(each.patterns[0]), "text"),)) for each in given],
                          final_marks=final_marks)  # fmt: skip
            with self.subTest(said, final_marks=final_marks):
                self.assertEqual(names(rules, text(said)), expected)

    def test_an_expression_sees_the_first_two_hundred_characters(self) -> None:
        rules = Rules([rule("end", REGEX, "text", re.compile("x$"))])
        self.assertEqual(names(rules, text("  " + "x" * REGEX_SEEN + "y" * 50)), ["end"])
        self.assertEqual(names(rules, text("y" * REGEX_SEEN + "x")), [])

    def test_of_a_long_text_the_beginning_is_searched_and_the_whole_is_not_mistaken(self) -> None:
        given = [rule("exact", EXACT, "text", "a"), rule("in", CONTAINED, "text", "z"), rule("any", ANY, MESSAGE)]
        rules = Rules(given)
        self.assertEqual(names(rules, text("a" + " " * 5000 + "z")), ["any"])
        self.assertEqual(names(rules, text("z" + "a" * 60000)), ["in", "any"])

    def test_what_follows_a_prefix_is_the_users_own_words(self) -> None:
        cases = [
            ("订单", "订单 Ａ12 ", "Ａ12"), ("订单", " 订单A", "A"), ("订单", "订单", ""),
            ("order", "ＯＲＤＥＲ Ab\nCd", "Ab\nCd"),
            ("kg", "㎏ 12", "12"), ("kg", "㎏", ""), ("...", "…", ""), ("strasse", "Straße 5", "5"),
            ("a", "A" + " " * 60000 + "b", "b"),
        ]  # fmt: skip
        for word, said, rest in cases:
            with self.subTest(word, said=said[:20]):
                (hit,) = Rules([rule("p", PREFIX, "text", word)]).candidates(text(said), NOON)
                assert hit.match is not None
                self.assertEqual(hit.match["rest"], rest)
        (hit,) = Rules([rule("p", PREFIX, "click", "MENU_")]).candidates(event("CLICK", "MENU_5"), NOON)
        assert hit.match is not None
        self.assertEqual(hit.match["rest"], "5")

    def test_what_makes_no_keyword(self) -> None:
        for word, reason in (("", "empty-word"), ("　", "empty-word"), ("x" * 201, "long-word")):
            with self.subTest(word[:5]), self.assertRaises(Misuse) as caught:
                keyword(word, "text")
            self.assertEqual(caught.exception.reason, reason)
        self.assertEqual(keyword(" Key ", "click"), "Key")
        self.assertEqual(keyword(" Ｋey ", "text"), "key")

    def test_all_of_it_against_looking_at_every_rule(self) -> None:
        """Random rules and texts: the same hits in the same order as the law of the docstring, applied naively."""
        generator = random.Random(7)

        def word(longest: int) -> str:
            return "".join(generator.choice("aB天") for _ in range(generator.randint(1, longest)))

        for _ in range(200):
            counter = itertools.count()
            given: list[Rule] = []
            for _ in range(generator.randint(0, 10)):
                level = generator.choice((EXACT, PREFIX, CONTAINED, REGEX, TYPE))
                patterns = [word(3).lower() for _ in range(generator.randint(1, 2))]
                given.append(rule(
                    str(next(counter)), level, "text",
                    *([] if level is TYPE else [re.compile(patterns[0], re.I)] if level is REGEX else patterns),
                    priority=generator.choice((0, 10)),
                ))  # fmt: skip
            rules = Rules(given)
            for _ in range(10):
                said = word(6)
                law = sorted(
                    (-each.priority, each.level, number, each.name)
                    for number, each in enumerate(given) if applies(each, said)
                )  # fmt: skip
                self.assertEqual(names(rules, text(said)), [name for *_, name in law], (given, said))


def applies(each: Rule, said: str) -> bool:
    folded = said.lower()
    words = [pattern for pattern in each.patterns if isinstance(pattern, str)]
    if each.level is EXACT:
        return folded in words
    if each.level is PREFIX:
        return any(folded.startswith(word) for word in words)
    if each.level is CONTAINED:
        return any(word in folded for word in words)
    return not each.patterns or any(p.search(said) for p in each.patterns if isinstance(p, re.Pattern))


if __name__ == "__main__":
    unittest.main()
