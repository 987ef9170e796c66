"""The console's part of a run: its listener, its process, what workers need for it, and the metrics.

Made before the fork. A console that cannot listen is a warning: the account must be answered all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import platform
import signal
import socket
import time
from collections.abc import Sequence

from .. import __version__, app, metrics, server
from ..config import Settings
from ..console.app import Hooks
from ..console.door import Door
from ..console.site import Site
from ..log import Journal
from ..server import systemd

log = logging.getLogger("wxserve.console")

# Each tab that follows holds a thread, four at most, and so does each push that is under way; the rest is short work.
THREADS = 16
# The largest order: raw XML with what surrounds it.
BODY_MAX = 1 << 20
# An open tab never finishes, and its page comes back by itself: nobody waits for it.
GRACE = 0.3


class Admin:
    """The console of one run."""

    def __init__(self, settings: Settings, sockets: Sequence[socket.socket]) -> None:
        self._sockets = sockets
        self._board = metrics.Board()
        self._began = time.time()
        supervisor = os.getpid()
        # The token is what both this start and the next one know: tabs stay logged in over a restart.
        secret = hmac.new(settings.token.encode(), b"console session", hashlib.sha256).digest()
        hooks = Hooks(reload=lambda: os.kill(supervisor, signal.SIGHUP), metrics=self._metrics)
        self.site = Site(server.listen, secret, hooks=hooks)

    @property
    def url(self) -> str:
        """What a person opens."""
        return self.site.url(server.describe(self._sockets[0]))

    def place(self) -> str:
        """Where a person finds the address: it is a key to everything users wrote, so the journal is not told it."""
        folder = os.environ.get("STATE_DIRECTORY")
        if not folder or not systemd.in_journal():
            return self.url
        path = os.path.join(folder, "console.url")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(self.url + "\n")
        except OSError as error:  # a full disk
            fields = {"file": path, "error": error.strerror or str(error)}
            log.warning("console", extra={"code": "WX-CFG-15", "fields": fields})
        return path

    def service(self, settings: Settings) -> server.Service:
        """The console's own process."""
        options = server.Options(threads=THREADS, workers=1, body_max=BODY_MAX, grace=GRACE, drain=GRACE)
        return server.Service("console", lambda: self._make(settings), self._sockets, options)

    def application(self, settings: Settings, journal: Journal) -> tuple[app.Application, Door]:
        """In a worker: the application, and the door before it through which the console's pushes come."""
        meter = metrics.Meter(self._board)
        meter.add("wxserve_build_info", __version__, platform.python_version())
        application = app.build(settings, journal, wrap=self.site.wrap, meter=meter)
        return application, self.site.door(application)

    def close(self) -> None:
        self.site.close()
        self._board.close()

    def _make(self, settings: Settings) -> server.WSGIApplication:
        app.open_log(settings)
        return self.site.make(settings)

    def _metrics(self) -> bytes:
        # The console's parent is the supervisor; its workers' processor time is in their own slots of /proc.
        extra = {metrics.name(key): value for key, value in metrics.process(os.getppid()).items()}
        return metrics.render(self._board.total(), extra)


def begin(settings: Settings, inherited: Sequence[socket.socket]) -> Admin | None:
    """Return the console of this run, or None where it cannot listen."""
    try:
        sockets = list(inherited) or [server.listen(settings.admin_listen)]
        return Admin(settings, sockets)
    except OSError as error:
        fields = {"listen": settings.admin_listen, "error": error.strerror or str(error)}
        log.warning("console", extra={"code": "WX-CFG-14", "fields": fields})
        return None
