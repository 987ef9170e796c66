"""What goes along when the store leaves its file for a spare one, and what comes back when the file works again.

Along goes what users would miss: their state and mail, and answers that duplicates may ask for. Back comes all of it as
it is by then. Processes go and come one by one, and each step leaves both files right for those who are still there:
state goes by what is newer, mail is moved, and of messages only what nobody else may still be busy with.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from . import base, leaving, schema
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
# Two files are not committed at once (sqlite.org/lang_attach.html): where the spare one could not be emptied, its name
# for this filling is noted in the other, with the last mail that has come from there.
_FILLING, _MOVED = "filling", "moved "
_NAME_FILLING = "INSERT OR IGNORE INTO {}counts (hour, name, value) VALUES (0, ?, ?)"


def begin(spare: Database, now: float) -> None:
    """Let the mail of a spare file have ids of its own: an answer may take it when it is in the other file already."""

    def work(db: sqlite3.Connection) -> None:
        first = int(now) * _MAIL_A_SECOND
        db.execute("INSERT INTO sqlite_sequence SELECT 'mail', 0 WHERE NOT EXISTS"
                   " (SELECT 1 FROM sqlite_sequence WHERE name = 'mail')")  # fmt: skip
        db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'mail'", (first,))
        db.execute(_NAME_FILLING.format(""), (_FILLING, _new_name()))

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
    moved: list[_Moved] = []
    try:
        home.write_beside(place, lambda db: moved.append(_move(db, running, alone, now)))
    except (sqlite3.Error, OSError):
        # It is there if only the spare file could not be emptied.
        if not moved or home.read(lambda db: _note(db, "", moved[-1].note)) is None:
            raise
    _, keys, mail = moved[-1]
    _mark(home, keys, mail, now)


class _Moved(NamedTuple):
    """The note about it, messages, and whose mail until when."""

    note: str
    keys: list[bytes]
    mail: list[tuple[str, float]]


def _note(db: sqlite3.Connection, file: str, name: str) -> int | None:
    row = db.execute(_SEEDED.format(file), (name,)).fetchone()
    return None if row is None else int(row[0])


def _new_name() -> int:
    return int.from_bytes(os.urandom(6), "big")


def _move(db: sqlite3.Connection, running: Collection[bytes], alone: bool, now: float) -> _Moved:
    moved = f"{_MOVED}{_note(db, 'spare.', _FILLING)}"
    before = _note(db, "main.", moved)  # all was moved before, but for what is newer
    notes = [str(name) for (name,) in db.execute("SELECT name FROM spare.counts WHERE hour = 0")]
    for note in notes:
        if note.startswith(leaving.FORGOTTEN):
            leaving.delete(db, note[len(leaving.FORGOTTEN) :])
    mail = db.execute("SELECT user, expires FROM spare.mail").fetchall()
    _move_state(db, now)
    last = _move_mail(db, before or 0)
    keys = _move_messages(db, running, alone)
    if before is None:
        _add_counts(db)
    db.execute("INSERT INTO main.visitors SELECT user, last FROM spare.visitors WHERE true"
               " ON CONFLICT(user) DO UPDATE SET last = max(last, excluded.last)")  # fmt: skip
    for table in ("mail", "silences", "counts", "visitors", *(("state", "messages") if alone else ())):
        db.execute(f"DELETE FROM spare.{table}")
    db.execute(_NAME_FILLING.format("spare."), (_FILLING, _new_name()))
    db.execute("DELETE FROM main.counts WHERE hour = 0 AND name LIKE ?", (f"{_MOVED}%",))
    db.execute("INSERT INTO main.counts (hour, name, value) VALUES (0, ?, ?)", (moved, last))
    return _Moved(moved, keys, mail)


def _add_counts(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO main.silences SELECT at FROM spare.silences")
    db.execute(f"{schema.COUNTED.split(' VALUES')[0]} SELECT hour, name, value FROM spare.counts WHERE hour > 0"
               " ON CONFLICT(hour, name) DO UPDATE SET value = value + excluded.value")  # fmt: skip


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


def _move_mail(db: sqlite3.Connection, before: int) -> int:
    """Move mail behind *before*; the last that is moved by now."""
    last = _note(db, "spare.", _SEEDED_MAIL) or 0
    db.execute("DELETE FROM main.mail WHERE id <= ? AND id NOT IN (SELECT id FROM spare.mail)", (last,))
    db.execute(
        f"INSERT INTO main.mail (id, {_MAIL}) SELECT CASE WHEN id IN (SELECT id FROM main.mail) THEN NULL ELSE id END,"
        f" {_MAIL} FROM spare.mail WHERE id > ? ORDER BY id",
        (max(last, before),),
    )
    (newest,) = db.execute("SELECT coalesce(max(id), 0) FROM spare.mail").fetchone()
    return max(int(newest), before)


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
