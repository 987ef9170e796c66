"""The runner of the others: nothing that goes wrong in another process may be lost on the way."""

from __future__ import annotations

import io
import os
import re
import sys
import unittest
from typing import Any

from tests.side_by_side import SideBySide


class Fine(unittest.TestCase):
    def test_a(self) -> None:
        pass

    def test_b(self) -> None:
        print("nobody sees this")


class Wrong(unittest.TestCase):
    def test_error(self) -> None:
        raise OSError("an error of the test's")

    def test_failure(self) -> None:
        print("said before it failed")
        self.fail("a failure of the test's")

    def test_parts(self) -> None:
        for part in range(3):
            with self.subTest(f"part {part}"):
                self.assertEqual(part, 1)

    def test_skipped(self) -> None:
        self.skipTest("for a reason")


class NoStart(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        raise ValueError("no class today")

    def test_never(self) -> None:
        pass


class Elsewhere(unittest.TestCase):
    def test_which_process(self) -> None:
        self.fail(f"ran in {os.getpid()}")


class Deadly(unittest.TestCase):
    def test_ends_its_process(self) -> None:
        os._exit(0)


def run(*cases: type[unittest.TestCase], jobs: int = 2, **options: Any) -> tuple[unittest.TestResult, str]:
    """Run each of *cases* as a module of its own; return the result, and what was printed."""
    stream = io.StringIO()
    suite = SideBySide([unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in cases], jobs=jobs)
    result = unittest.TextTestRunner(stream=stream, buffer=True, **options).run(suite)
    return result, stream.getvalue()


class Side(unittest.TestCase):
    def test_all_is_counted(self) -> None:
        result, said = run(Fine, Wrong, NoStart, Fine)
        self.assertEqual(result.testsRun, 8)
        self.assertFalse(result.wasSuccessful())
        self.assertEqual([reason for _, reason in result.skipped], ["for a reason"])
        self.assertEqual((len(result.failures), len(result.errors)), (3, 2))
        for words in (
            "an error of the test's", "a failure of the test's", "said before it failed", "part 0", "part 2",
            "no class today", "FAILED (failures=3, errors=2, skipped=1)", "Traceback",
        ):  # fmt: skip
            self.assertIn(words, said)
        self.assertNotIn("nobody sees this", said)

    def test_what_is_fine_is_ok(self) -> None:
        result, said = run(Fine, Fine, verbosity=2)
        self.assertTrue(result.wasSuccessful())
        self.assertEqual(said.count("... ok\n"), 4)
        self.assertTrue(said.endswith("\nOK\n"))

    def test_modules_run_in_processes_of_their_own_unless_there_is_one_job(self) -> None:
        for jobs in (1, 2):
            result, _ = run(Elsewhere, Elsewhere, jobs=jobs)
            here = [f"ran in {os.getpid()}" in text for _, text in result.failures]
            self.assertEqual(here, [jobs == 1] * 2)

    def test_a_process_that_dies_is_an_error_with_its_place(self) -> None:
        result, said = run(Deadly, Fine, Fine)
        self.assertEqual((result.testsRun, len(result.errors)), (4, 1))
        self.assertRegex(said, r"ERROR: .*Deadly\.test_ends_its_process")

    def test_the_first_failure_ends_it_where_that_was_asked_for(self) -> None:
        modules = 5000  # more than the other process runs before this one has failed
        result, _ = run(Wrong, *[Fine] * modules, failfast=True)
        self.assertLess(result.testsRun, modules)
        self.assertFalse(result.wasSuccessful())

    if sys.version_info >= (3, 12):  # unittest's --durations

        def test_durations_come_along(self) -> None:
            _, said = run(Fine, Fine, durations=0, verbosity=2)
            self.assertEqual(len(re.findall(r"(?m)^\d\.\d+s +test_", said)), 4, said)


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    """Only what stands under Side are tests; the other classes are its material."""
    return loader.loadTestsFromTestCase(Side)


if __name__ == "__main__":
    unittest.main()
