"""Runs the program the way a person does: ``python3 wxserve.py …`` in another process."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "wxserve.py"
# A command that takes longer has hung.
SECONDS = 30


def environment(**more: str) -> dict[str, str]:
    """An environment with nothing of ours in it, in which everybody speaks English and UTF-8."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WXSERVE_")}
    for name in ("CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "JOURNAL_STREAM", "LISTEN_FDS", "LC_ALL", "LC_MESSAGES"):
        kept.pop(name, None)
    # Set in many a container, and then each of some hundred processes compiles the program anew.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1", **more}


def run(*arguments: str, cwd: str | Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; *more* are variables of its environment."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=cwd, env=environment(**more), input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False,
        encoding="utf-8",
    )  # fmt: skip


class Server:
    """``run`` in the background, on a port of the kernel's choice; ``output`` is what it has printed so far.

    With an empty *listen* any other command that goes on until it is told to stop.
    """

    def __init__(self, *arguments: str, cwd: str | Path, listen: str = "127.0.0.1:0", **more: str) -> None:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by close()
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments, *(["--listen", listen] if listen else [])],
            cwd=cwd, env=environment(**more), stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    @property
    def output(self) -> str:
        # Not the shared descriptor's own position: the program is writing there.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode("utf-8", "replace")

    def wait_for(self, pattern: str, seconds: float = SECONDS) -> re.Match[str]:
        """Wait until the program has printed *pattern*; fail with what it said instead."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            match = re.search(pattern, self.output)
            if match:
                return match
            if ended:
                break
            time.sleep(0.01)
        raise AssertionError(f"never said {pattern!r}; it said:\n{self.output}")

    def port(self) -> int:
        return int(self.wait_for(r"127\.0\.0\.1:(\d+)(?:/weixin| .*path)")[1])

    def request(self, method: str, target: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port(), timeout=SECONDS)
        try:
            connection.request(method, target, body, {"Content-Type": "text/xml"} if body else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """End it with SIGTERM if it runs still, and return its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(SECONDS)
        finally:
            self.process.kill()

    def close(self) -> None:
        self.stop()
        self._log.close()
