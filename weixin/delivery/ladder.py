"""Which of the three deliveries this is, and how long each may take (official page 接收普通消息: 5 s, three times)."""

from __future__ import annotations

from typing import NamedTuple

DELIVERIES = 3
# The second delivery comes five seconds after the first, the third ten: one less, for times in whole seconds.
SECOND_AGE = 4
THIRD_AGE = 9
# Older than this a message was not made just now: a recording, a test. Its age says nothing then.
MOST_AGE = 60


class Pace(NamedTuple):
    """Seconds. All of them scale together, so that a test need not take a quarter of a minute."""

    #: A delivery says what there is to say, or nothing.
    deadline: float = 4.5
    #: The platform hangs up; what is sent later reaches nobody.
    hangup: float = 5.0
    #: Where nobody says that the peer has gone, it has by now.
    hold: float = 6.0
    #: A handler that ever took longer goes to the pool from then on.
    slow: float = 1.0
    #: How often another process's run is looked at.
    glance: float = 0.05
    #: How often everything else is.
    round: float = 1.0
    #: Our silences of this long count.
    window: float = 300.0
    #: How long a message waits for another of the same user to be done with the user's state.
    state_wait: float = 2.0
    #: Within a run of this length all three deliveries end; a budget beyond it means "busy, and later".
    ladder: float = 14.0

    def scaled(self, by: float) -> Pace:
        """The same with every time multiplied."""
        return Pace(*(seconds * by for seconds in self))


def attempt(seen: int, age: float) -> int:
    """Which delivery of its message this is: the *seen*th here, of a message that was made *age* seconds before it.

    Both can only be too low: a delivery may be lost on the way, and a retry may repeat the first one's timestamp.
    """
    by_age = 1
    if SECOND_AGE <= age <= MOST_AGE:
        by_age = 3 if age >= THIRD_AGE else 2
    return max(seen, by_age)
