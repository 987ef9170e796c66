from __future__ import annotations

import random
import threading
import unittest
from typing import Any
from urllib.parse import parse_qs
from wsgiref.validate import validator

from tests.wire.vectors import SAMPLE
from weixin.simulator import Account, InProcess, Platform
from weixin.wire.messages import Message, parse
from weixin.wire.replies import Text

ACCOUNT = Account("AAAAA", SAMPLE.appid, SAMPLE.key)


class Server:
    """A small application that answers each delivery as its script says: a text, ``late``, ``drop``, or a status."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.queries: list[dict[str, list[str]]] = []
        self.bodies: list[bytes] = []
        self.gone = threading.Semaphore(0)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.queries.append(parse_qs(environ["QUERY_STRING"]))
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.bodies.append(body)
        step = self.script.pop(0)
        if step == "late" and environ["wxserve.wait_gone"](10):
            self.gone.release()
        if step == "drop":
            environ["wxserve.drop"]()
        said = b"" if step in ("late", "drop") or step.isdigit() else Text(step).render(Message(parse(body)), 1)
        start_response(f"{step} Status" if step.isdigit() else "200 OK", [("Content-Type", "text/xml")])
        return [said]


def platform(**more: Any) -> Platform:
    return Platform(ACCOUNT, clock=lambda: 1_714_036_504.7, source=random.Random(5), **more)


class Deliveries(unittest.TestCase):
    def test_one_delivery_and_what_the_user_sees(self) -> None:
        weixin, server = platform(), Server("你好")
        delivery = weixin.deliver(weixin.push("text", "hi"), InProcess(validator(server)))
        self.assertEqual((delivery.seen.text, delivery.answer.status, len(delivery.attempts)), ("你好", 200, 1))
        self.assertEqual(server.bodies, [delivery.push.xml])

    def test_silence_is_asked_again_with_the_same_push_and_fresh_signatures(self) -> None:
        weixin, server = platform(cut=0.05), Server("late", "drop", "at last")
        delivery = weixin.deliver(weixin.push("text"), InProcess(server), attempts=3)
        self.assertEqual(delivery.seen.text, "at last")
        self.assertEqual([attempt.seen.why for attempt in delivery.attempts], ["timeout", "dropped", ""])
        self.assertEqual(len(set(server.bodies)), 1)
        for name in ("nonce", "signature"):
            self.assertEqual(len({query[name][0] for query in server.queries}), 3, name)
        starts = [attempt.started for attempt in delivery.attempts]
        self.assertEqual(starts, sorted(starts))
        self.assertGreaterEqual(starts[1], 0.05)
        self.assertTrue(server.gone.acquire(timeout=10), "the first was told that the platform is gone")

    def test_three_silences_are_the_fault_notice(self) -> None:
        weixin = platform(cut=0.02)
        delivery = weixin.deliver(weixin.push("text"), InProcess(Server("late", "late", "late")), attempts=3)
        self.assertEqual((delivery.seen.outcome, len(delivery.attempts)), ("fault", 3))

    def test_an_answer_of_any_status_ends_the_attempts(self) -> None:
        weixin = platform()
        delivery = weixin.deliver(weixin.push("text"), InProcess(Server("500")), attempts=3)
        self.assertEqual((delivery.seen.why, len(delivery.attempts)), ("status", 1))

    def test_a_duplicate_comes_after_the_answer(self) -> None:
        weixin, server = platform(), Server("one", "two")
        delivery = weixin.deliver(weixin.push("text"), InProcess(server), fault="duplicate")
        self.assertEqual([attempt.seen.text for attempt in delivery.attempts], ["one", "two"])
        self.assertEqual(server.bodies[0], server.bodies[1])


class Pushes(unittest.TestCase):
    def test_clock_and_numbers_are_the_platforms(self) -> None:
        weixin = platform()
        first, second = weixin.push("text").message, weixin.push("text").message
        assert first and second
        self.assertEqual(first.time, 1_714_036_504)
        self.assertRegex(first.id, r"\A[0-9]{17}\Z")
        self.assertNotEqual(first.id, second.id)

    def test_the_same_seed_says_the_same(self) -> None:
        one, other = (platform() for _ in range(2))
        self.assertEqual(one.request(one.push("text")), other.request(other.push("text")))

    def test_the_address_is_checked_by_its_echo(self) -> None:
        def server(body: Any, status: str = "200 OK") -> Any:
            def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
                start_response(status, [("Content-Type", "text/plain")])
                return [body(parse_qs(environ["QUERY_STRING"])["echostr"][0].encode())]

            return InProcess(validator(application))

        for passes, to in (
            (True, server(lambda echo: echo)),
            (False, server(lambda echo: b'"' + echo + b'"')),
            (False, server(lambda echo: echo + b"\n")),
            (False, server(lambda echo: b"")),
            (False, server(lambda echo: echo, "403 Forbidden")),
        ):
            self.assertEqual(platform().verify(to)[1], passes)
