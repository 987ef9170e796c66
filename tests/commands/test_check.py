"""``check``: every fault at once, with its place and what to do; nothing secret in it."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from pathlib import Path

from tests import program
from tests.inside import run

INI = "[wechat]\ntoken = TopSecretToken\n"


class Check(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.write("wxserve.ini", INI)
        os.chmod(self.folder / "wxserve.ini", 0o600)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test_a_good_project(self) -> None:
        self.write("handlers/hello.py", "from wxserve import on\n\n@on.text('hi')\ndef hi(msg):\n    return 'hello'\n")
        self.write("replies.ini", "[你好]\ntext = 你好呀\n")
        done = program.run("check", cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"configuration ok: 2 rules, AES by (libcrypto|pure Python)")

    def test_the_issue_of_the_emoji_at_the_start_of_a_line(self) -> None:
        self.write("replies.ini", "[你好]\ntext =\n    你好呀\n[微笑] 嗨\n")
        done = run("check", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("replies.ini:4  WX-RPL-03", done.stderr)
        self.assertIn("indent it by four spaces", done.stderr)
        done = run("check", "--lang", "zh", cwd=self.folder)
        self.assertIn("缩进四个空格", done.stderr)

    def test_an_account_that_never_says_anything_is_a_warning(self) -> None:
        for lang, words in (("en", "there is no rule"), ("zh", "没有一条规则")):
            done = run("check", "--lang", lang, cwd=self.folder)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stderr, rf"wxserve.ini  WX-RPL-08  {words}.*replies.ini.*handlers")
        self.assertNotIn("WX-RPL-08", run("check", "--default-reply", "x", cwd=self.folder).stderr)
        self.write("handlers/broken.py", "1 / 0\n")
        self.assertNotIn("WX-RPL-08", run("check", cwd=self.folder).stderr)

    def test_a_long_text_is_a_warning_only_where_it_is_not_split(self) -> None:
        self.write("replies.ini", "[a]\ntext = " + "长" * 700 + "\n")
        self.assertEqual(run("check", cwd=self.folder).stderr, "")
        self.assertIn("turn split on, or shorten it", run("check", "--split", "off", cwd=self.folder).stderr)

    def test_a_store_without_a_folder_is_a_warning(self) -> None:
        self.write("wxserve.ini", INI + "[store]\nurl = sqlite:nowhere/wxserve.db\n")
        done = run("check", cwd=self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("wxserve.ini:4  WX-CFG-15  cannot read", done.stderr)

    def test_json_is_for_programs(self) -> None:
        self.write("replies.ini", "[你好]\ntext = 你好呀\n[微笑]\n")
        done = run("check", "--json", cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        found = json.loads(done.stdout)
        (fault,) = found["errors"]
        self.assertEqual((fault["code"], fault["file"], fault["line"]), ("WX-RPL-03", "replies.ini", 3))
        self.assertEqual((found["ok"], found["warnings"]), (False, []))
        self.write("replies.ini", "")
        done = run("check", "--json", "--dump", cwd=self.folder)
        found = json.loads(done.stdout)
        self.assertEqual((done.returncode, found["ok"], found["rules"]), (0, True, 0))
        self.assertIn({"name": "token", "value": "(14 characters)", "from": "wxserve.ini:2"}, found["settings"])
        self.assertNotIn("TopSecretToken", done.stdout)
        self.write("wxserve.ini", "[wechat]\ntoken: TopSecretToken\n")
        done = run("check", "--json", cwd=self.folder)
        self.assertEqual((done.returncode, json.loads(done.stdout)["errors"][0]["line"]), (78, 2))
        self.assertNotIn("TopSecretToken", done.stdout)

    def test_what_a_file_says_does_nothing_to_the_terminal(self) -> None:
        self.write("replies.ini", "[a]\ntext = x\njunk\x1b]0;title\x07\n")
        self.assertIn(r"junk\x1b]0;title\x07", run("check", cwd=self.folder).stderr)

    def test_all_faults_of_all_files_at_once(self) -> None:
        self.write("handlers/a.py", "import openai_is_not_here\n")
        self.write("handlers/b.py", "from wxserve import on\n\n@on.text('x')\ndef x(msg, stat):\n    return ''\n")
        self.write("handlers/c.py", "from wxserve import on\n\n@on.txt\ndef x(msg):\n    return ''\n")
        self.write("handlers/d.py", "def broken(:\n")
        self.write("replies.ini", "[空]\n\n[re: (]\ntext = x\n")
        done = run("check", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        for expected in (
            "handlers/a.py:1  WX-HND-01",
            "handlers/b.py:3  WX-HND-02",
            "handlers/c.py:3  WX-HND-03",
            "on.txt → text?",
            "handlers/d.py:1  WX-HND-01",
            "replies.ini:1  WX-RPL-03",
            "replies.ini:3  WX-RPL-03",
            "6 errors, 0 warnings",
        ):
            with self.subTest(expected):
                self.assertIn(expected, done.stdout + done.stderr)

    def test_a_pattern_that_explodes_is_refused(self) -> None:
        self.write("replies.ini", "[re: ^(a+)+$]\ntext = x\n\n[re: ^查(\\d{6,})$]\ntext = y\n")
        done = run("check", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("replies.ini:1  WX-HND-06", done.stderr)
        self.assertNotIn("replies.ini:4", done.stderr)

    def test_a_bad_configuration_is_78(self) -> None:
        self.write("wxserve.ini", "[wechat]\ntoken = a b c\nmode = secure\n")
        done = run("check", cwd=self.folder)
        self.assertEqual(done.returncode, 78)
        self.assertIn("wxserve.ini:2  WX-CFG-04", done.stderr)
        self.assertIn("wxserve.ini:3  WX-CFG-08", done.stderr)
        self.assertEqual(run("check", cwd=self.folder / "..", HOME="/").returncode, 78)

    def test_dump_shows_where_each_value_came_from_and_no_secret(self) -> None:
        done = run("check", "--dump", "--max-age", "60", cwd=self.folder, WXSERVE_PATH="/wx")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^token +\= \(14 characters\) +wxserve.ini:2$")
        self.assertRegex(done.stdout, r"(?m)^max_age +\= 60 +--max-age$")
        self.assertRegex(done.stdout, r"(?m)^path +\= /wx +env WXSERVE_PATH$")
        self.assertRegex(done.stdout, r"(?m)^listen +\= 127.0.0.1:9527 +default$")
        self.assertNotIn("TopSecret", done.stdout + done.stderr)

    def test_a_file_with_secrets_that_others_may_read_is_a_warning(self) -> None:
        self.write("replies.ini", "[hi]\ntext = hello\n")
        os.chmod(self.folder / "wxserve.ini", 0o644)
        done = run("check", cwd=self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("WX-CFG-07", done.stderr)
        self.assertIn("0 errors, 1 warning", done.stdout)


class Usage(unittest.TestCase):
    def test_global_options_stand_before_the_command_or_behind_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "other.ini"
            path.write_text(INI)
            path.chmod(0o600)
            for arguments in (("-c", str(path), "check"), ("check", "-c", str(path)), ("check", f"--config={path}")):
                with self.subTest(arguments):
                    self.assertEqual(run(*arguments, cwd=folder).returncode, 0)

    def test_wrong_usage_is_2_and_help_is_0(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for arguments in (("serve",), ("check", "--nonsense"), ("check", "--token", "abc"), ("--lang", "fr")):
                with self.subTest(arguments):
                    self.assertEqual(run(*arguments, cwd=folder).returncode, 2)
            for arguments in (("-h",), ("check", "-h"), ("--version",), ("--lang", "zh", "run", "--help")):
                with self.subTest(arguments):
                    self.assertEqual(run(*arguments, cwd=folder).returncode, 0)

    def test_a_terminal_that_knows_no_chinese_gets_question_marks_and_no_traceback(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = program.run("--lang", "zh", "-h", cwd=folder, PYTHONIOENCODING="ascii", LANG="C")
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
