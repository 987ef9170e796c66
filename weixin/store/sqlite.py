"""The store in an SQLite file: survives a restart, shared by the processes of one machine.

A quick message costs its request a lock, a look and an append. Its row is written with many others, after which its
claim ends: where there is much to do by a thread that has just answered and has a moment, else by one of our own. (The
latter beside busy threads takes more than twice as long: they fight for the interpreter.) What others may have heard
of, mail and state are committed before the method returns: a commit in WAL mode does not wait for the disk.
Of the disk it assumes nothing: see ``disk``.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from typing import Callable

from . import base, leaving, messages, rows
from .base import FORGOTTEN, KEPT, Answer, Claim, Mail, Overdue, Push, Refusal, Status, Store, Verdict
from .batch import Batch
from .database import Database
from .disk import Disk
from .housekeeping import Housekeeping
from .late import Turns
from .meanwhile import Meanwhile
from .mover import Mover
from .records import Reading, T
from .states import Keeping, States

# The platform asks again only seconds later, so that a batch may well wait this long for company; and how often there
# is something to tidy up.
TURN_SECONDS = 0.05
IDLE_SECONDS = 1.0
LAST_TRIES = 3  # of a second each, where the file is held when we end; a drain takes four


class SQLite(Reading, Keeping, Store):
    """A store in *path*. Keeps *keep* deliveries, with their content for a day if *full*; see `open_store`."""

    def __init__(
        self,
        path: str,
        *,
        keep: int = 500,
        full: bool = False,
        shared: bool = False,
        answers_kept: float = base.ANSWERS_KEPT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = f"sqlite:{path}"
        self._clock = clock
        self._kept = answers_kept
        self._known = answers_kept + base.UNFETCHED_AFTER
        self._full = full
        self._claims: dict[bytes, Claim] = {}
        # Guards what the late writer, `finish` and those who hear of a message must agree on.
        self._agreeing = threading.Lock()
        self._flushing = threading.Lock()
        self._flushed_at = 0.0
        self._turns = Turns("store", self._turn, TURN_SECONDS)
        self._disk = Disk(self.url, path, self._turns.wake, clock, shared=shared)
        self._states = States(self._disk, clock)
        self._read, self._write, self._write_or_owe = self._disk.read, self._disk.write, self._disk.write_or_owe
        self._housekeeping = Housekeeping(keep, full)
        self._mover = Mover(self._disk)
        self._batch = Batch(answers_kept, full, self._turns)
        self._meanwhile = Meanwhile(self._disk)

    # Once.

    def claim(self, push: Push) -> Claim:
        claim = Claim(push)
        held = self._claims.setdefault(push.key, claim)
        if held is not claim:
            claim.status = Status.ANSWERED if held.finished else Status.TAKEN
            claim.body = held.body
            return claim
        is_mine = False
        try:
            is_mine = self._take(claim)
        finally:
            if not is_mine:
                self._claims.pop(push.key, None)
        if self._turns.idle:
            self._turns.wake()
        return claim

    def _take(self, claim: Claim) -> bool:
        """Ask the other processes, and then the database if there may be anything in it; whether it is to be run."""
        push, now, db = claim.push, self._clock(), self._disk.db
        since = now - self._known  # what was claimed before, the database has deleted
        try:
            runs = db.claims.take(push.key, now, since)
        except OSError as error:
            self._disk.failed(db, error)
            return self._take(claim)
        if runs < 0:
            claim.status = Status.TAKEN
            return False
        # An old push was claimed before what the slots remember.
        if (runs or push.at < since) and self._is_answered(claim, db, max(0, runs - 1), now):
            return False
        claim.home = db  # from here on it is written down as running
        return True

    def _is_answered(self, claim: Claim, db: Database, runs: int, now: float) -> bool:
        """Look a claim up that is locked in *db*; let it go if it is not to be run."""
        runs_on = False
        try:
            runs_on = self._look_up(claim, runs)
            if runs_on:
                db.claims.begin(claim.push.key, now, claim.runs + 1)
        finally:
            if not runs_on:
                db.claims.unlock(claim.push.key)
        return not runs_on

    def _look_up(self, claim: Claim, runs: int) -> bool:
        """Somebody may have had the message before: is it to be run? *runs* of it are known to have begun."""
        key = claim.push.key
        row = self._read(lambda c: c.execute(messages.KNOWN, (key,)).fetchone())
        if row is not None:
            done, claim.body, claim.seen, known_runs = row
            if done:
                claim.status = Status.ANSWERED
                return False
            runs = max(runs, known_runs)
            claim.recorded = True
            self._write_or_owe(lambda c: c.execute(messages.RUNS, (runs + 1, key)))
        claim.runs = runs
        return True

    def join(self, push: Push) -> int:
        own, push = self._heard_of(push)

        def work(db: sqlite3.Connection) -> int:
            return messages.join(db, push, self._clock(), self._kept)

        return self._write(work, lambda: self._meanwhile.join(own, work))

    def _heard_of(self, push: Push) -> tuple[Claim | None, Push]:
        """Others come to know of a message: if we have it, it may not be finished late any more."""
        with self._agreeing:
            own = self._claims.get(push.key)
            if own is not None and not own.finished:
                own.urgent = True
            return own, leaving.of_nobody(push) if own is not None and own.forgotten else push

    def finish(self, claim: Claim, answer: Answer) -> Verdict:
        now = self._clock()
        if not (answer.take or answer.put or not answer.fetched):
            with self._agreeing:
                if not (claim.urgent or claim.recorded):
                    claim.body, claim.finished = answer.body, True
                    if self._batch.answered((claim, answer, now)):
                        return KEPT
            if claim.finished:  # too many wait to be written
                self._let_go(claim)
                return KEPT
        ending = messages.Ending(claim.push, claim.runs, answer, now, self._kept, self._full)

        def work(db: sqlite3.Connection) -> Verdict:
            self._mark_mail(claim.push.user, answer.put)
            return messages.finish(db, ending, self._is_known(claim), claim.forgotten)

        verdict = self._write(work, lambda: self._finish_meanwhile(claim, ending))
        if verdict in (KEPT, FORGOTTEN) and not claim.finished:
            claim.forgotten = claim.forgotten or verdict is FORGOTTEN
            self._ended(claim, answer, answer.body if verdict is KEPT else b"", now)
        return verdict

    def _is_known(self, claim: Claim) -> bool:
        """Whether there was a row in the file we are in: asked when we write, as that may be after it was left."""
        return claim.recorded and claim.home is self._disk.db

    def _finish_meanwhile(self, claim: Claim, ending: messages.Ending) -> Verdict:
        """Keep the answer in memory, and the claim until it is written."""
        verdict, answer = self._meanwhile.finish(claim, ending, self._is_known(claim)), ending.answer
        if verdict is KEPT:
            with self._agreeing:
                claim.body, claim.finished = answer.body, True
            self._disk.tend(lambda _: self._mark_mail(claim.push.user, answer.put))
            if not self._batch.answered((claim, answer, ending.now)):
                self._let_go(claim)
        return verdict

    def finish_late(self, claim: Claim, mail: Iterable[Mail], answer: Answer) -> None:
        now, letters = self._clock(), list(mail)
        ending = messages.Ending(claim.push, claim.runs, answer, now, self._kept, self._full)

        def work(db: sqlite3.Connection) -> bool:
            self._mark_mail(claim.push.user, letters)
            known = claim.home is self._disk.db
            if not messages.finish_late(db, ending, letters, claim.body or b"", known, claim.forgotten):
                claim.forgotten = True
            return True

        def end() -> None:
            self._ended(claim, answer, claim.body or b"", now)

        def late() -> bool:
            claim.finished = True
            self._disk.owe(work, end)
            return False

        if self._write(work, late):
            end()

    def _ended(self, claim: Claim, answer: Answer, body: bytes, now: float) -> None:
        self._batch.counted(answer.counts)
        with self._agreeing:  # or what is noted of a user just then would outlive him
            self._batch.visited("" if claim.forgotten else claim.push.user, now)
            claim.body, claim.finished = body, True
        self._let_go(claim)

    def release(self, claim: Claim) -> None:
        push, runs = claim.push, claim.runs
        if isinstance(claim.home, Database):
            claim.home.claims.begin(push.key, self._clock(), runs)
        try:
            if claim.recorded:
                self._write_or_owe(lambda db: db.execute(messages.RUNS, (runs, push.key)))
        finally:
            self._let_go(claim)

    def _let_go(self, claim: Claim) -> None:
        """End a claim: first for the others, so that no claim of ours for the same message loses its lock to this."""
        if isinstance(claim.home, Database):
            if claim.home is not self._disk.db:  # where the row is now, nobody has seen the message
                self._disk.db.claims.begin(claim.push.key, self._clock(), 0)
                self._disk.db.claims.unlock(claim.push.key)
            claim.home.claims.unlock(claim.push.key)
        if self._claims.get(claim.push.key) is claim:
            del self._claims[claim.push.key]

    def _let_go_all(self, claims: list[Claim]) -> None:
        """The same for many, without a call for each."""
        db, mine = self._disk.db, self._claims
        here = [claim.push.key for claim in claims if claim.home is db]
        db.claims.unlock_all(here)
        for key in here:
            mine.pop(key, None)
        for claim in claims:
            if claim.home is not db:
                self._let_go(claim)

    def say_busy(self, push: Push, body: bytes) -> bytes:
        own, push = self._heard_of(push)
        if own is not None and own.finished and own.body is not None:
            return self._fetched(own, own.body)

        def work(db: sqlite3.Connection) -> bytes:
            said = messages.say_busy(db, push, body, self._clock(), self._kept)
            if own is not None:
                own.body = said
            return said

        return self._write(work, lambda: self._meanwhile.say_busy(own, push, body, self._clock(), self._kept))

    def fetch(self, key: bytes) -> bytes | None:
        held = self._claims.get(key)
        if held is not None and held.finished and held.body is not None:
            return self._fetched(held, held.body)
        return self._write(lambda db: messages.fetch(db, key), lambda: self._meanwhile.fetch(key))

    def _fetched(self, claim: Claim, body: bytes) -> bytes:
        """Take the answer of a claim that is not let go of yet; if it was not fetched before, it has to be noted."""
        if claim.urgent or claim.recorded:
            self._disk.owe(lambda db: messages.fetch(db, claim.push.key))
        return body

    def missed(self, key: bytes) -> None:
        self.flush()
        self._write_or_owe(lambda db: messages.missed(db, key))

    def overdue(self, now: float) -> list[Overdue]:
        self._disk.tend(lambda db: db.claims.attend())
        claims = self._disk.db.claims
        return self._read(lambda db: messages.overdue(db, now, lambda k: k in self._claims or claims.is_taken(k)))

    def settle(self, key: bytes, body: bytes, mail: Iterable[Mail]) -> bool:
        now, letters = self._clock(), list(mail)

        def work(db: sqlite3.Connection) -> bool:
            user = messages.settle(db, key, body, letters, now, self._kept)
            self._mark_mail(user, letters)
            return user is not None

        return self._write(work, lambda: False)

    # Mail.

    def mail(self, account: str, user: str) -> list[Mail]:
        now = self._clock()
        if not self._disk.db.claims.has_mail(user, now) or self._disk.held:
            return []  # where the file is held, it could not be taken out
        return self._read(lambda db: rows.mail(db, account, user, now))

    def expecting(self, account: str, user: str, now: float) -> bool:
        promised = self._meanwhile.expects(account, user, now)
        return promised or self._read(lambda db: messages.expecting(db, account, user, now))

    def _mark_mail(self, user: str | None, letters: Iterable[Mail]) -> None:
        """Have others look for *letters*: before they are committed, or who asks in between would find nothing."""
        if user and letters:
            self._disk.db.claims.mark_mail(user, self._clock() + base.MAIL_KEPT)

    def forget(self, user: str) -> None:
        now = self._clock()
        with self._agreeing:
            for claim in list(self._claims.values()):
                if claim.push.user == user:
                    claim.forgotten = claim.urgent = True  # nothing of it is kept
        self.flush()  # what has ended before that
        self._write_or_owe(lambda db: leaving.forget(db, user, now, self._disk.away))
        self._disk.write_elsewhere(lambda db: leaving.forget(db, user, now))
        self._states.forget(user)
        self._batch.forget(user)
        self._mover.wipe()

    # Records.

    def attempt(self, key: bytes, line: str, counts: tuple[str, ...] = ()) -> None:
        self._batch.attempt(self._clock(), line, key)
        self._batch.counted(counts)

    def refused(self, refusal: Refusal) -> None:
        self._batch.refused(refusal)

    def silent(self, now: float) -> None:
        self._write_or_owe(lambda db: db.execute("INSERT INTO silences (at) VALUES (?)", (now,)))

    def _look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._read(work)

    # The late writer's turn.

    def _turn(self) -> float:
        if time.monotonic() - self._flushed_at >= TURN_SECONDS:  # else the threads that answer do it
            self.flush()
        self._disk.tend(self._tend)
        if self._disk.come_back(lambda: list(self._claims)):
            self._mover.wipe()
        self._mover.move()
        return TURN_SECONDS if self._claims or self._batch or self._disk.held else IDLE_SECONDS

    def _tend(self, db: Database) -> None:
        db.claims.attend()
        self._housekeeping.turn(db, self._clock())

    def catch_up(self) -> None:
        if self._batch.is_much and not self._disk.held and self._flushing.acquire(blocking=False):
            try:
                self._write_batch()
            finally:
                self._flushing.release()

    def flush(self) -> bool:
        with self._flushing:
            return not (self._batch or self._unwritten() or self._disk.held) or self._write_batch()

    def _write_batch(self) -> bool:
        self._flushed_at = time.monotonic()
        try:
            written = self._batch.write(self._commit, self._clock())
        except sqlite3.OperationalError:
            return False  # another process has the file: with the next turn, then
        self._let_go_all(written)
        return not self._disk.held

    def _commit(self, work: Callable[[sqlite3.Connection], None]) -> None:
        running: list[Claim] = []

        def both(db: sqlite3.Connection) -> None:
            work(db)
            with self._agreeing:
                running[:] = self._unwritten()
                for claim in running:
                    claim.urgent = True
            rows.put_running(db, running, self._clock(), self._kept)

        self._disk.catch_up(both)
        for claim in running:
            claim.recorded = True

    def _unwritten(self) -> list[Claim]:
        """Messages that run, and that nobody would know of if this process died."""
        claims, db = list(self._claims.values()), self._disk.db
        return [c for c in claims if c.home is db and not (c.recorded or c.finished or c.forgotten)]

    def size(self) -> int:
        return self._disk.db.used()

    def close(self) -> None:
        self._turns.end()
        self._mover.end()
        for _ in range(LAST_TRIES):
            if self._disk.db.closed or self.flush():
                break
        self._disk.close()
