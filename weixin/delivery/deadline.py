"""How long a handler may still take."""

from __future__ import annotations

import time

from .ladder import DELIVERIES, Pace


class Deadline:
    """The ``deadline`` of a handler: ``deadline.left()`` is what to give as a timeout to whatever it waits for."""

    __slots__ = ("_until",)

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the answer comes too late; never less than zero."""
        return max(0.0, self._until - time.monotonic())

    def __repr__(self) -> str:
        return f"<Deadline {self.left():.1f} s left>"


def of(budget: float | None, attempt: int, pace: Pace) -> Deadline:
    """The deadline of a run that begins now, on the how manieth delivery: its budget, or what the ladder leaves."""
    if budget is not None:
        return Deadline(budget)
    return Deadline(pace.hangup * max(0, DELIVERIES - attempt) + pace.deadline)
