"""The doctor's own requests: signed like WeChat's, marked, and answered by the service itself; no handler runs.

Only who knows the token can make one. The mark of a request is its nonce, which the signature covers; the mark of a
push is its sender as well, a name that no OpenID has. Nor has any the names of the users that the simulator plays.
"""

from __future__ import annotations

import re

from .replies import escape

NONCE = "wxserve-doctor-"
SENDER = "wxserve-doctor"
# In the answer to a probe: which service it was. Two answers with different ones came from two services.
HEADER = "Wxserve-Instance"
ANSWER = b"wxserve-doctor"

# An OpenID has 28 characters; the simulator's users begin like this and have fewer.
_PLAYED, _OPENID_LETTERS = "oTEST", 28

# A probe may ask for an answer this late: what is between us must not hang up before WeChat does, at 5 s.
MAX_WAIT = 6.0

_WAIT = r"wait ([0-9]\.[0-9])"


def marked(nonce: str) -> bool:
    """Whether a request with this nonce is a probe, its signature being right."""
    return nonce.startswith(NONCE)


def claimed(query: str) -> bool:
    """Whether a query says that it is a probe's, whatever its signature says."""
    return f"nonce={NONCE}" in query


def played(user: str) -> bool:
    """Whether *user* is one of those that ``send``, ``chat`` and the console play: what they write is not WeChat's."""
    return user.startswith(_PLAYED) and len(user) < _OPENID_LETTERS


def wait(content: str) -> float:
    """How many seconds the probe with this Content asks to wait for its answer."""
    match = re.fullmatch(_WAIT, content)
    return min(float(match[1]), MAX_WAIT) if match else 0.0


def push(content: str, timestamp: int) -> bytes:
    """Return the text message that a probe is."""
    return (
        f"<xml><ToUserName><![CDATA[{SENDER}]]></ToUserName><FromUserName><![CDATA[{SENDER}]]></FromUserName>"
        f"<CreateTime>{timestamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{escape(content)}]]></Content><MsgId>1</MsgId></xml>"
    ).encode()


def fill(body: bytes, size: int) -> bytes:
    """Make *body* *size* bytes long by an element that means nothing."""
    room = size - len(body) - len(b"<Filler></Filler>")
    return body.replace(b"</xml>", b"<Filler>" + b"x" * room + b"</Filler></xml>", 1) if room > 0 else body
