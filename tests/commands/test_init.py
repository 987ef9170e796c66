"""``init``: a project that works at once, secrets that are fresh and private, nothing that is overwritten."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests import program
from tests.inside import run
from tests.program import SCRIPT, SECONDS, environment
from weixin import config


class Init(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_the_project_checks_clean_and_its_conversation_comes_true_in_both_languages(self) -> None:
        for lang in ("zh", "en"):
            with self.subTest(lang):
                made = program.run("--lang", lang, "init", f"bot-{lang}", cwd=self.folder)
                self.assertEqual((made.returncode, made.stderr), (0, ""))
                checked = run("check", "--lang", lang, cwd=self.folder / f"bot-{lang}")
                self.assertEqual((checked.returncode, checked.stderr), (0, ""))
                tested = run("test", cwd=self.folder / f"bot-{lang}")
                self.assertEqual((tested.returncode, tested.stderr), (0, ""), tested.stdout)
                self.assertIn("tests/hello.chat   4 turns  ok", tested.stdout)

    def test_every_option_is_listed_and_its_shown_default_is_the_default(self) -> None:
        run("init", cwd=self.folder)
        path = self.folder / "wxserve.ini"
        text = path.read_text(encoding="utf-8")
        for option in config.OPTIONS:
            self.assertRegex(text, rf"(?m)^(# )?{option.name} =")
        before = config.load(str(path), {}, {})
        path.write_text(re.sub(r"(?m)^# (\w+ =)", r"\1", text), encoding="utf-8")
        after = config.load(str(path), {}, {})
        for option in config.OPTIONS:
            self.assertEqual(getattr(after, option.key), getattr(before, option.key), option.key)

    def test_the_secrets_are_fresh_and_nobody_elses_to_read(self) -> None:
        tokens = set()
        for name in ("a", "b"):
            run("init", name, cwd=self.folder)
            path = self.folder / name / "wxserve.ini"
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            settings = config.load(str(path), {}, {})
            tokens |= {settings.token, settings.aes_key}
        self.assertEqual(len(tokens), 4)

    def test_the_way_back_to_the_program_is_right_from_the_new_folder(self) -> None:
        (self.folder / "wxserve.pyz").symlink_to(SCRIPT)
        for script, shown in (("wxserve.pyz", "../wxserve.pyz"), (str(SCRIPT), str(SCRIPT))):
            made = subprocess.run(
                [sys.executable, script, "init", "bot"],
                check=False, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=SECONDS,
            )  # fmt: skip
            self.assertIn(f"  python3 {shown} dev ", made.stdout, made.stderr)

    def test_what_is_to_be_done_next_can_be_pasted(self) -> None:
        home = self.folder / "my bots"
        home.mkdir()
        (home / "wxserve.py").symlink_to(SCRIPT)
        made = subprocess.run(
            [sys.executable, "my bots/wxserve.py", "init", "我的 bot"],
            check=False, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip
        self.assertIn("next  cd '我的 bot'\n", made.stdout)
        self.assertIn("      python3 '../my bots/wxserve.py' chat ", made.stdout)

    def test_a_picture_is_not_answered_with_a_text_that_quotes_it(self) -> None:
        for lang, said in (("zh", "没听懂，"), ("en", "I did not understand that.")):
            run("--lang", lang, "init", lang, cwd=self.folder)
            self.assertIn(said, run("send", "image", cwd=self.folder / lang).stdout)

    def test_what_is_there_is_kept(self) -> None:
        (self.folder / "replies.ini").write_text("mine")
        made = run("init", cwd=self.folder)
        self.assertEqual((self.folder / "replies.ini").read_text(), "mine")
        self.assertIn("kept  replies.ini", made.stdout)

    def test_a_folder_that_cannot_be_written_is_said_so(self) -> None:
        (self.folder / "file").write_text("")
        made = run("init", "file/bot", cwd=self.folder)
        self.assertEqual(made.returncode, 1)
        self.assertIn("cannot write", made.stderr)
        self.assertNotIn("Traceback", made.stderr)


if __name__ == "__main__":
    unittest.main()
