"""Run any WSGI application: python3 -m weixin.server module:callable --listen 127.0.0.1:8000

Nothing of this is needed by wxserve itself; it is how the server is tested alone, and how it serves Flask.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import logging
import os
import socket
import sys
from typing import cast

from . import systemd
from .accesslog import line_writer
from .listeners import ListenError, describe, listen
from .options import GRACE, THREADS, Options, Service, WSGIApplication
from .supervisor import serve


def load(name: str) -> WSGIApplication:
    """The callable of "module:callable"; dots after the colon go deeper, "application" is the default.

    Raises: ImportError, AttributeError, TypeError.
    """
    module, _, path = name.partition(":")
    found: object = importlib.import_module(module)
    for attribute in (path or "application").split("."):
        found = getattr(found, attribute)
    if not callable(found):
        raise TypeError(f"{name} is not callable")
    return cast(WSGIApplication, found)


def _workers(text: str) -> int:
    if text == "auto":
        affinity = getattr(os, "sched_getaffinity", None)
        return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, int(text))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m weixin.server", description="Run a WSGI application.")
    parser.add_argument("application", metavar="module:callable")
    parser.add_argument(
        "--listen",
        action="append",
        metavar="ADDRESS",
        help="HOST:PORT, unix:PATH or fd:N; may be repeated; default: systemd's sockets, or 127.0.0.1:8000",
    )
    parser.add_argument("--workers", type=_workers, default=1, metavar="N", help="processes; auto = cores")
    parser.add_argument("--threads", type=int, default=THREADS, metavar="N", help="at most, a process")
    parser.add_argument("--trust", action="append", default=[], metavar="NETWORK", help="a proxy to believe")
    parser.add_argument(
        "--grace", type=float, default=GRACE, metavar="S", help="seconds for the last requests at the end"
    )
    parser.add_argument("--access-log", action="store_true", help="a line a request, on standard output")
    return parser.parse_args()


def main() -> int:
    """The command; its exit status."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    handler = logging.getLogger().handlers[0]
    handler.setFormatter(_Formatter())
    if systemd.in_journal():
        handler.setFormatter(systemd.JournalFormatter(_Formatter()))
    sockets: list[socket.socket] = [sock for _, sock in systemd.listen_fds()]
    addresses = arguments.listen or ([] if sockets else ["127.0.0.1:8000"])
    try:
        sockets += [listen(address) for address in addresses]
    except ListenError as error:
        print(f"cannot listen on {error.address}: {error.strerror}", file=sys.stderr)
        return 2
    options = Options(
        threads=arguments.threads,
        workers=arguments.workers,
        trusted=tuple(arguments.trust),
        grace=arguments.grace,
        access=line_writer(sys.stdout) if arguments.access_log else None,
    )
    sys.path.insert(0, os.getcwd())
    service = Service("web", functools.partial(load, arguments.application), sockets, options)
    where = " ".join(map(describe, sockets))
    return serve([service], on_ready=lambda: print(f"serving on {where}", file=sys.stderr, flush=True))


class _Formatter(logging.Formatter):
    """The event's word with its fields."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        return super().formatMessage(record) + "".join(f" {key}={_harmless(value)}" for key, value in fields.items())


def _harmless(value: object) -> str:
    """A path is a stranger's, and decoded: its line feeds begin no lines here."""
    text = str(value)
    return text if text.isprintable() else repr(text)


if __name__ == "__main__":
    sys.exit(main())
