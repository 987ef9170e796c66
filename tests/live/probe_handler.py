"""A handler that tries to get out of its sandbox, and says how far it came. It is copied into the live machine."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import subprocess
import tempfile
import time
from typing import Any, Callable

from wxserve import on


def write(path: str) -> None:
    with open(path, "w") as stream:
        stream.write("x")


def run() -> None:
    subprocess.run(["/bin/sh", "-c", "id"], check=True)


def run_own() -> None:
    """A program that it brings along, from each place that it may write to."""
    for folder in (os.environ["STATE_DIRECTORY"], tempfile.gettempdir(), "/var/tmp", "/dev/shm", "/run"):
        path = os.path.join(folder, "tool")
        try:
            with open("/usr/bin/env", "rb") as source, open(path, "wb") as target:
                target.write(source.read())
            os.chmod(path, 0o700)
        except OSError:
            continue
        try:
            subprocess.run([path], check=True)
        except OSError:
            continue
        raise RuntimeError(f"ran {path}")
    raise PermissionError


def shell_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def become_root() -> None:
    os.setuid(0)


def mount() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None):
        raise OSError(ctypes.get_errno(), "mount")


def namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x10000000):  # CLONE_NEWUSER
        raise OSError(ctypes.get_errno(), "unshare")


def set_user_id() -> None:
    path = os.path.join(os.environ["STATE_DIRECTORY"], "suid")
    write(path)
    os.chmod(path, 0o4755)


def control_systemd() -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("/run/systemd/private")


def dbus() -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("/run/dbus/system_bus_socket")


def outside() -> None:
    socket.create_connection(("127.0.0.1", 80), 1).close()


TRIES: dict[str, Callable[[], Any]] = {
    "write /etc": lambda: write("/etc/wxserve/x"),
    "write the program": lambda: write("/opt/wxserve/current/x"),
    "write /usr": lambda: write("/usr/x"),
    "write /run": lambda: write("/run/x"),
    "write /proc/sys": lambda: write("/proc/sys/kernel/hostname"),
    "list /home": lambda: os.listdir("/home/somebody"),
    "list /root": lambda: os.listdir("/root"),
    "read /etc/shadow": lambda: open("/etc/shadow").close(),
    "read the secrets' originals": lambda: open("/etc/wxserve/secrets/token").close(),
    "see other processes": lambda: open("/proc/1/cmdline").close(),
    "open a socket": lambda: socket.socket(socket.AF_INET).close(),
    "open a socket of IPv6": lambda: socket.socket(socket.AF_INET6).close(),
    "open a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
    "connect": outside,
    "run a shell": run,
    "run a program of its own": run_own,
    "run code from memory": shell_code,
    "become root": become_root,
    "mount": mount,
    "make a namespace": namespace,
    "make a file set-user-id": set_user_id,
    "kill init": lambda: os.kill(1, signal.SIGTERM),
    "change the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, 0),
    "change the host's name": lambda: socket.sethostname("x"),
    "raise its priority": lambda: os.nice(-5),
    "talk to systemd": control_systemd,
    "talk on D-Bus": dbus,
}


@on.text("try")
def escape() -> str:
    done = []
    for name, attempt in TRIES.items():
        try:
            attempt()
        except OSError:
            continue
        done.append(name)
    return "succeeded: " + ", ".join(done)


@on.text("status")
def status() -> str:
    with open("/proc/self/status") as stream:
        lines = stream.read().splitlines()
    wanted = ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
    return ";".join(line.replace("\t", "") for line in lines if line.split(":")[0] in wanted)


@on.text("keep")
def keep() -> str:
    path = os.path.join(os.environ["STATE_DIRECTORY"], "kept")
    write(path)
    return f"{oct(os.stat(path).st_mode & 0o777)} {path}"


@on.text("outside")
def call_out() -> str:
    outside()
    return "reached"


@on.text("date")
def date() -> str:
    try:
        return subprocess.run(["/usr/bin/date", "+%Y"], check=True, capture_output=True, text=True).stdout.strip()
    except OSError as error:
        return type(error).__name__


@on.text("credentials")
def credentials() -> str:
    folder = os.environ["CREDENTIALS_DIRECTORY"]
    return " ".join(sorted(os.listdir(folder)))
