"""A rehearsal: the account in this process, and WeChat played to it over the whole real path; nobody else hears of it.

It is the same Application that is served, from the same files. What ``chat`` and ``test`` add is here: a run can be
made to take as long as one likes, and everything can be loaded anew.
"""

from __future__ import annotations

import functools
import io
import logging
import secrets
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Callable, NamedTuple, Protocol

from .. import app, log
from ..config import ConfigError, Settings
from ..routing.answers import OneOf
from ..routing.call import Answer as RuleAnswer
from ..routing.call import Call, Function
from ..routing.rules import Hit, Rules
from ..simulator import Account, Answer, Delivery, InProcess, Platform, Push, Request, Transport
from ..simulator.platform import ATTEMPTS, CUT
from ..wire.envelope import decode_key
from ..wire.messages import Message


def sources(settings: Settings) -> list[str]:
    """The files and folders that decide what is answered."""
    return [path for path in (settings.file, settings.replies, settings.handlers) if path]


def in_mode(settings: Settings, mode: str | None) -> Settings:
    """The same in another mode, with a key and an AppID made up where there are none: both sides are here."""
    if mode is None or mode == settings.mode:
        return settings
    return settings.replace(
        mode=mode,
        appid=settings.appid or "wx" + secrets.token_hex(8),
        aes_key=settings.aes_key or b64encode(secrets.token_bytes(32), b"ab").decode().rstrip("="),
    )


def account(settings: Settings) -> Account:
    """The account as the platform knows it."""
    key = decode_key(settings.aes_key) if settings.mode != "plain" else b""
    return Account(settings.token, settings.appid, key, settings.mode, path=settings.path)


class Overheard(log.Journal):
    """A log that keeps its lines instead of writing them."""

    def __init__(self) -> None:
        super().__init__(io.StringIO(), threaded=False)
        self.lines: list[log.Line] = []
        logger = logging.getLogger("wxserve")
        logger.handlers[:] = [log.Bridge(self)]
        logger.setLevel(self.level)
        logger.propagate = False

    def line(self, level: int, event: str, fields: dict[str, Any], code: str = "", detail: str = "") -> None:
        if level >= self.level:
            self.lines.append(log.Line(time.time(), level, event, fields, code, detail))

    def tell(self, event: str, told: log.Tale, at: float) -> None:
        self.lines.append(log.Line(at, logging.INFO, event, told.fields()))


def outcomes(heard: Iterable[log.Line]) -> list[log.Line]:
    """One line for each delivery, in their order: how it was answered, or why it was refused."""
    return [line for line in heard if line.event in ("delivery", "refused")]


class Exchange(NamedTuple):
    """A push, what came of it, what the program logged meanwhile, how often its rules were asked, and what a rule that
    speaks at random might have said."""

    delivery: Delivery
    heard: list[log.Line]
    runs: int
    choices: tuple[str, ...] = ()

    @property
    def outcome(self) -> log.Line | None:
        """The line that the program logged of the delivery that it answered, or else of the last."""
        lines = outcomes(self.heard)
        # A delivery that WeChat gave up may be logged behind the one that was answered: both end with the run.
        answered = [line for line in lines if line.fields.get("result") != "silent"]
        return next(reversed(answered or lines), None)


class Watcher(Protocol):
    """Whoever wants to know of a push's deliveries as they end."""

    def attempt(self, number: int, answer: Answer, runs: int) -> None:
        """The delivery *number* has ended with *answer*; its handler has run *runs* times so far."""


class _Paced(Rules):
    """Rules whose functions take longer for one push than they would, and how often it was run."""

    def __init__(self, rules: Rules) -> None:
        # The same rules with their index, not a copy that is sorted and indexed anew.
        self.__dict__.update(vars(rules))
        self.seconds = 0.0
        self.push: Push | None = None
        self.runs = 0
        self.choices: tuple[str, ...] = ()

    def candidates(self, message: Message, now: float) -> Iterator[Hit]:
        hits = super().candidates(message, now)
        of = self.push.message if self.push is not None else None
        if of is None or (of.user, of.id, of.time) != (message.user, message.id, message.time):
            return hits
        run = _Run(self, self.seconds)
        return (hit._replace(rule=hit.rule._replace(answer=_behind(run, hit.rule.answer))) for hit in hits)


class _Run:
    """One run of a push: it is counted, and slow, when the first function is asked."""

    def __init__(self, rules: _Paced, seconds: float) -> None:
        self._rules = rules
        self._seconds = seconds
        self._begun = False

    def begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._rules.runs += 1
            time.sleep(self._seconds)

    def note(self, choices: tuple[str, ...]) -> None:
        self._rules.choices = choices


def _behind(run: _Run, answer: RuleAnswer) -> RuleAnswer:
    """Return what begins *run* and then asks *answer*; a function stays one, so that its faults have their line."""
    if not isinstance(answer, Function):

        def ask(call: Call, /) -> object:
            run.begin()
            if isinstance(answer, OneOf):
                run.note(answer.each(call))
            return answer(call)

        return ask
    function = answer.function

    @functools.wraps(function)
    def late(**values: object) -> object:
        run.begin()
        return function(**values)

    return answer._replace(function=late)


class _Watched:
    """A transport that says what it carried."""

    def __init__(self, to: Transport, rules: _Paced, watcher: Watcher) -> None:
        self._to, self._rules, self._watcher = to, rules, watcher
        self._number = 0

    def send(self, request: Request, limit: float) -> Answer:
        answer = self._to.send(request, limit)
        self._number += 1
        self._watcher.attempt(self._number, answer, self._rules.runs)
        return answer


class Rehearsal:
    """See the module. Raises config.ConfigError where a handler or a rule is faulty. *cut*: when WeChat hangs up."""

    def __init__(self, settings: Settings, *, cut: float = CUT) -> None:
        self.settings = settings
        self.heard = Overheard()
        self.platform = Platform(account(settings), cut=cut)
        self._rules = self._load()
        self._application = app.Application(settings, self._rules, self.heard)

    @property
    def rules(self) -> Rules:
        return self._rules

    def reload(self) -> None:
        """Load handlers and replies anew; raise config.ConfigError and keep the old where something is wrong."""
        rules = self._load()
        self.close()
        self._rules = rules
        self._application = app.Application(self.settings, self._rules, self.heard)

    def close(self) -> None:
        self._application.close()
        self._rules.close()

    def _load(self) -> _Paced:
        rules, problems = app.load_rules(self.settings)
        if problems:
            rules.close()
            raise ConfigError(problems)
        return _Paced(rules)

    def deliver(
        self,
        push: Push,
        *,
        slow: float = 0.0,
        fault: str = "",
        replayed: bool = False,
        watcher: Watcher | None = None,
    ) -> Exchange:
        """Let WeChat deliver *push*, up to three times; its run takes *slow* seconds longer than it would.

        *replayed*: handlers are told that a person sent it again.
        """
        self.heard.lines.clear()
        rules = self._rules
        rules.push, rules.seconds, rules.runs, rules.choices = push, slow, 0, ()
        to: Transport = InProcess(self._replayed if replayed else self._application)
        if watcher is not None:
            to = _Watched(to, rules, watcher)
        delivery = self.platform.deliver(push, to, attempts=ATTEMPTS, fault=fault)
        return Exchange(delivery, list(self.heard.lines), rules.runs, rules.choices)

    def _replayed(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["wxserve.replayed"] = True
        return self._application(environ, start_response)
