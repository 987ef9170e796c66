"""Who may use the console: one key, once, for a cookie; only under our own names, and only from our own page.

Whoever reads the cookie's signature learns nothing: it is an HMAC under a secret that never leaves the process. The
names matter because of DNS rebinding (a stranger's name that suddenly means 127.0.0.1), the origin because a browser
sends a form from anywhere; both attacks come from pages that the developer has open besides.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from mmap import mmap
from typing import Any

# A week of work; then the address in the terminal is used again.
SESSION_SECONDS = 7 * 24 * 3600
# A key of 128 bits is not guessed; this keeps a program that tries from filling the log.
TRIES_PER_MINUTE = 30

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})

_HOST = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_SESSION = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})")


def make_key() -> str:
    """Return a key for the fragment of the address: short enough to copy, too long to guess."""
    return secrets.token_urlsafe(16)


class Access:
    """The key and the sessions of one console. Threads may share it."""

    def __init__(
        self, key: str, secret: bytes, names: Iterable[str] = (), spent: mmap | bytearray | None = None
    ) -> None:
        """*secret* signs the cookies: who keeps it over a restart keeps the sessions. *names* are further hosts.

        The first byte of *spent* says whether *key* was used; in shared memory, it says so to a later process.
        """
        self._secret = secret
        self._names = LOCAL_NAMES | {name.lower() for name in names}
        self._lock = threading.Lock()
        self._key = key
        self._spent = spent if spent is not None else bytearray(1)
        self._tries: list[float] = []

    def host_allowed(self, environ: dict[str, Any]) -> bool:
        """Whether the request is for a name of ours."""
        match = _HOST.fullmatch(environ.get("HTTP_HOST", ""))
        return match is not None and match[1].lower() in self._names

    def origin_allowed(self, environ: dict[str, Any]) -> bool:
        """Whether a POST comes from our own page. Browsers say so with every POST; nobody else needs to post."""
        origin = environ.get("HTTP_ORIGIN", "")
        host = environ.get("HTTP_HOST", "")
        return bool(host) and origin in (f"http://{host}", f"https://{host}")

    def login(self, key: str) -> str | None:
        """Take the key and return a session, or None. A key opens once."""
        now = time.time()
        with self._lock:
            self._tries = [at for at in self._tries if now - at < 60]
            if len(self._tries) >= TRIES_PER_MINUTE:
                return None
            if self._spent[0] or not hmac.compare_digest(key.encode("utf-8", "replace"), self._key.encode()):
                self._tries.append(now)
                return None
            self._spent[0] = 1
        until = str(int(now) + SESSION_SECONDS)
        return f"{until}.{self._sign(until)}"

    def known(self, environ: dict[str, Any]) -> bool:
        """Whether the request carries a session of ours."""
        try:
            jar = SimpleCookie(environ.get("HTTP_COOKIE", ""))
        except CookieError:
            return False
        morsel = jar.get(self.cookie_name(environ))
        match = _SESSION.fullmatch(morsel.value) if morsel is not None else None
        return match is not None and hmac.compare_digest(self._sign(match[1]), match[2]) and int(match[1]) > time.time()

    def cookie(self, environ: dict[str, Any], session: str) -> str:
        """The Set-Cookie of a session: no script reads it, no other site sends it."""
        return f"{self.cookie_name(environ)}={session}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION_SECONDS}"

    @staticmethod
    def cookie_name(environ: dict[str, Any]) -> str:
        """Cookies do not tell ports apart, and two consoles on one machine do."""
        match = _HOST.fullmatch(environ.get("HTTP_HOST", ""))
        return f"wxserve-{(match[2] if match else '') or '80'}"

    def _sign(self, until: str) -> str:
        return hmac.new(self._secret, f"console session {until}".encode(), hashlib.sha256).hexdigest()
