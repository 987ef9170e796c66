"""``stats``: how much came, how it was answered, and what no rule answers; the same numbers as the metrics."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import texts
from ..store import Unreadable
from ..store.base import COUNTS_KEPT
from . import FAILED, FINE, USAGE, kept
from .seen import printable

if TYPE_CHECKING:
    from . import Call

# Of the most frequent rules and texts.
TOP = 5

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("--since", default="24h", metavar="TIME", help=texts.say("stats.help.since", lang))


def run(call: Call) -> int:
    seconds = duration(call.options.since)
    if not seconds:
        call.terminal.error(texts.say("stats.duration", call.lang, text=call.options.since))
        return USAGE
    settings = call.settings()
    try:
        records = kept.opened(call, settings)
        if records is None:
            return FAILED
        with records:
            numbers = figures(records.counts(time.time() - seconds))
    except Unreadable as error:
        return kept.unreadable(call, settings, error)
    if call.options.json:
        call.terminal.data({"since": seconds, **numbers})
    else:
        _print(numbers, call)
    return FINE


def duration(text: str) -> int:
    """Seconds of ``24h``; 0 for what is no time, or longer than counts are kept."""
    match = _DURATION.fullmatch(text)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    return seconds if seconds <= COUNTS_KEPT else 0


def figures(counts: Mapping[str, int]) -> dict[str, Any]:
    """The store's counters as they are shown, the most frequent first."""
    messages = counts.get("messages", 0)
    found: dict[str, Any] = {name: counts.get(name, 0) for name in ("messages", "users", "new", "left")}
    found["unmatched"] = counts.get("unmatched", 0)
    found["unmatched_percent"] = round(100 * found["unmatched"] / messages) if messages else 0
    found.update({name: counts.get(name, 0) for name in ("slow", "timeouts", "errors")})
    for key, prefix in (("types", "type:"), ("results", "result:"), ("rules", "rule:"), ("texts", "unmatched:")):
        named = [(name[len(prefix) :], count) for name, count in counts.items() if name.startswith(prefix)]
        found[key] = dict(sorted(named, key=lambda each: (-each[1], each[0])))
    return found


def _print(numbers: Mapping[str, Any], call: Call) -> None:
    lang = call.lang
    cells = []
    for name in ("messages", "users", "new", "left", "unmatched", "slow", "timeouts", "errors"):
        count = numbers["unmatched_percent" if name == "unmatched" else name]
        cells.append(texts.say(f"stats.{name}", lang, n=_grouped(count)))
    call.terminal.say("   ".join(cells))
    tops = []
    for key, quote in (("rules", ""), ("texts", '"')):
        top = list(numbers[key].items())[:TOP]
        if top:
            shown = "   ".join(f"{quote}{printable(name)}{quote} {_grouped(count)}" for name, count in top)
            tops.append(f"{texts.say(f'stats.{key}', lang)}   {shown}")
    if numbers["texts"]:
        tops[-1] += f"   {texts.say('stats.add', lang)}"
    for line in tops:
        call.terminal.say(line)


def _grouped(number: int) -> str:
    """1 204, as in every language."""
    return f"{number:,}".replace(",", " ")
