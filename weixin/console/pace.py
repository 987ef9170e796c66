"""Handlers that are as slow as somebody wants to see: the rules are asked later than they could be.

The wait is a part of the message's run, so that whatever the program does about slow handlers it does here, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

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
        self._ready: dict[str, float] = {}

    def slow(self, message: str, seconds: float) -> None:
        """Let the message of this name take *seconds*."""
        with self._lock:
            if len(self._seconds) >= NAMES_MAX:
                oldest = next(iter(self._seconds))
                del self._seconds[oldest]
                self._ready.pop(oldest, None)
            self._seconds.setdefault(message, min(seconds, SLOW_MAX))

    def wait(self, message: Message) -> None:
        """Wait for as long as *message* is to take, counted from when it was asked about first."""
        if not self._seconds:
            return
        which = name(message)
        with self._lock:
            seconds = self._seconds.get(which)
            if seconds is None:
                return
            ready = self._ready.setdefault(which, time.monotonic() + seconds)
        time.sleep(max(0.0, ready - time.monotonic()))


class Paced(Rules):
    """The same rules, asked at a pace."""

    def __init__(self, rules: Rules, pace: Pace) -> None:
        # With their index, not a copy that is sorted and indexed anew.
        self.__dict__.update(vars(rules))
        self._pace = pace

    def candidates(self, message: Message, now: float) -> Iterator[Hit]:
        self._pace.wait(message)
        return super().candidates(message, now)
