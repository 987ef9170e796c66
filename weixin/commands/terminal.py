"""How commands speak to a person: to standard output, in the terminal's own encoding, coloured if it likes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from .. import texts
from ..problem import Problem

_COLORS = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}
# What a stranger wrote may be shown and may not steer: C0 but tab and line feed, DEL, C1 (where a terminal may find an
# escape sequence in one character), line ends of Unicode's, and what turns the writing around. Our colours pass.
_STEERING = (
    "(?P<color>\x1b\\[[0-9;]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


class Unwritable(OSError):
    """Standard output takes nothing: a full disk, most often."""


class Terminal:
    """Standard output and error for one command."""

    def __init__(self, lang: str, *, color: str = "auto", quiet: bool = False) -> None:
        self.lang = lang
        self.quiet = quiet
        likes = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()
        self.color = color == "always" or (color == "auto" and likes)

    def say(self, text: str) -> None:
        """Print what was asked for."""
        _write(sys.stdout, text)

    def note(self, text: str) -> None:
        """Print what is only nice to know: not with --quiet."""
        if not self.quiet:
            self.say(text)

    def data(self, value: Any, indent: int | None = None) -> None:
        """Print *value* as JSON, for programs, exactly; what would steer a terminal is escaped."""
        import json  # a server prints none

        text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
        self.say(json.dumps(value, indent=indent, default=str) if re.search(_STEERING, text) else text)

    def error(self, text: str) -> None:
        """Print why it did not work."""
        _write(sys.stderr, text)

    def paint(self, text: str, color: str) -> str:
        """Return *text* in a colour, where there are any."""
        return f"\x1b[{_COLORS[color]}m{text}\x1b[0m" if self.color else text

    def problems(self, problems: Iterable[Problem]) -> None:
        """Print faults: where, code, what, and what to do."""
        for problem in problems:
            title, _, fix = texts.explain(problem.code, self.lang, problem.values)
            place = f"{shorten(problem.file)}:{problem.line}" if problem.line else shorten(problem.file)
            indent = " " * (width(place) + 2 if place else 0)
            self.error(f"{place}{'  ' if place else ''}{self.paint(problem.code, 'red')}  {_harmless(title)}")
            if fix:
                self.error(indent + texts.say("fix", self.lang, fix=fix))


def shorten(path: str) -> str:
    """Show *path* the way a person at this prompt would write it."""
    if not os.path.isabs(path) or os.getcwd() == os.sep:  # a service's folder: nothing is here, or everything
        return path
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def width(text: str) -> int:
    """How many columns *text* takes: a Chinese character takes two."""
    import unicodedata  # for tables, and for faults in a file

    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def pad(text: str, columns: int) -> str:
    """Fill *text* up with blanks to *columns*."""
    return text + " " * max(0, columns - width(text))


def columns(names: Iterable[str]) -> str:
    """Names in lines of at most eighty letters."""
    import textwrap  # for help, which a server never prints

    return textwrap.fill("  ".join(names), 78, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _harmless(text: str) -> str:
    """A file's own words may hold what a terminal would obey."""
    import unicodedata  # as above

    return "".join(f"\\x{ord(c):02x}" if unicodedata.category(c) == "Cc" else c for c in text)


def _write(stream: TextIO, text: str) -> None:
    text = re.sub(_STEERING, lambda found: found["color"] or "�", text)
    try:
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:  # LANG=C, GBK
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if stream is sys.stdout:
            raise Unwritable(error.errno, error.strerror) from None
        # Where errors go nothing goes: there is nobody left to tell.
