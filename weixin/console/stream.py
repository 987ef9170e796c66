"""Server-sent events (HTML Living Standard, section 9.2): the ledger, told as it changes, to one tab."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Iterator
from typing import Any, Callable

from .ledger import Ledger, Subscription
from .remembered import LOOK_SECONDS

# Where the server cannot say that the reader is gone, writing is the only way to find out.
BLIND_COMMENT_SECONDS = 1.0
# Proxies close what is silent for a minute; browsers notice a dead connection by it.
COMMENT_SECONDS = 15.0
# So soon a browser asks again when it has lost us.
RETRY_MS = 2_000
# A thread is a thread: a stream that lives longer than this begins anew, and nobody notices.
LIFETIME_SECONDS = 3_600.0

HEADERS = [
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),
]

Wait = Callable[..., bool]


class Stream:
    """The body of one answer. Begins with what came after *cursor*; ends when the reader or the server does."""

    def __init__(
        self,
        ledger: Ledger,
        look: Callable[[], None],
        subscription: Subscription,
        cursor: str,
        wait_gone: Wait | None,
    ) -> None:
        """*look* brings into the ledger what happened elsewhere; *wait_gone* is the server's, if it has one."""
        self._ledger = ledger
        self._look = look
        self._subscription = subscription
        self._cursor = cursor
        self._wait_gone = wait_gone

    def __iter__(self) -> Iterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        began = spoken = time.monotonic()
        silence = COMMENT_SECONDS if self._wait_gone is not None else BLIND_COMMENT_SECONDS
        while True:
            self._subscription.drain()
            self._look()
            told = self._news()
            if told:
                spoken = time.monotonic()
                yield told
            now = time.monotonic()
            if now - began > LIFETIME_SECONDS:
                return
            if now - spoken > silence:
                spoken = now
                yield b":\n\n"
            if self._gone(LOOK_SECONDS):
                return

    def close(self) -> None:
        """PEP 3333: called however the answer ends."""
        self._ledger.unsubscribe(self._subscription)

    def _news(self) -> bytes:
        others = self._ledger.news(self._cursor)
        cursor, rows = self._ledger.after(self._cursor)
        self._cursor = cursor
        events = [("delivery", row, f"{self._ledger.boot}.{row['seq']}") for row in rows]
        events += [(event, data, cursor) for event, data in others]
        return "".join(_event(*each) for each in events).encode()

    def _gone(self, seconds: float) -> bool:
        """Wait for news; whether nobody listens any more."""
        if self._wait_gone is not None:
            return self._wait_gone(seconds, self._subscription.fileno())
        select.select([self._subscription], [], [], seconds)
        return False


def _event(event: str, data: dict[str, Any], id: str) -> str:
    # JSON has no line feeds of its own, so that one data line is enough.
    return f"id: {id}\nevent: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
