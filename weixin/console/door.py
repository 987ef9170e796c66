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
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Callable

from ..config import MODES, Settings
from ..simulator.samples import APPID

HEADER = "X-Wxserve-Console"
_VARIABLE = "HTTP_X_WXSERVE_CONSOLE"

# Three deliveries of five seconds; nobody waits for more.
SLOW_MAX = 30.0
# Messages that were slowed lately, so that a second delivery waits only for what is left of the time.
SLOWED_MAX = 1_000

_WORDS = re.compile(r"(\S{16,64}) (plain|compat|safe) ([0-9]{1,2}(?:\.[0-9]{1,3})?) ([01]) ([0-9a-z-]{1,40})")
_LETTERS = string.ascii_letters + string.digits

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def in_modes(settings: Settings, key: str) -> dict[str, Settings]:
    """Return *settings* as they would be in each mode; where there is no AES key or AppID, with one for trying."""
    digest = hashlib.sha512(f"console aes key {key}".encode()).digest()
    aes_key = settings.aes_key or "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:43])
    appid = settings.appid or APPID
    return {
        mode: settings if mode == settings.mode else replace(settings, mode=mode, aes_key=aes_key, appid=appid)
        for mode in MODES
    }


def header(key: str, mode: str, slow: float, replayed: bool, name: str) -> tuple[str, str]:
    """The header that opens the door. *name* tells the deliveries of one message from those of another."""
    return HEADER, f"{key} {mode} {min(slow, SLOW_MAX):g} {int(replayed)} {name}"


class Door:
    """The WSGI callable that stands before the application's where there is a console."""

    def __init__(self, application: WSGI, key: str, variants: Mapping[str, WSGI]) -> None:
        """*variants*: the same application in each mode, by the mode's name."""
        self._application = application
        self._key = key.encode()
        self._variants = variants
        self._lock = threading.Lock()
        self._slowed: dict[str, float] = {}

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
            self._wait(words[5], min(float(words[3]), SLOW_MAX))
        return self._variants[words[2]](environ, start_response)

    def close(self) -> None:
        """End the application, as the server does when a worker ends."""
        close = getattr(self._application, "close", None)
        if close is not None:
            close()

    def _wait(self, name: str, seconds: float) -> None:
        """Play a handler that needs *seconds* from its first delivery on, whichever delivery asks."""
        now = time.monotonic()
        with self._lock:
            if len(self._slowed) >= SLOWED_MAX:
                self._slowed.pop(next(iter(self._slowed)))
            ready = self._slowed.setdefault(name, now + seconds)
        time.sleep(max(0.0, ready - now))
