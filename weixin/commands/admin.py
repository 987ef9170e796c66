"""The console's part of a run: its listener, its process, what workers need for it, and the metrics.

Made before the fork. A console that cannot listen is a warning: the account must be answered all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import mmap
import os
import platform
import signal
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from .. import __version__, app, metrics, server
from ..config import ConfigError, Settings
from ..console.app import Hooks
from ..console.door import Door
from ..console.site import Site
from ..log import Journal
from ..problem import Problem
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

    def __init__(
        self, settings: Settings, sockets: Sequence[socket.socket], read: Callable[[], Settings] | None
    ) -> None:
        """*read* reads the configuration as it stands in its files; None where there is none."""
        self._sockets = sockets
        self._read = read
        self._service: tuple[Settings, server.Service] | None = None
        self._loaded, self._failed = Moment(), Moment()
        self._board = metrics.Board()
        self._began = time.time()
        supervisor = os.getpid()
        # The token is what both this start and the next one know: tabs stay logged in over a restart.
        secret = hmac.new(settings.token.encode(), b"console session", hashlib.sha256).digest()
        hooks = Hooks(
            reload=lambda: os.kill(supervisor, signal.SIGHUP),
            metrics=self._metrics,
            loaded=self._loaded.read,
            configuration=self._faults,
            doctor=_doctor,
        )
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
            log.warning("console", extra={"code": "WX-CFG-16", "fields": fields})
        return path

    def service(self, settings: Settings) -> server.Service:
        """The console's own process. It looks at handlers and replies by itself: only a new configuration ends it."""
        if self._service is None or self._service[0] != settings:
            options = server.Options(threads=THREADS, workers=1, body_max=BODY_MAX, grace=GRACE, drain=GRACE)
            service = server.Service("console", lambda: self._make(settings), self._sockets, options, lasting=True)
            self._service = settings, service
        return self._service[1]

    def application(self, settings: Settings, journal: Journal) -> tuple[app.Application, Door]:
        """In a worker: the application, and the door before it through which the console's pushes come."""
        began = time.time()
        meter = metrics.Meter(self._board)
        meter.add("wxserve_build_info", __version__, platform.python_version())
        application = app.build(settings, journal, wrap=self.site.wrap, meter=meter)
        # Of what is written while it is read, nobody knows whether it was.
        self._loaded.write(began)
        meter.watch(application.gauges)
        return application, self.site.door(application)

    def close(self) -> None:
        self.site.close()
        self._board.close()

    def _faults(self) -> Sequence[Problem]:
        """What is wrong with the configuration as it stands in its files."""
        try:
            if self._read is not None:
                self._read()
        except ConfigError as error:
            return error.problems
        return []

    def _make(self, settings: Settings) -> server.WSGIApplication:
        app.open_log(settings)
        return self.site.make(settings)

    def failed(self) -> None:
        """Note that what stands in the files could not be loaded."""
        self._failed.write(time.time())

    def _metrics(self, own: Mapping[str, float]) -> bytes:
        # The console's parent is the supervisor; its workers' processor time is in their own slots of /proc.
        extra = {metrics.name(key): value for key, value in metrics.process(os.getppid()).items()}
        loaded = self._loaded.read()
        extra["wxserve_config_last_reload_successful"] = int(loaded > self._failed.read())
        extra["wxserve_config_last_reload_success_timestamp_seconds"] = loaded
        return metrics.render(self._board.total(), {**extra, **own})


class Moment:
    """A time that one process writes and another reads."""

    _FORM = struct.Struct("d")

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self._FORM.size)

    def write(self, at: float) -> None:
        self._FORM.pack_into(self._memory, 0, at)

    def read(self) -> float:
        """The time; 0 before it was written."""
        return float(self._FORM.unpack_from(self._memory)[0])


def _doctor(settings: Settings, lang: str) -> list[dict[str, Any]]:
    """What the doctor finds on this machine, without asking the address that WeChat asks."""
    from .. import doctor  # the console's process needs it when somebody looks
    from ..doctor.visit import Visit
    from .doctor import rows

    rules, faults = app.load_rules(settings)
    rules.close()
    visit = Visit(settings, faults, len(rules))
    inside = [group for group in doctor.GROUPS if group not in doctor.OUTSIDE]
    found = [row for finding in doctor.examine(visit, inside) for row in rows(finding, visit, lang)]
    return [row for row in found if row.get("why") not in doctor.IDLE]


def begin(
    settings: Settings,
    inherited: Sequence[socket.socket],
    read: Callable[[], Settings] | None = None,
    *,
    anywhere: bool = False,
) -> Admin | None:
    """Return the console of this run, or None where it cannot listen. *read*: see Admin.

    Where somebody sits before it, who is told its address, it may be *anywhere*: two demos are no mistake.
    """
    try:
        sockets = list(inherited) or [_listen(settings.admin_listen, anywhere)]
        return Admin(settings, sockets, read)
    except OSError as error:
        fields = {"listen": settings.admin_listen, "error": error.strerror or str(error)}
        log.warning("console", extra={"code": "WX-CFG-14", "fields": fields})
        return None


def _listen(address: str, anywhere: bool) -> socket.socket:
    try:
        return server.listen(address)
    except server.AddressInUse:
        if not anywhere:
            raise
        return server.listen("127.0.0.1:0")
