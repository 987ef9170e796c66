from __future__ import annotations

import random
import re
import unittest
from typing import Any

from tests.wire.vectors import SAMPLE
from weixin.simulator import Account, Answer, Seen, make
from weixin.simulator.judge import judge
from weixin.simulator.requests import request
from weixin.wire import aes
from weixin.wire.envelope import Envelope
from weixin.wire.messages import Message
from weixin.wire.replies import AIHandover, Article, Handover, Image, Music, News, Reply, Text, Video, Voice

NOW = 1_714_036_504
AES = aes.find()
ACCOUNTS = {mode: Account("AAAAA", SAMPLE.appid, SAMPLE.key, mode) for mode in ("plain", "compat", "safe")}
TEXT = make("text", time=NOW, id="1")
CLICK = make("click", time=NOW, id="1")
VIEW = make("view", time=NOW, id="1")
HEAD = (
    "<ToUserName><![CDATA[oTEST0001]]></ToUserName><FromUserName><![CDATA[gh_0123456789ab]]></FromUserName>"
    "<CreateTime>1</CreateTime>"
)


def seen(body: bytes | str, mode: str = "plain", push: Any = TEXT, status: int = 200, **more: Any) -> Seen:
    """What the user sees of this answer."""
    account = ACCOUNTS[mode]
    asked = request(account, AES, push, NOW, random.Random(1))
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return judge(account, AES, push, asked, Answer(status, (), data, 0.5, **more))


def rendered(reply: Reply, push: Any = TEXT) -> bytes:
    message = push.message
    assert isinstance(message, Message)
    return reply.render(message, NOW)


def sealed(xml: bytes, **change: Any) -> bytes:
    """The envelope of *xml*, with something wrong in it if so wanted."""
    nonce = request(ACCOUNTS["safe"], AES, TEXT, NOW, random.Random(1)).nonce
    values = {"token": "AAAAA", "appid": SAMPLE.appid, "key": SAMPLE.key, "nonce": nonce, **change}
    envelope = Envelope(values["token"], values["appid"], (values["key"],), AES)
    return envelope.seal(xml, str(NOW), values["nonce"], SAMPLE.random, values["key"])


def article(n: int = 1) -> Article:
    return Article(f"第{n}条", "d", "https://p", "https://u")


class Replies(unittest.TestCase):
    TABLE: tuple[tuple[Reply, Any, str, str], ...] = (
        (Text("你好\n吗"), TEXT, "text", "你好\n吗"),
        (Image("M"), TEXT, "image", "M"),
        (Voice("M"), TEXT, "voice", "M"),
        (Video("M", "t"), TEXT, "video", "M"),
        (Music("T", "歌"), TEXT, "music", "歌"),
        (Music("T"), TEXT, "music", ""),
        (News("上海 晴", "d", pic="https://p", url="https://u"), TEXT, "news", "上海 晴"),
        (News([article(1), article(2)]), CLICK, "news", "第1条 · 第2条"),
        (Handover(), TEXT, "transfer_customer_service", ""),
        (Handover("kf@a"), TEXT, "transfer_customer_service", "kf@a"),
        (AIHandover(), TEXT, "transfer_biz_ai_ivr", ""),
    )

    def test_every_reply_of_ours_is_seen_in_every_mode(self) -> None:
        for reply, push, kind, text in self.TABLE:
            for mode in ACCOUNTS:
                body = rendered(reply, push)
                with self.subTest(reply, mode=mode):
                    result = seen(body if mode == "plain" else sealed(body), mode, push)
                    self.assertEqual((result.outcome, result.kind, result.text), ("reply", kind, text), result)
                    self.assertEqual(result.xml, body)
                    self.assertEqual(result.line, text if kind == "text" else f"{kind}: {text}")

    def test_compatible_mode_takes_a_plain_reply_as_well(self) -> None:
        self.assertEqual(seen(rendered(Text("x")), "compat").text, "x")

    def test_acknowledgements_are_nothing_in_every_mode(self) -> None:
        for mode in ACCOUNTS:
            for body in (b"", b"success"):
                with self.subTest(mode, body=body):
                    self.assertEqual(seen(body, mode), Seen("nothing"))

    def test_line_feeds_between_elements_are_no_fault(self) -> None:
        spread = re.sub(rb"(</[A-Za-z]+>)", rb"\1\r\n  ", rendered(Text("x")))
        self.assertEqual(seen(spread).text, "x")

    def test_notes(self) -> None:
        for reply, push, codes in (
            (Text("x" * 2044), TEXT, []),
            (Text("x" * 2047), TEXT, ["near-limit"]),
            (Text("讲" * 700), TEXT, ["cut"]),
            (Text("x"), VIEW, ["not-shown"]),
        ):
            with self.subTest(repr(reply)[:30]):
                self.assertEqual([note.code for note in seen(rendered(reply, push), push=push).notes], codes)
        both = rendered(News([article(1), article(2)]), CLICK)
        self.assertEqual([note.code for note in seen(both).notes], ["articles"])
        self.assertEqual(seen(both).text, "第1条")

    def test_a_reply_to_what_takes_none_is_not_seen(self) -> None:
        result = seen(rendered(Text("x"), VIEW), push=VIEW)
        self.assertEqual((result.outcome, result.text, result.line), ("nothing", "x", ""))


class Faults(unittest.TestCase):
    PLAIN: tuple[tuple[str, str | bytes], ...] = (
        ("html", "<!DOCTYPE html><html><body>Error 500</body></html>"),
        ("html", "\ufeff \n<HTML>"),
        ("json", '{"errcode":0}'),
        ("success-spelt", '"success"'),
        ("success-spelt", "success\n"),
        ("success-spelt", "SUCCESS"),
        ("not-xml", "hello"),
        ("not-xml", "\n"),
        ("not-xml", f"<xml>{HEAD}<MsgType>text</MsgType><Content>x</xml>"),
        ("not-xml", f"<xml>{HEAD}<MsgType>text</MsgType><Content>a & b</Content></xml>"),
        ("not-xml", f"<xml>{HEAD}<MsgType>text</MsgType><Content>\ud83d</Content></xml>"),
        ("names", "<xml><ToUserName>oOTHER</ToUserName></xml>"),
        ("names", f"<xml>{HEAD.replace('gh_0123456789ab', 'wx0123456789abcdef')}</xml>"),
        ("names", f"<xml>{HEAD.replace('ToUserName', 'X').replace('FromUserName', 'ToUserName')}</xml>"),
        ("element", f"<xml>{HEAD.replace('>1<', '>now<')}<MsgType>text</MsgType><Content>x</Content></xml>"),
        ("kind", f"<xml>{HEAD}</xml>"),
        ("kind", f"<xml>{HEAD}<MsgType>Text</MsgType></xml>"),
        ("kind", f"<xml>{HEAD}<MsgType>wxcard</MsgType></xml>"),
        ("empty", f"<xml>{HEAD}<MsgType>text</MsgType><Content></Content></xml>"),
        ("empty", f"<xml>{HEAD}<MsgType>text</MsgType></xml>"),
        ("empty", f"<xml>{HEAD}<MsgType>text</MsgType><Content> \n\u3000</Content></xml>"),
        ("element", f"<xml>{HEAD}<MsgType>text</MsgType><Content>a</Content><Content>b</Content></xml>"),
        ("too-long", f"<xml>{HEAD}<MsgType>text</MsgType><Content>{'讲' * 683}</Content></xml>"),
        ("element", f"<xml>{HEAD}<MsgType>image</MsgType><MediaId>M</MediaId></xml>"),
        ("element", f"<xml>{HEAD}<MsgType>music</MsgType><Music><Title>t</Title></Music></xml>"),
        ("element", f"<xml>{HEAD}<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles/></xml>"),
        ("element", f"<xml>{HEAD}<MsgType>news</MsgType><ArticleCount>2</ArticleCount>"
                    "<Articles><item><Title>t</Title></item></Articles></xml>"),
        ("element", f"<xml>{HEAD}<MsgType>news</MsgType><ArticleCount>1</ArticleCount>"
                    "<Articles><item><Title>t</Title></item></Articles></xml>"),
        ("sealed", sealed(b"<xml/>")),
    )  # fmt: skip

    def test_each_has_its_reason(self) -> None:
        for why, body in self.PLAIN:
            with self.subTest(why, body=body[:70]):
                result = seen(body)
                self.assertEqual((result.outcome, result.why, result.shown), ("fault", why, True))
                self.assertEqual(result.line, f"fault: {why}")

    def test_what_is_not_200_or_does_not_come_is_a_fault(self) -> None:
        for status in (204, 301, 400, 403, 404, 500, 502, 504):
            with self.subTest(status):
                self.assertEqual(seen(b"success", status=status).why, "status")
        for failure in ("timeout", "unreachable", "dropped", "not-http", "crashed"):
            with self.subTest(failure):
                self.assertEqual(seen(b"", status=0, failure=failure).why, failure)

    def test_faults_of_envelopes(self) -> None:
        good = rendered(Text("x"))
        for why, body in (
            ("not-sealed", good),
            ("reply-signature", sealed(good, token="BBBBB")),
            ("reply-signature", b"<xml><Encrypt>x</Encrypt><MsgSignature>\xe7\xad\xbe</MsgSignature></xml>"),
            ("reply-signature", b"<xml><Encrypt>x</Encrypt></xml>"),
            ("reply-nonce", sealed(good, nonce="1")),
            ("reply-envelope", sealed(good, key=bytes(32))),
            ("reply-envelope", sealed(good, appid="wx0000000000000000")),
            ("not-xml", sealed(b"success")),
            ("not-xml", b"<xml>"),
            ("names", sealed(good.replace(b"oTEST0001", b"oOTHER"))),
        ):
            with self.subTest(why):
                self.assertEqual(seen(body, "safe").why, why)

    def test_nobody_sees_the_notice_where_there_is_no_conversation(self) -> None:
        for kind, shown in (("text", True), ("subscribe", True), ("click", True), ("unsubscribe", False),
                            ("template-finish", False), ("view", False)):  # fmt: skip
            with self.subTest(kind):
                push = make(kind, time=NOW, id="1")
                self.assertEqual(seen(b"", status=500, push=push).shown, shown)
