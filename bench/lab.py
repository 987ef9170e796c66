"""The laboratory: servers started alone, asked, loaded with wrk, measured from /proc, and stopped.

CPU is what the kernel billed to the whole process tree, memory is the tree's proportional share (PSS). Knows
nothing of who races whom (peers.py) nor of what is sent (pushes.py).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pushes import Script

START_LIMIT = 15.0  # seconds; the slowest peer needs two
STOP_LIMIT = 6.0  # seconds; drains take up to four
ANSWER_LIMIT = 10.0  # seconds, for one answer to one request
POLL = 0.001  # seconds between two attempts to connect: the precision of "time to the first answer"


class CannotStart(Exception):
    """A server ended, or never answered. The message has the end of what it printed."""


class Died(Exception):
    """A server took no connection any more. The message has the end of what it printed."""


@dataclass(frozen=True)
class Address:
    """Where a server listens: a unix socket if there is a path, else TCP."""

    host: str = "127.0.0.1"
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"{self.host}:{self.port}"

    def connect(self) -> socket.socket:
        """A connected socket; raises OSError."""
        family = socket.AF_UNIX if self.path else socket.AF_INET
        sock = socket.socket(family)
        sock.settimeout(ANSWER_LIMIT)
        try:
            sock.connect(self.path or (self.host, self.port))
        except BaseException:
            sock.close()
            raise
        return sock


def tcp_address() -> Address:
    """A port that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return Address(port=sock.getsockname()[1])


def ask(address: Address, request: bytes) -> bytes:
    """The whole response to a request that asks for the connection to be closed."""
    with address.connect() as sock:
        sock.sendall(request)
        chunks = []
        while chunk := sock.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks)


@dataclass
class Server:
    """One running program and all its descendants."""

    name: str
    address: Address
    process: subprocess.Popen[bytes]
    started: float
    output: Path
    first_answer: float = field(default=0.0, init=False)

    def tree(self) -> list[int]:
        """The pids: the process and every descendant alive."""
        pids, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            pids.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    todo += map(int, task.read_text().split())
        return pids

    def cpu(self) -> float:
        """Seconds of CPU, user and system, of the tree's processes and all their threads, ended ones too."""
        total = 0.0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                # The clock of another process: what clock_getcpuclockid(3) makes of a pid. /proc/PID/stat
                # counts the same in steps of 10 ms.
                total += time.clock_gettime((~pid << 3) | 2)
        return total

    def memory(self) -> float:
        """MB of PSS of the tree (proc(5), smaps_rollup)."""
        kilobytes = 0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        kilobytes += int(line.split()[1])
        return kilobytes / 1024

    def wait_ready(self, request: bytes, check: Callable[[bytes], None]) -> None:
        """Ask until there is an answer, check it, and note how long after exec it came."""
        limit = self.started + START_LIMIT
        while True:
            try:
                response = ask(self.address, request)
            except OSError:
                response = b""
            if response:
                break
            if self.process.poll() is not None or time.monotonic() > limit:
                raise CannotStart(self.last_words())
            time.sleep(POLL)
        self.first_answer = time.monotonic() - self.started
        check(response)

    def last_words(self) -> str:
        """The end of what the program printed."""
        lines = self.output.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-2:])[-300:] or f"exit status {self.process.poll()}"

    def stop(self) -> None:
        """SIGTERM to the program's group, SIGKILL to what is left of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(name: str, command: list[str], address: Address, folder: Path, env: dict[str, str]) -> Server:
    """Start a program in a session of its own; its output goes to a file in the folder."""
    output = folder / "output.txt"
    # Nothing of the laboratory's own Python may leak into a peer's.
    ours = ("PYTHON", "WXSERVE_", "PYENV_")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    with output.open("wb") as out:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean | env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    return Server(name, address, process, started, output)


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A temporary folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="wxbench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Sample:
    """What one load of one server cost."""

    answered: int
    wrong: int
    lost: int
    cpu: float  # seconds
    wall: float  # seconds
    p50: float  # milliseconds
    p99: float  # milliseconds

    @property
    def micros(self) -> float:
        """CPU µs per answered message."""
        return self.cpu * 1e6 / self.answered if self.answered else float("nan")


def load(server: Server, script: Script, seconds: float, *, port: int = 0, connections: int = 8) -> Sample:
    """wrk against the server, or the port of a proxy before it, and the CPU the server used meanwhile."""
    url = f"http://127.0.0.1:{port or server.address.port}/"
    # wrk takes whole seconds, but ends early and reports on SIGINT.
    command = ["wrk", "-t1", f"-c{connections}", "-d600s", "--timeout", "5s", "-s", str(script.lua), url]
    if script.pool:
        command += ["--", script.pool]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as wrk:
        before, began = server.cpu(), time.monotonic()
        time.sleep(seconds)
        wrk.send_signal(signal.SIGINT)
        try:
            printed, _ = wrk.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            wrk.kill()
            raise
        after, ended = server.cpu(), time.monotonic()
    result = [line for line in printed.splitlines() if line.startswith("RESULT")]
    if not result:
        raise Died(f"{printed.strip()[-200:]}; exit status {server.process.poll()}: {server.last_words()}")
    total, wrong, lost, p50, p99 = map(int, result[0].split()[1:])
    return Sample(total - wrong, wrong, lost, after - before, ended - began, p50 / 1000, p99 / 1000)


NGINX = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""
NGINX_SERVER = """
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://unix:{path}:;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Connection "close";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_read_timeout 6s;
        }}
    }}
"""


@contextlib.contextmanager
def nginx(paths: list[str]) -> Iterator[list[int]]:
    """A real Nginx before the unix sockets, a new upstream connection a request; yields its ports."""
    ports = [tcp_address().port for _ in paths]
    with workspace() as folder:
        servers = "".join(NGINX_SERVER.format(port=port, path=path) for port, path in zip(ports, paths))
        config = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(NGINX.format(user=user, folder=folder, servers=servers))
        command = ["nginx", "-p", str(folder), "-c", str(config), "-e", "stderr"]
        server = start("nginx", command, Address(port=ports[0]), folder, {})
        try:
            server.wait_ready(b"GET / HTTP/1.0\r\n\r\n", lambda response: None)
            yield ports
        finally:
            server.stop()
