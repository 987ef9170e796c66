"""A table of descriptors that is full neither stops the server nor makes it spin."""

from __future__ import annotations

import errno
import os
import resource
import socket
import time
import unittest

from tests.server.running import PATIENCE, ServerCase, read_until, statuses, wait_for
from weixin.server.door import Door
from weixin.server.listeners import listen
from weixin.server.poll import READ, PollPoller

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Exhaustion:
    def test_waits_and_goes_on(self: ServerCase) -> None:
        running = self.start()
        keeping = running.connect()
        self.addCleanup(keeping.close)
        keeping.sendall(GET)
        read_until(keeping, b"GET /a ")
        waiting = socket.socket(running.family)
        self.addCleanup(waiting.close)
        waiting.settimeout(PATIENCE)
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Every number up to the next free one is taken: nobody in this process gets another.
        probe = os.dup(0)
        os.close(probe)
        with self.assertLogs("wxserve.server", "WARNING") as logs:
            resource.setrlimit(resource.RLIMIT_NOFILE, (probe, limits[1]))
            try:
                waiting.connect(running.name)
                waiting.sendall(LAST)
                wait_for(lambda: bool(logs.records))
                # It serves who is there, and uses no time for who is not.
                keeping.sendall(GET)
                read_until(keeping, b"GET /a ")
                used = time.process_time()
                time.sleep(0.5)
                self.assertLess(time.process_time() - used, 0.25)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            self.assertEqual(statuses(read_until(waiting, b"GET /a ")), [200])
        self.assertEqual([record.getMessage() for record in logs.records], ["cannot-accept"])


class WithoutRoom(PollPoller):
    """A poller of which a system out of memory wants to hear nothing."""

    full = False

    def register(self, fd: int, events: int) -> None:
        if self.full:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        super().register(fd, events)


class Resumed(unittest.TestCase):
    def test_when_there_is_room_again_and_not_only_tried_once(self) -> None:
        poller = WithoutRoom()
        self.addCleanup(poller.close)
        door = Door([listen("127.0.0.1:0"), listen("127.0.0.1:0")], poller)
        for listener in door.listeners:
            self.addCleanup(listener.sock.close)
        with self.assertLogs("wxserve.server", "WARNING"):
            door._pause(OSError(errno.EMFILE, "Too many open files"))
        poller.full = True
        door.resume()
        self.assertLess(door.resume_at, time.monotonic() + 1)
        poller.full = False
        door.resume()
        for listener in door.listeners:
            with socket.create_connection(listener.sock.getsockname(), PATIENCE):
                self.assertEqual(poller.wait(PATIENCE), [(listener.fd, READ)])
                accepted = door.accept(listener)
                assert accepted is not None
                os.close(accepted[0])


class TurnedAway(unittest.TestCase):
    def test_in_one_breath_whatever_an_app_wants_of_its_sockets(self) -> None:
        ours, client = socket.socketpair()
        ours.setblocking(False)
        self.addCleanup(client.close)
        self.addCleanup(socket.setdefaulttimeout, socket.getdefaulttimeout())
        socket.setdefaulttimeout(PATIENCE)
        begun = time.monotonic()
        Door.turn_away(ours.detach(), "")
        self.assertLess(time.monotonic() - begun, PATIENCE / 2)
        self.assertEqual(statuses(client.recv(1000)), [503])
        self.assertEqual(client.recv(1000), b"")


class OverTCP(Exhaustion, ServerCase):
    pass


class OverUnixSocket(Exhaustion, ServerCase):
    unix = True


class WithoutEpoll(Exhaustion, ServerCase):
    epoll = False


if __name__ == "__main__":
    unittest.main()
