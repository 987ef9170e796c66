"""Threads for what is slow: so many and no more, each begun when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Callable

_log = logging.getLogger("wxserve.delivery")

# An idle thread ends after this long: a quiet night holds no threads.
IDLE_SECONDS = 30.0
# Runs that wait for a thread, for each there is: beyond that nobody would live to see the answer.
LINE = 8


class Pool:
    """Runs what it is given, at most *size* at a time."""

    def __init__(self, size: int, name: str = "slow") -> None:
        self._size = size
        self._name = name
        self._line: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._ended = False

    @property
    def full(self) -> bool:
        """Whether the next run would have to wait."""
        return self._idle <= len(self._line) and self._threads >= self._size

    @property
    def waiting(self) -> int:
        """How many runs have no thread yet."""
        return len(self._line)

    def submit(self, work: Callable[[], None]) -> bool:
        """Run *work* as soon as there is a thread; False where too many wait already."""
        with self._changed:
            if self._ended or len(self._line) >= self._size * LINE:
                return False
            self._line.append(work)
            if self._idle >= len(self._line):
                self._changed.notify()
                return True
            if self._threads < self._size:
                try:
                    threading.Thread(target=self._go_on, name=self._name, daemon=True).start()
                    self._threads += 1
                except RuntimeError:  # no more threads from this system: the others come to it
                    if not self._threads:
                        self._line.pop()
                        return False
            return True

    def end(self) -> None:
        """Begin nothing more. What runs goes on; its threads end with the process."""
        with self._changed:
            self._ended = True
            self._line.clear()
            self._changed.notify_all()

    def _go_on(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._line or self._ended, IDLE_SECONDS)
                self._idle -= 1
                if not self._line:
                    self._threads -= 1
                    return
                work = self._line.popleft()
            try:
                work()
            except Exception:
                _log.exception("thread", extra={"code": "WX-INT-01", "fields": {"name": self._name}})
