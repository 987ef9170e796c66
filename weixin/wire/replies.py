"""Reply -> XML that WeChat always accepts (official page 被动回复用户消息).

A reply is made by a handler and rendered for one push. What is missing is an error when the reply is made, naming the
field; what is too long or illegal is mended when it is rendered, and ``lint`` says so beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from .messages import Message

# The platform names no number; in the field 2048 bytes bring the fault notice and 2047 do not.
MAX_TEXT = 2_047
# 2018: one article in answer to a message; events may have eight. Further ones are dropped by the platform.
MAX_ARTICLES_TO_MESSAGE = 1
MAX_ARTICLES = 8
ELLIPSIS = "…"

#: The acknowledgement, plain in every mode: "received, and no reply".
SUCCESS = b"success"

# What XML 1.0 forbids: C0 controls but tab and line feed, surrogates, two non-characters.
_FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_ILLEGAL = f"[{_FORBIDDEN}]"
# What `clean` changes; and what it leaves and is no blank, of which a text that says something has at least one.
_UNCLEAN = f"[{_FORBIDDEN}\r]"
_visible = re.compile(f"[^{_FORBIDDEN}\\s]").search

# The one thing that may not stand in a CDATA section is its end; two sections hold it.
_END, _PARTED = "]]>", "]]]]><![CDATA[>"


class ReplyError(ValueError):
    """A reply that cannot be made; ``field`` names what is missing or wrong."""

    def __init__(self, kind: str, field: str, problem: str) -> None:
        super().__init__(f"{kind}: {field} {problem}")
        self.field = field


class Finding(NamedTuple):
    """One thing that would go wrong: its code in the catalogue of texts, the values for it, and it in a few words."""

    code: str
    values: dict[str, Any]
    words: str

    def __str__(self) -> str:
        return f"{self.code} {self.words}"


class Article(NamedTuple):
    """One article of a News reply. The platform asks for all four."""

    title: str
    text: str
    pic: str
    url: str


class Reply:
    """What all replies have. Do not make one of this class; make one of those below."""

    __slots__: tuple[str, ...] = ()
    #: MsgType of the reply.
    kind: ClassVar[str] = ""

    def body(self, message: Message) -> str:
        """The elements behind MsgType."""
        raise AssertionError(f"{type(self).__name__} has no body")  # the classes below all have

    def lint(self) -> list[Finding]:
        """Say what would be changed, or not shown, if this reply were sent."""
        return []

    def render(self, message: Message, now: int) -> bytes:
        """Return the reply to *message* as UTF-8 XML; *now* is our clock in seconds since 1970."""
        user, account = message.user, message.account
        names = user + account
        if not names.isprintable() or _END in names:
            user, account = escape(user), escape(account)
        head = (
            f"<xml><ToUserName><![CDATA[{user}]]></ToUserName><FromUserName><![CDATA[{account}]]></FromUserName>"
            f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[{self.kind}]]></MsgType>"
        )
        # Each for itself: of one with Chinese in it Python makes every letter wide, and looks at each again.
        return head.encode() + f"{self.body(message)}</xml>".encode()

    def _values(self) -> dict[str, object]:
        slots = (name for part in type(self).__mro__ for name in getattr(part, "__slots__", ()))
        return {name: getattr(self, name) for name in slots if not name.startswith("_")}

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self._values().items())
        return f"{type(self).__name__}({values})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reply) and type(self) is type(other) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]


class Text(Reply):
    """Text, at most 2047 bytes of UTF-8 (about 682 Chinese characters); a longer one is cut and ends with «…»."""

    __slots__ = ("_sound", "content")
    kind = "text"

    def __init__(self, content: str) -> None:
        self.content = _required("Text", "content", content)
        # Looked at once, and not by each who asks: the content, if it goes out as it is.
        sound = (content.isprintable() or not re.search(_UNCLEAN, content)) and fits(content)
        self._sound = content if sound else None

    def body(self, message: Message) -> str:
        text = self.content
        if text is not self._sound:
            text = shorten(clean(text))
        return f"<Content><![CDATA[{text.replace(_END, _PARTED)}]]></Content>"

    def lint(self) -> list[Finding]:
        if self.content is self._sound:
            return []
        found = _lint_characters(self.content)
        text = clean(self.content)
        if not fits(text):
            size = len(text.encode())
            words = f"the text has {size} bytes, over {MAX_TEXT}: it is cut"
            found.append(Finding("WX-RPL-01", {"n": size, "limit": MAX_TEXT}, words))
        return found


class _Media(Reply):
    """A reply that is one media id, temporary (three days) or permanent."""

    __slots__ = ("media_id",)
    element: ClassVar[str] = ""

    def __init__(self, media_id: str) -> None:
        self.media_id = _required(type(self).__name__, "media_id", media_id)

    def body(self, message: Message) -> str:
        return f"<{self.element}><MediaId>{_cdata(clean(self.media_id))}</MediaId></{self.element}>"

    def lint(self) -> list[Finding]:
        return _lint_media(self.media_id)


class Image(_Media):
    """A picture that was uploaded before, or the user's own sent back."""

    __slots__ = ()
    kind, element = "image", "Image"


class Voice(_Media):
    """A voice that was uploaded before."""

    __slots__ = ()
    kind, element = "voice", "Voice"


class Video(_Media):
    """A video that was uploaded before."""

    __slots__ = ("text", "title")
    kind = "video"

    def __init__(self, media_id: str, title: str = "", text: str = "") -> None:
        super().__init__(media_id)
        self.title = _optional("Video", "title", title)
        self.text = _optional("Video", "text", text)

    def body(self, message: Message) -> str:
        return (
            f"<Video><MediaId>{_cdata(clean(self.media_id))}</MediaId><Title>{_cdata(clean(self.title))}</Title>"
            f"<Description>{_cdata(clean(self.text))}</Description></Video>"
        )


class Music(Reply):
    """Music by its address; the thumbnail is a media id, and it is the one thing the platform insists on."""

    __slots__ = ("hq_url", "text", "thumb_media_id", "title", "url")
    kind = "music"

    def __init__(self, thumb_media_id: str, title: str = "", text: str = "", url: str = "", hq_url: str = "") -> None:
        self.thumb_media_id = _required("Music", "thumb_media_id", thumb_media_id)
        self.title = _optional("Music", "title", title)
        self.text = _optional("Music", "text", text)
        self.url = _optional("Music", "url", url)
        self.hq_url = _optional("Music", "hq_url", hq_url)

    def body(self, message: Message) -> str:
        return (
            f"<Music><Title>{_cdata(clean(self.title))}</Title><Description>{_cdata(clean(self.text))}</Description>"
            f"<MusicUrl>{_cdata(clean(self.url))}</MusicUrl><HQMusicUrl>{_cdata(clean(self.hq_url))}</HQMusicUrl>"
            f"<ThumbMediaId>{_cdata(clean(self.thumb_media_id))}</ThumbMediaId></Music>"
        )

    def lint(self) -> list[Finding]:
        return _lint_media(self.thumb_media_id)


class News(Reply):
    """Articles: a title, a text, a picture and an address each.

    ``News("上海 晴", "点击看详情", pic="https://…", url="https://…")`` for one, ``News([Article(…), Article(…)])`` for
    several. A message is answered with one article, an event with up to eight.
    """

    __slots__ = ("articles",)
    kind = "news"

    def __init__(
        self, title: str | Sequence[Article] = "", text: str = "", *, pic: str = "", url: str = ""
    ) -> None:
        if not isinstance(title, (str, Sequence)):
            raise ReplyError("News", "title", f"must be a str or a list of Articles, not {type(title).__name__}")
        given = [Article(title, text, pic, url)] if isinstance(title, str) else list(title)
        if not given:
            raise ReplyError("News", "articles", "is empty")
        for article in given:
            if not isinstance(article, tuple) or len(article) != len(Article._fields):
                raise ReplyError("News", "articles", "must each be an Article(title, text, pic, url)")
            for name, value in zip(Article._fields, article):
                _required("News", name, value)
        self.articles: tuple[Article, ...] = tuple(Article(*article) for article in given)

    def body(self, message: Message) -> str:
        most = MAX_ARTICLES if message.type == "event" else MAX_ARTICLES_TO_MESSAGE
        shown = self.articles[:most]
        items = "".join(
            f"<item><Title>{_cdata(clean(a.title))}</Title><Description>{_cdata(clean(a.text))}</Description>"
            f"<PicUrl>{_cdata(clean(a.pic))}</PicUrl><Url>{_cdata(clean(a.url))}</Url></item>"
            for a in shown
        )
        return f"<ArticleCount>{len(shown)}</ArticleCount><Articles>{items}</Articles>"

    def lint(self) -> list[Finding]:
        found: list[Finding] = []
        count = len(self.articles)
        if count > MAX_ARTICLES_TO_MESSAGE:
            words = f"{count} articles: a message is answered with the first alone, an event with up to {MAX_ARTICLES}"
            found.append(Finding("WX-RPL-02", {"n": count}, words))
        for article in self.articles:
            for name, value in (("pic", article.pic), ("url", article.url)):
                if not value.startswith(("http://", "https://", "weixin://")):
                    words = f"{name} does not begin with http:// or https://"
                    found.append(Finding("WX-RPL-06", {"field": name}, words))
        return found


class Handover(Reply):
    """Hand the user over to the account's customer service, to anybody there or to one account (``kf2001@shop``)."""

    __slots__ = ("account",)
    kind = "transfer_customer_service"

    def __init__(self, account: str = "") -> None:
        self.account = _optional("Handover", "account", account)

    def body(self, message: Message) -> str:
        if not self.account:
            return ""
        return f"<TransInfo><KfAccount>{_cdata(clean(self.account))}</KfAccount></TransInfo>"


class AIHandover(Reply):
    """Hand the message over to WeChat's own AI reply, where the account has it enabled and trained."""

    __slots__ = ()
    kind = "transfer_biz_ai_ivr"

    def body(self, message: Message) -> str:
        return ""

    def lint(self) -> list[Finding]:
        return [Finding("WX-RPL-07", {}, "only standard messages of users can be handed over, not events")]


class Success(Reply):
    """The acknowledgement: received, and nothing is said. Never sealed, in no mode."""

    __slots__ = ()
    kind = "success"

    def render(self, message: Message, now: int) -> bytes:
        return SUCCESS


def clean(text: str) -> str:
    """Take out what XML forbids, and make every line end a line feed."""
    if text.isprintable():  # nothing of it can be printed; and most texts of one line are done with one look
        return text
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(_ILLEGAL, "", text)


def escape(text: str) -> str:
    """Make *text* fit for a CDATA section."""
    return clean(text).replace(_END, _PARTED)


def fits(text: str, limit: int = MAX_TEXT) -> bool:
    """Whether *text* has at most *limit* bytes of UTF-8; a character has at most four, which settles most texts."""
    return len(text) * 4 <= limit or len(text.encode("utf-8", "surrogatepass")) <= limit


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """Cut *text* to at most *limit* bytes of UTF-8, at a character, ending with «…» if anything was cut."""
    if fits(text, limit):
        return text
    return text.encode()[: limit - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(_END, _PARTED)}]]>"


def _optional(kind: str, field: str, value: object) -> str:
    if not isinstance(value, str):
        raise ReplyError(kind, field, f"must be a str, not {type(value).__name__}")
    return value


def _required(kind: str, field: str, value: object) -> str:
    if isinstance(value, str) and _visible(value):
        return value
    _optional(kind, field, value)  # which says so where it is no text
    raise ReplyError(kind, field, "is missing")


def _lint_characters(text: str) -> list[Finding]:
    count = 0 if text.isprintable() else len(re.findall(_ILLEGAL, text))
    return [Finding("WX-RPL-05", {"n": count}, f"{count} control characters are taken out")] if count else []


def _lint_media(media_id: str) -> list[Finding]:
    if re.search(r"[/\\.:]", media_id):
        words = "this is a path or an address; the platform takes media ids only"
        return [Finding("WX-RPL-04", {"id": media_id}, words)]
    return []
