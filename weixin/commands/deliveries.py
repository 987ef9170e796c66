"""``deliveries``: look back at what came and how it was answered, one line each, or follow it as it comes.

The store is only read, and a running server notices nothing. ``replay`` runs the handlers once more, in this process.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from .. import texts
from ..config import Settings
from ..log import mask
from ..simulator import Push
from ..store import Unreadable
from ..store.base import Delivery
from . import FAILED, FINE, USAGE, explain, kept, seen
from .following import Following, Row, answered_on, failed, rows
from .rehearsal import Rehearsal
from .seen import printable
from .terminal import pad, width

if TYPE_CHECKING:
    from . import Call

# What fits on a screen.
LIMIT = 20
# Enough of a text to know it by; ``show`` has all that is kept.
TEXT_WIDTH = 24
REPLY_WIDTH = 13
# Of a text that is looked at for it; a stranger decides how long one is, and how many of it are blanks.
MOST_TEXT = 200


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    def say(key: str) -> str:
        return texts.say(f"deliveries.help.{key}", lang)

    parser.add_argument("action", nargs="?", choices=("list", "show", "replay"), default="list", help=say("action"))
    parser.add_argument("id", nargs="?", default="", metavar="ID", help=say("id"))
    parser.add_argument("--follow", action="store_true", help=say("follow"))
    parser.add_argument("--failed", action="store_true", help=say("failed"))
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help=say("limit"))


def run(call: Call) -> int:
    options = call.options
    slip = _slip(call)
    if slip:
        call.terminal.error(slip)
        return USAGE
    settings = call.settings()
    try:
        if options.action == "list":
            return _list(call, settings)
        delivery = _find(call, settings)
    except Unreadable as error:
        return kept.unreadable(call, settings, error)
    if delivery is None:
        return FAILED
    return _show(delivery, call, settings) if options.action == "show" else _replay(delivery, call, settings)


def _slip(call: Call) -> str:
    """What is wrong with the command line."""
    options, lang = call.options, call.lang
    if options.action == "list":
        if options.id:
            return texts.say("deliveries.no-id", lang, id=options.id)
        return texts.say("deliveries.limit", lang) if options.limit < 1 else ""
    if not options.id:
        return texts.say("deliveries.id", lang, action=options.action)
    wrong = "--follow" if options.follow else "--failed" if options.failed else ""
    return texts.say("deliveries.alone", lang, option=wrong) if wrong else ""


# Lines.


def _list(call: Call, settings: Settings) -> int:
    options = call.options
    records = kept.opened(call, settings)
    if records is None:
        return FAILED
    with records:
        found = rows(records, options.limit, failed_only=options.failed)
    today = time.strftime("%m-%d")
    dated = any(time.strftime("%m-%d", time.localtime(row.at)) != today for row in found)
    for row in found:
        _line(row, call, settings, dated=dated)
    if not options.follow:
        if not found and not options.json:
            call.terminal.note(texts.say("deliveries.none", call.lang))
        return FINE
    following = Following(settings.store, found, failed_only=options.failed)
    try:
        while True:
            for row in following.look():
                _line(row, call, settings, dated=dated)
            following.wait()
    except KeyboardInterrupt:
        return FINE


def _line(row: Row, call: Call, settings: Settings, *, dated: bool) -> None:
    if call.options.json:
        call.terminal.data(_record(row, settings))
        return
    clock = time.strftime("%m-%d %H:%M:%S" if dated else "%H:%M:%S", time.localtime(row.at))
    if row.delivery is not None:
        call.terminal.say(f"{clock}  {_delivery(row.delivery, call, settings)}")
    elif row.refusal is not None:
        refusal = row.refusal
        title = texts.explain(refusal.code, call.lang, refusal.values).title
        who = _flat(refusal.ip) + (f" ×{refusal.times}" if refusal.times > 1 else "")
        code = call.terminal.paint(refusal.code, "red")
        call.terminal.say(f"{clock}  ------  {pad(who, TEXT_WIDTH)}  {code}: {printable(title)}")


def _delivery(delivery: Delivery, call: Call, settings: Settings) -> str:
    """6f11d3  text      oGx…3k  讲个故事              → text 446 B     7.1 s  handlers/llm.py:31  attempt 2 of 3"""
    lang = call.lang
    took = f"{delivery.ms / 1000:.1f} s" if delivery.ms >= 1000 else f"{delivery.ms:.0f} ms"
    tail = [delivery.rule]
    if answered_on(delivery) > 1:
        tail.append(texts.say("deliveries.attempt", lang, n=answered_on(delivery)))
    if delivery.result == "mailbox":
        tail.append(texts.say("deliveries.mailbox", lang))
    if delivery.code:
        tail.append(call.terminal.paint(delivery.code, "red"))
    cells = [
        pad(delivery.name, 6), pad(_flat(delivery.kind), 9), pad(_flat(mask(delivery.user, settings.log_openid)), 6),
        pad(_short(delivery.text), TEXT_WIDTH), "→ " + pad(_answer(delivery, lang), REPLY_WIDTH),
        f"{took if delivery.result else '':>7}", *filter(None, tail),
    ]  # fmt: skip
    return "  ".join(cells).rstrip()


def _answer(delivery: Delivery, lang: str) -> str:
    if not delivery.result:
        return texts.say("deliveries.running", lang)
    if delivery.result == "error" or delivery.reply in ("", "success"):
        return delivery.result
    return f"{delivery.reply} {delivery.size} B"


def _flat(text: str) -> str:
    return printable(" ".join(text.split()))


def _short(text: str) -> str:
    """A text on one line, and not too much of it."""
    line = _flat(text[:MOST_TEXT])
    if width(line) <= TEXT_WIDTH:
        return line
    while width(line) >= TEXT_WIDTH:
        line = line[:-1]
    return line + "…"


def _record(row: Row, settings: Settings) -> dict[str, Any]:
    """A line for programs."""
    if row.refusal is not None:
        refusal = row.refusal
        return {"refused": refusal.code, "at": row.at, "ip": refusal.ip, "times": refusal.times, **refusal.values}
    assert row.delivery is not None
    return _described(row.delivery, mask(row.delivery.user, settings.log_openid))


def _described(delivery: Delivery, user: str) -> dict[str, Any]:
    names = ("name", "at", "kind", "text", "rule", "result", "reply", "size", "ms", "code")
    attempts = [dict(zip(("at", "seconds", "result"), line.split(" "))) for line in delivery.attempts]
    row = {name: getattr(delivery, name) for name in names}
    return {**row, "user": user, "failed": failed(delivery), "attempts": attempts}


# One of them.


def _find(call: Call, settings: Settings) -> Delivery | None:
    records = kept.opened(call, settings)
    if records is None:
        return None
    # As it is copied out of a log.
    name = call.options.id.removeprefix("d=")
    with records:
        delivery = records.delivery(name)
    if delivery is None:
        call.terminal.error(texts.say("deliveries.unknown", call.lang, id=name, keep=settings.keep))
    return delivery


def _show(delivery: Delivery, call: Call, settings: Settings) -> int:
    """All that is kept; of what is not, which option keeps it. The openid is whole: ``forget`` asks for it."""
    request, reply = (content.decode("utf-8", "replace") for content in (delivery.push, delivery.body))
    if call.options.json:
        row = {**_described(delivery, delivery.user), "request": request, "answer": reply}
        call.terminal.data(row, indent=2)
        return FINE
    say, lang = call.terminal.say, call.lang
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(delivery.at))
    say(f"{call.terminal.paint(delivery.name, 'bold')}  {printable(delivery.kind)}  {at}")
    result = f"{_answer(delivery, lang)}, {delivery.ms / 1000:.3f} s" if delivery.result else _answer(delivery, lang)
    facts = (
        ("user", delivery.user or texts.say("deliveries.forgotten", lang)), ("text", delivery.text),
        ("rule", delivery.rule), ("result", result),
    )  # fmt: skip
    for key, value in facts:
        if value:
            say(f"  {pad(texts.say(f'deliveries.{key}', lang), 7)} {printable(value)}")
    explain.show(delivery, call)
    for key, content in (("request", request), ("reply", reply)):
        what = printable(content).rstrip() or _unkept(call, settings)
        say(f"  {texts.say(f'deliveries.{key}', lang)}\n    " + what.replace("\n", "\n    "))
    return FINE


def _unkept(call: Call, settings: Settings) -> str:
    """Why there is nothing to show."""
    if settings.store_content == "full":
        return texts.say("deliveries.gone", call.lang)
    return texts.say("deliveries.unkept", call.lang, content=settings.store_content)


def _replay(delivery: Delivery, call: Call, settings: Settings) -> int:
    """Run the handlers again, as for a message of now; what they do themselves, they do again."""
    if not delivery.push:
        why = _unkept(call, settings)
        call.terminal.error(texts.say("deliveries.cannot-replay", call.lang, id=delivery.name, why=why))
        return FAILED
    rehearsal = Rehearsal(settings)
    try:
        if not call.options.json:
            call.terminal.note(texts.say("deliveries.replaying", call.lang, id=delivery.name))
        exchange = rehearsal.deliver(rehearsal.platform.renew(Push(delivery.push)), replayed=True)
    finally:
        rehearsal.close()
    if call.options.json:
        row = {"replayed": delivery.name, **seen.record(exchange.delivery, exchange.outcome, call.lang)}
        call.terminal.data(row)
    else:
        seen.show(exchange.delivery.attempts[-1], exchange.outcome, call.terminal)
        seen.warnings(exchange.heard, call.terminal)
    return FAILED if exchange.delivery.seen.outcome == "fault" else FINE
