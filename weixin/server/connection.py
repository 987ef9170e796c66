"""One client's connection: its descriptor, what has arrived, and what has not left yet.

A plain descriptor, because a socket object would cost as much as accepting the connection. Sends without ever
waiting, except where a streaming app runs ahead of a slow client. Who calls it when is the worker's business;
what an answer says is `exchange.py`'s.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .reader import Reader

if TYPE_CHECKING:
    from .listeners import Listener

# A streaming app may run this far ahead of its client before its thread waits for it.
AHEAD_MAX = 256 * 1024
# What a connection waits for: its next request, the rest of a head, the rest of a body. Each has one
# deadline.
IDLE, HEAD, BODY = range(3)

# The peer closed its sending half. macOS has no such event; there only a full close is seen.
RDHUP = getattr(select, "POLLRDHUP", 0)
_RESET = struct.pack("ii", 1, 0)


class Gone(Exception):
    """The client hung up, or takes nothing any more."""


class Connection:
    """What the worker keeps for a client. An idle one is small: there may be ten thousand."""

    __slots__ = (
        "answered",
        "busy",
        "closed",
        "closing",
        "deadline",
        "events",
        "fd",
        "held",
        "linger",
        "listener",
        "out",
        "peer",
        "port",
        "queued",
        "reader",
        "stage",
    )

    def __init__(self, fd: int, reader: Reader, listener: Listener, peer: str, port: str) -> None:
        self.fd = fd  # non-blocking; closed by the keeper only
        self.reader = reader
        self.listener = listener
        self.peer = peer
        self.port = port
        self.deadline = math.inf  # monotonic; for what is awaited at present
        self.stage = IDLE
        self.events = 0  # what the poller watches it for
        self.answered = 0  # requests
        self.held = 0  # bytes that count against the worker's limit
        self.out: deque[bytes | memoryview] | None = None  # what the client has not taken yet
        self.linger = 0  # bytes still read and thrown away after a refusal; 0: it was not refused
        self.busy = False  # a thread is inside an app for it
        self.queued = False  # its next request is in the reader already
        self.closing = False  # nothing more is served
        self.closed = False

    def send(self, data: bytes) -> None:
        """Send now what the client takes, and keep the rest for later. Raises: Gone."""
        if self.out is not None:
            self.out.append(data)
            self.flush()
            return
        try:
            sent = os.write(self.fd, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise Gone from error
        if sent != len(data):
            self.out = deque([memoryview(data)[sent:]])

    def flush(self) -> bool:
        """Send what was kept; whether nothing is left. Raises: Gone."""
        out = self.out
        while out:
            piece = out[0]
            try:
                sent = os.write(self.fd, piece)
            except BlockingIOError:
                return False
            except OSError as error:
                raise Gone from error
            if sent == len(piece):
                out.popleft()
            else:
                out[0] = memoryview(piece)[sent:]
                return False
        self.out = None
        return True

    @property
    def unsent(self) -> int:
        """How many bytes the client has not taken."""
        return sum(map(len, self.out)) if self.out is not None else 0

    def wait_until_taken(self, timeout: float) -> None:
        """Wait until the client has taken what was kept. Raises: Gone when that takes over `timeout` seconds."""
        deadline = time.monotonic() + timeout
        poll = select.poll()
        poll.register(self.fd, select.POLLOUT)
        while not self.flush():
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise Gone

    def wait_gone(self, timeout: float, hurry: int, until: int) -> bool:
        """Whether the peer hangs up, if only its sending half, within `timeout` seconds.

        The descriptor `hurry`, when readable, ends the wait with True; `until`, if not negative, with False.
        """
        poll = select.poll()
        poll.register(self.fd, RDHUP)
        poll.register(hurry, select.POLLIN)
        if until >= 0:
            poll.register(until, select.POLLIN)
        return any(fd != until for fd, _ in poll.poll(max(0.0, timeout) * 1000))

    def has_more(self) -> bool:
        """Whether something from the client, if only its end, is here and not read."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(0))

    def shut_for_writing(self) -> None:
        """Say that the answer is complete, and stay for what the client still sends."""
        with borrowed(self.fd) as sock:
            sock.shutdown(socket.SHUT_WR)

    def reset_on_close(self) -> None:
        """Make the coming close a reset, so that a cut answer cannot pass for a whole one."""
        with borrowed(self.fd) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


@contextlib.contextmanager
def borrowed(fd: int) -> Iterator[socket.socket]:
    """A socket object for what a descriptor alone cannot be asked. Errors mean that the peer left by itself."""
    # Any family will do for that; asking for the real one can fail.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
    try:
        yield sock
    except OSError:
        pass
    finally:
        sock.detach()
