from __future__ import annotations

import socket
import tempfile
import threading
import time
import unittest
from typing import Any, Callable
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.validate import validator

from weixin.simulator import Http, InProcess, Request
from weixin.simulator.transports import MAX_ANSWER

POST = Request("POST", "/weixin", "a=1&b=2", (("Content-Type", "text/xml"), ("Content-Length", "5")), b"hello", "9")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess"


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Says back what arrived."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    words = (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], environ["CONTENT_TYPE"])
    said = " ".join(words).encode() + b" " + body
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))])
    return [said]


class Calling(unittest.TestCase):
    def test_a_callable_that_keeps_to_the_rules_answers(self) -> None:
        answer = InProcess(validator(echo)).send(POST, 5)
        self.assertEqual((answer.status, answer.failure), (200, ""))
        self.assertEqual(answer.body, b"POST /weixin a=1&b=2 text/xml hello")
        self.assertEqual(answer.header("content-type"), "text/plain")
        self.assertEqual(answer.header("X-None"), "")

    def test_what_the_callable_writes_and_closes(self) -> None:
        closed = threading.Event()

        class Chunks:
            def __iter__(self) -> Any:
                return iter([b"b", b"c"])

            def close(self) -> None:
                closed.set()

        def application(environ: dict[str, Any], start_response: Any) -> Any:
            start_response("201 Made", [])(b"a")
            return Chunks()

        answer = InProcess(application).send(POST, 5)
        self.assertEqual((answer.status, answer.body), (201, b"abc"))
        self.assertTrue(closed.is_set())

    def test_one_that_takes_too_long_is_left_and_told(self) -> None:
        told = threading.Event()

        def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            if environ["wxserve.wait_gone"](10):
                told.set()
            return []

        answer = InProcess(application).send(POST, 0.05)
        self.assertEqual((answer.status, answer.failure), (0, "timeout"))
        self.assertTrue(told.wait(10))

    def test_one_that_drops_the_connection_says_nothing(self) -> None:
        def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            environ["wxserve.drop"]()
            start_response("200 OK", [])
            return [b"unheard"]

        self.assertEqual(InProcess(application).send(POST, 5)[:3], (0, (), b""))

    def test_one_that_raises_has_no_answer_and_its_traceback_is_shown(self) -> None:
        def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            raise RuntimeError("boom")

        raised: list[Any] = []
        before, threading.excepthook = threading.excepthook, raised.append
        self.addCleanup(setattr, threading, "excepthook", before)
        self.assertEqual(InProcess(application).send(POST, 5).failure, "crashed")
        self.assertEqual(str(raised[0].exc_value), "boom")

    def test_a_slow_body_makes_its_reader_wait(self) -> None:
        answer = InProcess(echo).send(POST._replace(slow=0.05), 5)
        self.assertEqual(answer.body[-5:], b"hello")
        self.assertGreaterEqual(answer.seconds, 0.05)


class Scripted:
    """A server of one connection at a time that does what it is told, on 127.0.0.1 or on a unix socket."""

    def __init__(self, case: unittest.TestCase, script: Callable[[socket.socket], None], path: str = "") -> None:
        self._script = script
        self._listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._listener.bind(path or ("127.0.0.1", 0))
        self._listener.listen()
        self.address = f"unix:{path}" if path else f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.received = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        case.addCleanup(self._close)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                self.received = self._request(connection)
                if self.received:
                    self._script(connection)

    def _request(self, connection: socket.socket) -> bytes:
        received = b""
        while not received.endswith(b"hello"):
            data = connection.recv(65536)
            if not data:
                break
            received += data
        return received

    def _close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


def until_gone(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


class Connecting(unittest.TestCase):
    def send(self, script: Callable[[socket.socket], None], limit: float = 10, **change: Any) -> Any:
        self.server = Scripted(self, script)
        return Http(self.server.address).send(POST._replace(**change), limit)

    def test_the_request_on_the_wire_is_that_of_the_platform(self) -> None:
        answer = self.send(lambda connection: connection.sendall(OK))
        self.assertEqual((answer.status, answer.body, answer.failure), (200, b"success", ""))
        head, _, body = self.server.received.partition(b"\r\n\r\n")
        self.assertEqual(body, b"hello")
        line, *headers = head.decode().split("\r\n")
        self.assertEqual(line, "POST /weixin?a=1&b=2 HTTP/1.1")
        names = [header.partition(":")[0] for header in headers]
        self.assertEqual(names, ["Host", "Content-Type", "Content-Length", "Connection"])

    def test_a_real_server_answers(self) -> None:
        class Handler(WSGIRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

        with WSGIServer(("127.0.0.1", 0), Handler) as server:
            server.set_app(validator(echo))
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            self.addCleanup(thread.join)
            self.addCleanup(server.shutdown)
            answer = Http(f"http://127.0.0.1:{server.server_port}/other").send(POST, 10)
            self.assertEqual(answer.body, b"POST /other a=1&b=2 text/xml hello")
            self.doCleanups()

    def test_a_unix_socket_answers(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            server = Scripted(self, lambda connection: connection.sendall(OK), f"{folder}/s")
            self.assertEqual(Http(server.address).send(POST, 10).body, b"success")
            self.assertTrue(server.received.startswith(b"POST /weixin?a=1&b=2 HTTP/1.1\r\nHost: localhost\r\n"))
            self.doCleanups()

    def test_failures_have_names(self) -> None:
        def drop(connection: socket.socket) -> None:
            pass

        def garbage(connection: socket.socket) -> None:
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        def cut(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")

        for name, script in (("dropped", drop), ("not-http", garbage)):
            with self.subTest(name):
                answer = self.send(script)
                self.assertEqual((answer.status, answer.failure), (0, name))
        self.assertEqual(self.send(cut).body, b"")

    def test_nobody_there_is_unreachable(self) -> None:
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            answer = Http(f"http://127.0.0.1:{reserved.getsockname()[1]}").send(POST, 5)
        self.assertEqual((answer.failure, bool(answer.detail)), ("unreachable", True))
        self.assertEqual(Http("unix:/nowhere/at/all").send(POST, 5).failure, "unreachable")

    def test_the_limit_is_one_for_the_whole_exchange(self) -> None:
        def trickle(connection: socket.socket) -> None:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(1000):
                    time.sleep(0.02)
                    connection.sendall(b"x")
            except OSError:
                pass

        for name, script in (("silent", until_gone), ("trickling", trickle)):
            with self.subTest(name):
                answer = self.send(script, limit=0.2)
                self.assertEqual((answer.status, answer.failure), (0, "timeout"))
                self.assertLess(answer.seconds, 5)

    def test_an_early_refusal_is_read_though_the_body_was_not(self) -> None:
        class Refusing(Scripted):
            def _request(self, connection: socket.socket) -> bytes:
                return connection.recv(100)

        def refuse(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            until_gone(connection)

        server = Refusing(self, refuse)
        answer = Http(server.address).send(POST._replace(body=b"x" * 4_000_000), 10)
        self.assertEqual(answer.status, 413)

    def test_an_endless_answer_ends(self) -> None:
        def flood(connection: socket.socket) -> None:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    connection.sendall(b"x" * 65536)
            except OSError:
                pass

        self.assertEqual(len(self.send(flood).body), MAX_ANSWER)

    def test_a_slow_body_comes_in_drops(self) -> None:
        answer = self.send(lambda connection: connection.sendall(OK), slow=0.05)
        self.assertEqual(answer.status, 200)
        self.assertTrue(self.server.received.endswith(b"hello"))

    def test_an_idle_connection_stands_beside_the_one_that_asks(self) -> None:
        connections: list[int] = []

        class Counting(Scripted):
            def _request(self, connection: socket.socket) -> bytes:
                connections.append(1)
                if len(connections) == 1:  # the idle one: leave it open, and take the next
                    self.idle = connection.dup()
                    return b""
                return super()._request(connection)

        server = Counting(self, lambda connection: connection.sendall(OK))
        answer = Http(server.address).send(POST._replace(idle=True), 10)
        self.assertEqual((answer.status, len(connections)), (200, 2))
        self.assertEqual(server.idle.recv(1), b"")
        server.idle.close()

    def test_what_is_no_address(self) -> None:
        for address in ("", "127.0.0.1:80", "ftp://a", "http://", "unix:", "http://a/?x=1", "http://a:b", "http://a/#k"):
            with self.subTest(address), self.assertRaises(ValueError):
                Http(address)
