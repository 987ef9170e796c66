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
    for path in _run(settings):
        mode = _mode(path)
        # A sticky folder like /tmp is everybody's, yet nobody can replace another's file in it.
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield Problem("WX-CFG-11", {"file": shorten(str(path))}, str(path))
    state = environ.get("STATE_DIRECTORY")
    if state and _mode(Path(state)) & (stat.S_IROTH | stat.S_IXOTH):
        yield Problem("WX-CFG-12", {"file": state}, state)


def _secrets(settings: Settings) -> Iterator[Problem]:
    """A file with secrets in it is its owner's alone."""
    holds = any(option.secret and settings.sources[option.key].startswith(f"{settings.file}:") for option in OPTIONS)
    if settings.file and holds and _mode(Path(settings.file)) & stat.S_IROTH:
        yield Problem("WX-CFG-07", {"file": shorten(settings.file)}, settings.file)


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
