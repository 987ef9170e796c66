"""One connection's sends, to a peer that takes its time."""

from __future__ import annotations

import socket
import threading
import time
import unittest

from tests.server.running import PATIENCE
from weixin.server.connection import Connection, Gone
from weixin.server.http import HeadParser
from weixin.server.listeners import Listener, listen
from weixin.server.options import Options
from weixin.server.reader import Reader


class Waiting(unittest.TestCase):
    def setUp(self) -> None:
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        listener = Listener(listen("127.0.0.1:0"))
        self.connection = Connection(ours.fileno(), Reader(HeadParser(Options())), listener, "", "")
        for sock in (ours, self.peer, listener.sock):
            self.addCleanup(sock.close)

    def test_ends_when_all_is_taken(self) -> None:
        self.connection.send(b"x" * 5_000_000)
        received = bytearray()

        def read() -> None:
            while len(received) < 5_000_000:
                received.extend(self.peer.recv(65536))

        reader = threading.Thread(target=read)
        reader.start()
        self.connection.wait_until_taken(PATIENCE)
        reader.join(PATIENCE)
        self.assertEqual((len(received), self.connection.unsent), (5_000_000, 0))

    def test_has_one_deadline_however_little_is_taken_at_a_time(self) -> None:
        self.connection.send(b"x" * 50_000_000)
        ended = threading.Event()

        def sip() -> None:
            while not ended.wait(0.01):
                self.peer.recv(65536)

        reader = threading.Thread(target=sip)
        reader.start()
        begun = time.monotonic()
        try:
            with self.assertRaises(Gone):
                self.connection.wait_until_taken(0.3)
            seconds = time.monotonic() - begun
        finally:
            ended.set()
            reader.join(PATIENCE)
        self.assertGreaterEqual(seconds, 0.3)
        self.assertLess(seconds, 3)


if __name__ == "__main__":
    unittest.main()
