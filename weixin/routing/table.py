"""replies.ini -> rules: the keyword table of people who do not write code.

A section is a rule: its header says for which messages (``headers``), its keys what is answered (``answers``) and when
(``hours``, and ``else`` for the rest of the time). Every mistake is found in one reading, with its line.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable
from typing import NamedTuple

from weixin import ini

from . import answers, headers, hours
from .call import Answer, Function
from .errors import TABLE_CODE, LoadError, Misuse
from .headers import Target
from .index import Heads, whole
from .rules import CONTAINED, DEFAULT, EXACT, MESSAGE, PREFIX, Level, Pattern, Rule

# The line reader's findings that stand below the header they belong to.
_IN_SECTIONS = frozenset({"indented", "wide", "colon", "stray"})
# A name that could be an emoji code, [微笑], at the start of a line.
_EMOJI = r"[^|:：@\s]{1,8}"

#: ``module.function`` of handlers/ -> that function; raises Misuse where there is none.
Resolve = Callable[[str], Function]


class Table(NamedTuple):
    """What the file says. With an error among them the rules are incomplete and must not be used."""

    rules: list[Rule]
    errors: list[LoadError]


def parse(source: bytes | str, file: str, priority: int, resolve: Resolve) -> Table:
    """Read a whole replies.ini; *file* is its name in messages, *priority* that of keywords, menu keys and scenes."""
    read = ini.read(source)
    table = _Table(file, priority, resolve)
    for problem in read.problems:
        reason = _indented(problem, read) if problem.reason == "indented" else problem.reason
        table.error(problem.line, reason, **problem.values)
    # A header with nothing below it but lines that were already found wrong is not empty as well.
    headers_ = [section.line for section in read.sections]
    wrong = {bisect.bisect(headers_, problem.line) for problem in read.problems if problem.reason in _IN_SECTIONS}
    for number, section in enumerate(read.sections, 1):
        if section.entries or number not in wrong:
            table.add(section)
    return Table(table.rules, sorted(table.errors, key=lambda error: error.line))


def _indented(problem: ini.Problem, read: ini.Ini) -> str:
    """What became of the line, as far as can be told: it is a key, a remark has cut its reply off, or neither."""
    if problem.values["text"].partition("=")[0].strip() in answers.ALL_KEYS:
        return "option-indented"
    below = not problem.values["header"] and any(section.line < problem.line for section in read.sections)
    return "cut-off" if below else "indented"


def default_rule(text: str, file: str, line: int = 0) -> Rule:
    """Make the rule of ``[replies] default``: asked after everything, for any message."""
    return Rule(DEFAULT, MESSAGE, (), answers.text(text, "default"), "default", file, line)


class _Table:
    def __init__(self, file: str, priority: int, resolve: Resolve) -> None:
        self.rules: list[Rule] = []
        self.errors: list[LoadError] = []
        self._file = file
        self._priority = priority
        self._resolve = resolve
        # What has been seen, for duplicates: the line of the section.
        self._seen: dict[tuple[Level, str, object], int] = {}
        # Words whose sections always answer, by level: a longer word behind them is never reached.
        self._hiding = {PREFIX: Heads(), CONTAINED: Heads()}

    def error(self, line: int, reason: str, **values: object) -> None:
        self.errors.append(LoadError(TABLE_CODE, self._file, line, reason, **values))

    def add(self, section: ini.Section) -> None:
        """Make the rules of one section, or the error it deserves."""
        try:
            targets = headers.parse(section.name)
        except Misuse as misuse:
            self.error(section.line, misuse.reason, **misuse.values)
            return
        values = {key: value for key, value, _ in section.entries}
        try:
            parts = _parts(values, self._answer(values))
        except Misuse as misuse:
            if misuse.reason == "argument":
                misuse.values.update(function=values["call"], key="call")
            key = misuse.values.get("key", "hours" if misuse.reason == "hours" else "")
            line = next((entry.line for entry in section.entries if entry.key == key), section.line)
            code = "WX-HND-02" if misuse.reason == "argument" else TABLE_CODE
            values_ = {"name": section.name, **misuse.values}
            reason = misuse.reason
            if reason == "empty" and not (self.rules and re.fullmatch(_EMOJI, section.name)):
                reason = "empty-first"
            self.errors.append(LoadError(code, self._file, line, reason, **values_))
            return
        self._compare(section, targets, always="call" not in values and ("hours" not in values or "else" in values))
        name = f"[{section.name}]"
        for (level, kind), patterns in _grouped(targets).items():
            priority = self._priority if patterns else 0
            for each, open_ in parts:
                self.rules.append(
                    Rule(level, kind, patterns, each, name, self._file, section.line, priority, open_)
                )

    def _answer(self, values: dict[str, str]) -> Answer:
        group = answers.group_of(values)
        if group == "call":
            return self._resolve(values["call"])
        return answers.answer(group, values)

    def _compare(self, section: ini.Section, targets: list[Target], always: bool) -> None:
        """Find what can never be asked: what was said before, and what begins with or contains what is asked before."""
        for level, kind, pattern in targets:
            what = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
            if what and level is EXACT and kind == "text":
                what = whole(what)
            first = self._seen.setdefault((level, kind, what), section.line)
            if first != section.line:
                self.error(section.line, "duplicate", name=section.name, word=what or section.name, first=first)
            heads = self._hiding.get(level)
            if heads is None or not isinstance(pattern, str):
                continue
            hiding = heads.before(pattern) if level is PREFIX else heads.within(pattern)
            for line, word in sorted(hiding)[:1]:
                if line != section.line and word != pattern:
                    self.error(section.line, "unreachable", name=section.name, word=pattern, by=word, first=line)
            if always:
                heads.add(pattern, section.line)


def _parts(values: dict[str, str], answer: Answer) -> list[tuple[Answer, hours.Hours | None]]:
    """The answer and when it holds, and what holds else."""
    if "hours" not in values:
        if "else" in values:
            raise Misuse("else-alone", "else needs hours", key="else")
        return [(answer, None)]
    open_ = hours.parse(values["hours"])
    if "else" not in values:
        return [(answer, open_)]
    return [(answer, open_), (answers.text(values["else"], "else"), open_.outside())]


def _grouped(targets: list[Target]) -> dict[tuple[Level, str], tuple[Pattern, ...]]:
    if len(targets) == 1:
        level, kind, pattern = targets[0]
        return {(level, kind): () if pattern is None else (pattern,)}
    grouped: dict[tuple[Level, str], tuple[Pattern, ...]] = {}
    for level, kind, pattern in targets:
        before = grouped.get((level, kind), ())
        grouped[level, kind] = before if pattern is None or pattern in before else (*before, pattern)
    return grouped
