"""``explain``: what a code, an errcode or a notice of WeChat's means, why it comes, and what to do."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import texts
from ..config import ConfigError
from ..doctor.alarm import find, parse
from ..store import Unreadable
from ..store.base import Delivery
from ..texts.codes import CODES
from ..texts.platform import ALSO, PLATFORM
from . import FAILED, FINE

if TYPE_CHECKING:
    from . import Call

_OURS = re.compile(r"WX-[A-Z]{3}-[0-9]{2}", re.I)
_NUMBER = re.compile(r"(?<![\w.])-?[0-9]{1,6}(?![\w.])")
# The default deadline: what took longer did not answer the delivery that began it.
LATE_SECONDS = 4.5
BLANK = re.compile(r"\{[a-z_]+\}")


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("text", nargs="+", metavar="CODE", help=texts.say("explain.help.text", lang))


def run(call: Call) -> int:
    text = " ".join(call.options.text)
    found = [(name, *entry[call.lang]) for name, entry in _entries(text)]
    told, meant = _delivery(text, call)
    if call.options.json:
        keys = ("name", "title", "cause", "fix")
        rows: list[dict[str, object]] = [dict(zip(keys, row)) for row in found]
        rows += [{"name": "delivery", "title": told, "delivery": meant and _row(meant)}] if told else []
        call.terminal.data(rows, indent=2)
        return FINE if rows else FAILED
    for name, title, cause, fix in found:
        call.terminal.say(f"{call.terminal.paint(name, 'bold')}  {plain(title)}")
        call.terminal.say("  " + texts.say("doctor.cause", call.lang, cause=plain(cause)))
        call.terminal.say("  " + texts.say("doctor.fix", call.lang, fix=plain(fix)))
    if told:
        call.terminal.say(told)
    if meant is not None:
        show(meant, call)
    if not found and not told:
        call.terminal.error(texts.say("explain.unknown", call.lang, text=text))
    return FINE if found or told else FAILED


def names(text: str) -> list[str]:
    """Everything in *text* that can be explained, each once, as it comes: codes first, then WeChat's words."""
    found = [match.upper() for match in _OURS.findall(text) if match.upper() in CODES]
    found += [match for match in _NUMBER.findall(text) if match in PLATFORM]
    lower = text.lower()
    # The longest words first, and each part of the text once: «请求URL超时» is no «请求超时».
    for words in sorted(ALSO, key=len, reverse=True):
        if words in lower:
            found.append(ALSO[words])
            lower = lower.replace(words, " ")
    return list(dict.fromkeys(found))


def _entries(text: str) -> Iterator[tuple[str, dict[str, tuple[str, str, str]]]]:
    for name in names(text):
        yield name, CODES.get(name) or PLATFORM[name]


def _delivery(text: str, call: Call) -> tuple[str, Delivery | None]:
    """A sentence about the message that *text* is about, and the message, if it is remembered."""
    alarm = parse(text)
    if alarm is None:
        return "", None
    try:
        settings = call.settings()
        delivery = find(alarm, settings.store)
    except (ConfigError, Unreadable) as error:
        why = error.problems[0].code if isinstance(error, ConfigError) else str(error)
        return texts.say("explain.unread", call.lang, error=why), None
    if delivery is None:
        return texts.say("explain.unfound", call.lang, keep=settings.keep), None
    where, seconds = delivery.rule or "-", f"{delivery.ms / 1000:.1f}"
    at = time.strftime("%m-%d %H:%M:%S", time.localtime(delivery.at))
    values = {"name": delivery.name, "at": at, "kind": delivery.kind, "where": where, "seconds": seconds}
    result = delivery.result or texts.say("explain.running", call.lang)
    return texts.say("explain.found", call.lang, result=result, **values), delivery


def show(delivery: Delivery, call: Call) -> None:
    """Its attempts, and what to do about it: what is wrong with its reply, or that it was late."""
    for number, line in enumerate(delivery.attempts, 1):
        at, took, result = (*line.split(" "), "", "")[:3]
        clock = time.strftime("%H:%M:%S", time.localtime(float(at)))
        values = {"n": number, "at": clock, "seconds": took, "result": result}
        call.terminal.say("  " + texts.say("explain.attempt", call.lang, **values))
    late = delivery.ms / 1000 > LATE_SECONDS
    code = delivery.code or ("WX-TIM-01" if late else "")
    if code:
        fix = texts.say("doctor.fix", call.lang, fix=plain(texts.explain(code, call.lang).fix))
        call.terminal.say(f"  {call.terminal.paint(code, 'red')}  {fix}")


def _row(delivery: Delivery) -> dict[str, object]:
    """A delivery for programs, without what was said."""
    names = ("name", "at", "kind", "rule", "result", "reply", "ms", "code", "attempts")
    return {name: getattr(delivery, name) for name in names}


def plain(sentence: str) -> str:
    """A sentence without values: «port … will not do»."""
    return BLANK.sub("…", sentence)
