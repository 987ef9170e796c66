"""What may be written a moment later: a thread that takes a turn every so often.

The request that causes a row pays for an append; a turn writes many rows in one transaction. The thread begins with
the first need for it, because threads do not survive a fork.
"""

from __future__ import annotations

import logging
import threading
from typing import Callable

_log = logging.getLogger("wxserve.store")

# The platform asks again only seconds later, so that a batch may well wait this long for company.
TURN_SECONDS = 0.05


class Turns:
    """Calls *turn* every `TURN_SECONDS` from `begin` on, in a thread of its own, until `end`."""

    def __init__(self, name: str, turn: Callable[[], None], seconds: float = TURN_SECONDS) -> None:
        self._name = name
        self._turn = turn
        self._seconds = seconds
        self._starting = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def begun(self) -> bool:
        return self._thread is not None

    def begin(self) -> None:
        """Start the thread, once."""
        with self._starting:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._go_on, name=self._name, daemon=True)
                self._thread.start()

    def end(self) -> None:
        """Stop the thread, and wait for the turn it is in."""
        self._ended.set()
        with self._starting:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _go_on(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self._turn()
            except Exception:
                _log.exception("thread", extra={"code": "WX-INT-01", "fields": {"name": self._name}})
