"""The file that the store is in, whatever happens to it.

Another process *holds* it, a shell with a transaction open, a backup: nothing is wrong with the disk. What has to be
written is owed, and done in order when the file is free; meanwhile requests are answered from memory.

It *fails*, full, read-only, broken: the store goes on in a private temporary file, says so once and loudly, and what
was asked of it is done there.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from typing import Callable, TypeVar

from . import spare
from .database import Database, is_busy

T = TypeVar("T")
_log = logging.getLogger("wxserve.store")

#: What a disk does to a database. (A closed one, or a wrong statement, is a fault of ours, and raised.)
FAILURES = (sqlite3.DatabaseError, OSError)
# A slow disk makes everybody wait now and then; from here on it is worth a line.
HELD_LONG = 3.0
# Whoever holds the file so long has gone home: what is owed fills the memory, and is lost if we die.
HELD_MOST = 600.0

Work = Callable[[sqlite3.Connection], object]


class Disk:
    """A database that is always there. *url* names it to people, and to the processes that share it.

    *wake* makes somebody `catch_up` soon.
    """

    def __init__(self, url: str, path: str, wake: Callable[[], None]) -> None:
        self._url = url
        self._wake = wake
        self._moving = threading.Lock()
        self._owing = threading.Lock()
        self._owed: list[tuple[Work, Callable[[], None] | None]] = []
        #: Whether another process holds the file, and since when; until everything owed is written.
        self.held = False
        self._held_at = 0.0
        self._said = False
        try:
            self.db = Database(path)
        except FAILURES as error:
            self.db = self._elsewhere(path, error)

    def write(self, work: Callable[[sqlite3.Connection], T], late: Callable[[], T]) -> T:
        """Commit *work*. Where another process holds the file, do and return *late* instead: it may `owe` it."""
        if self.held:
            return late()
        db = self.db
        try:
            return db.write(work)
        except FAILURES as error:
            if is_busy(error):
                self._hold(error)
                return late()
            self.failed(db, error)
        return self.db.write(work)

    def owe(self, work: Work, then: Callable[[], None] | None = None) -> None:
        """Have *work* done when the file is free, after all that is owed already, and *then* when it is committed."""
        with self._owing:
            self.held = True
            self._owed.append((work, then))
        self._wake()

    def catch_up(self, work: Work) -> None:
        """Commit *work*, and with it what is owed. Raises sqlite3.OperationalError where the file is still held."""
        with self._owing:
            owed = self._owed[:]

        def everything(db: sqlite3.Connection) -> None:
            work(db)
            for each, _ in owed:
                each(db)

        db = self.db
        try:
            db.write(everything)
        except FAILURES as error:
            if is_busy(error):
                self._hold(error)
                if time.monotonic() - self._held_at < HELD_MOST:
                    raise
            self.failed(db, error)
            self.db.write(everything)
        if self.held:
            self._let_go(len(owed))
        for _, then in owed:
            if then is not None:
                then()

    def _hold(self, error: Exception) -> None:
        now = time.monotonic()
        with self._owing:
            self.held = True
            self._held_at = self._held_at or now
            says = not self._said and now - self._held_at >= HELD_LONG
            self._said = self._said or says
        self._wake()
        if says:
            fields = {"store": self.db.path, "error": str(error)}
            _log.warning("held", extra={"code": "WX-STO-02", "fields": fields})

    def _let_go(self, written: int) -> None:
        """The file is free, and the first of what was owed is written."""
        with self._owing:
            del self._owed[:written]
            self.held = bool(self._owed)
            if self.held:
                return
            seconds, said = time.monotonic() - self._held_at, self._said
            self._held_at, self._said = 0.0, False
        if said:
            _log.info("free", extra={"code": "", "fields": {"store": self.db.path, "seconds": round(seconds, 1)}})

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
