"""The little of HTTP that the application needs: a query, a body, an answer. Any WSGI server does the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from .wire.errors import Refused

# WeChat sends seven parameters at most.
MAX_PARAMETERS = 20

_LENGTH = re.compile(r"[0-9]{1,18}")
_REASONS = {
    200: "200 OK",
    400: "400 Bad Request",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    411: "411 Length Required",
    413: "413 Content Too Large",
    503: "503 Service Unavailable",
    504: "504 Gateway Timeout",
}

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
XML = "text/xml; charset=utf-8"


class Answer(NamedTuple):
    """One response: its status line, its headers, its bytes; and what is to be done when they have left."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    then: Callable[[], None] | None = None


class Said(list[bytes]):
    """A response's bytes as WSGI takes them; every server calls ``close`` when they have left (PEP 3333)."""

    def __init__(self, body: bytes, then: Callable[[], None]) -> None:
        super().__init__((body,))
        self._then = then

    def close(self) -> None:
        self._then()


class LengthRefused(Refused):
    """A body without a length, longer than allowed, or cut off."""

    def __init__(self, status: int, reason: str, **fields: Any) -> None:
        super().__init__("WX-XML-04", reason, **fields)
        self.status = status


def answer(
    status: int, body: bytes = b"", kind: str = TEXT, *more: tuple[str, str], then: Callable[[], None] | None = None
) -> Answer:
    """Make an Answer; *more* are further headers."""
    return Answer(
        _REASONS[status],
        [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            # What is echoed here was written elsewhere; nobody may take it for a page or a script.
            ("X-Content-Type-Options", "nosniff"),
            *more,
        ],
        body,
        then,
    )


def parse_query(text: str) -> dict[str, str]:
    """Return the parameters of a query string, the first of each name.

    urllib's parse_qsl does the same and more in three times the time; every push pays for this.
    """
    parameters: dict[str, str] = {}
    quoted = "%" in text or "+" in text
    for pair in text.split("&", MAX_PARAMETERS)[:MAX_PARAMETERS]:
        name, _, value = pair.partition("=")
        if quoted:
            # What is not UTF-8 stays what it is: echostr goes back byte for byte.
            name, value = unquote_plus(name), unquote_plus(value, errors="surrogateescape")
        if name and name not in parameters:
            parameters[name] = value
    return parameters


def read_body(environ: dict[str, Any], most: int) -> bytes:
    """Return the request's body. Raise LengthRefused where it has no length, is over *most* bytes, or is cut off."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length and environ.get("wsgi.input_terminated"):  # chunked, and the server knows where it ends
        body: bytes = environ["wsgi.input"].read(most + 1)
    elif not _LENGTH.fullmatch(length):
        raise LengthRefused(411, "there is no Content-Length")
    elif int(length) > most:
        raise LengthRefused(413, "the body is too large", bytes=int(length))
    else:
        body = environ["wsgi.input"].read(int(length))
        if len(body) < int(length):
            raise LengthRefused(400, "the body is cut off", bytes=len(body))
    if len(body) > most:
        raise LengthRefused(413, "the body is too large", bytes=len(body))
    return body
