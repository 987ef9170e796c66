"""Where the store goes on when its disk does not: a folder in a temporary one that nobody else may enter.

Its name follows from the store's, so that all the processes of one service meet in it without a word.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator

# Made by systemd and always in memory; the last resort when /tmp is as full as the disk.
_MEMORY = "/dev/shm"
# Who leaves last moves a file of a few megabytes.
_LEAVING_SECONDS = 2.0


def places(url: str) -> Iterator[str]:
    """Yield paths to try, in turn. The last is new and nobody else's; it goes again if that is of no use either."""
    import shutil
    import tempfile  # hardly ever needed, and with all it imports a tenth of the time to start

    for folder in _folders(url):
        if _is_ours(folder):
            yield os.path.join(folder, "wxserve.db")
    try:
        folder = tempfile.mkdtemp(prefix="wxserve-")
    except OSError:
        return  # nowhere left to write
    yield os.path.join(folder, "wxserve.db")
    shutil.rmtree(folder, ignore_errors=True)


def left(url: str) -> Iterator[str]:
    """Yield the spare files that are there."""
    for folder in _folders(url):
        path = os.path.join(folder, "wxserve.db")
        if os.path.exists(path) and _is_ours(folder):
            yield path


def _folders(url: str) -> Iterator[str]:
    import tempfile

    name = hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    with contextlib.suppress(OSError):  # none of them has room for a byte
        yield os.path.join(tempfile.gettempdir(), f"wxserve-{os.getuid()}-{name}")
    yield os.path.join(_MEMORY, f"wxserve-{os.getuid()}-{name}")


class Guest:
    """That this process is in the spare file at *path*: a lock that all who are share, in a file beside it."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path + "-here", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.share()

    def share(self) -> None:
        """Let others in."""
        until = time.monotonic() + _LEAVING_SECONDS
        while not self._lock(fcntl.LOCK_SH) and time.monotonic() < until:
            time.sleep(0.01)  # the last one is just leaving, and clears up

    def is_alone(self) -> bool:
        """Whether nobody else is there; if so, nobody comes in either until we leave or `share`."""
        if self._lock(fcntl.LOCK_EX):
            return True
        self._lock(fcntl.LOCK_SH)  # man flock: a conversion that fails may lose what was held
        return False

    def leave(self) -> None:
        os.close(self._fd)

    def _lock(self, kind: int) -> bool:
        try:
            fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _is_ours(folder: str) -> bool:
    """Make *folder*, or make sure that it is ours: in /tmp anybody may have been first."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    status = os.lstat(folder)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
