"""Reading what was recorded: by the store itself, and by commands that look into its file while a server runs."""

from __future__ import annotations

import errno
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Callable, TypeVar

from . import schema
from .base import Delivery, Refusal, listed
from .database import read_only

T = TypeVar("T")


class Unreadable(Exception):
    """A store's file that is not there, may not be read, or is none; the argument says which."""


def open_records(url: str) -> Records | None:
    """Open what is recorded in the store *url*; None where nothing is, or in memory. May raise Unreadable."""
    kind, _, path = url.partition(":")
    if kind != "sqlite":
        return None
    try:
        os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(error.strerror) from None
    return Records(path)


class Reading(ABC):
    """What can be asked of the records, by who can look into the file."""

    @abstractmethod
    def _look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do *work*, which only asks."""

    def deliveries(self, limit: int, after: float = 0.0) -> list[Delivery]:
        return self._look(lambda db: deliveries(db, limit, after))

    def delivery(self, name: str) -> Delivery | None:
        return self._look(lambda db: delivery(db, name))

    def refusals(self, after: float = 0.0) -> list[Refusal]:
        return self._look(lambda db: refusals(db, after))

    def checks(self, after: float = 0.0) -> list[Refusal]:
        return self._look(lambda db: checks(db, after))

    def check(self) -> str:
        return self._look(check)

    def silences(self, since: float) -> int:
        return self._look(lambda db: silences(db, since))

    def counts(self, since: float) -> dict[str, int]:
        return self._look(lambda db: counts(db, since))


class Records(Reading):
    """A store's file, opened to be read. Never makes it. Every method may raise Unreadable."""

    def __init__(self, path: str) -> None:
        self.path = path
        if os.path.exists(path) and not os.access(path, os.R_OK):  # SQLite would say that it is unable
            raise Unreadable(os.strerror(errno.EACCES))
        try:
            self._db = read_only(path)
        except sqlite3.Error as error:
            raise Unreadable(str(error)) from None
        try:
            self._look(lambda db: db.execute("SELECT 1 FROM messages LIMIT 1").fetchone())
        except Unreadable:
            self._db.close()
            raise

    def _look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._db)
        except sqlite3.Error as error:
            raise Unreadable(str(error)) from None

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def deliveries(db: sqlite3.Connection, limit: int, after: float) -> list[Delivery]:
    """The last messages, newest first; with *after* those that changed since."""
    where, order = ("WHERE changed > ?", "changed") if after else ("WHERE 0.0 = ?", "id")
    return _deliveries(db.execute(f"{schema.DELIVERY} {where} ORDER BY {order} DESC LIMIT ?", (after, limit)))


def delivery(db: sqlite3.Connection, name: str) -> Delivery | None:
    """The newest message called *name*."""
    found = _deliveries(db.execute(f"{schema.DELIVERY} WHERE name = ? ORDER BY id DESC LIMIT 1", (name,)))
    return found[0] if found else None


def refusals(db: sqlite3.Connection, after: float) -> list[Refusal]:
    """The refusals since, newest first."""
    return [Refusal(*row) for row in db.execute(f"{schema.REFUSAL} AND code <> '' ORDER BY id DESC", (after,))]


def checks(db: sqlite3.Connection, after: float) -> list[Refusal]:
    """The checks since that passed, newest first."""
    return [Refusal(*row) for row in db.execute(f"{schema.REFUSAL} AND code = '' ORDER BY id DESC", (after,))]


def counts(db: sqlite3.Connection, since: float) -> dict[str, int]:
    """Counters of the hours since, by name, and ``users``."""
    hour = max(1, int(since // 3600))
    rows = db.execute("SELECT name, sum(value) FROM counts WHERE hour >= ? GROUP BY name", (hour,))
    found = {str(name): int(count) for name, count in rows}
    (found["users"],) = db.execute("SELECT count(*) FROM visitors WHERE last >= ?", (since,)).fetchone()
    return found


def silences(db: sqlite3.Connection, since: float) -> int:
    """How many deliveries were left to time out since."""
    (count,) = db.execute("SELECT count(*) FROM silences WHERE at > ?", (since,)).fetchone()
    return int(count)


def check(db: sqlite3.Connection) -> str:
    """What is wrong with the file, or nothing."""
    try:
        found = [str(line) for (line,) in db.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == ["ok"] else "; ".join(found)


def _deliveries(rows: Iterable[Any]) -> list[Delivery]:
    return [Delivery._make((*row[:13], _attempts(row), *row[14:])) for row in rows]


def _attempts(row: tuple[Any, ...]) -> tuple[str, ...]:
    at, result, ms, lines = row[2], row[8], row[11], row[13]
    if not lines:
        return ()
    return tuple(listed(at, ms / 1000, result) if line == schema.AS_SAID else line for line in lines.split("\n"))
