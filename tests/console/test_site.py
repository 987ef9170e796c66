"""The console on the real server: a process of its own, pushes through the workers, WeChat's address untouched."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from tests.console.rig import HANDLERS, REPLIES, Client, until
from tests.console.test_app import Listener
from tests.program import ROOT, environment
from weixin.simulator import Account, Http, Platform


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="wxsite")
        cls.addClassCleanup(folder.cleanup)
        base = cls.base = Path(folder.name)
        (base / "handlers").mkdir()
        (base / "handlers" / "bot.py").write_text(HANDLERS, encoding="utf-8")
        (base / "replies.ini").write_text(REPLIES, encoding="utf-8")
        command = [sys.executable, "-m", "tests.console.real", folder.name]
        cls.log = (base / "log").open("wb")
        cls.addClassCleanup(cls.log.close)
        cls.process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=cls.log, text=True
        )
        cls.addClassCleanup(cls.end)
        assert cls.process.stdout is not None
        cls.public, url = cls.process.stdout.readline().split()
        cls.client = Client(int(url.split(":")[2].split("/")[0]))
        cls.client.login(url.rpartition("#k=")[2])

    @classmethod
    def end(cls) -> None:
        cls.process.terminate()
        cls.process.wait(20)
        assert cls.process.stdout is not None
        cls.process.stdout.close()


class Site(Running):
    def test_a_push_walks_through_a_worker_in_every_mode(self) -> None:
        for mode in ("plain", "compat", "safe"):
            with self.subTest(mode):
                found = self.client.send(words=["你好"], mode=mode)
                self.assertEqual(found["bubble"]["text"], "你好呀！很高兴见到你。")
                self.assertEqual(found["rule_at"], "replies.ini:1")

    def test_a_slow_handler_runs_once_and_answers_the_second_delivery(self) -> None:
        found = self.client.send(words=["讲个故事"], slow=5.5)
        self.assertEqual([each["state"] for each in found["attempts"]], ["timeout", "reply"])
        self.assertLess(found["seconds"], 10)

    def test_a_replay_of_the_same_message_gets_the_answer_that_is_there(self) -> None:
        first = self.client.send(words=["你好"])
        same = self.client.wait(self.client.json("/api/replay/" + first["id"], {"same": True})["id"])
        self.assertEqual((same["outcome"], same["reply_xml"]), ("reply", first["reply_xml"]))

    def test_wechats_listener_knows_nothing_of_the_console(self) -> None:
        host, _, port = self.public.rpartition(":")
        for path in ("/", "/console.js", "/api/state", "/metrics", "/-/healthz", "/plain", "/texts.json"):
            connection = http.client.HTTPConnection(host, int(port), timeout=10)
            try:
                connection.request("GET", path)
                with self.subTest(path):
                    self.assertEqual(connection.getresponse().status, 404)
            finally:
                connection.close()

    def test_the_header_of_the_door_is_nothing_without_its_key(self) -> None:
        account = Account("token4tests", "wx0123456789abcdef", b"k" * 32, "safe")
        platform = Platform(account)
        push = platform.push("text", "你好")
        request = platform.request(push)
        forged = request._replace(headers=(*request.headers, ("X-Wxserve-Console", "0123456789abcdef safe 0 0 oX:1")))
        answer = Http(f"http://{self.public}").send(forged, 5.0)
        self.assertEqual(answer.status, 403)


class Reload(Running):
    def test_new_workers_leave_the_console_its_streams_and_what_is_under_way(self) -> None:
        stream = Listener(self.client.port, self.client.cookie)
        try:
            self.client.send(words=["你好"])
            stream.until("delivery")
            slow = self.client.json("/api/send", {"words": ["讲个故事"], "slow": 2})["id"]
            self.process.send_signal(signal.SIGHUP)
            until(lambda: "reload result=ok" in (self.base / "log").read_text(encoding="utf-8"))
            self.assertEqual(self.client.wait(slow)["outcome"], "reply")
            self.client.send(words=["之后"])
            while stream.until("delivery")["text"] != "之后":
                pass
        finally:
            stream.close()


class End(Running):
    def test_a_stream_ends_with_the_server_and_the_server_does_not_wait_for_it(self) -> None:
        stream = Listener(self.client.port, self.client.cookie)
        try:
            self.client.send(words=["你好"])
            stream.until("delivery")
            began = time.monotonic()
            self.process.send_signal(signal.SIGTERM)
            self.assertEqual(self.process.wait(20), 0)
            self.assertLess(time.monotonic() - began, 3.0)
        finally:
            stream.close()


if __name__ == "__main__":
    unittest.main()
