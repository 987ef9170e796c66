"""Who else on this machine may write what we run, or read what users wrote: warnings of ``check``."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..config import OPTIONS, Settings
from ..problem import Problem
from .terminal import shorten


def warnings(settings: Settings, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what others may do and should not. What is not there is nobody's."""
    yield from _secrets(settings)
    for path in dict.fromkeys([*_run(settings), *(path.parent for path in _store(settings)[:1])]):
        mode = _mode(path)
        # A sticky folder like /tmp is everybody's, yet nobody can replace another's file in it.
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield Problem("WX-CFG-11", {"file": shorten(str(path))}, str(path))
    for path, asked in _kept(settings, environ):
        if _mode(path) & asked:
            yield Problem("WX-CFG-12", {"file": shorten(str(path))}, str(path))


def _secrets(settings: Settings) -> Iterator[Problem]:
    """A file with secrets in it is its owner's alone."""
    holds = any(option.secret and settings.sources[option.key].startswith(f"{settings.file}:") for option in OPTIONS)
    if settings.file and holds and _mode(Path(settings.file)) & stat.S_IROTH:
        yield Problem("WX-CFG-07", {"file": shorten(settings.file)}, settings.file)


def _kept(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[Path, int]]:
    """Where users' messages and state are, and what others may not do there: read a file, look into a folder."""
    files = _store(settings)
    yield from ((path, stat.S_IROTH) for path in files)
    folders = [Path(path) for path in environ.get("STATE_DIRECTORY", "").split(":") if path]
    # The project's own folder holds other things, too, and a sticky one other people's: there the file's mode counts.
    folders += [path.parent for path in files[:1] if path.parent != Path(os.path.abspath(settings.base))]
    for folder in dict.fromkeys(folders):
        if not _mode(folder) & stat.S_ISVTX:
            yield folder, stat.S_IROTH | stat.S_IXOTH


def _store(settings: Settings) -> list[Path]:
    """The store's file, and those that SQLite and we keep beside it."""
    kind, _, path = settings.store.partition(":")
    return [Path(path + end) for end in ("", "-wal", "-shm", "-claims")] if kind == "sqlite" else []


def _run(settings: Settings) -> Iterator[Path]:
    """What decides what is run and said: configuration, replies, handlers, and the folders that they stand in."""
    files = [Path(os.path.abspath(path)) for path in (settings.file, settings.replies) if path]
    handlers = Path(os.path.abspath(settings.handlers))
    yield from files
    yield from dict.fromkeys(path.parent for path in (*files, handlers))
    yield handlers
    yield from sorted(handlers.glob("*.py"))


def _mode(path: Path) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0
