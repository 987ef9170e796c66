"""The race's messages: one signed text push, fresh each time, and the check that an answer to it is right.

The push is the platform's: its header fields, its layout of XML, its signature and, in safe mode, its
envelope (消息加解密说明). Every request has a MsgId of its own and one of a thousand users. Knows nothing of
servers.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import os
import struct
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TOKEN = "benchtoken42"
APPID = "wx0123456789abcdef"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
KEY = bytes(range(32))
ACCOUNT = "gh_0123456789ab"
NONCE = "1320562132"
TEXT = "上海 天气"
EXPECTED = "echo: " + TEXT
ENVIRONMENT = {"BENCH_TOKEN": TOKEN, "BENCH_APPID": APPID, "BENCH_AES_KEY": AES_KEY}

PLAIN, SAFE = "plain", "safe"

# A process of its own numbers its messages from its own start, so that no run repeats another's MsgId.
_runs = itertools.count(int(time.time()) % 10**8)


class WrongAnswer(Exception):
    """A server answered, but not what the push deserves."""


def signature(*parts: str) -> str:
    """SHA-1 of the sorted strings."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def user(number: int) -> str:
    """An OpenID: 28 characters, like the real ones."""
    return f"oBenchBenchBenchBenchB{number:06d}"


def push(sender: str, msg_id: str, text: str = TEXT) -> str:
    """The text push as the platform lays it out."""
    return (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>\n"
        f"<FromUserName><![CDATA[{sender}]]></FromUserName>\n"
        f"<CreateTime>{int(time.time())}</CreateTime>\n"
        "<MsgType><![CDATA[text]]></MsgType>\n"
        f"<Content><![CDATA[{text}]]></Content>\n"
        f"<MsgId>{msg_id}</MsgId>\n"
        "</xml>"
    )


def _cipher() -> Cipher:
    return Cipher(algorithms.AES(KEY), modes.CBC(KEY[:16]))


def seal(message: str) -> str:
    """The Encrypt element's text: 16 random bytes, length, message, AppID, padded to 32."""
    data = message.encode()
    data = os.urandom(16) + struct.pack(">I", len(data)) + data + APPID.encode()
    pad = 32 - len(data) % 32
    encryptor = _cipher().encryptor()
    return base64.b64encode(encryptor.update(data + bytes([pad]) * pad) + encryptor.finalize()).decode()


def unseal(sealed: str) -> str:
    """The message inside an Encrypt element."""
    decryptor = _cipher().decryptor()
    data = decryptor.update(base64.b64decode(sealed)) + decryptor.finalize()
    data = data[16 : -data[-1]]
    size = struct.unpack(">I", data[:4])[0]
    if data[4 + size :] != APPID.encode():
        raise WrongAnswer("sealed for another AppID")
    return data[4 : 4 + size].decode()


def sealed_push(sender: str, msg_id: str, timestamp: str) -> tuple[str, str]:
    """(extra query, body) of a safe-mode push; its URL has the same timestamp."""
    encrypt = seal(push(sender, msg_id))
    query = f"&encrypt_type=aes&msg_signature={signature(TOKEN, timestamp, NONCE, encrypt)}"
    body = (
        f"<xml>\n    <ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>\n"
        f"    <Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>\n"
    )
    return query, body


def _now() -> str:
    return str(int(time.time()))


def _target(sender: str, timestamp: str) -> str:
    signed = signature(TOKEN, timestamp, NONCE)
    return f"/weixin?signature={signed}&timestamp={timestamp}&nonce={NONCE}&openid={sender}"


def _head(target: str, close: bool) -> str:
    """The platform's header fields, up to the number that Content-Length still lacks."""
    connection = "Connection: close\r\n" if close else ""
    return (
        f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\n"
        f"Pragma: no-cache\r\n{connection}Content-Type: text/xml\r\nContent-Length: "
    )


def _request(target: str, body: str) -> bytes:
    return f"{_head(target, close=True)}{len(body.encode())}\r\n\r\n{body}".encode()


def one(mode: str, text: str = TEXT) -> bytes:
    """A whole request, on a connection of its own, with a MsgId nobody has seen."""
    sender, msg_id, now = user(0), f"{next(_runs):08d}{0:09d}", _now()
    if mode == SAFE:
        query, body = sealed_push(sender, msg_id, now)
        return _request(_target(sender, now) + query, body)
    return _request(_target(sender, now), push(sender, msg_id, text))


class _Wire(io.BytesIO):
    """Received bytes, for http.client to read as if from a socket."""

    def makefile(self, *_: object) -> io.BytesIO:
        return self


def body_of(response: bytes) -> bytes:
    """The body of a 200; raise WrongAnswer for anything else."""
    try:
        parsed = HTTPResponse(_Wire(response))  # type: ignore[arg-type]
        parsed.begin()
        body = parsed.read()
    except (HTTPException, OSError) as error:
        raise WrongAnswer(f"not HTTP ({error!r}): {response[:200]!r}") from None
    if parsed.status != 200:
        raise WrongAnswer(f"status {parsed.status}: {body[:200]!r}")
    return body


def check_bare(response: bytes, mode: str = PLAIN) -> None:
    """Raise WrongAnswer unless a bare callable's answer came through."""
    if EXPECTED.encode() not in body_of(response):
        raise WrongAnswer(f"another body: {response[:300]!r}")


def check(response: bytes, mode: str, expected: str = EXPECTED) -> None:
    """Raise WrongAnswer unless the response is the reply this push deserves, to the right user."""
    body = body_of(response)
    try:
        reply = ElementTree.fromstring(body)
        if mode == SAFE:
            reply = ElementTree.fromstring(unseal(reply.findtext("Encrypt") or ""))
    except (ElementTree.ParseError, ValueError, IndexError, struct.error) as error:
        raise WrongAnswer(f"not a reply ({error}): {body[:200]!r}") from None
    got = (reply.findtext("ToUserName"), reply.findtext("FromUserName"), reply.findtext("Content"))
    if got != (user(0), ACCOUNT, expected):
        raise WrongAnswer(f"not the reply expected: {got}")


@dataclass(frozen=True)
class Script:
    """A wrk script and its argument: what to send, and what every answer must contain."""

    lua: Path
    pool: str = ""


# `wrong` is global because wrk's main state reads it with thread:get at the end.
_COMMON = """
local threads = {{}}
wrong = 0
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body)
  if status ~= 200 or not string.find(body, {marker}, 1, true) then wrong = wrong + 1 end
end
function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("wrong") end
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format("RESULT %d %d %d %d %d", summary.requests, bad, lost,
    latency:percentile(50), latency:percentile(99)))
end
"""

_PLAIN = """
local texts = {texts}
local n = 0
function request()
  n = n + 1
  local sender = string.format("{user}%06d", n % 1000)
  local text = texts[n % #texts + 1]
  local body = {body_1} .. sender .. {body_2} .. text .. {body_3} .. string.format("%09d", n) .. {body_4}
  return {head_1} .. sender .. {head_2} .. #body .. "\\r\\n\\r\\n" .. body
end
"""

_POOLED = """
local requests = {{}}
local n = 0
function init(args)
  for line in io.lines(args[1]) do
    local query, body = string.match(line, "^(%S+)\\t(.*)$")
    body = string.gsub(body, "\\r", "\\n")
    requests[#requests + 1] = {head_1} .. query .. {head_2} .. #body .. "\\r\\n\\r\\n" .. body
  end
end
function request()
  n = n + 1
  return requests[(n - 1) % #requests + 1]
end
"""


def _lua(text: str) -> str:
    """A Lua string literal. JSON's escapes for what is in a request are Lua's too."""
    return json.dumps(text, ensure_ascii=False)


def plain_script(folder: Path, *, close: bool, texts: tuple[str, ...] = (TEXT,), marker: str = EXPECTED) -> Script:
    """wrk asks in plain mode, the texts in turn; every request has its own MsgId."""
    body = push("@USER@", f"{next(_runs):08d}@ID@", "@TEXT@")
    body_1, rest = body.split("@USER@")
    body_2, rest = rest.split("@TEXT@")
    body_3, body_4 = rest.split("@ID@")
    head = _head(_target("@USER@", _now()), close)
    head_1, head_2 = head.split("@USER@")
    pieces = {"body_1": body_1, "body_2": body_2, "body_3": body_3, "body_4": body_4}
    pieces |= {"head_1": head_1, "head_2": head_2}
    lua = (_COMMON + _PLAIN).format(
        marker=_lua(marker),
        user=user(0)[:-6],
        texts="{" + ",".join(map(_lua, texts)) + "}",
        **{name: _lua(piece) for name, piece in pieces.items()},
    )
    return _written(folder, lua)


def sealed_script(folder: Path, count: int, *, close: bool) -> Script:
    """wrk asks in safe mode from a pool of `count` pushes sealed now, each with a MsgId of its own."""
    run, now = next(_runs), _now()
    head = _head(_target(user(0), now) + "@QUERY@", close)
    head_1, head_2 = head.split("@QUERY@")
    pool = folder / f"pool-{run}.txt"
    with pool.open("w", encoding="utf-8") as out:
        for number in range(count):
            query, body = sealed_push(user(number % 1000), f"{run:08d}{number:09d}", now)
            out.write(query + "\t" + body.replace("\n", "\r") + "\n")
    lua = (_COMMON + _POOLED).format(marker=_lua("<Encrypt>"), head_1=_lua(head_1), head_2=_lua(head_2))
    script = _written(folder, lua)
    return Script(script.lua, str(pool))


def _written(folder: Path, lua: str) -> Script:
    path = folder / f"load-{next(_runs)}.lua"
    path.write_text(lua, encoding="utf-8")
    return Script(path)
