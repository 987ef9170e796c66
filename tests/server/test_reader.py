"""A stream of bytes becomes requests, however it is cut; and a seeded fuzz of it."""

from __future__ import annotations

import random
import unittest

from weixin.server.http import HeadParser, HTTPError, Request
from weixin.server.options import Options
from weixin.server.reader import Reader

PARSER = HeadParser(Options(body_max=1000))
Read = list[tuple[str, str, dict[str, str], bytes]]


def collect(pieces: list[bytes]) -> tuple[Read, int, int]:
    """What is read from a stream in these pieces: requests, status of a refusal (0: none), bytes left."""
    reader = Reader(PARSER)
    requests: Read = []
    for piece in pieces:
        try:
            request = reader.feed(piece)
            while request is not None:
                requests.append((request.method, request.target, request.environ(), request.body))
                request = reader.feed(b"")
        except HTTPError as error:
            return requests, error.status, 0
    return requests, 0, reader.pending


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
GOOD = {
    "a get": b"GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n",
    "one empty line before": b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "http/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "a body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "a body of CRLF": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n",
    "an empty body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "chunks": CHUNKED + b"5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n",
    "no chunk": CHUNKED + b"0\r\n\r\n",
    "trailers": CHUNKED + b"1\r\na\r\n000\r\nA: b\r\nC:\r\n\r\n",
    "a chunk of CRLF": CHUNKED + b"4\r\n\r\n\r\n\r\n0\r\n\r\n",
    "a pipeline": b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" * 3,
}
BAD = {
    "two empty lines": (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a chunk too long": (CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n", 400),
    "a chunk too short": (CHUNKED + b"6\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk ends in LF": (CHUNKED + b"5\r\nhello\n0\r\n\r\n", 400),
    "a size ends in LF": (CHUNKED + b"5\nhello\r\n0\r\n\r\n", 400),
    "a size ends in CR": (CHUNKED + b"5\rhello\r\n0\r\n\r\n", 400),
    "no size": (CHUNKED + b"\r\nhello\r\n0\r\n\r\n", 400),
    "a long size line": (CHUNKED + b"5;" + b"a" * 1100, 400),
    "many extensions": (CHUNKED + (b"1;" + b"a" * 900 + b"\r\nx\r\n") * 6, 400),
    "a large body": (CHUNKED + b"3e9\r\n", 413),
    "a large body in pieces": (CHUNKED + (b"64\r\n" + b"x" * 100 + b"\r\n") * 11, 413),
    "a bad trailer": (CHUNKED + b"0\r\nA : b\r\n\r\n", 400),
    "a folded trailer": (CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n", 400),
    "many trailers": (CHUNKED + b"0\r\n" + b"A: b\r\n" * 101, 431),
    "a long trailer": (CHUNKED + b"0\r\nA: " + b"b" * 8200, 431),
    "large trailers": (CHUNKED + b"0\r\n" + (b"A: " + b"b" * 8000 + b"\r\n") * 5, 431),
    "a request after a bad one": (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
}


class ThreeWays(unittest.TestCase):
    """Every sample whole, byte by byte, and with more bytes behind it."""

    def test_good_streams(self) -> None:
        for name, data in GOOD.items():
            with self.subTest(name):
                whole = collect([data])
                self.assertGreaterEqual(len(whole[0]), 1)
                self.assertEqual(whole[1:], (0, 0))
                self.assertEqual(collect([data[i : i + 1] for i in range(len(data))]), whole)
                requests, status, left = collect([data + b"GE"])
                self.assertEqual((requests, status, left), (whole[0], 0, 2))

    def test_good_streams_cut_anywhere(self) -> None:
        for name, data in GOOD.items():
            whole = collect([data])
            for cut in range(len(data)):
                with self.subTest(name, cut=cut):
                    self.assertEqual(collect([data[:cut], data[cut:]]), whole)

    def test_bad_streams(self) -> None:
        for name, (data, status) in BAD.items():
            with self.subTest(name):
                self.assertEqual(collect([data])[:2], ([], status))
                self.assertEqual(collect([data[i : i + 1] for i in range(len(data))])[:2], ([], status))

    def test_what_a_chunked_body_says_of_itself(self) -> None:
        (_, _, environ, body), *_ = collect([GOOD["chunks"]])[0]
        self.assertEqual((environ["CONTENT_LENGTH"], body), ("6", b"hello!"))
        self.assertNotIn("HTTP_TRANSFER_ENCODING", environ)


class Expectation(unittest.TestCase):
    HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

    def test_is_told_once_while_the_body_is_awaited(self) -> None:
        reader = Reader(PARSER)
        self.assertIsNone(reader.feed(self.HEAD))
        self.assertEqual([reader.take_expectation(), reader.take_expectation()], [True, False])
        self.assertIsNotNone(reader.feed(b"ab"))

    def test_is_void_when_the_body_has_begun(self) -> None:
        reader = Reader(PARSER)
        self.assertIsNone(reader.feed(self.HEAD + b"a"))
        self.assertFalse(reader.take_expectation())


def serialise(request: Request) -> bytes:
    """The request again, from what was understood of it."""
    environ = request.environ()
    lines = [f"{request.method} {request.target} {environ['SERVER_PROTOCOL']}"]
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            lines.append(f"{key[5:].replace('_', '-')}: {value}")
        elif key == "CONTENT_TYPE":
            lines.append(f"Content-Type: {value}")
    lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + request.body


class Fuzz(unittest.TestCase):
    """Mutations of valid requests: whatever is understood means the same when it is said again."""

    ROUNDS = 4000
    PIECES = (
        b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\x0b", b"\x85", b":", b";", b",", b"0", b"5\r\n",
        b"-1",
        b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n", b"HTTP/1.0", b"http://c/",
        b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"\xff", b"_", b"chunked", b"0\r\n\r\n",
    )  # fmt: skip

    def mutate(self, random: random.Random, data: bytes) -> bytes:
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(data) + 1)
            to = min(len(data), at + random.choice((0, 1, 1, 2, 8)))
            what = random.randrange(4)
            if what == 0:
                data = data[:at] + data[to:]
            elif what == 1:
                data = data[:at] + random.choice(self.PIECES) + data[at:]
            elif what == 2:
                data = data[:at] + random.choice(self.PIECES) + data[to:]
            else:
                data = data[:to] + data[at:to] + data[to:]
        return data

    def test_is_refused_or_understood_without_a_doubt(self) -> None:
        dice = random.Random(20090318)
        samples = list(GOOD.values())
        understood = refused = 0
        for _ in range(self.ROUNDS):
            data = self.mutate(dice, dice.choice(samples))
            with self.subTest(data=data):
                cut = sorted(dice.randrange(len(data) + 1) for _ in range(3))
                pieces = [data[a:b] for a, b in zip([0, *cut], [*cut, len(data)])]
                whole = collect([data])
                # Where two things are wrong, the cut decides which is seen first: the status may differ.
                requests, status, left = collect(pieces)
                self.assertEqual((requests, status != 0, left), (whole[0], whole[1] != 0, whole[2]))
                refused += whole[1] != 0
                reader = Reader(PARSER)
                try:
                    request = reader.feed(data)
                except HTTPError as error:
                    self.assertIn(error.status, (400, 413, 414, 417, 431, 501, 505))
                    continue
                if request is None:
                    continue
                understood += 1
                self.check_same_again(request)
        self.assertGreater(understood, self.ROUNDS // 20)
        self.assertGreater(refused, self.ROUNDS // 20)

    def check_same_again(self, request: Request) -> None:
        again = Reader(PARSER).feed(serialise(request))
        assert again is not None
        for attribute in ("method", "path", "query"):
            self.assertEqual(getattr(again, attribute), getattr(request, attribute))
        self.assertEqual(again.body, request.body)
        self.assertEqual(again.fields.keep_alive, request.fields.keep_alive)
        first, second = request.environ(), again.environ()
        for environ in (first, second):
            environ["CONTENT_LENGTH"] = environ.get("CONTENT_LENGTH") or "0"
        self.assertEqual(first, second)


class Announcements(unittest.TestCase):
    """What a body says of its size, told once."""

    def test_a_length_is_known_at_once(self) -> None:
        reader = Reader(HeadParser(Options()))
        reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx")
        self.assertEqual((reader.take_announced(), reader.take_announced()), (1000, 0))
        reader.feed(b"x")
        self.assertEqual(reader.take_announced(), 0)

    def test_chunks_announce_themselves_one_by_one(self) -> None:
        reader = Reader(HeadParser(Options()))
        reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.assertEqual(reader.take_announced(), 0)
        reader.feed(b"3\r\nabc\r\n10\r\nx")
        self.assertEqual((reader.take_announced(), reader.take_announced()), (19, 0))
        self.assertIsNotNone(reader.feed(b"x" * 15 + b"\r\n0\r\n\r\n"))
        self.assertEqual(reader.take_announced(), 0)


if __name__ == "__main__":
    unittest.main()
