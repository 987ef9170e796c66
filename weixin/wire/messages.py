"""Pushed XML -> Message: every message and event of 接收普通消息 and 接收事件推送, and any that come later.

The XML is a stranger's. It is read by expat with its teeth drawn: nothing but an XML declaration may stand before the
root element, so there can be no DOCTYPE, hence no entity of anybody's own making and nothing external; namespaces are
not looked at; the encoding is UTF-8 whatever the body says; size, depth, number of elements and text are bounded.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

from . import flat
from .errors import MessageRefused

if TYPE_CHECKING:
    from xml.parsers import expat

# Real pushes have at most four levels and some dozens of elements (群发结果 with eight articles is the largest).
MAX_DEPTH = 16
MAX_ELEMENTS = 1_000
# One element's text; the longest real one is the Encrypt of a compatible-mode push.
MAX_TEXT = 65_536
# Names that lists, logs and counters keep, printable ones: an openid has 28 letters, the longest event 33.
MAX_NAME = 128
# The body in all, for callers that set no tighter limit of their own.
MAX_BODY = 1 << 20

MESSAGE_TYPES = (
    "text", "image", "voice", "video", "shortvideo", "location", "link", "file", "miniprogrampage",
    "device_text", "device_event", "device_status", "hardware",
)  # fmt: skip

# In lower case: the platform writes CLICK, VIEW and TEMPLATESENDJOBFINISH in capitals and the others not, and names are
# compared without case. LOCATION, the event, is called location_event here: location is a message.
EVENTS = (
    "subscribe", "unsubscribe", "scan", "location_event",
    "click", "view", "view_miniprogram", "scancode_push", "scancode_waitmsg",
    "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select",
    "templatesendjobfinish", "masssendjobfinish", "publishjobfinish",
    "subscribe_msg_popup_event", "subscribe_msg_change_event", "subscribe_msg_sent_event",
    "kf_create_session", "kf_close_session", "kf_switch_session",
    "user_info_modified", "user_authorization_revoke", "user_authorization_cancellation",
    "qualification_verify_success", "qualification_verify_fail", "naming_verify_success", "naming_verify_fail",
    "annual_renew", "verify_expired",
    "wx_verify_pay_succ", "wx_verify_dispatch", "wx_verify_refill", "wx_verify_fail",
    "card_pass_check", "card_not_pass_check", "user_get_card", "user_gifting_card", "user_del_card",
    "user_enter_session_from_card", "submit_membercard_user_info", "user_consume_card", "user_pay_from_pay_cell",
    "user_view_card", "update_member_card", "card_sku_remind", "card_pay_order",
    "giftcard_pay_done", "giftcard_send_to_friend", "giftcard_user_accept",
    "poi_check_notify", "wificonnected", "shakearoundusershake", "merchant_order",
    "user_scan_product", "user_scan_product_enter_session", "user_scan_product_async",
    "user_scan_product_verify_action",
    "user_authorize_invoice", "update_invoice_status", "submit_invoice_title", "cloud_invoice_invoiceresult_event",
    "guide_qrcode_scan_event", "guide_invite_result_event", "add_guide_buyer_relation_event",
    "weapp_audit_success", "weapp_audit_fail", "weapp_audit_delay", "wxa_media_check", "debug_demo",
)  # fmt: skip

# Events a user waits at the screen for. For the others the page says "answer success".
REPLY_EVENTS = frozenset({"subscribe", "scan", "click", "scancode_waitmsg"})

# What stands in the Content of a sticker, a red packet and whatever else the platform cannot forward.
UNSUPPORTED = ("【收到不支持的消息类型", "【收到不支援的訊息類型")

_KNOWN = frozenset(MESSAGE_TYPES + EVENTS)
# The elements that every push has.
NAMES = ("ToUserName", "FromUserName", "CreateTime", "MsgType")
_names = operator.itemgetter(*NAMES)
# Element name -> str, a dictionary of the same, or a list of either where an element repeats.
Fields = dict[str, Any]

# C0 controls are illegal in XML and yet arrive in users' texts; so do U+FFFE and U+FFFF. NUL is not among them: it
# never arrives, and taking it out would make ASCII of UTF-16.
_CONTROLS = bytes(set(range(1, 32)) - {9, 10, 13})
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_START = (
    rb"(?:\xef\xbb\xbf)?[ \t\r\n]{0,200}"
    rb"(?:<\?xml[ \t\r\n][^<>]{0,200}?"
    rb"(?:encoding[ \t]*=[ \t]*[\"'](?P<encoding>[^\"']*)[\"'][^<>]{0,100}?)?\?>[ \t\r\n]{0,200})?"
    rb"<xml[ \t\r\n/>]"
)
_JSON = rb"(?:\xef\xbb\xbf)?[ \t\r\n]*[{\[]"
_INTEGER = re.compile(r"[0-9]{1,19}")
_DECIMAL = r"[+-]?[0-9]{1,9}(?:\.[0-9]{1,15})?"


class Message:
    """One push: a message of a user's, or an event.

    Any element is at hand by its name, ``msg["ScanCodeInfo"]["ScanResult"]``; a repeated one is a list. The usual ones
    have plain names besides; those that this push does not have are ``""``, or None where they are numbers.
    """

    __slots__ = (
        "accepts_reply", "account", "attempt", "event", "fields", "id", "key", "kind", "raw", "replayed", "text",
        "time", "type", "user", "xml",
    )  # fmt: skip

    def __init__(self, fields: Fields, *, raw: bytes = b"", xml: bytes = b"") -> None:
        """Wrap *fields*; raise MessageRefused (WX-XML-03) where one that every push has is missing."""
        #: Every element by its name.
        self.fields = fields
        #: The body as it arrived, and the XML inside it once it was opened (the same, in plain mode).
        self.raw = raw
        self.xml = xml
        #: Which delivery of this push ran the handler, from 1; and whether a person sent it again by hand.
        self.attempt = 1
        self.replayed = False
        try:
            names = _names(fields)
            joined = "".join(names)
            # One look at all of them: together they are nearly always shorter than each may be.
            sound = "" not in names and len(joined) <= MAX_NAME and joined.isprintable()
        except (KeyError, TypeError):
            sound = False
        if not sound:
            names = [_name(element, fields.get(element)) for element in NAMES]
        account, user, made, kind = names
        if not _INTEGER.fullmatch(made):
            raise MessageRefused("WX-XML-03", "CreateTime is not a number", element="CreateTime")
        number, text, key = fields.get("MsgId"), fields.get("Content"), fields.get("EventKey")
        #: The Official Account's original id, ``gh_…``; the sender's openid.
        self.account: str = account
        self.user: str = user
        #: When the platform made the push, in seconds since 1970.
        self.time = int(made)
        #: MsgId (events that have one call it MsgID), exactly as sent: it does not fit a JavaScript number.
        self.id = number if number and isinstance(number, str) else self._text("MsgID")
        #: What the user typed.
        self.text = text if isinstance(text, str) else ""
        #: EventKey: a menu button's key, a view's address, a scene.
        self.key = key if isinstance(key, str) else ""
        #: MsgType, and for events Event, both in lower case.
        self.type: str = kind.lower()
        self.event = ""
        #: What the push is: the event's name for an event, the type for a message, ``unsupported`` for a placeholder.
        self.kind = self.type
        #: Whether the user's client shows a reply to this kind of push.
        self.accepts_reply = True
        if self.type == "event":
            self.event = _name("Event", self._text("Event").lower())
            self.kind = "location_event" if self.event == "location" else self.event
            self.accepts_reply = self.kind in REPLY_EVENTS
        elif self.type == "text" and self.text.startswith(UNSUPPORTED):
            self.kind = "unsupported"

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def get(self, name: str, default: Any = None) -> Any:
        """Return the element *name*, or *default*."""
        return self.fields.get(name, default)

    def __repr__(self) -> str:
        return f"<Message {self.kind} {self.id or self.time}>"

    def _text(self, name: str) -> str:
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def _nested(self, *path: str) -> str:
        value: Any = self.fields
        for name in path:
            if not isinstance(value, dict):
                return ""
            value = value.get(name)
        return value if isinstance(value, str) else ""

    def _number(self, *paths: str) -> float | None:
        for path in paths:
            value = self._nested(*path.split("."))
            if re.fullmatch(_DECIMAL, value):
                return float(value)
        return None

    @property
    def known(self) -> bool:
        """Whether this kind of push was known when this program was written."""
        return self.kind in _KNOWN

    @property
    def scene(self) -> str:
        """The scene of the QR code that was scanned, by a follower or to follow."""
        if self.kind == "scan":
            return self.key
        prefix = "qrscene_"
        return self.key[len(prefix) :] if self.kind == "subscribe" and self.key.startswith(prefix) else ""

    @property
    def media_id(self) -> str:
        """MediaId of a picture, voice or video; kept by the platform for three days."""
        return self._text("MediaId")

    @property
    def pic_url(self) -> str:
        """Where the picture is."""
        return self._text("PicUrl")

    @property
    def format(self) -> str:
        """A voice's format: amr, speex."""
        return self._text("Format")

    @property
    def recognition(self) -> str:
        """A voice's text, where the account has recognition switched on; often empty even so."""
        return self._text("Recognition")

    @property
    def x(self) -> float | None:
        """Latitude, in degrees."""
        return self._number("Location_X", "Latitude", "SendLocationInfo.Location_X")

    @property
    def y(self) -> float | None:
        """Longitude, in degrees."""
        return self._number("Location_Y", "Longitude", "SendLocationInfo.Location_Y")

    @property
    def scale(self) -> int | None:
        """The map's zoom."""
        value = self._number("Scale", "SendLocationInfo.Scale")
        return None if value is None else int(value)

    @property
    def label(self) -> str:
        """The place's name or address."""
        return self._text("Label") or self._nested("SendLocationInfo", "Label")

    @property
    def title(self) -> str:
        """A link's or file's title."""
        return self._text("Title")

    @property
    def description(self) -> str:
        """A link's or file's description."""
        return self._text("Description")

    @property
    def url(self) -> str:
        """A link's address."""
        return self._text("Url")


def _name(element: str, value: object) -> str:
    """Return *value*, which is that of an *element* that a push cannot do without."""
    if not isinstance(value, str) or not value:
        raise MessageRefused("WX-XML-03", "an element is missing or repeated", element=element)
    if len(value) > MAX_NAME or not value.isprintable():
        raise MessageRefused("WX-XML-03", "no name is like that", element=element)
    return value


def parse(body: bytes) -> Fields:
    """Read one push's XML into a dictionary. Raise MessageRefused: WX-XML-01 for bad XML, WX-XML-02 for JSON."""
    if len(body) > MAX_BODY:
        raise MessageRefused("WX-XML-01", "the body is too large", bytes=len(body))
    fields = flat.read_text(body)
    if fields is not None:
        return fields
    text = body.translate(None, _CONTROLS)
    if b"\xef\xbf" in text:
        for each in _NONCHARACTERS:
            text = text.replace(each, b"")
        # Where bytes that are no text close up, one of the two may stand there anew; expat sees it.
        return read(text)
    fields = flat.read(text)
    return read(text) if fields is None else fields


def read(text: bytes) -> Fields:
    """Read what may be any XML at all; raises as `parse`, and is asked where `flat` says nothing."""
    start = re.match(_START, text)
    if start is None:
        if re.match(_JSON, text):
            raise MessageRefused("WX-XML-02", "the body is JSON")
        raise MessageRefused("WX-XML-01", "the body does not begin with the element xml")
    if (start["encoding"] or b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise MessageRefused("WX-XML-01", "the body is not in UTF-8")
    from xml.parsers import expat  # not for most, which `flat` reads: everybody starts sooner

    # ElementTree would write out a namespace in every name that has its prefix: one of half a megabyte in a thousand
    # names fills the memory. Here a prefix is a part of the name.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    fields = _build(parser)
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        at = f"{error.lineno}:{error.offset}"
        raise MessageRefused("WX-XML-01", "the body is not well-formed", at=at) from None
    return fields


def _build(parser: expat.XMLParserType) -> Fields:
    """Have *parser* fill the dictionary that is returned; the first limit passed stops it.

    Functions over local names, because every push pays for some twenty calls of them.
    """
    root: Fields = {}
    # What was read so far of every element that is open, outermost first; None while it has no children.
    opened: list[Fields | None] = []
    # The text of the element that is open innermost, in the parser's pieces.
    pieces: list[str] = []
    left = MAX_ELEMENTS

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal left
        left -= 1
        if left < 0 or len(opened) > MAX_DEPTH:
            raise MessageRefused("WX-XML-01", "the body has too many or too deeply nested elements")
        opened.append(None if opened else root)
        pieces.clear()

    def end(name: str) -> None:
        # An element that has children is no text, whatever stands between them.
        value: Any = opened.pop()
        if value is None:
            value = "".join(pieces)
            if len(value) > MAX_TEXT:
                raise MessageRefused("WX-XML-01", "an element is too long", element=name[:40])
        pieces.clear()
        if not opened:
            return
        siblings = opened[-1]
        if siblings is None:
            opened[-1] = {name: value}
        elif name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = pieces.append
    return root
