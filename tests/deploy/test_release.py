"""``make dist``: one file with the same bytes wherever it is made, that runs by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests.program import ROOT, environment

SHIPPED = ("wxserve.py", "weixin", "handlers", "systemd", "nginx.conf", "Makefile", "LICENSE")


class Dist(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def pack(self, name: str) -> Path:
        """Copy the sources to another place, and pack them there."""
        copy = self.folder / name
        copy.mkdir()
        for part in SHIPPED:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, copy / part)
        done = subprocess.run(
            [sys.executable, "-B", "systemd/release.py"],
            check=False, cwd=copy, capture_output=True, text=True, timeout=60, env=environment(),
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        return Path(done.stdout.strip())

    def run_file(self, archive: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(archive), *words]
        return subprocess.run(
            command, check=False, cwd=self.folder, capture_output=True, text=True, timeout=30, env=environment()
        )

    def test_other_times_modes_and_places_give_the_same_bytes(self) -> None:
        first = self.pack("first").read_bytes()
        umask = os.umask(0o077)
        try:
            second = self.pack("second")
        finally:
            os.umask(umask)
        self.assertEqual(second.read_bytes(), first)

    def test_it_runs_by_itself_with_handlers_outside(self) -> None:
        archive = shutil.copy(self.pack("sources"), self.folder / "wxserve.pyz")
        self.assertEqual(self.run_file(archive, "init", ".").returncode, 0)
        (self.folder / "handlers/mine.py").write_text(
            "from wxserve import on\n\n\n@on.text('ping')\ndef pong():\n    return 'pong'\n"
        )
        done = self.run_file(archive, "send", "text", "ping")
        self.assertIn("pong", done.stdout, done.stderr)
        self.assertEqual(self.run_file(archive, "explain", "mumble").returncode, 1, "the exit status is the command's")


if __name__ == "__main__":
    unittest.main()
