"""``.chat`` files: what they say, what is wrong in them, and whether what came is what was expected."""

from __future__ import annotations

import unittest
from typing import Any

from weixin import transcript
from weixin.said import Said
from weixin.simulator import Account, Answer, Attempt, Delivery, Platform, Seen, make
from weixin.transcript import Turn

REPLY = Seen("reply", "text", text="你好呀！[微笑]\n再见")
NEWS = Seen("reply", "news", text="天气预报")
NOTHING = Seen("nothing")
FAULT = Seen("fault", why="timeout")


def parse(text: str) -> transcript.Transcript:
    return transcript.parse(text.encode())


def turns(text: str) -> list[Turn]:
    found = parse(text)
    assert not found.slips, found.slips
    return found.turns


def delivery(seen: Seen, seconds: float = 0.1, attempts: int = 1) -> Delivery:
    push = make("text", time=5, id="17")
    answer = Answer(200, (), b"", seconds)
    one = Attempt(Platform(Account(token="abc")).request(push), answer, seen, 0.0)
    return Delivery(push, (one,) * attempts, seconds)


class Reading(unittest.TestCase):
    def test_the_specimen(self) -> None:
        found = turns(
            "# welcome.chat\n> /subscribe\n< 欢迎关注*\n> 天气\n< news: 天气*\n  @within 1s\n"
            "> 讲个故事\n  @slow 7\n< *\n  @attempt 2\n"
        )
        self.assertEqual(
            found,
            [
                Turn(Said("subscribe"), 2, 3, ("欢迎关注*",)),
                Turn(Said("text", ("天气",)), 4, 5, ("news: 天气*",), within=1.0),
                Turn(Said("text", ("讲个故事",)), 7, 9, ("*",), slow=7.0, attempt=2),
            ],
        )

    def test_lines_go_on_and_alternatives_stand_below_each_other(self) -> None:
        (turn,) = turns("> 一\n  二\n\n  四\n< 甲\n    乙\n< 丙\n\n# remark\n")
        self.assertEqual(turn.said.words, ("一\n二\n\n四",))
        self.assertEqual(turn.expected, ("甲\n乙", "丙"))

    def test_options_at_the_top_are_for_all_and_a_user_stays(self) -> None:
        found = turns("@within 300ms\n@user oA\n> 1\n> 2\n  @user oB\n  @within 2\n> 3\n")
        self.assertEqual([(turn.user, turn.within) for turn in found], [("oA", 0.3), ("oB", 2.0), ("oB", 0.3)])

    def test_nothing_expected_is_not_the_same_as_expecting_nothing(self) -> None:
        self.assertEqual([turn.expected for turn in turns("> 1\n> 2\n<\n")], [(), ("",)])

    def test_windows_line_ends_and_a_bom(self) -> None:
        found = transcript.parse("\ufeff> 你好\r\n< 好\r\n".encode())
        self.assertEqual(found.turns, [Turn(Said("text", ("你好",)), 1, 2, ("好",))])

    def test_every_slip_with_its_line(self) -> None:
        cases: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
            ("> a\nb\n", "stray-chat", 2, {"text": "b"}),
            ("< a\n", "no-said", 1, {"text": "< a"}),
            ("> a\n>\n< b\n", "said-nothing", 2, {}),
            ("  a\n", "stray-chat", 1, {"text": "a"}),
            ("》 a\n", "wide", 1, {"found": "》", "wanted": ">"}),
            ("> a\n＜ b\n", "wide", 2, {"found": "＜", "wanted": "<"}),
            ("> a\n\n> /clik B\n", "kind", 3, {"name": "clik", "hint": " → /click?"}),
            ("> /location x\n", "word-value", 1, {"word": "x", "element": "Location_X"}),
            ("> /click a b\n", "word-place", 1, {"word": "b", "element": ""}),
            ("> /raw\n", "raw-alone", 1, {"word": "", "element": "raw"}),
            ("> a\n  @witin 1s\n", "unknown-option", 2, {"name": "witin", "hint": " → @within?"}),
            ("> a\n  @within soon\n", "option-value", 2, {"name": "within", "value": "soon"}),
            ("> a\n  @slow 1000\n", "option-value", 2, {"name": "slow", "value": "1000"}),
            ("> a\n  @attempt 4\n", "option-value", 2, {"name": "attempt", "value": "4"}),
            ("> a\n  @fault late\n", "option-value", 2, {"name": "fault", "value": "late"}),
            ("> a\n  @user 张三\n", "option-value", 2, {"name": "user", "value": "张三"}),
        )
        for text, reason, line, values in cases:
            with self.subTest(text):
                self.assertEqual(parse(text).slips, [transcript.Slip(reason, line, values)])

    def test_all_slips_at_once_in_order(self) -> None:
        self.assertEqual([slip.line for slip in parse("> /a\nx\n> b\n  @c\n< d\ny\n> /e\n").slips], [1, 2, 4, 6, 7])

    def test_another_encoding_is_called_so(self) -> None:
        (slip,) = transcript.parse("# 好\n> 你好\n".encode("gbk")).slips
        self.assertEqual((slip.reason, slip.line), ("encoding", 1))


class Writing(unittest.TestCase):
    def test_what_is_written_is_read_the_same(self) -> None:
        written = [
            Turn(Said("text", ("你好",)), expected=("你好呀！\n再见", "")),
            Turn(Said("subscribe", (), "42"), user="oB", expected=("欢迎*",), within=0.5),
            Turn(Said("text", ("/x",)), user="oB", slow=7.0, attempt=2),
            Turn(Said("click", ("A B",)), user="oC", fault="bad-signature", expected=("fault: status",)),
        ]
        text = transcript.write(written)
        self.assertEqual([turn._replace(line=0, expected_line=0) for turn in turns(text)], written)
        self.assertEqual(transcript.write([]), "")

    def test_what_was_seen_is_what_its_expectation_expects(self) -> None:
        tricky = ("第一\n@user oA", "* ? [a-z] [微笑]", "#x\n<y\n>z", " 空 \n\n  白 ", "a\u2028b", "news: 天气")
        for seen in (REPLY, NEWS, NOTHING, FAULT, *(Seen("reply", "text", text=text) for text in tricky)):
            with self.subTest(seen.text):
                text = transcript.write([Turn(Said("text", ("x",)), expected=transcript.expect(seen))])
                (turn,) = turns(text)
                self.assertTrue(transcript.matches(turn.expected[0], seen))


class Comparing(unittest.TestCase):
    CASES = (
        ("你好*", REPLY, True),
        ("你好呀！[微笑]\n再见", REPLY, True),
        ("text: 你好*", REPLY, True),
        ("你好?！*再见", REPLY, True),
        ("你好", REPLY, False),
        ("text", REPLY, False),
        ("", REPLY, False),
        ("*", REPLY, True),
        ("news: 天气*", NEWS, True),
        ("news", NEWS, True),
        ("天气*", NEWS, False),
        ("*", NEWS, True),
        ("", NOTHING, True),
        ("*", NOTHING, False),
        ("*", FAULT, False),
        ("", FAULT, False),
        ("fault", FAULT, True),
        ("fault: time*", FAULT, True),
        ("fault: status", FAULT, False),
    )

    def test_patterns(self) -> None:
        for pattern, seen, expected in self.CASES:
            with self.subTest(pattern=pattern, seen=seen.outcome):
                self.assertIs(transcript.matches(pattern, seen), expected)

    def test_what_is_missed_is_named_with_its_line(self) -> None:
        (turn,) = turns("> 你好\n\n< 好\n< 坏\n  @within 50ms\n  @attempt 2\n")
        self.assertEqual(
            transcript.misses(turn, delivery(REPLY)),
            [
                ("reply", ("好", "坏"), f"text: {REPLY.text}", 3),
                ("within", ("0.05 s",), "0.1 s", 3),
                ("attempt", ("2",), "1", 3),
            ],
        )

    def test_without_an_expectation_anything_but_a_fault_will_do(self) -> None:
        (turn,) = turns("> 你好\n")
        self.assertEqual(transcript.misses(turn, delivery(NOTHING)), [])
        self.assertEqual(transcript.misses(turn, delivery(FAULT)), [("fault", (), "fault: timeout", 1)])
        (asked,) = turns("> 你好\n  @fault bad-signature\n")
        self.assertEqual(transcript.misses(asked, delivery(FAULT)), [])

    def test_faults_that_cannot_be_had_here(self) -> None:
        for fault, mode, slip in (
            ("idle", "safe", "fault-wire"),
            ("wrong-key", "plain", "fault-sealed"),
            ("wrong-key", "safe", ""),
            ("json", "plain", ""),
        ):
            self.assertEqual(transcript.impossible(fault, mode), slip)


if __name__ == "__main__":
    unittest.main()
