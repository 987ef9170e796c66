"""``run``: serve. Without a configuration it is a demo, on this machine only.

The supervisor, which is this process, opens the sockets and loads nothing that a person wrote; each worker reads the
handlers and replies for itself, at the start and again at every reload.
"""

from __future__ import annotations

import logging
import mmap
import os
import socket
import struct
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import __version__, app, config, server, texts
from ..config import ConfigError, Settings
from ..problem import Problem
from ..server import systemd
from . import CONFIG, FAILED, add_settings, report
from .terminal import Unwritable, shorten

if TYPE_CHECKING:
    import argparse
    from tempfile import TemporaryDirectory

    from . import Call
    from .admin import Admin

# systemd's FileDescriptorName= of the console's socket.
ADMIN = "admin"

# Enough that nobody guesses a demo's token; it is new at each start.
DEMO_TOKEN_BYTES = 6

log = logging.getLogger("wxserve.run")


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    add_settings(parser, lang)


def run(call: Call) -> int:
    settings, demo = settings_or_demo(call)
    return Program(call, settings, demo).serve()


def settings_or_demo(call: Call) -> tuple[Settings, bool]:
    """Return the configuration, or the demo's where there is none; under systemd (WX-CFG-01) that is a mistake."""
    asked = call.options.config or os.environ.get("WXSERVE_CONFIG") or os.environ.get("NOTIFY_SOCKET")
    try:
        return call.settings(), False
    except ConfigError as error:
        if asked or [problem.code for problem in error.problems] != ["WX-CFG-01"]:
            raise
    # A link to it in somebody's path has no handlers beside it.
    base = os.path.dirname(os.path.realpath(sys.argv[0]))
    return config.demo("demo" + os.urandom(DEMO_TOKEN_BYTES).hex(), base, call.flags), True


class Report:
    """What a worker found out and the supervisor prints: a few numbers in memory that both see."""

    _FORM = struct.Struct("3I")

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self._FORM.size)

    def write(self, rules: int, files: int, faulty: bool) -> None:
        self._FORM.pack_into(self._memory, 0, rules, files, faulty)

    def read(self) -> tuple[int, int, bool]:
        """How many rules there are, from how many files, and whether something is wrong with them."""
        rules, files, faulty = self._FORM.unpack_from(self._memory)
        return rules, files, bool(faulty)


class Program:
    """One run of the server, from the sockets to the end."""

    #: Whether the log is coloured, and whether there is a console unless the configuration says no.
    color = False
    console = False

    def __init__(self, call: Call, settings: Settings, demo: bool) -> None:
        self._call = call
        self._demo = demo
        # A demo leaves nothing behind: what it remembers goes with it.
        self._folder = _folder() if demo else None
        self._settings = self._prepared(settings)
        self._report = Report()
        self._sockets: Sequence[socket.socket] = ()
        self._admin: Admin | None = None
        self._began = time.perf_counter()

    def serve(self) -> int:
        """Serve until told to stop; the exit status."""
        # No thread in this process: it forks.
        app.open_log(self._settings, threaded=False, color=self.color)
        servers = logging.getLogger("wxserve.server")
        servers.addFilter(self._is_news)
        try:
            self._sockets = self._listen()
            status = server.serve(self._services(), on_ready=self._on_ready, on_reload=self._on_reload)
        except server.ListenError as error:
            values = {"listen": error.address, "error": error.strerror}
            report([Problem("WX-CFG-10", values)], self._call.terminal)
            return FAILED
        finally:
            servers.removeFilter(self._is_news)
            if self._admin is not None:
                self._admin.close()
            if self._folder is not None:
                self._folder.cleanup()
        return CONFIG if status and self._report.read()[2] else status

    def _is_news(self, record: logging.LogRecord) -> bool:
        """A filter of the server's log: what is wrong with files that a person wrote has been said, with its place."""
        if record.getMessage() == "reload":
            record.exc_info = None if is_told(record) else record.exc_info
            return True
        return not is_told(record)

    def _listen(self) -> Sequence[socket.socket]:
        """Take the sockets that systemd made, or make our own. One by the name of `admin` is the console's."""
        inherited = systemd.listen_fds()
        public = [sock for name, sock in inherited if name != ADMIN]
        sockets: Sequence[socket.socket] = public or [server.listen(self._settings.listen)]
        admin = [sock for name, sock in inherited if name == ADMIN]
        wanted = self._settings.console
        if wanted == "on" or (wanted == "auto" and (admin or self._demo or self.console)):
            # Imported where there is one: a server without it starts sooner, and is a fifth smaller.
            from .admin import begin

            read = None if self._demo else self._read_settings
            self._admin = begin(self._settings, admin, read, anywhere=self._demo or self.console)
        return sockets

    def _services(self) -> Sequence[server.Service]:
        console = [self._admin.service(self._settings)] if self._admin is not None else []
        return [self._service(), *console]

    def _service(self) -> server.Service:
        settings = self._settings
        app.prepare(settings)
        private = [self._admin.site.private] if self._admin is not None else []
        options = server.Options(
            threads=settings.threads,
            workers=settings.workers,
            body_max=settings.body_max,
            trusted=tuple(settings.trust_proxy.replace(",", " ").split()),
            access=_only_scanners,
        )
        return server.Service("weixin", lambda: self._make(settings), [*self._sockets, *private], options)

    def _make(self, settings: Settings) -> server.WSGIApplication:
        """In a worker: build the application, or say what is wrong with it, to a person at a terminal or in the log."""
        journal = app.open_log(settings, color=self.color)
        served: server.WSGIApplication
        try:
            if self._admin is not None:
                application, served = self._admin.application(settings, journal)
            else:
                application = served = app.build(settings, journal)
        except ConfigError as error:
            self._report.write(0, 0, faulty=True)
            self._note_failure()
            report(error.problems, self._call.terminal, journal)
            raise
        self._report.write(len(application.rules), len({rule.file for rule in application.rules}), faulty=False)
        return served

    def _on_ready(self) -> None:
        try:
            self._say_hello()
        except Unwritable as error:
            # A full disk: what is only nice to know keeps nobody from being served.
            log.warning("banner", extra={"code": "", "fields": {"error": error.strerror}})

    def _say_hello(self) -> None:
        rules, files, _ = self._report.read()
        settings, lang = self._settings, self._call.lang
        listen = " ".join(server.describe(sock) for sock in self._sockets)
        values: dict[str, Any] = {
            "version": __version__,
            "python": "{}.{}".format(*sys.version_info),
            "listen": listen,
            "path": settings.path,
            "rules": rules,
            "files": files,
            "mode": settings.mode,
            "pid": os.getpid(),
            "config": shorten(settings.file or "-"),
        }
        if self._demo:
            folder = shorten(settings.handlers)
            console = self._admin.url if self._admin is not None else "-"
            self._call.terminal.say(
                texts.say("run.demo", lang, token=settings.token, handlers=folder, console=console, **values)
            )
            return
        self._call.terminal.note(texts.say("run.banner", lang, **values))
        if self._admin is not None:
            self._call.terminal.note(texts.say("run.console", lang, console=self._admin.place()))
        seconds = f"{time.perf_counter() - self._began:.2f}"
        self._call.terminal.note(texts.say("run.ready", lang, seconds=seconds))

    def _prepared(self, settings: Settings) -> Settings:
        """The same, as this kind of run has it where nobody said otherwise."""
        if self._folder is not None and not settings.given("store"):
            settings = settings.replace(store=f"sqlite:{self._folder.name}/wxserve.db")
        if (self._demo or self.console) and not settings.given("store_content"):
            # The console shows what was said; here it is the developer's own.
            settings = settings.replace(store_content="full")
        return settings

    def _note_failure(self) -> None:
        if self._admin is not None:
            self._admin.failed()

    def _read_settings(self) -> Settings:
        return self._prepared(self._call.settings())

    def _on_reload(self) -> Sequence[server.Service]:
        """Read the configuration again; where it is faulty the old workers stay, and the log says why."""
        if not self._demo:
            try:
                self._settings = self._read_settings()
            except ConfigError as error:
                app.complain(error.problems, app.open_log(self._settings, threaded=False), self._call.lang)
                self._note_failure()
                raise
        return self._services()


def is_told(record: logging.LogRecord) -> bool:
    """Whether it is about a ConfigError, whose problems have been said one by one."""
    why = str(getattr(record, "fields", {}).get("why", ""))
    return bool(record.exc_info and record.exc_info[0] is ConfigError) or why.startswith(ConfigError.__name__)


def _folder() -> TemporaryDirectory[str]:
    from tempfile import TemporaryDirectory  # the demo's alone

    return TemporaryDirectory(prefix="wxserve-demo-")


def _only_scanners(entries: Sequence[server.Entry]) -> None:
    """The application writes a line per delivery; of the rest the folded line about scanners is enough."""
