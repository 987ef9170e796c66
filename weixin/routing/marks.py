"""``on``: what ``@on.text("天气")`` leaves on a function.

A mark and nothing else: there is no registry and no app object. Whoever loads a file looks at the marks of its
functions (``marks_of``), so loading it again is clean. A wrong argument is a Misuse, raised where it stands.

``@on.text``                        any text
``@on.text("天气", "weather")``      exactly that, or another; case, width, outer blanks, final marks do not count
``@on.text(re.compile(r"^查"))``     a regular expression, searched in the first 200 characters
``@on.text(prefix="查")``            what it begins with; ``match["rest"]`` is what follows
``@on.text(contains=["票", "费"])``  what it contains
``@on.click("HELP")``               a menu key; ``on.view`` an address; ``on.scan("42")`` a scene, of new followers too
``@on.voice``, ``@on.subscribe``    every type of message and every event has its name; LOCATION's is location_event
``@on.event("poi_check_notify")``   events by name, with or without a name here; bare: any event
``@on.any``                         anything a user sent, stickers too; not events
``@on.unknown``                     what this program does not know, and what the platform could not forward
``@on.error``                       when a handler failed

All but the last take ``priority=`` (higher is asked first; 0) and ``hours=`` (``"Mon-Fri 9:00-18:00"``); for what is
slow, ``budget=`` (seconds it may take) and ``busy=`` (what is said when the user has to wait).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType
from typing import Any, NamedTuple, TypeVar, Union, overload

from weixin.wire.messages import EVENTS, MESSAGE_TYPES

from . import hours as hours_
from .errors import Misuse, hint
from .rules import (
    ANY,
    CONTAINED,
    EVENT,
    EXACT,
    FAMILY,
    MESSAGE,
    PREFIX,
    REGEX,
    TYPE,
    UNKNOWN,
    WORDED,
    Level,
    Pattern,
    keyword,
)

ERROR = "*error"

F = TypeVar("F", bound=Callable[..., object])
Words = Union[str, Sequence[str]]

# An attribute of the function, so that it goes where the function goes.
_ATTRIBUTE = "_wxserve_marks"
_OPTIONS = ("prefix", "contains", "priority", "hours", "budget", "busy")
# A run longer than this is given up anyway (`run_max` at its most).
_MOST_BUDGET = 3600


class Mark(NamedTuple):
    """Which messages a function is for; the fields are those of a Rule."""

    level: Level
    kind: str
    patterns: tuple[Pattern, ...]
    priority: int
    hours: hours_.Hours | None
    budget: float | None = None
    busy: str = ""


class UnknownName(Misuse, AttributeError):
    """``on.vioce``."""


def marks_of(thing: object) -> tuple[Mark, ...]:
    """Return the marks of a function, the topmost decorator first; of anything else, none."""
    return getattr(thing, _ATTRIBUTE, ()) if isinstance(thing, FunctionType) else ()


class Trigger:
    """``on.text``, ``on.click``, …: a decorator as it is, or called with what it is for."""

    __slots__ = ("_kind", "_level", "_name")

    def __init__(self, name: str, kind: str, level: Level) -> None:
        self._name = name
        self._kind = kind
        self._level = level

    def __repr__(self) -> str:
        return f"on.{self._name}"

    @overload
    def __call__(self, function: F, /) -> F: ...

    @overload
    def __call__(
        self,
        *words: str | re.Pattern[str],
        prefix: Words = ...,
        contains: Words = ...,
        priority: int = ...,
        hours: str = ...,
        budget: float = ...,
        busy: str = ...,
    ) -> Callable[[F], F]: ...

    def __call__(self, *words: Any, **options: Any) -> Any:
        if len(words) == 1 and not options and isinstance(words[0], (FunctionType, type)):
            return _attach(words[0], self._marks((), {}))
        marks = self._marks(words, options)
        return lambda function: _attach(function, marks)

    def _marks(self, words: tuple[Any, ...], options: dict[str, Any]) -> tuple[Mark, ...]:
        for name in options:
            if name not in _OPTIONS or self._kind == ERROR:
                known = () if self._kind == ERROR else _OPTIONS
                text = f"{self!r} has no option {name}"
                raise Misuse("option", text, on=repr(self), name=name, hint=hint(name, known))
        priority, hours = options.get("priority", 0), options.get("hours")
        if not isinstance(priority, int) or isinstance(priority, bool):
            raise Misuse("priority", "priority is a whole number", value=repr(priority))
        if hours is not None and not isinstance(hours, str):
            raise Misuse("hours", "hours is a str", hours=repr(hours))
        rest = (priority, None if hours is None else hours_.parse(hours), *_slowness(options))
        if self._name == "event":
            kinds = [_event(name) for name in words]
            if "prefix" in options or "contains" in options:
                raise self._no_words()
            return tuple(Mark(TYPE, kind, (), *rest) for kind in kinds) or (
                Mark(FAMILY, EVENT, (), *rest),
            )
        found = self._patterns(words, options)
        if found and self._kind not in WORDED:
            raise self._no_words()
        if not found:
            return (Mark(self._level, self._kind, (), *rest),)
        return tuple(Mark(level, self._kind, patterns, *rest) for level, patterns in found)

    def _patterns(
        self, words: tuple[Any, ...], options: dict[str, Any]
    ) -> list[tuple[Level, tuple[Pattern, ...]]]:
        given: list[tuple[Level, Iterable[Any]]] = [
            (EXACT, [word for word in words if not isinstance(word, re.Pattern)]),
            (PREFIX, _several("prefix", options)),
            (CONTAINED, _several("contains", options)),
        ]
        found: list[tuple[Level, tuple[Pattern, ...]]] = [
            (level, tuple(self._word(word, level) for word in each)) for level, each in given
        ]
        expressions = tuple(word for word in words if isinstance(word, re.Pattern))
        for each in expressions:
            if not isinstance(each.pattern, str):
                raise Misuse("word", "an expression is made of a str", on=repr(self), value=repr(each.pattern)[:80])
        found.append((REGEX, expressions))
        return [item for item in found if item[1]]

    def _word(self, word: Any, level: Level) -> str:
        if not isinstance(word, str):
            text = f"{self!r} takes str and re.compile(…), not {type(word).__name__}"
            raise Misuse("word", text, on=repr(self), value=repr(word)[:80])
        return keyword(word, self._kind)

    def _no_words(self) -> Misuse:
        return Misuse("no-words", f"{self!r} takes no words to compare with", on=repr(self))


class On:
    """The decorators, one an attribute; ``dir(on)`` lists them."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Trigger:
        found = _TRIGGERS.get(name)
        if found is None:
            near = hint(name, _TRIGGERS)
            raise UnknownName("unknown-name", f"on has no {name}{near}", name=name, hint=near)
        return found

    def __dir__(self) -> list[str]:
        return sorted(_TRIGGERS)

    def __repr__(self) -> str:
        return "on"


def _attach(function: Any, marks: tuple[Mark, ...]) -> Any:
    if not isinstance(function, FunctionType):
        words = f"on.… stands above a function, not {type(function).__name__}"
        raise Misuse("not-a-function", words, value=type(function).__name__)
    setattr(function, _ATTRIBUTE, marks + marks_of(function))
    return function


def _slowness(options: dict[str, Any]) -> tuple[float | None, str]:
    """``budget=`` and ``busy=``: how many seconds a slow function may take, and what is said meanwhile."""
    budget, busy = options.get("budget"), options.get("busy", "")
    if budget is not None and (
        isinstance(budget, bool) or not isinstance(budget, (int, float)) or not 0 < budget <= _MOST_BUDGET
    ):
        raise Misuse("budget", f"budget is a number of seconds up to {_MOST_BUDGET}", value=repr(budget)[:80])
    if not isinstance(busy, str):
        raise Misuse("busy", "busy is a str", value=repr(busy)[:80])
    return None if budget is None else float(budget), busy


def _several(name: str, options: dict[str, Any]) -> Sequence[Any]:
    if name not in options:
        return ()
    given = options[name]
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, (list, tuple, set, frozenset)) or not given:
        raise Misuse("word", f"{name} takes a str or a list of them", on=name, value=repr(given)[:80])
    return tuple(given)


def _event(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise Misuse("word", "on.event takes the names of events", on="on.event", value=repr(name)[:80])
    folded = name.strip().lower()
    return "location_event" if folded == "location" else folded


_TRIGGERS = {
    **{name: Trigger(name, name, TYPE) for name in MESSAGE_TYPES + EVENTS},
    "event": Trigger("event", EVENT, FAMILY),
    "unknown": Trigger("unknown", UNKNOWN, FAMILY),
    "any": Trigger("any", MESSAGE, ANY),
    "error": Trigger("error", ERROR, ANY),
}

on = On()
