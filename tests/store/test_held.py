"""The file is there and another process holds it: an operator's shell, a backup. And the way back from a spare file."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from weixin.store import database
from weixin.store import disk as disks
from weixin.store.base import Status, Verdict
from weixin.store.sqlite import SQLite

from .contract import START, answer, mail, push
from .folder import Folder

ROOT = Path(__file__).parents[2]
# Another process that has the file until its standard input ends.
HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
db.execute("ROLLBACK")
"""
# A request has to be answered within 4.5 seconds, and waits for one at most; here for a fifth, on a busy machine.
SOON = 2.0


class HeldTest(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(setattr, database, "WAIT_SECONDS", database.WAIT_SECONDS)
        database.WAIT_SECONDS = 0.2

    def hold(self) -> Callable[[], None]:
        """Have another process hold the file until what is returned is called."""
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def let_go() -> None:
            if process.returncode is None:
                stdin.close()
                process.wait(10)
                stdout.close()

        self.addCleanup(let_go)
        self.assertEqual(stdout.readline(), "held\n")
        return let_go

    def soon(self, *calls: Callable[[], Any]) -> list[Any]:
        """Call them, in the time that a request has."""
        results = []
        for call in calls:
            began = time.monotonic()
            results.append(call())
            self.assertLess(time.monotonic() - began, SOON)
        return results

    def held(self, store: SQLite) -> Callable[[], None]:
        let_go = self.hold()

        def written() -> None:
            let_go()
            self.until(lambda: not store._disk.held)
            store.flush()
            self.assertEqual(store._disk.db.path, self.path)

        return written

    def test_a_slow_answer_is_given_and_written_when_the_file_is_free(self) -> None:
        store = self.open()
        claim = store.claim(push())
        store.flush()
        written = self.held(store)
        seen, verdict = self.soon(
            lambda: store.join(push()), lambda: store.finish(claim, answer(b"slow", fetched=False))
        )
        self.assertEqual((seen, verdict), (2, Verdict.KEPT))
        (body,) = self.soon(lambda: store.fetch(push().key))
        self.assertEqual(body, b"slow")
        again = store.claim(push())
        self.assertEqual((again.status, again.body), (Status.ANSWERED, b"slow"))
        written()
        other = self.open()
        self.assertEqual(other.claim(push()).body, b"slow")
        self.assertEqual(other.overdue(START + 1000), [])

    def test_an_answer_nobody_fetched_still_goes_to_the_mailbox(self) -> None:
        store = self.open()
        claim = store.claim(push())
        store.flush()
        written = self.held(store)
        self.soon(lambda: store.finish(claim, answer(b"slow", fetched=False)))
        written()
        self.assertEqual([late.body for late in store.overdue(START + 1000)], [b"slow"])

    def test_an_answer_that_did_not_arrive_still_goes_to_the_mailbox(self) -> None:
        store = self.open()
        claim = store.claim(push())
        written = self.held(store)
        store.finish(claim, answer(b"quick"))
        self.soon(lambda: store.missed(push().key))
        written()
        self.assertEqual([late.body for late in store.overdue(START + 1000)], [b"quick"])

    def test_busy_is_said_and_the_answer_waits_in_the_mailbox(self) -> None:
        store = self.open()
        claim = store.claim(push())
        store.flush()
        written = self.held(store)
        said, again, verdict = self.soon(
            lambda: store.say_busy(push(), b"busy"),
            lambda: store.say_busy(push(), b"busy again"),
            lambda: store.finish(claim, answer(b"slow", fetched=False)),
        )
        self.assertEqual((said, again, verdict), (b"busy", b"busy", Verdict.BUSY))
        self.soon(lambda: store.finish_late(claim, [mail()], answer(result="mailbox")))
        self.assertEqual(store.claim(push()).body, b"busy")
        written()
        other = self.open()
        self.assertEqual([letter.text for letter in other.mail("gh_1", "oUSER")], ["late answer"])
        self.assertEqual(other.claim(push()).body, b"busy")

    def test_busy_said_to_the_message_of_another_process_loses_no_answer(self) -> None:
        store, owner = self.open(), self.open()
        claim = owner.claim(push())
        owner.flush()
        let_go = self.hold()
        self.assertEqual(self.soon(lambda: store.say_busy(push(), b"busy")), [b"busy"])
        self.soon(lambda: owner.finish(claim, answer(b"slow", fetched=False)))
        let_go()
        self.until(lambda: not owner._disk.held)  # it is the first to write
        self.until(lambda: not store._disk.held)
        late = self.until(lambda: store.overdue(START + 1000))  # let in by the owner, who was alone
        self.assertEqual([each.body for each in late], [b"slow"])

    def test_mail_waits_and_is_not_handed_out_by_two(self) -> None:
        store = self.open()
        store.finish(store.claim(push("first")), answer(put=(mail("the rest"),)))
        (letter,) = store.mail("gh_1", "oUSER")
        claim = store.claim(push())
        written = self.held(store)
        self.assertEqual(self.soon(lambda: store.finish(claim, answer(take=(letter.id,)))), [Verdict.MAIL_GONE])
        self.assertEqual(store.mail("gh_1", "oUSER"), [])
        self.assertTrue(store.expecting("gh_1", "oUSER", START))
        self.assertFalse(store.expecting("gh_1", "oOTHER", START))
        self.assertEqual(self.soon(lambda: store.finish(claim, answer(b"without"))), [Verdict.KEPT])
        written()
        self.assertEqual([found.text for found in store.mail("gh_1", "oUSER")], ["the rest"])

    def test_the_rest_of_a_long_answer_is_put_in_the_mailbox_later(self) -> None:
        store = self.open()
        claim = store.claim(push())
        written = self.held(store)
        self.assertEqual(self.soon(lambda: store.finish(claim, answer(put=(mail("rest"),)))), [Verdict.KEPT])
        written()
        self.assertEqual([found.text for found in store.mail("gh_1", "oUSER")], ["rest"])

    def test_state_counts_on_and_no_other_process_counts_from_what_is_old(self) -> None:
        store, other = self.open(), self.open()
        written = self.held(store)
        name = push().key
        for count in range(3):
            self.assertTrue(store.lock(name, 1))
            self.assertEqual(store.state("gh_1", "oUSER").get("n", "0"), str(count))
            self.soon(lambda count=count: store.change("gh_1", "oUSER", {"n": str(count + 1)}))
            store.unlock(name)
        self.assertFalse(other.lock(name, 0.05))
        written()
        self.assertTrue(other.lock(name, 1))
        self.assertEqual(other.state("gh_1", "oUSER"), {"n": "3"})
        other.unlock(name)

    def test_a_user_who_leaves_is_forgotten_when_the_file_is_free(self) -> None:
        store = self.open()
        store.change("gh_1", "oUSER", {"a": "1"})
        store.finish(store.claim(push("late")), answer(put=(mail(),)))
        written = self.held(store)
        store.finish(store.claim(push("quick")), answer(b"secret"))
        self.soon(lambda: store.forget("oUSER"))
        written()
        self.assertEqual((store.state("gh_1", "oUSER"), store.mail("gh_1", "oUSER")), ({}, []))
        self.assertEqual([(found.user, found.body) for found in store.deliveries(9)], [("", b"")] * 2)

    def test_what_is_owed_of_a_user_who_left_elsewhere_meanwhile_is_nobodys(self) -> None:
        store, other = self.open(shared=True), self.open(shared=True)
        store._turns.end()
        let_go = self.hold()
        self.assertIs(store.finish(store.claim(push(text="secret")), answer(b"secret", put=(mail(),))), Verdict.KEPT)
        let_go()
        self.clock.now += 1
        other.forget("oUSER")
        self.assertTrue(store.flush())
        self.assertEqual((other.mail("gh_1", "oUSER"), other.counts(START - 3600)["users"]), ([], 0))
        self.assertEqual([(found.user, found.text) for found in other.deliveries(9)], [("", "")])

    def test_state_that_is_changed_just_when_the_file_is_free_again_is_not_what_it_was(self) -> None:
        store = self.open()
        self.addCleanup(setattr, disks, "HELD_LONG", disks.HELD_LONG)
        disks.HELD_LONG = 0.0
        seen: list[dict[str, str]] = []

        class Free(logging.Handler):
            """Who is there when it is said that the file is free."""

            def emit(self, record: logging.LogRecord) -> None:
                if record.getMessage() == "free":
                    store.change("gh_1", "oUSER", {"n": "2"})
                    seen.append(store.state("gh_1", "oUSER"))

        logger, handler = logging.getLogger("wxserve.store"), Free()
        self.addCleanup(logger.removeHandler, handler)
        self.addCleanup(logger.setLevel, logger.level)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        let_go = self.hold()
        store.change("gh_1", "oUSER", {"n": "1"})
        let_go()
        self.until(lambda: seen)
        self.assertEqual(seen, [{"n": "2"}])

    def test_a_user_who_leaves_behind_his_late_answer_is_not_counted_when_that_is_written(self) -> None:
        store = self.open()
        claim = store.claim(push())
        store.say_busy(push(), b"busy")
        written = self.held(store)
        store.finish_late(claim, [mail()], answer(result="mailbox"))
        store.forget("oUSER")
        written()
        store.flush()
        self.assertEqual((store.mail("gh_1", "oUSER"), store.counts(START - 3600)["users"]), ([], 0))
        self.assertEqual([found.user for found in store.deliveries(9)], [""])

    def test_who_ends_while_it_is_held_tries_until_it_is_free(self) -> None:
        store = self.open()
        claim = store.claim(push())
        store.say_busy(push(), b"busy")
        let_go = self.hold()
        store.finish_late(claim, [mail()], answer(result="mailbox"))
        ending = threading.Thread(target=store.close)
        ending.start()
        time.sleep(1.5 * database.WAIT_SECONDS)
        let_go()
        ending.join(10)
        self.assertEqual([letter.text for letter in self.open().mail("gh_1", "oUSER")], ["late answer"])

    def test_many_threads_do_not_wait_for_each_other(self) -> None:
        store = self.open()
        claims = [store.claim(push(number)) for number in range(8)]
        store.flush()
        written = self.held(store)
        threads = [
            threading.Thread(target=store.finish, args=(claim, answer(b"slow", fetched=False))) for claim in claims
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertLess(time.monotonic() - began, SOON)
        written()
        self.assertEqual(len(store.overdue(START + 1000)), 8)

    def test_who_holds_it_long_is_said_once_and_that_it_is_free(self) -> None:
        self.addCleanup(setattr, disks, "HELD_LONG", disks.HELD_LONG)
        disks.HELD_LONG = 0.2
        store = self.open()
        let_go = self.hold()
        with self.assertLogs("wxserve.store", logging.INFO) as logged:
            store.silent(START)
            self.until(lambda: logged.records)
            let_go()
            self.until(lambda: not store._disk.held)
        self.assertEqual([record.__dict__["code"] for record in logged.records], ["WX-STO-02", ""])
        self.assertEqual(store.silences(START - 1), 1)

    def test_a_store_that_is_held_too_long_goes_on_elsewhere(self) -> None:
        store = self.open()
        self.addCleanup(setattr, disks, "HELD_MOST", disks.HELD_MOST)
        disks.HELD_MOST = 0.0
        let_go = self.hold()
        with self.assertLogs("wxserve.store", logging.ERROR):
            store.change("gh_1", "oUSER", {"a": "1"})
            self.until(lambda: store._disk.db.path != self.path)
        self.until(lambda: not store._disk.held)
        self.assertEqual(store.state("gh_1", "oUSER"), {"a": "1"})
        let_go()


