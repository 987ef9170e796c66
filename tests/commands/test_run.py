"""``run``: the demo, the start, the stop, the reload, and what is said when something is wrong."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Callable

from tests.client import signed, text
from tests.program import ROOT, SCRIPT, SECONDS, Server, environment, run

TOKEN = "GreedIsGood"


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def project(self, replies: str = "[你好]\ntext = 你好呀\n", more: str = "") -> None:
        (self.folder / "wxserve.ini").write_text(f"[wechat]\ntoken = {TOKEN}\n{more}", encoding="utf-8")
        (self.folder / "replies.ini").write_text(replies, encoding="utf-8")

    def serve(self, *arguments: str, **more: str) -> Server:
        server = Server(*arguments, cwd=self.folder, **more)
        self.addCleanup(server.close)
        return server

    def ask(self, server: Server, content: str) -> str:
        status, body = server.request("POST", f"/weixin?{signed(TOKEN)}", text(content, msgid=time.time_ns()))
        self.assertEqual(status, 200)
        return body.decode()


# What takes a tenth of the time to start and more, each or together with what it imports itself, and no plain server
# needs before its first answer.
UNWANTED = (
    "argparse", "ast", "asyncio", "base64", "copy", "ctypes", "dataclasses", "email", "encodings.idna", "http",
    "inspect", "ipaddress", "json", "locale", "pathlib", "random", "shutil", "subprocess", "tempfile", "unittest",
    "urllib.parse", "weixin.console", "weixin.routing.headers", "weixin.simulator", "weixin.texts.words",
    "weixin.wire.aes", "xml.parsers.expat",
)  # fmt: skip


class Imports(Case):
    def imported(self, server: Server) -> list[str]:
        """What was imported by the program, in order, by supervisor and worker."""
        # What an interpreter imports before it reads the program is its own affair.
        imported = server.output.partition("| site\n")[2]
        return re.findall(r"^import time: .*\| +([\w.]+)$", imported, re.MULTILINE)

    def test_nothing_is_imported_that_the_first_answer_does_not_need(self) -> None:
        self.project(more="[server]\nlisten = 127.0.0.1:0\n[replies]\nhandlers = said\n")
        (self.folder / "replies.ini").unlink()
        (self.folder / "said").mkdir()
        handler = "from wxserve import on\n@on.text\ndef echo(msg):\n    return msg.text\n"
        (self.folder / "said" / "echo.py").write_text(handler, encoding="utf-8")
        server = self.serve(listen="", PYTHONPROFILEIMPORTTIME="1")
        self.assertIn("你好", self.ask(server, "你好"))
        names = self.imported(server)
        self.assertIn("weixin.app", names)
        self.assertEqual([name for name in names if name in UNWANTED], [])

    def test_nothing_of_ours_is_imported_after_the_fork(self) -> None:
        sealed = f"mode = compat\nappid = wx{'0' * 16}\naes_key = {'A' * 43}\n"
        self.project(more=f"{sealed}[server]\nlisten = 127.0.0.1:0\n[replies]\nhandlers = said\n")
        (self.folder / "said").mkdir()
        # Handlers are read by workers alone, and these say when. (What `import_module` imports is not in the report.)
        mark = "import colorsys\n"
        (self.folder / "said" / "mark.py").write_text(mark, encoding="utf-8")
        server = self.serve(listen="", PYTHONPROFILEIMPORTTIME="1")
        server.wait_for("ready in")
        names = self.imported(server)
        self.assertLess(names.index("weixin.routing.headers"), names.index("colorsys"))
        self.assertLess(names.index("weixin.wire.aes"), names.index("colorsys"))
        after = names[names.index("colorsys") :]
        self.assertEqual([name for name in after if name.startswith("weixin.")], [])


class Demo(Case):
    def test_it_answers_a_signed_check_and_a_push_and_ends_with_0(self) -> None:
        server = self.serve()
        token = server.wait_for(r"token (demo[0-9a-f]{12}) ")[1]
        self.assertEqual(server.request("GET", f"/weixin?{signed(token, echostr='123')}"), (200, b"123"))
        status, body = server.request("POST", f"/weixin?{signed(token)}", text("你好"))
        self.assertEqual(status, 200)
        self.assertIn("对啊,你好,然后呢", body.decode())
        self.assertEqual(server.stop(), 0)
        self.assertEqual(sorted(os.listdir(self.folder)), [], "a demo leaves nothing behind")
        self.assertEqual([path.name for path in ROOT.glob("*.db*")], [])

    def test_a_port_that_is_taken_costs_the_demo_no_console(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            server = self.serve("--admin-listen", taken)
            address = server.wait_for(r"Console +http://(127\.0\.0\.1:\d+)/#k=")[1]
            self.assertNotEqual(address, taken)
            self.assertNotIn("WARN", server.output)
            self.assertEqual(server.stop(), 0)

    def test_under_systemd_a_missing_configuration_is_a_mistake(self) -> None:
        done = run("run", cwd=self.folder, NOTIFY_SOCKET="/nowhere")
        self.assertEqual(done.returncode, 78)
        self.assertIn("WX-CFG-01", done.stderr)


class Start(Case):
    def test_the_banner_says_where_and_what_and_no_secret(self) -> None:
        self.project()
        server = self.serve("run", "--workers", "2")
        server.wait_for(r"ready in [0-9.]+ s")
        self.assertRegex(server.output, r"listen    127\.0\.0\.1:\d+  path /weixin  mode plain")
        self.assertIn("replies   1 rule from 1 file", server.output)
        self.assertIn("你好呀", self.ask(server, "你好"))
        self.assertEqual(server.stop(), 0)
        self.assertNotIn(TOKEN, server.output)

    def test_faulty_handlers_stop_the_start_with_their_place(self) -> None:
        self.project("[微笑]\n")
        server = self.serve("run")
        server.wait_for(r"replies.ini:1  WX-RPL-03")
        self.assertEqual(server.process.wait(30), 78)
        self.assertEqual(len(server.output.splitlines()), 2, "what is wrong, how to mend it, and no more")

    def test_an_address_that_is_taken_is_said_so(self) -> None:
        self.project()
        first = self.serve("run")
        done = run("run", "--listen", f"127.0.0.1:{first.port()}", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("WX-CFG-10", done.stderr)

    def test_of_the_sockets_that_systemd_hands_over_the_console_has_its_own(self) -> None:
        self.project()
        code = (
            "import os, socket, sys;"
            "socks = [socket.create_server(('127.0.0.1', 0)) for _ in 'ab'];"
            "os.dup2(socks[0].fileno(), 13); os.dup2(socks[1].fileno(), 14); os.dup2(13, 3); os.dup2(14, 4);"
            "os.set_inheritable(3, True); os.set_inheritable(4, True);"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='admin:public');"
            "print('ports', *(sock.getsockname()[1] for sock in socks), flush=True);"
            f"os.execv(sys.executable, [sys.executable, {str(SCRIPT)!r}, 'run'])"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=self.folder, env=environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                _, admin, public = process.stdout.readline().split()
                banner = ""
                while "ready in" not in banner:
                    banner += process.stdout.readline() or self.fail(f"it ended: {banner}")
            finally:
                process.terminate()
                process.wait(SECONDS)
        self.assertRegex(banner, rf"listen +127\.0\.0\.1:{public} ")
        self.assertRegex(banner, rf"console +http://127\.0\.0\.1:{admin}/#k=")

    def test_a_unix_socket(self) -> None:
        self.project()
        server = Server("run", cwd=self.folder, listen=f"unix:{self.folder}/wx.sock")
        self.addCleanup(server.close)
        server.wait_for("ready in")
        self.assertTrue(os.path.exists(self.folder / "wx.sock"))
        self.assertEqual(server.stop(), 0)
        self.assertFalse(os.path.exists(self.folder / "wx.sock"))


    def test_a_banner_for_which_the_disk_has_no_room_keeps_nobody_from_being_served(self) -> None:
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        self.project()
        command = [sys.executable, str(SCRIPT), "run", "--listen", f"unix:{self.folder}/wx.sock"]
        with open("/dev/full", "w") as full, subprocess.Popen(
            command, cwd=self.folder, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            try:
                self.assertRegex(process.stderr.readline(), r"WARN .*banner error=.*No space left on device")
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(SECONDS)
                    client.connect(f"{self.folder}/wx.sock")
                    client.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
                    self.assertEqual(client.recv(12), b"HTTP/1.1 404")
            finally:
                process.terminate()
                status = process.wait(SECONDS)
        self.assertEqual(status, 0)


class TheConsole(Case):
    """That it is there, by what address, and that WeChat's address knows nothing of it; tests/console has the rest."""

    def get(self, url: str, **headers: str) -> tuple[int, bytes]:
        address, _, path = url.partition("//")[2].partition("/")
        connection = http.client.HTTPConnection(address, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", "/" + path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()

    def test_the_demo_prints_its_address(self) -> None:
        server = self.serve("--admin-listen", "127.0.0.1:0")
        url = server.wait_for(r"Console +(http://127\.0\.0\.1:\d+/)#k=\S+")[1]
        status, page = self.get(url)
        self.assertEqual(status, 200)
        self.assertIn(b"<title>", page)
        self.assertEqual(self.get(url, Host="evil.example")[0] // 100, 4)
        self.assertEqual(server.request("GET", "/api/state")[0], 404)

    def test_run_has_none_unless_asked(self) -> None:
        self.project()
        server = self.serve("run")
        server.wait_for("ready in")
        self.assertNotIn("console", server.output)
        server = self.serve("run", "--console", "on", "--admin-listen", "127.0.0.1:0")
        server.wait_for(r"console +http://127\.0\.0\.1:\d+/#k=")

    def test_the_journal_is_not_told_the_key(self) -> None:
        state = self.folder / "state"
        state.mkdir()
        said = self.under_systemd(state)
        url = (state / "console.url").read_text().strip()
        self.assertIn(str(state / "console.url"), said())
        self.assertNotIn(url.partition("#k=")[2], said())
        self.assertEqual((state / "console.url").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.get(url.partition("#")[0])[0], 200)

    def test_a_state_folder_that_takes_no_file_is_a_warning(self) -> None:
        (self.folder / "state/console.url").mkdir(parents=True)
        said = self.under_systemd(self.folder / "state")
        self.assertIn("code=WX-CFG-16", said())
        self.assertNotIn("#k=", said())

    def under_systemd(self, state: Path) -> Callable[[], str]:
        """Start with a journal and a console; return when systemd hears READY=1, and what was written by then."""
        self.project()
        code = (
            "import os, sys; status = os.fstat(2);"
            "os.environ['JOURNAL_STREAM'] = f'{status.st_dev}:{status.st_ino}';"
            f"os.execv(sys.executable, [sys.executable, {str(SCRIPT)!r}, 'run', '--console', 'on',"
            " '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'])"
        )
        notify = self.folder / "notify"
        environ = environment(STATE_DIRECTORY=str(state), NOTIFY_SOCKET=str(notify))
        log = self.folder / "log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, open(log, "w", encoding="utf-8") as stream:
            systemd.bind(str(notify))
            systemd.settimeout(SECONDS)
            process = subprocess.Popen(
                [sys.executable, "-c", code], cwd=self.folder, stdout=stream, stderr=stream, env=environ
            )
            self.addCleanup(process.wait, SECONDS)
            self.addCleanup(process.terminate)
            while b"READY=1" not in systemd.recv(4096):
                pass
        return lambda: log.read_text("utf-8")

    def test_an_address_that_is_taken_is_a_warning(self) -> None:
        self.project()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            server = self.serve("run", "--console", "on", "--admin-listen", f"127.0.0.1:{port}")
            server.wait_for("ready in")
        self.assertIn("code=WX-CFG-14", server.output)
        self.assertIn("你好呀", self.ask(server, "你好"))

    def test_the_metrics_count_what_was_answered(self) -> None:
        self.project()
        server = self.serve("run", "--console", "on", "--admin-listen", "127.0.0.1:0", "--workers", "2")
        url = server.wait_for(r"console +(http://127\.0\.0\.1:\d+/)#k=")[1]
        for _ in range(3):
            self.ask(server, "你好")
        wanted = b'wxserve_deliveries_total{type="text",result="replied"} 3'
        deadline = time.monotonic() + 10
        while wanted not in self.get(url + "metrics")[1]:
            self.assertLess(time.monotonic(), deadline, self.get(url + "metrics")[1].decode())
            time.sleep(0.05)


class Reload(Case):
    def test_sighup_brings_new_replies_and_a_new_configuration(self) -> None:
        self.project()
        server = self.serve("run")
        self.assertIn("你好呀", self.ask(server, "你好"))
        self.project("[你好]\ntext = 你也好\n", "[server]\npath = /wx\n")
        server.signal(signal.SIGHUP)
        server.wait_for(r"reload result=ok")
        # The old worker may take one more connection before it hears that it is to go.
        deadline = time.monotonic() + SECONDS
        status, body = 0, b""
        while status != 200 and time.monotonic() < deadline:
            status, body = server.request("POST", f"/wx?{signed(TOKEN)}", text("你好"))
        self.assertEqual(status, 200)
        self.assertIn("你也好", body.decode())

    def test_a_fault_keeps_the_old_ones_and_says_why(self) -> None:
        self.project()
        server = self.serve("run")
        self.assertIn("你好呀", self.ask(server, "你好"))
        for replies, more, said in (("[微笑]\n", "", r"WX-RPL-03"), ("", "nonsense = 1\n", r"WX-CFG-03")):
            with self.subTest(said):
                self.project(replies or "[你好]\ntext = 新\n", more)
                before = server.output.count("result=failed")
                server.signal(signal.SIGHUP)
                server.wait_for(rf"(?s){said}(.*result=failed){{1}}")
                self.assertEqual(server.output.count("result=failed"), before + 1)
                self.assertNotIn("Traceback", server.output)
                self.assertIn("你好呀", self.ask(server, "你好"))
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
