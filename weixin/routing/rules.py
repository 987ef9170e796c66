"""A rule, and the order in which rules are asked.

Higher priority first; then what says more about the message: the exact text, what it begins with, what it contains, a
regular expression, its type, a family of types (``on.unknown``, ``on.event()``), any message at all; then the order in
which the rules were given, which is file by file and line by line. The default comes after everything. ``Rules`` is
built once and never changes; to have other rules, build another and swap it in.
"""

from __future__ import annotations

import enum
import itertools
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Union

from weixin.wire.messages import EVENTS, MESSAGE_TYPES, Message

from .call import Answer, Function
from .errors import Misuse
from .hours import Hours
from .index import MAX_KEYWORD, SEEN, Index, plain, whole

# A regular expression is asked about no more of a text than this, and there are no more of them: `re` holds the
# interpreter, so that a slow one makes everybody wait.
REGEX_SEEN = 200
MAX_REGEXES = 200

# Families of kinds; no platform would use the star in a name.
MESSAGE = "*message"
EVENT = "*event"
UNKNOWN = "*unknown"

# Kinds that carry something to compare: the text, the scene, the menu entry's key. A view's key is its address.
KEYED = frozenset({
    "click", "view", "view_miniprogram", "scancode_push", "scancode_waitmsg",
    "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select",
})  # fmt: skip
SCENES = frozenset({"scan", "subscribe"})
WORDED = KEYED | SCENES | {"text"}

Pattern = Union[str, "re.Pattern[str]"]


class Level(enum.IntEnum):
    """How much a rule says about the messages it is for; the lower is asked first."""

    EXACT = 0
    PREFIX = 1
    CONTAINED = 2
    REGEX = 3
    TYPE = 4
    FAMILY = 5
    ANY = 6
    DEFAULT = 7

    # Enum's own hash is a Python function, and a table of 100,000 sections hashes a level 300,000 times.
    __hash__ = int.__hash__


# The members by themselves: to look one up in its class is a Python function too, before Python 3.11.
EXACT, PREFIX, CONTAINED, REGEX, TYPE, FAMILY, ANY, DEFAULT = Level


class Rule(NamedTuple):
    """Which messages, and what is said to them."""

    level: Level
    #: A Message's kind, or a family of kinds.
    kind: str
    #: Any of these: keywords (``keyword``) up to CONTAINED, expressions at REGEX, else nothing.
    patterns: tuple[Pattern, ...]
    answer: Answer
    #: What people call it: ``weather.today``, ``[天气]``; and where it stands.
    name: str
    file: str
    line: int
    priority: int = 0
    hours: Hours | None = None
    #: Seconds a run may take, where its author says that it is slow; and what is said meanwhile.
    budget: float | None = None
    busy: str = ""

    @property
    def at(self) -> str:
        """``handlers/weather.py:9``."""
        return f"{self.file}:{self.line}" if self.line else self.file


class Hit(NamedTuple):
    """A rule that is for a message: the keyword or expression that says so (none above REGEX), and its match."""

    rule: Rule
    match: re.Match[str] | None = None
    word: str = ""


class Candidate(NamedTuple):
    """A hit as people see it: whether the rule is open at this hour."""

    hit: Hit
    open: bool


class _Room(NamedTuple):
    """The rules for one kind of message."""

    #: None where none of them has keywords.
    words: Index | None
    #: Those the index does not hold, with their ranks, in order; of a regular expression's, the match is yet to come.
    scanned: tuple[tuple[int, Hit], ...]


def keyword(word: str, kind: str) -> str:
    """Make *word* comparable; raise Misuse where nothing would be left of it, or too much is."""
    folded = plain(word) if kind == "text" else word.strip()
    if not folded:
        raise Misuse("empty-word", "an empty word matches nothing")
    if len(folded) > MAX_KEYWORD:
        raise Misuse("long-word", f"a keyword has at most {MAX_KEYWORD} characters", limit=MAX_KEYWORD)
    return folded


class Rules:
    """Every rule, ready to be asked; *errors* are the functions of ``on.error``."""

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        errors: Iterable[Function] = (),
        *,
        final_marks: bool = True,
        let_go: Callable[[], None] | None = None,
    ) -> None:
        """Sort *rules*; those that are equal in rank stay in the order they come in.

        *final_marks*: whether the marks at the end of a text do not count, 「天气？」 being 「天气」.
        *let_go*: what `close` calls.
        """
        self._whole = whole if final_marks else str
        self._let_go = let_go
        self._rules = sorted(rules, key=_rank)
        self.errors = tuple(errors)
        scanned: dict[str, list[tuple[int, Hit]]] = {}
        self._indexes: defaultdict[str, Index] = defaultdict(Index)
        for rank, rule in enumerate(self._rules):
            # A code that brought a new follower is a scan as well (official page 接收事件推送).
            for kind in (rule.kind, "subscribe") if rule.kind == "scan" and rule.patterns else (rule.kind,):
                if rule.level <= CONTAINED:
                    self._add(self._indexes[kind], rule, rank)
                else:
                    scanned.setdefault(kind, []).append((rank, Hit(rule)))
        self._rooms: dict[tuple[bool, str], _Room] = {}
        for kind in {*self._indexes, *scanned, "unsupported"} - {MESSAGE, EVENT, UNKNOWN}:
            for is_event in (False, True):
                self._rooms[is_event, kind] = self._room(kind, scanned, is_event, kind in _KNOWN)
        self._others = {
            (is_event, known): self._room("", scanned, is_event, known)
            for is_event in (False, True)
            for known in (False, True)
        }

    def _add(self, index: Index, rule: Rule, rank: int) -> None:
        for word in rule.patterns:
            assert isinstance(word, str)
            if rule.level is EXACT:
                index.exact(self._whole(word) if rule.kind == "text" else word, rank)
            elif rule.level is PREFIX:
                index.prefix(word, rank)
            else:
                index.contained(word, rank)

    def _room(self, kind: str, scanned: dict[str, list[tuple[int, Hit]]], is_event: bool, known: bool) -> _Room:
        families = (kind, EVENT if is_event else MESSAGE, *(() if known else (UNKNOWN,)))
        ranked = [item for family in families for item in scanned.get(family, ())]
        return _Room(self._indexes.get(kind), tuple(sorted(ranked, key=_by_rank)))

    def __iter__(self) -> Iterator[Rule]:
        """All rules, first asked first."""
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def candidates(self, message: Message, now: float) -> Iterator[Hit]:
        """Find the rules for *message* that are open at *now*, first asked first; nobody is asked twice."""
        return self._hits(message, now)

    def explain(self, message: Message, now: float) -> list[Candidate]:
        """List every rule that is for *message*, first asked first, whether it is open or not."""
        return [
            Candidate(hit, hit.rule.hours is None or hit.rule.hours.open_at(now)) for hit in self._hits(message, None)
        ]

    def close(self) -> None:
        """Forget the handlers' modules: for who has loaded again, once these rules are asked no more."""
        if self._let_go is not None:
            self._let_go()

    def regexes(self) -> list[tuple[Rule, re.Pattern[str]]]:
        """Every regular expression, with its rule."""
        return [(rule, each) for rule in self._rules for each in rule.patterns if isinstance(each, re.Pattern)]

    def _hits(self, message: Message, now: float | None) -> Iterator[Hit]:
        """Find what `candidates` does; with no *now*, closed rules too, and an answer as often as its rules say."""
        kind, is_event = message.kind, message.type == "event"
        room = self._rooms.get((is_event, kind)) or self._others[is_event, message.known]
        subject = message.text.strip() if kind == "text" else _key(message).strip()
        ranked: Iterable[tuple[int, Hit | str]] = room.scanned
        if room.words is not None and subject:
            found = self._look_up(room.words, kind, subject)
            if found:
                ranked = _merged(found, room.scanned)
        asked: set[int] = set()
        for rank, each in ranked:
            hit = each if isinstance(each, Hit) else _worded(self._rules[rank], each, subject)
            rule = hit.rule
            if rule.level is REGEX:
                matched = _search(rule, subject)
                if matched is None:
                    continue
                hit = matched
            if now is not None:
                if id(rule.answer) in asked or (rule.hours is not None and not rule.hours.open_at(now)):
                    continue
                asked.add(id(rule.answer))
            yield hit

    def _look_up(self, words: Index, kind: str, subject: str) -> list[tuple[int, str]]:
        if kind != "text":
            return words.find(subject, subject[:SEEN])
        folded = plain(subject[:SEEN])
        # Of a text that was cut, what is left is not the whole.
        return words.find(self._whole(folded) if len(subject) <= SEEN else "", folded[:SEEN])


_KNOWN = frozenset(MESSAGE_TYPES + EVENTS)
_by_rank = operator.itemgetter(0)


def _rank(rule: Rule) -> tuple[bool, int, Level]:
    return rule.level is DEFAULT, -rule.priority, rule.level


def _key(message: Message) -> str:
    """What the words of a rule are compared with, where the message is no text."""
    return message.scene if message.kind in SCENES else message.key


def _merged(found: list[tuple[int, str]], scanned: tuple[tuple[int, Hit], ...]) -> Iterable[tuple[int, Hit | str]]:
    """Put both in the order of their ranks, each being in it already."""
    if not scanned or found[-1][0] < scanned[0][0]:
        return itertools.chain(found, scanned)
    return sorted((*found, *scanned), key=_by_rank)


def _worded(rule: Rule, word: str, subject: str) -> Hit:
    """The hit that *word*, one of the keywords of *rule*, makes of a subject."""
    if rule.level is not PREFIX:
        return Hit(rule, None, word)
    return Hit(rule, _after(_typed(word, subject) if rule.kind == "text" else len(word), subject), word)


def _search(rule: Rule, subject: str) -> Hit | None:
    if not subject:
        return None
    seen = subject[:REGEX_SEEN]
    for pattern in rule.patterns:
        assert isinstance(pattern, re.Pattern)
        match = pattern.search(seen)
        if match is not None:
            return Hit(rule, match, pattern.pattern)
    return None


def _typed(word: str, subject: str) -> int:
    """Return how many characters of *subject* are *word*, once they are folded."""
    head = subject[: len(word)]
    if plain(head) == word:
        return len(head)  # the subject may be shorter than what it is folded to
    # Folding made it longer or shorter: ㎏ is kg.
    most = min(len(subject), SEEN)
    return next((length for length in range(1, most) if plain(subject[:length]).startswith(word)), most)


def _after(length: int, subject: str) -> re.Match[str] | None:
    """Match *subject* with the groups ``word``, of that *length*, and ``rest``."""
    return re.compile(rf"(?s)(?P<word>.{{{length}}})\s*(?P<rest>.*)").match(subject)

