"""Asking: what handlers may return, what happens when they fail, and that there is always an answer."""

from __future__ import annotations

import logging
import threading
import unittest
from typing import Any, Callable

from weixin import texts
from weixin.routing import run
from weixin.routing.handlers import Loaded
from weixin.routing.rules import Level, Rules
from weixin.wire.messages import Message
from weixin.wire.replies import Image, Reply, Success

from .support import NOON, LoadedCase, Say, rule, said, text

# What a handler says, and what the user reads.
RETURNS: list[tuple[str, str, str]] = [
    ("text", "return '好'", "好"),
    ("a reply", "return Text('好')", "好"),
    ("none: the next is asked", "return None", "last"),
    ("nothing: the next is asked", "pass", "last"),
    ("empty: nothing is said", "return ''", ""),
    ("blank: nothing is said", "return ' \\n'", ""),
    ("control characters alone: nothing is said", "return '\\x01'", ""),
    ("the acknowledgement", "return Success()", ""),
]
WRONG = ["['a', 'b']", "('a',)", "42", "b'a'", "{'a': 1}", "True", "(x for x in 'ab')", "Text"]


class Answers(LoadedCase):
    def ask(self, loaded: Loaded, of: Message | None = None, config: object = None) -> run.Outcome:
        self.assertEqual(loaded.errors, [])
        rules = Rules(loaded.rules, loaded.on_error)
        return run.answer(rules, of or text("x"), NOON, self.context(config), "d8f3")

    def file(self, body: str, *, before: str = "def") -> Loaded:
        source = f"from wxserve import *\n@on.text\n{before} first(msg):\n    {body}\n"
        return self.load({"a.py": source, "b.py": "from wxserve import on\n@on.any\ndef last(): return 'last'\n"})

    def test_what_they_return(self) -> None:
        for before in ("def", "async def"):
            for name, body, expected in RETURNS:
                with self.subTest(name, before=before):
                    outcome = self.ask(self.file(body, before=before))
                    self.assertEqual((said(outcome.reply), outcome.error), (expected, None))
                    assert outcome.rule is not None
                    self.assertEqual(outcome.rule.name, "b.last" if expected == "last" else "a.first")

    def test_what_is_no_reply(self) -> None:
        for before in ("def", "async def"):
            for value in WRONG:
                with self.subTest(value, before=before), self.assertLogs("wxserve.routing") as logs:
                    outcome = self.ask(self.file(f"return {value}", before=before))
                self.assertIsInstance(outcome.reply, Success)
                self.assertIsInstance(outcome.error, run.BadReply)
                self.assertEqual([record.__dict__["code"] for record in logs.records], ["WX-HND-04"])
                self.assertIsNone(logs.records[0].exc_info, "there is no line of the user's in it")
                said = texts.explain("WX-HND-04", "en", logs.records[0].__dict__["fields"]).title
                self.assertNotIn("{", said)

    def test_nobody_has_an_answer(self) -> None:
        outcome = run.answer(Rules(), text("x"), NOON, self.context())
        self.assertIsInstance(outcome.reply, Success)
        self.assertEqual(outcome[1:], (None, None))

    def test_arguments_by_name(self) -> None:
        loaded = self.load({"a.py": """\
            import re
            from wxserve import on
            @on.text(re.compile(r"^(?P<what>.)气"))
            async def pattern(match, user, config, msg):
                return f"{match['what']} {user} {config} {msg.text}"
            @on.text(prefix="订单")
            def prefix(match):
                return match["rest"]
            @on.text("log")
            def logs(log):
                return log.name
            """})  # fmt: skip
        for of, expected in (("天气好", "天 oUser C 天气好"), ("订单 5", "5"), ("log", "wxserve.handlers")):
            with self.subTest(of):
                self.assertEqual(said(self.ask(loaded, text(of), "C").reply), expected)


class Failures(LoadedCase):
    FAIL = """\
        import sys
        from wxserve import Text, on
        @on.text
        def bad(msg):
            fail()
        @on.any
        def not_asked():
            return "not asked"
        def fail():
            raise {error}
        """

    def ask(self, files: dict[str, str]) -> tuple[run.Outcome, list[logging.LogRecord]]:
        loaded = self.load(files)
        self.assertEqual(loaded.errors, [])
        with self.assertLogs("wxserve.routing", logging.ERROR) as logs:
            outcome = run.answer(Rules(loaded.rules, loaded.on_error), text("x"), NOON, self.context(), "d8f3")
        return outcome, logs.records

    def failing(self, error: str = "ValueError('秘')") -> str:
        return self.FAIL.replace("{error}", error)

    def test_the_traceback_once_and_the_acknowledgement(self) -> None:
        for error in ("ValueError('秘')", "SystemExit(3)", "KeyboardInterrupt", "GeneratorExit", "RecursionError"):
            if error == "KeyboardInterrupt":
                continue
            with self.subTest(error):
                outcome, (record,) = self.ask({"a.py": self.failing(error)})
                self.assertIsInstance(outcome.reply, Success)
                assert outcome.rule is not None
                self.assertEqual(outcome.rule.name, "a.bad")
                self.assertEqual((record.getMessage(), record.__dict__["code"]), ("handler", "WX-HND-05"))
                fields = record.__dict__["fields"]
                self.assertEqual((fields["d"], fields["user"]), ("d8f3", "oUser"))
                self.assertEqual(fields["at"], "handlers/a.py:10")
                self.assertTrue(fields["error"].startswith(error.partition("(")[0]))
                assert record.exc_info is not None
                self.assertIs(record.exc_info[1], outcome.error)

    def test_an_exception_that_cannot_say_what_it_is(self) -> None:
        for raised in ("ValueError('no words')", "SystemExit(3)"):
            source = f"""\
                from wxserve import on
                class Mute(Exception):
                    def __str__(self):
                        raise {raised}
                @on.text
                def bad(): raise Mute
                @on.error
                def oops(error): return type(error).__name__
                """
            outcome, (record,) = self.ask({"a.py": source})
            self.assertEqual(said(outcome.reply), "Mute")
            self.assertEqual(record.__dict__["fields"]["error"], "Mute")

    def test_on_error_answers(self) -> None:
        outcome, _ = self.ask({"a.py": self.failing(), "b.py": """\
            from wxserve import on
            @on.error
            def pass_on(): return None
            @on.error
            async def oops(error, msg, user, match):
                return f"{type(error).__name__} {msg.text} {user} {match}"
            @on.error
            def third(): return "third"
            """})  # fmt: skip
        self.assertEqual(said(outcome.reply), "ValueError x oUser None")

    def test_on_error_that_fails_is_reported_too(self) -> None:
        outcome, records = self.ask({"a.py": self.failing(), "b.py": """\
            from wxserve import on
            @on.error
            def oops(error):
                raise error
            """})  # fmt: skip
        self.assertIsInstance(outcome.reply, Success)
        self.assertEqual([each.__dict__["fields"]["at"] for each in records], ["handlers/a.py:10", "handlers/b.py:4"])

    def test_a_reply_that_cannot_be_made(self) -> None:
        source = "from wxserve import News, on\n@on.text\ndef f(): return News('t', 'x')\n"
        outcome, (record,) = self.ask({"a.py": source})
        self.assertEqual(record.__dict__["fields"]["error"], "ReplyError: News: pic is missing")
        self.assertIsInstance(outcome.reply, Success)

    def test_ctrl_c_is_for_the_program(self) -> None:
        loaded = self.load({"a.py": self.failing("KeyboardInterrupt")})
        rules, context = Rules(loaded.rules), self.context()
        with self.assertRaises(KeyboardInterrupt):
            run.answer(rules, text("x"), NOON, context)
        outcomes: list[run.Outcome] = []
        with self.assertLogs("wxserve.routing"):
            thread = threading.Thread(target=lambda: outcomes.append(run.answer(rules, text("x"), NOON, context)))
            thread.start()
            thread.join(10)
        self.assertIsInstance(outcomes[0].error, KeyboardInterrupt)

    def test_a_failing_answer_that_is_no_function(self) -> None:
        def broken(call: Any) -> object:
            raise ValueError("broken")

        given = rule("x", Level.TYPE, "text")._replace(answer=broken, file="replies.ini", line=3)
        with self.assertLogs("wxserve.routing") as logs:
            run.answer(Rules([given]), text("x"), NOON, self.context())
        self.assertEqual(logs.records[0].__dict__["fields"]["at"], "replies.ini:3")


class Order(unittest.TestCase):
    def test_the_first_answer_ends_the_asking(self) -> None:
        asked: list[str] = []

        def answering(name: str, value: object) -> Callable[[Any], object]:
            def answer(call: Any) -> object:
                asked.append(name)
                return value

            return answer

        given = [
            rule(name, Level.TYPE, "text")._replace(answer=answering(name, value))
            for name, value in (("one", None), ("two", Image("M")), ("three", "x"))
        ]
        outcome = run.answer(Rules(given), text("x"), NOON, run.Context())
        self.assertIsInstance(outcome.reply, Image)
        self.assertEqual(asked, ["one", "two"])

    def test_a_reply_object_is_passed_on_as_it_is(self) -> None:
        reply: Reply = Image("M")
        given = rule("x", Level.TYPE, "text")._replace(answer=Say(reply))
        self.assertIs(run.answer(Rules([given]), text("x"), NOON, run.Context()).reply, reply)


if __name__ == "__main__":
    unittest.main()
