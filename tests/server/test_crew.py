"""One leader at a time, whoever takes the baton when."""

from __future__ import annotations

import logging
import threading
import time
import unittest
from collections.abc import Callable

from tests.server.running import PATIENCE, wait_for
from weixin.server.crew import Crew


class Errands:
    """Work for a crew: every turn is a key of its own, loose for a moment."""

    def __init__(self, crew_size: int) -> None:
        self.crew = Crew(crew_size, self.lead, self.on_pass)
        self.turns = 0
        self.leading = 0
        self.most_leading = 0
        self.passed: list[int] = []
        self.lost: list[int] = []
        self.not_passed_yet: list[int] = []

    def lead(self) -> bool:
        while not self.crew.ended:
            self.leading += 1
            self.most_leading = max(self.most_leading, self.leading)
            self.turns += 1
            key = self.turns
            self.leading -= 1
            self.crew.loose[key] = True
            # One in three is surely taken, however busy the machine is; for the others it is a race.
            while key % 3 == 0 and key in self.crew.loose and not self.crew.ended:
                time.sleep(0)
            if not self.crew.take_back(key):
                self.lost.append(key)
                if key not in self.passed:
                    self.not_passed_yet.append(key)
                return False
        return True

    def on_pass(self, key: int) -> None:
        time.sleep(0)
        self.passed.append(key)


class Baton(unittest.TestCase):
    def test_has_one_holder_however_often_it_is_taken(self) -> None:
        errands = Errands(4)
        errands.crew.start()
        deadline = time.monotonic() + PATIENCE
        taken = 0
        while taken < 30 and time.monotonic() < deadline:
            if errands.crew.pass_on():
                taken += 1
            else:
                time.sleep(0)  # or the leader hardly gets the interpreter
        errands.crew.end()
        self.assertTrue(errands.crew.join(PATIENCE))
        self.assertEqual(taken, 30)
        self.assertEqual(errands.most_leading, 1)
        self.assertEqual(errands.passed, sorted(errands.lost))
        # Whoever lost the baton knows that nobody touches its key any more.
        self.assertEqual(errands.not_passed_yet, [])

    def test_threads_start_when_they_are_needed_and_no_more_than_allowed(self) -> None:
        hold = threading.Event()
        entered = threading.Semaphore(0)

        def lead() -> bool:
            if crew.ended:
                return True
            key = threading.get_ident()
            crew.loose[key] = True
            entered.release()
            hold.wait(PATIENCE)
            return crew.take_back(key)

        crew = Crew(3, lead, lambda _key: None)
        crew.start()
        for _ in range(2):
            self.assertTrue(entered.acquire(timeout=PATIENCE))
            self.assertTrue(crew.pass_on())
        self.assertTrue(entered.acquire(timeout=PATIENCE))
        self.assertTrue(crew.pass_on())
        self.assertFalse(crew.pass_on())
        self.assertEqual(len(crew._threads), 3)
        self.assertTrue(crew.try_lead())
        crew.stop_leading()
        crew.end()
        hold.set()
        self.assertTrue(crew.join(PATIENCE))

    def test_those_who_are_stuck_are_waited_for_together(self) -> None:
        hold = threading.Event()
        entered = threading.Semaphore(0)

        def lead() -> bool:
            if crew.ended:
                return True
            key = threading.get_ident()
            crew.loose[key] = True
            entered.release()
            hold.wait(PATIENCE)
            return crew.take_back(key)

        crew = Crew(8, lead, lambda _key: None)
        crew.start()
        for _ in range(8):
            self.assertTrue(entered.acquire(timeout=PATIENCE))
            self.assertTrue(crew.pass_on())
        crew.end()
        begun = time.monotonic()
        self.assertFalse(crew.join(0.2))
        seconds = time.monotonic() - begun
        hold.set()
        self.assertTrue(crew.join(PATIENCE))
        self.assertGreaterEqual(seconds, 0.2)
        self.assertLess(seconds, 1)

    def test_a_failure_of_the_loop_does_not_stop_it(self) -> None:
        turns = 0
        done = threading.Event()

        def lead() -> bool:
            nonlocal turns
            turns += 1
            if turns == 1:
                raise ValueError
            done.set()
            crew.end()
            return True

        crew = Crew(2, lead, lambda _key: None)
        with self.assertLogs("wxserve.server", "ERROR"):
            crew.start()
            self.assertTrue(done.wait(PATIENCE))
        self.assertTrue(crew.join(PATIENCE))

    def test_a_failure_that_cannot_even_be_told_does_not_stop_it_either(self) -> None:
        """As where memory has run out: a thread that died with the baton would end all leading."""
        turns = 0

        def lead() -> bool:
            nonlocal turns
            turns += 1
            if turns == 1:
                raise MemoryError
            crew.end()
            return True

        def refuse(_record: logging.LogRecord) -> bool:
            raise MemoryError

        log = logging.getLogger("wxserve.server")
        log.addFilter(refuse)
        self.addCleanup(log.removeFilter, refuse)
        crew = Crew(1, lead, lambda _key: None)
        crew.start()
        self.assertTrue(crew.join(PATIENCE))
        self.assertEqual(turns, 2)

    def test_a_leader_who_fails_when_the_baton_was_passed_on_does_not_give_it_away_again(self) -> None:
        entered = threading.Semaphore(0)
        leading: list[int] = []

        def lead() -> bool:
            if crew.ended:
                return True
            key = threading.get_ident()
            first = not leading
            leading.append(key)
            crew.loose[key] = True
            entered.release()
            if first:
                wait_for(lambda: key not in crew.loose)
                raise ValueError
            wait_for(lambda: crew.ended)
            return crew.take_back(key)

        crew = Crew(3, lead, lambda _key: None)
        with self.assertLogs("wxserve.server", "ERROR") as logs:
            crew.start()
            self.assertTrue(entered.acquire(timeout=PATIENCE))
            self.assertTrue(crew.pass_on())
            self.assertTrue(entered.acquire(timeout=PATIENCE))
            wait_for(lambda: crew._idle == 1)
            self.assertFalse(crew.try_lead())
            crew.end()
            self.assertTrue(crew.join(PATIENCE))
        self.assertEqual(len(logs.records), 1)
        self.assertEqual(len(leading), 2)

    def test_the_baton_goes_on_where_its_holder_could_not_be_put_aside(self) -> None:
        ways: tuple[Callable[[Crew], object], ...] = (Crew.pass_on, lambda crew: crew.let_go(1))
        for pass_on in ways:
            with self.subTest(pass_on):
                self.fail_to_put_aside(pass_on)

    def fail_to_put_aside(self, pass_on: Callable[[Crew], object]) -> None:
        entered, hold = threading.Event(), threading.Event()

        def lead() -> bool:
            if crew.ended:
                return True
            crew.loose[1] = True
            entered.set()
            hold.wait(PATIENCE)
            return crew.take_back(1)

        def fail(_key: int) -> None:
            raise OSError

        crew = Crew(2, lead, fail)
        crew.start()
        self.assertTrue(entered.wait(PATIENCE))
        with self.assertRaises(OSError):
            pass_on(crew)
        is_free = crew.try_lead()
        if is_free:
            crew.stop_leading()
        crew.end()
        hold.set()
        self.assertTrue(crew.join(PATIENCE))
        self.assertTrue(is_free)


if __name__ == "__main__":
    unittest.main()
