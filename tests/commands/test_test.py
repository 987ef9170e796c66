"""``test``: conversations that come true, that do not, that cannot be read; for people and for programs."""

from __future__ import annotations

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests import inside

REPLIES = "[@关注]\ntext = 欢迎关注！\n\n[你好]\ntext = 你好呀 || 在呢\n\n[天气]\ntext = 今天晴\n"
BAD = "from wxserve import on\n\n@on.text('坏')\ndef bad(msg):\n    raise ValueError('boom')\n"


class Test(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.write("wxserve.ini", "[wechat]\ntoken = GreedIsGood\n")
        self.write("replies.ini", REPLIES)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return inside.run("test", *arguments, cwd=self.folder)

    def test_what_comes_true_and_what_does_not(self) -> None:
        self.write("tests/hello.chat", "> /subscribe\n< 欢迎*\n> 你好\n< 你好呀\n< 在呢\n> /image\n<\n")
        self.write("tests/welcome.chat", "> /subscribe\n< 欢迎关注*\n> 天气\n< news: 天气*\n> /unsubscribe\n")
        done = self.test()
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertRegex(
            done.stdout,
            r"\Atests/hello\.chat     3 turns  ok   \d+ ms\n"
            r"tests/welcome\.chat   3 turns  FAIL line 4: expected  news: 天气\*   got  text: 今天晴\n"
            r"1 failed, 1 passed\n\Z",
        )
        alone = self.test("tests/hello.chat")
        self.assertEqual(alone.returncode, 0)
        self.assertTrue(alone.stdout.endswith("1 passed\n"))
        self.assertEqual(self.test("-q").stdout.count("\n"), 2)

    def test_every_miss_of_a_file_is_told(self) -> None:
        self.write("tests/a.chat", "> 天气\n< x\n<\n  @within 0ms\n> 天气\n  @fault bad-signature\n< *\n")
        done = self.test("--lang", "zh")
        self.assertIn("第 2 行: 应为  x | （没有回复）   得到  text: 今天晴\n", done.stdout)
        self.assertRegex(done.stdout, r"  第 2 行: 应在 0 s 之内   用了 [0-9.e-]+ s\n")
        self.assertIn("  第 7 行: 应为  *   得到  fault: status\n", done.stdout)
        self.assertIn("1 个失败，0 个通过", done.stdout)

    def test_a_handler_that_raised_is_shown_below_its_turn(self) -> None:
        self.write("handlers/a.py", BAD)
        self.write("tests/a.chat", "> 坏\n< 好\n")
        done = self.test()
        self.assertIn("FAIL line 2: expected  好   got  (nothing)", done.stdout)
        self.assertIn("raised ValueError: boom", done.stderr)

    def test_verbose_shows_the_conversation(self) -> None:
        self.write("tests/a.chat", "> 天气\n< 今天晴\n")
        self.assertRegex(self.test("-v").stdout, r"> 天气\n< text  今天晴 +replies\.ini:7   \d+ ms\n")

    def test_each_file_is_another_user(self) -> None:
        self.write("handlers/a.py", "from wxserve import on\n\n@on.text('谁')\ndef who(msg):\n    return msg.user\n")
        self.write("tests/a.chat", "> 谁\n< oTEST0001\n> 谁\n  @user oB\n< oB\n> 谁\n< oB\n")
        self.write("tests/b.chat", "> 谁\n< oTEST0002\n")
        self.assertEqual(self.test().returncode, 0)

    def test_every_mode(self) -> None:
        self.write("tests/a.chat", "> 天气\n< 今天晴\n")
        self.write("tests/sealed.chat", "> 天气\n  @fault wrong-key\n< fault: status\n")
        self.assertEqual(self.test("--mode", "safe").returncode, 0)
        plain = self.test()
        self.assertEqual(plain.returncode, 1)
        self.assertIn("tests/sealed.chat:1  WX-TST-01  there is no fault wrong-key in plain mode", plain.stderr)
        self.assertIn("fix: add --mode safe", plain.stderr)

    def test_slips_in_files_are_explained_and_nothing_is_played(self) -> None:
        self.write("tests/a.chat", "> 天气\n今天晴\n> /clik X\n")
        done = self.test()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("tests/a.chat:2  WX-TST-01  neither > user nor < expected, and not indented: 今天晴", done.stderr)
        self.assertIn("tests/a.chat:3  WX-TST-01  no message or event is called clik → /click?", done.stderr)

    def test_no_files(self) -> None:
        done = self.test()
        self.assertEqual(done.returncode, 1)
        self.assertIn("no .chat files: looked for tests/*.chat", done.stderr)
        missing = self.test("nowhere.chat")
        self.assertEqual(missing.returncode, 2)
        self.assertIn("cannot read nowhere.chat: No such file or directory", missing.stderr)

    def test_json(self) -> None:
        self.write("tests/a.chat", "> 天气\n< x\n> /subscribe\n")
        done = self.test("--json")
        self.assertEqual(done.returncode, 1)
        told = json.loads(done.stdout)
        self.assertEqual((told["failed"], told["passed"], told["files"][0]["ok"]), (1, 0, False))
        first, second = told["files"][0]["turns"]
        self.assertEqual((first["line"], first["said"]), (1, "天气"))
        self.assertEqual((first["text"], first["by"]), ("今天晴", "replies.ini:7"))
        self.assertEqual(first["misses"], [{"what": "reply", "expected": ["x"], "got": "text: 今天晴", "line": 2}])
        self.assertEqual(second["misses"], [])


if __name__ == "__main__":
    unittest.main()
