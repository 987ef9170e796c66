"""What handlers remember of users, in a file: their state, and the lock on it.

The lock is two: one between the threads of this process, and the byte of its name between processes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Callable

from . import base, schema
from .database import Database
from .disk import Disk
from .locks import Names

_READ = "SELECT name, value FROM state WHERE user = ? AND account = ? AND expires > ?"
_DELETE = "DELETE FROM state WHERE user = ? AND account = ? AND name = ?"
_EXTEND = "UPDATE state SET expires = ? WHERE user = ? AND account = ?"


class States:
    """The states of all users, on *disk*."""

    def __init__(self, disk: Disk, clock: Callable[[], float]) -> None:
        self._disk = disk
        self._clock = clock
        self._names = Names()

    def read(self, account: str, user: str) -> dict[str, str]:
        """All of a user's state."""
        return dict(self._disk.read(lambda db: db.execute(_READ, (user, account, self._clock())).fetchall()))

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

        self._disk.write(work)

    def lock(self, name: bytes, timeout: float) -> bool:
        """Lock *name*; False if that takes longer than *timeout* seconds."""
        began = time.monotonic()
        if not self._names.lock(name, timeout):
            return False
        db = self._disk.db
        try:
            left = max(0.0, timeout - (time.monotonic() - began))
            locked = db.claims.lock_within(name, left)
        except OSError as error:
            self._disk.failed(db, error)
            db, locked = self._disk.db, self._disk.db.claims.lock(name)
        if not locked:
            self._names.unlock(name)
            return False
        self._names.keep(name, db)
        return True

    def unlock(self, name: bytes) -> None:
        """Unlock *name*, which a thread of this process has locked."""
        db = self._names.kept(name)
        if isinstance(db, Database):
            db.claims.unlock(name)
        self._names.unlock(name)
