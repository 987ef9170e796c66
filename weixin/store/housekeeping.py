"""What goes, and when: old answers, the end of the ring of deliveries, mail nobody asked for, a file that is too large.

Done by the late writer between batches, in small steps, so that no request ever waits long for the file.
"""

from __future__ import annotations

import sqlite3
from functools import partial

from . import base, leaving
from .database import MOST_BYTES, Database

# Answers go every second, what is kept for hours every minute.
OFTEN = 1.0
SELDOM = 60.0
# Rows taken out in one transaction: a few milliseconds, and little memory.
STEP = 1_000
# From here on the oldest messages go before their time.
FULL = MOST_BYTES * 3 // 8
# Who wrote in the last month; beyond this, who wrote longest ago is not counted any more. Some 12 MB.
MOST_VISITORS = 250_000
# A row of a message without what was said.
ROW_BYTES = 300

_EDGE = "SELECT id FROM messages WHERE expires > ? ORDER BY id LIMIT 1"
_OVER = "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE id < ? AND due IS NULL ORDER BY id LIMIT ?)"
_NEXT_VISITORS = "SELECT max(user) FROM (SELECT user FROM visitors WHERE user > ? ORDER BY user LIMIT ?)"
_STRIP = "UPDATE messages SET push = NULL, body = NULL WHERE id < ? AND due IS NULL AND body IS NOT NULL AND at < ?"


class Housekeeping:
    """Keeps *keep* deliveries beyond the time of their answers; their content for a day if *full*."""

    def __init__(self, keep: int, full: bool) -> None:
        self._keep = keep
        self._full = full
        self._often_at = 0.0
        self._seldom_at = 0.0

    def turn(self, db: Database, now: float) -> None:
        """Do what is due. Raises sqlite3.Error, OSError."""
        if not 0 <= now - self._often_at < OFTEN:
            self._often_at = now
            self._drop_messages(db, now)
        if not 0 <= now - self._seldom_at < SELDOM:
            self._seldom_at = now
            db.write(lambda c: _drop_expired(c, now))
            _drop_visitors(db)

    def _drop_messages(self, db: Database, now: float) -> None:
        edge, last = db.read(lambda c: _edge_and_last(c, now))
        stripped = now - base.CONTENT_KEPT if self._full else now
        over = min(edge, last - self._keep + 1)
        if over > 0:
            for _ in range(1 + MOST_BYTES // (STEP * 512)):
                if db.write(lambda c: c.execute(_OVER, (over, STEP)).rowcount) < STEP:
                    break
        if last:
            db.write(lambda c: c.execute(_STRIP, (edge, stripped)))
        if db.used() > FULL:
            db.write(lambda c: _make_room(c, last, now))


def _edge_and_last(db: sqlite3.Connection, now: float) -> tuple[int, int]:
    """The first message whose answer is still wanted (behind the last, if none is), and the last of all."""
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()
    edge = db.execute(_EDGE, (now,)).fetchone()
    return (edge[0] if edge else last + 1), last


def _drop_expired(db: sqlite3.Connection, now: float) -> None:
    db.execute("DELETE FROM mail WHERE expires <= ?", (now,))
    db.execute("DELETE FROM state WHERE expires <= ?", (now,))
    # Those of later are of a clock that was put back, and would count for hours.
    db.execute("DELETE FROM silences WHERE at < ? OR at > ?", (now - 3600, now + 60))
    leaving.drop_notes(db, now)
    db.execute("DELETE FROM visitors WHERE last < ?", (now - base.COUNTS_KEPT,))
    db.execute("DELETE FROM counts WHERE hour > 0 AND hour < ?", (int((now - base.COUNTS_KEPT) // 3600),))
    # Names that strangers made up: the most frequent of an hour stay.
    hour = int(now // 3600)
    db.execute(
        "DELETE FROM counts WHERE hour IN (?, ?) AND name IN ("
        " SELECT name FROM counts WHERE hour IN (?, ?) ORDER BY value DESC LIMIT -1 OFFSET ?)",
        (hour - 1, hour, hour - 1, hour, base.COUNTS_PER_HOUR),
    )


def _drop_visitors(db: Database) -> None:
    """Of too many, let go of those before the middle of their times: to sort them would keep requests waiting."""
    count, middle = db.read(lambda c: c.execute("SELECT count(*), avg(last) FROM visitors").fetchone())
    at = "" if count > MOST_VISITORS else None
    while at is not None:
        at = db.write(partial(_drop_some_visitors, at, middle))


def _drop_some_visitors(at: str, middle: float, db: sqlite3.Connection) -> str | None:
    """Look at some behind *at*, in the order of their names; the last of them, None where there was none."""
    end: str | None
    (end,) = db.execute(_NEXT_VISITORS, (at, STEP)).fetchone()
    if end is not None:
        db.execute("DELETE FROM visitors WHERE user > ? AND user <= ? AND last < ?", (at, end, middle))
    return end


def _make_room(db: sqlite3.Connection, last: int, now: float) -> None:
    """Let the oldest go before their time: messages if there is much in them, else who came, and a user's state last.

    A duplicate still asks for the answers of the last minute: they do not make room for what is not theirs.
    """
    first, said = db.execute(
        "SELECT coalesce(min(id), 0), total(coalesce(length(push), 0) + coalesce(length(body), 0) + ?) FROM messages",
        (ROW_BYTES,),
    ).fetchone()
    if said <= FULL // 4:
        for table, order in (("visitors", "last"), ("mail", "expires"), ("state", "expires")):
            (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
            if count > STEP // 10:
                key = "rowid" if table == "mail" else "user"
                oldest = f"SELECT {key} FROM {table} ORDER BY {order} LIMIT ?"
                db.execute(f"DELETE FROM {table} WHERE {key} IN ({oldest})", (max(STEP, count // 64),))
                return
    if last - first > 8:
        db.execute("DELETE FROM messages WHERE id <= ? AND due IS NULL", (first + (last - first) // 8,))
