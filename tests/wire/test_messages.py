from __future__ import annotations

import unittest
from typing import Any

from tests.wire.pushes import EVENTS, MESSAGES
from weixin.wire import messages
from weixin.wire.errors import MessageRefused
from weixin.wire.messages import Message, parse

USER, ACCOUNT, TIME = "oyORnuP8q7ou2gfYjqLzSIWZf0rs", "gh_10f6c3c3ac5a", 1_409_735_668


def xml(own: str = "", kind: str = "text", event: str = "") -> bytes:
    """A plain push, in the layout of the recordings."""
    lines = [
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>",
        f"<FromUserName><![CDATA[{USER}]]></FromUserName>",
        f"<CreateTime>{TIME}</CreateTime>",
        f"<MsgType><![CDATA[{kind}]]></MsgType>",
        *([f"<Event><![CDATA[{event}]]></Event>"] if event else []),
        *([own] if own else []),
        "</xml>",
    ]
    return "\n".join(lines).encode()


def read(own: str = "", kind: str = "text", event: str = "") -> Message:
    return Message(parse(xml(own, kind, event)))


def event(name: str, own: str = "") -> Message:
    return read(own, "event", name)


def elements(paths: str) -> str:
    """XML of the elements at these paths, with its own path as the text of each."""
    nested: dict[str, Any] = {}
    for path in paths.split():
        *above, name = path.split(".")
        at = nested
        for step in above:
            at = at.setdefault(step, {})
        at[name] = f"<{path}> & so on"

    def written(value: Any) -> str:
        if isinstance(value, str):
            return f"<![CDATA[{value}]]>"
        return "".join(f"<{name}>{written(child)}</{name}>\n" for name, child in value.items())

    return written(nested).rstrip("\n")


class EveryPush(unittest.TestCase):
    def check(self, message: Message, kind: str, paths: str) -> None:
        self.assertEqual(message.kind, kind)
        self.assertTrue(message.known)
        self.assertEqual((message.user, message.account, message.time), (USER, ACCOUNT, TIME))
        for path in paths.split():
            value: Any = message
            for name in path.split("."):
                value = value[name]
            self.assertEqual(value, f"<{path}> & so on")

    def test_every_message_keeps_every_element(self) -> None:
        for kind, (wire_name, paths) in MESSAGES.items():
            with self.subTest(kind):
                message = read(elements(paths), wire_name)
                self.check(message, kind, paths)
                self.assertEqual((message.type, message.event), (kind, ""))
                self.assertTrue(message.accepts_reply)

    def test_every_event_keeps_every_element(self) -> None:
        for kind, (wire_name, paths) in EVENTS.items():
            with self.subTest(kind):
                message = event(wire_name, elements(paths))
                self.check(message, kind, paths)
                self.assertEqual((message.type, message.event), ("event", wire_name.lower()))

    def test_the_program_knows_what_the_pages_know(self) -> None:
        self.assertEqual(set(messages.MESSAGE_TYPES), set(MESSAGES))
        self.assertEqual(set(messages.EVENTS), set(EVENTS))
        self.assertEqual(len(messages.EVENTS), len(set(messages.EVENTS)))

    def test_event_names_compare_without_case(self) -> None:
        for kind, (wire_name, _) in EVENTS.items():
            for spelling in (wire_name.upper(), wire_name.lower(), wire_name.title()):
                with self.subTest(spelling):
                    self.assertEqual(event(spelling).kind, kind)
        self.assertEqual(read(kind="TEXT").kind, "text")

    def test_a_reply_is_shown_to_whoever_waits_for_one(self) -> None:
        shown = {kind for kind, (wire_name, _) in EVENTS.items() if event(wire_name).accepts_reply}
        self.assertEqual(shown, {"subscribe", "scan", "click", "scancode_waitmsg"})

    def test_location_the_message_is_not_location_the_event(self) -> None:
        self.assertEqual(read(kind="location").kind, "location")
        self.assertEqual(event("LOCATION").kind, "location_event")

    def test_what_nobody_has_heard_of_is_a_message_all_the_same(self) -> None:
        new = event("sealed_with_a_kiss", "<Kiss><By>o1</By></Kiss>")
        self.assertEqual((new.kind, new.known, new["Kiss"]["By"]), ("sealed_with_a_kiss", False, "o1"))
        newer = read("<Smell>rose</Smell>", "smell")
        self.assertEqual((newer.kind, newer.known, newer["Smell"]), ("smell", False, "rose"))
        self.assertTrue(newer.accepts_reply)
        self.assertFalse(new.accepts_reply)


class FriendlyNames(unittest.TestCase):
    TABLE: tuple[tuple[str, Message, dict[str, Any]], ...] = (
        ("text", read("<Content>天气</Content><MsgId>23892507910728562</MsgId>"),
         {"text": "天气", "id": "23892507910728562", "type": "text"}),
        ("image", read("<PicUrl>http://mmbiz.qpic.cn/x</PicUrl>\n<MsgId>1</MsgId>\n<MediaId>M</MediaId>", "image"),
         {"pic_url": "http://mmbiz.qpic.cn/x", "media_id": "M", "id": "1"}),
        ("voice", read("<MediaId>M</MediaId><Format>amr</Format><Recognition>讲个故事</Recognition>", "voice"),
         {"format": "amr", "recognition": "讲个故事", "media_id": "M"}),
        ("voice without recognition", read("<MediaId>M</MediaId>", "voice"), {"recognition": ""}),
        ("voice with an empty one", read("<Recognition><![CDATA[]]></Recognition>", "voice"), {"recognition": ""}),
        ("location", read("<Location_X>23.134521</Location_X><Location_Y>-113.358803</Location_Y>"
                          "<Scale>20</Scale><Label>位置</Label>", "location"),
         {"x": 23.134521, "y": -113.358803, "scale": 20, "label": "位置"}),
        ("link", read("<Title>t</Title><Description>d</Description><Url><![CDATA[https://a?b=1&c=2]]></Url>", "link"),
         {"title": "t", "description": "d", "url": "https://a?b=1&c=2"}),
        ("location event", event("LOCATION", "<Latitude>23.137466</Latitude><Longitude>113.352425</Longitude>"),
         {"x": 23.137466, "y": 113.352425, "scale": None}),
        ("location select", event("location_select", "<SendLocationInfo><Location_X><![CDATA[23]]></Location_X>"
                                  "<Location_Y><![CDATA[113]]></Location_Y><Scale><![CDATA[15]]></Scale>"
                                  "<Label><![CDATA[广州]]></Label></SendLocationInfo>"),
         {"x": 23.0, "y": 113.0, "scale": 15, "label": "广州"}),
        ("click", event("CLICK", "<EventKey>MENU_HELP</EventKey>"), {"key": "MENU_HELP", "scene": "", "id": ""}),
        ("subscribe", event("subscribe", "<EventKey><![CDATA[]]></EventKey>"), {"key": "", "scene": ""}),
        ("subscribe by QR code", event("subscribe", "<EventKey>qrscene_42</EventKey>"),
         {"key": "qrscene_42", "scene": "42"}),
        ("subscribe, scene of text", event("subscribe", "<EventKey>qrscene_qrscene_a</EventKey>"),
         {"scene": "qrscene_a"}),
        ("subscribe, no prefix", event("subscribe", "<EventKey>last_trade_no_1</EventKey>"), {"scene": ""}),
        ("scan", event("SCAN", "<EventKey>42</EventKey>"), {"scene": "42"}),
        ("scan of a scene with the prefix in it", event("SCAN", "<EventKey>qrscene_x</EventKey>"),
         {"scene": "qrscene_x"}),
        ("a template's result", event("TEMPLATESENDJOBFINISH", "<MsgID>200163836</MsgID>"), {"id": "200163836"}),
        ("nothing of its own", read(), {
            "text": "", "key": "", "scene": "", "media_id": "", "pic_url": "", "recognition": "", "format": "",
            "label": "", "x": None, "y": None, "scale": None, "title": "", "description": "", "url": "", "id": "",
            "attempt": 1, "replayed": False, "raw": b"", "xml": b"",
        }),
    )  # fmt: skip

    def test_each_name_has_its_value(self) -> None:
        for case, message, expected in self.TABLE:
            with self.subTest(case):
                self.assertEqual({name: getattr(message, name) for name in expected}, expected)

    def test_what_is_no_number_is_none(self) -> None:
        for text in ("", "north", "1e9", "nan", "inf", "0x10", "١", "1_0", " 1", "1" * 400):
            with self.subTest(text):
                message = read(f"<Location_X>{text}</Location_X><Scale>{text}</Scale>", "location")
                self.assertIsNone(message.x)
                self.assertIsNone(message.scale)

    def test_a_repeated_element_has_no_friendly_name_and_does_no_harm(self) -> None:
        twice = read("<Content>a</Content><Content>b</Content><EventKey><a>1</a></EventKey>")
        self.assertEqual((twice.text, twice.key), ("", ""))
        self.assertEqual(twice["Content"], ["a", "b"])

    def test_a_msgid_stays_exact(self) -> None:
        for number in ("23892507910728562", "6054768590064713728", "9223372036854775807", "9007199254740993"):
            with self.subTest(number):
                self.assertEqual(read(f"<MsgId>{number}</MsgId>").id, number)

    def test_a_message_says_what_it_is(self) -> None:
        self.assertEqual(repr(read("<Content>secret</Content><MsgId>7</MsgId>")), "<Message text 7>")
        self.assertEqual(repr(event("CLICK")), f"<Message click {TIME}>")

    def test_elements_are_at_hand_by_name(self) -> None:
        message = read("<bizmsgmenuid>101</bizmsgmenuid>")
        self.assertIn("bizmsgmenuid", message)
        self.assertNotIn("MsgId", message)
        self.assertEqual((message.get("bizmsgmenuid"), message.get("x"), message.get("x", 1)), ("101", None, 1))
        with self.assertRaises(KeyError):
            message["x"]


class RepeatedElements(unittest.TestCase):
    def test_both_shapes_of_a_list_of_pictures(self) -> None:
        def pictures(inside: str) -> Any:
            return event("pic_weixin", f"<SendPicsInfo><Count>2</Count>{inside}</SendPicsInfo>")["SendPicsInfo"]

        one, two = (f"<item><PicMd5Sum><![CDATA[{n}]]></PicMd5Sum>\n</item>\n" for n in "12")
        self.assertEqual(pictures(f"<PicList>{one}{two}</PicList>")["PicList"],
                         {"item": [{"PicMd5Sum": "1"}, {"PicMd5Sum": "2"}]})  # fmt: skip
        self.assertEqual(pictures(f"<PicList>{one}</PicList>\n<PicList>{two}</PicList>")["PicList"],
                         [{"item": {"PicMd5Sum": "1"}}, {"item": {"PicMd5Sum": "2"}}])  # fmt: skip
        self.assertEqual(pictures(f"<PicList>{one}</PicList>")["PicList"], {"item": {"PicMd5Sum": "1"}})

    def test_a_list_that_is_its_own_item(self) -> None:
        lists = "".join(f"<List><TemplateId>{n}</TemplateId></List>" for n in range(3))
        message = event("subscribe_msg_popup_event", f"<SubscribeMsgPopupEvent>{lists}</SubscribeMsgPopupEvent>")
        self.assertEqual(message["SubscribeMsgPopupEvent"]["List"], [{"TemplateId": str(n)} for n in range(3)])

    def test_the_articles_that_failed(self) -> None:
        info = "<publish_status>2</publish_status><fail_idx>1</fail_idx><fail_idx>2</fail_idx><fail_idx>3</fail_idx>"
        message = event("PUBLISHJOBFINISH", f"<PublishEventInfo>{info}</PublishEventInfo>")
        self.assertEqual(message["PublishEventInfo"], {"publish_status": "2", "fail_idx": ["1", "2", "3"]})

    def test_an_element_that_is_empty_now_and_full_then(self) -> None:
        self.assertEqual(parse(b"<xml><a/><a>1</a><a><b>2</b></a></xml>"), {"a": ["", "1", {"b": "2"}]})


class Texts(unittest.TestCase):
    def test_what_users_type_arrives(self) -> None:
        for text in ("你好", "👋🏽", "/:share", "[Lol]", "two\nlines", "tab\there", "<!DOCTYPE html>",
                     "<!ENTITY x 'y'>", "<?xml version='1.0' encoding='utf-16'?>", "<xml>", "</xml>", "&lt;&amp;&#65;",
                     "a & b < c", "]]", " spaces ", "\u202e\u200b", "\x7f\x85"):  # fmt: skip
            with self.subTest(text):
                self.assertEqual(read(f"<Content><![CDATA[{text}]]></Content>").text, text)

    def test_control_characters_that_xml_forbids_are_taken_out(self) -> None:
        for code in (*range(1, 9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF):
            with self.subTest(code=code):
                self.assertEqual(read(f"<Content><![CDATA[a{chr(code)}b]]></Content>").text, "ab")

    def test_their_neighbours_stay(self) -> None:
        for character in ("\uffbf", "\ufffd", "\uf000", "\ufeff", "\U0001ffff", "\x20", "é", "\u0fbe"):
            with self.subTest(character):
                self.assertEqual(read(f"<Content><![CDATA[a{character}b]]></Content>").text, f"a{character}b")

    def test_a_split_cdata_is_joined(self) -> None:
        self.assertEqual(read("<Content><![CDATA[a]]]]><![CDATA[>b]]></Content>").text, "a]]>b")

    def test_placeholders_of_what_cannot_be_forwarded_are_not_texts(self) -> None:
        for content in ("【收到不支持的消息类型，暂无法显示】", "【收到不支援的訊息類型，無法顯示】"):
            with self.subTest(content):
                message = read(f"<Content><![CDATA[{content}]]></Content>")
                self.assertEqual((message.kind, message.type, message.text), ("unsupported", "text", content))
        self.assertEqual(read("<Content>什么是【收到不支持的消息类型】</Content>").kind, "text")


class MissingElements(unittest.TestCase):
    def test_what_every_push_has_must_be_there_once(self) -> None:
        for name in ("ToUserName", "FromUserName", "CreateTime", "MsgType"):
            fields = parse(xml())
            right = fields.pop(name)
            for fault, change in (
                ("missing", {}),
                ("empty", {name: ""}),
                ("repeated", {name: [right, right]}),
                ("nested", {name: {"a": right}}),
            ):
                with self.subTest(name, fault=fault), self.assertRaises(MessageRefused) as caught:
                    Message({**fields, **change})
                self.assertEqual((caught.exception.status, caught.exception.code), (400, "WX-XML-03"))
                self.assertEqual(caught.exception.fields, {"element": name})

    def test_an_event_has_a_name(self) -> None:
        with self.assertRaises(MessageRefused) as caught:
            read(kind="event")
        self.assertEqual((caught.exception.code, caught.exception.fields), ("WX-XML-03", {"element": "Event"}))

    def test_a_name_that_no_platform_gives_is_refused(self) -> None:
        # They are kept: in counters, in lists, in the log.
        longest = "e" * messages.MAX_NAME
        self.assertEqual(event(longest).kind, longest)
        self.assertEqual(Message({**parse(xml()), "ToUserName": longest, "FromUserName": longest}).user, longest)
        for name in ("ToUserName", "FromUserName", "MsgType", "Event"):
            for value in (longest + "e", "a\nb", "a\x9bb", "\u202eb", "a\u2028b", "a\x7f", "\t"):
                fields = {**parse(xml(kind="event", event="CLICK")), name: value}
                with self.subTest(name, value=value), self.assertRaises(MessageRefused) as caught:
                    Message(fields)
                self.assertEqual((caught.exception.status, caught.exception.code), (400, "WX-XML-03"))
                self.assertEqual(caught.exception.fields, {"element": name})

    def test_create_time_is_a_number(self) -> None:
        for text in ("soon", "-1", "1.5", "1e3", "٣", "1" * 20, "0x1", " 1"):
            fields = parse(xml())
            fields["CreateTime"] = text
            with self.subTest(text), self.assertRaises(MessageRefused) as caught:
                Message(fields)
            self.assertEqual(caught.exception.code, "WX-XML-03")

    def test_what_may_be_missing(self) -> None:
        self.assertEqual(read().id, "")
