"""A real server with two workers, and the platform as it is: three deliveries, five seconds, fifteen in all."""

from __future__ import annotations

import concurrent.futures
import functools
import os
import random
import signal
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.program import Server
from weixin.simulator import Account, Delivery, Http, Platform

TOKEN = "GreedIsGood"
HANDLERS = """
import os, time
from wxserve import on

RUNS = os.environ["RUNS"]

def note(msg):
    with open(RUNS, "a") as stream:
        stream.write(f"{msg.user} {msg.text}\\n")

@on.text(prefix="错")
def fails(msg):
    time.sleep(7)
    raise ValueError("boom")

@on.error
def oops(error):
    return "oops"

@on.text(prefix="数")
def count(msg, state):
    state["n"] = state.get("n", 0) + 1
    return str(state["n"])

@on.text(prefix="死")
def dies(msg):
    note(msg)
    os._exit(9)

@on.text(prefix="等")
def slow(msg):
    note(msg)
    time.sleep(float(msg.text[1:]))
    return f"answer to {msg.user}: {msg.text}"

@on.text
def any_text(msg):
    return f"echo to {msg.user}: {msg.text}"
"""


class Live(unittest.TestCase):
    """A server, and users."""

    options: tuple[str, ...] = ()

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.runs_file = self.folder / "runs"
        self.runs_file.touch()
        (self.folder / "handlers").mkdir()
        (self.folder / "handlers" / "all.py").write_text(HANDLERS, encoding="utf-8")
        (self.folder / "wxserve.ini").write_text(
            f"[wechat]\ntoken = {TOKEN}\n[server]\nworkers = 2\n", encoding="utf-8"
        )
        self.platform = Platform(Account(TOKEN), source=random.Random(4))
        self.server = self.serve()

    def serve(self, *options: str) -> Server:
        server = Server(
            "run", "--log-openid", "full", *self.options, *options, cwd=self.folder, RUNS=str(self.runs_file)
        )
        self.addCleanup(server.close)
        server.wait_for("ready in")
        self.to = Http(f"http://127.0.0.1:{server.port()}/weixin")
        return server

    def send(self, text: str, user: str, attempts: int = 3) -> Delivery:
        return self.platform.deliver(self.platform.push("text", text, user=user), self.to, attempts=attempts)

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            return [each.result(60) for each in [pool.submit(call) for call in calls]]

    def runs(self) -> list[str]:
        return self.runs_file.read_text(encoding="utf-8").splitlines()

    def workers(self) -> list[int]:
        """The processes that serve."""
        children = Path(f"/proc/{self.server.process.pid}/task/{self.server.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


class Ladder(Live):
    def test_what_a_user_sees_second_by_second(self) -> None:
        slow = [functools.partial(self.send, f"等{n}", f"o{n}") for n in (1, 7, 12)]
        one, seven, twelve, busy, error, twice = self.together(
            *slow, self.too_slow, lambda: self.send("错", "oERROR"), self.in_flight_twice
        )
        for delivery, attempt, n in ((one, 1, 1), (seven, 2, 7), (twelve, 3, 12)):
            self.assertEqual((len(delivery.attempts), delivery.seen.text), (attempt, f"answer to o{n}: 等{n}"))
        self.assertEqual((len(error.attempts), error.seen.text), (2, "oops"))
        self.assertEqual(*twice)
        word, meanwhile, late = busy
        self.assertEqual((len(late.attempts), late.seen.text), (3, "正在处理，稍后回复「继续」取答案"))
        self.assertEqual(meanwhile.seen.text, "echo to oBUSY: 你好")
        self.assertEqual(word.seen.text, "answer to oBUSY: 等17")
        # Once each, whoever of the two workers got which delivery.
        self.assertEqual(len(self.runs()), len(set(self.runs())))
        # The rule is named where its own worker answers; which of the two it is is up to the kernel.
        self.server.wait_for(r"reply=text bytes=\d+ (?:by=handlers/all.py:\d+ )?ms=\d+\.\d attempt=2/3")

    def too_slow(self) -> tuple[Delivery, Delivery, Delivery]:
        """The answer takes seventeen seconds; a question comes in between; then the word."""
        meanwhile: list[Delivery] = []
        other = threading.Timer(6, lambda: meanwhile.append(self.send("你好", "oBUSY")))
        other.start()
        late = self.send("等17", "oBUSY")
        other.join()
        return self.send("继续", "oBUSY"), meanwhile[0], late

    def in_flight_twice(self) -> tuple[bytes, bytes]:
        """Two deliveries of one message at once, and one after its end."""
        push = self.platform.push("text", "等3", user="oTWICE")
        first, second = self.together(
            *[lambda: self.platform.deliver(push, self.to).answer.body for _ in range(2)]
        )
        self.assertEqual(first, second)
        return first, self.platform.deliver(push, self.to).answer.body


class Deaths(Live):
    def test_the_next_delivery_runs_it_again_at_once_when_its_worker_is_killed(self) -> None:
        def kill() -> None:
            for pid in self.workers():
                os.kill(pid, signal.SIGKILL)

        killer = threading.Timer(1, kill)
        killer.start()
        push = self.platform.push("text", "等2", user="oKILLED")
        first = self.platform.deliver(push, self.to)
        killer.join()
        self.assertEqual(first.answer.failure, "dropped")
        self.server.wait_for(r"(?s)(worker.*){2}")
        began = time.monotonic()
        second = self.retry(push)
        self.assertEqual(second.seen.text, "answer to oKILLED: 等2")
        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual(self.runs(), ["oKILLED 等2"] * 2)

    def test_a_restart_between_deliveries_loses_nothing(self) -> None:
        push = self.platform.push("text", "等2", user="oRESTART")
        killer = threading.Timer(1, self.kill_all)
        killer.start()
        self.assertTrue(self.platform.deliver(push, self.to).answer.failure)
        killer.join()
        self.server = self.serve()
        self.assertEqual(self.retry(push).seen.text, "answer to oRESTART: 等2")
        self.assertEqual(self.runs(), ["oRESTART 等2"] * 2)

    def test_a_message_that_kills_its_worker_is_not_run_a_third_time(self) -> None:
        push = self.platform.push("text", "死", user="oDEADLY")
        for _ in range(2):
            self.assertTrue(self.retry(push).answer.failure)
        self.assertEqual(self.retry(push).seen.text, "oops")
        self.assertEqual(self.runs(), ["oDEADLY 死"] * 2)
        self.server.wait_for("WX-RUN-01")

    def retry(self, push: Any) -> Delivery:
        """Deliver when there is a worker to deliver to."""
        for _ in range(100):
            delivery = self.platform.deliver(push, self.to)
            if delivery.answer.failure != "unreachable" and delivery.answer.status != 503:
                return delivery
            time.sleep(0.1)
        raise AssertionError("no worker came back")

    def kill_all(self) -> None:
        workers = self.workers()
        self.server.signal(signal.SIGKILL)
        for pid in workers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended with its supervisor


class State(Live):
    def test_fifty_messages_from_each_of_eight_threads_count_to_four_hundred(self) -> None:
        def fifty() -> list[str]:
            return [self.send("数", "oCOUNT", attempts=1).seen.text for _ in range(50)]

        replies = [int(text) for texts in self.together(*[fifty] * 8) for text in texts]
        self.assertEqual(sorted(replies), list(range(1, 401)))


if __name__ == "__main__":
    unittest.main()
