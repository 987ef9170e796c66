"""``wxserve:application`` under the servers that people have: the same configuration, the same answers."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from tests.client import signed, text
from tests.program import ROOT, environment

TOKEN = "GreedIsGood"
# A server that does not answer by then has failed to start.
START_SECONDS = 20

WSGIREF = """
from wsgiref.simple_server import make_server
from wxserve import application
make_server("127.0.0.1", {port}, application).serve_forever()
"""


def find(name: str) -> str | None:
    """Where a server's command is: in the folder that TEST_SERVERS names, or in the path."""
    return shutil.which(name, path=os.environ.get("TEST_SERVERS")) or shutil.which(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Servers(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "wxserve.ini").write_text(f"[wechat]\ntoken = {TOKEN}\n")
        (self.folder / "replies.ini").write_text("[你好]\ntext = 你好呀\n", encoding="utf-8")
        self.port = free_port()

    def serve(self, *command: str) -> None:
        process = subprocess.Popen(
            command, cwd=self.folder, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment(WXSERVE_CONFIG=str(self.folder / "wxserve.ini"), PYTHONPATH=str(ROOT)),
        )  # fmt: skip
        self.addCleanup(process.wait, 10)
        self.addCleanup(os.killpg, process.pid, signal.SIGKILL)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.fail(f"{command[0]} did not start")

    def request(self, method: str, target: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, target, body, {"Content-Type": "text/xml"} if body else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def answers(self) -> None:
        check = self.request("GET", f"/weixin?{signed(TOKEN, echostr='8641591277801631551')}")
        self.assertEqual(check, (200, b"8641591277801631551"))
        status, reply = self.request("POST", f"/weixin/?{signed(TOKEN)}", text("你好"))
        self.assertEqual(status, 200)
        self.assertIn("<![CDATA[你好呀]]>", reply.decode())
        self.assertEqual(self.request("POST", f"/weixin?{signed('Other')}", text("你好"))[0], 403)
        self.assertEqual(self.request("GET", "/")[0], 404)

    def test_wsgiref(self) -> None:
        self.serve(sys.executable, "-c", WSGIREF.format(port=self.port))
        self.answers()

    def test_gunicorn(self) -> None:
        command = find("gunicorn") or self.skipTest("gunicorn is not installed")
        self.serve(command, "--workers", "2", "--bind", f"127.0.0.1:{self.port}", "wxserve:application")
        self.answers()

    def test_gunicorn_with_threads_and_the_application_loaded_before_the_fork(self) -> None:
        command = find("gunicorn") or self.skipTest("gunicorn is not installed")
        self.serve(
            command, "--preload", "--threads", "4", "--bind", f"127.0.0.1:{self.port}", "wxserve:application"
        )  # fmt: skip
        self.answers()

    def test_uwsgi(self) -> None:
        # Debian's, with Debian's Python; or pip's, which has to be told where it was installed.
        command = find("uwsgi_python3") or find("uwsgi") or self.skipTest("uwsgi is not installed")
        home = [] if command.endswith("uwsgi_python3") else ["--home", str(Path(command).parent.parent)]
        self.serve(
            command, "--http-socket", f"127.0.0.1:{self.port}", "--master", "--enable-threads", "--threads", "4",
            "--module", "wxserve", "--need-app", *home,
        )  # fmt: skip
        self.answers()

    def test_waitress(self) -> None:
        command = find("waitress-serve") or self.skipTest("waitress is not installed")
        self.serve(command, f"--listen=127.0.0.1:{self.port}", "wxserve:application")
        self.answers()


if __name__ == "__main__":
    unittest.main()
