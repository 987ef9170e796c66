"""What is done to one message, each in one transaction: of two processes that do it at once, one is first."""

from __future__ import annotations

import sqlite3
from typing import Callable, NamedTuple

from . import leaving, rows, schema
from .base import ORPHAN_AFTER, UNFETCHED_AFTER, Answer, Mail, Overdue, Push, Verdict

# Overdue messages handed out at a time; the next look is a second later. And rows looked at for them: more than go on
# after their fifteen seconds in all the pools of a machine.
OVERDUE_AT_ONCE = 20
OVERDUE_LOOKED_AT = 2_000

#: Whether it has its answer, what was said, its deliveries and its runs.
KNOWN = "SELECT done, body, seen, runs FROM messages WHERE key = ?"

RUNS = "UPDATE messages SET runs = ? WHERE key = ?"

_DUE = "SELECT key, done FROM messages WHERE due <= ? ORDER BY due LIMIT ?"
_OVERDUE = """SELECT key, account, user, at, coalesce(push, x''), name, kind, text, runs, done, body FROM messages
    WHERE key = ? AND due IS NOT NULL"""
_FETCH = "UPDATE messages SET due = NULL WHERE key = ? AND done = 1 AND due IS NOT NULL"
# What went to the mailbox is not missed, and nothing is kept of whom to give it to where its user was forgotten.
_MISSED = """UPDATE messages SET due = at + ?
    WHERE key = ? AND done = 1 AND due IS NULL AND result <> 'mailbox' AND user <> ''"""
_SETTLE = "UPDATE messages SET body = ?, due = NULL, changed = ?, expires = ?, result = 'mailbox' WHERE key = ?"


class Ending(NamedTuple):
    """How a message ends, and what its row is made of besides.

    It comes to nothing where the user has left since: this process knows (*forgotten*), or there is no row any more.
    """

    push: Push
    runs: int
    answer: Answer
    now: float
    kept: float
    full: bool


def join(db: sqlite3.Connection, push: Push, now: float, kept: float) -> int:
    """Count a delivery; how many there were with it."""
    push = leaving.kept_of(db, push)
    db.execute(schema.JOINED, (*rows.pushed(push), *rows.times(push, now, kept)))
    (seen,) = db.execute("SELECT seen FROM messages WHERE key = ?", (push.key,)).fetchone()
    return int(seen)


def finish(db: sqlite3.Connection, ending: Ending, known: bool, forgotten: bool) -> Verdict:
    """Keep the answer. *known*: there was a row in this file."""
    push, answer = ending.push, ending.answer
    row = db.execute(KNOWN, (push.key,)).fetchone()
    if forgotten or (row is None and known) or leaving.has_left(db, push):
        _finish_forgotten(db, ending)
        return Verdict.FORGOTTEN
    if row is not None and row[1] is not None and not row[0]:
        return Verdict.BUSY
    if answer.take:
        if not rows.has_mail(db, push, answer.take):
            return Verdict.MAIL_GONE
        rows.take_mail(db, answer.take)
    rows.put_mail(db, push, answer.put, ending.now)
    db.execute(schema.ANSWERED, rows.answered(*ending))
    return Verdict.KEPT


def put_mail(db: sqlite3.Connection, ending: Ending) -> None:
    """Put into the mailbox what an answer leaves behind, unless its user has left."""
    if not leaving.has_left(db, ending.push):
        rows.put_mail(db, ending.push, ending.answer.put, ending.now)


def _finish_forgotten(db: sqlite3.Connection, ending: Ending) -> None:
    ending = ending._replace(push=leaving.of_nobody(ending.push), answer=leaving.with_nothing(ending.answer))
    db.execute("DELETE FROM messages WHERE key = ?", (ending.push.key,))
    db.execute(schema.ANSWERED, rows.answered(*ending))


def finish_late(
    db: sqlite3.Connection, ending: Ending, letters: list[Mail], said: bytes, known: bool, forgotten: bool
) -> bool:
    """The busy text was *said*: the answer goes to the mailbox, unless its user was forgotten; whether it did."""
    push, _, answer, now, kept, full = ending
    forgotten = forgotten or leaving.has_left(db, push)
    values = (
        push.xml if full else None, now, now + kept,
        answer.rule, answer.result, answer.reply, len(answer.body), answer.ms, answer.code, push.key,
    )  # fmt: skip
    found = not forgotten and db.execute(schema.ANSWERED_LATE, values).rowcount
    if forgotten or (known and not found):
        _finish_forgotten(db, ending)
        return False
    if not found:  # its row is in the file that was left
        db.execute(schema.ANSWERED, rows.answered(*ending._replace(answer=answer._replace(body=said, fetched=True))))
    rows.put_mail(db, push, letters, now)
    return True


def say_busy(db: sqlite3.Connection, push: Push, body: bytes, now: float, kept: float) -> bytes:
    """Say *body*, unless something was said before; what was said."""
    row = db.execute(KNOWN, (push.key,)).fetchone()
    if row is not None and row[1] is not None:
        db.execute(_FETCH, (push.key,))
        return bytes(row[1])
    push = leaving.kept_of(db, push)
    db.execute(schema.BUSY, (*rows.pushed(push), body, *rows.times(push, now, kept)))
    return body


def note_busy(db: sqlite3.Connection, push: Push, body: bytes, now: float, kept: float) -> None:
    """*body* was said a while ago, before it could be written."""
    row = db.execute(KNOWN, (push.key,)).fetchone()
    if row is None or row[1] is None:
        push = leaving.kept_of(db, push)
        db.execute(schema.BUSY, (*rows.pushed(push), body, *rows.times(push, now, kept)))


def fetch(db: sqlite3.Connection, key: bytes) -> bytes | None:
    """What was said, which is not to be settled any more."""
    row = db.execute(KNOWN, (key,)).fetchone()
    if row is None or row[1] is None:
        return None
    db.execute(_FETCH, (key,))
    return bytes(row[1])


def missed(db: sqlite3.Connection, key: bytes) -> None:
    """It was fetched, but has not arrived."""
    db.execute(_MISSED, (UNFETCHED_AFTER, key))


def overdue(db: sqlite3.Connection, now: float, runs: Callable[[bytes], bool]) -> list[Overdue]:
    """What is overdue and can be had: not what still *runs*, or twenty slow runs would hide all that comes later."""
    due = db.execute(_DUE, (now, OVERDUE_LOOKED_AT)).fetchall()
    keys = [key for key, done in due if done or not runs(key)][:OVERDUE_AT_ONCE]
    found = [db.execute(_OVERDUE, (key,)).fetchone() for key in keys]
    return [Overdue(Push(*row[:8]), row[8], row[10] if row[9] else None) for row in found if row is not None]


def expecting(db: sqlite3.Connection, account: str, user: str, now: float) -> bool:
    """Whether an answer is on its way to this user's mailbox: busy was said, or nobody came for it."""
    row = db.execute(
        "SELECT 1 FROM messages WHERE due IS NOT NULL AND account = ? AND user = ?"
        " AND (done = 0 AND body IS NOT NULL OR at < ?) LIMIT 1",
        (account, user, now - ORPHAN_AFTER),
    ).fetchone()
    return row is not None


def settle(
    db: sqlite3.Connection, key: bytes, body: bytes, letters: list[Mail], now: float, kept: float
) -> str | None:
    """Move an answer that nobody fetched to the mailbox of the user, who is returned."""
    row = db.execute(
        "SELECT account, user FROM messages WHERE key = ? AND done = 1 AND due IS NOT NULL", (key,)
    ).fetchone()
    if row is None:
        return None
    db.execute(_SETTLE, (body, now, now + kept, key))
    rows.put_mail(db, Push(key, row[0], row[1], now, b""), letters, now)
    return str(row[1])
