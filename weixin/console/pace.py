"""Handlers that are as slow as somebody wants to see.

The wait is a part of the message's run, so that whatever the program does about slow handlers it does here, too.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from typing import Callable

from ..routing.call import Answer, Function
from ..routing.rules import Hit, Rules
from ..wire.messages import Message

# Three deliveries are fifteen seconds; nothing new is seen after twice that.
SLOW_MAX = 30.0
# Messages that were slowed lately.
NAMES_MAX = 1_000


def name(message: Message | None) -> str:
    """What tells one message from another; for what is no message, a name that no message has."""
    return f"{message.user}:{message.id or message.time}" if message is not None else "none:0"


class Pace:
    """Which messages take how long. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}

    def slow(self, message: str, seconds: float) -> None:
        """Let the message of this name take *seconds*."""
        with self._lock:
            if len(self._seconds) >= NAMES_MAX:
                del self._seconds[next(iter(self._seconds))]
            self._seconds.setdefault(message, min(seconds, SLOW_MAX))

    def of(self, message: Message) -> float:
        """The seconds that *message* is to take; nearly always 0."""
        return self._seconds.get(name(message), 0.0) if self._seconds else 0.0


class Paced(Rules):
    """The same rules, whose answers take their time where somebody asked for that."""

    def __init__(self, rules: Rules, pace: Pace) -> None:
        # With their index, not a copy that is sorted and indexed anew.
        self.__dict__.update(vars(rules))
        self._pace = pace

    def candidates(self, message: Message, now: float) -> Iterator[Hit]:
        hits = super().candidates(message, now)
        seconds = self._pace.of(message)
        return _delayed(hits, seconds) if seconds else hits


def _delayed(hits: Iterator[Hit], seconds: float) -> Iterator[Hit]:
    """The first rule that is asked takes *seconds* longer. Who only looks for a rule does not wait."""
    for n, hit in enumerate(hits):
        yield hit if n else hit._replace(rule=hit.rule._replace(answer=_behind(seconds, hit.rule.answer)))


def _behind(seconds: float, answer: Answer) -> Answer:
    """Wait, then ask *answer*; a function stays one, so that its faults have their line."""
    if isinstance(answer, Function):
        return answer._replace(function=_late(seconds, answer.function))
    return _late(seconds, answer)


def _late(seconds: float, function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def late(*values: object, **named: object) -> object:
        time.sleep(seconds)
        return function(*values, **named)

    return late
