"""The rules as they stand in the files: read again when one has changed, and nothing kept of what was read before."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests.routing.support import handlers_here
from weixin import config
from weixin.console import rulebook


class Reading(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "wxserve.ini").write_text("[wechat]\ntoken = GreedIsGood\n")
        (self.folder / "handlers").mkdir()
        self.handler("a")
        self.book = rulebook.Rulebook(config.load(str(self.folder / "wxserve.ini"), {}, {}))
        looking = mock.patch.object(rulebook, "LOOK_SECONDS", 0.0)
        looking.start()
        self.addCleanup(looking.stop)

    def handler(self, word: str) -> None:
        text = f"from wxserve import on\n@on.text({word!r})\ndef f(): ...\n"
        (self.folder / "handlers" / "f.py").write_text(text)

    def words(self) -> list[str]:
        return [word for row in self.book.rows({}) for word in row["patterns"]]

    def test_what_changed_is_read_again_and_what_was_read_before_let_go(self) -> None:
        self.assertEqual(self.words(), ["a"])
        before = len(handlers_here())
        for word, found, problems in (("bb", ["bb"], 0), ("", ["bb"], 1), ("dddd", ["dddd"], 0)):
            self.handler(word)
            self.assertEqual((self.words(), len(self.book.problems())), (found, problems))
            self.assertEqual(len(handlers_here()), before)


if __name__ == "__main__":
    unittest.main()
