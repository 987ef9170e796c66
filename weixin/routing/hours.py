"""When a rule is open: ``9:00-18:00``, ``周一-周五 09:00-18:00``, ``Mon-Fri 9:00-18:00, Sat 10:00-12:00``.

Times are the machine's local ones. A span runs from its first minute up to, and without, its last, over midnight if
the end comes before the start; it belongs to the day it begins on. Days hold for the spans that follow them, and
without any a span holds every day. Days alone are open all day.
"""

from __future__ import annotations

import re
import time
import unicodedata

from .errors import Misuse

_DAY = 24 * 60
_WEEK = 7 * _DAY

_DAYS: dict[str, tuple[int, ...]] = {
    **{prefix + day: (n,) for prefix in ("周", "星期", "礼拜") for n, day in enumerate("一二三四五六日")},
    **{prefix + "天": (6,) for prefix in ("周", "星期", "礼拜")},
    **{name[:3]: (n,) for n, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
    "工作日": (0, 1, 2, 3, 4), "weekdays": (0, 1, 2, 3, 4),
    "周末": (5, 6), "weekend": (5, 6), "weekends": (5, 6),
    "每天": (0, 1, 2, 3, 4, 5, 6), "daily": (0, 1, 2, 3, 4, 5, 6),
}  # fmt: skip
_DASH = r"\s*(?:[-~–—―−〜]+|到|至|to)\s*"
_TIME = r"(\d{1,2})(?::(\d{2}))?\s*[点时]?"
_TOKEN = (
    rf"(?P<span>{_TIME}{_DASH}{_TIME})"
    rf"|(?P<first>(?:周|星期|礼拜)[一二三四五六日天]|工作日|周末|每天|[a-z]+)"
    rf"(?:{_DASH}(?P<last>(?:周|星期|礼拜)?[一二三四五六日天]|[a-z]+))?"
    rf"|[\s,;、。/和及]+"
)


class Hours:
    """Some minutes of the week."""

    __slots__ = ("_spans", "spec")

    def __init__(self, spec: str, spans: tuple[tuple[int, int], ...]) -> None:
        #: As it was written.
        self.spec = spec
        # Half-open, in minutes since Monday 0:00, sorted, none over the end of the week.
        self._spans = spans

    def open_at(self, now: float) -> bool:
        """Whether *now*, in seconds since 1970, lies inside."""
        local = time.localtime(now)
        minute = local.tm_wday * _DAY + local.tm_hour * 60 + local.tm_min
        return any(start <= minute < end for start, end in self._spans)

    def outside(self) -> Hours:
        """The other minutes of the week."""
        edges = [0, *(edge for span in self._spans for edge in span), _WEEK]
        spans = tuple((start, end) for start, end in zip(edges[::2], edges[1::2]) if start < end)
        return Hours(f"! {self.spec}", spans)

    def __repr__(self) -> str:
        return f"Hours({self.spec!r})"


def parse(spec: str) -> Hours:
    """Read *spec*; raise Misuse (``hours``) where it says nothing, or nothing that can be understood."""
    text = unicodedata.normalize("NFKC", spec).casefold().strip()
    every = tuple(range(7))
    days: tuple[int, ...] = ()
    spans: list[tuple[int, int]] = []
    after_span = False
    position = 0
    token_at = re.compile(_TOKEN).match  # here, since not every account keeps hours: it takes three milliseconds
    while position < len(text):
        token = token_at(text, position)
        if token is None:
            raise _misuse(spec)
        position = token.end()
        if token["span"]:
            start, end = _minutes(spec, token[2], token[3]), _minutes(spec, token[4], token[5])
            if start in (end, _DAY):
                raise _misuse(spec)
            length = end - start if end > start else end - start + _DAY
            spans += [(day * _DAY + start, day * _DAY + start + length) for day in days or every]
            after_span = True
        elif token["first"]:
            days = _days(spec, token["first"], token["last"]) + (() if after_span else days)
            after_span = False
    if not after_span:
        if not days:
            raise _misuse(spec)
        spans += [(day * _DAY, (day + 1) * _DAY) for day in days]
    return Hours(spec, _tidy(spans))


def _tidy(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sort, cut at the end of the week, and join what overlaps."""
    cut = [(start, min(end, _WEEK)) for start, end in spans]
    cut += [(0, end - _WEEK) for start, end in spans if end > _WEEK]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(cut):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _minutes(spec: str, hour: str, minute: str | None) -> int:
    value = int(hour) * 60 + int(minute or 0)
    if value > _DAY or int(minute or 0) > 59:
        raise _misuse(spec)
    return value


def _days(spec: str, first: str, last: str | None) -> tuple[int, ...]:
    start = _day(spec, first)
    if last is None:
        return start
    end = _day(spec, last if len(last) > 1 else "周" + last)
    if len(start) > 1 or len(end) > 1:
        raise _misuse(spec)
    return tuple(day % 7 for day in range(start[0], end[0] + (7 if end[0] < start[0] else 0) + 1))


def _day(spec: str, word: str) -> tuple[int, ...]:
    found = _DAYS.get(word)
    if found is None and word.endswith("day"):
        found = _DAYS.get(word[:3])
    if found is None:
        raise _misuse(spec)
    return found


def _misuse(spec: str) -> Misuse:
    return Misuse("hours", f"cannot read the hours {spec!r}; write for example Mon-Fri 9:00-18:00", hours=spec)
