"""What a user sees, for a person at a terminal: the reply, nothing, or the fault notice and why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .. import texts
from ..log import Line
from ..simulator import FAULT_NOTICE, Answer, Attempt, Delivery, Seen
from .terminal import Terminal, pad, width

# Behind what was said, and under it where it has several lines.
MARGIN = 6
# In a conversation, where the words about a reply begin, if it is no longer than that.
COLUMN = 52
# C0 but tab and line feed, DEL, and C1, where a terminal may find an escape sequence in one character.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def show(
    attempt: Attempt, server: Line | None, terminal: Terminal, *, expected: bool = False, lead: str = ""
) -> None:
    """Print one delivery's outcome. *server* is the line that the server logged of it, if that is ours to hear.

    *expected*: the request was spoilt on purpose, and this is how it should end. *lead* stands before it in a
    conversation, where a reply of one line has the words about it on its right.
    """
    lang, seen = terminal.lang, attempt.seen
    milliseconds = f"{attempt.answer.seconds * 1000:.0f} ms"
    if seen.why == "status":
        terminal.say(lead + _refused(attempt, server, milliseconds, lang, expected))
    if seen.outcome == "fault":
        if not expected:
            _fault(seen, terminal, lead)
        return
    if seen.outcome == "nothing":
        said = texts.say("seen.nothing", lang)
    else:
        said = f"{seen.kind}  {printable(seen.text)}"
    by = str(server.fields.get("by", "")) if server else ""
    if not by and server and lead and seen.outcome == "nothing":
        by = texts.say("seen.no-rule", lang, kind=server.fields.get("type", ""))
    tail = "   ".join(word for word in (by, milliseconds) if word)
    if lead and "\n" not in said and width(lead + said) < COLUMN and not terminal.quiet:
        terminal.say(pad(lead + said, COLUMN) + terminal.paint(tail, "dim"))
    else:
        terminal.say(lead + said.replace("\n", "\n" + " " * MARGIN))
        terminal.note(terminal.paint(" " * MARGIN + tail, "dim"))
    for note in seen.notes:
        terminal.say(" " * MARGIN + texts.say(f"note.{note.code}", lang, **note.values))


def warnings(heard: Iterable[Line], terminal: Terminal) -> None:
    """Print what a server warned of while it answered, what to do, and the traceback of a handler that raised."""
    for line in heard:
        if line.code and line.event != "refused":
            title, _, fix = texts.explain(line.code, terminal.lang, line.fields)
            terminal.error(f"{line.code}  {title}")
            terminal.error(" " * (len(line.code) + 2) + texts.say("fix", terminal.lang, fix=fix))
        if line.detail:
            terminal.error(line.detail.rstrip("\n"))


def attempted(number: int, answer: Answer, runs: int, terminal: Terminal) -> None:
    """Print how the delivery *number* of a push ended, where there is more to tell than its answer."""
    lang = terminal.lang
    if answer.failure:
        words = texts.say("seen.hung-up" if answer.failure == "timeout" else f"why.{answer.failure}", lang, detail="")
    elif number > 1:
        words = texts.say("seen.answered", lang)
    else:
        return
    row = f"  {texts.say('seen.attempt', lang, n=number)}   {answer.seconds:.1f} s  {words}"
    if number > 1 and runs:
        row = pad(row + "   ", COLUMN) + texts.say("seen.joined" if runs == 1 else "seen.again", lang)
    terminal.say(terminal.paint(row, "dim"))


def record(delivery: Delivery, server: Line | None, lang: str) -> dict[str, Any]:
    """A delivery's outcome for programs."""
    seen = delivery.seen
    return {
        "outcome": seen.outcome,
        "kind": seen.kind,
        "text": seen.text,
        "why": seen.why,
        "words": sentence(seen, lang),
        "status": delivery.answer.status,
        "code": server.code if server else "",
        "by": server.fields.get("by", "") if server else "",
        "ms": round(delivery.seconds * 1000, 1),
        "deliveries": len(delivery.attempts),
        "reply": seen.fields,
    }


def sentence(seen: Seen, lang: str) -> str:
    """Say why *seen* is a fault, or nothing if it is none."""
    values = dict(seen.values or {})
    if values.get("location"):
        values["location"] = f" → {values['location']}"
    if values.get("detail"):
        values["detail"] = texts.say("seen.detail", lang, error=values["detail"])
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


def _fault(seen: Seen, terminal: Terminal, lead: str) -> None:
    notice = f"«{FAULT_NOTICE}»" if seen.shown else texts.say("seen.unseen", terminal.lang)
    terminal.say(lead + terminal.paint(notice, "red"))
    terminal.say(" " * MARGIN + sentence(seen, terminal.lang))
