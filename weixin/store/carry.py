"""What goes along when the store leaves its file for a spare one, and what comes back when the file works again.

Along goes what users would miss: their state and mail, and answers that duplicates may ask for. Back comes all of it as
it is by then. Processes go and come one by one, and each step leaves both files right for those who are still there:
state goes by what is newer, mail is moved, and of messages only what nobody else may still be busy with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from . import base, rows, schema
from .database import Database

_MESSAGE = """key, account, user, at, push, name, kind, text, done, body, seen, runs, due, changed, expires, rule,
    result, reply, size, ms, code, attempts"""
_MAIL = "user, account, key, question, kind, text, body, at, expires"
_STATE = "user, account, name, value, expires"
_NEWER = """ON CONFLICT(user, account, name) DO UPDATE SET value = excluded.value, expires = excluded.expires
    WHERE excluded.expires > state.expires"""

# Ids are told apart by when a spare file was begun, at up to so many letters a second since.
_MAIL_A_SECOND = 1_000
# Notes in the spare file, among the counters of no hour: the last mail that came along, and until when state is kept
# that has not changed since.
_SEEDED_MAIL, _SEEDED_STATE = "seeded mail", "seeded state"
_SEEDED = "SELECT value FROM {}counts WHERE hour = 0 AND name = ?"


def begin(spare: Database, now: float) -> None:
    """Let the mail of a spare file have ids of its own: an answer may take it when it is in the other file already."""

    def work(db: sqlite3.Connection) -> None:
        first = int(now) * _MAIL_A_SECOND
        db.execute("INSERT INTO sqlite_sequence SELECT 'mail', 0 WHERE NOT EXISTS"
                   " (SELECT 1 FROM sqlite_sequence WHERE name = 'mail')")  # fmt: skip
        db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'mail'", (first,))

    spare.write(work)


def along(home: Database, spare: Database, now: float) -> None:
    """Copy what users would miss into the spare file, unless it is there. Raises sqlite3.Error, OSError."""
    state = home.read(lambda db: db.execute(f"SELECT {_STATE} FROM state WHERE expires > ?", (now,)).fetchall())
    mail = home.read(lambda db: db.execute(f"SELECT id, {_MAIL} FROM mail WHERE expires > ?", (now,)).fetchall())
    # Those not fetched yet stay behind: the file's own processes see to them.
    answered = home.read(
        lambda db: db.execute(
            f"SELECT {_MESSAGE} FROM messages WHERE done = 1 AND due IS NULL AND expires > ? ORDER BY id", (now,)
        ).fetchall()
    )

    def work(db: sqlite3.Connection) -> None:
        if db.execute(_SEEDED.format(""), (_SEEDED_STATE,)).fetchone() is not None:
            return  # by another process
        db.executemany(f"INSERT INTO state ({_STATE}) VALUES (?, ?, ?, ?, ?) {_NEWER}", state)
        db.executemany(f"INSERT OR IGNORE INTO mail (id, {_MAIL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", mail)
        marks = ", ".join("?" * (_MESSAGE.count(",") + 1))
        db.executemany(f"INSERT OR IGNORE INTO messages ({_MESSAGE}) VALUES ({marks})", answered)
        last = max((row[0] for row in mail), default=0)
        db.executemany(schema.COUNTED, [(0, _SEEDED_MAIL, last), (0, _SEEDED_STATE, now + base.STATE_KEPT)])

    spare.write(work)
    _mark(spare, [row[0] for row in answered], [(row[1], row[-1]) for row in mail], now)


def back(home: Database, place: str, running: Collection[bytes], alone: bool, now: float) -> None:
    """Move what is in the spare file at *place* back. Raises sqlite3.Error, OSError, and nothing is moved then.

    *running* are our own messages; *alone*: no other process is in the spare file.
    """
    keys, mail = home.write_beside(place, lambda db: _move(db, running, alone, now))
    _mark(home, keys, mail, now)


def _move(
    db: sqlite3.Connection, running: Collection[bytes], alone: bool, now: float
) -> tuple[list[bytes], list[tuple[str, float]]]:
    notes = [str(name) for (name,) in db.execute("SELECT name FROM spare.counts WHERE hour = 0")]
    for note in notes:
        if note.startswith(rows.FORGOTTEN):
            rows.forget(db, note[len(rows.FORGOTTEN) :])
    mail = db.execute("SELECT user, expires FROM spare.mail").fetchall()
    _move_state(db, now)
    _move_mail(db)
    keys = _move_messages(db, running, alone)
    db.execute("INSERT INTO main.silences SELECT at FROM spare.silences")
    db.execute(f"{schema.COUNTED.split(' VALUES')[0]} SELECT hour, name, value FROM spare.counts WHERE hour > 0"
               " ON CONFLICT(hour, name) DO UPDATE SET value = value + excluded.value")  # fmt: skip
    db.execute("INSERT INTO main.visitors SELECT user, last FROM spare.visitors WHERE true"
               " ON CONFLICT(user) DO UPDATE SET last = max(last, excluded.last)")  # fmt: skip
    for table in ("mail", "silences", "counts", "visitors", *(("state", "messages") if alone else ())):
        db.execute(f"DELETE FROM spare.{table}")
    return keys, mail


def _move_state(db: sqlite3.Connection, now: float) -> None:
    seeded = db.execute(_SEEDED.format("spare."), (_SEEDED_STATE,)).fetchone()
    if seeded is not None:
        # What came along and is there no more was deleted there, unless somebody here has changed it since.
        db.execute(
            "DELETE FROM main.state WHERE expires <= ? AND NOT EXISTS (SELECT 1 FROM spare.state AS there WHERE"
            " there.user = state.user AND there.account = state.account AND there.name = state.name)",
            seeded,
        )
    db.execute(f"INSERT INTO main.state ({_STATE}) SELECT {_STATE} FROM spare.state WHERE expires > ? {_NEWER}", (now,))


def _move_mail(db: sqlite3.Connection) -> None:
    (last,) = db.execute(_SEEDED.format("spare."), (_SEEDED_MAIL,)).fetchone() or (0,)
    db.execute("DELETE FROM main.mail WHERE id <= ? AND id NOT IN (SELECT id FROM spare.mail)", (last,))
    db.execute(
        f"INSERT INTO main.mail (id, {_MAIL}) SELECT CASE WHEN id IN (SELECT id FROM main.mail) THEN NULL ELSE id END,"
        f" {_MAIL} FROM spare.mail WHERE id > ? ORDER BY id",
        (last,),
    )


def _move_messages(db: sqlite3.Connection, running: Collection[bytes], alone: bool) -> list[bytes]:
    keys = [key for (key,) in db.execute("SELECT key FROM spare.messages ORDER BY id")]
    if not alone:
        done = {key for (key,) in db.execute("SELECT key FROM spare.messages WHERE done = 1 AND due IS NULL")}
        keys = [key for key in keys if key in done or key in running]
    for key in keys:
        db.execute("DELETE FROM main.messages WHERE done = 0 AND key = ?", (key,))
        db.execute(
            f"INSERT OR IGNORE INTO main.messages ({_MESSAGE}) SELECT {_MESSAGE} FROM spare.messages WHERE key = ?",
            (key,),
        )
    db.executemany("DELETE FROM spare.messages WHERE key = ?", [(key,) for key in running])
    return keys


def _mark(db: Database, keys: Collection[bytes], mail: Collection[tuple[str, float]], now: float) -> None:
    """Have the claims' tables say that there is something to look up."""
    for key in keys:
        db.claims.begin(key, now, 0)
    for user, expires in mail:
        db.claims.mark_mail(user, expires)
