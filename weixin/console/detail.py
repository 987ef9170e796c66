"""One delivery explained: what was sent, what was in it, what came back, why, and how to do it again elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ..config import Settings
from ..simulator import Push
from ..wire.errors import EnvelopeRefused, MessageRefused
from ..wire.messages import parse
from . import verdict
from .door import HEADER
from .ledger import Attempt, Record
from .rulebook import Rulebook

# Of a body on the page; nobody reads more, and a browser is slow with lines of a megabyte.
BODY_SHOWN = 64_000


def explain(record: Record, modes: Mapping[str, Settings], rulebook: Rulebook) -> dict[str, Any]:
    """Everything the inspector shows of *record*, beside its row."""
    settings = modes.get(record.mode)
    sent = [each for each in record.attempts if each.request is not None]
    attempts = [_attempt(each, settings, record.at + each.started) for each in sent]
    found: dict[str, Any] = {
        **record.row(),
        "xml": _shown(record.xml),
        "reply_xml": _shown(record.reply),
        "requests": attempts,
        "candidates": rulebook.explain(Push(record.xml), record.at) if record.xml else [],
        "copies": copies(record, modes),
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


def copies(record: Record, modes: Mapping[str, Settings]) -> dict[str, str]:
    """The same push for a shell, for ``send`` and for a ``.chat`` file."""
    order = record.order
    words = [str(word) for word in order.get("words", ())]
    kind = str(order.get("kind") or record.kind).replace("_", "-")
    options = []
    if order.get("user"):
        options += ["--user", str(order["user"])]
    if order.get("scene"):
        options += ["--scene", str(order["scene"])]
    if order.get("fault") and order["fault"] != "replayed-request":
        options += ["--fault", str(order["fault"])]
    send = shlex.join(["python3", "wxserve.py", "send", kind, *words, *options])
    found = {"send": send, "chat": _chat(record, kind, words), "curl": ""}
    attempt = next((each for each in record.attempts if each.request is not None), None)
    settings = modes.get(record.mode)
    if attempt is not None and attempt.request is not None and settings is not None:
        request = attempt.request
        target = f"http://{settings.listen}{request.path}?{request.query}"
        if settings.listen.startswith("unix:"):
            target = f"--unix-socket {shlex.quote(settings.listen[5:])} 'http://localhost{request.path}?{request.query}'"
        else:
            target = shlex.quote(target)
        body = shlex.quote(request.body[:BODY_SHOWN].decode(errors="replace"))
        found["curl"] = f"curl -i -H 'Content-Type: text/xml' {target} --data-binary {body}"
    return found


def _chat(record: Record, kind: str, words: list[str]) -> str:
    """Two or three lines of a .chat file that ask the same and expect what came."""
    said = words[0] if kind == "text" and words else str(record.said.get("text", ""))
    lines = []
    if kind == "text" and "\n" not in said and not said.startswith(("/", "@", "<", ">", "#")):
        lines.append(f"> {said or '你好'}")
    else:
        lines.append("> " + shlex.join([f"/{kind}", *words]))
    slow = record.order.get("slow")
    if slow:
        lines.append(f"  @slow {slow:g}")
    bubble = record.bubble
    if bubble.get("kind") == "text":
        text = str(bubble["text"])
        first = text.split("\n")[0]
        lines.append("< " + _expected(first, text))
    elif bubble.get("articles"):
        lines.append(f"< news: {_quoted(str(bubble['articles'][0]['title']))}*")
    elif bubble:
        lines.append(f"< {bubble['kind']}: *")
    else:
        lines.append("<")
    answered = [each.n for each in record.attempts if each.state == "reply"]
    if slow and answered and answered[0] > 1:
        lines.append(f"  @attempt {answered[0]}")
    return "\n".join(lines) + "\n"


def _expected(first: str, text: str) -> str:
    return _quoted(first) + ("*" if first != text else "")


def _quoted(text: str) -> str:
    """A text whose wildcards mean themselves."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)


def _shown(data: bytes) -> str:
    text = data[:BODY_SHOWN].decode("utf-8", "replace")
    return text + f"\n… ({len(data)} bytes)" if len(data) > BODY_SHOWN else text
