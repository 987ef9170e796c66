"""What the store has recorded, as rows in the order they came; and those that come while one looks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from ..store import Records, Unreadable, open_records
from ..store.base import UNFETCHED_AFTER, Delivery, Refusal

# A person calls it at once; a look opens the file and asks twice.
LOOK_SECONDS = 0.25
# Several processes write a moment after the fact, and not in order.
OVERLAP = 5.0
# Of one look; and the most that is ever kept.
MOST = 1_000
ALL = 100_000

_UNANSWERED = (" silent", " gone")


class Row(NamedTuple):
    """A message, or requests that were refused."""

    at: float
    delivery: Delivery | None = None
    refusal: Refusal | None = None


def rows(records: Records, limit: int, *, failed_only: bool = False) -> list[Row]:
    """The last *limit*, the newest last. May raise Unreadable."""
    found = [_row(each) for each in records.deliveries(ALL if failed_only else limit)]
    found += [_row(each) for each in records.refusals()]
    wanted = [row for row in found if not failed_only or is_failure(row)]
    return sorted(wanted, key=lambda row: row.at)[-limit:]


def is_failure(row: Row) -> bool:
    return row.delivery is None or failed(row.delivery)


def failed(delivery: Delivery) -> bool:
    """Whether its user had no answer in time, or another than was meant."""
    if delivery.code or delivery.result in ("error", "mailbox"):
        return True
    return bool(delivery.attempts) and not answered_on(delivery)


def answered_on(delivery: Delivery) -> int:
    """Which of its deliveries was the first to be answered, from 1; 0 where none was."""
    # Two processes may have written them down; each begins with its time.
    for number, line in enumerate(sorted(delivery.attempts), 1):
        if not line.endswith(_UNANSWERED):
            return number
    return 0


def _row(each: Delivery | Refusal) -> Row:
    return Row(each.at, each) if isinstance(each, Delivery) else Row(each.at, None, each)


def _identity(row: Row) -> object:
    return row.delivery.id if row.delivery is not None else row.refusal


class Following:
    """What comes after *shown*, each once: a message when it is answered, or cannot be any more.

    The file is opened anew for each look: a restart may put another in its place.
    """

    def __init__(self, url: str, shown: Iterable[Row], *, failed_only: bool = False) -> None:
        self._url = url
        self._failed_only = failed_only
        self._began = self._last = time.time()
        self._shown: dict[object, None] = {}
        self._waiting: dict[int, Delivery] = {}
        #: Shown while they ran still: their end is news.
        self._running: set[int] = set()
        for row in shown:
            if row.delivery is not None and not row.delivery.result:
                self._running.add(row.delivery.id)
            else:
                self._shown[_identity(row)] = None

    def look(self) -> list[Row]:
        """What is new, the newest last."""
        now = time.time()
        try:
            records = open_records(self._url)
            if records is None:
                return []
            with records:
                refusals = records.refusals(max(self._began, self._last - OVERLAP))
                for delivery in records.deliveries(MOST, self._last - OVERLAP):
                    new = delivery.at > self._began or delivery.id in self._running
                    if new and delivery.id not in self._shown:
                        self._waiting[delivery.id] = delivery
        except Unreadable:
            return []  # being made, or moved: the next look will tell
        self._last = now
        done = [each for each in self._waiting.values() if _is_over(each, now)]
        found = [_row(each) for each in refusals if each not in self._shown]
        found += [_row(self._waiting.pop(each.id)) for each in done]
        for row in found:
            self._shown[_identity(row)] = None
        while len(self._shown) > 2 * MOST:
            del self._shown[next(iter(self._shown))]
        return sorted((row for row in found if not self._failed_only or is_failure(row)), key=lambda row: row.at)

    def wait(self) -> None:
        """Wait for the next look."""
        time.sleep(LOOK_SECONDS)


def _is_over(delivery: Delivery, now: float) -> bool:
    """Whether a message has its answer, or its three deliveries are over."""
    return bool(delivery.result and answered_on(delivery)) or now - delivery.at > UNFETCHED_AFTER
