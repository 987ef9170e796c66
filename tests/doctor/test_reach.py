"""The lower steps: a wrong port, a name that leads nowhere, a closed door, every kind of bad certificate."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
import time
import unittest
import warnings
from pathlib import Path
from typing import Any, Callable
from unittest import mock

from tests import openssl
from weixin import texts
from weixin.doctor import visit as visits
from weixin.doctor.visit import parse_address, parse_url

from . import certificates, sites


def codes(found: list[Any]) -> list[tuple[str, str]]:
    return [(problem.code, problem.values.get("reason", "")) for problem in found]


def resolving(*rows: tuple[Any, Any]) -> Callable[..., list[Any]]:
    return lambda host, port, **_: [(family, 1, 6, "", address) for family, address in rows]


def unknown(*_: Any, **__: Any) -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class Names(unittest.TestCase):
    def test_a_name_without_an_address(self) -> None:
        self.assertEqual(codes(sites.problems(sites.visit(resolve=unknown))), [("WX-NET-01", "")])

    def test_a_name_with_ipv6_alone(self) -> None:
        resolve = resolving((socket.AF_INET6, ("2001:db8::1", 80, 0, 0)))
        self.assertEqual(codes(sites.problems(sites.visit(resolve=resolve))), [("WX-NET-02", "")])

    def test_ipv4_is_asked_where_there_is_both(self) -> None:
        with sites.serve(sites.honest()) as port:
            both = ((socket.AF_INET6, ("::1", 1, 0, 0)), (socket.AF_INET, ("127.0.0.1", port)))
            self.assertEqual(sites.problems(sites.visit(resolve=resolving(*both)), "tcp", "http"), [])

    def test_a_port_that_the_platform_does_not_take(self) -> None:
        for url in ("http://wx.example.com:8080/weixin", "https://wx.example.com:80/weixin"):
            with self.subTest(url):
                self.assertEqual(codes(sites.problems(sites.visit(url=url, resolve=unknown))), [("WX-NET-03", "")])

    def test_an_address_in_place_of_a_name_is_doubtful_and_no_more(self) -> None:
        with sites.serve(sites.honest()) as port:
            found = sites.problems(sites.visit(port, url="http://192.0.2.1/weixin"), "url", "http")
        self.assertEqual(codes(found), [("WX-NET-04", "")])


class Connections(unittest.TestCase):
    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            port = reserved.getsockname()[1]
        self.assertEqual(codes(sites.problems(sites.visit(port))), [("WX-NET-05", "tcp-refused")])

    @mock.patch.object(visits, "CONNECT_SECONDS", 0.3)
    def test_nothing_comes_back(self) -> None:
        # A full queue drops what comes, as a firewall does.
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = []
            for _ in range(3):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(full.getsockname())
                waiting.append(client)
            try:
                found = sites.problems(sites.visit(full.getsockname()[1]))
            finally:
                for client in waiting:
                    client.close()
        self.assertEqual(codes(found), [("WX-NET-05", "tcp-timeout")])

    def test_a_connection_that_is_closed_without_a_word(self) -> None:
        # The shipped nginx.conf does it to everybody who asks for another name or path.
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def close_all() -> None:
                while True:
                    try:
                        listener.accept()[0].close()
                    except OSError:
                        return

            thread = threading.Thread(target=close_all, daemon=True)
            thread.start()
            found = sites.problems(sites.visit(listener.getsockname()[1]))
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
        self.assertEqual(codes(found), [("WX-NET-08", "silent-closed")])


class Certificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        openssl.require()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.authority = certificates.Authority(Path(folder.name))

    authority: certificates.Authority

    def found(self, server: ssl.SSLContext) -> list[tuple[str, str]]:
        with sites.serve(sites.honest(), context=server) as port:
            looked = sites.visit(port, url="https://wx.example.com/weixin", context=self.authority.client())
            found = sites.problems(looked, "tls", "http")
        for problem in found:
            for lang in texts.LANGUAGES:
                self.assertNotIn("{", "".join(texts.explain(problem.code, lang, problem.values)))
        return codes(found)

    def test_a_good_one(self) -> None:
        self.assertEqual(self.found(self.authority.server(self.authority.certificate("good"))), [])

    def test_bad_ones(self) -> None:
        make = self.authority.certificate
        soon = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 5 * 86_400))
        cases = [
            ("tls-expired", self.authority.server(make("old", end="20210101000000Z"))),
            ("tls-early", self.authority.server(make("early", start="20390101000000Z"))),
            ("tls-soon", self.authority.server(make("soon", end=soon))),
            ("tls-name", self.authority.server(make("other", host="other.example.com"))),
            ("tls-chain", self.authority.server(make("alone"), chain=False)),
            ("tls-self", self.authority.server(self.authority.self_signed("self"), chain=False)),
        ]
        for reason, server in cases:
            with self.subTest(reason):
                self.assertEqual(self.found(server), [("WX-NET-06", reason)])

    def test_one_that_ends_soon_is_good_until_then(self) -> None:
        soon = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 5 * 86_400))
        server = self.authority.server(self.authority.certificate("until", end=soon))
        with sites.serve(sites.honest(), context=server) as port:
            looked = sites.visit(port, url="https://wx.example.com/weixin", context=self.authority.client())
            found = sites.findings(looked, "tls", "http")
        self.assertEqual([problem.code for problem in found["tls"].problems], ["WX-NET-06"])
        self.assertEqual((found["http"].problems, found["http"].skipped), ([], ""))

    def test_an_old_tls(self) -> None:
        server = self.authority.server(self.authority.certificate("tls"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            server.minimum_version = ssl.TLSVersion.TLSv1
            server.maximum_version = ssl.TLSVersion.TLSv1_1
        server.set_ciphers("DEFAULT@SECLEVEL=0")  # else OpenSSL refuses to be that old
        self.assertEqual(self.found(server), [("WX-NET-06", "tls-old")])

    def test_no_tls_at_all(self) -> None:
        with sites.serve(sites.honest()) as port:
            looked = sites.visit(port, url="https://wx.example.com/weixin", context=self.authority.client())
            self.assertEqual(codes(sites.problems(looked)), [("WX-NET-06", "tls-other")])


class Addresses(unittest.TestCase):
    def test_what_the_platform_takes(self) -> None:
        cases = [
            ("http://Wx.Example.com/weixin", "http://wx.example.com/weixin"),
            ("https://wx.example.com", "https://wx.example.com/"),
            ("https://wx.example.com:443/a/b/", "https://wx.example.com/a/b/"),
            ("http://192.0.2.1:8080/weixin", "http://192.0.2.1:8080/weixin"),
            ("ftp://wx.example.com/", "None"),
            ("wx.example.com/weixin", "None"),
            ("http://wx.example.com:99999/", "None"),
            ("http://wx.example.com/weixin?a=b", "None"),
        ]
        for text, wanted in cases:
            with self.subTest(text):
                self.assertEqual(str(parse_url(text)), wanted)

    def test_where_to_ask_instead(self) -> None:
        cases = [("8080", ("127.0.0.1", 8080)), ("[::1]:80", ("::1", 80)), ("box:80", ("box", 80)), ("box", None)]
        for text, wanted in cases:
            with self.subTest(text):
                self.assertEqual(parse_address(text), wanted)
