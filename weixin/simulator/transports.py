"""How a request gets to a server and an answer back: by calling a WSGI callable, or over a connection.

Either way the whole exchange has one limit, after which the platform hangs up.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import sys
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Callable, NamedTuple, Optional, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

from .requests import Request

# More than any reply can have; a server that sends more has said something else.
MAX_ANSWER = 1 << 20
# A body sent slowly comes in this many pieces.
DROPS = 20

Start = Callable[..., Callable[[bytes], Any]]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]
ExcInfo = Optional[tuple[type[BaseException], BaseException, TracebackType]]


class Answer(NamedTuple):
    """What came back. ``status`` is 0 where nothing did; ``failure`` then says why:

    ``timeout``, ``unreachable`` (no connection), ``dropped`` (closed without a word), ``not-http``, or ``crashed``
    (the callable raised; the traceback is on stderr, where ``threading`` writes it). ``detail`` has the system's words.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float
    failure: str = ""
    detail: str = ""

    def header(self, name: str) -> str:
        """Return the first header called *name*, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Transport(Protocol):
    """A way to one server."""

    def send(self, request: Request, limit: float) -> Answer:
        """Carry *request*; hang up after *limit* seconds."""
        ...


class InProcess:
    """Calls a WSGI callable, on a thread of its own so that it can be left behind when it takes too long.

    In its environ it finds ``wxserve.wait_gone`` and ``wxserve.drop``, as under our own server.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def send(self, request: Request, limit: float) -> Answer:
        call = _Call(self._application, request)
        started = time.monotonic()
        thread = threading.Thread(target=call.run, name="simulated push", daemon=True)
        thread.start()
        thread.join(limit)
        seconds = time.monotonic() - started
        if thread.is_alive():
            call.hang_up()
            return Answer(0, (), b"", seconds, "timeout")
        if call.dropped or not call.complete:
            return Answer(0, (), b"", seconds, "dropped" if call.dropped else "crashed")
        return Answer(call.status, call.headers, b"".join(call.body), seconds)


class _Call:
    """One call of a WSGI callable (PEP 3333)."""

    def __init__(self, application: Application, request: Request) -> None:
        self._application = application
        self._request = request
        # As between a client and a server: when one end is closed, the other can be read.
        self._client, self._server = socket.socketpair()
        self.dropped = False
        self.complete = False
        self.status = 0
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body: list[bytes] = []

    def run(self) -> None:
        with self._client, self._server:
            chunks = self._application(self.environ(), self.start_response)
            try:
                self.body.extend(chunks)
            finally:
                close = getattr(chunks, "close", None)
                if close is not None:
                    close()
        self.complete = True

    def hang_up(self) -> None:
        self._client.close()

    def wait_gone(self, timeout: float, until: int = -1) -> bool:
        """Wait for the client to hang up; the descriptor *until*, when it becomes readable, ends the wait."""
        waiting = select.poll()
        waiting.register(self._server, select.POLLIN)
        if until >= 0:
            waiting.register(until, select.POLLIN)
        ready = [fd for fd, _ in waiting.poll(max(0.0, timeout) * 1000)]
        return self._server.fileno() in ready

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo = None
    ) -> Callable[[bytes], None]:
        self.status = int(status[:3])
        self.headers = tuple(headers)
        return self.body.append

    def drop(self) -> None:
        self.dropped = True

    def environ(self) -> dict[str, Any]:
        request = self._request
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
            "QUERY_STRING": request.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": _Body(request) if request.slow else io.BytesIO(request.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wxserve.wait_gone": self.wait_gone,
            "wxserve.drop": self.drop,
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        return environ


class _Body(io.BytesIO):
    """A body that comes slowly: whoever reads it waits."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.body)
        self._slow = request.slow

    def read(self, size: int | None = -1) -> bytes:
        time.sleep(self._slow)
        self._slow = 0.0
        return super().read(size)


class Http:
    """Speaks HTTP to ``http://…``, ``https://…`` or ``unix:/path/of/a/socket``, one connection a request.

    A path in the address takes the place of the account's own. Raises ValueError for an address that is none of these.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._scheme = parts.scheme
        self._socket = address[len("unix:") :] if parts.scheme == "unix" else ""
        self._host, self._port = parts.hostname or "", parts.port
        self._path = parts.path if not self._socket else ""
        if not (self._socket or (parts.scheme in ("http", "https") and self._host)) or parts.query or parts.fragment:
            raise ValueError("an address is http://…, https://… or unix:/…, without a query")

    def send(self, request: Request, limit: float) -> Answer:
        started = time.monotonic()
        failure, detail = "unreachable", ""
        connection = self._connection(limit)
        idle = self._connection(limit) if request.idle else None
        # One limit for the whole exchange: a time-out of the socket's would begin anew with every byte.
        line = _Line()
        clock = threading.Timer(limit, line.hang_up)
        clock.daemon = True
        clock.start()
        try:
            if idle is not None:
                idle.connect()
            connection.connect()
            line.socket = connection.sock
            failure = "dropped"
            self._write(connection, request)
            with connection.getresponse() as response:
                body = response.read(MAX_ANSWER)
            if not line.late:
                return Answer(response.status, tuple(response.getheaders()), body, time.monotonic() - started)
        except http.client.RemoteDisconnected:
            pass
        except http.client.HTTPException as error:
            failure, detail = "not-http", repr(error)
        except (TimeoutError, socket.timeout):  # two classes before Python 3.10
            line.late = True
        except OSError as error:
            detail = error.strerror or str(error)
        finally:
            clock.cancel()
            connection.close()
            if idle is not None:
                idle.close()
        return Answer(0, (), b"", time.monotonic() - started, "timeout" if line.late else failure, detail)

    def _connection(self, limit: float) -> http.client.HTTPConnection:
        if self._socket:
            return _UnixConnection(self._socket, limit)
        kind = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=limit)

    def _write(self, connection: http.client.HTTPConnection, request: Request) -> None:
        target = f"{self._path or request.path}?{request.query}"
        connection.putrequest(request.method, target, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        connection.putheader("Connection", "close")
        size = max(1, len(request.body) // DROPS) if request.slow else max(1, len(request.body))
        try:
            connection.endheaders()
            for at in range(0, len(request.body), size):
                time.sleep(request.slow / DROPS)
                connection.send(request.body[at : at + size])
        except ConnectionError:  # a server may refuse before it has read all; its answer is there to be read
            pass


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Line:
    """A connection that another thread can end. Once it has a response, ``http.client`` no longer knows its socket."""

    socket: socket.socket | None = None
    late = False

    def hang_up(self) -> None:
        self.late = True
        try:
            if self.socket is not None:
                self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # the other end was quicker
            pass
