"""Addresses become listening sockets, or errors that say why not."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import unittest

from weixin.server.listeners import (
    AddressInUse,
    BadAddress,
    InheritedSocket,
    Listener,
    ListenError,
    describe,
    listen,
    remove_file,
)


class Tcp(unittest.TestCase):
    def test_listens_where_it_says(self) -> None:
        for address in ("127.0.0.1:0", "localhost:0"):
            with listen(address) as sock:
                self.assertRegex(describe(sock), r"^127\.0\.0\.1:\d+$")
                socket.create_connection(sock.getsockname()).close()

    def test_ipv6(self) -> None:
        try:
            sock = listen("[::1]:0")
        except ListenError as error:
            self.skipTest(f"no IPv6 here: {error}")
        with sock:
            self.assertRegex(describe(sock), r"^\[::1\]:\d+$")

    def test_what_is_no_address(self) -> None:
        bad = "|a|127.0.0.1|127.0.0.1:|127.0.0.1:x|127.0.0.1:65536|::1:80|unix:|fd:|fd:x|fd:²|a/b:80"
        for address in [*bad.split("|"), "no-such-host.invalid:80"]:
            with self.subTest(address), self.assertRaises(BadAddress) as caught:
                listen(address)
            self.assertEqual(caught.exception.address, address)

    def test_an_address_in_use(self) -> None:
        with listen("127.0.0.1:0") as sock, self.assertRaises(AddressInUse):
            listen(describe(sock))

    def test_an_address_that_is_not_ours(self) -> None:
        with self.assertRaises(ListenError) as caught:
            listen("192.0.2.1:0")
        self.assertNotIsInstance(caught.exception, AddressInUse)
        self.assertTrue(caught.exception.strerror)


class Unix(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "s")

    def test_is_for_owner_and_group(self) -> None:
        with listen("unix:" + self.path) as sock:
            self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o660)
            self.assertEqual(describe(sock), "unix:" + self.path)

    def test_a_stale_file_is_replaced(self) -> None:
        listen("unix:" + self.path).close()
        self.assertTrue(os.path.exists(self.path))
        listen("unix:" + self.path).close()

    def test_a_served_one_is_left_alone(self) -> None:
        with listen("unix:" + self.path), self.assertRaises(AddressInUse):
            listen("unix:" + self.path)

    def test_one_whose_server_is_too_busy_to_answer_is_served(self) -> None:
        with listen("unix:" + self.path, backlog=0), socket.socket(socket.AF_UNIX) as waiting:
            waiting.connect(self.path)  # a queue of none has room for one (unix(7))
            with self.assertRaises(AddressInUse):
                listen("unix:" + self.path)

    def test_another_file_is_left_alone(self) -> None:
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        with self.assertRaises(AddressInUse):
            listen("unix:" + self.path)
        self.assertEqual(os.path.getsize(self.path), 8)

    def test_a_missing_folder(self) -> None:
        with self.assertRaises(ListenError):
            listen("unix:" + self.path + "/x/s")

    def test_only_our_own_file_is_removed(self) -> None:
        with listen("unix:" + self.path) as sock:
            with InheritedSocket(fileno=os.dup(sock.fileno())) as inherited:
                remove_file(inherited)
            self.assertTrue(os.path.exists(self.path))
            remove_file(sock)
            self.assertFalse(os.path.exists(self.path))
            remove_file(sock)


class Inherited(unittest.TestCase):
    def test_by_number(self) -> None:
        with listen("127.0.0.1:0") as sock:
            with listen(f"fd:{os.dup(sock.fileno())}") as inherited:
                self.assertIsInstance(inherited, InheritedSocket)
                self.assertFalse(inherited.get_inheritable())
                self.assertTrue(Listener(inherited).inherited)
            self.assertFalse(Listener(sock).inherited)

    def test_what_does_not_listen(self) -> None:
        with socket.socket() as sock, self.assertRaises(BadAddress):
            listen(f"fd:{sock.fileno()}")
        with self.assertRaises(ListenError):
            listen("fd:987")
        reading, writing = os.pipe()
        with self.assertRaises(ListenError):
            listen(f"fd:{reading}")
        os.close(reading)
        os.close(writing)


if __name__ == "__main__":
    unittest.main()
