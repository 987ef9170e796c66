"""What waits to be written together: answers nobody else knows of, lines for the list of deliveries, counts."""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from typing import Any, Callable

from . import leaving, rows, schema
from .base import Answer, Claim, Refusal
from .late import Turns

# What may wait. Past this the disk has hung for seconds, and rows are let go rather than memory eaten.
MOST = 50_000
# Answers that are worth a transaction of their own, in statements that are full.
MUCH = 2 * schema.TOGETHER
# A user's visit is written again after this; until then it is known to be recent.
VISIT_SECONDS = 600.0
MOST_VISITORS = 10_000


#: A message that was answered, how, and when.
Late = tuple[Claim, Answer, float]


class Batch:
    """Collected by any thread, written by one at a time."""

    def __init__(self, kept: float, full: bool, turns: Turns) -> None:
        """*turns* are woken by what comes: it shall be written soon."""
        self._kept = kept
        self._full = full
        self._turns = turns
        self._answered: deque[Late] = deque()
        self._attempts: deque[tuple[float, str, bytes]] = deque()
        self._refused: deque[Refusal] = deque()
        self._counts: deque[tuple[str, ...]] = deque()
        self._visits: deque[tuple[str, float]] = deque()
        self._visited: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._answered or self._attempts or self._refused or self._counts or self._visits)

    @property
    def is_much(self) -> bool:
        """Whether it is worth a transaction at once."""
        return len(self._answered) >= MUCH

    def answered(self, late: Late) -> bool:
        """Take an answer; False where too many wait. (`_add`, without the call: it is every message's.)"""
        queue = self._answered
        if len(queue) >= MOST:
            return False
        queue.append(late)
        if self._turns.idle:
            self._turns.wake()
        return True

    def attempt(self, at: float, line: str, key: bytes) -> None:
        self._add(self._attempts, (at, line, key))

    def refused(self, refusal: Refusal) -> None:
        self._add(self._refused, refusal)

    def counted(self, names: tuple[str, ...]) -> None:
        if names:
            self._add(self._counts, names)

    def visited(self, user: str, at: float) -> None:
        if user:
            self._add(self._visits, (user, at))

    def _add(self, queue: deque[Any], item: Any) -> bool:
        if len(queue) >= MOST:
            return False
        queue.append(item)
        if self._turns.idle:
            self._turns.wake()
        return True

    def write(self, commit: Callable[[Callable[[sqlite3.Connection], None]], None], now: float) -> list[Claim]:
        """Write what waits, by *commit*; return the claims it is of. Raises what *commit* raises, and keeps all."""
        queues: list[deque[Any]] = [self._answered, self._attempts, self._refused, self._counts, self._visits]
        taken = [[queue.popleft() for _ in range(len(queue))] for queue in queues]
        written = False
        try:
            commit(lambda db: self._write(db, now, *taken))
            written = True
        finally:
            if not written:
                for queue, items in zip(queues, taken):
                    queue.extendleft(reversed(items))
        return [claim for claim, _, _ in taken[0]]

    def _write(
        self,
        db: sqlite3.Connection,
        now: float,
        answered: list[Late],
        attempts: list[tuple[float, str, bytes]],
        refused: list[Refusal],
        counted: list[tuple[str, ...]],
        visits: list[tuple[str, float]],
    ) -> None:
        left = leaving.since(db, [claim.push for claim, _, _ in answered])
        if left:
            answered = [_of_who_left(late) if leaving.is_among(left, late[0].push) else late for late in answered]
        rows.put_answers(db, answered, self._kept, self._full)
        db.executemany(schema.ATTEMPTED, attempts)
        rows.put_refusals(db, refused)
        # Most messages of a batch count as the same.
        alike = Counter(answer.counts for _, answer, _ in answered)
        alike.update(counted)
        names: Counter[str] = Counter()
        for each, times in alike.items():
            names.update(dict.fromkeys(each, times))
        hour = int(now // 3600)
        db.executemany(schema.COUNTED, [(hour, name, count) for name, count in names.items()])
        seen = {claim.push.user: at for claim, _, at in answered}
        seen.update(visits)
        db.executemany(schema.VISITED, self._fresh(seen))

    def _fresh(self, visits: dict[str, float]) -> list[tuple[str, float]]:
        """Visits of users who have not been seen for a while, or ever."""
        visited = self._visited
        fresh = [(user, at) for user, at in visits.items() if user and at - visited.get(user, 0.0) > VISIT_SECONDS]
        if len(visited) > MOST_VISITORS:
            visited.clear()
        visited.update(fresh)
        return fresh

    def forget(self, user: str) -> None:
        """Let the next visit of *user* be news."""
        self._visited.pop(user, None)


def _of_who_left(late: Late) -> Late:
    claim, answer, at = late
    claim.push = leaving.of_nobody(claim.push)
    return claim, leaving.with_nothing(answer), at
