"""What strangers send in place of a message: each refused at once, in little memory, or harmless."""

from __future__ import annotations

import time
import tracemalloc
import unittest
from typing import Any

from weixin.wire import messages
from weixin.wire.errors import MessageRefused
from weixin.wire.messages import parse

# A body that is refused takes a few milliseconds; the bound leaves room for a machine that is busy.
SECONDS = 0.5
# Beside the body itself: two or three copies of the largest body that is looked at, and what is built of it.
MEMORY = 6 * messages.MAX_BODY
ENTITY_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(b'<!ENTITY lol%d "%s">' % (n, (b"&lol%d;" % (n - 1) if n > 1 else b"&lol;") * 10) for n in range(1, 10))
    + b"]><xml><Content>&lol9;</Content></xml>"
)


def wrapped(inside: bytes) -> bytes:
    return b"<xml><ToUserName>gh_1</ToUserName>" + inside + b"</xml>"


def measured(body: bytes) -> tuple[Any, float, int]:
    """Parse; return what came of it, the seconds, and the peak of memory in bytes."""
    started = time.process_time()
    try:
        result: Any = parse(body)
    except MessageRefused as refusal:
        result = refusal
    seconds = time.process_time() - started
    tracemalloc.start()
    try:
        try:
            parse(body)
        except MessageRefused:
            pass
        return result, seconds, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Attacks(unittest.TestCase):
    REFUSED = (
        ("billion laughs", ENTITY_BOMB),
        ("quadratic blow-up", b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 50_000 + b'">]><xml>' + b"&a;" * 50_000),
        ("external entity", b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Content>&f;</Content></xml>'),
        ("external entity by http", b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><xml><Content>x</Content></xml>'),
        ("parameter entity", b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/hosts"> %p;]><xml/>'),
        ("DOCTYPE behind the declaration", b'<?xml version="1.0"?>\n<!DOCTYPE xml>\n<xml/>'),
        ("DOCTYPE behind a mark of byte order", b"\xef\xbb\xbf<!DOCTYPE xml><xml/>"),
        ("DOCTYPE behind control characters", b"\x01\x02<!DOCTYPE xml><xml/>"),
        ("DOCTYPE behind a comment", b"<!-- --><!DOCTYPE xml><xml/>"),
        ("DOCTYPE inside the root", b"<xml><!DOCTYPE xml></xml>"),
        ("DOCTYPE behind the root", b"<xml/><!DOCTYPE xml>"),
        ("DOCTYPE taken apart by a control character", b"<!DOC\x01TYPE xml [<!ENTITY a 'b'>]><xml>&a;</xml>"),
        ("an entity of nobody's", wrapped(b"<Content>&a;</Content>")),
        ("a reference to a control character", wrapped(b"<Content>&#1;</Content>")),
        ("a reference to a surrogate", wrapped(b"<Content>&#xD800;</Content>")),
        ("a reference beyond Unicode", wrapped(b"<Content>&#x110000;</Content>")),
        ("100,000 nested elements", wrapped(b"<a>" * 100_000 + b"</a>" * 100_000)),
        ("100,000 nested elements, never closed", b"<xml>" + b"<a>" * 100_000),
        ("one level too many", wrapped(b"<a>" * 17 + b"</a>" * 17)),
        ("250,000 elements", wrapped(b"<a/>" * 250_000)),
        ("one element too many", b"<xml>" + b"<a/>" * messages.MAX_ELEMENTS + b"</xml>"),
        ("an element of 60 KB too many", wrapped(b"<Content>" + b"x" * (messages.MAX_TEXT + 1) + b"</Content>")),
        ("one made of many CDATA sections", wrapped(b"<Content>" + b"<![CDATA[x]]>" * 70_000 + b"</Content>")),
        ("one made of many references", wrapped(b"<Content>" + b"&lt;" * 200_000 + b"</Content>")),
        ("a body of 10 MB", wrapped(b"<Content>" + b"x" * 10_000_000 + b"</Content>")),
        ("a body of 10 MB of control characters", b"\x01" * 10_000_000 + b"<xml/>"),
        ("white space without end", b" " * (1 << 20)),
        ("white space before another root", b" " * (1 << 19) + b"<?xml version='1.0'?>" + b" " * (1 << 19) + b"<y/>"),
        ("a declaration without end", b"<?xml " + b"x" * 1_000_000),
        ("many declarations", b"<?xml version='1.0'?>" * 40_000),
        ("UTF-16, little-endian", '<?xml version="1.0" encoding="utf-16"?><xml/>'.encode("utf-16")),
        ("UTF-16 without a mark", "<xml><a>1</a></xml>".encode("utf-16-le")),
        ("UTF-16, big-endian", "<xml><a>1</a></xml>".encode("utf-16-be")),
        ("UTF-32", "<xml><a>1</a></xml>".encode("utf-32")),
        ("UTF-16 declared", b'<?xml version="1.0" encoding="UTF-16"?><xml/>'),
        ("UTF-7 declared", b'<?xml version="1.0" encoding="UTF-7"?><xml>+ADw-a/+AD4-</xml>'),
        ("GBK declared", '<?xml version="1.0" encoding="GBK"?><xml><a>你好</a></xml>'.encode("gbk")),
        ("GB18030 in single quotes", b"<?xml version='1.0' encoding='gb18030'?><xml/>"),
        ("Latin-1 declared", b'<?xml version="1.0" encoding="iso-8859-1"?><xml>\xe9</xml>'),
        ("GBK in disguise", wrapped(b"<Content>\xc4\xe3\xba\xc3</Content>")),
        ("overlong UTF-8", wrapped(b"<Content>\xc0\xbc</Content>")),
        ("surrogates in UTF-8", wrapped(b"<Content>\xed\xa0\xbd\xed\xb1\x8b</Content>")),
        ("cut in a character", wrapped(b"<Content>\xe4\xbd</Content>")),
        ("NUL", wrapped(b"<Content>a\x00b</Content>")),
        ("a processing instruction before the root", b"<?php x ?><xml/>"),
        ("a comment before the root", b"<!-- hello --><xml/>"),
        ("two roots", b"<xml/><xml/>"),
        ("text behind the root", b"<xml/>x"),
        ("another root", b"<html><xml/></html>"),
        ("a root in capitals", b"<XML/>"),
        ("a root with a prefix", b"<a:xml xmlns:a='b'/>"),
        ("a root that only begins with xml", b"<xmlx/>"),
        ("an attribute twice", b"<xml a='1' a='2'/>"),
        ("an attribute with a less-than sign", b"<xml a='<'/>"),
        ("CDATA never closed", wrapped(b"<Content><![CDATA[x</Content>")),
        ("tags crossed", b"<xml><a><b></a></b></xml>"),
        ("never closed", b"<xml><a>1</a>"),
        ("nothing", b""),
        ("white space", b" \r\n"),
        ("a mark of byte order alone", b"\xef\xbb\xbf"),
        ("a form", b"Content=1&MsgType=text"),
        ("random bytes", bytes(range(256)) * 64),
        ("a character that XML forbids, left when the same is taken out of its middle",
         b"<xml><a>\xef\xbf\xef\xbf\xbe\xbe</a></xml>"),
    )  # fmt: skip

    JSON = (b"{}", b'{"ToUserName":"gh_1","Encrypt":"x"}', b"[1]", b"\xef\xbb\xbf {", b" \r\n\t{}")

    HARMLESS: tuple[tuple[str, bytes, Any], ...] = (
        ("a document type in a user's text", b"<xml><Content><![CDATA[<!DOCTYPE html>]]></Content></xml>",
         {"Content": "<!DOCTYPE html>"}),
        ("a bomb in a user's text", b"<xml><Content><![CDATA[" + ENTITY_BOMB + b"]]></Content></xml>",
         {"Content": ENTITY_BOMB.decode()}),
        ("comments", b"<xml><!-- <!DOCTYPE> --><a>1<!-- x -->2</a><!-- --></xml>", {"a": "12"}),
        ("processing instructions", b"<xml><?php evil() ?><a>1<?x y?>2</a></xml>", {"a": "12"}),
        ("attributes", b"<xml a='1'><a b='2'>3</a></xml>", {"a": "3"}),
        ("a long namespace in many names",
         b"<xml xmlns:a='" + b"u" * 500_000 + b"'>" + b"".join(b"<a:b%d/>" % n for n in range(999)) + b"</xml>",
         {f"a:b{n}": "" for n in range(999)}),
        ("a long namespace in many attributes",
         b"<xml xmlns:a='" + b"u" * 500_000 + b"'><b " + b" ".join(b"a:b%d=''" % n for n in range(999)) + b"/></xml>",
         {"b": ""}),
        ("a prefix that is declared nowhere", b"<xml><a:b>1</a:b></xml>", {"a:b": "1"}),
        ("a declaration", b'<?xml version="1.0" encoding="UTF-8"?>\n<xml><a>1</a></xml>', {"a": "1"}),
        ("a declaration in single quotes", b"<?xml version='1.0' encoding='utf8' standalone='yes'?><xml/>", {}),
        ("a mark of byte order", b"\xef\xbb\xbf<xml><a>1</a></xml>", {"a": "1"}),
        ("white space around", b" \r\n\t<xml> <a>1</a> </xml> \n", {"a": "1"}),
        ("text between the elements", b"<xml>x<a>1</a>y<b>z<c/>w</b></xml>", {"a": "1", "b": {"c": ""}}),
        ("the five entities of XML", b"<xml><a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F44B;</a></xml>", {"a": "<>&\"'A👋"}),
        ("as deep as may be", b"<xml>" + b"<a>" * 16 + b"1" + b"</a>" * 16 + b"</xml>", None),
        ("as long as may be", wrapped(b"<C>" + b"x" * messages.MAX_TEXT + b"</C>"), None),
        ("as many as may be", b"<xml>" + b"<a/>" * (messages.MAX_ELEMENTS - 1) + b"</xml>", None),
        ("many attributes", b"<xml " + b" ".join(b"a%d=''" % n for n in range(10_000)) + b"/>", {}),
        ("no elements", b"<xml/>", {}),
        ("nothing but text", b"<xml>hello</xml>", {}),
    )  # fmt: skip

    def bounded(self, body: bytes) -> Any:
        result, seconds, peak = measured(body)
        self.assertLess(seconds, SECONDS)
        self.assertLess(peak, MEMORY)
        return result

    def test_refused_at_once(self) -> None:
        for name, body in self.REFUSED:
            with self.subTest(name):
                refusal = self.bounded(body)
                self.assertIsInstance(refusal, MessageRefused)
                self.assertEqual((refusal.status, refusal.code), (400, "WX-XML-01"))

    def test_json_has_a_code_of_its_own(self) -> None:
        for body in self.JSON:
            with self.subTest(body):
                self.assertEqual(self.bounded(body).code, "WX-XML-02")

    def test_harmless(self) -> None:
        for name, body, expected in self.HARMLESS:
            with self.subTest(name):
                fields = self.bounded(body)
                self.assertIsInstance(fields, dict)
                if expected is not None:
                    self.assertEqual(fields, expected)

    def test_a_refusal_names_no_content(self) -> None:
        with self.assertRaises(MessageRefused) as caught:
            parse(wrapped(b"<Content>private &a;</Content>"))
        self.assertNotIn("private", f"{caught.exception}{caught.exception.fields}")

    def test_every_cut_of_a_push_is_refused_and_none_crashes(self) -> None:
        body = wrapped("<Content><![CDATA[你好]]></Content>\n".encode())
        for end in range(len(body)):
            with self.subTest(end=end), self.assertRaises(MessageRefused):
                parse(body[:end])
