"""Who runs what: claims that are exact across processes and end with the process, in one file beside the store.

A claim is a lock on one byte, at an offset that is a part of its key: at once, no system call but its own, and the
kernel frees it when the process dies, so that nobody looks at pids or waits for a time-out.

Nearly always there is nobody to keep out, and then not even that is needed: a process that is *alone* has one byte of
the file for itself, and with it every key. Who comes in knocks, by setting another byte, and has nothing until the one
who is alone has locked the bytes of what it holds and shares the first. It looks at the second with each claim, and in
any case every second; when everybody else has left it is alone again.

In front of the offsets the file holds two tables. They only ever say "look into the database" once too often:

* a slot for many keys says when one of them was last claimed (so that a message nobody has seen costs no query), which
  one, and how many runs of it were begun: a run that kills its process within a millisecond is counted all the same;
* a slot for many users says until when one of them has mail.

They are read through a mapping, which costs nothing, and written with ``pwrite``, which survives the process just as
well, and where a full disk is an error and not SIGBUS.
"""

from __future__ import annotations

import contextlib
import functools
import mmap
import os
import struct
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterable

from . import bytelocks

# Keys that share a slot cost each other a query now and then: at a hundred messages a second, one in twenty.
SLOTS = 1 << 17
MAIL_SLOTS = 1 << 16
# Which key, by 32 bits of it; and its time in 30 bits and its runs in two.
_SLOT = struct.Struct("<II")
_SLOT_BYTES = _SLOT.size
_MAIL = struct.Struct("<I")
_MAIL_AT = SLOTS * _SLOT_BYTES
# Somebody wants to come in.
_KNOCK = _MAIL_AT + MAIL_SLOTS * _MAIL.size
_SIZE = _KNOCK + 1
# Thirty bits of seconds from here end in 2054.
_EPOCH = 1_600_000_000
# The two bits of runs, and so the most that are told apart; who has killed two processes is not run again anyway.
_RUNS = 3
_WORD = 0xFFFFFFFF
# Locks begin behind the tables, so that the two cannot be confused by anybody who looks; man fcntl: l_start is signed.
_LOCKS_AT = 1 << 32
_LOCKS = (1 << 62) - 1
# The byte that one has for itself, or all share.
_HERE = _LOCKS_AT - 1
# Of a key: which slot it has, and where its lock is; the latter's last 32 bits are its mark in the slot.
_KEY = struct.Struct(">4xIQ")

# Waiting for another process: fcntl has no timed wait, so it is asked again, a little later each time.
_FIRST_WAIT = 0.0005
_LONGEST_WAIT = 0.01
# Who is alone looks every second whether somebody knocks; if he does not he is stopped, or about to be replaced.
_ENTER_SECONDS = 2.5


class Claims:
    """The file of claims. Keys are sixteen bytes, the last twelve of them a hash.

    It excludes other `Claims` on the same file, not the threads that share this one.
    """

    def __init__(self, path: str, *, shared: bool = False) -> None:
        """*shared*: there are others all the time, so that being alone is not worth beginning."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._fill()
            self._tables = mmap.mmap(self._fd, _SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
        except OSError:
            os.close(self._fd)
            raise
        # Whether we may have claims, and whether nobody else may.
        self._here = not bytelocks.OWNED
        self._alone = False
        self._shared = shared
        self._moving = threading.Lock()
        # What we hold, and of that the keys whose bytes are locked.
        self._held: set[bytes] = set()
        self._locked: set[bytes] = set()
        _close_in_children(self)

    def _fill(self) -> None:
        """Give the tables their space on the disk now, where an error is convenient."""
        if os.fstat(self._fd).st_size >= _SIZE:
            return
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._fd, 0, _SIZE)
        else:
            os.ftruncate(self._fd, _SIZE)

    def close(self) -> None:
        """End every claim."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._tables.close()  # it has a descriptor of its own, and the locks live as long as that
            os.close(fd)

    # Who is here.

    def attend(self) -> bool:
        """Come in, let in who knocks, be alone if nobody else is here; for who serves, every second. Whether we are in.

        Raises OSError where the disk cannot lock.
        """
        if self._alone:
            if self._tables[_KNOCK]:
                self.let_in()
            return True
        with self._moving:
            if self._fd < 0 or not bytelocks.OWNED or (self._here and self._shared):
                return self._here
            if not self._shared and bytelocks.lock(self._fd, _HERE):
                self._alone = self._here = True
            elif not self._here and bytelocks.lock(self._fd, _HERE, shared=True):
                self._here = True
            elif not self._here:
                os.pwrite(self._fd, b"\1", _KNOCK)
            return self._here

    def enter(self) -> bool:
        """Come in, waiting for who is alone; False where he does not answer."""
        return _within(_ENTER_SECONDS, self.attend)

    def let_in(self) -> None:
        """Be alone no more. Raises OSError, and then nobody comes in."""
        with self._moving:
            if not self._alone:
                return
            # From here on, threads lock their bytes by themselves; those before are among the held.
            self._alone = False
            done = False
            try:
                for key in list(self._held):
                    self._lock_byte(key)  # which nobody can have
                    if key not in self._held:  # it ended meanwhile, and its end may not have seen the lock
                        self._unlock_byte(key)
                os.pwrite(self._fd, b"\0", _KNOCK)
                done = bytelocks.lock(self._fd, _HERE, shared=True)
            finally:
                if not done:
                    self._alone = True

    # Claims.

    def take(self, key: bytes, now: float, since: float) -> int:
        """Claim *key*: -1 if somebody else has it, 0 if nobody has had it since, and then its first run is begun.

        Else somebody may have had it, and the answer is one more than the runs of it that are known to have begun.
        """
        tables = self._tables
        self._held.add(key)  # before the look whether we are alone: see `let_in`
        if (not self._alone or tables[_KNOCK]) and not self._lock_too(key, self.enter):
            return -1
        slot, offset = _KEY.unpack(key)
        at = slot % SLOTS * _SLOT_BYTES
        mark, word = _SLOT.unpack_from(tables, at)
        if (word >> 2) + _EPOCH < since:
            try:
                os.pwrite(self._fd, _word(offset, now, 1), at)
            except OSError:
                self.unlock(key)
                raise
            return 0
        return 1 + (word & _RUNS) if mark == offset & _WORD else 1

    def lock(self, key: bytes) -> bool:
        """Lock *key*, a hash; False where somebody else has it. Raises OSError where the disk cannot lock."""
        self._held.add(key)
        return (self._alone and not self._tables[_KNOCK]) or self._lock_too(key, self.attend)

    def _lock_too(self, key: bytes, come: Callable[[], bool]) -> bool:
        """Lock the byte of a key that is held as far as this process is concerned, or hold it no more.

        *come* is how we come in, where we are not.
        """
        locked = False
        try:
            if self._alone:
                self.let_in()
            if self._here or come():
                with self._moving:  # not between the two looks of `let_in`
                    locked = self._alone or self._lock_byte(key)
        finally:
            if not locked:
                self._held.discard(key)
        return locked

    def _lock_byte(self, key: bytes) -> bool:
        if not bytelocks.lock(self._fd, _byte(key)):
            return False
        self._locked.add(key)
        return True

    def _unlock_byte(self, key: bytes) -> None:
        self._locked.discard(key)
        bytelocks.unlock(self._fd, _byte(key))

    def lock_within(self, key: bytes, timeout: float) -> bool:
        """Lock *key*, waiting for at most *timeout* seconds."""
        return _within(timeout, lambda: self.lock(key))

    def is_taken(self, key: bytes) -> bool:
        """Whether another `Claims` has *key* now, or may have; False too where this system cannot tell."""
        if self._alone:
            return False
        return not self.attend() or bytelocks.is_locked(self._fd, _byte(key))

    def unlock(self, key: bytes) -> None:
        """Let go of *key*."""
        self._held.discard(key)  # before the look whether it is locked: see `let_in`
        if key in self._locked and self._fd >= 0:
            self._unlock_byte(key)

    def unlock_all(self, keys: Iterable[bytes]) -> None:
        """Let go of many."""
        held, locked = self._held, self._locked
        for key in keys:
            held.discard(key)
            if key in locked and self._fd >= 0:
                locked.discard(key)
                _quiet_unlock()(self._fd, _byte(key))

    def begin(self, key: bytes, now: float, runs: int) -> None:
        """Write down that a run of *key* begins, and that it is number *runs*. Its lock must be held.

        Where the disk fails it is not: who claims or writes next hears of that, and here something may be ending.
        """
        slot, offset = _KEY.unpack(key)
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, _word(offset, now, min(runs, _RUNS)), slot % SLOTS * _SLOT_BYTES)

    def has_mail(self, user: str, now: float) -> bool:
        """Whether *user* may have mail."""
        return bool(_MAIL.unpack_from(self._tables, _mail_slot(user))[0] > now)

    def mark_mail(self, user: str, until: float) -> None:
        """Say that *user* has mail until then."""
        (known,) = _MAIL.unpack_from(self._tables, _mail_slot(user))
        latest = min(max(int(until) + 1, known), 0xFFFFFFFF)
        os.pwrite(self._fd, _MAIL.pack(latest), _mail_slot(user))


_quiet_unlock = functools.lru_cache(maxsize=1)(bytelocks.quiet_unlock)  # made by whoever is not alone


def _within(seconds: float, succeeds: Callable[[], bool]) -> bool:
    """Try until it *succeeds*, or so many *seconds* have gone by."""
    until = time.monotonic() + seconds
    wait = _FIRST_WAIT
    while not succeeds():
        if time.monotonic() >= until:
            return False
        time.sleep(wait)
        wait = min(wait * 1.5, _LONGEST_WAIT)
    return True


def _byte(key: bytes) -> int:
    """Where the lock of *key* is."""
    return _LOCKS_AT + (int.from_bytes(key[8:], "big") & _LOCKS)


def _word(offset: int, now: float, runs: int) -> bytes:
    """What a slot says of a key: whose it is, when it was claimed, how many runs were begun."""
    # Of a clock that is before this epoch, the time wraps: far in the future, and looked up once too often.
    return _SLOT.pack(offset & _WORD, (int(now) - _EPOCH << 2 | runs) & _WORD)


def _mail_slot(user: str) -> int:
    return _MAIL_AT + zlib.crc32(user.encode("utf-8", "surrogateescape")) % MAIL_SLOTS * _MAIL.size


def _close_in_children(claims: Claims) -> None:
    """A child that a handler forks and that outlives us would keep our claims with its copy of the descriptor."""
    reference = weakref.ref(claims)

    def close() -> None:
        held = reference()
        if held is not None:
            held.close()

    os.register_at_fork(after_in_child=close)
