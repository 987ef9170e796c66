"""What is answered while another process holds the file: from memory, and from what can be read.

Each does what `messages` would, as far as that can be known, and owes the rest; see ``disk``.
"""

from __future__ import annotations

import sqlite3
from typing import Callable

from . import messages, rows
from .base import Claim, Push, Verdict
from .disk import Disk
from .messages import Ending


class Meanwhile:
    """Answers for *disk*, while it is held."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._promised: set[tuple[str, str]] = set()

    def join(self, own: Claim | None, work: Callable[[sqlite3.Connection], int]) -> int:
        """How many deliveries there were, as far as this process has seen them; a message's age says more."""
        self._disk.owe(work)
        if own is None:
            return 2
        own.seen = max(1, own.seen) + 1
        return own.seen

    def finish(self, claim: Claim, ending: Ending, known: bool) -> Verdict:
        """What finishing comes to. KEPT: the caller keeps the answer, and no mail can be in it."""
        answer = ending.answer
        if answer.take:
            return Verdict.MAIL_GONE
        row = self._known(ending.push.key)
        if claim.forgotten or (row is None and known):
            self._disk.owe(lambda db: messages.finish(db, ending, known, claim.forgotten))
            return Verdict.FORGOTTEN
        if claim.body is None and row is not None and not row[0]:
            claim.body = row[1]
        if claim.body is not None:
            return Verdict.BUSY
        if answer.put:
            self._disk.owe(lambda db: messages.put_mail(db, ending))
        return Verdict.KEPT

    def say_busy(self, own: Claim | None, push: Push, body: bytes, now: float, kept: float) -> bytes:
        """What to say; our own run hears of it at once."""
        if own is not None and own.body is not None:
            return own.body
        row = self._known(push.key)
        said = bytes(row[1]) if row is not None and row[1] is not None else body
        if own is not None:
            own.body = said
        self._promised.add((push.account, push.user))

        def work(db: sqlite3.Connection) -> None:
            # An answer that its process has put down meanwhile stays unfetched: the user has read something else.
            messages.note_busy(db, push, said, now, kept)

        self._disk.owe(work)
        return said

    def expects(self, account: str, user: str, now: float) -> bool:
        """Whether a user has mail that cannot be taken just now, or was told to ask for it later."""
        if not self._disk.held:
            self._promised.clear()
            return False
        return (account, user) in self._promised or bool(self._disk.read(lambda db: rows.mail(db, account, user, now)))

    def fetch(self, key: bytes) -> bytes | None:
        """What was said, which is not to be settled any more."""
        row = self._known(key)
        if row is None or row[1] is None:
            return None
        self._disk.owe(lambda db: messages.fetch(db, key))
        return bytes(row[1])

    def _known(self, key: bytes) -> tuple[int, bytes | None, int, int] | None:
        row: tuple[int, bytes | None, int, int] | None = self._disk.read(
            lambda db: db.execute(messages.KNOWN, (key,)).fetchone()
        )
        return row
