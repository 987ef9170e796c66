"""PEP 3333 over real sockets: what apps may do, and what happens to those that do it wrong."""

from __future__ import annotations

import asyncio
import sys
import unittest
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.validate import validator

from tests.server.running import PATIENCE, ServerCase, hello, read_all, read_until, statuses, wait_for

GET = b"GET /a?b=c HTTP/1.1\r\nHost: a:8\r\n\r\n"
LAST = b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LAST10 = b"GET /a HTTP/1.0\r\n\r\n"
HEAD = b"HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def answering(
    *pieces: bytes, status: str = "200 OK", fields: Iterable[tuple[str, str]] = (), lazy: bool = True
) -> App:
    """An app that answers so; `lazy`: as a generator, else as a list."""

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, list(fields))
        return iter(pieces) if lazy else list(pieces)

    return app


class Closing:
    """An iterable that remembers whether it was closed, and may raise on the way."""

    def __init__(self, pieces: Iterable[bytes], error: BaseException | None = None) -> None:
        self._pieces = pieces
        self._error = error
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self.closed += 1


class Answers:
    """Framing, by what the app gives and what the client speaks."""

    def test_one_piece_has_its_length(self: Any) -> None:
        answer = self.talk(self.start(answering(b"hello", lazy=False)), LAST)
        self.assertIn(b"\r\nContent-Length: 5\r\n", answer)
        self.assertIn(b"\r\nDate: ", answer)
        self.assertTrue(answer.endswith(b"\r\nConnection: close\r\n\r\nhello"))

    def test_several_pieces_are_chunks_for_http11(self: Any) -> None:
        answer = self.talk(self.start(answering(b"he", b"", b"llo")), LAST)
        self.assertIn(b"\r\nTransfer-Encoding: chunked\r\n", answer)
        self.assertTrue(answer.endswith(b"\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"))

    def test_several_pieces_end_with_the_connection_for_http10(self: Any) -> None:
        request = b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        answer = self.talk(self.start(answering(b"he", b"llo")), request)
        self.assertNotIn(b"chunked", answer)
        self.assertTrue(answer.endswith(b"\r\nConnection: close\r\n\r\nhello"))

    def test_several_pieces_with_a_length(self: Any) -> None:
        app = answering(b"he", b"llo", fields=[("Content-Length", "5")])
        answer = self.talk(self.start(app), LAST10)
        self.assertTrue(answer.endswith(b"\r\n\r\nhello"))
        self.assertEqual(statuses(self.talk(self.start(app), GET + LAST)), [200, 200])

    def test_nothing_at_all(self: Any) -> None:
        for lazy in (True, False):
            answer = self.talk(self.start(answering(lazy=lazy)), LAST)
            self.assertIn(b"\r\nContent-Length: 0\r\n", answer)

    def test_head_and_bodiless_statuses_have_no_body(self: Any) -> None:
        for status, request in (("200 OK", HEAD), ("204 No Content", LAST), ("304 Not Modified", LAST)):
            for lazy, pieces in ((True, (b"he", b"llo")), (False, (b"hello",))):
                with self.subTest(status=status, lazy=lazy):
                    answer = self.talk(self.start(answering(*pieces, status=status, lazy=lazy)), request)
                    self.assertTrue(answer.endswith(b"\r\n\r\n"))
                    self.assertEqual(answer.count(b"\r\n\r\n"), 1)
                    self.assertNotIn(b"chunked", answer)
                    self.assertEqual(b"Content-Length" in answer, status == "200 OK" and not lazy)

    def test_write_sends_at_once(self: Any) -> None:
        def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            write = start_response("200 OK", [("Content-Length", "6")])
            write(b"abc")
            return [b"def"]

        self.assertTrue(self.talk(self.start(app), LAST).endswith(b"\r\n\r\nabcdef"))

    def test_pieces_leave_as_they_come(self: Any) -> None:
        with self.start(None_until_asked := Stepwise()).connect() as client:
            client.sendall(LAST)
            read_until(client, b"5\r\nfirst\r\n")
            None_until_asked.go_on()
            self.assertTrue(read_all(client).endswith(b"6\r\nsecond\r\n0\r\n\r\n"))

    def test_a_stream_for_a_slow_client_arrives_whole(self: Any) -> None:
        piece = bytes(range(256)) * 256

        def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Length", str(len(piece) * 100))])
            return (piece for _ in range(100))

        with self.start(app).connect() as client:
            client.sendall(LAST)
            self.assertTrue(read_all(client).endswith(b"\r\n\r\n" + piece * 100))


class Stepwise:
    """An app that gives its second piece only when told."""

    def __init__(self) -> None:
        import threading

        self._event = threading.Event()
        self.go_on = self._event.set

    def __call__(self, _environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        self._event.wait(10)
        yield b"second"


class Faults:
    """An app that does it wrong costs itself an answer and nobody else anything."""

    def test_before_the_first_byte_it_is_a_500(self: Any) -> None:
        def raises(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
            raise ValueError("secret")

        def exits(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
            raise SystemExit(1)

        def is_cancelled(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
            raise asyncio.CancelledError  # no Exception, like KeyboardInterrupt and the time-outs of some libraries

        def mute(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
            return [b"hello"]

        def twice(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            start_response("200 OK", [])
            start_response("200 OK", [])
            return []

        apps: dict[str, App] = {
            "raises": raises,
            "exits": exits,
            "is cancelled": is_cancelled,
            "does not start": mute,
            "starts twice": twice,
            "returns nothing": lambda _environ, start: start("200 OK", []) and None,  # type: ignore[dict-item]
            "returns text": answering("hello", lazy=False),  # type: ignore[arg-type]
            "splits the response": answering(b"", fields=[("A", "b\r\nSet-Cookie: c")], lazy=False),
            "sends hop-by-hop": answering(b"", fields=[("Transfer-Encoding", "chunked")], lazy=False),
            "sends no status": answering(b"", status="hello", lazy=False),
            "sends a wrong length": answering(b"hello", fields=[("Content-Length", "6")], lazy=False),
            "sends Chinese in a header": answering(b"", fields=[("A", "你")], lazy=False),
            "raises in its iterable": lambda _environ, start: (
                start("200 OK", []) and Closing([], ValueError())  # type: ignore[return-value]
            ),
        }
        for name, app in apps.items():
            with self.subTest(name), self.assertLogs("wxserve.server", "ERROR"):
                answer = self.talk(self.start(app), GET + GET)
                self.assertEqual(statuses(answer), [500])
                self.assertNotIn(b"secret", answer)
                self.assertNotIn(b"Set-Cookie", answer)

    def test_after_the_first_byte_it_is_a_cut(self: Any) -> None:
        def length_too_small(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            start("200 OK", [("Content-Length", "4")])
            return iter((b"he", b"llo"))

        def length_too_large(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            start("200 OK", [("Content-Length", "6")])
            return iter((b"he", b"llo"))

        def raises(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            start("200 OK", [])
            return Closing((b"he", b"llo"), ValueError())

        def is_cancelled(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            start("200 OK", [])
            return Closing((b"he", b"llo"), asyncio.CancelledError())

        def starts_again(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            start("200 OK", [("Content-Length", "5")])(b"he")
            start("200 OK", [], sys.exc_info())  # there is none: PEP 3333 wants what was raised raised again
            return [b"llo"]

        for app in (length_too_small, length_too_large, raises, is_cancelled, starts_again):
            with self.subTest(app=app.__name__), self.assertLogs("wxserve.server", "ERROR"):
                answer = self.talk(self.start(app), GET + GET)
                self.assertNotIn(b"\r\n0\r\n\r\n", answer)
                self.assertNotIn(b"500", answer)
                self.assertNotIn(b"hello!", answer)

    def test_the_500_can_be_read_although_the_client_is_still_sending(self: Any) -> None:
        def raises(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
            raise ValueError

        running = self.start(raises, linger_timeout=PATIENCE)
        with self.assertLogs("wxserve.server", "ERROR"), running.connect() as client:
            client.sendall(GET)
            answer = read_until(client, b"\r\n\r\nInternal Server Error\n")
            # Were the connection closed by now, the first would bring a reset and the second an error.
            for _ in range(2):
                client.sendall(GET)
            self.assertEqual(statuses(answer + read_all(client)), [500])

    def test_iterables_are_closed_once_whatever_happens(self: Any) -> None:
        for pieces, error in (((b"a", b"b"), None), ((b"a",), ValueError()), ((), ValueError())):
            body = Closing(pieces, error)

            def app(_environ: dict[str, Any], start: Callable[..., Any], body: Closing = body) -> Closing:
                start("200 OK", [])
                return body

            if error is None:
                self.talk(self.start(app), LAST)
            else:
                with self.assertLogs("wxserve.server", "ERROR"):
                    self.talk(self.start(app), LAST)
            self.assertEqual(body.closed, 1)

    def test_a_client_that_leaves_ends_the_stream(self: Any) -> None:
        body = Closing(b"x" * 65536 for _ in range(1_000_000))

        def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Closing:
            start("200 OK", [])
            return body

        with self.start(app).connect() as client:
            client.sendall(GET)
            client.recv(1000)
        wait_for(lambda: body.closed == 1)

    def test_a_write_after_the_end_goes_nowhere(self: Any) -> None:
        writes: list[Callable[[bytes], None]] = []

        def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if not writes:
                writes.append(start("200 OK", []))
                return [b"first"]
            writes[0](b"HTTP/1.1 200 OK\r\n\r\n")
            return hello(environ, start)

        with self.assertLogs("wxserve.server", "ERROR"):
            self.assertEqual(statuses(self.talk(self.start(app), GET + LAST)), [200, 500])

    def test_exc_info_replaces_an_answer_that_has_not_left(self: Any) -> None:
        def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            start("200 OK", [])
            try:
                raise ValueError
            except ValueError:
                start("418 Teapot", [], sys.exc_info())
            return [b"short and stout"]

        self.assertEqual(statuses(self.talk(self.start(app), LAST)), [418])

    def test_the_next_request_is_served_after_a_fault(self: Any) -> None:
        def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if environ["PATH_INFO"] == "/bad":
                raise ValueError
            return hello(environ, start)

        running = self.start(app)
        with self.assertLogs("wxserve.server", "ERROR"):
            self.talk(running, b"GET /bad HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(statuses(self.talk(running, LAST)), [200])


class Environ:
    """What the app is told."""

    def environ(self: Any, request: bytes, **options: Any) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            seen.update(environ)
            return hello(environ, start)

        self.talk(self.start(app, **options), request)
        return seen

    def test_pep_3333_holds(self: Any) -> None:
        post = LAST.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello")
        for request in (LAST, HEAD, LAST10, post):
            app = answering(b"hello", fields=[("Content-Type", "text/plain")])
            self.assertEqual(statuses(self.talk(self.start(validator(drained(app))), request)), [200])

    def test_what_it_says(self: Any) -> None:
        environ = self.environ(LAST, threads=3)
        self.assertEqual(environ["wsgi.url_scheme"], "http")
        self.assertTrue(environ["wsgi.multithread"])
        self.assertFalse(environ["wsgi.multiprocess"])
        self.assertTrue(environ["wsgi.input_terminated"])
        self.assertEqual(environ["SCRIPT_NAME"], "")
        self.assertEqual(environ["REMOTE_ADDR"], "" if self.unix else "127.0.0.1")
        self.assertEqual(environ["SERVER_NAME"], "localhost" if self.unix else "127.0.0.1")
        self.assertRegex(environ["SERVER_PORT"], "^80$" if self.unix else "^[0-9]{4,5}$")
        self.assertFalse(self.environ(LAST, threads=1)["wsgi.multithread"])

    def test_who_is_believed_about_the_client(self: Any) -> None:
        word = b"\r\nX-Forwarded-For: 9.9.9.9, 1.2.3.4\r\nX-Forwarded-Proto: https\r\n\r\n"
        request = LAST.replace(b"\r\n\r\n", word)
        stranger = self.environ(request)
        self.assertEqual(stranger["REMOTE_ADDR"], "1.2.3.4" if self.unix else "127.0.0.1")
        self.assertEqual(stranger["wsgi.url_scheme"], "https" if self.unix else "http")
        friend = self.environ(request, trusted=("127.0.0.0/8",))
        self.assertEqual((friend["REMOTE_ADDR"], friend["wsgi.url_scheme"]), ("1.2.3.4", "https"))
        self.assertNotIn("REMOTE_PORT", friend)
        halves = [LAST.replace(b"\r\n\r\n", b"\r\n" + half + b"\r\n\r\n") for half in word.strip().split(b"\r\n")]
        of, over = (self.environ(half, trusted=("127.0.0.0/8",)) for half in halves)
        self.assertEqual((of["REMOTE_ADDR"], of["wsgi.url_scheme"]), ("1.2.3.4", "http"))
        self.assertEqual((over["REMOTE_ADDR"], over["wsgi.url_scheme"]), ("" if self.unix else "127.0.0.1", "https"))


def drained(app: App) -> App:
    """wsgiref's validator wants a read of the body to be bounded, and an iterator that is no list."""

    def read_first(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return app(environ, start)

    return read_first


class OverTCP(Answers, Faults, Environ, ServerCase):
    pass


class OverUnixSocket(Answers, Faults, Environ, ServerCase):
    unix = True


class WithoutEpoll(Answers, Faults, Environ, ServerCase):
    epoll = False


if __name__ == "__main__":
    unittest.main()
