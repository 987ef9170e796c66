"""Who moves the store's log into its file: a thread of its own, because that waits for the disk, and batches go on."""

from __future__ import annotations

from .database import Database
from .disk import Disk
from .late import Turns

# Between two tries to empty a log that somebody reads just now.
AGAIN_SECONDS = 1.0
PATIENCE = 0.05
FOREVER = 3600.0


class Mover:
    """Moves the log of *disk*."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._turns = Turns("store log", self._turn, PATIENCE)
        self._wiping = False

    def move(self) -> None:
        """Move it soon, if it is long."""
        if self._disk.db.log_is_long and self._turns.idle:
            self._turns.wake()

    def wipe(self) -> None:
        """Leave nothing in it, soon: it has what was forgotten."""
        self._wiping = True
        self._turns.wake()

    def end(self) -> None:
        self._turns.end()

    def _turn(self) -> float:
        self._disk.tend(lambda db: db.move_log())
        if self._wiping:
            self._wiping = False
            self._disk.tend(self._wipe)
        return AGAIN_SECONDS if self._wiping else FOREVER

    def _wipe(self, db: Database) -> None:
        wiped = False
        try:
            wiped = db.wipe_log()
        finally:
            if not wiped:  # else it is as it is: somebody may have asked for another meanwhile
                self._wiping = True
