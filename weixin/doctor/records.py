"""What the store remembers of WeChat's own requests: refused, late, answered and asked again. It is only read.

A refusal counts while nothing better has come since: what was mended is no problem any more. What a stranger may have
sent counts for nothing, unless there is nothing else.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..problem import Problem
from ..store import Unreadable, open_records
from ..store.base import Delivery, Refusal
from ..wire import probe

if TYPE_CHECKING:
    from .visit import Visit

# Of what is older nobody asks why any more; and a day has thousands of messages where it has many.
SINCE = 24 * 3600.0
MOST = 2_000
# 公众平台接口告警: more failures than this in five minutes, and the account is muted for a minute.
WINDOW = 300.0
FAILURES = 30
# WeChat waits five seconds; a rule of which one message in twenty takes three will be too late on a bad day.
SLOW_SECONDS = 3.0
ENOUGH = 20
RULES_SHOWN = 3
# Messages that came again after they were answered: so many, and one in so many, are no accident.
AGAIN, ONE_IN = 3, 100
# CreateTime is in whole seconds, so that half of one is nobody's fault. Below a second more the network is well.
ROUNDING = 0.5
LAG_SECONDS = 1.0
LAGS, MOST_LAG = 5, 3600.0

# What is refused with one of these was signed with the right token: it was the platform's.
GENUINE = ("WX-AES-02", "WX-AES-03", "WX-XML-01", "WX-XML-02", "WX-XML-03", "WX-XML-04")
REPLY_CODES = (*(f"WX-RPL-{n:02}" for n in (1, 2, 4, 5, 6, 7)), "WX-HND-05")


class Recorded(NamedTuple):
    """The last day, newest first."""

    deliveries: list[Delivery]
    refusals: list[Refusal]
    checks: list[Refusal]
    silences: int = 0
    fault: str = ""


def read(url: str, now: float) -> Recorded | None:
    """Read what the store *url* has recorded; None where it has nothing, or keeps it in another process's memory."""
    try:
        records = open_records(url)
        if records is None:
            return None
        with records:
            since = now - SINCE
            real = [delivery for delivery in records.deliveries(MOST, since) if not probe.played(delivery.user)]
            return Recorded(real, records.refusals(since), records.checks(since), records.silences(now - WINDOW))
    except Unreadable as error:
        return Recorded([], [], [], fault=str(error))


def readable(visit: Visit) -> Iterator[Problem]:
    """The store can be read."""
    if visit.settings is not None and visit.recorded is not None and visit.recorded.fault:
        path = visit.settings.store.partition(":")[2]
        yield Problem("WX-OPS-02", {"reason": "store-unreadable", "folder": path, "error": visit.recorded.fault})


def refused(visit: Visit) -> Iterator[Problem]:
    """Nothing of the platform's was refused since it was last answered."""
    recorded = visit.recorded
    if recorded is None:
        return
    answered = max((delivery.at for delivery in recorded.deliveries), default=0.0)
    checked = max((check.at for check in recorded.checks), default=0.0)
    found: dict[str, list[Refusal]] = {}
    for refusal in recorded.refusals:
        # The check of the address knows nothing of modes: that one passed does not help the pushes.
        better = answered if refusal.code in GENUINE else max(answered, checked)
        if refusal.at > better and is_genuine(refusal, alone=not better):
            found.setdefault(refusal.code, []).append(refusal)
    for code, alike in found.items():
        seen = {"last": alike[0].at, "ip": alike[0].ip, "times": sum(refusal.times for refusal in alike)}
        yield Problem(code, {**alike[0].values, **seen})


def is_genuine(refusal: Refusal, *, alone: bool) -> bool:
    """Whether the platform sent what was refused, and not anybody; *alone*: nothing of the platform's is known."""
    if refusal.code == "WX-SIG-02":
        return alone or refusal.values["reason"] != "mismatch"
    if refusal.code == "WX-SIG-04":
        return refusal.values.get("signed") == "yes"
    return refusal.code in GENUINE


def failures(visit: Visit) -> Iterator[Problem]:
    """Few deliveries of the last minutes failed: of many WeChat sends an alarm, and then nothing for a minute."""
    recorded, settings = visit.recorded, visit.settings
    if recorded is None or settings is None:
        return
    since = visit.clock() - WINDOW
    turned_away = (r.times for r in recorded.refusals if r.at > since and is_genuine(r, alone=False))
    count = recorded.silences + sum(turned_away)
    # At our own limit slow answers say busy at once: that is when it has become serious.
    limit = min(settings.silent_max or FAILURES, FAILURES)
    if count >= limit:
        yield Problem("WX-OPS-03", {"n": count, "minutes": round(WINDOW / 60), "limit": FAILURES})


def slow(visit: Visit) -> Iterator[Problem]:
    """Every rule answers well within WeChat's five seconds."""
    recorded, settings = visit.recorded, visit.settings
    if recorded is None or settings is None:
        return
    took: dict[str, list[float]] = {}
    for delivery in recorded.deliveries:
        took.setdefault(delivery.rule or "-", []).append(delivery.ms / 1000)
    if recorded.deliveries:
        slowest = max(delivery.ms for delivery in recorded.deliveries)
        visit.note("wechat", n=len(recorded.deliveries), ms=round(slowest))
    elif recorded.checks:
        visit.note("wechat", n=0, ms=0)
    ranked = sorted(took.items(), key=lambda row: -max(row[1]))
    for place, times in ranked[:RULES_SHOWN]:
        late = [seconds for seconds in times if seconds > settings.deadline]
        p95 = statistics.quantiles(times, n=20)[-1] if len(times) >= ENOUGH else 0.0
        values = {"where": place, "n": len(times), "deadline": settings.deadline}
        if late:
            values.update(reason="handler-late", late=len(late), seconds=f"{max(late):.1f}")
            yield Problem("WX-TIM-01", values)
        elif p95 > SLOW_SECONDS:
            yield Problem("WX-TIM-01", {**values, "reason": "handler-slow", "seconds": f"{p95:.1f}"})


def lag(visit: Visit) -> Iterator[Problem]:
    """Messages arrive soon after they were written."""
    deliveries = visit.recorded.deliveries if visit.recorded is not None else []
    lags = [delivery.at - delivery.created - ROUNDING for delivery in deliveries]
    # A simulator's, replayed, says nothing of the network.
    lags = [lag for lag in lags if abs(lag) < MOST_LAG]
    if len(lags) >= LAGS and abs(statistics.median(lags)) > LAG_SECONDS:
        yield Problem("WX-TIM-02", {"seconds": f"{statistics.median(lags):.1f}", "n": len(lags)})


def again(visit: Visit) -> Iterator[Problem]:
    """What was answered does not come again: WeChat asks again for what it got no answer to."""
    deliveries = visit.recorded.deliveries if visit.recorded is not None else []
    count = sum(any(line.endswith(" duplicate") for line in delivery.attempts) for delivery in deliveries)
    if count >= max(AGAIN, len(deliveries) / ONE_IN):
        yield Problem("WX-DUP-01", {"n": count, "total": len(deliveries)})


def replies(visit: Visit) -> Iterator[Problem]:
    """No reply was spoilt on its way, and no handler raised. The code is kept, its details are in the log."""
    found: dict[tuple[str, str], list[Delivery]] = {}
    for delivery in visit.recorded.deliveries if visit.recorded is not None else ():
        if delivery.code in REPLY_CODES:
            found.setdefault((delivery.code, delivery.rule), []).append(delivery)
    for (code, rule), alike in found.items():
        file, _, line = rule.rpartition(":")
        values = {"n": "…", "limit": "…", "id": "…", "field": "…", "at": rule, "error": f"d={alike[0].name}"}
        seen = {"last": alike[0].at, "ip": "", "times": len(alike)}
        yield Problem(code, {**values, **seen}, file, int(line) if line.isdecimal() else 0)
