"""Calls a WSGI application the way a server does, with wsgiref's validator in between."""

from __future__ import annotations

import hashlib
import io
import time
from typing import Any, NamedTuple
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def call(application: Any, method: str = "GET", path: str = "/weixin", query: str = "", body: bytes = b"") -> Response:
    """Make one request, and fail where PEP 3333 is broken."""
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ.update(REQUEST_METHOD=method, PATH_INFO=path, QUERY_STRING=query, REMOTE_ADDR="192.0.2.1")
    environ["wsgi.input"] = io.BytesIO(body)
    if method == "POST":
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["CONTENT_TYPE"] = "text/xml"
    answered: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        answered[:] = [status, headers]
        return lambda data: None

    chunks = validator(application)(environ, start_response)
    try:
        data = b"".join(chunks)
    finally:
        chunks.close()
    status, headers = answered
    return Response(int(status.split()[0]), dict(headers), data)


def signed(token: str, timestamp: float | None = None, nonce: str = "415670741", **more: str) -> str:
    """Return a query that *token* signs, made here from the page's words rather than by the program's own code."""
    stamp = str(int(time.time() if timestamp is None else timestamp))
    joined = "".join(sorted([token, stamp, nonce]))
    signature = hashlib.sha1(joined.encode()).hexdigest()
    return urlencode({"signature": signature, "timestamp": stamp, "nonce": nonce, **more})


def text(content: str, *, user: str = "oyORnuP8q7ou2gfYjqLzSIWZf0rs", msgid: int = 6054768590064713728) -> bytes:
    """Return a text push in the platform's own layout."""
    return (
        "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n"
        f"<FromUserName><![CDATA[{user}]]></FromUserName>\n"
        f"<CreateTime>{int(time.time())}</CreateTime>\n"
        "<MsgType><![CDATA[text]]></MsgType>\n"
        f"<Content><![CDATA[{content}]]></Content>\n"
        f"<MsgId>{msgid}</MsgId>\n"
        "</xml>"
    ).encode()
