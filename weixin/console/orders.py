"""What somebody asks to be sent: read from the page's JSON, or from a form, and checked before anything is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..config import MODES
from ..simulator import FAULTS, canonical, kinds, make
from ..simulator.pushes import UnknownKind
from ..simulator.samples import EVENTS, MESSAGES, USER, Elements, Sample, Value
from .pace import SLOW_MAX

# The application takes 64 KB unless told otherwise; a person shall be able to send too much.
XML_MAX = 200_000
WORD_MAX = 100_000
WORDS_MAX = 12
# Longer, and nothing is left of the five seconds.
LATENCY_MAX = 6.0

#: Faults that the page knows beside the simulator's: a body in GBK, one that is too large, a request sent twice.
MORE_FAULTS = ("gbk", "oversize", "replayed-request")

#: What the panel shows first, and of what each fault is a fault.
KIND_GROUPS = {
    "messages": ("text", "image", "voice", "video", "shortvideo", "location", "link"),
    "events": (
        "subscribe", "subscribe:scene", "unsubscribe", "scan", "location_event", "click", "view", "scancode_push",
        "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select", "view_miniprogram",
        "templatesendjobfinish", "kf_create_session", "kf_close_session", "kf_switch_session",
    ),
}  # fmt: skip
FAULT_GROUPS = {
    "signature": ("bad-signature", "no-signature", "old-timestamp", "replayed-request"),
    "encryption": ("bad-msg-signature", "wrong-key", "wrong-appid", "bad-padding", "truncated"),
    "body": ("not-xml", "json", "gbk", "oversize"),
    "network": ("duplicate", "slow-body", "idle"),
}

_USER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BadOrder(ValueError):
    """The order cannot be carried out; ``field`` says where it is wrong, ``hint`` what may have been meant."""

    def __init__(self, field: str, hint: str = "") -> None:
        super().__init__(field)
        self.field = field
        self.hint = hint


class Order(NamedTuple):
    """One push to be made and sent. ``first``: which delivery it plays; ``slow``: seconds the handler takes."""

    kind: str = "text"
    words: tuple[str, ...] = ()
    user: str = USER
    scene: str = ""
    xml: str = ""
    mode: str = "plain"
    fault: str = ""
    slow: float = 0.0
    latency: float = 0.0
    first: int = 1

    def json(self) -> dict[str, Any]:
        """As the page gets it back, to edit and send again."""
        return self._asdict()


def read(data: Mapping[str, Any], mode: str) -> Order:
    """Read *data*; *mode* is what it is sent in unless it says so. Raise BadOrder."""
    words = data.get("words", [])
    if not isinstance(words, list) or len(words) > WORDS_MAX or not all(isinstance(word, str) for word in words):
        raise BadOrder("words")
    if any(len(word) > WORD_MAX for word in words):
        raise BadOrder("words", "too long")
    kind = _text(data, "kind", "text", 64)
    if kind != "raw":
        try:
            kind = canonical(kind)
        except UnknownKind as unknown:
            raise BadOrder("kind", unknown.suggestion) from None
    xml = _text(data, "xml", "", XML_MAX)
    if (kind == "raw") != bool(xml):
        raise BadOrder("xml")
    user = _text(data, "user", USER, 64) or USER
    if not _USER.fullmatch(user):
        raise BadOrder("user")
    mode = _text(data, "mode", mode, 8) or mode
    if mode not in MODES:
        raise BadOrder("mode")
    fault = _text(data, "fault", "", 40)
    if fault and fault not in FAULTS and fault not in MORE_FAULTS:
        raise BadOrder("fault")
    if fault in FAULTS and FAULTS[fault].sealed and mode == "plain":
        raise BadOrder("fault", "sealed")
    slow = _number(data, "slow", SLOW_MAX)
    latency = _number(data, "latency", LATENCY_MAX)
    first = int(_number(data, "first", 3, 1))
    return Order(kind, tuple(words), user, _text(data, "scene", "", 64), xml, mode, fault, slow, latency, first)


def catalogue() -> list[dict[str, Any]]:
    """Everything that can be sent: its name, the elements a person fills in, and what the sample has there."""
    return [
        {
            "kind": kind,
            "event": kind in EVENTS,
            "asks": [
                {"name": path.rpartition(".")[2], "value": _written(_at(sample.elements, path.split(".")))}
                for path in sample.asks
            ],
            # The page writes its own time and numbers into it.
            "xml": make(kind, time=1, id="1").xml.decode(),
        }
        for kind, sample in ((kind, _sample(kind)) for kind in kinds())
    ]


def faults() -> list[dict[str, Any]]:
    """Every fault, what it is a fault of, and whether it needs an envelope."""
    return [
        {"name": name, "group": group, "sealed": name in FAULTS and FAULTS[name].sealed}
        for group, names in FAULT_GROUPS.items()
        for name in names
    ]


def _sample(kind: str) -> Sample:
    return MESSAGES.get(kind) or EVENTS[kind]


def _at(elements: Elements, path: list[str]) -> Value:
    value: Any = elements
    for name in path:
        value = value[name]
    found: Value = value
    return found


def _written(value: Value) -> str:
    return "" if value == 0 else str(value)


def _text(data: Mapping[str, Any], field: str, default: str, most: int) -> str:
    value = data.get(field, default)
    if not isinstance(value, str) or len(value) > most:
        raise BadOrder(field)
    return value


def _number(data: Mapping[str, Any], field: str, most: float, least: float = 0.0) -> float:
    value = data.get(field, least)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise BadOrder(field)
    return float(value)
