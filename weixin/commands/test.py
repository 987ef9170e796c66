"""``test``: play the conversations of ``.chat`` files to the account in this process; compare what the user sees."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import said, texts, transcript
from ..config import MODES, Settings
from ..problem import Problem
from ..transcript import Miss, Transcript, Turn
from . import FAILED, FINE, USAGE, seen
from .rehearsal import Exchange, Rehearsal, in_mode
from .run import settings_or_demo
from .terminal import pad, shorten, width

if TYPE_CHECKING:
    from . import Call

# A transcript is what somebody wrote; nobody writes more.
MAX_FILE = 4 << 20


class Played(NamedTuple):
    """One turn, what came of it, and what did not come true."""

    turn: Turn
    exchange: Exchange
    misses: list[Miss]


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help=texts.say("test.files", lang))
    parser.add_argument("--mode", choices=MODES, help=texts.say("chat.mode", lang))


def run(call: Call) -> int:
    settings = in_mode(settings_or_demo(call)[0], call.options.mode)
    try:
        files = _files(call.options.files) if call.options.files else _below(os.path.join(settings.base, "tests"))
        scripts = [(file, _read(file)) for file in files]
    except OSError as error:
        name = shorten(str(error.filename))
        call.terminal.error(texts.say("test.unreadable", call.lang, file=name, error=error.strerror))
        return USAGE
    if not files:
        looked = " ".join(call.options.files) or shorten(os.path.join(settings.base, "tests", "*.chat"))
        call.terminal.error(texts.say("test.none", call.lang, looked=looked))
        return FAILED
    problems = [problem for file, script in scripts for problem in _problems(file, script, settings)]
    if problems:
        call.terminal.problems(problems)
        return FAILED
    return _Report(call, max(width(shorten(file)) for file in files)).play(settings, scripts)


def _files(names: Sequence[str]) -> list[str]:
    return [file for name in names for file in (_below(name) if os.path.isdir(name) else [name])]


def _below(folder: str) -> list[str]:
    return [str(path) for path in sorted(Path(folder).glob("*.chat"))]


def _read(file: str) -> Transcript:
    with open(file, "rb") as stream:
        return transcript.parse(stream.read(MAX_FILE))


def _problems(file: str, script: Transcript, settings: Settings) -> Iterator[Problem]:
    for slip in script.slips:
        yield Problem(transcript.CODE, {"reason": slip.reason, **slip.values}, file, slip.line)
    for turn in script.turns:
        reason = transcript.impossible(turn.fault, settings.mode) if turn.fault else ""
        if reason:
            yield Problem(transcript.CODE, {"reason": reason, "fault": turn.fault}, file, turn.line)


class _Report:
    """Plays files and prints a line for each, as it is done."""

    def __init__(self, call: Call, column: int) -> None:
        self._terminal = call.terminal
        self._lang = call.lang
        self._json: bool = call.options.json
        self._verbose: bool = call.options.verbose
        self._column = column
        self._records: list[dict[str, Any]] = []
        self._failed = 0

    def play(self, settings: Settings, scripts: Sequence[tuple[str, Transcript]]) -> int:
        rehearsal = Rehearsal(settings)
        try:
            for number, (file, script) in enumerate(scripts, 1):
                # Each file is another user's conversation: what one leaves behind is nothing to the next.
                self._tell(file, [_play(rehearsal, turn, f"oTEST{number:04d}") for turn in script.turns])
        finally:
            rehearsal.close()
        counts = {"failed": self._failed, "passed": len(scripts) - self._failed}
        if self._json:
            self._terminal.data({**counts, "files": self._records}, indent=1)
        else:
            key = "test.failed" if self._failed else "test.passed"
            self._terminal.say(texts.say(key, self._lang, **counts))
        return FAILED if self._failed else FINE

    def _tell(self, file: str, played: list[Played]) -> None:
        failing = [one for one in played if one.misses]
        self._failed += bool(failing)
        if self._json:
            self._records.append({"file": file, "ok": not failing, "turns": [self._record(one) for one in played]})
            return
        seconds = sum(one.exchange.delivery.seconds for one in played)
        turns = texts.say("test.turns", self._lang, n=len(played))
        head = f"{pad(shorten(file), self._column)}   {turns}  "
        if failing:
            head += self._terminal.paint("FAIL", "red") + " "
        else:
            head += self._terminal.paint("ok", "green") + f"   {seconds * 1000:.0f} ms"
        misses = [miss for one in failing for miss in one.misses]
        if len(misses) == 1:
            self._terminal.say(head + self._sentence(misses[0]))
        elif misses or not self._terminal.quiet:
            self._terminal.say(head.rstrip())
            for miss in misses:
                self._terminal.say(f"  {self._sentence(miss)}")
        for one in played if self._verbose else failing:
            self._conversation(one)

    def _conversation(self, one: Played) -> None:
        """The turn as ``chat`` shows it; of a failing one at least what the program complained of."""
        if self._verbose:
            self._terminal.say(f"> {said.write(one.turn.said)}")
            last = one.exchange.delivery.attempts[-1]
            seen.show(last, one.exchange.outcome, self._terminal, lead="< ")
        seen.warnings(one.exchange.heard, self._terminal)

    def _sentence(self, miss: Miss) -> str:
        nothing = texts.say("test.nothing", self._lang)
        expected, got = (
            " | ".join(seen.printable(text.replace("\n", "\\n")) or nothing for text in side)
            for side in (miss.expected, (miss.got,))
        )
        line = texts.say("test.line", self._lang, line=miss.line)
        return f"{line}: {texts.say(f'test.{miss.what}', self._lang, expected=expected, got=got)}"

    def _record(self, one: Played) -> dict[str, Any]:
        turn, (delivery, *_) = one.turn, one.exchange
        return {
            "line": turn.line,
            "said": said.write(turn.said),
            "expected": list(turn.expected),
            "misses": [miss._asdict() for miss in one.misses],
            **seen.record(delivery, one.exchange.outcome, self._lang),
        }


def _play(rehearsal: Rehearsal, turn: Turn, user: str) -> Played:
    push = turn.said.push(rehearsal.platform, turn.user or user)
    exchange = rehearsal.deliver(push, slow=turn.slow, fault=turn.fault)
    return Played(turn, exchange, transcript.misses(turn, exchange.delivery))
