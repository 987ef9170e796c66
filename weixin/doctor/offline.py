"""What can be found out without asking anybody: the configuration, the cipher, one request that somebody received."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from ..config import Settings
from ..problem import Problem
from ..wire import aes
from ..wire.envelope import Envelope, decode_key
from ..wire.errors import Refused
from ..wire.messages import Message, parse
from ..wire.signature import matches, near_miss
from .visit import Visit

CONFIG_CODES = (
    *(f"WX-CFG-{n:02}" for n in (*range(1, 10), 11, 12, 13)),
    *(f"WX-HND-{n:02}" for n in (1, 2, 3, 6, 7)),
    *(f"WX-RPL-{n:02}" for n in range(1, 8)),
)  # fmt: skip
REQUEST_CODES = ("WX-SIG-01", "WX-SIG-02", "WX-AES-02", "WX-AES-03", "WX-XML-01", "WX-XML-02", "WX-XML-03")

# The worked example of 消息加解密说明, its reply: what is sealed with this random has these very letters.
EXAMPLE_APPID = "wxba5fad812f8e6fb9"
EXAMPLE_KEY = "A" * 43
EXAMPLE_RANDOM = b"707722b803182950"
EXAMPLE = b'{"demo_resp":"good luck"}'
EXAMPLE_SEALED = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="

_QUERY = re.compile(r"\?(\S+)")


def configuration(visit: Visit) -> Iterator[Problem]:
    """The configuration, the handlers and the replies are right."""
    yield from visit.faults
    if visit.settings is not None and not visit.faults:
        settings = visit.settings
        file = settings.file or "-"
        visit.note("config", rules=visit.rules, token=len(settings.token), mode=settings.mode, file=file)


def encryption(visit: Visit) -> Iterator[Problem]:
    """The cipher opens the platform's own example, and what it seals with our key it opens again."""
    cipher = aes.find()
    key = decode_key(EXAMPLE_KEY)
    step = "known answer"
    try:
        example = Envelope("", EXAMPLE_APPID, [key], cipher)
        right = example.encrypt(EXAMPLE, EXAMPLE_RANDOM, key) == EXAMPLE_SEALED
        right = right and example.open(EXAMPLE_SEALED).message == EXAMPLE
        if right and visit.settings is not None and visit.settings.aes_key:
            step = "round trip"
            key = decode_key(visit.settings.aes_key)
            ours = Envelope("", visit.settings.appid, [key], cipher)
            right = ours.open(ours.encrypt(EXAMPLE, secrets.token_bytes(16), key)).message == EXAMPLE
    except (Refused, ValueError):
        right = False
    if not right:
        yield Problem("WX-AES-01", {"step": step, "aes": cipher.name})
    else:
        visit.note("aes", aes=cipher.name)


def request(visit: Visit) -> Iterator[Problem]:
    """A request that was received, pasted by somebody: is it signed and sealed as configured, and if not, how is it?

    Its age is not looked at: a pasted request is old.
    """
    if not visit.request or visit.settings is None:
        return
    found = _QUERY.search(visit.request)
    query = dict(parse_qsl(found[1] if found else visit.request.strip(), keep_blank_values=True))
    head, _, rest = visit.request.replace("\r\n", "\n").partition("\n\n")
    body = (rest if head else visit.request).strip()
    problems = list(_examine(visit.settings, query, body))
    if not problems:
        visit.note("request", name="msg_signature" if "msg_signature" in query else "signature")
    yield from problems


def _examine(settings: Settings, query: dict[str, str], body: str) -> Iterator[Problem]:
    try:
        fields: dict[str, Any] = parse(body.encode("utf-8", "surrogatepass")) if body else {}
        sealed = fields.get("Encrypt")
        if body and settings.mode == "plain" and sealed and "MsgType" not in fields:
            yield Problem("WX-AES-02", {"mode": settings.mode})
            return
        if body and settings.mode != "plain" and not sealed:
            yield Problem("WX-AES-02", {"mode": settings.mode})
            return
        more = [str(sealed)] if sealed and settings.mode != "plain" else []
        name = "msg_signature" if more else "signature"
        if not all(query.get(key) for key in (name, "timestamp", "nonce")):
            yield Problem("WX-SIG-01", {})
            return
        signed = (query["timestamp"], query["nonce"], *more)
        if not matches(query[name], settings.token, *signed):
            yield Problem("WX-SIG-02", {"reason": near_miss(query[name], settings.token, *signed) or "mismatch"})
            return
        if more:
            keys = [decode_key(key) for key in (settings.aes_key, settings.aes_key_previous) if key]
            opened = Envelope(settings.token, settings.appid, keys, aes.find()).open(more[0])
            Message(parse(opened.message), raw=b"", xml=opened.message)
        elif body:
            Message(fields, raw=b"", xml=b"")
    except Refused as refused:
        yield Problem(refused.code, {"reason": refused.reason, **refused.fields})
