"""``chat``: talk to the account in the terminal, or from a pipe. ``>`` is the user, ``<`` the account.

Everything is delivered as WeChat delivers it, up to three times, to the account in this process. Edited files are
loaded again before the next line. What was said can be kept as a ``.chat`` file.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import said, texts, transcript
from ..config import MODES, ConfigError
from ..said import Said
from ..simulator import FAULTS, Answer, BadWord, Push, UnknownKind, kinds
from ..simulator.samples import USER
from ..transcript import Turn
from ..watch import Watch
from . import FAILED, FINE, lines, seen
from .rehearsal import Exchange, Rehearsal, in_mode, sources
from .run import settings_or_demo
from .terminal import columns, pad, shorten, width

if TYPE_CHECKING:
    from . import Call

# What stands before a line of the user's, and of the account's.
USER_MARK, ACCOUNT_MARK = "> ", "< "


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("--user", default=USER, metavar="OPENID", help=texts.say("chat.user", lang))
    parser.add_argument("--mode", choices=MODES, help=texts.say("chat.mode", lang))


def run(call: Call) -> int:
    settings, demo = settings_or_demo(call)
    rehearsal = Rehearsal(in_mode(settings, call.options.mode))
    try:
        conversation = Conversation(call, rehearsal, "wxserve" if demo else Path(settings.base).name)
        failed = conversation.hold(lines.read(conversation.words, prompt=USER_MARK))
    finally:
        rehearsal.close()
    # A person has seen it; a program asks.
    return FAILED if failed and not sys.stdin.isatty() else FINE


class _Usage(Exception):
    """A slash word without what it needs; the argument is how it is written."""


class Conversation:
    """One person's talk with the account."""

    def __init__(self, call: Call, rehearsal: Rehearsal, name: str) -> None:
        self._terminal = call.terminal
        self._lang = call.lang
        self._json: bool = call.options.json
        self._verbose: bool = call.options.verbose
        self._rehearsal = rehearsal
        self._name = name
        self._user: str = call.options.user
        self._watch = Watch(sources(rehearsal.settings))
        self._turns: list[Turn] = []
        self._last: tuple[Turn, Push, Exchange] | None = None
        self._ended = False
        self._commands = {
            "help": self._help, "quit": self._quit, "exit": self._quit, "user": self._be, "slow": self._slow,
            "fault": self._fault, "again": self._again, "why": self._why, "xml": self._xml, "save": self._save,
            "reload": self._reload,
        }  # fmt: skip

    @property
    def words(self) -> list[str]:
        """Every slash word."""
        return [f"/{name.replace('_', '-')}" for name in (*self._commands, said.RAW, *kinds())]

    def hold(self, said_lines: Iterable[str]) -> bool:
        """Answer line by line, to the end; whether the user ever saw a fault that nobody asked for."""
        mode = self._rehearsal.settings.mode
        self._note("chat.hello", name=self._name, mode=mode, user=self._user)
        failed = False
        for line in said_lines:
            text = line.strip()
            if not sys.stdin.isatty():
                text = _from_file(line)
                if text and not self._json:
                    self._terminal.note(USER_MARK + seen.printable(text))
            if text:
                failed |= self._answer(text)
            if self._ended:
                break
        return failed

    def _answer(self, text: str) -> bool:
        """Do what one line says; whether that ended in a fault."""
        self._load_edited()
        name, _, rest = text[1:].partition(" ")
        try:
            if text[0] == "/" and name in self._commands:
                return bool(self._commands[name](rest.strip()))
            return self._say(said.parse(text))
        except _Usage as usage:
            self._error("chat.usage", usage=usage)
        except UnknownKind as unknown:
            near = unknown.suggestion
            hint = texts.say("chat.hint", self._lang, name=near) if near else ""
            self._error("chat.unknown", name=unknown.name, hint=hint)
        except BadWord as bad:
            key = "send.bad-word" if bad.element else "send.no-place"
            self._error(key, word=bad.word, element=bad.element)
        except KeyboardInterrupt:
            self._error("chat.stopped")
        return False

    def _say(self, what: Said, *, slow: float = 0.0, fault: str = "") -> bool:
        turn = Turn(what, user=self._user, slow=slow, fault=fault)
        return self._deliver(turn, what.push(self._rehearsal.platform, self._user))

    def _deliver(self, turn: Turn, push: Push) -> bool:
        exchange = self._rehearsal.deliver(push, slow=turn.slow, fault=turn.fault, watcher=self)
        result = exchange.delivery.seen
        self._last = turn, push, exchange
        self._turns.append(turn._replace(expected=transcript.expect(result, exchange.choices)))
        if self._json:
            record = {"said": said.write(turn.said), "user": turn.user}
            record.update(seen.record(exchange.delivery, exchange.outcome, self._lang))
            self._terminal.data(record)
        expected = _is_expected(turn, exchange)
        if not self._json:
            last = exchange.delivery.attempts[-1]
            seen.show(last, exchange.outcome, self._terminal, expected=expected, lead=ACCOUNT_MARK)
            seen.warnings(exchange.heard, self._terminal)
            if self._verbose:
                self._xml("")
        return result.outcome == "fault" and not expected

    def attempt(self, number: int, answer: Answer, runs: int) -> None:
        """A delivery has ended: say so at once where the user still waits, or has waited."""
        if not self._json:
            seen.attempted(number, answer, runs, self._terminal)

    # What begins with a slash and is no push.

    def _help(self, rest: str) -> None:
        names = columns(f"/{name.replace('_', '-')}" for name in kinds())
        self._terminal.say(texts.say("chat.help", self._lang, kinds=names, faults=" ".join(FAULTS)))

    def _quit(self, rest: str) -> None:
        self._ended = True

    def _be(self, rest: str) -> None:
        if rest:
            # As long as real openids are.
            self._user = "o" + secrets.token_hex(13) if rest == "new" else rest.split()[0]
        self._note("chat.as", user=self._user)

    def _slow(self, rest: str) -> bool:
        duration, _, line = rest.partition(" ")
        seconds = transcript.seconds(duration)
        if seconds is None or seconds > transcript.MAX_SLOW or not line.strip():
            raise _Usage("/slow 7 你好")
        return self._say(said.parse(line.strip()), slow=seconds)

    def _fault(self, rest: str) -> bool:
        fault, _, line = rest.partition(" ")
        if fault not in FAULTS or not line.strip():
            raise _Usage(f"/fault {'|'.join(FAULTS)} 你好")
        slip = transcript.impossible(fault, self._rehearsal.settings.mode)
        if slip:
            title, _, fix = texts.explain(transcript.CODE, self._lang, {"reason": slip, "fault": fault})
            self._terminal.error(f"{title}  {texts.say('fix', self._lang, fix=fix)}")
            return False
        return self._say(said.parse(line.strip()), fault=fault)

    def _again(self, rest: str) -> bool:
        if self._last is None:
            self._error("chat.nothing-yet")
            return False
        turn, push, _ = self._last
        if rest == "new":
            push = turn.said.push(self._rehearsal.platform, turn.user)
        elif rest:
            raise _Usage("/again [new]")
        return self._deliver(turn._replace(slow=0.0, fault=""), push)

    def _why(self, rest: str) -> None:
        if not rest:
            raise _Usage("/why 你好")
        message = said.parse(rest).push(self._rehearsal.platform, self._user).message
        found = self._rehearsal.rules.explain(message, time.time()) if message else []
        if not found:
            self._error("chat.no-rules")
        rows = [(hit.rule.at, hit.rule.name, hit.rule.level.name.lower(), hit.word) for hit, _ in found]
        spaces = [max((width(row[at]) for row in rows), default=0) for at in range(4)]
        for number, (row, candidate) in enumerate(zip(rows, found), 1):
            cells = "   ".join(map(pad, row, spaces)).rstrip()
            closed = "" if candidate.open else "   " + texts.say("chat.closed", self._lang)
            self._terminal.say(f"{number:>3}  {cells}{closed}")

    def _xml(self, rest: str) -> None:
        if self._last is None:
            self._error("chat.nothing-yet")
            return
        _, push, exchange = self._last
        request, answer, result, _ = exchange.delivery.attempts[-1]
        parts = [("push", "", push.xml)]
        parts.append(("request", f"{request.method} {request.path}?{request.query}", request.body))
        parts.append(("answer", str(answer.status), answer.body))
        if result.xml and result.xml != answer.body:
            parts.append(("reply", "", result.xml))
        for name, head, body in parts:
            if name == "request" and body == push.xml:
                body = b""
            title = f"-- {texts.say(f'chat.xml-{name}', self._lang)}  {head}".rstrip()
            self._terminal.say(self._terminal.paint(title, "bold"))
            if body:
                self._terminal.say(seen.printable(body.decode(errors="replace")).rstrip("\n"))

    def _save(self, rest: str) -> None:
        if not rest:
            raise _Usage("/save tests/hello.chat")
        path = Path(rest if rest.endswith(".chat") else f"{rest}.chat")
        if not self._turns:
            self._error("chat.nothing-yet")
            return
        turns = self._turns
        if len({turn.user for turn in turns}) == 1:  # whoever it was
            turns = [turn._replace(user="") for turn in turns]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "x", encoding="utf-8", newline="\n") as stream:
                stream.write(transcript.write(turns))
        except FileExistsError:
            self._error("chat.exists", file=path)
        except OSError as error:
            self._error("chat.cannot-save", file=path, error=error.strerror)
        else:
            self._note("chat.saved", file=path, n=len(self._turns))

    def _reload(self, rest: str) -> None:
        self._watch.changed()
        self._load([])

    def _load_edited(self) -> None:
        changed = self._watch.changed()
        if changed:
            self._load(changed)

    def _load(self, changed: list[str]) -> None:
        try:
            self._rehearsal.reload()
        except ConfigError as error:
            self._terminal.problems(error.problems)
            self._error("chat.kept")
        else:
            files = "  ".join(map(shorten, changed)) or str(len(self._rehearsal.rules))
            self._note("chat.reloaded", files=files)

    def _note(self, key: str, **values: Any) -> None:
        if not self._json:
            self._terminal.note(texts.say(key, self._lang, **values))

    def _error(self, key: str, **values: Any) -> None:
        self._terminal.error(texts.say(key, self._lang, **values))


def _is_expected(turn: Turn, exchange: Exchange) -> bool:
    """Whether a refusal is what was asked for."""
    asked = bool(turn.fault) and FAULTS[turn.fault].refused
    return asked and 400 <= exchange.delivery.answer.status < 500


def _from_file(line: str) -> str:
    """What a piped line says: in a ``.chat`` file that is what stands behind ``>``, and the rest is passed over."""
    text = line.strip()
    if text.startswith(">"):
        return text[1:].strip()
    return "" if line[:1].isspace() or text.startswith(("<", "#", "@")) else text
