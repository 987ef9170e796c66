"""A message at the desk: what runs, who waits for it, and what a delivery is given."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Callable, NamedTuple

from ..routing.call import Asking
from ..store.base import Answer, Claim, Push
from ..wire.messages import Message
from ..wire.replies import SUCCESS
from . import deadline
from .bell import Bell
from .state import Access, State

if TYPE_CHECKING:
    from ..routing.rules import Hit, Rule
    from .once import Desk

# Did the peer hang up, within so many seconds, or until the descriptor is readable? (environ["wxserve.wait_gone"])
Gone = Callable[[float, int], bool]

_KIND = rb"<MsgType><!\[CDATA\[(\w+)"


def result_of(failed: bool, body: bytes) -> str:
    """What an answer counts as; *failed*: it is what there was to say to an error."""
    return "error" if failed else "success" if body == SUCCESS or not body else "replied"


class Given(NamedTuple):
    """What a delivery is answered with: plain bytes of a reply or an acknowledgement, or nothing at all (*silent*)."""

    body: bytes
    silent: bool
    name: str
    attempt: int
    #: replied, success, busy, duplicate, silent, error
    result: str
    #: Seconds from the delivery's arrival to now.
    seconds: float = 0.0
    #: How its message ended, where this process ended it.
    answer: Answer | None = None

    @property
    def reply(self) -> str:
        """The reply's MsgType."""
        if self.answer is not None:
            return self.answer.reply
        kind = re.search(_KIND, self.body)
        return kind[1].decode() if kind is not None else ""

    @property
    def rule(self) -> str:
        """The place of the rule that the answer is of."""
        return self.answer.rule if self.answer is not None else ""

    @property
    def code(self) -> str:
        """What went wrong."""
        return "WX-HND-05" if self.answer is not None and self.answer.result == "error" else ""

    @property
    def ran(self) -> float:
        """Seconds from the beginning of its run to its end."""
        return self.answer.ms / 1000 if self.answer is not None else 0.0


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


class Run(Asking):
    """One message in this process, from its first delivery here until nobody waits for it.

    It is also what the rules are asked with: behind it are the user's state, and the time that is left.
    """

    __slots__ = (
        "_desk", "access", "answer", "attempt", "began", "claim", "done", "earlier", "ended", "exclusive", "fetches",
        "finding", "hits", "key", "message", "on_pool", "push", "rule", "said", "slow", "thread", "turn", "visits",
    )  # fmt: skip

    def __init__(self, desk: Desk, push: Push, message: Message) -> None:
        self._desk = desk
        self.key = push.key
        self.push = push
        self.message = message
        #: Ours, if this process has it; else another's, and it is watched.
        self.claim: Claim | None = None
        self.visits: list[Visit] = []
        #: Where it runs and from when to when (0: nowhere); on which delivery, and with the user's state locked or not.
        self.thread = 0
        self.began = 0.0
        self.ended = 0.0
        #: When the turn of the rule that is asked began, without the time in which others had the user's state.
        self.turn = 0.0
        self.on_pool = False
        self.attempt = 1
        self.exclusive = True
        #: Which slow rule it got to, and what is asked then.
        self.rule: Rule | None = None
        self.hits: Iterator[Hit] | None = None
        self.slow: Callable[[Rule], bool] | None = None
        #: The way to the user's state, once a handler asked for it; and that of those before a slow rule.
        self.access: Access | None = None
        self.earlier: Access | None = None
        #: The busy text was said here.
        self.said = False
        #: It is the pick-up word, and waits for what is on its way.
        self.fetches = False
        #: How it ended, if it ended here.
        self.answer: Answer | None = None
        #: The code of the first thing that is wrong with its reply.
        self.finding = ""
        #: It has its answer, in the store. None: it was dropped, and a delivery has to begin anew.
        self.done = False

    @property
    def failed(self) -> bool:
        """Whether its answer is what there was to say to an error."""
        return self.answer is not None and self.answer.result == "error"

    def state(self) -> State:
        access = self.access
        if access is None:
            push, wait = self.push, self._desk.terms.pace.state_wait
            access = Access(self._desk.store, push.account, push.user, wait, exclusive=self.exclusive)
            self.access = access
        return access()

    def deadline(self) -> deadline.Deadline:
        budget = self.rule.budget if self.rule is not None else None
        return deadline.of(self.began or time.monotonic(), budget, self.attempt, self._desk.terms.pace)

    def passed(self, rule: Rule) -> None:
        self._desk.note_turn(self, rule, time.monotonic())

    def close(self, keep: bool) -> None:
        if self.access is not None:
            self.access.close(keep)
