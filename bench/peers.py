"""Who races: each peer's command line, and why it cannot start here if it cannot.

One worker process each, as wxserve has by default, and otherwise what the peer's own pages advise. Add a
peer by adding a line. Knows nothing of measuring.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lab
import pushes

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
APPS = BENCH / "apps"
VENV = BENCH / ".venv" / "bin"
# The same for wxserve, which needs none of its packages: another interpreter's site-packages may run code of their own
# at every start.
PYTHON = str(VENV / "python")
THREADS = "4"  # gunicorn's own advice is 2-4 a core; more only costs it more


@dataclass(frozen=True)
class Place:
    """Where and how one instance is to run."""

    folder: Path
    address: lab.Address
    mode: str = pushes.PLAIN


@dataclass(frozen=True)
class Peer:
    """A program that can be started at a place. `missing` says why it cannot be here."""

    name: str
    command: Callable[[Place], list[str]]
    missing: str = ""

    def run(self, place: Place) -> lab.Server:
        """Start it; the caller stops it."""
        place.folder.mkdir(parents=True, exist_ok=True)
        env = {**pushes.ENVIRONMENT, "PYTHONPATH": f"{APPS}:{ROOT}", "GOMAXPROCS": "1"}
        return lab.start(self.name, self.command(place), place.address, place.folder, env)


def wxserve_ini(place: Place, replies: str = "") -> str:
    """The configuration of the program under test: its defaults, but for who it is and where it listens."""
    return (
        "[wechat]\n"
        f"token = {pushes.TOKEN}\nmode = {place.mode}\nappid = {pushes.APPID}\naes_key = {pushes.AES_KEY}\n"
        f"[server]\nlisten = {place.address}\n"
        f"[replies]\n{replies or 'handlers = ' + str(APPS / 'handlers')}\n"
    )


def wxserve_command(place: Place, replies: str = "") -> list[str]:
    """Write the configuration, and say how to run it."""
    config = place.folder / "wxserve.ini"
    config.write_text(wxserve_ini(place, replies), encoding="utf-8")
    config.chmod(0o600)
    return [PYTHON, str(ROOT / "wxserve.py"), "run", "-c", str(config)]


def _package(name: str) -> str:
    """Why a Python peer is missing, or nothing."""
    if list((VENV.parent / "lib").glob(f"python*/site-packages/{name}")):
        return ""
    return f"{name} is not installed in bench/.venv"


def _file(path: Path) -> str:
    return "" if path.exists() else f"{path.relative_to(ROOT)} is not there"


def _gunicorn(app: str, kind: str) -> Callable[[Place], list[str]]:
    options = ["-k", kind, "-w", "1", "--no-control-socket"]
    if kind == "gthread":
        options += ["--threads", THREADS]
    return lambda place: [str(VENV / "gunicorn"), *options, "-b", str(place.address), app]


def _bjoern(app: str) -> Callable[[Place], list[str]]:
    return lambda place: [str(VENV / "python"), str(APPS / "serve_bjoern.py"), app, str(place.address)]


def _go_build() -> tuple[str, str]:
    """(path of the built program, why it is missing)"""
    if not shutil.which("go"):
        return "", "go is not installed"
    target = VENV.parent / "go_echo"
    # Under the peers' own folder, so that nothing is left elsewhere and `make clean` takes it.
    env = {**os.environ, "GOCACHE": str(VENV.parent / "go-cache"), "GO111MODULE": "off"}
    command = ["go", "build", "-o", str(target), "main.go"]
    built = subprocess.run(command, cwd=APPS / "go", env=env, capture_output=True, text=True, timeout=120, check=False)
    return str(target), "" if built.returncode == 0 else "go build: " + built.stderr.strip()[-200:]


def _koa(place: Place) -> list[str]:
    return ["node", str(APPS / "koa_echo.js"), str(place.address)]


def programs() -> list[Peer]:
    """The whole program, and those who answer the same push."""
    peers = [Peer("wxserve", wxserve_command, _file(ROOT / "wxserve.py"))]
    for name, app, package in (
        ("WeRoBot", "werobot_echo:application", "werobot"),
        ("wechatpy + Flask", "wechatpy_echo:application", "wechatpy"),
    ):
        missing = _package(package)
        peers += [
            Peer(f"{name}, gunicorn gthread", _gunicorn(app, "gthread"), missing or _package("gunicorn")),
            Peer(f"{name}, gunicorn sync", _gunicorn(app, "sync"), missing or _package("gunicorn")),
            Peer(f"{name}, bjoern", _bjoern(app), missing or _package("bjoern.py")),
        ]
    koa = "" if shutil.which("node") else "node is not installed"
    koa = koa or _file(BENCH / "node_modules" / "co-wechat")
    peers.append(Peer("co-wechat on koa", _koa, koa))
    go, missing = _go_build()
    peers.append(Peer("Go net/http, by hand", lambda place: [go, str(place.address)], missing))
    return peers


def servers() -> list[Peer]:
    """The server alone, around a bare callable."""
    app = "bare:application"
    gunicorn = _package("gunicorn")
    go, go_missing = _go_build()

    def granian(place: Place) -> list[str]:
        where = ["--uds", place.address.path] if place.address.path else ["--port", str(place.address.port)]
        return [str(VENV / "granian"), "--interface", "wsgi", "--workers", "1", "--no-ws", *where, app]

    def uwsgi(place: Place) -> list[str]:
        where = ["--http11-socket", place.address.path or str(place.address)]
        quiet = ["--master", "--die-on-term", "--disable-logging"]
        return [str(VENV / "uwsgi"), *where, *quiet, "--pythonpath", str(APPS), "--module", app]

    return [
        Peer(
            "wxserve's server",
            lambda place: [PYTHON, "-m", "weixin.server", app, "--listen", str(place.address)],
            _file(ROOT / "weixin" / "server" / "__main__.py"),
        ),
        Peer("gunicorn gthread", _gunicorn(app, "gthread"), gunicorn),
        Peer("gunicorn sync", _gunicorn(app, "sync"), gunicorn),
        Peer(
            "waitress",
            lambda place: [str(VENV / "waitress-serve"), f"--listen={place.address}", app],
            _package("waitress"),
        ),
        Peer(
            "cheroot",
            lambda place: [str(VENV / "cheroot"), "--bind", str(place.address), app],
            _package("cheroot"),
        ),
        Peer("uWSGI", uwsgi, _file(VENV / "uwsgi")),
        Peer("bjoern", _bjoern(app), _package("bjoern.py")),
        Peer("granian", granian, _package("granian")),
        Peer("Go net/http, by hand", lambda place: [go, "-bare", str(place.address)], go_missing),
    ]
