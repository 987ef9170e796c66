"""HTTP/1.1 answers: a status and fields in, the bytes of a head out.

Pure. An app's answer is checked before a byte of it is on the wire: what it got wrong becomes a 500 of ours
and a line in the log, never a split response.
"""

from __future__ import annotations

import re
import time
from typing import Any

from .http import TOKEN

Fields = list[tuple[str, str]]

# One digit more would be a reason phrase of digits. 1xx is ours to send (RFC 9110 section 15.2).
_status = re.compile(r"[2-9][0-9]{2} [\t\x20-\x7e\x80-\xff]*").fullmatch
_is_name = re.compile(TOKEN).fullmatch
_bad_value = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_content_length = re.compile(r"[0-9]{1,18}").fullmatch

# RFC 9110 section 7.6.1: these speak of the connection, and that is the server's. PEP 3333 forbids them.
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    )
)

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Heads that AnswerHeads remembers: an app's variety (most vary in their length only), in some 200 KB.
REMEMBERED_HEADS = 256
REMEMBERED_CHARACTERS = 512


class AnswerError(Exception):
    """The app's status or headers are not HTTP."""


def http_date(when: float) -> str:
    """IMF-fixdate (RFC 9110 section 5.6.7); strftime would ask the locale."""
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(when)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year} {hour:02}:{minute:02}:{second:02} GMT"


class DateLine:
    """The Date field's line, made anew once a second."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = -1, ""  # for which second, and the line; in one step, since threads share it

    def at(self, when: float) -> str:
        second, line = self._made
        if not 0 <= when - second < 1:
            second = int(when)
            line = f"Date: {http_date(second)}\r\n"
            self._made = second, line
        return line


class AnswerHead:
    """What an app said about its answer, checked. Shared between answers that say the same: never changed."""

    __slots__ = ("_last", "bodiless", "dated", "length", "start", "status")

    def __init__(self, status: str, fields: Fields) -> None:
        """Raises: AnswerError."""
        if not isinstance(status, str) or _status(status) is None:
            raise AnswerError(f"not a status: {status!r}")
        self.status = int(status[:3])
        self.bodiless = status.startswith(("204", "304"))
        self.length: int | None = None
        self.dated = False
        # What it was last encoded with, and the bytes: in a busy second most answers are alike.
        self._last: tuple[str, int | None, str, bytes] = ("", None, "", b"")
        lines = ["HTTP/1.1 ", status, "\r\n"]
        for name, value in fields:
            self._check_name(name)
            if not isinstance(value, str) or _bad_value(value) is not None:
                raise AnswerError(f"a control character in the value of {name}, or not a string")
            if name.lower() == "content-length":
                self._take_length(value)
                continue
            if name.lower() == "date":
                self.dated = True
            lines += (name, ": ", value, "\r\n")
        self.start = "".join(lines)

    @staticmethod
    def _check_name(name: str) -> None:
        if not isinstance(name, str) or _is_name(name) is None:
            raise AnswerError(f"not a field name: {name!r}")
        if name.lower() in _HOP_BY_HOP:
            raise AnswerError(f"{name} is for the server to send")

    def _take_length(self, value: str) -> None:
        if self.length is not None or _content_length(value) is None:
            raise AnswerError("Content-Length is not one number")
        self.length = int(value)

    def encode(self, date: str, length: int | None, connection: str) -> bytes:
        """The head's bytes; `length` None means chunked or until the end, as `connection` (field lines) says.

        Raises: AnswerError.
        """
        last_date, last_length, last_connection, data = self._last
        if date is last_date and length == last_length and connection is last_connection:
            return data
        data = self._encode(date, length, connection)
        self._last = date, length, connection, data  # in one step: threads share it
        return data

    def _encode(self, date: str, length: int | None, connection: str) -> bytes:
        date = "" if self.dated else date
        # RFC 9110 section 8.6: never with 204.
        size = "" if length is None or self.status == 204 else f"Content-Length: {length}\r\n"
        try:
            return f"{self.start}{date}{size}{connection}".encode("latin-1")
        except UnicodeEncodeError:
            raise AnswerError("a header is not latin-1") from None


class AnswerHeads:
    """Makes heads, and remembers those it has found good: an app says the same things again and again."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Any, ...], AnswerHead] = {}

    def make(self, status: str, fields: Fields) -> AnswerHead:
        """Raises: AnswerError."""
        key = (status, *fields)
        try:
            head = self._seen.get(key)
        except TypeError:
            raise AnswerError("a header is not a tuple of two strings") from None
        if head is None:
            head = AnswerHead(status, fields)
            if len(head.start) <= REMEMBERED_CHARACTERS:
                if len(self._seen) >= REMEMBERED_HEADS:
                    self._seen.clear()
                self._seen[key] = head
        return head


# What ends a head: how the connection goes on, then the empty line.
KEEP = "\r\n"
KEEP_HTTP10 = "Connection: keep-alive\r\n\r\n"
CLOSE = "Connection: close\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

# What the server itself refuses with (RFC 9110 section 15). http.HTTPStatus has them too, among sixty others that take
# a millisecond of every start, and calls some by the names they had before.
_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def error_answer(status: int, date: str, bare: bool = False) -> bytes:
    """A whole answer of the server's own, in plain words that tell a stranger nothing.

    `bare` leaves the body out, for HEAD.
    """
    phrase = _PHRASES[status]
    body = "" if bare else phrase + "\n"
    # How long a proxy or a person should wait before the next try.
    retry = "Retry-After: 1\r\n" if status == 503 else ""
    return (
        f"HTTP/1.1 {status} {phrase}\r\n{date}{retry}Content-Type: text/plain\r\n"
        f"Content-Length: {len(phrase) + 1}\r\n{CLOSE}{body}"
    ).encode("ascii")
