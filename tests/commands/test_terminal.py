"""What a person reads of paths, and what the journal does instead of a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path

from tests import program
from weixin.commands.terminal import Terminal, shorten


class Paths(unittest.TestCase):
    def test_a_path_below_is_shortened_and_any_other_is_not(self) -> None:
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        with tempfile.TemporaryDirectory() as folder:
            folder = os.path.realpath(folder)
            os.chdir(folder)
            self.assertEqual(shorten(f"{folder}/wxserve.ini"), "wxserve.ini")
            self.assertEqual(shorten("/etc/wxserve/wxserve.ini"), "/etc/wxserve/wxserve.ini")
            self.assertEqual(shorten("replies.ini"), "replies.ini")
            os.chdir("/")
            self.assertEqual(shorten("/etc/wxserve/wxserve.ini"), "/etc/wxserve/wxserve.ini")


class Steering(unittest.TestCase):
    EVIL = "a\x1b[2Jb\x9b31mc\u202egnp\u2028d\x85e\x7f\rf\u2066"

    def said(self, say: Callable[[Terminal], None]) -> str:
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            say(Terminal("en", color="always"))
        return stream.getvalue()

    def test_what_others_wrote_is_shown_and_does_not_steer(self) -> None:
        shown = "a�[2Jb�31mc�gnp�d�e��f�\n"
        self.assertEqual(self.said(lambda terminal: terminal.say(self.EVIL)), shown)
        self.assertEqual(self.said(lambda terminal: terminal.error(self.EVIL)), shown)
        harmless = "👨\u200d👩\u200d👧\n\t你好"
        self.assertEqual(self.said(lambda terminal: terminal.say(harmless)), harmless + "\n")

    def test_our_own_colours_pass(self) -> None:
        self.assertEqual(self.said(lambda terminal: terminal.say(terminal.paint("x", "red"))), "\x1b[31mx\x1b[0m\n")

    def test_json_says_exactly_what_was_written(self) -> None:
        for value in (self.EVIL, "你好", "\ud800"):
            text = self.said(lambda terminal, value=value: terminal.data({"text": value}))
            self.assertEqual(json.loads(text), {"text": value})
            self.assertEqual([c for c in text if c in self.EVIL and not c.isprintable()], [])
        self.assertIn("你好", self.said(lambda terminal: terminal.data({"text": "你好"})))


class InTheJournal(unittest.TestCase):
    def said(self, folder: Path, *words: str, **more: str) -> tuple[int, str]:
        """Exit status and standard error of a command whose standard error is systemd's."""
        with open(folder / "journal", "w+", encoding="utf-8") as stream:
            status = os.fstat(stream.fileno())
            done = subprocess.run(
                [sys.executable, str(program.SCRIPT), *words],
                check=False, cwd=folder, stdout=subprocess.DEVNULL, stderr=stream, timeout=program.SECONDS,
                env=program.environment(JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}", **more),
            )  # fmt: skip
            stream.seek(0)
            return done.returncode, stream.read()

    def test_each_fault_of_the_configuration_is_a_line_with_its_priority(self) -> None:
        for lang, token, option in (
            ("en", "the token must be 3 to 32 letters", "unknown option tokn"),
            ("zh", "Token 必须是 3 到 32 个字母或数字", "不认识的选项 tokn"),
        ):
            with self.subTest(lang), tempfile.TemporaryDirectory() as folder:
                ini = Path(folder, "wxserve.ini")
                ini.write_text("[wechat]\ntoken = a b\ntokn = 1\n")
                status, said = self.said(Path(folder), "run", "-c", str(ini), WXSERVE_LANG=lang)
                self.assertEqual(status, 78)
                lines = said.splitlines()
                self.assertEqual(len(lines), 2, said)
                for line in lines:
                    self.assertRegex(line, r"^<3>ERROR config code=WX-CFG-0[34] at=.*wxserve\.ini:\d error=.* fix=")
                self.assertIn(token, said)
                self.assertIn(option, said)

    def test_an_address_that_is_taken(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "wxserve.ini").write_text("[wechat]\ntoken = GreedIsGood\n")
            status, said = self.said(Path(folder), "run", "--listen", "unix:/nonexistent/wx.sock")
        self.assertEqual(status, 1)
        self.assertRegex(said, r"^<3>ERROR config code=WX-CFG-10 error=.*/nonexistent/wx\.sock.*\n$")

    def test_a_faulty_table_of_replies(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "wxserve.ini").write_text("[wechat]\ntoken = GreedIsGood\n[store]\nurl = memory:\n")
            Path(folder, "replies.ini").write_text("[微笑]\n")
            status, said = self.said(Path(folder), "run", "--listen", "127.0.0.1:0")
        self.assertEqual(status, 78, said)
        self.assertIn("<3>ERROR config code=WX-RPL-03 at=replies.ini:1 error=", said)


if __name__ == "__main__":
    unittest.main()
