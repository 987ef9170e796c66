"""Plays the platform for the page: makes a push, carries it three times if need be, and records every step.

It goes the whole way: real signatures and envelopes by the simulator, HTTP over a private unix socket, the server,
the application. What it knows of the answer is what WeChat would know.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..config import Settings
from ..simulator import Account, Push, Request, Seen, Transport
from ..simulator import pushes as making
from ..simulator.judge import judge
from ..simulator.platform import ATTEMPTS, CUT
from ..simulator.pushes import BadWord, renewed
from ..simulator.requests import request as make_request
from ..simulator.samples import ACCOUNT
from ..wire import aes
from ..wire.envelope import decode_key
from ..wire.messages import Message
from . import pace, shape, verdict
from .door import header
from .ledger import Attempt, Ledger, Record
from .orders import BadOrder, Order

# Fifteen seconds each at worst, one thread each.
RUNNING_MAX = 16
# Well over any body_max.
OVERSIZE = 2 << 20


class Busy(RuntimeError):
    """As many pushes are under way as may be."""


class Lab:
    """Sends pushes and records what becomes of them. Threads may share it."""

    def __init__(
        self,
        modes: Mapping[str, Settings],
        way: Transport,
        key: str,
        ledger: Ledger,
        rule_of: Callable[[Message], tuple[str, str]],
        state_of: Callable[[str, str], dict[str, str] | None] = lambda account, user: None,
        *,
        cut: float = CUT,
    ) -> None:
        """*modes*: the settings in each mode; *way*: to the private socket; *key*: opens the door behind it.

        *rule_of* says which rule a message should meet, for as long as nobody has recorded which one it was;
        *state_of*, what an account remembers of a user.
        *cut* is after how many seconds the platform hangs up.
        """
        self._modes = modes
        self.accounts = {mode: _account(settings) for mode, settings in modes.items()}
        self._way = way
        self._key = key
        self._ledger = ledger
        self._rule_of = rule_of
        self._state_of = state_of
        self._cut = cut
        self._aes = aes.find()
        self._source = random.SystemRandom()
        self._room = threading.BoundedSemaphore(RUNNING_MAX)

    def send(self, order: Order) -> Record:
        """Begin to carry out *order*; return its record, which fills while it is under way. Raise BadOrder, Busy."""
        return self._begin(order, self._push(order))

    def replay(self, record: Record, *, same: bool, xml: bytes, mode: str) -> Record:
        """Send a push again, with signatures of now: as the same message or, with a new MsgId, as another."""
        order = Order(**{**record.order, "slow": 0.0, "fault": "", "first": 1}) if record.order else Order(
            kind="raw", user=record.user or "oUNKNOWN", xml=xml.decode(errors="replace"), mode=mode
        )
        push = Push(xml if same else renewed(xml, time=int(time.time()), id=self._number()))
        return self._begin(order, push, replay_of=record.id, same=same)

    def _begin(self, order: Order, push: Push, replay_of: str = "", same: bool = False) -> Record:
        if not self._room.acquire(blocking=False):
            raise Busy
        message = push.message
        kind = message.kind if message else order.kind
        record = Record(self._ledger.new_id(), time.time(), message.user if message else order.user, kind)
        with self._ledger.change(record):
            record.event = message is not None and message.type == "event"
            record.said = shape.said(message)
            record.text = shape.words(record.said)
            record.mode, record.order, record.xml = order.mode, order.json(), push.xml
            record.replay_of, record.same = replay_of, same
        threading.Thread(target=self._carry, args=(record, order, push), name="console push", daemon=True).start()
        return record

    def _carry(self, record: Record, order: Order, push: Push) -> None:
        """The platform's part: deliver, and deliver again for as long as no answer comes."""
        try:
            began, again = time.monotonic(), None
            before = self._state(push)
            for n in range(order.first, ATTEMPTS + 1):
                attempt = self._deliver(record, order, push, n, began)
                if attempt.answer is not None and not attempt.answer.failure:
                    if order.fault == "replayed-request":
                        again = attempt.request
                    break
            if order.fault in ("duplicate", "replayed-request"):
                self._deliver(record, order._replace(fault="", latency=0.0), push, n + 1, began, again)
            after = self._state(push)
            with self._ledger.change(record):
                record.state = None if before is None or after is None else (before, after)
                self._conclude(record, order, push)
        finally:
            record.finished.set()
            self._room.release()

    def _deliver(
        self, record: Record, order: Order, push: Push, n: int, began: float, request: Request | None = None
    ) -> Attempt:
        attempt = Attempt(n, time.monotonic() - began)
        with self._ledger.change(record):
            record.attempts.append(attempt)
        request = request or self._request(record, order, push)
        time.sleep(min(order.latency, self._cut))
        account = self.accounts[order.mode]
        answer = self._way.send(request, max(0.05, self._cut - order.latency))
        seen = judge(account, self._aes, push, request, answer)
        with self._ledger.change(record):
            attempt.request, attempt.answer, attempt.seen = request, answer, seen
            attempt.ended = time.monotonic() - began
            attempt.state = _state(seen)
        return attempt

    def _request(self, record: Record, order: Order, push: Push) -> Request:
        account = self.accounts[order.mode]
        fault = order.fault if order.fault not in ("gbk", "oversize", "replayed-request", "duplicate") else ""
        carried = push
        if order.fault == "gbk":
            inside = push.xml.decode(errors="replace").encode("gbk", "replace")
            carried = Push(b'<?xml version="1.0" encoding="GBK"?>' + inside)
        if order.fault == "oversize":
            carried = Push(push.xml + b" " * OVERSIZE)
        made = make_request(account, self._aes, carried, int(time.time()), self._source, fault)
        opener = header(self._key, order.mode, order.slow, bool(record.replay_of), pace.name(push.message))
        return made._replace(headers=(*made.headers, opener))

    def _push(self, order: Order) -> Push:
        if order.xml:
            return Push(order.xml.encode("utf-8", "replace"))
        # The second delivery comes five seconds after the first, of the same message.
        now = int(time.time() - self._cut * (order.first - 1))
        try:
            number, user = self._number(), order.user
            return making.make(order.kind, *order.words, time=now, id=number, user=user, scene=order.scene)
        except BadWord as bad:
            raise BadOrder("words", bad.element) from None

    def _state(self, push: Push) -> dict[str, str] | None:
        message = push.message
        return self._state_of(message.account, message.user) if message is not None else None

    def _number(self) -> str:
        return str(secrets.randbelow(9 * 10**16) + 10**16)

    def _conclude(self, record: Record, order: Order, push: Push) -> None:
        """What the user has seen in the end."""
        # A duplicate changes nothing of what the user saw: the answer before it counts.
        answered = [each for each in record.attempts if each.state in ("reply", "nothing", "refused", "fault")]
        last = answered[0] if answered else record.attempts[-1]
        assert last.seen is not None and last.answer is not None
        record.done = True
        record.seconds = last.ended or 0.0
        record.outcome = "refused" if last.state == "refused" else last.seen.outcome
        record.why, record.values, record.shown = last.seen.why, _plain(last.seen.values or {}), last.seen.shown
        record.bubble = shape.bubble(last.seen)
        record.reply = last.seen.xml
        if record.outcome == "refused" and last.request is not None:
            check = verdict.failure(self._modes[order.mode], last.request, record.at + last.started)
            if check is not None:
                record.code, record.values = check.code, _plain(check.values or {})
        record.notes = [{"code": note.code, "values": _plain(note.values)} for note in last.seen.notes]
        if push.message is not None and record.outcome in ("reply", "nothing") and not record.rule:
            record.rule, record.rule_at = self._rule_of(push.message)


def _account(settings: Settings) -> Account:
    key = decode_key(settings.aes_key) if settings.mode != "plain" else b""
    return Account(settings.token, settings.appid, key, settings.mode, ACCOUNT, settings.path)


def _state(seen: Seen) -> str:
    if seen.outcome != "fault":
        return seen.outcome
    if seen.why in ("timeout", "dropped", "unreachable", "not-http", "crashed"):
        return "timeout" if seen.why == "timeout" else "dropped"
    return "refused" if seen.why == "status" else "fault"


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, (int, float)) else str(value) for name, value in values.items()}
