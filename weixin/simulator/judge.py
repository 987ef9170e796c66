"""From a server's answer to what the user sees: a reply, nothing, or the fault notice, and why.

As strict as WeChat is (被动回复用户消息, 接口报警和排查指引), and stricter where the field reports that it may be. The
reasons are words for programs; whoever shows them to people has the sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..wire.aes import Aes
from ..wire.envelope import Envelope
from ..wire.errors import EnvelopeRefused, MessageRefused
from ..wire.messages import Fields, parse
from ..wire.replies import ELLIPSIS, MAX_ARTICLES, MAX_ARTICLES_TO_MESSAGE, MAX_TEXT
from ..wire.signature import matches
from .pushes import Push
from .requests import Account, Request
from .transports import Answer

#: What the client shows where the server fails.
FAULT_NOTICE = "该公众号提供的服务出现故障，请稍后再试"

REPLY, NOTHING, FAULT = "reply", "nothing", "fault"

# MsgType -> the elements without which the platform does not take the reply.
_REQUIRED = {
    "text": ("Content",),
    "image": ("Image.MediaId",),
    "voice": ("Voice.MediaId",),
    "video": ("Video.MediaId",),
    "music": ("Music.ThumbMediaId",),
    "news": ("ArticleCount", "Articles.item"),
    "transfer_customer_service": (),
    "transfer_biz_ai_ivr": (),
}
_ARTICLE = ("Title", "Description", "PicUrl", "Url")
# What stands for those that are neither text nor articles.
_BUBBLE = {
    "image": "Image.MediaId",
    "voice": "Voice.MediaId",
    "video": "Video.MediaId",
    "music": "Music.Title",
    "transfer_customer_service": "TransInfo.KfAccount",
}


class Note(NamedTuple):
    """Something worth saying about an answer that is no fault: ``near-limit``, ``cut``, ``articles``, ``not-shown``."""

    code: str
    values: dict[str, Any]


class Seen(NamedTuple):
    """What the user sees. ``outcome`` is ``reply``, ``nothing`` or ``fault``.

    Of a reply, ``kind`` is its MsgType, ``fields`` its elements, ``xml`` its bytes as opened, ``text`` what stands in
    the bubble. Of a fault, ``why`` is the reason and ``values`` go with it; ``shown`` tells whether there is a
    conversation to show the notice in. Nobody sees a fault in answer to an unsubscribe, yet the platform counts it.
    """

    outcome: str
    kind: str = ""
    fields: Fields | None = None
    xml: bytes = b""
    text: str = ""
    why: str = ""
    values: dict[str, Any] | None = None
    shown: bool = True
    notes: Sequence[Note] = ()

    @property
    def line(self) -> str:
        """It in one line: the text itself, ``news: 上海 晴``, an empty line for nothing, ``fault: why``."""
        if self.outcome == FAULT:
            return f"fault: {self.why}"
        if self.outcome == NOTHING:
            return ""
        return self.text if self.kind in ("", "text") else f"{self.kind}: {self.text}"


class _Bad(Exception):
    """The answer is no reply; the reason and its values."""

    def __init__(self, why: str, **values: Any) -> None:
        super().__init__(why)
        self.why = why
        self.values = values


def judge(account: Account, aes: Aes, push: Push, request: Request, answer: Answer) -> Seen:
    """Say what the user who sent *push* sees of *answer*."""
    shown = push.message is not None and push.message.accepts_reply
    try:
        xml = _opened(account, aes, request, answer)
        if not xml:
            return Seen(NOTHING)
        fields = _reply(xml, push)
    except _Bad as bad:
        return Seen(FAULT, why=bad.why, values=bad.values, shown=shown)
    kind = fields["MsgType"]
    text, notes = _bubble(kind, fields, push)
    if not shown:
        notes.append(Note("not-shown", {"kind": kind}))
        return Seen(NOTHING, kind, fields, xml, text, notes=notes)
    return Seen(REPLY, kind, fields, xml, text, notes=notes)


def _opened(account: Account, aes: Aes, request: Request, answer: Answer) -> bytes:
    """Return the reply's XML, or nothing for an acknowledgement."""
    if answer.failure:
        raise _Bad(answer.failure, seconds=f"{answer.seconds:.1f}", detail=answer.detail)
    if answer.status != 200:
        raise _Bad("status", status=answer.status, location=answer.header("Location"))
    body = answer.body
    if body in (b"", b"success"):
        return b""
    start = body[:40].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        raise _Bad("html")
    if body.strip().strip(b'"').lower() == b"success":
        raise _Bad("success-spelt", body=body.decode("latin-1"))
    fields = _parsed(body)
    if "Encrypt" in fields and account.mode != "plain":
        return _unsealed(account, aes, request, fields)
    if "Encrypt" in fields:
        raise _Bad("sealed")
    if account.mode == "safe":
        raise _Bad("not-sealed")
    return body


def _parsed(xml: bytes) -> Fields:
    try:
        return parse(xml)
    except MessageRefused as refusal:
        why = {"WX-XML-02": "json"}.get(refusal.code, "not-xml")
        raise _Bad(why, start=xml[:80].decode(errors="replace")) from None


def _unsealed(account: Account, aes: Aes, request: Request, fields: Fields) -> bytes:
    encrypted, signature, timestamp, nonce = (
        str(fields.get(name, "")) for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")
    )
    if not matches(signature, account.token, timestamp, nonce, encrypted):
        raise _Bad("reply-signature")
    if nonce != request.nonce:
        raise _Bad("reply-nonce")
    try:
        return Envelope(account.token, account.appid, (account.key,), aes).open(encrypted).message
    except EnvelopeRefused as refusal:
        raise _Bad("reply-envelope", step=refusal.step) from None


def _reply(xml: bytes, push: Push) -> Fields:
    """Return the elements of a reply that the platform takes."""
    fields = _parsed(xml)
    if push.message is not None:
        for element, name in (("ToUserName", push.message.user), ("FromUserName", push.message.account)):
            if fields.get(element) != name:
                raise _Bad("names", element=element, found=str(fields.get(element, "")), wanted=name)
    if not str(fields.get("CreateTime", "")).isdecimal():
        raise _Bad("element", element="CreateTime")
    kind = fields.get("MsgType")
    if not isinstance(kind, str) or kind not in _REQUIRED:
        raise _Bad("kind", kind=str(kind or ""))
    for path in _REQUIRED[kind]:
        if not _at(fields, path):
            raise _Bad("empty" if path == "Content" else "element", element=path)
    if kind == "text":
        _text(fields["Content"])
    if kind == "news":
        _articles(fields)
    return fields


def _at(fields: Any, path: str) -> Any:
    for name in path.split("."):
        fields = fields.get(name) if isinstance(fields, dict) else None
    return fields


def _text(content: Any) -> None:
    if not isinstance(content, str):
        raise _Bad("element", element="Content")
    if not content.strip():
        raise _Bad("empty", element="Content")
    size = len(content.encode())
    if size > MAX_TEXT:
        raise _Bad("too-long", n=size, limit=MAX_TEXT)


def _items(fields: Fields) -> list[Any]:
    items = _at(fields, "Articles.item")
    return items if isinstance(items, list) else [items]


def _articles(fields: Fields) -> None:
    items = _items(fields)
    if fields["ArticleCount"] != str(len(items)):
        raise _Bad("element", element="ArticleCount")
    for item in items:
        for name in _ARTICLE:
            if not _at(item, name):
                raise _Bad("element", element=f"Articles.item.{name}")


def _bubble(kind: str, fields: Fields, push: Push) -> tuple[str, list[Note]]:
    """Return what stands in the bubble, and what is worth saying about it."""
    if kind == "text":
        size = len(fields["Content"].encode())
        notes = []
        if size > MAX_TEXT - len(ELLIPSIS.encode()):
            code = "cut" if fields["Content"].endswith(ELLIPSIS) else "near-limit"
            notes.append(Note(code, {"n": size, "limit": MAX_TEXT}))
        return fields["Content"], notes
    if kind == "news":
        items = _items(fields)
        event = push.message is not None and push.message.type == "event"
        most = MAX_ARTICLES if event else MAX_ARTICLES_TO_MESSAGE
        dropped = Note("articles", {"n": len(items), "most": most})
        return " · ".join(str(item["Title"]) for item in items[:most]), [dropped] if len(items) > most else []
    return str(_at(fields, _BUBBLE.get(kind, "")) or ""), []
