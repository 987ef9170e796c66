"""Both pollers tell the same."""

from __future__ import annotations

import os
import select
import socket
import threading
import unittest
from typing import Any

from tests.server.running import PATIENCE
from weixin.server.poll import READ, WRITE, EpollPoller, Poller, PollPoller, Waker, best_poller


class Contract:
    def make(self) -> Poller:
        raise NotImplementedError

    def setUp(self: Any) -> None:
        self.poller = self.make()
        self.addCleanup(self.poller.close)
        self.one, self.other = socket.socketpair()
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)

    def test_readiness_is_told_until_it_is_used(self: Any) -> None:
        self.poller.register(self.one.fileno(), READ)
        self.assertEqual(self.poller.wait(0), [])
        self.other.send(b"a")
        for _ in range(2):
            self.assertEqual(self.poller.wait(PATIENCE), [(self.one.fileno(), READ)])
        self.one.recv(1)
        self.assertEqual(self.poller.wait(0), [])

    def test_what_is_watched_can_change(self: Any) -> None:
        self.poller.register(self.one.fileno(), READ)
        self.poller.modify(self.one.fileno(), WRITE)
        self.assertEqual(self.poller.wait(PATIENCE), [(self.one.fileno(), WRITE)])
        self.poller.unregister(self.one.fileno())
        self.assertEqual(self.poller.wait(0), [])

    def test_a_registration_reaches_a_running_wait(self: Any) -> None:
        ready: list[tuple[int, int]] = []

        def wait() -> None:
            while not ready:
                ready.extend(self.poller.wait(PATIENCE))

        thread = threading.Thread(target=wait)
        thread.start()
        self.other.send(b"a")
        self.poller.register(self.one.fileno(), READ)
        thread.join(PATIENCE)
        self.assertEqual(ready, [(self.one.fileno(), READ)])

    def test_a_wait_can_be_ended(self: Any) -> None:
        self.poller.wake()
        self.assertEqual(self.poller.wait(PATIENCE), [])
        for _ in range(100_000 // 100):
            self.poller.wake()
        self.assertEqual(self.poller.wait(PATIENCE), [])
        self.assertEqual(self.poller.wait(0), [])


class Wakers(unittest.TestCase):
    def test_a_call_that_comes_too_late_reaches_nobody_elses_descriptor(self) -> None:
        waker = Waker()
        waker.close()
        # The next descriptors get the numbers that have just become free.
        pairs = [os.pipe() for _ in range(4)]
        for pair in pairs:
            self.addCleanup(os.close, pair[0])
            self.addCleanup(os.close, pair[1])
            os.set_blocking(pair[0], False)
        waker.wake()
        for reading, _ in pairs:
            with self.assertRaises(BlockingIOError):
                os.read(reading, 1)


class Poll(Contract, unittest.TestCase):
    def make(self) -> Poller:
        return PollPoller()


class Epoll(Contract, unittest.TestCase):
    def make(self) -> Poller:
        if not hasattr(select, "epoll"):
            self.skipTest("no epoll on this system")
        return EpollPoller()

    def test_is_chosen_where_it_exists(self) -> None:
        poller = best_poller()
        self.assertIsInstance(poller, EpollPoller)
        poller.close()


if __name__ == "__main__":
    unittest.main()
