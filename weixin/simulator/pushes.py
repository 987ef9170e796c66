"""What the platform says: a push of any kind, laid out as the platform lays it out.

It knows nothing of how a push is signed, sealed or sent.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ..wire.errors import MessageRefused
from ..wire.messages import Message, parse
from ..wire.replies import escape
from .samples import ACCOUNT, EVENTS, MESSAGES, USER, Elements, Value

# The names of the command line that are shorter than the platform's own.
_SHORT = {
    "pic_album": "pic_photo_or_album",
    "template_finish": "templatesendjobfinish",
    "kf_create": "kf_create_session",
    "kf_close": "kf_close_session",
    "kf_switch": "kf_switch_session",
}

_CREATED = re.compile(rb"(<CreateTime>)\s*[0-9]+\s*(</CreateTime>)")
_NUMBERED = re.compile(rb"(<Msg(?:Id|ID)>)\s*[0-9]+\s*(</Msg(?:Id|ID)>)")


class UnknownKind(ValueError):
    """No push has this name; ``suggestion`` is the nearest that one has, or empty."""

    def __init__(self, name: str, suggestion: str) -> None:
        super().__init__(f"no push is called {name}")
        self.name = name
        self.suggestion = suggestion


class BadWord(ValueError):
    """A word that does not fit: ``element`` wants a number, or is empty where nothing takes the word at all."""

    def __init__(self, word: str, element: str) -> None:
        super().__init__(f"{element or 'this push'} does not take {word!r}")
        self.word = word
        self.element = element


class Push:
    """One thing that happened, in XML, before any sealing. The platform's retries are of the same push."""

    __slots__ = ("message", "xml")

    def __init__(self, xml: bytes) -> None:
        """Take *xml* as it is, be it a message or not."""
        self.xml = xml
        #: What a server should understand, or None if this is not to be understood.
        self.message: Message | None = None
        try:
            self.message = Message(parse(xml))
        except MessageRefused:
            pass

    def __repr__(self) -> str:
        return f"<Push {self.message!r}>"


def kinds() -> tuple[str, ...]:
    """The names of all that can be made, messages first."""
    return (*MESSAGES, *EVENTS)


def canonical(name: str) -> str:
    """Return our name for *name*: ``scancode-push``, ``template-finish``, ``WifiConnected``. Raise UnknownKind."""
    plain = name.lower().replace("-", "_")
    kind = _SHORT.get(plain, plain)
    if kind not in MESSAGES and kind not in EVENTS:
        near = difflib.get_close_matches(plain, [*kinds(), *_SHORT], 1)
        raise UnknownKind(name, near[0].replace("_", "-") if near else "")
    return kind


def make(
    name: str, *words: str, time: int, id: str, user: str = USER, account: str = ACCOUNT, scene: str = ""
) -> Push:
    """Make the push called *name*, from *user* to *account*, at *time*; *id* is its MsgId where it has one.

    *words* replace what the sample says, in the order of its ``asks``; *scene* is of the QR code that was scanned to
    follow or to enter. Raise UnknownKind or BadWord.
    """
    kind = canonical(name)
    sample = MESSAGES.get(kind) or EVENTS[kind]
    elements = _numbered(sample.elements, id)
    if len(words) > len(sample.asks):
        raise BadWord(words[len(sample.asks)], "")
    for path, word in zip(sample.asks, words):
        _fill(elements, path.split("."), word)
    if scene:
        _scan(elements, kind, scene)
    head: Elements = {"ToUserName": account, "FromUserName": user, "CreateTime": time}
    if kind in MESSAGES:
        head["MsgType"] = sample.name
    else:
        head.update(MsgType="event", Event=sample.name)
    return Push(f"<xml>{_lines({**head, **elements})}\n</xml>".encode())


def renewed(xml: bytes, *, time: int, id: str) -> bytes:
    """The same words in a new message, sent at *time*, with the MsgId *id* where it has one."""
    xml = _CREATED.sub(rb"\g<1>%d\g<2>" % time, xml, count=1)
    return _NUMBERED.sub(rb"\g<1>" + id.encode() + rb"\g<2>", xml, count=1)


def _numbered(elements: Elements, id: str) -> Elements:
    """A copy in which the numbers of the sample are this push's."""
    return {name: int(id) if name in ("MsgId", "MsgID") else value for name, value in elements.items()}


def _scan(elements: Elements, kind: str, scene: str) -> None:
    """Who follows through a QR code has its scene behind a prefix; who followed before has it bare."""
    if kind not in ("subscribe", "scan"):
        raise BadWord(scene, "")
    prefix = "qrscene_" if kind == "subscribe" and not scene.startswith("qrscene_") else ""
    elements["EventKey"] = prefix + scene
    elements["Ticket"] = EVENTS["scan"].elements["Ticket"]


def _fill(elements: Elements, path: Sequence[str], word: str) -> None:
    """Put *word* in place of what stands at *path*: a text, or a number where a number stands."""
    name, *below = path
    before = elements[name]
    if isinstance(before, dict):
        elements[name] = inner = dict(before)
        _fill(inner, below, word)
    elif isinstance(before, (int, float)):
        try:
            elements[name] = type(before)(word)
        except ValueError:
            raise BadWord(word, name) from None
    else:
        elements[name] = word


def _lines(elements: Elements) -> str:
    """The elements, one below the other."""
    return "\n".join(
        f"<{name}>{_written(one)}</{name}>"
        for name, value in elements.items()
        for one in (value if isinstance(value, list) else [value])
    )


def _written(value: Value) -> str:
    if isinstance(value, str):
        return f"<![CDATA[{escape(value)}]]>"
    if isinstance(value, dict):
        return f"{_lines(value)}\n"
    return f"{value:.6f}" if isinstance(value, float) else str(value)
