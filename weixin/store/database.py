"""One SQLite file: its connections, how it is written, how large it gets, and its claims.

It knows no table but those of `schema`. Three connections, each for one thing at a time: one writes, one reads (in WAL
mode neither waits for the other), and one moves the log into the file: that waits for the disk, so it is the late
writer's own and no request's. A commit with synchronous=NORMAL does not wait for the disk; what it wrote survives the
process, and of a power cut it loses the last moments and never its integrity (sqlite.org/wal.html, pragma.html).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Callable, TypeVar

from . import schema
from .claims import Claims

T = TypeVar("T")

# Another process's batch takes a few milliseconds; whoever holds the file longer has a shell open in it. That is how
# long it may take to open the file, and how long a request waits to write into it, out of the 4.5 seconds it has.
BUSY_SECONDS = 3.0
WAIT_SECONDS = 1.0
# Between two looks whether another process is done making the file, which takes it some milliseconds.
MAKING_SECONDS = 0.005
# The log is moved into the file from here on; up to then it is in the page cache anyway.
LOG_SIZE = 4 << 20
# What the file may grow to. Rows go before that; this is the wall behind them.
MOST_BYTES = 128 << 20
# The connections' page caches, in KiB: batches are small, lookups hit the last pages, and the kernel has them all.
WRITER_KIB, READER_KIB, MOVER_KIB = 512, 128, 64


class Left(sqlite3.OperationalError):
    """The store is in another file by now."""


class Database:
    """An open file. Every method may raise sqlite3.Error or OSError."""

    def __init__(self, path: str, *, shared: bool = False) -> None:
        """*shared*: several processes use it all the time."""
        self.path = path
        self.writing = threading.Lock()
        self._reading = threading.Lock()
        _make_private(path)
        self.claims = Claims(path + "-claims", shared=shared)
        self._connections: list[sqlite3.Connection] = []
        self.closed = True
        #: Nothing is to be written here any more; set with `writing` held.
        self.left = False
        try:
            self._writer = self._connect(WRITER_KIB)
            self._prepare()
            self._writer.execute(f"PRAGMA busy_timeout={round(WAIT_SECONDS * 1000)}")
            self._reader = self._connect(READER_KIB)
            self._mover = self._connect(MOVER_KIB)
            self.closed = False
        finally:
            if self.closed:
                self.close()

    def _connect(self, cache: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        self._connections.append(connection)
        connection.execute(f"PRAGMA cache_size=-{cache}")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA temp_store=MEMORY")
        # What is deleted is what users wrote: no page shall keep it. (Debian's SQLite does so anyway.)
        connection.execute("PRAGMA secure_delete=ON")
        return connection

    def _prepare(self) -> None:
        self._use_log()
        (page,) = self._writer.execute("PRAGMA page_size").fetchone()
        self._writer.execute(f"PRAGMA max_page_count={MOST_BYTES // page}")
        # Reading first: workers that start together need not queue up to write what is there.
        known = {name for (name,) in self._writer.execute("SELECT name FROM sqlite_master")}
        if any(statement.split()[5] not in known for statement in schema.TABLES):
            self.write(lambda db: [db.execute(statement) for statement in schema.TABLES])
        # After a power cut the file of claims may know less than the database.
        for user, expires in self._writer.execute("SELECT user, max(expires) FROM mail GROUP BY user"):
            self.claims.mark_mail(user, expires)

    def _use_log(self) -> None:
        """Turn WAL mode on. Where another process is making the file, SQLite calls this locked without waiting."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._writer.execute("PRAGMA journal_mode=WAL").fetchone()
                return
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > until:
                    raise
            time.sleep(MAKING_SECONDS)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do *work* in a transaction of its own; it is committed when this returns."""
        if not self.writing.acquire(timeout=WAIT_SECONDS):
            raise sqlite3.OperationalError("database is locked by another thread")
        try:
            if self.left:
                raise Left("database is locked: it was left")
            return self._commit("BEGIN IMMEDIATE", work)
        finally:
            self.writing.release()

    def _commit(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        db = self._writer
        db.execute(begin)
        try:
            result = work(db)
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        return result

    def write_beside(self, path: str, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do *work* in one transaction on this file and on the one at *path*, which it knows as ``spare``."""
        with _locked(self.writing):
            self._writer.execute("ATTACH DATABASE ? AS spare", (path,))
            try:
                # Not the words of other transactions: Python keeps those prepared, for the one file that was there.
                return self._commit("BEGIN IMMEDIATE TRANSACTION", work)
            finally:
                self._writer.execute("DETACH DATABASE spare")

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do *work*, which only asks."""
        with self._reading:
            return work(self._reader)

    @property
    def log_is_long(self) -> bool:
        """Whether it is time to `move_log`."""
        return _size(self.path + "-wal") >= LOG_SIZE

    def move_log(self) -> None:
        """Move the log into the file; waits for the disk, and lets others write meanwhile."""
        _, pages, moved = self._mover.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages == moved:
            # The next commit begins the log anew, and that one does wait for the disk: let it be ours.
            self.write(lambda db: db.execute(schema.COUNTED, (0, "logs moved", 1)))

    def wipe_log(self) -> bool:
        """Leave nothing in the log, once most of it was moved; False where somebody still reads it."""
        busy, _, _ = self._mover.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def used(self) -> int:
        """Bytes in use, without the pages that wait to be used again."""
        pragmas = ("page_count", "freelist_count", "page_size")
        with self._reading:
            pages, free, size = (self._reader.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas)
        return int((pages - free) * size)

    def close(self) -> None:
        """Let go of the file and of every claim; not yet, where a thread is in it and does not come out."""
        with _locked(self.writing), _locked(self._reading):
            self.closed = True
            for connection in self._connections:
                try:
                    connection.close()
                except sqlite3.Error:
                    pass  # the disk is gone; so is what could be done about it
            self.claims.close()


@contextlib.contextmanager
def _locked(lock: threading.Lock) -> Iterator[None]:
    if not lock.acquire(timeout=WAIT_SECONDS):
        raise sqlite3.OperationalError("database is locked by another thread")
    try:
        yield
    finally:
        lock.release()


def write_once(path: str, work: Callable[[sqlite3.Connection], object]) -> None:
    """Do *work* in a transaction on the file at *path*, which others may be in, and leave nothing of it in the log."""
    db = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        db.execute("PRAGMA secure_delete=ON")
        db.execute("BEGIN IMMEDIATE")
        work(db)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.close()


def is_busy(error: Exception) -> bool:
    """Whether another process has the file, as opposed to anything being wrong with it."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def read_only(path: str) -> sqlite3.Connection:
    """Open *path* to look at it. Never makes it; raises sqlite3.Error where it is not there, or is no store."""
    location = "file:" + "".join(c if c.isalnum() or c in "/._-~" else f"%{ord(c):02X}" for c in path)
    quiet = "" if os.path.exists(path + "-wal") else "&immutable=1"  # nobody has it open, and it needs no log
    return sqlite3.connect(f"{location}?mode=ro{quiet}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _make_private(path: str) -> None:
    """What users wrote is in it: nobody else on the machine may read the file, nor SQLite's beside it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass  # and not opened: closing it again would end the locks SQLite has on it in this process


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
