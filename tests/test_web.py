"""Queries and bodies as the platform and strangers send them."""

from __future__ import annotations

import io
import unittest
from urllib.parse import parse_qsl

from weixin import web


class Query(unittest.TestCase):
    def test_it_reads_what_the_standard_library_reads(self) -> None:
        cases = [
            "signature=f464b2&timestamp=1714036504&nonce=1514711492&echostr=4375120948345356249",
            "a=1&b=%E4%BD%A0&c=x+y&d=1%2B2&e=%zz",
            "a=b=c&&=&x",
            "%61=1",
        ]
        for text in cases:
            with self.subTest(text):
                expected = {name: value for name, value in parse_qsl(text, keep_blank_values=True) if name}
                self.assertEqual(web.parse_query(text), expected)

    def test_the_first_of_a_name_counts_and_the_number_is_bounded(self) -> None:
        self.assertEqual(web.parse_query("a=1&a=2"), {"a": "1"})
        self.assertLessEqual(len(web.parse_query("&".join(f"a{i}=1" for i in range(10_000)))), web.MAX_PARAMETERS)


class Body(unittest.TestCase):
    def read(self, body: bytes, most: int = 10, **environ: object) -> bytes:
        return web.read_body({"wsgi.input": io.BytesIO(body), **environ}, most)

    def test_it_is_read_to_its_length_and_no_further(self) -> None:
        self.assertEqual(self.read(b"abcdef", CONTENT_LENGTH="3"), b"abc")
        self.assertEqual(self.read(b"abcdef", **{"wsgi.input_terminated": True}), b"abcdef")

    def test_refusals(self) -> None:
        cases: list[tuple[bytes, dict[str, object], int]] = [
            (b"abc", {}, 411),
            (b"abc", {"CONTENT_LENGTH": ""}, 411),
            (b"abc", {"CONTENT_LENGTH": "+3"}, 411),
            (b"abc", {"CONTENT_LENGTH": "٣"}, 411),
            (b"abc", {"CONTENT_LENGTH": "11"}, 413),
            (b"abc", {"CONTENT_LENGTH": "999999999999999999"}, 413),
            (b"abc", {"CONTENT_LENGTH": "4"}, 400),
            (b"x" * 11, {"wsgi.input_terminated": True}, 413),
        ]
        for body, environ, status in cases:
            with self.subTest(environ), self.assertRaises(web.LengthRefused) as caught:
                self.read(body, **environ)
            self.assertEqual(caught.exception.status, status)


if __name__ == "__main__":
    unittest.main()
