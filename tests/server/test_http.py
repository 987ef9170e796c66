"""Requests, from tables: what is read, and what is refused with which status."""

from __future__ import annotations

import unittest

from weixin.server.http import (
    REMEMBERED_BLOCKS,
    HeadParser,
    HTTPError,
    Request,
    check_partial_head,
    parse_chunk_line,
    parse_trailer,
)
from weixin.server.options import Options

GET = b"GET / HTTP/1.1\r\nHost: a"


def parse(head: bytes, **options: int) -> Request:
    return HeadParser(Options(**options)).parse(head)


def status_of(head: bytes, **options: int) -> int:
    """The status a head is refused with; 0 when it is read."""
    try:
        parse(head, **options)
    except HTTPError as error:
        return error.status
    return 0


class RequestLine(unittest.TestCase):
    CASES = (
        (b"GET / HTTP/1.1", 0),
        (b"GET /a?b=c HTTP/1.1", 0),
        (b"PATCH /a HTTP/1.1", 0),
        (b"x!#$%&'*+.^_`|~9 /a HTTP/1.1", 0),
        (b"GET //a HTTP/1.1", 0),
        (b"GET http://a/b HTTP/1.1", 0),
        (b"GET HTTPS://a:80/b HTTP/1.1", 0),
        (b"GET http://[::1]:80 HTTP/1.1", 0),
        (b"OPTIONS * HTTP/1.1", 0),
        (b"GET /" + b"a" * 8000 + b" HTTP/1.1", 0),
        (b"GET /" + b"a" * 8192 + b" HTTP/1.1", 414),
        (b"", 400),
        (b"GET", 400),
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET /  HTTP/1.1", 400),
        (b" GET / HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET\t/\tHTTP/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET /\x80 HTTP/1.1", 400),
        (b"GET /\x0b HTTP/1.1", 400),
        (b"G(T / HTTP/1.1", 400),
        (b"GET / http/1.1", 400),
        (b"GET / HTTP/1", 400),
        (b"GET / HTTP/1.10", 400),
        (b"GET / HTTP/11", 400),
        (b"GET / HTTP/\xb2.1", 400),
        (b"GET / HTTP/1.2", 505),
        (b"GET / HTTP/0.9", 505),
        (b"GET / HTTP/2.0", 505),
        (b"PRI * HTTP/2.0", 505),
        (b"GET a HTTP/1.1", 400),
        (b"GET * HTTP/1.1", 400),
        (b"GET ?a HTTP/1.1", 400),
        (b"GET /a#b HTTP/1.1", 400),
        (b"GET ftp://a/ HTTP/1.1", 400),
        (b"GET http:///a HTTP/1.1", 400),
        (b"GET http://a:65536/ HTTP/1.1", 400),
        (b"GET http://[::1::2]/ HTTP/1.1", 400),
        (b"GET http://u@a/ HTTP/1.1", 400),
        (b"GET http://a b/ HTTP/1.1", 400),
        (b"GET http://a/#b HTTP/1.1", 400),
        (b"CONNECT a:443 HTTP/1.1", 501),
        (b"CONNECT / HTTP/1.1", 501),
        (b"connect / HTTP/1.1", 0),
    )

    def test_is_read_or_refused_with_its_status(self) -> None:
        for line, status in self.CASES:
            with self.subTest(line=line[:60]):
                self.assertEqual(status_of(line + b"\r\nHost: a"), status)

    def test_gives_method_path_and_query(self) -> None:
        environ = parse(b"PUT /a%20b/%E4%BD%A0?x=%20&y HTTP/1.0").environ()
        self.assertEqual(environ["REQUEST_METHOD"], "PUT")
        self.assertEqual(environ["PATH_INFO"].encode("latin-1").decode(), "/a b/你")
        self.assertEqual(environ["QUERY_STRING"], "x=%20&y")
        self.assertEqual(environ["SERVER_PROTOCOL"], "HTTP/1.0")
        self.assertEqual(environ["REQUEST_URI"], "/a%20b/%E4%BD%A0?x=%20&y")

    def test_absolute_target_replaces_host(self) -> None:
        for target, path in ((b"http://b:8/c?d", "/c"), (b"http://b:8", "/"), (b"http://b:8?d", "/")):
            environ = parse(b"GET " + target + b" HTTP/1.1\r\nHost: a").environ()
            self.assertEqual((environ["HTTP_HOST"], environ["PATH_INFO"]), ("b:8", path))


class Head(unittest.TestCase):
    CASES = (
        (GET, 0),
        (b"GET / HTTP/1.0", 0),
        (b"GET / HTTP/1.1", 400),
        (GET + b"\r\nHost: a", 400),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: a", 400),
        (GET + b"\r\nA: b", 0),
        (GET + b"\r\nA:b", 0),
        (GET + b"\r\nA: \t b \t", 0),
        (GET + b"\r\nA:", 0),
        (GET + b"\r\nA: \x80\xff", 0),
        (GET + b"\r\nA : b", 400),
        (GET + b"\r\nA\t: b", 400),
        (GET + b"\r\n: b", 400),
        (GET + b"\r\nA", 400),
        (GET + b"\r\n A: b", 400),
        (GET + b"\r\nA: b\r\n c", 400),
        (GET + b"\r\nA: b\r\n\tc", 400),
        (GET + b"\r\nA\x80: b", 400),
        (GET + b"\r\nA(: b", 400),
        (GET + b"\r\nA: b\nC: d", 400),
        (GET + b"\r\nA: b\rC: d", 400),
        (GET + b"\r\nA: b\r", 400),
        (GET + b"\r\nA: b\n", 400),
        (GET + b"\r\nA: \x00", 400),
        (GET + b"\r\nA: \x0b", 400),
        (GET + b"\r\nA: \x7f", 400),
        (GET + b"\r\nA\x00: b", 400),
        (GET + b"\r\nA: " + b"b" * 8000, 0),
        (GET + b"\r\nA: " + b"b" * 8192, 431),
        (GET + (b"\r\nA: " + b"b" * 8000) * 5, 431),
        (GET + b"\r\nA: b" * 99, 0),
        (GET + b"\r\nA: b" * 100, 431),
    )

    def test_is_read_or_refused_with_its_status(self) -> None:
        for head, status in self.CASES:
            with self.subTest(head=head[:60]):
                self.assertEqual(status_of(head), status)

    def test_strips_spaces_and_tabs_only(self) -> None:
        environ = parse(GET + b"\r\nA: \t\x85b\xa0 \t").environ()
        self.assertEqual(environ["HTTP_A"], "\x85b\xa0")

    def test_names_that_could_pose_as_others_are_dropped(self) -> None:
        head = GET + b"\r\nX_A: 1\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nProxy: b\r\npRoXy: c"
        request = parse(head)
        self.assertEqual([key for key in request.environ() if key.startswith("HTTP_")], ["HTTP_HOST"])
        self.assertEqual((request.fields.length, request.fields.chunked), (0, False))

    def test_repeated_fields_are_joined(self) -> None:
        environ = parse(GET + b"\r\nA: b\r\na: c\r\nCookie: d\r\nCookie: e").environ()
        self.assertEqual((environ["HTTP_A"], environ["HTTP_COOKIE"]), ("b,c", "d; e"))

    def test_content_type_has_no_prefix(self) -> None:
        self.assertEqual(parse(GET + b"\r\ncOnTeNt-TyPe: text/xml").environ()["CONTENT_TYPE"], "text/xml")

    def test_host(self) -> None:
        good = (
            "a|a.b-c.d:80|127.0.0.1:9527|a:|a:0|a:65535|a:00080|0.0.0.0=5000|%41.b|a_b|"
            "[::1]|[::1]:80|[::1]:|[2001:db8::1]|[::ffff:1.2.3.4]|[v1.a:b]"
        )
        bad = (
            "|a b|a/b|a?b|a#b|u@a|a:b|a:80:80|a, b|a:80,b:80|%4|a\\b|a:123456|a:65536|a:99999|a:-1|:80|"
            "[::1|::1|[g]|[]|[:]|[....]|[1.2.3.4]|[::1::2]|[12345::]|[1:2:3:4:5:6:7:8:9]|[::1]x|[::1]:65536|"
            "[::1%eth0]|[fe80::1%25eth0]|[::1]:b|[v.a]|[v1.]"
        )
        for host in good.split("|"):
            with self.subTest(host=host):
                self.assertEqual(status_of(b"GET / HTTP/1.1\r\nHost: " + host.encode()), 0)
        for host in bad.split("|"):
            with self.subTest(host=host):
                self.assertEqual(status_of(b"GET / HTTP/1.1\r\nHost: " + host.encode()), 400)
                self.assertEqual(status_of(b"GET / HTTP/1.0\r\nHost: " + host.encode()), 400)


class KeepAlive(unittest.TestCase):
    CASES = (
        (b"1.1", b"", True),
        (b"1.1", b"\r\nConnection: close", False),
        (b"1.1", b"\r\nConnection: x, CLOSE", False),
        (b"1.1", b"\r\nConnection: x\r\nConnection: close", False),
        (b"1.1", b"\r\nConnection: keep-alive", True),
        (b"1.1", b"\r\nConnection: closed", True),
        (b"1.0", b"", False),
        (b"1.0", b"\r\nConnection: Keep-Alive", True),
        (b"1.0", b"\r\nConnection: keep-alive, close", False),
    )

    def test_follows_version_and_tokens(self) -> None:
        for version, fields, keep in self.CASES:
            with self.subTest(version=version, fields=fields):
                request = parse(b"GET / HTTP/" + version + b"\r\nHost: a" + fields)
                self.assertIs(request.fields.keep_alive, keep)


class Framing(unittest.TestCase):
    CASES = (
        (b"Content-Length: 0", 0),
        (b"Content-Length: 5", 0),
        (b"Content-Length: 0005", 0),
        (b"Content-Length: 100", 0),
        (b"Content-Length: 101", 413),
        (b"Content-Length: " + b"9" * 18, 413),
        (b"Content-Length: " + b"9" * 19, 400),
        (b"Content-Length:", 400),
        (b"Content-Length: +5", 400),
        (b"Content-Length: -5", 400),
        (b"Content-Length: 5_0", 400),
        (b"Content-Length: 0x5", 400),
        (b"Content-Length: 5 5", 400),
        (b"Content-Length: 5, 5", 400),
        (b"Content-Length: 5\r\nContent-Length: 5", 400),
        (b"Content-Length: \xb2", 400),
        (b"Content-Length: \xa05", 400),
        (b"Transfer-Encoding: chunked", 0),
        (b"Transfer-Encoding: Chunked", 0),
        (b"Transfer-Encoding: , chunked ,", 0),
        (b"Transfer-Encoding:\r\nTransfer-Encoding: chunked", 0),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: chunked, chunked", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: chunked, gzip", 400),
        (b"Transfer-Encoding:", 400),
        (b"Transfer-Encoding: ,", 400),
        (b"Transfer-Encoding: gzip, chunked", 501),
        (b"Transfer-Encoding: gzip", 501),
        (b"Transfer-Encoding: identity", 501),
        (b"Transfer-Encoding: xchunked", 501),
        (b"Transfer-Encoding: chunked;a=b", 501),
        (b'Transfer-Encoding: "chunked"', 501),
        (b"Transfer-Encoding: \x85chunked", 501),
        (b"Transfer-Encoding: \x0bchunked", 400),
        (b"Expect: 100-continue", 0),
        (b"Expect: 100-Continue", 0),
        (b"Expect: 200-ok", 417),
        (b"Expect:", 417),
    )

    def test_is_unmistakable_or_refused(self) -> None:
        for fields, status in self.CASES:
            with self.subTest(fields=fields):
                self.assertEqual(status_of(GET + b"\r\n" + fields, body_max=100), status)

    def test_http10_knows_neither_chunks_nor_expectations(self) -> None:
        self.assertEqual(status_of(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked"), 400)
        request = parse(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5")
        self.assertFalse(request.fields.expects)

    def test_nothing_is_expected_without_a_body(self) -> None:
        self.assertFalse(parse(GET + b"\r\nExpect: 100-continue").fields.expects)
        self.assertTrue(parse(GET + b"\r\nExpect: 100-continue\r\nContent-Length: 1").fields.expects)

    def test_content_length_is_handed_on_in_one_spelling(self) -> None:
        self.assertEqual(parse(GET + b"\r\nContent-Length: 005").environ()["CONTENT_LENGTH"], "5")


class PartialHead(unittest.TestCase):
    CASES = (
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),  # TLS
        (b"\x00", 400),
        (b"hello world, how are you", 400),
        (b"SSH-2.0-OpenSSH_9.2", 0),  # a token so far
        (b"SSH-2.0-OpenSSH_9.2\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a", 400),
        (b"GET / HTTP/1.1\rHost: a", 400),
        (b"GET / HTTP/3.1\r\n", 505),
        (b"CONNECT a:1 HTTP/1.1\r\n", 501),
        (b"\r\n\r", 400),
        (b"GET / HTTP/1.1\r\nA: \x00", 400),
        (b"GET / HTTP/1.1\r\nA: b\nC", 400),
        (b"GET / HTTP/1.1\r", 0),
        (b"GET / HTTP/1.1\r\nA: b\r", 0),
        (b"GET /" + b"a" * 8190, 414),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 8190, 431),
        (b"GET / HTTP/1.1" + (b"\r\nA: " + b"a" * 8000) * 5, 431),
    )

    def test_is_refused_as_soon_as_it_is_hopeless(self) -> None:
        for data, status in self.CASES:
            with self.subTest(data=data[:60]):
                got = 0
                try:
                    check_partial_head(data, Options())
                except HTTPError as error:
                    got = error.status
                self.assertEqual(got, status)


class Memory(unittest.TestCase):
    def test_of_fields_changes_nothing_of_what_is_parsed(self) -> None:
        parser = HeadParser(Options())
        head = b"\r\nHost: a\r\nX-B: c\r\nTransfer-Encoding: chunked"
        first = parser.parse(b"GET /1 HTTP/1.1" + head)
        first.body = b"abc"
        first.environ()["HTTP_X_B"] = "changed"
        again = parser.parse(b"GET /2 HTTP/1.1" + head)
        self.assertIs(again.fields, first.fields)
        again.body = b""
        self.assertEqual((again.environ()["HTTP_X_B"], again.environ()["CONTENT_LENGTH"]), ("c", "0"))
        self.assertEqual(again.environ()["PATH_INFO"], "/2")

    def test_is_of_what_is_common_to_all_too_and_each_request_has_its_own_copy(self) -> None:
        common = {"REQUEST_METHOD": "", "wsgi.run_once": False}
        parser = HeadParser(Options(), common)
        for number in range(2):
            environ = parser.parse(GET).environ()
            self.assertEqual((environ["REQUEST_METHOD"], environ["wsgi.run_once"]), ("GET", False), number)
            environ["wsgi.run_once"] = True
        self.assertEqual(common, {"REQUEST_METHOD": "", "wsgi.run_once": False})

    def test_tells_versions_apart(self) -> None:
        parser = HeadParser(Options())
        self.assertFalse(parser.parse(b"GET / HTTP/1.0\r\nHost: a").fields.keep_alive)
        self.assertTrue(parser.parse(b"GET / HTTP/1.1\r\nHost: a").fields.keep_alive)
        parser.parse(b"GET / HTTP/1.0")
        with self.assertRaises(HTTPError):
            parser.parse(b"GET / HTTP/1.1")

    def test_tells_the_end_of_a_head_from_a_bare_cr_there(self) -> None:
        parser = HeadParser(Options())
        for good, bad in (
            (b"GET / HTTP/1.0", b"GET / HTTP/1.0\r"),
            (b"GET / HTTP/1.0\r\nHost: a", b"GET / HTTP/1.0\r\nHost: a\r"),
            (b"GET / HTTP/1.0\r\nHost: a", b"GET / HTTP/1.0\r\r\nHost: a"),
            (b"GET / HTTP/1.0\r\nHost: a", b"GET / HTTP/1.0\rHost: a"),
        ):
            parser.parse(good)
            with self.subTest(bad=bad), self.assertRaises(HTTPError):
                parser.parse(bad)

    def test_is_bounded_and_never_keeps_what_was_refused(self) -> None:
        parser = HeadParser(Options())
        for number in range(REMEMBERED_BLOCKS * 3):
            parser.parse(GET + b"\r\nA: %d" % number)
            self.assertLessEqual(len(parser._seen), REMEMBERED_BLOCKS)
        for _ in range(2):
            with self.assertRaises(HTTPError):
                parser.parse(GET + b"\r\nA : b")


class Chunks(unittest.TestCase):
    CASES = (
        (b"5", (5, 0)),
        (b"fF", (255, 0)),
        (b"00000005", (5, 0)),
        (b"5;a", (5, 2)),
        (b"5;a=b;c=d", (5, 8)),
        (b"5 ; a = b", (5, 8)),
        (b'5;a="b \\" ; c"', (5, 13)),
        (b"", None),
        (b"5 ", None),
        (b" 5", None),
        (b"0x5", None),
        (b"+5", None),
        (b"-5", None),
        (b"5_0", None),
        (b"000000005", None),
        (b"5;", None),
        (b"5;=b", None),
        (b"5;a=", None),
        (b'5;a="b', None),
        (b'5;a="b"c', None),
        (b"5;a b", None),
        (b"5\n", None),
        (b"5;a\rb", None),
        (b"5;a=\x00", None),
        (b"\xb2", None),
    )

    def test_size_and_extensions(self) -> None:
        for line, expected in self.CASES:
            with self.subTest(line=line):
                if expected is None:
                    with self.assertRaises(HTTPError):
                        parse_chunk_line(line)
                else:
                    self.assertEqual(parse_chunk_line(line), expected)

    def test_trailers_follow_the_rules_of_fields(self) -> None:
        parse_trailer(b"A: b")
        for line in (b"A : b", b" a: b", b"A", b": b", b"A: \x00", b"A: b\nC: d", b"A: b\r"):
            with self.subTest(line=line), self.assertRaises(HTTPError):
                parse_trailer(line)


if __name__ == "__main__":
    unittest.main()
