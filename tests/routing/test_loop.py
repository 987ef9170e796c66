"""The loop of asynchronous handlers."""

from __future__ import annotations

import asyncio
import os
import threading
import unittest
from unittest import mock

from weixin.routing.call import Context
from weixin.routing.loop import Loop


class LoopCase(unittest.TestCase):
    def setUp(self) -> None:
        self.loop = Loop()
        self.addCleanup(self.loop.close)

    def test_it_begins_with_the_first_and_is_one_thread(self) -> None:
        before = threading.active_count()

        async def name() -> str:
            return threading.current_thread().name

        self.assertEqual(threading.active_count(), before)
        self.assertEqual({self.loop.run(name()) for _ in range(3)}, {"wxserve-async"})
        self.assertEqual(threading.active_count(), before + 1)
        self.loop.close()
        self.assertEqual(threading.active_count(), before)

    def test_what_is_raised_arrives_and_harms_nobody_else(self) -> None:
        async def fail(error: BaseException) -> None:
            raise error

        async def work() -> str:
            return "fine"

        for error in (ValueError("x"), SystemExit(1), KeyboardInterrupt(), TimeoutError("mine")):
            with self.subTest(repr(error)), self.assertRaises(type(error)) as caught:
                self.loop.run(fail(error))
            self.assertIs(caught.exception, error)
            self.assertEqual(self.loop.run(work()), "fine")

    def test_many_wait_at_the_same_time(self) -> None:
        everybody = 8
        arrived: list[int] = []

        async def meet(number: int, all_here: asyncio.Event) -> None:
            arrived.append(number)
            if len(arrived) == everybody:
                all_here.set()
            await asyncio.wait_for(all_here.wait(), 10)

        async def event() -> asyncio.Event:
            return asyncio.Event()

        all_here = self.loop.run(event())
        assert isinstance(all_here, asyncio.Event)
        threads = [threading.Thread(target=self.loop.run, args=(meet(n, all_here),)) for n in range(everybody)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        self.assertEqual(sorted(arrived), list(range(everybody)))

    def test_what_hangs_is_given_up_and_cancelled(self) -> None:
        cancelled = threading.Event()

        async def hang() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        context = Context(run_max=0.01)
        self.addCleanup(context.close)
        with self.assertRaises(TimeoutError):
            context.loop.run(hang())
        self.assertTrue(cancelled.wait(10))

    def test_a_thread_that_cannot_start_costs_no_descriptors(self) -> None:
        async def answer() -> int:
            return 42

        waiting = answer()
        before = os.listdir("/proc/self/fd")
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
            self.assertRaises(RuntimeError, self.loop.run, waiting)
        self.assertEqual(os.listdir("/proc/self/fd"), before)
        self.assertEqual(self.loop.run(waiting), 42)

    def test_a_forked_child_has_a_loop_of_its_own(self) -> None:
        async def answer() -> int:
            return 42

        self.assertEqual(self.loop.run(answer()), 42)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if self.loop.run(answer()) == 42 else 1)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)


if __name__ == "__main__":
    unittest.main()
