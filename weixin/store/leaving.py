"""Who is forgotten: what is deleted of him, and that other processes hear of it before they write what they still have.

They may have an answer that waits to be written with others, or a run that goes on. So it is noted for a while who was
forgotten, and when; by a hash, as there shall be nothing of him.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable

from . import schema
from .base import Answer, Push

#: A note about who was forgotten in a spare file, among the counters of no hour.
FORGOTTEN = "forgotten:"
# No run goes on for longer (`run_max`), so that nobody writes anything of before any more.
NOTED_SECONDS = 86_400.0

#: When users were forgotten, by their hashes.
Left = dict[bytes, float]


def forget(db: sqlite3.Connection, user: str, now: float, away: bool = False) -> None:
    """Delete what is known of *user*, and let everybody who writes later know.

    *away*: this is a spare file, and `carry` has to do the same to the other.
    """
    db.execute("INSERT OR REPLACE INTO forgotten (user, at) VALUES (?, ?)", (_hashed(user), now))
    if away:
        db.execute(schema.COUNTED, (0, f"{FORGOTTEN}{user}", 1))
    delete(db, user)


def delete(db: sqlite3.Connection, user: str) -> None:
    """Delete what is known of *user*; of what was answered, that it was stays, so that nobody runs it again."""
    for table in ("state", "mail", "visitors"):
        db.execute(f"DELETE FROM {table} WHERE user = ?", (user,))
    db.execute("DELETE FROM messages WHERE user = ? AND done = 0", (user,))
    db.execute("UPDATE messages SET user = '', text = '', push = NULL, body = x'', due = NULL WHERE user = ?", (user,))


def since(db: sqlite3.Connection, pushes: Iterable[Push]) -> Left:
    """Who was forgotten since the first of these messages came: nearly always nobody."""
    first = min((push.at for push in pushes), default=None)
    if first is None:
        return {}
    return dict(db.execute("SELECT user, at FROM forgotten WHERE at > ?", (first,)).fetchall())


def has_left(db: sqlite3.Connection, push: Push) -> bool:
    """Whether the user of a message was forgotten since it came."""
    row = db.execute("SELECT 1 FROM forgotten WHERE user = ? AND at > ?", (_hashed(push.user), push.at)).fetchone()
    return row is not None


def is_among(left: Left, push: Push) -> bool:
    """`has_left`, for who has asked for all of them."""
    return bool(left) and left.get(_hashed(push.user), push.at) > push.at


def kept_of(db: sqlite3.Connection, push: Push) -> Push:
    """What may be written down of a message."""
    return of_nobody(push) if has_left(db, push) else push


def of_nobody(push: Push) -> Push:
    """What is kept of a message whose user has left."""
    return push._replace(user="", text="", xml=b"")


def with_nothing(answer: Answer) -> Answer:
    """What is kept of its answer: its duplicates are answered with nothing."""
    return answer._replace(body=b"", fetched=True)


def drop_notes(db: sqlite3.Connection, now: float) -> None:
    # Those of later are of a clock that was put back.
    db.execute("DELETE FROM forgotten WHERE at < ? OR at > ?", (now - NOTED_SECONDS, now + NOTED_SECONDS))


def _hashed(user: str) -> bytes:
    return hashlib.blake2b(user.encode("utf-8", "replace"), digest_size=16).digest()
