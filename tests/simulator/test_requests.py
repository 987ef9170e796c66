from __future__ import annotations

import random
import re
import unittest
import xml.etree.ElementTree as ET
from base64 import b64decode
from urllib.parse import parse_qsl

from tests import openssl
from tests.wire.vectors import SAMPLE
from weixin.simulator import FAULTS, Account, Push, Request, make
from weixin.simulator.requests import OLD, request, verification
from weixin.wire import aes
from weixin.wire.signature import sign

NOW = 1_714_036_504
AES = aes.find()
ACCOUNTS = {mode: Account("AAAAA", SAMPLE.appid, SAMPLE.key, mode) for mode in ("plain", "compat", "safe")}
PUSH = make("text", "两行\n<b>]]>", time=NOW, id="23892507910728562")


def asked(mode: str = "plain", fault: str = "", push: Push = PUSH) -> Request:
    return request(ACCOUNTS[mode], AES, push, NOW, random.Random(42), fault)


def query(given: Request) -> dict[str, str]:
    return dict(parse_qsl(given.query, keep_blank_values=True))


def elements(body: bytes) -> dict[str, str]:
    return {child.tag: child.text or "" for child in ET.fromstring(body)}


def unsealed(encrypted: str) -> bytes:
    plain = openssl.decrypt(SAMPLE.key, b64decode(encrypted, validate=True))
    return plain[20 : 20 + int.from_bytes(plain[16:20], "big")]


class Plain(unittest.TestCase):
    def test_parameters_are_signed_and_in_the_recorded_order(self) -> None:
        given = query(asked())
        self.assertEqual(list(given), ["signature", "timestamp", "nonce", "openid"])
        self.assertEqual(given["signature"], sign("AAAAA", given["timestamp"], given["nonce"]))
        self.assertEqual((given["timestamp"], given["openid"]), (str(NOW), "oTEST0001"))

    def test_the_body_is_the_push_itself(self) -> None:
        given = asked()
        self.assertEqual(given.body, PUSH.xml)
        self.assertEqual(
            dict(given.headers),
            {"User-Agent": "Mozilla/4.0", "Accept": "*/*", "Pragma": "no-cache", "Content-Type": "text/xml",
             "Content-Length": str(len(PUSH.xml))},
        )  # fmt: skip

    def test_each_request_has_a_nonce_of_its_own(self) -> None:
        source = random.Random(1)
        nonces = {request(ACCOUNTS["plain"], AES, PUSH, NOW, source).nonce for _ in range(100)}
        self.assertEqual(len(nonces), 100)


class Sealed(unittest.TestCase):
    def setUp(self) -> None:
        openssl.require()

    def test_parameters_are_signed_and_in_the_recorded_order(self) -> None:
        for mode in ("compat", "safe"):
            request = asked(mode)
            given = query(request)
            encrypted = elements(request.body)["Encrypt"]
            with self.subTest(mode):
                self.assertEqual(
                    list(given), ["signature", "timestamp", "nonce", "openid", "encrypt_type", "msg_signature"]
                )
                self.assertEqual(given["encrypt_type"], "aes")
                self.assertEqual(given["signature"], sign("AAAAA", given["timestamp"], given["nonce"]))
                self.assertEqual(
                    given["msg_signature"], sign("AAAAA", given["timestamp"], given["nonce"], encrypted)
                )

    def test_safe_mode_says_nothing_but_the_receiver(self) -> None:
        body = asked("safe").body
        self.assertEqual(list(elements(body)), ["ToUserName", "Encrypt"])
        self.assertRegex(
            body.decode(),
            r"\A<xml>\n    <ToUserName><!\[CDATA\[gh_0123456789ab\]\]></ToUserName>\n"
            r"    <Encrypt><!\[CDATA\[[A-Za-z0-9+/=]+\]\]></Encrypt>\n</xml>\n\Z",
        )
        self.assertEqual(unsealed(elements(body)["Encrypt"]), PUSH.xml)

    def test_compatible_mode_has_the_plain_push_before_the_sealed_one(self) -> None:
        body = asked("compat").body
        plain = elements(PUSH.xml)
        self.assertEqual(list(elements(body)), [*plain, "Encrypt"])
        self.assertEqual({**elements(body), "Encrypt": ""}, {**plain, "Encrypt": ""})
        self.assertEqual(unsealed(elements(body)["Encrypt"]), PUSH.xml)
        self.assertTrue(body.endswith(b"</Encrypt>\n</xml>\n"))
        self.assertEqual(len(re.findall(rb"\n    <", body)), len(plain) + 1)

    def test_what_is_no_message_is_sealed_too(self) -> None:
        body = asked("compat", push=Push(b"hello")).body
        self.assertEqual(list(elements(body)), ["ToUserName", "Encrypt"])
        self.assertEqual(unsealed(elements(body)["Encrypt"]), b"hello")


class Verification(unittest.TestCase):
    def test_the_check_is_signed_and_carries_nineteen_digits(self) -> None:
        given, echo = verification(ACCOUNTS["safe"], NOW, random.Random(1))
        values = query(given)
        self.assertEqual(list(values), ["signature", "echostr", "timestamp", "nonce"])
        self.assertEqual(values["signature"], sign("AAAAA", values["timestamp"], values["nonce"]))
        self.assertRegex(echo, r"\A[0-9]{19}\Z")
        self.assertEqual((given.method, given.path, given.body, values["echostr"]), ("GET", "/weixin", b"", echo))


class Faults(unittest.TestCase):
    def right(self, given: Request) -> tuple[bool, bool]:
        """Whether signature and msg_signature are right."""
        values = query(given)
        stamp = (values["timestamp"], values["nonce"])
        encrypted = elements(given.body).get("Encrypt", "") if given.body.startswith(b"<") else ""
        return (
            values.get("signature") == sign("AAAAA", *stamp),
            values.get("msg_signature") == sign("AAAAA", *stamp, encrypted),
        )

    def test_each_spoils_what_it_says(self) -> None:
        self.assertEqual(self.right(asked("safe")), (True, True))
        self.assertEqual(self.right(asked("safe", "bad-signature")), (False, False))
        self.assertEqual(self.right(asked("safe", "bad-msg-signature")), (True, False))
        self.assertNotIn("signature", query(asked("safe", "no-signature")))
        self.assertNotIn("msg_signature", query(asked("safe", "no-signature")))
        self.assertEqual(query(asked("plain", "old-timestamp"))["timestamp"], str(NOW - OLD))
        self.assertEqual(self.right(asked("safe", "old-timestamp")), (True, True))
        self.assertEqual(asked("plain", "not-xml").body, b"this is no XML")
        self.assertTrue(asked("plain", "json").body.startswith(b'{"ToUserName"'))
        self.assertTrue(PUSH.xml.startswith(asked("plain", "truncated").body))
        self.assertLess(len(asked("plain", "truncated").body), len(PUSH.xml))
        self.assertTrue(asked("plain", "slow-body").slow)
        self.assertTrue(asked("plain", "idle").idle)

    def test_a_spoilt_envelope_is_signed_all_the_same(self) -> None:
        for fault in ("wrong-key", "wrong-appid", "bad-padding", "truncated"):
            with self.subTest(fault):
                self.assertEqual(self.right(asked("safe", fault)), (True, True))
                self.assertNotEqual(asked("safe", fault).body, asked("safe").body)

    def test_a_fault_of_the_padding_leaves_everything_before_it(self) -> None:
        openssl.require()
        encrypted = elements(asked("safe", "bad-padding").body)["Encrypt"]
        plain = openssl.decrypt(SAMPLE.key, b64decode(encrypted))
        self.assertGreater(plain[-1], 32)

    def test_the_length_is_that_of_the_body_in_every_case(self) -> None:
        for fault in FAULTS:
            for mode in ACCOUNTS:
                given = asked(mode, fault)
                with self.subTest(fault, mode=mode):
                    self.assertEqual(dict(given.headers)["Content-Length"], str(len(given.body)))
