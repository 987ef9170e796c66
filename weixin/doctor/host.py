"""The machine: does systemd keep the service running, and is there room to write."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping

from ..problem import Problem
from .visit import Visit

SERVICE, SOCKET = "wxserve.service", "wxserve.socket"
# The command `wxserve` asks systemd before it goes into the sandbox, and puts the answer here.
STATE_VARIABLE = "UNIT_STATE"
PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,NRestarts,ActiveEnterTimestamp,ActiveEnterTimestampMonotonic,MainPID,"
    "ExecMainStatus"
)
SYSTEMCTL_SECONDS = 5
# A service that was begun again this often fails for a reason: unless it has kept up so long since. systemd counts on
# until somebody restarts it.
MANY_RESTARTS = 5
SETTLED_SECONDS = 10.0
# SQLite needs room for its log, and for copies of what it changes.
FREE_BYTES = 64 << 20


def unit(visit: Visit) -> Iterator[Problem]:
    """systemd holds the socket, and the service does not fail."""
    state = unit_state(visit.environ)
    if state.get("service.LoadState") != "loaded":
        return  # not installed as a service: nothing to say
    socket, service = state.get("socket.ActiveState", ""), state.get("service.ActiveState", "")
    restarts = int(state.get("service.NRestarts") or 0)
    values = {"result": state.get("service.Result", ""), "status": state.get("service.ExecMainStatus", "")}
    if socket != "active":
        yield Problem("WX-OPS-01", {"reason": "unit-socket", "state": socket})
    elif service == "failed" or state.get("service.SubState") == "auto-restart":
        yield Problem("WX-OPS-01", {"reason": "unit-failed", **values})
    elif restarts >= (1 if service == "activating" else MANY_RESTARTS) and _seconds_up(state) < SETTLED_SECONDS:
        yield Problem("WX-OPS-01", {"reason": "unit-restarts", "n": restarts, **values})
    else:
        since = state.get("service.ActiveEnterTimestamp", "")
        pid = state.get("service.MainPID", "0")
        visit.note("unit", state=service, pid=pid, restarts=restarts, since=since or "-")


def _seconds_up(state: Mapping[str, str]) -> float:
    """How long the service has been active; 0 where it is not. systemd's monotonic clock is ours."""
    if state.get("service.ActiveState") != "active":
        return 0.0
    return time.monotonic() - int(state.get("service.ActiveEnterTimestampMonotonic") or 0) / 1e6


def disk(visit: Visit) -> Iterator[Problem]:
    """There is room where the state is kept, and it may be written."""
    folder = visit.environ.get("STATE_DIRECTORY") or _store_folder(visit)
    try:
        room = os.statvfs(folder)
    except OSError as error:
        yield Problem("WX-OPS-02", {"reason": "disk-unreadable", "folder": folder, "error": error.strerror})
        return
    free = room.f_bavail * room.f_frsize
    if room.f_flag & os.ST_RDONLY:
        yield Problem("WX-OPS-02", {"reason": "disk-read-only", "folder": folder})
    elif free < FREE_BYTES:
        yield Problem("WX-OPS-02", {"reason": "disk-full", "folder": folder, "free": free >> 20})
    elif room.f_files and not room.f_favail:
        yield Problem("WX-OPS-02", {"reason": "disk-inodes", "folder": folder})
    else:
        visit.note("disk", folder=folder, free=f"{free >> 20} MB")


def _store_folder(visit: Visit) -> str:
    if visit.settings is None:
        return os.getcwd()
    kind, _, path = visit.settings.store.partition(":")
    return os.path.dirname(path) if kind == "sqlite" else visit.settings.base


def unit_state(environ: Mapping[str, str]) -> dict[str, str]:
    """What systemd says, by «service.Property» and «socket.Property»; nothing where there is no systemd."""
    told = environ.get(STATE_VARIABLE)
    if told is not None:
        return dict(pair.split("=", 1) for pair in told.split(";") if "=" in pair)
    if not os.path.isdir("/run/systemd/system"):
        return {}
    try:
        shown = subprocess.run(
            ["systemctl", "--no-pager", "show", "-p", PROPERTIES, SERVICE, SOCKET],
            check=False,
            capture_output=True,
            text=True,
            timeout=SYSTEMCTL_SECONDS,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    state = {}
    for block in shown.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        kind = values.pop("Id", "").rpartition(".")[2]
        state.update({f"{kind}.{name}": value for name, value in values.items()})
    return state
