"""Which message this is: a key for the store, and the name that people call it by."""

from __future__ import annotations

import hashlib

from ..store.base import Push
from ..wire.messages import Message
from .terms import shown

# A message's name is its key's first digits: the same in every process and on every delivery, and short enough to say.
NAME = 3


def key_of(message: Message) -> bytes:
    """Sixteen bytes that stand for account, user and MsgId; of an event, which has none, for what makes it up.

    官方页面 接收事件推送 names FromUserName and CreateTime; two different events of one second differ in the rest.
    """
    fields = message.fields
    parts: tuple[str, ...]
    if message.type == "event":
        parts = (fields["CreateTime"], message.event, message.key, message.id)
    elif message.id:
        parts = (message.id,)
    else:
        parts = (fields["CreateTime"], message.type, message.text or message.media_id)
    whole = "\0".join((fields["ToUserName"], fields["FromUserName"], *parts))
    return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def push_of(message: Message, at: float, content: str) -> Push:
    """What the store has to know of *message*, whose first delivery arrived *at*."""
    key = key_of(message)
    text = shown(message.text, content)
    return Push(key, message.account, message.user, at, message.xml, key[:NAME].hex(), message.kind, text)
