"""What is found without asking anybody: a request that was received, the cipher, the configuration's faults."""

from __future__ import annotations

import secrets
import unittest
from typing import Any
from unittest import mock

from tests import client
from weixin import texts
from weixin.problem import Problem
from weixin.wire import aes
from weixin.wire.envelope import Envelope, decode_key
from weixin.wire.signature import sign

from . import sites

STAMP, NONCE = "1714036504", "1514711492"


def line(token: str = sites.TOKEN, **more: str) -> str:
    """A request as an access log has it, signed with *token*."""
    query = {"signature": sign(token, STAMP, NONCE), "timestamp": STAMP, "nonce": NONCE, **more}
    return "GET /weixin?" + "&".join(f"{name}={value}" for name, value in query.items()) + ' HTTP/1.0 "Mozilla/4.0"'


def sealed(token: str = sites.TOKEN, key: str = sites.SAFE["aes_key"], appid: str = sites.SAFE["appid"]) -> str:
    """A request in safe mode with its body, as a tool that records traffic has it."""
    aes_key = decode_key(key)
    envelope = Envelope(token, appid, [aes_key], aes.find())
    text = envelope.encrypt(client.text("hi"), secrets.token_bytes(16), aes_key)
    signature = sign(token, STAMP, NONCE, text)
    query = f"timestamp={STAMP}&nonce={NONCE}&msg_signature={signature}&encrypt_type=aes"
    head = f"POST /weixin?{query} HTTP/1.0\r\nHost: x\r\n\r\n"
    return f"{head}<xml><ToUserName>a</ToUserName><Encrypt><![CDATA[{text}]]></Encrypt></xml>"


def plain(body: bytes) -> str:
    return line().replace("GET", "POST") + "\r\nHost: x\r\n\r\n" + body.decode()


class Requests(unittest.TestCase):
    def found(self, request: str, **more: str) -> list[tuple[str, Any]]:
        looked = sites.visit(url="", settings=sites.settings(**more), request=request)
        found = sites.problems(looked, "request")
        for problem in found:
            for lang in texts.LANGUAGES:
                self.assertNotIn("{", "".join(texts.explain(problem.code, lang, problem.values)))
        return [(problem.code, problem.values.get("reason", "")) for problem in found]

    def test_a_genuine_one(self) -> None:
        self.assertEqual(self.found(line()), [])
        self.assertEqual(self.found(line().split()[1]), [], "the address alone")
        self.assertEqual(self.found(plain(client.text("hi"))), [])
        self.assertEqual(self.found(sealed(), **sites.SAFE), [])

    def test_slips_with_the_token_are_named(self) -> None:
        for slip, kind in ((" ", "trailing_space"), ("\r", "line_break")):
            self.assertEqual(self.found(line(sites.TOKEN + slip)), [("WX-SIG-02", kind)])
        self.assertEqual(self.found(line(sites.TOKEN.lower())), [("WX-SIG-02", "case")])
        self.assertEqual(self.found(line("quite another")), [("WX-SIG-02", "mismatch")])
        self.assertEqual(self.found(sealed(sites.TOKEN + " "), **sites.SAFE), [("WX-SIG-02", "trailing_space")])

    def test_no_signature(self) -> None:
        self.assertEqual(self.found("GET /weixin?echostr=1 HTTP/1.0"), [("WX-SIG-01", "")])

    def test_another_mode_than_configured(self) -> None:
        self.assertEqual([code for code, _ in self.found(sealed())], ["WX-AES-02"])
        self.assertEqual([code for code, _ in self.found(plain(client.text("hi")), **sites.SAFE)], ["WX-AES-02"])

    def test_another_key_or_appid(self) -> None:
        for more in ({"key": "B" * 43}, {"appid": "wx0000000000000000"}):
            self.assertEqual([code for code, _ in self.found(sealed(**more), **sites.SAFE)], ["WX-AES-03"])

    def test_what_is_no_message(self) -> None:
        for body, code in ((b"<xml>", "WX-XML-01"), (b'{"a": 1}', "WX-XML-02"), (b"<xml><a>b</a></xml>", "WX-XML-03")):
            with self.subTest(code):
                self.assertEqual([found for found, _ in self.found(plain(body))], [code])


class Cipher(unittest.TestCase):
    def test_both_ciphers_pass(self) -> None:
        for settings in (sites.settings(), sites.settings(**sites.SAFE)):
            self.assertEqual(sites.problems(sites.visit(url="", settings=settings), "aes"), [])

    def test_a_faulty_one_does_not(self) -> None:
        class Faulty:
            name = "faulty"

            def encrypt(self, key: bytes, vector: bytes, data: bytes) -> bytes:
                return bytes(len(data))

            decrypt = encrypt

        with mock.patch.object(aes, "find", Faulty):
            found = sites.problems(sites.visit(url=""), "aes")
        self.assertEqual([(problem.code, problem.values["step"]) for problem in found], [("WX-AES-01", "known answer")])


class Configuration(unittest.TestCase):
    def test_its_faults_are_handed_on(self) -> None:
        fault = Problem("WX-CFG-04", {"name": "token"}, "wxserve.ini", 4)
        found = sites.problems(sites.visit(url="", settings=None, faults=[fault]), "config")
        self.assertEqual(found, [fault])
