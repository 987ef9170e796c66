"""The checks that the inspector repeats agree with the application's own, in every mode and for every fault."""

from __future__ import annotations

import random
import sys
import unittest

from weixin import app, config, log
from weixin.console import verdict
from weixin.console.door import in_modes
from weixin.routing.rules import Rules
from weixin.simulator import FAULTS, Account, InProcess, Platform
from weixin.simulator import Request as SimulatedRequest
from weixin.wire.envelope import decode_key

NOW = 1_790_000_000


class Agreement(unittest.TestCase):
    def test_it_fails_where_the_application_refuses_and_nowhere_else(self) -> None:
        settings = config.load(None, {}, {"WXSERVE_TOKEN": "token4tests"}, base="/nowhere")
        journal = log.Journal(sys.stderr, 100, log.Style())
        application = app.Application(settings, Rules(), journal, clock=lambda: NOW)
        self.addCleanup(application.close)
        for mode, of_mode in in_modes(settings, "k" * 22).items():
            key = decode_key(of_mode.aes_key) if mode != "plain" else b""
            account = Account(of_mode.token, of_mode.appid, key, mode)
            platform = Platform(account, clock=lambda: NOW, source=random.Random(7))
            for fault in ("", *FAULTS):
                if fault and ((FAULTS[fault].sealed and mode == "plain") or fault == "slow-body"):
                    continue
                with self.subTest(mode=mode, fault=fault):
                    request = platform.request(platform.push("text", "你好"), fault)
                    answer = InProcess(application.sibling(of_mode)).send(request, 5.0)
                    failed = verdict.failure(of_mode, request, NOW)
                    self.assertEqual(answer.status != 200, failed is not None, failed)
                    self.assertEqual(bool(fault) and FAULTS[fault].refused, failed is not None)


class Signature(unittest.TestCase):
    settings = config.load(None, {}, {"WXSERVE_TOKEN": "token4tests"}, base="/")

    def request(self, token: str) -> SimulatedRequest:
        platform = Platform(Account(token), clock=lambda: NOW, source=random.Random(1))
        return platform.request(platform.push("text", "x"))

    def test_the_token_is_masked_and_the_rest_is_in_order(self) -> None:
        shown = verdict.signature(self.settings, self.request("token4tests"))
        self.assertTrue(shown["same"])
        self.assertEqual(shown["sorted"][-1], "•" * 11)
        self.assertEqual(shown["sorted"][:-1], sorted(shown["sorted"][:-1]))
        self.assertNotIn("token4tests", str(shown))

    def test_a_slip_is_named(self) -> None:
        for token, miss in (("token4tests ", "trailing_space"), ("TOKEN4TESTS", "case"), ("quite another", "")):
            with self.subTest(token):
                shown = verdict.signature(self.settings, self.request(token))
                self.assertEqual((shown["same"], shown["miss"]), (False, miss))


if __name__ == "__main__":
    unittest.main()
