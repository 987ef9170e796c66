"""What the store remembers, brought into the ledger: WeChat's own deliveries beside those of the page.

The workers write, here is only read, and only while somebody looks. A push of the page's own is in the store as well;
the two become one record. Of one that another process sent, before a restart or by ``send``, the store has all that is
known; its user tells that it was not WeChat's.
"""

from __future__ import annotations

import threading
import time

from ..log import mask
from ..store import Store
from ..store.base import Delivery, Refusal
from ..wire import probe
from ..wire.errors import MessageRefused
from ..wire.messages import Message, parse
from . import shape
from .ledger import KEPT, Attempt, Ledger, Record

# As soon as a person would call it at once; a look is one query over an index.
LOOK_SECONDS = 0.25
# Workers write what is no hurry a moment later, each at its own time: what changed before the last look may be there
# only now.
LATE_SECONDS = 2.0
# Between a push of the page's and its record in the store, where only user and time can tell that they are one.
PAIRED_SECONDS = 2.0

# How a delivery ended for the store -> for the page.
_STATES = {"replied": "reply", "success": "nothing", "busy": "reply", "duplicate": "reply", "silent": "timeout"}


class Memory:
    """Reads the store into the ledger when somebody looks. Threads may share it."""

    def __init__(self, store: Store | None, ledger: Ledger, openid: str = "mask") -> None:
        self._store = store
        self._ledger = ledger
        self._openid = openid
        self._lock = threading.Lock()
        self._looked = 0.0
        self._changed = 0.0
        #: What was taken in last, by name: the same is not told twice.
        self._taken: dict[str, Delivery] = {}
        self._refusals: dict[tuple[str, str, str], Refusal] = {}
        self._since = time.time()

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
            for delivery in reversed(self._store.deliveries(KEPT, max(0.0, self._changed - LATE_SECONDS))):
                if self._taken.get(delivery.name) != delivery:
                    self._taken[delivery.name] = delivery
                    self._changed = max(self._changed, delivery.changed)
                    self._take(delivery)
            while len(self._taken) > 2 * KEPT:
                del self._taken[next(iter(self._taken))]
            for refusal in reversed(self._store.refusals(self._since - LATE_SECONDS)):
                which = (refusal.code, refusal.ip, refusal.reason)
                if self._refusals.get(which) != refusal:
                    self._refusals[which] = refusal
                    self._since = max(self._since, refusal.at)
                    self._refuse(refusal)

    def counts(self, since: float) -> dict[str, int]:
        """The store's counters; none without a store."""
        return self._store.counts(since) if self._store is not None else {}

    def forget(self, user: str) -> None:
        """Let the store forget a user."""
        if self._store is not None:
            self._store.forget(user)

    def size(self) -> int:
        """How many bytes the store takes."""
        return self._store.size() if self._store is not None else 0

    def state(self, account: str, user: str) -> dict[str, str] | None:
        """A user's state, name -> JSON; None without a store."""
        return self._store.state(account, user) if self._store is not None else None

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _take(self, delivery: Delivery) -> None:
        ours = self._counterpart(delivery)
        if ours is not None:
            with self._ledger.change(ours):
                ours.stored = delivery.name
                # What is worth saying of an answer was seen here, and better.
                if ours.outcome not in ("reply", "nothing"):
                    ours.code = ours.code or delivery.code
                ours.rule_at = delivery.rule or ours.rule_at
            return
        simulated = probe.played(delivery.user)
        user = delivery.user if simulated else mask(delivery.user, self._openid)
        record = self._ledger.get(delivery.name) or Record(delivery.name, delivery.at, user, delivery.kind)
        with self._ledger.change(record):
            record.live, record.done, record.stored = not simulated, bool(delivery.result), delivery.name
            record.text, record.xml, record.reply = delivery.text, delivery.push, delivery.body
            record.rule_at, record.code, record.seconds = delivery.rule, delivery.code, delivery.ms / 1000
            message = _message(delivery.push)
            record.said = shape.said(message) or {"kind": delivery.kind, "text": delivery.text}
            record.event = message is not None and message.type == "event"
            record.bubble = shape.reply_of(delivery.body)
            record.outcome = "reply" if delivery.reply not in ("", "success") else "nothing"
            if delivery.result == "silent":
                record.outcome, record.why = "fault", "timeout"
            record.attempts = list(_attempts(delivery))

    def _counterpart(self, delivery: Delivery) -> Record | None:
        """The page's own record of what the store has, if it is one of the page's."""
        for record in reversed(self._ledger.records()):
            if not record.order or (record.stored and record.stored != delivery.name):
                continue
            if record.xml == delivery.push if delivery.push else _alike(record, delivery):
                return record
        return None

    def _refuse(self, refusal: Refusal) -> None:
        mine = any(
            each.outcome in ("refused", "") and not each.live and abs(each.at - refusal.at) < PAIRED_SECONDS
            for each in self._ledger.records()
        )
        if mine:
            return
        record = Record(f"r{int(refusal.at * 1000):x}", refusal.at, "", "")
        with self._ledger.change(record):
            record.live = record.done = True
            record.outcome, record.code = "refused", refusal.code
            record.text = f"{refusal.ip} ×{refusal.times}" if refusal.times > 1 else refusal.ip
            record.values = {**refusal.values, "count": refusal.times}


def _attempts(delivery: Delivery) -> list[Attempt]:
    """The deliveries of a message, of which the store keeps a line each: when, how long, and how it ended."""
    made: list[Attempt] = []
    for n, line in enumerate(delivery.attempts, 1):
        try:
            at, took, result = line.split(" ")
            attempt = Attempt(n, max(0.0, float(at) - delivery.at))
            attempt.ended = attempt.started + float(took)
        except ValueError:
            continue
        attempt.state = _STATES.get(result, "fault")
        made.append(attempt)
    return made


def _message(push: bytes) -> Message | None:
    try:
        return Message(parse(push)) if push else None
    except MessageRefused:
        return None


def _alike(record: Record, delivery: Delivery) -> bool:
    """Without the push itself: the same user, the same kind, at the same time."""
    return (record.user, record.kind) == (delivery.user, delivery.kind) and (
        abs(record.at - delivery.at) < PAIRED_SECONDS + record.seconds
    )
