"""What handlers remember of users, in a file: their state, and the lock on it.

The lock is two: one between the threads of this process, and the byte of its name between processes. Where the file is
held (see ``disk``), changes are kept here until they are written, and no other process gets a lock meanwhile that would
let it go on from what is old.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping
from typing import Callable, NamedTuple

from . import base, schema
from .base import Store
from .database import Database
from .disk import Disk
from .locks import Names

_READ = "SELECT name, value FROM state WHERE user = ? AND account = ? AND expires > ?"
_DELETE = "DELETE FROM state WHERE user = ? AND account = ? AND name = ?"
_EXTEND = "UPDATE state SET expires = ? WHERE user = ? AND account = ?"


class _Pending(NamedTuple):
    """A change that is not written yet."""

    account: str
    user: str
    changes: dict[str, str | None]


class States:
    """The states of all users, on *disk*."""

    def __init__(self, disk: Disk, clock: Callable[[], float]) -> None:
        self._disk = disk
        self._clock = clock
        self._names = Names()
        self._guard = threading.Lock()
        self._pending: list[_Pending] = []
        #: Locks that nobody here has any more, kept from the other processes until all is written.
        self._kept_back: list[tuple[Database, bytes]] = []

    def read(self, account: str, user: str) -> dict[str, str]:
        """All of a user's state."""
        found = dict(self._disk.read(lambda db: db.execute(_READ, (user, account, self._clock())).fetchall()))
        for pending in list(self._pending):
            if (pending.account, pending.user) == (account, user):
                for name, value in list(pending.changes.items()):  # `forget` clears it
                    if value is None:
                        found.pop(name, None)
                    else:
                        found[name] = value
        return found

    def change(self, account: str, user: str, changes: Mapping[str, str | None]) -> None:
        """Set some names, and delete those that are None, committed together."""
        expires = self._clock() + base.STATE_KEPT

        def work(db: sqlite3.Connection) -> None:
            for name, value in changes.items():
                if value is None:
                    db.execute(_DELETE, (user, account, name))
                else:
                    db.execute(schema.STATE_IN, (user, account, name, value, expires))
            db.execute(_EXTEND, (expires, user, account))

        def late() -> None:
            pending = _Pending(account, user, dict(changes))
            with self._guard:
                self._pending.append(pending)
            self._disk.owe(work, lambda: self._written(pending))

        self._disk.write(work, late)

    def forget(self, user: str) -> None:
        """Let nothing that waits to be written be seen of *user* any more."""
        for pending in list(self._pending):
            if pending.user == user:
                pending.changes.clear()

    def _written(self, pending: _Pending) -> None:
        with self._guard:
            self._pending = [each for each in self._pending if each is not pending]
            kept_back: list[tuple[Database, bytes]] = []
            if not self._pending:
                kept_back, self._kept_back = self._kept_back, []
        for db, name in kept_back:
            # Who has it again by now lets go of it himself.
            if self._names.lock(name, 0):
                db.claims.unlock(name)
                self._names.unlock(name)

    def lock(self, name: bytes, timeout: float) -> bool:
        """Lock *name*; False if that takes longer than *timeout* seconds."""
        began = time.monotonic()
        if not self._names.lock(name, timeout):
            return False
        db: Database | None = None
        try:
            db = self._lock_between(name, max(0.0, timeout - (time.monotonic() - began)))
        finally:
            if db is None:
                self._names.unlock(name)
        if db is None:
            return False
        self._names.keep(name, db)
        return True

    def _lock_between(self, name: bytes, timeout: float) -> Database | None:
        """Lock *name* between processes; the file that this is in, None if it takes too long."""
        db = self._disk.db
        try:
            return db if db.claims.lock_within(name, timeout) else None
        except OSError as error:
            self._disk.failed(db, error)
        db = self._disk.db
        return db if db.claims.lock(name) else None

    def unlock(self, name: bytes) -> None:
        """Unlock *name*, which a thread of this process has locked."""
        db = self._names.kept(name)
        try:
            if isinstance(db, Database) and not self._keeps_back(db, name):
                db.claims.unlock(name)
        finally:
            self._names.unlock(name)

    def _keeps_back(self, db: Database, name: bytes) -> bool:
        if not self._pending:
            return False
        with self._guard:
            if self._pending:
                self._kept_back.append((db, name))
            return bool(self._pending)


class Keeping(Store):
    """The part of a store that is its users' states."""

    _states: States

    def state(self, account: str, user: str) -> dict[str, str]:
        return self._states.read(account, user)

    def change(self, account: str, user: str, changes: Mapping[str, str | None]) -> None:
        self._states.change(account, user, changes)

    def lock(self, name: bytes, timeout: float) -> bool:
        return self._states.lock(name, timeout)

    def unlock(self, name: bytes) -> None:
        self._states.unlock(name)
