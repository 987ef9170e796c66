"""What can be wrong with handlers and replies: errors as values, so that a person gets all of them at once.

Each has a code of the catalogue of texts, a place, a reason for programs and the values its sentence needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: The code of whatever is wrong in replies.ini.
TABLE_CODE = "WX-RPL-03"


class Misuse(ValueError):
    """A wrong argument to ``on.…``, or a wrong word in replies.ini; whoever knows the place makes a LoadError of it."""

    def __init__(self, reason: str, words: str, **values: Any) -> None:
        super().__init__(words)
        self.reason = reason
        self.values = values


class LoadError(Exception):
    """One thing that keeps the program from starting: ``WX-HND-…`` in a handlers file, ``WX-RPL-03`` in replies.ini."""

    def __init__(self, code: str, file: str, line: int, reason: str, **values: Any) -> None:
        super().__init__(f"{file}:{line} {code} {reason} {values}")
        self.code = code
        self.file = file
        self.line = line
        self.reason = reason
        self.values = values


def hint(word: str, known: Iterable[str]) -> str:
    """Return `` → voice?``, the one of *known* that *word* was probably meant to be, or ``""``."""
    import difflib  # for who mistyped something; everybody else starts sooner

    return "".join(f" → {near}?" for near in difflib.get_close_matches(word.lower(), list(known), 1))
