"""What a handler may remember of its user: a dictionary of JSON values that survives restarts.

A plain handler has its user's lock from its call until its changes are committed, so that two messages of one user at
the same time count to two. A slow one has a snapshot, so that it never makes the user's next message wait; there
``with state:`` takes the lock, reads again and commits, and what was changed outside it is put in place, name by name,
when the handler has returned.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from types import TracebackType
from typing import Any

from ..store import Store

_log = logging.getLogger("wxserve.delivery")

# Of one user: a conversation with a model fits, a collection of files does not.
MOST_BYTES = 64 * 1024
MOST_NAME = 200
# Half a character, which no file takes.
_SURROGATE = "[\ud800-\udfff]"


class StateError(ValueError):
    """A value that cannot be kept; the message names it."""


class State(dict[str, Any]):
    """The ``state`` of a handler."""

    def __init__(self, store: Store, account: str, user: str, wait: float, *, exclusive: bool) -> None:
        super().__init__()
        self._store = store
        self._whose = (account, user)
        self._lock = hashlib.blake2b(f"state\0{account}\0{user}".encode("utf-8", "replace"), digest_size=16).digest()
        self._wait = wait
        self._exclusive = exclusive
        self._locked = False
        # How many `with state:` we are in, and whether the outermost took the lock.
        self._depth = 0
        self._borrowed = False
        self._kept: dict[str, str] = {}
        #: Names that were changed here, and committed.
        self.changed: set[str] = set()
        #: Seconds that others had the lock.
        self.waited = 0.0
        self.open()

    def open(self) -> None:
        """Have what is kept now, and the lock for as long as it is open. What changed and was not kept is gone."""
        if self._exclusive:
            self._take_lock()
        fine = False
        try:
            self._read()
            fine = True
        finally:
            if not fine:
                self.release()

    def __enter__(self) -> State:
        """Have the user's lock, and the state as it is now; a change before this and not kept yet stays changed."""
        if not self._locked:
            changes = self._changes()
            self._take_lock()
            self._borrowed = True
            self._read()
            for name, value in changes.items():
                if value is None:
                    self.pop(name, None)
                else:
                    self[name] = _value(value)
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self.keep()
        finally:
            self._depth -= 1
            if self._borrowed and not self._depth:
                self._borrowed = False
                self.release()

    def keep(self) -> None:
        """Commit what changed. Raises StateError."""
        changes = self._changes()
        if changes:
            self._store.change(*self._whose, changes)
            self.changed.update(changes)
            for name, value in changes.items():
                if value is None:
                    del self._kept[name]
                else:
                    self._kept[name] = value

    def release(self) -> None:
        """Let go of the lock; the changes of somebody who has lost it are put in place name by name."""
        if self._locked:
            self._locked = False
            self._store.unlock(self._lock)

    def _take_lock(self) -> None:
        began = time.monotonic()
        self._locked = self._store.lock(self._lock, self._wait)
        self.waited += time.monotonic() - began
        if not self._locked:
            fields = {"user": self._whose[1], "seconds": self._wait}
            _log.warning("state", extra={"code": "WX-STA-02", "fields": fields})

    def _read(self) -> None:
        self._kept = self._store.state(*self._whose)
        self.clear()
        self.update({name: _value(value) for name, value in self._kept.items()})

    def _changes(self) -> dict[str, str | None]:
        """What differs from what is kept, deep inside too. Raises StateError."""
        texts = {name: _text(name, value) for name, value in self.items()}
        if sum(len(name) + len(value) for name, value in texts.items()) > MOST_BYTES:
            longest = max(texts, key=lambda name: len(texts[name]))
            raise StateError(f"state is larger than {MOST_BYTES >> 10} KiB; most of it is state[{longest!r}]")
        changes: dict[str, str | None] = {n: value for n, value in texts.items() if self._kept.get(n) != value}
        changes.update({name: None for name in self._kept if name not in texts})
        return changes


class Access:
    """One run's way to its user's state: opened when a handler asks for it, and closed when the run is over."""

    __slots__ = ("_account", "_exclusive", "_open", "_state", "_store", "_user", "_wait")

    def __init__(self, store: Store, account: str, user: str, wait: float, *, exclusive: bool) -> None:
        self._store = store
        self._account = account
        self._user = user
        self._wait = wait
        self._exclusive = exclusive
        self._state: State | None = None
        self._open = False

    def __call__(self) -> State:
        if self._state is None:
            self._state = State(self._store, self._account, self._user, self._wait, exclusive=self._exclusive)
        elif not self._open:  # on.error's turn, after the handler's
            self._state.open()
        self._open = True
        return self._state

    def close(self, keep: bool) -> None:
        """Keep the changes, or do not, and let go of the lock. Raises StateError."""
        if self._state is not None and self._open:
            self._open = False
            try:
                if keep:
                    self._state.keep()
            finally:
                self._state.release()

    @property
    def waited(self) -> float:
        """Seconds in which another message of the user had the state: not the handler's fault."""
        return self._state.waited if self._state is not None else 0.0

    def take_back(self) -> None:
        """Delete what the run kept of a user who has left meanwhile, and nothing that is newer."""
        if self._state is not None and self._state.changed:
            self._store.change(self._account, self._user, dict.fromkeys(self._state.changed))

    def give_up(self) -> None:
        """Let go of the lock of a run that never ends."""
        if self._state is not None:
            self._state.release()


def _value(text: str) -> Any:
    import json  # for accounts that keep something: the others start sooner

    return json.loads(text)


def _text(name: object, value: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME or re.search(_SURROGATE, name):
        raise StateError(f"state[{name!r:.80}]: a name is a str of at most {MOST_NAME} characters")
    import json  # as above

    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise StateError(f"state[{name!r}] is not JSON: {error}") from None
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text
