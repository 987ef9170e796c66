"""One request and its answer: between the wire and a WSGI application (PEP 3333).

Builds the environ, calls the app, checks what it says and puts it on the wire. Knows one connection;
deadlines, threads and what comes next are the worker's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Union

from .answer import (
    CHUNKED,
    CLOSE,
    KEEP,
    KEEP_HTTP10,
    LAST_CHUNK,
    AnswerError,
    AnswerHead,
    Fields,
    error_answer,
)
from .connection import AHEAD_MAX, Connection, Gone
from .http import Request
from .keeper import LINGER_MAX

if TYPE_CHECKING:
    from .worker import Worker

log = logging.getLogger("wxserve.server")

ExcInfo = Union[tuple[type[BaseException], BaseException, TracebackType], tuple[None, None, None]]

# Up to this size a head and its body leave in one piece; copying more costs more than a second system call.
JOIN_MAX = 64 * 1024
NO_HEAD = "start_response was not called"
# What the environ of each request has beside PEP 3333's keys.
EXTENSIONS = ("wxserve.wait_gone", "wxserve.drop")


class Exchange:
    """One request on its way to the app, and its answer on the way back.

    It is also what the app sees of us: `start_response`, `write`, and the two extensions in the environ.
    """

    __slots__ = (
        "_complete",
        "_conn",
        "_head",
        "_request",
        "_sent",
        "_worker",
        "client",
        "dropped",
        "status",
    )

    def __init__(self, worker: Worker, conn: Connection, request: Request) -> None:
        self._worker = worker
        self._conn = conn
        self._request = request
        self._head: AnswerHead | None = None
        self._sent = -1  # bytes of the body that are on their way; -1: not even the head
        self._complete = False  # every byte of the answer is on its way
        self.client = conn.peer  # its address, as far as it is known
        self.status = 0
        self.dropped = False

    def run(self, app: Callable[..., Iterable[bytes]]) -> None:
        """Call the app and send its answer. Afterwards `conn.closing` says whether the connection may go on.

        Raises: Gone, when there is nobody left to answer.
        """
        result: Iterable[bytes] | None = None
        try:
            try:
                result = app(self._environ(), self.start_response)
                if self.dropped:
                    self._conn.closing = True
                elif isinstance(result, (list, tuple)) and len(result) < 2 and self._sent < 0:
                    self._send_whole(result[0] if result else b"")
                else:
                    self._send_pieces(result)
            finally:
                close = getattr(result, "close", None)
                if close is not None:
                    close()
        except Gone:
            raise
        except BaseException as error:
            # asyncio's CancelledError and its kin are no Exceptions; unheard, they would end a thread of ours.
            self._fail(error)

    def _environ(self) -> dict[str, Any]:
        request, conn = self._request, self._conn
        environ = request.environ()
        environ["wsgi.input"] = BytesIO(request.body)
        environ["wxserve.wait_gone"] = self.wait_gone
        environ["wxserve.drop"] = self.drop
        if conn.port:
            environ["REMOTE_ADDR"] = conn.peer
            environ["REMOTE_PORT"] = conn.port
        if "HTTP_X_FORWARDED_FOR" in environ or "HTTP_X_FORWARDED_PROTO" in environ:
            self._believe_proxy(environ)
        return environ

    def _believe_proxy(self, environ: dict[str, Any]) -> None:
        conn, proxies = self._conn, self._worker.proxies
        if not conn.listener.is_unix and not proxies.trusts(conn.peer):
            return
        forwarded = environ.get("HTTP_X_FORWARDED_FOR")
        if forwarded is not None:
            client = proxies.client(forwarded, conn.peer)
            if client != conn.peer:
                environ["REMOTE_ADDR"] = self.client = client
                environ.pop("REMOTE_PORT", None)
        if environ.get("HTTP_X_FORWARDED_PROTO") == "https":
            environ["wsgi.url_scheme"] = "https"

    @property
    def length(self) -> int:
        """Bytes of body sent."""
        return max(0, self._sent)

    # What the app calls.

    def start_response(
        self, status: str, headers: Fields, exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        if exc_info is not None:
            try:
                if self._sent >= 0:
                    if exc_info[1] is None:
                        raise AnswerError("start_response was called when the head had left")
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # PEP 3333: no circular reference
        elif self._head is not None:
            raise AnswerError("start_response was called twice")
        self._head = self._worker.heads.make(status, headers)
        return self.write

    def write(self, data: bytes) -> None:
        """PEP 3333's imperative way; each call is sent at once."""
        self._send_piece(data)

    def wait_gone(self, timeout: float, until: int = -1) -> bool:
        """Wait up to `timeout` seconds for the client to hang up; whether it did, or the server must end now.

        The descriptor `until`, when it becomes readable, ends the wait with False.
        """
        return self._worker.wait_gone(self._conn, timeout, until)

    def drop(self) -> None:
        """Close the connection and send nothing, whatever is returned."""
        self.dropped = True

    # What goes out.

    def _send_whole(self, body: bytes) -> None:
        """The usual answer: one piece, whose length is known."""
        head, conn = self._head, self._conn
        if head is None:
            raise AnswerError(NO_HEAD)
        if not isinstance(body, bytes):
            raise AnswerError("a body is made of bytes")
        size = len(body)
        length: int | None = size
        if head.bodiless or self._request.method == "HEAD":
            # RFC 9110 section 8.6: the length that GET would have; unknown when the app made no body for
            # HEAD.
            length = head.length if head.length is not None or not body or head.bodiless else length
            body, size = b"", 0
        elif head.length != size and head.length is not None:
            raise AnswerError(f"Content-Length says {head.length}, the body has {size}")
        data = head.encode(self._worker.dates.at(time.time()), length, self._connection())
        self._sent = size
        self.status = head.status
        if size <= JOIN_MAX:
            conn.send(data + body)
        else:
            conn.send(data)
            conn.send(body)
            if conn.unsent > self._worker.options.buffered_max:
                # More than may be kept for all together: it leaves like a stream's, or never.
                self._worker.wait_until_taken(conn)
        self._complete = True

    def _send_pieces(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self.dropped:
                break
            if piece:
                self._send_piece(piece)
                if self._is_bodiless():
                    break
        if self.dropped:
            self._conn.closing = True
            return
        head = self._checked_head()
        if self._sent < 0:
            self._send_whole(b"")
            return
        if not self._is_bodiless():
            if head.length is None:
                if self._request.http11:
                    self._conn.send(LAST_CHUNK)
            elif self._sent != head.length:
                raise AnswerError(f"Content-Length says {head.length}, the body had {self._sent}")
        self._complete = True

    def _send_piece(self, piece: bytes) -> None:
        head, conn = self._checked_head(), self._conn
        if self._complete:
            raise AnswerError("a write after the end of the answer")
        if not isinstance(piece, bytes):
            raise AnswerError("a body is made of bytes")
        if self._sent < 0:
            self._send_head_of_pieces(head)
        if self._is_bodiless() or not piece:
            return
        self._sent += len(piece)
        if head.length is None:
            if self._request.http11:
                piece = b"%x\r\n%b\r\n" % (len(piece), piece)
        elif self._sent > head.length:
            raise AnswerError(f"Content-Length says {head.length}, the body has more")
        conn.send(piece)
        if conn.out is not None and conn.unsent > AHEAD_MAX:
            self._worker.wait_until_taken(conn)

    def _send_head_of_pieces(self, head: AnswerHead) -> None:
        framing = ""
        if head.length is None and not self._is_bodiless():
            if self._request.http11:
                framing = CHUNKED
            else:
                self._conn.closing = True  # HTTP/1.0 has no chunks: the end of the connection is the end of the body
        data = head.encode(self._worker.dates.at(time.time()), head.length, framing + self._connection())
        self._sent = 0
        self.status = head.status
        self._conn.send(data)

    def _is_bodiless(self) -> bool:
        head = self._head
        return self._request.method == "HEAD" or (head is not None and head.bodiless)

    def _checked_head(self) -> AnswerHead:
        if self._head is None:
            raise AnswerError(NO_HEAD)
        return self._head

    def _connection(self) -> str:
        """The last field lines of the head. A connection that ends with this answer says so."""
        if self._worker.draining:
            self._conn.closing = True
        if self._conn.closing:
            return CLOSE
        return KEEP if self._request.http11 else KEEP_HTTP10

    def _fail(self, error: BaseException) -> None:
        """The app raised, or answered what is not HTTP: a 500 while nothing is sent, a cut after that."""
        request, conn = self._request, self._conn
        fields = {"method": request.method, "path": request.path}
        if isinstance(error, AnswerError):
            log.error("bad-answer", extra={"code": "", "fields": {**fields, "why": str(error)}})
        else:
            log.error("app-raised", exc_info=error, extra={"code": "", "fields": fields})
        if self._complete:
            return
        conn.closing = True
        if self.dropped:
            return
        if self._sent >= 0:
            conn.reset_on_close()
            raise Gone from error
        self.status = 500
        conn.linger = LINGER_MAX
        conn.send(error_answer(500, self._worker.dates.at(time.time()), bare=request.method == "HEAD"))
