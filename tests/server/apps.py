"""WSGI applications for servers that tests start as programs of their own."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

StartResponse = Callable[..., Any]

if os.path.exists(os.environ.get("WXSERVE_TEST_BROKEN", "")):
    raise ImportError("this app is broken")

# What a program that is started here, or from a thread that begins here, would never hear.
BLOCKED = signal.pthread_sigmask(signal.SIG_BLOCK, ())


class Application:
    """Answers with its process's number.

    /slow?S sleeps, /silent waits for the client to go, and both say that they have begun. /leave asks for a new worker,
    /crash and /wedge harm the present one. /say prints to standard output, and does not flush it.
    """

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        path = environ["PATH_INFO"]
        if path in ("/slow", "/silent"):
            print("begun", path, file=sys.stderr, flush=True)
        if path == "/slow":
            time.sleep(float(environ["QUERY_STRING"]))
        elif path == "/leave":
            os.kill(os.getpid(), signal.SIGTERM)
        elif path == "/say":
            print("something")
        elif path == "/crash":
            os._exit(7)
        elif path == "/wedge":
            ctypes.PyDLL(None).sleep(60)  # with the interpreter lock held
        elif path == "/silent":
            environ["wxserve.wait_gone"](60)
            environ["wxserve.drop"]()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"blocked={len(BLOCKED)} pid={os.getpid()}".encode()]

    def close(self) -> None:
        """Leaves a note that it was called; hangs, when it is to."""
        if os.environ.get("WXSERVE_TEST_STUCK"):
            time.sleep(60)
        path = os.environ.get("WXSERVE_TEST_CLOSED", "")
        if path:
            with open(path, "a", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")


application = Application()
