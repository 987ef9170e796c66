"""The pages of docs/ that are there in both languages say the same: chapters, tables, commands, codes and options."""

from __future__ import annotations

import re
import unittest
from collections import Counter

from tests.program import ROOT

CHINESE = sorted((ROOT / "docs").glob("*.zh-CN.md"))
PAIRS = [
    (page.name, page.read_text("utf-8"), page.with_name(page.name.replace(".zh-CN", "")).read_text("utf-8"))
    for page in CHINESE
]


class Pages(unittest.TestCase):
    def test_each_names_the_other(self) -> None:
        self.assertGreaterEqual(len(PAIRS), 2)
        for name, chinese, english in PAIRS:
            self.assertIn(f"[English]({name.replace('.zh-CN', '')})", chinese)
            self.assertIn(f"[中文]({name})", english)

    def test_both_languages_give_the_same_commands(self) -> None:
        for name, *pages in PAIRS:
            with self.subTest(name):
                blocks = [re.findall(r"^```(?:sh|ini|python)\n(.*?)^```", page, re.M | re.S) for page in pages]
                bare = [[re.sub(r" +#.*", "", block) for block in found] for found in blocks]
                self.assertEqual(*bare)

    def test_both_languages_have_the_same_chapters_and_rows(self) -> None:
        for name, *pages in PAIRS:
            with self.subTest(name):
                self.assertEqual(*map(shape, pages))

    def test_both_languages_name_the_same_codes_and_options(self) -> None:
        for name, *pages in PAIRS:
            with self.subTest(name):
                self.assertEqual(*[Counter(re.findall(r"WX-[A-Z]+-\d+|`\[\w+\] \w+`", page)) for page in pages])


def shape(page: str) -> list[str]:
    """The level of each heading, and how many columns each row has."""
    return [
        line.split(" ")[0] if line.startswith("#") else f"{line.count('|')} columns"
        for line in re.sub(r"^```.*?^```", "", page, flags=re.M | re.S).splitlines()
        if line.startswith(("#", "|"))
    ]


if __name__ == "__main__":
    unittest.main()
