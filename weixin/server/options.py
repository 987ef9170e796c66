"""How a service is to be served: every limit and timeout of the server, each with its reason.

Knows nothing of sockets or processes; `limits.py` lowers what a machine cannot give.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

from .accesslog import Entry

WSGIApplication = Callable[..., Any]

# A waiting delivery holds its thread for up to five seconds: 64 carry a dozen slow messages a second.
# Threads start when they are needed, so an unused one costs nothing.
THREADS = 64
# One process answers thousands of pushes a second, which is more than any account gets.
WORKERS = 1

# RFC 9112 section 3 asks for at least 8,000 bytes of request line; 8 KiB is also nginx's and Apache's
# default.
LINE_MAX = 8 * 1024
# Four of nginx's 8 KiB buffers: nothing that passed nginx is refused here.
HEAD_MAX = 32 * 1024
# Apache's LimitRequestFields and gunicorn's limit_request_fields.
FIELDS_MAX = 100
# nginx's client_max_body_size. A program that knows its bodies passes its own.
BODY_MAX = 1024 * 1024

# Ten thousand idle connections cost some 20 MB here; nginx in front opens far fewer.
CONNECTIONS = 10_000
# In all workers together, so that `workers = auto` on a large machine does not multiply the promise.
CONNECTIONS_TOTAL = 40_000
# nginx's keepalive_requests: now and then every connection is made anew, and finds the least busy worker.
REQUESTS_PER_CONNECTION = 1000
# Bytes of unfinished requests and of unread answers in one worker: what a crowd of slow clients can occupy.
BUFFERED_MAX = 64 * 1024 * 1024

# Honest clients send a head in one packet; slow lines and lost packets get ten seconds.
HEAD_TIMEOUT = 10.0
# Longer than nginx's keepalive_timeout for upstreams (60 s), so that nginx closes first and loses no request.
IDLE_TIMEOUT = 75.0
# As for the head, plus the body's size at the slowest rate that is still a client and not an attack.
BODY_TIMEOUT = 10.0
SLOWEST_RATE = 16 * 1024
# A client that takes nothing of its answer for so long is gone or hostile. Plus size at the slowest rate.
SEND_TIMEOUT = 10.0
# After an error of ours: long enough for the answer to cross the sea before a reset could eat it.
LINGER_TIMEOUT = 1.0

# While draining, a connection without a request may still send the one that is on its way.
LAST_REQUEST_TIMEOUT = 2.0

# Below WeChat's five seconds and systemd's TimeoutStopSec: in-flight requests finish or are dropped.
GRACE = 4.0
# After a reload nobody waits for the old workers: the longest handler may end in peace.
DRAIN = 60.0


class Options(NamedTuple):
    """The settings of one service. Sizes are bytes, times are seconds."""

    threads: int = THREADS
    workers: int = WORKERS
    line_max: int = LINE_MAX
    head_max: int = HEAD_MAX
    fields_max: int = FIELDS_MAX
    body_max: int = BODY_MAX
    connections: int = CONNECTIONS
    connections_total: int = CONNECTIONS_TOTAL
    requests_per_connection: int = REQUESTS_PER_CONNECTION
    buffered_max: int = BUFFERED_MAX
    head_timeout: float = HEAD_TIMEOUT
    idle_timeout: float = IDLE_TIMEOUT
    body_timeout: float = BODY_TIMEOUT
    slowest_rate: int = SLOWEST_RATE
    send_timeout: float = SEND_TIMEOUT
    linger_timeout: float = LINGER_TIMEOUT
    last_request_timeout: float = LAST_REQUEST_TIMEOUT
    grace: float = GRACE
    drain: float = DRAIN
    #: Addresses and networks whose X-Forwarded-For is believed; a unix socket's peer always is.
    trusted: tuple[str, ...] = ()
    #: Is given batches of `accesslog.Entry`, off the request's path; None: no access log.
    access: Callable[[Sequence[Entry]], None] | None = None


class Service(NamedTuple):
    """One application on its sockets.

    `make_app` is called in each worker after the fork, so that threads, stores and random state are the
    worker's own. The app it returns may have a `close()`, called when the worker has drained.
    """

    name: str
    make_app: Callable[[], WSGIApplication]
    sockets: Sequence[socket.socket]
    options: Options = Options()
    #: Its workers live on through a reload that returns this very service; only a new one has new workers.
    lasting: bool = False
