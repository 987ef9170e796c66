"""Small sites for the doctor to visit: an honest wxserve, things in front of one, and things that are none."""

from __future__ import annotations

import io
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Callable
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from weixin import config
from weixin.app import Application
from weixin.doctor import Finding, examine
from weixin.doctor.visit import Visit, parse_url
from weixin.log import Journal
from weixin.problem import Problem
from weixin.routing.rules import Rules

App = Callable[[dict[str, Any], Callable[..., Any]], Any]

TOKEN = "AAAAAbbbbb1"
NOBODY = "127.0.0.1:9"  # the discard port, where nobody listens


def settings(listen: str = NOBODY, **more: str) -> config.Settings:
    environ = {"WXSERVE_TOKEN": TOKEN, "WXSERVE_LISTEN": listen}
    environ.update({f"WXSERVE_{name.upper()}": value for name, value in more.items()})
    return config.load(None, {}, environ, base="/nonexistent")


SAFE = {"mode": "safe", "appid": "wxba5fad812f8e6fb9", "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}


def honest(token: str = TOKEN, **more: str) -> Application:
    """wxserve itself, which answers nobody but the doctor."""
    return Application(settings(**{**more, "token": token}), Rules([]), Journal(io.StringIO()))


class _Quiet(WSGIRequestHandler):
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


class _Threads(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 50


class _Single(WSGIServer):
    request_queue_size = 50

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up on a slow server is what the test is about."""


@contextmanager
def serve(app: App, *, threads: bool = True, context: Any = None) -> Iterator[int]:
    """Serve *app* on a port of the kernel's choice, with TLS if a context says how."""
    server = (_Threads if threads else _Single)(("127.0.0.1", 0), _Quiet)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page(status: str, body: bytes, **headers: str) -> App:
    """A site that says the same to everybody."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        given = {"Content-Type": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
        start_response(status, list(given.items()))
        return [body]

    return app


def between(app: App, change: Callable[[dict[str, Any]], None]) -> App:
    """A proxy that changes requests."""

    def proxy(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        change(environ)
        return app(environ, start_response)

    return proxy


def after(app: App, change: Callable[[bytes], bytes], **headers: str) -> App:
    """A proxy that changes answers."""

    def proxy(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        started: list[Any] = []
        body = change(b"".join(app(environ, lambda *given: started.extend(given))))
        given = {**dict(started[1]), "Content-Length": str(len(body))}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        start_response(started[0], list(given.items()))
        return [body]

    return proxy


def visit(port: int = 0, *, url: str = "http://wx.example.com/weixin", **more: Any) -> Visit:
    given: dict[str, Any] = {"settings": settings(), "url": parse_url(url), "environ": {"STATE_DIRECTORY": "/"}}
    if port:
        given["via"] = ("127.0.0.1", port)
    given.update(more)
    return Visit(**given)


def problems(looked: Visit, *wanted: str) -> list[Problem]:
    """Everything that the doctor finds."""
    return [problem for finding in examine(looked, wanted) for problem in finding.problems]


def findings(looked: Visit, *wanted: str) -> Mapping[str, Finding]:
    return {finding.group: finding for finding in examine(looked, wanted)}
