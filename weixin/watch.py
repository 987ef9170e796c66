"""Which files changed since the last look, by the time and size that the file system keeps of them.

Polling, because it is the same on every system and file system, needs no thread, and costs a ``stat`` per file: some
hundreds of microseconds for a project. It knows no handlers and no configuration; it is given paths.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Callable

# Time, size and inode: an editor that saves into a new file keeps neither the one nor, always, the other.
Stamp = tuple[int, int, int]

# A look costs little, and an answer to a saved file shall come within a second.
LOOK_SECONDS = 0.25
# A folder is somebody's project, not a disk; what is beyond is not watched.
MAX_FILES = 2_000

_PASSED_OVER = ("__pycache__", "node_modules")
# Editors' swap files, backups and locks; what Python compiles.
_ENDINGS = ("~", ".swp", ".swx", ".swo", ".tmp", ".bak", ".pyc")


class Watch:
    """Some files, and all the files below some folders; those may come and go."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = tuple(paths)
        self._known = snapshot(self._paths)

    def changed(self) -> list[str]:
        """Return what was made, changed or removed since the last call, in order of name."""
        before, self._known = self._known, snapshot(self._paths)
        return differences(before, self._known)

    def settled(self, pause: Callable[[float], object], most: int = 3) -> list[str]:
        """The same, but where something changed wait until nothing more does: *pause* between at most so many looks.

        A person saves several files at once, and an editor a file in several steps.
        """
        found: dict[str, None] = dict.fromkeys(self.changed())
        more = bool(found)
        while more and most:
            pause(LOOK_SECONDS / 2)
            now = self.changed()
            found.update(dict.fromkeys(now))
            more, most = bool(now), most - 1
        return sorted(found)


def snapshot(paths: Iterable[str]) -> dict[str, Stamp]:
    """Return the stamp of every file there is."""
    found: dict[str, Stamp] = {}
    for path in _files(paths):
        if len(found) == MAX_FILES:
            break
        try:
            status = os.stat(path)
        except OSError:  # gone since, or never there
            continue
        found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def differences(before: dict[str, Stamp], after: dict[str, Stamp]) -> list[str]:
    """Return the files that are not the same in both."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _files(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in _PASSED_OVER and name[0] != ".")
            for name in sorted(names):
                if name[0] != "." and not name.endswith(_ENDINGS):
                    yield str(Path(folder, name))
