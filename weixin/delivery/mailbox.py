"""What missed its deliveries: how it goes into a mailbox, and how it comes out with another message's answer.

Pure: what is taken and what is left is for the store to do in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..store.base import Mail
from ..texts import say
from ..wire.errors import MessageRefused
from ..wire.messages import Message, parse
from ..wire.replies import MAX_TEXT, Reply, Success, Text, clean
from .splitting import split
from .terms import SHORT


class Handed(NamedTuple):
    """What a message is answered with: a text, or the XML of something else; the mail in it, and what it leaves."""

    text: str = ""
    body: bytes = b""
    take: tuple[int, ...] = ()
    put: tuple[Mail, ...] = ()


def letter(message: Message, reply: Reply, now: int) -> list[Mail]:
    """What waits for the user when *reply* came too late; nothing, where nothing was said."""
    if isinstance(reply, Success):
        return []
    if isinstance(reply, Text):
        return [Mail(question(message), reply.kind, clean(reply.content), b"")]
    # It will answer a text: of several articles one is shown (被动回复用户消息).
    asked = Message({**message.fields, "MsgType": "text"})
    return [Mail(question(message), reply.kind, "", reply.render(asked, now))]


def letter_again(asked: str, body: bytes, at: float) -> list[Mail]:
    """What waits for the user when the answer *body*, to what was asked *at*, was sent to nobody.

    It has that time, as its rest may be waiting already: that is to be read behind it.
    """
    if not body.startswith(b"<"):
        return []
    try:
        fields = parse(body)
    except MessageRefused:  # longer than what may be pushed to us: it waits as it is
        fields = {}
    kind = str(fields.get("MsgType", ""))
    return [Mail(asked, kind, str(fields.get("Content", "")), b"" if kind == "text" else body, at=at)]


def question(message: Message) -> str:
    """What the user asked, short, to stand on the answer."""
    asked = " ".join((message.text or message.recognition or message.key or message.kind).split())
    return asked if len(asked) <= SHORT else asked[:SHORT] + "…"


def with_mail(text: str, mail: Sequence[Mail], cut: bool, pickup: str, lang: str) -> Handed:
    """Answer with *text*, and with what waits and fits behind it; what of a long text does not fit is left waiting."""
    text = clean(text)
    size = _size(text)
    if size > MAX_TEXT:
        return _first_part(Mail("", "text", text, b""), cut, pickup, lang)
    taken: list[int] = []
    for each in mail:
        part = f"\n\n{_labelled(each)}"
        if each.kind != "text" or size + _size(part) > MAX_TEXT:
            break  # in the order they were asked
        text, size = text + part, size + _size(part)
        taken.append(each.id)
    return Handed(text, take=tuple(taken))


def pick_up(mail: Sequence[Mail], cut: bool, pickup: str, lang: str) -> Handed:
    """Answer the pick-up word: the oldest of *mail*, and of texts as many as fit, with a word about what is left."""
    first = mail[0]
    if first.kind != "text":
        return Handed(body=first.body, take=(first.id,))
    if _size(first.text) > MAX_TEXT:
        return _first_part(first, cut, pickup, lang)
    texts: list[str] = []
    for each in mail:
        if each.kind != "text" or _size("\n\n".join([*texts, _labelled(each)])) > MAX_TEXT:
            break
        texts.append(_labelled(each))
    taken = tuple(each.id for each in mail[: max(1, len(texts))])
    text = "\n\n".join(texts) if len(texts) > 1 else first.text
    more = "\n\n" + say("reply.more", lang, n=len(mail) - len(taken), word=pickup)
    if len(mail) > len(taken) and _size(text + more) <= MAX_TEXT:
        text += more
    return Handed(text, take=taken)


def _first_part(long: Mail, cut: bool, pickup: str, lang: str) -> Handed:
    take = (long.id,) if long.id else ()
    if not cut:
        return Handed(long.text, take=take)  # rendering shortens it
    more = "\n\n" + say("reply.rest", lang, word=pickup)
    head, rest = split(long.text, MAX_TEXT - _size(more))
    return Handed(head + more, take=take, put=(long._replace(text=rest, id=0),) if rest else ())


def _labelled(each: Mail) -> str:
    return f"【{each.question}】\n{each.text}" if each.question else each.text


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
