"""What the account's owner decides about slow answers; see wxserve.ini."""

from __future__ import annotations

from typing import NamedTuple

from .ladder import Pace

# How much of a question stands on its answer, in the mailbox and in the list of deliveries.
SHORT = 20


class Terms(NamedTuple):
    """The settings that delivery goes by."""

    #: What is said when an answer takes too long, and the word that fetches it then.
    busy: str = "正在处理，稍后回复「继续」取答案"
    pickup: str = "继续"
    #: Whether the rest of a long text waits in the mailbox.
    split: bool = True
    #: Threads for slow runs; and how many serve requests, which a stuck handler may take.
    pool: int = 32
    threads: int = 64
    #: Deliveries left silent in five minutes before slow ones are answered with the busy text at once.
    silent_max: int = 20
    #: Seconds after which a run is given up.
    run_max: float = 120.0
    #: What the list of deliveries keeps of a text: none, short or full.
    content: str = "short"
    #: The language of the little there is to say besides.
    lang: str = "zh"
    pace: Pace = Pace()


def shown(text: str, content: str) -> str:
    """As much of *text* as may be kept."""
    if content == "none":
        return ""
    return text if content == "full" or len(text) <= SHORT else text[:SHORT] + "…"
