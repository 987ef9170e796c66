"""The worker: one process's connections, its threads, and the loop that the leading thread runs.

The leader waits for events, reads, and answers requests on the spot (`crew.py` says why). The monitor, which
is the thread that calls `run`, sees a leader stuck in an app and has the baton passed on; it also keeps the
clock of draining. A connection belongs to one thread at a time: the leader, or the thread that is inside an
app for it; while the latter is slow, the poller does not watch it.

Knows nothing of processes and signals (`child.py`) and nothing of what an answer says (`exchange.py`).
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from .accesslog import AccessLog
from .answer import AnswerHeads, DateLine
from .connection import Connection, Gone
from .crew import Crew, tell
from .door import GENTLE_MAX, Accepted, Door
from .exchange import EXTENSIONS, Exchange
from .http import HeadParser, HTTPError, Request
from .keeper import Keeper
from .listeners import Listener
from .options import Options, WSGIApplication
from .poll import READ, Poller, Waker, best_poller
from .proxy import Proxies
from .reader import Reader

# Connections that have sent part of a request are read so many at a time, between whole requests: a thousand
# that drip at one moment must not stand before an honest one.
DRIPS_A_ROUND = 4
# Connections that bring no request with them are accepted so many at a time, a millisecond's work: a thousand that say
# nothing must not keep an honest one waiting in the queue behind them for as many requests of others.
ACCEPTS_A_ROUND = 16
# A whole push with room to spare; a larger body takes a few reads more.
RECEIVE = 64 * 1024
# Why a connection is served, when it is not for an event of the poller (those are above zero).
NEXT, DRIP = 0, -1


class Worker:
    """Serves one app on some listening sockets."""

    def __init__(
        self,
        app: WSGIApplication,
        sockets: Sequence[socket.socket],
        options: Options,
        *,
        poller: Poller | None = None,
        multiprocess: bool = False,
    ) -> None:
        self.app = app
        self.options = options
        self.draining = False
        self.done = threading.Event()  # drained
        self.proxies = Proxies(options.trusted)
        self.heads = AnswerHeads()
        self.dates = DateLine()
        self.crew = Crew(options.threads, self._lead, self._let_rest)
        self.turns = 0  # requests begun: how the monitor sees that the leader moves
        self.dozing = False  # the monitor sleeps until it is roused
        self.rouser = Waker()  # ends the monitor's sleep
        self.access = AccessLog(options.access) if options.access is not None else None
        self._poller = poller if poller is not None else best_poller()
        self._door = Door(sockets, self._poller)
        self._keeper = Keeper(HeadParser(options), self._poller, self.dates, self._note_refusal)
        self._listeners = {listener.fd: listener for listener in self._door.listeners}
        self._parsers = {
            fd: HeadParser(options, self._environ(listener, multiprocess))
            for fd, listener in self._listeners.items()
        }
        # Descriptors, and why each is here. A connection is served once for all that is here of it: another thread
        # may lead on from the next entry while this one is inside the app.
        self._ready: deque[tuple[int, int]] = deque()
        self._drips: deque[Connection] = deque()  # more of a request is here; not watched until it is read
        self._hurry = Waker()  # readable when nobody may wait any longer
        self._last = False  # nobody else will serve these sockets

    def _environ(self, listener: Listener, multiprocess: bool) -> dict[str, Any]:
        """What all requests through one socket have in common, and room for what they do not."""
        room = ["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "wsgi.input", *EXTENSIONS]
        if not listener.is_unix:
            room.append("REMOTE_PORT")
        return {
            **dict.fromkeys(room, ""),
            "SCRIPT_NAME": "",
            "SERVER_NAME": listener.server_name,
            "SERVER_PORT": listener.server_port,
            "SERVER_SOFTWARE": "wxserve",
            "REMOTE_ADDR": "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": self.options.threads > 1,
            "wsgi.multiprocess": multiprocess,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
        }

    # Called from other threads.

    def drain(self, last: bool = False) -> None:
        """Accept nothing more and finish what is there; `done` is set when nothing is left.

        `last`: these are the last ears on our own sockets, so whoever is in their queues is served too.
        """
        self._last = self._last or last
        self.draining = True
        self._poller.wake()

    def stand_in(self) -> None:
        """Do the leader's part of draining when there is none, because every thread is inside an app."""
        if self.crew.try_lead():
            try:
                self._go_on_draining()
            finally:
                self.crew.stop_leading()

    def hurry(self) -> None:
        """End every `wait_gone` with True: the server must end now."""
        self._hurry.wake()

    def end(self, timeout: float) -> bool:
        """Close every connection and end the threads; False: one is stuck in an app."""
        self.crew.end()
        self._poller.wake()
        ended = self.crew.join(timeout)
        for connection in list(self._keeper.connections.values()):
            # One that a thread is stuck with is the process's to close: what the app says at last must not go into
            # whatever gets the number of its descriptor.
            if ended or not connection.busy:
                self._keeper.close(connection)
        if ended:
            for listener in self._door.listeners:
                listener.sock.close()
            self._poller.close()
            self._hurry.close()
            self.rouser.close()
        return ended

    def wait_gone(self, connection: Connection, timeout: float, until: int) -> bool:
        """See `Exchange.wait_gone`. A leader who waits lets go of the baton first; one who only looks keeps it."""
        if timeout > 0:
            self.crew.let_go(connection)
        return connection.wait_gone(timeout, self._hurry.fd, until)

    def wait_until_taken(self, connection: Connection) -> None:
        """Let a slow client catch up with a streaming app. Raises: Gone."""
        self.crew.let_go(connection)
        options = self.options
        connection.wait_until_taken(options.send_timeout + connection.unsent / options.slowest_rate)

    # The leader's loop.

    def _lead(self) -> bool:
        ready, connections = self._ready, self._keeper.connections
        while not self.crew.ended:
            while ready:
                fd, why = ready.popleft()
                connection = connections.get(fd)
                if connection is None:
                    leads = self._accept(fd)
                elif why > 0 and (connection.queued or connection.stage):
                    self._put_off(connection)
                    continue
                else:
                    leads = self._serve(connection, why)
                if not leads:
                    return False
            self._gather()
        return True

    def _gather(self) -> None:
        """Fill `_ready`: look at deadlines when it is time, then wait for events."""
        ready, keeper, drips = self._ready, self._keeper, self._drips
        now = time.monotonic()
        if now >= keeper.look_at:
            self._look(now)
        if self.draining:
            self._go_on_draining()
        hasty = ready or keeper.queue or drips
        ready.extend(self._poller.wait(0.0 if hasty else max(0.0, keeper.look_at - now)))
        while keeper.queue:
            ready.append((keeper.queue.popleft().fd, NEXT))
        if drips:
            for _ in range(min(len(drips), DRIPS_A_ROUND)):
                connection = drips.popleft()
                # One that was refused meanwhile has gone, or is watched: another entry could outlive its number.
                if not connection.closed and not connection.events:
                    ready.append((connection.fd, DRIP))

    def _put_off(self, connection: Connection) -> None:
        """More has come from a connection whose turn comes with what is here already, or among those who drip."""
        if not connection.queued:
            self._keeper.let_rest(connection)
            self._drips.append(connection)

    def _look(self, now: float) -> None:
        """See to what is due."""
        keeper, door = self._keeper, self._door
        keeper.look(now)
        if now >= door.resume_at:
            door.resume()
        keeper.look_at = min(keeper.look_at, door.resume_at)

    def _accept(self, fd: int) -> bool:
        listener = self._listeners.get(fd)
        if listener is None:
            forget(self._poller, fd)
            return True
        for _ in range(ACCEPTS_A_ROUND):
            accepted = self._door.accept(listener)
            if accepted is None:
                self._keeper.look_at = min(self._keeper.look_at, self._door.resume_at)
                break
            connection = self._welcome(accepted)
            if connection is not None:
                # Its request has mostly come along: one try now is cheaper than asking the poller to tell.
                if not self._serve(connection, READ):
                    return False
                if connection.answered:
                    break
        return True

    def _welcome(self, accepted: Accepted) -> Connection | None:
        fd, listener, peer, port = accepted
        beyond = len(self._keeper.connections) - self.options.connections
        if beyond >= GENTLE_MAX:
            self._door.turn_away(fd, self.dates.at(time.time()))
            self._note_refusal(peer, 503)
            return None
        connection = Connection(fd, Reader(self._parsers[listener.fd]), listener, peer, port)
        self._keeper.add(connection)
        if beyond >= 0:
            self._keeper.refuse(connection, 503)
            return None
        return connection

    def _serve(self, connection: Connection, why: int) -> bool:
        """Go on with a connection: an event of the poller, NEXT or DRIP is why. False: the baton is lost."""
        request: Request | None = None
        try:
            try:
                if connection.out is not None:
                    if connection.flush():
                        self._keeper.settle(connection)
                    return True
                if why == NEXT:
                    connection.queued = False
                    data = b""
                else:
                    data = os.read(connection.fd, RECEIVE)
                    if not data:
                        self._keeper.close(connection)
                        return True
                    if connection.linger:
                        self._throw_away(connection, len(data))
                        return True
                request = connection.reader.feed(data)
                if request is None:
                    self._keeper.await_rest(connection)
            except BlockingIOError:
                self._keeper.watch(connection, READ)
            except HTTPError as error:
                self._keeper.refuse(connection, error.status)
        except (OSError, Gone):
            self._keeper.close(connection)
        except Exception as error:
            self._complain(connection, error)
            self._keeper.close(connection)
        return request is None or self._answer(connection, request)

    def _throw_away(self, connection: Connection, count: int) -> None:
        """Bytes that came after a refusal."""
        connection.linger -= count
        if connection.linger <= 0:
            self._keeper.close(connection)

    def _answer(self, connection: Connection, request: Request) -> bool:
        """Run the app for a request. False: the baton was passed on meanwhile."""
        crew = self.crew
        connection.answered += 1
        if not request.fields.keep_alive or connection.answered >= self.options.requests_per_connection:
            connection.closing = True
        connection.busy = True
        self.turns += 1
        begun = time.monotonic() if self.access is not None else 0.0
        exchange = Exchange(self, connection, request)
        crew.loose[connection] = True
        if self.dozing:
            self.rouser.wake()
        elif crew.wary:
            crew.let_go(connection)
        gone = False
        try:
            exchange.run(self.app)
        except Gone:
            gone = True
        except Exception as error:
            gone = True
            self._complain(connection, error)
        leads = crew.take_back(connection)
        if self.access is not None:
            seconds = time.monotonic() - begun
            client, status, length = exchange.client, exchange.status, exchange.length
            self.access.note((time.time(), client, request.method, request.path, status, length, seconds))
        try:
            if gone:
                self._keeper.close(connection)
            else:
                self._keeper.settle(connection)
        except Exception as error:
            self._complain(connection, error)
            self._keeper.close(connection)
        if not leads:
            # The leader may be waiting: there is a request in the queue, a nearer deadline, or nothing left.
            self._poller.wake()
        return leads

    @staticmethod
    def _complain(connection: Connection, error: Exception) -> None:
        """A defect of ours, or a system out of something: it costs one connection and not the process."""
        tell("connection", error, ip=connection.peer)

    def _let_rest(self, connection: Connection) -> None:
        self._keeper.let_rest(connection)

    def _note_refusal(self, peer: str, status: int) -> None:
        if self.access is not None:
            self.access.note((time.time(), peer, "", "", status, 0, 0.0))

    def _go_on_draining(self) -> None:
        """Close the door when draining begins; say when the last connection has gone."""
        if not self._door.closed:
            for accepted in self._door.close(self._last):
                connection = self._welcome(accepted)
                if connection is not None:
                    self._ready.append((connection.fd, READ))
            self._keeper.hasten()
        if not self._keeper.connections:
            self.done.set()
            self.rouser.wake()


def forget(poller: Poller, fd: int) -> None:
    """An event for a descriptor that is not ours any more, because it was closed a moment ago."""
    try:
        poller.unregister(fd)
    except (OSError, KeyError):
        pass
