"""``check`` warns of what others on the machine may write or read."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from tests import program
from weixin import config
from weixin.commands import modes

TOKEN = "AAAAAbbbbb1"


class Modes(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "handlers").mkdir()
        (self.folder / "handlers/a.py").write_text('"""Nothing."""\n')
        (self.folder / "replies.ini").write_text("[hi]\ntext = hello\n")
        (self.folder / "wxserve.ini").write_text(f"[wechat]\ntoken = {TOKEN}\n")
        (self.folder / "state").mkdir(mode=0o700)
        for path in self.folder.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)

    def check(self) -> list[str]:
        settings = config.load(str(self.folder / "wxserve.ini"), {}, {})
        state = {"STATE_DIRECTORY": str(self.folder / "state")}
        return [problem.code for problem in modes.warnings(settings, state)]

    def test_check_says_it_and_is_content_all_the_same(self) -> None:
        (self.folder / "handlers").chmod(0o777)
        done = program.run("check", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("WX-CFG-11  others may write handlers", done.stdout + done.stderr)

    def test_nothing_is_said_of_what_is_ours(self) -> None:
        self.assertEqual(self.check(), [])

    def test_each_file_and_folder_that_others_may_write_is_named(self) -> None:
        for name in ("wxserve.ini", "replies.ini", "handlers", "handlers/a.py", "."):
            path = self.folder / name
            mode = path.stat().st_mode
            with self.subTest(name):
                path.chmod(mode | 0o002)
                self.assertEqual(self.check(), ["WX-CFG-11"])
            path.chmod(mode)

    def test_others_may_read_neither_the_secrets_nor_the_state(self) -> None:
        (self.folder / "wxserve.ini").chmod(0o644)
        self.assertEqual(self.check(), ["WX-CFG-07"])
        (self.folder / "wxserve.ini").chmod(0o600)
        (self.folder / "state").chmod(0o755)
        self.assertEqual(self.check(), ["WX-CFG-12"])

    def test_others_may_not_read_the_store_wherever_it_is(self) -> None:
        (self.folder / "kept").mkdir(mode=0o700)
        ini = self.folder / "wxserve.ini"
        for url, folder in (("kept/a.db", "kept"), (f"{self.folder}/kept/a.db", "kept"), ("a.db", None)):
            ini.write_text(f"[wechat]\ntoken = {TOKEN}\n[store]\nurl = sqlite:{url}\n")
            for beside in ("", "-wal", "-claims"):
                path = self.folder / f"{url}{beside}"
                path.touch(mode=0o600)
                self.assertEqual(self.check(), [])
                path.chmod(0o644)
                self.assertEqual(self.check(), ["WX-CFG-12"], path)
                path.chmod(0o600)
            if folder:
                for mode, codes in ((0o711, ["WX-CFG-12"]), (0o777, ["WX-CFG-11", "WX-CFG-12"]), (0o700, [])):
                    (self.folder / folder).chmod(mode)
                    self.assertEqual(self.check(), codes)
        self.folder.chmod(0o755)
        self.assertEqual(self.check(), [], "a project's folder may be looked into: the file's own mode is what counts")
