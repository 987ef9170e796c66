"""What is to be drawn: a push as the user's bubble, a reply as the account's, each a dictionary of plain texts.

The page writes every one of them as text; nothing here is markup.
"""

from __future__ import annotations

from typing import Any

from ..simulator import Seen
from ..wire.errors import MessageRefused
from ..wire.messages import Fields, Message, parse
from ..wire.replies import MAX_ARTICLES, MAX_ARTICLES_TO_MESSAGE

_SAID = ("text", "recognition", "media_id", "pic_url", "format", "label", "title", "description", "url", "key", "scene")


def said(message: Message | None) -> dict[str, Any]:
    """What the user did, for a bubble on the right; empty for what is no message."""
    if message is None:
        return {}
    shown = {name: getattr(message, name) for name in _SAID}
    if message.x is not None:
        shown["x"], shown["y"] = message.x, message.y
    return {"kind": message.kind, **{name: value for name, value in shown.items() if value not in ("", None)}}


def words(drawn: dict[str, Any]) -> str:
    """The one line of it that a list has room for."""
    for name in ("text", "recognition", "label", "title", "key", "scene", "pic_url", "media_id"):
        if drawn.get(name):
            return str(drawn[name])
    return ""


def bubble(seen: Seen) -> dict[str, Any]:
    """The answer, for a bubble on the left; empty where there is none."""
    if seen.fields is None:
        return {}
    return reply(seen.fields)


def reply_of(xml: bytes) -> dict[str, Any]:
    """The same for a reply's XML as it was kept; empty for what is none."""
    try:
        return reply(parse(xml)) if xml.strip() not in (b"", b"success") else {}
    except MessageRefused:
        return {}


def reply(fields: Fields) -> dict[str, Any]:
    """The parts of a reply that are seen."""
    kind = str(fields.get("MsgType", ""))
    shown: dict[str, Any] = {"kind": kind}
    if kind == "text":
        shown["text"] = _text(fields, "Content")
    elif kind == "news":
        shown["articles"] = [
            {name: _text(item, element) for name, element in _ARTICLE.items()} for item in _items(fields)[:MAX_ARTICLES]
        ]
        shown["most"] = MAX_ARTICLES_TO_MESSAGE
    elif kind in _PARTS:
        part = fields.get(_PARTS[kind])
        inner = part if isinstance(part, dict) else {}
        shown.update({name: _text(inner, element) for name, element in _INNER.items() if _text(inner, element)})
    return shown


_ARTICLE = {"title": "Title", "text": "Description", "pic": "PicUrl", "url": "Url"}
_PARTS = {
    "image": "Image",
    "voice": "Voice",
    "video": "Video",
    "music": "Music",
    "transfer_customer_service": "TransInfo",
}
_INNER = {
    "media_id": "MediaId",
    "title": "Title",
    "text": "Description",
    "url": "MusicUrl",
    "hq_url": "HQMusicUrl",
    "thumb": "ThumbMediaId",
    "account": "KfAccount",
}


def _items(fields: Fields) -> list[Fields]:
    articles = fields.get("Articles")
    found = articles.get("item") if isinstance(articles, dict) else None
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
