"""Which files changed: made, written, replaced, removed; and which are nobody's business."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path
from typing import Callable

from weixin.watch import Watch


class Changes(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "handlers" / "deep").mkdir(parents=True)
        self.write("wxserve.ini")
        self.write("handlers/a.py")
        self.watch = Watch([str(self.folder / name) for name in ("wxserve.ini", "handlers", "no.ini")])

    def write(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    def changed(self) -> list[str]:
        return [Path(path).relative_to(self.folder).as_posix() for path in self.watch.changed()]

    def test_nothing_changed(self) -> None:
        self.assertEqual((self.changed(), self.changed()), ([], []))

    def test_each_change_is_told_once(self) -> None:
        stamp = (self.folder / "handlers/a.py").stat()
        steps: tuple[tuple[str, Callable[[], object], list[str]], ...] = (
            ("written", lambda: self.write("wxserve.ini", "x"), ["wxserve.ini"]),
            ("made", lambda: self.write("handlers/deep/b.py"), ["handlers/deep/b.py"]),
            ("made where it was missing", lambda: self.write("no.ini"), ["no.ini"]),
            ("a data file", lambda: self.write("handlers/words.txt"), ["handlers/words.txt"]),
            ("removed", lambda: os.remove(self.folder / "no.ini"), ["no.ini"]),
            ("only its time", lambda: os.utime(self.folder / "handlers/a.py", ns=(0, 5)), ["handlers/a.py"]),
            ("renamed", lambda: os.rename(self.folder / "handlers/a.py", self.folder / "handlers/c.py"),
             ["handlers/a.py", "handlers/c.py"]),
        )  # fmt: skip
        for name, do, expected in steps:
            with self.subTest(name):
                do()
                self.assertEqual(self.changed(), expected)
                self.assertEqual(self.changed(), [])
        self.write("handlers/new")
        os.utime(self.folder / "handlers/new", ns=(stamp.st_atime_ns, 5))
        self.changed()
        with self.subTest("replaced by a file of the same size and time"):
            self.write("other")
            os.utime(self.folder / "other", ns=(stamp.st_atime_ns, 5))
            os.replace(self.folder / "other", self.folder / "handlers/new")
            self.assertEqual(self.changed(), ["handlers/new"])

    def test_what_editors_and_python_leave_is_passed_over(self) -> None:
        (self.folder / "handlers/__pycache__").mkdir()
        for name in ("__pycache__/a.pyc", ".a.py.swp", "a.py~", ".git", "a.py.tmp", "#a.py.bak"):
            self.write(f"handlers/{name}")
        self.assertEqual(self.changed(), [])

    def test_several_saves_are_one_change(self) -> None:
        self.write("handlers/a.py", "1")
        more = ["handlers/b.py", "wxserve.ini"]

        def pause(seconds: float) -> None:
            if more:
                self.write(more.pop(), "2")

        found = [Path(path).name for path in self.watch.settled(pause)]
        self.assertEqual(found, ["a.py", "b.py", "wxserve.ini"])
        self.assertEqual(self.watch.settled(pause), [])

    def test_a_file_that_never_rests_does_not_hold_the_news_back(self) -> None:
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            self.write("handlers/a.py", "x" * len(pauses))

        self.write("handlers/a.py", "begun")
        self.assertTrue(self.watch.settled(pause))
        self.assertLess(sum(pauses), 0.5)


if __name__ == "__main__":
    unittest.main()
