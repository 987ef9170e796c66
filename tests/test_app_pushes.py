"""Every message and event, in every mode, through the whole application: it reaches the handler that is meant for it,
with every field, and what goes back opens with an implementation that is not ours."""

from __future__ import annotations

import io
import logging
import random
import tempfile
import time
import unittest
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs
from wsgiref.validate import validator

from tests import openssl
from tests.client import call, signed
from tests.wire.pushes import EVENTS, MESSAGES
from tests.wire.vectors import SAMPLE
from weixin import app, config, log
from weixin.routing.rules import Hit, Rules
from weixin.simulator import FAULTS, Account, Answer, Attempt, InProcess, Platform, Push, Request, kinds
from weixin.wire import probe
from weixin.wire.envelope import decode_key
from weixin.wire.messages import Message

TOKEN = "GreedIsGood"
MODES = ("plain", "compat", "safe")


class Case(unittest.TestCase):
    handlers = ""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "handlers").mkdir()
        (self.folder / "wxserve.ini").write_text("[log]\n", encoding="utf-8")
        (self.folder / "handlers" / "all.py").write_text(self.handlers, encoding="utf-8")
        self.log = io.StringIO()
        self.addCleanup(logging.getLogger("wxserve").handlers.clear)

    def application(self, mode: str, **more: str) -> app.Application:
        # Every application begins with an empty memory: the same MsgIds come to all of them.
        values = {"TOKEN": TOKEN, "MODE": mode, "APPID": SAMPLE.appid, "AES_KEY": SAMPLE.aes_key, **more}
        values.setdefault("STORE", "memory:")
        environ = {f"WXSERVE_{name}": value for name, value in values.items()}
        settings = config.load(str(self.folder / "wxserve.ini"), {}, environ)
        application = app.build(settings, log.start("info", log.Style(), self.log))
        self.addCleanup(application.close)
        return application

    def platform(self, mode: str, key: bytes = SAMPLE.key) -> Platform:
        return Platform(Account(TOKEN, SAMPLE.appid, key, mode), source=random.Random(17))

    def deliver(self, weixin: Platform, application: Any, push: Push, fault: str = "") -> Attempt:
        delivery = weixin.deliver(push, InProcess(validator(application)), fault=fault)
        return delivery.attempts[0]


def independent(attempt: Attempt, mode: str, key: bytes = SAMPLE.key) -> dict[str, str]:
    """The reply's elements, opened by openssl and read by ElementTree."""
    body = attempt.answer.body
    if mode != "plain":
        nonce = parse_qs(attempt.request.query)["nonce"][0]
        body = openssl.open_reply(body, token=TOKEN, appid=SAMPLE.appid, key=key, nonce=nonce)
    return {child.tag: child.text or "" for child in ET.fromstring(body)}


class Overseen:
    """Rules that remember which messages they were asked about."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.errors = rules.errors
        self.messages: list[Message] = []

    def candidates(self, message: Message, now: float) -> Iterator[Hit]:
        self.messages.append(message)
        return self._rules.candidates(message, now)


class EveryPush(Case):
    # A handler for every kind, which says its own name.
    handlers = "from wxserve import on\n\n" + "\n".join(
        f"@on.{kind}\ndef {kind}(msg):\n    return 'for {kind}: ' + msg.user\n"
        for kind in (*MESSAGES, *EVENTS, "unknown", "any")
    )

    def test_it_reaches_its_handler_and_the_reply_opens_with_openssl(self) -> None:
        openssl.require()
        for mode in MODES:
            application, weixin = self.application(mode), self.platform(mode)
            for kind in kinds():
                with self.subTest(kind, mode=mode):
                    attempt = self.deliver(weixin, application, weixin.push(kind))
                    self.assertEqual(attempt.answer.status, 200)
                    reply = independent(attempt, mode)
                    self.assertEqual(list(reply), ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"])
                    self.assertEqual((reply["ToUserName"], reply["FromUserName"]), ("oTEST0001", "gh_0123456789ab"))
                    meant = "unknown" if kind == "unsupported" else kind
                    self.assertEqual(reply["Content"], f"for {meant}: oTEST0001")

    def test_the_handler_sees_every_field(self) -> None:
        for mode in MODES:
            application, weixin = self.application(mode), self.platform(mode)
            rules = Overseen(application.rules)
            application._desk.rules = cast(Rules, rules)
            for kind in kinds():
                push = weixin.push(kind)
                assert push.message is not None
                self.deliver(weixin, application, push)
                with self.subTest(kind, mode=mode):
                    message = rules.messages[-1]
                    self.assertEqual(message.fields, push.message.fields)
                    self.assertEqual((message.kind, message.xml), (kind, push.xml))
                    self.assertEqual(message.raw == push.xml, mode == "plain")

    def test_what_nobody_has_heard_of_reaches_on_unknown(self) -> None:
        xml = (
            b"<xml><ToUserName>gh_1</ToUserName><FromUserName>oNEW</FromUserName><CreateTime>1</CreateTime>"
            b"<MsgType>event</MsgType><Event>sealed_with_a_kiss</Event><Kiss><By>o1</By></Kiss></xml>"
        )
        for mode in MODES:
            attempt = self.deliver(self.platform(mode), self.application(mode), Push(xml))
            self.assertIn(b"for unknown: oNEW", attempt.seen.xml)


class Modes(Case):
    handlers = """
from wxserve import on, Text, Image, Voice, Video, Music, News, Article, Handover, AIHandover, Success

REPLIES = {
    "text": Text("]]> <b>&\\x00 \\ud83d 👋"),
    "image": Image("M"),
    "voice": Voice("M"),
    "video": Video("M", "t", "d"),
    "music": Music("T", "t", "d", "https://m", "https://h"),
    "news": News([Article("t", "d", "https://p", "https://u")] * 3),
    "handover": Handover("kf2001@shop"),
    "ai": AIHandover(),
    "long": Text("讲👋" * 400),
    "ack": Success(),
    "silence": "",
}

@on.text
def reply(msg):
    return REPLIES.get(msg.text)
"""

    def test_every_reply_is_sealed_exactly_when_the_push_was_and_acknowledgements_never(self) -> None:
        openssl.require()
        for mode in MODES:
            application, weixin = self.application(mode), self.platform(mode)
            for word, kind in (
                ("text", "text"), ("image", "image"), ("voice", "voice"), ("video", "video"), ("music", "music"),
                ("news", "news"), ("handover", "transfer_customer_service"), ("ai", "transfer_biz_ai_ivr"),
                ("long", "text"), ("ack", ""), ("silence", ""), ("nobody", ""),
            ):  # fmt: skip
                with self.subTest(word, mode=mode):
                    attempt = self.deliver(weixin, application, weixin.push("text", word))
                    self.assertEqual((attempt.seen.outcome, attempt.seen.kind), ("reply" if kind else "nothing", kind))
                    if not kind:
                        self.assertEqual(attempt.answer.body, b"success")
                        continue
                    self.assertEqual(b"<Encrypt>" in attempt.answer.body, mode != "plain")
                    self.assertEqual(independent(attempt, mode)["MsgType"], kind)

    def test_the_key_before_still_opens_and_seals_the_reply(self) -> None:
        openssl.require()
        new = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFa"
        application = self.application("safe", AES_KEY=new, AES_KEY_PREVIOUS=SAMPLE.aes_key)
        for key in (SAMPLE.key, decode_key(new)):
            weixin = self.platform("safe", key)
            attempt = self.deliver(weixin, application, weixin.push("text", "image"))
            self.assertEqual(independent(attempt, "safe", key)["MsgType"], "image")

    def test_the_mode_is_the_configurations_and_never_the_requests(self) -> None:
        for ours in MODES:
            application = self.application(ours)
            for theirs in MODES:
                weixin = self.platform(theirs)
                attempt = self.deliver(weixin, application, weixin.push("text", "image"))
                with self.subTest(ours=ours, theirs=theirs):
                    # A compatible push holds a plain one, which is all that plain mode looks at.
                    fits = ours == theirs or "plain" not in (ours, theirs) or (ours, theirs) == ("plain", "compat")
                    self.assertEqual(attempt.answer.status, 200 if fits else 403)

    def test_a_forged_plain_half_of_a_compatible_push_is_not_what_is_answered(self) -> None:
        application, weixin = self.application("compat"), self.platform("compat")
        to = Forging(InProcess(validator(application)), b"image", b"voice")
        delivery = weixin.deliver(weixin.push("text", "image"), to)
        self.assertEqual((delivery.seen.kind, to.forged), ("image", 1))


    def test_a_users_text_that_looks_like_an_envelope_is_a_text(self) -> None:
        for order in ("first", "last"):
            application, weixin = self.application("compat"), self.platform("compat")
            delivery = weixin.deliver(weixin.push("text", "<Encrypt>AAAA"), Reordering(InProcess(application), order))
            with self.subTest(order):
                self.assertEqual((delivery.attempts[0].answer.status, delivery.seen.outcome), (200, "nothing"))


class Reordering:
    """A way to a server on which the element Encrypt comes before or behind all others."""

    def __init__(self, to: InProcess, order: str) -> None:
        self._to = to
        self._order = order

    def send(self, request: Request, limit: float) -> Answer:
        others, _, rest = request.body.partition(b"<xml>")[2].rpartition(b"<Encrypt>")
        element = b"<Encrypt>" + rest.partition(b"</Encrypt>")[0] + b"</Encrypt>"
        inside = element + others if self._order == "first" else others + element
        return self._to.send(with_body(request, b"<xml>" + inside + b"</xml>"), limit)


def with_body(request: Request, body: bytes) -> Request:
    headers = tuple((name, value if name != "Content-Length" else str(len(body))) for name, value in request.headers)
    return request._replace(headers=headers, body=body)


class Forging:
    """A way to a server on which somebody changes what is not signed."""

    def __init__(self, to: InProcess, before: bytes, after: bytes) -> None:
        self._to = to
        self._change = before, after
        self.forged = 0

    def send(self, request: Request, limit: float) -> Answer:
        self.forged = request.body.count(self._change[0])
        return self._to.send(request._replace(body=request.body.replace(*self._change)), limit)


class Refusals(Case):
    handlers = "from wxserve import on\n\n@on.any\ndef any(msg):\n    return 'answered'\n"

    def test_every_fault_that_must_be_refused_is_in_every_mode_with_a_bare_answer(self) -> None:
        for mode in MODES:
            application, weixin = self.application(mode), self.platform(mode)
            for name, fault in FAULTS.items():
                if not fault.refused or (fault.sealed and mode == "plain"):
                    continue
                with self.subTest(name, mode=mode):
                    answer = self.deliver(weixin, application, weixin.push("text"), name).answer
                    self.assertEqual((answer.status, answer.body), (400 if name in BAD_BODIES[mode] else 403, b""))

    def test_a_strangers_body_is_not_even_parsed(self) -> None:
        for mode in ("compat", "safe"):
            application, weixin = self.application(mode), self.platform(mode)
            request = weixin.request(weixin.push("text"))
            broken = request.body.replace(b"</xml>", b"<a><b></a></xml>")
            for body in (broken, broken.replace(b"Encrypt", b"Other"), b"{}", b"", broken * 2):
                for query, status in (
                    (request.query, 400),
                    (request.query.replace("signature=", "signature=0"), 403),
                    (request.query.replace("msg_signature=", "msg_signature=0"), 403 if body is broken else 400),
                ):
                    with self.subTest(body=body[-20:], query=query[:20], mode=mode):
                        self.assertEqual(call(application, "POST", query=query, body=body).status, status)

    def test_no_secret_and_no_signature_is_logged(self) -> None:
        for mode in MODES:
            application, weixin = self.application(mode), self.platform(mode)
            for name in (*FAULTS, ""):
                if name and (not FAULTS[name].refused or (FAULTS[name].sealed and mode == "plain")):
                    continue
                attempt = self.deliver(weixin, application, weixin.push("text"), name)
                application.close()
                logged = self.log.getvalue()
                query = parse_qs(attempt.request.query)
                secrets = [TOKEN, SAMPLE.aes_key, *query.get("signature", []), *query.get("msg_signature", [])]
                for secret in secrets:
                    self.assertNotIn(secret, logged)
        self.assertIn("WX-SIG-02", logged)

    def test_the_address_is_verified_in_every_mode(self) -> None:
        for mode in MODES:
            answer, passes = self.platform(mode).verify(InProcess(validator(self.application(mode))))
            self.assertTrue(passes, answer)


# What is not a matter of signatures: in compatible and safe mode a body that was cut is still an envelope.
BAD_BODIES = {
    "plain": {"truncated", "not-xml", "json"},
    "compat": {"not-xml", "json"},
    "safe": {"not-xml", "json"},
}


class Remembered(Case):
    """What the doctor finds in the store's ring."""

    def test_a_check_that_passes_and_one_that_does_not(self) -> None:
        for mode in MODES:
            application = self.application(mode)
            self.platform(mode).verify(InProcess(application))
            other = Platform(Account(TOKEN + " ", SAMPLE.appid, SAMPLE.key, mode))
            other.verify(InProcess(application))
            (check,), (refusal,) = application._store.checks(), application._store.refusals()
            with self.subTest(mode):
                self.assertEqual((check.values["reason"], check.values["method"]), ("check", "GET"))
                self.assertEqual((refusal.code, refusal.values["reason"]), ("WX-SIG-02", "trailing_space"))
                self.assertNotIn(TOKEN, repr((check, refusal)))

    def test_a_push_in_another_mode_is_told_from_a_strangers(self) -> None:
        for ours, theirs in (("safe", "plain"), ("compat", "plain"), ("plain", "safe")):
            with self.subTest(f"{theirs} to {ours}"):
                application = self.application(ours)
                weixin = self.platform(theirs)
                self.deliver(weixin, application, weixin.push("text", "hi"))
                stranger = Platform(Account("another", SAMPLE.appid, SAMPLE.key, theirs))
                self.deliver(stranger, application, weixin.push("text", "hi"))
                codes = [refusal.code for refusal in application._store.refusals()]
                self.assertEqual(codes, ["WX-SIG-02", "WX-AES-02"])
                self.assertEqual(application._store.refusals()[1].values["mode"], ours)

    def test_a_clock_that_differs_is_told_from_an_old_request_of_anybody(self) -> None:
        application = self.application("plain")
        for token, genuine in ((TOKEN, "yes"), ("another", "no")):
            late = Platform(Account(token, SAMPLE.appid, SAMPLE.key, "plain"), clock=lambda: time.time() - 4000)
            late.verify(InProcess(application))
            refusal = application._store.refusals()[0]
            self.assertEqual((refusal.code, refusal.values["signed"]), ("WX-SIG-04", genuine))
            self.assertAlmostEqual(int(refusal.values["seconds"]), 4000, delta=5)

    def test_the_doctors_own_requests_are_not_kept(self) -> None:
        application = self.application("plain")
        for token in (TOKEN, "another"):
            call(application, query=signed(token, nonce=probe.NONCE + "1", echostr="1"))
        self.assertEqual((application._store.checks(), application._store.refusals()), ([], []))
