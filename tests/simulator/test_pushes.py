from __future__ import annotations

import re
import unittest
from typing import Any

from tests.wire.pushes import EVENTS, MESSAGES
from weixin.simulator import BadWord, Push, UnknownKind, canonical, kinds, make, renewed

NOW, ID = 1_714_036_504, "23892507910728562"


def made(name: str, *words: str, **more: Any) -> Push:
    return make(name, *words, time=NOW, id=ID, **more)


def values(fields: Any, path: str) -> Any:
    """What stands at *path*; of an element that repeats, its first."""
    for name in path.split("."):
        fields = fields[0] if isinstance(fields, list) else fields
        fields = fields[name]
    return fields


class EveryKind(unittest.TestCase):
    def test_each_has_the_elements_that_its_page_lists(self) -> None:
        # Those that are there on some occasions alone.
        rare = {"text": "bizmsgmenuid MsgDataId Idx", "voice": "MediaId16K", "subscribe": "Ticket"}
        for table in (MESSAGES, EVENTS):
            for kind, (_, paths) in table.items():
                message = made(kind).message
                assert message is not None
                with self.subTest(kind):
                    self.assertEqual(message.kind, kind)
                    for path in set(paths.split()) - set(rare.get(kind, "").split()):
                        values(message.fields, path)

    def test_each_is_written_the_way_the_platform_writes_its_name(self) -> None:
        for kind, (name, _) in MESSAGES.items():
            self.assertIn(f"<MsgType><![CDATA[{name}]]></MsgType>".encode(), made(kind).xml)
        for kind, (name, _) in EVENTS.items():
            lines = f"<MsgType><![CDATA[event]]></MsgType>\n<Event><![CDATA[{name}]]></Event>"
            self.assertIn(lines.encode(), made(kind).xml)

    def test_nothing_is_missing_and_nothing_made_up(self) -> None:
        self.assertEqual(set(kinds()), {*MESSAGES, *EVENTS, "unsupported"})

    def test_every_kind_has_a_name_to_type(self) -> None:
        for typed, kind in (
            ("text", "text"), ("shortvideo", "shortvideo"), ("location", "location"), ("SCAN", "scan"),
            ("location-event", "location_event"), ("scancode-push", "scancode_push"),
            ("view-miniprogram", "view_miniprogram"), ("pic-album", "pic_photo_or_album"),
            ("scancode-waitmsg", "scancode_waitmsg"), ("pic-sysphoto", "pic_sysphoto"), ("pic-weixin", "pic_weixin"),
            ("location-select", "location_select"), ("template-finish", "templatesendjobfinish"),
            ("kf-create", "kf_create_session"), ("kf-close", "kf_close_session"), ("WifiConnected", "wificonnected"),
            ("user_get_card", "user_get_card"), ("user-get-card", "user_get_card"), ("CLICK", "click"),
        ):  # fmt: skip
            with self.subTest(typed):
                self.assertEqual(canonical(typed), kind)

    def test_a_slip_of_the_keyboard_is_answered_with_the_nearest_name(self) -> None:
        for typed, nearest in (("subscrbe", "subscribe"), ("scancode-wait", "scancode-waitmsg"), ("zzz", "")):
            with self.subTest(typed), self.assertRaises(UnknownKind) as caught:
                canonical(typed)
            self.assertEqual(caught.exception.suggestion, nearest)


class Layout(unittest.TestCase):
    def test_a_text_has_the_bytes_of_the_recordings(self) -> None:
        self.assertEqual(
            made("text", "天气", user="oUSER", account="gh_1").xml.decode(),
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName>\n"
            "<FromUserName><![CDATA[oUSER]]></FromUserName>\n"
            "<CreateTime>1714036504</CreateTime>\n"
            "<MsgType><![CDATA[text]]></MsgType>\n"
            "<Content><![CDATA[天气]]></Content>\n"
            "<MsgId>23892507910728562</MsgId>\n"
            "</xml>",
        )

    def test_nested_elements_stand_one_a_line(self) -> None:
        self.assertTrue(
            made("scancode-push", "K", "42").xml.endswith(
                b"<EventKey><![CDATA[K]]></EventKey>\n"
                b"<ScanCodeInfo><ScanType><![CDATA[qrcode]]></ScanType>\n"
                b"<ScanResult><![CDATA[42]]></ScanResult>\n"
                b"</ScanCodeInfo>\n</xml>"
            )
        )

    def test_numbers_are_bare_and_coordinates_have_six_digits(self) -> None:
        numbers = "<Location_X>23.500000</Location_X>\n<Location_Y>113.000000</Location_Y>\n<Scale>16</Scale>"
        self.assertIn(numbers, made("location", "23.5", "113", "家", "16").xml.decode())
        self.assertIn("<Location_X><![CDATA[1]]></Location_X>", made("location-select", "K", "1").xml.decode())
        self.assertIn("<MsgID>23892507910728562</MsgID>", made("template-finish").xml.decode())

    def test_an_event_of_several_pictures_repeats_the_wrapper(self) -> None:
        self.assertEqual(made("pic-weixin").xml.count(b"<PicList>"), 2)

    def test_no_push_is_indented_or_ends_with_a_line_feed(self) -> None:
        for kind in kinds():
            xml = made(kind).xml.decode()
            with self.subTest(kind):
                self.assertTrue(xml.startswith("<xml><ToUserName>") and xml.endswith(">\n</xml>"))
                self.assertIsNone(re.search(r"\n\s", xml))

    def test_what_a_user_says_cannot_break_out(self) -> None:
        for content in ("]]></Content><x>", "<b>&", "a\nb", "👋"):
            message = made("text", content).message
            assert message is not None
            self.assertEqual(message.text, content)


class Words(unittest.TestCase):
    def test_a_scene_arrives_in_the_shape_that_the_event_has(self) -> None:
        for name, words, scene, key, received in (
            ("subscribe", (), "", "", ""),
            ("subscribe", (), "42", "qrscene_42", "42"),
            ("subscribe", (), "qrscene_42", "qrscene_42", "42"),
            ("scan", (), "42", "42", "42"),
            ("scan", ("7",), "", "7", "7"),
        ):
            message = made(name, *words, scene=scene).message
            assert message is not None
            with self.subTest(name, scene=scene):
                self.assertEqual((message.key, message.scene), (key, received))
                self.assertEqual("Ticket" in message, bool(received))

    def test_words_that_do_not_fit_are_refused(self) -> None:
        for name, words, more, element in (
            ("text", ("a", "b"), {}, ""),
            ("subscribe", ("a",), {}, ""),
            ("text", (), {"scene": "42"}, ""),
            ("location", ("north",), {}, "Location_X"),
            ("location", ("1", "2", "here", "1.5"), {}, "Scale"),
        ):  # fmt: skip
            with self.subTest(name, words=words), self.assertRaises(BadWord) as caught:
                made(name, *words, **more)
            self.assertEqual(caught.exception.element, element)

    def test_one_push_leaves_the_next_alone(self) -> None:
        before = made("scancode-push").xml
        made("scancode-push", "OTHER", "OTHER")
        self.assertEqual(made("scancode-push").xml, before)

    def test_what_is_no_message_is_a_push_all_the_same(self) -> None:
        self.assertIsNone(Push(b"hello").message)
        self.assertEqual(Push(b"hello").xml, b"hello")


class Renewed(unittest.TestCase):
    def test_the_same_words_are_a_new_message(self) -> None:
        for kind, numbered in (("text", True), ("templatesendjobfinish", True), ("click", False)):
            with self.subTest(kind):
                before = Push(make(kind, time=1, id="10000000000000001").xml)
                after = Push(renewed(before.xml, time=1772668800, id="20000000000000002"))
                assert before.message is not None and after.message is not None
                self.assertEqual(after.message.time, 1772668800)
                self.assertEqual(after.message.id, "20000000000000002" if numbered else "")
                new = ("CreateTime", "MsgId", "MsgID")
                words = [
                    {name: value for name, value in message.fields.items() if name not in new}
                    for message in (before.message, after.message)
                ]
                self.assertEqual(*words)
