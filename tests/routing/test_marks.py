"""What ``on`` leaves on a function, and what it refuses."""

from __future__ import annotations

import functools
import re
import unittest
from typing import Any, Callable

from weixin.routing.errors import Misuse
from weixin.routing.marks import ERROR, marks_of, on
from weixin.routing.rules import EVENT, MESSAGE, UNKNOWN, Level
from weixin.wire.messages import EVENTS, MESSAGE_TYPES

EXACT, PREFIX, CONTAINED, REGEX, TYPE, FAMILY, ANY, DEFAULT = Level
RE = re.compile("^查")

GOOD: list[tuple[str, Callable[[], Any], list[tuple[Level, str, tuple[object, ...]]]]] = [
    ("bare", lambda: on.voice, [(TYPE, "voice", ())]),
    ("called", lambda: on.voice(hours="9-18"), [(TYPE, "voice", ())]),
    ("any text", lambda: on.text(priority=1), [(TYPE, "text", ())]),
    ("a word", lambda: on.text("天气"), [(EXACT, "text", ("天气",))]),
    ("several", lambda: on.text("天气", " Weather "), [(EXACT, "text", ("天气", "weather"))]),
    ("an expression", lambda: on.text(RE), [(REGEX, "text", (RE,))]),
    ("a beginning", lambda: on.text(prefix="查"), [(PREFIX, "text", ("查",))]),
    ("parts", lambda: on.text(contains=["票", "费"]), [(CONTAINED, "text", ("票", "费"))]),
    ("all at once", lambda: on.text("a", RE, prefix="b", contains=("c",)),
     [(EXACT, "text", ("a",)), (PREFIX, "text", ("b",)), (CONTAINED, "text", ("c",)), (REGEX, "text", (RE,))]),
    ("a key", lambda: on.click("Menu_Help"), [(EXACT, "click", ("Menu_Help",))]),
    ("an address", lambda: on.view("https://a.example/"), [(EXACT, "view", ("https://a.example/",))]),
    ("a scene", lambda: on.scan("42"), [(EXACT, "scan", ("42",))]),
    ("any event", lambda: on.event(priority=1), [(FAMILY, EVENT, ())]),
    ("any event, bare", lambda: on.event, [(FAMILY, EVENT, ())]),
    ("events by name", lambda: on.event("LOCATION", "New_One"), [(TYPE, "location_event", ()), (TYPE, "new_one", ())]),
    ("any", lambda: on.any, [(ANY, MESSAGE, ())]),
    ("unknown", lambda: on.unknown, [(FAMILY, UNKNOWN, ())]),
    ("error", lambda: on.error, [(ANY, ERROR, ())]),
]  # fmt: skip

BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: on.text(""), "empty-word"),
    (lambda: on.text(" "), "empty-word"),
    (lambda: on.text("a", prefix=""), "empty-word"),
    (lambda: on.text(contains=[]), "word"),
    (lambda: on.text("x" * 300), "long-word"),
    (lambda: on.text(42), "word"),  # type: ignore[call-overload]
    (lambda: on.text(["a", "b"]), "word"),  # type: ignore[call-overload]
    (lambda: on.text(re.compile(b"a")), "word"),  # type: ignore[arg-type]
    (lambda: on.text(prefix=RE), "word"),  # type: ignore[call-overload]
    (lambda: on.text(regex="^a"), "option"),  # type: ignore[call-overload]
    (lambda: on.text("a", priorty=1), "option"),  # type: ignore[call-overload]
    (lambda: on.text("a", priority="1"), "priority"),  # type: ignore[call-overload]
    (lambda: on.text("a", priority=True), "priority"),
    (lambda: on.text("a", hours="9"), "hours"),
    (lambda: on.text("a", hours=9), "hours"),  # type: ignore[call-overload]
    (lambda: on.voice("天气"), "no-words"),
    (lambda: on.any("天气"), "no-words"),
    (lambda: on.event("a", prefix="b"), "no-words"),
    (lambda: on.event(""), "word"),
    (lambda: on.error(priority=1), "option"),
    (lambda: on.vioce, "unknown-name"),
    (lambda: on.text(type("NotAFunction", (), {})), "not-a-function"),
    (lambda: on.text("a")(functools.partial(print)), "not-a-function"),
]


class Marks(unittest.TestCase):
    def test_what_a_decorator_says(self) -> None:
        for name, make, expected in GOOD:
            with self.subTest(name):

                def function() -> None: ...

                self.assertIs(make()(function), function)
                found = [(mark.level, mark.kind, mark.patterns) for mark in marks_of(function)]
                self.assertEqual(found, expected)

    def test_every_type_and_event_has_its_name(self) -> None:
        for name in MESSAGE_TYPES + EVENTS:
            with self.subTest(name):

                def function() -> None: ...

                getattr(on, name)(function)
                self.assertEqual([mark.kind for mark in marks_of(function)], [name])
                self.assertIn(name, dir(on))

    def test_decorators_stack_from_the_top(self) -> None:
        @on.click("HELP", priority=5)
        @on.text("帮助", hours="9:00-18:00")
        def function() -> None: ...

        first, second = marks_of(function)
        self.assertEqual((first.kind, first.priority, first.hours), ("click", 5, None))
        self.assertEqual((second.kind, second.priority), ("text", 0))
        assert second.hours is not None
        self.assertEqual(second.hours.spec, "9:00-18:00")

    def test_nothing_is_remembered_but_on_the_function(self) -> None:
        def one() -> None: ...
        def two() -> None: ...

        on.text("a")(one)
        self.assertEqual((len(marks_of(one)), marks_of(two), marks_of(42)), (1, (), ()))

    def test_what_is_wrong_is_said_at_once(self) -> None:
        for make, reason in BAD:
            with self.subTest(reason), self.assertRaises(Misuse) as caught:
                make()
            self.assertEqual(caught.exception.reason, reason)

    def test_a_misspelt_name_gets_a_suggestion(self) -> None:
        with self.assertRaisesRegex(AttributeError, "on has no vioce → voice?"):
            on.vioce  # noqa: B018
        self.assertFalse(hasattr(on, "nothing_like_it"))


if __name__ == "__main__":
    unittest.main()
