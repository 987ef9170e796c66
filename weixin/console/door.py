"""The other end of the console's private socket: lets its pushes into the application, in any of the three modes.

A server knows one mode, the configured one. So that all three can be tried, the same application is there three
times, and the console says which one it means in a header that carries a key made before the processes were. Without
that key, and that is: for everybody else, this is the application and nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ..config import MODES, Settings
from ..simulator.samples import APPID
from .pace import Pace

HEADER = "X-Wxserve-Console"
_VARIABLE = "HTTP_X_WXSERVE_CONSOLE"

# Key, mode, seconds, whether it is a replay, the message's name.
_WORDS = re.compile(
    r"(\S{16,64}) (plain|compat|safe) ([0-9]{1,2}(?:\.[0-9]{1,3})?) ([01]) ([A-Za-z0-9_-]{1,64}:[0-9]{1,20})"
)
_LETTERS = string.ascii_letters + string.digits

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def in_modes(settings: Settings, key: str) -> dict[str, Settings]:
    """Return *settings* as they would be in each mode; where there is no AES key or AppID, with one for trying."""
    digest = hashlib.sha512(f"console aes key {key}".encode()).digest()
    aes_key = settings.aes_key or "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:43])
    appid = settings.appid or APPID
    return {
        mode: settings if mode == settings.mode else settings.replace(mode=mode, aes_key=aes_key, appid=appid)
        for mode in MODES
    }


def header(key: str, mode: str, slow: float, replayed: bool, message: str) -> tuple[str, str]:
    """The header that opens the door; *message* is the push's name, by ``pace.name``."""
    return HEADER, f"{key} {mode} {slow:.3f} {int(replayed)} {message}"


class Door:
    """The WSGI callable that stands before the application's where there is a console."""

    def __init__(self, application: WSGI, key: str, variants: Mapping[str, WSGI], pace: Pace) -> None:
        """*variants*: the same application in each mode, by the mode's name; *pace*: of the rules that they ask."""
        self._application = application
        self._key = key.encode()
        self._variants = variants
        self._pace = pace

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = environ.pop(_VARIABLE, None)
        if said is None:
            return self._application(environ, start_response)
        words = _WORDS.fullmatch(said)
        if words is None or not hmac.compare_digest(words[1].encode("latin-1", "replace"), self._key):
            return self._application(environ, start_response)
        environ["wxserve.simulated"] = True
        environ["wxserve.replayed"] = words[4] == "1"
        if float(words[3]):
            self._pace.slow(words[5], float(words[3]))
        return self._variants[words[2]](environ, start_response)

    def close(self) -> None:
        """End the application, as the server does when a worker ends."""
        close = getattr(self._application, "close", None)
        if close is not None:
            close()
