"""How hard is the server to kill? Load on it while it is killed, reloaded, attacked and stopped.

    python3 bench/hard_to_kill.py [--seconds 30] [--workers 2] [--clients 16] [--unix] [only ...]

Four trials, each with a server of its own and clients that count every request: one half of them keeps its
connection, the other half makes a new one for each request.

    kill       a worker is killed with SIGKILL every second
    reload     SIGHUP every second
    stop       SIGTERM under load, again and again; the socket is inherited, so that the next server goes on
    slowloris  1,000 connections that send a byte of a head now and then, and 1,000 that send nothing

A request is *lost* when a connection that was established ends without a whole answer. A request on a kept
connection that the server closed between two requests is lost, too, unless it had announced that.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Callable

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REQUEST = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
ONCE = b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PATIENCE = 10.0


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """What is served: a short answer that took a moment."""
    time.sleep(0.001)
    body = b"pid=%d" % os.getpid()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


class Clients:
    """Threads that ask again and again, and what they saw."""

    def __init__(self, address: Any, count: int) -> None:
        self.address = address
        self.answered = 0
        self.refused = 0  # no connection was made: nobody listened
        self.lost: list[str] = []
        self.latencies: list[float] = []
        self.pids: set[bytes] = set()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._keep if number % 2 else self._renew) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _connect(self) -> socket.socket | None:
        client = socket.socket(socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET)
        client.settimeout(PATIENCE)
        try:
            client.connect(self.address)
        except OSError:
            client.close()
            self.refused += 1
            time.sleep(0.01)
            return None
        return client

    def _ask(self, client: socket.socket, request: bytes) -> bool:
        """One request; whether the connection may be used again."""
        begun = time.perf_counter()
        answer = b""
        try:
            client.sendall(request)
            while b"\r\n\r\n" not in answer or not answer.rpartition(b"pid=")[2]:
                piece = client.recv(65536)
                if not piece:
                    raise ConnectionError(f"closed after {len(answer)} bytes")
                answer += piece
        except OSError as error:
            with self._lock:
                kind = "new" if request is ONCE else "kept"
                self.lost.append(f"{kind} connection: {type(error).__name__}: {error}")
            return False
        with self._lock:
            self.answered += 1
            self.latencies.append(time.perf_counter() - begun)
            self.pids.add(answer.rpartition(b"pid=")[2])
            if not answer.startswith(b"HTTP/1.1 200 "):
                self.lost.append(answer[:12].decode("latin-1"))
        return b"Connection: close" not in answer

    def _renew(self) -> None:
        while not self._stop.is_set():
            client = self._connect()
            if client is not None:
                with client:
                    self._ask(client, ONCE)

    def _keep(self) -> None:
        client: socket.socket | None = None
        while not self._stop.is_set():
            client = client or self._connect()
            if client is not None and not self._ask(client, REQUEST):
                client.close()
                client = None
        if client is not None:
            client.close()

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.latencies) or [0.0]
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def report(self, name: str, more: str = "") -> None:
        kinds = sorted(set(self.lost))
        print(
            f"{name:10} answered={self.answered} lost={len(self.lost)} refused={self.refused} "
            f"p50={self.percentile(0.5):.1f}ms p99={self.percentile(0.99):.1f}ms "
            f"max={self.percentile(1):.1f}ms workers={len(self.pids)} {more} {kinds[:3] or ''}",
            flush=True,
        )


class Server:
    """A server on a socket that this program holds, or that it binds itself."""

    def __init__(self, listener: socket.socket, workers: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "weixin.server", "bench.hard_to_kill:application",
             "--listen", f"fd:{listener.fileno()}", "--workers", str(workers)],
            cwd=ROOT, pass_fds=(listener.fileno(),), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        while "serving on" not in self.process.stderr.readline():
            if self.process.poll() is not None:
                raise SystemExit("the server did not start")
        self._drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self._drain.start()

    def children(self) -> list[int]:
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(text) for text in file.read().split()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def every_second(seconds: float, act: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(1)
        act()


def trial_kill(listener: socket.socket, address: Any, options: argparse.Namespace) -> None:
    server = Server(listener, options.workers)
    clients = Clients(address, options.clients)
    kills = [0]

    def kill() -> None:
        victims = server.children()
        if victims:
            os.kill(victims[kills[0] % len(victims)], signal.SIGKILL)
            kills[0] += 1

    every_second(options.seconds, kill)
    clients.stop()
    clients.report("kill", f"kills={kills[0]} exit={server.stop()}")


def trial_reload(listener: socket.socket, address: Any, options: argparse.Namespace) -> None:
    server = Server(listener, options.workers)
    clients = Clients(address, options.clients)
    every_second(options.seconds, lambda: server.process.send_signal(signal.SIGHUP))
    clients.stop()
    clients.report("reload", f"exit={server.stop()}")


def trial_stop(listener: socket.socket, address: Any, options: argparse.Namespace) -> None:
    server = Server(listener, options.workers)
    clients = Clients(address, options.clients)
    stops, end = 0, time.monotonic() + options.seconds
    codes = set()
    while time.monotonic() < end:
        time.sleep(1)
        codes.add(server.stop())
        stops += 1
        server = Server(listener, options.workers)
    clients.stop()
    server.stop()
    clients.report("stop", f"stops={stops} exits={sorted(codes)}")


def trial_slowloris(listener: socket.socket, address: Any, options: argparse.Namespace) -> None:
    server = Server(listener, options.workers)
    quiet = Clients(address, 4)
    time.sleep(min(10, options.seconds / 2))
    quiet.stop()
    quiet.report("  before")
    stop = threading.Event()
    attacker = threading.Thread(target=attack, args=(address, 1000, 1000, stop))
    attacker.start()
    clients = Clients(address, 4)
    time.sleep(options.seconds)
    clients.stop()
    stop.set()
    attacker.join()
    ratio = clients.percentile(0.99) / quiet.percentile(0.99)
    clients.report("slowloris", f"p99-ratio={ratio:.2f} exit={server.stop()}")


def attack(address: Any, slow: int, silent: int, stop: threading.Event) -> None:
    """Hold so many connections, and make each anew when it is shut out."""

    def connect(greeting: bytes) -> socket.socket:
        client = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        client.connect(address)
        client.sendall(greeting)
        client.setblocking(False)
        return client

    greetings = [b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "] * slow + [b""] * silent
    clients = [connect(greeting) for greeting in greetings]
    poll = select.poll()
    while not stop.wait(0.5):
        for number, client in enumerate(clients):
            try:
                if greetings[number]:
                    client.send(b"x")
                poll.register(client, select.POLLRDHUP)
                gone = bool(poll.poll(0))
                poll.unregister(client)
            except OSError:
                gone = True
            if gone:
                client.close()
                clients[number] = connect(greetings[number])
    for client in clients:
        client.close()


TRIALS = {"kill": trial_kill, "reload": trial_reload, "stop": trial_stop, "slowloris": trial_slowloris}


def main() -> None:
    parser = argparse.ArgumentParser(description="How hard is the server to kill?")
    parser.add_argument("only", nargs="*", choices=[*TRIALS, []], help="these trials only")
    parser.add_argument("--seconds", type=float, default=30.0, help="for each trial")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--unix", action="store_true", help="over a unix socket")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only or TRIALS:
            with socket.socket(socket.AF_UNIX if options.unix else socket.AF_INET) as listener:
                listener.bind(os.path.join(folder, name) if options.unix else ("127.0.0.1", 0))
                listener.listen(4096)
                TRIALS[name](listener, listener.getsockname(), options)


if __name__ == "__main__":
    main()
