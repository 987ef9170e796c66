"""The keeper: what each connection waits for, how long it may, and how much memory it may hold meanwhile.

Closes whoever outlives a deadline and refuses what cannot be served. Knows nothing of apps and threads: a
connection that is inside an app (`busy`) is left alone.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from typing import Callable

from .answer import CONTINUE, DateLine, error_answer
from .connection import BODY, HEAD, IDLE, Connection, Gone
from .http import HeadParser
from .poll import READ, WRITE, Poller
from .reader import Reader

# Between two looks at all deadlines: finer than any of them needs, and ten thousand cost a millisecond.
SWEEP_SECONDS = 0.25
# Nothing is due: look all the same. Two threads that set a deadline at one moment can lose the nearer one.
BLIND_MAX = 10.0
# What is read, and thrown away, of a refused request, so that the refusal can be read (RFC 9112 section 9.6).
LINGER_MAX = 64 * 1024


class Keeper:
    """Connections between their requests. `on_refused(peer, status)` is told of each refusal."""

    def __init__(
        self,
        parser: HeadParser,
        poller: Poller,
        dates: DateLine,
        on_refused: Callable[[str, int], None],
    ) -> None:
        options = parser.options
        self.connections: dict[int, Connection] = {}
        self.queue: deque[Connection] = deque()  # whose next request is in the reader already
        self.look_at = 0.0  # when the nearest deadline comes
        self._parser = parser
        self._options = options
        self._poller = poller
        self._dates = dates
        self._on_refused = on_refused
        self._idle_seconds = options.idle_timeout
        self._lock = threading.Lock()  # for the count below
        self._held = 0  # bytes of unfinished requests and unread answers

    def add(self, connection: Connection) -> None:
        """A new connection. It has no deadline until it is watched: its first request is looked for at once."""
        self.connections[connection.fd] = connection

    def settle(self, connection: Connection) -> None:
        """After an answer, or a piece of one: what comes now?

        The last thing it does is to hand the connection on, so a caller must not touch it afterwards.

        Raises: OSError from the poller.
        """
        connection.stage = IDLE
        if (connection.out is not None or connection.held) and not self._hold(connection):
            return
        options = self._options
        if connection.out is not None:
            seconds, events = options.send_timeout + connection.unsent / options.slowest_rate, WRITE
        elif connection.closing:
            if not connection.linger and not connection.reader.buffer:
                self.close(connection)
                return
            # Unread bytes would turn the close into a reset, which can eat the answer.
            connection.linger = connection.linger or LINGER_MAX
            connection.shut_for_writing()
            seconds, events = options.linger_timeout, READ
        elif connection.reader.buffer:
            connection.queued = True
            connection.busy = False
            self.queue.append(connection)
            return
        else:
            seconds, events = self._idle_seconds, READ
        self.expect(connection, seconds)
        connection.busy = False
        if connection.events != events:
            self.watch(connection, events)

    def await_rest(self, connection: Connection) -> None:
        """Part of a request is here. Each stage has one deadline, and no byte that drips in moves it; a chunk
        moves it by the time that its bytes may take.

        Raises: Gone, OSError.
        """
        options, reader = self._options, connection.reader
        if reader.in_body is not None:
            seconds = reader.take_announced() / options.slowest_rate
            if connection.stage != BODY:
                connection.stage = BODY
                self.expect(connection, options.body_timeout + seconds)
            else:
                connection.deadline += seconds  # a chunk more
            if reader.take_expectation():
                connection.send(CONTINUE)
                if connection.out is not None:
                    raise Gone
        elif reader.begun and connection.stage != HEAD:
            connection.stage = HEAD
            self.expect(connection, options.head_timeout)
        self.watch(connection, READ)
        self._hold(connection)

    def refuse(self, connection: Connection, status: int) -> None:
        """An error of the server's own: nothing is served after it, and the client gets time to read it."""
        bare = connection.reader.is_head  # RFC 9110 section 9.3.2: without a body
        connection.closing = True
        connection.linger = LINGER_MAX
        connection.reader = Reader(self._parser)
        self._on_refused(connection.peer, status)
        try:
            connection.send(error_answer(status, self._dates.at(time.time()), bare))
            self.settle(connection)
        except (Gone, OSError):
            self.close(connection)

    def watch(self, connection: Connection, events: int) -> None:
        """Have the poller tell when `events` are possible. Raises: OSError."""
        if connection.deadline == math.inf:
            self.expect(connection, self._idle_seconds)
        before = connection.events
        if before == events:
            return
        # Noted first: once the poller knows, the leader may be serving it while this thread is still here.
        connection.events = events
        try:
            if before:
                self._poller.modify(connection.fd, events)
            else:
                self._poller.register(connection.fd, events)
        except OSError:
            connection.events = before
            raise

    def let_rest(self, connection: Connection) -> None:
        """Hear nothing of it: a slow thread has it."""
        if connection.events:
            connection.events = 0
            self._poller.unregister(connection.fd)

    def expect(self, connection: Connection, seconds: float) -> None:
        """What it waits for must have happened in so many seconds."""
        connection.deadline = deadline = time.monotonic() + seconds
        if deadline < self.look_at:
            self.look_at = deadline

    def look(self, now: float) -> None:
        """Close what has outlived its deadline, and find out when to look again."""
        # Who comes out of an app meanwhile sets a deadline that this look may have missed: it must stand.
        self.look_at = math.inf
        nearest = now + BLIND_MAX
        for connection in list(self.connections.values()):
            if connection.busy or connection.queued:
                continue
            if connection.deadline <= now:
                if connection.stage != IDLE:
                    self.refuse(connection, 408)
                elif connection.closing or connection.out is not None or not connection.has_more():
                    self.close(connection)
                    continue
                # Else every thread was busy for long, and its request came meanwhile: the poller will tell.
            nearest = min(nearest, connection.deadline)
        self.look_at = min(self.look_at, max(nearest, now + SWEEP_SECONDS))

    def hasten(self) -> None:
        """The server drains: a connection without a request has little time left to send one."""
        self._idle_seconds = min(self._idle_seconds, self._options.last_request_timeout)
        now = time.monotonic()
        for connection in list(self.connections.values()):
            if connection.stage == IDLE and not connection.busy and connection.out is None:
                self.expect(connection, min(self._idle_seconds, connection.deadline - now))

    def close(self, connection: Connection) -> None:
        """Close it now. Harmless when it is closed already."""
        if connection.closed:
            return
        connection.closed = True
        if connection.events:
            self.let_rest(connection)
        if connection.out is not None:
            connection.reset_on_close()
        if connection.held:
            with self._lock:
                self._held -= connection.held
        # Before its descriptor is free, or the entry of the connection that gets it next would be deleted.
        del self.connections[connection.fd]
        fd, connection.fd = connection.fd, -1
        try:
            os.close(fd)
        except OSError:
            pass  # it is free all the same (close(2))

    def _hold(self, connection: Connection) -> bool:
        """Count what it occupies. Who goes beyond the limit of all together is refused, or closed: False."""
        held = connection.reader.pending + connection.unsent
        with self._lock:
            grown = held > connection.held
            self._held += held - connection.held
            connection.held = held
            too_much = self._held > self._options.buffered_max
        if not (grown and too_much):
            return True
        if connection.out is None:
            self.refuse(connection, 503)
        else:
            self.close(connection)
        return False
