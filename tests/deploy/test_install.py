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


def setUpModule() -> None:
    """Install once; each class has a copy."""
    if shutil.which("make") is None:
        raise unittest.SkipTest("make is not installed")
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    Case.fresh = Path(folder.name)
    # Somebody who keeps compiled files elsewhere.
    elsewhere = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(elsewhere.cleanup)
    make(Case.fresh, "install", "PREFIX=/srv/wx", "NGINX_GROUP=webbers", PYTHONPYCACHEPREFIX=elsewhere.name)


def make(stage: Path, *words: str, **more: str) -> str:
    command = ["make", "-C", str(ROOT), f"DESTDIR={stage}", f"PYTHON={sys.executable}", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment(**more))
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


class Case(unittest.TestCase):
    """What was installed, in a folder of its own."""

    fresh: Path
    stage: Path

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.stage = Path(folder.name) / "stage"
        shutil.copytree(cls.fresh, cls.stage, symlinks=True)

    def make(self, *words: str) -> str:
        return make(self.stage, *words)

    def text(self, path: str) -> str:
        return (self.stage / path).read_text("utf-8")


class Installed(Case):
    def test_the_units_and_the_command_name_this_machine(self) -> None:
        service = self.text("etc/systemd/system/wxserve.service")
        self.assertIn(f"ExecStart={sys.executable} -I -B -X utf8 /srv/wx/current/wxserve.py run", service)
        self.assertNotIn("/opt/wxserve", service)
        self.assertIn("SocketGroup=webbers\n", self.text("etc/systemd/system/wxserve.socket"))
        self.assertTrue(self.text("usr/local/bin/wxserve").startswith(f"#!{sys.executable} -I\n"))
        self.assertIn('PROGRAM = "/srv/wx/current/wxserve.py"', self.text("usr/local/bin/wxserve"))

    def test_the_program_is_complete_and_compiled_against_no_time(self) -> None:
        current = self.stage / "srv/wx/current"
        self.assertRegex(os.readlink(current), r"^releases/[0-9.]+-[0-9a-f]{10}$")
        (compiled,) = (current / "weixin/__pycache__").glob("app.*.pyc")
        self.assertEqual(compiled.read_bytes()[4:8], b"\x01\0\0\0", "PEP 552: by hash, not checked")
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(current / "wxserve.py"), "explain", "-40001"],
            check=False, capture_output=True, text=True, timeout=30, cwd="/", env=environment(),
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_secrets_are_apart_from_the_configuration_and_nobody_else_s(self) -> None:
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

    def test_nginx_s_folder_is_not_touched(self) -> None:
        self.assertFalse((self.stage / "etc/nginx").exists())


class Again(Case):
    def test_what_is_the_user_s_is_made_once_and_stays(self) -> None:
        token = self.text("etc/wxserve/secrets/token")
        (self.stage / "etc/wxserve/wxserve.ini").write_text("mine")
        (self.stage / "etc/wxserve/handlers/hello.py").unlink()
        self.make("install", "PREFIX=/srv/wx", "NGINX_GROUP=webbers")
        self.assertEqual(self.text("etc/wxserve/secrets/token"), token)
        self.assertEqual(self.text("etc/wxserve/wxserve.ini"), "mine")
        self.assertFalse((self.stage / "etc/wxserve/handlers/hello.py").exists(), "what was deleted stays so")
        releases = list((self.stage / "srv/wx/releases").iterdir())
        self.assertEqual(len(releases), 1, "the same sources are the same release")

        said = self.make("uninstall", "PREFIX=/srv/wx")
        self.assertIn("Kept: /etc/wxserve", said)
        left = {str(path.relative_to(self.stage)) for path in self.stage.rglob("*") if path.is_file()}
        self.assertEqual({path.split("/")[1] for path in left}, {"wxserve"}, left)
        self.assertIn("etc/wxserve/secrets/token", left)


class Another(Case):
    def test_a_second_account_shares_nothing_with_the_first(self) -> None:
        self.make("install", "NAME=shop")
        service = self.text("etc/systemd/system/shop.service")
        self.assertIn("/opt/shop/current/wxserve.py run -c /etc/shop/wxserve.ini\n", service)
        self.assertIn("\nStateDirectory=shop\n", service)
        self.assertIn("\nUser=shop\n", service)
        self.assertNotRegex(service, r"wxserve(?!\.py|\.ini)")
        self.assertIn("ListenStream=/run/shop.sock\n", self.text("etc/systemd/system/shop.socket"))
        self.assertIn("server unix:/run/shop.sock", self.text("opt/shop/current/nginx.conf"))
        self.assertTrue((self.stage / "opt/shop/current/systemd/shop.service.d/20-outbound.conf.example").is_file())
        self.assertNotEqual(self.text("etc/shop/secrets/token"), self.text("etc/wxserve/secrets/token"))

    def test_a_name_that_is_no_unit_s_is_refused(self) -> None:
        with self.assertRaises(AssertionError):
            self.make("install", "NAME=../x")


if __name__ == "__main__":
    unittest.main()
