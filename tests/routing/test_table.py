"""replies.ini as a whole: the sample of the docs, both languages, and every mistake with its line."""

from __future__ import annotations

import textwrap
import unittest
from typing import Any

from weixin.routing import run, table
from weixin.routing.call import Function, function
from weixin.routing.errors import Misuse
from weixin.routing.rules import Level, Rules
from weixin.wire.messages import Message
from weixin.wire.replies import Handover, Image, News, Reply

from .support import NOON, event, message, said, text

SAMPLE = """\
# One section per rule.
[@关注]
text =
    欢迎关注 👋
    回复「菜单」看看能做什么

[你好 | hi | hello]
text = 你好呀！ || 在呢～

[包含: 发票]
text = 开发票请点 <a href="https://a.example/?x=1">这里</a>

[开头: 订单]
text = 正在查订单 {rest}

[re: ^查(?P<no>\\d{6,})$]
text = 单号 {no} 已发出

[@菜单 MENU_ABOUT]
news.title = 关于我们
news.text  = 点击查看
news.pic   = https://a.example/a.jpg
news.url   = https://a.example/

[人工]
handover = yes
hours    = 0:00-24:00
else     = 现在是休息时间，请留言

[夜班]
text  = 在
hours = 周一 3:00-3:01
else  = 不在，{text}

[@扫码 42]
image = MEDIA_ID

[天气]
call = weather.today

[@默认]
text = 没听懂「{text}」，回复「菜单」试试
"""

# What is wrong, the file, and line and reason of its errors.
BAD: list[tuple[str, str, list[tuple[int, str]]]] = [
    ("an emoji lost its indentation", "[a]\ntext =\n    x\n[微笑] 嗨\n    y\n", [(4, "junk")]),
    ("an emoji alone lost its indentation", "[a]\ntext =\n    x\n[微笑]\n    y\n", [(5, "indented")]),
    ("a key lost its place at the edge", "[a]\n    text = x\n", [(2, "option-indented")]),
    ("a line that only looks like a key", "[a]\n    a = b\n", [(2, "indented")]),
    ("a remark in the middle of a reply", "[a]\ntext =\n    x\n# y\n    z\n", [(5, "cut-off")]),
    ("nothing above it at all", "    x\n[a]\ntext = y\n", [(1, "indented")]),
    ("and nothing follows", "[a]\ntext =\n    x\n[微笑]\n", [(4, "empty")]),
    ("two emoji lost their indentation", "[a]\ntext =\n    x\n[微笑][微笑]\n[b]\ntext = y\n", [(4, "junk")]),
    ("a link lost its indentation", "[a]\ntext =\n    x\n<a href=\"y\">\n", [(4, "unknown-key")]),
    ("an empty section", "[a]\n[b]\ntext = x\n", [(1, "empty-first")]),
    ("empty sections that are no emoji", "[a]\ntext = x\n[b | c]\n[@image]\n",
     [(3, "empty-first"), (4, "empty-first")]),
    ("nothing but a line that cannot be read", "[a]\ntext＝x\n[b]\njunk\n", [(2, "wide"), (4, "stray")]),
    ("the same word", "[Hi]\ntext = x\n[b | hi！]\ntext = y\n", [(3, "duplicate")]),
    ("the same type", "[@图片]\ntext = x\n[@image]\ntext = y\n", [(3, "duplicate")]),
    ("the same expression", "[re: ^a]\ntext = x\n[re:^a]\ntext = y\n", [(3, "duplicate")]),
    ("two defaults", "[@默认]\ntext = x\n[@default]\ntext = y\n", [(3, "duplicate")]),
    ("a longer prefix behind a shorter", "[开头: 天]\ntext = x\n[开头: 天气]\ntext = y\n", [(3, "unreachable")]),
    ("a part of a part before it", "[包含: 票]\ntext = x\n[包含: 发票]\ntext = y\n", [(3, "unreachable")]),
    ("an unknown key", "[a]\ntxet = x\n", [(2, "unknown-key")]),
    ("two kinds of answer", "[a]\ntext = x\nimage = M\n", [(1, "several")]),
    ("hours", "[a]\ntext = x\nhours = 上班\n", [(3, "hours")]),
    ("else without hours", "[a]\ntext = x\nelse = y\n", [(3, "else-alone")]),
    ("an empty else", "[a]\ntext = x\nhours = 9-18\nelse =\n", [(4, "missing")]),
    ("a missing part", "[a]\nnews.title = x\n", [(1, "missing")]),
    ("an empty part", "[a]\nvideo = M\nvideo.title =\n", [(3, "missing")]),
    ("an expression", "[re: (]\ntext = x\n", [(1, "regex")]),
    ("a word behind @", "[@关主]\ntext = x\n", [(1, "unknown-at")]),
    ("no such function", "[a]\ncall = weather.todya\n", [(2, "call")]),
    ("a function that asks for what there is not", "[a]\ncall = weather.bad\n", [(2, "argument")]),
    ("not UTF-8", "\udc80", [(1, "encoding")]),
    ("all at once, by line", "x\n[a]\n[b]\nfoo = 1\n[@c]\ntext = x\n",
     [(1, "stray"), (2, "empty-first"), (4, "unknown-key"), (5, "unknown-at")]),
]  # fmt: skip

FINE = [
    ("the longer prefix first", "[开头: 天气]\ntext = x\n[开头: 天]\ntext = y\n"),
    ("a shorter one that is not always open", "[开头: 天]\ntext = x\nhours = 9-18\n[开头: 天气]\ntext = y\n"),
    ("a shorter one that may pass", "[开头: 天]\ncall = weather.today\n[开头: 天气]\ntext = y\n"),
    ("one word twice in one header", "[hi | Hi]\ntext = x\n"),
    ("one word in three ways", "[天]\ntext = x\n[开头: 天]\ntext = y\n[包含: 天]\ntext = z\n"),
    ("alternatives that hide one another", "[包含: 票 | 发票]\ntext = x\n"),
    ("nothing", ""),
]


def resolve(name: str) -> Function:
    def today(msg: Message) -> str:
        return f"晴, {msg.text}"

    def bad(what: Any) -> None: ...

    if name not in ("weather.today", "weather.bad"):
        raise Misuse("call", "no such function", key="call", call=name, hint="")
    return function(today if name == "weather.today" else bad)


def parse(source: str) -> table.Table:
    return table.parse(source.encode("utf-8", "surrogateescape"), "replies.ini", 10, resolve)


class Sample(unittest.TestCase):
    def setUp(self) -> None:
        read = parse(SAMPLE)
        self.assertEqual(read.errors, [])
        self.rules = Rules(read.rules)
        self.context = run.Context()

    def answer(self, of: Message) -> Reply:
        return run.answer(self.rules, of, NOON, self.context).reply

    def test_texts(self) -> None:
        cases = [
            (event("subscribe"), "欢迎关注 👋\n回复「菜单」看看能做什么"),
            (text("我要开发票"), '开发票请点 <a href="https://a.example/?x=1">这里</a>'),
            (text("订单  A12"), "正在查订单 A12"),
            (text("查123456"), "单号 123456 已发出"),
            (text("查12345"), "没听懂「查12345」，回复「菜单」试试"),
            (text("天气？"), "晴, 天气？"),
            (text("夜班"), "不在，夜班"),
            (message(MsgType="image"), "没听懂「」，回复「菜单」试试"),
            (event("LOCATION"), ""),
            (event("CLICK", "OTHER"), ""),
        ]
        for of, expected in cases:
            with self.subTest(repr(of), text=of.text):
                self.assertEqual(said(self.answer(of)), expected)
        self.assertIn(said(self.answer(text("HELLO"))), ("你好呀！", "在呢～"))

    def test_other_replies(self) -> None:
        self.assertIsInstance(self.answer(event("CLICK", "MENU_ABOUT")), News)
        self.assertIsInstance(self.answer(event("SCAN", "42")), Image)
        self.assertIsInstance(self.answer(event("subscribe", "qrscene_42")), Image)
        self.assertIsInstance(self.answer(text("人工")), Handover)

    def test_where_the_rules_stand_and_when_they_are_asked(self) -> None:
        found = {rule.name: rule for rule in self.rules}
        line = SAMPLE.splitlines().index("[天气]") + 1
        self.assertEqual(found["[天气]"].at, f"replies.ini:{line}")
        priorities = {name: rule.priority for name, rule in found.items()}
        for name in ("[你好 | hi | hello]", "[包含: 发票]", "[@菜单 MENU_ABOUT]", "[@扫码 42]", "[开头: 订单]"):
            self.assertEqual(priorities[name], 10, name)
        for name in ("[@关注]", "[@默认]"):
            self.assertEqual(priorities[name], 0, name)
        self.assertIs(list(self.rules)[-1].level, Level.DEFAULT)


class Faults(unittest.TestCase):
    def test_each_has_its_line(self) -> None:
        for name, source, expected in BAD:
            with self.subTest(name):
                errors = parse(source).errors
                self.assertEqual([(error.line, error.reason) for error in errors], expected)
                self.assertEqual({error.file for error in errors}, {"replies.ini"})
                for error in errors:
                    self.assertEqual(error.code, "WX-HND-02" if error.reason == "argument" else "WX-RPL-03")

    def test_what_is_fine(self) -> None:
        for name, source in FINE:
            with self.subTest(name):
                self.assertEqual(parse(source).errors, [])

    def test_what_their_sentences_need(self) -> None:
        (error,) = parse("[开头: 天]\ntext = x\n[开头: 天气]\ntext = y\n").errors
        self.assertEqual(error.values, {"name": "开头: 天气", "word": "天气", "by": "天", "first": 1})
        (error,) = parse("[a]\ncall = weather.bad\n").errors
        self.assertEqual((error.values["function"], error.values["name"]), ("weather.bad", "what"))


class English(unittest.TestCase):
    def test_the_same_table(self) -> None:
        source = textwrap.dedent(
            """\
            [@subscribe]
            text = Welcome
            [contains: invoice]
            text = here
            [prefix: order]
            text = looking for {rest}
            [@menu ABOUT]
            text = about
            [@scan 42]
            text = scanned
            [@voice | @image]
            text = heard or seen
            [@default]
            text = what?
            """
        )
        read = parse(source)
        self.assertEqual(read.errors, [])
        rules = Rules(read.rules)
        cases = [
            (event("subscribe"), "Welcome"), (text("An INVOICE please"), "here"), (text("Order 5"), "looking for 5"),
            (event("CLICK", "ABOUT"), "about"), (event("SCAN", "42"), "scanned"),
            (message(MsgType="voice"), "heard or seen"), (text("x"), "what?"),
        ]  # fmt: skip
        for of, expected in cases:
            with self.subTest(expected):
                self.assertEqual(said(run.answer(rules, of, NOON, run.Context()).reply), expected)


if __name__ == "__main__":
    unittest.main()
