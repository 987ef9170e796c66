"""Servers for tests: a worker in a thread of this process, and raw bytes to and from it."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import unittest
from collections.abc import Callable
from typing import Any

from tests.waiting import until
from weixin.server.listeners import listen
from weixin.server.monitor import Monitor
from weixin.server.options import Options, WSGIApplication
from weixin.server.poll import EpollPoller, Poller, PollPoller
from weixin.server.worker import Worker

# For what must happen: generous, since a test machine may be busy. A test that waits it out has failed.
PATIENCE = 10.0


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Says which request it answers, and with what body."""
    body = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} ".encode() + environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


class Blocking:
    """An app that says hello, and to who asks for /block not before `leave` is set."""

    def __init__(self) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()
        #: The paths that were asked for.
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.asked.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/block":
            self.entered.set()
            self.leave.wait(PATIENCE)
        return hello(environ, start_response)


class Running:
    """A worker that serves `app` until `close`."""

    def __init__(self, app: WSGIApplication, options: Options, address: str, poller: Poller) -> None:
        self.socket = listen(address)
        self.name: Any = self.socket.getsockname()
        self.family = self.socket.family
        self.worker = Worker(app, [self.socket], options, poller=poller)
        self.monitor = Monitor(self.worker)
        self.thread = threading.Thread(target=self.monitor.run)
        self.thread.start()

    def connect(self) -> socket.socket:
        client = socket.socket(self.family, socket.SOCK_STREAM)
        client.settimeout(PATIENCE)
        client.connect(self.name)
        return client

    def close(self, grace: float = 0.1) -> bool:
        """Drain and end; whether every thread ended."""
        self.monitor.drain(grace, last=True)
        self.thread.join(PATIENCE)
        return self.worker.end(PATIENCE)


class ServerCase(unittest.TestCase):
    """Starts workers on the kind of socket and poller that the subclass names."""

    unix = False
    epoll = True

    def start(self, app: WSGIApplication = hello, **options: Any) -> Running:
        address = "127.0.0.1:0"
        if self.unix:
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            address = "unix:" + os.path.join(folder.name, "s")
        running = Running(app, Options(**options), address, EpollPoller() if self.epoll else PollPoller())
        self.addCleanup(lambda: self.assertTrue(running.close(), "a thread did not end"))
        return running

    def talk(self, running: Running, *pieces: bytes) -> bytes:
        """Send `pieces` in as many packets and read until the server closes."""
        with running.connect() as client:
            for piece in pieces:
                try:
                    client.sendall(piece)
                except (BrokenPipeError, ConnectionResetError):
                    break  # refused while it was still being sent: the answer may be there
            return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Everything until the end of the connection; a reset counts as an end."""
    data = b""
    while True:
        try:
            piece = client.recv(65536)
        except ConnectionResetError:
            return data
        if not piece:
            return data
        data += piece


def read_until(client: socket.socket, end: bytes) -> bytes:
    """Everything up to and including `end`."""
    data = b""
    while not data.endswith(end):
        piece = client.recv(65536)
        if not piece:
            raise AssertionError(f"the connection ended after {data!r}")
        data += piece
    return data


def statuses(answers: bytes) -> list[int]:
    """The status of each answer in a stream whose bodies hold no "HTTP/1.1 "."""
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition()` holds; for what has no event to wait on."""
    until(condition, PATIENCE)
