"""The two deploy pages say the same: the same commands, chapters and tables."""

from __future__ import annotations

import re
import unittest

from tests.program import ROOT


class Pages(unittest.TestCase):
    def test_both_languages_give_the_same_commands(self) -> None:
        pages = [(ROOT / "docs" / name).read_text("utf-8") for name in ("deploy.md", "deploy.zh-CN.md")]
        blocks = [re.findall(r"^```(?:sh|ini)\n(.*?)^```", page, re.M | re.S) for page in pages]
        bare = [[re.sub(r" +#.*", "", block) for block in found] for found in blocks]
        self.assertEqual(*bare)

    def test_both_languages_have_the_same_chapters_and_rows(self) -> None:
        shapes = []
        for name in ("deploy.md", "deploy.zh-CN.md"):
            page = (ROOT / "docs" / name).read_text("utf-8")
            # The level of each heading, and how many columns each row has.
            shapes.append([
                line.split(" ")[0] if line.startswith("#") else f"{line.count('|')} columns"
                for line in re.sub(r"^```.*?^```", "", page, flags=re.M | re.S).splitlines()
                if line.startswith(("#", "|"))
            ])  # fmt: skip
        self.assertEqual(*shapes)


if __name__ == "__main__":
    unittest.main()
