"""The console's answers: pages, JSON, refusals; each with the headers that keep other pages out of this one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

# Nothing but our own files; what is drawn on the page is text, and were it ever markup, nothing of it would run.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:{pictures}; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# After the developer's click: the pictures of replies are somewhere else.
PICTURES = " http: https:"


class Answer(NamedTuple):
    """One response; *body* is bytes, or something that makes them as they come."""

    status: int
    headers: list[tuple[str, str]]
    body: Iterable[bytes]

    @property
    def line(self) -> str:
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def answer(
    status: int, body: bytes = b"", kind: str = "text/plain", *more: tuple[str, str], pictures: bool = False
) -> Answer:
    """A whole response."""
    headers = [
        ("Content-Type", f"{kind}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *guards(pictures),
        *more,
    ]
    return Answer(status, headers, [body])


def as_json(status: int, data: Any, *more: tuple[str, str]) -> Answer:
    """A response of the API."""
    return answer(status, json.dumps(data, ensure_ascii=False).encode(), "application/json", *more)


def problem(status: int, error: str, **facts: Any) -> Answer:
    """A refusal, in a word for programs; the page has the sentence."""
    return as_json(status, {"error": error, **facts})


def to(place: str, *more: tuple[str, str]) -> Answer:
    """Go there, and ask with GET (RFC 9110 section 15.4.4)."""
    return answer(303, b"", "text/plain", ("Location", place), *more)


def guards(pictures: bool = False) -> list[tuple[str, str]]:
    """What every answer says to a browser."""
    return [
        ("Content-Security-Policy", POLICY.format(pictures=PICTURES if pictures else "")),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
