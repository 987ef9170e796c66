"""systemd's side: sockets handed over, readiness, watchdog, credentials, journal priorities.

The protocols are small enough to speak without a library: sd_listen_fds(3), sd_notify(3),
sd_watchdog_enabled(3), systemd.exec(5) for credentials and JOURNAL_STREAM, sd-daemon(3) for priorities.
Everything here does nothing when systemd is not there.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import MutableMapping

from .listeners import InheritedSocket

# sd_listen_fds(3): the first descriptor handed over.
LISTEN_FDS_START = 3
# Half the watchdog's time is what sd_watchdog_enabled(3) recommends; a little less forgives a busy machine.
WATCHDOG_SHARE = 0.4


def listen_fds(environ: MutableMapping[str, str] = os.environ) -> list[tuple[str, InheritedSocket]]:
    """The sockets that systemd listens on for us, with their names (FileDescriptorName=).

    They are taken once: the variables are removed, so that no child takes them for its own.
    """
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not (count.isascii() and count.isdecimal()):
        return []
    sockets = []
    for index in range(int(count)):
        sock = InheritedSocket(fileno=LISTEN_FDS_START + index)
        sock.set_inheritable(False)
        sockets.append((names[index] if index < len(names) else "unknown", sock))
    return sockets


class Notifier:
    """Tells systemd how the service is. Failures are swallowed: a service runs as well unheard."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._address = environ.pop("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]
        self.watchdog_seconds = _watchdog_seconds(environ)
        """How often `watchdog()` should be called; None: nobody watches."""

    def send(self, *lines: str) -> None:
        """One message, as sd_notify(3) has them."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                # systemd may be slow to read; the supervisor has other things to do.
                sock.setblocking(False)
                sock.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            pass

    def ready(self, status: str) -> None:
        self.send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        self.send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self.send("STOPPING=1")

    def watchdog(self) -> None:
        self.send("WATCHDOG=1")


def _watchdog_seconds(environ: MutableMapping[str, str]) -> float | None:
    pid, period = environ.pop("WATCHDOG_PID", ""), environ.pop("WATCHDOG_USEC", "")
    if (pid and pid != str(os.getpid())) or not (period.isascii() and period.isdecimal()):
        return None
    return int(period) / 1e6 * WATCHDOG_SHARE


def credential(name: str, environ: MutableMapping[str, str] = os.environ) -> bytes | None:
    """A credential's content without the newline an editor left at its end; None: there is none."""
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        return None
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read().rstrip(b"\r\n")
    except FileNotFoundError:
        return None


def in_journal(fd: int = 2, environ: MutableMapping[str, str] = os.environ) -> bool:
    """Whether what is written to `fd` goes to the journal (and not to a pipe or file of an outer shell)."""
    try:
        status = os.fstat(fd)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def priority(level: int) -> str:
    """The prefix that tells the journal how a line ranks: "<3>" for an error (sd-daemon(3))."""
    if level >= logging.CRITICAL:
        return "<2>"
    if level >= logging.ERROR:
        return "<3>"
    if level >= logging.WARNING:
        return "<4>"
    return "<6>" if level >= logging.INFO else "<7>"


class JournalFormatter(logging.Formatter):
    """Puts the priority before every line that another formatter makes, tracebacks included."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        prefix = priority(record.levelno)
        return "\n".join(prefix + line for line in self._inner.format(record).split("\n"))
