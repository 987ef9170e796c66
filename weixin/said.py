"""What a user does, as one line: a text, or a slash and the name of any message or event with its words.

``你好``, ``/click MENU_HELP``, ``/subscribe 42``, ``/location 23.1 113.3 广州``, ``/raw <xml>…</xml>``; a text that
begins with a slash is written with two. The same lines are typed in ``chat``, stand in ``.chat`` files, and are made of
messages that came.
"""

from __future__ import annotations

import shlex
from typing import Any, NamedTuple

from .simulator import BadWord, Platform, Push, UnknownKind, canonical, make
from .simulator.samples import EVENTS, MESSAGES
from .wire import messages
from .wire.messages import Message

RAW = "raw"


class Said(NamedTuple):
    """What a user does: the name of a push, and the words that go into it."""

    kind: str
    words: tuple[str, ...] = ()
    scene: str = ""

    def push(self, platform: Platform, user: str) -> Push:
        """Make it a push of now. Raise BadWord."""
        if self.kind == RAW:
            return Push(self.words[0].encode())
        return platform.push(self.kind, *self.words, user=user, scene=self.scene)


def parse(line: str) -> Said:
    """Read what stands behind ``>``. Raise UnknownKind or BadWord."""
    if not line.startswith("/") or line.startswith("//"):
        return Said("text", (line[1:] if line.startswith("//") else line,))
    if not line[1:].strip():
        raise UnknownKind(line, "")
    name, *more = line[1:].split(None, 1)
    rest = more[0].strip() if more else ""
    if name == RAW:
        if not rest:
            raise BadWord("", RAW)
        return Said(RAW, (rest,))
    kind = canonical(name)
    if kind == "text":
        return Said(kind, (rest,) if rest else ())
    words = _split(rest)
    said = Said(kind, tuple(words[1:]), words[0]) if kind == "subscribe" and words else Said(kind, tuple(words))
    make(kind, *said.words, time=0, id="0", scene=said.scene)  # whether the words fit
    return said


def _split(text: str) -> list[str]:
    """Words as a shell reads them; an apostrophe that closes nothing is a letter."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def of(message: Message) -> Said:
    """Say how a user would do what *message* was made of: what its sample does not ask for is lost."""
    if message.kind == "text":
        return Said("text", (message.text,))
    try:
        kind = canonical(message.kind)
    except UnknownKind:
        return Said(RAW, (message.xml.decode(errors="replace"),))
    if kind == "subscribe":
        return Said(kind, (), message.scene)
    sample = MESSAGES.get(kind) or EVENTS[kind]
    # What the sample says of itself, at the end, need not be said.
    before = Message(messages.parse(make(kind, time=0, id="0").xml))
    words = [_element(message, path) for path in sample.asks]
    while words and words[-1] == _element(before, sample.asks[len(words) - 1]):
        words.pop()
    return Said(kind, tuple(words))


def _element(message: Message, path: str) -> str:
    value: Any = message.fields
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    return value if isinstance(value, str) else ""


def write(said: Said) -> str:
    """The line that ``parse`` reads as *said*."""
    if said.kind == RAW:
        return f"/{RAW} {said.words[0]}"
    if said.kind == "text":
        text = said.words[0] if said.words else MESSAGES["text"].elements["Content"]
        return f"/{text}" if str(text).startswith("/") else str(text)
    words = [said.scene] if said.scene else list(said.words)
    return " ".join([f"/{said.kind.replace('_', '-')}", *map(_quoted, words)])


def _quoted(word: str) -> str:
    """As a shell would need it, and Chinese as it is."""
    return shlex.quote(word) if not word or any(c.isspace() or c in "'\"\\" for c in word) else word
