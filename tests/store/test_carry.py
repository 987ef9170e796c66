"""Out of a file that fails into a spare one, and back when it works again; with what users were told, and once."""

from __future__ import annotations

import logging
import os
import resource
import sqlite3
import tempfile
import threading
from pathlib import Path
from typing import Any

from weixin.store import database, spare
from weixin.store import disk as disks
from weixin.store.base import ORPHAN_AFTER, Status, Verdict
from weixin.store.sqlite import SQLite

from .contract import START, answer, mail, push
from .folder import Folder


class CarryTest(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(setattr, disks, "RETURN_SECONDS", disks.RETURN_SECONDS)
        disks.RETURN_SECONDS = 0.0
        self.addCleanup(logging.disable, logging.NOTSET)
        logging.disable(logging.CRITICAL)

    def fill(self, store: SQLite) -> None:
        """The disk is full: this file takes no more page."""
        self.full(store)
        db, number = store._disk.db, 0
        while store._disk.db is db:
            number += 1
            store.change("gh_1", "oFILLER", {f"n{number}": '"' + "x" * 4000 + '"'})
        self.assertNotEqual(store._disk.db.path, self.path)

    def full(self, store: SQLite) -> None:
        """The disk is full, and nobody has found out yet."""
        store.flush()
        (pages,) = store._disk.db._writer.execute("PRAGMA page_count").fetchone()
        store._disk.db._writer.execute(f"PRAGMA max_page_count={pages}")
        disks.RETURN_SECONDS = 3600.0

    def back(self, *stores: SQLite) -> None:
        """The disk works again."""
        for store in stores:
            store._disk._return_at = 0.0
            store._turns.wake()
            self.until(lambda store=store: store._disk.db.path == self.path)

    def test_a_damaged_file_that_is_moved_away_is_replaced_by_what_was_kept_meanwhile(self) -> None:
        Path(self.path).write_bytes(b"this is not a database " * 1000)
        store = self.open()
        store.change("gh_1", "oUSER", {"a": "1"})
        store.finish(store.claim(push("one")), answer(b"one", put=(mail("rest"),)))
        store.finish(store.claim(push("two")), answer(b"two", fetched=False))
        running = store.claim(push("three"))
        store.flush()
        store.flush()
        self.assertNotEqual(store._disk.db.path, self.path)
        os.unlink(self.path)
        self.back(store)
        other = self.open()
        self.assertEqual(other._disk.db.path, self.path)
        for each in (store, other):
            self.assertEqual(each.state("gh_1", "oUSER"), {"a": "1"})
            self.assertEqual([letter.text for letter in each.mail("gh_1", "oUSER")], ["rest"])
            self.assertEqual(each.claim(push("one")).body, b"one")
            self.assertEqual([late.body for late in each.overdue(START + 1000)], [b"two"])
            self.assertIs(each.claim(push("three")).status, Status.TAKEN)
        self.assertIs(store.finish(running, answer(b"three")), Verdict.KEPT)
        store.flush()
        self.assertEqual(other.claim(push("three")).body, b"three")

    def test_a_file_that_is_still_damaged_is_left_alone(self) -> None:
        logging.disable(logging.NOTSET)
        Path(self.path).write_bytes(b"this is not a database " * 1000)
        with self.assertLogs("wxserve.store", logging.INFO) as logged:
            store = self.open()
            for number in range(20):
                store.finish(store.claim(push(number)), answer())
                store.flush()
                store._turn()
        self.assertEqual([record.__dict__["code"] for record in logged.records], ["WX-STO-01"])
        self.assertTrue(Path(self.path).read_bytes().startswith(b"this is not"))

    def test_state_and_mail_go_along_and_come_back_as_they_are_then(self) -> None:
        store = self.open()
        store.change("gh_1", "oUSER", {"n": "1", "gone": "1", "kept": "1"})
        store.finish(store.claim(push("a")), answer(b"a", put=(mail("first"), mail("second"))))
        store.finish(store.claim(push("b")), answer(b"b"))
        self.fill(store)
        self.assertEqual(store.state("gh_1", "oUSER"), {"n": "1", "gone": "1", "kept": "1"})
        first, second = store.mail("gh_1", "oUSER")
        self.assertEqual((first.text, second.text), ("first", "second"))
        self.assertEqual(store.claim(push("b")).body, b"b")
        self.clock.now += 1
        store.change("gh_1", "oUSER", {"n": "2", "gone": None})
        store.finish(store.claim(push("c")), answer(b"c", take=(first.id,), put=(mail("third"),)))
        self.back(store)
        other = self.open()
        for each in (store, other):
            self.assertEqual(each.state("gh_1", "oUSER"), {"n": "2", "kept": "1"})
            self.assertEqual([letter.text for letter in each.mail("gh_1", "oUSER")], ["second", "third"])
            self.assertEqual(each.claim(push("c")).body, b"c")
        # And once more: nothing of the first time is left in the spare file.
        self.clock.now += 1
        store.change("gh_1", "oUSER", {"kept": None})
        second, _ = store.mail("gh_1", "oUSER")
        store.finish(store.claim(push("d")), answer(b"d", take=(second.id,)))
        self.fill(store)
        self.assertEqual(store.state("gh_1", "oUSER"), {"n": "2"})
        self.back(store)
        self.assertEqual(store.state("gh_1", "oUSER"), {"n": "2"})
        self.assertEqual([letter.text for letter in store.mail("gh_1", "oUSER")], ["third"])

    def test_mail_that_was_looked_at_in_one_file_is_taken_out_of_the_other(self) -> None:
        store = self.open()
        for user in ("oA", "oB", "oC"):
            store.finish(store.claim(push("a", user)), answer(b"a", put=(mail(user),)))
        store.close()
        os.rename(self.path, self.path + "-away")
        Path(self.path).write_bytes(b"this is not a database " * 1000)
        away = self.open()
        away.finish(away.claim(push("b", "oD")), answer(b"b", put=(mail("oD"),)))
        (letter,) = away.mail("gh_1", "oD")
        claim = away.claim(push("c", "oD"))
        os.rename(self.path + "-away", self.path)
        self.back(away)
        self.assertIs(away.finish(claim, answer(b"c", take=(letter.id,))), Verdict.KEPT)
        self.assertEqual([len(away.mail("gh_1", user)) for user in ("oA", "oB", "oC", "oD")], [1, 1, 1, 0])

    def test_two_processes_come_back_one_after_the_other_and_nothing_is_there_twice(self) -> None:
        one, two = self.open(), self.open()
        one.change("gh_1", "oUSER", {"n": "1"})
        one.finish(one.claim(push("a")), answer(b"a", put=(mail("old"),)))
        self.fill(one)
        self.fill(two)
        self.assertEqual(one._disk.db.path, two._disk.db.path)
        self.clock.now += 1
        two.change("gh_1", "oUSER", {"n": "2"})
        running = two.claim(push("running"))
        two.flush()
        unfetched = two.claim(push("unfetched"))
        two.finish(unfetched, answer(b"unfetched", fetched=False))
        two.finish(two.claim(push("b")), answer(b"b", put=(mail("new"),)))
        self.back(one)
        # What the other still runs, and what its deliveries may still fetch, is the other's.
        self.assertEqual(one.overdue(START + 1000), [])
        self.assertEqual([letter.text for letter in one.mail("gh_1", "oUSER")], ["old", "new"])
        self.assertEqual(two.mail("gh_1", "oUSER"), [])
        self.assertEqual(two.fetch(push("unfetched").key), b"unfetched")
        self.clock.now += 1
        one.change("gh_1", "oUSER", {"n": "3"})
        self.assertIs(two.finish(running, answer(b"done", fetched=False)), Verdict.KEPT)
        self.back(two)
        for each in (one, two):
            self.assertEqual(each.state("gh_1", "oUSER"), {"n": "3"})
            self.assertEqual([letter.text for letter in each.mail("gh_1", "oUSER")], ["old", "new"])
            self.assertEqual([late.body for late in each.overdue(START + 1000)], [b"done"])

    def test_a_message_that_runs_through_it_all_keeps_its_answer(self) -> None:
        store, other = self.open(), self.open()
        claim = store.claim(push())
        store.flush()
        store.say_busy(push("busy"), b"busy") if (late := store.claim(push("busy"))) else None
        self.fill(store)
        self.back(store)
        self.assertIs(other.claim(push()).status, Status.TAKEN)
        self.assertIs(store.finish(claim, answer(b"through")), Verdict.KEPT)
        self.assertIs(store.finish(late, answer()), Verdict.BUSY)
        store.finish_late(late, [mail("late")], answer(result="mailbox"))
        store.flush()
        self.assertEqual(other.claim(push()).body, b"through")
        self.assertEqual([letter.text for letter in other.mail("gh_1", "oUSER")], ["late"])
        self.assertEqual(other.overdue(START + ORPHAN_AFTER + 1000), [])

    def test_an_answer_that_finds_the_disk_full_is_kept_elsewhere(self) -> None:
        store = self.open()
        claim = store.claim(push())
        store.flush()
        self.full(store)
        body = b"x" * 100_000
        self.assertIs(store.finish(claim, answer(body, fetched=False)), Verdict.KEPT)
        self.assertNotEqual(store._disk.db.path, self.path)
        self.assertEqual(store.fetch(push().key), body)

    def test_a_late_answer_that_finds_the_disk_full_waits_elsewhere_and_its_message_is_not_run_again(self) -> None:
        store = self.open()
        early, claim = store.claim(push("early")), store.claim(push("late"))
        for name in ("early", "late"):
            store.say_busy(push(name), b"busy")
        self.full(store)
        self.assertIs(store.finish(claim, answer(fetched=False)), Verdict.BUSY)
        letter = mail("x" * 100_000)
        store.finish_late(claim, [letter], answer(result="mailbox"))
        self.assertNotEqual(store._disk.db.path, self.path)
        store.finish_late(early, [letter], answer(result="mailbox"))
        for _ in range(2):
            self.assertEqual([found.text for found in store.mail("gh_1", "oUSER")], [letter.text] * 2)
            for name in ("early", "late"):
                again = store.claim(push(name))
                self.assertEqual((again.status, again.body), (Status.ANSWERED, b"busy"))
            self.assertEqual(store.overdue(START + 1000), [])
            self.back(store)

    def test_an_answer_is_not_lost_to_a_disk_that_was_full_for_a_while_with_nowhere_to_go(self) -> None:
        store = self.open()
        self.full(store)
        self.addCleanup(setattr, spare, "_MEMORY", spare._MEMORY)
        tempfile.tempdir = spare._MEMORY = "/proc/wxserve"
        claim = store.claim(push()._replace(xml=b"x" * 100_000))
        self.assertFalse(store.flush())
        store._disk.db._writer.execute("PRAGMA max_page_count=100000")
        self.assertIs(store.finish(claim, answer(b"kept", fetched=False)), Verdict.KEPT)
        self.assertEqual(store.fetch(push().key), b"kept")

    def test_who_leaves_while_his_message_runs_in_another_file_is_forgotten(self) -> None:
        store = self.open()
        claim = store.claim(push())
        store.flush()
        self.fill(store)
        store.forget("oUSER")
        self.assertIs(store.finish(claim, answer(b"secret", put=(mail("secret"),))), Verdict.FORGOTTEN)
        store.flush()
        self.assertEqual(store.mail("gh_1", "oUSER"), [])
        self.assertNotIn("oUSER", str(store.deliveries(9)))

    def test_a_message_that_is_given_up_long_after_its_file_was_left_is_anybodys(self) -> None:
        store = self.open()
        claim = store.claim(push())
        store.flush()
        self.fill(store)
        self.addCleanup(setattr, disks, "LEFT_SECONDS", disks.LEFT_SECONDS)
        disks.LEFT_SECONDS = 0.0
        self.back(store)
        store.release(claim)
        self.assertIs(store.claim(push()).status, Status.MINE)

    def test_what_a_process_that_died_left_is_fetched_when_the_file_is_free(self) -> None:
        store = self.open()
        self.fill(store)
        store.finish(store.claim(push("a")), answer(b"a", put=(mail("left"),)))
        store.close()
        disks.RETURN_SECONDS = 3600.0
        store = self.open()
        holder = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(holder.close)
        holder.execute("BEGIN IMMEDIATE")
        store._disk._return_at = 0.0
        store._disk.come_back(list)
        self.assertEqual(store.mail("gh_1", "oUSER"), [])
        holder.execute("COMMIT")
        store._disk._return_at = 0.0
        store._disk.come_back(list)
        self.assertEqual([letter.text for letter in store.mail("gh_1", "oUSER")], ["left"])

    def test_who_could_not_go_back_is_not_alone_with_who_has_come_since(self) -> None:
        """Or what the other does would be taken from it, or deleted."""
        one = self.open()
        self.fill(one)
        beside = sqlite3.connect(one._disk.db.path, isolation_level=None)
        self.addCleanup(beside.close)
        beside.execute("BEGIN IMMEDIATE")
        one._disk._return_at = 0.0
        one._disk.come_back(list)
        beside.execute("ROLLBACK")
        self.assertNotEqual(one._disk.db.path, self.path)
        two = self.open()
        self.fill(two)
        self.assertEqual(two._disk.db.path, one._disk.db.path)
        guests = [store._disk._guest for store in (one, two)]
        self.assertEqual([guest is not None and guest.is_alone() for guest in guests], [False, False])

    def test_a_spare_file_that_fails_too_is_left_for_another(self) -> None:
        self.addCleanup(setattr, spare, "_MEMORY", spare._MEMORY)
        spare._MEMORY = self.folder
        store = self.open()
        self.fill(store)
        first = store._disk.db.path
        store.change("gh_1", "oUSER", {"a": "1"})
        self.fill(store)
        self.assertNotEqual(store._disk.db.path, first)
        self.assertEqual(store.state("gh_1", "oUSER"), {"a": "1"})

    def test_a_spare_file_that_cannot_be_used_leaves_nothing_open_and_nothing_behind(self) -> None:
        store = self.open()
        self.fill(store)
        place = store._disk.db.path
        self.back(store)
        beside = sqlite3.connect(place, isolation_level=None)
        self.addCleanup(beside.close)
        beside.execute("BEGIN IMMEDIATE")
        before = self.opened(place)
        self.fill(store)
        self.assertNotEqual(store._disk.db.path, place)
        self.assertEqual(self.opened(place), before)
        *_, last = spare.places(store.url)
        self.assertFalse(os.path.exists(os.path.dirname(last)))

    def opened(self, place: str) -> int:
        """How many descriptors of ours are open beside the spare file; its own SQLite closes when nobody has a lock."""
        names = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
        return sum(name in (f"{place}-claims", f"{place}-here") for name in names)

    def test_a_message_that_ends_while_its_process_comes_back_is_nobodys(self) -> None:
        store, let_go = self.open(shared=True), SQLite._let_go
        self.fill(store)
        store._turns.end()
        store._let_go = lambda claim: None  # type: ignore[method-assign]
        claim = store.claim(push())
        store.flush()
        self.assertIs(store.finish(claim, answer(b"done", fetched=False)), Verdict.KEPT)

        def running() -> list[bytes]:
            keys = list(store._claims)
            if store._disk.db.writing.locked():  # it is on its way
                let_go(store, claim)
            return keys

        for _ in range(2):
            store._disk._return_at = 0.0
            store._disk.come_back(running)
        self.assertEqual(store._disk.db.path, self.path)
        self.assertIs(self.open(shared=True).claim(push()).status, Status.ANSWERED)

    def test_coming_back_waits_for_who_writes_into_the_spare_file_just_then(self) -> None:
        store = self.open()
        self.fill(store)
        store.change("gh_1", "oUSER", {"a": "1"})
        beside = sqlite3.connect(store._disk.db.path, isolation_level=None, check_same_thread=False)
        self.addCleanup(beside.close)
        beside.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.3, beside.execute, ("COMMIT",))
        done.start()
        self.addCleanup(done.join)
        store._disk._return_at = 0.0
        store._disk.come_back(list)
        self.assertEqual(store._disk.db.path, self.path)
        self.assertEqual(store.state("gh_1", "oUSER"), {"a": "1"})

    def test_who_left_meanwhile_is_forgotten_in_the_file_too(self) -> None:
        store = self.open(full=True)
        store.change("gh_1", "oUSER", {"a": "1"})
        store.finish(store.claim(push("a", text="secret")), answer(b"secret", put=(mail("secret"),)))
        self.fill(store)
        store.forget("oUSER")
        self.back(store)
        other = self.open()
        self.assertEqual((other.state("gh_1", "oUSER"), other.mail("gh_1", "oUSER")), ({}, []))
        self.assertNotIn("secret", str(other.deliveries(100)))
        self.assertNotIn("oUSER", str(other.deliveries(100)))

    def test_nothing_of_who_left_meanwhile_is_in_either_file(self) -> None:
        store = self.open(full=True)
        secret = "SECRETSECRET"
        store.change("gh_1", "oGONE", {"a": secret})
        store.finish(store.claim(push("a", "oGONE", text=secret)), answer(secret.encode(), put=(mail(secret),)))
        self.fill(store)
        place = store._disk.db.path
        store.forget("oGONE")
        self.back(store)

        def found() -> bool:
            paths = [path for base in (self.path, place) for path in Path(base).parent.glob(Path(base).name + "*")]
            content = b"".join(path.read_bytes() for path in paths)
            return secret.encode() in content or b"oGONE" in content

        self.until(lambda: not found())

    def test_who_leaves_is_forgotten_in_the_file_that_others_have_gone_to(self) -> None:
        one, two = self.open(), self.open()
        one.change("gh_1", "oUSER", {"a": "1"})
        self.fill(one)
        self.fill(two)
        two.finish(two.claim(push("a")), answer(b"secret", put=(mail("secret"),)))
        two.flush()
        self.back(one)
        one.forget("oUSER")
        self.assertEqual((two.state("gh_1", "oUSER"), two.mail("gh_1", "oUSER")), ({}, []))
        self.back(two)
        for store in (one, two):
            self.assertEqual((store.state("gh_1", "oUSER"), store.mail("gh_1", "oUSER")), ({}, []))
            self.assertNotIn("oUSER", str(store.deliveries(9)))

    def test_where_no_folder_for_temporary_files_has_room_it_goes_on_in_memory(self) -> None:
        store = self.open()
        self.addCleanup(setattr, spare, "_MEMORY", spare._MEMORY)
        spare._MEMORY = tempfile.tempdir
        self.addCleanup(setattr, tempfile, "_candidate_tempdir_list", tempfile._candidate_tempdir_list)
        tempfile._candidate_tempdir_list = lambda: ["/proc/wxserve"]  # a full disk looks like this
        tempfile.tempdir = None
        with self.assertRaises(OSError):
            tempfile.gettempdir()
        self.fill(store)
        self.assertTrue(store._disk.db.path.startswith(spare._MEMORY))
        self.back(store)
        store.forget("oFILLER")
        self.assertEqual(store.state("gh_1", "oFILLER"), {})

    def test_a_state_whose_lock_fails_with_the_disk_can_be_locked_later(self) -> None:
        store = self.open(shared=True)
        claims = store._disk.db.claims
        self.addCleanup(setattr, spare, "_MEMORY", spare._MEMORY)
        tempfile.tempdir = spare._MEMORY = "/proc/wxserve"
        fd = claims._fd
        with open(self.path + "-claims", "rb") as broken:
            claims._fd = broken.fileno()
            with self.assertRaises(OSError):
                store.lock(push().key, 0.1)
        claims._fd = fd
        self.assertTrue(store.lock(push().key, 0.1))

    def test_a_thread_that_hangs_in_a_file_that_was_left_keeps_nobody_else(self) -> None:
        self.addCleanup(setattr, database, "WAIT_SECONDS", database.WAIT_SECONDS)
        self.addCleanup(setattr, disks, "LEFT_SECONDS", disks.LEFT_SECONDS)
        database.WAIT_SECONDS, disks.LEFT_SECONDS = 0.05, 0.0
        store = self.open()
        left = store._disk.db
        self.fill(store)
        left.writing.acquire()
        self.back(store)
        store._turns.end()
        self.assertFalse(left.closed)
        left.writing.release()
        store._disk._return_at = 0.0
        store._disk.come_back(list)
        self.assertTrue(left.closed)

    def test_what_a_process_that_died_left_in_the_spare_file_is_found(self) -> None:
        store = self.open()
        self.fill(store)
        store.change("gh_1", "oUSER", {"a": "1"})
        store.finish(store.claim(push("a")), answer(b"a", put=(mail("left"),)))
        store.close()
        disks.RETURN_SECONDS = 0.0
        store = self.open()
        store.claim(push("b"))
        self.until(lambda: store.mail("gh_1", "oUSER"))
        self.assertEqual(store.state("gh_1", "oUSER"), {"a": "1"})
        for _ in range(3):
            store._turn()
        self.assertEqual([letter.text for letter in store.mail("gh_1", "oUSER")], ["left"])

    def test_what_came_back_from_a_spare_file_that_cannot_be_emptied_is_there_once(self) -> None:
        store = self.open()
        store._turns.end()
        store._mover.end()
        self.fill(store)
        store._disk.db.move_log()
        store.finish(store.claim(push("a")), answer(b"a", put=(mail("once"),)))
        for number in range(600):  # its log is long; that of the other is short
            store.change("gh_1", "oUSER", {"n": f'"{number:04000}"'})
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, limits)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, limits[1]))
        store._disk._return_at = 0.0
        store._disk.come_back(list)
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertEqual(store._disk.db.path, self.path)
        (letter,) = store.mail("gh_1", "oUSER")
        taking = store.claim(push("b"))
        self.assertIs(store.finish(taking, answer(b"b", take=(letter.id,), put=(mail("next"),))), Verdict.KEPT)
        store.close()
        store = self.open()
        store._disk._return_at = 0.0
        store._disk.come_back(list)
        self.assertTrue(store._disk._collected)
        self.assertEqual([letter.text for letter in store.mail("gh_1", "oUSER")], ["next"])
        # And the next time it moves what is new.
        self.fill(store)
        store.finish(store.claim(push("c")), answer(b"c", put=(mail("last"),)))
        self.back(store)
        self.assertEqual([letter.text for letter in store.mail("gh_1", "oUSER")], ["next", "last"])

    def test_the_ring_and_the_counters_come_back_too(self) -> None:
        store = self.open()
        store.finish(store.claim(push("a")), answer(b"a", counts=("messages",)))
        self.fill(store)
        store.finish(store.claim(push("b")), answer(b"b", counts=("messages",)))
        store.silent(START)
        store.flush()
        self.back(store)
        self.assertEqual({found.name for found in store.deliveries(9)}, {"da", "db"})
        self.assertEqual((store.counts(START - 1)["messages"], store.silences(START - 1)), (2, 1))

    def test_threads_that_write_while_it_goes_back_lose_nothing(self) -> None:
        store = self.open()
        self.fill(store)
        over, count = threading.Event(), [0, 0, 0, 0]

        def write(number: int) -> None:
            while not over.is_set():
                count[number] += 1
                store.change("gh_1", f"o{number}", {f"n{count[number]}": "1"})

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        self.until(lambda: min(count) > 5)
        self.back(store)
        much: Any = max(count) + 5
        self.until(lambda: max(count) > much)
        over.set()
        for thread in threads:
            thread.join(10)
        other = self.open()
        self.assertEqual([len(other.state("gh_1", f"o{number}")) for number in range(4)], count)
