"""The application with every time of the ladder multiplied by $LADDER, for tests that have not got fifteen seconds.

Run by our own server: ``python3 -m weixin.server tests.live.scaled:application``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from typing import Any, Callable

from weixin import app, config
from weixin.store.sqlite import SQLite


class Scaled:
    """Builds itself at the first request, once a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._application: app.Application | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            if self._application is None:
                self._application = build(float(os.environ["LADDER"]))
        return self._application(environ, start_response)

    def close(self) -> None:
        if self._application is not None:
            self._application.close()


def build(scale: float) -> app.Application:
    settings = config.load()
    rules, problems = app.load_rules(settings)
    assert not problems, problems
    began = float(os.environ["LADDER_BEGAN"])

    def clock() -> float:
        """What is overdue after sixteen seconds is so here, too."""
        return began + (time.time() - began) / scale

    store = SQLite(settings.store[len("sqlite:") :], clock=clock, shared=settings.workers > 1)
    application = app.Application(settings, rules, app.open_log(settings), store=store)
    desk = application._desk
    desk.clock = clock
    desk.terms = desk.terms._replace(pace=desk.terms.pace._replace(deadline=3.5).scaled(scale))
    return application


application = Scaled()
