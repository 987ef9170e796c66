"""The store in a file: what the contract says, what survives, what processes see of each other, what breaks."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from weixin.store import housekeeping, leaving, open_store
from weixin.store.base import ANSWERS_KEPT, Status, Store, Verdict
from weixin.store.batch import MUCH
from weixin.store.claims import SLOTS
from weixin.store.records import Records, Unreadable, open_records
from weixin.store.sqlite import SQLite

from .contract import START, Clock, Contract, answer, mail, push
from .folder import Folder

ROOT = Path(__file__).parents[2]
# Anybody but root.
NOBODY = 65534
# Another process that claims what it is told and says what came of it.
OTHER = """
import sys
from tests.store.contract import push, answer, Clock
from weixin.store.sqlite import SQLite
store = SQLite(sys.argv[1], clock=Clock(), shared="shared" in sys.argv)
for line in sys.stdin:
    word, number = line.split()
    if word == "claim":
        claim = store.claim(push(int(number)))
        print(claim.status.value, (claim.body or b"-").decode(), claim.runs, flush=True)
    elif word == "finish":
        store.finish(claim, answer(b"theirs"))
        store.flush()
        print("ok", flush=True)
    elif word == "flush":
        store.flush()
        print("ok", flush=True)
    elif word == "busy":
        print(store.say_busy(push(int(number)), b"busy").decode(), flush=True)
"""


def slot(key: bytes) -> int:
    """Which place in the file of claims a key shares with others."""
    return int.from_bytes(key[4:8], "big") % SLOTS


class Other:
    """A process with the same store."""

    def __init__(self, test: unittest.TestCase, path: str, *words: str) -> None:
        command = [sys.executable, "-c", OTHER, path, *words]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.kill)

    def ask(self, word: str, number: int = 1) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{word} {number}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


class SQLiteContract(Contract):
    def make(self, clock: Clock, **options: object) -> Store:
        folder = tempfile.mkdtemp(prefix="wxserve-test-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return SQLite(os.path.join(folder, "store.db"), clock=clock, **options)  # type: ignore[arg-type]


class RestartTest(Folder):
    def test_what_was_committed_is_there_after_a_restart(self) -> None:
        store = self.open()
        store.change("gh_1", "oUSER", {"a": "1"})
        claim = store.claim(push(1))
        store.say_busy(push(1), b"busy")
        store.finish_late(claim, [mail()], answer())
        store.finish(store.claim(push(2)), answer(b"two"))
        store.close()
        store = self.open()
        self.assertEqual(store.state("gh_1", "oUSER"), {"a": "1"})
        self.assertEqual([letter.text for letter in store.mail("gh_1", "oUSER")], ["late answer"])
        self.assertEqual(store.claim(push(1)).body, b"busy")
        self.assertEqual(store.claim(push(2)).body, b"two")

    def test_mail_is_found_even_if_the_file_of_claims_was_lost(self) -> None:
        store = self.open()
        claim = store.claim(push(1))
        store.finish(claim, answer(put=(mail(),)))
        store.close()
        os.unlink(self.path + "-claims")
        self.assertEqual(len(self.open().mail("gh_1", "oUSER")), 1)

    def test_mail_is_seen_from_the_moment_it_is_committed(self) -> None:
        """Or a pick-up word would find that nothing is on its way any more, and nothing there."""
        store, other = self.open(shared=True), self.open(shared=True)
        seen: list[int] = []

        def write(work: Callable[[sqlite3.Connection], object], late: Callable[[], object]) -> object:
            result = store._disk.write(work, late)
            seen.append(len(other.mail("gh_1", "oUSER")))
            return result

        late, quick, unfetched = (store.claim(push(number)) for number in range(3))
        store.say_busy(push(0), b"busy")
        store.finish(unfetched, answer(fetched=False))
        store._write = write  # type: ignore[method-assign, assignment]
        store.finish_late(late, [mail()], answer())
        store.finish(quick, answer(put=(mail(),)))
        store.settle(push(2).key, b"busy", [mail()])
        self.assertEqual(seen, [1, 2, 3])

    def test_two_stores_on_one_file_exclude_each_other_in_one_process_too(self) -> None:
        one, two = self.open(shared=True), self.open(shared=True)
        one._turns.end()  # nobody else writes
        claim = one.claim(push())
        self.assertIs(two.claim(push()).status, Status.TAKEN)
        one.finish(claim, answer(b"one"))
        self.assertIs(two.claim(push()).status, Status.TAKEN)  # until it is written
        one.flush()
        self.assertEqual(two.claim(push()).body, b"one")

    def test_nobody_else_may_read_it(self) -> None:
        self.open().change("gh_1", "oUSER", {"a": "1"})
        for name in os.listdir(self.folder):
            self.assertEqual(os.stat(os.path.join(self.folder, name)).st_mode & 0o077, 0, name)


class ForgetTest(Folder):
    def test_no_byte_of_what_was_forgotten_is_left_in_the_files(self) -> None:
        store = self.open(full=True)
        secret = "SECRETSECRET"
        for number in range(30):
            self.clock.now += 1
            store.change("gh_1", "oGONE", {f"name{number}": f'"{secret}"'})
            claim = store.claim(push(number, "oGONE", text=secret)._replace(xml=secret.encode() * 500))
            store.finish(claim, answer(secret.encode() * 300, put=(mail(secret, secret),)))
        store.flush()
        self.assertIn(secret.encode(), self.bytes())
        store.forget("oGONE")
        deadline = time.monotonic() + 10
        while secret.encode() in self.bytes() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertNotIn(secret.encode(), self.bytes())
        self.assertNotIn(b"oGONE", self.bytes())

    def test_a_message_that_is_answered_just_then_is_forgotten_too(self) -> None:
        store = self.open()
        claim = store.claim(push())
        flush, answered = store.flush, []

        def flushed() -> bool:
            written = flush()
            if not answered:
                answered.append(store.finish(claim, answer(b"secret")))
            return written

        store.flush = flushed  # type: ignore[method-assign]
        store.forget("oUSER")
        flush()
        self.assertTrue(answered)
        self.assertEqual([found.user for found in store.deliveries(9)], [""])
        self.assertEqual(store.counts(START - 3600)["users"], 0)

    def test_what_another_process_writes_later_of_who_was_forgotten_is_nobodys(self) -> None:
        for late in (False, True):
            for mailed in (False, True):
                with self.subTest(late=late, mailed=mailed):
                    user, name = f"oGONE{late}{mailed}", f"{late}{mailed}"
                    theirs, ours = self.open(shared=True), self.open(shared=True)
                    theirs._turns.end()
                    claim = theirs.claim(push(name, user, text="secret"))
                    put = (mail("secret"),) if mailed else ()
                    if not (late or mailed):
                        theirs.finish(claim, answer(b"secret"))  # nobody but that process knows, as yet
                    self.clock.now += 1
                    ours.forget(user)
                    if late:
                        theirs.join(push(name, user, text="secret"))
                        theirs.say_busy(push(name, user, text="secret"), b"busy")
                        theirs.finish_late(claim, put, answer(b"secret", result="mailbox"))
                    elif mailed:
                        self.assertIs(theirs.finish(claim, answer(b"secret", put=put)), Verdict.FORGOTTEN)
                    theirs.flush()
                    self.assertEqual([found.user + found.text for found in ours.deliveries(1)], [""])
                    self.assertEqual(ours.mail("gh_1", user), [])
                    self.assertEqual(ours.counts(START - 3600)["users"], 0)
                    self.assertEqual(ours.claim(push(name, user)).body, b"")
                    theirs.finish(theirs.claim(push(f"back {name}", user, at=self.clock.now)), answer())
                    theirs.flush()
                    self.assertEqual([found.user for found in ours.deliveries(1)], [user])  # who came back is known
                    ours.forget(user)

    def test_a_message_that_runs_on_elsewhere_while_its_user_is_forgotten_is_nobodys(self) -> None:
        theirs, ours = self.open(shared=True), self.open(shared=True)
        theirs._turns.end()
        claim = theirs.claim(push(user="oGONE", text="secret"))
        self.clock.now += 1
        ours.forget("oGONE")
        theirs.flush()  # writes it down as running
        self.assertNotIn("oGONE", str(ours.deliveries(1)))
        self.assertIs(theirs.finish(claim, answer(b"secret")), Verdict.FORGOTTEN)
        self.assertNotIn("secret", str(ours.deliveries(1)))

    def test_who_is_forgotten_while_the_log_is_wiped_is_wiped_from_it_too(self) -> None:
        store = self.open()
        store._turns.end()
        store._mover.end()
        store.change("gh_1", "oFIRST", {"a": "1"})
        wipe, meanwhile = store._disk.db.wipe_log, ["oSECOND"]

        def wiped() -> bool:
            done = wipe()
            for user in meanwhile:
                for number in range(9):
                    store.change("gh_1", user, {f"n{number}": "1"})
                store.forget(user)
            meanwhile.clear()
            return done

        store._disk.db.wipe_log = wiped  # type: ignore[method-assign]
        store.forget("oFIRST")
        for _ in range(2):
            store._mover._turn()
        self.assertNotIn(b"oFIRST", self.bytes())
        self.assertNotIn(b"oSECOND", self.bytes())

    def bytes(self) -> bytes:
        return b"".join(path.read_bytes() for path in Path(self.folder).iterdir())


class ProcessesTest(Folder):
    def test_a_claim_is_exact_between_processes_and_its_answer_is_shared(self) -> None:
        store, other = self.open(), Other(self, self.path)
        self.assertEqual(other.ask("claim"), "mine - 0")
        self.assertIs(store.claim(push()).status, Status.TAKEN)
        self.assertEqual(other.ask("finish"), "ok")
        self.assertEqual(store.claim(push()).body, b"theirs")

    def test_the_claim_of_a_process_that_dies_is_free_at_once_and_its_run_is_counted(self) -> None:
        store = self.open()
        for runs in range(3):
            other = Other(self, self.path)
            self.assertEqual(other.ask("claim"), f"mine - {runs}")
            if runs == 1:
                other.ask("flush")
            self.assertIs(store.claim(push()).status, Status.TAKEN)
            other.kill()
        claim = store.claim(push())
        self.assertIs(claim.status, Status.MINE)
        self.assertEqual(claim.runs, 3)

    def test_a_message_whose_process_died_is_overdue_and_can_be_had(self) -> None:
        store, other = self.open(), Other(self, self.path)
        other.ask("claim")
        other.ask("flush")
        self.assertEqual(store.overdue(START + 60), [])
        other.kill()
        (late,) = store.overdue(START + 60)
        self.assertEqual((late.body, late.runs), (None, 1))
        self.assertIs(store.claim(late.push).status, Status.MINE)
        self.assertEqual(late.push.xml, push().xml)

    def test_runs_that_another_process_goes_on_with_hide_no_orphan(self) -> None:
        # Who is alone lets others in when it has its turn, which on a busy machine may be late.
        store = self.open(shared=True)
        other, dying = (Other(self, self.path, "shared") for _ in range(2))
        for number in range(50):
            other.ask("claim", number)
        other.ask("flush")
        dying.ask("claim", 99)
        dying.ask("flush")
        dying.kill()
        self.assertEqual([late.push.key for late in store.overdue(START + 60)], [push(99).key])

    def test_deaths_are_remembered_however_long_nobody_was_there(self) -> None:
        for _ in range(2):
            other = Other(self, self.path)
            other.ask("claim")
            other.ask("flush")
            other.kill()
        self.clock.now += 3600
        store = self.open()
        (late,) = store.overdue(self.clock.now)
        claim = store.claim(late.push)
        self.assertEqual((claim.status, claim.runs, claim.recorded), (Status.MINE, 2, True))

    def test_a_claim_that_is_looked_up_while_others_are_written_counts_no_run_twice(self) -> None:
        store = self.open()
        first = next(number for number in range(1, 10**7) if slot(push(number).key) == slot(push(0).key))
        store.claim(push(first))
        real, looked = store._read, []

        def read(work: Any) -> Any:
            looked.append(1)
            store.flush()  # the late writer's turn comes just now
            return real(work)

        store._read = read  # type: ignore[method-assign, assignment]
        claim = store.claim(push(0))
        self.assertEqual((looked, claim.status), ([1], Status.MINE))
        self.assertEqual((claim.runs, claim.seen, claim.recorded), (0, 0, False))

    def test_a_look_up_that_fails_leaves_the_message_free(self) -> None:
        store, other = self.open(shared=True), self.open(shared=True)
        store.claim(push())
        store.flush()
        store._claims.clear()
        store._disk.db.claims.unlock(push().key)

        def fails(work: object) -> None:
            raise sqlite3.ProgrammingError("ours")

        store._read = fails  # type: ignore[method-assign, assignment]
        with self.assertRaises(sqlite3.ProgrammingError):
            store.claim(push())
        self.assertIs(other.claim(push()).status, Status.MINE)

    def test_busy_said_by_another_process_sends_the_answer_to_the_mailbox(self) -> None:
        store, other = self.open(), Other(self, self.path)
        claim = store.claim(push())
        store.flush()
        self.assertEqual(other.ask("busy"), "busy")
        self.assertIs(store.finish(claim, answer()), Verdict.BUSY)

    def test_a_lock_holds_between_processes(self) -> None:
        one, two = self.open(shared=True), self.open(shared=True)
        self.assertTrue(one.lock(push().key, 0))
        self.assertFalse(two.lock(push().key, 0.01))
        one.unlock(push().key)
        self.assertTrue(two.lock(push().key, 0.01))
        two.unlock(push().key)

    def test_a_process_that_opens_a_new_file_waits_while_another_makes_it(self) -> None:
        maker = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self.addCleanup(maker.close)
        maker.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.1, maker.execute, ("COMMIT",))
        done.start()
        store = self.open()
        done.join()
        self.assertEqual(store._disk.db.path, self.path)


class CatchingUpTest(Folder):
    def test_a_thread_that_has_answered_writes_what_waits_once_it_is_much(self) -> None:
        store = self.open(shared=True)
        store._turns.end()  # nobody else does
        self.finish(store, range(MUCH - 1))
        store.catch_up()
        self.assertEqual(self.written(), 0)
        self.finish(store, [MUCH])
        store.catch_up()
        self.assertEqual(self.written(), MUCH)
        self.assertIs(self.open().claim(push(0)).status, Status.ANSWERED)

    def test_it_waits_for_nobody_who_writes_already(self) -> None:
        store = self.open()
        store._turns.end()
        self.finish(store, range(MUCH))
        with store._flushing:
            store.catch_up()
        self.assertEqual(self.written(), 0)

    def finish(self, store: SQLite, numbers: Iterable[int]) -> None:
        for number in numbers:
            store.finish(store.claim(push(number)), answer())

    def written(self) -> int:
        with Records(self.path) as records:
            return len(records.deliveries(10_000))


class BoundsTest(Folder):
    def test_the_ring_keeps_so_many_and_answers_go_after_their_time(self) -> None:
        store = self.open(keep=20)
        for number in range(100):
            self.clock.now += 1
            store.finish(store.claim(push(number)), answer(b"body"))
        store.flush()
        self.tidy(store)
        self.assertEqual(len(store.deliveries(500)), ANSWERS_KEPT)
        self.clock.now += ANSWERS_KEPT + 1
        self.tidy(store)
        kept = store.deliveries(500)
        self.assertEqual([found.name for found in kept], [f"d{number}" for number in range(99, 79, -1)])
        self.assertEqual({(found.body, found.push) for found in kept}, {(b"", b"")})

    def test_full_content_is_kept_for_a_day(self) -> None:
        store = self.open(full=True)
        store.finish(store.claim(push()), answer(b"body"))
        store.flush()
        for later, content in ((ANSWERS_KEPT + 1, (push().xml, b"body")), (24 * 3600 + 1, (b"", b""))):
            self.clock.now = START + later
            self.tidy(store)
            (found,) = store.deliveries(1)
            self.assertEqual((found.push, found.body), content)

    def test_the_file_stays_below_its_cap(self) -> None:
        full, housekeeping.FULL = housekeeping.FULL, 1 << 20
        self.addCleanup(setattr, housekeeping, "FULL", full)
        store = self.open()
        for number in range(12_000):
            store.finish(store.claim(push(number)), answer(b"x" * 300))
            if not number % 500:
                store.flush()
                self.tidy(store)
        self.assertLess(store.size(), 2 << 20)
        self.assertEqual(store.claim(push(11_999)).body, b"x" * 300)

    def test_many_users_cost_nobody_the_answer_that_a_duplicate_asks_for(self) -> None:
        full, housekeeping.FULL = housekeeping.FULL, 1 << 20
        self.addCleanup(setattr, housekeeping, "FULL", full)
        store = self.open()
        names = [(f"oUSER{number:023d}", START - number) for number in range(40_000)]
        store._disk.db.write(lambda db: db.executemany("INSERT INTO visitors VALUES (?, ?)", names))
        self.assertGreater(store.size(), housekeeping.FULL)
        for number in range(100):
            store.finish(store.claim(push(number)), answer(b"x" * 300))
        store.flush()
        for _ in range(60):
            self.tidy(store)
        self.assertLess(store.size(), housekeeping.FULL)
        self.assertEqual([store.claim(push(number)).body for number in range(100)], [b"x" * 300] * 100)
        newest = store._read(lambda db: db.execute("SELECT user FROM visitors ORDER BY last DESC LIMIT 2").fetchall())
        self.assertIn((names[0][0],), newest)

    def test_so_many_users_are_counted_and_no_more(self) -> None:
        most, housekeeping.MOST_VISITORS = housekeeping.MOST_VISITORS, 1_000
        self.addCleanup(setattr, housekeeping, "MOST_VISITORS", most)
        store = self.open()
        for number in range(1_500):
            self.clock.now += 1
            store.finish(store.claim(push(number, f"o{number}")), answer())
        store.flush()
        self.tidy(store)
        self.assertLessEqual(store.counts(0)["users"], 1_000)
        self.assertEqual(store.counts(self.clock.now - 100)["users"], 101)

    def test_that_somebody_was_forgotten_is_forgotten_when_nothing_of_his_can_be_on_its_way(self) -> None:
        store = self.open()
        store.forget("oUSER")
        for wait, left in ((leaving.NOTED_SECONDS - 1, 1), (2.0, 0)):
            self.clock.now += wait
            self.tidy(store)
            self.assertEqual(store._look(lambda db: db.execute("SELECT count(*) FROM forgotten").fetchone()), (left,))

    def test_silences_of_a_clock_that_was_put_back_are_not_counted_for_hours(self) -> None:
        store = self.open()
        store.silent(START + 7200)
        store.silent(START)
        self.tidy(store)
        self.assertEqual(store.silences(START - 300), 1)

    def test_a_store_tidies_up_by_itself(self) -> None:
        store = self.open(keep=0)
        store.finish(store.claim(push()), answer())
        store.flush()
        self.assertEqual(len(store.deliveries(1)), 1)
        self.clock.now += ANSWERS_KEPT + 1
        self.until(lambda: not store.deliveries(1))

    def tidy(self, store: SQLite) -> None:
        housekeeping.Housekeeping(store._housekeeping._keep, store._full).turn(store._disk.db, self.clock.now)


class BrokenDiskTest(Folder):
    def setUp(self) -> None:
        super().setUp()
        # The spare folder goes with the test.
        self.addCleanup(setattr, tempfile, "tempdir", tempfile.tempdir)
        tempfile.tempdir = self.folder

    def test_a_file_that_is_no_database_costs_one_loud_line_and_no_reply(self) -> None:
        Path(self.path).write_bytes(b"this is not a database " * 1000)
        with self.assertLogs("wxserve.store", logging.ERROR) as logged:
            store = self.open()
            self.use(store)
        self.assertEqual([record.__dict__["code"] for record in logged.records], ["WX-STO-01"])
        self.assertTrue(Path(self.path).read_bytes().startswith(b"this is not"))

    def test_a_file_that_breaks_while_it_is_used_is_left(self) -> None:
        store = self.open()
        first = store.claim(push(1))
        store.flush()
        for connection in store._disk.db._connections:
            connection.close()
        # A closed connection raises ProgrammingError, which is a bug of ours; a disk raises this:
        store._disk.db.write = store._disk.db.read = self.broken  # type: ignore[method-assign, assignment]
        with self.assertLogs("wxserve.store", logging.ERROR) as logged:
            self.use(store)
            self.assertIs(store.finish(first, answer(b"first")), Verdict.KEPT)
        self.assertEqual(len(logged.records), 1)
        self.assertEqual(store.claim(push(1)).body, b"first")

    def test_a_folder_that_cannot_be_written_is_left(self) -> None:
        self.path = "/proc/wxserve/store.db"
        with self.assertLogs("wxserve.store", logging.ERROR):
            self.use(self.open())

    def test_processes_meet_in_the_spare_file(self) -> None:
        self.path = "/proc/wxserve/store.db"
        with self.assertLogs("wxserve.store", logging.ERROR):
            one, two = self.open(), self.open()
        one.claim(push())
        self.assertIs(two.claim(push()).status, Status.TAKEN)

    def use(self, store: SQLite) -> None:
        store.change("gh_1", "oUSER", {"a": "1"})
        self.assertEqual(store.state("gh_1", "oUSER"), {"a": "1"})
        claim = store.claim(push(100))
        self.assertIs(claim.status, Status.MINE)
        store.finish(claim, answer(b"kept"))
        store.flush()
        self.assertEqual(store.claim(push(100)).body, b"kept")

    @staticmethod
    def broken(work: object) -> object:
        raise sqlite3.DatabaseError("database disk image is malformed")


class RecordsTest(Folder):
    def test_a_command_reads_beside_a_running_server_and_after_it(self) -> None:
        store = self.open()
        store.finish(store.claim(push()), answer())
        store.flush()
        for _ in range(2):
            records = Records(self.path)
            self.assertEqual([found.name for found in records.deliveries(5)], ["d1"])
            self.assertEqual(records.check(), "")
            records.close()
            store.close()

    def test_a_path_may_hold_what_means_something_in_an_address(self) -> None:
        self.path = os.path.join(self.folder, "100% of #1? 天气.db")
        store = self.open()
        store.finish(store.claim(push()), answer())
        store.flush()
        for _ in range(2):
            with Records(self.path) as records:
                self.assertEqual([found.name for found in records.deliveries(5)], ["d1"])
            store.close()

    def test_a_command_never_makes_the_file(self) -> None:
        with self.assertRaises(Unreadable):
            Records(self.path)
        for url in (f"sqlite:{self.path}", "memory:"):
            self.assertIsNone(open_records(url))
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_is_no_store_is_unreadable(self) -> None:
        for content in (b"", b"words " * 1000):
            with open(self.path, "wb") as stream:
                stream.write(content)
            with self.assertRaises(Unreadable):
                open_records(f"sqlite:{self.path}")

    def test_what_may_not_be_read_is_said_to_be_so(self) -> None:
        open_store(f"sqlite:{self.path}").close()
        for folder, file in ((0o755, 0), (0, 0o644)):
            with self.subTest(folder=oct(folder), file=oct(file)):
                os.chmod(self.path, file)
                os.chmod(self.folder, folder)
                self.assertEqual(self.told_to_somebody_else(), "Permission denied")
                os.chmod(self.folder, 0o700)

    def told_to_somebody_else(self) -> str:
        """Why the file cannot be read by who is not root, who may read everything."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            with contextlib.suppress(PermissionError):
                os.setuid(NOBODY)
            try:
                open_records(f"sqlite:{self.path}")
            except Unreadable as error:
                os.write(writing, str(error).encode())
            os._exit(0)
        os.close(writing)
        with open(reading) as stream:
            told = stream.read()
        os.waitpid(child, 0)
        return told


class OpenTest(Folder):
    def test_urls(self) -> None:
        for url in ("memory:", f"sqlite:{self.path}"):
            store = open_store(url)
            self.assertEqual(store.url, url)
            store.close()
        for url in ("", "memory", "sqlite:", "mysql:x", "memory:x"):
            with self.assertRaises(ValueError, msg=url):
                open_store(url)


del Contract
