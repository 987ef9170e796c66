"""What both READMEs tell a newcomer to type works, word by word, and what they tell them to write loads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests import program

PAGES = ("README.md", "README.zh-CN.md")
# These serve, or run this very test.
ENDLESS = ("python3 wxserve.py", "make test")


def typed(page: str) -> list[str]:
    """The lines behind a prompt, without their remarks."""
    lines = [line for block in blocks(page, "") for line in block.splitlines()]
    return [re.sub(r"\s{2,}#.*", "", line[2:]).strip() for line in lines if line.startswith("$ ")]


def blocks(page: str, language: str) -> list[str]:
    text = (program.ROOT / page).read_text("utf-8")
    return [block for named, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) if named == language]


class Readme(unittest.TestCase):
    def test_both_languages_have_the_same_commands(self) -> None:
        english, chinese = map(typed, PAGES)
        self.assertEqual(english, chinese)
        self.assertGreater(len(english), 4)
        heads = [len(re.findall(r"^## ", (program.ROOT / page).read_text("utf-8"), re.M)) for page in PAGES]
        self.assertEqual(*heads)

    def test_each_command_does_what_is_said_of_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # `python3` is the one that runs this.
            Path(folder, "python3").symlink_to(sys.executable)
            path = f"{folder}{os.pathsep}{os.environ['PATH']}"
            for line in typed(PAGES[0]):
                if line not in ENDLESS:
                    with self.subTest(line):
                        done = subprocess.run(
                            ["sh", "-c", line], cwd=program.ROOT, env=program.environment(PATH=path),
                            capture_output=True, check=False, timeout=program.SECONDS,
                        )  # fmt: skip
                        self.assertEqual((done.returncode, done.stderr), (0, b""), done.stdout.decode())

    def test_what_is_to_be_written_loads(self) -> None:
        for page in PAGES:
            with self.subTest(page), tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "handlers").mkdir()
                (Path(folder) / "wxserve.ini").write_text("[wechat]\ntoken = abc123\n")
                (Path(folder) / "wxserve.ini").chmod(0o600)
                whole, slow = blocks(page, "python")
                (Path(folder) / "handlers" / "weather.py").write_text(whole, "utf-8")
                (Path(folder) / "handlers" / "slow.py").write_text(f"from wxserve import on\n{slow}", "utf-8")
                (table,) = blocks(page, "ini")
                (Path(folder) / "replies.ini").write_text(table, "utf-8")
                done = program.run("check", cwd=folder)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("configuration ok: 10 rules", done.stdout)


if __name__ == "__main__":
    unittest.main()
