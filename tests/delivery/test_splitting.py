"""Where a long text is cut."""

from __future__ import annotations

import random
import unittest

from weixin.delivery.splitting import split

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇨🇳"
LINK = '<a href="https://example.com/a?b=c">点这里</a>'


class Places(unittest.TestCase):
    def test_the_best_place_is_taken(self) -> None:
        cases = {
            "all fits": ("短", 10, ("短", "")),
            "a paragraph before a line": ("一一一\n\n二二二\n三三三", 26, ("一一一", "二二二\n三三三")),
            "a line before a sentence": ("一一一。一\n二二。二二", 26, ("一一一。一", "二二。二二")),
            "a sentence before a word": ("一一一！一一，一一", 22, ("一一一！", "一一，一一")),
            "a quotation stays closed": ("他说：“好。”然后走了", 22, ("他说：“好。”", "然后走了")),
            "a word": ("hello there world", 14, ("hello there", "world")),
            "no place at all": ("一二三四", 7, ("一二", "三四")),
            "a place too near the start is none": ("一\n二三四五六七八九", 20, ("一\n二三四五六", "七八九")),
        }
        for name, (text, room, parts) in cases.items():
            with self.subTest(name):
                self.assertEqual(split(text, room), parts)

    def test_nothing_that_belongs_together_is_torn(self) -> None:
        for whole in (FAMILY, FLAG, "é", "👍🏽", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", LINK):
            text = "字" + whole * 3 + "字"
            for room in range(3 + len(whole.encode()), len(text.encode())):
                head, rest = split(text, room)
                with self.subTest(whole, room=room):
                    self.assertEqual(head + rest, text)
                    self.assertEqual((head.count(whole), rest.count(whole)), (head.count(whole), 3 - head.count(whole)))
                    self.assertLessEqual(len(head.encode()), room)

    def test_what_is_too_long_by_itself_is_cut_all_the_same(self) -> None:
        long = f'<a href="https://example.com/{"x" * 500}">x</a>'
        head, rest = split(long, 100)
        self.assertEqual((len(head), head + rest), (100, long))

    def test_nothing_is_lost_but_blanks(self) -> None:
        source = random.Random(7)
        pieces = ["字", "a", " ", "\n", "\n\n", "。", "，", "! ", FAMILY, FLAG, "é", LINK, "😀"]
        for _ in range(300):
            text = "".join(source.choices(pieces, k=source.randrange(1, 60)))
            head, rest = split(text, source.randrange(40, 200))
            self.assertEqual("".join((head + rest).split()), "".join(text.split()))
