"""The order of the keeper's steps, where another thread may come in between."""

from __future__ import annotations

import socket
import time
import unittest

from weixin.server.answer import DateLine
from weixin.server.connection import Connection
from weixin.server.http import HeadParser
from weixin.server.keeper import BLIND_MAX, Keeper
from weixin.server.listeners import Listener, listen
from weixin.server.options import Options
from weixin.server.poll import READ, PollPoller
from weixin.server.reader import Reader


class Noting(PollPoller):
    """A poller that notes how things are at the moment when the leader could hear of the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.connection: Connection | None = None
        self.noted: list[tuple[int, bool, bool]] = []
        self.full = False

    def register(self, fd: int, events: int) -> None:
        if self.full:
            raise OSError(28, "No space left on device")  # epoll_ctl(2): max_user_watches
        if self.connection is not None:
            fresh = self.connection.deadline > time.monotonic()
            self.noted.append((self.connection.events, self.connection.busy, fresh))
        super().register(fd, events)


class HandingOn(unittest.TestCase):
    def setUp(self) -> None:
        self.poller = Noting()
        self.addCleanup(self.poller.close)
        self.refused: list[tuple[str, int]] = []
        parser = HeadParser(Options())
        self.keeper = Keeper(parser, self.poller, DateLine(), lambda *what: self.refused.append(what))
        listener = listen("127.0.0.1:0")
        self.addCleanup(listener.close)
        ours, self.client = socket.socketpair()
        ours.setblocking(False)
        self.addCleanup(self.client.close)
        self.connection = Connection(ours.detach(), Reader(parser), Listener(listener), "", "")
        self.addCleanup(self.keeper.close, self.connection)
        self.keeper.add(self.connection)

    def test_everything_is_settled_before_the_leader_can_hear_of_it(self) -> None:
        self.poller.connection = self.connection
        self.connection.busy = True
        self.connection.deadline = 0.0  # it was inside an app for long
        self.keeper.look(time.monotonic())
        self.assertFalse(self.connection.closed)
        self.keeper.settle(self.connection)
        self.assertEqual(self.poller.noted, [(READ, False, True)])

    def test_a_deadline_set_while_it_looks_is_not_forgotten(self) -> None:
        keeper, connection = self.keeper, self.connection
        connection.busy = True

        class Neighbour:
            """Asked about itself at the moment when another thread comes out of the app."""

            queued = True

            @property
            def busy(self) -> bool:
                keeper.expect(connection, 1)
                return True

        keeper.connections[-1] = Neighbour()  # type: ignore[assignment]
        keeper.look(time.monotonic())
        self.assertLessEqual(keeper.look_at, time.monotonic() + 1)

    def test_it_looks_around_now_and_then_whatever_it_was_told(self) -> None:
        # Two threads that set a deadline at the same moment can lose the nearer one.
        self.keeper.look(time.monotonic())
        self.assertLessEqual(self.keeper.look_at, time.monotonic() + BLIND_MAX)

    def test_a_poller_without_room_leaves_no_trace(self) -> None:
        self.poller.full = True
        with self.assertRaises(OSError):
            self.keeper.settle(self.connection)
        self.assertEqual(self.connection.events, 0)
        self.keeper.close(self.connection)
        self.assertEqual(self.keeper.connections, {})

    def test_close_is_harmless_twice(self) -> None:
        self.keeper.settle(self.connection)
        self.keeper.close(self.connection)
        self.keeper.close(self.connection)
        self.assertEqual(self.client.recv(1), b"")


if __name__ == "__main__":
    unittest.main()
