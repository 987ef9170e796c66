"""Where the store goes on when its disk does not: a folder in a temporary one that nobody else may enter.

Its name follows from the store's, so that all the processes of one service meet in it without a word.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator

# Made by systemd and always in memory; the last resort when /tmp is as full as the disk.
_MEMORY = "/dev/shm"


def places(url: str) -> Iterator[str]:
    """Yield paths to try, in turn. The last is new and nobody else's."""
    import tempfile  # hardly ever needed, and with all it imports a tenth of the time to start

    name = hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    for parent in (tempfile.gettempdir(), _MEMORY):
        folder = os.path.join(parent, f"wxserve-{os.getuid()}-{name}")
        if _is_ours(folder):
            yield os.path.join(folder, "wxserve.db")
    try:
        yield os.path.join(tempfile.mkdtemp(prefix="wxserve-"), "wxserve.db")
    except OSError:
        pass  # nowhere left to write


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
