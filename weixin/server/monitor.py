"""The monitor: the thread that watches the others of a worker, and never runs an app.

It sees a leader stuck in an app and has the baton passed on, writes the access log, proves that the process
is alive, and keeps the time of draining. While no request comes it sleeps.
"""

from __future__ import annotations

import logging
import math
import select
import time
from typing import Callable

from .worker import Worker

log = logging.getLogger("wxserve.server")

# A leader in the same request for one to two ticks is slow. Passing the baton on costs about as much as a
# fast request, so it must be rare; and a fast request behind a slow one waits no longer than this.
TICK = 0.005
# After a slow request: twenty slow ones at once must not cost twenty ticks in a row, so for so many ticks
# every leader lets go of the baton before it runs the app.
WARY_TICKS = 4
# Without a request for so many ticks the monitor goes to sleep.
DOZE_TICKS = 40
# While it sleeps: how often it proves to be alive, and how late an access-log line may be.
BEAT = 1.0
# When the time of draining is over: for deliveries that wait in vain to be closed.
LAST_MOMENT = 0.3


class Monitor:
    """Runs a worker until it has drained. `beat()` is called about once a second."""

    def __init__(self, worker: Worker, beat: Callable[[], None] = lambda: None) -> None:
        self._worker = worker
        self._beat = beat
        self._turns = 0  # what the worker's count was a tick ago
        self._quiet = 0  # ticks without a request
        self._wary = 0  # ticks that wariness lasts
        self._drain_until = math.inf
        self._drain_last = False

    def drain(self, seconds: float, last: bool = False) -> None:
        """Begin to drain, or shorten the time for it. Safe in a signal handler: it only leaves word."""
        self._drain_last = self._drain_last or last
        self._drain_until = min(self._drain_until, time.monotonic() + seconds)
        self._worker.rouser.wake()

    def run(self, inbox: int = -1, on_inbox: Callable[[], bool] = lambda: False) -> None:
        """Start the worker's first thread and watch until it has drained, or its time is over.

        `on_inbox()` is called when the descriptor `inbox` is readable, until it returns False.

        Raises: RuntimeError when not even one thread starts.
        """
        worker = self._worker
        worker.crew.start()
        poll = select.poll()
        poll.register(worker.rouser.fd, select.POLLIN)
        if inbox >= 0:
            poll.register(inbox, select.POLLIN)
        next_beat = 0.0
        while not worker.done.is_set():
            now = time.monotonic()
            if now >= next_beat:
                next_beat = now + BEAT
                self._beat()
                self._write_log(last=False)
            if self._drain_until != math.inf and not worker.draining:
                worker.drain(self._drain_last)
            if worker.draining:
                worker.stand_in()
            if now >= self._drain_until:
                self._end_waiting()
                break
            for fd, _ in poll.poll(self._sleep(now, next_beat) * 1000):
                if fd == inbox:
                    if not on_inbox():
                        poll.unregister(inbox)
                else:
                    worker.rouser.clear()
                    worker.dozing = False
                    self._quiet = 0
            self._tick()
        self._write_log(last=True)

    def _sleep(self, now: float, next_beat: float) -> float:
        """How long to sleep."""
        worker = self._worker
        if self._quiet >= DOZE_TICKS:
            worker.dozing = True
            if worker.turns == self._turns:
                return max(0.0, min(next_beat, self._drain_until) - now)
            # A request began between the last look and the word that it should rouse us.
            worker.dozing = False
        return TICK

    def _tick(self) -> None:
        worker = self._worker
        crew, turns = worker.crew, worker.turns
        if turns != self._turns:
            self._turns = turns
            self._quiet = 0
        elif crew.loose and crew.pass_on():
            self._wary = WARY_TICKS
        else:
            self._quiet += 1
        crew.wary = self._wary > 0
        self._wary -= crew.wary

    def _end_waiting(self) -> None:
        self._worker.hurry()
        self._worker.done.wait(LAST_MOMENT)

    def _write_log(self, last: bool) -> None:
        access = self._worker.access
        if access is None:
            return
        try:
            access.flush(last)
        except Exception as error:
            # A full disk or a closed pipe at the writer's end costs lines, not the server.
            log.error("access-log", exc_info=error, extra={"code": "", "fields": {}})
