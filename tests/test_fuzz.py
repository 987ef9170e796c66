"""A hundred thousand pushes with something wrong: none raises, none gets a 5xx, and none is answered unsigned."""

from __future__ import annotations

import hashlib
import io
import random
import re
import unittest
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple
from urllib.parse import unquote_plus
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from tests.wire.vectors import SAMPLE
from weixin import app, config, log
from weixin.simulator import FAULTS, Account, Platform, Push, kinds
from weixin.simulator.samples import USER
from weixin.wire import aes
from weixin.wire.envelope import Envelope
from weixin.wire.signature import sign

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "GreedIsGood"
NOW = 1_714_036_504
SEED = 20240425
PUSHES = 100_000
# The validator doubles the price of a call; so many calls go through it, and the others do without.
VALIDATED = 20
STATUSES = {200, 400, 403, 404, 405, 411, 413}
MODES = ("plain", "plain", "compat", "safe")

# What breaks readers of XML, of queries, of numbers and of text.
SCRAPS = (
    b"<", b">", b"]]>", b"<![CDATA[", b"<!DOCTYPE x>", b"<!ENTITY a 'b'>", b"&a;", b"&#0;", b"&#xD800;", b"<!--",
    b"-->", b"<?xml version='1.0' encoding='utf-16'?>", b"</xml>", b"<xml>", b"<a>" * 40, b"<a/>" * 2000,
    b"\x00", b"\x01", b"\xff", b"\xed\xa0\x80", b"\xef\xbf\xbf", b"\xef\xbb\xbf", b"\r\n",
    b"9" * 400, b"-1", b"1e999", "²".encode(), "讲".encode(), b"x" * 3000,
    b"<Event></Event>", b"<MsgType>event</MsgType>", b"<CreateTime>1</CreateTime>", b"<Encrypt>AAAA</Encrypt>",
    b"<Content><b>1</b></Content>", b"{", b"%00", b"&", b"=", b"+",
)  # fmt: skip
VALUE = re.compile(rb"(?:\[CDATA\[|[a-zA-Z]>)([^<>\]]*)(?:\]\]>|</)")
FORBIDDEN = re.compile(b"[\x01-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")


class Given(NamedTuple):
    """A request as the application gets it."""

    method: str
    path: str
    query: str
    body: bytes
    length: str
    #: Who wrote what is signed: an answer goes to nobody else. Plain mode signs nothing that anybody wrote.
    user: str = ""


Change = Callable[[random.Random, bytes], bytes]


def flip(source: random.Random, data: bytes) -> bytes:
    at = source.randrange(len(data))
    return data[:at] + bytes([source.randrange(256)]) + data[at + 1 :]


def insert(source: random.Random, data: bytes) -> bytes:
    at = source.randrange(len(data))
    return data[:at] + source.choice(SCRAPS) + data[at:]


def remove(source: random.Random, data: bytes) -> bytes:
    at = source.randrange(len(data))
    return data[:at] + data[at + source.randrange(1, 40) :]


def repeat(source: random.Random, data: bytes) -> bytes:
    at = source.randrange(len(data))
    piece = data[at : at + source.randrange(1, 60)]
    return data[:at] + piece * source.randrange(2, 5) + data[at:]


def cut(source: random.Random, data: bytes) -> bytes:
    return data[: source.randrange(len(data))]


def element(source: random.Random, data: bytes) -> bytes:
    """Put something else between two tags."""
    pieces = data.split(b"><")
    at = source.randrange(len(pieces))
    pieces[at] = source.choice(SCRAPS)
    return b"><".join(pieces)


def value(source: random.Random, data: bytes) -> bytes:
    """Say something else in an element, or something more."""
    spans = [match.span(1) for match in VALUE.finditer(data)]
    if not spans:
        return data
    start, end = source.choice(spans)
    at = source.choice((start, end))
    return data[:start] + data[start:at] + source.choice(SCRAPS) + data[end:]


CHANGES: tuple[Change, ...] = (flip, insert, remove, repeat, cut, element, value)


def spoil(source: random.Random, data: bytes) -> bytes:
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        if data:
            data = source.choice(CHANGES)(source, data)
    return data


def spoil_query(source: random.Random, query: str) -> str:
    pairs = query.split("&")
    at = source.randrange(len(pairs))
    what = source.randrange(6)
    if what == 0:
        del pairs[at]
    elif what == 1:
        pairs.insert(source.randrange(len(pairs)), pairs[at])
    elif what == 2:
        source.shuffle(pairs)
    elif what == 3:
        pairs[at] = pairs[at].partition("=")[0] + "=" + source.choice(("", "%", "%ff", "0", "é", "\x00", "1" * 999))
    elif what == 4:
        name, _, value = pairs[at].partition("=")
        pairs[at] = f"{name}={source.choice((value.upper(), value[:-1], value + '0', '+' + value, value + '%0A', ''))}"
    else:
        return spoil(source, query.encode()).decode("latin-1")
    return "&".join(pairs)


def signed(given: Given, sealed: bool) -> bool:
    """Whether the request carries a signature that only somebody with the token can have made: told without the
    program's own code."""
    values: dict[str, str] = {}
    for pair in given.query.split("&"):
        name, _, value = pair.partition("=")
        values.setdefault(unquote_plus(name), unquote_plus(value))
    strings = [TOKEN, values.get("timestamp", ""), values.get("nonce", "")]
    if sealed and given.method == "POST":
        # Characters that XML forbids may stand anywhere, as they do in real pushes; they are no part of anything.
        body = FORBIDDEN.sub(b"", given.body)
        try:
            strings.append(ET.fromstring(body).findtext("Encrypt") or "")
        except (ET.ParseError, ValueError):
            return False
    made = hashlib.sha1("".join(sorted(strings)).encode("utf-8", "replace")).hexdigest()
    return values.get("msg_signature" if sealed and given.method == "POST" else "signature") == made


class Discard(io.StringIO):
    """A log that is read by nobody; what is written is put together all the same."""

    def write(self, text: str) -> int:
        return len(text)


class Fuzz(unittest.TestCase):
    def setUp(self) -> None:
        self.source = random.Random(SEED)
        self.envelope = Envelope(TOKEN, SAMPLE.appid, [SAMPLE.key], aes.find())
        self.applications = {mode: self.application(mode) for mode in dict.fromkeys(MODES)}
        self.platforms = {
            mode: Platform(Account(TOKEN, SAMPLE.appid, SAMPLE.key, mode), clock=lambda: NOW, source=self.source)
            for mode in self.applications
        }

    def application(self, mode: str) -> app.Application:
        environ = {f"WXSERVE_{name}": value for name, value in (
            ("TOKEN", TOKEN), ("MODE", mode), ("APPID", SAMPLE.appid), ("AES_KEY", SAMPLE.aes_key),
            ("HANDLERS", str(ROOT / "handlers")), ("CONFIG", "/dev/null"),
        )}  # fmt: skip
        settings = config.load(None, {}, environ)
        rules, problems = app.load_rules(settings)
        self.assertEqual(problems, [])
        application = app.Application(settings, rules, log.Journal(Discard()), clock=lambda: float(NOW))
        self.addCleanup(application.close)
        return application

    def test_nothing_raises_and_nobody_unsigned_is_answered(self) -> None:
        answered: dict[int, int] = {}
        for number, (mode, given) in enumerate(self.pushes(PUSHES)):
            try:
                status, body = self.call(mode, given, number % VALIDATED == 0)
            except Exception as error:
                raise AssertionError(f"push {number} of seed {SEED}, mode {mode}: {given}") from error
            answered[status] = answered.get(status, 0) + 1
            if status not in STATUSES:
                self.fail(f"push {number} got {status}: {mode} {given}")
            if status == 200 and given.query:
                if not signed(given, mode != "plain"):
                    self.fail(f"push {number} was answered unsigned: {mode} {given}")
                if given.method == "POST" and body != b"success":
                    self.check_reply(mode, given, body)
            elif status != 200 and body:
                self.fail(f"push {number}: a refusal says {body!r}")
        # The changes must reach every door: if all were refused at the first, this test would prove nothing.
        self.assertGreater(min(answered.get(status, 0) for status in STATUSES), PUSHES // 2000, answered)
        self.assertGreater(answered[200], PUSHES // 20, answered)

    def check_reply(self, mode: str, given: Given, body: bytes) -> None:
        """It is sealed as its push was, and goes to who wrote that."""
        reply = ET.fromstring(body)
        encrypted = reply.findtext("Encrypt")
        self.assertEqual(encrypted is None, mode == "plain", given)
        if encrypted is not None:
            reply = ET.fromstring(self.envelope.open(encrypted).message)
        if given.user:
            self.assertEqual(reply.findtext("ToUserName"), given.user, given)

    def pushes(self, count: int) -> Iterator[tuple[str, Given]]:
        source = self.source
        names = kinds()
        for number in range(count):
            if number % 50 == 0:  # making a push costs more than changing it
                mode = source.choice(MODES)
                platform = self.platforms[mode]
                push = platform.push(source.choice(names))
                # The platform may be in another mode than we are, or somebody may claim that it is.
                platform = self.platforms[mode if source.randrange(10) else source.choice(MODES)]
                inside = mode != "plain" and source.randrange(4) == 0
                if inside:
                    push = Push(spoil(source, push.xml))
                faults = [name for name in FAULTS if mode != "plain" or not FAULTS[name].sealed]
                request = platform.request(push, source.choice(["", "", "", *faults]))
                user = USER if mode != "plain" and not inside else ""
                right = Given("POST", "/weixin", request.query, request.body, str(len(request.body)), user)
            yield mode, self.changed(right)

    def changed(self, given: Given) -> Given:
        source = self.source
        what = source.randrange(20)
        if what < 3:
            return given._replace(query=spoil_query(source, given.query))
        if what == 3:
            method = source.choice(("GET", "HEAD", "PUT", "", "POST ", "\x00"))
            return given._replace(method=method, query=source.choice((given.query, given.query + "&echostr=1", "")))
        if what == 4:
            return given._replace(path=source.choice(("/weixin/", "/", "", "/weixin//", "/é", "/weixin/..")))
        if what == 5:
            return given._replace(length=source.choice(("", "-1", "1e3", "9" * 30, "99999999", "3", " 5", "٣", "+5")))
        body = given.body.replace(USER.encode(), b"oFORGED") if what == 6 else spoil(source, given.body)
        given = given._replace(body=body, length=str(len(body)))
        return self.resigned(given) if what < 9 else given

    def resigned(self, given: Given) -> Given:
        """Sign the changed envelope anew, to get behind the first door of safe mode."""
        try:
            encrypted = ET.fromstring(given.body).findtext("Encrypt")
        except (ET.ParseError, ValueError):
            return given
        nonce = "415670741"
        query = f"timestamp={NOW}&nonce={nonce}&signature={sign(TOKEN, str(NOW), nonce)}"
        return given._replace(query=f"{query}&msg_signature={sign(TOKEN, str(NOW), nonce, encrypted or '')}")

    def call(self, mode: str, given: Given, validated: bool) -> tuple[int, bytes]:
        environ: dict[str, Any] = {}
        application: Any = self.applications[mode]
        # The validator has a mind of its own about methods and lengths.
        if validated and given.method in ("GET", "HEAD", "POST", "PUT") and given.length.isascii() and given.path:
            setup_testing_defaults(environ)
            application = validator(application) if given.length.isdigit() else application
        environ.update(
            REQUEST_METHOD=given.method, SCRIPT_NAME="", PATH_INFO=given.path, QUERY_STRING=given.query,
            CONTENT_LENGTH=given.length, CONTENT_TYPE="text/xml", REMOTE_ADDR="192.0.2.1",
        )  # fmt: skip
        environ["wsgi.input"] = io.BytesIO(given.body)
        status: list[str] = []

        def start_response(line: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], Any]:
            status.append(line)
            return lambda data: None

        chunks = application(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return int(status[0][:3]), body
