"""The shipped example of a slow handler, switched on, against a model of our own on this machine."""

from __future__ import annotations

import io
import json
import os
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

from weixin import app, config
from weixin.log import Journal
from weixin.simulator import Account, InProcess, Platform

SHIPPED = Path(__file__).resolve().parent.parent / "handlers" / "_llm.py"
KEY = "sk-0123456789"
SORRY = "没想出来，请再问一次。"


class Model(ThreadingHTTPServer):
    """Answers what it is told to, when it is told to, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.status = 200
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked: list[tuple[str, dict[str, Any]]] = []


class Talk(BaseHTTPRequestHandler):
    server: Model

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.headers["Authorization"], body))
        self.server.may_answer.wait(10)
        said = {"choices": [{"message": {"role": "assistant", "content": " 从前有座山。\n"}}]}
        answer = json.dumps(said).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Example(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "wxserve.ini").write_text("[wechat]\ntoken = GreedIsGood\n")
        (self.folder / "key").write_text(KEY + "\n")
        (self.folder / "handlers").mkdir()
        environment = mock.patch.dict(os.environ, {"WXSERVE_OPENAI_KEY_FILE": str(self.folder / "key")})
        environment.start()
        self.addCleanup(environment.stop)
        self.model = Model()
        thread = threading.Thread(target=self.model.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.model.server_close)
        self.addCleanup(self.model.shutdown)
        self.addCleanup(self.model.may_answer.set)

    def answer(self, budget: str = "12") -> str:
        """What a user hears who asks for a story."""
        source = SHIPPED.read_text(encoding="utf-8")
        address = f"http://127.0.0.1:{self.model.server_port}/chat/completions"
        source = source.replace("https://api.deepseek.com/chat/completions", address)
        source = source.replace("budget=12", f"budget={budget}")
        (self.folder / "handlers" / "llm.py").write_text(source, encoding="utf-8")
        settings = config.load(str(self.folder / "wxserve.ini"), {}, {})
        application = app.build(settings, Journal(io.StringIO(), threaded=False), live=False)
        try:
            weixin = Platform(Account("GreedIsGood"))
            return weixin.deliver(weixin.push("text", "讲个故事"), InProcess(application), attempts=3).seen.text
        finally:
            application.close()

    def test_it_asks_the_model_with_the_key_and_says_what_it_says(self) -> None:
        self.assertEqual(self.answer(), "从前有座山。")
        ((authorization, body),) = self.model.asked
        self.assertEqual(authorization, f"Bearer {KEY}")
        self.assertEqual(body["messages"][-1], {"role": "user", "content": "讲个故事"})

    def test_it_apologizes_within_its_budget_for_a_model_that_takes_too_long(self) -> None:
        self.model.may_answer.clear()
        self.assertEqual(self.answer(budget="1.3"), SORRY)
        self.assertEqual(len(self.model.asked), 1)

    def test_a_model_that_refuses_is_apologized_for(self) -> None:
        self.model.status = 429
        self.assertEqual(self.answer(), SORRY)

    def test_it_is_not_loaded_by_its_shipped_name(self) -> None:
        (self.folder / "handlers" / "_llm.py").write_bytes(SHIPPED.read_bytes())
        settings = config.load(str(self.folder / "wxserve.ini"), {}, {})
        rules, problems = app.load_rules(settings)
        self.assertEqual((len(rules), problems), (0, []))


if __name__ == "__main__":
    unittest.main()
