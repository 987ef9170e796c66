"""``explain``: what a code, an errcode or a notice of WeChat's means, why it comes, and what to do."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import texts
from ..texts.codes import CODES
from ..texts.platform import ALSO, PLATFORM
from . import FAILED, FINE

if TYPE_CHECKING:
    from . import Call

_OURS = re.compile(r"WX-[A-Z]{3}-[0-9]{2}", re.I)
_NUMBER = re.compile(r"(?<![\w.])-?[0-9]{1,6}(?![\w.])")
_BLANK = re.compile(r"\{[a-z_]+\}")


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("text", nargs="+", metavar="CODE", help=texts.say("explain.help.text", lang))


def run(call: Call) -> int:
    text = " ".join(call.options.text)
    found = [(name, *entry[call.lang]) for name, entry in _entries(text)]
    if call.options.json:
        keys = ("name", "title", "cause", "fix")
        call.terminal.say(json.dumps([dict(zip(keys, row)) for row in found], ensure_ascii=False, indent=2))
        return FINE if found else FAILED
    for name, title, cause, fix in found:
        call.terminal.say(f"{call.terminal.paint(name, 'bold')}  {plain(title)}")
        call.terminal.say("  " + texts.say("doctor.cause", call.lang, cause=plain(cause)))
        call.terminal.say("  " + texts.say("doctor.fix", call.lang, fix=plain(fix)))
    if not found:
        call.terminal.error(texts.say("explain.unknown", call.lang, text=text))
    return FINE if found else FAILED


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


def plain(sentence: str) -> str:
    """A sentence without values: «port … will not do»."""
    return _BLANK.sub("…", sentence)
