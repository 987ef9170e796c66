"""``send``: play the platform for one message or event, and print what the user would see.

In process it builds the same Application that is served, from the configuration or, where there is none, from the
handlers that come along. It opens no store and no socket: it is safe beside a running server.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from .. import app, config, texts, transcript
from ..config import MODES
from ..simulator import (
    FAULTS,
    Answer,
    BadWord,
    Delivery,
    Http,
    InProcess,
    Platform,
    Push,
    Transport,
    UnknownKind,
    canonical,
)
from ..simulator.samples import USER
from . import FAILED, FINE, USAGE, seen
from .rehearsal import Exchange, Overheard, Rehearsal, account, in_mode, outcomes
from .run import settings_or_demo
from .terminal import columns

if TYPE_CHECKING:
    from . import Call

# A raw push: as much as any server of ours would read.
MAX_RAW = 1 << 20


class Usage(ValueError):
    """The command line asks for what there is not; the key of the sentence, and its values."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    def say(key: str) -> str:
        return texts.say(f"send.{key}", lang)

    parser.add_argument("type", metavar="TYPE", help=say("type"))
    parser.add_argument("words", nargs="*", metavar="WORD", help=say("words"))
    parser.add_argument("--user", default=USER, metavar="OPENID", help=say("user"))
    parser.add_argument("--to", metavar="URL", help=say("to"))
    parser.add_argument("--mode", choices=MODES, help=say("mode"))
    parser.add_argument("--fault", choices=FAULTS, metavar="FAULT", help=say("fault"))
    parser.add_argument("--slow", type=float, metavar="N", help=say("slow-run"))
    parser.add_argument("--scene", default="", metavar="SCENE", help=say("scene"))
    parser.add_argument("--key", metavar="KEY", help=say("key"))
    parser.add_argument("--expect", metavar="PATTERN", help=say("expect"))
    parser.add_argument("--within", metavar="TIME", help=say("within"))
    parser.epilog = f"{texts.say('send.epilog', lang, faults=columns(FAULTS))}\n\n{parser.epilog}"


def run(call: Call) -> int:
    try:
        return _send(call)
    except Usage as wrong:
        call.terminal.error(texts.say(wrong.key, call.lang, **wrong.values))
    except UnknownKind as unknown:
        hint = texts.say("send.hint", call.lang, name=unknown.suggestion) if unknown.suggestion else ""
        call.terminal.error(texts.say("send.unknown", call.lang, name=unknown.name, hint=hint))
    except BadWord as bad:
        key = "send.bad-word" if bad.element else "send.no-place"
        call.terminal.error(texts.say(key, call.lang, word=bad.word, element=bad.element))
    return USAGE


def _send(call: Call) -> int:
    options = call.options
    limit = _seconds(options.within)
    raw = _raw(options) if options.type == "raw" else None
    settings = _settings(call)
    _possible(options, settings)
    weixin = Platform(account(settings))
    push = raw or _push(weixin, options)
    exchange = _once(weixin, push, settings, options) if options.slow is None else _slowly(push, settings, call)
    delivery = exchange.delivery
    complaints = _complaints(delivery, options, limit, call.lang)
    if options.json:
        line = exchange.outcome if options.slow is not None else next(iter(outcomes(exchange.heard)), None)
        record = seen.record(delivery, line, call.lang)
        call.terminal.data({**record, "complaints": complaints})
    else:
        _show(call, exchange, complaints)
    raised = options.expect is None and any(line.event == "handler" for line in exchange.heard)
    return FAILED if complaints or raised or _failed(delivery, options) else FINE


def _once(weixin: Platform, push: Push, settings: config.Settings, options: argparse.Namespace) -> Exchange:
    """Deliver it once, here or to another server."""
    heard = Overheard()
    application = None if options.to else app.build(settings, heard, live=False)
    try:
        to = InProcess(application) if application else _http(options.to)
        delivery = weixin.deliver(push, to, fault=options.fault or "")
    finally:
        if application:
            application.close()
    return Exchange(delivery, heard.lines, 0)


def _slowly(push: Push, settings: config.Settings, call: Call) -> Exchange:
    """Deliver it up to three times to handlers that are slow, and tell of each delivery as it ends."""
    rehearsal = Rehearsal(settings)
    try:
        watcher = None if call.options.json else _Teller(call)
        return rehearsal.deliver(push, slow=call.options.slow, fault=call.options.fault or "", watcher=watcher)
    finally:
        rehearsal.close()


class _Teller:
    """Tells of deliveries as they end."""

    def __init__(self, call: Call) -> None:
        self._terminal = call.terminal

    def attempt(self, number: int, answer: Answer, runs: int) -> None:
        seen.attempted(number, answer, runs, self._terminal)


def _settings(call: Call) -> config.Settings:
    """The configuration, or the demo's; for another server it has to be there, since only it knows the token.

    Another mode in process is tried on both sides, with a key and an AppID made up where there are none.
    """
    if call.options.to:
        settings = call.settings()
    else:
        settings, _ = settings_or_demo(call)
    mode = call.options.mode
    if mode is None or mode == settings.mode:
        return settings
    if call.options.to:
        if mode != "plain" and not (settings.aes_key and settings.appid):
            raise Usage("send.no-key", mode=mode)
        return settings.replace(mode=mode)
    return in_mode(settings, mode)


def _possible(options: argparse.Namespace, settings: config.Settings) -> None:
    """Some faults can happen only to sealed pushes, or only to a connection."""
    fault = FAULTS.get(options.fault)
    if fault and fault.sealed and settings.mode == "plain":
        raise Usage("send.sealed-only", fault=options.fault)
    if fault and fault.wire and not options.to:
        raise Usage("send.wire-only", fault=options.fault)
    if options.slow is not None and options.to:
        raise Usage("send.slow-here")
    if options.slow is not None and not 0 <= options.slow <= transcript.MAX_SLOW:
        raise Usage("send.slow-value", most=round(transcript.MAX_SLOW))


def _push(weixin: Platform, options: argparse.Namespace) -> Push:
    words = list(options.words)
    if options.key is not None:
        words.insert(0, options.key)
    if canonical(options.type) == "text" and words:
        words = [" ".join(words)]  # a shell takes a text apart that is not in quotes
    return weixin.push(options.type, *words, user=options.user, scene=options.scene)


def _raw(options: argparse.Namespace) -> Push:
    if len(options.words) != 1:
        raise Usage("send.raw")
    (name,) = options.words
    if name == "-":
        return Push(sys.stdin.buffer.read(MAX_RAW))
    try:
        with open(name, "rb") as stream:
            return Push(stream.read(MAX_RAW))
    except OSError as error:
        raise Usage("send.unreadable", file=name, error=error.strerror) from None


def _http(address: str) -> Transport:
    try:
        return Http(address)
    except ValueError:
        raise Usage("send.address", address=address) from None


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    seconds = transcript.seconds(text)
    if seconds is None:
        raise Usage("send.duration", text=text)
    return seconds


def _refused(delivery: Delivery) -> bool:
    return 400 <= delivery.answer.status < 500


def _failed(delivery: Delivery, options: argparse.Namespace) -> bool:
    """Whether the user is left with a fault that nobody asked for."""
    asked = bool(options.fault) and FAULTS[options.fault].refused
    return delivery.seen.outcome == "fault" and not (asked and _refused(delivery))


def _complaints(delivery: Delivery, options: argparse.Namespace, limit: float | None, lang: str) -> list[str]:
    """What was asked for and did not come, one sentence each."""
    found = []
    line, first = delivery.seen.line, delivery.attempts[0].seen.line
    if options.fault and FAULTS[options.fault].refused and delivery.answer.status == 200:
        found.append(texts.say("send.not-refused", lang, fault=options.fault))
    if line != first and options.slow is None:
        found.append(texts.say("send.differs", lang, first=first, second=line))
    if options.expect is not None and not fnmatch.fnmatchcase(line, options.expect):
        found.append(texts.say("send.missed", lang, expected=options.expect, got=line))
    if limit is not None and delivery.seconds > limit:
        found.append(texts.say("send.slow", lang, n=round(delivery.seconds * 1000), limit=round(limit * 1000)))
    return found


def _show(call: Call, exchange: Exchange, complaints: list[str]) -> None:
    delivery = exchange.delivery
    expected = bool(call.options.fault) and FAULTS[call.options.fault].refused and _refused(delivery)
    if call.options.verbose:
        call.terminal.say(delivery.push.xml.decode(errors="replace"))
    told = list(zip_longest(delivery.attempts, outcomes(exchange.heard)[: len(delivery.attempts)]))
    if call.options.slow is not None:  # of the others was told as they ended
        told = [(delivery.attempts[-1], exchange.outcome)]
    for attempt, line in told:
        seen.show(attempt, line, call.terminal, expected=expected)
        if call.options.verbose and attempt.seen.xml:
            call.terminal.say(attempt.seen.xml.decode(errors="replace"))
    seen.warnings(exchange.heard, call.terminal)
    for complaint in complaints:
        call.terminal.error(complaint)
