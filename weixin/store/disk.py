"""The file that the store is in, and another where that one fails: full, read-only, broken.

It goes on in a private temporary file, says so once and loudly, and what was asked of it is done there.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import Callable, TypeVar

from . import spare
from .database import Database, is_busy

T = TypeVar("T")
_log = logging.getLogger("wxserve.store")

#: What a disk does to a database. (A closed one, or a wrong statement, is a fault of ours, and raised.)
FAILURES = (sqlite3.DatabaseError, OSError)


class Disk:
    """A database that is always there. *url* names it to people, and to the processes that share it."""

    def __init__(self, url: str, path: str) -> None:
        self._url = url
        self._moving = threading.Lock()
        try:
            self.db = Database(path)
        except FAILURES as error:
            self.db = self._elsewhere(path, error)

    def write(self, work: Callable[[sqlite3.Connection], T], *, patient: bool = False) -> T:
        """Commit *work*. If *patient*, raise sqlite3.OperationalError where another process has the file."""
        db = self.db
        try:
            return db.write(work)
        except FAILURES as error:
            if patient and is_busy(error):
                raise
            self.failed(db, error)
        return self.db.write(work)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do *work*, which only asks."""
        db = self.db
        try:
            return db.read(work)
        except FAILURES as error:
            self.failed(db, error)
        return self.db.read(work)

    def tend(self, work: Callable[[Database], object]) -> None:
        """Do *work* on the file itself, which may be put off where another process has it."""
        db = self.db
        try:
            work(db)
        except FAILURES as error:
            if not is_busy(error):
                self.failed(db, error)

    def failed(self, db: Database, error: Exception) -> None:
        """Go on elsewhere, if *db* is where we are; it keeps its claims until they end. Raises faults of our own."""
        if isinstance(error, (sqlite3.ProgrammingError, sqlite3.IntegrityError)):
            raise error
        with self._moving:
            if self.db is db:
                self.db = self._elsewhere(db.path, error)

    def _elsewhere(self, path: str, error: Exception) -> Database:
        for place in spare.places(self._url):
            if place == path:
                continue
            try:
                db = Database(place)
            except FAILURES:
                continue
            fields = {"store": path, "error": f"{type(error).__name__}: {error}", "instead": place}
            _log.error("store", extra={"code": "WX-STO-01", "fields": fields})
            return db
        raise error
