"""The console's WSGI application: who may ask, what there is to ask for, and what is answered.

It runs under any WSGI server; it uses ``wxserve.wait_gone`` of ours to notice that a stream's reader is gone.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple

from .. import texts
from ..config import Settings
from ..problem import Problem
from ..simulator import Http
from ..simulator.platform import CUT
from ..simulator.samples import USER
from ..store import Store
from ..web import LengthRefused, parse_query, read_body
from . import detail, health, orders, plain
from .access import Access
from .answers import Answer, answer, as_json, guards, problem, to
from .door import in_modes
from .lab import Busy, Lab
from .ledger import STREAMS_MAX, Ledger, Record
from .remembered import Memory
from .rulebook import Rulebook
from .stream import HEADERS, Stream

# A raw push that is too large on purpose has to fit.
BODY_MAX = 512 << 10
# The form without JavaScript waits for the answer: three deliveries.
FORM_SECONDS = 3 * CUT + 1

STATIC = Path(__file__).resolve().parent / "static"
FILES = {
    "/": ("index.html", "text/html"),
    "/console.css": ("console.css", "text/css"),
    "/console.js": ("console.js", "text/javascript"),
}

_ID = re.compile(r"[A-Za-z0-9]{1,40}")


class Hooks(NamedTuple):
    """What the console asks of the program around it; each may be missing."""

    #: Load handlers and replies again, everywhere.
    reload: Callable[[], None] | None = None
    #: The metrics in Prometheus' format, with some of the console's own.
    metrics: Callable[[Mapping[str, float]], bytes] | None = None
    #: Whether WeChat's messages are being answered.
    ready: Callable[[], bool] | None = None
    #: When those who answer last read their files; 0 if they never did.
    loaded: Callable[[], float] | None = None
    #: What is wrong with the configuration as it stands in its file.
    configuration: Callable[[], Sequence[Problem]] | None = None
    #: What the doctor finds, given the settings and a language: a list of objects.
    doctor: Callable[[Settings, str], list[dict[str, Any]]] | None = None


class _File:
    """One file of the page, as it is and packed: it may come a long way, through ``ssh -L``."""

    def __init__(self, body: bytes, kind: str) -> None:
        self._body, self._kind = body, kind
        self._packed = gzip.compress(body)

    def answer(self, packed: bool, pictures: bool) -> Answer:
        if packed:
            return answer(200, self._packed, self._kind, ("Content-Encoding", "gzip"), pictures=pictures)
        return answer(200, self._body, self._kind, pictures=pictures)


class Console:
    """The page and its API. Threads may share it."""

    def __init__(
        self,
        settings: Settings,
        address: str,
        key: str,
        access: Access,
        store: Store | None = None,
        hooks: Hooks | None = None,
        *,
        cut: float = CUT,
    ) -> None:
        """*address* is the private socket, ``unix:/…``, and *key* opens the Door behind it."""
        self.settings = settings
        self._hooks = hooks or Hooks()
        self.ledger = Ledger()
        self.rulebook = Rulebook(settings, self._hooks.configuration or (lambda: ()))
        self.modes = in_modes(settings, key)
        self.memory = Memory(store, self.ledger, settings.log_openid)
        way = Http(address)
        self.lab = Lab(self.modes, way, key, self.ledger, self.rulebook.rule_of, self.memory.state, cut=cut)
        self._access = access
        self._cut = cut
        self._started = time.time()
        #: How often the files were read here, and when the workers read them.
        self._standing = (0, 0.0)
        self._files = {path: _File((STATIC / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}
        words = json.dumps(texts.catalogue(), ensure_ascii=False, separators=(",", ":"))
        self._files["/texts.json"] = _File(words.encode(), "application/json")

    def close(self) -> None:
        """Let go of the store; the server calls it when the process ends."""
        self.memory.close()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            given = self._answer(environ)
        except LengthRefused as refused:
            given = problem(refused.status, "length")
        except orders.BadOrder as bad:
            given = problem(400, "order", field=bad.field, hint=bad.hint)
        except Busy:
            given = problem(503, "busy")
        start_response(given.line, given.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else given.body

    def _answer(self, environ: dict[str, Any]) -> Answer:
        if not self._access.host_allowed(environ):
            return problem(421, "host")
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD", "POST"):
            return answer(405, b"", "text/plain", ("Allow", "GET, HEAD, POST"))
        if method == "POST":
            if not self._access.origin_allowed(environ):
                return problem(403, "origin")
            return self._post(environ, path)
        return self._get(environ, path)

    # What needs no key: the files, which hold no secret, and what monitoring asks for.

    def _get(self, environ: dict[str, Any], path: str) -> Answer:
        query = parse_query(environ.get("QUERY_STRING", ""))
        if path in self._files:
            packed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
            return self._files[path].answer(packed, pictures=path == "/" and query.get("pictures") == "1")
        if path == "/-/healthz":
            return answer(200, b"ok\n")
        if path == "/-/readyz":
            ready = self._hooks.ready is None or self._hooks.ready()
            return answer(200, b"ready\n") if ready else answer(503, b"not ready\n")
        if path == "/metrics" and self._hooks.metrics is not None:
            own = {"wxserve_store_size_bytes": self.memory.size(), "wxserve_console_streams": self.ledger.streams}
            return answer(200, self._hooks.metrics(own), "text/plain; version=0.0.4")
        known = self._access.known(environ)
        if path == "/plain":
            lang = _language(environ)
            return answer(200, self._plain(lang) if known else plain.login(lang, "failed" in query), "text/html")
        if not path.startswith("/api/"):
            return problem(404, "path")
        return self._read(environ, path, query) if known else problem(401, "key")

    def _post(self, environ: dict[str, Any], path: str) -> Answer:
        body = read_body(environ, BODY_MAX)
        if path == "/api/login":
            session = self._access.login(str(_json(body).get("key", "")))
            if session is None:
                return problem(401, "key")
            return as_json(200, {"ok": True}, ("Set-Cookie", self._access.cookie(environ, session)))
        if path == "/login":
            session = self._access.login(parse_query(body.decode("latin-1")).get("key", "").rpartition("#k=")[2])
            if session is None:
                return to("/plain?failed=1")
            return to("/plain", ("Set-Cookie", self._access.cookie(environ, session)))
        if not self._access.known(environ):
            return problem(401, "key")
        if path == "/send":
            return self._send_form(body)
        return self._change(path, body)

    # What needs one.

    def _read(self, environ: dict[str, Any], path: str, query: dict[str, str]) -> Answer:
        if path == "/api/state":
            return as_json(200, self._state())
        if path == "/api/events":
            return self._events(environ, query)
        self.look()
        if path == "/api/deliveries":
            cursor, rows = self.ledger.after(query.get("after", ""), _limit(query))
            return as_json(200, {"cursor": cursor, "deliveries": _filtered(rows, query.get("q", ""))})
        if path == "/api/doctor":
            lang = "en" if query.get("lang") == "en" else "zh"
            return as_json(200, {"findings": self._hooks.doctor(self.settings, lang) if self._hooks.doctor else []})
        if path == "/api/rules":
            return as_json(200, {"rules": self.rulebook.rows(self._hits()), "problems": self._health()["problems"]})
        if path.startswith("/api/deliveries/"):
            record = self._record(path[len("/api/deliveries/") :])
            if record is None:
                return problem(404, "delivery")
            return as_json(200, detail.explain(record, self.modes, self.settings.mode, self.rulebook))
        return problem(404, "path")

    def _change(self, path: str, body: bytes) -> Answer:
        data = _json(body)
        if path == "/api/send":
            return as_json(202, {"id": self.lab.send(orders.read(data, self.settings.mode)).id})
        if path.startswith("/api/replay/"):
            record = self._record(path[len("/api/replay/") :])
            if record is None:
                return problem(404, "delivery")
            if not record.xml:
                return problem(409, "content")
            mode = str(data.get("mode") or record.mode or self.settings.mode)
            if mode not in self.modes:
                return problem(400, "order", field="mode")
            made = self.lab.replay(record, same=data.get("same") is True, xml=record.xml, mode=mode)
            return as_json(202, {"id": made.id})
        if path == "/api/try":
            order = orders.read({**data, "words": [str(data["text"])] if data.get("text") else []}, self.settings.mode)
            word = order.words[0] if order.words else ""
            return as_json(200, {"candidates": self.rulebook.try_text(order.kind, word, time.time())})
        if path == "/api/reload":
            if self._hooks.reload is not None:
                self._hooks.reload()
            self.look()
            return as_json(200, {"health": self._health()})
        if path == "/api/clear":
            user = orders.read({"user": data.get("user", USER)}, self.settings.mode).user
            self.memory.forget(user)
            self.ledger.forget(user)
            return as_json(200, {"ok": True})
        return problem(404, "path")

    def look(self) -> None:
        """Take in what happened elsewhere: the store's deliveries, and files that changed."""
        self.memory.look()
        self.rulebook.current()
        standing = (self.rulebook.loads, self._loaded())
        before, self._standing = self._standing, standing
        if before[0] and standing != before:
            self.ledger.tell("reload", self._health())

    def _events(self, environ: dict[str, Any], query: dict[str, str]) -> Answer:
        if environ["REQUEST_METHOD"] == "HEAD":  # nobody will read it, nor close it
            return Answer(200, [*HEADERS, *guards()], [])
        subscription = self.ledger.subscribe()
        if subscription is None:
            return problem(503, "streams", most=STREAMS_MAX)
        cursor = environ.get("HTTP_LAST_EVENT_ID") or query.get("after", "")
        stream = Stream(self.ledger, self.look, subscription, cursor, environ.get("wxserve.wait_gone"))
        return Answer(200, [*HEADERS, *guards()], stream)

    def _state(self) -> dict[str, Any]:
        self.look()
        settings = self.settings
        return {
            "name": os.path.basename(os.path.abspath(settings.base)) or "wxserve",
            "mode": settings.mode,
            "modes": list(self.modes),
            "user": USER,
            "cut": self._cut,
            "deadline": settings.deadline,
            "kinds": orders.catalogue(),
            "groups": orders.KIND_GROUPS,
            "faults": orders.faults(),
            "menu": _menu(settings.base),
            "settings": health.effective(settings),
            "health": self._health(),
            "can_reload": self._hooks.reload is not None,
        }

    def _health(self) -> dict[str, Any]:
        return health.report(self.settings, self.rulebook, self._started, self._loaded())

    def _loaded(self) -> float:
        return self._hooks.loaded() if self._hooks.loaded is not None else 0.0

    def _hits(self) -> dict[str, int]:
        """How often each rule answered, by its place: as the store has counted, or as far as is remembered here."""
        counted = self.memory.counts(0.0)
        hits = {name[len("rule:") :]: n for name, n in counted.items() if name.startswith("rule:")}
        if not self.memory.there:
            for record in self.ledger.records():
                hits[record.rule_at] = hits.get(record.rule_at, 0) + 1
        return hits

    def _record(self, id: str) -> Record | None:
        return self.ledger.get(id) if _ID.fullmatch(id) else None

    def _plain(self, lang: str) -> bytes:
        self.look()
        return plain.page(self.ledger.records()[:-51:-1], lang)

    def _send_form(self, body: bytes) -> Answer:
        form = parse_query(body.decode("latin-1"))
        text = form.get("text", "").encode("utf-8", "replace").decode()
        order = orders.read({"kind": form.get("kind", "text"), "words": [text] if text else []}, self.settings.mode)
        self.lab.send(order).finished.wait(FORM_SECONDS)
        return to("/plain")


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(body or b"{}")
        # Half a surrogate pair is JSON, and nothing that could be sent or shown.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise orders.BadOrder("json")
    return data


def _limit(query: dict[str, str]) -> int:
    text = query.get("limit", "")
    return min(500, int(text)) if text.isascii() and text.isdecimal() and len(text) < 6 else 500


def _filtered(rows: list[dict[str, Any]], q: str) -> list[dict[str, Any]]:
    """The rows in which *q* stands, in whatever a person sees of them."""
    if not q:
        return rows
    q = q.lower()
    names = ("id", "user", "kind", "text", "code", "rule", "outcome")
    return [row for row in rows if any(q in str(row[name]).lower() for name in names)]


def _menu(base: str) -> list[Any]:
    """The buttons of menu.json, the file that makes the account's menu, if there is one."""
    try:
        data = json.loads(Path(base, "menu.json").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return []
    buttons = data.get("button") if isinstance(data, dict) else None
    return buttons[:3] if isinstance(buttons, list) else []


def _language(environ: dict[str, Any]) -> str:
    return "zh" if environ.get("HTTP_ACCEPT_LANGUAGE", "zh").lower().startswith("zh") else "en"
