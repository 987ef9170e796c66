"""Why a request was taken or refused: the application's own checks once more, each with its result.

The application answers a bare 403 and keeps the reason for its log. Here the developer who made the request sees every
step, in the order in which they are taken, up to the first that fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from ..config import Settings
from ..simulator import Request
from ..wire import aes
from ..wire.envelope import Envelope, decode_key
from ..wire.errors import EnvelopeRefused, MessageRefused
from ..wire.messages import Message, parse
from ..wire.signature import matches, near_miss, sign


class Check(NamedTuple):
    """One step: ``parameters clock size xml sealed signature envelope inner message``, and its code where it fails."""

    name: str
    ok: bool
    code: str = ""
    values: dict[str, Any] | None = None

    def json(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "code": self.code, "values": self.values or {}}


def checks(settings: Settings, request: Request, now: float) -> Iterator[Check]:
    """Go through *request*, made at *now*, as the application does."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    sealed = settings.mode != "plain"
    name = "msg_signature" if sealed else "signature"
    timestamp, nonce, signature = query.get("timestamp", ""), query.get("nonce", ""), query.get(name, "")
    if not (timestamp.isdecimal() and nonce and signature):
        yield Check("parameters", False, "WX-SIG-01")
        return
    yield Check("parameters", True)
    age = round(now - int(timestamp))
    if settings.max_age and abs(age) > settings.max_age:
        yield Check("clock", False, "WX-SIG-04", {"seconds": age, "max_age": settings.max_age})
        return
    yield Check("clock", True)
    if not sealed:
        yield from _signed(settings, signature, timestamp, nonce)
    if sealed or matches(signature, settings.token, timestamp, nonce):
        yield from _body(settings, request, (signature, timestamp, nonce))


def failure(settings: Settings, request: Request, now: float) -> Check | None:
    """The step that *request* fails at, or None."""
    return next((check for check in checks(settings, request, now) if not check.ok), None)


def _signed(settings: Settings, signature: str, *parts: str) -> Iterator[Check]:
    if matches(signature, settings.token, *parts):
        yield Check("signature", True)
    else:
        reason = near_miss(signature, settings.token, *parts) or "mismatch"
        yield Check("signature", False, "WX-SIG-02", {"reason": reason})


def _body(settings: Settings, request: Request, signed: tuple[str, str, str]) -> Iterator[Check]:
    if len(request.body) > settings.body_max:
        yield Check("size", False, "WX-XML-04", {"reason": "the body is too large", "bytes": len(request.body)})
        return
    yield Check("size", True)
    try:
        fields = parse(request.body)
        yield Check("xml", True)
        encrypted = fields.get("Encrypt")
        if settings.mode == "plain":
            if encrypted and "MsgType" not in fields:
                yield Check("sealed", False, "WX-AES-02", {"mode": settings.mode})
                return
        else:
            if not isinstance(encrypted, str) or not encrypted:
                yield Check("sealed", False, "WX-AES-02", {"mode": settings.mode})
                return
            yield Check("sealed", True)
            yield from _signed(settings, *signed, encrypted)
            if not matches(signed[0], settings.token, *signed[1:], encrypted):
                return
            fields = parse(envelope(settings).open(encrypted).message)
            yield Check("envelope", True)
        Message(fields)
        yield Check("message", True)
    except EnvelopeRefused as refused:
        yield Check("envelope", False, refused.code, {"step": refused.step})
    except MessageRefused as refused:
        name = "message" if refused.code == "WX-XML-03" else "xml"
        yield Check(name, False, refused.code, {"reason": refused.reason, **refused.fields})


def envelope(settings: Settings) -> Envelope:
    """The envelope of an account that is not in plain mode."""
    keys = [decode_key(key) for key in (settings.aes_key, settings.aes_key_previous) if key]
    return Envelope(settings.token, settings.appid, keys, aes.find())


def signature(settings: Settings, request: Request) -> dict[str, Any]:
    """How the signature is made: the sorted strings, the token among them masked, ours and theirs."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    name = "signature" if settings.mode == "plain" else "msg_signature"
    parts = [query.get("timestamp", ""), query.get("nonce", "")]
    if name == "msg_signature":
        try:
            parts.append(str(parse(request.body).get("Encrypt", "")))
        except MessageRefused:
            parts.append("")
    mask = "•" * len(settings.token)
    ordered = sorted([settings.token, *parts])
    shown = [mask if part == settings.token else part for part in ordered]
    theirs, ours = query.get(name, ""), sign(settings.token, *parts)
    miss = near_miss(theirs, settings.token, *parts) if theirs and theirs != ours else None
    return {
        "name": name,
        "sorted": shown,
        "joined": "".join(shown),
        "ours": ours,
        "theirs": theirs,
        "same": theirs == ours,
        "miss": miss or "",
    }
