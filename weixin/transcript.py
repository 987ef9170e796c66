"""Conversations on paper: the ``.chat`` files that ``test`` plays, ``chat`` saves, and the console copies out.

    # a remark
    > /subscribe                what the user does: a text, or a slash and the name of any message or event
    < 欢迎关注*                  what has to come back; * and ? stand for anything, [ ] for themselves
    > 你好
    < 你好呀！                   several < are alternatives, since WeChat takes one reply
    < 在呢～
    > 天气
      @slow 7                   options, for this turn; above the first > they are for all
    < news: 天气*
      @attempt 2
    > /image
    <                           nothing is answered

An indented line that is no option goes on with the line above it. ``< *`` is any reply, ``< news`` any news; a turn
without a ``<`` takes whatever comes but a fault. The module reads and writes such files, and says whether what a user
saw is what was expected; it delivers nothing and knows no server.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, Callable, NamedTuple

from . import said
from .said import Said
from .simulator import FAULTS, BadWord, Delivery, Seen, UnknownKind

CODE = "WX-TST-01"
# Nobody waits longer for a handler to be slow; the platform gives up after fifteen seconds.
MAX_SLOW = 120.0

_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|)")
_OPTION = re.compile(r"@([a-z-]+)(?:\s+(.*))?")
# What a Chinese input method puts where we need > and <.
_WIDE = {"＞": ">", "》": ">", "＜": "<", "《": "<"}


class Turn(NamedTuple):
    """One thing said, how it is delivered, and what has to come of it."""

    said: Said
    #: The lines of the file, for people: of the said, and of the first expectation.
    line: int = 0
    expected_line: int = 0
    #: Alternatives; empty: whatever comes but a fault.
    expected: tuple[str, ...] = ()
    user: str = ""
    slow: float = 0.0
    fault: str = ""
    within: float | None = None
    attempt: int | None = None


class Slip(NamedTuple):
    """One mistake in a file: a reason for programs, its line, and the values a sentence about it needs."""

    reason: str
    line: int
    values: dict[str, Any]


class Transcript(NamedTuple):
    """What was read; with a slip in it, it must not be played."""

    turns: list[Turn]
    slips: list[Slip]


class Miss(NamedTuple):
    """What was expected and did not come: ``reply``, ``fault``, ``within`` or ``attempt``; both sides, the line."""

    what: str
    #: Alternatives, where it is a reply.
    expected: tuple[str, ...]
    got: str
    line: int


def write(turns: Iterable[Turn]) -> str:
    """The file that ``parse`` reads as *turns*."""
    lines: list[str] = []
    user = ""
    for turn in turns:
        lines += _block(">", said.write(turn.said))
        if turn.user != user:
            user = turn.user
            lines.append(f"  @user {user}")
        if turn.slow:
            lines.append(f"  @slow {turn.slow:g}")
        if turn.fault:
            lines.append(f"  @fault {turn.fault}")
        for pattern in turn.expected:
            lines += _block("<", pattern)
        if turn.within is not None:
            lines.append(f"  @within {turn.within:g}s")
        if turn.attempt is not None:
            lines.append(f"  @attempt {turn.attempt}")
    return "\n".join(lines) + "\n" if lines else ""


def _block(mark: str, text: str) -> list[str]:
    first, *rest = text.split("\n")
    return [f"{mark} {first}".rstrip(), *(f"  {line}".rstrip() for line in rest)]


def parse(source: bytes) -> Transcript:
    """Read a whole file, to the end whatever is wrong with it."""
    reader = _Reader()
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.object.count(b"\n", 0, error.start) + 1
        return Transcript([], [Slip("encoding", at, {"encoding": "GBK"})])
    # Not splitlines(): that also breaks lines at U+2028 and its like, which texts may hold.
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        reader.feed(number, line.rstrip())
    return reader.finish()


class _Reader:
    """The file so far, and the turn that is being read: its text and its expectations may go on."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.slips: list[Slip] = []
        self._said: list[str] = []
        self._said_line = 0
        self._expected: list[list[str]] = []
        self._expected_line = 0
        # Options of the turn that is being read, and of all: those above the first one. A user stays until the next.
        self._options: dict[str, Any] = {}
        self._always: dict[str, Any] = {}
        # The lines that the next indented one goes on with, and the blank ones between that may belong to them.
        self._open: list[str] | None = None
        self._blank = 0

    def feed(self, number: int, line: str) -> None:
        words = line.strip()
        if not words:
            self._blank += 1
        elif line[0] == "#":
            self._open = None
        elif _OPTION.fullmatch(words):
            self._option(number, words)
        elif line[0] == ">":
            self._close()
            self._said, self._said_line = [words[1:].strip()], number
            self._begin(self._said)
        elif line[0] == "<" and self._said:
            self._expected.append([words[1:].strip()])
            self._expected_line = self._expected_line or number
            self._begin(self._expected[-1])
        elif line[0] == "<":
            self._slip("no-said", number, text=words)
        elif line[0].isspace() and self._open is not None:
            self._open += [""] * self._blank + [words]
            self._blank = 0
        elif line[0] in _WIDE:
            self._slip("wide", number, found=line[0], wanted=_WIDE[line[0]])
        else:
            self._slip("stray-chat", number, text=words)

    def finish(self) -> Transcript:
        self._close()
        return Transcript(self.turns, sorted(self.slips, key=lambda slip: slip.line))

    def _begin(self, lines: list[str]) -> None:
        self._open = lines
        self._blank = 0

    def _close(self) -> None:
        """End the turn that is being read, if there is one."""
        if not self._said:
            return
        text, number = "\n".join(self._said).strip(), self._said_line
        user = self._options.get("user")
        if user:
            self._always["user"] = user
        if not text:
            self._slip("said-nothing", number)
        try:
            expected = tuple("\n".join(lines) for lines in self._expected)
            options = {**self._always, **self._options}
            self.turns.append(Turn(said.parse(text), number, self._expected_line, expected, **options))
        except UnknownKind as unknown:
            self._slip("kind", number, name=unknown.name, hint=_hint("/", unknown.suggestion))
        except BadWord as bad:
            reason = ("word-value" if bad.element else "word-place") if bad.word else "raw-alone"
            self._slip(reason, number, word=bad.word, element=bad.element)
        self._said, self._expected, self._expected_line, self._options = [], [], 0, {}

    def _option(self, number: int, words: str) -> None:
        match = _OPTION.fullmatch(words)
        assert match
        name, value = match[1], (match[2] or "").strip()
        if name not in _READ:
            near = next(iter(difflib.get_close_matches(name, _READ, 1)), "")
            self._slip("unknown-option", number, name=name, hint=_hint("@", near))
            return
        read = _READ[name](value)
        if read is None:
            self._slip("option-value", number, name=name, value=value)
        else:
            (self._options if self._said else self._always)[name] = read
        self._open = None

    def _slip(self, reason: str, line: int, **values: Any) -> None:
        self.slips.append(Slip(reason, line, values))
        self._open = None


def _hint(mark: str, near: str) -> str:
    return f" → {mark}{near}?" if near else ""


def seconds(text: str) -> float | None:
    """Read ``1s``, ``300ms``, ``1.5``; None for anything else."""
    match = _DURATION.fullmatch(text)
    return float(match[1]) / (1000 if match[2] == "ms" else 1) if match else None


def _slow(text: str) -> float | None:
    found = seconds(text)
    return found if found is not None and found <= MAX_SLOW else None


def _attempt(text: str) -> int | None:
    return int(text) if text in ("1", "2", "3") else None


# Each option, and what makes a value of its text: None where the text will not do.
_READ: dict[str, Callable[[str], Any]] = {
    "slow": _slow,
    "within": seconds,
    "attempt": _attempt,
    "user": lambda text: text if re.fullmatch(r"[!-~]{1,64}", text) else None,
    "fault": lambda text: text if text in FAULTS else None,
}


def misses(turn: Turn, delivery: Delivery) -> list[Miss]:
    """What of *turn* did not come true."""
    seen, found = delivery.seen, []
    if turn.expected:
        if not any(matches(pattern, seen) for pattern in turn.expected):
            found.append(Miss("reply", turn.expected, shown(seen), turn.expected_line))
    elif seen.outcome == "fault" and not (turn.fault and FAULTS[turn.fault].refused):
        found.append(Miss("fault", (), shown(seen), turn.line))
    line = turn.expected_line or turn.line
    if turn.within is not None and delivery.seconds > turn.within:
        found.append(Miss("within", (f"{turn.within:g} s",), f"{delivery.seconds:.3g} s", line))
    if turn.attempt is not None and len(delivery.attempts) != turn.attempt:
        found.append(Miss("attempt", (str(turn.attempt),), str(len(delivery.attempts)), line))
    return found


def impossible(fault: str, mode: str) -> str:
    """The slip in asking for *fault* where everything is in one process and *mode*; empty if there is none."""
    if FAULTS[fault].wire:
        return "fault-wire"
    return "fault-sealed" if FAULTS[fault].sealed and mode == "plain" else ""


def expect(seen: Seen, choices: Iterable[str] = ()) -> tuple[str, ...]:
    """The expectations that *seen* meets, and what else might have been said: one of *choices*, at random."""
    if seen.outcome == "nothing":
        return ("",)
    first, others = _pattern(seen.line), [_pattern(text) for text in choices]
    return tuple(dict.fromkeys((first, *others))) if first in others else (first,)


def _pattern(text: str) -> str:
    # A line of its own that looked like an option would be read as one.
    lines = [f"?{line[1:]}" if _OPTION.fullmatch(line) else line for line in _trimmed(text).split("\n")]
    return "\n".join(lines)


def shown(seen: Seen) -> str:
    """What a user sees, in one line, always with its kind; nothing is an empty line."""
    return seen.line if seen.outcome == "fault" or not seen.kind else f"{seen.kind}: {seen.text}"


def matches(pattern: str, seen: Seen) -> bool:
    """Whether *seen* is what *pattern* expects."""
    if seen.outcome == "fault":
        return pattern == "fault" or (pattern.startswith("fault:") and _like(pattern, seen.line))
    if seen.outcome == "nothing":
        return not pattern
    names = (f"{seen.kind}: {seen.text}", seen.text if seen.kind == "text" else seen.kind)
    return bool(pattern) and _like(pattern, *names)


def _like(pattern: str, *texts: str) -> bool:
    """Only * and ? are wild: square brackets are emoji, [微笑], far more often than a choice of letters."""
    parts = re.findall(r"\*+|\?|[^*?]+", _trimmed(pattern))
    wild = re.compile("".join({"*": ".*", "?": "."}.get(part[0], re.escape(part)) for part in parts), re.DOTALL)
    return any(wild.fullmatch(_trimmed(text)) for text in texts)


def _trimmed(text: str) -> str:
    """Without blanks at the ends of lines and around the whole: nobody sees them, and editors take them away."""
    return "\n".join(line.strip() for line in text.split("\n")).strip()
