"""What a user does, as one line: read, written, and made of messages."""

from __future__ import annotations

import unittest

from weixin import said
from weixin.said import Said
from weixin.simulator import Account, BadWord, Platform, UnknownKind, kinds, make

XML = "<xml><ToUserName>a</ToUserName><FromUserName>b</FromUserName><CreateTime>5</CreateTime>%s</xml>"


class Lines(unittest.TestCase):
    CASES = (
        ("你好", Said("text", ("你好",))),
        ("天气 上海", Said("text", ("天气 上海",))),
        ("//help", Said("text", ("/help",))),
        ("/click MENU_HELP", Said("click", ("MENU_HELP",))),
        ("/subscribe", Said("subscribe")),
        ("/subscribe 42", Said("subscribe", (), "42")),
        ("/scan 42", Said("scan", ("42",))),
        ("/location 23.1 113.3 '广州 天河'", Said("location", ("23.1", "113.3", "广州 天河"))),
        ("/voice 没听清", Said("voice", ("没听清",))),
        ("/pic-photo-or-album M", Said("pic_photo_or_album", ("M",))),
        ("/raw <xml>\n<a/></xml>", Said("raw", ("<xml>\n<a/></xml>",))),
    )

    def test_each_is_read_and_written_the_same(self) -> None:
        for line, expected in self.CASES:
            with self.subTest(line):
                self.assertEqual(said.parse(line), expected)
                self.assertEqual(said.write(expected), line)

    def test_other_spellings(self) -> None:
        for line, expected in (
            ("/text 你好 吗", Said("text", ("你好 吗",))),
            ("/CLICK  M", Said("click", ("M",))),
            ("/link it's", Said("link", ("it's",))),
            ("/pic_album M", Said("pic_photo_or_album", ("M",))),
        ):
            with self.subTest(line):
                self.assertEqual(said.parse(line), expected)

    def test_slips_are_refused(self) -> None:
        for line, error in (
            ("/clik X", UnknownKind),
            ("/", UnknownKind),
            ("/ x", UnknownKind),
            ("/raw", BadWord),
            ("/click A B", BadWord),
            ("/location north", BadWord),
            ("/subscribe 42 43", BadWord),
        ):
            with self.subTest(line):
                self.assertRaises(error, said.parse, line)


class Messages(unittest.TestCase):
    def test_every_kind_is_said_again_from_its_message(self) -> None:
        platform = Platform(Account(token="abc"))
        for kind in kinds():
            with self.subTest(kind):
                message = make(kind, time=5, id="17").message
                assert message is not None
                what = said.of(message)
                self.assertEqual(said.parse(said.write(what)), what)
                again = what.push(platform, "oABC").message
                assert again is not None
                self.assertEqual((again.kind, again.user), (message.kind, "oABC"))

    def test_its_words_are_kept(self) -> None:
        for line in (
            "你好", "//help", "/click A", "/subscribe 42", "/scan 7", "/voice 你好 M1",
            "/location 1.500000 2.500000 这里",
        ):  # fmt: skip
            with self.subTest(line):
                push = said.parse(line).push(Platform(Account(token="abc")), "oABC")
                assert push.message is not None
                self.assertEqual(said.write(said.of(push.message)), line)

    def test_what_nobody_knows_is_said_as_it_came(self) -> None:
        line = "/raw " + XML % "<MsgType>hologram</MsgType>"
        push = said.parse(line).push(Platform(Account(token="abc")), "oABC")
        assert push.message is not None
        push.message.xml = push.xml
        self.assertEqual(said.write(said.of(push.message)), line)


if __name__ == "__main__":
    unittest.main()
