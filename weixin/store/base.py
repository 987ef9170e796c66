"""The store's interface, and the few values that go through it.

A home must hold three promises. A claim is exact: of all processes that share the store one has a message at a time,
and a process that dies has none. What a method calls *committed* survives the death of the process from the moment the
method returns. Everything else may be written a moment later, off the caller's path, and be lost with the process.

Times are seconds since 1970. A user belongs to an account; openids of two accounts are two users.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import NamedTuple

# A late duplicate gets the same bytes this long (``answers_kept``'s default); the platform is done after 15 seconds.
ANSWERS_KEPT = 60.0
# The three deliveries of a message take fifteen seconds; a run whose process died is anybody's after this.
ORPHAN_AFTER = 16.0
# An answer that no delivery has fetched by now never will be: the third came at ten seconds and left at fifteen, and
# the rest is for slow networks.
UNFETCHED_AFTER = 20.0
# Mail waits a day, as long as somebody remembers the question.
MAIL_KEPT = 24 * 3600.0
# Nobody has more answers waiting than this; the oldest go first.
MAIL_PER_USER = 20
# A user's state goes when nothing of it has changed this long.
STATE_KEPT = 90 * 24 * 3600.0
# «full» content is kept a day, by the issue of privacy, not of space.
CONTENT_KEPT = 24 * 3600.0
# Refusals have a small ring of their own, so that scanners push no delivery out.
REFUSALS_KEPT = 100
# Of a fact about a refusal.
FACT_LETTERS = 80
# Counters are by the hour, for a month.
COUNTS_KEPT = 31 * 24 * 3600.0
# Names of counters in one hour: rules and unmatched texts are named by what strangers write.
COUNTS_PER_HOUR = 1_000


class Push(NamedTuple):
    """What must be known of a message to answer it, also by another process."""

    key: bytes  # 16 bytes that stand for account, user and message: four for its time, the others a hash
    account: str
    user: str
    at: float  # when its first delivery arrived
    xml: bytes
    name: str = ""  # what people call it in logs and lists
    kind: str = ""
    text: str = ""  # as much of it as may be shown


class Status(enum.Enum):
    """What asking for a message came to."""

    MINE = "mine"  # run it, then `finish` or `release`
    TAKEN = "taken"  # a living process has it
    ANSWERED = "answered"  # here is the answer


# By itself, as are the verdicts below, for every message's way: to look a member up in its class is slow before
# Python 3.12, where the class of an enumeration has a __getattr__.
MINE = Status.MINE


class Claim:
    """A message and what is known of it. Made by `Store.claim`; the homes keep their own notes on it."""

    __slots__ = ("body", "finished", "forgotten", "home", "push", "recorded", "runs", "seen", "status", "urgent")

    def __init__(self, push: Push) -> None:
        self.push = push
        self.status = MINE
        #: What it was answered with: the answer, or the busy text while the run still goes.
        self.body: bytes | None = None
        #: How many runs of it were begun and not finished.
        self.runs = 0
        #: Whether more than this process's memory knows of it; where that is so from the start, it was seen before.
        self.recorded = False
        # The home's notes: how many deliveries of it were seen; whether the message has its answer; whether its user
        # has left meanwhile; whether it may not be finished late; what holds the claim.
        self.seen = 0
        self.finished = False
        self.forgotten = False
        self.urgent = False
        self.home: object = None


class Mail(NamedTuple):
    """An answer, or the rest of one, that waits for its user."""

    question: str
    kind: str  # the reply's MsgType
    text: str  # of a text
    body: bytes  # the whole reply of anything else
    key: bytes = b""  # the message it answers
    at: float = 0.0
    id: int = 0  # given by the store


class Answer(NamedTuple):
    """How a message ended."""

    body: bytes
    fetched: bool  # whether it leaves with the delivery that made it; else one must still come for it
    take: tuple[int, ...] = ()  # mail that is in it
    put: tuple[Mail, ...] = ()  # mail that it leaves behind
    rule: str = ""
    result: str = ""
    reply: str = ""
    ms: float = 0.0
    code: str = ""
    arrived: float = 0.0  # when the delivery came that it leaves with; 0: that one is not to be listed
    counts: tuple[str, ...] = ()


def listed(at: float, seconds: float, result: str) -> str:
    """A line for the list of a message's deliveries: when one came, what it took, and what it was given."""
    return f"{at:.3f} {seconds:.3f} {result}"


class Verdict(enum.Enum):
    """What finishing a message came to."""

    KEPT = "kept"  # this is its answer
    BUSY = "busy"  # somebody has said the busy text: the answer belongs into the mailbox, by `finish_late`
    MAIL_GONE = "mail gone"  # another message took the mail: make the answer again, without
    FORGOTTEN = "forgotten"  # the user left meanwhile: nothing was kept


KEPT, BUSY, MAIL_GONE, FORGOTTEN = Verdict


class Overdue(NamedTuple):
    """A message whose fifteen seconds are over, and nobody has its answer."""

    push: Push
    runs: int
    body: bytes | None  # its answer, if it has one


class Delivery(NamedTuple):
    """One message in the list of deliveries."""

    id: int
    name: str
    at: float
    changed: float
    user: str
    kind: str
    text: str
    rule: str
    result: str
    reply: str
    size: int
    ms: float
    code: str
    attempts: tuple[str, ...]
    push: bytes
    body: bytes
    key: bytes = b""

    @property
    def created(self) -> int:
        """When its user wrote it, by the sender's clock: a key begins with that."""
        return int.from_bytes(self.key[:4], "big")


class Refusal(NamedTuple):
    """Requests that were turned away, alike and together; in the same ring, without a code, checks that passed."""

    at: float
    code: str
    ip: str
    #: Why, and facts about it; make it with `told`, read it as `values`.
    reason: str
    times: int = 1

    @property
    def values(self) -> dict[str, str]:
        """What is known of it: ``reason``, and the facts by name."""
        reason, *facts = self.reason.split("\t")
        return {"reason": reason, **dict(fact.split("=", 1) for fact in facts if "=" in fact)}


def told(reason: str, facts: Mapping[str, object]) -> str:
    """Write a refusal's reason and the facts about it into one column; a stranger may have had a hand in them."""
    words = [reason, *(f"{name}={value}" for name, value in facts.items() if value != "")]
    # Cut before it is looked through: a header may have eight thousand letters.
    return "\t".join(_printable(word[:FACT_LETTERS]) for word in words)


def _printable(word: str) -> str:
    # Nearly every word is: asking once costs a tenth of asking each letter, and a stranger sets the number of refusals.
    return word if word.isprintable() else "".join(c for c in word if c.isprintable())


class Store(ABC):
    """Everything that is remembered. Threads may share it; a process opens its own after a fork."""

    #: What people call it: the url it was opened by.
    url: str

    # Once: one run per message.

    @abstractmethod
    def claim(self, push: Push) -> Claim:
        """Ask for a message. Of all who ask, in all processes, one at a time gets MINE."""

    @abstractmethod
    def join(self, push: Push) -> int:
        """Count one more delivery of a message, committed; return how many there were with it."""

    @abstractmethod
    def finish(self, claim: Claim, answer: Answer) -> Verdict:
        """Keep the answer. Committed where anybody else may know of the message, or mail goes in or out with it."""

    @abstractmethod
    def finish_late(self, claim: Claim, mail: Iterable[Mail], answer: Answer) -> None:
        """End a message whose busy text was said: its answer's *mail* waits for the user, committed."""

    @abstractmethod
    def release(self, claim: Claim) -> None:
        """Give a message up without an answer; anybody may claim it."""

    @abstractmethod
    def say_busy(self, push: Push, body: bytes) -> bytes:
        """Let *body*, the busy text, be what this message was answered with, committed; return what to send.

        That is the answer itself, if it came first.
        """

    @abstractmethod
    def fetch(self, key: bytes) -> bytes | None:
        """Take a message's answer for a delivery, committed: it shall not go to the mailbox. None where it has none."""

    @abstractmethod
    def missed(self, key: bytes) -> None:
        """The delivery that took the answer has left without it, committed: if no other fetches it, it is overdue."""

    @abstractmethod
    def overdue(self, now: float) -> list[Overdue]:
        """Messages whose time is over, that nobody runs and whose answer, if any, nobody fetched.

        To have one, `claim` it or `settle` it.
        """

    @abstractmethod
    def settle(self, key: bytes, body: bytes, mail: Iterable[Mail]) -> bool:
        """Move an unfetched answer to the mailbox, committed, and say *body* from now on; whether it was still so."""

    # Mail: what missed its deliveries.

    @abstractmethod
    def mail(self, account: str, user: str) -> list[Mail]:
        """What waits for a user, oldest first. Next to nothing when nothing does."""

    @abstractmethod
    def expecting(self, account: str, user: str, now: float) -> bool:
        """Whether an answer is on its way to this user's mailbox."""

    # State: a user's own dictionary, name -> JSON.

    @abstractmethod
    def state(self, account: str, user: str) -> dict[str, str]:
        """All of a user's state."""

    @abstractmethod
    def change(self, account: str, user: str, changes: Mapping[str, str | None]) -> None:
        """Set some names of a user's state, and delete those that are None, committed together."""

    @abstractmethod
    def lock(self, name: bytes, timeout: float) -> bool:
        """Lock a name, against every thread of every process; False if that takes longer than *timeout* seconds."""

    @abstractmethod
    def unlock(self, name: bytes) -> None:
        """Unlock a name that this process has locked; any of its threads may."""

    @abstractmethod
    def forget(self, user: str) -> None:
        """Delete a user's state, mail and everything written or answered, committed."""

    # Records: what people look at later.

    @abstractmethod
    def attempt(self, key: bytes, line: str, counts: tuple[str, ...] = ()) -> None:
        """Add a line to a message's list of deliveries."""

    @abstractmethod
    def refused(self, refusal: Refusal) -> None:
        """Remember a refusal, or a check that passed."""

    @abstractmethod
    def silent(self, now: float) -> None:
        """One delivery was left to time out, committed."""

    @abstractmethod
    def silences(self, since: float) -> int:
        """How many deliveries were left to time out since."""

    @abstractmethod
    def deliveries(self, limit: int, after: float = 0.0) -> list[Delivery]:
        """The last messages, newest first; with *after* those that changed since."""

    @abstractmethod
    def delivery(self, name: str) -> Delivery | None:
        """The message people call *name*; the newest, should there be two."""

    @abstractmethod
    def refusals(self, after: float = 0.0) -> list[Refusal]:
        """The last refusals, newest first."""

    @abstractmethod
    def checks(self, after: float = 0.0) -> list[Refusal]:
        """The last checks of the address that passed, newest first."""

    @abstractmethod
    def counts(self, since: float) -> dict[str, int]:
        """Counters, by name, of the hours since; ``users`` is how many wrote."""

    # The home itself.

    @abstractmethod
    def check(self) -> str:
        """Look the whole store over; return what is wrong, or nothing."""

    @abstractmethod
    def size(self) -> int:
        """How many bytes it takes, roughly."""

    @abstractmethod
    def catch_up(self) -> None:
        """Write what waits, if it is much. For threads that have just answered, and have nothing to do for a moment."""

    @abstractmethod
    def flush(self) -> bool:
        """Write now what waits to be written; whether all of it is."""

    @abstractmethod
    def close(self) -> None:
        """Flush and let go of everything."""
