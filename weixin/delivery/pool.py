"""Threads for what is slow: so many and no more, each begun when it is first needed.

Users take turns, and nobody has more than a share of the threads: who sends thirty questions to a language model waits
for his own answers, and nobody else does.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from typing import Callable

_log = logging.getLogger("wxserve.delivery")

# An idle thread ends after this long: a quiet night holds no threads.
IDLE_SECONDS = 30.0
# Runs that wait for a thread, for each there is: beyond that nobody would live to see the answer.
LINE = 8
# One user has at most this part of the threads, and of the line; and two at least, for a second question.
SHARES = 4


class Pool:
    """Runs what it is given, at most *size* at a time."""

    def __init__(self, size: int, name: str = "slow") -> None:
        self._size = size
        self._share = min(size, max(2, size // SHARES))
        self._name = name
        # What waits, by whose it is; first whose turn is next.
        self._lines: dict[str, deque[Callable[[], None]]] = {}
        self._running: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._threads = 0
        # Threads that take what comes next, those included that have only been begun.
        self._idle = 0
        self._ended = False

    @property
    def waiting(self) -> int:
        """How many runs have no thread yet."""
        return sum(map(len, list(self._lines.values())))

    def is_full(self, whose: str) -> bool:
        """Whether the next run of this user would have to wait."""
        with self._changed:
            mine = self._running[whose] + len(self._lines.get(whose, ()))
            return mine >= self._share or (self._idle <= self._ready() and self._threads >= self._size)

    def submit(self, whose: str, work: Callable[[], None]) -> bool:
        """Run *work* as soon as there is a thread for this user; False where too many wait already."""
        with self._changed:
            line = self._lines.get(whose)
            if self._ended or self.waiting >= self._size * LINE or len(line or ()) >= self._share * LINE:
                return False
            if line is None:
                line = self._lines[whose] = deque()
            line.append(work)
            if self._ready() > self._idle and self._threads < self._size and not self._begin():
                line.pop()
                if not line:
                    del self._lines[whose]
                return False
            self._changed.notify()
            return True

    def end(self) -> None:
        """Begin nothing more. What runs goes on; its threads end with the process."""
        with self._changed:
            self._ended = True
            self._lines.clear()
            self._changed.notify_all()

    def _ready(self) -> int:
        """How many of those that wait may run now."""
        return sum(min(len(line), self._share - self._running[whose]) for whose, line in self._lines.items())

    def _begin(self) -> bool:
        """Begin a thread; False where there is none, and none to be had."""
        try:
            threading.Thread(target=self._go_on, name=self._name, daemon=True).start()
        except RuntimeError:  # no more threads from this system: the others come to it
            return self._threads > 0
        self._threads += 1
        self._idle += 1
        return True

    def _take(self) -> tuple[str, Callable[[], None]] | None:
        """The next run, of the first user who may have one; his next turn is behind all others'."""
        for whose, line in self._lines.items():
            if self._running[whose] < self._share:
                del self._lines[whose]
                work = line.popleft()
                if line:
                    self._lines[whose] = line
                self._running[whose] += 1
                return whose, work
        return None

    def _go_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ready() or self._ended, IDLE_SECONDS)
                self._idle -= 1
                taken = self._take()
                if taken is None:
                    self._threads -= 1
                    return
            whose, work = taken
            try:
                work()
            except Exception:
                _log.exception("thread", extra={"code": "WX-INT-01", "fields": {"name": self._name}})
            with self._changed:
                self._idle += 1
                self._running[whose] -= 1
                if not self._running[whose]:
                    del self._running[whose]
                if self._ready() > 1:  # one is for this thread
                    self._changed.notify()
