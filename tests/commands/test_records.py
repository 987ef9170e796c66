"""Looking back, with a store that the real program filled: ``deliveries``, ``stats``, ``forget``."""

from __future__ import annotations

import io
import json
import re
import signal
import tempfile
import time
import unittest
from pathlib import Path
from typing import Callable

from tests import program
from tests.inside import run
from weixin import app, config
from weixin.commands import stats
from weixin.commands.following import Following, failed
from weixin.log import Journal
from weixin.simulator import Account, Http, InProcess, Platform
from weixin.store import open_records, open_store
from weixin.store.base import Answer, Delivery, Mail, Push, Refusal, told

INI = "[wechat]\ntoken = GreedIsGood\n[store]\ncontent = {content}\n"
HANDLERS = """
from wxserve import on

@on.text("你好")
def hello(msg, state):
    state["times"] = state.get("times", 0) + 1
    return f"again {state['times']}" if msg.replayed else f"hello {state['times']}"

@on.text("错")
def wrong(msg):
    raise RuntimeError("boom")
"""
USER = "oGxAbCdEfGh1234567890123453k"


class Site(unittest.TestCase):
    """A folder with a project in it, and what a server left there."""

    content = "full"

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "wxserve.ini").write_text(INI.format(content=self.content), encoding="utf-8")
        (self.folder / "replies.ini").write_text("[帮助]\ntext = 有事找我\n", encoding="utf-8")
        (self.folder / "handlers").mkdir()
        (self.folder / "handlers" / "all.py").write_text(HANDLERS, encoding="utf-8")
        self.db = self.folder / "wxserve.db"

    def serve(self, *said: str, token: str = "GreedIsGood", then: Callable[[], None] | None = None) -> None:
        """Let the program answer some texts, and close it."""
        settings = config.load(str(self.folder / "wxserve.ini"), {}, {})
        application = app.build(settings, Journal(io.StringIO(), threaded=False))
        try:
            weixin = Platform(Account(token))
            for text in said:
                name, *words = text.split()
                kind, words = (name[1:], words) if name[0] == "/" else ("text", [text])
                weixin.deliver(weixin.push(kind, *words, user=USER), InProcess(application))
            if then is not None:
                then()
        finally:
            application.close()

    def run_here(self, *words: str) -> tuple[int, str]:
        done = run(*words, cwd=self.folder)
        return done.returncode, done.stdout + done.stderr

    def rows(self, *words: str) -> list[dict[str, object]]:
        status, text = self.run_here("deliveries", "--json", *words)
        self.assertEqual(status, 0, text)
        return [json.loads(line) for line in text.splitlines()]


class Nothing(Site):
    def test_a_store_that_is_not_there_is_named_and_not_made(self) -> None:
        for lang, word in (("en", "is not there"), ("zh", "不存在")):
            for words in (["deliveries"], ["deliveries", "show", "8f5a"], ["stats"], ["forget", USER]):
                with self.subTest(f"{lang} {words}"):
                    status, text = self.run_here("--lang", lang, *words)
                    self.assertEqual(status, 1)
                    self.assertIn("wxserve.db", text)
                    self.assertIn(word, text)
        self.assertEqual(sorted(path.name for path in self.folder.glob("wxserve.*")), ["wxserve.ini"])

    def test_a_store_that_could_not_be_begun_has_nothing_and_says_so(self) -> None:
        # What a full disk leaves: the server goes on in another file.
        self.db.touch()
        for lang, word in (("en", "or empty"), ("zh", "是空的")):
            for words in (["deliveries"], ["stats"], ["forget", USER]):
                with self.subTest(f"{lang} {words}"):
                    status, text = self.run_here("--lang", lang, *words)
                    self.assertEqual((status, "WX-STO-01" in text, word in text), (1, True, True), text)

    def test_a_file_that_is_no_store_is_not_touched(self) -> None:
        self.db.write_bytes(b"no store\n" * 1000)
        for words in (["deliveries"], ["stats"], ["forget", USER]):
            with self.subTest(words):
                status, text = self.run_here(*words)
                self.assertEqual(status, 1)
                self.assertIn("cannot read wxserve.db", text)
        self.assertEqual(self.db.read_bytes(), b"no store\n" * 1000)

    def test_memory_is_another_process_s(self) -> None:
        with (self.folder / "wxserve.ini").open("a") as stream:
            stream.write("url = memory:\n")
        for words in (["deliveries"], ["stats"], ["forget", USER]):
            status, text = self.run_here(*words)
            self.assertEqual((status, "memory:" in text), (1, True))

    def test_wrong_usage(self) -> None:
        for words in (
            ["deliveries", "show"], ["deliveries", "replay"], ["deliveries", "list", "8f5a"], ["deliveries", "burn"],
            ["deliveries", "show", "8f5a", "--follow"], ["deliveries", "--limit", "0"],
            ["stats", "--since", "yesterday"], ["stats", "--since", "40d"], ["forget"], ["forget", "oGx…3k"],
        ):  # fmt: skip
            with self.subTest(words):
                self.assertEqual(self.run_here(*words)[0], 2)


class Looking(Site):
    def test_a_line_each_the_newest_last(self) -> None:
        self.serve("你好", "帮助", "/subscribe", "错")
        status, text = self.run_here("deliveries")
        self.assertEqual(status, 0, text)
        lines = text.splitlines()
        wanted = (
            r"text +oGx…3k  你好 +→ text \d+ B +\d+ ms  handlers/all\.py:\d+",
            r"text +oGx…3k  帮助 +→ text \d+ B +\d+ ms  replies\.ini:1",
            r"subscribe  oGx…3k +→ success +\d+ ms",
            r"text +oGx…3k  错 +→ error +\d+ ms  handlers/all\.py:\d+  WX-HND-05",
        )
        self.assertEqual(len(lines), len(wanted))
        for line, pattern in zip(lines, wanted):
            self.assertRegex(line, r"\A(?:\d\d-\d\d )?\d\d:\d\d:\d\d  [0-9a-f]{6}  " + pattern + r"\Z")
        self.assertNotIn(USER, text)

    def test_the_last_few_and_those_that_failed(self) -> None:
        self.serve("你好", "错", "你好", "帮助")
        self.assertEqual([row["text"] for row in self.rows("--limit", "2")], ["你好", "帮助"])
        self.assertEqual([row["text"] for row in self.rows("--failed")], ["错"])

    def test_what_was_refused_is_among_them(self) -> None:
        self.serve("你好", token="GreedIsGood ")
        status, text = self.run_here("deliveries")
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"------  127\.0\.0\.1 +WX-SIG-02: ")
        (row,) = self.rows()
        self.assertEqual((row["refused"], row["ip"]), ("WX-SIG-02", "127.0.0.1"))

    def test_one_is_shown_whole(self) -> None:
        self.serve("你好", "错")
        first, second = (str(row["name"]) for row in self.rows())
        cases = (("en", ("user", "request", "reply", "attempt 1")), ("zh", ("用户", "推送", "回复", "第 1 次")))
        for lang, words in cases:
            status, text = self.run_here("--lang", lang, "deliveries", "show", first)
            self.assertEqual(status, 0, text)
            for word in (*words, USER, "<Content><![CDATA[你好]]>", "<![CDATA[hello 1]]>", "handlers/all.py:"):
                self.assertIn(word, text)
        self.assertIn("WX-HND-05", self.run_here("deliveries", "show", "d=" + second)[1])
        row = json.loads(self.run_here("deliveries", "show", first, "--json")[1])
        self.assertEqual((row["user"], row["attempts"][0]["result"]), (USER, "replied"))
        self.assertIn("hello 1", row["answer"])

    def test_one_that_is_not_there(self) -> None:
        self.serve("你好")
        status, text = self.run_here("deliveries", "show", "ffffff")
        self.assertEqual(status, 1)
        self.assertIn("among the last 500", text)

    def test_reading_leaves_the_store_as_it_was(self) -> None:
        self.serve("你好")
        before = {path.name: path.read_bytes() for path in self.folder.glob("wxserve.db*")}
        for words in (["deliveries"], ["stats"], ["deliveries", "show", str(self.rows()[0]["name"])]):
            self.run_here(*words)
        self.assertEqual({path.name: path.read_bytes() for path in self.folder.glob("wxserve.db*")}, before)


class Again(Site):
    def test_the_handlers_run_here_and_are_told_so_and_the_store_hears_nothing(self) -> None:
        self.serve("你好")
        (row,) = self.rows()
        status, text = self.run_here("deliveries", "replay", str(row["name"]))
        self.assertEqual(status, 0, text)
        self.assertIn("nothing is sent to the user", text)
        self.assertIn("again 1", text)
        self.assertEqual(self.rows(), [row])
        made = json.loads(self.run_here("deliveries", "replay", str(row["name"]), "--json")[1])
        self.assertEqual((made["text"], made["replayed"]), ("again 1", row["name"]))

    def test_a_fault_is_a_fault(self) -> None:
        self.serve("错")
        status, text = self.run_here("deliveries", "replay", str(self.rows()[0]["name"]))
        self.assertIn("RuntimeError: boom", text)
        self.assertEqual(status, 0)  # without on.error the user sees nothing


class Short(Site):
    content = "short"

    def test_what_is_not_kept_names_its_option(self) -> None:
        self.serve("你好")
        # The store keeps an answer for late duplicates a minute, and the request not at all.
        name = str(self.rows()[0]["name"])
        status, text = self.run_here("deliveries", "show", name)
        self.assertEqual(status, 0)
        self.assertIn("[store] content = short; full keeps the request", text)
        status, text = self.run_here("deliveries", "replay", name)
        self.assertEqual(status, 1)
        self.assertIn("[store] content = short", text)


class Counting(Site):
    def test_a_table(self) -> None:
        self.serve("你好", "你好", "帮助", "多少钱", "多少钱", "地址", "错", "/subscribe", "/unsubscribe", "帮助")
        status, text = self.run_here("stats")
        self.assertEqual(status, 0, text)
        first, rules, _ = text.splitlines()
        wanted = r"messages 10   users 1   new 1   left 1   unmatched 50 %   slow\(>1 s\) 0   timeouts 0   errors 1"
        self.assertRegex(first, wanted)
        self.assertRegex(rules, r"\Atop rules   handlers/all\.py:\d+ 2   replies\.ini:1 2   handlers/all\.py:\d+ 1\Z")
        self.assertIn('top unmatched   "多少钱" 2   "地址" 1   ← add these', text)
        numbers = json.loads(self.run_here("stats", "--since", "7d", "--json")[1])
        self.assertEqual((numbers["since"], numbers["messages"], numbers["types"]["text"]), (7 * 86_400, 10, 8))

    def test_without_messages_there_are_zeros(self) -> None:
        self.serve()
        for lang, word in (("en", "messages 0"), ("zh", "消息 0")):
            self.assertIn(word, self.run_here("--lang", lang, "stats")[1])

    def test_times(self) -> None:
        for text, seconds in (("30m", 1800), ("24h", 86_400), ("31d", 31 * 86_400), ("32d", 0), ("0h", 0), ("h", 0)):
            self.assertEqual(stats.duration(text), seconds)


class Forgetting(Site):
    def test_state_mail_and_content_go_and_the_rest_stays(self) -> None:
        self.serve("你好")
        store = open_store(f"sqlite:{self.db}")
        other = Push(b"k" * 16, "gh_1", "oOther", time.time(), b"<xml/>", "aaaaaa", "text", "mine")
        answer = Answer(b"", True, put=(Mail("q", "text", "late", b""),), result="replied")
        store.finish(store.claim(other), answer)
        account = "gh_1"
        store.change(account, USER, {"name": '"Li"'})
        store.change(account, "oOther", {"name": '"Wang"'})
        store.close()
        status, text = self.run_here("forget", USER)
        self.assertEqual(status, 0, text)
        self.assertIn("was said: 1", text)
        store = open_store(f"sqlite:{self.db}")
        self.addCleanup(store.close)
        self.assertEqual(store.state(account, USER), {})
        self.assertEqual(store.state(account, "oOther"), {"name": '"Wang"'})
        self.assertEqual(len(store.mail(account, "oOther")), 1)
        self.assertNotIn(USER, str(store.deliveries(10)))
        self.assertNotIn("你好", str(store.deliveries(10)))
        self.assertNotIn(USER.encode(), self.db.read_bytes().replace(b"\0", b""))

    def test_json(self) -> None:
        self.serve("你好")
        self.assertEqual(json.loads(self.run_here("forget", USER, "--json")[1]), {"user": USER, "messages": 1})


class Live(Site):
    def test_a_message_is_followed_as_it_comes_and_ctrl_c_ends_it(self) -> None:
        server = program.Server("run", cwd=self.folder)
        self.addCleanup(server.close)
        to, weixin = Http(f"http://127.0.0.1:{server.port()}/weixin"), Platform(Account("GreedIsGood"))
        weixin.deliver(weixin.push("text", "你好", user=USER), to)
        following = program.Server("deliveries", "--follow", cwd=self.folder, listen="")
        self.addCleanup(following.close)
        following.wait_for(r"你好 +→ text ")
        weixin.deliver(weixin.push("text", "帮助", user=USER), to)
        Platform(Account("another")).deliver(weixin.push("text", "帮助"), to)
        following.wait_for(r"帮助 +→ text ")
        following.wait_for(r"------  127\.0\.0\.1 .*WX-SIG-02")
        following.signal(signal.SIGINT)
        self.assertEqual(following.process.wait(program.SECONDS), 0)
        self.assertEqual(len(re.findall("→", following.output)), 2)
        self.assertNotIn("Traceback", following.output)


class Following_(Site):
    def test_a_message_is_told_once_when_a_delivery_of_it_was_answered(self) -> None:
        store = open_store(f"sqlite:{self.db}")
        self.addCleanup(store.close)
        following = Following(store.url, [])
        push = Push(b"k" * 16, "gh_1", USER, time.time() + 0.01, b"<xml/>", "aaaaaa", "text", "hi")
        claim = store.claim(push)
        store.join(push)
        store.attempt(push.key, f"{push.at:.3f} 5.000 silent")
        store.flush()
        self.assertEqual(following.look(), [])
        store.finish(claim, Answer(b"ok", False, result="replied"))
        self.assertEqual(following.look(), [])
        store.attempt(push.key, f"{push.at + 5:.3f} 2.000 replied")
        store.flush()
        (row,) = following.look()
        assert row.delivery is not None
        self.assertEqual((row.delivery.name, len(row.delivery.attempts)), ("aaaaaa", 2))
        self.assertEqual(following.look(), [])

    def test_nothing_there_yet_is_nothing_new(self) -> None:
        following = Following(f"sqlite:{self.db}", [])
        self.assertEqual(following.look(), [])
        self.serve("你好", then=lambda: None)
        (row,) = following.look()
        store = open_store(f"sqlite:{self.db}")
        store.refused(Refusal(time.time(), "WX-SIG-02", "1.2.3.4", told("mismatch", {})))
        store.close()
        (refusal,) = following.look()
        self.assertTrue(row.delivery and refusal.refusal)

    def test_what_failed(self) -> None:
        self.serve("你好")
        records = open_records(f"sqlite:{self.db}")
        assert records is not None
        with records:
            (good,) = records.deliveries(1)
        cases: list[tuple[Delivery, bool]] = [
            (good, False),
            (good._replace(result="error"), True),
            (good._replace(result="mailbox"), True),
            (good._replace(code="WX-RPL-01"), True),
            (good._replace(attempts=("1 5.000 silent", "6 2.000 replied")), False),
            (good._replace(attempts=("1 5.000 silent", "6 5.000 gone")), True),
            (good._replace(attempts=()), False),
        ]
        for delivery, expected in cases:
            with self.subTest(delivery.result, attempts=delivery.attempts):
                self.assertEqual(failed(delivery), expected)


if __name__ == "__main__":
    unittest.main()
