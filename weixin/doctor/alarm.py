"""Finds the message that an alarm of WeChat's, or a line of our log, is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..log import mask
from ..store import Unreadable, open_records
from ..store.base import Delivery

# 公众平台接口告警: [OpenID=…][Stamp=…]; our own lines: user=… stamp=… d=…
_OPENID = re.compile(r"\b(?:OpenID|user)\s*[=:]\s*([\w…-]{3,64})", re.I)
_STAMP = re.compile(r"\bStamp\s*[=:]\s*([0-9]{9,11})\b", re.I)
_NAME = re.compile(r"(?<![\w=])d=([0-9a-f]{4,32})\b")

# The stamp is the message's or the failure's: between them lie three deliveries of five seconds, and two clocks.
NEAR = 30.0
# As many as are ever kept.
MOST = 100_000


class Alarm(NamedTuple):
    """Whom it is about, and when; or the name of the message."""

    openid: str
    stamp: float
    name: str = ""


def parse(text: str) -> Alarm | None:
    """Return what *text* says of a message, or None if that is not enough to find it."""
    name, openid, stamp = _NAME.search(text), _OPENID.search(text), _STAMP.search(text)
    if not name and not (openid and stamp):
        return None
    return Alarm(openid[1] if openid else "", float(stamp[1]) if stamp else 0.0, name[1] if name else "")


def find(alarm: Alarm, url: str) -> Delivery | None:
    """Return the delivery in the store *url*, or None: it never came, or is forgotten. May raise Unreadable."""
    records = open_records(url)
    if records is None:
        raise Unreadable("there is no file")
    with records:
        found = records.delivery(alarm.name) if alarm.name else None
        if found is None and alarm.openid:
            found = nearest(alarm, records.deliveries(MOST, alarm.stamp - NEAR))
        return found


def nearest(alarm: Alarm, deliveries: Iterable[Delivery]) -> Delivery | None:
    """Of the messages of the alarm's user the one that came closest to its time."""
    near = [
        delivery
        for delivery in deliveries
        if alarm.openid in (delivery.user, mask(delivery.user), mask(delivery.user, "hash"))
        and abs(delivery.at - alarm.stamp) <= NEAR
    ]
    return min(near, key=lambda d: min(abs(d.at - alarm.stamp), abs(d.created - alarm.stamp)), default=None)
