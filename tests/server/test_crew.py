"""One leader at a time, whoever takes the baton when."""

from __future__ import annotations

import threading
import time
import unittest

from tests.server.running import PATIENCE
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


if __name__ == "__main__":
    unittest.main()
