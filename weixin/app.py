"""The application: one message's whole way from WSGI and back, readable top to bottom.

It knows the order of things and leaves each to its room: ``wire`` says what is genuine and what it means, ``delivery``
that it is answered once and in time, ``routing`` by whom. Nothing on the way raises a 500.
"""

from __future__ import annotations

import hmac
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Union

from . import config, log, texts
from .aftermath import Aftermath, count_refusal
from .config import Settings
from .delivery import Desk, Given, Terms
from .log import Journal
from .problem import Problem
from .routing import load
from .routing.call import Context
from .routing.rules import Rules
from .store import Store, open_store
from .store.base import Refusal, told
from .web import HTML, TEXT, XML, Answer, answer, parse_query, read_body
from .wire import probe
from .wire.errors import MessageRefused, ModeRefused, Refused, SignatureRefused
from .wire.messages import Message, parse
from .wire.replies import SUCCESS, Finding
from .wire.signature import matches, near_miss

if TYPE_CHECKING:
    from .metrics import Meter
    from .wire.envelope import Envelope

# A near miss costs some forty hashes; an operator needs one verdict, a scanner shall not have more.
VERDICT_SECONDS = 1.0

_is_time = re.compile(r"[0-9]{1,12}").fullmatch

PAGE = (
    '<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    f"<title>wxserve</title><p>{texts.say('page', 'zh')}</p><p lang=\"en\">{texts.say('page', 'en')}</p></html>\n"
).encode()


#: A genuine push: the message, and the key that opened it where it was sealed.
Push = tuple[Message, Union[bytes, None]]


class Application:
    """The WSGI callable of one Official Account. Threads may share it."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        journal: Journal,
        clock: Callable[[], float] = time.time,
        store: Store | None = None,
        meter: Meter | None = None,
    ) -> None:
        """Without a *store* nothing is remembered beyond this object; without a *meter* nothing is counted."""
        self.settings = settings
        self.rules = rules
        self._journal = journal
        self._clock = clock
        self._context = Context(settings, run_max=float(settings.run_max))
        self._paths = {settings.path, settings.path.rstrip("/") + "/"}
        self._envelope = _envelope(settings)
        self._store = store or open_store("memory:")
        self._meter = meter
        self._desk = Desk(
            rules, self._context, self._store, _terms(settings), clock=clock, notice=self._notice, replace=_replace
        )
        self._desk.start()
        self._aftermath = Aftermath(journal, meter, clock)
        self._verdict_at = 0.0
        self._instance = _instance(settings.token)
        self._probing = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            said = self._answer(environ)
        except Refused as refused:
            said = self._refuse(environ, refused)
        start_response(said.status, said.headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            said[:] = [b""]
        return said

    def sibling(self, settings: Settings) -> Application:
        """The same application as *settings* would have it: in another mode, with the same rules, desk and store."""
        import copy  # the console's alone

        twin = copy.copy(self)
        twin.settings, twin._envelope = settings, _envelope(settings)
        return twin

    def gauges(self) -> dict[str, float]:
        """How it stands just now, for the metrics."""
        return {
            "wxserve_inflight_deliveries": len(self._desk.runs),
            "wxserve_queued_deliveries": self._desk.pool.waiting,
            "wxserve_worker_threads": threading.active_count(),
        }

    def close(self) -> None:
        """End what was begun and write what waits; the server calls it when a worker ends."""
        self._desk.close()
        self._context.close()
        self._store.close()
        self._aftermath.close()
        if self._meter is not None:
            self._meter.close()
        self._journal.end()

    def _answer(self, environ: dict[str, Any]) -> Answer:
        if environ.get("PATH_INFO", "") not in self._paths:
            return answer(404)
        method = environ["REQUEST_METHOD"]
        query = parse_query(environ.get("QUERY_STRING", ""))
        if method == "POST":
            return self._push(environ, query)
        if method not in ("GET", "HEAD"):
            return answer(405, b"", TEXT, ("Allow", "GET, HEAD, POST"))
        return self._check(environ, query) if query else answer(200, PAGE, HTML)

    def _check(self, environ: dict[str, Any], query: dict[str, str]) -> Answer:
        """The platform's check of the address: prove that we know the token by sending echostr back."""
        echo = query.get("echostr", "")
        if self._envelope is not None and "signature" not in query and "msg_signature" in query:
            # Undocumented for Official Accounts, usual at WeCom: the echostr itself is sealed.
            self._verify(query, "msg_signature", echo)
            opened = self._envelope.open(echo).message
            self._remember(environ, "", "check", {})
            return answer(200, opened)
        self._verify(query, "signature")
        if not echo:
            raise MessageRefused("WX-SIG-05", "echostr is missing")
        self._remember(environ, "", "check", {})
        mark = [(probe.HEADER, self._instance)] if probe.marked(query["nonce"]) else []
        return answer(200, echo.encode("utf-8", "surrogateescape"), TEXT, *mark)

    def _push(self, environ: dict[str, Any], query: dict[str, str]) -> Answer:
        arrived = time.monotonic()
        message, key = self._open(environ, query)
        if message.user == probe.SENDER and probe.marked(query["nonce"]):
            return self._answer_doctor(message)
        # Set by the console's door alone: a client's headers all begin with HTTP_.
        if "wxserve.replayed" in environ:
            message.replayed = environ["wxserve.replayed"]
        age = int(query["timestamp"]) - message.time
        given = self._desk.answer(message, age, arrived, environ.get("wxserve.wait_gone"))
        if given.silent:
            # Too late for this delivery: the platform is to ask again, and a late answer would end that.
            environ.get("wxserve.drop", _nothing)()
            said = answer(504)
        elif given.body == SUCCESS:
            said = answer(200, SUCCESS)
        else:
            said = answer(200, given.body if key is None else self._seal(given.body, key, query), XML)
        said.then = partial(self._look_back, message, given, "wxserve.simulated" in environ)
        return said

    def _answer_doctor(self, message: Message) -> Answer:
        """Answer a probe: no handler runs, nothing is counted. One waits at a time, so that nobody who overhears a
        probe can hold every thread with it.
        """
        if self._probing.acquire(blocking=False):
            try:
                time.sleep(probe.wait(message.text))
            finally:
                self._probing.release()
        return answer(200, probe.ANSWER, TEXT, (probe.HEADER, self._instance))

    def _open(self, environ: dict[str, Any], query: dict[str, str]) -> Push:
        """Return the push if it is genuine. The mode is what the configuration says, never what the request says."""
        if self._envelope is None:
            self._verify(query, "signature")
            raw = read_body(environ, self.settings.body_max)
            fields = parse(raw)
            if "Encrypt" in fields and "MsgType" not in fields:
                raise ModeRefused(self.settings.mode)
            return Message(fields, raw=raw, xml=raw), None
        self._verify_age(query, "msg_signature" if "msg_signature" in query else "signature")
        try:
            raw = read_body(environ, self.settings.body_max)
        except Refused:
            self._verify(query, "signature")  # only of the platform's is it worth knowing how it was spoilt
            raise
        # A stranger's body costs a hash before it costs a parser; the platform signs both ways.
        found = self._envelope.glimpse(raw)
        self._verify(query, *(("msg_signature", found) if found else ("signature",)))
        sealed = parse(raw).get("Encrypt")
        if not isinstance(sealed, str) or not sealed:
            self._verify(query, "signature")  # it is the platform: then its mode is another, and not just anybody's
            raise ModeRefused(self.settings.mode)
        if sealed != found:
            self._verify(query, "msg_signature", sealed)
        opened = self._envelope.open(sealed)
        return Message(parse(opened.message), raw=raw, xml=opened.message), opened.key

    def _verify(self, query: dict[str, str], name: str, *more: str) -> None:
        signature, timestamp, nonce = self._verify_age(query, name)
        if not matches(signature, self.settings.token, timestamp, nonce, *more):
            raise SignatureRefused("WX-SIG-02", self._verdict(signature, timestamp, nonce, *more))

    def _verify_age(self, query: dict[str, str], name: str) -> tuple[str, str, str]:
        """The cheap half of the check: the parameters are there, and the clocks agree."""
        signature, timestamp, nonce = query.get(name), query.get("timestamp"), query.get("nonce")
        if not signature or not nonce or not timestamp or not _is_time(timestamp):
            raise SignatureRefused("WX-SIG-01", f"{name}, timestamp or nonce is missing")
        age = self._clock() - int(timestamp)
        if self.settings.max_age and abs(age) > self.settings.max_age:
            signed = matches(query.get("signature", ""), self.settings.token, timestamp, nonce)
            facts = {"seconds": round(age), "max_age": self.settings.max_age, "signed": "yes" if signed else "no"}
            raise SignatureRefused("WX-SIG-04", "clock", **facts)
        return signature, timestamp, nonce

    def _verdict(self, *signed: str) -> str:
        """Why a signature is wrong, as far as the usual slips explain it; asked once a second at most."""
        now = time.monotonic()
        if now - self._verdict_at < VERDICT_SECONDS:
            return "mismatch"
        self._verdict_at = now
        signature, *parts = signed
        return near_miss(signature, self.settings.token, *parts) or "mismatch"

    def _seal(self, body: bytes, key: bytes, query: dict[str, str]) -> bytes:
        """Seal a reply to a push that was sealed: each delivery's anew, with its own nonce."""
        assert self._envelope is not None
        random = os.urandom(8).hex().encode()
        return self._envelope.seal(body, str(int(self._clock())), query["nonce"], random, key)

    def _notice(self, message: Message, finding: Finding) -> None:
        fields = {"user": message.user, **finding.values}
        self._journal.fold(logging.WARNING, "reply", fields, finding.code, message.kind)
        if self._meter is not None and not probe.played(message.user):
            self._meter.add("wxserve_reply_warnings_total", finding.code)

    def _look_back(self, message: Message, given: Given, simulated: bool) -> None:
        """What is to be done about a delivery can wait until its answer has left, and has company."""
        if self._aftermath.add(message, given, simulated):
            self._store.catch_up()

    def _refuse(self, environ: dict[str, Any], refused: Refused) -> Answer:
        fields = {"ip": environ.get("REMOTE_ADDR", ""), "reason": refused.reason, **refused.fields}
        self._journal.fold(logging.WARNING, "refused", fields, refused.code, refused.reason)
        self._remember(environ, refused.code, refused.reason, refused.fields)
        if self._meter is not None:
            count_refusal(self._meter, refused)
        return answer(refused.status)

    def _remember(self, environ: dict[str, Any], code: str, reason: str, facts: Mapping[str, object]) -> None:
        """Leave word of a refusal, or of a check that passed (no *code*), for the doctor; not of his own requests."""
        if probe.claimed(environ.get("QUERY_STRING", "")):
            return
        facts = {**facts, "method": environ["REQUEST_METHOD"], "agent": environ.get("HTTP_USER_AGENT", "")}
        self._store.refused(Refusal(self._clock(), code, environ.get("REMOTE_ADDR", ""), told(reason, facts)))


def load_rules(settings: Settings) -> tuple[Rules, list[Problem]]:
    """Return everything that answers, and what is wrong with it. Who loads again closes the rules of before."""
    source, _, line = settings.sources["default_reply"].rpartition(":")
    routing = load.load(
        settings.handlers,
        settings.replies,
        priority=settings.replies_priority,
        default=settings.default_reply,
        folder_required=settings.given("handlers"),
        replies_required=settings.given("replies"),
        default_file=source or "wxserve.ini",
        default_line=int(line) if line.isdecimal() else 0,
        final_marks=settings.final_marks,
    )
    problems = [Problem(e.code, {"reason": e.reason, **e.values}, e.file, e.line) for e in routing.errors]
    return routing.rules, problems


def build(
    settings: Settings,
    journal: Journal | None = None,
    *,
    live: bool = True,
    wrap: Callable[[Rules], Rules] | None = None,
    meter: Meter | None = None,
) -> Application:
    """Make the Application that *settings* describe. Raise config.ConfigError where a handler or a rule is faulty.

    Unless *live*, it remembers nothing, and the store that a server may be using is not touched. *wrap* makes of the
    rules what is asked in their place.
    """
    rules, problems = load_rules(settings)
    if problems:
        rules.close()
        raise config.ConfigError(problems)
    journal = journal or open_log(settings)
    url = settings.store if live else "memory:"
    full = settings.store_content == "full"
    answers, shared = float(settings.answers), settings.workers > 1
    store = open_store(url, keep=settings.keep, full=full, answers=answers, shared=shared)
    return Application(settings, wrap(rules) if wrap else rules, journal, store=store, meter=meter)


def prepare(settings: Settings) -> None:
    """Import what *settings* need and others do not: for a process that forks, so that its workers share it."""
    _envelope(settings)
    load.prepare(settings.replies, settings.default_reply)


def open_log(settings: Settings, *, threaded: bool = True, color: bool = False) -> Journal:
    """Begin the log that *settings* describe, on standard error."""
    style = log.Style(settings.log_format, settings.log_content, settings.log_openid, color=color)
    return log.start(settings.log_level, style, threaded=threaded)


def complain(problems: Iterable[Problem], journal: Journal, lang: str) -> None:
    """Say in the log why there is no application."""
    for problem in problems:
        title, _, fix = texts.explain(problem.code, lang, problem.values)
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        journal.line(logging.ERROR, "config", {"at": place, "error": title, "fix": fix}, problem.code)


def _instance(token: str) -> str:
    """A name for this service that its workers share and no other service has: it shows the doctor who answers."""
    here = f"{os.uname().nodename} {os.getppid()}"
    return hmac.new(token.encode(), here.encode(), "sha256").hexdigest()[:12]


def _terms(settings: Settings) -> Terms:
    terms = Terms()
    return terms._replace(
        busy=settings.busy,
        pickup=settings.pickup,
        split=settings.split,
        pool=settings.pool,
        threads=settings.threads,
        silent_max=settings.silent_max,
        run_max=float(settings.run_max),
        content=settings.store_content,
        # Not the operator's language: it is users in WeChat who read it.
        lang="en" if settings.lang == "en" else "zh",
        pace=terms.pace._replace(deadline=settings.deadline),
    )


def _replace() -> None:
    """Have this process replaced: our supervisor, gunicorn's and uWSGI's drain who gets SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


def _nothing() -> None:
    """What a server that cannot drop a connection does."""


def _envelope(settings: Settings) -> Envelope | None:
    if settings.mode == "plain":
        return None
    from .wire import aes  # plain mode has nothing to seal, and starts sooner
    from .wire.envelope import Envelope, decode_key

    keys = [decode_key(key) for key in (settings.aes_key, settings.aes_key_previous) if key]
    return Envelope(settings.token, settings.appid, keys, aes.find())
