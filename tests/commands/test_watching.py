"""``doctor --watch`` beside a real server: what WeChat asks is explained as it comes, and what never comes."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import signal
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

from tests import program
from tests.doctor import sites
from weixin.commands import Call, watching
from weixin.commands.terminal import Terminal
from weixin.simulator import Account, Http, Platform


class Beside(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "wxserve.ini").write_text(f"[wechat]\ntoken = {sites.TOKEN}\n")
        (self.folder / "replies.ini").write_text("[hi]\ntext = hello\n")

    def watcher(self, *words: str) -> program.Server:
        """`doctor --watch`, which has no address of its own."""
        made = program.Server("doctor", "--watch", *words, cwd=self.folder, listen="")
        self.addCleanup(made.close)
        return made

    def server(self) -> Http:
        server = program.Server("run", cwd=self.folder)
        self.addCleanup(server.close)
        return Http(f"http://127.0.0.1:{server.port()}/weixin")

    def platform(self, token: str = sites.TOKEN) -> Platform:
        return Platform(Account(token, sites.SAFE["appid"], b"\0" * 32, "plain"))

    def test_a_wrong_token_the_right_one_and_a_message(self) -> None:
        for lang, waits, wrong, slip, right, answered in (
            ("en", "waiting for WeChat", "signature WRONG", "WX-SIG-02  .*: the token saved on the platform ends",
             "signature ok, echostr returned   → 提交成功", r"answered: text, \d+ ms"),
            ("zh", "等待微信的请求", "签名不对", "WX-SIG-02  签名不一致：平台上保存的 Token 末尾多一个空格",
             "签名正确，echostr 已返回   → 提交成功", r"已回答：text，\d+ ms"),
        ):  # fmt: skip
            with self.subTest(lang):
                watcher = self.watcher("--lang", lang)  # before the server: there is no store yet
                watcher.wait_for(waits)
                to = self.server()
                self.assertFalse(self.platform(sites.TOKEN + " ").verify(to)[1])
                watcher.wait_for(rf'GET /weixin  127\.0\.0\.1 "Mozilla/4\.0" +{wrong}')
                watcher.wait_for(slip)
                self.assertTrue(self.platform().verify(to)[1])
                watcher.wait_for(right)
                weixin = self.platform()
                weixin.deliver(weixin.push("text", "hi"), to)
                watcher.wait_for(rf"POST /weixin  d=[0-9a-f]+ text \S+ +{answered}")
                watcher.signal(signal.SIGINT)
                self.assertEqual(watcher.process.wait(program.SECONDS), 0)
                self.assertNotIn(sites.TOKEN, watcher.output)
                self.assertNotIn("Traceback", watcher.output)
                self.assertEqual(watcher.output.count(right), 1)

    def test_what_was_before_is_not_shown_and_json_is_a_line_each(self) -> None:
        to = self.server()
        self.platform("another").verify(to)
        self.platform().verify(to)
        watcher = self.watcher("--json")
        deadline = time.monotonic() + program.SECONDS
        while "\n" not in watcher.output and time.monotonic() < deadline:  # when it begins, it does not say
            self.platform("different").verify(to)
            time.sleep(0.05)
        rows = [json.loads(line) for line in watcher.output.splitlines()]
        found = {(row["code"], row["good"], row["request"]["ip"]) for row in rows}
        self.assertEqual(found, {("WX-SIG-02", False, "127.0.0.1")})
        watcher.signal(signal.SIGINT)
        self.assertEqual(watcher.process.wait(program.SECONDS), 1)


class Alone(unittest.TestCase):
    def watch(self, store: str, seconds: float, lang: str = "en") -> tuple[int, str]:
        """Watch a store for so many seconds of a clock that goes by itself."""
        now = [0.0]

        def pause(more: float) -> None:
            now[0] += more
            if now[0] > seconds:
                raise KeyboardInterrupt

        options = argparse.Namespace(json=False)
        call = Call(options, {}, lang, Terminal(lang))
        settings: Any = sites.settings(store=store)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = watching.watch(call, settings, clock=lambda: now[0], pause=pause)
        return status, said.getvalue()

    def test_after_a_minute_of_nothing_it_says_where_to_look_in_order_and_once(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for lang in ("en", "zh"):
                status, said = self.watch(f"sqlite:{folder}/none.db", 200.0, lang)
                self.assertEqual(status, 1)
                words = ("DNS", "80 ", "nft list", "ss -ltn", "IPv6", "备案", "server_name")
                places = [said.index(word) for word in words]
                self.assertEqual(places, sorted(places))
                self.assertEqual(said.count("server_name"), 1)
            self.assertNotIn("server_name", self.watch(f"sqlite:{folder}/none.db", 59.0)[1])
            self.assertEqual(list(Path(folder).iterdir()), [])

    def test_memory_cannot_be_watched(self) -> None:
        for lang, word in (("en", "cannot be seen"), ("zh", "看不到")):
            status, said = self.watch("memory:", 1.0, lang)
            self.assertEqual((status, word in said), (1, True))


if __name__ == "__main__":
    unittest.main()
