"""Something to wait for together with a peer that may hang up: a descriptor that becomes readable."""

from __future__ import annotations

import os
import select
import threading


class Bell:
    """Rung once, by another thread."""

    __slots__ = ("_closing", "_read", "_write")

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._closing = threading.Lock()

    def fileno(self) -> int:
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
        os.close(self._read)
