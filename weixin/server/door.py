"""The way in: a worker's listening sockets, opened, put aside and closed together.

Accepts connections and never waits for one. What becomes of them is the worker's business.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence

from .answer import error_answer
from .connection import borrowed
from .listeners import Listener
from .poll import Poller

log = logging.getLogger("wxserve.server")

# Out of descriptors or memory: time for connections to end before the next try.
PAUSE_SECONDS = 0.1
# Accepted at once when the door closes for good: more could not be answered within the grace.
LAST_ACCEPTS = 4096
# So many beyond the limit are refused like any other request, and stay a moment until they have read it.
# A crowd larger than that is an attack, and is turned away in one breath.
GENTLE_MAX = 32
# What a client that is turned away has sent already, read so that it can read our answer.
TURNED_AWAY_READ = 64 * 1024

Accepted = tuple[int, Listener, str, str]  # a descriptor; the peer's address and port, "" for a unix socket


class Door:
    """Watches the listening sockets in `poller`."""

    def __init__(self, sockets: Sequence[socket.socket], poller: Poller) -> None:
        self.listeners: list[Listener] = [Listener(sock) for sock in sockets]
        self.resume_at = math.inf  # when sockets that were put aside are watched again
        self.closed = False
        self._poller = poller
        self._watched: list[Listener] = []
        self._complained = False
        self._watch()

    def _watch(self) -> None:
        for listener in self.listeners:
            if listener not in self._watched:
                self._poller.register(listener.fd, self._poller.listening)
                self._watched.append(listener)

    def _rest(self) -> None:
        while self._watched:
            self._poller.unregister(self._watched.pop().fd)

    def accept(self, listener: Listener) -> Accepted | None:
        """The next connection, if there is one."""
        if self.closed:
            return None
        try:
            # What socket.accept() does, without an object for the new socket.
            fd, address = listener.sock._accept()  # type: ignore[attr-defined]
            os.set_blocking(fd, False)
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return None  # another worker was quicker, or the client changed its mind
        except OSError as error:
            self._pause(error)
            return None
        if listener.is_unix:
            return fd, listener, "", ""
        return fd, listener, address[0], str(address[1])

    def _pause(self, error: OSError) -> None:
        """EMFILE and its kin: the socket stays ready, so watching it on would spin."""
        if not self._complained:
            self._complained = True
            log.warning("cannot-accept", extra={"code": "", "fields": {"error": error.strerror}})
        self._rest()
        self.resume_at = time.monotonic() + PAUSE_SECONDS

    def resume(self) -> None:
        """Watch the sockets again, or try once more a little later."""
        self.resume_at = math.inf
        if not self.closed:
            try:
                self._watch()
            except OSError as error:
                self._pause(error)

    @staticmethod
    def turn_away(fd: int, date: str) -> None:
        """No room, not even to refuse: say so in one breath, without keeping the connection for it."""
        with borrowed(fd) as sock:
            # Not by the object, which waits where an app has set a time-out for all of its own sockets.
            os.write(fd, error_answer(503, date))
            sock.shutdown(socket.SHUT_WR)
            os.read(fd, TURNED_AWAY_READ)
        os.close(fd)

    def close(self, last: bool) -> Iterator[Accepted]:
        """Accept no more. If these are the `last` ears on our own sockets, first yield whoever still waits
        there.

        The queue of an inherited socket is left alone: its owner keeps it for the next server.
        """
        if self.closed:
            return
        self._rest()
        for listener in self.listeners:
            if last and not listener.inherited:
                if listener.is_unix and sys.platform == "linux":
                    # unix(7): refuses newcomers from now on, and keeps those who are in the queue.
                    try:
                        listener.sock.shutdown(socket.SHUT_RD)
                    except OSError:
                        pass  # another worker did it
                yield from self._rest_of_queue(listener)
            listener.sock.close()
        self.closed = True
        self.resume_at = math.inf

    def _rest_of_queue(self, listener: Listener) -> Iterator[Accepted]:
        for _ in range(LAST_ACCEPTS):
            accepted = self.accept(listener)
            if accepted is None:
                return
            yield accepted
