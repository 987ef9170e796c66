"""The header of a section of replies.ini -> what it is for: ``你好 | hi``, ``包含: 发票``, ``re: ^查``, ``@菜单 HELP``.

Alternatives are separated by ``|``. ``包含:`` and ``开头:`` hold for those behind them too; behind ``re:`` comes the
expression, to the end, and it does not mind case; ``@`` is something that is not a text, and stands for itself alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from weixin.wire.messages import EVENTS, MESSAGE_TYPES

from .errors import Misuse, hint
from .rules import (
    ANY,
    CONTAINED,
    DEFAULT,
    EVENT,
    EXACT,
    FAMILY,
    MESSAGE,
    PREFIX,
    REGEX,
    TYPE,
    UNKNOWN,
    WORDED,
    Level,
    Pattern,
    keyword,
)

#: What may stand behind @, besides every type and event by its own name (- may stand for _).
AT_WORDS = {
    "文本": "text", "文字": "text", "图片": "image", "语音": "voice", "视频": "video", "小视频": "shortvideo",
    "位置": "location", "链接": "link", "文件": "file", "小程序": "miniprogrampage",
    "关注": "subscribe", "取消关注": "unsubscribe", "取关": "unsubscribe",
    "扫码": "scan", "菜单": "click", "menu": "click", "菜单链接": "view", "菜单小程序": "view_miniprogram",
    "上报位置": "location_event",
    "扫码推": "scancode_push", "扫码等待": "scancode_waitmsg", "拍照": "pic_sysphoto",
    "拍照或相册": "pic_photo_or_album", "相册": "pic_weixin", "选择位置": "location_select",
    "模板消息": "templatesendjobfinish", "群发": "masssendjobfinish", "发布": "publishjobfinish",
    "客服接入": "kf_create_session", "客服关闭": "kf_close_session", "客服转接": "kf_switch_session",
    "未知": UNKNOWN, "unknown": UNKNOWN, "任何": MESSAGE, "任意": MESSAGE, "any": MESSAGE,
    "事件": EVENT, "event": EVENT, "默认": "*default", "default": "*default",
    **{name: name for name in MESSAGE_TYPES + EVENTS},
}  # fmt: skip

_FAMILIES = {UNKNOWN: FAMILY, EVENT: FAMILY, MESSAGE: ANY}
_LEVELS = {"包含": CONTAINED, "contains": CONTAINED, "开头": PREFIX, "prefix": PREFIX}
_KIND_WORD = r"(?i:(包含|开头|contains|prefix)\s*[:：]\s*)"
_REGEX_WORD = r"(?i:re\s*[:：]\s*)"
_SPECIAL = frozenset("|｜:：@＠]")
_SEPARATOR = r"[|｜]"


class Target(NamedTuple):
    """One alternative: which messages, as the fields of a Rule."""

    level: Level
    kind: str
    pattern: Pattern | None


def parse(name: str) -> list[Target]:
    """Read what stands between ``[`` and ``]``; raise Misuse where it says nothing that can be asked."""
    # Nearly all headers are one word.
    if _SPECIAL.isdisjoint(name):
        return [Target(EXACT, "text", keyword(name, "text"))]
    expression = re.match(_REGEX_WORD, name)
    if expression is not None:
        return [Target(REGEX, "text", _expression(name[expression.end() :]))]
    _balanced(name)
    targets: list[Target] = []
    level = EXACT
    for part in re.split(_SEPARATOR, name):
        word = part.strip()
        if word[:1] in ("@", "＠"):
            targets.append(_at(word[1:].strip()))
            continue
        kind = re.match(_KIND_WORD, word)
        if kind is not None:
            level = _LEVELS[kind[1].lower()]
            word = word[kind.end() :]
        elif re.match(_REGEX_WORD, word):
            raise Misuse("regex-alone", "re: stands at the start of a header and alone")
        targets.append(Target(level, "text", keyword(word, "text")))
    return targets


def _balanced(name: str) -> None:
    """Refuse ``[微笑] 你好 [微笑]``, which is a line of a reply: its first bracket is closed before the end."""
    if "]" not in name:
        return
    depth = 0
    for at, character in enumerate(name):
        depth += (character == "[") - (character == "]")
        if depth < 0:
            raise Misuse("junk", "something follows ]", name=name[:at].strip(), rest=name[at + 1 :].strip())


def _expression(text: str) -> re.Pattern[str]:
    if not text.strip():
        raise Misuse("empty-word", "an empty expression matches everything")
    try:
        return re.compile(text, re.IGNORECASE)
    # A count that is too large is an OverflowError, too deep a nesting a RecursionError.
    except (re.error, OverflowError, RecursionError) as error:
        raise Misuse("regex", str(error), pattern=text, error=str(error)) from None


def _at(words: str) -> Target:
    word, _, rest = words.partition(" ")
    rest = rest.strip()
    kind = AT_WORDS.get(word.lower().replace("-", "_"))
    if kind is None:
        raise Misuse("unknown-at", f"@{word} is not known", word=word, hint=hint(word, AT_WORDS))
    if not rest:
        if kind == "*default":
            return Target(DEFAULT, MESSAGE, None)
        return Target(_FAMILIES.get(kind, TYPE), kind, None)
    if kind == EVENT:
        name = rest.lower()
        return Target(TYPE, "location_event" if name == "location" else name, None)
    if kind not in WORDED or kind == "text":
        raise Misuse("no-words", f"nothing may stand behind @{word}", on=f"@{word}", rest=rest)
    return Target(EXACT, kind, keyword(rest, kind))
