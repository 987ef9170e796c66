"""The platform's own layout, read in one look: the same as expat reads, or nothing; and never slowly."""

from __future__ import annotations

import random
import time
import unittest

from weixin.wire import flat, messages
from weixin.wire.errors import MessageRefused

PUSH = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName>\n<FromUserName><![CDATA[oUSER]]></FromUserName>\n"
    "<CreateTime>1790000000</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
    "<Content><![CDATA[你好 <b>&amp;]] ]> ]]></Content>\n<MsgId>24052030123456789</MsgId>\n</xml>"
).encode()
# The same without a ]: what most users type.
TYPED = PUSH.replace(b"]] ]> ", b"> ")
SEALED = b"<xml>\n    <ToUserName><![CDATA[gh_1]]></ToUserName>\n    <Encrypt><![CDATA[aGk+/w==]]></Encrypt>\n</xml>\n"
# What a mutation puts in: everything that means something to XML, to UTF-8, or to a regular expression.
PIECES = (
    b"<", b">", b"</", b"/>", b"&", b"&amp;", b"&#65;", b"]]>", b"]]", b"]", b"<![CDATA[", b"<!--", b"-->", b"<?p?>",
    b"<!DOCTYPE xml>", b"<?xml version='1.0'?>", b"<a>", b"</a>", b"<a/>", b"<a b='c'>", b"<xml>", b"</xml>", b"<:>",
    b"<n:a>", b"</n:a>", b"<MsgId>1</MsgId>", b"<x.y>", b"<x-y>", b"<\xc3\xa9>", b" ", b"\t", b"\n", b"\x7f",
    b"\xc2\x85", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"",
)  # fmt: skip
# What the platform sends all the same, and `parse` takes out; and a carriage return, of which XML makes a line feed.
FORBIDDEN = (b"\0", b"\x01", b"\x08", b"\x0b", b"\x0c", b"\r", b"\x1f", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
ROUNDS = 20_000
# What does not match is known in linear time: some milliseconds, where a bad pattern would take minutes.
SECONDS = 0.5


def mutated(body: bytes, dice: random.Random, pieces: tuple[bytes, ...] = PIECES) -> bytes:
    for _ in range(dice.randint(1, 3)):
        at, length = dice.randrange(len(body) + 1), dice.choice((0, 0, 1, 1, 5, 40))
        body = body[:at] + dice.choice(pieces) + body[at + length :]
    return body


class Reading(unittest.TestCase):
    def test_pushes_as_the_platform_lays_them_out_are_read_in_one_look(self) -> None:
        found = flat.read(PUSH)
        self.assertEqual(found, messages.read(PUSH))
        assert found is not None
        self.assertEqual(found["Content"], "你好 <b>&amp;]] ]> ")
        self.assertEqual(flat.read(TYPED), messages.read(TYPED))
        self.assertEqual(flat.read_text(TYPED), messages.read(TYPED))
        self.assertIsNone(flat.read_text(PUSH))
        self.assertEqual(flat.read(SEALED), messages.read(SEALED))
        self.assertEqual(flat.read(b"<xml></xml>"), {})
        self.assertEqual(flat.read(b"<xml><EventKey><![CDATA[]]></EventKey></xml>"), {"EventKey": ""})

    def test_of_anything_else_nothing_is_said(self) -> None:
        for inside in (
            b"<a>x<b>y</b></a>",
            b"<a>1</a><a>2</a>",
            b"<a c='d'>1</a>",
            b"<a>&lt;</a>",
            b"<a/>",
            b"text",
            b"<a><![CDATA[x]]><![CDATA[y]]></a>",
            b"<a>\r\n</a>",
            b"<a><![CDATA[\0]]></a>",
            b"<a><![CDATA[\xff]]></a>",
            b"<a>1</b>",
        ):
            with self.subTest(inside=inside):
                self.assertIsNone(flat.read(b"<xml>" + inside + b"</xml>"))
        self.assertIsNone(flat.read(b"<xml><a>" + b"x" * flat.MAX_LENGTH + b"</a></xml>"))

    def test_what_it_reads_expat_reads_in_the_same_way(self) -> None:
        dice = random.Random(20260)
        read = 0
        for _ in range(ROUNDS):
            body = mutated(dice.choice((PUSH, TYPED, SEALED)), dice)
            found = flat.read(body)
            if found is not None:
                read += 1
                try:
                    self.assertEqual(found, messages.read(body), body)
                except MessageRefused as refused:
                    self.fail(f"{body!r}: {refused.reason}")
        self.assertGreater(read, ROUNDS // 50)  # or the mutations leave nothing to compare

    def test_what_it_reads_of_a_text_is_what_is_read_of_any_push(self) -> None:
        """Also where bytes that XML forbids are taken out before anything else is read."""
        dice = random.Random(20261)
        read = 0
        for _ in range(ROUNDS):
            body = mutated(TYPED, dice, (*PIECES, *FORBIDDEN))
            found = flat.read_text(body)
            if found is not None:
                read += 1
                self.assertFalse(any(each in body for each in FORBIDDEN), body)
                self.assertEqual(found, messages.read(body), body)
        self.assertGreater(read, ROUNDS // 50)

    def test_no_body_makes_it_slow(self) -> None:
        began = time.process_time()
        head = TYPED[: TYPED.index(b"<Content>")]
        for piece in (b"\n" * (flat.MAX_LENGTH - len(head) - 20), b"<Content><![CDATA[" + b"x" * 7_000):
            self.assertIsNone(flat.read(head + piece))
        for piece in (b"<a><![CDATA[", b"<a>", b"]", b"]]", b"<a><![CDATA[]]></a>", b"<a>1</a>", b" ", b"<a>1</a> \n"):
            body = b"<xml>" + piece * (flat.MAX_LENGTH // len(piece) - 2)
            for end in (b"", b"</xml", b"<![CDATA[", b"]]></a>"):
                self.assertIsNone(flat.read(body + end))
        self.assertLess(time.process_time() - began, SECONDS)


if __name__ == "__main__":
    unittest.main()
