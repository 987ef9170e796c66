"""For every code that the doctor lists there is a state, and then he finds exactly that code, in both languages.

Here are the states that need no address; what an address does wrong is in test_answers.py and test_reach.py.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, Callable
from unittest import mock

from tests import client
from weixin import commands, doctor, texts
from weixin.store import open_store
from weixin.store.base import Answer, Push, Refusal, told
from weixin.wire import aes

from . import sites, test_answers, test_offline, test_reach

TOKEN = sites.TOKEN
INI = f"[wechat]\ntoken = {TOKEN}\n"
SAFE_INI = INI + "".join(f"{name} = {value}\n" for name, value in sites.SAFE.items())


class Place:
    """A healthy project in a folder of its own, until something is done to it."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.words: tuple[str, ...] = ()
        self.environ: dict[str, str] = {"UNIT_STATE": ""}
        self.patches: list[Any] = []
        (self.folder / "handlers").mkdir(0o755)
        self.write("wxserve.ini", INI)
        self.write("replies.ini", "[hi]\ntext = hello\n")
        self.write("handlers/a.py", "from wxserve import on\n\n\n@on.text('a')\ndef a():\n    return 'b'\n")

    def write(self, name: str, text: str | bytes) -> None:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o600)

    def deliver(self, count: int = 1, lag: float = 0.0, duplicates: int = 0, **more: Any) -> None:
        """Messages of the last minutes, each answered."""
        now = time.time()
        given = {"rule": "handlers/llm.py:31", "result": "replied", "reply": "text", "ms": 20.0, **more}
        with contextlib.closing(open_store(f"sqlite:{self.folder}/wxserve.db")) as store:
            for number in range(count):
                at = now - 100 - number
                key = int(at - lag).to_bytes(4, "big") + number.to_bytes(12, "big")
                push = Push(key, "gh_1", "oUSER", at, b"", f"d{number}", "text", "hi")
                store.finish(store.claim(push), Answer(b"body", True, **given))
                store.flush()
                for _ in range(duplicates):
                    store.attempt(key, f"{at:.3f} 0.001 duplicate")

    def refuse(self, code: str, reason: str = "", **facts: object) -> None:
        with contextlib.closing(open_store(f"sqlite:{self.folder}/wxserve.db")) as store:
            store.refused(Refusal(time.time() - 10, code, "192.0.2.7", told(reason, facts)))

    def silences(self, count: int) -> None:
        with contextlib.closing(open_store(f"sqlite:{self.folder}/wxserve.db")) as store:
            for _ in range(count):
                store.silent(time.time())

    def doctor(self, lang: str) -> tuple[int, list[dict[str, Any]], str]:
        """Run the command in whole; its exit status, its findings as data, and all that it said."""
        said = io.StringIO()
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, {**kept, **self.environ}, clear=True))
            stack.enter_context(contextlib.redirect_stdout(said))
            stack.enter_context(contextlib.redirect_stderr(said))
            for patch in self.patches:
                stack.enter_context(patch)
            config = ("-c", str(self.folder / "wxserve.ini"), "--lang", lang)
            status = commands.main([*config, "doctor", "--json", *self.words])
            rows = [row for row in json.loads(said.getvalue()) if row["result"] == "problem"]
            commands.main([*config, "doctor", *self.words])
        return status, rows, said.getvalue()


State = Callable[[Place], object]


def ini(text: str, before: str = INI) -> State:
    return lambda place: place.write("wxserve.ini", before + text)


def replies(text: str) -> State:
    return lambda place: place.write("replies.ini", text)


def handler(text: str) -> State:
    return lambda place: place.write("handlers/b.py", "from wxserve import on\n\n\n" + text)


def mode(name: str, bits: int) -> State:
    return lambda place: (place.folder / name).chmod(bits)


def request(text: str, **settings: str) -> State:
    def state(place: Place) -> None:
        place.write("wxserve.ini", SAFE_INI if settings else INI)
        place.words = ("--request", text)

    return state


def delivered(**more: Any) -> State:
    return lambda place: place.deliver(**more)


def refused(code: str, reason: str = "", **facts: object) -> State:
    return lambda place: place.refuse(code, reason, **facts)


def environ(**more: str) -> State:
    return lambda place: place.environ.update(more)


def patched(*arguments: Any) -> State:
    return lambda place: place.patches.append(mock.patch.object(*arguments))


def long_text(place: Place) -> None:
    place.write("wxserve.ini", INI + "[replies]\nsplit = off\n")
    place.write("replies.ini", f"[hi]\ntext = {'长' * 700}\n")


def regex_without_a_child(place: Place) -> None:
    place.write("replies.ini", "[re: ^a+$]\ntext = x\n")
    place.patches.append(mock.patch("sys.executable", "/nonexistent/python3"))


def readable_store(place: Place) -> None:
    place.deliver()
    for path in place.folder.glob("wxserve.db*"):
        path.chmod(0o600)
    (place.folder / "wxserve.db").chmod(0o644)


class Faulty:
    """A cipher that does nothing."""

    name = "faulty"

    def encrypt(self, key: bytes, vector: bytes, data: bytes) -> bytes:
        return bytes(len(data))

    decrypt = encrypt


UNIT = "service.LoadState=loaded;service.ActiveState=failed;service.Result=exit-code;socket.ActiveState=active"

STATES: list[tuple[str, str, State]] = [
    ("WX-CFG-01", "no configuration", lambda place: (place.folder / "wxserve.ini").unlink()),
    ("WX-CFG-02", "saved as GBK", lambda place: place.write("wxserve.ini", "# 令牌\n".encode("gbk"))),
    ("WX-CFG-03", "a misspelt option", ini("ap_id = wx0123456789abcdef\n")),
    ("WX-CFG-04", "a blank in the token", ini("[wechat]\ntoken = a b\n", "")),
    ("WX-CFG-05", "a letter of the key is lost", ini(SAFE_INI[:-2] + "\n", "")),
    ("WX-CFG-06", "no AppID in safe mode", ini(f"mode = safe\naes_key = {sites.SAFE['aes_key']}\n")),
    ("WX-CFG-07", "others may read the secrets", mode("wxserve.ini", 0o644)),
    ("WX-CFG-08", "a value that cannot be", ini("[server]\ndeadline = soon\n")),
    ("WX-CFG-09", "a line that is none", ini("what is this\n")),
    ("WX-CFG-11", "others may write handlers", mode("handlers/a.py", 0o666)),
    ("WX-CFG-12", "others may read the store", readable_store),
    ("WX-CFG-13", "workers that share nothing", ini("[server]\nworkers = 2\n[store]\nurl = memory:\n")),
    ("WX-HND-01", "a module is missing", handler("import openai_is_not_here\n")),
    ("WX-HND-02", "an unknown argument", handler("@on.text('x')\ndef x(mesg):\n    return ''\n")),
    ("WX-HND-03", "a misspelt decorator", handler("@on.txt('x')\ndef x():\n    return ''\n")),
    ("WX-HND-06", "a pattern that explodes", replies("[re: ^(a+)+$]\ntext = x\n")),
    ("WX-HND-07", "no process may start", regex_without_a_child),
    ("WX-RPL-01", "a text is too long", long_text),
    ("WX-RPL-01", "a text was cut", delivered(code="WX-RPL-01")),
    ("WX-RPL-02", "several articles were answered with", delivered(code="WX-RPL-02")),
    ("WX-RPL-03", "a section without a reply", replies("[微笑]\n")),
    ("WX-RPL-04", "a path is no media id", replies("[hi]\nimage = cat.jpg\n")),
    ("WX-RPL-04", "a path was sent for a media id", delivered(code="WX-RPL-04")),
    ("WX-RPL-05", "a control character", replies("[hi]\ntext = a\x07b\n")),
    ("WX-RPL-05", "control characters were taken out", delivered(code="WX-RPL-05")),
    ("WX-RPL-06", "an article without an address", delivered(code="WX-RPL-06")),
    ("WX-RPL-07", "an event was handed over", delivered(code="WX-RPL-07")),
    ("WX-HND-05", "a handler raised", delivered(code="WX-HND-05", result="error")),
    ("WX-AES-01", "a cipher that does nothing", patched(aes, "find", Faulty)),
    ("WX-SIG-01", "a request without a signature", request("GET /weixin?echostr=1 HTTP/1.0")),
    ("WX-SIG-02", "a request of another token", request(test_offline.line(TOKEN + " "))),
    ("WX-AES-02", "a sealed request in plain mode", request(test_offline.sealed())),
    ("WX-AES-03", "a request of another key", request(test_offline.sealed(key="B" * 43), **sites.SAFE)),
    ("WX-XML-01", "a request with no XML", request(test_offline.plain(b"<xml>"))),
    ("WX-XML-02", "a request with JSON", request(test_offline.plain(b'{"a": 1}'))),
    ("WX-XML-03", "a request with half a message", request(test_offline.plain(b"<xml><a>b</a></xml>"))),
    ("WX-OPS-01", "it does not start", environ(UNIT_STATE=UNIT)),
    ("WX-OPS-02", "there is no folder for the state", environ(STATE_DIRECTORY="/nonexistent/state")),
    ("WX-OPS-02", "the store is damaged", lambda place: place.write("wxserve.db", b"words " * 1000)),
    ("WX-SIG-02", "the platform has another token", refused("WX-SIG-02", "trailing_space")),
    ("WX-SIG-04", "the clock is wrong", refused("WX-SIG-04", "clock", signed="yes", seconds=4000, max_age=300)),
    ("WX-AES-02", "the platform seals", refused("WX-AES-02", mode="plain")),
    ("WX-AES-03", "the platform has another key", refused("WX-AES-03", "the envelope does not open", step="padding")),
    ("WX-XML-02", "the platform sends JSON", refused("WX-XML-02", "the body is JSON")),
    ("WX-XML-01", "a proxy spoilt a push", refused("WX-XML-01", "the body is not well-formed", at="1:9")),
    ("WX-XML-03", "a push without its time", refused("WX-XML-03", "CreateTime is not a number", element="CreateTime")),
    ("WX-XML-04", "a push larger than body_max", refused("WX-XML-04", "the body is too large", bytes=70_000)),
    ("WX-OPS-03", "much was left unanswered", lambda place: place.silences(30)),
    ("WX-TIM-01", "a handler is late", delivered(ms=6300.0)),
    ("WX-TIM-02", "messages arrive late", delivered(count=6, lag=4.0)),
    ("WX-DUP-01", "what was answered comes again", delivered(count=4, duplicates=1)),
]

# What is done to an address and to the way there is tested with a visit alone.
ELSEWHERE: dict[str, Any] = {
    "WX-NET-01": test_reach.Names.test_a_name_without_an_address,
    "WX-NET-02": test_reach.Names.test_a_name_with_ipv6_alone,
    "WX-NET-03": test_reach.Names.test_a_port_that_the_platform_does_not_take,
    "WX-NET-04": test_reach.Names.test_an_address_in_place_of_a_name_is_doubtful_and_no_more,
    "WX-NET-05": test_reach.Connections.test_nobody_listens,
    "WX-NET-06": test_reach.Certificates.test_bad_ones,
    "WX-NET-13": test_answers.Misbehaving.test_one_silent_connection_blocks_a_single_threaded_server,
}


class EveryCode(unittest.TestCase):
    def place(self) -> Place:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Place(folder.name)

    def test_exactly_that_code_is_found_in_both_languages(self) -> None:
        for code, name, state in STATES:
            with self.subTest(f"{code} {name}"):
                place = self.place()
                state(place)
                titles = set()
                for lang in texts.LANGUAGES:
                    status, rows, said = place.doctor(lang)
                    self.assertEqual([row["code"] for row in rows], [code], said)
                    self.assertEqual(status, 1)
                    titles.add(rows[0]["title"])
                    for part in ("title", "cause", "fix"):
                        self.assertNotRegex(rows[0][part], r"\{|^$", "a sentence without its values")
                        self.assertIn(rows[0][part], said)
                    for secret in (TOKEN, sites.SAFE["aes_key"]):
                        self.assertNotIn(secret, said)
                self.assertEqual(len(titles), len(texts.LANGUAGES))

    def test_nothing_is_found_where_nothing_is_wrong(self) -> None:
        place = self.place()
        place.deliver(count=20)
        place.words = ("--request", test_offline.plain(client.text("hi")))
        for text in (INI, SAFE_INI, INI + "[server]\nworkers = 2\n"):
            place.write("wxserve.ini", text)
            if text == SAFE_INI:
                place.words = ("--request", test_offline.sealed())
            for lang in texts.LANGUAGES:
                status, rows, said = place.doctor(lang)
                self.assertEqual((status, rows), (0, []), said)
            place.words = ()

    def test_no_code_is_listed_without_its_state(self) -> None:
        listed = {code for check in doctor.CHECKS for code in check.codes}
        for code, test in ELSEWHERE.items():
            self.assertIn(code, inspect.getsource(test))
        shown = {code for code, *_ in STATES} | {code for _, _, code, _ in test_answers.CASES} | set(ELSEWHERE)
        self.assertEqual(listed, shown)


if __name__ == "__main__":
    unittest.main()
