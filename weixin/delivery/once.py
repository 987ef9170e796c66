"""The desk: where a delivery asks for its message's answer, and one run answers them all.

``answer`` is a delivery's whole way. The run is on the delivery's own thread where nothing speaks against it, because
that costs nothing; it goes to the pool, its deliveries waiting, where its handler is known to be slow, where this may
be the last delivery (so that the busy text can still be said), or where we have been silent too often.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Iterator
from typing import Callable

from ..routing import run as routing
from ..routing.rules import Rule, Rules
from ..store import Store
from ..store.base import Answer, Mail, Push, Status, Verdict
from ..texts import say
from ..wire.messages import Message
from ..wire.replies import SUCCESS, Finding, Reply, Success, Text, fits
from . import deadline, identity, ladder, mailbox
from .counts import Counts
from .errors import BudgetSpent, MessageKills, StuckRun
from .keeper import Keeper
from .pool import Pool
from .run import Given, Gone, Run, Visit
from .state import Access
from .terms import Terms
from .waiting import Waiting

_log = logging.getLogger("wxserve.delivery")

# A message whose run ended with its process so often is not run again: it would take the next process too.
MOST_RUNS = 2


class Desk:
    """Answers the messages of one account in this process. Threads share it."""

    def __init__(
        self,
        rules: Rules,
        context: routing.Context,
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
        self._notice = notice
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
        visit = Visit(arrived, self.clock(), age, gone)
        push = identity.push_of(message, visit.at, self.terms.content)
        while True:
            mine = Run(push, message)
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
        with self.closing(run):
            return self._claim(run, visit)

    def _claim(self, run: Run, visit: Visit) -> Given | None:
        claim = self.store.claim(run.push)
        if claim.status is Status.ANSWERED:
            self.close_run(run)
            return self._duplicate(run, visit)
        if claim.status is Status.TAKEN:
            self.count_delivery(run.push, visit)
            return self._waiting.wait(run, visit, watched=True)
        if claim.recorded:
            self.count_delivery(run.push, visit)
        else:
            visit.attempt = ladder.attempt(1, visit.age)
        run.claim = claim
        return self._run_here(run, visit) if self.prepare(run) else self._waiting.wait(run, visit)

    @contextlib.contextmanager
    def closing(self, run: Run) -> Iterator[None]:
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
        return not self.keeper.follow(run)

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
        run.message.attempt = visit.attempt
        if visit.attempt >= ladder.DELIVERIES or self.keeper.quiet:
            return self._run_elsewhere(run, visit, at_once=False)
        outcome = self.ask(run, visit.attempt, exclusive=True)
        if outcome is None:
            return self._run_elsewhere(run, visit, at_once=self.pool.full)
        in_time = self._waiting.is_in_time(run, visit)
        body = self.finish(run, outcome, fetched=in_time, visit=visit)
        if body is None or not in_time:
            return self._waiting.too_late(run, visit, kept=body is not None)
        return self.given(run, visit, body, _result(outcome, body), run.answer)

    def _run_elsewhere(self, run: Run, visit: Visit, *, at_once: bool) -> Given | None:
        if not self.run_on_pool(run, visit.attempt):
            # Too many wait already to promise anything.
            fields = {"d": run.push.name, "user": run.push.user}
            _log.error("crowded", extra={"code": "WX-RUN-07", "fields": fields})
            self.finish(run, routing.Outcome(self.terms_text("reply.crowded")), fetched=False)
            at_once = False
        return self._waiting.wait(run, visit, at_once=at_once)

    def run_on_pool(self, run: Run, attempt: int = ladder.DELIVERIES) -> bool:
        """Run it as soon as the pool has a thread; False where it has too much to do."""
        run.on_pool = True
        return self.pool.submit(lambda: self._run_pooled(run, attempt))

    def _run_pooled(self, run: Run, attempt: int) -> None:
        with self.closing(run):
            outcome = None
            if run.rule is None:
                outcome = self.ask(run, attempt, exclusive=True)
            if outcome is None:
                outcome = self.ask(run, attempt, exclusive=False)
            assert outcome is not None
            self.finish(run, outcome, fetched=False)

    def ask(self, run: Run, attempt: int, *, exclusive: bool) -> routing.Outcome | None:
        """Ask the rules. If *exclusive*, with the user's state locked, and None where a slow rule's turn has come."""
        terms, push = self.terms, run.push
        began = run.began = time.monotonic()
        run.thread = threading.get_ident()
        access = run.access = Access(self.store, push.account, push.user, terms.pace.state_wait, exclusive=exclusive)
        budget = run.rule.budget if run.rule is not None else None
        slow = self.is_slow if exclusive and (self._has_budgets or self.slow) else None
        asking = routing.Asking(run.hits, access, deadline.of(budget, attempt, terms.pace), slow)
        outcome = routing.answer(self.rules, run.message, self.clock(), self._context, push.name, asking)
        took = time.monotonic() - began
        run.thread = 0
        if isinstance(outcome, routing.Later):
            run.rule, run.hits = outcome
            return None
        if took > terms.pace.slow and outcome.rule is not None and took - access.waited > terms.pace.slow:
            self.slow.add(outcome.rule.at)
        if budget is not None and took > budget:
            return self._over_budget(run, outcome, took)
        return outcome

    def is_slow(self, rule: Rule) -> bool:
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
        return routing.apologize(self.rules, run.message, self.clock(), self._context, error)

    # A run ends.

    def finish(
        self, run: Run, outcome: routing.Outcome, *, fetched: bool, visit: Visit | None = None
    ) -> bytes | None:
        """Keep the answer, and wake who waits for it; None where it is not to be sent."""
        user, leaves = run.push.user, run.message.kind == "unsubscribe"
        if leaves:
            # 接收事件推送: who leaves is to be forgotten. First: if we die in between, the message comes again.
            self.store.forget(user)
        while True:
            body, handed = self._rendered(run, outcome.reply)
            verdict = self.finish_with(run, outcome, body, handed, fetched=fetched, visit=visit)
            if verdict is not Verdict.MAIL_GONE:
                break
        if verdict is Verdict.FORGOTTEN:
            if run.access is not None:
                run.access.take_back()
            return body if leaves else SUCCESS
        if leaves:
            self.store.forget(user)  # it was written after all
        return body if verdict is Verdict.KEPT else None

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
            if verdict is Verdict.BUSY:
                letters = [] if picked_up else self._letters(run, outcome.reply)
                self.store.finish_late(claim, letters, answer._replace(result="mailbox"))
        finally:
            if verdict is None or verdict is Verdict.MAIL_GONE:
                run.claim = claim
            else:
                self.close_run(run)
        return verdict

    def forget_answer(self, run: Run) -> bool:
        """End a run that never ends, without an answer; False where it has just ended."""
        outcome = routing.Outcome(Success(), error=StuckRun())
        return self.finish_with(run, outcome, SUCCESS, _NOTHING, fetched=True) is not None

    def _answer(
        self,
        run: Run,
        outcome: routing.Outcome,
        body: bytes,
        handed: mailbox.Handed,
        fetched: bool,
        visit: Visit | None,
    ) -> Answer:
        now = time.monotonic()
        took = now - (visit.arrived if visit is not None else run.began or now)
        result = _result(outcome, body)
        rule = outcome.rule.at if outcome.rule is not None else ""
        line = f"{visit.at:.3f} {took:.3f} {result}" if visit is not None and fetched else ""
        return Answer(
            body, fetched, handed.take, handed.put, rule, result, outcome.reply.kind, took * 1000,
            "WX-HND-05" if outcome.error is not None else run.finding, line,
            self._counts.of(run.message, rule, result, took > self.terms.pace.slow),
        )  # fmt: skip

    def _rendered(self, run: Run, reply: Reply) -> tuple[bytes, mailbox.Handed]:
        """The bytes of *reply* to the message, with the mail that fits behind it."""
        message, now, terms = run.message, int(self.clock()), self.terms
        if self._notice is not None:
            for finding in reply.lint():
                # What is cut for the mailbox is whole, and an event may be answered with several articles.
                cut = finding.code == "WX-RPL-01" and terms.split
                if not (cut or (finding.code == "WX-RPL-02" and message.type == "event")):
                    run.finding = run.finding or finding.code
                    self._notice(message, finding)
        if not isinstance(reply, Text) or not message.accepts_reply:
            return reply.render(message, now), _NOTHING
        mail = self.store.mail(message.account, message.user)
        if not mail and fits(reply.content):
            return reply.render(message, now), _NOTHING
        handed = mailbox.with_mail(reply.content, mail, terms.split, terms.pickup, terms.lang)
        return Text(handed.text).render(message, now), handed

    def _letters(self, run: Run, reply: Reply) -> list[Mail]:
        if run.message.accepts_reply:
            return mailbox.letter(run.message, reply, int(self.clock()))
        if not isinstance(reply, Success):
            fields = {"d": run.push.name, "user": run.push.user, "type": run.message.kind, "reply": reply.kind}
            _log.warning("dropped", extra={"code": "WX-RUN-06", "fields": fields})
        return []

    def close_run(self, run: Run) -> None:
        """Nobody runs it here any more: who waits for it asks the store."""
        with self.lock:
            if self.runs.get(run.key) is run:
                del self.runs[run.key]
            run.done = True
            visits = list(run.visits)
        for visit in visits:
            if visit.bell is not None:
                visit.bell.ring()

    # What a delivery is given.

    def _duplicate(self, run: Run, visit: Visit) -> Given:
        visit.attempt = ladder.attempt(2, visit.age)
        if self._waiting.has_left(visit):
            return self._waiting.be_silent(run, visit)
        body = self.store.fetch(run.key) or SUCCESS
        self.note(run, visit, "duplicate", ("duplicates",))
        return self.given(run, visit, body, "duplicate")

    def given(self, run: Run, visit: Visit, body: bytes, result: str, answer: Answer | None = None) -> Given:
        """What *visit* is given; *answer* where this process made it."""
        seconds = time.monotonic() - visit.arrived
        if answer is None:
            kind = _KIND.search(body)
            reply = kind[1].decode() if kind is not None else ""
            return Given(body, False, run.push.name, visit.attempt, result, reply, "", "", seconds)
        code = "WX-HND-05" if answer.result == "error" else ""
        ran = answer.ms / 1000
        return Given(body, False, run.push.name, visit.attempt, result, answer.reply, answer.rule, code, seconds, ran)

    def note(self, run: Run, visit: Visit, result: str, counts: tuple[str, ...] = ()) -> None:
        """Add a delivery to the list of its message's."""
        took = time.monotonic() - visit.arrived
        self.store.attempt(run.key, f"{visit.at:.3f} {took:.3f} {result}", counts)

    def busy_body(self, message: Message, rule: Rule | None) -> bytes:
        """The busy text, where the user can see it."""
        if not message.accepts_reply:
            return SUCCESS
        return Text((rule.busy if rule is not None else "") or self.terms.busy).render(message, int(self.clock()))

    def terms_text(self, key: str) -> Text:
        return Text(say(key, self.terms.lang))


_NOTHING = mailbox.Handed()
_KIND = re.compile(rb"<MsgType><!\[CDATA\[(\w+)")


def _result(outcome: routing.Outcome, body: bytes) -> str:
    if outcome.error is not None:
        return "error"
    return "success" if body == SUCCESS else "replied"
