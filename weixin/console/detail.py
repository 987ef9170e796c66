"""One delivery explained: what was sent, what was in it, what came back, why, and how to do it again elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from .. import said, transcript
from ..config import Settings
from ..simulator import Push
from ..simulator.samples import USER
from ..wire.errors import EnvelopeRefused, MessageRefused
from ..wire.messages import parse
from . import verdict
from .door import HEADER
from .ledger import Attempt, Record
from .orders import MORE_FAULTS
from .rulebook import Rulebook

# Of a body on the page; nobody reads more, and a browser is slow with lines of a megabyte.
BODY_SHOWN = 64_000


# Of a here-document: a line that no push has.
_END = "END-OF-XML"


def explain(record: Record, modes: Mapping[str, Settings], mode: str, rulebook: Rulebook) -> dict[str, Any]:
    """Everything the inspector shows of *record*, beside its row. *mode* is the configured one of *modes*."""
    settings = modes.get(record.mode)
    sent = [each for each in record.attempts if each.request is not None]
    attempts = [_attempt(each, settings, record.at + each.started) for each in sent]
    found: dict[str, Any] = {
        **record.row(),
        "xml": _shown(record.xml),
        "reply_xml": _shown(record.reply),
        "requests": attempts,
        "state": record.state,
        "candidates": rulebook.explain(Push(record.xml), record.at) if record.xml else [],
        "copies": copies(record, modes, mode),
    }
    failed = next((check for each in attempts for check in each["checks"] if not check["ok"]), None)
    if failed and record.outcome in ("refused", "fault"):
        found["code"], found["code_values"] = failed["code"], failed["values"]
    return found


def _attempt(attempt: Attempt, settings: Settings | None, now: float) -> dict[str, Any]:
    request, answer = attempt.request, attempt.answer
    assert request is not None
    shown: dict[str, Any] = {
        "n": attempt.n,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": [pair for pair in request.headers if pair[0] != HEADER],
        "body": _shown(request.body),
        "checks": [],
    }
    if settings is not None:
        shown["signature"] = verdict.signature(settings, request)
        shown["checks"] = [check.json() for check in verdict.checks(settings, request, now)]
        if settings.mode != "plain":
            shown["opened"] = _opened(settings, request.body)
    if answer is not None:
        shown["status"], shown["failure"] = answer.status, answer.failure
        shown["answer_headers"] = list(answer.headers)
        shown["answer"] = _shown(answer.body)
        shown["ms"] = round(answer.seconds * 1000, 1)
    return shown


def _opened(settings: Settings, body: bytes) -> dict[str, Any]:
    """The envelope taken apart, step by step as far as it goes."""
    try:
        encrypted = parse(body).get("Encrypt")
        if not isinstance(encrypted, str):
            return {"step": "missing"}
        opened = verdict.envelope(settings).open(encrypted).message
    except MessageRefused:
        return {"step": "xml"}
    except EnvelopeRefused as refused:
        return {"step": refused.step}
    return {"step": "", "length": len(opened), "sealed": len(encrypted), "appid": settings.appid}


def copies(record: Record, modes: Mapping[str, Settings], mode: str) -> dict[str, str]:
    """The same push for a shell, for ``send`` and for a ``.chat`` file."""
    what = _said(record)
    usual = {"user": USER, "mode": mode}
    options: list[str] = []
    for name in ("user", "mode", "scene", "fault", "slow"):
        value = record.order.get(name)
        if value and value != usual.get(name) and value not in MORE_FAULTS:
            options += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    kind, words = (what.kind.replace("_", "-"), what.words) if what.kind != said.RAW else ("raw", ("-",))
    send = shlex.join(["python3", "wxserve.py", "send", kind, *words, *options])
    if kind == "raw":
        send += f" <<'{_END}'\n{record.xml.decode(errors='replace')}\n{_END}"
    chat = transcript.write([_turn(record, what)])
    return {"send": send, "chat": chat, "curl": _curl(record, modes.get(record.mode))}


def _said(record: Record) -> said.Said:
    message = Push(record.xml).message
    if message is None or record.order.get("kind") == said.RAW:
        return said.Said(said.RAW, (" ".join(record.xml.decode(errors="replace").split("\n")),))
    return said.of(message)


def _turn(record: Record, what: said.Said) -> transcript.Turn:
    """The turn of a conversation in which this comes true again."""
    user, slow, fault = str(record.order.get("user", "")), record.order.get("slow", 0.0), record.order.get("fault", "")
    answered = [each for each in record.attempts if each.seen is not None and each.state in ("reply", "nothing")]
    seen = answered[0].seen if answered else None
    return transcript.Turn(
        what,
        user=user if user != USER else "",
        slow=slow,
        fault=fault if fault not in MORE_FAULTS else "",
        expected=transcript.expect(seen) if seen is not None else (),
        attempt=answered[0].n if slow and answered and answered[0].n > 1 else None,
    )


def _curl(record: Record, settings: Settings | None) -> str:
    """The first request, as it was; only where it is not too old it is answered."""
    request = next((each.request for each in record.attempts if each.request is not None), None)
    if request is None or settings is None:
        return ""
    host, options = settings.listen, []
    if host.startswith("unix:"):
        host, options = "localhost", ["--unix-socket", host[len("unix:") :]]
    body = request.body[:BODY_SHOWN].decode(errors="replace")
    target = f"http://{host}{request.path}?{request.query}"
    return shlex.join(["curl", "-i", *options, "-H", "Content-Type: text/xml", target, "--data-binary", body])


def _shown(data: bytes) -> str:
    text = data[:BODY_SHOWN].decode("utf-8", "replace")
    return text + f"\n… ({len(data)} bytes)" if len(data) > BODY_SHOWN else text
