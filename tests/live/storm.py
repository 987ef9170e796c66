"""A storm: many messages of many users, slow and quick, while workers are killed; and then the reckoning.

Every message must have been answered, on a delivery or out of the mailbox, once, and to its own user.
"""

from __future__ import annotations

import collections
import concurrent.futures
import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from weixin.simulator import Account, Delivery, Http, Platform

HANDLERS = """
import os, time
from wxserve import on

SCALE = float(os.environ.get("LADDER", "1"))

@on.text("继续")
def nothing():
    return "nothing waits"

@on.text(prefix="等")
def slow(msg):
    seconds, number = msg.text[1:].split("#")
    time.sleep(float(seconds) * SCALE)
    return f"[{msg.user}#{number}]"

@on.error
def oops(msg, error):
    return f"[{msg.user}#{msg.text.split('#')[1]}]"
"""
TOKEN = re.compile(r"\[(o\w+)#(\d+)\]")
# An orphan may be found late and run for fourteen seconds, on a machine that has others to serve.
LATEST = 200
# The most a user picks up: more answers than anybody can have waiting.
MOST_PICKUPS = 60


class Reckoning(NamedTuple):
    """What came of a storm."""

    messages: int
    on_delivery: int
    from_mailbox: int
    unanswered: list[str]
    twice: list[str]
    astray: list[str]
    kills: int

    def __str__(self) -> str:
        return (
            f"{self.messages} messages: {self.on_delivery} answered on a delivery, {self.from_mailbox} out of the"
            f" mailbox, {len(self.unanswered)} not at all, {len(self.twice)} twice, {len(self.astray)} astray;"
            f" {self.kills} workers killed"
        )


class Storm:
    """*messages* within *seconds* at *url*; times are multiplied by *scale*, *kill* is called every so often."""

    def __init__(
        self, url: str, token: str, *, messages: int, seconds: float, users: int, scale: float, seed: int
    ) -> None:
        self._to = Http(url)
        self._source = random.Random(seed)
        self._platform = Platform(Account(token), source=random.Random(seed + 1), cut=5 * scale)
        self._messages = messages
        self._seconds = seconds * scale
        self._users = [f"oUser{n}" for n in range(users)]
        self._scale = scale
        self._seen: collections.Counter[str] = collections.Counter()
        self._astray: list[str] = []
        self._lock = threading.Lock()

    def rage(self, kill: Callable[[], bool] | None = None, every: float = 1.0) -> Reckoning:
        """Send everything, and reckon."""
        source, plans = self._source, []
        for number in range(self._messages):
            user = source.choice(self._users)
            latency = source.choice((0.0, 0.1, 1.0, source.uniform(0, 14)))
            plans.append((source.uniform(0, self._seconds), user, latency, number))
        over = threading.Event()
        kills = [0]

        def killer() -> None:
            while not over.wait(every * self._scale):
                kills[0] += bool(kill and kill())

        killing = threading.Thread(target=killer)
        killing.start()
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(len(plans)) as pool:
            for each in [pool.submit(self._send, began, *plan) for plan in plans]:
                each.result()
            over.set()
            killing.join()
            on_delivery = sum(self._seen.values())
            sent = [f"{user}#{number}" for _, user, _, number in plans]
            deadline = time.monotonic() + LATEST * self._scale
            # Orphans are run after sixteen seconds, and unfetched answers put away after twenty.
            pause = 25 * self._scale
            while True:
                time.sleep(pause)
                for each in [pool.submit(self._pick_up, user) for user in self._users]:
                    each.result()
                if all(self._seen[name] for name in sent) or time.monotonic() > deadline:
                    break
                pause = 5 * self._scale
        return Reckoning(
            len(sent),
            on_delivery,
            sum(self._seen.values()) - on_delivery,
            [name for name in sent if not self._seen[name]],
            [name for name in sent if self._seen[name] > 1],
            self._astray,
            kills[0],
        )

    def _send(self, began: float, at: float, user: str, latency: float, number: int) -> None:
        time.sleep(max(0.0, began + at - time.monotonic()))
        push = self._platform.push("text", f"等{latency:.2f}#{number}", user=user)
        self._read(user, self._platform.deliver(push, self._to, attempts=3))

    def _pick_up(self, user: str) -> None:
        for _ in range(MOST_PICKUPS):
            push = self._platform.push("text", "继续", user=user)
            delivery = self._platform.deliver(push, self._to, attempts=3)
            self._read(user, delivery)
            if delivery.seen.text == "nothing waits":
                return

    def _read(self, user: str, delivery: Delivery) -> None:
        with self._lock:
            for whose, number in TOKEN.findall(delivery.seen.text):
                self._seen[f"{whose}#{number}"] += 1
                if whose != user:
                    self._astray.append(f"{whose}#{number} to {user}")


class Killer:
    """Kills a worker of *supervisor*'s at random, and the next when all *workers* have been there for *grown* seconds.

    A message whose three deliveries all end with a worker that has just come is known to nobody: there is no more to
    be had than three.
    """

    def __init__(self, supervisor: int, workers: int, grown: float, source: random.Random) -> None:
        self._children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
        self._workers = workers
        self._grown = grown
        self._source = source
        self._since: dict[str, float] = {}

    def __call__(self) -> bool:
        """Kill, if it is time; whether it was."""
        now = time.monotonic()
        self._since = {child: self._since.get(child, now) for child in self._children.read_text().split()}
        if len(self._since) < self._workers or now - max(self._since.values()) < self._grown:
            return False
        try:
            os.kill(int(self._source.choice(list(self._since))), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True
