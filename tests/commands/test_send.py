"""``send``: what it prints, and its exit status, in process and over a connection."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import socket
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from tests.program import run
from weixin import app, commands, config, log
from weixin.commands import send
from weixin.commands.rehearsal import outcomes
from weixin.simulator import FAULT_NOTICE, FAULTS
from weixin.simulator import judge as judging
from weixin.texts.words import WORDS

INI = "[wechat]\ntoken = TopSecretToken\n"
SAFE = f"mode = safe\nappid = wx0123456789abcdef\naes_key = {'k' * 43}\n"
HANDLERS = """
from wxserve import on, News, Image, Handover

@on.text("你好")
def hello(msg):
    return "你好\\n" + msg.user

@on.text("新闻")
def news(msg):
    return News("天气预报", "d", pic="https://p", url="https://u")

@on.text("长")
def long(msg):
    return "讲" * 700

@on.text("错")
def wrong(msg):
    raise RuntimeError("boom")

@on.any(priority=-1)
def rest(msg):
    return f"{msg.kind} {msg.key} {msg.scene} {msg.label} {msg.recognition}".strip()

@on.click("K")
def click(msg):
    return "menu " + msg.key

@on.subscribe
def subscribe(msg):
    return "welcome " + msg.scene

@on.scan("42")
def scan(msg):
    return "scanned " + msg.scene
"""


class Done(NamedTuple):
    status: int
    out: str
    err: str


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(logging.getLogger("wxserve").handlers.clear)
        self.folder = Path(folder.name)
        self.write("wxserve.ini", INI)
        self.write("handlers/all.py", HANDLERS)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def send(self, *arguments: str, lang: str = "en") -> Done:
        """Run the command in this process, with the configuration of the folder."""
        out, err = io.StringIO(), io.StringIO()
        config = str(self.folder / "wxserve.ini")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = commands.main(["--lang", lang, "-c", config, "send", *arguments])
            except SystemExit as leave:  # argparse
                status = int(leave.code or 0)
        return Done(status, out.getvalue(), err.getvalue())


class Slow(Case):
    def test_the_three_deliveries_are_told_as_they_end(self) -> None:
        done = self.send("text", "你好", "--slow", "6")
        self.assertEqual(done.status, 0, done.err)
        first, second, reply = done.out.splitlines()[:3]
        self.assertRegex(first, r"attempt 1   5\.\d s  connection closed by WeChat")
        self.assertIn("joined the running handler", second)
        self.assertIn("你好", reply)
        self.assertEqual(done.err, "")

    def test_json_says_how_many_there_were(self) -> None:
        done = self.send("text", "你好", "--slow", "0.1", "--json")
        record = json.loads(done.out)
        self.assertEqual((record["deliveries"], record["outcome"]), (1, "reply"))
        self.assertGreaterEqual(record["ms"], 100)
        self.assertEqual(self.send("text", "你好", "--slow", "0.2", "--within", "100ms").status, 1)

    def test_it_is_for_this_process_and_within_reason(self) -> None:
        for words in (["--slow", "7", "--to", "http://127.0.0.1:1/weixin"], ["--slow", "-1"], ["--slow", "1000"]):
            with self.subTest(words):
                self.assertEqual(self.send("text", "你好", *words).status, 2)


class Replies(Case):
    def test_what_the_user_would_see_is_printed_with_who_answered(self) -> None:
        for arguments, expected in (
            (["text", "你好", "--user", "oABC"], r"text  你好\n      oABC\n      handlers/all\.py:4   \d+ ms\n"),
            (["text", "新闻"], r"news  天气预报\n      handlers/all\.py:8   \d+ ms\n"),
            (["text", "two", "words"], r"text  text\n      handlers/all\.py:20   \d+ ms\n"),
            (["image"], r"text  image\n.*\n"),
            (["voice", "讲个故事"], r"text  voice    讲个故事\n.*\n"),
            (["location", "-23.1", "113", "家"], r"text  location   家\n.*\n"),
            (["click", "K"], r"text  menu K\n.*\n"),
            (["click", "--key", "K"], r"text  menu K\n.*\n"),
            (["subscribe"], r"text  welcome \n.*\n"),
            (["subscribe", "--scene", "qrscene_42"], r"text  scanned 42\n.*\n"),
            (["scan", "42"], r"text  scanned 42\n.*\n"),
            (["view", "https://example.com"], r"\(nothing\)\n      \d+ ms\n"),
            (["unsubscribe"], r"\(nothing\)\n      \d+ ms\n"),
        ):
            with self.subTest(arguments):
                done = self.send(*arguments)
                self.assertEqual((done.status, done.err), (0, ""))
                self.assertRegex(done.out, rf"\A{expected}\Z")

    def test_every_mode_shows_the_same(self) -> None:
        for mode in ("plain", "compat", "safe"):
            with self.subTest(mode):
                self.assertRegex(self.send("text", "你好", "--mode", mode).out, r"\Atext  你好\n      oTEST0001\n")
        self.write("wxserve.ini", INI + SAFE)
        self.assertTrue(self.send("text", "你好").out.startswith("text  你好\n"))

    def test_what_was_mended_and_what_was_raised_is_said(self) -> None:
        self.assertIn("（未完，回复「继续」看后面）", self.send("text", "长").out)
        self.write("wxserve.ini", INI + "[replies]\nsplit = off\n")
        long = self.send("text", "长")
        self.assertEqual(long.status, 0)
        self.assertIn("2046 bytes: it was too long and was cut", long.out)
        self.assertIn("WX-RPL-01  the reply has 2100 bytes", long.err)
        wrong = self.send("text", "错")
        self.assertTrue(wrong.out.startswith("(nothing)\n"))
        self.assertIn("WX-HND-05  handlers/all.py:18 raised RuntimeError: boom", wrong.err)
        self.assertIn('raise RuntimeError("boom")', wrong.err)
        self.assertEqual(wrong.status, 1)
        self.assertEqual(self.send("text", "错", "--expect", "").status, 0, "that is what was expected of it")

    def test_verbose_shows_both_messages_and_json_is_for_programs(self) -> None:
        verbose = self.send("text", "你好", "-v", "--mode", "safe").out
        self.assertIn("<Content><![CDATA[你好]]></Content>\n<MsgId>", verbose)
        self.assertIn("<Content><![CDATA[你好\noTEST0001]]></Content></xml>", verbose)
        record = json.loads(self.send("text", "新闻", "--json").out)
        self.assertEqual(
            {name: record[name] for name in ("outcome", "kind", "text", "status", "by", "complaints", "deliveries")},
            {"outcome": "reply", "kind": "news", "text": "天气预报", "status": 200, "by": "handlers/all.py:8",
             "complaints": [], "deliveries": 1},
        )  # fmt: skip

    def test_a_server_cannot_steer_the_terminal(self) -> None:
        self.write("handlers/all.py", "from wxserve import on\n\n@on.any\ndef x(msg):\n    return 'a\\x9b31mb\\x7f'\n")
        self.assertTrue(self.send("text").out.startswith("text  a�31mb�\n"))

    def test_raw_is_whatever_a_file_holds(self) -> None:
        xml = (
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>oRAW</FromUserName><CreateTime>1</CreateTime>"
            "<MsgType>text</MsgType><Content>你好</Content></xml>"
        )
        self.write("push.xml", xml)
        for mode in ("plain", "safe"):
            done = self.send("raw", str(self.folder / "push.xml"), "--mode", mode)
            self.assertTrue(done.out.startswith("text  你好\n      oRAW\n"), done)
        self.write("push.xml", "nonsense")
        done = self.send("raw", str(self.folder / "push.xml"))
        self.assertEqual(done.status, 1)
        self.assertRegex(done.out, r"\A400 in \d+ ms  WX-XML-01  the body is not proper XML")


class Checks(Case):
    def test_expectations(self) -> None:
        for arguments, status in (
            (["text", "你好", "--expect", "你好*"], 0),
            (["text", "你好", "--expect", "你好"], 1),
            (["text", "新闻", "--expect", "news: 天气*"], 0),
            (["text", "新闻", "--expect", "天气*"], 1),
            (["view", "--expect", ""], 0),
            (["view", "--expect", "?*"], 1),
            (["text", "你好", "--within", "30s"], 0),
            (["text", "你好", "--within", "30000ms"], 0),
            (["text", "你好", "--within", "0.000"], 1),
        ):
            with self.subTest(arguments):
                self.assertEqual(self.send(*arguments).status, status)

    def test_a_missed_expectation_says_what_came(self) -> None:
        self.assertEqual(self.send("text", "新闻", "--expect", "x*").err, "expected x*   got news: 天气预报\n")
        self.assertRegex(self.send("text", "--within", "0ms").err, r"\Ait took \d+ ms, over 0 ms\n\Z")


class Faults(Case):
    def test_each_that_has_to_be_refused_is_and_that_is_fine(self) -> None:
        codes = {
            "bad-signature": ("WX-SIG-02", "WX-SIG-02"),
            "no-signature": ("WX-SIG-01", "WX-SIG-01"),
            "old-timestamp": ("WX-SIG-04", "WX-SIG-04"),
            "bad-msg-signature": ("", "WX-SIG-02"),
            "wrong-appid": ("", "WX-AES-03"),
            "wrong-key": ("", "WX-AES-03"),
            "bad-padding": ("", "WX-AES-03"),
            "truncated": ("WX-XML-01", "WX-AES-03"),
            "not-xml": ("WX-XML-01", "WX-XML-01"),
            "json": ("WX-XML-02", "WX-XML-02"),
        }
        self.assertEqual(set(codes), {name for name, fault in FAULTS.items() if fault.refused})
        for fault, pair in codes.items():
            for mode, code in zip(("plain", "safe"), pair):
                with self.subTest(fault, mode=mode):
                    done = self.send("text", "你好", "--mode", mode, "--fault", fault)
                    if not code:
                        self.assertEqual((done.status, done.out), (2, ""))
                        self.assertEqual(done.err, f"{fault} exists in --mode compat and safe\n")
                        continue
                    self.assertEqual((done.status, done.err), (0, ""))
                    self.assertRegex(done.out, rf"\A40[03] in \d+ ms  {code}  .+  \(expected: that is the fault you")

    def test_compatible_mode_is_no_way_around(self) -> None:
        for fault in ("bad-signature", "bad-msg-signature", "no-signature", "wrong-key"):
            with self.subTest(fault):
                self.assertRegex(self.send("text", "--mode", "compat", "--fault", fault).out, r"\A403 .*expected")

    def test_a_server_that_takes_what_it_must_refuse_fails(self) -> None:
        self.write("wxserve.ini", INI + "max_age = 0\n")
        done = self.send("text", "你好", "--fault", "old-timestamp")
        self.assertEqual(done.status, 1)
        self.assertIn("the server did not refuse old-timestamp", done.err)

    def test_those_that_may_disturb_nobody(self) -> None:
        twice = self.send("text", "你好", "--fault", "duplicate")
        self.assertEqual((twice.status, twice.out.count("text  你好")), (0, 2))
        slow = self.send("text", "你好", "--fault", "slow-body")
        self.assertEqual((slow.status, slow.out.count("text  你好")), (0, 1))

    def test_a_duplicate_gets_the_first_answer_again(self) -> None:
        counting = "@on.any\ndef x(msg):\n    return f'{next(n)}'\n"
        head = "import itertools\nfrom wxserve import on\n\nn = itertools.count()\n\n"
        self.write("handlers/all.py", head + counting)
        done = self.send("text", "--fault", "duplicate")
        self.assertEqual((done.status, done.err, done.out.count("text  0")), (0, "", 2))


class Usage(Case):
    def test_wrong_usage_is_2_and_says_why(self) -> None:
        for arguments, expected in (
            (["subscrib"], "no message or event is called subscrib; is it subscribe?"),
            (["qqqq"], "no message or event is called qqqq"),
            (["subscribe", "x"], "there is no place for x"),
            (["text", "--scene", "1"], "there is no place for 1"),
            (["location", "north"], "Location_X cannot be north"),
            (["raw"], "raw takes one file, or - for standard input"),
            (["raw", "/no/such/file"], "cannot read /no/such/file: No such file or directory"),
            (["text", "--within", "soon"], "soon is no time; write 1s or 500ms"),
            (["text", "--fault", "idle"], "idle takes a real connection: add --to"),
            (["text", "--to", "example.com"], "example.com is no address"),
            (["text", "--to", "http://127.0.0.1:1", "--mode", "safe"], "mode safe needs aes_key and appid"),
            (["text", "--fault", "nonsense"], "--fault cannot be nonsense"),
            ([], "TYPE is missing"),
        ):
            with self.subTest(arguments):
                done = self.send(*arguments)
                self.assertEqual((done.status, done.out), (2, ""))
                self.assertIn(expected, done.err)

    def test_a_faulty_configuration_or_handler_is_78(self) -> None:
        self.write("handlers/bad.py", "def broken(:\n")
        done = self.send("text")
        self.assertEqual(done.status, 78)
        self.assertIn("handlers/bad.py:1  WX-HND-01", done.err)
        self.write("wxserve.ini", "[wechat]\ntoken = !\n")
        self.assertEqual(self.send("text").status, 78)

    def test_what_a_handler_did_wrong_comes_with_what_to_do(self) -> None:
        self.write("handlers/wrong.py", "from wxserve import on\n\n@on.text('x')\ndef wrong(msg):\n    return b'y'\n")
        for lang, what, fix in (
            ("en", "handlers/wrong.py:3 returned bytes, which is no reply", "fix: return a str, one reply or None"),
            ("zh", "handlers/wrong.py:3 返回了 bytes，不是一条回复", "办法：返回 str、一个回复对象或 None"),
        ):
            with self.subTest(lang):
                self.assertEqual(self.send("text", "x", lang=lang).err, f"WX-HND-04  {what}\n           {fix}\n")

    def test_help_lists_what_can_be_sent_in_both_languages(self) -> None:
        for lang in ("en", "zh"):
            done = self.send("-h", lang=lang)
            self.assertEqual(done.status, 0)
            for name in (*FAULTS, "text", "scancode-waitmsg", "template-finish", "kf-close", "raw"):
                self.assertIn(name, done.out)

    def test_every_reason_and_note_has_its_sentence(self) -> None:
        source = Path(judging.__file__).read_text(encoding="utf-8")
        reasons = set(re.findall(r'_Bad\("([a-z-]+)"', source))
        reasons |= {"timeout", "unreachable", "dropped", "not-http", "crashed", "empty", "element", "json", "not-xml"}
        notes = set(re.findall(r'Note\("([a-z-]+)"', source)) | {"cut", "near-limit"}
        said = {name for name in WORDS if name.startswith(("why.", "note."))}
        self.assertEqual(said, {f"why.{name}" for name in reasons} | {f"note.{name}" for name in notes})


class Sending(Case):
    """To another server, over a real connection."""

    def test_where_nobody_listens_it_says_so_in_one_language(self) -> None:
        with socket.socket() as held:  # bound, and not listening: nobody else gets the port meanwhile
            held.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{held.getsockname()[1]}/weixin"
            for lang, expected in (
                ("en", "cannot connect: Connection refused"), ("zh", "连不上：连接被拒绝，那里没有程序在监听"),
            ):  # fmt: skip
                with self.subTest(lang):
                    done = self.send("text", "你好", "--to", address, lang=lang)
                    self.assertEqual((done.status, done.out.splitlines()[1].strip()), (1, expected))

    def serve(self, application: Any) -> str:
        class Quiet(WSGIRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

        server = WSGIServer(("127.0.0.1", 0), Quiet)
        server.set_app(application)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/weixin"

    def ours(self) -> str:
        settings = config.load(str(self.folder / "wxserve.ini"), {}, {})
        application = app.build(settings, log.Journal(io.StringIO()))
        self.addCleanup(application.close)
        return self.serve(application)

    def test_a_running_server_answers_and_refuses(self) -> None:
        for ini in (INI, INI + SAFE):
            self.write("wxserve.ini", ini)
            address = self.ours()
            done = self.send("text", "你好", "--to", address)
            self.assertRegex(done.out, r"\Atext  你好\n      oTEST0001\n      \d+ ms\n\Z")
            done = self.send("text", "你好", "--to", address, "--fault", "bad-signature")
            self.assertEqual(done.status, 0)
            self.assertRegex(done.out, r"\A403 in \d+ ms  \(expected: that is the fault you asked for\)\n\Z")

    def test_another_token_is_a_fault_with_the_notice_that_users_see(self) -> None:
        address = self.ours()
        self.write("wxserve.ini", INI.replace("Top", "Other"))
        done = self.send("text", "你好", "--to", address)
        self.assertEqual(done.status, 1)
        self.assertRegex(done.out, rf"\A403 in \d+ ms\n«{FAULT_NOTICE}»\n      the answer was 403, not 200\n\Z")

    def test_servers_of_others_are_judged(self) -> None:
        def page(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("Content-Type", "text/html")])
            return [b"<html>Error</html>"]

        def moved(environ: Any, start_response: Any) -> list[bytes]:
            start_response("301 Moved", [("Location", "https://example.com/")])
            return [b""]

        for application, why in ((page, "the answer is a web page"),
                                 (moved, "the answer was 301 → https://example.com/, not 200")):  # fmt: skip
            done = self.send("text", "--to", self.serve(application))
            with self.subTest(why):
                self.assertEqual(done.status, 1)
                self.assertIn(f"«{FAULT_NOTICE}»\n      {why}\n", done.out)

    def test_nobody_there(self) -> None:
        done = self.send("text", "--to", "unix:/no/such/socket")
        self.assertEqual(done.status, 1)
        self.assertIn("cannot connect: No such file or directory", done.out)

    def test_without_a_configuration_there_is_no_token_to_sign_with(self) -> None:
        os.remove(self.folder / "wxserve.ini")
        done = self.send("text", "--to", "http://127.0.0.1:1")
        self.assertEqual(done.status, 78)
        self.assertIn("WX-CFG-01", done.err)


class Program(unittest.TestCase):
    """As a person runs it."""

    def test_without_a_configuration_the_shipped_handlers_answer_and_nothing_is_left_behind(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = run("send", "text", "你好", "--mode", "safe", cwd=folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("text  对啊,你好,然后呢\n"), done.stdout)
            done = run("send", "raw", "-", "--lang", "zh", cwd=folder, stdin="[]")
            self.assertEqual(done.returncode, 1)
            self.assertIn("WX-XML-02", done.stdout)
            self.assertEqual(os.listdir(folder), [])

    def test_a_terminal_that_knows_no_chinese_gets_question_marks_and_no_traceback(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = run("send", "text", "hi", cwd=folder, PYTHONIOENCODING="ascii")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.startswith("text  ??,hi,???\n"), done.stdout)


class Listening(unittest.TestCase):
    def test_what_the_application_logs_is_kept_and_not_written(self) -> None:
        self.addCleanup(logging.getLogger("wxserve").handlers.clear)
        heard = send.Overheard()
        logging.getLogger("wxserve.routing").error("handler", extra={"code": "WX-HND-05", "fields": {"at": "a:1"}})
        logging.getLogger("wxserve.routing").debug("quiet")
        heard.line(logging.INFO, "delivery", {"by": "a:1"})
        self.assertEqual([line.event for line in heard.lines], ["handler", "delivery"])
        self.assertEqual([line.event for line in outcomes(heard.lines)], ["delivery"])
