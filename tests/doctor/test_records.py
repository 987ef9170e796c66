"""What the store remembers of WeChat's requests, made into findings: real requests, a real store, both languages."""

from __future__ import annotations

import io
import os
import tempfile
import time
import unittest
from typing import Any

from weixin import texts
from weixin.app import Application
from weixin.doctor import records
from weixin.log import Journal
from weixin.problem import Problem
from weixin.routing.rules import Rules
from weixin.simulator import Account, InProcess, Platform
from weixin.store import open_store
from weixin.store.base import Answer, Push, Refusal, told

from . import sites


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "wxserve.db")
        self.store = open_store(f"sqlite:{self.path}")
        self.addCleanup(self.store.close)
        self.now = time.time()

    def found(self, **more: str) -> list[Problem]:
        self.store.flush()
        settings = sites.settings(**{"store": f"sqlite:{self.path}", **more})
        found = sites.problems(sites.visit(url="", settings=settings), "wechat")
        for problem in found:
            for lang in texts.LANGUAGES:
                self.assertNotIn("{", "".join(texts.explain(problem.code, lang, problem.values)))
        return found

    def codes(self, **more: str) -> list[tuple[str, str]]:
        return [(problem.code, str(problem.values.get("reason", ""))) for problem in self.found(**more)]

    def deliver(self, number: int, **more: Any) -> None:
        """One message that came *ago* seconds ago, was answered after *ms*, and came again *duplicates* times."""
        at = self.now - more.pop("ago", 100.0)
        created = int(at - more.pop("lag", 0.0))
        key = created.to_bytes(4, "big") + number.to_bytes(12, "big")
        push = Push(key, "gh_1", more.pop("user", "oUSER"), at, b"", f"d{number}", "text", "hi")
        duplicates = more.pop("duplicates", 0)
        given = {"rule": "handlers/llm.py:31", "result": "replied", "reply": "text", "ms": 20.0, **more}
        self.store.finish(self.store.claim(push), Answer(b"body", True, **given))
        self.store.flush()
        for _ in range(duplicates):
            self.store.attempt(key, f"{at:.3f} 0.001 duplicate")

    def refuse(self, code: str, reason: str = "", ago: float = 10.0, times: int = 1, **facts: object) -> None:
        self.store.refused(Refusal(self.now - ago, code, "192.0.2.7", told(reason, facts), times))


class Refused(Case):
    def application(self, **more: str) -> InProcess:
        made = Application(sites.settings(**more), Rules([]), Journal(io.StringIO()), store=self.store)
        self.addCleanup(made.close)
        return InProcess(made)

    def platform(self, token: str = sites.TOKEN, mode: str = "plain", late: float = 0.0) -> Platform:
        account = Account(token, sites.SAFE["appid"], b"\0" * 32, mode)
        return Platform(account, clock=lambda: time.time() - late)

    def test_a_token_that_differs_is_named_until_the_platform_has_been_answered(self) -> None:
        self.platform(sites.TOKEN + " ").verify(self.application())
        (problem,) = self.found()
        self.assertEqual((problem.code, problem.values["reason"]), ("WX-SIG-02", "trailing_space"))
        self.assertEqual((problem.values["times"], problem.values["method"]), (1, "GET"))
        self.assertIn("末尾多一个空格", texts.explain(problem.code, "zh", problem.values).title)
        self.assertNotIn(sites.TOKEN, repr(problem))
        self.platform().verify(self.application())
        self.assertEqual(self.found(), [])

    def test_any_other_token_counts_only_while_nothing_else_is_known(self) -> None:
        self.platform("quite another").verify(self.application())
        self.assertEqual(self.codes(), [("WX-SIG-02", "mismatch")])
        self.platform().verify(self.application())
        self.refuse("WX-SIG-02", "mismatch", ago=-5)
        self.assertEqual(self.found(), [], "a stranger's")

    def test_a_clock_that_is_wrong_but_not_a_strangers_old_request(self) -> None:
        self.platform("stranger", late=4000).verify(self.application())
        self.assertEqual(self.found(), [])
        self.platform(late=4000).verify(self.application())
        (problem,) = self.found()
        self.assertEqual(problem.code, "WX-SIG-04")
        self.assertIn("over 300 s", texts.explain(problem.code, "en", problem.values).title)

    def test_another_mode_and_a_check_that_passes_all_the_same(self) -> None:
        weixin, application = self.platform(mode="plain"), self.application(**sites.SAFE)
        weixin.deliver(weixin.push("text", "hi"), application)
        weixin.verify(application)
        self.assertEqual(self.codes(**sites.SAFE)[0][0], "WX-AES-02")
        self.deliver(1, ago=-5)
        self.assertEqual(self.found(**sites.SAFE), [])

    def test_another_key(self) -> None:
        weixin = self.platform(mode="safe")
        weixin.deliver(weixin.push("text", "hi"), self.application(**sites.SAFE))
        self.assertEqual(self.codes(**sites.SAFE), [("WX-AES-03", "the envelope does not open")])

    def test_scanners_are_nobodys_problem(self) -> None:
        for mode in ("plain", "safe"):
            application = self.application(**(sites.SAFE if mode == "safe" else {}))
            self.platform().verify(application)
            for token, fault in (("stranger", "json"), ("stranger", "not-xml"), (sites.TOKEN, "no-signature")):
                stranger = self.platform(token, mode)
                stranger.deliver(stranger.push("text", "hi"), application, fault=fault)
            self.assertEqual(self.found(), [], mode)

    def test_what_the_platform_sends_and_nobody_can_read(self) -> None:
        for mode in ("plain", "safe"):
            more = sites.SAFE if mode == "safe" else {}
            for fault, code in (("json", "WX-XML-02"), ("not-xml", "WX-XML-01")):
                with self.subTest(f"{mode} {fault}"):
                    weixin, application = self.platform(mode=mode), self.application(**more)
                    weixin.deliver(weixin.push("text", "hi"), application, fault=fault)
                    weixin.verify(application)
                    self.assertEqual([found for found, _ in self.codes(**more)], [code])
                    self.deliver(1, ago=-5)
                    self.assertEqual(self.found(**more), [])
                    self.store.close()
                    self.setUp()

    def test_what_was_yesterday_is_over(self) -> None:
        self.refuse("WX-AES-02", mode="safe", ago=25 * 3600)
        self.assertEqual(self.found(), [])


class Answered(Case):
    def test_all_is_well(self) -> None:
        for number in range(30):
            self.deliver(number)
        visit = sites.visit(url="", settings=sites.settings(store=f"sqlite:{self.path}"))
        self.assertEqual(sites.findings(visit, "wechat")["wechat"].problems, [])
        self.assertEqual(visit.notes["wechat"], {"n": 30, "ms": 20})

    def test_a_handler_that_is_late_and_one_that_is_slow(self) -> None:
        self.deliver(1, ms=6300.0)
        self.deliver(2)
        for number in range(3, 33):
            self.deliver(number, rule="handlers/slow.py:4", ms=3500.0 if number % 5 == 0 else 10.0)
        late, slow = self.found()
        self.assertEqual((late.code, late.values["where"], late.values["late"]), ("WX-TIM-01", "handlers/llm.py:31", 1))
        self.assertEqual((slow.code, slow.values["reason"]), ("WX-TIM-01", "handler-slow"))
        title = texts.explain(late.code, "en", late.values).title
        self.assertIn("handlers/llm.py:31: 1 of 2 messages took longer than 4.5 s, the slowest 6.3 s", title)

    def test_what_a_person_tried_is_not_wechats(self) -> None:
        self.deliver(1, ms=6300.0, user="oTEST0001")
        self.deliver(2, lag=5.0, user="oTEST0002", result="silent", code="WX-HND-05")
        self.assertEqual(self.codes(), [])

    def test_messages_that_arrive_late(self) -> None:
        for number in range(6):
            self.deliver(number, lag=4.0)
            self.deliver(number + 100, lag=9000.0)  # a recording
        (problem,) = self.found()
        self.assertEqual((problem.code, problem.values["n"]), ("WX-TIM-02", 6))
        self.assertAlmostEqual(float(problem.values["seconds"]), 4.0, delta=0.6)

    def test_answers_that_do_not_reach_wechat(self) -> None:
        for number in range(10):
            self.deliver(number, duplicates=number % 2)
        self.assertEqual(self.codes(), [("WX-DUP-01", "")])

    def test_a_duplicate_now_and_then_is_ordinary(self) -> None:
        self.deliver(1, duplicates=2)
        self.assertEqual(self.found(), [])

    def test_many_failures_in_five_minutes(self) -> None:
        for number in range(20):
            self.assertEqual(self.found(), [], number)
            self.store.silent(self.now - number)
        self.assertEqual([problem.code for problem in self.found()], ["WX-OPS-03"])
        self.assertEqual(self.found(silent_max="0"), [], "the platform's own limit is 30")
        self.refuse("WX-SIG-04", "clock", signed="yes", times=10, seconds=400, max_age=300)
        self.assertIn("WX-OPS-03", [problem.code for problem in self.found(silent_max="0")])

    def test_replies_that_were_spoilt_and_handlers_that_raised(self) -> None:
        self.deliver(1, code="WX-RPL-01")
        self.deliver(2, code="WX-HND-05", result="error", rule="handlers/b.py:7")
        found = self.found()
        self.assertEqual([(p.code, p.file, p.line) for p in found], [
            ("WX-HND-05", "handlers/b.py", 7), ("WX-RPL-01", "handlers/llm.py", 31),
        ])  # fmt: skip


class Store(Case):
    def test_where_there_is_none_none_is_made(self) -> None:
        for url in (f"sqlite:{self.path}-not", "memory:"):
            visit = sites.visit(url="", settings=sites.settings(store=url))
            self.assertEqual(sites.findings(visit, "wechat")["wechat"].skipped, "unseen")
        self.assertFalse(os.path.exists(f"{self.path}-not"))

    def test_one_that_is_damaged(self) -> None:
        with open(f"{self.path}-damaged", "wb") as stream:
            stream.write(b"words " * 1000)
        self.assertEqual(self.codes(store=f"sqlite:{self.path}-damaged"), [("WX-OPS-02", "store-unreadable")])

    def test_reading_changes_nothing(self) -> None:
        self.deliver(1)
        self.store.close()
        before = {name: os.stat(os.path.join(os.path.dirname(self.path), name)) for name in self.files()}
        self.assertIsNotNone(records.read(f"sqlite:{self.path}", self.now))
        after = {name: os.stat(os.path.join(os.path.dirname(self.path), name)) for name in self.files()}
        self.assertEqual([(n, s.st_mtime_ns, s.st_size) for n, s in before.items()],
                         [(n, s.st_mtime_ns, s.st_size) for n, s in after.items()])  # fmt: skip

    def files(self) -> list[str]:
        return sorted(os.listdir(os.path.dirname(self.path)))


if __name__ == "__main__":
    unittest.main()
