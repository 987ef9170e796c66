"""Runs inside the booted machine and plays WeChat: signed requests one at a time, or a load until it is told to stop.

Signs by the page's words and with nothing of wxserve's. Prints JSON.
"""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import os
import socket
import ssl
import sys
import threading
import time
import urllib.parse
from typing import Any

HOST = "wx.example.com"
TOKEN = "/etc/wxserve/secrets/token"
AUTHORITY = "/root/authority.pem"
PATIENCE = 5.0
# Asked this often a second by each of so many: ten times what a busy account gets.
LOAD_THREADS, LOAD_PAUSE = 8, 0.02
_numbers = itertools.count(int(time.time() * 1000) << 20)


def query(**more: str) -> str:
    with open(TOKEN) as stream:
        token = stream.read().strip()
    stamp, nonce = str(int(time.time())), str(next(_numbers))
    signature = hashlib.sha1("".join(sorted((token, stamp, nonce))).encode()).hexdigest()
    return urllib.parse.urlencode({"signature": signature, "timestamp": stamp, "nonce": nonce, **more})


def text(content: str, user: str = "oyORnuP8q7ou2gfYjqLzSIWZf0rs") -> bytes:
    return (
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{user}</FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType>text</MsgType><Content><![CDATA[{content}]]></Content><MsgId>{next(_numbers)}</MsgId></xml>"
    ).encode()


def ask(
    method: str, target: str, body: bytes = b"", *, tls: bool = False, patience: float = PATIENCE
) -> tuple[Any, str]:
    """One request through Nginx; the status, or what went wrong, and the body."""
    connection: http.client.HTTPConnection
    if tls:
        context = ssl.create_default_context(cafile=AUTHORITY)
        connection = http.client.HTTPSConnection(HOST, timeout=patience, context=context)
    else:
        connection = http.client.HTTPConnection(HOST, timeout=patience)
    try:
        connection.request(method, target, body or None, {"User-Agent": "Mozilla/4.0", "Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__, str(error)
    finally:
        connection.close()


def get(echo: str, tls: str = "") -> tuple[Any, str]:
    return ask("GET", "/weixin?" + query(echostr=echo), tls=bool(tls))


def post(content: str, tls: str = "", patience: str = "5") -> tuple[Any, str]:
    return ask("POST", "/weixin?" + query(), text(content), tls=bool(tls), patience=float(patience))


def deliver(content: str) -> list[tuple[Any, str]]:
    """One message as WeChat delivers it: it hangs up after 5 s and sends it again, three times in all."""
    body, outcomes = text(content), []
    while len(outcomes) < 3 and not any(status == 200 for status, _ in outcomes):
        outcomes.append(ask("POST", "/weixin?" + query(), body, patience=PATIENCE))
    return outcomes


def load(stop: str) -> dict[str, Any]:
    """Ask until the file *stop* appears, half of them by TLS; how many were answered, and every other outcome."""
    good, bad, worst, lock = 0, [], 0.0, threading.Lock()

    def client(tls: bool) -> None:
        nonlocal good, worst
        while not os.path.exists(stop):
            began = time.monotonic()
            outcome = ask("POST", "/weixin?" + query(), text("你好"), tls=tls)
            took = time.monotonic() - began
            with lock:
                worst = max(worst, took)
                if outcome[0] == 200 and "<xml>" in outcome[1]:
                    good += 1
                else:
                    bad.append([*outcome, round(took, 2)])
            time.sleep(LOAD_PAUSE)

    threads = [threading.Thread(target=client, args=(number % 2 == 0,)) for number in range(LOAD_THREADS)]
    for thread in threads:
        thread.start()
    print("loading", flush=True)
    for thread in threads:
        thread.join()
    return {"good": good, "bad": bad, "worst": round(worst, 3)}


def fill(path: str, stop: str) -> int:
    """Fill the queue of a socket that nobody serves, and hold it until the file *stop* appears."""
    held = []
    while len(held) < 5000:
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        try:
            client.connect(path)
        except BlockingIOError:
            client.close()
            break
        held.append(client)
    print("full", flush=True)
    while not os.path.exists(stop):
        time.sleep(0.05)
    for client in held:
        client.close()
    return len(held)


if __name__ == "__main__":
    command = {"get": get, "post": post, "deliver": deliver, "load": load, "fill": fill}[sys.argv[1]]
    print(json.dumps(command(*sys.argv[2:])))
