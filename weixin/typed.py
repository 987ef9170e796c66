"""How the text of an option becomes its value: a reader each, which raises `Bad` where the text does not fit.

It knows no option and no file; ``config`` puts the two together.
"""

from __future__ import annotations

import os
import re
import socket
from typing import Callable

# A text that is said on its own.
MAX_WORDS = 600

_SIZE = r"([0-9]{1,9})([kKmM]?)"
_TOKEN = r"[A-Za-z0-9]{3,32}"
_QUOTES = "\"'“”‘’「」`"
_ADDRESSES = "127.0.0.1:9527 | unix:/run/wx.sock"
_LISTEN = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]|\*):[0-9]{1,5}|unix:\S+|fd:[0-9]{1,3}"
_PATH = r"/[A-Za-z0-9._~/-]{0,200}"


class Bad(ValueError):
    """A value that does not fit; the argument says what would. ``code`` and ``reason`` where it has its own."""

    def __init__(self, wanted: str, code: str = "WX-CFG-08", reason: str = "") -> None:
        super().__init__(wanted)
        self.code = code
        self.reason = reason


def matching(pattern: str, wanted: str, code: str = "WX-CFG-08") -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise Bad(wanted, code)
        return text

    return read


def number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise Bad(f"{least}–{most}")
        return int(text)

    return read


def choice(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise Bad(" | ".join(choices))
        return text.lower()

    return read


def seconds(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) or not least <= float(text) <= most:
            raise Bad(f"{least:g}–{most:g}")
        return float(text)

    return read


def words(text: str) -> str:
    # Not a letter less than a reply may have; two long texts would not fit behind each other, either.
    if len(text.encode()) > MAX_WORDS:
        raise Bad(f"≤ {MAX_WORDS}")
    return text


def switch(text: str) -> bool:
    return choice("on", "off")(text) == "on"


def size(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        match = re.fullmatch(_SIZE, text)
        size = int(match[1]) << {"": 0, "k": 10, "m": 20}[match[2].lower()] if match else -1
        if not least <= size <= most:
            raise Bad("64k, 1m")
        return size

    return read


def workers(text: str) -> int:
    """``auto`` is one process a core, of those this process may use."""
    if text.lower() == "auto":
        affinity = getattr(os, "sched_getaffinity", None)
        return len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        return number(1, 64)(text)
    except Bad:
        raise Bad("1–64 | auto") from None


def addresses(text: str) -> str:
    networks = [each for each in text.replace(",", " ").split() if not _is_ipv4(each)]
    if not networks:
        return text
    import ipaddress  # for who has more than a proxy or two: everybody else starts sooner

    try:
        for each in networks:
            ipaddress.ip_network(each, strict=False)
    except ValueError:
        raise Bad("127.0.0.1, 10.0.0.0/8") from None
    return text


def path(text: str) -> str:
    # One spelling of each address: «//weixin» and «/a/../weixin» would be others.
    if not re.fullmatch(_PATH, text) or "//" in text or "/." in text:
        raise Bad("/weixin")
    return text.rstrip("/") or "/"


def token(text: str) -> str:
    """The slip is named, since the token itself may not be shown."""
    if re.fullmatch(_TOKEN, text):
        return text
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        slip = "quotes"
    elif any(letter.isspace() for letter in text):
        slip = "blank"
    elif any("！" <= letter <= "～" for letter in text):
        slip = "wide"
    else:
        slip = "length" if text.isascii() and text.isalnum() else "letters"
    raise Bad("3–32 A–Z a–z 0–9", "WX-CFG-04", f"token-{slip}")


def listen(text: str) -> str:
    if not re.fullmatch(_LISTEN, text):
        raise Bad(_ADDRESSES)
    host, _, port = text.rpartition(":")
    if not text.startswith(("unix:", "fd:")):
        if int(port) > 65535:
            raise Bad(_ADDRESSES)
        if re.fullmatch(r"[0-9.]+", host) and not _is_ipv4(host):
            raise Bad(_ADDRESSES)
    return text


def _is_ipv4(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


aes_key = matching(r"[A-Za-z0-9]{43}", "43", "WX-CFG-05")
appid = matching(r"wx[0-9a-f]{16}", "wx…", "WX-CFG-06")
store = matching(r"memory:|sqlite:[^\0]+", "memory: | sqlite:FILE")
