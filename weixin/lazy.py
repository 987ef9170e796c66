"""The application for other people's servers: built at the first call, once a process.

They import a module and take its ``application``; nothing may happen at import.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from typing import Any, Callable

from . import config, log, texts
from .app import Application, build, complain
from .web import TEXT, answer

# After a failed start the configuration is read again this much later, so that mending it is enough.
RETRY_SECONDS = 10.0


class Lazy:
    """An Application that is built at the first call, once a process, from the configuration that is found then.

    For servers that import a module and take its ``application``. Nothing happens at import; threads that come at once
    wait for one build; a fork before the first call gives each process its own. Where the configuration or a handler is
    faulty every request gets a 503, the log says why, and some seconds later it is tried again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._application: Application | None = None
        self._pid = 0
        self._retry_at = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        application = self._application
        if application is None or self._pid != os.getpid():
            application = self._build()
        if application is None:
            refusal = answer(503, b"", TEXT, ("Retry-After", "10"))
            start_response(refusal.status, refusal.headers)
            return refusal
        return application(environ, start_response)

    def _build(self) -> Application | None:
        with self._lock:
            if self._pid == os.getpid() and (self._application or time.monotonic() < self._retry_at):
                return self._application
            self._pid, self._application = os.getpid(), None
            try:
                self._application = build(config.load())
            except config.ConfigError as error:
                complain(error.problems, log.start(), texts.language("auto", os.environ))
                self._retry_at = time.monotonic() + RETRY_SECONDS
            return self._application
