"""The XML that the platform itself writes, read in one look: elements under ``<xml>``, none inside another.

Nearly every push is this: text in CDATA or bare, blanks between the elements, no attributes, no entities, no name
twice. What it matches exactly it reads as expat does, for a quarter of the time (a push of seven elements: 7 µs
instead of 28); of anything else it says nothing, and expat decides. ``tests/wire/test_flat.py`` holds the two against
each other. Most pushes of all are texts; their names and order are known, which takes a third of that again.
"""

from __future__ import annotations

import re

# Real pushes of this shape have less than half of it; what is longer may well take longer.
MAX_LENGTH = 8_192

_BLANKS = r"[ \t\n]*"
# A text push as the official page 接收普通消息 has it. What the user typed may hold anything but what may mean more
# than it seems, a ] or what XML forbids: that goes the longer way.
_CDATA, _NUMBER = r"<!\[CDATA\[([^\]\x00-\x08\x0b-\x1f\ufffe\uffff]*)\]\]>", "([0-9]+)"
_TEXT = {
    "ToUserName": _CDATA, "FromUserName": _CDATA, "CreateTime": _NUMBER, "MsgType": _CDATA, "Content": _CDATA,
    "MsgId": _NUMBER,
}  # fmt: skip
_ELEMENTS = "".join(f"<{name}>{value}</{name}>{_BLANKS}" for name, value in _TEXT.items())
_as_text = re.compile(f"<xml>{_BLANKS}{_ELEMENTS}</xml>{_BLANKS}").fullmatch

# A name; CDATA up to its own end, or text without a character that means anything to XML. The part in the middle is
# the unrolled form of "anything but ]]>": each of its characters can be matched in one way only, so that whatever does
# not match is known in linear time.
_ELEMENT = r"<([A-Za-z_][A-Za-z0-9_]*)>(?:<!\[CDATA\[([^\]]*(?:\](?!\]>)[^\]]*)*)\]\]>|([^<>&\]]*))</\1>" + _BLANKS
_elements = re.compile(_ELEMENT).findall
_is_flat = re.compile(rf"<xml>{_BLANKS}(?:{_ELEMENT})*</xml>{_BLANKS}").fullmatch
_ROOT = len("<xml>")


def read_text(body: bytes) -> dict[str, str] | None:
    """Return the elements of a text push; of any other body, None."""
    if len(body) > MAX_LENGTH:
        return None
    try:
        values = _as_text(body.decode())
    except UnicodeDecodeError:
        return None
    if values is None:
        return None
    account, user, time, kind, content, number = values.groups()
    return {
        "ToUserName": account, "FromUserName": user, "CreateTime": time, "MsgType": kind, "Content": content,
        "MsgId": number,
    }  # fmt: skip


def read(body: bytes) -> dict[str, str] | None:
    """Return the elements of *body* by name; None where its shape is another, or it may be no XML at all.

    *body* has no control characters but tab, line feed, carriage return and NUL, and no U+FFFE or U+FFFF.
    """
    if len(body) > MAX_LENGTH or b"\r" in body or b"\0" in body:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if _is_flat(text) is None:
        return None
    found = _elements(text, _ROOT)
    fields = {name: data or bare for name, data, bare in found}
    return fields if len(fields) == len(found) else None
