"""Who runs what: claims that are exact across processes and end with the process, in one file beside the store.

A claim is a lock on one byte, at an offset that is a part of its key: at once, no system call but its own, and the
kernel frees it when the process dies, so that nobody looks at pids or waits for a time-out. The bytes themselves need
not exist. On Linux they are open-file-description locks (man fcntl), which belong to this descriptor: another store in
the same process, or a library that opens and closes the file, cannot lose them for us, as with POSIX locks it would.

In front of the offsets the file holds two tables. They only ever say "look into the database" once too often:

* a slot for many keys says when one of them was last claimed (so that a message nobody has seen costs no query), which
  one, and how many runs of it were begun: a run that kills its process within a millisecond is counted all the same;
* a slot for many users says until when one of them has mail.

They are read through a mapping, which costs nothing, and written with ``pwrite``, which survives the process just as
well, and where a full disk is an error and not SIGBUS.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
import weakref
import zlib
from collections.abc import Callable, Iterable

# Keys that share a slot cost each other a query now and then: at a hundred messages a second, one in twenty.
SLOTS = 1 << 17
MAIL_SLOTS = 1 << 16
# Which key, by 32 bits of it; and its time in 30 bits and its runs in two.
_SLOT = struct.Struct("<II")
_SLOT_BYTES = 8
_MAIL = struct.Struct("<I")
_MAIL_AT = SLOTS * _SLOT_BYTES
_SIZE = _MAIL_AT + MAIL_SLOTS * _MAIL.size
# Thirty bits of seconds from here end in 2054.
_EPOCH = 1_600_000_000
MOST_RUNS = 3
_WORD = 0xFFFFFFFF
# Locks begin behind the tables, so that the two cannot be confused by anybody who looks; man fcntl: l_start is signed.
_LOCKS_AT = 1 << 32
_LOCKS = (1 << 62) - 1
# Of a key: which slot it has, and where its lock is; the latter's last 32 bits are its mark in the slot.
_KEY = struct.Struct(">4xIQ")
# struct flock of <fcntl.h>: l_type, l_whence, l_start, l_len, l_pid. OFD locks want l_pid 0.
_FLOCK = struct.Struct("@hhqqi0q")  # 0q: padded to a multiple of a q's alignment, as the compiler pads it
_OFD_SETLK: int | None = getattr(fcntl, "F_OFD_SETLK", None)
_OFD_GETLK: int | None = getattr(fcntl, "F_OFD_GETLK", None)

_LOCK, _UNLOCK = fcntl.F_WRLCK, fcntl.F_UNLCK

# Waiting for a lock of another process: fcntl has no timed wait, so it is asked again, a little later each time.
_FIRST_WAIT = 0.0005
_LONGEST_WAIT = 0.01


class Claims:
    """The file of claims. Keys are sixteen bytes, the last twelve of them a hash.

    Its locks exclude other `Claims` on the same file, not the threads that share this one.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._fill()
            self._tables = mmap.mmap(self._fd, _SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
        except OSError:
            os.close(self._fd)
            raise
        self._quiet = _quiet_fcntl()
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

    def take(self, key: bytes, now: float, since: float) -> int:
        """Claim *key*: -1 if somebody else has it, 0 if nobody has had it since, and then its first run is begun.

        Else somebody may have had it, and the answer is one more than the runs of it that are known to have begun.
        (`lock` and `begin` and a look in between, because it is every message's.)
        """
        slot, offset = _KEY.unpack(key)
        fd = self._fd
        try:
            if _OFD_SETLK is not None:
                fcntl.fcntl(fd, _OFD_SETLK, _FLOCK.pack(_LOCK, 0, _LOCKS_AT + (offset & _LOCKS), 1, 0))
            else:
                _set(fd, _LOCK, offset)
        except (BlockingIOError, PermissionError):
            return -1
        at = slot % SLOTS * _SLOT_BYTES
        mark, word = _SLOT.unpack_from(self._tables, at)
        if (word >> 2) + _EPOCH < since:
            os.pwrite(fd, _word(offset, now, 1), at)
            return 0
        return 1 + (word & MOST_RUNS) if mark == offset & _WORD else 1

    def lock(self, key: bytes) -> bool:
        """Lock *key*, a hash; False where somebody else has it. Raises OSError where the disk cannot lock."""
        try:
            _set(self._fd, _LOCK, _KEY.unpack(key)[1])
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as POSIX leaves open
            return False
        return True

    def lock_within(self, key: bytes, timeout: float) -> bool:
        """Lock *key*, waiting for at most *timeout* seconds."""
        until = time.monotonic() + timeout
        wait = _FIRST_WAIT
        while not self.lock(key):
            if time.monotonic() >= until:
                return False
            time.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT)
        return True

    def is_taken(self, key: bytes) -> bool:
        """Whether another `Claims` has *key* now; False too where this system cannot tell."""
        if _OFD_GETLK is None:
            return False
        kind: int = _FLOCK.unpack(fcntl.fcntl(self._fd, _OFD_GETLK, _flock(_LOCK, _KEY.unpack(key)[1])))[0]
        return kind != _UNLOCK

    def unlock(self, key: bytes) -> None:
        """Let go of *key*."""
        if self._fd >= 0:
            _set(self._fd, _UNLOCK, _KEY.unpack(key)[1])

    def unlock_all(self, keys: Iterable[bytes]) -> None:
        """Let go of many."""
        fd, quiet = self._fd, self._quiet
        if fd < 0:
            return
        for key in keys:
            offset = _KEY.unpack(key)[1]
            if quiet is not None:
                quiet(fd, _OFD_SETLK, _flock(_UNLOCK, offset))
            else:
                _set(fd, _UNLOCK, offset)

    def begin(self, key: bytes, now: float, runs: int) -> None:
        """Write down that a run of *key* begins, the how manieth. Its lock must be held."""
        slot, offset = _KEY.unpack(key)
        os.pwrite(self._fd, _word(offset, now, min(runs, MOST_RUNS)), slot % SLOTS * _SLOT_BYTES)

    def has_mail(self, user: str, now: float) -> bool:
        """Whether *user* may have mail."""
        return bool(_MAIL.unpack_from(self._tables, _mail_slot(user))[0] > now)

    def mark_mail(self, user: str, until: float) -> None:
        """Say that *user* has mail until then."""
        (known,) = _MAIL.unpack_from(self._tables, _mail_slot(user))
        latest = min(max(int(until) + 1, known), 0xFFFFFFFF)
        os.pwrite(self._fd, _MAIL.pack(latest), _mail_slot(user))


def _set(fd: int, kind: int, offset: int) -> None:
    if _OFD_SETLK is not None:
        fcntl.fcntl(fd, _OFD_SETLK, _flock(kind, offset))
    else:
        command = fcntl.LOCK_UN if kind == _UNLOCK else fcntl.LOCK_EX | fcntl.LOCK_NB
        fcntl.lockf(fd, command, 1, _LOCKS_AT + (offset & _LOCKS))


def _flock(kind: int, offset: int) -> bytes:
    return _FLOCK.pack(kind, 0, _LOCKS_AT + (offset & _LOCKS), 1, 0)  # 0: SEEK_SET


def _word(offset: int, now: float, runs: int) -> bytes:
    """What a slot says of a key: whose it is, when it was claimed, how many runs were begun."""
    # Of a clock that is before this epoch, the time wraps: far in the future, and looked up once too often.
    return _SLOT.pack(offset & _WORD, (int(now) - _EPOCH << 2 | runs) & _WORD)


def _quiet_fcntl() -> Callable[[int, int | None, bytes], int] | None:
    """fcntl(2) that keeps the interpreter to itself.

    The module's lets go of it for a call that never waits, and a thread that is busy answering takes a while to give it
    back: a hundred locks a batch cost a hundred switches, measured as a sixth of a message.
    """
    try:
        import ctypes

        return ctypes.PyDLL(None).fcntl if _OFD_SETLK is not None else None
    except (ImportError, OSError, AttributeError):
        return None


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
