"""Once, and in time: what the user reads, on which delivery, after how many runs."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import resource
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.delivery.platform import DEADLINE, PACE, SECOND, Case, Peer, message, text_of
from weixin.delivery import Desk
from weixin.delivery.identity import push_of
from weixin.delivery.state import State
from weixin.delivery.waiting import QUICK
from weixin.routing.marks import on
from weixin.store import Store, database
from weixin.store.base import Answer, Claim, Mail, Push, Status, Verdict
from weixin.store.memory import Memory
from weixin.store.sqlite import SQLite
from weixin.wire.replies import Image, News, Reply, Text


class Slow:
    """A handler that takes as many seconds as the text says, and counts its runs."""

    def __init__(self, **options: Any) -> None:
        self.runs: list[str] = []

        @on.text(**options) if options else on.text
        def slow(msg: Any) -> str:
            self.runs.append(msg.id)
            seconds = float(msg.text.split()[0])
            time.sleep(seconds * SECOND)
            return f"answer to {msg.user} {msg.text}"

        self.handler = slow


class Stalling(Memory):
    """A store that takes its time over an answer, in which the peer does something."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.meanwhile: Callable[[], None] | None = None
        self.before_busy: Callable[[], None] | None = None

    def say_busy(self, push: Push, body: bytes) -> bytes:
        before, self.before_busy = self.before_busy, None
        if before is not None:
            before()
        return super().say_busy(push, body)

    def finish(self, claim: Claim, answer: Answer) -> Verdict:
        verdict = super().finish(claim, answer)
        if answer.fetched:
            self._stall()
        return verdict

    def fetch(self, key: bytes) -> bytes | None:
        body = super().fetch(key)
        self._stall()
        return body

    def _stall(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
            time.sleep(2 * QUICK)


@on.error
def oops(error: BaseException) -> str:
    return f"oops {type(error).__name__}"


class Shared(Case):
    """What must hold with every store; run by the classes below."""

    def test_a_quick_answer_is_given_once_and_again_to_a_duplicate(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler)
        first = self.deliver(desk, message("0"))
        again = self.deliver(desk, message("0"))
        self.assertEqual(text_of(first.body), "answer to oUSER 0")
        self.assertEqual((again.body, again.result), (first.body, "duplicate"))
        self.assertEqual(slow.runs, ["1"])

    def test_slow_answers_come_on_the_second_and_on_the_third_delivery(self) -> None:
        slow = Slow()
        for first_time in (True, False):
            desk = self.desk(slow.handler)
            if not first_time:
                desk.slow.add("h.py:1")
            pushes = [message(f"{n}", number=f"{n}{first_time}") for n in (1, 7, 12)]
            seen = self.together(*(functools.partial(self.send, desk, push=push) for push in pushes))
            self.assertEqual([each.attempt for each in seen], [1, 2, 3])
            self.assertEqual([each.text for each in seen], [f"answer to oUSER {n}" for n in (1, 7, 12)])
        self.assertEqual(len(slow.runs), 6)

    def test_the_rule_that_was_slow_is_known_to_be_and_not_the_one_that_answered(self) -> None:
        @on.text(priority=1)
        def searches() -> None:
            time.sleep(2 * SECOND)

        desk = self.desk(searches, on.text(priority=2)(lambda: None), on.text(lambda: "nothing found"))
        self.assertEqual(self.send(desk, push=message()).text, "nothing found")
        self.assertEqual(desk.slow, {"h.py:1"})

    def test_too_slow_an_answer_is_fetched_with_the_pickup_word(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler)
        seen = self.send(desk, push=message("15.5"))
        self.assertEqual((seen.attempt, seen.text), (3, "busy"))
        self.assertGreater(seen.seconds, 10 + DEADLINE)
        # The run goes on: the word waits for it.
        taken = self.send(desk, push=message("继续。", number=2))
        self.assertEqual((taken.attempt, taken.text), (1, "answer to oUSER 15.5"))
        self.assertEqual(text_of(self.deliver(desk, message("继续。", number=2)).body), "answer to oUSER 15.5")
        self.assertEqual(slow.runs, ["1"])

    def test_it_also_comes_with_the_next_answer_labelled(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler)
        self.send(desk, push=message("17 讲个故事"))
        self.until(lambda: desk.store.mail("gh_1", "oUSER"))
        seen = self.send(desk, push=message("0", number=2))
        self.assertEqual(seen.text, "answer to oUSER 0\n\n【17 讲个故事】\nanswer to oUSER 17 讲个故事")
        self.assertEqual(self.send(desk, push=message("0", number=3)).text, "answer to oUSER 0")

    def test_two_deliveries_in_flight_get_the_same(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler)
        first, second = self.together(
            lambda: self.deliver(desk, message("2")),
            lambda: (time.sleep(SECOND), self.deliver(desk, message("2")))[1],
        )
        self.assertEqual(first.body, second.body)
        self.assertEqual(len(slow.runs), 1)

    def test_an_answer_nobody_fetched_goes_to_the_mailbox(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler)
        self.assertTrue(self.deliver(desk, message("6")).silent)
        (letter,) = self.until(lambda: desk.store.mail("gh_1", "oUSER"))
        self.assertEqual((letter.question, letter.text), ("6", "answer to oUSER 6"))
        self.assertEqual(text_of(self.deliver(desk, message("6")).body), "busy")
        self.assertEqual(self.send(desk, push=message("继续", number=2)).text, "answer to oUSER 6")

    def test_an_answer_longer_than_a_push_may_be_waits_too_and_keeps_no_other_from_it(self) -> None:
        slow, news = Slow(), News("t", "d" * 70_000, pic="https://p", url="https://u")
        desk = self.desk(slow.handler, on.text("long", priority=1)(lambda: news))
        nobody = Peer(0)
        self.addCleanup(nobody.close)
        for text, user in (("long", "oLONG"), ("0", "oUSER")):
            arrived = time.monotonic() - SECOND
            self.assertTrue(desk.answer(message(text, user), 0.0, arrived, nobody.gone).silent)
        for user in ("oLONG", "oUSER"):
            self.until(lambda user=user: desk.store.mail("gh_1", user))
        self.assertIn("d" * 70_000, self.deliver(desk, message("继续", "oLONG", 2)).body.decode())

    def test_a_long_answer_that_nobody_fetched_waits_before_its_rest(self) -> None:
        whole = "\n\n".join(f"第{number}段：" + "字" * 150 for number in range(7))
        desk = self.desk(on.text(lambda: whole))
        nobody = Peer(0)
        self.addCleanup(nobody.close)
        self.assertTrue(desk.answer(message(), 0.0, time.monotonic() - SECOND, nobody.gone).silent)
        self.until(lambda: len(desk.store.mail("gh_1", "oUSER")) == 2)
        parts = [self.send(desk, push=message("继续", number=number)).text or "" for number in (2, 3)]
        self.assertEqual("\n\n".join(part.split("\n\n（")[0] for part in parts), whole)

    def test_half_a_character_in_a_long_text_is_left_out(self) -> None:
        desk = self.desk(on.text(lambda: "好" * 600 + "\ud83d"))
        self.assertEqual(self.send(desk, push=message()).text, "好" * 600)

    def test_a_reply_that_cannot_be_written_is_its_handlers_failure(self) -> None:
        class Broken(Reply):
            def body(self, message: Any) -> str:
                raise OSError("no such template")

        def changed() -> Text:
            reply = Text("x")
            reply.content = None  # type: ignore[assignment]
            return reply

        for number, (make, raised) in enumerate(
            ((Broken, "OSError"), (Reply, "AssertionError"), (changed, "TypeError")), 1
        ):
            said = on.text(lambda make=make: make())
            with self.assertLogs("wxserve.routing") as logged:
                given = self.deliver(self.desk(said, oops), message(number=number))
            self.assertEqual((text_of(given.body), given.result), (f"oops {raised}", "error"))
            self.assertEqual([record.__dict__["code"] for record in logged.records], ["WX-HND-05"])
            with self.assertLogs("wxserve.routing") as logged:
                desk = self.desk(said, on.error(lambda make=make: make()))
                given = self.deliver(desk, message(number=-number))
            self.assertEqual((given.body, given.result, len(logged.records)), (b"success", "error", 2))

    def test_a_long_text_is_cut_and_the_rest_waits(self) -> None:
        whole = "\n\n".join(f"第{number}段：" + "字" * 150 for number in range(12))
        desk = self.desk(on.text("长")(lambda: whole), on.text(lambda: "other"))
        parts = [self.send(desk, push=message("长")).text or ""]
        while "继续" in parts[-1]:
            parts.append(self.send(desk, push=message("继续", number=len(parts) + 1)).text or "")
        self.assertEqual(len(parts), 3)
        self.assertEqual("\n\n".join(part.split("\n\n（")[0] for part in parts), whole)
        self.assertTrue(all(len(part.encode()) <= 2047 for part in parts))

    def test_after_unsubscribe_nothing_is_left(self) -> None:
        desk = self.desk(
            on.subscribe(lambda state: state.update(since=1) or "hello"), on.unsubscribe(lambda state: None)
        )
        self.deliver(desk, message(MsgType="event", Event="subscribe"))
        self.assertEqual(desk.store.state("gh_1", "oUSER"), {"since": "1"})
        given = self.deliver(desk, message(MsgType="event", Event="unsubscribe"))
        self.assertEqual(given.body, b"success")
        self.assertEqual(desk.store.state("gh_1", "oUSER"), {})


    def test_a_slow_run_that_ends_after_its_user_left_leaves_nothing(self) -> None:
        go, begun = threading.Event(), threading.Event()
        self.addCleanup(go.set)

        @on.text(budget=10)
        def slow(state: Any) -> str:
            state["secret"] = 1
            begun.set()
            go.wait(10)
            return "secret"

        desk = self.desk(slow, on.unsubscribe(lambda state: None), on.subscribe(lambda state: state.update(back=1)))
        waiting = threading.Thread(target=self.deliver, args=(desk, message("x")))
        waiting.start()
        self.assertTrue(begun.wait(10))
        self.deliver(desk, message(MsgType="event", Event="unsubscribe"))
        self.deliver(desk, message(MsgType="event", Event="subscribe"))
        go.set()
        self.until(lambda: not desk.runs)
        waiting.join(10)
        self.until(lambda: desk.store.state("gh_1", "oUSER") == {"back": "1"})  # taken back a moment later
        self.assertEqual(desk.store.mail("gh_1", "oUSER"), [])

    def test_a_message_whose_answer_could_not_be_kept_is_anybodys(self) -> None:
        slow = Slow()
        for pooled in (False, True):
            desk = self.desk(slow.handler)
            if pooled:
                desk.slow.add("h.py:1")
            finish = desk.store.finish

            def fails(*_: object, desk: Desk = desk, finish: Any = finish) -> None:
                desk.store.finish = finish  # type: ignore[method-assign]
                raise OSError("once")

            desk.store.finish = fails  # type: ignore[method-assign, assignment]
            push = message("0", number=f"{pooled}")
            with self.assertLogs("wxserve.delivery") if pooled else self.assertRaises(OSError):
                self.deliver(desk, push, seconds=0.5)
            self.assertEqual(text_of(self.deliver(desk, push, age=5.0).body), "answer to oUSER 0")

    def test_a_store_that_keeps_nothing_at_all_costs_two_runs_at_most(self) -> None:
        for pooled in (False, True):
            slow = Slow()
            desk = self.desk(slow.handler, oops)
            if pooled:
                desk.slow.add("h.py:1")

            def fails(*_: object) -> None:
                raise OSError("always")

            desk.store.finish = fails  # type: ignore[method-assign, assignment]
            with self.assertLogs("wxserve", "WARNING"):
                logging.getLogger("wxserve.test").warning("a plain run logs nothing")
                for attempt in range(3):
                    with contextlib.suppress(OSError):
                        self.deliver(desk, message("0", number=f"{pooled}"), age=5.0 * attempt, seconds=1.0)
            self.assertLessEqual(len(slow.runs), 2)

    def test_a_process_that_dies_while_it_forgets_is_asked_again(self) -> None:
        desk = self.desk(on.unsubscribe(lambda: None))
        desk.store.change("gh_1", "oUSER", {"secret": "1"})

        def dies(user: str) -> None:
            raise ConnectionAbortedError("as good as dead")

        push = message(MsgType="event", Event="unsubscribe")
        forget, desk.store.forget = desk.store.forget, dies  # type: ignore[method-assign]
        with self.assertRaises(ConnectionAbortedError):
            self.deliver(desk, push)
        desk.store.forget = forget  # type: ignore[method-assign]
        self.deliver(desk, push, age=5.0)
        self.assertEqual(desk.store.state("gh_1", "oUSER"), {})


class InMemory(Shared):
    """And what has little to do with the store."""

    def test_a_second_question_is_answered_by_itself_meanwhile(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler)

        def later() -> Any:
            time.sleep(6 * SECOND)
            return self.send(desk, push=message("0.1", number=2))

        first, second = self.together(lambda: self.send(desk, push=message("17")), later)
        self.assertEqual((first.text, second.text), ("busy", "answer to oUSER 0.1"))
        self.assertEqual(second.attempt, 1)

    def test_the_word_is_an_ordinary_text_where_nothing_waits(self) -> None:
        slow = on.text(lambda msg: "ordinary")
        self.assertEqual(self.send(self.desk(slow), push=message("继续")).text, "ordinary")

    def test_an_answer_that_comes_between_two_looks_for_it_is_what_the_word_gets(self) -> None:
        go = threading.Event()
        self.addCleanup(go.set)

        @on.text(budget=60)
        def slow(msg: Any) -> str:
            return "late" if go.wait(30) and msg.text == "x" else "an ordinary text"

        class Looked(Memory):
            """A store in which the answer lands just after somebody has looked for mail."""

            meanwhile: Callable[[], object] | None = None

            def mail(self, account: str, user: str) -> list[Mail]:
                letters = super().mail(account, user)
                meanwhile, self.meanwhile = self.meanwhile, None
                if meanwhile is not None:
                    meanwhile()
                return letters

        store = Looked(clock=self.clock)
        desk = self.desk(slow, store=store)
        self.assertEqual(self.send(desk, push=message("x")).text, "busy")

        def land() -> None:
            go.set()
            self.until(lambda: store._mail)

        def look() -> None:
            self.until(lambda: desk.keeper._following)
            store.meanwhile = land

        seen, _ = self.together(lambda: self.send(desk, push=message("继续", number=2)), look)
        self.assertEqual(seen.text, "late")

    def test_the_word_does_not_wait_for_ever_when_everybody_has_left(self) -> None:
        go = threading.Event()
        self.addCleanup(go.set)

        @on.text(budget=60)
        def slow() -> str:
            go.wait(30)
            return ""

        desk = self.desk(on.text("继续")(lambda: "ordinary"), slow)
        self.assertEqual(self.send(desk, push=message("x")).text, "busy")
        self.assertTrue(self.deliver(desk, message("继续", number=2), seconds=1.0).silent)
        time.sleep(17 * SECOND)  # nobody delivers it again
        go.set()
        self.until(lambda: not desk.runs)
        desk.store.flush()
        self.assertNotIn("unmatched:继续", desk.store.counts(0.0))
        self.assertEqual(self.send(desk, push=message("继续", number=3)).text, "ordinary")

    def test_an_error_at_seven_seconds_is_said_on_the_second_delivery(self) -> None:
        @on.text
        def fails() -> None:
            time.sleep(7 * SECOND)
            raise ValueError("boom")

        with self.assertLogs("wxserve.routing"):
            seen = self.send(self.desk(fails, oops), push=message())
        self.assertEqual((seen.attempt, seen.text), (2, "oops ValueError"))

    def test_an_error_that_a_delivery_waited_for_is_told_as_one(self) -> None:
        @on.text(budget=10 * SECOND)
        def fails() -> None:
            raise ValueError("boom")

        with self.assertLogs("wxserve.routing"):
            given = self.deliver(self.desk(fails, oops), message())
        self.assertEqual((text_of(given.body), given.result, given.code), ("oops ValueError", "error", "WX-HND-05"))

    def test_what_on_error_keeps_in_the_state_is_kept_and_the_state_let_go(self) -> None:
        @on.text
        def plain(msg: Any, state: Any) -> str:
            state["half done"] = True
            if msg.text == "locked":
                with state:
                    state["kept"] = True
                state["half done"] = False
            raise ValueError(msg.text)

        @on.text("stateless")
        def stateless() -> str:
            raise ValueError

        @on.text(prefix="late", budget=0.5 * SECOND)
        def late() -> str:
            time.sleep(SECOND)
            return "too late"

        @on.error
        def count(state: Any, deadline: Any) -> str:
            state["errors"] = state.get("errors", 0) + 1
            return f"sorry {state['errors']} {deadline.left() >= 0} {sorted(state)}"

        desk = self.desk(plain, stateless, late, count)
        for number, (text, others) in enumerate(
            (("stateless", []), ("plain", []), ("locked", ["half done", "kept"]), ("late", ["half done", "kept"])), 1
        ):
            given = self.deliver(desk, message(text, number=number))
            self.assertEqual(text_of(given.body), f"sorry {number} True {sorted(['errors', *others])}")
            lock = State(desk.store, "gh_1", "oUSER", 0.0, exclusive=True)
            self.assertTrue(lock._locked, text)
            lock.release()

    def test_a_run_that_begins_on_the_third_delivery_still_says_busy_in_time(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler)
        began = time.monotonic()
        given = self.deliver(desk, message("7"), age=10.0)
        self.assertEqual(text_of(given.body), "busy")
        self.assertGreaterEqual(time.monotonic() - began, DEADLINE * SECOND)
        self.assertLess(time.monotonic() - began, 5 * SECOND)
        self.until(lambda: desk.store.mail("gh_1", "oUSER"))

    def test_a_long_budget_says_busy_on_the_first_delivery_with_its_own_words(self) -> None:
        slow = Slow(budget=20 * SECOND, busy="think")
        desk = self.desk(slow.handler)
        seen = self.send(desk, push=message("6"))
        self.assertEqual((seen.attempt, seen.text), (1, "think"))
        self.assertEqual(self.send(desk, push=message("继续", number=2)).text, "answer to oUSER 6")
        self.assertEqual(self.send(desk, push=message("1", number=3)).text, "answer to oUSER 1")

    def test_past_its_budget_an_answer_is_dropped(self) -> None:
        @on.text(budget=3 * SECOND)
        def slow() -> str:
            time.sleep(6 * SECOND)
            return "too late"

        with self.assertLogs("wxserve.delivery") as logged:
            seen = self.send(self.desk(slow, oops), push=message())
        self.assertEqual(seen.text, "oops BudgetSpent")
        self.assertEqual(logged.records[0].__dict__["code"], "WX-RUN-02")

    def test_deadline_says_what_is_left(self) -> None:
        left = []

        @on.text("a")
        def plain(deadline: Any) -> str:
            left.append(deadline.left() / SECOND)
            return "x"

        @on.text("b", budget=9 * SECOND)
        def budget(deadline: Any) -> str:
            left.append(deadline.left() / SECOND)
            return "x"

        desk = self.desk(plain, budget)
        self.deliver(desk, message("a", number=1))
        self.deliver(desk, message("a", number=2), age=5.0)
        self.deliver(desk, message("a", number=3), age=10.0)
        self.deliver(desk, message("b", number=4))
        for found, wanted in zip(left, (10 + DEADLINE, 5 + DEADLINE, DEADLINE, 9.0)):
            self.assertAlmostEqual(found, wanted, delta=1)

    def test_a_peer_that_hangs_up_frees_its_thread_at_once(self) -> None:
        slow = Slow(budget=10 * SECOND)
        desk = self.desk(slow.handler)
        began = time.monotonic()
        given = self.deliver(desk, message("8"), seconds=1.0)
        self.assertTrue(given.silent)
        self.assertLess(time.monotonic() - began, 4 * SECOND)
        self.assertEqual(desk.store.silences(0.0), 0)

    def test_where_descriptors_have_run_out_it_is_run_once_and_answered_when_its_time_is_up(self) -> None:
        slow = Slow(budget=10 * SECOND)
        desk = self.desk(slow.handler)
        peer = Peer(60)
        self.addCleanup(peer.close)
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        for number, gone in enumerate((peer.gone, None), 1):
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
            given = desk.answer(message("0", number=number), 0.0, time.monotonic(), gone)
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            self.assertEqual(text_of(given.body), "answer to oUSER 0")
        self.assertEqual(slow.runs, ["1", "2"])

    def test_an_answer_whose_peer_leaves_while_it_is_put_down_is_not_lost(self) -> None:
        for text, slow, earlier in (("0", False, 0), ("2", True, 0), ("7", False, 1)):
            with self.subTest(text=text, earlier=earlier):
                self.leave_while_it_is_put_down(text, slow, earlier)

    def leave_while_it_is_put_down(self, text: str, is_slow: bool, earlier: int) -> None:
        slow, store = Slow(), Stalling(clock=self.clock)
        desk = self.desk(slow.handler, store=store)
        if is_slow:
            desk.slow.add("h.py:1")  # its delivery waits for the pool
        for _ in range(earlier):
            self.assertTrue(self.deliver(desk, message(text)).silent)
            self.until(lambda: not desk.runs)
        peer = Peer(60)
        self.addCleanup(peer.close)
        store.meanwhile = peer.hang_up
        self.assertTrue(desk.answer(message(text), 0.0, time.monotonic(), peer.gone).silent)
        self.until(lambda: store.mail("gh_1", "oUSER"))
        self.assertEqual(self.send(desk, push=message("继续", number=2)).text, f"answer to oUSER {text}")
        self.assertEqual(slow.runs, ["1"])

    def test_an_answer_that_comes_before_the_busy_text_is_not_lost_to_a_peer_that_leaves(self) -> None:
        go, store = threading.Event(), Stalling(clock=self.clock)
        self.addCleanup(go.set)

        @on.text(budget=100 * SECOND)
        def slow() -> str:
            go.wait(30)
            return "answer"

        desk = self.desk(slow, store=store)
        peer = Peer(60)
        self.addCleanup(peer.close)

        def meanwhile() -> None:
            go.set()
            self.until(lambda: not desk.runs)
            peer.hang_up()

        store.before_busy = meanwhile
        self.assertTrue(desk.answer(message(), 10.0, time.monotonic(), peer.gone).silent)
        (letter,) = self.until(lambda: store.mail("gh_1", "oUSER"))
        self.assertEqual(letter.text, "answer")

    def test_what_can_only_be_said_after_the_hang_up_waits_in_the_mailbox(self) -> None:
        desk = self.desk(Slow().handler)
        long_ago = time.monotonic() - 5.2 * SECOND
        self.assertTrue(desk.answer(message("0"), 10.0, long_ago, None).silent)
        (letter,) = self.until(lambda: desk.store.mail("gh_1", "oUSER"))
        self.assertEqual(letter.text, "answer to oUSER 0")

    def test_the_busy_text_is_called_so_however_often_it_is_said(self) -> None:
        go = threading.Event()
        self.addCleanup(go.set)
        desk = self.desk(on.text(budget=100 * SECOND)(lambda: str(go.wait(30))))
        given = [self.deliver(desk, message())]
        time.sleep(1.1 * SECOND)  # another second, which the text bears
        given.append(self.deliver(desk, message(), age=5.0))
        self.assertEqual([(each.result, text_of(each.body)) for each in given], [("busy", "busy")] * 2)

    def test_a_last_delivery_that_comes_to_nothing_means_that_no_earlier_one_did(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler)
        for user, age in (("oSECOND", 5.0), ("oLAST", 10.0)):
            push = message("0", user=user, number=user)
            self.assertEqual(text_of(self.deliver(desk, push).body), f"answer to {user} 0")
            self.assertTrue(self.deliver(desk, push, age=age, seconds=0.0).silent)
        self.until(lambda: desk.store.mail("gh_1", "oLAST"))
        self.assertEqual(self.send(desk, push=message("继续", user="oLAST", number=9)).text, "answer to oLAST 0")
        self.assertEqual(desk.store.mail("gh_1", "oSECOND"), [])

    def test_under_a_foreign_server_silence_lasts_six_seconds(self) -> None:
        slow = Slow(budget=10 * SECOND)
        desk = self.desk(slow.handler)
        began, used = time.monotonic(), time.thread_time()
        given = self.deliver(desk, message("9"), foreign=True)
        self.assertTrue(given.silent)
        self.assertGreaterEqual(time.monotonic() - began, 6 * SECOND)
        self.assertLess(time.monotonic() - began, 9 * SECOND)
        self.assertLess(time.thread_time() - used, SECOND / 4, "it asks again and again instead of waiting")

    def test_too_much_silence_says_busy_first_until_the_count_falls(self) -> None:
        slow = Slow()
        desk = self.desk(slow.handler, silent_max=5)
        desk.slow.add("h.py:1")
        five = self.together(*(lambda n=n: self.deliver(desk, message("6", number=n)) for n in range(5)))
        self.assertTrue(all(given.silent for given in five))
        with self.assertLogs("wxserve.delivery") as logged:
            self.until(lambda: desk.keeper.quiet)
        self.assertEqual(logged.records[0].__dict__["code"], "WX-RUN-05")
        sixth = self.send(desk, push=message("6", number=6))
        self.assertEqual((sixth.attempt, sixth.text), (1, "busy"))
        desk.terms = desk.terms._replace(pace=desk.terms.pace._replace(window=0.0))
        self.until(lambda: not desk.keeper.quiet)
        seventh = self.send(desk, push=message("6", number=7))
        self.assertEqual(seventh.attempt, 2)

    def test_silence_counts_while_the_handler_still_has_the_deliverys_own_thread(self) -> None:
        go = threading.Event()
        self.addCleanup(go.set)

        @on.text
        def slow() -> str:
            go.wait(30)
            return "late"

        desk = self.desk(slow)
        waiting = [threading.Thread(target=self.deliver, args=(desk, message("x", number=n))) for n in range(3)]
        for thread in waiting:
            thread.start()
        self.until(lambda: desk.store.silences(0.0) == 3)
        go.set()
        for thread in waiting:
            thread.join(10)
        self.assertEqual(desk.store.silences(0.0), 3)

    def test_a_handler_that_waits_for_its_users_state_is_not_slow(self) -> None:
        desk = self.desk(on.text(lambda state: state.update(n=1) or "counted"), pace=PACE._replace(state_wait=10.0))
        busy = State(desk.store, "gh_1", "oUSER", 1.0, exclusive=True)
        waiting = threading.Thread(target=self.deliver, args=(desk, message()))
        waiting.start()
        time.sleep(2 * PACE.slow)
        busy.release()
        waiting.join(10)
        self.assertEqual(desk.store.state("gh_1", "oUSER"), {"n": "1"})
        self.assertEqual(desk.slow, set())

    def test_a_full_pool_says_busy_at_once_and_runs_later(self) -> None:
        slow = Slow(budget=10 * SECOND)
        desk = self.desk(slow.handler, pool=1)
        began = time.monotonic()
        first = threading.Thread(target=self.deliver, args=(desk, message("8", number=1)))
        first.start()
        self.until(lambda: desk.pool.is_full("oUSER"))
        second = self.deliver(desk, message("0", number=2))
        self.assertEqual(text_of(second.body), "busy")
        self.assertLess(time.monotonic() - began, 5 * SECOND)
        first.join()
        self.assertEqual(self.send(desk, push=message("继续", number=3)).text, "answer to oUSER 0")

    def test_one_who_floods_the_pool_keeps_nobody_else_waiting(self) -> None:
        slow = Slow(budget=10 * SECOND)
        desk = self.desk(slow.handler, pool=4)
        flood = [
            threading.Thread(target=self.deliver, args=(desk, message("8", number=number))) for number in range(12)
        ]
        for thread in flood:
            thread.start()
        self.until(lambda: desk.pool.is_full("oUSER"))
        other = self.deliver(desk, message("1", user="oOTHER", number=99))
        self.assertEqual(text_of(other.body), "answer to oOTHER 1")
        for thread in flood:
            thread.join(60)

    def test_a_run_without_end_is_given_up_and_its_stack_said(self) -> None:
        release = threading.Event()
        self.addCleanup(release.set)

        @on.text(budget=1000)
        def forever() -> str:
            release.wait(30)
            return "never"

        replaced = threading.Event()
        desk = self.desk(forever, run_max=8 * SECOND, pool=2)
        desk.keeper._replace = replaced.set
        with self.assertLogs("wxserve.delivery") as logged:
            seen = self.send(desk, push=message())
            self.assertTrue(replaced.wait(60 * SECOND))
        self.assertEqual(seen.text, "busy")
        codes = [record.__dict__["code"] for record in logged.records]
        self.assertEqual(codes, ["WX-RUN-03", "WX-RUN-04"])
        self.assertIn("release.wait(30)", logged.output[0])
        release.set()
        self.until(lambda: not any(run.thread for run in desk.runs.values()))
        self.assertEqual(desk.store.mail("gh_1", "oUSER"), [])

    def test_who_leaves_is_forgotten_also_where_the_handler_never_ends(self) -> None:
        release = threading.Event()
        self.addCleanup(release.set)
        desk = self.desk(on.unsubscribe(lambda: str(release.wait(60))), run_max=6 * SECOND)
        desk.store.change("gh_1", "oUSER", {"name": '"Li"'})
        push = message(MsgType="event", Event="unsubscribe")
        thread = threading.Thread(target=self.deliver, args=(desk, push))
        with self.assertLogs("wxserve.delivery"):
            thread.start()
            self.until(lambda: desk.runs)
            self.until(lambda: not desk.runs)
        self.assertEqual(desk.store.state("gh_1", "oUSER"), {})
        release.set()
        thread.join(30)

    def test_a_late_answer_to_what_takes_no_reply_is_dropped_with_a_line(self) -> None:
        @on.view
        def slow() -> str:
            time.sleep(17 * SECOND)
            return "nobody reads this"

        desk = self.desk(slow)
        push = message(MsgType="event", Event="VIEW", EventKey="https://example.com/")
        with self.assertLogs("wxserve.delivery") as logged:
            seen = self.send(desk, push=push)
            self.until(lambda: not desk.runs)
        self.assertEqual((seen.attempt, seen.text), (3, ""))
        self.assertEqual(logged.records[0].__dict__["code"], "WX-RUN-06")
        self.assertEqual(desk.store.mail("gh_1", "oUSER"), [])

    def test_two_events_of_one_second_are_two_and_one_id_of_two_users_is_two(self) -> None:
        answered = []
        desk = self.desk(on.click(lambda msg: answered.append(msg.key) or msg.key), on.text(lambda msg: msg.user))
        for key in ("A", "B", "A"):
            given = self.deliver(desk, message(MsgType="event", Event="CLICK", EventKey=key))
            self.assertEqual(text_of(given.body), key)
        self.assertEqual(answered, ["A", "B"])
        for user in ("oA", "oB"):
            self.assertEqual(text_of(self.deliver(desk, message("x", user)).body), user)

    def test_other_replies_wait_too(self) -> None:
        @on.text
        def slow() -> Any:
            time.sleep(17 * SECOND)
            return News("title", "text", pic="https://x/p", url="https://x/")

        desk = self.desk(on.text("0")(lambda: "quick"), slow)
        self.assertEqual(self.send(desk, push=message("17")).text, "busy")
        self.until(lambda: desk.store.mail("gh_1", "oUSER"))
        self.assertEqual(self.send(desk, push=message("0", number=2)).text, "quick")
        self.assertIn("<ArticleCount>1<", self.send(desk, push=message("继续", number=3)).text or "")

    def test_images_and_nothing_are_answers(self) -> None:
        desk = self.desk(on.text("图")(lambda: Image("MEDIA")), on.text(lambda: ""))
        self.assertIn("MEDIA", self.send(desk, push=message("图")).text or "")
        self.assertEqual(self.deliver(desk, message("x", number=2)).body, b"success")

    def test_the_budget_of_a_rule_that_was_never_asked_drops_no_answer(self) -> None:
        go = threading.Event()
        self.addCleanup(go.set)

        @on.text("plain")
        def plain() -> str:
            go.wait(30)
            time.sleep(0.02)
            return "answer"

        desk = self.desk(plain, on.text(budget=0.01, busy="thinking")(lambda: "other"))
        self.assertEqual(text_of(self.deliver(desk, message("plain"), age=10.0).body), "thinking")
        go.set()
        (letter,) = self.until(lambda: desk.store.mail("gh_1", "oUSER"))
        self.assertEqual(letter.text, "answer")

    def test_nothing_is_kept_of_who_left_before_a_slow_rules_turn_came(self) -> None:
        @on.text(priority=1)
        def counts(state: Any) -> None:
            desk.store.forget("oUSER")
            state["n"] = 1

        desk = self.desk(counts, on.text(budget=10 * SECOND)(lambda: "slow"))
        self.deliver(desk, message())
        self.assertEqual(desk.store.state("gh_1", "oUSER"), {})


class InFile(Shared):
    """The same, with the store that survives; and what takes two processes, as two desks with a store each."""

    # Who is alone looks at the door once in a real second, which is long here.
    shared = True

    def store(self) -> Store:
        if not hasattr(self, "path"):
            folder = tempfile.mkdtemp(prefix="wxserve-test-")
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
            self.path = os.path.join(folder, "store.db")
        store = SQLite(self.path, clock=self.clock, shared=self.shared)
        self.addCleanup(store.close)
        return store

    def two(self, slow: Slow, **terms: Any) -> tuple[Desk, Desk]:
        return self.desk(slow.handler, oops, **terms), self.desk(slow.handler, oops, **terms)

    def test_deliveries_that_land_on_different_workers_share_one_run(self) -> None:
        slow = Slow()
        one, two = self.two(slow)
        seen = self.together(
            *(lambda n=n: self.send(one, two, push=message(f"{n}", number=n)) for n in (1, 7, 12, 17))
        )
        self.assertEqual([each.attempt for each in seen], [1, 2, 3, 3])
        self.assertEqual([each.text for each in seen], [f"answer to oUSER {n}" for n in (1, 7, 12)] + ["busy"])
        self.assertEqual(sorted(slow.runs), ["1", "12", "17", "7"])
        taken = self.send(two, push=message("继续", number="p"))
        self.assertEqual(taken.text, "answer to oUSER 17")

    def test_the_word_waits_for_a_run_of_another_worker(self) -> None:
        slow = Slow()
        one, two = self.two(slow)
        self.assertEqual(self.send(one, push=message("17")).text, "busy")
        self.assertEqual(self.send(two, push=message("继续", number="p")).text, "answer to oUSER 17")

    def test_a_duplicate_at_another_worker_gets_the_same_bytes(self) -> None:
        slow = Slow()
        one, two = self.two(slow)
        first = self.deliver(one, message("0"))
        self.assertEqual(self.deliver(two, message("0")).body, first.body)
        self.assertEqual(len(slow.runs), 1)

    def test_busy_is_said_on_another_worker_and_the_answer_is_not_given_twice(self) -> None:
        slow = Slow()
        one, two = self.two(slow)
        first, third = self.together(
            lambda: self.deliver(one, message("6")), lambda: self.deliver(two, message("6"), age=10.0)
        )
        self.assertTrue(first.silent)
        self.assertEqual(text_of(third.body), "busy")
        self.assertEqual(len(self.until(lambda: two.store.mail("gh_1", "oUSER"))), 1)
        self.assertEqual(len(slow.runs), 1)


class Held(Case):
    """Another process holds the file all the while."""

    store = InFile.store

    def test_everybody_is_answered_and_what_is_late_waits_until_it_can_be_taken(self) -> None:
        self.addCleanup(setattr, database, "WAIT_SECONDS", database.WAIT_SECONDS)
        database.WAIT_SECONDS = 0.5 * SECOND
        slow = Slow()

        @on.text("数")
        def count(state: Any) -> str:
            state["n"] = state.get("n", 0) + 1
            return str(state["n"])

        desk = self.desk(slow.handler, count)
        holder = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)  # type: ignore[attr-defined]
        self.addCleanup(holder.close)
        holder.execute("BEGIN IMMEDIATE")
        seen = self.together(*(lambda n=n: self.send(desk, push=message(f"{n}", number=n)) for n in (0, 1, 7, 12, 17)))
        self.assertEqual([each.attempt for each in seen], [1, 1, 2, 3, 3])
        self.assertEqual([each.text for each in seen[:4]], [f"answer to oUSER {n}" for n in (0, 1, 7, 12)])
        self.assertEqual(seen[4].text, "busy")
        counted = [self.send(desk, push=message("数", number=f"n{n}")).text for n in range(3)]
        self.assertEqual(counted, ["1", "2", "3"])
        self.until(lambda: not desk.runs)
        word = threading.Thread(target=lambda: seen.append(self.send(desk, push=message("继续", number="p"))))
        word.start()
        time.sleep(2 * SECOND)
        holder.execute("ROLLBACK")
        word.join(10)
        self.assertEqual(seen[5].text, "answer to oUSER 17")
        self.until(lambda: not desk.store._disk.held)  # type: ignore[attr-defined]
        self.assertEqual(desk.store.state("gh_1", "oUSER"), {"n": "3"})
        self.assertEqual(sorted(slow.runs), ["0", "1", "12", "17", "7"])


class Orphans(Case):
    """Messages whose process has died; a store that gives up its claim is as good as that."""

    store = InFile.store
    shared = True

    def test_an_orphan_is_run_into_the_mailbox(self) -> None:
        slow = Slow()
        dying = self.store()
        push = push_of(message("0"), self.clock(), "short")
        claim = dying.claim(push)
        dying.flush()
        desk = self.desk(slow.handler)
        time.sleep(18 * SECOND)
        self.assertEqual(slow.runs, [])
        dying.release(claim)
        (letter,) = self.until(lambda: desk.store.mail("gh_1", "oUSER"))
        self.assertEqual(letter.text, "answer to oUSER 0")
        self.assertEqual(text_of(self.deliver(desk, message("0"), age=15.0).body), "busy")

    def test_what_a_process_said_before_it_died_is_said_again_at_once_and_the_answer_waits(self) -> None:
        slow = Slow()
        dying = self.store()
        push = push_of(message("2"), self.clock(), "short")
        claim = dying.claim(push)
        dying.say_busy(push, Text("busy").render(message("2"), 0))
        dying.release(claim)
        desk = self.desk(slow.handler)
        given = self.deliver(desk, message("2"), age=5.0)
        self.assertEqual((given.result, text_of(given.body)), ("busy", "busy"))
        self.assertLess(given.seconds, 2 * SECOND)
        (letter,) = self.until(lambda: desk.store.mail("gh_1", "oUSER"))
        self.assertEqual((letter.text, len(slow.runs)), ("answer to oUSER 2", 1))

    def test_a_word_whose_process_died_asks_nobody_and_leaves_no_mail(self) -> None:
        asked = []
        dying = self.store()
        claim = dying.claim(push_of(message("继续"), self.clock(), "short"))
        dying.flush()
        dying.release(claim)
        desk = self.desk(on.text(lambda: asked.append(1) or "nothing waits"))
        self.until(lambda: not desk.store.overdue(self.clock()) and self.clock() > claim.push.at + 18)
        self.assertEqual((asked, desk.store.mail("gh_1", "oUSER")), ([], []))
        desk.store.flush()
        self.assertNotIn("unmatched:继续", desk.store.counts(0.0))

    def test_a_message_that_kills_is_not_run_a_third_time(self) -> None:
        slow = Slow()
        for _ in range(2):
            dying = self.store()
            self.assertIs(dying.claim(push_of(message("0"), self.clock(), "short")).status, Status.MINE)
            dying.close()
        desk = self.desk(slow.handler, oops)
        with self.assertLogs("wxserve.delivery") as logged:
            given = self.deliver(desk, message("0"), age=10.0)
        self.assertEqual(text_of(given.body), "oops MessageKills")
        self.assertEqual(logged.records[0].__dict__["code"], "WX-RUN-01")
        self.assertEqual(slow.runs, [])


del Shared
