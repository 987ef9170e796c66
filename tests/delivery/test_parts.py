"""The small parts: which delivery, which message, how much time, whose turn."""

from __future__ import annotations

import threading
import time
import unittest
from collections.abc import Callable

from tests.delivery.platform import message
from weixin.delivery import deadline
from weixin.delivery.bell import Bell
from weixin.delivery.counts import Counts
from weixin.delivery.identity import key_of, push_of
from weixin.delivery.ladder import Pace, attempt
from weixin.delivery.pool import LINE, SHARES, Pool
from weixin.delivery.terms import shown


class Attempts(unittest.TestCase):
    def test_the_larger_of_what_was_seen_and_what_the_age_says(self) -> None:
        for seen, age, expected in (
            (1, 0, 1), (1, 1, 1), (1, 4, 2), (1, 6, 2), (1, 9, 3), (1, 15, 3), (2, 0, 2), (3, 0, 3), (2, 10, 3),
            (4, 0, 4), (1, -5, 1), (1, 61, 1), (1, 10**9, 1), (2, 10**9, 2),
        ):  # fmt: skip
            self.assertEqual(attempt(seen, age), expected, (seen, age))


class Identity(unittest.TestCase):
    def test_what_makes_two_messages_two(self) -> None:
        def event(**fields: str) -> bytes:
            return key_of(message(**{"MsgType": "event", "Event": "CLICK", "EventKey": "K", **fields}))

        keys = [
            key_of(message(number=1)), key_of(message(number=2)), key_of(message(number=1, user="oOTHER")),
            event(), event(EventKey="L"), event(Event="VIEW"), event(CreateTime="1790000001"), event(FromUserName="oX"),
            event(ToUserName="gh_2"), event(Event="TEMPLATESENDJOBFINISH", MsgID="7"),
        ]  # fmt: skip
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual({len(key) for key in keys}, {16})

    def test_a_delivery_again_is_the_same_whatever_else_changed(self) -> None:
        self.assertEqual(key_of(message("a", number=1)), key_of(message("b", number=1)))
        self.assertEqual(
            key_of(message(MsgType="event", Event="CLICK", EventKey="K")),
            key_of(message(MsgType="event", Event="click", EventKey="K")),
        )

    def test_as_much_of_a_text_is_kept_as_may_be(self) -> None:
        for content, expected in (("none", ""), ("short", "字" * 20 + "…"), ("full", "字" * 30)):
            self.assertEqual(push_of(message("字" * 30), 0.0, content).text, expected)
            self.assertEqual(shown("短", content), "" if content == "none" else "短")


class Deadlines(unittest.TestCase):
    def test_what_the_ladder_leaves_and_what_a_budget_says(self) -> None:
        for which, expected in ((1, 14.5), (2, 9.5), (3, 4.5), (4, 4.5)):
            self.assertAlmostEqual(deadline.of(time.monotonic(), None, which, Pace()).left(), expected, delta=1)
        self.assertAlmostEqual(deadline.of(time.monotonic(), 12.0, 3, Pace()).left(), 12.0, delta=1)
        self.assertEqual(deadline.Deadline(-1).left(), 0.0)


class Bells(unittest.TestCase):
    def test_a_ring_ends_a_wait_and_may_come_before_it_or_after_the_end(self) -> None:
        bell = Bell()
        threading.Timer(0.02, bell.ring).start()
        began = time.monotonic()
        bell.wait(10)
        bell.wait(10)
        self.assertLess(time.monotonic() - began, 5)
        bell.close()
        bell.ring()


class Pools(unittest.TestCase):
    def setUp(self) -> None:
        self.go, self.running, self.done = threading.Event(), threading.Semaphore(0), list[str]()

    def work(self, name: str) -> Callable[[], None]:
        def work() -> None:
            self.running.release()
            self.go.wait(10)
            self.done.append(name)

        return work

    def begun(self, times: int) -> None:
        for _ in range(times):
            self.assertTrue(self.running.acquire(timeout=10))

    def test_so_many_at_a_time_the_others_in_line_and_no_more(self) -> None:
        pool = Pool(2, "two")
        for name in ("a", "b"):
            self.assertFalse(pool.is_full(name))
            self.assertTrue(pool.submit(name, self.work(name)))
        self.begun(2)
        self.assertTrue(pool.is_full("c"))
        names = [str(number) for number in range(2 * LINE)]
        self.assertTrue(all(pool.submit(name, self.work(name)) for name in names))
        self.assertEqual(pool.waiting, 2 * LINE)
        self.assertFalse(pool.submit("c", self.work("c")))
        self.go.set()
        self.begun(2 * LINE)
        pool.end()
        self.assertFalse(pool.submit("c", self.work("c")))
        self.assertLessEqual(sum(thread.name == "two" for thread in threading.enumerate()), 2)

    def test_a_thread_that_has_only_been_begun_counts_as_idle(self) -> None:
        pool = Pool(4, "begun")
        with pool._changed:  # what begins comes no further
            for number in range(6):
                self.assertTrue(pool.submit("flood", self.work(str(number))))
            self.assertEqual(sum(thread.name == "begun" for thread in threading.enumerate()), 2)
            self.assertFalse(pool.is_full("other"))
        self.begun(2)
        self.assertFalse(pool.is_full("other"))
        self.go.set()
        pool.end()

    def test_one_user_leaves_threads_and_room_to_the_others(self) -> None:
        pool = Pool(4 * SHARES)
        for _ in range(4):
            self.assertTrue(pool.submit("flood", self.work("flood")))
        self.begun(4)
        self.assertTrue(all(pool.submit("flood", self.work("flood")) for _ in range(4 * LINE)))
        self.assertFalse(pool.submit("flood", self.work("flood")))
        self.assertTrue(pool.is_full("flood"))
        self.assertFalse(pool.is_full("other"))
        self.assertTrue(pool.submit("other", self.work("other")))
        self.begun(1)
        self.assertFalse(self.running.acquire(blocking=False))
        self.go.set()
        self.begun(4 * LINE)
        pool.end()

    def test_users_take_turns(self) -> None:
        pool = Pool(1)
        pool.submit("first", self.work("first"))
        self.begun(1)
        for name in ("a", "a", "a", "b", "c"):
            self.assertTrue(pool.submit(name, self.work(name)))
        self.go.set()
        self.begun(5)
        pool.end()
        self.assertEqual(self.done[:5], ["first", "a", "b", "c", "a"])

    def test_work_that_fails_takes_nothing_with_it(self) -> None:
        pool = Pool(1)
        done = threading.Event()
        with self.assertLogs("wxserve.delivery"):
            pool.submit("a", lambda: 1 / 0)  # type: ignore[arg-type, return-value]
            pool.submit("a", done.set)
            self.assertTrue(done.wait(10))
        pool.end()


class Counting(unittest.TestCase):
    def test_where_no_content_is_kept_no_text_is_counted_by_its_words(self) -> None:
        for content, named in (("none", False), ("short", True), ("full", True)):
            names = Counts(content).of(message("我的密码"), "", "success", False)
            self.assertIn("unmatched", names)
            self.assertEqual("unmatched:我的密码" in names, named, content)

    def test_the_pick_up_word_that_fetched_an_answer_is_not_called_unmatched(self) -> None:
        names = Counts("short").of(message("继续"), "", "replied", False)
        self.assertEqual([name for name in names if name.startswith("unmatched")], [])

    def test_what_failed_before_any_rule_could_answer_is_not_called_unmatched(self) -> None:
        names = Counts("short").of(message("你好"), "", "error", False)
        self.assertEqual(names, ("messages", "type:text", "result:error", "errors"))
