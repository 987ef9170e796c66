"""A delivery that waits: for its message's answer, for its own time to be up, for its peer to hang up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..wire.replies import SUCCESS
from . import ladder
from .bell import Bell
from .run import Given, Run, Visit, result_of

if TYPE_CHECKING:
    from ..routing.rules import Rule
    from .once import Desk

# Seconds in which no peer leaves; and by which clocks differ, and whole seconds are rounded.
QUICK = 0.02
PROMPT = 2.0


class Waiting:
    """How the deliveries of a desk wait."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def wait(self, run: Run, visit: Visit, *, watched: bool = False, at_once: bool = False) -> Given | None:
        """Wait for *run*'s answer; None where it ended without one, and the delivery has to ask again.

        *watched*: another process has it. *at_once*: there is no point in waiting, the busy text can be said now.
        """
        desk = self._desk
        visit.bell = bell = Bell()
        with desk.lock:
            run.visits.append(visit)
        try:
            if watched:
                desk.keeper.watch(run)
            return self._wait(run, visit, bell, at_once)
        finally:
            with desk.lock:
                run.visits.remove(visit)
            bell.close()

    def _wait(self, run: Run, visit: Visit, bell: Bell, at_once: bool) -> Given | None:
        pace = self._desk.terms.pace
        asked = False
        while True:
            elapsed = time.monotonic() - visit.arrived
            if run.done and elapsed < pace.hangup:
                # Past the deadline too: if it comes too late after all, the next delivery brings the same.
                return self.be_silent(run, visit) if self.has_left(visit) else self._fetch(run, visit)
            at_once = at_once or run.said
            if not asked and (at_once or elapsed >= pace.deadline):
                asked = True
                # Past the hang-up nobody hears it, and what is said counts as delivered.
                if elapsed < pace.hangup and (at_once or self._must_speak(run, visit)):
                    return self.be_silent(run, visit) if self.has_left(visit) else self._say_busy(run, visit)
            if elapsed >= pace.hold:
                return self.be_silent(run, visit)
            until = pace.hold if asked else pace.deadline
            if self._hangs_up(visit, until - elapsed, -1 if run.done else bell.fileno()):
                return self.be_silent(run, visit)

    def _hangs_up(self, visit: Visit, seconds: float, fd: int) -> bool:
        """Whether the peer hangs up within so many seconds, and before *fd* is readable."""
        if visit.gone is not None:
            return visit.gone(seconds, fd)
        if fd >= 0 and visit.bell is not None:
            visit.bell.wait(seconds)
        elif seconds > 0:
            time.sleep(seconds)
        return False

    def is_in_time(self, run: Run, visit: Visit) -> bool:
        """Whether the delivery that did the work itself can still be answered.

        A peer does not leave within milliseconds: it is asked after only where more time has gone by, here or on the
        way, as in the queue before a server that was being restarted.
        """
        elapsed = run.ended - visit.arrived
        if elapsed < QUICK and -PROMPT < visit.at - (run.message.time + visit.age) < PROMPT:
            return True
        return elapsed < self._desk.terms.pace.deadline and not self.has_left(visit)

    def has_left(self, visit: Visit) -> bool:
        """Whether the peer has hung up already: what is written now would count as delivered, and reach nobody."""
        return self._hangs_up(visit, 0.0, -1)

    def too_late(self, run: Run, visit: Visit, *, kept: bool) -> Given | None:
        """The delivery whose own thread did the work is past its time; maybe its peer is still there."""
        pace = self._desk.terms.pace
        elapsed = time.monotonic() - visit.arrived
        if kept and elapsed < pace.hangup and not self.has_left(visit):
            return self._fetch(run, visit)
        return self.be_silent(run, visit)

    def _fetch(self, run: Run, visit: Visit) -> Given | None:
        desk = self._desk
        body = desk.store.fetch(run.key)
        if body is None:
            return None
        return self._hand_over(run, visit, body)

    def _hand_over(self, run: Run, visit: Visit, body: bytes) -> Given:
        result = "busy" if run.said else result_of(run.failed, body)
        return self._desk.hand_over(run, visit, body or SUCCESS, result, answer=None if run.said else run.answer)

    def _must_speak(self, run: Run, visit: Visit) -> bool:
        """Whether this delivery may not be silent."""
        desk = self._desk
        if visit.attempt >= ladder.DELIVERIES or run.said:
            return True
        rule = self._rule(run)
        if rule is not None and rule.budget is not None and rule.budget > desk.terms.pace.ladder:
            return True
        return desk.keeper.too_silent()

    def _rule(self, run: Run) -> Rule | None:
        """The slow rule that has the message: where it has got to none here, the one that it would get to.

        That is a guess, and none of the run's business: its budget is that of the rule it has got to.
        """
        desk = self._desk
        if run.rule is not None:
            return run.rule
        hits = desk.rules.candidates(run.message, desk.clock())
        return next((hit.rule for hit in hits if desk.is_slow(hit.rule)), None)

    def _say_busy(self, run: Run, visit: Visit) -> Given:
        desk = self._desk
        busy = desk.wording.busy(run.message, self._rule(run))
        body = desk.store.say_busy(run.push, busy)
        run.said = run.said or body == busy  # said a while ago, it has the time of then
        if not run.said:  # the answer came first
            return self._hand_over(run, visit, body)
        desk.note(run, visit, "busy", ("busy",))
        return desk.given(run, visit, body or SUCCESS, "busy")

    def be_silent(self, run: Run, visit: Visit) -> Given:
        """Say nothing: the platform hangs up and asks again, or it has hung up before."""
        desk = self._desk
        elapsed = time.monotonic() - visit.arrived
        timed_out = elapsed >= desk.terms.pace.deadline
        if timed_out and not (visit.bell is None and desk.keeper.has_counted(run)):
            desk.store.silent(desk.clock())
        result = "silent" if timed_out else "gone"
        desk.note(run, visit, result, ("timeouts",) if timed_out else ())
        return Given(b"", True, run.push.name, visit.attempt, result, elapsed)
