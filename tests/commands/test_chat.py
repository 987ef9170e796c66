"""``chat``: from a pipe, at a terminal, in any locale; what is shown, kept, loaded again."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from tests import inside
from tests.program import ROOT, SCRIPT, SECONDS, environment, run

PAGE = """
from wxserve import Text, on

class Page(Text):
    def render(self, *more):
        return b"<html>"

@on.text("页")
def page(msg):
    return Page("x")
"""
EDITOR = """
from pathlib import Path
from wxserve import on

@on.text("改")
def edit(msg):
    Path("replies.ini").write_text("[新]\\ntext = 新的\\n", encoding="utf-8")
    return "好"

@on.text("错")
def wrong(msg):
    Path("replies.ini").write_text("oops", encoding="utf-8")
    return "好"
"""
SLOW = """
import pathlib, time
from wxserve import on

@on.text("慢")
def slow(msg):
    pathlib.Path("began").touch()
    time.sleep(60)
"""
HANDLER = """
from wxserve import News, on

@on.text("天气")
def today(msg):
    return News("上海 晴", "点击看详情", pic="https://a.example/1.png", url="https://a.example/")

@on.text("坏")
def bad(msg):
    raise ValueError("boom")
"""
REPLIES = "[@关注]\ntext = 欢迎关注！\n\n[你好]\ntext = 你好呀\n\n[两行]\ntext =\n    一\n    二\n"


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name, "mybot")
        (self.folder / "handlers").mkdir(parents=True)
        self.write("wxserve.ini", "[wechat]\ntoken = GreedIsGood\n")
        self.write("handlers/a.py", HANDLER)
        self.write("replies.ini", REPLIES)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def chat(self, said: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return inside.run("chat", *arguments, cwd=self.folder, stdin=said)


class Piped(Case):
    def test_a_conversation(self) -> None:
        done = self.chat("/subscribe\n天气\n两行\n/image cat.jpg\n/unsubscribe\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(
            done.stdout,
            r"\Atalking to mybot in process, mode plain, as user oTEST0001\.  /help lists all\n"
            r"> /subscribe\n< text  欢迎关注！ +replies\.ini:1   \d+ ms\n"
            r"> 天气\n< news  上海 晴 +handlers/a\.py:4   \d+ ms\n"
            r"> 两行\n< text  一\n      二\n      replies\.ini:7   \d+ ms\n"
            r"> /image cat\.jpg\n< \(nothing\) +no rule for image   \d+ ms\n"
            r"> /unsubscribe\n< \(nothing\) +no rule for unsubscribe   \d+ ms\n\Z",
        )

    def test_every_mode_walks_the_real_path(self) -> None:
        for mode in ("plain", "compat", "safe"):
            with self.subTest(mode):
                done = self.chat("你好\n/xml\n", "--mode", mode)
                self.assertIn(f"mode {mode}", done.stdout)
                self.assertIn("< text  你好呀", done.stdout)
                self.assertEqual("<Encrypt>" in done.stdout, mode != "plain")
                self.assertEqual("reply, opened" in done.stdout, mode != "plain")
                self.assertNotIn("GreedIsGood", done.stdout)

    def test_a_chat_file_can_be_piped_in(self) -> None:
        done = self.chat("# remark\n> 你好\n< 你好*\n  @within 1s\n> 天气\n<\n", "-q")
        self.assertEqual(re.findall(r"^[<>] \w+ .*$", done.stdout, re.MULTILINE), ["< text  你好呀", "< news  上海 晴"])

    def test_users(self) -> None:
        self.write("handlers/b.py", "from wxserve import on\n\n@on.any\ndef who(msg):\n    return msg.user\n")
        done = self.chat("谁\n/user oABC\n谁\n/user new\n谁\n/user\n", "--user", "oME")
        users = re.findall(r"< text  (\S+)", done.stdout)
        self.assertEqual(users[:2], ["oME", "oABC"])
        self.assertRegex(users[2], r"\Ao[0-9a-f]{26}\Z")
        self.assertTrue(done.stdout.endswith(f"now as user {users[2]}\n"))

    def test_slips_are_explained_and_do_not_end_it(self) -> None:
        slips = "/clik X\n/nonsense\n/location x\n/click A B\n/slow x\n/fault\n/fault wrong-key 你好\n/save\n"
        done = self.chat(slips + "你好\n")
        self.assertEqual(done.returncode, 0)
        for words in (
            "there is no /clik; is it /click?  (/help lists all)",
            "there is no /nonsense  (/help lists all)",
            "Location_X cannot be x",
            "there is no place for B",
            "usage: /slow 7 你好",
            "usage: /fault bad-signature|",
            "there is no fault wrong-key in plain mode  fix: add --mode safe",
            "usage: /save tests/hello.chat",
        ):
            with self.subTest(words):
                self.assertIn(words, done.stderr)
        self.assertIn("< text  你好呀", done.stdout)

    def test_faults_that_were_asked_for_and_one_that_was_not(self) -> None:
        asked = self.chat("/fault bad-signature 你好\n")
        self.assertEqual(asked.returncode, 0)
        self.assertRegex(asked.stdout, r"< 403 in \d+ ms  WX-SIG-02 .* \(expected: that is the fault you asked for\)")
        self.write("handlers/b.py", PAGE)
        done = self.chat("页\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("< «该公众号提供的服务出现故障，请稍后再试»\n      the answer is a web page\n", done.stdout)

    def test_a_handler_that_raises_is_shown_with_its_traceback(self) -> None:
        done = self.chat("坏\n")
        self.assertEqual(done.returncode, 0)
        self.assertIn(" raised ValueError: boom", done.stderr)
        self.assertIn('a.py", line 10, in bad', done.stderr)

    def test_why_lists_the_rules_in_order(self) -> None:
        self.write("replies.ini", REPLIES + "[包含: 天]\ntext = x\n")
        done = self.chat("/why 天气\n/why 别的\n")
        self.assertIn("  1  replies.ini:11    [包含: 天]   contained   天\n", done.stdout)
        self.assertIn("  2  handlers/a.py:4   a.today      exact       天气\n", done.stdout)
        self.assertIn("no rule matches", done.stderr)

    def test_again_with_the_same_number_and_with_a_new_one(self) -> None:
        self.write("handlers/b.py", "from wxserve import on\n\n@on.any\ndef number(msg):\n    return msg.id\n")
        done = self.chat("/again\nx\n/again\n/again new\n")
        first, same, new = re.findall(r"< text  (\d+)", done.stdout)
        self.assertEqual((first, first == new), (same, False))
        self.assertIn("nothing has been sent yet", done.stderr)

    def test_what_was_said_is_kept_and_played(self) -> None:
        done = self.chat("/subscribe\n两行\n坏\n/fault bad-signature x\n/save tests/kept\n/save tests/kept.chat\n")
        self.assertIn("saved in tests/kept.chat: 4 turns", done.stdout)
        self.assertIn("tests/kept.chat is there already", done.stderr)
        kept = (self.folder / "tests/kept.chat").read_text(encoding="utf-8")
        self.assertEqual(
            kept,
            "> /subscribe\n< 欢迎关注！\n> 两行\n< 一\n  二\n> 坏\n<\n> x\n  @fault bad-signature\n< fault: status\n",
        )
        played = inside.run("test", cwd=self.folder)
        self.assertEqual(played.returncode, 0, played.stdout)

    def test_what_is_said_at_random_is_kept_with_what_else_it_may_be(self) -> None:
        self.write("replies.ini", "[你好]\ntext = 你好，{text} || 在\n")
        done = self.chat("你好\n/save tests/kept\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        said, *expected = (self.folder / "tests/kept.chat").read_text(encoding="utf-8").splitlines()
        self.assertEqual((said, sorted(expected)), ("> 你好", ["< 你好，你好", "< 在"]))
        for _ in range(10):
            played = inside.run("test", cwd=self.folder)
            self.assertEqual(played.returncode, 0, played.stdout)

    def test_edited_files_are_loaded_before_the_next_line(self) -> None:
        self.write("handlers/b.py", EDITOR)
        done = self.chat("新\n改\n新\n错\n新\n/reload\n")
        self.assertRegex(
            done.stdout,
            r"> 新\n< \(nothing\)[^<]*> 改\n< text  好[^<]*"
            r"> 新\nloaded again: replies\.ini\n< text  新的",
        )
        self.assertEqual(done.stdout.count("< text  新的"), 2)
        self.assertIn("replies.ini:1  WX-RPL-03", done.stderr)
        self.assertEqual(done.stderr.count("the old rules go on answering"), 2)

    def test_json_is_a_line_a_turn(self) -> None:
        done = self.chat("/subscribe\n/user oB\n天气\n", "--json")
        first, second = map(json.loads, done.stdout.splitlines())
        self.assertEqual((first["said"], first["text"], first["by"]), ("/subscribe", "欢迎关注！", "replies.ini:1"))
        self.assertEqual((second["user"], second["kind"], second["deliveries"]), ("oB", "news", 1))

    def test_help_names_every_message_event_and_command(self) -> None:
        done = self.chat("/help\n/quit\n天气\n")
        for word in ("/text", "/scancode-waitmsg", "/wificonnected", "/slow", "bad-padding"):
            self.assertIn(word, done.stdout)
        self.assertNotIn("news", done.stdout.partition("/quit\n")[2])
        self.assertIn("换一个用户", self.chat("/help\n", "--lang", "zh").stdout)

    def test_a_project_that_does_not_load_is_78(self) -> None:
        self.write("handlers/a.py", "import nothing_of_the_kind\n")
        done = self.chat("你好\n")
        self.assertEqual(done.returncode, 78)
        self.assertIn("handlers/a.py:1  WX-HND-01", done.stderr)


class Locales(Case):
    def test_in_every_locale_chinese_goes_in_and_what_can_comes_out(self) -> None:
        for name, more, encoding in (
            ("C", {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": ""}, "utf-8"),
            ("ASCII", {"LANG": "C", "PYTHONIOENCODING": "ascii"}, "utf-8"),
            ("GBK", {"LANG": "zh_CN.GBK", "PYTHONIOENCODING": "gbk"}, "gbk"),
            ("a UTF-8 file in a GBK terminal", {"PYTHONIOENCODING": "gbk"}, "utf-8"),
            ("a GBK file in a UTF-8 terminal", {}, "gbk"),
        ):
            with self.subTest(name):
                done = subprocess.run(
                    [sys.executable, str(SCRIPT), "chat"],
                    cwd=self.folder, env=environment(**more), input="你好\n天气\n".encode(encoding),
                    capture_output=True, timeout=SECONDS, check=False,
                )  # fmt: skip
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertIn(b"replies.ini:4", done.stdout)
                self.assertIn(b"handlers/a.py:4", done.stdout)
                if more.get("PYTHONIOENCODING") == "gbk":
                    self.assertIn("< text  你好呀", done.stdout.decode("gbk"))


class AtATerminal(Case):
    """A pseudo-terminal (man 7 pty): what a person sees and types, keys and all."""

    def setUp(self) -> None:
        super().setUp()
        self.terminal, end = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        more = {"TERM": "xterm", "HOME": str(self.folder.parent), "XDG_STATE_HOME": str(self.folder.parent / "state")}
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "chat"],
            cwd=self.folder, env=environment(**more), stdin=end, stdout=end, stderr=end, start_new_session=True,
            preexec_fn=_control,  # noqa: PLW1509 - there is no other thread
        )  # fmt: skip
        os.close(end)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.seen = b""
        self.wait_for("/help lists all\r\n.*> ")

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def interrupt(self, pattern: str) -> None:
        """Press Ctrl-C until *pattern* comes: CPython misses a signal between the prompt and its wait for a key."""
        for _ in range(SECONDS // 5):
            self.type("\x03")
            if self.wait_for(pattern, 5.0):  # no sooner: a second one means something else
                return
        self.fail(f"Ctrl-C did not lead to {pattern!r}")

    def wait_for(self, pattern: str, seconds: float = 0.0) -> bool:
        """Read until *pattern* has come, and forget what came up to there; fail, or give up after *seconds*."""
        deadline = time.monotonic() + (seconds or SECONDS)
        while time.monotonic() < deadline:
            match = re.search(pattern.encode(), self.seen, re.DOTALL)
            if match:
                self.seen = self.seen[match.end() :]
                return True
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.terminal, 65536)
                except OSError:  # the other end is closed
                    break
        if not seconds:
            raise AssertionError(f"never said {pattern!r}; it said:\n{self.seen.decode(errors='replace')}")
        return False

    def test_talk_history_completion_and_the_end(self) -> None:
        self.type("你好\r")
        self.wait_for("< text  你好呀.*replies.ini:4.*> ")
        self.type("/unsubsc\t\r")
        self.wait_for("/unsubscribe.*no rule for unsubscribe.*> ")
        self.type("\x1b[A\x1b[A\r")  # the line before the last
        self.wait_for("你好.*< text  你好呀.*> ")
        self.type("\x04")
        self.assertEqual(self.process.wait(SECONDS), 0)
        history = self.folder.parent / "state/wxserve/chat_history"
        self.assertEqual(history.stat().st_mode & 0o077, 0)
        self.assertIn("你好", history.read_text(encoding="utf-8"))

    def test_ctrl_c_gives_up_the_line_and_twice_the_conversation(self) -> None:
        self.type("half a line")
        self.wait_for("half a line")
        self.interrupt("\r\n> ")
        self.type("你好\r")
        self.wait_for("你好.*< text  你好呀.*> ")
        self.interrupt("\r\n> ")
        self.interrupt("\r\n")
        self.assertEqual(self.process.wait(SECONDS), 0)

    def test_ctrl_c_stops_waiting_for_a_slow_answer(self) -> None:
        began = self.folder / "began"
        self.write("handlers/b.py", SLOW)
        self.type("慢\r")
        deadline = time.monotonic() + SECONDS
        while not began.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.interrupt("no longer waiting.*> ")
        self.type("你好\r")
        self.wait_for("< text  你好呀.*> ")
        self.type("/quit\r")
        self.assertEqual(self.process.wait(SECONDS), 0)

    def test_colours_are_there_for_a_terminal(self) -> None:
        self.type("/subscribe\r")
        self.wait_for("欢迎关注！ +\x1b\\[2mreplies.ini:1")


def _control() -> None:
    """Make the terminal the new session's own, so that Ctrl-C is a signal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Demo(unittest.TestCase):
    def test_without_a_configuration_it_talks_with_the_shipped_handlers(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = run("chat", cwd=folder, stdin="你好\n")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("talking to wxserve", done.stdout)
            self.assertIn("< text  对啊,你好,然后呢", done.stdout)
            self.assertEqual(os.listdir(folder), [])

    def test_the_shipped_conversations_come_true(self) -> None:
        done = run("test", cwd=ROOT)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertRegex(done.stdout, r"\Atests/handlers\.chat +\d+ turns  ok ")


if __name__ == "__main__":
    unittest.main()
