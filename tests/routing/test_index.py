"""The keyword index: folding, and that it finds exactly what looking at every keyword finds."""

from __future__ import annotations

import random
import unittest

from weixin.routing.index import Heads, Index, plain, whole

# A keyword, and texts that are it.
SAME = [
    ("天气", ["天气", " 天气 ", "天气。", "天气！", "天气!!", "天气？ "]),
    ("天气", ["　天气　", "\n天气\n", "天气．", "天气…", "天气｡"]),
    ("weather", ["Weather", "WEATHER", "ｗｅａｔｈｅｒ", "weather.", "Weather ?"]),
    ("straße", ["STRASSE", "Strasse"]),
    ("1", ["１", "①", "1."]),
    ("?", ["？", "?"]),
    ("。。。", ["。。。"]),
    ("ok 吗", ["OK 吗？"]),
    ("ﾊﾝｶｸ", ["ハンカク"]),
]
DIFFERENT = [("天气", "天 气"), ("天气", "天气呢"), ("?", "??"), ("天气", "。天气"), ("a", "b")]


class Folding(unittest.TestCase):
    def test_what_counts_as_the_same(self) -> None:
        for keyword, texts in SAME:
            for text in texts:
                with self.subTest(keyword, text=text):
                    self.assertEqual(whole(plain(text)), whole(plain(keyword)))

    def test_what_does_not(self) -> None:
        for keyword, text in DIFFERENT:
            with self.subTest(keyword, text=text):
                self.assertNotEqual(whole(plain(text)), whole(plain(keyword)))

    def test_folding_twice_is_folding_once(self) -> None:
        generator = random.Random(5)
        for _ in range(500):
            text = "".join(chr(generator.choice((generator.randrange(32, 127), generator.randrange(0x3000, 0x10000))))
                           for _ in range(6)).encode("utf-8", "ignore").decode()  # fmt: skip
            self.assertEqual(plain(plain(text)), plain(text), ascii(text))


class Finding(unittest.TestCase):
    def test_the_index_finds_what_a_scan_finds(self) -> None:
        """Few letters and short words, so that they overlap and repeat in every way there is."""
        generator = random.Random(2026)

        def word(longest: int) -> str:
            return "".join(generator.choice("ab天气") for _ in range(generator.randint(1, longest)))

        for _ in range(300):
            index = Index()
            words = [[word(4) for _ in range(generator.randint(0, 12))] for _ in range(3)]
            for add, each in zip((index.exact, index.prefix, index.contained), words):
                for rank, one in enumerate(each):
                    add(one, rank)
            for _ in range(20):
                text = word(9)
                exact, prefix, contained = (list(enumerate(each)) for each in words)
                expected = sorted(
                    [(rank, one) for rank, one in exact if text == one]
                    + [(rank, one) for rank, one in prefix if text.startswith(one)]
                    + [(rank, one) for rank, one in contained if one in text]
                )
                self.assertEqual(sorted(index.find(text, text)), expected, (words, text))

    def test_hits_come_by_rank(self) -> None:
        index = Index()
        index.contained("b", 1)
        index.prefix("a", 3)
        index.exact("ab", 2)
        self.assertEqual(index.find("ab", "ab"), [(1, "b"), (2, "ab"), (3, "a")])

    def test_a_word_is_found_once_however_often_it_stands_there(self) -> None:
        self.assertEqual(sorted(Heads([("aa", 1), ("a", 2)]).within("aaaa")), [(1, "aa"), (2, "a")])

    def test_an_empty_text_contains_nothing(self) -> None:
        heads = Heads([("a", 1), ("ab", 2)])
        self.assertEqual((heads.before(""), heads.within("")), ([], []))


if __name__ == "__main__":
    unittest.main()
