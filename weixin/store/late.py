"""What may be done a moment later: a thread that takes a turn every so often.

The request that causes a row pays for an append; a turn writes many rows in one transaction. The thread begins with
the first need for it, because threads do not survive a fork.
"""

from __future__ import annotations

import logging
import threading
from typing import Callable

_log = logging.getLogger("wxserve.store")


class Turns:
    """Calls *turn*, which says after how many seconds it wants its next, in a thread of its own."""

    def __init__(self, name: str, turn: Callable[[], float], patience: float) -> None:
        """*patience* is the least time between two turns: what comes within it is done together."""
        self._name = name
        self._turn = turn
        self._patience = patience
        self._starting = threading.Lock()
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        #: Whether something new should `wake` it; else its turn is near.
        self.idle = True

    def wake(self) -> None:
        """Ask for a turn soon: `patience` from now. Begins the thread."""
        self.idle = False
        self._woken.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None and not self._ended.is_set():
                    self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._go_on, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads from this system just now: the next need is news again
            self.idle = True
            return
        self._thread = thread

    def end(self) -> None:
        """Stop the thread, and wait for the turn it is in."""
        self._ended.set()
        self._woken.set()
        with self._starting:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _go_on(self) -> None:
        pause = 0.0
        while True:
            if pause > self._patience:
                self._woken.wait(pause)
            self.idle = False
            self._ended.wait(self._patience)
            # From here on, what comes may come too late for this turn: it wakes us for another.
            self._woken.clear()
            if self._ended.is_set():  # asked for after that, as an end in between has woken us in vain
                return
            self.idle = True
            try:
                pause = self._turn()
            except Exception:
                _log.exception("thread", extra={"code": "WX-INT-01", "fields": {"name": self._name}})
                pause = self._patience
