"""Locks on single bytes of a file, between processes; the kernel lets go of them when a process dies.

The bytes need not exist. On Linux these are open-file-description locks (man fcntl), which belong to the descriptor:
another store in the same process, or a library that opens and closes the file, cannot lose them for us, as with POSIX
locks it would. Nothing here waits.
"""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Callable

_SETLK: int | None = getattr(fcntl, "F_OFD_SETLK", None)
_GETLK: int | None = getattr(fcntl, "F_OFD_GETLK", None)
# struct flock of <fcntl.h>: l_type, l_whence, l_start, l_len, l_pid. OFD locks want l_pid 0.
_FLOCK = struct.Struct("@hhqqi0q")  # 0q: padded to a multiple of a q's alignment, as the compiler pads it
_SEEK_SET = 0

#: Whether the locks belong to a descriptor: a lock of this process can then be seen, shared and made its own again.
OWNED = _SETLK is not None


def lock(fd: int, at: int, *, shared: bool = False) -> bool:
    """Lock byte *at* for this descriptor alone, or *shared*; what it has already is changed to that.

    False where somebody else's lock is in the way, and then nothing has changed. Raises OSError where the disk cannot
    lock.
    """
    try:
        if _SETLK is not None:
            kind = fcntl.F_RDLCK if shared else fcntl.F_WRLCK
            fcntl.fcntl(fd, _SETLK, _FLOCK.pack(kind, _SEEK_SET, at, 1, 0))
        else:
            fcntl.lockf(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB, 1, at)
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as POSIX leaves open
        return False
    return True


def unlock(fd: int, at: int) -> None:
    """Let go of byte *at*; nothing happens where it was not locked."""
    if _SETLK is not None:
        fcntl.fcntl(fd, _SETLK, _FLOCK.pack(fcntl.F_UNLCK, _SEEK_SET, at, 1, 0))
    else:
        fcntl.lockf(fd, fcntl.LOCK_UN, 1, at)


def is_locked(fd: int, at: int) -> bool:
    """Whether somebody else has a lock on byte *at*; False too where this system cannot tell."""
    if _GETLK is None:
        return False
    found: int = _FLOCK.unpack(fcntl.fcntl(fd, _GETLK, _FLOCK.pack(fcntl.F_WRLCK, _SEEK_SET, at, 1, 0)))[0]
    return found != fcntl.F_UNLCK


def quiet_unlock() -> Callable[[int, int], object]:
    """`unlock`, keeping the interpreter to itself where it can.

    The module's fcntl lets go of it for a call that never waits, and a thread that is busy answering takes a while to
    give it back: a hundred locks a batch cost a hundred switches, measured as a sixth of a message.
    """
    try:
        import ctypes

        quiet, setlk = ctypes.PyDLL(None).fcntl, _SETLK
    except (ImportError, OSError, AttributeError):
        return unlock
    if setlk is None:
        return unlock
    return lambda fd, at: quiet(fd, setlk, _FLOCK.pack(fcntl.F_UNLCK, _SEEK_SET, at, 1, 0))
