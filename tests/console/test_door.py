"""The door and the pace behind it: whose header counts, and how a handler is made slow."""

from __future__ import annotations

import time
import unittest
from collections.abc import Iterable
from typing import Any, Callable

from weixin import config
from weixin.console import pace
from weixin.console.access import make_key
from weixin.console.door import Door, header, in_modes
from weixin.console.pace import Pace, Paced
from weixin.routing.rules import Level, Rule, Rules
from weixin.simulator import Push, make
from weixin.wire.envelope import decode_key

KEY = make_key()


def said_by(name: str, seen: list[tuple[str, dict[str, Any]]]) -> Callable[..., Iterable[bytes]]:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append((name, environ))
        return [name.encode()]

    return application


class Header(unittest.TestCase):
    def setUp(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.pace = Pace()
        variants = {mode: said_by(mode, self.seen) for mode in ("plain", "compat", "safe")}
        self.door = Door(said_by("itself", self.seen), KEY, variants, self.pace)

    def ask(self, value: str | None) -> tuple[str, dict[str, Any]]:
        environ = {} if value is None else {"HTTP_X_WXSERVE_CONSOLE": value}
        list(self.door(environ, lambda *_: None))
        return self.seen[-1]

    def test_without_it_the_application_is_asked(self) -> None:
        self.assertEqual(self.ask(None)[0], "itself")

    def test_with_the_key_the_mode_is_the_headers(self) -> None:
        for mode in ("plain", "compat", "safe"):
            name, environ = self.ask(header(KEY, mode, 0, False, "oX:1")[1])
            self.assertEqual(name, mode)
            self.assertTrue(environ["wxserve.simulated"])
            self.assertFalse(environ["wxserve.replayed"])
        self.assertTrue(self.ask(header(KEY, "safe", 0, True, "oX:1")[1])[1]["wxserve.replayed"])

    def test_any_number_of_seconds_passes(self) -> None:
        for slow in (1.2345678, 1e-7, 30.0):
            self.assertEqual(self.ask(header(KEY, "plain", slow, False, "oX:1")[1])[0], "plain")

    def test_without_the_key_it_is_taken_off_and_means_nothing(self) -> None:
        stranger = header("x" * 22, "safe", 9, True, "oX:1")[1]
        for value in (stranger, "", KEY, f"{KEY} open 0 0 oX:1", f"{KEY}é safe 0 0 oX:1"):
            with self.subTest(value):
                name, environ = self.ask(value)
                self.assertEqual((name, environ), ("itself", {}))

    def test_the_modes_differ_in_nothing_but_what_a_mode_needs(self) -> None:
        settings = config.load(None, {}, {"WXSERVE_TOKEN": "token4tests"}, base="/")
        modes = in_modes(settings, KEY)
        self.assertIs(modes["plain"], settings)
        self.assertEqual({each.token for each in modes.values()}, {"token4tests"})
        self.assertEqual(len(decode_key(modes["safe"].aes_key)), 32)
        self.assertEqual(modes["safe"].aes_key, in_modes(settings, KEY)["safe"].aes_key)
        self.assertNotEqual(modes["safe"].aes_key, in_modes(settings, make_key())["safe"].aes_key)


class Slowness(unittest.TestCase):
    def setUp(self) -> None:
        self.pace = Pace()
        rule = Rule(Level.TYPE, "text", (), lambda call: "好", "bot.echo", "bot.py", 1)
        self.rules = Paced(Rules([rule]), self.pace)

    def message(self, id: str = "1") -> Any:
        return make("text", "x", time=1, id=id).message

    def test_the_answer_of_that_message_alone_takes_longer(self) -> None:
        self.pace.slow(pace.name(self.message()), 0.6)
        for id, least in (("1", 0.6), ("2", 0.0)):
            began = time.monotonic()
            hits = list(self.rules.candidates(self.message(id), 0.0))
            self.assertLess(time.monotonic() - began, 0.5, "looking for a rule is never slow")
            self.assertEqual(hits[0].rule.answer(None), "好")  # type: ignore[arg-type]
            self.assertGreaterEqual(time.monotonic() - began, least)

    def test_what_is_no_message_has_a_name_all_the_same(self) -> None:
        self.assertEqual(pace.name(Push(b"no xml").message), "none:0")

    def test_old_ones_are_forgotten(self) -> None:
        for n in range(pace.NAMES_MAX + 5):
            self.pace.slow(f"o:{n}", 1.0)
        self.assertEqual(len(self.pace._seconds), pace.NAMES_MAX)


if __name__ == "__main__":
    unittest.main()
