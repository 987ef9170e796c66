"""The platform and its clock, many times as fast: a desk, handlers, and users who write to them."""

from __future__ import annotations

import re
import select
import threading
import time
import unittest
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.machine import crowd
from tests.waiting import until
from weixin.delivery import Desk, Given, Terms
from weixin.delivery.bell import Bell
from weixin.delivery.ladder import Pace
from weixin.routing import run
from weixin.routing.call import ERROR_ARGUMENTS, function
from weixin.routing.marks import ERROR, marks_of
from weixin.routing.rules import Rule, Rules
from weixin.store import Store
from weixin.store.memory import Memory
from weixin.wire.messages import Message, parse

# A second of the platform's, here. Less, and a busy machine's threads are late for what is left at the end, which is
# why that is a second and a half, and why a second is longer where many wait for their turn.
SECOND = 0.2 * crowd()
DEADLINE = 3.5
PACE = Pace(deadline=DEADLINE).scaled(SECOND)
TERMS = Terms(pace=PACE, run_max=120 * SECOND, busy="busy")


def rules(*functions: Callable[..., Any]) -> Rules:
    """Rules of marked functions, as a handlers file makes them."""
    found, errors = [], []
    for line, target in enumerate(functions, 1):
        for mark in marks_of(target):
            if mark.kind == ERROR:
                errors.append(function(target, ERROR_ARGUMENTS))
                continue
            level, kind, patterns, priority, hours, budget, busy = mark
            answer = function(target)
            found.append(
                Rule(level, kind, patterns, answer, target.__name__, "h.py", line, priority, hours, budget, busy)
            )
    return Rules(found, errors)


def message(text: str = "你好", user: str = "oUSER", number: int | str = 1, **fields: str) -> Message:
    every = {"ToUserName": "gh_1", "FromUserName": user, "CreateTime": "1790000000", "MsgType": "text"}
    every.update({"Content": text, "MsgId": str(number)} if "MsgType" not in fields else {}, **fields)
    xml = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in every.items())
    body = f"<xml>{xml}</xml>".encode()
    return Message(parse(body), raw=body, xml=body)


class Seen(NamedTuple):
    """What came of a message: on which delivery, what the user read (None: the fault notice), after how long."""

    attempt: int
    text: str | None
    seconds: float


class Peer:
    """The platform's end of one delivery; it hangs up after *seconds*, or with `hang_up`."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._bell = Bell()
        self._lock = threading.Lock()

    def gone(self, timeout: float, fd: int = -1) -> bool:
        poll = select.poll()
        poll.register(self._bell.fileno(), select.POLLIN)
        if fd >= 0:
            poll.register(fd, select.POLLIN)
        left = self._until - time.monotonic()
        ready = poll.poll(max(0.0, min(timeout, left)) * 1000)
        if any(each == self._bell.fileno() for each, _ in ready):
            return True
        return not ready and time.monotonic() >= self._until

    def hang_up(self) -> None:
        self._bell.ring()

    def close(self) -> None:
        self._bell.close()


def text_of(body: bytes) -> str:
    """What the user reads of a reply."""
    if body in (b"", b"success"):
        return ""
    return str(parse(body).get("Content", "")) or re.sub(rb"<CreateTime>\d+</CreateTime>", b"", body).decode()


class Case(unittest.TestCase):
    """A desk with the handlers that a test gives it."""

    #: Whether its stores know that they share their file.
    shared = False

    def desk(self, *functions: Callable[..., Any], store: Store | None = None, **terms: Any) -> Desk:
        context = run.Context()
        self.addCleanup(context.close)
        if store is None:
            store = self.store()
        made = Desk(rules(*functions), context, store, TERMS._replace(**terms), clock=self.clock)
        self.addCleanup(made.close)
        made.start()
        return made

    def store(self) -> Store:
        store = Memory(clock=self.clock)
        self.addCleanup(store.close)
        return store

    @staticmethod
    def clock() -> float:
        """The wall's clock runs as fast as the platform's: what is overdue after sixteen seconds is so here, too."""
        return 1_790_000_000 + time.monotonic() / SECOND

    def deliver(
        self, desk: Desk, push: Message, *, seconds: float = 5.0, age: float = 0.0, foreign: bool = False
    ) -> Given:
        """One delivery, after which the platform hangs up in so many of its seconds."""
        peer = Peer(seconds * SECOND)
        try:
            return desk.answer(push, age, time.monotonic(), None if foreign else peer.gone)
        finally:
            peer.close()

    def send(self, *desks: Desk, push: Message, attempts: int = 3) -> Seen:
        """Deliver until it is answered, three times at most, each delivery to the next of *desks*."""
        began = time.monotonic()
        for attempt in range(attempts):
            given: list[Given] = []
            thread = threading.Thread(target=self._deliver, args=(desks[attempt % len(desks)], push, attempt, given))
            thread.start()
            self.addCleanup(thread.join)
            # The thread may be inside a handler: the platform does not wait for that.
            thread.join(max(0.0, began + 5 * SECOND * (attempt + 1) - time.monotonic()))
            if given and not given[0].silent:
                return Seen(attempt + 1, text_of(given[0].body), (time.monotonic() - began) / SECOND)
            thread.join(max(0.0, began + 5 * SECOND * (attempt + 1) - time.monotonic()))
        return Seen(attempts, None, (time.monotonic() - began) / SECOND)

    def _deliver(self, desk: Desk, push: Message, attempt: int, given: list[Given]) -> None:
        given.append(self.deliver(desk, push, age=5.0 * attempt))

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        """Do several things at once; return what they returned."""
        results: list[Any] = [None] * len(calls)

        def do(index: int) -> None:
            results[index] = calls[index]()

        threads = [threading.Thread(target=do, args=(index,)) for index in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive(), "a delivery hangs")
        return results

    def until(self, holds: Callable[[], Any], seconds: float = 60 * SECOND) -> Any:
        """Wait until *holds* returns something true, and return that; a minute of the platform's at most."""
        return until(holds, seconds)
