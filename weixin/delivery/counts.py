"""What a message counts as, in ``stats``."""

from __future__ import annotations

from ..wire.messages import Message
from .terms import SHORT

# Rules and kinds that are known by name; the table of names is as small as the rules are few.
MOST_NAMES = 5_000


class Counts:
    """The names of the counters of a message, made once for each kind of outcome."""

    def __init__(self, content: str) -> None:
        """*content* is the Terms': where none is kept, what nobody had an answer for is counted and not named."""
        self._keeps_texts = content != "none"
        self._names: dict[tuple[str, str, str, bool, bool], tuple[str, ...]] = {}

    def of(self, message: Message, rule: str, result: str, slow: bool, fetches: bool = False) -> tuple[str, ...]:
        """*rule* is the place of the one that answered, or nothing; *fetches*: it was the pick-up word."""
        which = (message.kind, rule, result, slow, fetches)
        names = self._names.get(which)
        if names is None:
            names = _names(*which)
            if len(self._names) < MOST_NAMES:
                self._names[which] = names
        if self._keeps_texts and "unmatched" in names and message.kind == "text" and message.text:
            return (*names, f"unmatched:{message.text[:SHORT]}")
        return names


def _names(kind: str, rule: str, result: str, slow: bool, fetches: bool) -> tuple[str, ...]:
    names = ["messages", f"type:{kind}", f"result:{result}"]
    if rule:
        names.append(f"rule:{rule}")
    elif result == "success" and not fetches:  # an error has no rule where its run did not end, and mail has none
        names.append("unmatched")
    names += [word for word, holds in (("slow", slow), ("errors", result == "error")) if holds]
    names += [word for event, word in (("subscribe", "new"), ("unsubscribe", "left")) if kind == event]
    return tuple(names)
