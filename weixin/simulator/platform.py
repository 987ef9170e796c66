"""The platform at work: a push is delivered, after five seconds delivered again, three times at most."""

from __future__ import annotations

import random
import time
from typing import Callable, NamedTuple

from ..wire import aes
from . import pushes, requests
from .judge import Seen, judge
from .pushes import Push
from .requests import Account, Request
from .samples import USER
from .transports import Answer, Transport

# 接收普通消息: the connection is dropped after five seconds, and the request made again, three times in all.
CUT = 5.0
ATTEMPTS = 3


class Attempt(NamedTuple):
    """One delivery of a push. ``started`` counts from the first one, in seconds."""

    request: Request
    answer: Answer
    seen: Seen
    started: float


class Delivery(NamedTuple):
    """A push and all that came of it."""

    push: Push
    attempts: tuple[Attempt, ...]
    seconds: float

    @property
    def seen(self) -> Seen:
        """What the user sees in the end."""
        return self.attempts[-1].seen

    @property
    def answer(self) -> Answer:
        """The last answer."""
        return self.attempts[-1].answer


class Platform:
    """WeChat, for one account: its clock and its randomness can be another's, for tests that must repeat.

    *cut* is after how many seconds it hangs up. Safe to use from several threads as far as *source* is.
    """

    def __init__(
        self,
        account: Account,
        *,
        clock: Callable[[], float] = time.time,
        source: random.Random | None = None,
        cut: float = CUT,
    ) -> None:
        self.account = account
        self._clock = clock
        self._source = source or random.SystemRandom()
        self._cut = cut
        self._aes = aes.find()

    def push(self, name: str, *words: str, user: str = USER, scene: str = "") -> Push:
        """Make a push of now. Raise pushes.UnknownKind or pushes.BadWord."""
        # Today's MsgIds have 17 digits.
        number = str(self._source.randrange(10**16, 10**17))
        now = int(self._clock())
        return pushes.make(name, *words, time=now, id=number, user=user, account=self.account.id, scene=scene)

    def renew(self, push: Push) -> Push:
        """Make a push of now that says what *push* said."""
        number = str(self._source.randrange(10**16, 10**17))
        return Push(pushes.renewed(push.xml, time=int(self._clock()), id=number))

    def request(self, push: Push, fault: str = "") -> Request:
        """Return the next request for *push*: signatures, timestamp and nonce are new each time."""
        return requests.request(self.account, self._aes, push, int(self._clock()), self._source, fault)

    def verify(self, to: Transport) -> tuple[Answer, bool]:
        """Check a server's address as 提交 in the console does; the second value says whether it passes."""
        request, echo = requests.verification(self.account, int(self._clock()), self._source)
        answer = to.send(request, self._cut)
        return answer, answer.status == 200 and answer.body == echo.encode()

    def deliver(self, push: Push, to: Transport, *, attempts: int = 1, fault: str = "") -> Delivery:
        """Deliver *push*, and again for as long as no answer comes, *attempts* times at most.

        With the fault ``duplicate`` it is delivered once more than was needed.
        """
        began = time.monotonic()
        made = self._until_answered(push, to, attempts, fault, began)
        if fault == "duplicate":
            made += self._until_answered(push, to, 1, "", began)
        return Delivery(push, tuple(made), time.monotonic() - began)

    def _until_answered(self, push: Push, to: Transport, attempts: int, fault: str, began: float) -> list[Attempt]:
        made: list[Attempt] = []
        while len(made) < attempts:
            started = time.monotonic() - began
            request = self.request(push, fault)
            answer = to.send(request, self._cut)
            made.append(Attempt(request, answer, judge(self.account, self._aes, push, request, answer), started))
            if not answer.failure:
                break
        return made
