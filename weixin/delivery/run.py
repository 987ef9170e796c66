"""A message at the desk: what runs, who waits for it, and what a delivery is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Callable, NamedTuple

from ..store.base import Answer, Claim, Push
from ..wire.messages import Message
from .bell import Bell

if TYPE_CHECKING:
    from ..routing.rules import Hit, Rule
    from .state import Access

# Did the peer hang up, within so many seconds, or until the descriptor is readable? (environ["wxserve.wait_gone"])
Gone = Callable[[float, int], bool]


class Given(NamedTuple):
    """What a delivery is answered with: plain bytes of a reply or an acknowledgement, or nothing at all (*silent*)."""

    body: bytes
    silent: bool
    name: str
    attempt: int
    #: replied, success, busy, duplicate, silent, error
    result: str
    #: The reply's MsgType, the rule it is of, and seconds since the delivery arrived.
    reply: str = ""
    rule: str = ""
    code: str = ""
    seconds: float = 0.0
    #: Seconds since its run began, where it waited for that.
    ran: float = 0.0


class Visit:
    """One delivery of a message, waiting."""

    __slots__ = ("age", "arrived", "at", "attempt", "bell", "gone")

    def __init__(self, arrived: float, at: float, age: float, gone: Gone | None) -> None:
        #: When it arrived, by the monotonic clock and by the wall's.
        self.arrived = arrived
        self.at = at
        #: How old the message was when it was sent.
        self.age = age
        self.gone = gone
        self.attempt = 1
        self.bell: Bell | None = None


class Run:
    """One message in this process, from its first delivery here until nobody waits for it."""

    __slots__ = (
        "access", "answer", "began", "claim", "done", "finding", "hits", "key", "message", "on_pool",
        "push", "rule", "said", "thread", "visits",
    )  # fmt: skip

    def __init__(self, push: Push, message: Message) -> None:
        self.key = push.key
        self.push = push
        self.message = message
        #: Ours, if this process has it; else another's, and it is watched.
        self.claim: Claim | None = None
        self.visits: list[Visit] = []
        #: Where it runs and since when (0: nowhere), and which slow rule it got to.
        self.thread = 0
        self.began = 0.0
        self.on_pool = False
        self.rule: Rule | None = None
        self.hits: Iterator[Hit] | None = None
        self.access: Access | None = None
        #: The busy text was said here.
        self.said = False
        #: How it ended, if it ended here.
        self.answer: Answer | None = None
        #: The code of the first thing that is wrong with its reply.
        self.finding = ""
        #: It has its answer, in the store. None: it was dropped, and a delivery has to begin anew.
        self.done = False
