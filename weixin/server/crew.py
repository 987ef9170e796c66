"""Leader and followers: many threads, one baton.

Whoever holds the baton leads: it waits for events and does the work of each on the spot, since handing a
request to another thread costs more than answering it. Slowness is the exception. While the leader is inside
an app the baton is *loose*: whoever watches may take it and pass it on to a follower, and the slow thread
becomes one when it returns. Nothing on the fast path takes a lock: putting a key into a dict and popping it
are single steps.

Knows nothing of sockets and requests; a request is a key here.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable

log = logging.getLogger("wxserve.server")

# After a failure of the loop itself, so that one that comes again and again does not fill disk and processor.
FAILURE_PAUSE = 0.1


def tell(event: str, error: Exception, **fields: object) -> None:
    """Write a line about a failure. Where there is no memory for that either, what has to be done next comes first:
    no thread may end by this, least of all with the baton.
    """
    try:
        log.error(event, exc_info=error, extra={"code": "", "fields": fields})
    except Exception:
        pass


class Crew:
    """Threads that take turns at `lead`.

    `lead()` returns True when it still holds the baton (the work is over), False when the baton was passed
    on. `on_pass(key)` is called by whoever takes the baton from the holder of `key`, before anybody else
    leads.
    """

    def __init__(self, size: int, lead: Callable[[], bool], on_pass: Callable[[Any], None]) -> None:
        self.size = size
        self.loose: dict[Any, bool] = {}  # at most one key: the leader's, while it is inside an app
        self.wary = False  # slow requests come in a row: let go of the baton before each
        self.ended = False
        self._lead = lead
        self._on_pass = on_pass
        self._baton = threading.Lock()
        self._holder = 0  # the thread that took the baton last; 0 when it was passed on
        self._lock = threading.Lock()  # for the counts and for passing on; never taken while all is quick
        self._idle = 0
        self._threads: list[threading.Thread] = []
        self._complained = False

    def start(self) -> None:
        """Start the first thread; it leads. Raises: RuntimeError when the system refuses even one."""
        self._start_thread()

    def pass_on(self) -> bool:
        """Take the baton from a leader inside an app and give it to a follower. False: no baton was loose."""
        with self._lock:
            try:
                key, _ = self.loose.popitem()
            except KeyError:
                return False
            hire = self._hand_over(key)
        self._hire(hire)
        return True

    def let_go(self, key: Any) -> None:
        """The same for one leader, if it is `key`'s holder who still has the baton."""
        with self._lock:
            if self.loose.pop(key, None) is None:
                return
            hire = self._hand_over(key)
        self._hire(hire)

    def take_back(self, key: Any) -> bool:
        """The leader leaves the app: whether it still has the baton. If not, `on_pass` is over by now."""
        if self.loose.pop(key, None) is not None:
            return True
        with self._lock:
            return False

    def try_lead(self) -> bool:
        """Take the baton when nobody has it, because every thread is busy; `stop_leading` gives it back."""
        return self._baton.acquire(False)

    def stop_leading(self) -> None:
        self._baton.release()

    def end(self) -> None:
        """Let every thread return as soon as it is free."""
        self.ended = True

    def join(self, timeout: float) -> bool:
        """Wait for the threads, `timeout` seconds for all together; whether all have returned."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _hand_over(self, key: Any) -> bool:
        """Release the baton of `key`'s holder, with the lock held; whether a thread is wanted that takes it."""
        self._holder = 0
        try:
            self._on_pass(key)
            return self._idle == 0 and len(self._threads) < self.size and not self.ended
        finally:
            self._baton.release()

    def _hire(self, wanted: bool) -> None:
        if wanted:
            try:
                self._start_thread()
            except (RuntimeError, MemoryError):
                # The first thread that comes free takes the baton; until then requests wait.
                if not self._complained:
                    self._complained = True
                    fields = {"threads": len(self._threads), "wanted": self.size}
                    log.warning("no-thread", extra={"code": "", "fields": fields})

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"wxserve-{len(self._threads) + 1}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            self._baton.acquire()
            self._holder = threading.get_ident()
            with self._lock:
                self._idle -= 1
            if self.ended or self._take_turn():
                self._baton.release()
            if self.ended:
                return

    def _take_turn(self) -> bool:
        try:
            return self._lead()
        except Exception as error:
            # A defect of ours, or a system out of everything: the others go on, at a bearable pace.
            tell("leader", error)
            time.sleep(FAILURE_PAUSE)
            with self._lock:
                if self._holder != threading.get_ident():
                    return False
                self.loose.clear()
                return True
