"""How long a handler may still take."""

from __future__ import annotations

import time

from .ladder import DELIVERIES, Pace


class Deadline:
    """The ``deadline`` of a handler: ``deadline.left()`` is what to give as a timeout to whatever it waits for."""

    __slots__ = ("_until",)

    def __init__(self, until: float) -> None:
        """*until* is by time.monotonic()."""
        self._until = until

    def left(self) -> float:
        """Seconds until the answer comes too late; never less than zero."""
        return max(0.0, self._until - time.monotonic())

    def __repr__(self) -> str:
        return f"<Deadline {self.left():.1f} s left>"


def of(began: float, budget: float | None, attempt: int, pace: Pace) -> Deadline:
    """The deadline of a run that *began* then, on delivery number *attempt*: its budget, or what the ladder leaves."""
    if budget is not None:
        return Deadline(began + budget)
    return Deadline(began + pace.hangup * max(0, DELIVERIES - attempt) + pace.deadline)
