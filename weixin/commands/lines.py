"""Lines that a person types, with editing and history where the system has readline, or lines that a pipe holds.

The bytes may be in any of the encodings of Chinese terminals: what is UTF-8 is read as such, whatever the locale says.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PROMPT = "> "
# What somebody typed on other days, as other shells keep it.
HISTORY = 500


def read(words: Sequence[str], *, prompt: str = PROMPT) -> Iterator[str]:
    """Yield each line until the end, without its line end; *words* are what Tab completes. Ctrl-C gives up a line.

    A terminal is asked with *prompt*; a pipe is just read.
    """
    if not sys.stdin.isatty():
        for line in sys.stdin.buffer:
            yield decode(line, sys.stdin.encoding).rstrip("\r\n")
        return
    with _editing(words):
        interrupted = False
        while True:
            try:
                line = input(prompt)
            except EOFError:
                print()
                return
            except KeyboardInterrupt:
                print()
                if interrupted:
                    return
                interrupted = True
                continue
            interrupted = False
            encoding = sys.stdin.encoding or "ascii"
            yield decode(line.encode(encoding, "surrogateescape"), encoding)


def decode(line: bytes, encoding: str | None) -> str:
    """Return a line's text. Hardly anything that is not UTF-8 passes for it by accident."""
    for name in ("utf-8-sig", encoding or "ascii", "gb18030"):
        try:
            return line.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return line.decode(errors="replace")


@contextlib.contextmanager
def _editing(words: Sequence[str]) -> Iterator[None]:
    """Switch on editing, completion and history, and keep the history at the end."""
    # A terminal in another encoding than Python believes must not end the conversation.
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="surrogateescape")
    try:
        import readline
    except ImportError:  # a Python that was built without it
        yield
        return
    path = history_file()
    readline.set_completer(_Completer(words))
    readline.set_completer_delims(" ")
    # On macOS the module stands on libedit, which has a language of its own.
    edit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if edit else "tab: complete")
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        readline.set_completer(None)
        _keep(readline, path)


def _keep(readline: Any, path: Path) -> None:
    """Write the history, for its owner alone; a home that cannot be written is no reason to complain."""
    readline.set_history_length(HISTORY)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT, 0o600))
        readline.write_history_file(path)


def history_file() -> Path:
    """Where the history is (XDG Base Directory Specification: what persists, and is no configuration)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state, "wxserve", "chat_history")


class _Completer:
    """What readline calls again and again, with 0, 1, 2 …, until there is nothing more."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = sorted(words)

    def __call__(self, text: str, state: int) -> str | None:
        found = [word for word in self._words if text and word.startswith(text)]
        return found[state] if state < len(found) else None
