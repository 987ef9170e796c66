"""What happened, newest last, and who wants to know: the list of deliveries and the streams that follow it.

A record changes while its deliveries are under way. Every change has a number, so that whoever was away asks for what
came after the last one it saw. Numbers begin anew with each process, hence the name of the process before them.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..simulator import Answer, Request, Seen

# As many as the store keeps.
KEPT = 500
# One thread each; more tabs than this ask every two seconds instead.
STREAMS_MAX = 4

_NUMBER = re.compile(r"[0-9]{1,15}")


class Attempt:
    """One request that carried a push, and what became of it. *seconds* count from the first one's start."""

    __slots__ = ("answer", "ended", "n", "request", "seen", "started", "state")

    def __init__(self, n: int, started: float) -> None:
        self.n = n
        self.started = started
        self.ended: float | None = None
        #: running | reply | nothing | refused | fault | timeout
        self.state = "running"
        self.request: Request | None = None
        self.answer: Answer | None = None
        self.seen: Seen | None = None

    def row(self) -> dict[str, Any]:
        """As the page gets it."""
        return {
            "n": self.n,
            "started": round(self.started, 3),
            "ended": None if self.ended is None else round(self.ended, 3),
            "state": self.state,
            "status": self.answer.status if self.answer else 0,
        }


class Record:
    """One push and everything known of it. Changed under the ledger's lock only."""

    def __init__(self, id: str, at: float, user: str, kind: str) -> None:
        self.id = id
        self.seq = 0
        self.at = at
        self.user = user
        self.kind = kind
        self.event = False
        self.text = ""
        #: What the user's side shows, and what the account's side shows: for the page to draw.
        self.said: dict[str, Any] = {}
        self.bubble: dict[str, Any] = {}
        self.live = False
        self.done = False
        self.finished = threading.Event()
        #: reply | nothing | fault | refused | error
        self.outcome = ""
        #: The reason of a fault, and the values for its sentence.
        self.why = ""
        self.values: dict[str, Any] = {}
        self.shown = True
        self.notes: list[dict[str, Any]] = []
        self.code = ""
        self.rule = ""
        self.rule_at = ""
        self.seconds = 0.0
        self.mode = ""
        self.order: dict[str, Any] = {}
        self.replay_of = ""
        self.same = False
        self.xml = b""
        self.reply = b""
        self.attempts: list[Attempt] = []
        #: The user's state before and after, name -> JSON; None where that cannot be known.
        self.state: tuple[dict[str, str], dict[str, str]] | None = None
        #: Where the store keeps it, once it is known there.
        self.stored = ""

    def row(self) -> dict[str, Any]:
        """As the list and the streams have it; bytes and requests come with the detail."""
        names = (
            "id seq at user kind event text said bubble live done outcome why values shown notes code rule rule_at "
            "mode order replay_of same"
        )
        row = {name: getattr(self, name) for name in names.split()}
        return {**row, "seconds": round(self.seconds, 3), "attempts": [each.row() for each in self.attempts]}


class Subscription:
    """A stream's end of the ledger: a descriptor that becomes readable when there is something new."""

    def __init__(self) -> None:
        self._mine, self._theirs = socket.socketpair()
        self._mine.setblocking(False)
        self._theirs.setblocking(False)

    def fileno(self) -> int:
        return self._mine.fileno()

    def wake(self) -> None:
        """Make it readable; once is as good as often."""
        try:
            self._theirs.send(b".")
        except OSError:  # full: awake already; closed: nobody there
            pass

    def drain(self) -> None:
        """Make it unreadable again, before looking at what is new."""
        try:
            while self._mine.recv(4096):
                pass
        except OSError:
            pass

    def close(self) -> None:
        self._mine.close()
        self._theirs.close()


class Ledger:
    """The last deliveries. Threads may share it."""

    def __init__(self) -> None:
        #: The name of this process in the numbers of changes.
        self.boot = f"{os.getpid():x}{secrets.token_hex(3)}"
        self._lock = threading.Lock()
        self._seq = 0
        self._records: dict[str, Record] = {}
        self._subscriptions: set[Subscription] = set()
        self._news: list[tuple[int, str, dict[str, Any]]] = []

    @contextmanager
    def change(self, record: Record) -> Iterator[Record]:
        """Change *record* (a new one is taken in), then tell everybody."""
        with self._lock:
            yield record
            self._seq += 1
            record.seq = self._seq
            # Last changed, last in order: what came after a number is at the end.
            self._records.pop(record.id, None)
            self._records[record.id] = record
            while len(self._records) > KEPT:
                del self._records[next(iter(self._records))]
        self._wake()

    def tell(self, event: str, data: dict[str, Any]) -> None:
        """Tell everybody something that is no delivery: ``reload``, ``clear``."""
        with self._lock:
            self._seq += 1
            self._news = [*self._news[-19:], (self._seq, event, data)]
        self._wake()

    def get(self, id: str) -> Record | None:
        with self._lock:
            return self._records.get(id)

    def after(self, cursor: str, limit: int = KEPT) -> tuple[str, list[dict[str, Any]]]:
        """Return where the list stands now, and the rows that changed since *cursor*: all, if it is another's."""
        since = self._seen(cursor) or 0
        with self._lock:
            rows: list[dict[str, Any]] = []
            for record in reversed(list(self._records.values())):
                if record.seq <= since or len(rows) >= limit:
                    break
                rows.append(record.row())
            return f"{self.boot}.{self._seq}", rows[::-1]

    def news(self, cursor: str) -> list[tuple[str, dict[str, Any]]]:
        """What else was told since *cursor*; nothing if it is another's."""
        since = self._seen(cursor)
        if since is None:
            return []
        with self._lock:
            return [(event, data) for seq, event, data in self._news if seq > since]

    def _seen(self, cursor: str) -> int | None:
        """The number in *cursor*; None where it is another process's, or none at all."""
        boot, _, number = cursor.partition(".")
        return int(number) if boot == self.boot and _NUMBER.fullmatch(number) else None

    def forget(self, user: str) -> None:
        """Drop a user's records."""
        with self._lock:
            self._records = {id: record for id, record in self._records.items() if record.user != user}
        self.tell("clear", {"user": user})

    def records(self) -> list[Record]:
        """All, the last changed last."""
        with self._lock:
            return list(self._records.values())

    def subscribe(self) -> Subscription | None:
        """Return a new stream's end, or None where there are enough."""
        with self._lock:
            if len(self._subscriptions) >= STREAMS_MAX:
                return None
            subscription = Subscription()
            self._subscriptions.add(subscription)
            return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)
        subscription.close()

    @property
    def streams(self) -> int:
        with self._lock:
            return len(self._subscriptions)

    def _wake(self) -> None:
        with self._lock:
            for subscription in self._subscriptions:
                subscription.wake()

    def new_id(self) -> str:
        """A name for a push of the console's own; those of WeChat's have the log's."""
        return f"c{int(time.time() * 1000) & 0xFFFFFFF:x}{secrets.token_hex(1)}"
