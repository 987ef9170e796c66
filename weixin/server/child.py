"""A worker process from fork to exit: builds the app, serves, tells the supervisor how it is.

The two talk over a socket pair: the worker says `ready`, `alive`, `draining` or `failed REASON`, a line each;
the supervisor says to drain or to stop. When the supervisor is gone, however it went, the pair says so and
the worker stops too.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import socket
import sys
from typing import Any

from .monitor import Monitor
from .options import Options, Service
from .worker import Worker

log = logging.getLogger("wxserve.server")

READY, ALIVE, DRAINING, FAILED = b"ready", b"alive", b"draining", b"failed"
DRAIN, STOP = b"d", b"s"  # one byte each, so that none arrives in halves

# Before the supervisor's patience (10 s) ends: a wedged process prints where all its threads are, and exits.
# This clock is a thread of faulthandler's own that needs no interpreter lock, and works without a supervisor,
# too.
WEDGED_SECONDS = 9.0
# Threads that are free end at once; one that is stuck in an app ends with the process.
JOIN_SECONDS = 0.5

EXIT_FAILED = 3  # the app could not be made


class Child:
    """The worker's end of the pair, and its life."""

    def __init__(
        self, service: Service, options: Options, channel: socket.socket, multiprocess: bool
    ) -> None:
        self._service = service
        self._options = options
        self._channel = channel
        self._multiprocess = multiprocess
        self._said_ready = False
        channel.setblocking(False)

    def live(self) -> int:
        """Serve until told to stop; the process's exit status."""
        # Signals meant for the whole foreground process group are the supervisor's to interpret.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, self._on_sigterm)
        # Before there is an app: what it starts, and the threads it begins, would inherit what is blocked.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        try:
            app = self._service.make_app()
            worker = Worker(app, self._service.sockets, self._options, multiprocess=self._multiprocess)
        except Exception as error:
            fields = {"service": self._service.name}
            log.error("app-failed", exc_info=error, extra={"code": "", "fields": fields})
            self._say(FAILED + b" " + _reason(error))
            return EXIT_FAILED
        # What exists now lives as long as the process: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        self._monitor = Monitor(worker, self._beat)
        # Again, for an app that wanted the signal for itself.
        signal.signal(signal.SIGTERM, self._on_sigterm)
        # A client that hangs up is an error of one write, even if the app has undone what Python does at its start.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        try:
            self._monitor.run(self._channel.fileno(), self._listen)
        except RuntimeError as error:
            self._say(FAILED + b" " + _reason(error))
            return EXIT_FAILED
        faulthandler.cancel_dump_traceback_later()
        worker.end(JOIN_SECONDS)
        _close(app)
        return 0

    def _on_sigterm(self, _signal: int, _frame: Any) -> None:
        """Somebody wants this one worker replaced: perhaps its own app.

        It asks, and serves until the supervisor answers: only that one knows whether others are to serve from now on,
        or whether the whole process group was told to end, and these are the last ears.
        """
        self._say(DRAINING)

    def _beat(self) -> None:
        self._say(ALIVE if self._said_ready else READY)
        self._said_ready = True
        try:
            faulthandler.dump_traceback_later(WEDGED_SECONDS, exit=True, file=sys.__stderr__ or 2)
        except (OSError, RuntimeError, ValueError):
            pass  # no standard error to print to, or no thread for it: the supervisor watches, too

    def _listen(self) -> bool:
        """Do what the supervisor says; False when it is dead."""
        try:
            data = self._channel.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if STOP in data or not data:
            self._monitor.drain(self._options.grace, last=True)
        elif DRAIN in data:
            self._monitor.drain(self._options.drain)
        return bool(data)

    def _say(self, line: bytes) -> None:
        try:
            self._channel.send(line + b"\n")
        except OSError:
            pass  # the supervisor is gone or stopped; the former is noticed elsewhere, the latter passes


def _reason(error: BaseException) -> bytes:
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:1000].encode("utf-8", "replace")


def _close(app: Any) -> None:
    """Let the app write what it still holds."""
    close = getattr(app, "close", None)
    if close is None:
        return
    try:
        close()
    except Exception as error:
        log.error("app-close", exc_info=error, extra={"code": "", "fields": {}})


def run_child(service: Service, options: Options, channel: socket.socket, multiprocess: bool) -> None:
    """Live as a worker, then leave: never returns into the supervisor's code."""
    status = 1
    try:
        status = Child(service, options, channel, multiprocess).live()
    except BaseException as error:
        log.critical("worker", exc_info=error, extra={"code": "", "fields": {"service": service.name}})
    finally:
        try:
            logging.shutdown()
            flush_streams()
        finally:
            # Threads stuck in an app must not hold the process, and the supervisor's atexit hooks are not ours.
            os._exit(status)


def flush_streams() -> None:
    """Write what was printed so far. A reader that has gone or a full disk costs these words, and no process."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # also: there is none, or an app has closed it
