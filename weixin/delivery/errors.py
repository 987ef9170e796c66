"""What ``on.error`` is asked about when no handler raised anything."""

from __future__ import annotations


class MessageKills(RuntimeError):
    """The handlers of this message have ended their process twice."""


class StuckRun(RuntimeError):
    """A handler that does not come back."""


class BudgetSpent(TimeoutError):
    """A handler took longer than its ``budget=``."""
