"""Where a message's time goes: the whole application in this process, and again with one part at a time left out.

A part that is left out returns at once what it returned for another message. What a message takes less then is the
part's own. Each is a fresh signed text push with everything on (store, deliveries, log); no server, no socket. The
figure of a round is that of its second-fastest stretch of messages (a stretch writes the lines and rows of all once),
which is steadier on a shared machine than the median; the best of the rounds is shown.

    python3 -m bench.where [--rounds 9] [--markdown]          from the project's root
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import itertools
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import table
from weixin import app, config, log
from weixin.aftermath import MUCH
from weixin.delivery import mailbox
from weixin.routing import run as routing
from weixin.store.base import Claim
from weixin.wire.signature import sign

TOKEN, NONCE = "benchtoken42", "1320562132"
STRETCH, STRETCHES = MUCH, 16
HANDLER = 'from wxserve import on\n\n\n@on.text\ndef echo(msg):\n    return "echo: " + msg.text\n'
_numbers = itertools.count(int(time.time()) % 10**8 * 10**7)


def application(folder: Path, stream: Any) -> app.Application:
    """The program as `run` builds it, with one handler."""
    (folder / "handlers").mkdir()
    (folder / "handlers" / "echo.py").write_text(HANDLER, encoding="utf-8")
    ini = folder / "wxserve.ini"
    ini.write_text(f"[wechat]\ntoken = {TOKEN}\n", encoding="utf-8")
    ini.chmod(0o600)
    return app.build(config.load(str(ini), {}, {}), log.start("info", None, stream))


def environs(count: int) -> Iterator[dict[str, Any]]:
    """What a server makes of so many pushes."""
    stamp = str(int(time.time()))
    signature = sign(TOKEN, stamp, NONCE)
    for number in itertools.islice(_numbers, count):
        user = f"oBenchBenchBenchBenchB{number % 1000:06d}"
        body = (
            f"<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\n<FromUserName><![CDATA[{user}]]></FromUserName>\n"
            f"<CreateTime>{stamp}</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
            f"<Content><![CDATA[上海 天气]]></Content>\n<MsgId>{number}</MsgId>\n</xml>"
        ).encode()
        yield {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/weixin", "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "text/xml",
            "QUERY_STRING": f"signature={signature}&timestamp={stamp}&nonce={NONCE}&openid={user}",
            "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True,
        }  # fmt: skip


def micros(served: app.Application) -> float:
    """A message of the second-fastest stretch, in microseconds."""
    times = []
    for _ in range(STRETCHES):
        stretch = list(environs(STRETCH))
        began = time.perf_counter()
        for environ in stretch:
            answer: Any = served(environ, lambda status, headers: None)
            answer.close()
        times.append(time.perf_counter() - began)
    return sorted(times)[1] / STRETCH * 1e6


def parts(served: app.Application) -> Iterator[tuple[str, object, str, Callable[..., Any]]]:
    """What can be left out: its name, where it is, and what stands there instead."""
    environ = next(environs(1))
    message, _ = served._open(environ, app.parse_query(environ["QUERY_STRING"]))
    desk, store = served._desk, served._store
    given = desk.answer(message, 0.0, time.monotonic())
    outcome = routing.answer(served.rules, message, 0.0, served._context)
    fields = message.fields
    fresh = itertools.count()
    yield "signature", served, "_verify", lambda query, name: None
    yield "XML", app, "parse", lambda body: {**fields, "MsgId": str(next(fresh))}
    yield "its claim", store, "claim", Claim
    yield "rules, handler, reply", desk, "ask", lambda *_, **__: outcome
    yield "reply to XML", desk.wording, "rendered", lambda *_: (given.body, mailbox.Handed())
    yield "all of delivery, its row too", desk, "answer", lambda *_: given
    yield "its row, with others", store, "catch_up", lambda: None
    yield "its line in the log, with others", served._aftermath, "settle", served._aftermath._owed.clear


@contextlib.contextmanager
def without(owner: object, name: str, stub: Callable[..., Any]) -> Iterator[None]:
    """Leave a part out."""
    before = getattr(owner, name)
    setattr(owner, name, stub)
    try:
        yield
    finally:
        setattr(owner, name, before)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w", encoding="utf-8") as stream:
        served = application(Path(folder), stream)
        gc.collect()
        gc.freeze()
        micros(served)
        best: dict[str, float] = {}
        for _ in range(options.rounds):
            best["everything"] = min(best.get("everything", 1e9), micros(served))
            for name, owner, attribute, stub in parts(served):
                with without(owner, attribute, stub):
                    best[name] = min(best.get(name, 1e9), micros(served))
        served.close()
        logging.getLogger("wxserve").handlers.clear()
    whole = best.pop("everything")
    rows = [["everything", f"{whole:.0f} µs", ""]]
    rows += [[name, f"{whole - left:.0f} µs", f"{(whole - left) / whole:.0%}"] for name, left in best.items()]
    print(table.rendered(["part", "a message takes", "of it"], rows, options.markdown))


if __name__ == "__main__":
    main()
