"""The little of HTTP that the application needs: a query, a body, an answer. Any WSGI server does the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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
# What is echoed here was written elsewhere; nobody may take it for a page or a script.
_NOT_SNIFFED = ("X-Content-Type-Options", "nosniff")


class Answer(list[bytes]):
    """One response: its bytes as WSGI takes them, its status line and headers, and what is to be done afterwards."""

    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.append(body)
        self.status = status
        self.headers = headers
        self.then: Callable[[], object] | None = None

    def close(self) -> None:
        """Every server calls it when the bytes have left (PEP 3333)."""
        if self.then is not None:
            self.then()


class LengthRefused(Refused):
    """A body without a length, longer than allowed, or cut off."""

    def __init__(self, status: int, reason: str, **fields: Any) -> None:
        super().__init__("WX-XML-04", reason, **fields)
        self.status = status


def answer(status: int, body: bytes = b"", kind: str = TEXT, *more: tuple[str, str]) -> Answer:
    """Make an Answer; *more* are further headers."""
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), _NOT_SNIFFED, *more]
    return Answer(_REASONS[status], headers, body)


def parse_query(text: str) -> dict[str, str]:
    """Return the parameters of a query string, the first of each name.

    urllib's parse_qsl does the same and more in three times the time; every push pays for this.
    """
    parameters: dict[str, str] = {}
    quoted = "%" in text or "+" in text
    if quoted:
        from urllib.parse import unquote_plus  # pushes are not quoted; the platform's check of the address may be

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
    body: bytes
    if _LENGTH.fullmatch(length):
        size = int(length)
        if size > most:
            raise LengthRefused(413, "the body is too large", bytes=size)
        body = environ["wsgi.input"].read(size)
        if len(body) < size:
            raise LengthRefused(400, "the body is cut off", bytes=len(body))
    elif length or not environ.get("wsgi.input_terminated"):
        raise LengthRefused(411, "there is no Content-Length")
    else:  # chunked, and the server knows where it ends
        body = environ["wsgi.input"].read(most + 1)
        if len(body) > most:
            raise LengthRefused(413, "the body is too large", bytes=len(body))
    return body
