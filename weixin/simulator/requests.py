"""From a push to the request that carries it: signed, sealed, and, if so wanted, spoiled in one well-known way.

The order of parameters and the layout of bodies are those of recorded requests (消息与事件推送, 消息加解密说明).
"""

from __future__ import annotations

import json
import random
import re
from base64 import b64decode, b64encode
from typing import NamedTuple
from urllib.parse import urlencode

from ..wire.aes import Aes
from ..wire.envelope import Envelope
from ..wire.replies import escape
from ..wire.signature import sign
from .pushes import Push
from .samples import ACCOUNT, USER

# Older than any server should take.
OLD = 3_600
# How long a body of the fault slow-body is under way, in seconds: slow, and yet in time for the answer.
SLOW = 1.0


class Account(NamedTuple):
    """An Official Account, as the platform knows it. ``key`` is the 32 bytes of its EncodingAESKey."""

    token: str
    appid: str = ""
    key: bytes = b""
    mode: str = "plain"
    id: str = ACCOUNT
    path: str = "/weixin"


class Fault(NamedTuple):
    """Something wrong with a request on purpose. ``refused``: a server must not answer it with 200.

    ``sealed``: there is such a fault in compatible and safe mode only. ``wire``: it takes a real connection.
    """

    refused: bool = True
    sealed: bool = False
    wire: bool = False


FAULTS = {
    "bad-signature": Fault(),
    "no-signature": Fault(),
    "old-timestamp": Fault(),
    "bad-msg-signature": Fault(sealed=True),
    "wrong-appid": Fault(sealed=True),
    "wrong-key": Fault(sealed=True),
    "bad-padding": Fault(sealed=True),
    "truncated": Fault(),
    "not-xml": Fault(),
    "json": Fault(),
    # The same push twice: to be answered twice alike.
    "duplicate": Fault(refused=False),
    # The body comes in drops; or somebody else holds a connection open and says nothing. Neither may disturb a server.
    "slow-body": Fault(refused=False),
    "idle": Fault(refused=False, wire=True),
}


class Request(NamedTuple):
    """One request, ready to be carried. ``slow``: the seconds over which the body is spread."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    nonce: str
    slow: float = 0.0
    idle: bool = False


def verification(account: Account, now: int, source: random.Random) -> tuple[Request, str]:
    """The GET that checks a server's address, and the ``echostr`` it has to answer with."""
    timestamp, nonce, echo = str(now), _nonce(source), str(source.randrange(10**18, 10**19))
    signature = sign(account.token, timestamp, nonce)
    query = {"signature": signature, "echostr": echo, "timestamp": timestamp, "nonce": nonce}
    return Request("GET", account.path, urlencode(query), _HEADERS, b"", nonce), echo


def request(account: Account, aes: Aes, push: Push, now: int, source: random.Random, fault: str = "") -> Request:
    """The POST that carries *push*, with timestamp, nonce and signatures of its own, and *fault* (a key of FAULTS)."""
    timestamp = str(now - OLD if fault == "old-timestamp" else now)
    nonce = _nonce(source)
    token = account.token + "x" if fault == "bad-signature" else account.token
    query = {
        "signature": sign(token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": push.message.user if push.message else USER,
    }
    encrypted = ""
    if account.mode != "plain":
        encrypted = _sealed(account, aes, push, source, fault)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = sign(token, timestamp, nonce, encrypted)
    if fault == "bad-msg-signature":
        query["msg_signature"] = sign(account.token + "x", timestamp, nonce, encrypted)
    if fault == "no-signature":
        del query["signature"]
        query.pop("msg_signature", None)
    body = _body(account, push, encrypted, fault)
    headers = (*_HEADERS, ("Content-Type", "text/xml"), ("Content-Length", str(len(body))))
    slow = SLOW if fault == "slow-body" else 0.0
    return Request("POST", account.path, urlencode(query), headers, body, nonce, slow, fault == "idle")


# What every recorded request of the platform says of itself.
_HEADERS = (("User-Agent", "Mozilla/4.0"), ("Accept", "*/*"), ("Pragma", "no-cache"))


def _nonce(source: random.Random) -> str:
    return str(source.randrange(10**8, 2 * 10**9))


def _sealed(account: Account, aes: Aes, push: Push, source: random.Random, fault: str) -> str:
    key, appid = account.key, account.appid
    if fault == "wrong-key":
        key = bytes([key[0] ^ 1]) + key[1:]
    if fault == "wrong-appid":
        appid = "wx0000000000000000"
    # Recorded envelopes begin with sixteen hexadecimal digits.
    salt = f"{source.getrandbits(64):016x}".encode()
    encrypted = Envelope(account.token, appid, (key,), aes).encrypt(push.xml, salt, key)
    if fault == "bad-padding":
        # In CBC a bit changed in one block changes the same bit of the next block's plaintext: the pad's last byte.
        raw = bytearray(b64decode(encrypted))
        raw[-17] ^= 0x80
        encrypted = b64encode(raw).decode()
    if fault == "truncated":
        encrypted = encrypted[: len(encrypted) // 8 * 4]
    return encrypted


def _body(account: Account, push: Push, encrypted: str, fault: str) -> bytes:
    if fault == "not-xml":
        return b"this is no XML"
    receiver = push.message.account if push.message else account.id
    if fault == "json":
        fields = push.message.fields if push.message else {}
        return json.dumps({"ToUserName": receiver, "Encrypt": encrypted} if encrypted else fields).encode()
    if account.mode == "plain":
        return push.xml[: len(push.xml) // 2] if fault == "truncated" else push.xml
    inside = _indented(push.xml) if account.mode == "compat" else ""
    if not inside:
        inside = f"    <ToUserName><![CDATA[{escape(receiver)}]]></ToUserName>\n"
    return f"<xml>\n{inside}    <Encrypt><![CDATA[{encrypted}]]></Encrypt>\n</xml>\n".encode()


def _indented(xml: bytes) -> str:
    """The elements of a plain push, four blanks before each; or nothing, if *xml* is not one."""
    plain = re.fullmatch(r"\s*<xml>\s*(.*?)\s*</xml>\s*", xml.decode(errors="replace"), re.DOTALL)
    if plain is None:
        return ""
    # Line feeds between elements and not those in a user's text.
    spread = re.sub(r"(<!\[CDATA\[.*?\]\]>)|\n(?=<)", lambda m: m[1] or "\n    ", plain[1], flags=re.DOTALL)
    return f"    {spread}\n"
