"""Which regular expressions would freeze the process: each is timed against strings made to be hard for it.

Python's ``re`` tries every way to match, and holds the interpreter while it does: ``(a+)+$`` needs years for fifty
letters a and a mark. Whether an expression can explode is hard to tell from its looks and easy to tell from its
behaviour, so its parse tree gives the strings (what a repeat repeats, as often as fits, and then something that does
not match) and another process, which can be ended, does the matching.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .rules import REGEX_SEEN

# Seconds of processor for one text. Everybody waits for it, and 200 expressions may each take as long.
LIMIT = 0.1
# Strings tried for one expression, and the seconds of processor they may use up together.
MAX_STRINGS = 240
BUDGET = 0.5
# One that does not come back is ended by the kernel when it has had this much; if that fails, by the clock.
END = BUDGET + LIMIT
GIVE_UP = 20.0

_CHILD = f"""
import json, re, signal, sys, time
for line in sys.stdin:
    pattern, flags, texts = json.loads(line)
    search = re.compile(pattern, flags).search
    worst = total = 0.0
    signal.setitimer(signal.ITIMER_PROF, {END})
    for text in texts:
        begin = time.process_time()
        search(text)
        took = time.process_time() - begin
        worst, total = max(worst, took), total + took
        if worst > {LIMIT} or total > {BUDGET}:
            break
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(worst, flush=True)
"""


def dangerous(patterns: Iterable[re.Pattern[str]]) -> list[tuple[re.Pattern[str], float | None]]:
    """Return those that are too slow, with the seconds that one text took; None if there was no end to it.

    Raises OSError where no process can be started.
    """
    found: list[tuple[re.Pattern[str], float | None]] = []
    child: subprocess.Popen[bytes] | None = None
    try:
        for pattern in patterns:
            child = child or _start()
            seconds = _time(child, pattern)
            if seconds is None:
                _stop(child)
                child = None
            if seconds is None or seconds > LIMIT:
                found.append((pattern, seconds))
    finally:
        if child is not None:
            _stop(child)
    return found


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable or "python3", "-I", "-c", _CHILD]
    # Our secrets may be in the environment, and a stopwatch needs none of them.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WXSERVE_")}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.communicate()


def _time(child: subprocess.Popen[bytes], pattern: re.Pattern[str]) -> float | None:
    assert child.stdin is not None and child.stdout is not None
    question = json.dumps([pattern.pattern, pattern.flags & ~re.DEBUG, nasty(pattern)])
    child.stdin.write(question.encode() + b"\n")
    child.stdin.flush()
    ready, _, _ = select.select([child.stdout], [], [], GIVE_UP)
    answer = child.stdout.readline() if ready else b""
    return float(answer) if answer else None


def nasty(pattern: re.Pattern[str]) -> list[str]:
    """Make the strings: each at most as long as what an expression is shown of a message."""
    walk = _Walk()
    walk.sequence(_parse(pattern.pattern, pattern.flags), "")
    letters = list(dict.fromkeys(character for _, body, *_ in walk.attacks for character in body))[:6]
    generic = [("", "".join(pair), 0, 0) for pair in itertools.product(letters, repeat=2)]
    # One of each in turn, so that time and number run out for all alike.
    turns = itertools.zip_longest(*(_strings(*attack) for attack in [*walk.attacks, *generic]), fillvalue="")
    return list(itertools.islice(dict.fromkeys(itertools.chain.from_iterable(turns)), MAX_STRINGS))


def _strings(prefix: str, body: str, least: int, most: int) -> Iterator[str]:
    """A repeat's *body* as often as fits, or just too seldom, or as often as it may; and then what does not match."""
    counts = dict.fromkeys(times for times in (REGEX_SEEN, least - 1, most) if times > 0)
    for tail, times in itertools.product(("!", "", "\n\x01", "中", "a", "0", " "), counts):
        pumped = (prefix + body * times)[: REGEX_SEEN - len(tail)]
        yield pumped + tail
        if times < REGEX_SEEN:
            yield (pumped + (tail or "!") * REGEX_SEEN)[:REGEX_SEEN]


def _parse(pattern: str, flags: int) -> Any:
    # Renamed in Python 3.11; not documented, and steady for twenty years.
    name = "re._parser" if sys.version_info >= (3, 11) else "sre_parse"
    return importlib.import_module(name).parse(pattern, flags & ~re.DEBUG)


# One of each category, and which characters are of it.
_CATEGORIES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": ("0", str.isdigit),
    "CATEGORY_NOT_DIGIT": ("a", lambda c: not c.isdigit()),
    "CATEGORY_SPACE": (" ", str.isspace),
    "CATEGORY_NOT_SPACE": ("a", lambda c: not c.isspace()),
    "CATEGORY_WORD": ("a", lambda c: c.isalnum() or c == "_"),
    "CATEGORY_NOT_WORD": ("-", lambda c: not (c.isalnum() or c == "_")),
}
_ANYTHING = "a0 -中\"_,\n"
# Of the ways to match one part, so many are followed.
_SAMPLES = 3


class _Walk:
    """Goes through a parse tree and notes every repeat: what stands before it, and what it repeats."""

    def __init__(self) -> None:
        # Prefix, body, least and most times (0: no limit that matters).
        self.attacks: list[tuple[str, str, int, int]] = []

    def sequence(self, nodes: Any, prefix: str) -> list[str]:
        """Return some texts that *nodes*, one after the other, match."""
        samples = [""]
        for operation, argument in nodes:
            here = self._node(operation.name, argument, (prefix + samples[0])[:REGEX_SEEN])
            # The first with the first, and each other way once.
            samples = [samples[0] + each for each in here] + [each + here[0] for each in samples[1:]]
            samples = [each[:REGEX_SEEN] for each in dict.fromkeys(samples)][:_SAMPLES]
        return samples

    def _node(self, name: str, argument: Any, prefix: str) -> list[str]:
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "RANGE", "CATEGORY"):
            return _characters(name, argument)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self._repeat(argument, prefix)
        if name == "SUBPATTERN":
            return self.sequence(argument[3], prefix)
        if name == "ATOMIC_GROUP":
            return self.sequence(argument, prefix)
        if name == "BRANCH":
            return [each for branch in argument[1] for each in self.sequence(branch, prefix)[:1]]
        if name in ("ASSERT", "ASSERT_NOT"):
            self.sequence(argument[1], prefix)
        elif name == "GROUPREF_EXISTS":
            for branch in argument[1:]:
                self.sequence(branch or [], prefix)
        return [""]

    def _repeat(self, argument: Any, prefix: str) -> list[str]:
        least, most, inner = argument
        bodies = self.sequence(inner, prefix)
        least, most = min(int(least), REGEX_SEEN), min(int(most), REGEX_SEEN)
        if most > 1:
            for body in filter(None, dict.fromkeys([*bodies, "".join(bodies)])):
                self.attacks.append((prefix, body, least, most if most < REGEX_SEEN else 0))
        once = [body * max(least, 1) for body in bodies]
        return [*once, ""] if least == 0 else once


def _characters(name: str, argument: Any) -> list[str]:
    """Some characters of a literal or a class."""
    if name == "LITERAL":
        return [chr(argument)]
    if name == "ANY":
        return ["a"]
    if name == "NOT_LITERAL":
        return [next(c for c in _ANYTHING if c != chr(argument))]
    if name == "RANGE":
        return [chr(argument[0])]
    if name == "CATEGORY":
        return [_CATEGORIES[argument.name][0]] if argument.name in _CATEGORIES else ["a"]
    items = [(operation.name, value) for operation, value in argument]
    if items[0][0] != "NEGATE":
        return [each for item in items[:_SAMPLES] for each in _characters(*item)]
    outside = [c for c in _ANYTHING if not any(_in(c, *item) for item in items[1:])]
    return outside[:_SAMPLES] or ["\x01"]


def _in(character: str, name: str, argument: Any) -> bool:
    if name == "LITERAL":
        return ord(character) == int(argument)
    if name == "RANGE":
        return bool(argument[0] <= ord(character) <= argument[1])
    return argument.name in _CATEGORIES and _CATEGORIES[argument.name][1](character)
