"""The store in an SQLite file: survives a restart, shared by the processes of one machine.

A quick message costs its request a lock, a look and an append; its row is written with others by a thread, after which
its claim ends. What others may have heard of, mail and state are committed before the method returns: a commit in WAL
mode does not wait for the disk.

Where the disk is full, read-only or broken the store goes on in a private temporary file, says so once and loudly, and
no reply is lost with it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple, TypeVar

from . import base, records, schema, spare
from .base import Answer, Claim, Delivery, Mail, Overdue, Push, Refusal, Status, Store, Verdict
from .database import Database
from .housekeeping import Housekeeping
from .late import Turns
from .locks import Names

T = TypeVar("T")
_log = logging.getLogger("wxserve.store")

# What may wait to be written. Past this the disk has hung for seconds, and rows are let go rather than memory eaten.
MOST_LATE = 50_000
# A user's visit is written again after this; until then it is known to be recent.
VISIT_SECONDS = 600.0
MOST_VISITORS = 10_000
# Overdue messages handed out at a time; the next look is a second later.
OVERDUE_AT_ONCE = 20


class _Late(NamedTuple):
    """A message that was answered and is not written yet."""

    claim: Claim
    answer: Answer
    at: float


class SQLite(Store):
    """A store in *path*. Keeps *keep* deliveries, with their content for a day if *full*."""

    def __init__(
        self,
        path: str,
        *,
        keep: int = 500,
        full: bool = False,
        answers_kept: float = base.ANSWERS_KEPT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = f"sqlite:{path}"
        self._clock = clock
        self._kept = answers_kept
        self._content_kept = base.CONTENT_KEPT if full else answers_kept
        self._late: deque[_Late] = deque()
        self._notes: deque[tuple[str, Any]] = deque()
        self._claims: dict[bytes, Claim] = {}
        # Guards what `_write_late`, `finish` and those who hear of a message must agree on.
        self._agreeing = threading.Lock()
        self._moving = threading.Lock()
        self._flushing = threading.Lock()
        self._names = Names()
        self._visited: dict[str, float] = {}
        self._housekeeping = Housekeeping(keep, self._content_kept > answers_kept)
        self._dropped = 0
        try:
            self._db = Database(path)
        except (sqlite3.DatabaseError, OSError) as error:
            self._db = self._spare(path, error)
        self._remember_mail()
        self._turns = Turns("store", self._turn)

    # Once.

    def claim(self, push: Push) -> Claim:
        claim = Claim(push)
        held = self._claims.setdefault(push.key, claim)
        if held is not claim:
            claim.status = Status.ANSWERED if held.finished else Status.TAKEN
            claim.body = held.body
            return claim
        try:
            self._settle_claim(claim)
        except BaseException:
            self._claims.pop(push.key, None)
            raise
        if claim.status is not Status.MINE:
            self._claims.pop(push.key, None)
        elif not self._turns.begun:
            self._turns.begin()
        return claim

    def _settle_claim(self, claim: Claim) -> None:
        """Ask the other processes, and then the database if there may be anything in it."""
        key, now, db = claim.push.key, self._clock(), self._db
        try:
            if not db.claims.lock(key):
                claim.status = Status.TAKEN
                return
            maybe, runs = db.claims.look(key, now - self._kept - base.UNFETCHED_AFTER)
        except OSError as error:
            self._degrade(db, error)
            self._settle_claim(claim)
            return
        claim.home = db
        row = self._read(lambda c: c.execute(_KNOWN, (key,)).fetchone()) if maybe else None
        if row is not None:
            done, claim.body, claim.seen, known_runs = row
            if done:
                claim.status = Status.ANSWERED
                db.claims.unlock(key)
                return
            runs = max(runs, known_runs)
            claim.recorded = True
            self._write(lambda c: c.execute("UPDATE messages SET runs = ? WHERE key = ?", (runs + 1, key)))
        claim.runs = runs
        try:
            db.claims.begin(key, now, runs + 1)
        except OSError as error:
            self._degrade(db, error)

    def join(self, push: Push) -> int:
        with self._agreeing:
            own = self._claims.get(push.key)
            if own is not None:
                own.urgent = True

        def work(db: sqlite3.Connection) -> int:
            now = self._clock()
            db.execute(schema.JOINED, (*_pushed(push), *self._times(push, now)))
            if own is not None:
                own.recorded = True
            (seen,) = db.execute("SELECT seen FROM messages WHERE key = ?", (push.key,)).fetchone()
            return int(seen)

        return self._write(work)

    def finish(self, claim: Claim, answer: Answer) -> Verdict:
        now = self._clock()
        if not (answer.take or answer.put or not answer.fetched):
            with self._agreeing:
                if not (claim.urgent or claim.recorded):
                    claim.body, claim.finished = answer.body, True
                    if len(self._late) < MOST_LATE:
                        self._late.append(_Late(claim, answer, now))
                        return Verdict.KEPT
                    self._dropped += 1
            if claim.finished:
                self._let_go(claim)
                return Verdict.KEPT
        verdict = self._write(lambda db: self._finish_now(db, claim, answer, now))
        if verdict in (Verdict.KEPT, Verdict.FORGOTTEN):
            self._mark_mail(claim.push.user, answer.put)
            self._note("counts", answer.counts)
            self._note("visit", (claim.push.user, now))
            claim.body, claim.finished = answer.body, True
            self._let_go(claim)
        return verdict

    def _finish_now(self, db: sqlite3.Connection, claim: Claim, answer: Answer, now: float) -> Verdict:
        push = claim.push
        row = db.execute(_KNOWN, (push.key,)).fetchone()
        if row is None and claim.recorded and claim.home is self._db:
            return Verdict.FORGOTTEN
        if row is not None and row[1] is not None and not row[0]:
            return Verdict.BUSY
        if answer.take:
            marks = ",".join("?" * len(answer.take))
            (left,) = db.execute(f"SELECT count(*) FROM mail WHERE id IN ({marks})", answer.take).fetchone()
            if left != len(answer.take):
                return Verdict.MAIL_GONE
            db.execute(f"DELETE FROM mail WHERE id IN ({marks})", answer.take)
        _put_mail(db, push, answer.put, now)
        db.execute(schema.ANSWERED, self._answered(claim, answer, now))
        return Verdict.KEPT

    def _answered(self, claim: Claim, answer: Answer, now: float) -> tuple[Any, ...]:
        push = claim.push
        due = None if answer.fetched else push.at + base.UNFETCHED_AFTER
        kept = push.xml if self._content_kept > self._kept else None
        return (
            push.key, push.account, push.user, push.at, kept, push.name, push.kind, push.text,
            claim.runs + 1, answer.body, due, now, now + self._kept,
            answer.rule, answer.result, answer.reply, len(answer.body), answer.ms, answer.code, answer.attempt,
        )  # fmt: skip

    def finish_late(self, claim: Claim, mail: Iterable[Mail], answer: Answer) -> None:
        now, push, letters = self._clock(), claim.push, list(mail)

        def work(db: sqlite3.Connection) -> None:
            kept = push.xml if self._content_kept > self._kept else None
            changed = db.execute(schema.ANSWERED_LATE, (
                kept, now, now + self._kept, answer.rule, answer.result, answer.reply, len(answer.body), answer.ms,
                answer.code, push.key,
            )).rowcount  # fmt: skip
            if changed or claim.home is not self._db:  # else the user left, and wants nothing kept
                _put_mail(db, push, letters, now)

        self._write(work)
        self._mark_mail(push.user, letters)
        self._note("counts", answer.counts)
        self._note("visit", (push.user, now))
        claim.finished = True
        self._let_go(claim)

    def release(self, claim: Claim) -> None:
        push, runs = claim.push, claim.runs
        if claim.recorded:
            self._write(lambda db: db.execute("UPDATE messages SET runs = ? WHERE key = ?", (runs, push.key)))
        if isinstance(claim.home, Database):
            claim.home.claims.begin(push.key, self._clock(), runs)
        self._let_go(claim)

    def _let_go(self, claim: Claim) -> None:
        """End a claim: first for the others, so that no claim of ours for the same message loses its lock to this."""
        if isinstance(claim.home, Database):
            if claim.home is not self._db:  # where the row is now, nobody has seen the message
                self._db.claims.begin(claim.push.key, self._clock(), 0)
            claim.home.claims.unlock(claim.push.key)
        if self._claims.get(claim.push.key) is claim:
            del self._claims[claim.push.key]

    def say_busy(self, push: Push, body: bytes) -> bytes:
        with self._agreeing:
            own = self._claims.get(push.key)
            if own is not None and own.finished and own.body is not None:
                return own.body
            if own is not None:
                own.urgent = True

        def work(db: sqlite3.Connection) -> bytes:
            now = self._clock()
            row = db.execute(_KNOWN, (push.key,)).fetchone()
            if row is not None and row[1] is not None:
                db.execute("UPDATE messages SET due = NULL WHERE key = ? AND done = 1", (push.key,))
                return bytes(row[1])
            values = _pushed(push)
            db.execute(schema.BUSY, (*values, body, *self._times(push, now)))
            if own is not None:
                own.recorded = True
                own.body = body
            return body

        return self._write(work)

    def fetch(self, key: bytes) -> bytes | None:
        def work(db: sqlite3.Connection) -> bytes | None:
            row = db.execute(_KNOWN, (key,)).fetchone()
            if row is None or row[1] is None:
                return None
            db.execute("UPDATE messages SET due = NULL WHERE key = ? AND done = 1 AND due IS NOT NULL", (key,))
            return bytes(row[1])

        held = self._claims.get(key)
        if held is not None and held.finished:
            return held.body
        return self._write(work)

    def overdue(self, now: float) -> list[Overdue]:
        rows = self._read(
            lambda db: db.execute(
                "SELECT key, account, user, at, coalesce(push, x''), name, kind, text, runs, done, body FROM messages"
                " WHERE due <= ? ORDER BY due LIMIT ?",
                (now, OVERDUE_AT_ONCE),
            ).fetchall()
        )
        return [Overdue(Push(*row[:8]), row[8], row[10] if row[9] else None) for row in rows]

    def settle(self, key: bytes, body: bytes, mail: Iterable[Mail]) -> bool:
        now, letters = self._clock(), list(mail)

        def work(db: sqlite3.Connection) -> str:
            row = db.execute(
                "SELECT account, user FROM messages WHERE key = ? AND done = 1 AND due IS NOT NULL", (key,)
            ).fetchone()
            if row is None:
                return ""
            db.execute(
                "UPDATE messages SET body = ?, due = NULL, changed = ?, expires = ?, result = 'mailbox' WHERE key = ?",
                (body, now, now + self._kept, key),
            )
            _put_mail(db, Push(key, row[0], row[1], now, b""), letters, now)
            return str(row[1])

        user = self._write(work)
        self._mark_mail(user, letters)
        return bool(user)

    def _times(self, push: Push, now: float) -> tuple[float, float, float]:
        return push.at + base.ORPHAN_AFTER, now, now + self._kept

    # Mail.

    def mail(self, account: str, user: str) -> list[Mail]:
        now = self._clock()
        try:
            if not self._db.claims.has_mail(user, now):
                return []
        except OSError as error:
            self._degrade(self._db, error)
        rows = self._read(
            lambda db: db.execute(
                "SELECT question, kind, text, body, key, at, id FROM mail"
                " WHERE user = ? AND account = ? AND expires > ? ORDER BY id",
                (user, account, now),
            ).fetchall()
        )
        return [Mail(*row) for row in rows]

    def expecting(self, account: str, user: str, now: float) -> bool:
        row = self._read(
            lambda db: db.execute(
                "SELECT 1 FROM messages WHERE due IS NOT NULL AND account = ? AND user = ?"
                " AND (done = 0 AND body IS NOT NULL OR at < ?) LIMIT 1",
                (account, user, now - base.ORPHAN_AFTER),
            ).fetchone()
        )
        return row is not None

    def _mark_mail(self, user: str, letters: Iterable[Mail]) -> None:
        if letters:
            try:
                self._db.claims.mark_mail(user, self._clock() + base.MAIL_KEPT)
            except OSError as error:
                self._degrade(self._db, error)

    def _remember_mail(self) -> None:
        """Mark who has mail: after a power cut the file of claims may know less than the database."""
        for user, expires in self._read(
            lambda db: db.execute("SELECT user, max(expires) FROM mail GROUP BY user").fetchall()
        ):
            self._db.claims.mark_mail(user, expires)

    # State.

    def state(self, account: str, user: str) -> dict[str, str]:
        return dict(
            self._read(
                lambda db: db.execute(
                    "SELECT name, value FROM state WHERE user = ? AND account = ? AND expires > ?",
                    (user, account, self._clock()),
                ).fetchall()
            )
        )

    def change(self, account: str, user: str, changes: Mapping[str, str | None]) -> None:
        expires = self._clock() + base.STATE_KEPT

        def work(db: sqlite3.Connection) -> None:
            for name, value in changes.items():
                if value is None:
                    db.execute(
                        "DELETE FROM state WHERE user = ? AND account = ? AND name = ?", (user, account, name)
                    )
                else:
                    db.execute(schema.STATE_IN, (user, account, name, value, expires))
            db.execute("UPDATE state SET expires = ? WHERE user = ? AND account = ?", (expires, user, account))

        self._write(work)

    def lock(self, name: bytes, timeout: float) -> bool:
        began = time.monotonic()
        if not self._names.lock(name, timeout):
            return False
        db = self._db
        try:
            left = max(0.0, timeout - (time.monotonic() - began))
            locked = db.claims.lock_within(name, left)
        except OSError as error:
            self._degrade(db, error)
            db, locked = self._db, self._db.claims.lock(name)
        if not locked:
            self._names.unlock(name)
            return False
        self._names.keep(name, db)
        return True

    def unlock(self, name: bytes) -> None:
        db = self._names.kept(name)
        if isinstance(db, Database):
            db.claims.unlock(name)
        self._names.unlock(name)

    def forget(self, user: str) -> None:
        self.flush()
        with self._agreeing:
            for claim in list(self._claims.values()):
                if claim.push.user == user and not claim.finished:
                    claim.recorded = claim.urgent = True  # its row is missing from now on: nothing of it is kept

        def work(db: sqlite3.Connection) -> None:
            for table in ("state", "mail", "visitors"):
                db.execute(f"DELETE FROM {table} WHERE user = ?", (user,))
            db.execute("DELETE FROM messages WHERE user = ? AND done = 0", (user,))
            db.execute(
                "UPDATE messages SET user = '', text = '', push = NULL, body = x'', due = NULL WHERE user = ?", (user,)
            )

        self._write(work)
        self._visited.pop(user, None)

    # Records.

    def attempt(self, key: bytes, line: str, counts: tuple[str, ...] = ()) -> None:
        self._note("attempt", (self._clock(), line, key))
        self._note("counts", counts)

    def refused(self, refusal: Refusal) -> None:
        self._note("refused", refusal)
        if not self._turns.begun:
            self._turns.begin()

    def _note(self, what: str, value: Any) -> None:
        if value and len(self._notes) < MOST_LATE:
            self._notes.append((what, value))

    def silent(self, now: float) -> None:
        self._write(lambda db: db.execute("INSERT INTO silences (at) VALUES (?)", (now,)))

    def silences(self, since: float) -> int:
        (count,) = self._read(lambda db: db.execute("SELECT count(*) FROM silences WHERE at > ?", (since,)).fetchone())
        return int(count)

    def deliveries(self, limit: int, after: float = 0.0) -> list[Delivery]:
        return self._read(lambda db: records.deliveries(db, limit, after))

    def delivery(self, name: str) -> Delivery | None:
        return self._read(lambda db: records.delivery(db, name))

    def refusals(self, after: float = 0.0) -> list[Refusal]:
        return self._read(lambda db: records.refusals(db, after))

    def counts(self, since: float) -> dict[str, int]:
        return self._read(lambda db: records.counts(db, since))

    # The late writer's turn.

    def _turn(self) -> None:
        self._write_late()
        try:
            self._housekeeping.turn(self._db, self._clock())
        except (sqlite3.DatabaseError, OSError) as error:
            if not _is_busy(error):
                self._degrade(self._db, error)

    def flush(self) -> None:
        self._write_late()

    def _write_late(self) -> None:
        with self._flushing:
            answered, notes = _drain(self._late), _drain(self._notes)
            if not answered and not notes and not self._unwritten():
                return
            try:
                self._write(lambda db: self._write_rows(db, answered, notes), patient=True)
            except sqlite3.OperationalError:  # another process holds the file: with the next turn, then
                self._late.extendleft(reversed(answered))
                self._notes.extendleft(reversed(notes))
                return
        for late in answered:
            self._let_go(late.claim)

    def _unwritten(self) -> list[Claim]:
        """Messages that run, and that nobody would know of if this process died."""
        claims = list(self._claims.values())
        return [c for c in claims if not (c.recorded or c.finished) and c.home is self._db and c.status is Status.MINE]

    def _write_rows(self, db: sqlite3.Connection, answered: list[_Late], notes: list[tuple[str, Any]]) -> None:
        now = self._clock()
        db.executemany(schema.ANSWERED, [self._answered(*late) for late in answered])
        with self._agreeing:
            running = self._unwritten()
            for claim in running:
                claim.recorded = True
        db.executemany(
            schema.BEGUN, [(*_pushed(c.push), c.runs + 1, *self._times(c.push, now)) for c in running]
        )
        names: dict[str, int] = {}
        visits = {late.claim.push.user: late.at for late in answered}
        for late in answered:
            _add(names, late.answer.counts)
        for what, value in notes:
            if what == "attempt":
                db.execute(schema.ATTEMPTED, value)
            elif what == "counts":
                _add(names, value)
            elif what == "visit":
                visits[value[0]] = value[1]
        self._write_counts(db, names, visits, now)
        _write_refusals(db, [value for what, value in notes if what == "refused"])

    def _write_counts(self, db: sqlite3.Connection, names: dict[str, int], visits: dict[str, float], now: float) -> None:
        hour = int(now // 3600)
        if names:
            db.executemany(schema.COUNTED, [(hour, name, count) for name, count in names.items()])
        visited = self._visited
        fresh = [(user, at) for user, at in visits.items() if user and at - visited.get(user, 0.0) > VISIT_SECONDS]
        if fresh:
            if len(visited) > MOST_VISITORS:
                visited.clear()
            visited.update(fresh)
            db.executemany(schema.VISITED, fresh)

    # The file, and what to do without it.

    def _write(self, work: Callable[[sqlite3.Connection], T], patient: bool = False) -> T:
        """Commit *work*, in the spare file if need be. If *patient*, raise where the file is merely busy."""
        db = self._db
        try:
            return db.write(work)
        except (sqlite3.DatabaseError, OSError) as error:
            if _is_a_bug(error) or (patient and _is_busy(error)):
                raise
            self._degrade(db, error)
            return self._db.write(work)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        db = self._db
        try:
            return db.read(work)
        except (sqlite3.DatabaseError, OSError) as error:
            if _is_a_bug(error):
                raise
            self._degrade(db, error)
            return self._db.read(work)

    def _degrade(self, failed: Database, error: Exception) -> None:
        """Go on in a temporary file. The old one keeps its claims until they end."""
        with self._moving:
            if self._db is failed:
                self._db = self._spare(failed.path, error)

    def _spare(self, path: str, error: Exception) -> Database:
        for place in spare.places(self.url):
            if place == path:
                continue
            try:
                db = Database(place)
            except (sqlite3.DatabaseError, OSError):
                continue
            fields = {"store": path, "error": f"{type(error).__name__}: {error}", "instead": place}
            _log.error("store", extra={"code": "WX-STO-01", "fields": fields})
            return db
        raise error

    def check(self) -> str:
        return self._read(records.check)

    def size(self) -> int:
        return self._db.used()

    def close(self) -> None:
        self._turns.end()
        self._write_late()
        self._db.close()


_KNOWN = "SELECT done, body, seen, runs FROM messages WHERE key = ?"


def _pushed(push: Push) -> tuple[Any, ...]:
    return push.key, push.account, push.user, push.at, push.xml, push.name, push.kind, push.text


def _put_mail(db: sqlite3.Connection, push: Push, letters: Iterable[Mail], now: float) -> None:
    for letter in letters:
        db.execute(schema.MAIL_IN, (
            push.user, push.account, letter.key or push.key, letter.question, letter.kind, letter.text, letter.body,
            letter.at or now, now + base.MAIL_KEPT,
        ))  # fmt: skip
    if letters:
        whose = (push.user, push.account)
        db.execute(schema.MAIL_OVER, (*whose, *whose, base.MAIL_PER_USER))


def _write_refusals(db: sqlite3.Connection, refused: list[Refusal]) -> None:
    alike: dict[tuple[str, str, str], tuple[float, int]] = {}
    for refusal in refused:
        like = (refusal.code, refusal.ip, refusal.reason)
        alike[like] = (refusal.at, alike.get(like, (0.0, 0))[1] + refusal.times)
    if alike:
        db.executemany(
            "INSERT INTO refusals (at, code, ip, reason, count) VALUES (?, ?, ?, ?, ?)",
            [(at, *like, count) for like, (at, count) in alike.items()][-base.REFUSALS_KEPT :],
        )
        db.execute("DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?", (base.REFUSALS_KEPT,))


def _add(counts: dict[str, int], names: tuple[str, ...]) -> None:
    for name in names:
        counts[name] = counts.get(name, 0) + 1


def _drain(queue: deque[Any]) -> list[Any]:
    return [queue.popleft() for _ in range(len(queue))]


def _is_a_bug(error: Exception) -> bool:
    return isinstance(error, (sqlite3.ProgrammingError, sqlite3.IntegrityError))


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
