"""Who runs what: one at a time of all processes, whether one is alone in the file or several come and go."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from collections.abc import Callable
from pathlib import Path

from weixin.store import bytelocks
from weixin.store.claims import Claims

ROOT = Path(__file__).parents[2]
# A process that comes and goes, and claims keys while it is here. Beside each key it makes a file that may be there
# once only. Three threads share what it has, as those of a store do: never the same key.
HAMMER = """
import os, random, sys, threading, time
from weixin.store.claims import Claims
path, seed, seconds, keys = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
guard, mine, pause = threading.Lock(), set(), random.Random(seed)

def work(claims, seed, until):
    choice = random.Random(seed)
    while time.monotonic() < until:
        number = choice.randrange(keys)
        key = bytes(8) + number.to_bytes(8, "big")
        with guard:
            if number in mine:
                continue
            mine.add(number)
        if claims.take(key, time.time(), 0.0) >= 0:
            try:
                os.close(os.open(f"{path}.{number}", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                print("twice", flush=True)
            if choice.random() < 0.5:
                time.sleep(choice.random() / 100)
            try:
                os.unlink(f"{path}.{number}")
            except FileNotFoundError:
                print("gone", flush=True)
            claims.unlock_all([key]) if choice.random() < 0.5 else claims.unlock(key)
        with guard:
            mine.discard(number)

def attend(claims, done):
    while not done.wait(0.002):
        claims.attend()

sys.setswitchinterval(1e-5)
end = time.monotonic() + seconds
while time.monotonic() < end:
    claims, done = Claims(path), threading.Event()
    until = time.monotonic() + pause.random() * 0.1
    threads = [threading.Thread(target=work, args=(claims, pause.random(), until)) for _ in range(3)]
    looking = threading.Thread(target=attend, args=(claims, done))
    for thread in (looking, *threads): thread.start()
    for thread in threads: thread.join()
    done.set()
    looking.join()
    if claims._held or claims._locked:
        print("left", flush=True)
    claims.close()
    time.sleep(pause.random() * 0.05)
"""


def key(number: int) -> bytes:
    return bytes(8) + number.to_bytes(8, "big")


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="wxserve-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.path = os.path.join(self.folder, "claims")

    def open(self, **options: bool) -> Claims:
        claims = Claims(self.path, **options)
        self.addCleanup(claims.close)
        return claims


@unittest.skipUnless(bytelocks.OWNED, "every process locks every byte here")
class Alone(Folder):
    def test_one_who_is_alone_locks_no_byte(self) -> None:
        claims = self.open()
        self.assertTrue(claims.take(key(1), 1e9, 0.0) >= 0 and claims.lock(key(2)))
        self.assertEqual((claims._alone, claims._locked), (True, set()))

    def test_who_comes_has_nothing_until_he_is_let_in_and_then_what_is_free(self) -> None:
        one, two = self.open(), self.open()
        one.take(key(1), 1e9, 0.0)
        self.assertFalse(two.lock(key(2)))
        self.assertTrue(two.is_taken(key(3)))  # for all that he knows
        one.attend()
        self.assertTrue(two.lock(key(2)))
        self.assertEqual((two.lock(key(1)), two.is_taken(key(1)), two.is_taken(key(3))), (False, True, False))
        one.unlock(key(1))
        self.assertTrue(two.lock(key(1)))

    def test_the_next_claim_lets_in_as_well(self) -> None:
        one, two = self.open(), self.open()
        one.take(key(1), 1e9, 0.0)
        self.assertFalse(two.attend())
        one.take(key(2), 1e9, 0.0)
        self.assertTrue(two.attend())
        self.assertEqual((two.lock(key(1)), two.lock(key(2)), two.lock(key(3))), (False, False, True))

    def test_a_claim_waits_at_the_door(self) -> None:
        one, two = self.open(), self.open()
        one.take(key(1), 1e9, 0.0)
        opened = threading.Timer(0.05, one.attend)
        opened.start()
        self.assertGreaterEqual(two.take(key(2), 1e9, 0.0), 0)
        opened.join()

    def test_who_is_left_is_alone_again_and_lets_go_of_all_he_has(self) -> None:
        one, two = self.open(), self.open()
        one.lock(key(1))
        two.attend()
        one.attend()
        two.attend()
        one.lock(key(2))
        self.assertFalse(one._alone)
        two.close()
        one.attend()
        one.lock(key(3))
        self.assertEqual((one._alone, one._locked), (True, {key(1), key(2)}))
        one.unlock_all([key(1)])
        one.unlock(key(2))
        one.unlock(key(3))
        three = self.open()
        three.attend()
        one.attend()
        self.assertTrue(all(three.lock(key(number)) for number in (1, 2, 3)))

    def test_who_always_has_company_is_never_alone(self) -> None:
        one, two = self.open(shared=True), self.open(shared=True)
        self.assertTrue(one.lock(key(1)) and two.lock(key(2)))
        self.assertEqual((one.lock(key(2)), two.lock(key(1))), (False, False))
        two.close()
        one.attend()
        self.assertFalse(one._alone)

    def test_who_cannot_make_room_lets_nobody_in(self) -> None:
        one, two = self.open(), self.open()
        one.lock(key(1))
        two.attend()
        tables, fd = one._tables, one._fd
        with open(os.devnull, "rb") as broken:
            one._fd = broken.fileno()
            with self.assertRaises(OSError):
                one.attend()
        one._fd, one._tables = fd, tables
        self.assertFalse(two.lock(key(2)))
        one.attend()
        self.assertEqual((two.lock(key(1)), two.lock(key(2))), (False, True))

    def test_a_claim_that_cannot_be_written_down_is_none(self) -> None:
        one, two = self.open(), self.open()
        one.attend()
        fd = one._fd
        with open(self.path, "rb") as broken:
            one._fd = broken.fileno()
            with self.assertRaises(OSError):
                one.take(key(1), 2e9, 1.9e9)
        one._fd = fd
        one.let_in()
        self.assertTrue(two.attend() and two.lock(key(1)))

    def test_the_death_of_who_was_alone_frees_everything(self) -> None:
        code = (
            "import sys, time; from weixin.store.claims import Claims; claims = Claims(sys.argv[1])\n"
            "claims.lock(bytes(16)); print('has it', flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", code, self.path], cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            claims = self.open()
            self.assertFalse(claims.lock(bytes(16)))
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.assertTrue(claims.lock(bytes(16)))
            self.assertTrue(claims._alone)


class Interrupted(Claims):
    """One whose thread is interrupted by another when it has seen that it is alone, or is about to change a lock."""

    seen: Callable[[], object] | None = None
    locks: Callable[[], object] | None = None
    unlocks: Callable[[], object] | None = None

    @property
    def _alone(self) -> bool:
        alone, seen, self.seen = self._is_alone, self.seen, None
        if seen is not None:
            seen()
        return alone

    @_alone.setter
    def _alone(self, alone: bool) -> None:
        self._is_alone = alone

    def _lock_byte(self, key: bytes) -> bool:
        locks, self.locks = self.locks, None
        if locks is not None:
            locks()
        return super()._lock_byte(key)

    def _unlock_byte(self, key: bytes) -> None:
        unlocks, self.unlocks = self.unlocks, None
        if unlocks is not None:
            unlocks()
        super()._unlock_byte(key)


class Watched(set[bytes]):
    """A set whose reader is interrupted just when it has looked."""

    def __init__(self, looked: Callable[[], object]) -> None:
        super().__init__()
        self.looked: Callable[[], object] | None = looked

    def __contains__(self, item: object) -> bool:
        there, looked, self.looked = super().__contains__(item), self.looked, None
        if looked is not None:
            looked()
        return there


@unittest.skipUnless(bytelocks.OWNED, "every process locks every byte here")
class Interruptions(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.one, self.two = Interrupted(self.path), self.open()
        self.addCleanup(self.one.close)
        self.one.attend()

    def test_what_is_begun_while_room_is_made_is_kept(self) -> None:
        self.one.seen = self.one.let_in
        self.assertGreaterEqual(self.one.take(key(1), 1e9, 0.0), 0)
        self.assertTrue(self.two.attend())
        self.assertFalse(self.two.lock(key(1)))

    def test_what_is_locked_while_room_is_made_is_kept(self) -> None:
        self.one.seen = self.one.let_in
        self.assertTrue(self.one.lock(key(1)) and self.two.attend())
        self.assertFalse(self.two.lock(key(1)))

    def test_what_ends_while_room_is_made_is_free(self) -> None:
        self.one.lock(key(1))
        self.one.locks = lambda: self.one.unlock(key(1))
        self.one.let_in()
        self.assertTrue(self.two.attend() and self.two.lock(key(1)))

    def test_what_is_just_ending_when_room_is_made_is_free(self) -> None:
        for end in (Claims.unlock, lambda claims, key: claims.unlock_all([key])):
            with self.subTest(end):
                one = Interrupted(os.path.join(self.folder, "another"))
                two = Claims(os.path.join(self.folder, "another"))
                with contextlib.closing(one), contextlib.closing(two):
                    one.lock(key(1))
                    one._locked = Watched(one.let_in)
                    end(one, key(1))
                    self.assertTrue(two.attend() and two.lock(key(1)))

    def test_what_is_claimed_again_while_room_is_made_waits_and_is_kept(self) -> None:
        """Its lock must not fall to the one who still lets go of what has ended."""
        again = threading.Thread(target=lambda: self.one.lock(key(1)))

        def begin() -> None:
            again.start()
            again.join(0.05)  # it waits for us

        self.one.lock(key(1))
        self.one.locks, self.one.unlocks = lambda: self.one._held.discard(key(1)), begin
        self.one.let_in()
        again.join()
        self.assertTrue(self.two.attend())
        self.assertFalse(self.two.lock(key(1)))


class Hammered(Folder):
    def test_no_key_is_held_twice_while_processes_come_and_go(self) -> None:
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        commands = [[sys.executable, "-c", HAMMER, self.path, str(number), "3", "12"] for number in range(3)]
        processes = [subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for command in commands]
        self.assertEqual([process.communicate(timeout=60)[0] for process in processes], [""] * 3)
        claims = self.open()
        self.assertTrue(all(claims.lock(key(number)) for number in range(12)))


if __name__ == "__main__":
    unittest.main()
