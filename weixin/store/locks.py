"""Locks by name, between the threads of one process."""

from __future__ import annotations

import threading


class Names:
    """A lock for every name that somebody holds or waits for, and none for the others."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        # name -> its lock, how many hold it or wait for it, and what its holder keeps with it.
        self._held: dict[bytes, _Held] = {}

    def lock(self, name: bytes, timeout: float) -> bool:
        """Lock *name* for any thread of ours to unlock; False if that takes longer than *timeout* seconds."""
        with self._guard:
            held = self._held.get(name)
            if held is None:
                held = self._held[name] = _Held()
            held.users += 1
        if held.lock.acquire(timeout=max(0.0, timeout)):
            return True
        self._leave(name, held)
        return False

    def unlock(self, name: bytes) -> None:
        with self._guard:
            held = self._held[name]
        held.kept = None
        held.lock.release()
        self._leave(name, held)

    def keep(self, name: bytes, what: object) -> None:
        """Note *what* with a name that is locked."""
        self._held[name].kept = what

    def kept(self, name: bytes) -> object:
        return self._held[name].kept

    def _leave(self, name: bytes, held: _Held) -> None:
        with self._guard:
            held.users -= 1
            if not held.users:
                del self._held[name]


class _Held:
    __slots__ = ("kept", "lock", "users")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.kept: object = None
