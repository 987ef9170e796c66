"""The store in memory."""

from __future__ import annotations

from weixin.store.base import ANSWERS_KEPT
from weixin.store.memory import SWEEP_EVERY, Memory

from .contract import Clock, Contract, answer, push


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


del Contract
