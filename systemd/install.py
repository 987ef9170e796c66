"""Install, upgrade and uninstall wxserve as a systemd service: what ``make install`` and its like run, as root.

NAME is wxserve, unless there are several accounts on one machine:

    PREFIX/releases/VERSION-HASH/   the program, compiled; a folder a release; PREFIX is /opt/NAME
    PREFIX/current                  a link to the one that runs: to change it is one rename
    PREFIX/root/                    empty; where the drop-in 10-root.conf builds a root folder for the service
    /etc/NAME/                      configuration, replies and handlers; the secrets in a folder for root alone
    /etc/systemd/system/            the units, with this machine's paths and Nginx's group in them
    BINDIR/NAME                     the command

Configuration and secrets are made once and never touched again. Nginx's folder is not touched at all.
"""

from __future__ import annotations

import argparse
import filecmp
import grp
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import release  # noqa: E402 - the folder of this file is on the path now

from weixin import texts  # noqa: E402

# As they stand in the shipped files; each file works as it is where these are right.
SHIPPED_NAME, SHIPPED_PYTHON, SHIPPED_GROUP = "wxserve", "/usr/bin/python3", "www-data"
# A unit, a user, a folder and a variable of Nginx are called so.
NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
# Debian and Ubuntu; RHEL-like, openEuler and Alpine; Arch.
NGINX_GROUPS = ("www-data", "nginx", "http")
# What `init` writes into the configuration, and a service must not keep there: others may read it.
SECRETS = ("token", "aes_key")
# The one that runs, and the one before it.
KEPT_RELEASES = 2
# Longer than TimeoutStartSec= and TimeoutStopSec= of the service together.
SYSTEMCTL_SECONDS = 90


class Failed(Exception):
    """What went wrong, as a key of the texts and its values."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class Target(NamedTuple):
    """Where everything goes. *stage* (DESTDIR) is put before each path, and is empty on the machine itself."""

    stage: str
    name: str
    prefix: str
    python: str
    group: str
    units: str
    bin: str

    @property
    def service(self) -> str:
        return f"{self.name}.service"

    @property
    def socket(self) -> str:
        return f"{self.name}.socket"

    @property
    def admin(self) -> str:
        return f"{self.name}-admin.socket"

    @property
    def config(self) -> str:
        return f"/etc/{self.name}"

    def path(self, *parts: str) -> Path:
        """The place to write what will be at *parts*."""
        return Path(self.stage + os.path.join(*parts))

    @property
    def running(self) -> bool:
        """Whether this is a machine with a systemd to talk to, rather than a folder."""
        return not self.stage and os.path.isdir("/run/systemd/system") and shutil.which("systemctl") is not None

    @property
    def current(self) -> Path:
        return self.path(self.prefix, "current")


def main() -> int:
    options = _parser().parse_args()
    target = Target(
        options.destdir.rstrip("/"),
        options.name,
        os.path.normpath(options.prefix or f"/opt/{options.name}"),
        options.python,
        options.nginx_group or nginx_group(),
        options.unitdir,
        options.bindir,
    )
    steps = {"install": install, "upgrade": upgrade, "uninstall": uninstall}
    try:
        if not NAME.fullmatch(target.name):
            raise Failed("install.bad_name", name=target.name)
        if not target.stage and os.geteuid() != 0:
            raise Failed("install.root", command=options.command)
        steps[options.command](target)
    except Failed as failed:
        say(failed.key, **failed.values)
        return 1
    except OSError as error:
        say("install.cannot", file=error.filename or "-", error=error.strerror or error)
        return 1
    return 0


def install(target: Target) -> None:
    """Lay everything down and open the socket; where it is installed already, this is an upgrade."""
    if target.current.is_symlink() and target.running:
        for path in configure(target, target.current.resolve()):
            say("install.made", file=path)
        upgrade(target)
        return
    fitting(target)
    laid = lay(target)
    for path in configure(target, laid):
        say("install.made", file=path)
    switch(target, laid)
    if target.group == "root":
        say("install.no_group", name=target.name)
    if target.running:
        systemctl("enable", "--now", target.socket)
        say("install.next", name=target.name, prefix=target.prefix, config=target.config)
    elif not target.stage:
        say("install.no_systemd", prefix=target.prefix, config=target.config)


def upgrade(target: Target) -> None:
    """Put the new release beside the old, try it, change over, restart; go back if it does not come up."""
    if not target.current.is_symlink():
        raise Failed("install.not_installed", file=target.current)
    fitting(target)
    before = target.current.resolve()
    laid = lay(target)
    if laid == before:
        switch(target, laid)
        say("install.same", release=laid.name)
        return
    if target.running:
        checked = subprocess.run(
            [str(laid / "systemd" / target.name), "check"],
            check=False,
            env={**os.environ, "WXSERVE_PROGRAM": str(laid / "wxserve.py")},
        )
        if checked.returncode:
            shutil.rmtree(laid)
            raise Failed("install.check_failed", release=laid.name)
    if target.running and not restart(target, switch(target, laid)):
        back = restart(target, switch(target, before))
        shutil.rmtree(laid)
        say("install.log", name=target.name)
        raise Failed("install.rolled_back" if back else "install.both_fail", release=laid.name, before=before.name)
    if not target.running:
        switch(target, laid)
    clean(target)
    say("install.upgraded", release=laid.name, before=before.name)


def uninstall(target: Target) -> None:
    """Take away what `install` laid down. Configuration, secrets and state stay."""
    if target.running:
        systemctl("disable", "--now", target.admin, target.socket, target.service, check=False)
    for path in (
        target.path(target.units, target.service),
        target.path(target.units, target.socket),
        target.path(target.units, target.admin),
        target.path(target.bin, target.name),
    ):
        path.unlink(missing_ok=True)
    if target.current.is_symlink():
        target.current.unlink()
    for name in ("releases", "root"):
        shutil.rmtree(target.path(target.prefix, name), ignore_errors=True)
    try:
        target.path(target.prefix).rmdir()
    except OSError:  # something of somebody else's is in it
        pass
    if target.running:
        systemctl("daemon-reload")
    say("install.removed", name=target.name, config=target.config)


def fitting(target: Target) -> None:
    """Raise Failed where the service could not run: from a folder that it may not read."""
    hidden = ("/root/", "/home/", "/run/user/")
    # A staged tree is for another machine, whose Python is not this one.
    base = "" if target.stage else sys.base_prefix + "/"
    if base.startswith(hidden) or f"{target.prefix}/".startswith(hidden):
        raise Failed("install.hidden", python=target.python, prefix=target.prefix)


def lay(target: Target) -> Path:
    """Put this source's release beside the others; the same content is the same release."""
    releases = target.path(target.prefix, "releases")
    releases.mkdir(parents=True, exist_ok=True)
    # For the drop-in 10-root.conf.
    target.path(target.prefix, "root").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=releases) as folder:
        part = Path(folder) / "release"
        part.mkdir()
        name = release.lay(part, target.name, exchange(target), Path(target.prefix, "current"))
        laid = releases / name
        if not laid.exists():
            os.rename(part, laid)  # whole or not at all
    return laid


def exchange(target: Target) -> dict[str, str]:
    """What to exchange in the shipped units and the command."""
    pairs = {f"/opt/{target.name}": target.prefix, SHIPPED_PYTHON: target.python}
    pairs[f"SocketGroup={SHIPPED_GROUP}"] = f"SocketGroup={target.group}"
    libraries = sys.base_prefix
    if not libraries.startswith("/usr") or libraries.startswith("/usr/local"):
        # A Python that came with no package: what it maps as code lies in its own folder.
        pairs[f"ExecPaths={SHIPPED_PYTHON}"] = f"ExecPaths={libraries} {target.python}"
    return pairs


def configure(target: Target, laid: Path) -> Iterator[str]:
    """Make configuration, replies, handlers and secrets where they are missing; yield what was made."""
    config = target.path(target.config)
    fresh = not (config / "wxserve.ini").exists()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-B", str(laid / "wxserve.py"), "--quiet", "init", folder], check=True, cwd=folder
        )
        ini = Path(folder, "wxserve.ini")
        text, secrets = without_secrets(ini.read_text("utf-8"))
        ini.write_text(text, "utf-8")
        _folder(config, 0o755)
        _folder(config / "secrets", 0o700)
        for name, value in secrets.items():
            if _write(config / "secrets" / name, value + "\n", 0o600):
                yield f"{target.config}/secrets/{name}"
        if fresh:
            for path in sorted(Path(folder).rglob("*")):
                place = path.relative_to(folder)
                ours = path.is_file() and place.parts[0] in ("wxserve.ini", "replies.ini", "handlers")
                if ours and _write(config / place, path.read_text("utf-8"), 0o644):
                    yield f"{target.config}/{place}"
        _folder(config / "handlers", 0o755)


def without_secrets(ini: str) -> tuple[str, dict[str, str]]:
    """Split a wxserve.ini into one that everybody may read, and what nobody may."""
    secrets: dict[str, str] = {}

    def move(match: re.Match[str]) -> str:
        secrets[match[1]] = match[2]
        return f"# {match[1]} ="

    pattern = rf"^({'|'.join(SECRETS)}) *= *(\S+)$"
    return re.sub(pattern, move, ini, flags=re.M), secrets


def switch(target: Target, laid: Path) -> list[str]:
    """Make *laid* the release that runs at the next start: units, command and link. Return the units that changed."""
    target.path(target.units).mkdir(parents=True, exist_ok=True)
    target.path(target.bin).mkdir(parents=True, exist_ok=True)
    units = (target.service, target.socket, target.admin)
    changed = [name for name in units if _replace(laid / "systemd" / name, target.path(target.units, name), 0o644)]
    _replace(laid / "systemd" / target.name, target.path(target.bin, target.name), 0o755)
    link = target.path(target.prefix, ".current")
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.join("releases", laid.name))
    os.replace(link, target.current)
    if target.running:
        systemctl("daemon-reload")
    return changed


def restart(target: Target, changed: list[str]) -> bool:
    """Restart the service where it is in use, waiting until it answers; return whether it does.

    The socket is left alone, with everybody who waits in it, unless it is its own unit that changed.
    """
    active = [unit for unit in (target.socket, target.service) if systemctl("is-active", "--quiet", unit, check=False)]
    units = [target.socket, target.service] if target.socket in changed else [target.service]
    return not active or systemctl("restart", *units, check=False)


def clean(target: Target) -> None:
    """Remove releases that are neither the current one nor the one before it."""
    releases = target.path(target.prefix, "releases")
    current = target.current.resolve()
    others = [path for path in releases.iterdir() if path != current and not path.name.startswith(".")]
    for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_RELEASES - 1 :]:
        shutil.rmtree(path)


def nginx_group() -> str:
    """The group of Nginx's workers, by its configuration or its usual names; «root» where there is none."""
    try:
        with open("/etc/nginx/nginx.conf", encoding="utf-8", errors="replace") as stream:
            match = re.search(r"^\s*user\s+([\w.-]+)(?:\s+([\w.-]+))?\s*;", stream.read(), re.M)
    except OSError:
        match = None
    named = (_group(match[2]) if match[2] else _group_of(match[1])) if match else None
    return named or next(filter(None, map(_group, NGINX_GROUPS)), "root")


def systemctl(*words: str, check: bool = True) -> bool:
    """Run systemctl; return whether it succeeded. Raise Failed where it must and does not."""
    try:
        done = subprocess.run(["systemctl", *words], check=False, timeout=SYSTEMCTL_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        done = False
    if check and not done:
        raise Failed("install.systemctl", words=" ".join(words))
    return done


def say(key: str, **values: object) -> None:
    print(texts.say(key, texts.language("auto", os.environ), **values), flush=True)


def _group(name: str) -> str | None:
    try:
        return grp.getgrnam(name).gr_name
    except KeyError:
        return None


def _group_of(user: str) -> str | None:
    try:
        return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    except KeyError:
        return None


def _folder(path: Path, mode: int) -> None:
    """Make a folder with this mode; leave one that is there as it is."""
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(mode)


def _write(path: Path, text: str, mode: int) -> bool:
    """Write a new file that at no time others may read more of than *mode* says; leave one that is there alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        os.fchmod(stream.fileno(), mode)
    return True


def _replace(source: Path, place: Path, mode: int) -> bool:
    """Put a copy of *source* in *place* in one step; return whether it was another."""
    if place.exists() and filecmp.cmp(source, place, shallow=False):
        return False
    part = place.with_name(f".{place.name}.new")
    shutil.copyfile(source, part)
    part.chmod(mode)
    os.replace(part, place)
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("install", "upgrade", "uninstall"))
    parser.add_argument("--name", default=SHIPPED_NAME)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--destdir", default="")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--nginx-group", default="")
    parser.add_argument("--unitdir", default="/etc/systemd/system")
    parser.add_argument("--bindir", default="/usr/local/bin")
    return parser


if __name__ == "__main__":
    sys.exit(main())
