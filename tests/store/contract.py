"""What every home of the store must hold: the cases are run over each of them."""

from __future__ import annotations

import hashlib
import threading
import unittest

from weixin.store.base import (
    ANSWERS_KEPT,
    MAIL_KEPT,
    MAIL_PER_USER,
    ORPHAN_AFTER,
    STATE_KEPT,
    UNFETCHED_AFTER,
    Answer,
    Claim,
    Mail,
    Push,
    Refusal,
    Status,
    Store,
    Verdict,
    told,
)

START = 1_790_000_000.0


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def push(number: int | str = 1, user: str = "oUSER", at: float = START, text: str = "你好") -> Push:
    key = hashlib.blake2b(f"{user}/{number}".encode(), digest_size=16).digest()
    return Push(key, "gh_1", user, at, b"<xml>push</xml>", f"d{number}", "text", text)


def answer(body: bytes = b"<xml>answer</xml>", fetched: bool = True, **more: object) -> Answer:
    return Answer(body, fetched, **{"rule": "echo.py:1", "result": "replied", "reply": "text", **more})  # type: ignore[arg-type]


def mail(text: str = "late answer", question: str = "讲个故事") -> Mail:
    return Mail(question, "text", text, b"")


class Contract(unittest.TestCase):
    """Mixed into a class that has `make`."""

    store: Store
    clock: Clock

    def make(self, clock: Clock, **options: object) -> Store:
        raise NotImplementedError

    def setUp(self) -> None:
        self.clock = Clock()
        self.store = self.make(self.clock)
        self.addCleanup(self.store.close)

    def claimed(self, *args: object, **kwargs: object) -> Claim:
        claim = self.store.claim(push(*args, **kwargs))  # type: ignore[arg-type]
        self.assertIs(claim.status, Status.MINE)
        return claim

    # Once.

    def test_a_message_is_run_by_one_who_asks(self) -> None:
        self.claimed()
        self.assertIs(self.store.claim(push()).status, Status.TAKEN)

    def test_of_many_threads_one_gets_the_message(self) -> None:
        ready, got = threading.Barrier(8), []

        def ask() -> None:
            ready.wait(10)
            got.append(self.store.claim(push()).status)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        self.assertEqual(got.count(Status.MINE), 1)
        self.assertEqual(got.count(Status.TAKEN), 7)

    def test_a_duplicate_gets_the_same_bytes_before_and_after_they_are_written(self) -> None:
        self.assertIs(self.store.finish(self.claimed(), answer(b"one")), Verdict.KEPT)
        for flush in (False, True):
            if flush:
                self.store.flush()
            again = self.store.claim(push())
            self.assertEqual((again.status, again.body), (Status.ANSWERED, b"one"))
        self.assertEqual(self.store.fetch(push().key), b"one")

    def test_two_users_with_one_id_are_two_messages(self) -> None:
        self.store.finish(self.claimed(1, "oA"), answer(b"for A"))
        self.assertIs(self.store.claim(push(1, "oB")).status, Status.MINE)

    def test_a_claim_says_whether_its_message_was_seen_before(self) -> None:
        """By that a delivery counts itself where another process, or an earlier round, gave the message back."""
        claim = self.claimed()
        self.assertFalse(claim.recorded)
        self.store.flush()
        self.store.release(claim)
        self.assertTrue(self.claimed().recorded)

    def test_a_released_message_is_anybodys(self) -> None:
        for _ in range(3):
            claim = self.claimed()
            self.store.flush()
            self.store.release(claim)
        self.assertEqual(self.claimed().runs, 0)

    def test_deliveries_are_counted(self) -> None:
        self.claimed()
        self.assertEqual(self.store.join(push()), 2)
        self.store.flush()
        self.assertEqual(self.store.join(push()), 3)

    def test_what_was_joined_at_once_keeps_its_answer(self) -> None:
        claim = self.claimed()
        self.store.join(push())
        self.assertIs(self.store.finish(claim, answer(b"one")), Verdict.KEPT)
        self.assertEqual(self.store.claim(push()).body, b"one")

    def test_after_busy_the_answer_goes_to_the_mailbox(self) -> None:
        for written in (False, True):
            with self.subTest(written=written):
                claim = self.claimed(written)
                if written:
                    self.store.flush()
                self.assertEqual(self.store.say_busy(push(written), b"busy"), b"busy")
                self.assertEqual(self.store.say_busy(push(written), b"busy again"), b"busy")
                self.assertIs(self.store.finish(claim, answer()), Verdict.BUSY)
                self.store.finish_late(claim, [mail()], answer(result="mailbox"))
                again = self.store.claim(push(written))
                self.assertEqual((again.status, again.body), (Status.ANSWERED, b"busy"))
        self.assertEqual([letter.text for letter in self.store.mail("gh_1", "oUSER")], ["late answer"] * 2)

    def test_busy_comes_too_late_when_there_is_an_answer(self) -> None:
        for fetched in (True, False):
            claim = self.claimed(fetched)
            self.store.finish(claim, answer(b"answer", fetched))
            self.assertEqual(self.store.say_busy(push(fetched), b"busy"), b"answer")
        self.assertEqual(self.store.overdue(START + 1000), [])

    def test_an_answer_nobody_fetched_is_overdue_until_it_is_settled(self) -> None:
        self.store.finish(self.claimed(), answer(b"unfetched", fetched=False))
        self.assertEqual(self.store.overdue(START + UNFETCHED_AFTER - 1), [])
        (late,) = self.store.overdue(START + UNFETCHED_AFTER + 1)
        self.assertEqual((late.push.key, late.body), (push().key, b"unfetched"))
        self.assertTrue(self.store.settle(late.push.key, b"busy", [mail()]))
        self.assertFalse(self.store.settle(late.push.key, b"busy", [mail()]))
        self.assertEqual(len(self.store.mail("gh_1", "oUSER")), 1)
        self.assertEqual(self.store.claim(push()).body, b"busy")
        self.assertEqual(self.store.overdue(START + 1000), [])

    def test_an_answer_that_was_fetched_is_not_settled(self) -> None:
        self.store.finish(self.claimed(), answer(b"answer", fetched=False))
        self.assertEqual(self.store.fetch(push().key), b"answer")
        self.assertFalse(self.store.settle(push().key, b"busy", [mail()]))
        self.assertEqual(self.store.mail("gh_1", "oUSER"), [])

    def test_an_answer_that_did_not_arrive_is_overdue_unless_another_delivery_has_it(self) -> None:
        for way in ("quick, not written yet", "quick", "fetched", "fetched again"):
            with self.subTest(way=way):
                key = push(way).key
                self.store.finish(self.claimed(way), answer(b"answer", fetched="quick" in way))
                if way == "quick":
                    self.store.flush()
                if "fetched" in way:
                    self.store.fetch(key)
                self.store.missed(key)
                if way == "fetched again":
                    self.assertEqual(self.store.fetch(key), b"answer")
                self.assertEqual(self.store.overdue(START + UNFETCHED_AFTER - 1), [])
                late = self.store.overdue(START + UNFETCHED_AFTER + 1)
                self.assertEqual([each.body for each in late], [] if way == "fetched again" else [b"answer"])
                self.assertEqual(self.store.settle(key, b"busy", [mail()]), bool(late))

    def test_what_is_in_the_mailbox_or_forgotten_is_not_missed(self) -> None:
        busy = self.claimed("busy")
        self.store.say_busy(push("busy"), b"busy")
        self.store.finish_late(busy, [mail()], answer(result="mailbox"))
        self.store.finish(self.claimed("settled"), answer(fetched=False))
        self.store.settle(push("settled").key, b"busy", [mail()])
        self.store.finish(self.claimed("forgotten", "oLEFT"), answer())
        self.store.forget("oLEFT")
        for way, user in (("busy", "oUSER"), ("settled", "oUSER"), ("forgotten", "oLEFT"), ("never", "oUSER")):
            self.store.missed(push(way, user).key)
        self.assertEqual(self.store.overdue(START + 1000), [])

    def test_a_run_that_goes_on_is_nobody_elses(self) -> None:
        claim = self.claimed()
        self.store.flush()
        self.assertEqual(self.store.overdue(START + ORPHAN_AFTER + 1), [])
        self.assertIs(self.store.claim(push()).status, Status.TAKEN)
        self.store.release(claim)
        (late,) = self.store.overdue(START + ORPHAN_AFTER + 1)
        self.assertEqual((late.push.xml, late.body), (b"<xml>push</xml>", None))

    def test_what_somebody_can_see_to_is_not_behind_runs_that_go_on(self) -> None:
        for number in range(50):
            self.claimed(number, at=START - 100)
        self.store.finish(self.claimed("late"), answer(b"unfetched", fetched=False))
        self.store.flush()
        found = [late.push.key for late in self.store.overdue(START + 100)]
        self.assertIn(push("late").key, found)

    def test_nothing_is_fetched_of_what_has_no_answer(self) -> None:
        self.assertIsNone(self.store.fetch(push().key))
        self.claimed()
        self.assertIsNone(self.store.fetch(push().key))

    # Mail.

    def test_mail_leaves_with_the_answer_that_takes_it(self) -> None:
        self.late("one")
        (letter,) = self.store.mail("gh_1", "oUSER")
        claim = self.claimed("next")
        self.assertIs(self.store.finish(claim, answer(b"with mail", take=(letter.id,))), Verdict.KEPT)
        self.assertEqual(self.store.mail("gh_1", "oUSER"), [])
        self.assertEqual(self.store.claim(push("next")).body, b"with mail")

    def test_mail_is_taken_once(self) -> None:
        self.late("one")
        (letter,) = self.store.mail("gh_1", "oUSER")
        first, second = self.claimed("first"), self.claimed("second")
        self.store.finish(first, answer(take=(letter.id,)))
        self.assertIs(self.store.finish(second, answer(take=(letter.id,))), Verdict.MAIL_GONE)
        self.assertIs(self.store.finish(second, answer()), Verdict.KEPT)

    def test_the_rest_of_an_answer_is_left_behind_as_mail(self) -> None:
        self.store.finish(self.claimed(), answer(put=(mail("the rest"),)))
        (letter,) = self.store.mail("gh_1", "oUSER")
        self.assertEqual((letter.text, letter.key), ("the rest", push().key))

    def test_mail_is_nobody_elses(self) -> None:
        self.late("one", "oA")
        self.assertEqual(self.store.mail("gh_1", "oB"), [])
        self.assertEqual(self.store.mail("gh_2", "oA"), [])
        self.assertEqual(len(self.store.mail("gh_1", "oA")), 1)

    def test_an_answer_takes_no_mail_of_somebody_else(self) -> None:
        self.late("one", "oA")
        (letter,) = self.store.mail("gh_1", "oA")
        verdict = self.store.finish(self.claimed("two", "oB"), answer(take=(letter.id,)))
        self.assertIs(verdict, Verdict.MAIL_GONE)
        self.assertEqual(len(self.store.mail("gh_1", "oA")), 1)

    def test_mail_expires(self) -> None:
        self.late("one")
        self.clock.now += MAIL_KEPT + 1
        self.assertEqual(self.store.mail("gh_1", "oUSER"), [])

    def test_only_so_much_mail_waits(self) -> None:
        for number in range(MAIL_PER_USER + 5):
            self.late(number, text=f"{number}")
        texts = [letter.text for letter in self.store.mail("gh_1", "oUSER")]
        self.assertEqual(texts, [str(number) for number in range(5, MAIL_PER_USER + 5)])

    def test_an_answer_is_expected_after_busy_was_said_and_until_it_is_there(self) -> None:
        claim = self.claimed()
        self.store.flush()
        self.assertFalse(self.store.expecting("gh_1", "oUSER", START))
        self.store.say_busy(push(), b"busy")
        self.assertTrue(self.store.expecting("gh_1", "oUSER", START))
        self.assertFalse(self.store.expecting("gh_1", "oB", START))
        self.store.finish_late(claim, [mail()], answer())
        self.assertFalse(self.store.expecting("gh_1", "oUSER", START))

    # State.

    def test_state_keeps_what_is_set_and_loses_what_is_deleted(self) -> None:
        self.store.change("gh_1", "oUSER", {"a": "1", "b": '"two"'})
        self.store.change("gh_1", "oUSER", {"a": None, "c": "[3]"})
        self.assertEqual(self.store.state("gh_1", "oUSER"), {"b": '"two"', "c": "[3]"})
        self.assertEqual(self.store.state("gh_2", "oUSER"), {})

    def test_state_expires_when_nothing_of_it_changes(self) -> None:
        self.store.change("gh_1", "oUSER", {"a": "1"})
        self.clock.now += STATE_KEPT - 1
        self.store.change("gh_1", "oUSER", {"b": "2"})
        self.clock.now += STATE_KEPT - 1
        self.assertEqual(self.store.state("gh_1", "oUSER"), {"a": "1", "b": "2"})
        self.clock.now += 2
        self.assertEqual(self.store.state("gh_1", "oUSER"), {})

    def test_a_lock_excludes_other_threads_and_times_out(self) -> None:
        name = push().key
        self.assertTrue(self.store.lock(name, 0))
        got = []
        thread = threading.Thread(target=lambda: got.append(self.store.lock(name, 0.01)))
        thread.start()
        thread.join(10)
        self.assertEqual(got, [False])
        self.store.unlock(name)
        self.assertTrue(self.store.lock(name, 0))
        self.store.unlock(name)

    def test_forgetting_a_user_leaves_nothing_of_him_and_all_of_the_others(self) -> None:
        for user in ("oA", "oB"):
            self.store.change("gh_1", user, {"a": "1"})
            self.late("one", user)
            self.store.finish(self.claimed("two", user, text="secret"), answer(b"secret"))
        running = self.claimed("three", "oA")
        self.store.forget("oA")
        self.assertEqual(self.store.state("gh_1", "oA"), {})
        self.assertEqual(self.store.mail("gh_1", "oA"), [])
        self.assertEqual(self.store.claim(push("two", "oA")).status, Status.ANSWERED)
        self.assertEqual(self.store.claim(push("two", "oA")).body, b"")
        self.assertIs(self.store.finish(running, answer()), Verdict.FORGOTTEN)
        self.assertEqual(self.store.claim(push("three", "oA")).body, b"")
        self.store.flush()
        self.assertEqual({found.user for found in self.store.deliveries(10)}, {"oB", ""})
        self.assertEqual(self.store.counts(START - 3600)["users"], 1)
        self.assertEqual(self.store.state("gh_1", "oB"), {"a": "1"})
        self.assertEqual(len(self.store.mail("gh_1", "oB")), 1)

    def test_deliveries_of_a_message_whose_user_has_left_bring_nothing_of_him_back(self) -> None:
        for name, says in (("silent", False), ("busy", True)):
            running = self.claimed(name, text="secret")
            self.store.forget("oUSER")
            self.store.join(push(name, text="secret"))
            if says:
                self.store.say_busy(push(name, text="secret"), b"busy")
            self.store.flush()
            self.assertNotIn("oUSER", str(self.store.deliveries(10)))
            self.assertIs(self.store.finish(running, answer(b"secret", put=(mail("secret"),))), Verdict.FORGOTTEN)
            self.store.flush()
        self.assertEqual(self.store.mail("gh_1", "oUSER"), [])
        self.assertNotIn("oUSER", str(self.store.deliveries(10)))
        self.assertNotIn("secret", str(self.store.deliveries(10)))
        self.assertEqual(self.store.counts(START - 3600)["users"], 0)

    def test_who_leaves_between_an_answer_and_its_mail_is_forgotten(self) -> None:
        running = self.claimed()
        self.store.say_busy(push(), b"busy")
        self.assertIs(self.store.finish(running, answer()), Verdict.BUSY)
        self.store.forget("oUSER")
        self.store.finish_late(running, [mail()], answer(result="mailbox"))
        self.store.flush()
        self.assertEqual(self.store.mail("gh_1", "oUSER"), [])
        self.assertEqual(self.store.counts(START - 3600)["users"], 0)

    # Records.

    def test_a_delivery_is_remembered_with_its_attempts(self) -> None:
        claim = self.claimed(7)
        self.store.attempt(push(7).key, "1 silent") if self.store.join(push(7)) else None
        self.store.finish(claim, answer(b"twelve bytes", ms=7100.0, arrived=START + 5))
        self.store.flush()
        found = self.store.delivery("d7")
        assert found is not None
        self.assertEqual(
            (found.kind, found.text, found.rule, found.result, found.size, found.ms),
            ("text", "你好", "echo.py:1", "replied", 12, 7100.0),
        )
        self.assertEqual(sorted(found.attempts), ["1 silent", f"{START + 5:.3f} 7.100 replied"])
        self.assertEqual((found.key, found.created), (push(7).key, int.from_bytes(push(7).key[:4], "big")))
        self.assertIsNone(self.store.delivery("d8"))

    def test_the_delivery_that_an_answer_leaves_with_is_listed_whenever_it_came(self) -> None:
        for number, came in ((1, START), (2, START + 3), (3, 0.0)):
            self.store.finish(self.claimed(number), answer(ms=1234.0, arrived=came))
            self.store.attempt(push(number).key, "late duplicate")
        self.store.flush()
        listed = [delivery.attempts for delivery in self.store.deliveries(3)]
        at_once, later = (f"{came:.3f} 1.234 replied" for came in (START, START + 3))
        self.assertEqual(listed, [("late duplicate",), (later, "late duplicate"), (at_once, "late duplicate")])

    def test_deliveries_come_newest_first_and_those_that_changed_since(self) -> None:
        for number in range(5):
            self.clock.now += 1
            self.store.finish(self.claimed(number), answer())
        self.store.flush()
        self.assertEqual([found.name for found in self.store.deliveries(3)], ["d4", "d3", "d2"])
        self.assertEqual([found.name for found in self.store.deliveries(9, after=START + 3)], ["d4", "d3"])

    def test_the_rest_of_an_answer_keeps_its_place(self) -> None:
        for number in (1, 2):
            self.clock.now += 1
            self.store.finish(self.store.claim(push(number)), answer(put=(mail(f"answer {number}"),)))
        first, second = self.store.mail("gh_1", "oUSER")
        self.clock.now += 1
        rest = first._replace(text="the rest of it", id=0)
        self.store.finish(self.store.claim(push(3)), answer(take=(first.id,), put=(rest,)))
        self.assertEqual([each.text for each in self.store.mail("gh_1", "oUSER")], ["the rest of it", second.text])

    def test_refusals_have_a_ring_of_their_own(self) -> None:
        self.store.finish(self.claimed(), answer())
        for number in range(150):
            self.store.refused(Refusal(START, "WX-SIG-02", f"10.0.0.{number}", "mismatch"))
        self.store.flush()
        self.assertEqual(len(self.store.refusals()), 100)
        self.assertEqual(self.store.refusals()[0].ip, "10.0.0.149")
        self.assertEqual(len(self.store.deliveries(500)), 1)

    def test_checks_that_passed_are_in_the_ring_and_are_no_refusals(self) -> None:
        facts = {"method": "GET", "agent": "a\tb=c\n\x1b[31m" + "x" * 500, "signed": ""}
        self.store.refused(Refusal(START, "", "10.0.0.1", told("check", facts)))
        self.store.refused(Refusal(START + 1, "WX-SIG-02", "10.0.0.2", told("mismatch", {})))
        self.store.flush()
        (check,), (refusal,) = self.store.checks(), self.store.refusals()
        self.assertEqual((check.ip, refusal.ip, self.store.checks(START)), ("10.0.0.1", "10.0.0.2", []))
        self.assertEqual(refusal.values, {"reason": "mismatch"})
        self.assertEqual(check.values["method"], "GET")
        self.assertTrue(check.values["agent"].startswith("ab=c[31mxx"))
        self.assertEqual((set(check.values), len(check.values["agent"])), ({"reason", "method", "agent"}, 80 - 6 - 3))

    def test_silences_are_counted(self) -> None:
        for second in range(3):
            self.store.silent(START + second)
        self.assertEqual(self.store.silences(START + 0.5), 2)

    def test_counters_add_up_and_users_are_counted_once(self) -> None:
        for number in range(3):
            self.store.finish(self.claimed(number, f"o{number % 2}"), answer(counts=("messages", "rule:echo")))
        self.store.attempt(push(0, "o0").key, "again", ("duplicates",))
        self.store.flush()
        found = self.store.counts(START - 3600)
        self.assertEqual((found["messages"], found["rule:echo"], found["duplicates"], found["users"]), (3, 3, 1, 2))
        self.assertEqual(self.store.counts(START + 7200).get("messages", 0), 0)

    def test_a_healthy_store_has_nothing_wrong(self) -> None:
        self.assertEqual(self.store.check(), "")

    def late(self, number: int | str, user: str = "oUSER", text: str = "late answer") -> None:
        claim = self.claimed(number, user)
        self.store.say_busy(push(number, user), b"busy")
        self.store.finish_late(claim, [mail(text)], answer())


__all__ = ["ANSWERS_KEPT", "START", "Clock", "Contract", "answer", "mail", "push"]
