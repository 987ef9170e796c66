"""Runs the modules of tests side by side, some processes taking one after the other: much of what tests do is wait.

Each module runs whole in one process, with its fixtures and in its order; what came of each test is told to the one
that started them, which prints what unittest prints. One module by itself, ``python3 -m unittest tests.test_app``,
runs as it always does. $TEST_JOBS is how many processes there are; 1 is none but this.
"""

from __future__ import annotations

import multiprocessing
import os
import unittest
from collections.abc import Iterable
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

JOBS = "TEST_JOBS"
# Two bytes name a module in the queue; a pipe holds 32 thousand of them.
WIDTH = 2
# The lists of a result that say what went wrong, each with the letter that unittest prints for it.
WRONG = {"failures": "F", "errors": "E", "expectedFailures": "x"}


class Told(NamedTuple):
    """A test that ran in another process: enough of it for a report."""

    name: str
    key: str
    doc: str | None

    def __str__(self) -> str:
        return self.name

    def id(self) -> str:
        return self.key

    def shortDescription(self) -> str | None:
        return self.doc


class News(NamedTuple):
    """What came of one test, or of a fixture: then *ran* is false."""

    test: Told
    ran: bool
    wrong: list[tuple[str, Told, str]]
    skipped: list[tuple[Told, str]]
    unexpected: bool
    durations: list[tuple[str, float]]


def told(test: Any) -> Told:
    return Told(str(test), test.id(), test.shortDescription())


class Teller(unittest.TestResult):
    """Tells another process the outcome of each test as it ends."""

    def __init__(self, to: Connection, buffer: bool) -> None:
        super().__init__()
        self.buffer = buffer
        self._to = to

    def stopTest(self, test: Any) -> None:
        super().stopTest(test)
        self.tell(told(test), True)

    def tell(self, test: Told, ran: bool) -> None:
        wrong = [(name, told(each), text) for name in WRONG for each, text in getattr(self, name)]
        skipped = [(told(each), reason) for each, reason in self.skipped]
        durations: list[tuple[str, float]] = getattr(self, "collectedDurations", [])  # from Python 3.12 on
        if ran or wrong or skipped:
            self._to.send(News(test, ran, wrong, skipped, bool(self.unexpectedSuccesses), list(durations)))
        for name in (*WRONG, "skipped", "unexpectedSuccesses"):
            getattr(self, name).clear()
        durations.clear()


class SideBySide(unittest.TestSuite):
    """A suite of modules' suites. *first* begins the names of those that take long: begun last, all wait for them."""

    def __init__(self, units: Iterable[Any], first: Iterable[str] = (), jobs: int = 0) -> None:
        super().__init__(unit for unit in units if unit.countTestCases())
        self._first = tuple(first)
        self._jobs = jobs or int(os.environ.get(JOBS) or (os.cpu_count() or 1) + 1)

    def run(self, result: Any, debug: bool = False) -> Any:
        units = list(self)
        if debug or self._jobs < 2 or len(units) < 2 or not hasattr(os, "fork"):
            return super().run(result, debug)
        taking, giving = os.pipe()
        order = sorted(range(len(units)), key=lambda index: self._rank(units[index]))
        os.write(giving, b"".join(index.to_bytes(WIDTH, "big") for index in order))
        os.close(giving)
        context = multiprocessing.get_context("fork")
        workers: dict[Any, Any] = {}
        try:
            for _ in range(min(self._jobs, len(units))):
                hear, tell = context.Pipe(duplex=False)
                worker = context.Process(target=_work, args=(units, taking, tell, result.buffer))
                worker.start()
                tell.close()
                workers[hear] = worker
            self._listen(result, workers, taking)
        finally:
            os.close(taking)
            for hear, worker in workers.items():
                hear.close()
                worker.join()
        return result

    def _rank(self, unit: unittest.TestSuite) -> int:
        key = name(unit)
        return next((n for n, start in enumerate(self._first) if key.startswith(start)), len(self._first))

    def _listen(self, result: Any, workers: dict[Any, Any], taking: int) -> None:
        at: dict[Any, str] = {}
        while len(at) < len(workers) or any(at.values()):
            for hear in wait([each for each in workers if at.get(each, "…")]):
                try:
                    heard = hear.recv()
                except EOFError:
                    here = Told(at.get(hear) or "a process", at.get(hear) or "", None)
                    died = [("errors", here, "the process that ran it has died")]
                    note(result, News(here, False, died, [], False, []))
                    heard = ""
                if isinstance(heard, str):
                    at[hear] = heard
                else:
                    note(result, heard)
            if result.shouldStop:
                while os.read(taking, 1 << 16):
                    pass


def name(unit: unittest.TestSuite) -> str:
    """The first test's name in *unit*."""
    for each in unit:
        found = name(each) if isinstance(each, unittest.TestSuite) else each.id()
        if found:
            return found
    return ""


def _work(units: list[unittest.TestSuite], taking: int, to: Connection, buffer: bool) -> None:
    """Run units as long as there are any. Says the name of each as it is begun, and nothing's name in the end."""
    while index := os.read(taking, WIDTH):
        unit = units[int.from_bytes(index, "big")]
        key = name(unit)
        to.send(key)
        teller = Teller(to, buffer)
        try:
            unit.run(teller)
        except KeyboardInterrupt:
            return
        teller.tell(Told(key, key, None), False)
    to.send("")


def note(result: Any, news: News) -> None:
    """Put into *result* what another process said."""
    stream = getattr(result, "stream", None)
    if news.ran:
        result.startTest(news.test)
        if not (news.wrong or news.skipped or news.unexpected):
            result.addSuccess(news.test)
    for test, reason in news.skipped:
        result.addSkip(test, reason)
    if news.unexpected:
        result.addUnexpectedSuccess(news.test)
    for kind, test, text in news.wrong:
        getattr(result, kind).append((test, text))
        if stream is not None:
            stream.write(WRONG[kind])
            stream.flush()
        if result.failfast and kind != "expectedFailures":
            result.stop()
    if news.ran:
        result.stopTest(news.test)
    if hasattr(result, "collectedDurations"):
        result.collectedDurations.extend(news.durations)
