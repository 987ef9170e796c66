from __future__ import annotations

import unittest
import xml.etree.ElementTree as ET
from typing import Any, Callable

from weixin.wire import messages, replies
from weixin.wire.messages import Message
from weixin.wire.replies import (
    AIHandover,
    Article,
    Handover,
    Image,
    Music,
    News,
    Reply,
    ReplyError,
    Success,
    Text,
    Video,
    Voice,
)

USER, ACCOUNT = "oyORnuP8q7ou2gfYjqLzSIWZf0rs", "gh_10f6c3c3ac5a"
NOW = 1_714_036_504


def pushed(kind: str = "text", user: str = USER, account: str = ACCOUNT) -> Message:
    fields = {"ToUserName": account, "FromUserName": user, "CreateTime": "1714036500", "MsgType": kind}
    if kind not in messages.MESSAGE_TYPES:
        fields.update(MsgType="event", Event=kind)
    return Message(fields)


def tree(reply: Reply, message: Message | None = None) -> Any:
    """The rendered reply, read by a parser that is not ours: text, or a list of (name, tree)."""

    def read(element: ET.Element) -> Any:
        if not len(element):
            return element.text or ""
        between = [element.text, *(child.tail for child in element)]
        assert not any(between), f"{between} stands between the elements of {element.tag}"
        return [(child.tag, read(child)) for child in element]

    return read(ET.fromstring(reply.render(message or pushed(), NOW)))


def body(reply: Reply, message: Message | None = None) -> Any:
    """The same without the four elements that all replies begin with."""
    return tree(reply, message)[4:]


def articles(count: int) -> list[Article]:
    return [Article(f"title {n}", f"text {n}", f"https://a.example/{n}.jpg", f"https://a.example/{n}?a=1&b=2")
            for n in range(count)]  # fmt: skip


class Rendering(unittest.TestCase):
    KINDS: tuple[tuple[Reply, str, Any], ...] = (
        (Text("你好 <b> & \"'"), "text", [("Content", "你好 <b> & \"'")]),
        (Image("M-1_a"), "image", [("Image", [("MediaId", "M-1_a")])]),
        (Voice("M-1_a"), "voice", [("Voice", [("MediaId", "M-1_a")])]),
        (Video("M"), "video", [("Video", [("MediaId", "M"), ("Title", ""), ("Description", "")])]),
        (Video("M", "标", "说明"), "video", [("Video", [("MediaId", "M"), ("Title", "标"), ("Description", "说明")])]),
        (
            Music("T", "t", "d", "https://a.example/m?x=1&y=2", "https://a.example/h"),
            "music",
            [("Music", [("Title", "t"), ("Description", "d"), ("MusicUrl", "https://a.example/m?x=1&y=2"),
                        ("HQMusicUrl", "https://a.example/h"), ("ThumbMediaId", "T")])],
        ),
        (
            News("上海 晴", "26°C", pic="https://a.example/p.jpg", url="https://a.example/?a=1&b=2"),
            "news",
            [("ArticleCount", "1"),
             ("Articles", [("item", [("Title", "上海 晴"), ("Description", "26°C"),
                                     ("PicUrl", "https://a.example/p.jpg"), ("Url", "https://a.example/?a=1&b=2")])])],
        ),
        (Handover(), "transfer_customer_service", []),
        (Handover("kf2001@shop"), "transfer_customer_service", [("TransInfo", [("KfAccount", "kf2001@shop")])]),
        (AIHandover(), "transfer_biz_ai_ivr", []),
    )  # fmt: skip

    def test_each_kind_has_its_elements_and_no_others(self) -> None:
        for reply, kind, elements in self.KINDS:
            with self.subTest(reply):
                head = [("ToUserName", USER), ("FromUserName", ACCOUNT), ("CreateTime", str(NOW)), ("MsgType", kind)]
                self.assertEqual(tree(reply), head + elements)
                self.assertEqual(reply.kind, kind)
                self.assertEqual(reply.lint() == [], not isinstance(reply, AIHandover))

    def test_the_bytes_of_a_text_are_those_of_the_official_page(self) -> None:
        self.assertEqual(
            Text("你好").render(pushed(), NOW).decode(),
            f"<xml><ToUserName><![CDATA[{USER}]]></ToUserName><FromUserName><![CDATA[{ACCOUNT}]]></FromUserName>"
            f"<CreateTime>{NOW}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            "<Content><![CDATA[你好]]></Content></xml>",
        )

    def test_the_acknowledgement_is_seven_bytes(self) -> None:
        self.assertEqual(Success().render(pushed(), NOW), b"success")
        self.assertEqual(replies.SUCCESS, b"success")

    def test_sender_and_receiver_change_places_exactly(self) -> None:
        for user, account in ((USER, ACCOUNT), ("o_-A1", "gh_0"), ("o]]>x", "gh_<&>"), (" o ", "gh_中")):
            with self.subTest(user):
                rendered = dict(tree(Text("x"), pushed("text", user, account)))
                self.assertEqual((rendered["ToUserName"], rendered["FromUserName"]), (user, account))


class Mending(unittest.TestCase):
    def content(self, text: str) -> str:
        return str(body(Text(text))[0][1])

    def test_texts_arrive_as_they_were_or_without_what_xml_forbids(self) -> None:
        table = (
            ("]]>", "]]>"),
            ("a]]>b]]]]>c", "a]]>b]]]]>c"),
            ("]]]]><![CDATA[>", "]]]]><![CDATA[>"),
            ("<![CDATA[x]]>", "<![CDATA[x]]>"),
            ("</Content></xml>", "</Content></xml>"),
            ("&lt;&#60;&amp;", "&lt;&#60;&amp;"),
            ("a\x00b\x01c\x08d\x0be\x0cf\x1fg", "abcdefg"),
            ("tab\tand\nline", "tab\tand\nline"),
            ("one\r\ntwo\rthree", "one\ntwo\nthree"),
            ("half \ud83d of an emoji \udc4b", "half  of an emoji "),
            ("\ufffe\uffffx", "x"),
            ("whole 👋🏽 family 👨‍👩‍👧", "whole 👋🏽 family 👨‍👩‍👧"),
            ("]]\x00>", "]]>"),
            ("\x7f\x85\u2028\u202e", "\x7f\x85\u2028\u202e"),
        )
        for text, expected in table:
            with self.subTest(text):
                self.assertEqual(self.content(text), expected)

    def test_every_field_of_every_kind_is_mended(self) -> None:
        nasty, mended = "n]]>\x00\ud800\x1f<&", "n]]><&"
        made: tuple[Reply, ...] = (
            Text(nasty), Image(nasty), Voice(nasty), Video(nasty, nasty, nasty),
            Music(nasty, nasty, nasty, nasty, nasty), News(nasty, nasty, pic=nasty, url=nasty), Handover(nasty),
        )  # fmt: skip
        for reply in made:
            with self.subTest(reply.kind):
                self.assertEqual(leaves(body(reply)) - {mended, "1"}, set())

    def test_2047_bytes_pass_and_2048_are_cut(self) -> None:
        self.assertEqual(self.content("x" * 2047), "x" * 2047)
        self.assertEqual(self.content("x" * 2048), "x" * 2044 + "…")

    def test_a_cut_falls_between_characters_wherever_they_lie(self) -> None:
        for character in ("x", "é", "讲", "👋"):
            for offset in range(8):
                for count in (1, 500, 510, 600, 700, 1020, 2050):
                    text = "x" * offset + character * count
                    cut = self.content(text)
                    size = len(cut.encode())
                    with self.subTest(character, offset=offset, count=count):
                        self.assertLessEqual(size, 2047)
                        if len(text.encode()) <= 2047:
                            self.assertEqual(cut, text)
                        else:
                            self.assertTrue(cut.endswith("…") and text.startswith(cut[:-1]))
                            # Not one character more would have fitted.
                            self.assertGreater(size + len(character.encode()), 2047)

    def test_what_is_taken_out_does_not_count_and_what_is_split_counts_once(self) -> None:
        self.assertEqual(self.content("\x00" * 5000 + "x" * 2047), "x" * 2047)
        self.assertEqual(self.content("]]>" * 682), "]]>" * 682)

    def test_shorten_takes_any_limit_down_to_the_ellipsis(self) -> None:
        for limit in range(3, 40):
            with self.subTest(limit=limit):
                self.assertLessEqual(len(replies.shorten("讲个故事吧" * 4, limit).encode()), limit)


class Articles(unittest.TestCase):
    def test_a_message_is_answered_with_one_and_an_event_with_eight(self) -> None:
        for kind, given, shown in (("text", 1, 1), ("text", 8, 1), ("image", 2, 1), ("click", 1, 1), ("click", 8, 8),
                                   ("subscribe", 9, 8)):  # fmt: skip
            with self.subTest(kind, given=given):
                count, (_, items) = body(News(articles(given)), pushed(kind))
                self.assertEqual(count, ("ArticleCount", str(shown)))
                self.assertEqual([dict(item)["Title"] for _, item in items], [f"title {n}" for n in range(shown)])

    def test_articles_may_be_plain_tuples(self) -> None:
        plain: Any = [("t", "d", "https://a.example/p", "https://a.example/")]
        self.assertEqual(body(News(plain)), body(News("t", "d", pic="https://a.example/p", url="https://a.example/")))


class Making(unittest.TestCase):
    """What is missing is an error when the reply is made, and it names the field."""

    MISSING: tuple[tuple[str, str, Callable[[], Reply]], ...] = (
        ("Text", "content", lambda: Text("")),
        ("Text", "content", lambda: Text(" \n\t\u3000")),
        ("Text", "content", lambda: Text("\x00\x01")),
        ("Image", "media_id", lambda: Image("")),
        ("Voice", "media_id", lambda: Voice(" ")),
        ("Video", "media_id", lambda: Video("", "title")),
        ("Music", "thumb_media_id", lambda: Music("", "title")),
        ("News", "title", lambda: News("", "d", pic="https://p", url="https://u")),
        ("News", "text", lambda: News("t", "", pic="https://p", url="https://u")),
        ("News", "pic", lambda: News("t", "d", url="https://u")),
        ("News", "url", lambda: News("t", "d", pic="https://p")),
        ("News", "articles", lambda: News([])),
        ("News", "pic", lambda: News([Article("t", "d", "https://p", "https://u"), Article("t", "d", "", "https://u")])),
    )  # fmt: skip

    def test_what_is_missing_is_named(self) -> None:
        for kind, field, make in self.MISSING:
            with self.subTest(kind, field=field), self.assertRaises(ReplyError) as caught:
                make()
            self.assertEqual(caught.exception.field, field)
            self.assertTrue(str(caught.exception).startswith(f"{kind}: {field} "), caught.exception)

    def test_what_is_no_article_is_an_error_at_once(self) -> None:
        for wrong in ("abcd", {"title": "t"}, ("t", "d", "https://p"), ("t", "d", "https://p", "https://u", "x"), 4):
            articles: Any = [wrong]
            with self.subTest(wrong), self.assertRaises(ReplyError) as caught:
                News(articles)
            self.assertEqual(caught.exception.field, "articles")

    def test_what_is_not_text_is_named(self) -> None:
        wrong: Any = 42
        for field, make in (
            ("content", lambda: Text(wrong)),
            ("content", lambda: Text(None)),  # type: ignore[arg-type]
            ("content", lambda: Text(b"x")),  # type: ignore[arg-type]
            ("media_id", lambda: Image(wrong)),
            ("title", lambda: Video("M", wrong)),
            ("url", lambda: Music("T", url=wrong)),
            ("title", lambda: News(wrong)),
            ("title", lambda: News(None)),  # type: ignore[arg-type]
            ("text", lambda: News("t", wrong, pic="https://p", url="https://u")),
            ("account", lambda: Handover(wrong)),
        ):
            with self.subTest(field), self.assertRaisesRegex(ReplyError, f"{field} must be a str") as caught:
                make()
            self.assertEqual(caught.exception.field, field)


class Linting(unittest.TestCase):
    TABLE: tuple[tuple[Reply, list[str]], ...] = (
        (Text("你好"), []),
        (Text("x" * 2047), []),
        (Text("x" * 2048), ["WX-RPL-01"]),
        (Text("讲" * 683), ["WX-RPL-01"]),
        (Text("a\x00"), ["WX-RPL-05"]),
        (Text("\ud83d" + "x" * 2048), ["WX-RPL-05", "WX-RPL-01"]),
        (Text("a]]>b\r\n"), []),
        (Image("cat.jpg"), ["WX-RPL-04"]),
        (Image("/tmp/cat"), ["WX-RPL-04"]),
        (Voice("https://a.example/a"), ["WX-RPL-04"]),
        (Video("C:\\cat"), ["WX-RPL-04"]),
        (Music("cover.png"), ["WX-RPL-04"]),
        (Image("r17_-A"), []),
        (News(articles(1)), []),
        (News(articles(2)), ["WX-RPL-02"]),
        (News("t", "d", pic="a.jpg", url="https://u"), ["WX-RPL-06"]),
        (News("t", "d", pic="a.jpg", url="www.example.com"), ["WX-RPL-06", "WX-RPL-06"]),
        (Handover(), []),
        (AIHandover(), ["WX-RPL-07"]),
        (Success(), []),
    )

    def test_codes(self) -> None:
        for reply, codes in self.TABLE:
            with self.subTest(repr(reply)[:60]):
                found = reply.lint()
                self.assertEqual([finding.code for finding in found], codes)
                for finding in found:
                    self.assertEqual(str(finding), f"{finding.code} {finding.words}")

    def test_a_text_that_a_handler_changed_is_looked_at_anew(self) -> None:
        reply = Text("fine")
        for changed, sent, codes in (
            ("a\x00\r\n", "a\n", ["WX-RPL-05"]),
            ("x" * 2048, "x" * 2044 + "…", ["WX-RPL-01"]),
        ):
            reply.content = changed
            self.assertEqual(body(reply), [("Content", sent)])
            self.assertEqual([finding.code for finding in reply.lint()], codes)

    def test_a_long_text_is_measured(self) -> None:
        self.assertEqual(Text("讲" * 700).lint()[0].values, {"n": 2100, "limit": 2047})


class Values(unittest.TestCase):
    def test_replies_of_the_same_values_are_equal(self) -> None:
        self.assertEqual(Text("a"), Text("a"))
        self.assertNotEqual(Text("a"), Text("b"))
        self.assertNotEqual(Image("a"), Voice("a"))
        self.assertEqual(repr(Handover("kf@a")), "Handover(account='kf@a')")

    def test_escape_makes_any_text_fit_for_cdata(self) -> None:
        for text in ("]]>", "]]]>", "]]>]]>", "a]]", ">"):
            with self.subTest(text):
                self.assertEqual(ET.fromstring(f"<x><![CDATA[{replies.escape(text)}]]></x>").text, text)

    def test_replies_are_equal_by_what_they_say(self) -> None:
        self.assertEqual(Image("a"), Image("a"))
        self.assertEqual(Video("a", "t"), Video("a", "t"))
        self.assertEqual(Success(), Success())
        for one, other in ((Image("a"), Image("b")), (Image("a"), Voice("a")), (Video("a", "t"), Video("b", "t"))):
            self.assertNotEqual(one, other)

    def test_a_reply_shows_what_it_says(self) -> None:
        self.assertEqual(repr(Text("a")), "Text(content='a')")
        self.assertEqual(repr(Image("a")), "Image(media_id='a')")
        self.assertIn("media_id='a'", repr(Video("a", "t")))


def leaves(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    return set().union(*(leaves(child) for _, child in value))
