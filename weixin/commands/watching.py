"""``doctor --watch``: waits for WeChat's own requests and explains each as it comes, until Ctrl-C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable

from .. import texts
from ..config import Settings
from ..doctor.watch import Event, Watch
from ..log import mask
from ..store.base import Refusal
from . import FAILED, FINE
from .seen import printable
from .terminal import pad

if TYPE_CHECKING:
    from . import Call

# How often the store is looked into; and after how long of nothing there must be something in the way.
LOOK_SECONDS = 0.2
NOTHING_SECONDS = 60.0
# Where the verdict stands on a line.
COLUMN = 56
INDENT = " " * 9


def watch(
    call: Call,
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Print what comes; the exit status is FINE if the last request that came was answered as WeChat wants it."""
    if settings.store == "memory:":
        call.terminal.error(texts.say("watch.memory", call.lang))
        return FAILED
    began = clock()
    following = Watch(settings.store, began)
    if not call.options.json:
        call.terminal.say(texts.say("watch.waiting", call.lang))
    good: bool | None = None
    told = False
    try:
        while True:
            for event in following.look():
                good = event.good
                _show(event, began, settings, call)
            if good is None and not told and clock() - began >= NOTHING_SECONDS:
                told = True
                if not call.options.json:
                    call.terminal.say(texts.say("watch.nothing", call.lang, path=settings.path))
            pause(LOOK_SECONDS)
    except KeyboardInterrupt:
        return FINE if good else FAILED


def _show(event: Event, began: float, settings: Settings, call: Call) -> None:
    code, values = _finding(event)
    title, _, fix = texts.explain(code, call.lang, values) if code else ("", "", "")
    if call.options.json:
        row = {"seconds": round(event.at - began, 1), "good": event.good, "code": code, "title": title, "fix": fix}
        row.update({"request": event.request._asdict()} if event.request else {})
        row.update({"delivery": event.delivery.name} if event.delivery else {})
        call.terminal.data(row)
        return
    color = "green" if event.good else "red"
    verdict = call.terminal.paint(_verdict(event, call.lang), color)
    call.terminal.say(f"{event.at - began:6.1f} s {pad(_who(event, settings), COLUMN)} {verdict}")
    if code:
        call.terminal.say(f"{INDENT}{call.terminal.paint(code, 'red')}  {printable(title)}")
        call.terminal.say(INDENT + texts.say("fix", call.lang, fix=printable(fix)))


def _finding(event: Event) -> tuple[str, dict[str, str]]:
    if event.request is not None:
        return event.request.code, event.request.values
    assert event.delivery is not None
    # The store keeps the code alone; what it is about is in the log, under the delivery's name.
    facts = dict.fromkeys(("n", "limit", "id", "field"), "…")
    return event.delivery.code, {**facts, "error": f"d={event.delivery.name}"}


def _who(event: Event, settings: Settings) -> str:
    """GET /weixin from 81.69.103.205 "Mozilla/4.0"."""
    if event.request is not None:
        return _from(event.request, settings.path)
    delivery = event.delivery
    assert delivery is not None
    return f"POST {settings.path}  d={delivery.name} {delivery.kind} {mask(delivery.user, settings.log_openid)}"


def _from(request: Refusal, path: str) -> str:
    values = request.values
    agent = f' "{values["agent"]}"' if values.get("agent") else ""
    times = f" ×{request.times}" if request.times > 1 else ""
    return printable(f"{values.get('method', '')} {path}  {request.ip}{agent}{times}")


def _verdict(event: Event, lang: str) -> str:
    if event.request is None:
        delivery = event.delivery
        assert delivery is not None
        reply = delivery.reply or delivery.result
        return texts.say("watch.answered" if event.good else "watch.error", lang, reply=reply, ms=round(delivery.ms))
    code = event.request.code
    if not code:
        return texts.say("watch.passed", lang)
    known = code if code in ("WX-SIG-01", "WX-SIG-02", "WX-SIG-04", "WX-AES-02", "WX-AES-03") else "other"
    return texts.say(f"watch.{known}", lang)
