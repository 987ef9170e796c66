"""Turns that are taken a moment later: none is lost, and who ends them waits for no more than the one that is on."""

from __future__ import annotations

import threading
import unittest

from weixin.store.late import Turns

SECONDS = 10.0
FOREVER = 3600.0


class TurnsTest(unittest.TestCase):
    def test_what_comes_during_a_turn_has_another(self) -> None:
        during, again, turns = threading.Event(), threading.Event(), [0]

        def turn() -> float:
            turns[0] += 1
            if turns[0] == 1:
                late.wake()
                during.set()
            else:
                again.set()
            return FOREVER

        late = Turns("late", turn, 0.001)
        late.wake()
        self.assertTrue(during.wait(SECONDS))
        self.assertTrue(again.wait(SECONDS))
        late.end()

    def test_a_thread_that_cannot_begin_just_now_begins_with_the_next_need_for_it(self) -> None:
        turned = threading.Event()

        def turn() -> float:
            turned.set()
            return FOREVER

        late = Turns("late", turn, 0.001)
        size = threading.stack_size(1 << 46)  # no system has so much
        try:
            late.wake()
        finally:
            threading.stack_size(size)
        self.assertTrue(late.idle)
        late.wake()
        self.assertTrue(turned.wait(SECONDS))
        late.end()

    def test_an_end_just_before_a_turn_ends_them(self) -> None:
        late = Turns("late", lambda: FOREVER, 0.001)
        ended = late._ended

        class JustMissed(threading.Event):
            """Nobody has ended the turns yet, when it is asked; a moment later somebody has."""

            def wait(self, timeout: float | None = None) -> bool:
                late._ended = ended
                threading.Thread(target=late.end).start()
                self.test.assertTrue(ended.wait(SECONDS) and late._woken.wait(SECONDS))
                return False

            test = self

        late._ended = JustMissed()
        late.wake()
        thread = late._thread
        assert thread is not None
        thread.join(SECONDS)
        self.assertFalse(thread.is_alive())
