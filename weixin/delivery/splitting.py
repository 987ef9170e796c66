"""Cutting a text that is too long for one reply, where a reader would pause.

At the end of a paragraph, else of a line, else of a sentence, else between words; never inside a link, and never inside
what a reader takes for one character (UAX #29: a family of emoji is seven code points).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# A place is good if at least this much of the room is used.
_LEAST = 0.4
_LINK = r"(?is)<a\b[^>]*>.*?</a>|<a\b[^>]*>|</a>"
_PLACES = (
    r"\n[ \t]*\n+",
    r"\n",
    r"[。！？!?…；;][」』”’）)\"']*|\.[\"')]*(?=\s)",
    r"[，、,：:]|\s",
)
_ZWJ = "\u200d"


def split(text: str, room: int) -> tuple[str, str]:
    """Cut *text* so that its first part has at most *room* bytes of UTF-8; return both, without the blanks between.

    The first part is empty only if not even one character fits.
    """
    if len(text.encode("utf-8", "surrogatepass")) <= room:
        return text, ""
    longest = _fitting(text, room)
    links = [match.span() for match in re.finditer(_LINK, text)]
    least = int(longest * _LEAST)
    for place in _PLACES:
        found = re.compile(place).finditer(text, 0, longest)
        cuts = [match.end() for match in found if match.end() > least]
        for cut in reversed(cuts):
            if _is_open(text, cut, links):
                return _parts(text, cut)
    for cut in range(longest, 0, -1):
        if _is_open(text, cut, links):
            return _parts(text, cut)
    # One link, or one character of code points without end, longer than a reply: it is cut all the same.
    return _parts(text, longest)


def _parts(text: str, cut: int) -> tuple[str, str]:
    return text[:cut].rstrip(), text[cut:].lstrip()


def _fitting(text: str, room: int) -> int:
    """How many of the first characters have at most *room* bytes."""
    return len(text.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore"))


def _is_open(text: str, cut: int, links: list[tuple[int, int]]) -> bool:
    return not any(start < cut < end for start, end in links) and _is_boundary(text, cut)


def _is_boundary(text: str, cut: int) -> bool:
    """Whether a character of the reader's ends before *cut*: the rules of UAX #29 that matter to chats."""
    if cut <= 0 or cut >= len(text):
        return True
    before, after = text[cut - 1], text[cut]
    if before == "\r" and after == "\n":
        return False
    if before == _ZWJ or after == _ZWJ or _extends(after):
        return False
    if _is_flag(before) and _is_flag(after):
        return _flags_before(text, cut) % 2 == 0
    return True


def _extends(character: str) -> bool:
    """Combining marks, variation selectors (they are Mn), the tags of flags, skin tones, keycaps."""
    return (
        unicodedata.category(character) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, cut: int) -> int:
    return sum(1 for _ in _run_of_flags(text, cut))


def _run_of_flags(text: str, cut: int) -> Iterator[str]:
    while cut > 0 and _is_flag(text[cut - 1]):
        cut -= 1
        yield text[cut]
