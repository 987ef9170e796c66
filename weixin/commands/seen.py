"""What a user sees, for a person at a terminal: the reply, nothing, or the fault notice and why."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .. import texts
from ..log import Line
from ..simulator import FAULT_NOTICE, Attempt, Seen
from .terminal import Terminal

# Behind what was said, and under it where it has several lines.
MARGIN = 6
# C0 but tab and line feed, DEL, and C1, where a terminal may find an escape sequence in one character.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def show(attempt: Attempt, server: Line | None, terminal: Terminal, *, expected: bool = False) -> None:
    """Print one delivery's outcome. *server* is the line that the server logged of it, if that is ours to hear.

    *expected*: the request was spoilt on purpose, and this is how it should end.
    """
    lang, seen = terminal.lang, attempt.seen
    milliseconds = f"{attempt.answer.seconds * 1000:.0f} ms"
    if seen.why == "status":
        terminal.say(_refused(attempt, server, milliseconds, lang, expected))
    if seen.outcome == "fault":
        if not expected:
            _fault(seen, terminal)
        return
    if seen.outcome == "nothing":
        terminal.say(texts.say("seen.nothing", lang))
    else:
        terminal.say(f"{seen.kind}  " + printable(seen.text).replace("\n", "\n" + " " * MARGIN))
    by = str(server.fields.get("by", "")) if server else ""
    terminal.note(terminal.paint(" " * MARGIN + "   ".join(word for word in (by, milliseconds) if word), "dim"))
    for note in seen.notes:
        terminal.say(" " * MARGIN + texts.say(f"note.{note.code}", lang, **note.values))


def warnings(heard: Iterable[Line], terminal: Terminal) -> None:
    """Print what a server warned of while it answered, and the traceback of a handler that raised."""
    for line in heard:
        if line.code and line.event != "refused":
            terminal.error(f"{line.code}  {texts.explain(line.code, terminal.lang, line.fields).title}")
        if line.detail:
            terminal.error(line.detail.rstrip("\n"))


def sentence(seen: Seen, lang: str) -> str:
    """Say why *seen* is a fault, or nothing if it is none."""
    values = dict(seen.values or {})
    for name, before in (("location", " → "), ("detail", ": ")):
        if values.get(name):
            values[name] = f"{before}{values[name]}"
    return printable(texts.say(f"why.{seen.why}", lang, **values)) if seen.why else ""


def printable(text: str) -> str:
    """Take the sting out of what a server said: control characters would steer the terminal."""
    return _CONTROLS.sub("�", text)


def _refused(attempt: Attempt, server: Line | None, milliseconds: str, lang: str, expected: bool) -> str:
    words = [texts.say("seen.status", lang, status=attempt.answer.status, time=milliseconds)]
    if server is not None and server.code:
        words += [server.code, texts.explain(server.code, lang, server.fields).title]
    if expected:
        words.append(texts.say("seen.expected", lang))
    return "  ".join(words)


def _fault(seen: Seen, terminal: Terminal) -> None:
    if seen.shown:
        terminal.say(terminal.paint(f"«{FAULT_NOTICE}»", "red"))
    else:
        terminal.say(terminal.paint(texts.say("seen.unseen", terminal.lang), "red"))
    terminal.say(" " * MARGIN + sentence(seen, terminal.lang))
