"""Two processes with one store, a platform many times as fast, and one of them killed at its nth commit.

Run as a program this is such a process: it answers the deliveries that its standard input tells it of.
"""

from __future__ import annotations

import collections
import itertools
import json
import os
import queue
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
TOKEN = re.compile(r"\[(o\w+)#(\w+)\]")
# Orphans are run after sixteen seconds, unfetched answers put away after twenty, and a run takes up to seventeen.
LATEST = 120
TELLINGS = 4
BEFORE, AFTER = "before", "after"


class Story(NamedTuple):
    """What two users say, when, and how long the answers take; in the platform's seconds."""

    seed: int

    def lines(self) -> list[tuple[float, str, str]]:
        source = random.Random(self.seed)
        said = []
        for user in ("oA", "oB"):
            said += [
                (0.0, user, f"{source.choice((3, 6, 13, 17))} #{user}1"),
                (source.uniform(0, 18), user, f"0 #{user}2"),
                (source.uniform(4, 22), user, "继续"),
                (source.uniform(4, 22), user, f"{source.choice((0, 6))} #{user}3"),
            ]
        return sorted(said)


class Worker:
    """A process; killed just before or after its *nth* commit, if that is not 0."""

    def __init__(self, path: str, scale: float, began: float, nth: int = 0, when: str = BEFORE) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.crashing", path, str(scale), str(began), str(nth), when],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._waiting: dict[int, queue.Queue[str | None]] = {}
        self._lock = threading.Lock()
        self.late = 0
        assert self.process.stdout is not None
        self.process.stdout.readline()
        self._dead = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def deliver(self, number: int, fields: dict[str, Any], seconds: float) -> tuple[bool, str | None]:
        """Whether it lived, and what it said within so many seconds; None for silence."""
        answered: queue.Queue[str | None] = queue.Queue()
        with self._lock:
            if self._dead:
                return False, None
            self._waiting[number] = answered
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"number": number, **fields}) + "\n")
            self.process.stdin.flush()
        except OSError:
            return False, None
        try:
            return not self._dead, answered.get(timeout=seconds)
        except queue.Empty:
            with self._lock:
                del self._waiting[number]
            return not self._dead, None

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            number, text = json.loads(line)
            with self._lock:
                answered = self._waiting.get(number)
                self.late += answered is None
            if answered is not None:
                answered.put(text)
        with self._lock:
            self._dead = True
            for answered in self._waiting.values():
                answered.put(None)

    @property
    def dead(self) -> bool:
        return self._dead

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                pass


class Reckoning(NamedTuple):
    """Whether anybody was killed, and what went wrong."""

    killed: bool
    unanswered: list[str]
    twice: list[str]
    astray: list[str]
    #: Deliveries: when, of which message, which of its three, to which process, which lived or not, and what it said.
    deliveries: list[tuple[float, str, int, int, bool, str | None]]
    #: Answers that came when the platform had hung up: this machine was too busy to tell the story.
    late: int

    @property
    def fine(self) -> bool:
        """Whether everybody was answered once. What was given to a last delivery counts as delivered, and is lost if
        the process dies just then: the platform does not come again, and nobody knows whether it was read.
        """
        died_on_the_last = any(attempt == 3 and not lived for _, _, attempt, _, lived, _ in self.deliveries)
        return not (self.twice or self.astray or (self.unanswered and not died_on_the_last))


class Telling:
    """One story told to two workers, of which the first is killed at its nth commit and begun again."""

    def __init__(self, folder: str, story: Story, nth: int, when: str, scale: float) -> None:
        self._path, self._scale = os.path.join(folder, "store.db"), scale
        self._began = time.time()
        self._story = story
        self._source = random.Random(story.seed)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._killed = False
        self._seen: collections.Counter[str] = collections.Counter()
        self._astray: list[str] = []
        self._deliveries: list[tuple[float, str, int, int, bool, str | None]] = []
        self._late = 0
        self._workers = [self._worker(nth, when), self._worker()]

    def _worker(self, nth: int = 0, when: str = BEFORE) -> Worker:
        return Worker(self._path, self._scale, self._began, nth, when)

    def tell(self) -> Reckoning:
        lines = self._story.lines()
        began = time.monotonic()

        def say(index: int, at: float, user: str, text: str) -> None:
            time.sleep(max(0.0, began + at * self._scale - time.monotonic()))
            self._send(f"m{index}", user, text)

        threads = [threading.Thread(target=say, args=(index, *line)) for index, line in enumerate(lines)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            wanted = [f"{user}#{text.split('#')[1]}" for _, user, text in lines if "#" in text]
            deadline = time.monotonic() + LATEST * self._scale
            while not all(self._seen[name] for name in wanted) and time.monotonic() < deadline:
                time.sleep(3 * self._scale)
                self._pick_up()
            self._pick_up()
        finally:
            for worker in self._workers:
                worker.end()
        return Reckoning(
            self._killed,
            [name for name in wanted if not self._seen[name]],
            [name for name in wanted if self._seen[name] > 1],
            self._astray,
            self._deliveries,
            self._late + sum(worker.late for worker in self._workers),
        )

    def _pick_up(self) -> None:
        for user in ("oA", "oB"):
            for _ in range(10):
                if self._send(f"p{next(self._numbers)}", user, "继续") == "nothing waits":
                    break

    def _send(self, id: str, user: str, text: str) -> str:
        """Deliver it as the platform does, three times at most, to either process; return what the user reads."""
        began = time.monotonic()
        for attempt in range(3):
            worker, which = self._some_worker()
            at = time.monotonic()
            fields = {"id": id, "user": user, "text": text, "age": (at - began) / self._scale}
            lived, said = worker.deliver(next(self._numbers), fields, 5 * self._scale)
            seconds = round((time.time() - self._began) / self._scale, 2)
            self._deliveries.append((seconds, f"{id} {text}", attempt + 1, which, lived, said))
            if said is not None:
                with self._lock:
                    for whose, name in TOKEN.findall(said):
                        self._seen[f"{whose}#{name}"] += 1
                        if whose != user:
                            self._astray.append(f"{name} to {user}")
                return said
            if lived and attempt < 2:
                time.sleep(max(0.0, at + 5 * self._scale - time.monotonic()))
        return ""

    def _some_worker(self) -> tuple[Worker, int]:
        with self._lock:
            if self._workers[0].dead:
                self._killed = True
                self._late += self._workers[0].late
                self._workers[0].end()
                self._workers[0] = self._worker()
            which = self._source.randrange(2)
            return self._workers[which], which


def tell(story: Story, nth: int, when: str, scale: float) -> Reckoning:
    """Tell *story*; again, if the machine was too busy."""
    for _ in range(TELLINGS):
        with tempfile.TemporaryDirectory(prefix="wxserve-test-") as folder:
            reckoning = Telling(folder, story, nth, when, scale).tell()
        if not reckoning.late:
            break
    return reckoning


def main() -> None:
    path, scale, began, nth, when = sys.argv[1:]
    _serve(path, float(scale), float(began), int(nth), when)


def _serve(path: str, scale: float, began: float, nth: int, when: str) -> None:
    from tests.delivery.platform import Peer, message, rules, text_of
    from weixin.delivery import Desk, Terms
    from weixin.delivery.ladder import Pace
    from weixin.routing import run
    from weixin.routing.marks import on
    from weixin.store.database import Database
    from weixin.store.sqlite import SQLite

    @on.text("继续")
    def nothing() -> str:
        return "nothing waits"

    @on.text
    def slow(msg: Any, state: Any) -> str:
        state["n"] = state.get("n", 0) + 1
        seconds, name = msg.text.split(" #")
        time.sleep(float(seconds) * scale)
        return f"[{msg.user}#{name}]"

    def clock() -> float:
        return began + (time.time() - began) / scale

    if nth:
        left, real = itertools.count(1), Database._commit

        def commit(self: Database, work: Any) -> Any:
            mine = next(left) == nth
            if mine and when == BEFORE:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(self, work)
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        Database._commit = commit  # type: ignore[method-assign]
    terms = Terms(busy="busy", silent_max=1000, pace=Pace(deadline=4.0).scaled(scale))
    desk = Desk(rules(nothing, slow), run.Context(), SQLite(path, clock=clock), terms, clock=clock)
    desk.start()
    printing = threading.Lock()

    def answer(told: dict[str, Any]) -> None:
        peer = Peer(5 * scale)
        push = message(told["text"], told["user"], told["id"])
        given = desk.answer(push, told["age"], time.monotonic(), peer.gone)
        if not given.silent:
            with printing:
                print(json.dumps([told["number"], text_of(given.body)]), flush=True)
        peer.close()

    print("ready", flush=True)
    for line in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()


if __name__ == "__main__":
    main()
