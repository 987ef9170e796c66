"""Keywords -> the ranks of the rules that have them, as fast for a hundred thousand as for ten.

A text is compared folded: full width is half width, case is one, outer blanks do not count, and for a whole text
neither do the marks at its end: 「天气？」 is 「天气」.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable

# People type less than this; what a program sends is not searched to its end.
SEEN = 2_048
# Longer than any keyword; a header that long is a text that lost its indentation.
MAX_KEYWORD = 200
# Behind a whole text, after NFKC, which makes ！？． of these.
_FINAL = "。.!? \t\r\n"

# Folded texts that are remembered, of at most SEEN characters where users wrote them.
REMEMBERED = 128

Ranks = tuple[int, ...]


@functools.lru_cache(maxsize=REMEMBERED)
def plain(text: str) -> str:
    """Fold width, case and outer blanks. Asked twice about every text, so the last ones are remembered."""
    if text.isascii():
        return text.strip().lower()
    return unicodedata.normalize("NFKC", text).casefold().strip()


def whole(folded: str) -> str:
    """Take the marks from the end of a folded text, unless it is nothing but marks."""
    return folded.rstrip(_FINAL) or folded


class Index:
    """The keywords of one kind of message: whole texts, beginnings, and parts."""

    __slots__ = ("_contained", "_exact", "_prefix")

    def __init__(self) -> None:
        self._exact: dict[str, Ranks] = {}
        self._prefix = Heads()
        self._contained = Heads()

    def exact(self, word: str, rank: int) -> None:
        known = self._exact.setdefault(word, (rank,))
        if rank not in known:
            self._exact[word] = (*known, rank)

    def prefix(self, word: str, rank: int) -> None:
        self._prefix.add(word, rank)

    def contained(self, word: str, rank: int) -> None:
        self._contained.add(word, rank)

    def find(self, word: str, text: str) -> list[tuple[int, str]]:
        """Return rank and keyword of all that *word* equals, or that *text* begins with or contains, by rank."""
        ranks = self._exact.get(word)
        found = [] if ranks is None else [(rank, word) for rank in ranks]
        if self._prefix.words:
            found += self._prefix.before(text)
        if self._contained.words:
            found += self._contained.within(text)
        if len(found) > 1:
            found.sort()
        return found


class Heads:
    """Words by their first two characters: what may begin at a place is known after one look."""

    __slots__ = ("_firsts", "_lengths", "_singles", "words")

    def __init__(self, words: Iterable[tuple[str, int]] = ()) -> None:
        #: The ranks of each.
        self.words: dict[str, Ranks] = {}
        # The lengths of the words that begin with two given characters.
        self._lengths: dict[str, tuple[int, ...]] = {}
        self._firsts: set[str] = set()
        # Words of one character have no two.
        self._singles: set[str] = set()
        for word, rank in words:
            self.add(word, rank)

    def add(self, word: str, rank: int) -> None:
        """Add a *word*, which is folded and not empty, of the rule at *rank*."""
        known = self.words.setdefault(word, (rank,))
        if rank not in known:
            self.words[word] = (*known, rank)
        self._firsts.add(word[0])
        if len(word) == 1:
            self._singles.add(word)
            return
        lengths = self._lengths.get(word[:2], ())
        if len(word) not in lengths:
            self._lengths[word[:2]] = (*lengths, len(word))

    def before(self, text: str) -> list[tuple[int, str]]:
        """Return rank and word of all that *text* begins with."""
        lengths = self._lengths.get(text[:2], ())
        words = {text[:length] for length in lengths} if lengths else set()
        if text[:1] in self._singles:
            words.add(text[:1])
        return [(rank, word) for word in words for rank in self.words.get(word, ())] if words else []

    def within(self, text: str) -> list[tuple[int, str]]:
        """Return rank and word of all that *text* contains, each once."""
        if self._firsts.isdisjoint(text):  # no word can begin anywhere: so it is of most texts, where words are few
            return []
        lengths, known = self._lengths, self.words
        words = self._singles.intersection(text)
        for at in range(len(text) - 1):
            if text[at : at + 2] in lengths:
                words.update([text[at : at + length] for length in lengths[text[at : at + 2]]])
        return [(rank, word) for word in words if word in known for rank in known[word]]
