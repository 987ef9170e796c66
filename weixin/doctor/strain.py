"""Under strain: a large body, an idle connection, a slow answer, twenty at once. Faults that show only sometimes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from ..problem import Problem
from ..wire import probe
from .answers import ECHO
from .visit import Unanswered, Visit

# The largest push is far smaller; what passes 64 KiB passes everything.
SIZE = 64 << 10
# WeChat waits five seconds. What hangs up on us before has cut an answer that would have come in time.
PATIENCE = 5.5
# How long the platform itself would wait for the request behind an idle connection.
PATIENCE_OF_WECHAT = 5.0
CROWD = 20
CROWD_SECONDS = 1.0


def size(visit: Visit) -> Iterator[Problem]:
    """A push as large as any reaches us."""
    assert visit.settings is not None
    most = min(SIZE, visit.settings.body_max)
    try:
        answer = visit.ask("POST", *visit.push("", most))
    except Unanswered as error:
        yield Problem("WX-NET-11", {"bytes": most, "status": str(error)})
        return
    if answer.status != 200 or answer.body != probe.ANSWER:
        yield Problem("WX-NET-11", {"bytes": most, "status": answer.status})
    else:
        visit.note("push", bytes=most)


def idle(visit: Visit) -> Iterator[Problem]:
    """Somebody who connects and says nothing keeps nobody waiting."""
    try:
        silent = visit.connect()
    except OSError:
        return  # said already, below
    with silent:
        try:
            visit.ask("GET", visit.check_query(ECHO), seconds=PATIENCE_OF_WECHAT)
        except Unanswered:
            yield Problem("WX-NET-13", {"seconds": round(PATIENCE_OF_WECHAT)})


def patience(visit: Visit) -> Iterator[Problem]:
    """What is between us waits longer than WeChat does."""
    began = time.monotonic()
    try:
        answer = visit.ask("POST", *visit.push(f"wait {PATIENCE}"))
        said: object = answer.status
        right = answer.status == 200 and answer.body == probe.ANSWER
    except Unanswered as error:
        said, right = str(error), False
    if not right:
        yield Problem("WX-NET-14", {"seconds": f"{time.monotonic() - began:.1f}", "status": said})


def crowd(visit: Visit) -> Iterator[Problem]:
    """Twenty at once are answered within a second."""
    queries = [visit.check_query(ECHO) for _ in range(CROWD)]
    answered: list[float] = []

    def ask(query: str) -> None:
        try:
            if visit.ask("GET", query).status == 200:
                answered.append(time.monotonic() - began)
        except Unanswered:
            pass

    began = time.monotonic()
    threads = [threading.Thread(target=ask, args=(query,), daemon=True) for query in queries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    slowest = max(answered, default=0.0)
    if len(answered) < CROWD or slowest > CROWD_SECONDS:
        yield Problem("WX-TIM-03", {"n": CROWD, "answered": len(answered), "seconds": f"{slowest:.1f}"})
    else:
        visit.note("speed", n=CROWD, ms=round(slowest * 1000))
