"""``run``: serve. Without a configuration it is a demo, on this machine only."""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import socketserver
import sys
import time
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from .. import __version__, app, config, texts
from ..problem import Problem
from . import CONFIG, FAILED, FINE, add_settings

if TYPE_CHECKING:
    from . import Call

# Enough that nobody guesses a demo's token; it is new at each start.
DEMO_TOKEN_BYTES = 6


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """The application writes a line per delivery."""


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    add_settings(parser, lang)


def run(call: Call) -> int:
    began = time.perf_counter()
    settings, demo = settings_or_demo(call)
    application = app.build(settings)
    host, _, port = settings.listen.rpartition(":")
    try:
        server = _Server((host.strip("[]"), int(port)), _Handler)
    except OSError as error:
        values = {"listen": settings.listen, "error": error.strerror}
        call.terminal.problems([Problem("WX-CFG-10", values)])
        return FAILED
    server.set_app(application)
    call.terminal.note(_banner(settings, application, demo, call.lang))
    if not demo:
        call.terminal.note(texts.say("run.ready", call.lang, seconds=f"{time.perf_counter() - began:.2f}"))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        application.close()
    return FINE


def settings_or_demo(call: Call) -> tuple[config.Settings, bool]:
    """Return the configuration, or the demo's where there is none; under systemd that is a mistake. (WX-CFG-01)"""
    asked = call.options.config or os.environ.get("WXSERVE_CONFIG") or os.environ.get("NOTIFY_SOCKET")
    try:
        return call.settings(), False
    except config.ConfigError as error:
        if asked or [problem.code for problem in error.problems] != ["WX-CFG-01"]:
            raise
    base = os.path.dirname(os.path.abspath(sys.argv[0]))
    return config.demo("demo" + secrets.token_hex(DEMO_TOKEN_BYTES), base, call.flags), True


def _banner(settings: config.Settings, application: app.Application, demo: bool, lang: str) -> str:
    return texts.say(
        "run.demo" if demo else "run.banner",
        lang,
        version=__version__,
        python=".".join(platform.python_version_tuple()[:2]),
        listen=settings.listen,
        path=settings.path,
        token=settings.token,
        mode=settings.mode,
        pid=os.getpid(),
        config=settings.file or "-",
        rules=len(application.rules),
        handlers=os.path.relpath(settings.handlers),
        files=os.path.relpath(settings.handlers),
    )


__all__ = ["CONFIG", "configure", "run", "settings_or_demo"]
