"""Looks after what nobody waits for, and what one cannot wait for: a background thread of every serving process.

Every glance: messages that another process runs, and pick-up words that wait for an answer on its way. Every round:
messages whose fifteen seconds are over, runs without end, and whether we were silent too often.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import TYPE_CHECKING, Callable

from ..routing.index import SEEN, plain, whole
from ..routing.run import Outcome
from ..store.base import ORPHAN_AFTER, Answer, Overdue, Status, Verdict
from ..store.late import Turns
from ..wire.errors import MessageRefused
from ..wire.messages import Message, parse
from ..wire.replies import SUCCESS, Success, Text
from . import mailbox
from .run import Run

if TYPE_CHECKING:
    from .once import Desk

_log = logging.getLogger("wxserve.delivery")


class Keeper:
    """The keeper of one desk."""

    def __init__(self, desk: Desk, replace: Callable[[], None] | None) -> None:
        self._desk = desk
        self._replace = replace
        self._turns = Turns("keeper", self._turn, desk.terms.pace.glance)
        self._watched: dict[bytes, Run] = {}
        self._following: dict[bytes, Run] = {}
        #: Runs that were given up and have not ended, by the thread they hold.
        self._stuck: dict[int, Run] = {}
        #: Runs on a delivery's own thread whose silence is counted already, and when it was.
        self._counted: dict[Run, float] = {}
        self._round_at = 0.0
        self._word = whole(plain(desk.terms.pickup))
        #: Silence must stop: nothing runs on a delivery's own thread, so that every delivery can be answered in time.
        self.quiet = False

    def start(self) -> None:
        self._turns.wake()

    def end(self) -> None:
        self._turns.end()

    def _turn(self) -> float:
        pace = self._desk.terms.pace
        for run in list(self._watched.values()):
            self._glance(run)
        for run in list(self._following.values()):
            self._hand_out(run)
        now = time.monotonic()
        if now - self._round_at >= pace.round:
            self._round_at = now
            self._round(now)
        return pace.glance if self._watched or self._following else pace.round

    def _round(self, now: float) -> None:
        self._count_silence(now)
        self._measure_silence()
        for overdue in self._desk.store.overdue(self._desk.clock()):
            self._see_to(overdue)
        for run in list(self._desk.runs.values()):
            if run.thread and now - run.began > self._desk.terms.run_max:
                self._give_up(run)
        self._stuck = {thread: run for thread, run in self._stuck.items() if run.thread == thread}
        self._replace_if_stuck()

    # Messages that another process runs.

    def watch(self, run: Run) -> None:
        """Look after *run*, which another process has, as long as a delivery waits for it."""
        self._watched[run.key] = run
        self._turns.wake()

    def _glance(self, run: Run) -> None:
        """Ask for the message again: is it answered, or has its process died?"""
        desk = self._desk
        if not run.visits:
            del self._watched[run.key]
            desk.close_run(run)
            return
        claim = desk.store.claim(run.push)
        if claim.status is Status.TAKEN:
            return
        del self._watched[run.key]
        if claim.status is Status.ANSWERED:
            desk.close_run(run)
            return
        run.claim = claim
        with desk.given_back_on_failure(run):
            run.message.attempt = max((visit.attempt for visit in list(run.visits)), default=1)
            if desk.prepare(run) and not desk.run_on_pool(run, run.message.attempt):
                desk.give_back(run)

    # The pick-up word.

    def follow(self, run: Run) -> bool:
        """Let *run* wait for an answer that is on its way to its user's mailbox, or give what is there.

        False where its message is not the pick-up word, or nothing is there and nothing comes: an ordinary text.
        """
        if not self._is_word(run.message):
            return False
        expected, waits = self._look(run.message)
        if waits:
            if self._deliver_mail(run):
                return True
        elif not expected:
            return False
        run.fetches = True
        self._following[run.key] = run
        self._turns.wake()
        return True

    def _look(self, message: Message) -> tuple[bool, bool]:
        """Whether an answer is on its way to the user's mailbox, and whether there is one.

        In this order: one that arrives between the two looks is seen by the second.
        """
        desk = self._desk
        expected = desk.store.expecting(message.account, message.user, desk.clock())
        return expected, bool(desk.store.mail(message.account, message.user))

    def _is_word(self, message: Message) -> bool:
        return message.kind == "text" and len(message.text) <= SEEN and whole(plain(message.text)) == self._word

    def _hand_out(self, run: Run) -> None:
        """Is there mail now? Or will there be none?"""
        desk, message = self._desk, run.message
        if run.said or (not run.visits and desk.clock() >= run.push.at + ORPHAN_AFTER):
            # Busy was said, or its fifteen seconds are over and nobody waits.
            del self._following[run.key]
            desk.finish(run, Outcome(Success()), fetched=True)
            return
        expected, waits = self._look(message)
        if waits:
            if self._deliver_mail(run):
                del self._following[run.key]
        elif not expected:
            del self._following[run.key]
            run.fetches = False  # an ordinary text, then
            if not desk.run_on_pool(run, message.attempt):
                desk.finish(run, Outcome(desk.wording.crowded()), fetched=False)

    def _deliver_mail(self, run: Run) -> bool:
        """Answer the pick-up word with what waits; False where another message took it first."""
        desk, message, terms = self._desk, run.message, self._desk.terms
        mail = desk.store.mail(message.account, message.user)
        if not mail:
            return False
        handed = mailbox.pick_up(mail, terms.split, terms.pickup, terms.lang)
        body = handed.body or Text(handed.text).render(message, int(desk.clock()))
        outcome = Outcome(Text(terms.pickup))
        return desk.finish_with(run, outcome, body, handed, picked_up=True) is not Verdict.MAIL_GONE

    # Messages whose time is over.

    def _see_to(self, overdue: Overdue) -> None:
        desk, push = self._desk, overdue.push
        try:
            message = Message(parse(push.xml), raw=push.xml, xml=push.xml)
        except MessageRefused:
            message = None
        if overdue.body is not None:
            asked = mailbox.question(message) if message is not None else push.text
            takes = message is None or message.accepts_reply
            letters = mailbox.letter_again(asked, overdue.body, push.at) if takes else []
            busy = desk.wording.busy(message, None) if message is not None else SUCCESS
            desk.store.settle(push.key, busy if letters else overdue.body, letters)
            return
        if message is None:
            claim = desk.store.claim(push)
            if claim.status is Status.MINE:  # written by a program that read more than this one does
                desk.store.finish(claim, Answer(b"", True, result="error"))
            return
        with desk.lock:
            if push.key in desk.runs:
                return
            run = desk.runs[push.key] = Run(desk, push, message)
        self._adopt(run)

    def _adopt(self, run: Run) -> None:
        """Run a message whose process died, into the mailbox."""
        desk = self._desk
        with desk.given_back_on_failure(run):
            claim = desk.store.claim(run.push)
            if claim.status is not Status.MINE:
                desk.close_run(run)
                return
            run.claim = claim
            if self._is_word(run.message):  # what waits for its user, waits on
                run.fetches = True
                desk.finish(run, Outcome(Success()), fetched=True)
                return
            claim.body = desk.store.say_busy(run.push, desk.wording.busy(run.message, None))
            desk.prepare(run)

    # Runs without end.

    def _give_up(self, run: Run) -> None:
        """Forget what never ends: say once where it stands, and let its message and its user's state go."""
        desk = self._desk
        thread = run.thread
        if run.claim is None or not thread:
            return
        self._stuck[thread] = run
        frame = sys._current_frames().get(thread)
        stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
        fields = {"d": run.push.name, "user": run.push.user, "seconds": round(time.monotonic() - run.began)}
        _log.error("stuck\n%s", stack, extra={"code": "WX-RUN-03", "fields": fields})
        if run.access is not None:
            run.access.give_up()
        desk.end_unanswered(run)

    def _replace_if_stuck(self) -> None:
        """A process with half its threads stuck is no good any more."""
        terms = self._desk.terms
        pooled = sum(run.on_pool for run in self._stuck.values())
        if self._replace is not None and (
            pooled * 2 >= terms.pool or (len(self._stuck) - pooled) * 2 >= terms.threads
        ):
            fields = {"threads": len(self._stuck)}
            _log.error("replaced", extra={"code": "WX-RUN-04", "fields": fields})
            replace, self._replace = self._replace, None
            replace()

    # Silence.

    def too_silent(self) -> bool:
        """Whether one more silence is one too many, in the platform's eyes."""
        terms = self._desk.terms
        return self._desk.store.silences(self._desk.clock() - terms.pace.window) >= terms.silent_max

    def _count_silence(self, now: float) -> None:
        """Count deliveries that are timing out inside a handler, which cannot say so before it ends."""
        desk, hangup = self._desk, self._desk.terms.pace.hangup
        for run in list(desk.runs.values()):
            if run.thread and not run.on_pool and now - run.began >= hangup and run not in self._counted:
                self._counted[run] = now
                desk.store.silent(desk.clock())
        kept = desk.terms.run_max * 2
        self._counted = {run: at for run, at in self._counted.items() if run.thread or now - at < kept}

    def has_counted(self, run: Run) -> bool:
        """Whether the silence of the delivery that ran it is counted."""
        return run in self._counted

    def _measure_silence(self) -> None:
        quiet = self.too_silent()
        if quiet != self.quiet:
            self.quiet = quiet
            code = "WX-RUN-05" if quiet else ""
            fields = {"quiet": "on" if quiet else "off", "limit": self._desk.terms.silent_max}
            _log.log(logging.WARNING if quiet else logging.INFO, "silence", extra={"code": code, "fields": fields})
