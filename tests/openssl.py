"""The ``openssl`` command as a second opinion on what safe mode sends: it shares no line of code with ``weixin``."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import unittest
import xml.etree.ElementTree as ET


def require() -> None:
    """Skip the test where there is no such command."""
    if shutil.which("openssl") is None:
        raise unittest.SkipTest("openssl is not installed")


def decrypt(key: bytes, sealed: bytes) -> bytes:
    """AES-256-CBC without padding, the way 消息加解密说明 uses it: the vector is the key's first half."""
    command = ["openssl", "enc", "-d", "-aes-256-cbc", "-nopad", "-K", key.hex(), "-iv", key[:16].hex()]
    return subprocess.run(command, input=sealed, stdout=subprocess.PIPE, check=True, timeout=30).stdout


def open_reply(body: bytes, *, token: str, appid: str, key: bytes, nonce: str) -> bytes:
    """Return what is in a sealed reply, after checking all that the platform checks."""
    envelope = {child.tag: child.text or "" for child in ET.fromstring(body)}
    if sorted(envelope) != ["Encrypt", "MsgSignature", "Nonce", "TimeStamp"] or envelope["Nonce"] != nonce:
        raise AssertionError(f"not the envelope of a reply: {sorted(envelope)}")
    signed = "".join(sorted((token, envelope["TimeStamp"], nonce, envelope["Encrypt"])))
    if hashlib.sha1(signed.encode()).hexdigest() != envelope["MsgSignature"]:
        raise AssertionError("MsgSignature does not match")
    plain = decrypt(key, base64.b64decode(envelope["Encrypt"], validate=True))
    pad = plain[-1]
    if not 1 <= pad <= 32 or plain[-pad:] != bytes([pad]) * pad or len(plain) % 32:
        raise AssertionError("the padding is wrong")
    length = int.from_bytes(plain[16:20], "big")
    if plain[20 + length : -pad].decode() != appid:
        raise AssertionError("the AppID is wrong")
    return plain[20 : 20 + length]
