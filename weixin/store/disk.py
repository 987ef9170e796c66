"""The file that the store is in, whatever happens to it.

Another process *holds* it, a shell with a transaction open, a backup: nothing is wrong with the disk. What has to be
written is owed, and done in order when the file is free; meanwhile requests are answered from memory.

It *fails*, full, read-only, broken: the store goes on in a private temporary file, says so once and loudly, and what
was asked of it is done there. When the file works again, it goes back, and what was kept meanwhile with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from typing import Callable, TypeVar

from . import carry, records, spare
from .database import Database, Left, is_busy, write_once

T = TypeVar("T")
_log = logging.getLogger("wxserve.store")

#: What a disk does to a database. (A closed one, or a wrong statement, is a fault of ours, and raised.)
FAILURES = (sqlite3.DatabaseError, OSError)
# A slow disk makes everybody wait now and then; from here on it is worth a line.
HELD_LONG = 3.0
# Whoever holds the file so long has gone home: what is owed fills the memory, and is lost if we die.
HELD_MOST = 600.0
# How often somebody who is in a spare file tries the other; and after how long nobody uses a file that was left: no run
# goes on for longer (`run_max`).
RETURN_SECONDS = 10.0
LEFT_SECONDS = 300.0

Work = Callable[[sqlite3.Connection], object]


class Disk:
    """A database that is always there. *url* names it to people, and to the processes that share it.

    *wake* makes somebody `catch_up` soon; *shared*: several processes use it all the time.
    """

    def __init__(
        self,
        url: str,
        path: str,
        wake: Callable[[], None],
        clock: Callable[[], float] = time.time,
        *,
        shared: bool = False,
    ) -> None:
        self._url = url
        self._path = path
        self._wake = wake
        self._clock = clock
        self._shared = shared
        self._guest: spare.Guest | None = None
        self._return_at = time.monotonic() + RETURN_SECONDS
        self._collected = False
        # What the file looked like when it was found damaged, what was left and is not closed yet, and which messages
        # came along that ran on.
        self._damaged: tuple[int, ...] = ()
        self._suspect = False
        self._left: list[tuple[float, Database]] = []
        self._carried: set[bytes] = set()
        self._moving = threading.Lock()
        self._owing = threading.Lock()
        self._owed: list[tuple[Work, Callable[[], None] | None]] = []
        #: Whether another process holds the file, and since when; until everything owed is written.
        self.held = False
        self._held_at = 0.0
        self._said = False
        try:
            self.db = Database(path, shared=shared)
        except FAILURES as error:
            self.db = self._elsewhere(None, error)

    @property
    def away(self) -> bool:
        """Whether it is in a spare file."""
        return self.db.path != self._path

    def write(self, work: Callable[[sqlite3.Connection], T], late: Callable[[], T]) -> T:
        """Commit *work*. Where another process holds the file, do and return *late* instead: it may `owe` it."""
        for last in (False, True):
            if self.held:
                break
            db = self.db
            try:
                return db.write(work)
            except Left:
                continue
            except FAILURES as error:
                if is_busy(error):
                    self._hold(error)
                    break
                if last:
                    raise
                self.failed(db, error)
        return late()

    def write_or_owe(self, work: Work) -> None:
        """Commit *work*, or have it done when the file is free."""
        self.write(work, lambda: self.owe(work))

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
        with self._owing:
            del self._owed[: len(owed)]
        for _, then in owed:
            if then is not None:
                then()
        if self.held:  # to the last of these: what a change of now says is older for who reads it than what is owed
            self._let_go()

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

    def _let_go(self) -> None:
        """The file is free, and what was owed is written."""
        with self._owing:
            self.held = bool(self._owed)
            if self.held:
                return
            seconds, said = time.monotonic() - self._held_at, self._said
            self._held_at, self._said = 0.0, False
        if said:
            _log.info("free", extra={"code": "", "fields": {"store": self.db.path, "seconds": round(seconds, 1)}})

    def write_elsewhere(self, work: Work) -> None:
        """Commit *work* in the spare files that others are in, or have left, as far as they can be written."""
        for place in spare.left(self._url):
            if place != self.db.path:
                with contextlib.suppress(*FAILURES):
                    write_once(place, work)

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
                self._return_at = time.monotonic() + RETURN_SECONDS
                self.db = self._elsewhere(db, error)
                self._leave(db)

    def _elsewhere(self, left: Database | None, error: Exception) -> Database:
        """Open a spare file, and take along what can be read of the one that is *left*."""
        path = left.path if left is not None else self._path
        self._suspect = not isinstance(error, (sqlite3.OperationalError, OSError))
        for place in spare.places(self._url):
            if place == path:
                continue
            opened = self._open_spare(place)
            if opened is None:
                continue
            db, guest = opened
            fields = {"store": path, "error": f"{type(error).__name__}: {error}", "instead": place}
            _log.error("store", extra={"code": "WX-STO-01", "fields": fields})
            if left is not None:
                try:
                    carry.along(left, db, self._clock())
                except FAILURES:
                    pass  # it cannot be read either
            self._leave_spare(guest)
            return db
        raise error

    def _open_spare(self, place: str) -> tuple[Database, spare.Guest] | None:
        """The spare file at *place*; None, and nothing left open, where it cannot be used."""
        with contextlib.ExitStack() as undo:
            try:
                db = Database(place, shared=self._shared)
                undo.callback(db.close)
                guest = spare.Guest(place)
                undo.callback(guest.leave)
                carry.begin(db, self._clock())
            except FAILURES:
                return None
            undo.pop_all()
        return db, guest

    def _leave(self, db: Database) -> None:
        """Keep *db* as long as something may run whose claim it has."""
        self._left.append((time.monotonic(), db))
        try:
            db.claims.let_in()
        except OSError:
            pass  # it is for its broken disk that it was left

    def _leave_spare(self, guest: spare.Guest | None) -> None:
        if self._guest is not None:
            self._guest.leave()
        self._guest = guest

    def come_back(self, running: Callable[[], list[bytes]]) -> bool:
        """Go back, if it is time to try and the file works; whether anything came back into it.

        *running* tells which messages this process has.
        """
        now = time.monotonic()
        if now < self._return_at:
            return False
        self._return_at = now + RETURN_SECONDS
        # What ended while it was locked was locked for nobody.
        for key in self._carried.difference(running()):
            self._carried.discard(key)
            self.db.claims.unlock(key)
        for at, db in self._left[:]:
            if now - at > LEFT_SECONDS:
                with contextlib.suppress(*FAILURES):  # a thread of ours hangs in it: with the next try, then
                    db.close()
        with self._moving:
            self._left = [(at, db) for at, db in self._left if not db.closed]
        try:
            if not self.away:
                return self._collect()
            if self._looks() != self._damaged:
                self._return(running)
                return True
        except FAILURES as error:
            if not isinstance(error, (sqlite3.OperationalError, OSError)):
                self._damaged, self._collected = self._looks(), True
        return False

    def close(self) -> None:
        """Let go of everything."""
        for db in (self.db, *(db for _, db in self._left)):
            if not db.closed:
                with contextlib.suppress(*FAILURES):
                    db.close()
        self._leave_spare(None)

    def _return(self, running: Callable[[], list[bytes]]) -> None:
        away, home = self.db, Database(self._path, shared=self._shared)
        try:
            if self._suspect and records.check(home._reader):
                raise sqlite3.DatabaseError("damaged")
            home.write(_nothing)  # not held, that is, and nobody has to wait while we find out
            if not home.claims.enter():
                raise OSError("who is in the file lets nobody in")
            with away.writing:
                self._lock(home, running())
                alone = self._guest is not None and self._guest.is_alone()
                carry.back(home, away.path, running(), alone, self._clock())
                with self._moving:
                    if self.db is not away:
                        raise OSError("the spare file has failed meanwhile")
                    away.left, self.db = True, home
            with contextlib.suppress(OSError):  # whose disk fails again: who writes next finds out
                self._lock(home, running())
        finally:
            if self.db is not home:
                home.close()
                if self._guest is not None:
                    self._guest.share()
        with contextlib.suppress(*FAILURES):
            away.wipe_log()  # it has who was forgotten there
        with self._moving:
            self._leave(away)
        self._leave_spare(None)
        self._damaged = ()
        _log.info("store", extra={"code": "", "fields": {"store": home.path, "left": away.path}})

    def _lock(self, home: Database, running: list[bytes]) -> None:
        """Those who are in the file already shall not begin what we run."""
        for key in running:
            self._carried.add(key)
            home.claims.lock(key)

    def _collect(self) -> bool:
        """A process that died in a spare file has left there what it had; whether there was such a file."""
        if self._collected:
            return False
        found = False
        for place in spare.left(self._url):
            guest = spare.Guest(place)
            try:
                if guest.is_alone():
                    carry.back(self.db, place, (), True, self._clock())
                    found = True
            finally:
                guest.leave()
        self._collected = True
        return found

    def _looks(self) -> tuple[int, ...]:
        try:
            status = os.stat(self._path)
        except OSError:
            return (0,)
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _nothing(db: sqlite3.Connection) -> None:
    """Only ask for the file."""

