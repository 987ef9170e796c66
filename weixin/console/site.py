"""What has to be there before the fork so that a console and the workers find each other afterwards.

The command makes one Site, hands ``wrap`` and ``door`` to each worker and ``make`` to the console's own process.
"""

from __future__ import annotations

import mmap
import shutil
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Callable

from ..app import Application
from ..config import Settings
from ..routing.rules import Rules
from ..store import open_store
from .access import Access, make_key
from .app import Console, Hooks
from .door import Door, in_modes
from .pace import Pace, Paced

# A socket's path has 108 bytes at most (man unix), which a project's folder may exceed; this does not.
SOCKET = "push.sock"


class Site:
    """One console, in all processes. *listen* makes a listening socket of ``unix:/…``."""

    def __init__(
        self,
        listen: Callable[[str], socket.socket],
        secret: bytes,
        names: Iterable[str] = (),
        hooks: Hooks | None = None,
    ) -> None:
        """*secret* signs the sessions: the same one over a restart keeps tabs logged in. *names*: see Access."""
        self._folder = tempfile.mkdtemp(prefix="wxserve-")  # mode 0700: nobody else's pushes come this way
        self._address = f"unix:{Path(self._folder) / SOCKET}"
        #: The private listener, for the workers to serve beside the public one.
        self.private = listen(self._address)
        #: The key that the address in the terminal ends with.
        self.key = make_key()
        # A console that takes the place of another must know that it was used.
        self._spent = mmap.mmap(-1, 1)
        self._door_key = make_key()
        self._secret = secret
        self._names = tuple(names)
        self._hooks = hooks
        self._pace = Pace()

    def url(self, address: str) -> str:
        """What a person opens, where the console listens on *address*."""
        return f"http://{address}/#k={self.key}"

    def wrap(self, rules: Rules) -> Rules:
        """In a worker: the rules to build the application with."""
        return Paced(rules, self._pace)

    def door(self, application: Application) -> Door:
        """In a worker: what to serve on both listeners."""
        modes = in_modes(application.settings, self._door_key)
        return Door(application, self._door_key, {m: application.sibling(s) for m, s in modes.items()}, self._pace)

    def make(self, settings: Settings) -> Console:
        """In the console's process: its application."""
        keep, full = settings.keep, settings.store_content == "full"
        store = None if settings.store == "memory:" else open_store(settings.store, keep=keep, full=full)
        access = Access(self.key, self._secret, self._names, self._spent)
        return Console(settings, self._address, self._door_key, access, store, self._hooks)

    def close(self) -> None:
        """Remove what was made, in the process that made it."""
        self.private.close()
        shutil.rmtree(self._folder, ignore_errors=True)
