"""What comes out of a mailbox, with what, and what stays in."""

from __future__ import annotations

import unittest

from tests.delivery.platform import message
from weixin.delivery import mailbox
from weixin.store.base import Mail
from weixin.wire.replies import Article, Image, News, Success, Text


def text(words: str, id: int = 1, question: str = "问") -> Mail:
    return Mail(question, "text", words, b"", id=id)


IMAGE = Mail("图", "image", "", b"<xml>image</xml>", id=9)


class Letters(unittest.TestCase):
    def test_a_text_waits_as_text_and_the_rest_as_what_it_is(self) -> None:
        push = message("讲个故事")
        (letter,) = mailbox.letter(push, Text("从前"), 1)
        self.assertEqual((letter.question, letter.kind, letter.text, letter.body), ("讲个故事", "text", "从前", b""))
        (letter,) = mailbox.letter(push, Image("M"), 1)
        self.assertEqual((letter.kind, b"<MediaId><![CDATA[M]]>" in letter.body), ("image", True))
        self.assertEqual(mailbox.letter(push, Success(), 1), [])

    def test_articles_for_an_event_become_one_for_the_text_that_fetches_them(self) -> None:
        click = message(MsgType="event", Event="CLICK", EventKey="K")
        news = News([Article("t", "d", "https://p", "https://u")] * 3)
        self.assertIn(b"<ArticleCount>3<", news.render(click, 1))
        (letter,) = mailbox.letter(click, news, 1)
        self.assertIn(b"<ArticleCount>1<", letter.body)
        self.assertEqual(letter.question, "K")

    def test_an_answer_that_was_sent_to_nobody_is_read_back(self) -> None:
        for reply in (Text("从前]]>&<b>"), Image("M")):
            body = reply.render(message(), 1)
            (letter,) = mailbox.letter_again("问", body, 7.0)
            expected = ("从前]]>&<b>", b"") if reply.kind == "text" else ("", body)
            self.assertEqual((letter.kind, letter.text, letter.body, letter.at), (reply.kind, *expected, 7.0))
        self.assertEqual(mailbox.letter_again("问", b"success", 7.0), [])

    def test_a_question_is_short(self) -> None:
        self.assertEqual(mailbox.question(message("长" * 50)), "长" * 20 + "…")
        self.assertEqual(mailbox.question(message(" 两\n行 ")), "两 行")


class Handing(unittest.TestCase):
    def test_an_answer_takes_the_mail_that_fits_in_order(self) -> None:
        handed = mailbox.with_mail("答", [text("一", 1), text("二", 2, "")], True, "继续", "zh")
        self.assertEqual(handed, mailbox.Handed("答\n\n【问】\n一\n\n二", take=(1, 2)))
        handed = mailbox.with_mail("答", [text("一" * 675, 1), text("二", 2)], True, "继续", "zh")
        self.assertEqual(handed.take, (1,))
        handed = mailbox.with_mail("答" * 600, [text("一" * 100, 1), text("二", 2)], True, "继续", "zh")
        self.assertEqual(handed.take, ())
        handed = mailbox.with_mail("答", [IMAGE, text("二", 2)], True, "继续", "zh")
        self.assertEqual(handed.take, ())

    def test_a_long_answer_leaves_its_rest(self) -> None:
        handed = mailbox.with_mail("答" * 1000, [text("一")], True, "继续", "zh")
        (rest,) = handed.put
        self.assertLessEqual(len(handed.text.encode()), 2047)
        self.assertTrue(handed.text.endswith("（未完，回复「继续」看后面）"))
        self.assertEqual(handed.text.count("答") + rest.text.count("答"), 1000)
        self.assertEqual(mailbox.with_mail("答" * 1000, [], False, "继续", "zh").put, ())

    def test_the_word_takes_one_plain_and_several_labelled(self) -> None:
        self.assertEqual(mailbox.pick_up([text("一")], True, "继续", "zh"), mailbox.Handed("一", take=(1,)))
        handed = mailbox.pick_up([text("一", 1), text("二", 2, "再问")], True, "继续", "zh")
        self.assertEqual(handed, mailbox.Handed("【问】\n一\n\n【再问】\n二", take=(1, 2)))

    def test_the_word_says_how_much_is_left(self) -> None:
        handed = mailbox.pick_up([text("一", 1), IMAGE, text("三", 3)], True, "继续", "zh")
        self.assertEqual(handed, mailbox.Handed("一\n\n（还有 2 条，回复「继续」查看）", take=(1,)))
        self.assertEqual(mailbox.pick_up([IMAGE], True, "继续", "zh"), mailbox.Handed(body=IMAGE.body, take=(9,)))

    def test_the_rest_of_a_long_one_keeps_its_question(self) -> None:
        handed = mailbox.pick_up([text("长" * 1000, 5, "讲个故事")], True, "继续", "zh")
        self.assertEqual(handed.take, (5,))
        self.assertEqual((handed.put[0].question, handed.put[0].id), ("讲个故事", 0))
