"""The line reader of wxserve.ini and replies.ini: text -> sections, with the line of everything and of every mistake.

It looks like configparser's INI and is stricter where that one loses text without a word: a value's block ends only at
a line that is not indented, ``#`` is a comment only at the start of a line that is in no block, nothing may follow
``]``, and only ``=`` separates. There is no interpolation, and names keep their case. It knows no section and no key;
who does asks it to ``read`` and finds its own faults besides.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

# A tab indents as far as an editor shows it.
TAB = 4
# How other formats write an entry.
_COLON = r"([A-Za-z_][A-Za-z0-9_.]*)\s*[:：]"
# What a Chinese input method puts where we need [ ] and =.
_WIDE = {"【": "[", "［": "[", "〔": "[", "＝": "="}


class Entry(NamedTuple):
    """``key = value``, and the line it begins at."""

    key: str
    value: str
    line: int


class Section(NamedTuple):
    """What stands under one ``[name]``."""

    name: str
    line: int
    entries: list[Entry]


class Problem(NamedTuple):
    """One mistake: a reason for programs, its line, and the values a sentence about it needs.

    ========================= ============================================================ ========================
    ``encoding``              the file is not in UTF-8                                     encoding (a guess)
    ``junk``                  something follows ``]``                                      name, rest
    ``bracket``               a ``[`` without its ``]``                                    text
    ``colon``                 ``key: value`` below a section or a whole value              key
    ``stray``                 neither ``[section]`` nor ``key = value`` nor indented       text
    ``wide``                  a full-width character where ``[`` or ``=`` is needed        found, wanted
    ``no-section``            an entry before the first section                            key
    ``indented``              an indented line that continues nothing                      text, header (line or 0)
    ``duplicate-key``         a key twice in one section                                   key, first (line)
    ``duplicate-section``     a section twice                                              name, first (line)
    ========================= ============================================================ ========================
    """

    reason: str
    line: int
    values: dict[str, Any]


class Ini(NamedTuple):
    """What was read; with a problem in it, the sections are only good for finding more problems."""

    sections: list[Section]
    problems: list[Problem]


def read(source: bytes | str) -> Ini:
    """Read a whole file, to the end whatever is wrong with it."""
    try:
        text = source.decode() if isinstance(source, bytes) else source
    except UnicodeDecodeError as error:
        return Ini([], [in_another_encoding(error)])
    reader = _Reader()
    if text.startswith("\ufeff"):
        text = text[1:]
    # Not splitlines(): that also breaks lines at U+2028 and its like, which texts may hold.
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        reader.feed(number, line)
    reader.finish()
    return Ini(reader.sections, reader.problems)


def in_another_encoding(error: UnicodeDecodeError) -> Problem:
    """Where a file stops being UTF-8, and what it is most likely in."""
    guess = "UTF-16" if error.object.startswith((b"\xff\xfe", b"\xfe\xff")) else "GBK"
    return Problem("encoding", error.object.count(b"\n", 0, error.start) + 1, {"encoding": guess})


class _Reader:
    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.problems: list[Problem] = []
        # The section being read (None before the first one), and where its keys were.
        self._section: Section | None = None
        self._keys: dict[str, int] = {}
        self._names: dict[str, int] = {}
        # The value being read: its key, line and first line, and the block below it.
        self._open: Entry | None = None
        self._block: list[str] = []
        # After one mistake the indented lines below it are not mistakes of their own.
        self._lost = False
        # A header with a mistake in it, or a reply's line that looks like one: what follows will tell.
        self._doubtful: Section | None = None

    def feed(self, number: int, line: str) -> None:
        first = line[:1]
        if first == "[":
            self._header(number, line.rstrip())
        elif first == "#":
            self.finish()
        elif first and not first.isspace():
            self._entry(number, line)
        elif not line.strip():
            self._block.append("")
        else:
            self._indented(number, line)

    def finish(self) -> None:
        """Close the value being read, if there is one."""
        if self._open is not None:
            entry = self._open
            key, value, line = entry
            # Most have nothing but a blank line below them.
            if any(self._block):
                value = "\n".join([value, *_dedent(self._block)]).strip("\n")
                entry = Entry(key, value, line)
            if self._section is None:
                self._problem("no-section", line, key=key)
            elif key in self._keys:
                self._problem("duplicate-key", line, key=key, first=self._keys[key])
            else:
                self._keys[key] = line
                self._section.entries.append(entry)
            self._open = None
        self._block.clear()
        self._lost = False

    def _header(self, number: int, line: str) -> None:
        if line[-1] != "]":
            name, bracket, rest = line[1:].partition("]")
            if bracket:
                self._problem("junk", number, name=name.strip(), rest=rest.strip())
            else:
                self._problem("bracket", number, text=line)
            self._doubtful = Section(name.strip(), number, [])
            self._lost = True
            return
        self.finish()
        self._doubtful = None
        name = line[1:-1].strip()
        self._section = Section(name, number, [])
        self._keys.clear()
        if name in self._names:
            self._problem("duplicate-section", number, name=name, first=self._names[name])
        else:
            self._names[name] = number
            self.sections.append(self._section)

    def _entry(self, number: int, line: str) -> None:
        key, equals, value = line.partition("=")
        key = key.strip()
        if equals and key:
            self.finish()
            if self._doubtful is not None:
                # A header after all; what stands below it is not to be blamed for it.
                self._section, self._doubtful = self._doubtful, None
                self._keys.clear()
            self._open = Entry(key, value.strip(), number)
            return
        self._unreadable(number, line)
        self._lost = True

    def _unreadable(self, number: int, line: str) -> None:
        for found, wanted in _WIDE.items():
            if line[0] == found or (wanted == "=" and found in line):
                self._problem("wide", number, found=found, wanted=wanted)
                if wanted == "[":
                    self._doubtful = Section(line.strip(), number, [])
                return
        colon = re.match(_COLON, line)
        if colon and not self._block:
            self._problem("colon", number, key=colon[1])
        else:
            self._problem("stray", number, text=line.strip())

    def _indented(self, number: int, line: str) -> None:
        if self._open is not None:
            self._block.append(line.rstrip())
        elif not self._lost:
            empty = self._section is not None and not self._section.entries
            header = self._section.line if self._section is not None and empty else 0
            self._problem("indented", number, text=line.strip(), header=header)
            self._lost = True

    def _problem(self, reason: str, line: int, **values: Any) -> None:
        self.problems.append(Problem(reason, line, values))


def _dedent(block: list[str]) -> list[str]:
    """Take the indentation that all lines share away from each; blank ones have none."""
    lines: list[tuple[str, str]] = []
    for line in block:
        words = line.lstrip()
        lines.append((line[: len(line) - len(words)].expandtabs(TAB), words))
    common = min((len(indent) for indent, words in lines if words), default=0)
    return [indent[common:] + words for indent, words in lines]
