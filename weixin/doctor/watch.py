"""Follows what the store records of WeChat's requests, as they come. The server knows nothing of it.

The file is opened anew for each look: it may not be there yet, and a restart may put another in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..store import Unreadable, open_records
from ..store.base import Delivery, Refusal

# Several processes write a moment after the fact, and not in order.
OVERLAP = 5.0
MOST = 100


class Event(NamedTuple):
    """One request: a check that passed or anything that was refused, or a push that was answered."""

    at: float
    request: Refusal | None = None
    delivery: Delivery | None = None

    @property
    def good(self) -> bool:
        """Whether WeChat got what it wants."""
        if self.request is not None:
            return not self.request.code
        return self.delivery is not None and self.delivery.result != "error"


class Watch:
    """What came since *began*, each request once."""

    def __init__(self, url: str, began: float) -> None:
        self._url = url
        self._began = self._last = began
        self._seen: set[object] = set()

    def look(self) -> list[Event]:
        """Return what is new, oldest first. A file that is being written or is not there yet has nothing new."""
        try:
            records = open_records(self._url)
            if records is None:
                return []
            with records:
                after = max(self._began, self._last - OVERLAP)
                requests = [*records.refusals(after), *records.checks(after)]
                deliveries = records.deliveries(MOST, after)
        except Unreadable:
            return []
        new = sorted(self._new(requests, deliveries), key=lambda event: event.at)
        self._last = max([self._last, *(event.at for event in new)])
        return new

    def _new(self, requests: list[Refusal], deliveries: list[Delivery]) -> Iterator[Event]:
        for request in requests:
            if request not in self._seen:
                self._seen.add(request)
                yield Event(request.at, request=request)
        for delivery in deliveries:
            # One that runs still has no result.
            if delivery.at > self._began and delivery.result and delivery.id not in self._seen:
                self._seen.add(delivery.id)
                yield Event(delivery.at, delivery=delivery)
