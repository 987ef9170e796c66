"""Safe mode: open a sealed push, seal a reply (official page 消息加解密说明).

Inside the base64 is AES-256-CBC with the key's own first half as initial vector, over
``random(16) + length(4, big-endian) + message + AppID``, padded by PKCS#7 to 32 bytes, not to AES's 16.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import struct
from collections.abc import Sequence
from typing import NamedTuple

from .aes import Aes
from .errors import EnvelopeRefused
from .replies import escape
from .signature import sign

PADDING = 32
RANDOM = 16
OVERHEAD = RANDOM + 4

_KEY = r"[A-Za-z0-9+/]{43}"
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_ELEMENT = re.compile(rb"<Encrypt>(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)")


class Opened(NamedTuple):
    """What was in an envelope, and the key that opened it: the reply is sealed with the same one."""

    message: bytes
    key: bytes


def decode_key(encoding_aes_key: str) -> bytes:
    """Return the 32 bytes of a 43-character EncodingAESKey; raise ValueError if it is none.

    43 characters hold two bits more than 256, so most real keys are not canonical base64; the bits are ignored.
    """
    if not re.fullmatch(_KEY, encoding_aes_key):
        raise ValueError("an EncodingAESKey has exactly 43 letters and digits")
    return base64.b64decode(encoding_aes_key + "=")


def glimpse(body: bytes) -> str:
    """Return what the element ``Encrypt`` of *body* seems to hold, to check a signature by and no more.

    Nothing where there is none, or another one: in compatible mode a user's text may look like it.
    """
    found = _ELEMENT.search(body)
    return found[1].decode() if found and body.count(b"<Encrypt>") == 1 else ""


class Envelope:
    """The envelopes of one account: its AppID, and its keys with the current one first."""

    glimpse = staticmethod(glimpse)

    def __init__(self, token: str, appid: str, keys: Sequence[bytes], aes: Aes) -> None:
        self._token = token
        self._appid = appid.encode()
        self._keys = tuple(keys)
        self._aes = aes

    def open(self, encrypted: str) -> Opened:
        """Return what is in *encrypted*, the text of the element ``Encrypt``. Raise EnvelopeRefused, always alike.

        The caller has checked ``msg_signature``. The current key is tried first, then the one before it, which the
        platform may still use for messages under way during a change.
        """
        sealed = _unbase64(encrypted)
        for key in self._keys[:-1]:
            try:
                return self._open(sealed, key)
            except EnvelopeRefused:
                continue
        return self._open(sealed, self._keys[-1])

    def _open(self, sealed: bytes, key: bytes) -> Opened:
        plain = self._aes.decrypt(key, key[:16], sealed)
        pad = plain[-1]
        if not 1 <= pad <= PADDING or not hmac.compare_digest(plain[-pad:], bytes([pad]) * pad):
            raise EnvelopeRefused("padding")
        end = len(plain) - pad
        if end < OVERHEAD:
            raise EnvelopeRefused("length")
        (length,) = struct.unpack_from(">I", plain, RANDOM)
        if length > end - OVERHEAD:
            raise EnvelopeRefused("length")
        if not hmac.compare_digest(plain[OVERHEAD + length : end], self._appid):
            raise EnvelopeRefused("appid")
        return Opened(plain[OVERHEAD : OVERHEAD + length], key)

    def encrypt(self, message: bytes, random: bytes, key: bytes) -> str:
        """Return the text of ``Encrypt`` for *message*; *random* is 16 fresh bytes."""
        if len(random) != RANDOM:
            raise ValueError("the random part has 16 bytes")
        plain = b"".join((random, struct.pack(">I", len(message)), message, self._appid))
        pad = PADDING - len(plain) % PADDING
        sealed = self._aes.encrypt(key, key[:16], plain + bytes([pad]) * pad)
        return base64.b64encode(sealed).decode()

    def seal(self, reply: bytes, timestamp: str, nonce: str, random: bytes, key: bytes) -> bytes:
        """Return the envelope of a reply: *timestamp* is our clock's, *nonce* the push's own, sent back."""
        encrypted = self.encrypt(reply, random, key)
        signature = sign(self._token, timestamp, nonce, encrypted)
        return (
            f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{escape(nonce)}]]></Nonce></xml>"
        ).encode()


def _unbase64(encrypted: str) -> bytes:
    # b64decode silently skips what is no base64; here such a text does not open.
    if not _BASE64.fullmatch(encrypted):
        raise EnvelopeRefused("base64")
    try:
        sealed = base64.b64decode(encrypted)
    except binascii.Error:
        raise EnvelopeRefused("base64") from None
    if not sealed or len(sealed) % PADDING:
        raise EnvelopeRefused("length")
    return sealed
