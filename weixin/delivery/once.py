"""The desk: where a delivery asks for its message's answer, and one run answers them all.

``answer`` is a delivery's whole way. The run is on the delivery's own thread where nothing speaks against it, because
that costs nothing; it goes to the pool, its deliveries waiting, where its handler is known to be slow, where this may
be the last delivery (so that the busy text can still be said), or where we have been silent too often.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import Callable

from ..routing import run as routing
from ..routing.call import Context
from ..routing.rules import Rule, Rules
from ..store import Store
from ..store.base import BUSY, FORGOTTEN, KEPT, MAIL_GONE, MINE, Answer, Push, Status, Verdict, listed
from ..wire.messages import Message
from ..wire.replies import SUCCESS, Finding, Success
from . import identity, ladder, mailbox
from .counts import Counts
from .errors import BudgetSpent, MessageKills, StuckRun
from .keeper import Keeper
from .pool import Pool
from .run import Given, Gone, Run, Visit, result_of
from .terms import Terms
from .waiting import QUICK, Waiting
from .wording import Wording

_log = logging.getLogger("wxserve.delivery")

# A message whose run ended with its process so often is not run again: it would take the next process too.
MOST_RUNS = 2


class Desk:
    """Answers the messages of one account in this process. Threads share it."""

    def __init__(
        self,
        rules: Rules,
        context: Context,
        store: Store,
        terms: Terms,
        *,
        clock: Callable[[], float] = time.time,
        notice: Callable[[Message, Finding], None] | None = None,
        replace: Callable[[], None] | None = None,
    ) -> None:
        """*notice* hears what is wrong with replies; *replace* is called when this process should be."""
        self.rules = rules
        self.store = store
        self.terms = terms
        self.clock = clock
        self.pool = Pool(terms.pool)
        self.runs: dict[bytes, Run] = {}
        self.lock = threading.Lock()
        self._context = context
        self.wording = Wording(store, terms, clock, notice)
        self._counts = Counts(terms.content)
        #: Rules that were slow once, by place.
        self.slow: set[str] = set()
        self._has_budgets = any(rule.budget is not None for rule in rules)
        self.keeper = Keeper(self, replace)
        self._waiting = Waiting(self)

    def start(self) -> None:
        """Look after what other processes left behind; call it in the process that serves, after the fork."""
        self.keeper.start()

    def close(self) -> None:
        """Begin nothing more. Messages that run stay claimed until the process ends, and then come again."""
        self.keeper.end()
        self.pool.end()

    def answer(self, message: Message, age: float, arrived: float, gone: Gone | None = None) -> Given:
        """Answer one delivery of *message*, which was *age* seconds old when the platform sent it.

        *arrived* is when, by time.monotonic(); *gone* tells whether the peer has hung up.
        """
        at = self.clock()
        visit = Visit(arrived, at, age, gone)
        push = identity.push_of(message, at, self.terms.content)
        while True:
            mine = Run(self, push, message)
            run = self.runs.setdefault(push.key, mine)  # atomic: of two threads one has it
            if run is mine:
                given = self._begin(mine, visit)
            else:
                self.count_delivery(push, visit)
                given = self._waiting.wait(run, visit)
            if given is not None:
                return given

    def count_delivery(self, push: Push, visit: Visit) -> None:
        """It is not the first delivery of its message: which is it?"""
        visit.attempt = ladder.attempt(self.store.join(push), visit.age)

    # A run begins.

    def _begin(self, run: Run, visit: Visit) -> Given | None:
        # What `given_back_on_failure` does, without its four calls: it is every message's.
        fine = False
        try:
            claim = self.store.claim(run.push)
            if claim.status is not MINE:
                given = self._join(run, visit, claim.status)
            else:
                if claim.recorded:
                    self.count_delivery(run.push, visit)
                elif visit.age >= ladder.SECOND_AGE:
                    visit.attempt = ladder.attempt(1, visit.age)
                run.claim = claim
                given = self._run_here(run, visit) if self.prepare(run) else self._waiting.wait(run, visit)
            fine = True
        finally:
            if not fine:
                self.give_back(run, failed=True)
        return given

    def _join(self, run: Run, visit: Visit, status: Status) -> Given | None:
        """Another process has the message, or has answered it."""
        if status is Status.ANSWERED:
            self.close_run(run)
            return self._duplicate(run, visit)
        self.count_delivery(run.push, visit)
        return self._waiting.wait(run, visit, watched=True)

    @contextlib.contextmanager
    def given_back_on_failure(self, run: Run) -> Iterator[None]:
        """Give *run* back if what is done with it fails: nobody shall wait for it, and anybody may have it."""
        fine = False
        try:
            yield
            fine = True
        finally:
            if not fine:
                self.give_back(run, failed=True)

    def prepare(self, run: Run) -> bool:
        """Do what comes before the handlers; whether these are to be asked on this thread now."""
        claim = run.claim
        assert claim is not None
        if claim.runs >= MOST_RUNS:
            fields = {"d": run.push.name, "user": run.push.user, "runs": claim.runs}
            _log.error("killed", extra={"code": "WX-RUN-01", "fields": fields})
            self.finish(run, self.apology(run, MessageKills("not run again")), fetched=False)
            return False
        if claim.body is not None:
            run.said = True  # the busy text was said by a process that has died since
            if not self.run_on_pool(run):
                self.give_back(run)
            return False
        return run.message.kind != "text" or not self.keeper.follow(run)

    def give_back(self, run: Run, *, failed: bool = False) -> None:
        """Let another process, or a later round, have it; a run that *failed* counts, like one whose process died."""
        with self.lock:
            claim, run.claim = run.claim, None
            if claim is not None:
                claim.runs += failed
        try:
            if claim is not None:
                self.store.release(claim)
        finally:
            self.close_run(run)

    def _run_here(self, run: Run, visit: Visit) -> Given | None:
        attempt = run.message.attempt = visit.attempt
        if attempt >= ladder.DELIVERIES or self.keeper.quiet:
            return self._run_elsewhere(run, visit, at_once=False)
        outcome = self.ask(run, attempt, exclusive=True)
        if outcome is None:
            return self._run_elsewhere(run, visit, at_once=self.pool.is_full(run.push.user))
        in_time = self._waiting.is_in_time(run, visit)
        body = self.finish(run, outcome, fetched=in_time, visit=visit)
        if body is None or not in_time:
            return self._waiting.too_late(run, visit, kept=body is not None)
        given = self.given(run, visit, body, result_of(run.failed, body), run.answer)
        if given.seconds - (run.ended - visit.arrived) > QUICK and self._waiting.has_left(visit):
            return self._missed(run, visit)
        return given

    def _run_elsewhere(self, run: Run, visit: Visit, *, at_once: bool) -> Given | None:
        if not self.run_on_pool(run, visit.attempt):
            # Too many wait already to promise anything.
            fields = {"d": run.push.name, "user": run.push.user}
            _log.error("crowded", extra={"code": "WX-RUN-07", "fields": fields})
            self.finish(run, routing.Outcome(self.wording.crowded()), fetched=False)
            at_once = False
        return self._waiting.wait(run, visit, at_once=at_once)

    def run_on_pool(self, run: Run, attempt: int = ladder.DELIVERIES) -> bool:
        """Run it as soon as the pool has a thread; False where it has too much to do."""
        run.on_pool = True
        return self.pool.submit(run.push.user, lambda: self._run_pooled(run, attempt))

    def _run_pooled(self, run: Run, attempt: int) -> None:
        with self.given_back_on_failure(run):
            outcome = None
            if run.rule is None:
                outcome = self.ask(run, attempt, exclusive=True)
            if outcome is None:
                outcome = self.ask(run, attempt, exclusive=False)
            assert outcome is not None
            self.finish(run, outcome, fetched=False)

    def ask(self, run: Run, attempt: int, *, exclusive: bool) -> routing.Outcome | None:
        """Ask the rules. If *exclusive*, with the user's state locked, and None where a slow rule's turn has come."""
        run.attempt, run.exclusive, run.earlier, run.access = attempt, exclusive, run.access, None
        run.slow = self.is_slow if exclusive and (self._has_budgets or self.slow) else None
        run.thread = threading.get_ident()
        began = run.began = run.turn = time.monotonic()
        outcome = routing.answer(self.rules, run.message, self.clock(), self._context, run.push.name, run)
        run.ended = time.monotonic()
        run.thread = 0
        if isinstance(outcome, routing.Later):
            run.rule, run.hits = outcome
            return None
        took, rule = run.ended - began, run.rule
        if took > self.terms.pace.slow and outcome.rule is not None:
            self.note_turn(run, outcome.rule, run.ended)
        if rule is not None and rule.budget is not None and took > rule.budget:
            return self._over_budget(run, outcome, took)
        return outcome

    def note_turn(self, run: Run, rule: Rule, now: float) -> None:
        """Remember a rule that was slow by itself, and not because another message had its user's state."""
        turn, run.turn = run.turn, now - (run.access.waited if run.access is not None else 0.0)
        if run.turn - turn > self.terms.pace.slow:
            self.slow.add(rule.at)

    def is_slow(self, rule: Rule) -> bool:
        """Whether *rule* says that it is slow, or was once: then no delivery's own thread asks it."""
        return rule.budget is not None or rule.at in self.slow

    def _over_budget(self, run: Run, outcome: routing.Outcome, took: float) -> routing.Outcome:
        at = outcome.rule.at if outcome.rule else ""
        fields = {"d": run.push.name, "user": run.push.user, "at": at, "seconds": round(took, 1)}
        _log.warning("budget", extra={"code": "WX-RUN-02", "fields": fields})
        if run.said:
            return routing.Outcome(Success(), outcome.rule)
        return self.apology(run, BudgetSpent(f"{took:.1f} s"))

    def apology(self, run: Run, error: Exception) -> routing.Outcome:
        """What ``on.error`` says to an error that no handler raised."""
        return routing.apologize(self.rules, run.message, self.clock(), self._context, error, run)

    def _spoilt(self, run: Run, outcome: routing.Outcome, error: Exception) -> routing.Outcome:
        """What there is to say where a reply cannot be written; nothing, if that was ``on.error``'s."""
        routing.report(error, run.message, run.push.name, outcome.rule)
        reply = Success() if outcome.error is not None else self.apology(run, error).reply
        return routing.Outcome(reply, outcome.rule, error)

    # A run ends.

    def finish(
        self, run: Run, outcome: routing.Outcome, *, fetched: bool, visit: Visit | None = None
    ) -> bytes | None:
        """Keep the answer, and wake who waits for it; None where it is not to be sent."""
        leaves = run.message.kind == "unsubscribe"
        if leaves:
            # 接收事件推送: who leaves is to be forgotten. First: if we die in between, the message comes again.
            self.store.forget(run.push.user)
        while True:
            try:
                body, handed = self.wording.rendered(run, outcome.reply)
            except Exception as error:  # a reply may be of a handler's own class, or not what it was when it was made
                outcome = self._spoilt(run, outcome, error)
                continue
            verdict = self.finish_with(run, outcome, body, handed, fetched=fetched, visit=visit)
            if verdict is not MAIL_GONE:
                break
        if verdict is FORGOTTEN:
            for access in filter(None, (run.earlier, run.access)):
                access.take_back()
            return body if leaves else SUCCESS
        if leaves:
            self.store.forget(run.push.user)  # it was written after all
        return body if verdict is KEPT else None

    def finish_with(
        self,
        run: Run,
        outcome: routing.Outcome,
        body: bytes,
        handed: mailbox.Handed,
        *,
        fetched: bool = False,
        visit: Visit | None = None,
        picked_up: bool = False,
    ) -> Verdict | None:
        """Keep *body* as the answer, with the mail in it; None where the run was given up, or another ended it.

        After MAIL_GONE the run goes on: the answer is to be made again, without the mail that another one took. What
        was only *picked up* waits where it was, if the busy text has been said instead.
        """
        with self.lock:
            claim, run.claim = run.claim, None
        if claim is None:
            return None
        verdict: Verdict | None = None
        try:
            answer = run.answer = self._answer(run, outcome, body, handed, fetched, visit)
            verdict = self.store.finish(claim, answer)
            if verdict is BUSY:
                letters = [] if picked_up else self.wording.letters(run, outcome.reply)
                self.store.finish_late(claim, letters, answer._replace(result="mailbox"))
        finally:
            if verdict is None or verdict is MAIL_GONE:
                run.claim = claim
            else:
                self.close_run(run)
        return verdict

    def end_unanswered(self, run: Run) -> None:
        """End a run that never ends, without an answer; of a user who leaves, forget the rest as well."""
        self.finish(run, routing.Outcome(Success(), error=StuckRun()), fetched=True)

    def _answer(
        self,
        run: Run,
        outcome: routing.Outcome,
        body: bytes,
        handed: mailbox.Handed,
        fetched: bool,
        visit: Visit | None,
    ) -> Answer:
        now, rule = time.monotonic(), outcome.rule
        result, place = result_of(outcome.error is not None, body), "" if rule is None else rule.at
        took = now - (visit.arrived if visit is not None else run.began or now)
        return Answer(
            body, fetched, handed.take, handed.put, place, result, outcome.reply.kind, took * 1000,
            run.finding if outcome.error is None else "WX-HND-05",
            visit.at if visit is not None and fetched else 0.0,
            self._counts.of(run.message, place, result, took > self.terms.pace.slow, run.fetches),
        )  # fmt: skip

    def close_run(self, run: Run) -> None:
        """Nobody runs it here any more: who waits for it asks the store."""
        with self.lock:
            if self.runs.get(run.key) is run:
                del self.runs[run.key]
            run.done = True
            visits = list(run.visits) if run.visits else ()
        for visit in visits:
            if visit.bell is not None:
                visit.bell.ring()

    # What a delivery is given.

    def _duplicate(self, run: Run, visit: Visit) -> Given:
        visit.attempt = ladder.attempt(2, visit.age)
        if self._waiting.has_left(visit):
            if visit.attempt >= ladder.DELIVERIES:
                # The platform would not have come again, had an earlier one arrived; and it will not come any more.
                return self._missed(run, visit)
            return self._waiting.be_silent(run, visit)
        body = self.store.fetch(run.key) or SUCCESS
        return self.hand_over(run, visit, body, "duplicate", counts=("duplicates",))

    def hand_over(
        self,
        run: Run,
        visit: Visit,
        body: bytes,
        result: str,
        *,
        answer: Answer | None = None,
        counts: tuple[str, ...] = (),
    ) -> Given:
        """Give *visit* what was taken from the store for it, if it is still there after that."""
        if self._waiting.has_left(visit):
            return self._missed(run, visit)
        self.note(run, visit, result, counts)
        return self.given(run, visit, body, result, answer)

    def _missed(self, run: Run, visit: Visit) -> Given:
        """The answer that counts as fetched has reached nobody: another delivery may have it, or the mailbox."""
        self.store.missed(run.key)
        return self._waiting.be_silent(run, visit)

    def given(self, run: Run, visit: Visit, body: bytes, result: str, answer: Answer | None = None) -> Given:
        """What *visit* is given; *answer* where this process made it."""
        return Given(body, False, run.push.name, visit.attempt, result, time.monotonic() - visit.arrived, answer)

    def note(self, run: Run, visit: Visit, result: str, counts: tuple[str, ...] = ()) -> None:
        """Add a delivery to the list of its message's."""
        took = time.monotonic() - visit.arrived
        self.store.attempt(run.key, listed(visit.at, took, result), counts)
