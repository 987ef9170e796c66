"""``dev``: ``run`` for who writes: this machine only, and whatever is edited is loaded again within a second.

A process of its own looks at the files and asks the supervisor to reload, as ``kill -HUP`` does: the supervisor forks,
and so has no threads. New workers come up beside the old ones; where something is wrong the old ones stay, and the
terminal says why. Something that is wrong at the start is waited for until it is mended.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import config, server, texts
from ..config import ConfigError, Settings
from ..watch import LOOK_SECONDS, Watch
from . import CONFIG, FINE, add_settings
from .rehearsal import sources
from .run import Program, is_told, settings_or_demo
from .terminal import shorten

if TYPE_CHECKING:
    from . import Call

LOOPBACK = "127.0.0.1"
_LOCAL = ("127.", "[::1]:", "localhost:", "unix:")


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    add_settings(parser, lang)


def run(call: Call) -> int:
    while True:
        # What is edited while it is read counts as edited.
        watch = Watch([config.find(call.options.config, os.environ) or ""])
        try:
            settings, demo = settings_or_demo(call)
            watch = Watch(sources(settings))
            status = _Development(call, settings, demo).serve()
        except ConfigError as error:
            call.terminal.problems(error.problems)
            status = CONFIG
        if status != CONFIG:
            return status
        call.terminal.note(texts.say("dev.waiting", call.lang))
        try:
            while not watch.settled(time.sleep):
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            return FINE


def local(settings: Settings) -> Settings:
    """The same, heard by this machine alone."""
    if settings.listen.startswith(_LOCAL):
        return settings
    return settings.replace(listen=f"{LOOPBACK}:{settings.listen.rpartition(':')[2]}")


class _Development(Program):
    """A run of the server, with somebody beside it who looks at the files."""

    console = True

    def __init__(self, call: Call, settings: Settings, demo: bool) -> None:
        super().__init__(call, local(settings), demo)
        self._asked = settings.listen
        self._reloading = False
        self.color = call.terminal.color

    def serve(self) -> int:
        # Until the supervisor listens to it: by default the signal would end the process.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        watcher = self._fork_watcher()
        try:
            return super().serve()
        finally:
            os.kill(watcher, signal.SIGTERM)
            os.waitpid(watcher, 0)

    def _read_settings(self) -> Settings:
        return local(super()._read_settings())

    def _on_reload(self) -> Sequence[server.Service]:
        self._reloading = True
        if not self._demo:
            try:
                self._settings = self._read_settings()
            except ConfigError as error:
                self._call.terminal.problems(error.problems)
                self._note_failure()
                raise
        return self._services()

    def _make(self, settings: Settings) -> server.WSGIApplication:
        application = super()._make(settings)
        if self._reloading:
            rules, files, _ = self._report.read()
            self._call.terminal.note(texts.say("dev.loaded", self._call.lang, rules=rules, files=files))
        return application

    def _on_ready(self) -> None:
        super()._on_ready()
        terminal, lang = self._call.terminal, self._call.lang
        if self._settings.listen != self._asked:
            values = {"listen": self._settings.listen, "asked": self._asked}
            terminal.error(texts.say("dev.loopback", lang, **values))
        files = " ".join(map(shorten, sources(self._settings)))
        terminal.note(texts.say("dev.watching", lang, files=files))

    def _is_news(self, record: logging.LogRecord) -> bool:
        """A filter of the server's log: how a reload went, the terminal says in its own words."""
        fields = getattr(record, "fields", {})
        told = is_told(record) or fields.get("result") == "ok"
        if told and record.getMessage() == "reload" and fields["result"] == "failed":
            self._call.terminal.error(texts.say("chat.kept", self._call.lang))
        return not told

    def _fork_watcher(self) -> int:
        """Begin the process that looks; it ends with this one."""
        sys.stdout.flush()
        sys.stderr.flush()
        supervisor = os.getpid()
        child = os.fork()
        if child:
            return child
        # Ctrl-C goes to the whole group; the supervisor ends this process when it is done.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            self._look(supervisor)
        finally:
            os._exit(0)

    def _look(self, supervisor: int) -> None:
        watch = Watch(sources(self._settings))
        while os.getppid() == supervisor:
            changed = watch.settled(time.sleep)
            if changed:
                files = " ".join(map(shorten, changed))
                self._call.terminal.note(texts.say("dev.changed", self._call.lang, files=files))
                os.kill(supervisor, signal.SIGHUP)
                watch = self._watch_again(watch)
            time.sleep(LOOK_SECONDS)

    def _watch_again(self, watch: Watch) -> Watch:
        """The configuration may name other files now."""
        try:
            settings = self._read_settings()
        except ConfigError:
            return watch
        if sources(settings) == sources(self._settings):
            return watch
        self._settings = settings
        return Watch(sources(settings))
