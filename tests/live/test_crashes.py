"""A process killed at one commit after another; ``make soak`` has all of them."""

from __future__ import annotations

import concurrent.futures
import unittest

from tests.live.crashing import AFTER, BEFORE, Story, tell

SCALE = 0.15
# A claim's row, a state, a delivery counted, the busy text, an answer, mail put and taken: here and there in a story.
POINTS = ((1, 2, AFTER), (1, 5, BEFORE), (2, 8, AFTER), (2, 11, BEFORE), (3, 14, AFTER), (3, 17, BEFORE))


class Crashes(unittest.TestCase):
    def test_who_dies_at_a_commit_costs_no_answer_and_gives_none_twice(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            told = pool.map(lambda point: (point, tell(Story(point[0]), *point[1:], SCALE)), POINTS)
            for point, reckoning in told:
                with self.subTest(point=point):
                    self.assertTrue(reckoning.killed)
                    if not reckoning.late:
                        self.assertTrue(reckoning.fine, reckoning)
