"""The rules of HTTP over real sockets: TCP, unix, and TCP without epoll; raw bytes in, raw bytes out."""

from __future__ import annotations

import os
import socket
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from tests.server.running import (
    PATIENCE,
    Blocking,
    ServerCase,
    hello,
    read_all,
    read_until,
    statuses,
    wait_for,
)
from weixin.server.connection import HEAD
from weixin.server.door import GENTLE_MAX
from weixin.server.listeners import listen
from weixin.server.options import Options
from weixin.server.poll import READ, PollPoller
from weixin.server.worker import DRIPS_A_ROUND, Worker

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
BLOCK = b"GET /block HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"


class Rules:
    """Run over each kind of socket by the classes at the end."""

    # Head

    def test_what_is_refused_ends_the_connection_and_nothing_after_it_is_served(self: Any) -> None:
        running = self.start()
        for request, status in (
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
            (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
            (b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
            (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400),
            (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 1024 * 1024, 431),
            (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
            (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
            (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417),
            (CHUNKED + b"5\r\nhelloX\r\n0\r\n\r\n", 400),
        ):
            with self.subTest(request=request[:60]):
                answer = self.talk(running, request + GET)
                self.assertEqual(statuses(answer), [status])
                self.assertIn(b"\r\nConnection: close\r\n", answer)
                self.assertIn(b"\r\nDate: ", answer)

    def test_a_refused_head_request_gets_no_body_either(self: Any) -> None:
        running = self.start()
        chunked = CHUNKED.replace(b"POST", b"HEAD")
        for request, status in (
            (b"HEAD / HTTP/1.1\r\n\r\n", 400),
            (b"HEAD a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            (b"\r\nHEAD / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            (b"HEAD / HTTP/1.1\r\nHost: a\r\nA: \0", 400),
            (b"HEAD /" + b"a" * 9000, 414),
            (b"HEAD / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 9000, 431),
            (chunked + b"x\r\n", 400),
            (chunked + b"fffff1\r\n", 413),
        ):
            with self.subTest(request=request[:60]):
                answer = self.talk(running, request)
                self.assertEqual(statuses(answer), [status])
                self.assertTrue(answer.endswith(b"\r\n\r\n"), answer)

    def test_an_empty_line_before_the_request_is_forgiven(self: Any) -> None:
        self.assertEqual(statuses(self.talk(self.start(), b"\r\n" + LAST)), [200])

    def test_a_request_byte_by_byte(self: Any) -> None:
        running = self.start()
        with running.connect() as client:
            for byte in POST[:-5] + b"12345" + LAST:
                client.sendall(bytes((byte,)))
            self.assertEqual(statuses(read_all(client)), [200, 200])

    # Connection

    def test_a_pipeline_of_a_hundred(self: Any) -> None:
        requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(99)) + LAST
        answer = self.talk(self.start(), requests)
        self.assertEqual(statuses(answer), [200] * 100)
        self.assertLess(answer.index(b"GET /41 "), answer.index(b"GET /42 "))

    def test_who_stays_and_who_goes(self: Any) -> None:
        running = self.start()
        for fields, version, stays in (
            (b"", b"1.1", True),
            (b"Connection: x, close\r\n", b"1.1", False),
            (b"", b"1.0", False),
            (b"Connection: keep-alive\r\n", b"1.0", True),
        ):
            request = b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + fields + b"\r\n"
            with self.subTest(fields=fields, version=version), running.connect() as client:
                client.sendall(request)
                first = read_until(client, b"GET / ")
                self.assertEqual(b"Connection: close" in first, not stays)
                self.assertEqual(b"Connection: keep-alive" in first, stays and version == b"1.0")
                if stays:
                    client.sendall(LAST)
                    self.assertEqual(statuses(read_all(client)), [200])
                else:
                    self.assertEqual(client.recv(1), b"")

    def test_a_connection_has_its_number_of_requests(self: Any) -> None:
        answer = self.talk(self.start(requests_per_connection=3), GET * 5)
        self.assertEqual(statuses(answer), [200, 200, 200])
        self.assertEqual(answer.count(b"Connection: close"), 1)

    def test_a_client_that_ends_its_half_gets_its_answers(self: Any) -> None:
        with self.start().connect() as client:
            client.sendall(GET + GET)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(statuses(read_all(client)), [200, 200])

    def test_an_end_that_is_seen_before_the_next_request_is_served_does_not_cost_its_answer(self: Any) -> None:
        ended = threading.Event()

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            if environ["PATH_INFO"] == "/wait":
                ended.wait(PATIENCE)
            return hello(environ, start_response)

        with self.start(app).connect() as client:
            client.sendall(GET)
            read_until(client, b"GET /a ")  # from now on the poller tells of it
            client.sendall(GET.replace(b"/a", b"/wait") + GET)
            client.shutdown(socket.SHUT_WR)
            ended.set()
            self.assertEqual(statuses(read_all(client)), [200, 200])

    # Bodies

    def test_bodies_are_whole_before_the_app_sees_them(self: Any) -> None:
        chunked = b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        answer = self.talk(self.start(), POST, chunked, b"3\r\nabc\r\n", b"2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n")
        self.assertEqual(statuses(answer), [200, 200])
        self.assertIn(b"POST /a hello", answer)
        self.assertTrue(answer.endswith(b"POST /b abcde"))

    def test_a_large_body(self: Any) -> None:
        body = bytes(range(256)) * 4096
        head = b"POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        answer = self.talk(self.start(), head + body)
        self.assertTrue(answer.endswith(b"POST /a " + body))

    def test_a_cut_body_never_reaches_the_app(self: Any) -> None:
        called: list[str] = []

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            called.append(environ["PATH_INFO"])
            return hello(environ, start_response)

        running = self.start(app)
        for request in (
            POST[:-1],
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            GET[:-1],
        ):
            with running.connect() as client:
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(read_all(client), b"")
        self.assertEqual(called, [])

    def test_an_app_that_does_not_read_its_body(self: Any) -> None:
        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            start_response("200 OK", [])
            return [environ["PATH_INFO"].encode()]

        self.assertEqual(statuses(self.talk(self.start(app), POST + POST + LAST)), [200, 200, 200])

    def test_100_continue_is_sent_when_the_body_is_awaited(self: Any) -> None:
        head = b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        with self.start().connect() as client:
            client.sendall(head)
            self.assertEqual(read_until(client, b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
            client.sendall(b"hello")
            self.assertEqual(statuses(read_until(client, b"hello")), [200])
            client.sendall(head + b"again" + LAST)
            self.assertEqual(statuses(read_all(client)), [200, 200])

    def test_100_continue_is_for_http11(self: Any) -> None:
        with self.start().connect() as client:
            client.sendall(b"POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            client.sendall(b"hello")
            self.assertEqual(statuses(read_all(client)), [200])

    def test_100_continue_is_not_sent_for_a_body_that_is_too_large(self: Any) -> None:
        head = b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        self.assertEqual(statuses(self.talk(self.start(body_max=4), head)), [413])

    # The end

    def test_a_refusal_can_be_read_although_the_client_is_still_sending(self: Any) -> None:
        with self.start(body_max=10).connect() as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n")
            for _ in range(3):
                client.sendall(b"x" * 10000)
            self.assertEqual(statuses(read_all(client)), [413])

    def test_a_refused_client_that_goes_on_sending_is_cut_off(self: Any) -> None:
        with self.start().connect() as client:
            client.sendall(b"\x00")
            with self.assertRaises(OSError):
                deadline = time.monotonic() + PATIENCE
                while time.monotonic() < deadline:
                    client.sendall(b"x" * 65536)

    def test_an_answer_followed_by_more_bytes_can_be_read(self: Any) -> None:
        answer = self.talk(self.start(), LAST + GET * 50)
        self.assertEqual(statuses(answer), [200])


class Slow:
    """Clients that take their time."""

    def outlive(self: Any, request: bytes, drip: bytes, **options: float) -> tuple[float, bytes]:
        """Seconds until the server shuts out someone who sends `request`, then one byte every 20 ms."""
        with self.start(**options).connect() as client:
            begun = time.monotonic()
            client.sendall(request)
            client.settimeout(0.02)
            answer = b""
            while time.monotonic() - begun < PATIENCE:
                try:
                    piece = client.recv(65536)
                    if not piece:
                        return time.monotonic() - begun, answer
                    answer += piece
                except socket.timeout:
                    try:
                        client.send(drip)
                    except OSError:
                        return time.monotonic() - begun, answer
                except ConnectionResetError:
                    return time.monotonic() - begun, answer
        raise AssertionError("it was not shut out")

    def test_a_head_has_one_deadline_whatever_drips(self: Any) -> None:
        for begin, drip in ((b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"x"), (b"\r\n", b"")):
            seconds, answer = self.outlive(begin, drip, head_timeout=0.3)
            self.assertGreaterEqual(seconds, 0.3)
            self.assertLess(seconds, 3)
            self.assertEqual(statuses(answer), [408])

    def test_a_body_has_one_deadline_whatever_drips(self: Any) -> None:
        options = {"body_timeout": 0.3, "slowest_rate": 10_000_000}
        for request in (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
        ):
            seconds, answer = self.outlive(request, b"x", **options)
            self.assertGreaterEqual(seconds, 0.3)
            self.assertLess(seconds, 3)
            self.assertEqual(statuses(answer), [408])

    def test_a_chunked_body_has_time_for_what_it_announces_and_no_more(self: Any) -> None:
        seconds, answer = self.outlive(CHUNKED + b"ff\r\n", b"x", body_timeout=0.3)
        self.assertLess(seconds, 3)
        self.assertEqual(statuses(answer), [408])
        with self.start(body_timeout=0.3, slowest_rate=1000).connect() as client:
            begun = time.monotonic()
            client.sendall(CHUNKED)
            while time.monotonic() - begun < 0.8:
                client.sendall(b"7d0\r\n" + b"x" * 2000 + b"\r\n")
                time.sleep(0.1)
            client.sendall(b"0\r\n\r\n" + LAST)
            self.assertEqual(statuses(read_all(client)), [200, 200])

    def test_who_drips_waits_behind_whole_requests(self: Any) -> None:
        blocking = Blocking()
        drips_before: list[int] = []

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            if environ["PATH_INFO"] == "/last":
                drips_before.append(dripped())
            return blocking(environ, start_response)

        def dripped() -> int:
            connections = list(running.worker._keeper.connections.values())
            return sum(connection.reader.pending == 2 for connection in connections)

        running = self.start(app, threads=1)
        clients = [running.connect() for _ in range(100)]
        for client in clients:
            self.addCleanup(client.close)
            client.sendall(b"G")
        wait_for(lambda: sum(c.reader.pending for c in list(running.worker._keeper.connections.values())) == 100)
        with running.connect() as slow, running.connect() as honest:
            slow.sendall(BLOCK)
            self.assertTrue(blocking.entered.wait(PATIENCE))
            for client in clients:
                client.sendall(b"E")
            honest.sendall(LAST)
            blocking.leave.set()
            self.assertEqual(statuses(read_all(honest)), [200])
            wait_for(lambda: dripped() == 100)
        self.assertLessEqual(drips_before[0], DRIPS_A_ROUND * 2)

    def test_a_crowd_that_says_nothing_stands_before_nobody(self: Any) -> None:
        app = Blocking()
        running = self.start(app, threads=1)
        self.addCleanup(app.leave.set)
        with running.connect() as busy:
            busy.sendall(BLOCK + 90 * GET)
            self.assertTrue(app.entered.wait(PATIENCE))
            crowd = [running.connect() for _ in range(60)]
            with running.connect() as late:
                late.sendall(LAST)
                app.leave.set()
                self.assertEqual(statuses(read_all(late)), [200])
            for client in crowd:
                client.close()
        self.assertLess(app.asked.index("/last"), 10)

    def test_silence_has_a_deadline_and_no_answer(self: Any) -> None:
        self.assertEqual(self.outlive(b"", b"", idle_timeout=0.3)[1], b"")
        self.assertEqual(statuses(self.outlive(GET, b"", idle_timeout=0.3)[1]), [200])

    def test_a_client_that_takes_nothing_is_closed_and_holds_no_thread(self: Any) -> None:
        big = b"x" * 20_000_000

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            start_response("200 OK", [])
            return [big if environ["PATH_INFO"] == "/big" else b"small"]

        running = self.start(app, threads=1, send_timeout=0.5, slowest_rate=1 << 40)
        with running.connect() as greedy:
            greedy.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(greedy.recv(10))
            self.assertEqual(statuses(self.talk(running, LAST)), [200])
            wait_for(lambda: not running.worker._keeper.connections)
            self.assertLess(len(read_all(greedy)), len(big))

    def test_a_large_answer_reaches_a_slow_reader(self: Any) -> None:
        big = bytes(range(256)) * 20_000

        def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            start_response("200 OK", [])
            return [big]

        with self.start(app).connect() as client:
            client.sendall(LAST)
            answer = b""
            while piece := client.recv(100_000):
                answer += piece
            self.assertTrue(answer.endswith(big))


class Limits:
    """What strangers can occupy."""

    def test_one_connection_too_many_is_told_so(self: Any) -> None:
        running = self.start(connections=2)
        with running.connect() as one, running.connect() as two:
            for client in (one, two):
                client.sendall(GET)
                read_until(client, b"GET /a ")
            answer = self.talk(running)
            self.assertEqual(statuses(answer), [503])
            self.assertIn(b"Retry-After", answer)
            one.close()
            wait_for(lambda: statuses(self.talk(running, LAST)) == [200])

    def test_one_too_many_who_is_still_sending_can_read_why(self: Any) -> None:
        running = self.start(connections=1, linger_timeout=PATIENCE)
        with running.connect() as one, running.connect() as late:
            one.sendall(GET)
            read_until(one, b"GET /a ")
            wait_for(lambda: bool(late.recv(1, socket.MSG_PEEK)))
            # Were the connection closed by now, the first would bring a reset and the second an error.
            for _ in range(2):
                late.sendall(GET)
            self.assertEqual(statuses(read_all(late)), [503])

    def test_a_crowd_beyond_the_limit_occupies_nothing(self: Any) -> None:
        running = self.start(connections=1, linger_timeout=PATIENCE)
        crowd = [running.connect() for _ in range(GENTLE_MAX + 10)]
        for client in crowd:
            self.addCleanup(client.close)
        running.connect().close()
        wait_for(lambda: len(running.worker._keeper.connections) > GENTLE_MAX)
        self.assertLessEqual(len(running.worker._keeper.connections), 1 + GENTLE_MAX)
        self.assertEqual([statuses(read_all(client)) for client in crowd[1:]], [[503]] * (len(crowd) - 1))

    def test_unfinished_requests_share_one_limit(self: Any) -> None:
        running = self.start(buffered_max=30_000)
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n"
        with running.connect() as one:
            one.sendall(head + b"x" * 19_000)
            wait_for(lambda: running.worker._keeper._held > 18_000)
            self.assertEqual(statuses(self.talk(running, head + b"x" * 19_000)), [503])
            one.sendall(b"x" * 1000)
            self.assertEqual(statuses(read_until(one, b"x" * 1000)), [200])
        wait_for(lambda: running.worker._keeper._held == 0)


    def test_an_answer_larger_than_all_that_may_be_kept_arrives(self: Any) -> None:
        big = bytes(range(256)) * 20_000

        def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            start_response("200 OK", [])
            return [big]

        answer = self.talk(self.start(app, buffered_max=1_000_000), LAST)
        self.assertEqual(len(answer.partition(b"\r\n\r\n")[2]), len(big))


class Draining:
    """The end: nothing that was accepted is lost."""

    def test_the_rest_is_answered_and_nothing_new_accepted(self: Any) -> None:
        app = Blocking()
        running = self.start(app)
        with running.connect() as idle, running.connect() as silent, running.connect() as slow:
            idle.sendall(GET)
            read_until(idle, b"GET /a ")
            slow.sendall(BLOCK)
            self.assertTrue(app.entered.wait(PATIENCE))
            running.monitor.drain(PATIENCE, last=True)
            wait_for(lambda: running.worker._door.closed)
            with self.assertRaises(OSError):
                running.connect()
            for client in (idle, silent):
                client.sendall(GET)
                answer = read_all(client)
                self.assertEqual(statuses(answer), [200])
                self.assertIn(b"Connection: close", answer)
            app.leave.set()
            answer = read_all(slow)
            self.assertEqual(statuses(answer), [200])
            self.assertIn(b"Connection: close", answer)
        self.assertTrue(running.worker.done.wait(PATIENCE))

    def test_who_waits_in_the_queue_is_served(self: Any) -> None:
        app = Blocking()
        running = self.start(app, threads=1)
        with running.connect() as blocker:
            blocker.sendall(BLOCK)
            self.assertTrue(app.entered.wait(PATIENCE))
            queued = [running.connect() for _ in range(5)]
            running.monitor.drain(PATIENCE, last=True)
            wait_for(lambda: running.worker._door.closed)
            app.leave.set()
            for client in queued:
                with client:
                    client.sendall(GET)
                    self.assertEqual(statuses(read_all(client)), [200])

    def test_a_request_that_came_in_time_is_answered_though_every_thread_was_busy_for_longer(self: Any) -> None:
        app = Blocking()
        running = self.start(app, threads=1, last_request_timeout=0.2)
        self.addCleanup(app.leave.set)
        with running.connect() as idle, running.connect() as blocker:
            idle.sendall(GET)
            read_until(idle, b"GET /a ")
            (connection,) = [each for each in running.worker._keeper.connections.values() if each.answered]
            blocker.sendall(BLOCK)
            self.assertTrue(app.entered.wait(PATIENCE))
            idle.sendall(GET)
            running.monitor.drain(PATIENCE, last=True)
            wait_for(lambda: running.worker._door.closed and connection.deadline < time.monotonic())
            app.leave.set()
            self.assertEqual(statuses(read_all(idle)), [200])

    def test_who_is_stuck_in_an_app_keeps_his_descriptor(self: Any) -> None:
        """Another file might get its number, and what the app says at last would be written into that."""
        inside, release = threading.Event(), threading.Event()

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            inside.set()
            release.wait(PATIENCE)
            return hello(environ, start_response)

        running = self.start(app)
        with running.connect() as client:
            client.sendall(GET)
            self.assertTrue(inside.wait(PATIENCE))
            running.monitor.drain(0.0, last=True)
            running.thread.join(PATIENCE)
            self.assertFalse(running.worker.end(0.1))
            with open(os.devnull, "wb") as another:
                (connection,) = running.worker._keeper.connections.values()
                self.assertNotEqual(another.fileno(), connection.fd)
                release.set()
                self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200 OK"))

    def test_a_silent_connection_is_not_waited_for_long(self: Any) -> None:
        running = self.start(last_request_timeout=0.3)
        with running.connect() as client:
            client.sendall(GET)
            read_until(client, b"GET /a ")
            begun = time.monotonic()
            running.monitor.drain(PATIENCE)
            self.assertEqual(client.recv(1), b"")
            self.assertGreaterEqual(time.monotonic() - begun, 0.3)
            self.assertLess(time.monotonic() - begun, 3)


class Cut(ServerCase):
    def test_an_answer_that_is_not_taken_in_time_cannot_pass_for_a_whole_one(self) -> None:
        def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
            start_response("200 OK", [])
            return iter([b"x" * 20_000_000])

        running = self.start(app, send_timeout=0.2, slowest_rate=1 << 40)
        with running.connect() as client:
            # To HTTP/1.0 the end of the connection is the end of the body.
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertTrue(client.recv(10))
            wait_for(lambda: not running.worker._keeper.connections)
            with self.assertRaises(ConnectionResetError):
                while client.recv(65536):
                    pass


class Turns(unittest.TestCase):
    def test_who_is_refused_while_he_waits_among_those_who_drip_has_no_second_turn(self) -> None:
        """It would come after his end, and be that of whoever has his descriptor's number by then."""
        worker = Worker(hello, [listen("127.0.0.1:0")], Options(), poller=PollPoller())
        self.addCleanup(worker.end, 0.0)
        (listener,) = worker._door.listeners
        with socket.create_connection(listener.sock.getsockname()) as client:
            accepted = None
            while accepted is None:
                accepted = worker._door.accept(listener)
            connection = worker._welcome(accepted)
            assert connection is not None
            client.sendall(b"GET")
            wait_for(lambda: worker._serve(connection, READ) and connection.stage == HEAD)
            worker._put_off(connection)
            worker._keeper.refuse(connection, 408)
            client.sendall(b" /")
            wait_for(lambda: bool(worker._gather() or worker._ready))
        self.assertEqual(list(worker._ready), [(connection.fd, READ)])


class OverTCP(Rules, Slow, Limits, Draining, ServerCase):
    pass


class OverUnixSocket(Rules, Slow, Limits, Draining, ServerCase):
    unix = True


class WithoutEpoll(Rules, Slow, Limits, Draining, ServerCase):
    epoll = False


if __name__ == "__main__":
    unittest.main()
