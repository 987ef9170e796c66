"""One message's whole way through the WSGI callable: what is answered, what is refused, what the log says."""

from __future__ import annotations

import io
import logging
import re
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from tests.client import call, signed, text
from tests.routing.support import handlers_here
from weixin import app, config, log, metrics
from weixin.simulator import make

TOKEN = "GreedIsGood"
HANDLERS = """
from wxserve import on, News, Text, Image

@on.text("你好")
def hello(msg):
    return "你好，" + msg.user

@on.text("错")
def wrong(msg):
    raise RuntimeError("boom")

@on.text("长")
def long(msg):
    return "一" * 1000

@on.text("图文")
@on.click("图文")
def articles(msg):
    return News([("一", "二", "https://example.com/", "https://example.com/")] * 3)

@on.text("无")
def nothing(msg):
    return ""
"""


class Case(unittest.TestCase):
    """An application made of a folder of handlers."""

    handlers = HANDLERS

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "handlers").mkdir()
        (self.folder / "handlers" / "all.py").write_text(self.handlers, encoding="utf-8")
        (self.folder / "wxserve.ini").write_text(f"[wechat]\ntoken = {TOKEN}\n", encoding="utf-8")
        self.log = io.StringIO()
        journal = log.start("info", log.Style(journal=True, openid="full"), self.log)
        self.addCleanup(logging.getLogger("wxserve").handlers.clear)
        self.application = app.build(config.load(str(self.folder / "wxserve.ini"), {}, {}), journal)
        self.addCleanup(self.application.close)

    def logged(self) -> str:
        self.application.close()
        return self.log.getvalue()


class LookingBack(Case):
    def test_what_can_wait_is_done_when_the_answer_has_left(self) -> None:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        body = text("你好")
        environ.update(REQUEST_METHOD="POST", PATH_INFO="/weixin", QUERY_STRING=signed(TOKEN))
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        chunks: Any = self.application(environ, lambda status, headers: None)
        self.assertIn("<Content>", b"".join(chunks).decode())
        self.application._journal.flush()
        self.assertNotIn("delivery", self.log.getvalue())
        chunks.close()
        self.assertIn("delivery", self.logged())


class Check(Case):
    def test_the_signed_check_gets_its_echostr_and_nothing_else(self) -> None:
        for path in ("/weixin", "/weixin/"):
            response = call(self.application, path=path, query=signed(TOKEN, echostr="8641591277801631551"))
            self.assertEqual((response.status, response.body), (200, b"8641591277801631551"))

    def test_the_official_example_is_answered(self) -> None:
        self.application = app.Application(
            config.load(str(self.folder / "wxserve.ini"), {"token": "AAAAA"}, {}),
            self.application.rules,
            log.Journal(self.log),
            clock=lambda: 1714036504.0,
        )
        query = (
            "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&timestamp=1714036504&nonce=1514711492"
            "&echostr=4375120948345356249"
        )
        self.assertEqual(call(self.application, query=query).body, b"4375120948345356249")

    def test_echostr_is_sent_back_byte_for_byte_and_never_as_a_page(self) -> None:
        response = call(self.application, query=signed(TOKEN, echostr="<script>alert(1)</script> +%你"))
        self.assertEqual(response.body.decode(), "<script>alert(1)</script> +%你")
        raw = call(self.application, query=f"{signed(TOKEN)}&echostr=%FF%e4%bd+%2B%00")
        self.assertEqual(raw.body, b"\xff\xe4\xbd +\0")
        self.assertTrue(response.headers["Content-Type"].startswith("text/plain"))
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")

    def test_anything_but_the_right_signature_is_refused(self) -> None:
        good = signed(TOKEN, echostr="1")
        cases = [
            signed("Other", echostr="1"),
            good.replace("signature=", "signature=0"),
            good.replace("signature=", "Signature="),
            "echostr=1",
            "signature=&timestamp=1&nonce=1&echostr=1",
            f"signature={'é' * 40}&timestamp={int(time.time())}&nonce=1&echostr=1",
            f"signature=%ff%fe&timestamp={int(time.time())}&nonce=1&echostr=1",
            good.replace("timestamp=", "timestamp=-"),
            good.replace("nonce=415670741", "nonce=41567074"),
            signed(TOKEN, timestamp=time.time() - 301, echostr="1"),
            signed(TOKEN, timestamp=time.time() + 302, echostr="1"),
        ]
        for query in cases:
            with self.subTest(query):
                response = call(self.application, query=query)
                self.assertEqual((response.status, response.body), (403, b""))

    def test_the_log_says_clock_for_the_clock_and_why_a_token_differs(self) -> None:
        call(self.application, query=signed(TOKEN, timestamp=time.time() - 4000, echostr="1"))
        call(self.application, query=signed(TOKEN + " ", echostr="1"))
        logged = self.logged()
        self.assertRegex(logged, r"code=WX-SIG-04 ip=192.0.2.1 reason=clock seconds=400\d max_age=300")
        self.assertIn("code=WX-SIG-02 ip=192.0.2.1 reason=trailing_space", logged)
        self.assertNotIn(TOKEN, logged)

    def test_a_browser_gets_a_page_in_two_languages_that_gives_nothing_away(self) -> None:
        response = call(self.application)
        self.assertEqual(response.status, 200)
        self.assertIn("微信", response.body.decode())
        self.assertIn("WeChat", response.body.decode())
        for secret in (TOKEN, "1.0", "Python"):
            self.assertNotIn(secret, response.body.decode() + str(response.headers))

    def test_head_is_get_without_a_body(self) -> None:
        page, head = call(self.application), call(self.application, "HEAD")
        self.assertEqual((head.status, head.headers, head.body), (200, page.headers, b""))

    def test_other_methods_and_other_paths(self) -> None:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            response = call(self.application, method)
            self.assertEqual((response.status, response.headers["Allow"]), (405, "GET, HEAD, POST"))
        for path in ("/", "/weixin/x", "/Weixin", "//weixin", "/weixin//", "/.env", "/weixin.php"):
            self.assertEqual(call(self.application, path=path).status, 404, path)


class Push(Case):
    def post(self, body: bytes, token: str = TOKEN) -> bytes:
        response = call(self.application, "POST", query=signed(token), body=body)
        self.assertEqual(response.status, 200)
        return response.body

    def test_a_text_reaches_its_handler_and_the_reply_goes_back_to_its_sender(self) -> None:
        reply = self.post(text("你好", user="oUSER")).decode()
        self.assertIn("<ToUserName><![CDATA[oUSER]]></ToUserName>", reply)
        self.assertIn("<FromUserName><![CDATA[gh_10f6c3c3ac5a]]></FromUserName>", reply)
        self.assertIn("<Content><![CDATA[你好，oUSER]]></Content>", reply)

    def test_silence_and_nobody_are_acknowledged(self) -> None:
        self.assertEqual(self.post(text("无")), b"success")
        self.assertEqual(self.post(text("nobody has a rule for this")), b"success")

    def test_a_handler_that_raises_is_logged_once_and_acknowledged(self) -> None:
        self.assertEqual(self.post(text("错")), b"success")
        logged = self.logged()
        self.assertEqual(logged.count("RuntimeError: boom"), 2)  # in the line, and at the traceback's end
        self.assertIn("code=WX-HND-05", logged)

    def test_a_reply_that_is_too_long_is_continued(self) -> None:
        reply = self.post(text("长")).decode()
        self.assertIn("（未完，回复「继续」看后面）]]>", reply)
        self.assertIn("一一", self.post(text("继续", msgid=2)).decode())
        self.assertNotIn("WX-RPL-01", self.logged())

    def test_a_reply_that_is_too_long_is_cut_and_said_to_be(self) -> None:
        settings = self.application.settings.replace(split=False, store="memory:")
        self.application = app.build(settings, self.application._journal)
        self.addCleanup(self.application.close)
        reply = self.post(text("长")).decode()
        content = reply.partition("<Content><![CDATA[")[2].partition("]]>")[0]
        self.assertLessEqual(len(content.encode()), 2047)
        self.assertTrue(content.endswith("一…"))
        (delivery,) = self.application._store.deliveries(5)
        self.assertEqual(delivery.code, "WX-RPL-01")
        self.assertAlmostEqual(delivery.created, time.time(), delta=30)
        self.assertIn("code=WX-RPL-01", self.logged())

    def test_several_articles_are_a_mistake_in_answer_to_a_message_alone(self) -> None:
        for kind, word, shown in (("text", "图文", 1), ("click", "图文", 3)):
            reply = self.post(make(kind, word, time=int(time.time()), id="7").xml).decode()
            with self.subTest(kind):
                self.assertEqual(reply.count("<item>"), shown)
        self.application._store.flush()
        codes = [delivery.code for delivery in self.application._store.deliveries(5)]
        self.assertEqual(codes, ["", "WX-RPL-02"])

    def test_one_line_a_delivery(self) -> None:
        self.post(text("你好"))
        self.assertRegex(
            self.logged(),
            r"<6>INFO  delivery d=[0-9a-f]+ type=text user=oyORnuP8q7ou2gfYjqLzSIWZf0rs stamp=\d+ text=你好 "
            r"reply=text bytes=\d+ by=handlers/all.py:4 ms=[0-9.]+\n",
        )

    def test_kinds_that_nobody_has_heard_of_share_a_label(self) -> None:
        board = metrics.Board()
        self.addCleanup(board.close)
        application = app.build(self.application.settings, live=False, meter=metrics.Meter(board))
        self.addCleanup(application.close)
        for kind in ("text", "a", "b", "c"):
            body = text("你好").replace(b"[text]", f"[{kind}]".encode())
            self.assertEqual(call(application, "POST", query=signed(TOKEN), body=body).status, 200)
        application.close()
        counted = metrics.render(board.total()).decode()
        kinds = re.findall(r'wxserve_deliveries_total\{type="(.*?)".*?} (.)', counted)
        self.assertEqual(sorted(kinds), [("other", "3"), ("text", "1")])

    def test_refusals_by_status_and_code(self) -> None:
        good = signed(TOKEN)
        cases = [
            (signed("Other"), text("你好"), 403, "WX-SIG-02"),
            ("", text("你好"), 403, "WX-SIG-01"),
            (good, b"", 400, "WX-XML-01"),
            (good, b"hello", 400, "WX-XML-01"),
            (good, b'{"ToUserName":"x"}', 400, "WX-XML-02"),
            (good, b"<xml></xml>", 400, "WX-XML-03"),
            (good, text("你好").replace(b"CreateTime", b"Time"), 400, "WX-XML-03"),
            (good, b"<xml><ToUserName>a</ToUserName><Encrypt>abc</Encrypt></xml>", 403, "WX-AES-02"),
            (good, b"<!DOCTYPE xml><xml/>", 400, "WX-XML-01"),
            (good, b"x" * 65537, 413, "WX-XML-04"),
        ]
        for query, body, status, code in cases:
            with self.subTest(body[:40]):
                response = call(self.application, "POST", query=query, body=body)
                self.assertEqual((response.status, response.body), (status, b""))
                self.application.close()
                self.assertIn(code, self.log.getvalue())


class Building(Case):
    def test_a_faulty_handler_stops_the_start_with_file_line_and_reason(self) -> None:
        (self.folder / "handlers" / "bad.py").write_text("import openai_that_is_not_there\n")
        with self.assertRaises(config.ConfigError) as caught:
            app.build(config.load(str(self.folder / "wxserve.ini"), {}, {}), log.Journal(self.log))
        (problem,) = caught.exception.problems
        self.assertEqual((problem.code, problem.file, problem.line), ("WX-HND-01", "handlers/bad.py", 1))

    def test_a_start_that_fails_again_and_again_leaves_no_modules_behind(self) -> None:
        (self.folder / "handlers" / "bad.py").write_text("import openai_that_is_not_there\n")
        before = handlers_here()
        with self.assertRaises(config.ConfigError):
            app.build(config.load(str(self.folder / "wxserve.ini"), {}, {}), log.Journal(self.log))
        self.assertEqual(handlers_here(), before)


if __name__ == "__main__":
    unittest.main()
