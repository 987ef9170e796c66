"""The tables of the SQLite store. A change only adds, so that an older program runs on a newer file.

``messages`` is what is known of a message from its claim on: its claim while it runs, its answer while duplicates may
come, its line in the list of deliveries for as long as that is kept. One row does for all three, and is written once
for a message that is answered quickly. Rows are in the order they came (``id``), which is how they go.

``attempts`` has a line for each delivery; of the one that a row was written for, what the row says by itself is not
said again (`AS_SAID`).

``due`` is when somebody must look at a message: it has no answer and its time is over, or its answer was not fetched.
"""

from __future__ import annotations

TABLES = (
    """CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,
        account TEXT NOT NULL, user TEXT NOT NULL, at REAL NOT NULL, push BLOB, name TEXT NOT NULL,
        kind TEXT NOT NULL, text TEXT NOT NULL,
        done INTEGER NOT NULL, body BLOB, seen INTEGER NOT NULL DEFAULT 1, runs INTEGER NOT NULL DEFAULT 0,
        due REAL, changed REAL NOT NULL, expires REAL NOT NULL,
        rule TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT '', reply TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL DEFAULT 0, ms REAL NOT NULL DEFAULT 0, code TEXT NOT NULL DEFAULT '',
        attempts TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX IF NOT EXISTS messages_due ON messages(due) WHERE due IS NOT NULL",
    # AUTOINCREMENT: an id is never used again, so that what takes mail 7 cannot take another mail 7.
    """CREATE TABLE IF NOT EXISTS mail (
        id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, account TEXT NOT NULL, key BLOB NOT NULL,
        question TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, body BLOB NOT NULL,
        at REAL NOT NULL, expires REAL NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS mail_user ON mail(user, account)",
    """CREATE TABLE IF NOT EXISTS state (
        user TEXT NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, expires REAL NOT NULL,
        PRIMARY KEY (user, account, name)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS silences (at REAL NOT NULL)",
    """CREATE TABLE IF NOT EXISTS refusals (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, code TEXT NOT NULL, ip TEXT NOT NULL,
        reason TEXT NOT NULL, count INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS counts (
        hour INTEGER NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (hour, name)) WITHOUT ROWID""",
    # Users by a hash, and when; see ``leaving``.
    "CREATE TABLE IF NOT EXISTS forgotten (user BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS forgotten_at ON forgotten(at)",
    "CREATE TABLE IF NOT EXISTS visitors (user TEXT PRIMARY KEY, last REAL NOT NULL) WITHOUT ROWID",
)

# In the place of a line of ``attempts``: it came ``at``, took ``ms`` and was given ``result``.
AS_SAID = "="

# A message is written down while it runs.
BEGUN = """INSERT INTO messages
    (key, account, user, at, push, name, kind, text, done, runs, due, changed, expires)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)
    ON CONFLICT(key) DO UPDATE SET push = excluded.push, runs = excluded.runs, name = excluded.name
    WHERE done = 0"""

# It has its answer. Where nobody else knows of it this is its first and only row.
_ANSWERED = """INSERT INTO messages
    (key, account, user, at, push, name, kind, text, done, runs, body, due, changed, expires,
     rule, result, reply, size, ms, code, attempts)
    VALUES {values}
    ON CONFLICT(key) DO UPDATE SET push = excluded.push, done = 1, body = excluded.body, due = excluded.due,
    changed = excluded.changed, expires = excluded.expires, rule = excluded.rule, result = excluded.result,
    reply = excluded.reply, size = excluded.size, ms = excluded.ms, code = excluded.code,
    attempts = attempts || CASE WHEN attempts = '' OR excluded.attempts = '' THEN '' ELSE char(10) END
        || excluded.attempts"""
_VALUES = "(?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ANSWERED = _ANSWERED.format(values=_VALUES)
# Nearly always it was fetched and its push is not kept. Two NULLs as values would cost as much as ten strings: Python's
# sqlite3 asks of all but a few types whether they want to be adapted. (Nor is bytes among the few; bytearray is.)
_FETCHED = "(?, ?, ?, ?, NULL, ?, ?, ?, 1, ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
FETCHED = _ANSWERED.format(values=_FETCHED)
# Several in one statement: each step of a statement lets go of the interpreter, and a thread that is busy answering
# takes a while to give it back. (Twenty values each; older SQLites take 999.)
TOGETHER = 32
ANSWERED_TOGETHER = _ANSWERED.format(values=", ".join([_VALUES] * TOGETHER))
FETCHED_TOGETHER = _ANSWERED.format(values=", ".join([_FETCHED] * TOGETHER))

# Its busy text was said; the answer went to the mailbox, or nowhere.
ANSWERED_LATE = """UPDATE messages SET done = 1, due = NULL, push = ?, changed = ?, expires = ?, rule = ?, result = ?,
    reply = ?, size = ?, ms = ?, code = ? WHERE key = ?"""

# Another delivery of it was seen, maybe before its own process wrote it down.
JOINED = """INSERT INTO messages
    (key, account, user, at, push, name, kind, text, done, seen, due, changed, expires)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 2, ?, ?, ?)
    ON CONFLICT(key) DO UPDATE SET seen = seen + 1"""

BUSY = """INSERT INTO messages
    (key, account, user, at, push, name, kind, text, done, body, due, changed, expires)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)
    ON CONFLICT(key) DO UPDATE SET body = excluded.body"""

ATTEMPTED = """UPDATE messages SET changed = ?,
    attempts = attempts || CASE attempts WHEN '' THEN '' ELSE char(10) END || ? WHERE key = ?"""

MAIL_IN = """INSERT INTO mail (user, account, key, question, kind, text, body, at, expires)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

# More than anybody has waiting: the oldest of one user's go.
MAIL_OVER = """DELETE FROM mail WHERE user = ? AND account = ? AND id <= (
    SELECT id FROM mail WHERE user = ? AND account = ? ORDER BY id DESC LIMIT 1 OFFSET ?)"""

STATE_IN = """INSERT INTO state (user, account, name, value, expires) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT(user, account, name) DO UPDATE SET value = excluded.value, expires = excluded.expires"""

COUNTED = """INSERT INTO counts (hour, name, value) VALUES (?, ?, ?)
    ON CONFLICT(hour, name) DO UPDATE SET value = value + excluded.value"""

VISITED = """INSERT INTO visitors (user, last) VALUES (?, ?)
    ON CONFLICT(user) DO UPDATE SET last = max(last, excluded.last)"""

DELIVERY = """SELECT id, name, at, changed, user, kind, text, rule, result, reply, size, ms, code, attempts,
    coalesce(push, x''), coalesce(body, x''), key FROM messages"""

# A refusal, or a check that passed: that one has no code.
REFUSAL = "SELECT at, code, ip, reason, count FROM refusals WHERE at > ?"
