"""The store in this process's memory: for one process, until it ends.

The same promises as the others, with less to do for them: what is in memory is committed, and a claim cannot outlive
its process.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Callable

from . import base
from .base import Answer, Claim, Delivery, Mail, Overdue, Push, Refusal, Status, Store, Verdict
from .locks import Names

# What is kept of messages beyond the ring, while duplicates may come: some 25 MB.
MOST_MESSAGES = 50_000
# Old messages are looked for when as many new ones have come.
SWEEP_EVERY = 256
# Users and counters remembered, some 20 MB: strangers choose how many there are. The first to have come go first.
MOST_VISITS = 100_000
MOST_COUNTS = 100_000


class _Known:
    """What is known of one message."""

    __slots__ = (
        "answer", "attempts", "body", "changed", "done", "due", "expires", "forgotten", "id", "push", "running", "runs",
        "seen", "size",
    )  # fmt: skip

    def __init__(self, push: Push, id: int, now: float) -> None:
        self.push = push
        self.id = id
        self.running = False
        self.done = False
        self.forgotten = False
        self.body: bytes | None = None
        self.seen = 1
        self.runs = 0
        self.due: float | None = push.at + base.ORPHAN_AFTER
        self.changed = now
        self.expires = 0.0
        # How it ended, without what was said, which goes before it; and how much that was.
        self.answer: Answer | None = None
        self.size = 0
        self.attempts: list[str] = []


class Memory(Store):
    """A store for one process. Keeps *keep* deliveries, with their content for a day if *full*."""

    url = "memory:"

    def __init__(
        self,
        *,
        keep: int = 500,
        full: bool = False,
        answers_kept: float = base.ANSWERS_KEPT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._full = full
        self._kept = answers_kept
        self._guard = threading.RLock()
        self._messages: dict[bytes, _Known] = {}
        self._mail: dict[tuple[str, str], list[Mail]] = {}
        self._state: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}
        self._refusals: list[Refusal] = []
        self._silences: list[float] = []
        self._counts: Counter[tuple[int, str]] = Counter()
        self._visits: dict[str, float] = {}
        self._names = Names()
        self._last_id = 0

    # Once.

    def claim(self, push: Push) -> Claim:
        claim = Claim(push)
        with self._guard:
            claim.recorded = push.key in self._messages
            known = self._known(push)
            claim.body, claim.runs = known.body, known.runs
            if known.done:
                claim.status = Status.ANSWERED
            elif known.running:
                claim.status = Status.TAKEN
            else:
                known.running, known.runs = True, known.runs + 1
        return claim

    def join(self, push: Push) -> int:
        with self._guard:
            known = self._known(push)
            known.seen += 1
            return known.seen

    def finish(self, claim: Claim, answer: Answer) -> Verdict:
        push, now = claim.push, self._clock()
        with self._guard:
            known = self._known(push)
            if known.forgotten:
                known.body = b""
                self._end(known, answer, now)
                return Verdict.FORGOTTEN
            if known.body is not None and not known.done:
                return Verdict.BUSY
            mail = self._mail.get((push.account, push.user), [])
            if answer.take and not set(answer.take) <= {letter.id for letter in mail}:
                return Verdict.MAIL_GONE
            if answer.take:
                mail[:] = [letter for letter in mail if letter.id not in answer.take]
            self._put(push, answer.put, now)
            known.body = answer.body
            self._end(known, answer, now)
            known.due = None if answer.fetched else push.at + base.UNFETCHED_AFTER
        return Verdict.KEPT

    def finish_late(self, claim: Claim, mail: Iterable[Mail], answer: Answer) -> None:
        now = self._clock()
        with self._guard:
            known = self._known(claim.push)
            if not known.forgotten:
                self._put(claim.push, mail, now)
            self._end(known, answer._replace(arrived=0.0), now)

    def _end(self, known: _Known, answer: Answer, now: float) -> None:
        known.done, known.running, known.due, known.size = True, False, None, len(answer.body)
        known.answer = answer._replace(body=b"", take=(), put=())
        known.changed, known.expires = now, now + self._kept
        if answer.arrived:
            known.attempts.append(base.listed(answer.arrived, answer.ms / 1000, answer.result))
        self._count(answer.counts, now)
        if known.push.user:
            self._visits.pop(known.push.user, None)  # the last to have come is last
            self._visits[known.push.user] = now

    def release(self, claim: Claim) -> None:
        with self._guard:
            known = self._known(claim.push)
            known.running, known.runs = False, claim.runs

    def say_busy(self, push: Push, body: bytes) -> bytes:
        with self._guard:
            known = self._known(push)
            if known.body is None:
                known.body = body
            elif known.done:
                known.due = None
            return known.body

    def fetch(self, key: bytes) -> bytes | None:
        with self._guard:
            known = self._messages.get(key)
            if known is None:
                return None
            if known.done:
                known.due = None
            return known.body

    def missed(self, key: bytes) -> None:
        with self._guard:
            known = self._messages.get(key)
            if known is None or known.answer is None or not (known.done and known.push.user):
                return
            if known.answer.result != "mailbox":
                known.due = known.push.at + base.UNFETCHED_AFTER

    def overdue(self, now: float) -> list[Overdue]:
        with self._guard:
            return [
                Overdue(known.push, known.runs, known.body if known.done else None)
                for known in self._messages.values()
                if known.due is not None and known.due <= now and not known.running
            ]

    def settle(self, key: bytes, body: bytes, mail: Iterable[Mail]) -> bool:
        now = self._clock()
        with self._guard:
            known = self._messages.get(key)
            if known is None or not known.done or known.due is None:
                return False
            known.body, known.due, known.changed, known.expires = body, None, now, now + self._kept
            if known.answer is not None:
                known.answer = known.answer._replace(result="mailbox")
            self._put(known.push, mail, now)
            return True

    def _known(self, push: Push) -> _Known:
        known = self._messages.get(push.key)
        if known is None:
            self._last_id += 1
            if not self._last_id % SWEEP_EVERY:
                self._sweep()
            known = self._messages[push.key] = _Known(push, self._last_id, self._clock())
        return known

    def _sweep(self) -> None:
        """Let go of what nobody can ask for any more. Messages are in the order they came."""
        now, last = self._clock(), self._last_id
        over = []
        for key, known in self._messages.items():
            if known.due is not None or known.running:
                continue
            if last - known.id >= MOST_MESSAGES or (known.expires <= now and last - known.id >= self._keep):
                over.append(key)
            elif known.expires > now:
                break  # and so are those that came later
            elif not (self._full and known.push.at > now - base.CONTENT_KEPT):
                known.push, known.body = known.push._replace(xml=b""), None
        for key in over:
            del self._messages[key]
        for whose, letters in list(self._mail.items()):
            letters[:] = [letter for letter in letters if letter.at > now - base.MAIL_KEPT]
            if not letters:
                del self._mail[whose]
        for whose, (expires, _) in list(self._state.items()):
            if expires <= now:
                del self._state[whose]
        self._sweep_counts(now)

    def _sweep_counts(self, now: float) -> None:
        """As the other home does: a month of counters, of an hour the most frequent, and whoever came in that month."""
        hour = int(now // 3600)
        names = [key for key in self._counts if key[0] == hour]
        if len(names) > 2 * base.COUNTS_PER_HOUR:
            names.sort(key=lambda key: self._counts[key], reverse=True)
            for key in names[base.COUNTS_PER_HOUR :]:
                del self._counts[key]
        first = hour - base.COUNTS_KEPT // 3600
        while self._counts and (next(iter(self._counts))[0] < first or len(self._counts) > MOST_COUNTS):
            del self._counts[next(iter(self._counts))]
        while self._visits and (
            next(iter(self._visits.values())) < now - base.COUNTS_KEPT or len(self._visits) > MOST_VISITS
        ):
            del self._visits[next(iter(self._visits))]

    # Mail.

    def mail(self, account: str, user: str) -> list[Mail]:
        letters = self._mail.get((account, user))
        if not letters:
            return []
        with self._guard:
            return [letter for letter in letters if letter.at > self._clock() - base.MAIL_KEPT]

    def expecting(self, account: str, user: str, now: float) -> bool:
        with self._guard:
            return any(
                (known.push.account, known.push.user) == (account, user)
                and known.due is not None
                and ((not known.done and known.body is not None) or known.push.at < now - base.ORPHAN_AFTER)
                for known in self._messages.values()
            )

    def _put(self, push: Push, mail: Iterable[Mail], now: float) -> None:
        letters = self._mail.setdefault((push.account, push.user), [])
        for letter in mail:
            self._last_id += 1
            letters.append(letter._replace(key=letter.key or push.key, at=letter.at or now, id=self._last_id))
        letters.sort(key=lambda letter: (letter.at, letter.id))
        del letters[: -base.MAIL_PER_USER]
        if not letters:
            del self._mail[push.account, push.user]

    # State.

    def state(self, account: str, user: str) -> dict[str, str]:
        with self._guard:
            expires, state = self._state.get((account, user), (0.0, {}))
            return dict(state) if expires > self._clock() else {}

    def change(self, account: str, user: str, changes: Mapping[str, str | None]) -> None:
        with self._guard:
            state = self.state(account, user)
            for name, value in changes.items():
                if value is None:
                    state.pop(name, None)
                else:
                    state[name] = value
            self._state[account, user] = (self._clock() + base.STATE_KEPT, state)

    def lock(self, name: bytes, timeout: float) -> bool:
        return self._names.lock(name, timeout)

    def unlock(self, name: bytes) -> None:
        self._names.unlock(name)

    def forget(self, user: str) -> None:
        with self._guard:
            for held in (self._state, self._mail):
                for whose in [whose for whose in held if whose[1] == user]:
                    del held[whose]
            self._visits.pop(user, None)
            for known in self._messages.values():
                if known.push.user == user:
                    known.forgotten = not known.done
                    known.push = known.push._replace(user="", text="", xml=b"")
                    known.body, known.due = b"" if known.done else known.body, None

    # Records.

    def attempt(self, key: bytes, line: str, counts: tuple[str, ...] = ()) -> None:
        with self._guard:
            known = self._messages.get(key)
            if known is not None:
                known.attempts.append(line)
                known.changed = self._clock()
            self._count(counts, self._clock())

    def _count(self, names: tuple[str, ...], now: float) -> None:
        hour = int(now // 3600)
        for name in names:
            self._counts[hour, name] += 1

    def refused(self, refusal: Refusal) -> None:
        with self._guard:
            self._refusals.append(refusal)
            del self._refusals[: -base.REFUSALS_KEPT]

    def silent(self, now: float) -> None:
        with self._guard:
            # Those of later are of a clock that was put back.
            self._silences = [at for at in self._silences if now - 3600.0 < at < now + 60.0] + [now]

    def silences(self, since: float) -> int:
        with self._guard:
            return sum(at > since for at in self._silences)

    def deliveries(self, limit: int, after: float = 0.0) -> list[Delivery]:
        with self._guard:
            found = [known for known in self._messages.values() if known.changed > after]
        found.sort(key=lambda known: known.changed if after else known.id, reverse=True)
        return [_delivery(known) for known in found[:limit]]

    def delivery(self, name: str) -> Delivery | None:
        return next((found for found in self.deliveries(MOST_MESSAGES) if found.name == name), None)

    def refusals(self, after: float = 0.0) -> list[Refusal]:
        with self._guard:
            return [refusal for refusal in reversed(self._refusals) if refusal.at > after and refusal.code]

    def checks(self, after: float = 0.0) -> list[Refusal]:
        with self._guard:
            return [check for check in reversed(self._refusals) if check.at > after and not check.code]

    def counts(self, since: float) -> dict[str, int]:
        found: Counter[str] = Counter()
        with self._guard:
            for (hour, name), count in self._counts.items():
                if hour >= since // 3600:
                    found[name] += count
            found["users"] = sum(at >= since for at in self._visits.values())
        return dict(found)

    # The home itself.

    def check(self) -> str:
        return ""

    def size(self) -> int:
        return 1024 * len(self._messages)

    def catch_up(self) -> None:
        """Nothing waits."""

    def flush(self) -> bool:
        """Nothing waits."""
        return True

    def close(self) -> None:
        """Nothing is held."""


def _delivery(known: _Known) -> Delivery:
    push, answer = known.push, known.answer or Answer(b"", False)
    return Delivery(
        known.id, push.name, push.at, known.changed, push.user, push.kind, push.text, answer.rule, answer.result,
        answer.reply, known.size, answer.ms, answer.code, tuple(known.attempts), push.xml, known.body or b"",
        push.key,
    )  # fmt: skip
