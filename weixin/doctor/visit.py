"""One visit of the doctor: what is asked about, how it is reached, and requests signed as WeChat signs them.

Knows HTTP from outside only: what a stranger's proxy answers may be anything, so the bytes are kept as they came.
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Callable, NamedTuple
from urllib.parse import urlencode

from ..config import Settings
from ..problem import Problem
from ..wire import aes, probe
from ..wire.envelope import Envelope, decode_key
from ..wire.signature import sign
from . import records

# A connection that takes longer is none for a platform that waits five seconds in all.
CONNECT_SECONDS = 3.0
# A little more than the platform's patience, so that "too late" can be told from "never".
ANSWER_SECONDS = 8.0
# What a page that is not ours may say before it is cut.
MAX_BODY = 256 << 10
# As WeChat calls itself; some firewalls look at it.
USER_AGENT = "Mozilla/4.0"
# Where the units put the socket, if the command `wxserve` does not say otherwise in a variable of this name.
UNIT_SOCKET = "/run/wxserve.sock"
SOCKET_VARIABLE = "UNIT_SOCKET"

PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[^/\s:?#\[\]]+)(?::([0-9]{1,5}))?(/[^\s?#]*)?", re.I)
_ADDRESS = re.compile(r"(?:(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):)?([0-9]{1,5})")


class Url(NamedTuple):
    """The address that was entered on the platform."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"


class Answer(NamedTuple):
    """What came back, byte for byte; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Unanswered(Exception):
    """Nothing came back; the argument says how: timeout, refused, closed or the system's own words."""


def parse_url(text: str) -> Url | None:
    """Return the parts of *text*, or None if it is no address of the kind that the platform takes."""
    match = _URL.fullmatch(text.strip())
    if match is None or int(match[3] or 0) > 65535:
        return None
    scheme = match[1].lower()
    return Url(scheme, match[2].strip("[]").lower(), int(match[3] or PORTS[scheme]), match[4] or "/")


def parse_address(text: str) -> tuple[str, int] | None:
    """Return «host:port» or «port», on this machine, as a pair; None if it is neither."""
    match = _ADDRESS.fullmatch(text.strip())
    return ((match[1] or "127.0.0.1").strip("[]"), int(match[2])) if match and int(match[2]) <= 65535 else None


@dataclass
class Visit:
    """What the checks look at. Nothing in here changes what it looks at."""

    settings: Settings | None
    faults: list[Problem] = field(default_factory=list)
    #: How many rules answer.
    rules: int = 0
    url: Url | None = None
    #: Ask this address and not the one that the name leads to.
    via: tuple[str, int] | None = None
    #: A request as it was received, for the checks that need no network.
    request: str = ""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    resolve: Callable[..., list[Any]] = socket.getaddrinfo
    clock: Callable[[], float] = time.time
    #: Whom to trust; this machine's authorities unless it is given.
    context: ssl.SSLContext | None = None
    #: Answers that several checks look at.
    kept: dict[str, Answer] = field(default_factory=dict)
    #: Good news by group, for the line that says «ok».
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def note(self, group: str, **values: Any) -> None:
        """Remember *values* for the sentence about *group*."""
        self.notes.setdefault(group, {}).update(values)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """How TLS is spoken. To read all the authorities takes longer than everything else, so not before it is."""
        context = self.context or ssl.create_default_context()
        # What the platform's own client is said to want; older Pythons would take less.
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    @cached_property
    def recorded(self) -> records.Recorded | None:
        """What the store remembers; None where it remembers nothing that can be seen from here."""
        return records.read(self.settings.store, self.clock()) if self.settings is not None else None

    @cached_property
    def addresses(self) -> list[tuple[int, Any]]:
        """Where the URL's name leads: (family, address). Raise OSError."""
        assert self.url is not None
        host, port = self.via or (self.url.host, self.url.port)
        resolve = socket.getaddrinfo if self.via else self.resolve
        return [(row[0], row[4]) for row in resolve(host, port, type=socket.SOCK_STREAM)]

    def connect(self) -> socket.socket:
        """Open a connection to the URL, with TLS where it says so. Raise OSError."""
        assert self.url is not None
        opened = self.connect_plainly()
        if self.url.scheme == "http":
            return opened
        try:
            return self.tls.wrap_socket(opened, server_hostname=self.url.host)
        except OSError:
            opened.close()
            raise

    def connect_plainly(self) -> socket.socket:
        """Open a connection to the URL's machine, without TLS. Raise OSError."""
        # WeChat comes by IPv4, so that is what counts where there is a choice.
        family, address = sorted(self.addresses, key=lambda row: row[0] != socket.AF_INET)[0]
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(CONNECT_SECONDS)
            opened.connect(address)
        except OSError:
            opened.close()
            raise
        return opened

    def ask(
        self, method: str, query: str, body: bytes = b"", *, path: str = "", seconds: float = ANSWER_SECONDS
    ) -> Answer:
        """Make one request to the URL and return what came back. Raise Unanswered."""
        assert self.url is not None
        target = (path or self.url.path) + (f"?{query}" if query else "")
        return exchange(self.connect, self.url.host, method, target, body, seconds)

    def ask_directly(self, query: str) -> Answer | None:
        """Ask the service itself, past everything in front of it; None where it cannot be reached from here."""
        assert self.settings is not None
        for door in _doors(self.settings.listen, self.environ.get(SOCKET_VARIABLE, UNIT_SOCKET)):
            try:
                return exchange(door, "localhost", "GET", f"{self.settings.path}?{query}", b"", ANSWER_SECONDS)
            except Unanswered:
                continue
        return None

    def check_query(self, echo: str, *, wrong: bool = False) -> str:
        """The query of the platform's check of an address; *wrong* spoils its signature."""
        stamp, nonce = str(int(self.clock())), fresh_nonce()
        signature = sign(self._token, stamp, nonce)
        if wrong:
            signature = sign(secrets.token_hex(16), stamp, nonce)
        return urlencode({"signature": signature, "timestamp": stamp, "nonce": nonce, "echostr": echo})

    def push(self, content: str, size: int = 0) -> tuple[str, bytes]:
        """A probe's query and body: a text message in the configured mode, *size* bytes long."""
        assert self.settings is not None
        stamp, nonce = str(int(self.clock())), fresh_nonce()
        body = probe.push(content, int(stamp))
        query = {"signature": sign(self._token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
        if self.settings.mode != "plain":
            key = decode_key(self.settings.aes_key)
            envelope = Envelope(self._token, self.settings.appid, [key], aes.find())
            sealed = envelope.encrypt(body, secrets.token_bytes(16), key)
            query.update(encrypt_type="aes", msg_signature=sign(self._token, stamp, nonce, sealed))
            body = f"<xml><ToUserName>{probe.SENDER}</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
        return urlencode(query), probe.fill(body, size)

    @property
    def _token(self) -> str:
        assert self.settings is not None
        return self.settings.token


def fresh_nonce() -> str:
    return probe.NONCE + secrets.token_hex(6)


def exchange(
    connect: Callable[[], socket.socket], host: str, method: str, target: str, body: bytes, seconds: float
) -> Answer:
    """One request on a connection of its own. Raise Unanswered."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(host)
    try:
        connection.sock = connect()
        connection.sock.settimeout(seconds)
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Connection": "close"}
        if method == "POST":
            headers["Content-Type"] = "text/xml"
        connection.request(method, target, body or None, headers)
        response = connection.getresponse()
        received = response.read(MAX_BODY)
    except OSError as error:
        raise Unanswered(how(error)) from error
    except http.client.HTTPException as error:
        raise Unanswered("closed" if isinstance(error, http.client.BadStatusLine) else type(error).__name__) from error
    finally:
        connection.close()
    heads = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, heads, received, time.monotonic() - began)


def how(error: OSError) -> str:
    """One word for why a connection failed."""
    if isinstance(error, (TimeoutError, socket.timeout)):  # two classes before Python 3.10
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "closed"
    return error.strerror or type(error).__name__


def _doors(listen: str, unit_socket: str) -> Iterator[Callable[[], socket.socket]]:
    """Ways to the service on this machine: the units' socket, and what the configuration says."""

    def unix(path: str) -> Callable[[], socket.socket]:
        def connect() -> socket.socket:
            opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                opened.settimeout(CONNECT_SECONDS)
                opened.connect(path)
            except OSError:
                opened.close()
                raise
            return opened

        return connect

    if os.path.exists(unit_socket):
        yield unix(unit_socket)
    if listen.startswith("unix:"):
        yield unix(listen[len("unix:") :])
    address = parse_address(listen.replace("*", "127.0.0.1").replace("0.0.0.0", "127.0.0.1"))
    if address is not None:
        yield lambda: socket.create_connection(address, CONNECT_SECONDS)
