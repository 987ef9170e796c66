"""A storm over a server whose ladder is four times as fast; ``make soak`` has the real one."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from tests.live.storm import HANDLERS, Killer, Storm
from tests.machine import crowd
from tests.program import ROOT, SECONDS, environment

TOKEN = "GreedIsGood"
SCALE = 0.25 * crowd()
# Real seconds, in which a worker begins to answer, and writes down what runs.
GROWN = 0.5 * crowd()


class Storms(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "handlers").mkdir()
        (self.folder / "handlers" / "all.py").write_text(HANDLERS, encoding="utf-8")
        config = f"[wechat]\ntoken = {TOKEN}\n[server]\nsilent_max = 1000\npool = 64\n"
        (self.folder / "wxserve.ini").write_text(config, encoding="utf-8")

    def serve(self, workers: int) -> tuple[int, str]:
        log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT)
        self.addCleanup(os.close, log)
        process = subprocess.Popen(
            [sys.executable, "-m", "weixin.server", "tests.live.scaled:application", "--listen", "127.0.0.1:0",
             "--workers", str(workers), "--threads", "256"],
            cwd=ROOT, stderr=log, stdout=log, env=environment(
                WXSERVE_CONFIG=str(self.folder / "wxserve.ini"), LADDER=str(SCALE), LADDER_BEGAN=str(time.time())
            ),
        )  # fmt: skip
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for line in (self.folder / "log").read_text(encoding="utf-8").splitlines():
                if line.startswith("serving on "):
                    return process.pid, f"http://{line.split()[-1]}/weixin"
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text(encoding="utf-8"))

    def storm(self, url: str, messages: int, seed: int) -> Storm:
        return Storm(url, TOKEN, messages=messages, seconds=15, users=12, scale=SCALE, seed=seed)

    def test_every_message_is_answered_once_while_workers_are_killed(self) -> None:
        supervisor, url = self.serve(2)
        killer = Killer(supervisor, 2, GROWN, random.Random(6))
        reckoning = self.storm(url, 100, 6).rage(killer, every=4.0)
        print(reckoning, file=sys.__stderr__)
        self.assertGreater(reckoning.kills, 1)
        self.assertEqual((reckoning.unanswered, reckoning.twice, reckoning.astray), ([], [], []), reckoning)

    def test_no_answer_goes_astray_in_any_storm(self) -> None:
        _, url = self.serve(2)
        reckoning = self.storm(url, 100, 1).rage()
        self.assertEqual((reckoning.unanswered, reckoning.twice, reckoning.astray), ([], [], []), reckoning)
