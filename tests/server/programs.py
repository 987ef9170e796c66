"""Servers as programs of their own: started, talked to, signalled, and always ended."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from typing import Any

from tests.program import environment
from tests.server.running import PATIENCE, read_all, statuses, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Program:
    """`python3 -m weixin.server` with some arguments, and what it says."""

    def __init__(
        self, arguments: list[str], environ: dict[str, str], command: list[str], **popen: Any
    ) -> None:
        self.said: list[str] = []
        self.process = subprocess.Popen(
            command + arguments,
            cwd=ROOT,
            env=environment(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **popen,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.said.append(line.rstrip("\n"))

    def has_said(self, pattern: str) -> bool:
        return any(re.search(pattern, line) for line in list(self.said))

    def count(self, text: str) -> int:
        return sum(text in line for line in list(self.said))

    def wait_said(self, pattern: str) -> None:
        wait_for(lambda: self.has_said(pattern) or self.process.poll() is not None)
        if not self.has_said(pattern):
            raise AssertionError(f"it never said {pattern!r}, but {self.said}")

    def address(self) -> tuple[str, int]:
        """Where it listens, once it does."""
        self.wait_said(r"serving on ")
        match = re.search(r"serving on .*?127\.0\.0\.1:(\d+)", "\n".join(self.said))
        assert match is not None
        return "127.0.0.1", int(match[1])

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit status, which it has by now or gets by force."""
        try:
            return self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._reader.join(PATIENCE)


class ProgramCase(unittest.TestCase):
    def start(
        self,
        *arguments: str,
        application: str = "tests.server.apps:application",
        environ: dict[str, str] | None = None,
        listen: str = "127.0.0.1:0",
        before: str = "",
        **popen: Any,
    ) -> Program:
        """`before` is Python that runs first in the same process."""
        command = [sys.executable, "-m", "weixin.server"]
        if before:
            main = "import sys; from weixin.server.__main__ import main"
            command = [sys.executable, "-c", f"{before}\n{main}\nif __name__ == '__main__': sys.exit(main())"]
        listening = ["--listen", listen] if listen else []
        program = Program([application, *listening, *arguments], environ or {}, command, **popen)
        self.addCleanup(self._finish, program)
        return program

    @staticmethod
    def _finish(program: Program) -> None:
        if program.process.poll() is None:
            program.signal(signal.SIGTERM)
        program.end()

    def folder(self) -> str:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name


def connect(address: Any) -> socket.socket:
    client = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    client.settimeout(PATIENCE)
    client.connect(address)
    return client


def get(address: Any, path: str = "/") -> bytes:
    """The whole answer to one request on a connection of its own."""
    with connect(address) as client:
        client.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % path.encode())
        return read_all(client)


def pid_of(answer: bytes) -> int:
    """Which worker gave this answer."""
    if statuses(answer) != [200]:
        raise AssertionError(f"not an answer: {answer!r}")
    return int(answer.rpartition(b"pid=")[2])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return ") Z " not in file.read()
    except (FileNotFoundError, ProcessLookupError):  # before it is opened, or before it is read
        return False
