"""A Debian with a real systemd as PID 1, for a minute: what is done to it is thrown away.

debootstrap makes the root folder once, systemd-nspawn boots it in a second under an overlay. Needs root, Linux
and both programs; the folder that keeps the root is named by TEST_LIVE. Knows nothing of wxserve.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

ENV = "TEST_LIVE"
SUITE = "bookworm"
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "libseccomp2", "python3", "make", "nginx-light", "openssl", "curl",
    "ca-certificates", "iproute2", "procps",
)  # fmt: skip

BOOT_SECONDS = 60.0
HALT_SECONDS = 30.0
RUN_SECONDS = 120.0
TURN = 0.05

# systemd-nspawn leaves /run/systemd/nspawn on the host: in a mount namespace of its own that is a tmpfs which goes with
# it. Its cgroups stay behind too, so it gets one whose name we know.
_START = """
mount -t tmpfs -o mode=755 tmpfs /run/systemd
for folder in "$CGROUPS"/systemd "$CGROUPS"/unified "$CGROUPS"; do
    [ -e "$folder/cgroup.procs" ] && mkdir -p "$folder/$NAME" && echo $$ > "$folder/$NAME/cgroup.procs"
done
exec systemd-nspawn "$@"
"""
_CGROUPS = "/sys/fs/cgroup"


class Missing(Exception):
    """What this machine lacks for booting another one."""


def root() -> Path:
    """Return the folder of a Debian, made now if it is not there. Raise Missing."""
    folder = os.environ.get(ENV)
    if not folder:
        raise Missing(f"{ENV} is not set: the folder that keeps a Debian root for these tests")
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise Missing("only root can boot a machine")
    for program in ("debootstrap", "systemd-nspawn", "nsenter", "unshare"):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed")
    made = Path(folder) / SUITE
    made.parent.mkdir(parents=True, exist_ok=True)
    with open(made.parent / "lock", "w") as lock:  # another process may be at it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            _debootstrap(made)
    return made


def _debootstrap(made: Path) -> None:
    with tempfile.TemporaryDirectory(dir=made.parent) as folder:
        part = Path(folder) / "root"
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), SUITE, str(part)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        os.rename(part, made)  # whole or not at all


class Machine:
    """A booted machine; leave the ``with`` block and it is gone. *binds* are «host folder:folder inside»."""

    def __init__(self, made: Path, binds: Sequence[str] = (), name: str = "box") -> None:
        self._name = f"wxserve-{os.getpid()}-{name}"
        self._arguments = [
            f"--directory={made}", f"--machine={self._name}", "--hostname=box", "--volatile=overlay",
            "--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe",
            "--link-journal=no", "--resolv-conf=off", "--timezone=off",
            # Without these IPAddressDeny= is silently ignored inside.
            "--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN", "--system-call-filter=bpf @keyring",
            *(f"--bind-ro={bind}" for bind in binds),
        ]  # fmt: skip
        self._console = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the machine is down
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def __enter__(self) -> Machine:
        self._nspawn = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", _START, "sh", *self._arguments],
            env={
                "PATH": os.environ["PATH"],
                "NAME": self._name,
                "CGROUPS": _CGROUPS,
                "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=self._console,
        )
        try:
            self._wait_until_up(self._nspawn)
        except BaseException:
            self._halt()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._halt()

    def run(
        self, *command: str, check: bool = True, seconds: float = RUN_SECONDS, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run *command* inside as root and return what it printed. Raise AssertionError if it fails and *check*."""
        done = subprocess.run(
            self.entering(*command),
            check=False,
            env=_ENVIRON,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def shell(self, script: str, *, check: bool = True, seconds: float = RUN_SECONDS) -> str:
        """Run *script* in a shell inside and return its standard output without the last line feed."""
        return self.run("sh", "-euc", script, check=check, seconds=seconds).stdout.rstrip("\n")

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start *command* inside and return it running, its output as a pipe."""
        return subprocess.Popen(
            self.entering(*command), env=_ENVIRON, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )

    def entering(self, *command: str) -> list[str]:
        """Return the command line that runs *command* inside."""
        return ["nsenter", "--all", f"--target={self._leader}", "--", *command]

    def write(self, path: str, text: str, mode: str = "644") -> None:
        """Write a file inside."""
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, stdin=text)

    def _wait_until_up(self, nspawn: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        state = "no PID 1"
        while time.monotonic() < deadline and nspawn.poll() is None:
            self._leader = self._leader or next(_inits(nspawn.pid), 0)
            if self._leader:
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(TURN)
        self._console.seek(0)
        raise AssertionError(f"the machine is not up: {state}\n{self._console.read().decode(errors='replace')}")

    def _halt(self) -> None:
        assert self._nspawn is not None
        if self._leader and self._nspawn.poll() is None:
            self.run("systemctl", "poweroff", "--no-block", check=False)
        else:
            self._nspawn.terminate()
        try:
            self._nspawn.wait(HALT_SECONDS)
        except subprocess.TimeoutExpired:
            self._nspawn.send_signal(signal.SIGKILL)
            self._nspawn.wait()
        self._console.close()
        for folder in ("systemd", "unified", "."):
            for path, _, _ in os.walk(f"{_CGROUPS}/{folder}/{self._name}", topdown=False):
                os.rmdir(path)


_ENVIRON = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def _inits(parent: int) -> Iterator[int]:
    """The children of *parent* that are PID 1 in a namespace of their own and are systemd by now."""
    for listing in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in listing.read_text().split():
            try:
                status = Path(f"/proc/{child}/status").read_text()
            except OSError:
                continue  # it has ended
            inner = re.search(r"^NSpid:.*\s(\d+)$", status, re.M)
            if inner and inner[1] == "1" and status.startswith("Name:\tsystemd\n"):
                yield int(child)
