"""A user's state: locked, or put together afterwards."""

from __future__ import annotations

import threading
import unittest
from typing import Any

from weixin.delivery.state import Access, State, StateError
from weixin.store.memory import Memory


class States(unittest.TestCase):
    def setUp(self) -> None:
        self.store = Memory()

    def open(self, exclusive: bool = True, user: str = "oUSER", wait: float = 5.0) -> Access:
        return Access(self.store, "gh_1", user, wait, exclusive=exclusive)

    def kept(self, user: str = "oUSER") -> dict[str, Any]:
        access = self.open(user=user)
        try:
            return dict(access())
        finally:
            access.close(False)

    def test_what_is_kept_is_there_again_and_deep_changes_count(self) -> None:
        access = self.open()
        access().update(list=[1], text="你好", none=None)
        access.close(True)
        access = self.open()
        access()["list"].append({"two": 2})
        del access()["none"]
        access.close(True)
        self.assertEqual(self.kept(), {"list": [1, {"two": 2}], "text": "你好"})
        self.assertEqual(self.kept("oOTHER"), {})

    def test_what_is_not_kept_is_not(self) -> None:
        access = self.open()
        access()["a"] = 1
        access.close(False)
        self.assertEqual(self.kept(), {})

    def test_nothing_is_read_or_locked_for_who_does_not_ask(self) -> None:
        asked: list[str] = []

        class Asked(Memory):
            def lock(self, name: bytes, timeout: float) -> bool:
                asked.append("lock")
                return super().lock(name, timeout)

            def state(self, account: str, user: str) -> dict[str, str]:
                asked.append("state")
                return super().state(account, user)

        self.store = Asked()
        self.open().close(True)
        self.open().give_up()
        self.assertEqual(asked, [])
        one = self.open()
        one()
        one.close(True)
        self.assertEqual(asked, ["lock", "state"])

    def test_what_is_not_json_names_itself(self) -> None:
        for value in ({1, 2}, float("nan"), object(), b"bytes"):
            access = self.open()
            access()["bad"] = value
            with self.assertRaisesRegex(StateError, r"state\['bad'\]"):
                access.close(True)
        for name in ("", "x" * 201, "half \ud83d", 7):
            access = self.open()
            access()[name] = 1  # type: ignore[index]
            with self.assertRaisesRegex(StateError, "a name is a str"):
                access.close(True)
        access = self.open()
        access()["large"] = "x" * 70_000
        with self.assertRaisesRegex(StateError, "large"):
            access.close(True)
        self.assertEqual(self.kept(), {})

    def test_two_plain_runs_count_to_two_each(self) -> None:
        def count() -> None:
            for _ in range(50):
                access = self.open()
                state = access()
                state["n"] = state.get("n", 0) + 1
                access.close(True)

        threads = [threading.Thread(target=count) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual(self.kept(), {"n": 400})

    def test_a_slow_run_blocks_nobody_and_keeps_what_it_changed(self) -> None:
        slow = self.open(exclusive=False)
        slow()["slow"] = 1
        quick = self.open()
        quick()["quick"] = 2
        quick.close(True)
        slow.close(True)
        self.assertEqual(self.kept(), {"slow": 1, "quick": 2})

    def test_with_state_a_slow_run_counts_exactly(self) -> None:
        slow = self.open(exclusive=False)
        state: State = slow()
        state["before"] = True
        quick = self.open()
        quick()["n"] = 1
        quick.close(True)
        with state:
            state["n"] = state.get("n", 0) + 1
        self.assertEqual(self.kept(), {"n": 2, "before": True})
        with self.assertRaises(ZeroDivisionError), state:
            state["n"] = 1 / 0
        slow.close(True)
        self.assertEqual(self.kept()["n"], 2)

    def test_in_a_plain_run_with_state_commits_and_keeps_the_lock(self) -> None:
        plain = self.open()
        with plain() as state:
            state["n"] = 1
        other = self.open(wait=0.01)
        with self.assertLogs("wxserve.delivery") as logged:
            other()
        self.assertEqual(logged.records[0].__dict__["code"], "WX-STA-02")
        other.close(False)
        plain.close(True)

    def test_with_state_inside_with_state_lets_go_at_the_end_of_the_outer_one(self) -> None:
        slow = self.open(exclusive=False)
        state: State = slow()
        with state:
            with state:
                state["n"] = 1
            self.assertFalse(self.store.lock(state._lock, 0))
        self.assertTrue(self.store.lock(state._lock, 0))
        self.store.unlock(state._lock)
        slow.close(True)

    def test_a_state_that_cannot_be_read_is_not_locked_for_ever(self) -> None:
        self.store.change("gh_1", "oUSER", {"n": "no JSON"})
        with self.assertRaises(ValueError):
            self.open()()
        self.store.change("gh_1", "oUSER", {"n": "1"})
        self.assertTrue(self.open(wait=0.01)()._locked)

    def test_what_cannot_be_kept_inside_with_state_leaves_it_unlocked(self) -> None:
        state: State = self.open(exclusive=False)()
        with self.assertRaises(StateError), state:
            state["n"] = object()
        self.assertTrue(self.store.lock(state._lock, 0))

    def test_who_cannot_wait_goes_on_and_loses_nothing(self) -> None:
        stuck = self.open()
        stuck()["stuck"] = 1
        late = self.open(wait=0.01)
        with self.assertLogs("wxserve.delivery"):
            late()["late"] = 2
        late.close(True)
        stuck.close(True)
        self.assertEqual(self.kept(), {"late": 2, "stuck": 1})
