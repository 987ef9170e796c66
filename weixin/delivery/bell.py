"""Something to wait for together with a peer that may hang up: a descriptor that becomes readable."""

from __future__ import annotations

import os
import select
import threading


class Bell:
    """Rung once, by another thread."""

    __slots__ = ("_closing", "_read", "_write")

    def __init__(self) -> None:
        try:
            self._read, self._write = os.pipe()
        except OSError:  # there is no descriptor left: who waits sees for himself when his time is up
            self._read = self._write = -1
        self._closing = threading.Lock()

    def fileno(self) -> int:
        """What becomes readable; -1 where there was none to be had."""
        return self._read

    def ring(self) -> None:
        """End every wait."""
        with self._closing:
            if self._write >= 0:
                os.close(self._write)  # the end of a pipe is readable, for poll and for who reads
                self._write = -1

    def wait(self, seconds: float) -> None:
        """Wait until it rings, or for so many seconds."""
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        poll.poll(max(0.0, seconds) * 1000)

    def close(self) -> None:
        self.ring()
        if self._read >= 0:
            os.close(self._read)
