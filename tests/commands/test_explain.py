"""``explain`` knows every code of ours, Tencent's, and the words that people copy from a screen."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

from tests import inside
from weixin import texts
from weixin.commands import explain
from weixin.store import open_store
from weixin.store.base import Answer, Push
from weixin.texts.codes import CODES
from weixin.texts.platform import ALSO, PLATFORM


class Names(unittest.TestCase):
    def test_codes_errcodes_and_notices_are_found_in_what_people_paste(self) -> None:
        cases: list[tuple[str, list[str]]] = [
            ("wx-net-07", ["WX-NET-07"]),
            ("-40001", ["-40001"]),
            ("errcode: 40164, errmsg: invalid ip 1.2.3.4, not in whitelist", ["40164"]),
            ('{"errcode":48001,"errmsg":"api unauthorized"}', ["48001"]),
            ("Token验证失败", ["Token验证失败"]),
            ("Token 校验失败", ["Token验证失败"]),
            ("47001 data format error", ["47001"]),
            ("请求URL超时", ["请求URL超时"]),
            ("该公众号提供的服务出现故障，请稍后再试", ["该公众号提供的服务出现故障"]),
            ("该公众号暂时无法提供服务，请稍后再试", ["该公众号提供的服务出现故障"]),
            ("[OpenID=oGx][Stamp=1741849080][Msg=Subscribe]5秒内没有返回", ["请求超时"]),
            ("2026-03-05 WARN  refused  code=WX-SIG-02 ip=183.3.2.1", ["WX-SIG-02"]),
            ("nothing at all", []),
            ("WX-NON-99 999999", []),
        ]
        for text, wanted in cases:
            with self.subTest(text):
                self.assertEqual(explain.names(text), wanted)

    def test_every_code_is_explained_in_both_languages(self) -> None:
        for name, entry in {**CODES, **PLATFORM}.items():
            for lang in texts.LANGUAGES:
                with self.subTest(f"{name} {lang}"):
                    self.assertEqual(explain.names(name), [name])
                    for part in entry[lang]:
                        self.assertTrue(part)
                        self.assertNotIn("{", explain.plain(part))

    def test_other_wordings_lead_to_something(self) -> None:
        self.assertLessEqual(set(ALSO.values()), set(PLATFORM))


class Command(unittest.TestCase):
    def run_in(self, *words: str) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as folder:
            done = inside.run(*words, cwd=folder)
            return done.returncode, done.stdout + done.stderr

    def test_needs_no_configuration(self) -> None:
        status, text = self.run_in("explain", "-40001")
        self.assertEqual(status, 0, text)
        self.assertIn("the signature is wrong", text)
        self.assertIn("fix", text)
        _, text = self.run_in("--lang", "zh", "explain", "-40001")
        self.assertIn("签名验证错误", text)

    def test_a_pasted_alarm_finds_its_message_by_openid_and_stamp(self) -> None:
        openid, at = "oGxAbCdEfGh1234567890123453k", 1741849080.4
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "wxserve.ini").write_text("[wechat]\ntoken = GreedIsGood\n")
            store = open_store(f"sqlite:{folder}/wxserve.db", answers=1e9)
            for number, (user, when) in enumerate(((openid, at), (openid, at + 300), ("oOther", at))):
                push = Push(bytes([number]) * 16, "gh_1", user, when, b"", f"8f{number}a", "event", "secret words")
                line = f"{when:.3f} 5.001 silent"
                answer = Answer(b"", True, rule="handlers/welcome.py:12", result="mailbox", ms=6300.0)
                store.finish(store.claim(push), answer)
                store.attempt(push.key, line)
            store.close()
            for lang, found, attempt, fix, unfound in (
                ("en", "found the message d=8f0a: ", "attempt 1  ", "set budget= and busy=", "no message of this user"),
                ("zh", "找到这条消息 d=8f0a：", "第 1 次推送  ", "设 budget= 和 busy=", "没有这个用户那时的消息"),
            ):
                for who in (openid, "oGx…3k"):
                    alarm = f"[OpenID={who}][Stamp=1741849080][Event=subscribe]5秒内没有返回"
                    done = inside.run("--lang", lang, "explain", alarm, cwd=folder)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    for words in ("请求超时", found, "handlers/welcome.py:12", "6.3", attempt, fix):
                        self.assertIn(words, done.stdout)
                    self.assertNotIn("secret words", done.stdout)
                alarm = "[OpenID=oNobody][Stamp=1741849080]5秒内没有返回"
                self.assertIn(unfound, inside.run("--lang", lang, "explain", alarm, cwd=folder).stdout)
            done = inside.run("explain", "--json", "INFO  delivery d=8f1a type=event", cwd=folder)
            (row,) = json.loads(done.stdout)
            self.assertEqual((row["delivery"]["name"], row["delivery"]["rule"]), ("8f1a", "handlers/welcome.py:12"))

    def test_without_records_an_alarm_is_explained_all_the_same(self) -> None:
        for lang, words in (("en", "there are no records"), ("zh", "没有能找这条消息的记录")):
            status, text = self.run_in("--lang", lang, "explain", "[OpenID=oX1][Stamp=1741849080]5秒内没有返回")
            self.assertEqual(status, 0)
            self.assertIn("请求超时", text)
            self.assertIn(words, text)

    def test_json(self) -> None:
        _, text = self.run_in("explain", "--json", "WX-NET-07", "48001")
        self.assertEqual([row["name"] for row in json.loads(text)], ["WX-NET-07", "48001"])

    def test_what_is_unknown(self) -> None:
        for lang in texts.LANGUAGES:
            status, text = self.run_in("--lang", lang, "explain", "mumble")
            self.assertEqual(status, 1)
            # What would be known.
            for word in ("mumble", "WX-NET-07", "-40001", "Token验证失败", "doctor --list-checks"):
                self.assertIn(word, text)

    def test_every_code_that_people_meet_is_known(self) -> None:
        common = (40001, 40013, 40125, 40164, 42001, 45009, 45015, 45047, 48001)
        tencent = [str(code) for code in (*range(-40011, -40000), *common)]
        self.assertEqual([code for code in tencent if explain.names(code) != [code]], [])
