"""``make install`` into a folder: what lies where, with which mode, and what is never touched again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests.program import ROOT, environment


class Install(unittest.TestCase):
    def setUp(self) -> None:
        if shutil.which("make") is None:
            self.skipTest("make is not installed")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.stage = Path(folder.name)

    def make(self, *words: str) -> str:
        command = ["make", "-C", str(ROOT), f"DESTDIR={self.stage}", f"PYTHON={sys.executable}", *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def text(self, path: str) -> str:
        return (self.stage / path).read_text("utf-8")

    def test_the_units_and_the_command_name_this_machine(self) -> None:
        self.make("install", "PREFIX=/srv/wx", "NGINX_GROUP=webbers")
        service = self.text("etc/systemd/system/wxserve.service")
        self.assertIn(f"ExecStart={sys.executable} -I -B -X utf8 /srv/wx/current/wxserve.py run", service)
        self.assertNotIn("/opt/wxserve", service)
        self.assertIn("SocketGroup=webbers\n", self.text("etc/systemd/system/wxserve.socket"))
        self.assertTrue(self.text("usr/local/bin/wxserve").startswith(f"#!{sys.executable} -I\n"))
        self.assertIn('PROGRAM = "/srv/wx/current/wxserve.py"', self.text("usr/local/bin/wxserve"))

    def test_the_program_is_complete_and_compiled_against_no_time(self) -> None:
        self.make("install")
        current = self.stage / "opt/wxserve/current"
        self.assertRegex(os.readlink(current), r"^releases/[0-9.]+-[0-9a-f]{10}$")
        (compiled,) = (current / "weixin/__pycache__").glob("app.*.pyc")
        self.assertEqual(compiled.read_bytes()[4:8], b"\x01\0\0\0", "PEP 552: by hash, not checked")
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(current / "wxserve.py"), "explain", "-40001"],
            check=False, capture_output=True, text=True, timeout=30, cwd="/", env=environment(),
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_secrets_are_apart_from_the_configuration_and_nobody_else_s(self) -> None:
        self.make("install")
        config = self.stage / "etc/wxserve"
        modes = {str(path.relative_to(config)): path.stat().st_mode & 0o777 for path in config.rglob("*")}
        self.assertEqual(modes, {
            "wxserve.ini": 0o644, "replies.ini": 0o644, "handlers": 0o755, "handlers/hello.py": 0o644,
            "secrets": 0o700, "secrets/token": 0o600, "secrets/aes_key": 0o600,
        })  # fmt: skip
        self.assertRegex(self.text("etc/wxserve/secrets/token"), r"^[A-Za-z0-9]{3,32}\n$")
        self.assertRegex(self.text("etc/wxserve/secrets/aes_key"), r"^[A-Za-z0-9]{43}\n$")
        for name in ("token", "aes_key"):
            self.assertNotIn(self.text(f"etc/wxserve/secrets/{name}").strip(), self.text("etc/wxserve/wxserve.ini"))
            self.assertRegex(self.text("etc/wxserve/wxserve.ini"), rf"(?m)^# {name} =$")

    def test_configuration_and_secrets_are_made_once(self) -> None:
        self.make("install")
        token = self.text("etc/wxserve/secrets/token")
        (self.stage / "etc/wxserve/wxserve.ini").write_text("mine")
        (self.stage / "etc/wxserve/handlers/hello.py").unlink()
        self.make("install")
        self.assertEqual(self.text("etc/wxserve/secrets/token"), token)
        self.assertEqual(self.text("etc/wxserve/wxserve.ini"), "mine")
        self.assertFalse((self.stage / "etc/wxserve/handlers/hello.py").exists(), "what was deleted stays so")

    def test_the_same_sources_are_the_same_release(self) -> None:
        self.make("install")
        self.make("install")
        self.assertEqual(len(list((self.stage / "opt/wxserve/releases").iterdir())), 1)

    def test_uninstall_leaves_what_is_the_user_s(self) -> None:
        self.make("install")
        said = self.make("uninstall")
        self.assertIn("Kept: /etc/wxserve", said)
        left = {str(path.relative_to(self.stage)) for path in self.stage.rglob("*") if path.is_file()}
        self.assertEqual({path.split("/")[1] for path in left}, {"wxserve"}, left)
        self.assertIn("etc/wxserve/secrets/token", left)

    def test_nginx_s_folder_is_not_touched(self) -> None:
        self.make("install")
        self.assertFalse((self.stage / "etc/nginx").exists())


if __name__ == "__main__":
    unittest.main()
