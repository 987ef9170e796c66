"""What is remembered, behind one small interface.

Read ``base`` first: it is the interface, and it says what each home must hold. ``memory`` is one process's
dictionaries. ``sqlite`` survives a restart and is shared by processes: it stands on ``database`` (the file, its
connections and its size), ``schema`` and ``rows`` (its tables, and what goes into them), ``messages`` and ``states``
(what is done in one transaction), ``claims`` and ``bytelocks`` (who runs what, exact across processes; ``locks``,
between threads), ``batch`` and ``late`` (what may be written a moment later). ``leaving`` is who is forgotten.
``housekeeping`` deletes what is old, ``mover`` moves the log into the file, ``records`` reads it, for commands too.
``disk`` is what it does when the file is held by another process, with ``meanwhile``, or fails, with ``spare`` and
``carry``. Nobody else writes SQL, and nothing here knows what WeChat is.
"""

from __future__ import annotations

from .base import ANSWERS_KEPT, Store
from .records import Records, Unreadable, open_records
from .sqlite import SQLite


def open_store(
    url: str, *, keep: int = 500, full: bool = False, answers: float = ANSWERS_KEPT, shared: bool = False
) -> Store:
    """Open the store that *url* names: ``memory:`` or ``sqlite:FILE``. Raises ValueError for any other.

    It keeps *keep* deliveries, with their content for a day if *full*, and answers for *answers* seconds. *shared*: it
    is one of several processes that use it all the time; one that is often alone does less without.
    """
    kind, _, rest = url.partition(":")
    if url == "memory:":
        from .memory import Memory  # for few: the others start sooner

        return Memory(keep=keep, full=full, answers_kept=answers)
    if kind == "sqlite" and rest:
        return SQLite(rest, keep=keep, full=full, answers_kept=answers, shared=shared)
    raise ValueError("a store is memory: or sqlite:FILE")


__all__ = ["Records", "Store", "Unreadable", "open_records", "open_store"]
