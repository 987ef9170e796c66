"""From the store's values to rows, and the statements that take several."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import chain
from typing import Any

from . import base, leaving, schema
from .base import Answer, Claim, Mail, Push, Refusal


def pushed(push: Push) -> tuple[Any, ...]:
    """The first columns of every message."""
    return push.key, push.account, push.user, push.at, push.xml, push.name, push.kind, push.text


def times(push: Push, now: float, kept: float) -> tuple[float, float, float]:
    """due, changed, expires of a message without an answer."""
    return push.at + base.ORPHAN_AFTER, now, now + kept


def answered(push: Push, runs: int, answer: Answer, now: float, kept: float, full: bool) -> tuple[Any, ...]:
    """A whole row; see `schema.ANSWERED`."""
    key, account, user, at, xml, name, kind, text = push
    body, fetched, _, _, rule, result, reply, ms, code, arrived, _ = answer
    return (
        # What is not fetched may come to be labelled with its question.
        key, account, user, at, xml if full or not fetched else None, name, kind, text,
        runs + 1, body, None if fetched else at + base.UNFETCHED_AFTER, now, now + kept, rule, result, reply, len(body),
        ms, code, _line(arrived, ms, result),
    )  # fmt: skip


def fetched(claim: Claim, answer: Answer, now: float, kept: float) -> tuple[Any, ...]:
    """The row of a message whose answer was fetched, and whose push is not kept; see `schema.FETCHED`."""
    key, account, user, at, _, name, kind, text = claim.push
    body, _, _, _, rule, result, reply, ms, code, arrived, _ = answer
    line = schema.AS_SAID if arrived == at and not claim.recorded else _line(arrived, ms, result)
    return (
        bytearray(key), account, user, at, name, kind, text,
        claim.runs + 1, bytearray(body), now, now + kept, rule, result, reply, len(body), ms, code, line,
    )  # fmt: skip


def _line(arrived: float, ms: float, result: str) -> str:
    """The first line of ``attempts``, or none."""
    return base.listed(arrived, ms / 1000, result) if arrived else ""


def put_answers(
    db: sqlite3.Connection, answers: list[tuple[Claim, Answer, float]], kept: float, full: bool
) -> None:
    """Write many rows, of messages that were answered then."""
    if full or not all(answer.fetched for _, answer, _ in answers):
        some = [answered(claim.push, claim.runs, answer, at, kept, full) for claim, answer, at in answers]
        many, one = schema.ANSWERED_TOGETHER, schema.ANSWERED
    else:
        some = [fetched(claim, answer, at, kept) for claim, answer, at in answers]
        many, one = schema.FETCHED_TOGETHER, schema.FETCHED
    together = len(some) - len(some) % schema.TOGETHER
    for first in range(0, together, schema.TOGETHER):
        db.execute(many, tuple(chain.from_iterable(some[first : first + schema.TOGETHER])))
    db.executemany(one, some[together:])


def put_running(db: sqlite3.Connection, running: list[Claim], now: float, kept: float) -> None:
    """Write messages down that have no answer yet."""
    pushes = [(leaving.kept_of(db, claim.push), claim.runs + 1) for claim in running]
    begun = [(*pushed(push), runs, *times(push, now, kept)) for push, runs in pushes]
    db.executemany(schema.BEGUN, begun)


def put_mail(db: sqlite3.Connection, push: Push, letters: Iterable[Mail], now: float) -> None:
    """Put *letters* into the mailbox of *push*'s user."""
    for letter in letters:
        db.execute(schema.MAIL_IN, (
            push.user, push.account, letter.key or push.key, letter.question, letter.kind, letter.text, letter.body,
            letter.at or now, now + base.MAIL_KEPT,
        ))  # fmt: skip
    if letters:
        whose = (push.user, push.account)
        db.execute(schema.MAIL_OVER, (*whose, *whose, base.MAIL_PER_USER))


def mail(db: sqlite3.Connection, account: str, user: str, now: float) -> list[Mail]:
    """What waits for a user, oldest first."""
    found = db.execute(
        "SELECT question, kind, text, body, key, at, id FROM mail"
        " WHERE user = ? AND account = ? AND expires > ? ORDER BY at, id",
        (user, account, now),
    )
    return [Mail(*row) for row in found]


def has_mail(db: sqlite3.Connection, push: Push, ids: tuple[int, ...]) -> bool:
    """Whether all of these letters are there, and for *push*'s user."""
    whose = (push.user, push.account)
    mine = f"SELECT count(*) FROM mail WHERE user = ? AND account = ? AND id IN ({_marks(ids)})"
    (left,) = db.execute(mine, (*whose, *ids)).fetchone()
    return bool(left == len(ids))


def take_mail(db: sqlite3.Connection, ids: tuple[int, ...]) -> None:
    db.execute(f"DELETE FROM mail WHERE id IN ({_marks(ids)})", ids)


def _marks(ids: tuple[int, ...]) -> str:
    return ",".join("?" * len(ids))


def put_refusals(db: sqlite3.Connection, refused: list[Refusal]) -> None:
    """Add refusals to their ring, those that are alike together."""
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
