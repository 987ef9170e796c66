"""Which message this is: a key for the store, and the name that people call it by."""

from __future__ import annotations

from hashlib import blake2b

from ..store.base import Push
from ..wire.messages import Message
from .terms import shown

# Bytes of a key: the message's time, and a hash.
_TIME, _HASH = 4, 12
# A message's name is digits of its key: the same in every process and on every delivery, and short enough to say.
_NAME = slice(_TIME, _TIME + 3)


def key_of(message: Message) -> bytes:
    """Sixteen bytes that stand for account, user and MsgId; of an event, which has none, for what makes it up.

    The official page 接收事件推送 names FromUserName and CreateTime; two events of one second differ in the rest.
    """
    made = message.fields["CreateTime"]
    if message.type == "event":
        own = f"{made}\0{message.event}\0{message.key}\0{message.id}"
    else:
        own = message.id or f"{made}\0{message.type}\0{message.text or message.media_id}"
    whole = f"{message.account}\0{message.user}\0{own}"
    # Time first, so that keys come in order: an index takes them for half the work, and a tenth of the writing.
    digest = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=_HASH).digest()
    return (message.time & 0xFFFFFFFF).to_bytes(_TIME, "big") + digest


def push_of(message: Message, at: float, content: str) -> Push:
    """What the store has to know of *message*, whose first delivery arrived *at*."""
    key = key_of(message)
    text = shown(message.text, content)
    return Push(key, message.account, message.user, at, message.xml, key[_NAME].hex(), message.kind, text)
