"""The store in memory."""

from __future__ import annotations

from unittest import mock

from weixin.store import memory
from weixin.store.base import ANSWERS_KEPT, COUNTS_KEPT, COUNTS_PER_HOUR
from weixin.store.memory import SWEEP_EVERY, Memory

from .contract import START, Clock, Contract, answer, push


class MemoryTest(Contract):
    def make(self, clock: Clock, **options: object) -> Memory:
        return Memory(clock=clock, **options)  # type: ignore[arg-type]

    def test_it_holds_the_ring_and_what_duplicates_may_ask_for(self) -> None:
        store = self.make(self.clock, keep=10)
        for number in range(4 * SWEEP_EVERY):
            self.clock.now += 1
            store.finish(store.claim(push(number)), answer())
        self.assertLess(len(store.deliveries(10_000)), ANSWERS_KEPT + 2 * SWEEP_EVERY)
        self.assertEqual(store.delivery("d0"), None)

    def test_what_was_said_goes_when_its_time_is_over_and_when_its_user_leaves(self) -> None:
        store = self.make(self.clock, keep=10_000)
        store.finish(store.claim(push("old", "oSTAYS")), answer(b"secret"))
        store.finish(store.claim(push("new", "oGONE")), answer(b"secret"))
        store.forget("oGONE")
        self.clock.now += ANSWERS_KEPT + 1
        for number in range(2 * SWEEP_EVERY):
            store.claim(push(number))
        kept = [store._messages[push(*whose).key] for whose in (("old", "oSTAYS"), ("new", "oGONE"))]
        self.assertNotIn("secret", str([(known.body, known.answer) for known in kept]))
        self.assertEqual(store.deliveries(1000)[-1].size, len(b"secret"))

    def test_it_does_not_grow_with_what_strangers_write(self) -> None:
        store = self.make(self.clock)
        store.finish(store.claim(push("x", "oFIRST")), answer(counts=("messages", "unmatched:first")))
        with mock.patch.object(memory, "MOST_VISITS", 1_000):
            for number in range(16 * SWEEP_EVERY):
                counts = ("messages", f"unmatched:{number}")
                store.finish(store.claim(push(number, f"o{number}")), answer(counts=counts))
        found = store.counts(0.0)
        self.assertLessEqual(len(found), 2 * COUNTS_PER_HOUR + 2 * SWEEP_EVERY)
        self.assertEqual(found["messages"], 16 * SWEEP_EVERY + 1)
        self.assertLessEqual(found["users"], 1_000 + SWEEP_EVERY)
        with mock.patch.object(memory, "MOST_COUNTS", 500):
            for number in range(SWEEP_EVERY):
                store.finish(store.claim(push(f"more {number}")), answer())
        self.assertLessEqual(len(store.counts(0.0)), 501)

    def test_what_is_a_month_old_is_not_counted_any_more(self) -> None:
        store = self.make(self.clock)
        store.finish(store.claim(push("x", "oFIRST")), answer(counts=("messages",)))
        self.clock.now += COUNTS_KEPT + 3601
        for number in range(2 * SWEEP_EVERY):
            store.finish(store.claim(push(number)), answer(counts=("messages",)))
        self.assertEqual(store.counts(0.0), {"messages": 2 * SWEEP_EVERY, "users": 1})

    def test_silences_of_a_clock_that_was_put_back_are_not_counted_for_hours(self) -> None:
        store = self.make(self.clock)
        store.silent(START + 7200)
        store.silent(START)
        self.assertEqual(store.silences(START - 300), 1)


del Contract
