"""A worker process as the supervisor sees it: its pid, what it says, and when it must be gone.

Forks it, hears it, ends it. When to do which is `supervisor.py`'s business.
"""

from __future__ import annotations

import math
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable

from .child import ALIVE, DRAIN, DRAINING, FAILED, READY, STOP, run_child
from .options import Options, Service

# Three beats and a half dozen more: a busy machine is late, a wedged process is silent.
SILENCE_MAX = 10.0
# Imports are done, but a store may have to be upgraded and thousands of replies read.
START_MAX = 60.0
# Beyond the time for draining: to flush stores.
CLOSING_SECONDS = 3.0

# Between fork and the moment when the child has handlers of its own, these wait.
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Process:
    """One worker process, alive or dead."""

    def __init__(self, pid: int, channel: socket.socket, service: Service) -> None:
        self.pid = pid
        self.service = service
        self.channel = channel
        self.born = time.monotonic()
        self.ready = False
        self.draining = False
        self.reason = ""  # why it failed, in its own words
        self.kill_at = self.born + START_MAX
        self._heard = b""

    @classmethod
    def fork(
        cls, service: Service, options: Options, others: Iterable[socket.socket], before: Callable[[], None]
    ) -> Process:
        """Start a worker. In the child, `others` are closed and `before()` is called first.

        Raises: OSError when the system has no room for another process.
        """
        ours, theirs = socket.socketpair()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                try:
                    ours.close()
                    for sock in others:
                        sock.close()
                    before()
                    run_child(service, options, theirs, options.workers > 1)
                finally:
                    os._exit(1)  # never on as a second supervisor, which would kill the other workers
        except OSError:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            theirs.close()
        ours.setblocking(False)
        return cls(pid, ours, service)

    def hear(self) -> None:
        """Take in what it said."""
        try:
            data = self.channel.recv(65536)
        except OSError:
            return
        lines = (self._heard + data).split(b"\n")
        self._heard = lines.pop()
        for line in lines:
            if line == READY:
                self.ready = True
            elif line.startswith(FAILED):
                self.reason = line[len(FAILED) + 1 :].decode("utf-8", "replace")
            if line in (READY, ALIVE) and not self.draining:
                self.kill_at = time.monotonic() + SILENCE_MAX
            elif line == DRAINING and not self.draining:
                self.draining = True
                self.kill_at = math.inf  # the supervisor answers with a time; it has none for who was told to end

    def drain(self, seconds: float) -> None:
        """Have it finish what it has begun."""
        self._end(DRAIN, seconds)

    def stop(self, seconds: float) -> None:
        """Have it finish what can be finished within the grace."""
        self._end(STOP, seconds)

    def kill(self) -> None:
        """End it now."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _end(self, word: bytes, seconds: float) -> None:
        self.draining = True
        self.kill_at = time.monotonic() + seconds + CLOSING_SECONDS
        try:
            self.channel.send(word)
        except OSError:
            pass  # it is dead, or wedged: then `kill_at` ends it


def describe_end(status: int) -> str:
    """A wait status in words: "exit 3" or "SIGKILL"."""
    if os.WIFSIGNALED(status):
        try:
            return signal.Signals(os.WTERMSIG(status)).name
        except ValueError:
            return f"signal {os.WTERMSIG(status)}"
    return f"exit {os.WEXITSTATUS(status)}"
