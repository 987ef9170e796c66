"""What the store remembers, brought into the ledger: WeChat's own deliveries beside those of the page.

The workers write, here is only read, and only while somebody looks. A push of the page's own is in the store as well;
the two become one record.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

from ..log import mask
from ..wire.errors import MessageRefused
from ..wire.messages import Message, parse
from . import shape
from .ledger import KEPT, Ledger, Record

# As soon as a person would call it at once; a look is one query over an index.
LOOK_SECONDS = 0.25
# The store writes what is no hurry a little later; a record of ours may have to wait for its counterpart.
PAIRED_SECONDS = 2.0


class Remembered(Protocol):
    """As much of the store as the console reads."""

    def deliveries(self, limit: int, after: float = 0.0) -> Sequence[Any]: ...

    def refusals(self, after: float = 0.0) -> Sequence[Any]: ...

    def counts(self, since: float) -> dict[str, int]: ...

    def forget(self, user: str) -> None: ...

    def size(self) -> int: ...


class Memory:
    """Reads the store into the ledger when somebody looks. Threads may share it."""

    def __init__(self, store: Remembered | None, ledger: Ledger, openid: str = "mask") -> None:
        self._store = store
        self._ledger = ledger
        self._openid = openid
        self._lock = threading.Lock()
        self._looked = 0.0
        self._changed = 0.0
        self._refused = time.time()

    @property
    def there(self) -> bool:
        """Whether anything is remembered beyond this process."""
        return self._store is not None

    def look(self) -> None:
        """Take in what changed since the last look; nothing if that was a moment ago."""
        if self._store is None:
            return
        with self._lock:
            now = time.monotonic()
            if now - self._looked < LOOK_SECONDS:
                return
            self._looked = now
            for delivery in reversed(self._store.deliveries(KEPT, self._changed)):
                self._changed = max(self._changed, delivery.changed)
                self._take(delivery)
            for refusal in reversed(self._store.refusals(self._refused)):
                self._refused = max(self._refused, refusal.at)
                self._refuse(refusal)

    def counts(self, since: float) -> dict[str, int]:
        return self._store.counts(since) if self._store is not None else {}

    def forget(self, user: str) -> None:
        if self._store is not None:
            self._store.forget(user)

    def _take(self, delivery: Any) -> None:
        ours = self._counterpart(delivery)
        if ours is not None:
            with self._ledger.change(ours):
                ours.stored = delivery.name
                ours.rule_at = delivery.rule or ours.rule_at
            return
        known = self._ledger.get(delivery.name)
        record = known or Record(delivery.name, delivery.at, mask(delivery.user, self._openid), delivery.kind)
        with self._ledger.change(record):
            record.live, record.done = True, bool(delivery.result)
            record.text, record.xml, record.reply = delivery.text, delivery.push, delivery.body
            record.outcome = "reply" if delivery.reply not in ("", "success") else "nothing"
            record.rule_at, record.code, record.seconds = delivery.rule, delivery.code, delivery.ms / 1000
            record.stored = delivery.name
            record.said = _said(delivery)
            record.event = "event" in record.said
            record.bubble = shape.reply_of(delivery.body) if delivery.body else {}

    def _counterpart(self, delivery: Any) -> Record | None:
        """The page's own record of what the store has, if it is one of the page's."""
        for record in self._ledger.records():
            if record.live or (record.stored and record.stored != delivery.name):
                continue
            if record.xml == delivery.push if delivery.push else _alike(record, delivery):
                return record
        return None

    def _refuse(self, refusal: Any) -> None:
        mine = any(
            each.outcome == "refused" and each.code == refusal.code and abs(each.at - refusal.at) < PAIRED_SECONDS
            for each in self._ledger.records()
            if not each.live
        )
        if mine:
            return
        record = Record(f"r{int(refusal.at * 1000):x}", refusal.at, "", "")
        with self._ledger.change(record):
            record.live = record.done = True
            record.outcome, record.code, record.text = "refused", refusal.code, refusal.ip
            record.values = {"reason": refusal.reason, "count": refusal.count}


def _said(delivery: Any) -> dict[str, Any]:
    if delivery.push:
        try:
            return shape.said(Message(parse(delivery.push)))
        except MessageRefused:
            pass
    return {"kind": delivery.kind, "text": delivery.text}


def _alike(record: Record, delivery: Any) -> bool:
    """Without the push itself: the same user, the same kind, at the same time."""
    return (record.user, record.kind) == (delivery.user, delivery.kind) and (
        abs(record.at - delivery.at) < PAIRED_SECONDS + record.seconds
    )
