"""What a section of replies.ini says: its keys -> an Answer.

Placeholders are ``{text} {rest} {date} {time}``, a group of the expression by name or number, and nothing else; what
else stands in braces stays as it is. In an address what is filled in is quoted. ``||`` separates texts of which one is
said at random.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Union

from weixin.wire.replies import (
    AIHandover,
    Handover,
    Image,
    Music,
    News,
    Reply,
    ReplyError,
    Text,
    Video,
    Voice,
    clean,
)

from .call import Answer, Call
from .errors import Misuse, hint

#: The keys of each kind of answer; the first is the one it cannot do without.
KEYS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("image",),
    "voice": ("voice",),
    "video": ("video", "video.title", "video.text"),
    "music": ("music.thumb", "music.title", "music.text", "music.url", "music.hq_url"),
    "news": ("news.title", "news.text", "news.pic", "news.url"),
    "handover": ("handover",),
    "ai": ("ai",),
    "call": ("call",),
}
#: These go with any kind of answer.
OPTIONS = ("hours", "else")
_GROUP = {key: group for group, keys in KEYS.items() for key in keys}
ALL_KEYS = (*_GROUP, *OPTIONS)
_ADDRESSES = frozenset({"music.url", "music.hq_url", "news.pic", "news.url"})

_PLACEHOLDER = r"\{(\w{1,64})\}"
_OR = r"\|\||｜｜"

# Turns a value as it is written into what is sent; which key it is decides on quoting.
Fill = Callable[[str, str], str]
Said = Union[Reply, str]


class Fixed:
    """Always the same reply."""

    __slots__ = ("reply",)

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def __call__(self, call: Call, /) -> object:
        return self.reply


class Filled:
    """A reply with placeholders, made anew each time."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[Fill], Said]) -> None:
        self._make = make

    def __call__(self, call: Call, /) -> object:
        return self._make(lambda key, value: fill(value, call, key in _ADDRESSES))


class OneOf:
    """One of several texts, at random."""

    __slots__ = ("_choose", "_texts")

    def __init__(self, texts: list[str]) -> None:
        import random  # for a table with a choice in it: everybody else starts sooner

        self._choose = random.choice
        self._texts = texts

    def __call__(self, call: Call, /) -> object:
        return fill(self._choose(self._texts), call)

    def each(self, call: Call) -> tuple[str, ...]:
        """All that may be said."""
        return tuple(fill(text, call) for text in self._texts)


def group_of(values: dict[str, str]) -> str:
    """Return the one kind of answer the keys are of; raise Misuse where there is another number of them."""
    groups: list[str] = []
    for key in values:
        group = _GROUP.get(key)
        if group is None and key not in OPTIONS:
            raise Misuse("unknown-key", f"there is no key {key}", key=key, hint=hint(key, ALL_KEYS))
        if group is not None and group not in groups:
            groups.append(group)
    if not groups:
        raise Misuse("empty", "the section says nothing")
    if len(groups) > 1:
        raise Misuse("several", "WeChat takes one reply", keys=" ".join(groups))
    return groups[0]


def answer(group: str, values: dict[str, str]) -> Answer:
    """Make the answer of one *group*, which is any but ``call``; raise Misuse where a value is missing or wrong."""
    if group == "text":
        return text(values["text"], "text")
    for key in KEYS[group]:
        if key in values and not values[key]:
            raise Misuse("missing", f"{key} has no value", key=key)
    make = _MAKERS[group]
    try:
        reply = make(lambda key: values.get(key, ""))
    except ReplyError as error:
        key = KEYS[group][0] if error.field not in ("title", "text", "pic", "url") else f"{group}.{error.field}"
        raise Misuse("missing", f"{key} is missing", key=key) from None
    if not any(re.search(_PLACEHOLDER, value) for value in values.values()):
        return Fixed(reply)
    return Filled(lambda filled: make(lambda key: filled(key, values[key]) if key in values else ""))


def text(value: str, key: str) -> Answer:
    """Make the answer that says *value*."""
    if not clean(value).strip():
        raise Misuse("missing", f"{key} has no value", key=key)
    if "||" not in value and "｜｜" not in value and "{" not in value:
        return Fixed(Text(value))
    texts = [each.strip() for each in re.split(_OR, value)]
    if not all(texts):
        raise Misuse("missing", "nothing stands on one side of ||", key=key)
    return OneOf(texts) if len(texts) > 1 else Filled(lambda filled: filled(key, texts[0]))


def fill(value: str, call: Call, address: bool = False) -> str:
    """Put what the placeholders mean in their places, once: what a user wrote is not looked through again."""

    def meaning(found: re.Match[str]) -> str:
        meant = _meaning(found[1], call)
        if meant is None:
            return found[0]
        if not address:
            return meant
        from urllib.parse import quote  # for an address with a placeholder: everybody else starts sooner

        return quote(meant, safe="")

    return re.sub(_PLACEHOLDER, meaning, value) if "{" in value else value


def _meaning(name: str, call: Call) -> str | None:
    groups = call.match.groupdict("") if call.match is not None else {}
    if name in groups:
        return str(groups[name])
    if name == "text":
        return (call.msg.text or call.msg.recognition).strip()
    if name == "rest":
        return ""
    if name == "date":
        return time.strftime("%Y-%m-%d", time.localtime(call.now))
    if name == "time":
        return time.strftime("%H:%M", time.localtime(call.now))
    if call.match is not None and name.isascii() and name.isdigit() and int(name) <= call.match.re.groups:
        return call.match[int(name)] or ""
    return None


Value = Callable[[str], str]


def _handover(value: Value) -> Reply:
    account = value("handover")
    if account.lower() in ("yes", "是"):
        return Handover()
    if "@" not in account:
        wanted = "yes | kf2001@shop"
        raise Misuse("bad-value", f"handover takes {wanted}", key="handover", value=account, wanted=wanted)
    return Handover(account)


def _ai(value: Value) -> Reply:
    if value("ai").lower() not in ("yes", "是"):
        raise Misuse("bad-value", "ai takes yes", key="ai", value=value("ai"), wanted="yes")
    return AIHandover()


_MAKERS: dict[str, Callable[[Value], Reply]] = {
    "image": lambda value: Image(value("image")),
    "voice": lambda value: Voice(value("voice")),
    "video": lambda value: Video(value("video"), value("video.title"), value("video.text")),
    "music": lambda value: Music(
        value("music.thumb"), value("music.title"), value("music.text"), value("music.url"), value("music.hq_url")
    ),
    "news": lambda value: News(
        value("news.title"), value("news.text"), pic=value("news.pic"), url=value("news.url")
    ),
    "handover": _handover,
    "ai": _ai,
}
