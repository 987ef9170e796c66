"""What is done about a delivery when its answer has left: its line in the log, its counts.

Both are made many at a time, since in a loop each takes half of what it takes alone, between system calls: by a thread
that answers, as long as there is much to do, else by the log's. (To leave all of it to the latter cost several times as
much: the two then fight for the interpreter.)
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable

from . import log
from .delivery import Given
from .wire.errors import Refused
from .wire.messages import Message

if TYPE_CHECKING:
    from .metrics import Meter

# So much is worth doing at once.
MUCH = 64
# Another thread is at most this long at it: a file of lines that does not take them may keep it longer, and us not.
CLOSE_SECONDS = 1.0
# In the place of a rule that is a handler.
_CODE = ".py:"
# Kinds and rules whose words in a line are remembered: a table's rules are as many as it has lines.
REMEMBERED = 512


class Aftermath:
    """What is owed to the log and to the counters."""

    def __init__(self, journal: log.Journal, meter: Meter | None, clock: Callable[[], float] = time.time) -> None:
        """Without a *meter* nothing is counted."""
        self._journal = journal
        self._meter = meter
        self._clock = clock
        self.forked()
        log.after_fork(self)
        journal.collect = self.settle

    def forked(self) -> None:
        """What is owed is the parent's to tell."""
        self._owed: deque[Told] = deque()
        self._settling = threading.Lock()

    def add(self, message: Message, given: Given, simulated: bool) -> bool:
        """One delivery is over; whether there was much to do, and it is done now."""
        self._owed.append(Told(message, given, self._clock(), simulated))
        if len(self._owed) < MUCH and self._journal.threaded:
            self._journal.begin()
            return False
        self.settle()
        return True

    def settle(self) -> None:
        """Do what is owed, unless another thread is at it."""
        if self._owed and self._settling.acquire(blocking=False):
            self._settle()

    def close(self) -> None:
        """Do what is owed, and wait for who is at it: what comes later is neither counted nor written."""
        if self._settling.acquire(timeout=CLOSE_SECONDS):
            self._settle()

    def _settle(self) -> None:
        over: list[Told] = []
        try:
            while self._owed:
                told = self._owed.popleft()
                self._journal.tell("delivery", told, told.at)
                over.append(told)
        finally:
            if self._meter is not None:
                count(self._meter, over)
            self._settling.release()


class Told:
    """A delivery that is over, as the log tells it."""

    __slots__ = ("at", "given", "message", "simulated")

    def __init__(self, message: Message, given: Given, at: float, simulated: bool = False) -> None:
        self.message = message
        self.given = given
        self.at = at
        self.simulated = simulated

    def fields(self) -> dict[str, Any]:
        """What its line says, in this order."""
        message, given = self.message, self.given
        return {
            "d": given.name,
            "type": message.kind,
            "user": message.user,
            "stamp": message.time,
            "text": message.text,
            "reply": given.reply,
            "result": _unusual(given.result),
            "bytes": len(given.body),
            "by": given.rule,
            "ms": round(given.seconds * 1000, 1),
            "attempt": f"{given.attempt}/3" if given.attempt > 1 else "",
        }

    def text(self, at: float, style: log.Style) -> str:
        """What `log.render` makes of `fields`, in a third of the time: most of its words are those of other lines."""
        message, given = self.message, self.given
        kind, reply, by = _usual(message.kind, given.reply, given.result, given.rule)
        text = log.excerpt(message.text, style.content)
        attempt = f" attempt={given.attempt}/3" if given.attempt > 1 else ""
        return (
            f"{log.head(at, logging.INFO, 'delivery', style)} d={given.name}{kind}"
            f"{log.pair('user', log.mask(message.user, style.openid))} stamp={message.time}{log.pair('text', text)}"
            f"{reply} bytes={len(given.body)}{by} ms={given.seconds * 1000:.1f}{attempt}"
        )


@functools.lru_cache(maxsize=REMEMBERED)
def _usual(kind: str, reply: str, result: str, rule: str) -> tuple[str, str, str]:
    reply_and_result = log.pair("reply", reply) + log.pair("result", _unusual(result))
    return log.pair("type", kind), reply_and_result, log.pair("by", rule)


def _unusual(result: str) -> str:
    """A *result* that a line has to name."""
    return "" if result in ("replied", "success") else result


def count(meter: Meter, over: Iterable[Told]) -> None:
    """Count deliveries: those that are alike together, since most of them are."""
    alike: dict[tuple[object, ...], list[Told]] = {}
    for told in over:
        message, given = told.message, told.given
        if not told.simulated:
            ours = given.answer is not None
            like = (message.kind, message.type, given.result, given.attempt, given.rule, given.reply, given.code, ours)
            alike.setdefault(like, []).append(told)
    for some in alike.values():
        _count_alike(meter, some)


def _count_alike(meter: Meter, over: list[Told]) -> None:
    """Count deliveries that differ in times and sizes only."""
    times, message, given = len(over), over[0].message, over[0].given
    # What nobody has heard of may be anybody's word: it takes no label from those that are.
    kind = message.kind if message.known else "other"
    meter.add("wxserve_deliveries_total", kind, given.result, value=times)
    meter.observe("wxserve_delivery_duration_seconds", kind, values=[told.given.seconds for told in over])
    meter.observe("wxserve_push_delay_seconds", values=[max(0.0, told.at - told.message.time) for told in over])
    meter.add("wxserve_attempts_total", str(given.attempt), value=times)
    meter.add("wxserve_last_wechat_request_timestamp_seconds", value=max(told.at for told in over))
    if given.result == "duplicate":
        return
    rule, reply = given.rule, given.reply
    if rule:
        meter.add("wxserve_rule_hits_total", rule, value=times)
        if _CODE in rule:
            meter.observe("wxserve_handler_duration_seconds", rule, values=[told.given.ran for told in over])
    elif given.answer is not None and given.result == "success" and message.type != "event":
        meter.add("wxserve_unmatched_messages_total", value=times)
    if reply:
        meter.observe("wxserve_reply_size_bytes", reply, values=[len(told.given.body) for told in over])
    if given.code:
        meter.add("wxserve_handler_errors_total", rule, value=times)
    if kind in ("subscribe", "unsubscribe") and given.attempt == 1:
        meter.add(f"wxserve_users_{kind}d_total", value=times)


def count_refusal(meter: Meter, refused: Refused) -> None:
    """Count one request that was turned away."""
    meter.add("wxserve_refused_requests_total", refused.code)
    if refused.code == "WX-SIG-02" and refused.reason != "mismatch":
        meter.add("wxserve_signature_near_misses_total", refused.reason)
