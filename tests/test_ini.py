"""The line reader: what it takes, and that it loses no text without a word."""

from __future__ import annotations

import unittest

from weixin import ini

GOOD: list[tuple[str, str, list[tuple[str, list[tuple[str, str]]]]]] = [
    ("a value", "[s]\nkey = value\n", [("s", [("key", "value")])]),
    ("no line feed at the end", "[s]\nkey = value", [("s", [("key", "value")])]),
    ("a byte order mark", "\ufeff[s]\nkey = value\n", [("s", [("key", "value")])]),
    ("carriage returns", "[s]\r\nkey =\r\n    a\r\n    b\r\n", [("s", [("key", "a\nb")])]),
    ("only = separates", "[s]\na:b = c:d = e\n", [("s", [("a:b", "c:d = e")])]),
    ("names keep their case", "[S]\nKey = Value\n", [("S", [("Key", "Value")])]),
    ("no interpolation", "[s]\nkey = 100% %(x)s ${y}\n", [("s", [("key", "100% %(x)s ${y}")])]),
    ("comments at the start of a line", "# one\n[s]\n# two\nkey = v # no\n", [("s", [("key", "v # no")])]),
    ("a semicolon is no comment", "[s]\nkey = v\n    ; text\n", [("s", [("key", "v\n; text")])]),
    ("# in a block is text", "[s]\nkey =\n    # one\n    two\n", [("s", [("key", "# one\ntwo")])]),
    ("[x] in a block is text", "[s]\nkey =\n    [x] one\n    k = v\n", [("s", [("key", "[x] one\nk = v")])]),
    ("blank lines inside stay, those behind go", "[s]\nkey =\n\n  a\n\n  b\n\n\n[t]\nk = v\n",
     [("s", [("key", "a\n\nb")]), ("t", [("k", "v")])]),
    ("a first line and a block", "[s]\nkey = a\n    b\n", [("s", [("key", "a\nb")])]),
    ("what all lines are indented by goes", "[s]\nkey =\n    a\n      b\n    c\n", [("s", [("key", "a\n  b\nc")])]),
    ("tabs and blanks", "[s]\nkey =\n\ta\n    b\n", [("s", [("key", "a\nb")])]),
    ("full-width indentation", "[s]\nkey =\n　　a\n　　b\n", [("s", [("key", "a\nb")])]),
    ("line ends of Unicode are text", "[s]\nkey = a\u2028b\x0bc\x85d\n", [("s", [("key", "a\u2028b\x0bc\x85d")])]),
    ("brackets in a header", "[re: ^[a-z]+$]\nkey = v\n", [("re: ^[a-z]+$", [("key", "v")])]),
    ("a comment ends a block", "[s]\na =\n    x\n# end\nb = y\n", [("s", [("a", "x"), ("b", "y")])]),
    ("an empty section", "[s]\n[t]\n", [("s", []), ("t", [])]),
    ("an empty value", "[s]\nkey =\n", [("s", [("key", "")])]),
    ("nothing", "", []),
]  # fmt: skip

BAD: list[tuple[str, str, list[tuple[str, int]]]] = [
    ("junk after ]", "[s]\nkey =\n    a\n[微笑] 嗨\n    b\n", [("junk", 4)]),
    ("a comment after ]", "[s] # server\nkey = v\n", [("junk", 1)]),
    ("no ] at all", "[s\n", [("bracket", 1)]),
    ("no ], and an entry below", "[s]\na = 1\n[t\na = 2\n", [("bracket", 3)]),
    ("junk after ], and an entry below", "[s]\na = 1\n[t] x\na = 2\n", [("junk", 3)]),
    ("a colon where = is needed", "[s]\na: 1\nb：2\n", [("colon", 2), ("colon", 3)]),
    ("a line of a reply with a colon in it", "[s]\nkey =\n    a\ntel: 1\n", [("stray", 4)]),
    ("a line of a reply that lost its indentation", "[s]\nkey =\n    a\nb\n    c\n", [("stray", 4)]),
    ("an entry before any section", "key = v\n[s]\n", [("no-section", 1)]),
    ("an indented line below a header", "[s]\n    a\n    b\n", [("indented", 2)]),
    ("an indented line below a comment in a block", "[s]\nk =\n    a\n# x\n    b\n", [("indented", 5)]),
    ("a key twice", "[s]\na = 1\nb = 2\na = 3\n", [("duplicate-key", 4)]),
    ("a section twice", "[s]\na = 1\n[t]\n[s]\na = 1\n", [("duplicate-section", 4)]),
    ("full-width brackets", "【s】\n", [("wide", 1)]),
    ("full-width brackets, and an entry below", "[s]\na = 1\n【t】\na = 2\n［u］\na = 3\n", [("wide", 3), ("wide", 5)]),
    ("full-width brackets at the top", "【s】\na = 1\n", [("wide", 1)]),
    ("a full-width equals sign", "[s]\nkey ＝ v\n", [("wide", 2)]),
    ("no key", "[s]\n= v\n", [("stray", 2)]),
    ("all of them at once", "[s] x\n[t]\nfoo\nbar = 1\nbar = 2\n", [("junk", 1), ("stray", 3), ("duplicate-key", 5)]),
]


class Reader(unittest.TestCase):
    def test_it_reads(self) -> None:
        for name, text, expected in GOOD:
            with self.subTest(name):
                read = ini.read(text)
                self.assertEqual(read.problems, [])
                found = [(each.name, [(e.key, e.value) for e in each.entries]) for each in read.sections]
                self.assertEqual(found, expected)

    def test_it_says_what_is_wrong_and_where(self) -> None:
        for name, text, expected in BAD:
            with self.subTest(name):
                self.assertEqual([(p.reason, p.line) for p in ini.read(text).problems], expected)

    def test_lines_are_those_of_the_file(self) -> None:
        read = ini.read(b"# one\n\n[s]\n# four\na =\n  x\n\n  y\nb = 1\n[t]\n")
        self.assertEqual([(s.name, s.line) for s in read.sections], [("s", 3), ("t", 10)])
        self.assertEqual([(e.key, e.line) for e in read.sections[0].entries], [("a", 5), ("b", 9)])

    def test_bytes_are_utf_8(self) -> None:
        self.assertEqual(ini.read("\ufeff[段]\n键 = 值\n".encode()).sections[0].entries[0].value, "值")
        cases = [("[s]\na = 1\n键 = 值\n".encode("gbk"), 3, "GBK"), ("[s]\n".encode("utf-16"), 1, "UTF-16")]
        for data, line, guess in cases:
            with self.subTest(guess):
                self.assertEqual(ini.read(data), ini.Ini([], [ini.Problem("encoding", line, {"encoding": guess})]))

    def test_problems_carry_what_a_sentence_needs(self) -> None:
        problems = ini.read("[a]\nk = 1\nk = 2\n[b] 嗨\n").problems
        self.assertEqual(problems[1].values, {"key": "k", "first": 2})
        self.assertEqual(problems[0].values, {"name": "b", "rest": "嗨"})

    def test_no_line_of_text_is_lost_without_a_word(self) -> None:
        """Whatever single line loses its indentation, there is a problem or the text is still there."""
        block = ["你好", "[微笑] 嗨", "# 号", "a = b", "[微笑]", "再见"]
        for at, bare in enumerate(block):
            lines = ["    " + line if n != at else line for n, line in enumerate(block)]
            read = ini.read("[s]\ntext =\n" + "\n".join(lines) + "\n")
            with self.subTest(bare):
                # «a = b» is a key of its own, which whoever knows the keys refuses.
                self.assertTrue(read.problems or "a" in [e.key for e in read.sections[0].entries])


if __name__ == "__main__":
    unittest.main()
