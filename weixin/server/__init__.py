"""An HTTP/1.1 WSGI server: strict, fast, hard to kill, and nothing but the standard library.

Knows nothing of WeChat: any WSGI callable runs on it, from the shell (`python3 -m weixin.server
module:callable --listen 127.0.0.1:8000`) or from a program, with `serve`. The way of a request: `listeners`
-> `door` -> `worker` (whose thread, `crew` says) -> `reader` and `http` (bytes to a request) -> `exchange`
(the app) -> `answer` (a head) -> `connection`. Between requests a connection is the `keeper`'s; `poll` tells
who is ready, `proxy` whose word about the client is believed, `accesslog` what was asked. The processes:
`supervisor`, `process`, `child`, `monitor`; `systemd` is who may have started them. `options` has every limit,
and `limits` lowers what the machine cannot give.
"""

from __future__ import annotations

from .accesslog import Entry, line_writer
from .listeners import AddressInUse, BadAddress, InheritedSocket, Listener, ListenError, describe, listen
from .options import Options, Service, WSGIApplication
from .supervisor import serve

__all__ = [
    "AddressInUse",
    "BadAddress",
    "Entry",
    "InheritedSocket",
    "ListenError",
    "Listener",
    "Options",
    "Service",
    "WSGIApplication",
    "describe",
    "line_writer",
    "listen",
    "serve",
]
