"""Arguments by name."""

from __future__ import annotations

import functools
import inspect
import unittest
from typing import Any, Callable

from weixin.routing.call import (
    ARGUMENTS,
    ERROR_ARGUMENTS,
    Asking,
    Call,
    Context,
    _parameters,
    _parameters_of_any,
    function,
)
from weixin.routing.errors import Misuse

from .support import NOON, text


def wrapped(inner: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    return outer


class Arguments(unittest.TestCase):
    def test_a_function_gets_what_it_names(self) -> None:
        call = Call(text("hi"), NOON, Context("settings"), Asking())
        cases: list[tuple[Callable[..., Any], object]] = [
            (lambda: "none", "none"),
            (lambda msg: msg.text, "hi"),
            (lambda user, msg: (user, msg.text), (text("hi").user, "hi")),
            (lambda *, config: config, "settings"),
            (lambda msg, match=1: match, None),
            (lambda msg, retries=3: retries, 3),
            (lambda **everything: tuple(everything), ARGUMENTS),
            (wrapped(lambda config: config), "settings"),
        ]
        for number, (target, expected) in enumerate(cases):
            with self.subTest(number):
                self.assertEqual(function(target)(call), expected)

    def test_what_there_is_not_is_refused(self) -> None:
        cases: list[tuple[Callable[..., Any], str, str]] = [
            (lambda message: 0, "message", " → msg?"),
            (lambda msg, sesion: 0, "sesion", ""),
            (lambda *args: 0, "args", ""),
            (lambda error: 0, "error", ""),
            (lambda usr: 0, "usr", " → user?"),
        ]
        for target, name, near in cases:
            with self.subTest(name), self.assertRaises(Misuse) as caught:
                function(target)
            expected = {"name": name, "allowed": "msg match state user deadline log config", "hint": near}
            self.assertEqual((caught.exception.reason, caught.exception.values), ("argument", expected))

    def test_a_plain_function_is_read_as_inspect_reads_it(self) -> None:
        async def later(msg: object, *, state: object = None) -> None: ...

        def everything(a: int, /, b: int, c: int = 1, *rest: int, d: int, e: int = 2, **more: int) -> None:
            local = a
            del local

        cases: list[Callable[..., Any]] = [
            lambda: 0, lambda msg: 0, lambda msg, user=1: 0, lambda *, a, b=1, c: 0, lambda *a: 0, lambda **a: 0,
            lambda a, /: 0, lambda a, b=1, /, c=2: 0, lambda *a, b, **c: 0, later, everything,
        ]  # fmt: skip
        for number, target in enumerate(cases):
            with self.subTest(number):
                self.assertEqual(list(_parameters(target)), list(_parameters_of_any(target)))

    def test_whatever_can_be_called_is_read(self) -> None:
        class Callee:
            def __call__(self, msg: object) -> object: ...

            def method(self, user: object) -> object: ...

        signed: Any = lambda *args: 0  # noqa: E731 - with a signature of its own, below
        signed.__signature__ = inspect.signature(lambda match: 0)
        cases: list[tuple[Callable[..., Any], tuple[str, ...]]] = [
            (Callee(), ("msg",)),
            (Callee().method, ("user",)),
            (functools.partial(lambda other, msg: 0, 1), ("msg",)),
            (wrapped(wrapped(lambda log: 0)), ("log",)),
            (signed, ("match",)),
        ]
        for target, names in cases:
            with self.subTest(names):
                self.assertEqual(function(target).names, names)

    def test_who_answers_errors_may_ask_for_the_error(self) -> None:
        error = ValueError("x")
        call = Call(text("hi"), NOON, Context(), Asking(), error=error)
        self.assertIs(function(lambda error: error, ERROR_ARGUMENTS)(call), error)


if __name__ == "__main__":
    unittest.main()
