"""``doctor`` as a person runs it: words, JSON, exit status, both languages."""

from __future__ import annotations

import json
import tempfile
import time
import unittest
from pathlib import Path

from tests import inside, program
from tests.doctor import sites
from weixin.store import open_store
from weixin.store.base import Refusal


class Doctor(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        ini = self.folder / "wxserve.ini"
        ini.write_text(f"[wechat]\ntoken = {sites.TOKEN}\n[server]\nlisten = {sites.NOBODY}\n")
        ini.chmod(0o600)

    def test_an_address_that_redirects(self) -> None:
        with sites.serve(sites.page("301 Moved Permanently", b"", Location="/weixin/")) as port:
            asked = ("--url", "http://wx.example.com/weixin", "--via", f"127.0.0.1:{port}")
            english = program.run("doctor", *asked, cwd=self.folder)
            chinese = inside.run("--lang", "zh", "doctor", *asked, cwd=self.folder)
            rows = json.loads(inside.run("doctor", "--json", *asked, cwd=self.folder).stdout)
        self.assertEqual((english.returncode, chinese.returncode), (1, 1), english.stderr)
        self.assertIn("!!  http     WX-NET-07 the address redirects (301 → ", english.stdout)
        self.assertIn("fix    enter http://wx.example.com/weixin/, or use location = /weixin", english.stdout)
        self.assertIn("problems: 1. Nothing was changed.", english.stdout)
        self.assertIn("WX-NET-07 地址会跳转（301 → http://wx.example.com/weixin/）", chinese.stdout)
        self.assertEqual([row["code"] for row in rows if row["result"] == "problem"], ["WX-NET-07"])
        for text in (english.stdout, chinese.stdout, json.dumps(rows)):
            self.assertNotIn(sites.TOKEN, text)

    def test_without_an_address_the_rest_is_looked_at(self) -> None:
        done = inside.run("doctor", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(" ok  config", done.stdout)
        self.assertIn(" --  http     not asked: add --url", done.stdout)
        self.assertIn("no problem was found", done.stdout)

    def test_what_is_not_looked_at_says_what_it_takes(self) -> None:
        done = inside.run("doctor", cwd=self.folder)
        self.assertIn(" --  request  not asked: put a request that was received behind --request", done.stdout)
        self.assertIn(" --  unit     not asked: no systemd service is installed here", done.stdout)
        (self.folder / "wxserve.ini").write_text("oops")
        done = inside.run("doctor", "request", "wechat", "--request", "GET /weixin?x=1", cwd=self.folder)
        for group in ("request ", "wechat  "):
            self.assertIn(f" --  {group} not asked: mend the configuration first", done.stdout)

    def test_what_the_store_remembers_is_a_finding(self) -> None:
        done = inside.run("doctor", "wechat", cwd=self.folder)
        self.assertIn(" --  wechat   nothing from WeChat was seen yet. Run with --watch and press 提交", done.stdout)
        self.assertFalse((self.folder / "wxserve.db").exists())
        store = open_store(f"sqlite:{self.folder}/wxserve.db")
        store.refused(Refusal(time.time(), "WX-SIG-02", "192.0.2.7", "trailing_space", 3))
        store.close()
        english = inside.run("doctor", "wechat", cwd=self.folder)
        self.assertRegex(english.stdout, "3 times, last .* from 192.0.2.7")
        chinese = inside.run("--lang", "zh", "doctor", "WX-SIG-02", cwd=self.folder)
        self.assertEqual((english.returncode, chinese.returncode), (1, 1), english.stderr)
        self.assertIn("WX-SIG-02 the signature does not match: the token saved on the platform ends", english.stdout)
        self.assertRegex(english.stdout, r"3 times, last \d\d-\d\d \d\d:\d\d:\d\d, from 192\.0\.2\.7")
        self.assertIn("签名不一致：平台上保存的 Token 末尾多一个空格", chinese.stdout)

    def test_a_faulty_configuration_is_a_finding(self) -> None:
        (self.folder / "wxserve.ini").write_text("[wechat]\ntoken = a b\n")
        done = inside.run("doctor", "config", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("wxserve.ini:2 WX-CFG-04", done.stdout)

    def test_a_request_from_a_file_or_standard_input(self) -> None:
        line = "GET /weixin?signature=00&timestamp=1&nonce=2 HTTP/1.0\n"
        (self.folder / "request.txt").write_text(line)
        for given, stdin in (("request.txt", ""), ("-", line), (line, "")):
            done = inside.run("doctor", "request", "--request", given, cwd=self.folder, stdin=stdin)
            self.assertIn("WX-SIG-02", done.stdout)

    def test_every_check_is_listed(self) -> None:
        done = inside.run("doctor", "--list-checks", cwd=self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^tls +WX-NET-06  ")
        self.assertNotIn("{", done.stdout)
        rows = done.stdout.splitlines()
        self.assertEqual(len(rows), len(set(rows)), "each once")
        for row in rows:
            self.assertRegex(row, r"WX-[A-Z]{3}-[0-9]{2}  .*\w{3}", "a code without a word about it")

    def test_wrong_usage(self) -> None:
        for words in (("nonsense",), ("--url", "example.com"), ("--url", "http://a/", "--via", "nowhere")):
            with self.subTest(words):
                self.assertEqual(inside.run("doctor", *words, cwd=self.folder).returncode, 2)
